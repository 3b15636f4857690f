//! How many requests verbs make that change stores which are there, about: all but sends, and deletes of whole stores.

use crate::commit::{Removal, UndoSize, pruned_by_next, removals};
use crate::store::{Bucket, StoreError};
use crate::verbs::send::RequestCounts;

/// Requests of each kind.
const fn counts(put: u64, get: u64, head: u64, list: u64, delete: u64) -> RequestCounts {
    RequestCounts {
        put,
        get,
        copy: 0,
        head,
        list,
        delete,
    }
}

// What the log of a server shows beside objects and documents (tests/whole/plan_requests.rs compares).
// Once: what the server guarantees, and what lies there.
const COMMAND: RequestCounts = counts(5, 5, 6, 8, 1);
// For each store of which something is removed: its lease, journal, records and manifests; where steps are, also its times.
const REMOVAL: RequestCounts = counts(9, 10, 1, 10, 3);
const STEPS: RequestCounts = counts(0, 10, 0, 9, 0);
// For each store of which something is undone.
const ROLLBACK: RequestCounts = counts(4, 17, 1, 25, 8);
// For each store that is copied: its lease and that of its copy, and that the copy is being made.
const COPY: RequestCounts = counts(7, 13, 9, 27, 3);
// For each that is deleted once it is copied.
const MOVE: RequestCounts = counts(3, 7, 0, 8, 7);
// For each store that is made anew: besides what a send into it takes, the lease of the one that it is made of.
const RECHUNK: RequestCounts = counts(2, 13, 9, 20, 1);
// Of a `recover`: for each store, and for each in which orphans are looked for, or what has to be cut.
const RECOVER: RequestCounts = counts(5, 9, 20, 28, 1);
const RECOVER_STORE: RequestCounts = counts(0, 0, 0, 2, 0);
const ORPHANS: RequestCounts = counts(7, 14, 0, 13, 2);
const LENGTHS: RequestCounts = counts(0, 6, 0, 0, 0);

/// Of a command, beside what each store takes.
pub(in crate::verbs) fn of_command() -> RequestCounts {
    COMMAND
}

/// Of a removal from one store, where what so many transactions removed is kept.
///
/// # Errors
/// As the server says.
pub(in crate::verbs) async fn of_removal(
    bucket: &Bucket,
    removal: &Removal,
    keep_undo: usize,
) -> Result<RequestCounts, StoreError> {
    let gone = removal.objects.len() as u64;
    let remade = removal.recuts.len() as u64;
    let pieces = removal.recuts.iter().map(|recut| recut.pieces.len() as u64);
    let documents = removal.documents.len() as u64 + 1;
    let mut pruned = pruned_by_next(bucket, &removal.store, keep_undo).await?;
    // Into the ledger; of what is not kept, the names, and these go again, with what was made anew.
    let (copied, named) = if keep_undo > 0 {
        (gone + remade, 0)
    } else {
        pruned += gone + 2 * remade;
        (0, gone + remade)
    };
    let all = REMOVAL.and(RequestCounts {
        put: documents + remade + named,
        get: documents + pieces.sum::<u64>() + remade,
        // What is made anew comes from there into its place.
        copy: copied + remade,
        head: gone + 3 * remade + copied,
        list: 0,
        delete: removals(gone) + removals(pruned),
    });
    Ok(if removal.steps > 0 {
        all.and(STEPS)
    } else {
        all
    })
}

/// Of undoing transactions of these sizes, all of one store.
pub(in crate::verbs) fn of_rollback(sizes: &[UndoSize]) -> RequestCounts {
    sizes.iter().fold(ROLLBACK, |all, size| {
        let back = size.back.0;
        all.and(RequestCounts {
            put: size.documents,
            get: 2 * back + 3 * size.documents,
            copy: back,
            head: 0,
            list: size.arrays,
            delete: size.made + removals(size.gone.0 - size.made) + removals(size.kept),
        })
    })
}

/// Of a copy of one store with so many objects, its root document among them, of which no manifest tells of so many; if it was there
/// already, of comparing it. Does a server copy by itself?
pub(in crate::verbs) fn of_copy(
    objects: u64,
    unrecorded: u64,
    was_there: bool,
    by_server: bool,
) -> RequestCounts {
    // Of what is recorded, only the copy is read, unless another may have made it.
    let (carried, get) = if was_there {
        (0, 2 * objects)
    } else {
        (objects.saturating_sub(1), objects + unrecorded)
    };
    COPY.and(if by_server {
        RequestCounts {
            get,
            copy: carried,
            ..RequestCounts::default()
        }
    } else {
        RequestCounts {
            put: carried,
            get: get + carried,
            ..RequestCounts::default()
        }
    })
}

/// Of deleting a store of so many objects that has been copied.
pub(in crate::verbs) fn of_move(objects: u64) -> RequestCounts {
    MOVE.and(RequestCounts {
        delete: removals(objects),
        ..RequestCounts::default()
    })
}

/// Of making `stores` anew, beside what is sent into them, where so many `reads` are made of the others.
pub(in crate::verbs) fn of_rechunk(stores: u64, reads: u64) -> RequestCounts {
    RECHUNK.times(stores).and(RequestCounts {
        get: reads,
        ..RequestCounts::default()
    })
}

/// Of a `recover` of so many `stores` in which so many objects go: also `orphans`, or what has to be cut, if those are looked for.
pub(in crate::verbs) fn of_recover(
    stores: u64,
    gone: u64,
    orphans: bool,
    truncates: bool,
) -> RequestCounts {
    let mut all = RECOVER.and(RECOVER_STORE.times(stores));
    if orphans {
        all = all.and(ORPHANS.times(stores));
    }
    if truncates {
        all = all.and(LENGTHS.times(stores));
    }
    all.and(RequestCounts {
        delete: gone,
        ..RequestCounts::default()
    })
}
