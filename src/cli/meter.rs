//! Progress of a long run: a bar on a terminal, else a line a minute.
//!
//! Key type: [`Meter`].

use std::io::IsTerminal;
use std::time::{Duration, Instant, SystemTime};

use indicatif::{ProgressBar, ProgressStyle};

use super::printer::warn;
use super::words::bytes_shown;

/// Time between two lines.
const INTERVAL: Duration = Duration::from_mins(1);

/// Shows how far a phase is.
pub(super) struct Meter {
    /// What it is of, for a line.
    what: String,
    total: u64,
    begun: Instant,
    last: Instant,
    bar: Option<ProgressBar>,
}

impl Meter {
    /// A meter of `total` decoded bytes of `what`, which may be empty.
    #[must_use]
    pub(super) fn new(what: &str, total: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template(
                "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta} left",
            );
            ProgressBar::new(total)
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self {
            what: what.to_owned(),
            total,
            begun: Instant::now(),
            last: Instant::now(),
            bar,
        }
    }

    /// So many decoded bytes and objects are done.
    pub(super) fn show(&mut self, bytes: u64, objects: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(bytes);
        } else if self.last.elapsed() >= INTERVAL {
            self.last = Instant::now();
            let line = line(self.total, bytes, objects, self.begun.elapsed());
            warn(&format_args!("{}{line}", self.what));
        }
    }
}

/// How far it is after so long, and when it will be over if it goes on so.
fn line(total: u64, bytes: u64, objects: u64, elapsed: Duration) -> String {
    let share = bytes as f64 / total.max(1) as f64;
    let seconds = elapsed.as_secs_f64().max(1e-3);
    let rate = bytes as f64 / seconds / 1e6;
    let done = format!(
        "{:.0} % ({objects} objects, {}, {rate:.0} MB/s)",
        100.0 * share,
        bytes_shown(bytes)
    );
    let left = Duration::try_from_secs_f64(seconds * (1.0 - share) / share);
    let end = left.ok().and_then(|left| {
        let left = Duration::from_secs(left.as_secs() + 1);
        Some((left, SystemTime::now().checked_add(left)?))
    });
    match end {
        Some((left, end)) if share < 1.0 => format!(
            "{done}, {} left, until {}",
            humantime::format_duration(left),
            humantime::format_rfc3339_seconds(end)
        ),
        _ => done,
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_long_run() {
        let minute = Duration::from_mins(1);
        let line = |bytes| line(4_000_000_000, bytes, 12, minute);
        let half = line(2_000_000_000);
        assert!(
            half.starts_with("50 % (12 objects, 1.9 GiB, 33 MB/s), 1m 1s left, until 20"),
            "{half}"
        );
        assert!(line(0).ends_with("0 MB/s)"));
        assert!(line(4_000_000_000).starts_with("100 %") && !line(4_000_000_000).contains("left"));
    }
}
