//! The `posternd` command: arguments and exit statuses, nothing else.

use posternd::cli;
use std::process::ExitCode;

/// What one thread has made, another one often gives back: a session makes a message, the queue's writer and a delivery let go of it. The
/// allocator of glibc locks for that, and threads wait for each other.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The allocator asks for pages of two megabytes, and a third of the memory would be air. A kernel that has none cannot refuse any.
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    cli::main()
}
