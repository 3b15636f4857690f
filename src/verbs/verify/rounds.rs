//! Objects checked by all ranks, a round at a time: rank 0 shares them out and gets the faults.
//!
//! Key types: [`Checkers`], of the lead; [`Checker`], this rank's part; [`LeadWord`], what the lead tells.

use std::sync::Arc;
use std::time::Instant;

use futures::{StreamExt, TryStreamExt, stream};
use msm_zarr::{ChunkCodec, StoreMetadata};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::events::{Fault, Stage, StageClock, WorkPhase};
use crate::ranks::{Follower, Lead};
use crate::session::Session;
use crate::transfer::{Content, check_object};
use crate::verbs::shared::phase_watch::PhaseWatch;

/// Objects of a round: some megabytes of records, whatever the number of ranks, so that the report is the same.
pub(in crate::verbs) const ROUND: usize = 20_000;
/// Bytes of objects that keep a few threads busy, and a server far away.
const ENOUGH: u64 = 192 << 20;

/// An object with what it should hold, as the lead deals it out to the ranks.
#[derive(Serialize, Deserialize)]
pub(in crate::verbs) struct ObjectCheck {
    /// Which of the store's arrays, in the order of their names.
    pub array: usize,
    /// Its place in the array's chunk grid.
    pub chunk: Vec<u64>,
    /// What it should hold; `None` if no manifest knows it.
    pub recorded: Option<Content>,
}

/// What the lead tells.
#[derive(Serialize, Deserialize)]
enum LeadWord<Store, Round> {
    /// The next rounds are of this store.
    Store(Store),
    /// The next round.
    Round(Round),
    /// There are no more.
    End,
}

/// The arrays of a store: their names, documents and bytes an object.
#[derive(Serialize, Deserialize)]
struct ArrayTable {
    store: String,
    arrays: Vec<(String, String, u64)>,
}

/// The lead's way to what checks objects on all ranks.
pub(super) struct Checkers<'a> {
    pub session: &'a Session<'a>,
    lead: Lead<'a>,
    checker: Checker<'a>,
}

impl<'a> Checkers<'a> {
    pub(super) fn new(lead: Lead<'a>, session: &'a Session<'a>, memory: u64) -> Self {
        Self {
            session,
            lead,
            checker: Checker::new(session, memory),
        }
    }

    /// The next rounds are of this store.
    pub(super) fn store(&mut self, known: &StoreMetadata) -> Result<(), Error> {
        let arrays = known.arrays.iter().map(|(name, array)| {
            let document = array.stored.document.to_string();
            (name.clone(), document, array.object_bytes())
        });
        let arrays = ArrayTable {
            store: known.store.clone(),
            arrays: arrays.collect(),
        };
        self.lead
            .tell(&LeadWord::<_, &[ObjectCheck]>::Store(&arrays))?;
        self.checker.begin(&arrays)
    }

    /// All ranks check the `items`; returns the faults in order.
    pub(super) fn round(&mut self, items: &[ObjectCheck]) -> Result<Vec<Fault>, Error> {
        self.lead.tell(&LeadWord::<&ArrayTable, _>::Round(items))?;
        let mut faults = Vec::new();
        let mine = self.checker.check(items);
        let begun = Instant::now();
        let all = self.lead.collect(mine)?;
        self.session.waited(begun);
        for of_rank in all {
            faults.extend(of_rank?);
        }
        faults.sort_unstable();
        Ok(faults)
    }

    /// There are no more.
    pub(super) fn end(self) -> Result<(), Error> {
        self.lead
            .tell(&LeadWord::<&ArrayTable, &[ObjectCheck]>::End)
    }
}

/// The others: check their shares, until the lead has no more.
///
/// # Errors
/// If the lead says why it cannot go on.
pub(super) fn help_to_check(
    follower: Follower<'_>,
    session: &Session<'_>,
    memory: u64,
) -> Result<(), Error> {
    let mut checker = Checker::new(session, memory);
    loop {
        let begun = Instant::now();
        let word = follower.hear::<LeadWord<ArrayTable, Vec<ObjectCheck>>>()?;
        session.waited(begun);
        match word {
            LeadWord::Store(arrays) => checker.begin(&arrays)?,
            LeadWord::Round(round) => follower.give(&checker.check(&round))?,
            LeadWord::End => return Ok(()),
        }
    }
}

/// What checks objects on this rank.
struct Checker<'a> {
    session: &'a Session<'a>,
    /// Bytes that it may hold.
    memory: u64,
    store: String,
    arrays: Vec<(Arc<ChunkCodec>, u64)>,
}

impl<'a> Checker<'a> {
    fn new(session: &'a Session<'a>, memory: u64) -> Self {
        Self {
            session,
            memory,
            store: String::new(),
            arrays: Vec::new(),
        }
    }

    fn begin(&mut self, ArrayTable { store, arrays }: &ArrayTable) -> Result<(), Error> {
        self.store.clone_from(store);
        let codecs = arrays.iter().map(|(name, document, bytes)| {
            let codec = ChunkCodec::new(name, document)?;
            Ok((Arc::new(codec), *bytes))
        });
        self.arrays = codecs.collect::<Result<_, Error>>()?;
        Ok(())
    }

    /// Checks this rank's share of the round.
    fn check(&self, round: &[ObjectCheck]) -> Result<Vec<Fault>, Error> {
        let (ranks, _all) = (self.session.ranks, self.session.all_at_work());
        // Neighbours are of like size: each rank gets as many of each.
        let mine = round.iter().skip(ranks.rank()).step_by(ranks.size());
        let (watch, clock) = (PhaseWatch::start(WorkPhase::Check), StageClock::default());
        let found = self.check_all(mine.collect(), &clock);
        let found = self.session.runtime.block_on(found);
        watch.stop(self.session, &clock);
        found.map_err(|failure| ranks.here(failure))
    }

    async fn check_all(
        &self,
        items: Vec<&ObjectCheck>,
        clock: &StageClock,
    ) -> Result<Vec<Fault>, Error> {
        // The stored bytes, and the decoded values.
        let largest = items.iter().map(|item| 2 * self.arrays[item.array].1).max();
        let largest = largest.unwrap_or(0).max(1);
        // One for each thread, and one that is waited for; of small ones more.
        let threads = self.session.pool.current_num_threads() as u64 + 1;
        let enough = ENOUGH.max(threads.saturating_mul(largest));
        let most = self.session.bucket.most_at_once() as u64;
        let at_once = (self.memory.min(enough) / largest).clamp(1, most);
        let checks = items.into_iter().map(|item| async move {
            let codec = &self.arrays[item.array].0;
            let key = codec.key(&self.store, &item.chunk);
            let (bucket, pool) = (&self.session.bucket, &self.session.pool);
            let bytes = match item.recorded {
                Some(Content::Stored { bytes, .. }) => usize::try_from(bytes).unwrap_or(usize::MAX),
                _ => 0,
            };
            let check = check_object(bucket, codec, &key, item.recorded, pool);
            let found = clock.during(Stage::Verify, bytes, check).await?;
            Ok::<_, Error>(found.map(|what| Fault::new(key, what)))
        });
        stream::iter(checks)
            .buffer_unordered(usize::try_from(at_once).unwrap_or(1))
            .try_filter_map(|fault| std::future::ready(Ok(fault)))
            .try_collect()
            .await
    }
}
