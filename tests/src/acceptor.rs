//! A listening socket on loopback with one thread for each connection. Dropping it closes everything and waits for the
//! threads, so no test leaves anything behind. Used by the DNS server and the SMTP peer.

use std::collections::HashMap;
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// See the module.
#[derive(Debug)]
pub struct Acceptor {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    stopping: AtomicBool,
    accepted: AtomicUsize,
    open: Mutex<HashMap<usize, TcpStream>>,
}

impl Acceptor {
    /// Serves every connection to the socket, numbered from 1, until dropped.
    ///
    /// # Errors
    /// What the system says of the socket.
    pub fn serve(listener: TcpListener, session: impl Fn(usize, TcpStream) + Send + Sync + 'static) -> io::Result<Acceptor> {
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let inner = shared.clone();
        let thread = thread::spawn(move || accept(&listener, &inner, &Arc::new(session)));
        Ok(Acceptor { address, shared, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections came.
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// How many connections are open now.
    pub fn open(&self) -> usize {
        self.shared.open.lock().unwrap().len()
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, session: &Arc<impl Fn(usize, TcpStream) + Send + Sync + 'static>) {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    while let Ok((stream, _)) = listener.accept() {
        if shared.stopping.load(Ordering::SeqCst) {
            break;
        }
        let number = shared.accepted.fetch_add(1, Ordering::SeqCst) + 1;
        let Ok(handle) = stream.try_clone() else { continue };
        shared.open.lock().unwrap().insert(number, handle);
        let (shared, session) = (shared.clone(), session.clone());
        threads.retain(|thread| !thread.is_finished());
        threads.push(thread::spawn(move || {
            session(number, stream);
            if let Some(handle) = shared.open.lock().unwrap().remove(&number) {
                // The registered handle keeps the socket open: without this the other side would never see the end.
                let _ = handle.shutdown(Shutdown::Both);
            }
        }));
    }
    for stream in shared.open.lock().unwrap().values() {
        let _ = stream.shutdown(Shutdown::Both);
    }
    for thread in threads {
        let _ = thread.join();
    }
}

impl Drop for Acceptor {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        // A connection of our own wakes the thread out of `accept`.
        let woken = TcpStream::connect(self.address);
        if let (Some(thread), Ok(_)) = (self.thread.take(), woken) {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::time::Duration;

    fn acceptor(session: impl Fn(usize, TcpStream) + Send + Sync + 'static) -> Acceptor {
        Acceptor::serve(TcpListener::bind("127.0.0.1:0").unwrap(), session).unwrap()
    }

    #[test]
    fn a_session_that_returns_closes_its_connection() {
        let acceptor = acceptor(|number, mut stream| stream.write_all(format!("{number}").as_bytes()).unwrap());
        for wanted in ["1", "2"] {
            let mut text = String::new();
            TcpStream::connect(acceptor.address()).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, wanted);
        }
        assert_eq!(acceptor.accepted(), 2);
    }

    #[test]
    fn dropping_it_ends_sessions_that_wait_for_input() {
        let acceptor = acceptor(|_, mut stream| {
            let _ = stream.read(&mut [0]);
        });
        let mut client = TcpStream::connect(acceptor.address()).unwrap();
        client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        crate::wait::until("the session", || (acceptor.open() == 1).then_some(()));
        drop(acceptor);
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
    }
}
