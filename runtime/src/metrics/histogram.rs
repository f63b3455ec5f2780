//! How long something takes, in classes, counted without a lock.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Times by class; `N` counts one more than there are ends, for what takes longer than all of them.
#[derive(Debug)]
pub struct Histogram<const N: usize> {
    /// Upper ends of the classes, in milliseconds.
    ends_ms: &'static [u64],
    counts: [AtomicU64; N],
    sum_us: AtomicU64,
}

impl<const N: usize> Histogram<N> {
    /// With these upper ends, in milliseconds, of which there are `N - 1`.
    pub const fn new(ends_ms: &'static [u64]) -> Histogram<N> {
        assert!(ends_ms.len() + 1 == N, "one class lies behind the last end");
        Histogram { ends_ms, counts: [const { AtomicU64::new(0) }; N], sum_us: AtomicU64::new(0) }
    }

    /// Counts one.
    pub fn count(&self, time: Duration) {
        let class = self.ends_ms.partition_point(|end| Duration::from_millis(*end) < time);
        self.counts[class].fetch_add(1, Ordering::Relaxed);
        self.sum_us.fetch_add(time.as_micros() as u64, Ordering::Relaxed);
    }

    /// In the text format of Prometheus.
    pub fn render(&self, out: &mut String, name: &str, help: &str) {
        // Writing to a string does not fail.
        let _ = write!(out, "# HELP postern_{name} {help}\n# TYPE postern_{name} histogram\n");
        let ends = self.ends_ms.iter().map(|end| (*end as f64 / 1000.0).to_string()).chain(["+Inf".to_owned()]);
        let mut sum = 0;
        for (end, count) in ends.zip(&self.counts) {
            sum += count.load(Ordering::Relaxed);
            let _ = writeln!(out, "postern_{name}_bucket{{le=\"{end}\"}} {sum}");
        }
        let seconds = self.sum_us.load(Ordering::Relaxed) as f64 / 1e6;
        let _ = write!(out, "postern_{name}_sum {seconds}\npostern_{name}_count {sum}\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_in_the_class_whose_end_it_does_not_pass() {
        let histogram = Histogram::<3>::new(&[10, 1000]);
        for time in [1, 10, 11, 5000] {
            histogram.count(Duration::from_millis(time));
        }
        let mut text = String::new();
        histogram.render(&mut text, "x_seconds", "X.");
        for line in [
            "postern_x_seconds_bucket{le=\"0.01\"} 2",
            "postern_x_seconds_bucket{le=\"1\"} 3",
            "postern_x_seconds_bucket{le=\"+Inf\"} 4",
            "postern_x_seconds_sum 5.022",
            "postern_x_seconds_count 4",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
    }
}
