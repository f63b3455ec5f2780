//! One descriptor that is kept for the moment when the system has no other: with it, whoever waits at a listener is told to come back
//! later, instead of waiting for nothing. Who is out of descriptors and only waits leaves clients in the dark and the kernel with a
//! socket that is ready for ever.

use super::Stream;
use rustix::io::Errno;
use std::fs::File;
use std::future::Future;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long a refused client is waited for: it is there already.
const AT_ONCE: Duration = Duration::from_millis(1);

/// See the module.
#[derive(Debug, Default)]
pub struct Reserve(Mutex<Option<File>>);

impl Reserve {
    /// Takes the descriptor aside, where there is none yet.
    pub fn fill(&self) {
        let mut spare = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.is_none() {
            *spare = File::open("/dev/null").ok();
        }
    }

    /// Whether it helps against this.
    pub fn is_for(error: &io::Error) -> bool {
        [Errno::MFILE, Errno::NFILE].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
    }

    /// Takes one client in by the spare descriptor, says `farewell` to it and lets it go. `false`: nobody could be taken in.
    pub async fn dismiss(&self, accept: impl Future<Output = io::Result<Stream>>, farewell: &[u8]) -> bool {
        let had = self.0.lock().unwrap_or_else(PoisonError::into_inner).take().is_some();
        let taken = if had { tokio::time::timeout(AT_ONCE, accept).await.ok().and_then(Result::ok) } else { None };
        let is_taken = taken.is_some();
        if let Some(Stream::Plain(stream)) = taken
            && let Ok(mut stream) = stream.into_std()
        {
            // The client has read nothing yet, so there is room; if it is gone, so be it.
            let _ = stream.write(farewell);
        }
        self.fill();
        is_taken
    }
}
