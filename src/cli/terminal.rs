//! What the user sees while a command works: lines, and how far it is.
//!
//! Key type: [`Terminal`].

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::json::has_in_document;
use super::printer::{Printer, warn};
use super::progress::{ProgressForm, Teller, TellerTerms};
use super::screen;
use super::witness::Witness;
use super::words::{OutputLine, of_event};
use crate::events::{Event, Reporter, Traffic};

/// Tells the user of events.
pub(super) struct Terminal {
    /// Standard output.
    pub printer: Printer,
    /// Is it a list, in which notices have no place?
    lists: bool,
    /// Is it one document for programs?
    for_programs: bool,
    /// Does every event become a line of JSON?
    is_json: bool,
    /// What was heard of stores.
    witness: Mutex<Witness>,
    teller: Teller,
}

impl Terminal {
    /// That of a command whose output `lists` what it finds, or does not, or is one document `for_programs`; what lasts is told as `terms`
    /// say.
    pub(super) fn new(lists: bool, for_programs: bool, terms: TellerTerms) -> Self {
        let is_json = terms.form == ProgressForm::Json;
        screen::set_json(is_json);
        Self {
            printer: Printer::default(),
            lists: lists || for_programs,
            for_programs,
            is_json: is_json && terms.rank == 0,
            witness: Mutex::default(),
            teller: Teller::start(terms),
        }
    }

    /// What was heard of stores so far.
    pub(super) fn witness(&self) -> MutexGuard<'_, Witness> {
        self.witness.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says the event as a line of JSON, with what people are told of it.
fn say_event(event: &Event, text: Option<String>) {
    // How far work is comes from the teller, now and then; of each object and request there would be too many.
    let is_said = !matches!(
        event,
        Event::Progress { .. }
            | Event::ObjectWritten { .. }
            | Event::Retried { .. }
            | Event::Measured(_)
    );
    if !is_said {
        return;
    }
    // Paths that are not UTF-8 are no JSON: then there is the text.
    let told = serde_json::to_value(event);
    let mut told = told.unwrap_or_else(|_| serde_json::json!({"event": "message"}));
    if let Some(text) = text {
        told["text"] = text.into();
    }
    screen::say_event(told);
}

impl Reporter for Terminal {
    fn tell(&self, event: &Event) {
        self.witness().hear(event);
        self.teller.hear(event);
        let line = of_event(event, self.lists);
        if self.is_json {
            let text = line.as_ref().map(|line| match line {
                OutputLine::Out(line) | OutputLine::Err(line) => line.clone(),
            });
            say_event(event, text);
        }
        match line {
            Some(OutputLine::Out(line)) if !self.for_programs => self.printer.line(&line),
            Some(OutputLine::Out(_)) if has_in_document(event) => {}
            // It was said as an event.
            Some(_) if self.is_json => {}
            Some(OutputLine::Out(line) | OutputLine::Err(line)) => warn(&line),
            None => {}
        }
    }

    fn traffic(&self) -> Traffic {
        self.teller.traffic()
    }
}

#[cfg(test)]
mod tests {
    use msm_plan::MaskingNote;

    use super::*;
    use crate::events::{CheckTally, Fault, Notice};

    #[test]
    fn events_are_objects_that_have_a_name() {
        let masking = MaskingNote::Reserved {
            values: "0".to_owned(),
            variable: "tos".to_owned(),
        };
        let verified = Event::Verified {
            store: "a.zarr".to_owned(),
            checked: CheckTally::default(),
        };
        let fault = Fault::new("a.zarr/c/0".to_owned(), "is missing".to_owned());
        for (event, name, member) in [
            (Event::Notice(Notice::Masking(masking)), "notice", "notice"),
            (Event::Fault(fault), "fault", "what"),
            (verified, "verified", "checked"),
            (Event::RolledBack, "rolled_back", "event"),
        ] {
            let value = serde_json::to_value(&event).unwrap();
            assert_eq!(value["event"], name);
            assert!(!value[member].is_null(), "{value}");
        }
    }
}
