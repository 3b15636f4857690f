//! What the user sees while a command works: lines, and a bar.
//!
//! Key type: [`Terminal`].

use std::sync::{Mutex, PoisonError};

use super::meter::Meter;
use super::printer::{Printer, warn};
use super::words::{OutputLine, of_event};
use crate::events::{Event, Reporter};

/// Tells the user of events.
#[derive(Default)]
pub(super) struct Terminal {
    /// Standard output.
    pub printer: Printer,
    /// Is it a list, in which notices have no place?
    lists: bool,
    meter: Mutex<Option<Meter>>,
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
        let mut meter = self.meter.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::WorkBegun { bytes } => *meter = Some(Meter::new(*bytes)),
            Event::Progress { bytes, objects } => {
                if let Some(meter) = &mut *meter {
                    meter.show(*bytes, *objects);
                }
            }
            Event::WorkEnded => *meter = None,
            event => match of_event(event, self.lists) {
                Some(OutputLine::Out(line)) => self.printer.line(&line),
                Some(OutputLine::Err(line)) => warn(&line),
                None => {}
            },
        }
    }
}
