//! From the addresses of a host to a connection with one of them (RFC 8305): they are tried in turn, each a moment after the
//! one before and without waiting for it, and the first that answers is the one.

use super::target::{Address, Candidate};
use crate::net::Stream;
use postern_schema::reply::Reply;
use postern_schema::site::FromAddress;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpSocket, TcpStream, UnixStream};
use tokio::task::JoinSet;

/// How long a connection may take to come about (`smtp_connect_timeout`).
const CONNECT_PATIENCE: Duration = Duration::from_secs(30);
/// The head start of an address before the next one (RFC 8305 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to the first of some addresses that answers, and says which.
///
/// # Errors
/// What stands for the reply of the last one. Each is in the log.
pub async fn first(candidates: &[&Candidate], from: FromAddress) -> Result<(Stream, usize), Reply> {
    let mut under_way = JoinSet::new();
    let mut next = 0;
    let mut last = Reply::unreachable("No address to connect to".to_owned());
    loop {
        if next < candidates.len() {
            let (place, address) = (next, candidates[next].address.clone());
            under_way.spawn(async move { (place, one(&address, from).await) });
            next += 1;
        }
        let head_start = async {
            match next < candidates.len() {
                true => tokio::time::sleep(HEAD_START).await,
                false => std::future::pending().await,
            }
        };
        tokio::select! {
            ended = under_way.join_next() => match ended {
                None => return Err(last),
                Some(Ok((place, Ok(stream)))) => return Ok((stream, place)),
                Some(Ok((place, Err(error)))) => {
                    let peer = candidates[place];
                    last = Reply::unreachable(format!("{peer}: {error}"));
                    tracing::info!(%peer, reply = last.to_string(), "session failed");
                }
                Some(Err(error)) => last = Reply::local_trouble(error.to_string()),
            },
            () = head_start => {}
        }
    }
}

/// Connects to one address.
///
/// # Errors
/// What the network said, or that it said nothing.
pub async fn one(address: &Address, from: FromAddress) -> io::Result<Stream> {
    match tokio::time::timeout(CONNECT_PATIENCE, connect(address, from)).await {
        Ok(result) => result,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no answer")),
    }
}

async fn connect(address: &Address, from: FromAddress) -> io::Result<Stream> {
    let address = match address {
        Address::Unix(path) => return UnixStream::connect(&**path).await.map(Stream::Local),
        Address::Inet(address) => *address,
    };
    let stream = match from.towards(address.ip()) {
        None => TcpStream::connect(address).await?,
        Some(from) => {
            let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
            socket.bind(SocketAddr::new(from, 0))?;
            socket.connect(address).await?
        }
    };
    // A peer that is slow for want of it is served all the same.
    let _ = stream.set_nodelay(true);
    Ok(Stream::Plain(stream))
}

#[cfg(test)]
mod tests {
    use super::*;
    use postern_schema::name::HostName;
    use std::time::Instant;
    use tokio::net::TcpListener;

    fn candidate(address: SocketAddr) -> Candidate {
        Candidate { host: HostName::parse("mx.test").unwrap(), address: Address::Inet(address) }
    }

    #[tokio::test]
    async fn a_dead_address_does_not_hold_up_the_next_one_rfc_8305_5() {
        // A listener whose queue is full never answers.
        let full = TcpSocket::new_v4().unwrap();
        full.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let full = full.listen(1).unwrap();
        let mut held = Vec::new();
        while let Ok(Ok(stream)) =
            tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(full.local_addr().unwrap())).await
        {
            held.push(stream);
        }
        let live = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (dead, live) = (candidate(full.local_addr().unwrap()), candidate(live.local_addr().unwrap()));
        let began = Instant::now();
        let (_, place) = first(&[&dead, &live], FromAddress::NONE).await.unwrap();
        assert_eq!(place, 1);
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    }

    #[tokio::test]
    async fn one_that_refuses_gives_way_at_once() {
        let live = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let all = [candidate(closed), candidate(live.local_addr().unwrap())];
        assert_eq!(first(&[&all[0], &all[1]], FromAddress::NONE).await.unwrap().1, 1);
        let reply = first(&[&all[0]], FromAddress::NONE).await.map(|(_, place)| place).unwrap_err();
        assert!(reply.text.starts_with(&format!("mx.test[127.0.0.1]:{}: ", closed.port())), "{reply}");
        assert!(first(&[], FromAddress::NONE).await.is_err());
    }

    #[tokio::test]
    async fn each_family_leaves_from_its_own_address() {
        for (listen, from) in [("127.0.0.1:0", "127.0.0.2"), ("[::1]:0", "::1")] {
            // A host without IPv6 has nothing to show here.
            let Ok(listener) = TcpListener::bind(listen).await else { continue };
            let from = FromAddress::of(["127.0.0.2", from].map(|address| address.parse().unwrap()));
            let address = listener.local_addr().unwrap();
            let _stream = first(&[&candidate(address)], from).await.unwrap();
            let (_, peer) = listener.accept().await.unwrap();
            assert_eq!(Some(peer.ip()), from.towards(address.ip()));
        }
    }
}
