//! What is said of an event.
//!
//! Key types: [`OutputLine`], where it is said.

use msm_plan::MoveCost;
use msm_zarr::layout;

use super::notice::{is_said_aloud, notice};
use super::recover::truncation;
use super::verify::checked;
use super::{are, bytes_shown, counted};
use crate::events::{
    Event, Finding, FindingState, Outcome, PlanSize, PlannedFiles, TransactionIdentity,
};

/// A line for the user.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cli) enum OutputLine {
    /// On standard output.
    Out(String),
    /// On standard error.
    Err(String),
}

/// What is said of `event`, if anything is; `lists` tells whether standard output is a list, in which notices have no place.
#[allow(clippy::too_many_lines)] // an arm for each
pub(in crate::cli) fn of_event(event: &Event, lists: bool) -> Option<OutputLine> {
    let err = |text: String| Some(OutputLine::Err(text));
    let out = match event {
        Event::Notice(found) if is_said_aloud(found) && !lists => notice(found),
        Event::Notice(found) => return err(notice(found)),
        Event::Planned {
            number,
            of,
            files,
            size,
        } => planned(*number, *of, files, size),
        Event::PartTaken {
            number, of, size, ..
        } => sized(&format!("part {} of {of}", number + 1), size),
        Event::PartPut {
            number,
            of,
            objects,
            bytes,
        } => format!(
            "part {} of {of} is put, out of readers' sight: {}, {} stored",
            number + 1,
            counted(*objects, "objects"),
            bytes_shown(*bytes)
        ),
        Event::PartFailed { number, of, why } => {
            return err(part_failed(*number, *of, why));
        }
        Event::Growing {
            parts, of, size, ..
        } => {
            let what = format!("committing up to part {} of {of}", parts.end);
            sized(&what, size)
        }
        Event::Abandoned { stores } => format!(
            "jobs do not share in sending an archive into {} any more; what was committed stays",
            stores.join(", ")
        ),
        Event::Resumed {
            objects,
            with_data,
            read_again,
            sound,
        } => return err(resumed(*objects, *with_data, *read_again, *sound)),
        Event::Untidy { problem } => {
            return err(format!(
                "committed, but the ledger is not tidy yet; the next command that writes there, or recover, goes on with it: {problem}"
            ));
        }
        Event::Waiting {
            store,
            holder,
            waited_seconds,
            at_most_seconds,
        } => {
            return err(waiting(store, holder, *waited_seconds, *at_most_seconds));
        }
        Event::LeaseLeftBehind { problem } => {
            return err(format!(
                "a lease is left behind until it expires: {problem}"
            ));
        }
        Event::Healed {
            store,
            transaction,
            outcome,
        } => return err(healed(store, transaction, *outcome)),
        Event::Consolidated { store } => {
            format!("store '{store}': its root document tells of its arrays and groups now")
        }
        Event::WeightsWritten { file } => {
            format!("the weights were written to {}", file.display())
        }
        Event::Undone { store, id, command } => undone(store, id, command.as_deref()),
        Event::Removing { key } => format!("removing {key}"),
        Event::Truncated(done) => truncation(done, "was"),
        Event::Fault(fault) => format!("{}: {}", fault.key, fault.what),
        Event::UnderWay { key } => format!("{key}: a transaction is under way"),
        Event::Uncommitted { manifest } => format!(
            "{manifest}: of a transaction that was not committed: recover --orphans removes it"
        ),
        Event::Dangling { store, missing } => dangling(store, missing),
        Event::Unsettled { store, objects } => format!(
            "{store}: {objects} that a job is changing were not held against the manifests: verify again when it has ended"
        ),
        Event::Unrecorded { store, objects } => format!(
            "{store}: no manifest tells of {}: only that they decode was checked",
            counted(*objects, "objects")
        ),
        Event::Verified {
            store,
            checked: found,
        } => format!("{store}: {}", checked(found)),
        Event::Examining { folder } => format!("tries in  {folder}/\n"),
        Event::Finding(found) => finding(found),
        Event::Removed => "\nall temporary objects are removed".to_owned(),
        Event::TransactionBegun { .. }
        | Event::WorkBegun { .. }
        | Event::Progress { .. }
        | Event::WorkEnded
        | Event::ObjectWritten { .. }
        | Event::Measured(_)
        | Event::Retried { .. }
        | Event::Committed { .. }
        | Event::Holds { .. }
        | Event::Healing { .. }
        | Event::RolledBack => return None,
    };
    Some(OutputLine::Out(out))
}

/// Which of several things is about to be done, for who says how far it is; `None` if `event` does not tell.
pub(in crate::cli) fn work_of(event: &Event) -> Option<String> {
    Some(match event {
        Event::PartTaken {
            number, of, files, ..
        } => {
            let part = format!("part {} of {of}", number + 1);
            let pieces = std::iter::once(part).chain(period(files));
            pieces.collect::<Vec<_>>().join(", ")
        }
        Event::Growing { parts, of, .. } => format!("up to part {} of {of}", parts.end),
        Event::Planned {
            number, of, files, ..
        } => {
            let plan = (*of > 1).then(|| format!("plan {number} of {of}"));
            let pieces = plan.into_iter().chain(period(files));
            pieces.collect::<Vec<_>>().join(", ")
        }
        _ => return None,
    })
}

fn part_failed(number: usize, of: usize, why: &str) -> String {
    format!(
        "part {} of {of} cannot be put, and holds back what comes after it; going on with others: {why}",
        number + 1
    )
}

/// At first which job holds what is waited for, later for how long and until when.
fn waiting(store: &str, holder: &str, waited: u64, at_most: u64) -> String {
    let store = layout::place_name(store);
    if waited == 0 {
        return format!("waiting for {store}, which another job holds: {holder}");
    }
    format!(
        "still waiting for {store}, for {waited} s of at most {at_most} s, which another job holds: {holder}"
    )
}

fn resumed(objects: usize, with_data: usize, read_again: usize, sound: bool) -> String {
    if sound {
        return format!(
            "going on with a transaction that had not ended: {} {} there already ({read_again} of them read \
             again), {with_data} of them with data",
            counted(objects, "objects"),
            are(objects)
        );
    }
    format!(
        "going on with a transaction that had not ended, from its beginning: of {} read again, not all are as \
         they were put",
        counted(read_again, "objects")
    )
}

fn healed(store: &str, transaction: &TransactionIdentity, outcome: Outcome) -> String {
    let ended = match outcome {
        Outcome::RolledBack => "rolled back",
        Outcome::NeverBegun => "it had changed nothing, and does not any more",
        Outcome::Finished => "finished",
        Outcome::Deleted => "deleted",
    };
    format!("store '{store}': {transaction} had not ended: {ended}")
}

fn undone(store: &str, id: &str, command: Option<&str>) -> String {
    match command {
        None => format!("store '{store}': the send that created it is undone, the store is gone"),
        Some(command) => format!("store '{store}': the {command} of {id} is done"),
    }
}

/// Each array that is missing, with the attributes that name it.
fn dangling(store: &str, missing: &[(String, Vec<(&'static str, String)>)]) -> String {
    let missing = missing.iter().map(|(word, by)| {
        let by = by.iter();
        let by = by.map(|(attribute, of)| format!("{attribute} of '{of}'"));
        format!("'{word}' ({})", by.collect::<Vec<_>>().join(", "))
    });
    format!(
        "{store}: its attributes name arrays that it does not have, which readers do without: {}",
        missing.collect::<Vec<_>>().join(", ")
    )
}

fn planned(number: usize, of: usize, files: &PlannedFiles, size: &PlanSize) -> String {
    let plan = match of {
        1 => "plan".to_owned(),
        _ => format!("plan {number} of {of}: {}", files_shown(files)),
    };
    sized(&plan, size)
}

/// `1978-01-16 to 1978-12-16 (x_1978.nc)`
pub(super) fn files_shown(files: &PlannedFiles) -> String {
    let names = match &files.names[..] {
        [first, .., last] => format!("{first} to {last}, {} files", files.names.len()),
        names => names.concat(),
    };
    match period(files) {
        None => names,
        Some(period) => format!("{period} ({names})"),
    }
}

/// `1978-01-16 to 1978-12-16`
fn period(files: &PlannedFiles) -> Option<String> {
    let day = |step: &str| step.trim_end_matches(" 00:00:00").to_owned();
    let (first, last) = files.steps.as_ref()?;
    Some(if first == last {
        day(first)
    } else {
        format!("{} to {}", day(first), day(last))
    })
}

pub(super) fn sized(what: &str, size: &PlanSize) -> String {
    let PlanSize {
        stores,
        arrays,
        objects,
        bytes,
        memory,
        moves,
    } = *size;
    let size = format!(
        "{what}: {}, {}, {}, {} decoded, at most {} of memory a rank",
        counted(stores, "stores"),
        counted(arrays, "arrays"),
        counted(objects, "objects"),
        bytes_shown(bytes),
        bytes_shown(memory)
    );
    if moves.steps == 0 {
        return size;
    }
    let MoveCost {
        steps,
        overwritten,
        copied,
        encoded,
    } = moves;
    format!(
        "{size}; {} {} moved, and readers may see them half moved until it is done: {} {} overwritten, each \
         copied into the ledger first; {copied} {} copied to another place by the server, {encoded} made anew of steps of others and of the files",
        counted(steps, "steps"),
        are(steps),
        counted(overwritten, "objects"),
        are(overwritten),
        are(copied)
    )
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
