//! `--log`: what happens below the messages, a line each, on standard error.
//!
//! Key type: [`LogFilter`]. It must never let the libraries below log: they know secrets.

use std::fmt;
use std::io;
use std::str::FromStr;

use super::screen::above_bar;
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{Format, Full, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

/// The parts of the program that log.
const PARTS: [&str; 4] = ["commit", "source", "store", "transfer"];

/// What is logged.
#[derive(Clone, Debug)]
pub(super) struct LogFilter(Targets);

impl FromStr for LogFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut targets = Targets::new();
        for word in text.split(',') {
            let (part, level) = word.split_once('=').unwrap_or(("", word));
            let level = level.trim();
            // An empty one would be "error".
            let known = level.parse().ok().filter(|_| !level.is_empty());
            let level: LevelFilter = known.ok_or_else(|| {
                format!("'{level}' is no level; expected off, error, warn, info, debug or trace")
            })?;
            targets = match part.trim() {
                "" => targets.with_target("msm_os", level),
                part if PARTS.contains(&part) => {
                    targets.with_target(format!("msm_os::{part}"), level)
                }
                part => {
                    let parts = PARTS.join(", ");
                    return Err(format!("'{part}' does not log; those that do are {parts}"));
                }
            };
        }
        Ok(Self(targets))
    }
}

impl LogFilter {
    /// Logs so from now on, in lines that name this rank. Later calls in the same process change nothing.
    pub(super) fn start(self, rank: usize) {
        if self.0.iter().all(|(_, level)| level == LevelFilter::OFF) {
            return;
        }
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(|| AboveBar)
            // A line that cannot be written is lost: saying so there ends the program.
            .log_internal_errors(false)
            .event_format(LogLine {
                rank,
                format: Format::default().with_ansi(false),
            });
        // It fails only where the process logs already.
        let _ = tracing_subscriber::registry()
            .with(lines)
            .with(self.0)
            .try_init();
    }
}

/// Standard error, where a bar steps aside.
struct AboveBar;

impl io::Write for AboveBar {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        above_bar(|| io::stderr().write(line))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A line: the rank, the time, the level, the file of the program, and what happened.
struct LogLine {
    rank: usize,
    format: Format<Full>,
}

impl<S, N> FormatEvent<S, N> for LogLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        write!(writer, "rank {} ", self.rank)?;
        self.format.format_event(context, writer, event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_parts_are_understood_and_others_named() {
        for text in [
            "off",
            "debug",
            "TRACE",
            "store=debug",
            "warn,commit=trace, store=off",
        ] {
            assert!(text.parse::<LogFilter>().is_ok(), "{text}");
        }
        for (text, said) in [
            ("loud", "'loud'"),
            ("hyper=trace", "'hyper'"),
            ("", "no level"),
        ] {
            let error = text.parse::<LogFilter>().unwrap_err();
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn libraries_below_never_log() {
        let LogFilter(targets) = "trace".parse().unwrap();
        assert!(targets.would_enable("msm_os::store::wire", &tracing::Level::TRACE));
        for library in ["hyper::client", "reqwest::connect", "object_store::aws"] {
            assert!(!targets.would_enable(library, &tracing::Level::ERROR));
        }
    }
}
