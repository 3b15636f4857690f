//! What the user sees while a command works: lines, and a bar.
//!
//! Key type: [`Terminal`].

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::json::has_in_document;
use super::meter::Meter;
use super::printer::{Printer, warn};
use super::witness::Witness;
use super::words::{OutputLine, of_event, work_of};
use crate::events::{Event, Reporter};

/// Tells the user of events.
#[derive(Default)]
pub(super) struct Terminal {
    /// Standard output.
    pub printer: Printer,
    /// Is it a list, in which notices have no place?
    lists: bool,
    /// Is it one document for programs?
    for_programs: bool,
    /// What was heard of stores.
    witness: Mutex<Witness>,
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
    /// That of a command whose output `lists` what it finds, or does not, or is one document `for_programs`.
    pub(super) fn new(lists: bool, for_programs: bool) -> Self {
        Self {
            lists: lists || for_programs,
            for_programs,
            ..Self::default()
        }
    }

    /// What was heard of stores so far.
    pub(super) fn witness(&self) -> MutexGuard<'_, Witness> {
        self.witness.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reporter for Terminal {
    fn tell(&self, event: &Event) {
        self.witness().hear(event);
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
                Some(OutputLine::Out(_)) if self.for_programs && has_in_document(event) => {}
                Some(OutputLine::Out(line)) if self.for_programs => warn(&line),
                Some(OutputLine::Out(line)) => self.printer.line(&line),
                Some(OutputLine::Err(line)) => warn(&line),
                None => {}
            },
        }
    }
}
