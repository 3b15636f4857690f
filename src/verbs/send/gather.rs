//! What the ranks say of the objects they wrote, put together by the lead: some records at a time, for nobody has room for all of them twice.

use msm_plan::{Phase, Plan};

use crate::commit::{Manifest, ManifestDraft, ManifestError};
use crate::error::Error;
use crate::ranks::{Follower, Lead, Ranks};
use crate::transfer::{ChunkRecords, RecordBatch};

/// The lead: the records of all ranks, of which these are its own, against the plan.
///
/// # Errors
/// On every rank the same, the failure of the lowest rank that has one; on the lead, also what is wrong with the records.
pub(in crate::verbs) fn gather(
    lead: Lead<'_>,
    plan: &Plan,
    mine: Result<ChunkRecords, Error>,
) -> Result<Manifest, Error> {
    let (mut mine, rounds) = rounds(lead.ranks(), mine)?;
    let mut draft = ManifestDraft::new(plan, Phase::Transfer);
    let mut gathered = Ok(());
    for _ in 0..rounds {
        // Whatever is wrong with a batch, the others wait for theirs to be taken.
        let added = lead.collect(mine.take()).and_then(|batches| {
            let mut batches = batches.into_iter().flatten();
            let added: Result<(), ManifestError> = batches.try_for_each(|batch| draft.add(batch));
            Ok(added?)
        });
        gathered = gathered.and(added);
    }
    gathered?;
    Ok(draft.complete()?)
}

/// The others: gives the lead these records.
///
/// # Errors
/// As [`gather`].
pub(in crate::verbs) fn give(
    follower: Follower<'_>,
    mine: Result<ChunkRecords, Error>,
) -> Result<(), Error> {
    let (mut mine, rounds) = rounds(follower.ranks(), mine)?;
    for _ in 0..rounds {
        follower.give::<Option<RecordBatch>>(&mine.take())?;
    }
    Ok(())
}

/// These records, and in how many rounds all ranks' batches are given, if no rank has failed.
fn rounds(
    ranks: &Ranks,
    mine: Result<ChunkRecords, Error>,
) -> Result<(ChunkRecords, usize), Error> {
    let count = mine.as_ref().map(ChunkRecords::batches);
    let count = count.map_err(Clone::clone);
    let most = |counts: Vec<usize>| Ok(counts.into_iter().max().unwrap_or(0));
    let rounds = ranks.join(count, most)?;
    Ok((mine?, rounds))
}
