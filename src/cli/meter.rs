//! Progress of a long run: a bar on a terminal, else a line every half minute.
//!
//! Key type: [`Meter`].

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::printer::warn;
use super::words::bytes_shown;

/// Time between two lines.
const INTERVAL: Duration = Duration::from_secs(30);

/// Shows how far a phase is.
pub(super) struct Meter {
    total: u64,
    begun: Instant,
    last: Instant,
    bar: Option<ProgressBar>,
}

impl Meter {
    /// A meter of `total` decoded bytes.
    #[must_use]
    pub(super) fn new(total: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template(
                "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta} left",
            );
            ProgressBar::new(total)
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self {
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
            let share = 100.0 * bytes as f64 / self.total.max(1) as f64;
            let rate = bytes as f64 / self.begun.elapsed().as_secs_f64() / 1e6;
            warn(&format_args!(
                "{share:.0} % ({objects} objects, {}, {rate:.0} MB/s)",
                bytes_shown(bytes)
            ));
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
