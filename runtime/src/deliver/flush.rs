//! Many files made durable at once. A flush of one file makes the disk empty its cache, and a disk does that a few hundred times a
//! second: for a batch it is cheaper to have the whole file system flushed, once, unless other programs have left it much to
//! write. Which of the two it is shows by measuring: whatever was cheaper of late is done, and the other is tried again in time.
//!
//! The contract of syncfs(2): since Linux 5.8 it waits until everything is written and the cache of the disk is emptied, and
//! reports whatever could not be written since the descriptor was opened. So the descriptor must be older than what was written;
//! an error is an error of the whole batch. On older systems each file is flushed by itself. Blocking; the caller is [`super::maildir`].

use rustix::io::Errno;
use std::fs;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Instant;

/// Files that are flushed at the same time, where each is flushed by itself.
const AT_ONCE: usize = 16;
/// Fewer files than this are flushed one by one.
const FEW: usize = 3;
/// By which part the price of what was not done falls each time, so that it is tried again.
const FORGET_PER_MILLE: u64 = 20;

/// What flushing has cost of late, in microseconds: the whole file system, and one file.
static WHOLE_US: AtomicU64 = AtomicU64::new(0);
static EACH_US: AtomicU64 = AtomicU64::new(0);
/// Two batches that are measured at the same time would measure each other.
static MEASURING: Mutex<()> = Mutex::new(());

static CAN_FLUSH_WHOLE: LazyLock<bool> =
    LazyLock::new(|| fs::read_to_string("/proc/sys/kernel/osrelease").is_ok_and(|release| reports_errors(&release)));

/// Whether syncfs reports errors in a kernel of this version.
fn reports_errors(release: &str) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (5, 8)
}

/// A file that is to be durable.
pub(super) struct Dirty<'a> {
    pub(super) file: BorrowedFd<'a>,
    /// Its file system, by a descriptor that was opened before the file was written, and by number.
    pub(super) file_system: (u64, BorrowedFd<'a>),
}

/// Makes the files durable; the results stand in their order.
pub(super) fn flush(files: &[Dirty<'_>]) -> Vec<Result<(), Errno>> {
    if files.len() < FEW {
        return files.iter().map(|dirty| rustix::fs::fsync(dirty.file)).collect();
    }
    let _alone = MEASURING.lock().unwrap_or_else(PoisonError::into_inner);
    let count = files.len() as u64;
    let (whole_us, each_us) = (WHOLE_US.load(Ordering::Relaxed), EACH_US.load(Ordering::Relaxed));
    let begun = Instant::now();
    if *CAN_FLUSH_WHOLE && whole_us <= each_us.saturating_mul(count) {
        let results = flush_whole(files);
        learn(&WHOLE_US, begun.elapsed().as_micros() as u64, &EACH_US);
        results
    } else {
        let results = flush_each(files);
        learn(&EACH_US, begun.elapsed().as_micros() as u64 / count, &WHOLE_US);
        results
    }
}

fn learn(done: &AtomicU64, took_us: u64, not_done: &AtomicU64) {
    let before = done.load(Ordering::Relaxed);
    done.store(if before == 0 { took_us } else { (3 * before + took_us) / 4 }.max(1), Ordering::Relaxed);
    let other = not_done.load(Ordering::Relaxed);
    not_done.store(other - other * FORGET_PER_MILLE / 1000, Ordering::Relaxed);
}

fn flush_whole(files: &[Dirty<'_>]) -> Vec<Result<(), Errno>> {
    let mut flushed: Vec<(u64, Result<(), Errno>)> = Vec::new();
    let one = |dirty: &Dirty<'_>| {
        let (number, descriptor) = dirty.file_system;
        if let Some((_, result)) = flushed.iter().find(|(known, _)| *known == number) {
            return *result;
        }
        let result = rustix::fs::syncfs(descriptor);
        flushed.push((number, result));
        result
    };
    files.iter().map(one).collect()
}

/// Several at a time: the file system makes one commit of flushes that wait together, and the disk one of what they ask of it.
fn flush_each(files: &[Dirty<'_>]) -> Vec<Result<(), Errno>> {
    let flush_all = |files: &[Dirty<'_>]| files.iter().map(|dirty| rustix::fs::fsync(dirty.file)).collect::<Vec<_>>();
    let share = files.len().div_ceil(AT_ONCE);
    std::thread::scope(|scope| {
        let threads: Vec<_> = files.chunks(share).map(|files| (files.len(), scope.spawn(move || flush_all(files)))).collect();
        let results = threads.into_iter().map(|(files, thread)| thread.join().unwrap_or_else(|_| vec![Err(Errno::IO); files]));
        results.flatten().collect()
    })
}

/// Makes folders durable, each by itself: there are few.
pub(super) fn flush_folders<F: AsFd>(folders: &[F]) -> Vec<Result<(), Errno>> {
    folders.iter().map(rustix::fs::fsync).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::Write;

    #[test]
    fn only_newer_kernels_report_errors() {
        for (release, reports) in [("6.1.0-18-amd64\n", true), ("5.8.0", true), ("5.7.19", false), ("4.19", false), ("", false)] {
            assert_eq!(reports_errors(release), reports, "{release}");
        }
    }

    #[test]
    fn either_way_every_file_has_its_result() {
        let folder = tempfile::tempdir().unwrap();
        let descriptor = File::open(folder.path()).unwrap();
        let mut files: Vec<File> = (0..20).map(|n| File::create(folder.path().join(n.to_string())).unwrap()).collect();
        files.iter_mut().for_each(|file| file.write_all(b"text").unwrap());
        let file_system = (rustix::fs::fstat(&descriptor).unwrap().st_dev, descriptor.as_fd());
        let dirty: Vec<Dirty<'_>> = files.iter().map(|file| Dirty { file: file.as_fd(), file_system }).collect();
        for results in [flush(&dirty), flush_whole(&dirty), flush_each(&dirty), flush(&dirty[..1])] {
            assert!(!results.is_empty() && results.iter().all(Result::is_ok), "{results:?}");
        }
        // What cannot be flushed has a result of its own where each is flushed by itself.
        let null = File::open("/dev/null").unwrap();
        let mixed = [Dirty { file: null.as_fd(), file_system }, Dirty { file: files[0].as_fd(), file_system }];
        let results = flush_each(&mixed);
        assert!(results[0].is_err() && results[1].is_ok());
    }

    #[test]
    fn what_was_not_done_is_tried_again_in_time() {
        let (done, other) = (AtomicU64::new(0), AtomicU64::new(1_000_000));
        learn(&done, 400, &other);
        assert_eq!(done.load(Ordering::Relaxed), 400);
        (0..1000).for_each(|_| learn(&done, 800, &other));
        assert!(other.load(Ordering::Relaxed) < 800);
        assert!((700..=800).contains(&done.load(Ordering::Relaxed)));
    }
}
