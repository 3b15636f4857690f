//! What the user sees while a command works: lines, and a bar.
//!
//! Key type: [`Terminal`].

use std::sync::{Mutex, PoisonError};

use super::meter::Meter;
use super::printer::{Printer, warn};
use super::words::{OutputLine, of_event, work_of};
use crate::events::{Event, Reporter};

/// Tells the user of events.
#[derive(Default)]
pub(super) struct Terminal {
    /// Standard output.
    pub printer: Printer,
    /// Is it a list, in which notices have no place?
    lists: bool,
    work: Mutex<Work>,
}

/// What is being done.
#[derive(Default)]
struct Work {
    /// Which of several things, for a line.
    what: String,
    meter: Option<Meter>,
}

impl Terminal {
    /// That of a command whose output `lists` what it finds, or does not.
    pub(super) fn new(lists: bool) -> Self {
        Self {
            lists,
            ..Self::default()
        }
    }
}

impl Reporter for Terminal {
    fn tell(&self, event: &Event) {
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(what) = work_of(event) {
            work.what = what;
        }
        match event {
            Event::WorkBegun { bytes } => work.meter = Some(Meter::new(&work.what, *bytes)),
            Event::Progress { bytes, objects } => {
                if let Some(meter) = &mut work.meter {
                    meter.show(*bytes, *objects);
                }
            }
            Event::WorkEnded => work.meter = None,
            event => match of_event(event, self.lists) {
                Some(OutputLine::Out(line)) => self.printer.line(&line),
                Some(OutputLine::Err(line)) => warn(&line),
                None => {}
            },
        }
    }
}
