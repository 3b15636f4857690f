//! What is said of an event.
//!
//! Key types: [`Line`], where it is said.

use super::bytes_shown;
use super::notice::{is_said_aloud, notice};
use super::recover::truncation;
use super::verify::checked;
use crate::events::{Event, Finding, FindingState, Outcome, PlanSize};

/// A line for the user.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli) enum Line {
    /// On standard output.
    Out(String),
    /// On standard error.
    Err(String),
}

/// What is said of `event`, if anything is; `lists` tells whether standard output is a list, in which notices have no place.
pub(in crate::cli) fn of_event(event: &Event, lists: bool) -> Option<Line> {
    let out = |text: String| Some(Line::Out(text));
    let err = |text: String| Some(Line::Err(text));
    match event {
        Event::Notice(found) if is_said_aloud(found) && !lists => out(notice(found)),
        Event::Notice(found) => err(notice(found)),
        Event::Planned { number, of, size } => out(planned(*number, *of, size)),
        Event::Resumed {
            objects,
            with_data,
            read_again,
            sound,
        } => err(if *sound {
            format!(
                "going on with a transaction that had not ended: {objects} objects are there already ({read_again} of them read \
                 again), {with_data} of them with data"
            )
        } else {
            format!(
                "going on with a transaction that had not ended, from its beginning: of {read_again} objects read again, not all \
                 are as they were put"
            )
        }),
        Event::Untidy { problem } => err(format!(
            "committed, but the ledger is not tidy yet; the next command that writes there, or recover, goes on with it: {problem}"
        )),
        Event::Waiting { store, holder } => err(format!(
            "waiting for store '{store}', which another job holds: {holder}"
        )),
        Event::LeaseLeftBehind { problem } => err(format!(
            "a lease is left behind until it expires: {problem}"
        )),
        Event::Healed {
            store,
            transaction,
            outcome,
        } => err(format!(
            "store '{store}': {transaction} had not ended: {}",
            ended(*outcome)
        )),
        Event::Consolidated { store } => out(format!(
            "store '{store}': its root document tells of its arrays and groups now"
        )),
        Event::WeightsWritten { file } => {
            out(format!("the weights were written to {}", file.display()))
        }
        Event::Undone { store, id, command } => out(match command {
            None => {
                format!("store '{store}': the send that created it is undone, the store is gone")
            }
            Some(command) => format!("store '{store}': the {command} of {id} is done"),
        }),
        Event::Removing { key } => out(format!("removing {key}")),
        Event::Truncated(done) => out(truncation(done, "was")),
        Event::Examining { folder } => out(format!("tries in  {folder}/\n")),
        Event::Finding(found) => out(finding(found)),
        Event::Removed => out("\nall temporary objects are removed".to_owned()),
        event => of_look(event).map(Line::Out),
    }
}

/// What is said of what `verify` finds.
fn of_look(event: &Event) -> Option<String> {
    Some(match event {
        Event::Fault(fault) => format!("{}: {}", fault.key, fault.what),
        Event::UnderWay { key } => format!("{key}: a transaction is under way"),
        Event::Uncommitted { manifest } => format!(
            "{manifest}: of a transaction that was not committed: recover --orphans removes it"
        ),
        Event::Dangling { store, missing } => {
            let missing = missing.iter().map(|(word, by)| {
                let by = by
                    .iter()
                    .map(|(attribute, of)| format!("{attribute} of '{of}'"));
                format!("'{word}' ({})", by.collect::<Vec<_>>().join(", "))
            });
            format!(
                "{store}: its attributes name arrays that it does not have, which readers do without: {}",
                missing.collect::<Vec<_>>().join(", ")
            )
        }
        Event::Unrecorded { store, objects } => format!(
            "{store}: {objects} objects have no manifest: only that they decode was checked"
        ),
        Event::Verified {
            store,
            checked: found,
        } => format!("{store}: {}", checked(found)),
        _ => return None,
    })
}

fn planned(number: usize, of: usize, size: &PlanSize) -> String {
    let plan = match of {
        1 => "plan".to_owned(),
        _ => format!("plan {number} of {of}"),
    };
    let PlanSize {
        stores,
        arrays,
        objects,
        bytes,
        memory,
    } = *size;
    format!(
        "{plan}: {stores} stores, {arrays} arrays, {objects} objects, {} decoded, at most {} of memory a rank",
        bytes_shown(bytes),
        bytes_shown(memory)
    )
}

/// How a transaction has ended.
fn ended(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::RolledBack => "rolled back",
        Outcome::Finished => "finished",
        Outcome::Deleted => "deleted",
    }
}

fn finding(finding: &Finding) -> String {
    let state = match finding.state {
        FindingState::Good => "ok",
        FindingState::Lesser => "note",
        FindingState::Bad => "FAIL",
        FindingState::Untried => "-",
    };
    format!("{state:<5} {:<17} {}", finding.what, finding.found)
}
