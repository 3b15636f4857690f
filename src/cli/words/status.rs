//! What `status` says.

use msm_zarr::layout;

use super::{are, bytes_shown, counted};
use crate::events::TransactionIdentity;
use crate::verbs::rechunk::REPLACING;
use crate::verbs::status::{
    ArchiveStatus, LeaseStatus, PartState, PartStatus, StatusReport, StoreStatus,
};

/// What goes on at `place`, in lines.
pub(in crate::cli) fn status(place: &str, report: &StatusReport) -> Vec<String> {
    let archives = report.archives.iter().flat_map(archive);
    let mut lines: Vec<String> = archives.collect();
    let is_replaced = |of: &StoreStatus| report.replaced.iter().any(|one| one.store == of.store);
    let stores = report.stores.iter();
    lines.extend(stores.flat_map(|of| store(of, is_replaced(of))));
    lines.extend(report.replaced.iter().map(ToString::to_string));
    if lines.is_empty() && report.problems.is_empty() {
        lines.push(match report.looked_at {
            0 => format!("{place}: there are no stores"),
            _ => format!("{place}: nothing is going on, and nothing was left by dead jobs"),
        });
    }
    lines
}

fn archive(archive: &ArchiveStatus) -> Vec<String> {
    let ArchiveStatus {
        stores,
        by,
        files,
        steps,
        visible,
        parts,
        committed,
        open,
        ending,
    } = archive;
    let mut lines = vec![
        format!(
            "{}: an archive of {} in {}, shared out by {by}",
            stores.join(", "),
            counted(*files, "files"),
            counted(*parts, "parts")
        ),
        format!(
            "  readers see {}, {visible} of {}",
            counted(*committed, "parts"),
            counted(*steps, "steps")
        ),
    ];
    lines.extend(open.iter().map(part));
    let what = match open.first() {
        _ if *ending => "it is being ended: recover --abandon again".to_owned(),
        None => "all of it is in place: any of its jobs ends it".to_owned(),
        Some(PartStatus { number, state, .. }) => {
            let number = number + 1;
            match state {
                PartState::Held { .. } => format!("waits for part {number}, which is being put"),
                PartState::Done { .. } => {
                    format!(
                        "part {number} is to be committed: run any of its jobs again if none is running"
                    )
                }
                PartState::Free { .. } | PartState::Dead { .. } | PartState::Damaged { .. } => {
                    format!("waits for part {number}: run any of its jobs again if none is running")
                }
            }
        }
    };
    lines.push(format!("  {what}"));
    lines
}

fn part(part: &PartStatus) -> String {
    let so_far = |put: &u64, of: &Option<u64>| match of {
        Some(of) => format!("{put} of {} {} there", counted(of, "objects"), are(put)),
        None => "nothing of it is there".to_owned(),
    };
    let state = match &part.state {
        PartState::Free { put, of } => format!("free, {}", so_far(put, of)),
        PartState::Held { holder, put, of } => {
            format!("held by {holder}, {}", so_far(put, of))
        }
        PartState::Dead { holder, put, of } => format!(
            "its job has died or is stopped ({holder}), {}; any job may take it",
            so_far(put, of)
        ),
        PartState::Damaged { cause } => {
            format!("what tells of it cannot be read ({cause}): any job puts it again")
        }
        PartState::Done { by, objects, bytes } => format!(
            "put by {by}, {}, {}; waits to be committed",
            counted(*objects, "objects"),
            bytes_shown(*bytes)
        ),
    };
    let (first, end) = part.steps;
    format!(
        "  part {:<4} steps {} to {end}: {state}",
        part.number + 1,
        first + 1
    )
}

fn store(store: &StoreStatus, is_replaced: bool) -> Vec<String> {
    let StoreStatus {
        store,
        lease,
        unfinished,
        undo,
        remnants,
    } = store;
    let mut lines = Vec::new();
    if let Some(LeaseStatus {
        holder,
        age_seconds,
        is_over,
    }) = lease
    {
        let state = if *is_over {
            "was held by a job that has died or is stopped"
        } else {
            "is held"
        };
        let place = if layout::is_reading(store) {
            layout::place_name(store)
        } else {
            store.clone()
        };
        lines.push(format!(
            "{place}: {state}: {holder}, renewed {age_seconds} s ago"
        ));
    }
    let live = lease.as_ref().filter(|lease| !lease.is_over);
    let advice = |transaction: &TransactionIdentity| match live {
        Some(lease) if lease.holder == transaction.holder => "is under way",
        Some(_) => "has not ended: the job that holds the store brings it to its end",
        None if is_replaced || transaction.command == REPLACING => {
            "has not ended: the same rechunk --replace again goes on with it"
        }
        None => "has not ended: recover, or whoever writes the store next, brings it to its end",
    };
    lines.extend(unfinished.iter().map(|transaction| {
        let advice = advice(transaction);
        format!("{store}: {transaction} {advice}")
    }));
    if *remnants {
        lines.push(format!(
            "{store}: an archive that jobs shared, and that is not shared out (any more), has left something: recover --abandon removes \
             it, and what they put out of sight"
        ));
    }
    if *undo > 0 {
        lines.push(format!(
            "{store}: rollback can undo {}",
            counted(*undo, "transactions")
        ));
    }
    lines
}
