//! What the ranks say of the objects they wrote, put together by the lead: some records at a time, for nobody has room for all of them twice.

use msm_plan::{Phase, Plan};

use crate::commit::{Manifest, ManifestDraft, ManifestError};
use crate::error::Error;
use crate::ranks::{Follower, Lead, Ranks};
use crate::transfer::{ChunkRecords, RecordBatch};

/// The records of all ranks; the lead's own are not in the draft yet.
pub(in crate::verbs) struct Gathered<'a> {
    pub draft: ManifestDraft<'a>,
    pub own: ChunkRecords,
}

impl Gathered<'_> {
    /// The manifest, if there is a record of every object.
    ///
    /// # Errors
    /// What is wrong with the records.
    pub(in crate::verbs) fn complete(self) -> Result<Manifest, Error> {
        Ok(self.draft.complete_with(self.own)?)
    }
}

/// The lead: the records of all ranks of objects of these `phases`, of which `mine` are its own.
///
/// # Errors
/// On every rank the same, the failure of the lowest rank that has one; on the lead, also what is wrong with the records.
pub(in crate::verbs) fn gather<'a>(
    lead: Lead<'_>,
    plan: &'a Plan,
    phases: &[Phase],
    mine: Result<ChunkRecords, Error>,
) -> Result<Gathered<'a>, Error> {
    let (own, rounds) = rounds(lead.ranks(), mine, |_| 0)?;
    let mut draft = ManifestDraft::new(plan, phases);
    let mut gathered = Ok(());
    for _ in 0..rounds {
        // Whatever is wrong with a batch, the others wait for theirs to be taken.
        let added = lead
            .collect::<Option<RecordBatch>>(None)
            .and_then(|batches| {
                let mut batches = batches.iter().flatten();
                let added: Result<(), ManifestError> =
                    batches.try_for_each(|batch| draft.add(batch));
                Ok(added?)
            });
        gathered = gathered.and(added);
    }
    gathered?;
    Ok(Gathered { draft, own })
}

/// The others: gives the lead these records.
///
/// # Errors
/// As [`gather`].
pub(in crate::verbs) fn give(
    follower: Follower<'_>,
    mine: Result<ChunkRecords, Error>,
) -> Result<(), Error> {
    let (mut mine, rounds) = rounds(follower.ranks(), mine, ChunkRecords::batches)?;
    for _ in 0..rounds {
        follower.give::<Option<RecordBatch>>(&mine.take())?;
    }
    Ok(())
}

/// These records, and in how many rounds all ranks' batches are given, if no rank has failed. This one gives `batches` of them.
fn rounds(
    ranks: &Ranks,
    mine: Result<ChunkRecords, Error>,
    batches: fn(&ChunkRecords) -> usize,
) -> Result<(ChunkRecords, usize), Error> {
    let count = mine.as_ref().map(batches);
    let count = count.map_err(Clone::clone);
    let most = |counts: Vec<usize>| Ok(counts.into_iter().max().unwrap_or(0));
    let rounds = ranks.join(count, most)?;
    Ok((mine?, rounds))
}
