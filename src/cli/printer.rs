//! Standard output and standard error, which nobody may read any more, or whose disk may be full.
//!
//! Key type: [`Printer`]. Key functions: [`warn`]; [`document`].

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use msm_chart::{harmless_json, harmless_lines};
use serde::Serialize;

use super::error::CliError;
use super::screen;

/// Says `message` on standard error, in the program's name. That it comes to nobody changes nothing of the work, nor of how it
/// ends: where the disk with a batch job's log is full, the job goes on.
pub(super) fn warn(message: &impl Display) {
    screen::say(&message.to_string());
}

/// A document for programs, as it is printed: no character in it that a terminal obeys.
pub(super) fn document(value: &impl Serialize) -> String {
    // What documents are made of has names for keys, and finite numbers.
    harmless_json(&serde_json::json!(value).to_string())
}

/// Prints on standard output. That nobody reads it, as in `msm_os send … | head -1`, is no reason to leave the work undone.
#[derive(Default)]
pub(super) struct Printer {
    closed: Mutex<Option<io::Error>>,
    has_printed: AtomicBool,
}

impl Printer {
    /// Prints a line, at once: the next may take its time.
    pub(super) fn line(&self, line: &str) {
        self.print(&format!("{line}\n"));
    }

    /// Prints `text`, in which what comes from files may be: a terminal obeys what it is told. Returns `false` if it does not come to
    /// anybody.
    pub(super) fn print(&self, text: &str) -> bool {
        self.print_as_it_is(&harmless_lines(text))
    }

    /// The same of a text of this program alone.
    pub(super) fn print_as_it_is(&self, text: &str) -> bool {
        self.has_printed.store(true, Ordering::Relaxed);
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        if closed.is_none() {
            *closed = screen::above_bar(|| {
                let mut out = io::stdout().lock();
                let written = out.write_all(text.as_bytes());
                written.and_then(|()| out.flush()).err()
            });
        }
        closed.is_none()
    }

    /// Was nothing to be printed before? From now on, something is.
    pub(super) fn is_first(&self) -> bool {
        !self.has_printed.swap(true, Ordering::Relaxed)
    }

    /// Could all be printed that somebody wants to read?
    ///
    /// # Errors
    /// If not, why.
    pub(super) fn verdict(&self) -> Result<(), CliError> {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        match &*closed {
            Some(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
                let cause = cause.to_string();
                Err(CliError::Printing { cause })
            }
            _ => Ok(()),
        }
    }
}
