//! Objects checked by all ranks, a round at a time: rank 0 shares them out and gets the faults.
//!
//! Key types: [`Checkers`], this rank's part; [`Word`], what rank 0 tells the others.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use crate::events::Fault;
use crate::exit::Failure;
use crate::session::Session;
use crate::store::{ChunkCodec, Known};
use crate::transfer::{Content, check_object};

/// Objects of a round: some megabytes of records, whatever the number of ranks, so that the report is the same.
pub(in crate::verbs) const ROUND: usize = 20_000;
/// Objects of a rank in flight at most, however small they are.
const MOST_OBJECTS: u64 = 16;

/// An object to check.
#[derive(Serialize, Deserialize)]
pub(in crate::verbs) struct Item {
    /// Which of the store's arrays, in the order of their names.
    pub array: usize,
    /// Its place in the array's chunk grid.
    pub chunk: Vec<u64>,
    /// What it should hold; `None` if no manifest knows it.
    pub recorded: Option<Content>,
}

/// What rank 0 tells the others.
#[derive(Serialize, Deserialize)]
pub(in crate::verbs) enum Word {
    /// The next rounds are of this store, whose arrays have these names, documents and bytes an object.
    Store(String, Vec<(String, String, u64)>),
    /// The next round.
    Round(Vec<Item>),
    /// There are no more.
    End,
}

/// What checks objects on this rank.
pub(in crate::verbs) struct Checkers<'a> {
    pub session: &'a Session<'a>,
    /// Bytes that this rank may hold.
    pub memory: u64,
    store: String,
    arrays: Vec<(Arc<ChunkCodec>, u64)>,
}

impl<'a> Checkers<'a> {
    pub(in crate::verbs) fn new(session: &'a Session<'a>, memory: u64) -> Self {
        Self {
            session,
            memory,
            store: String::new(),
            arrays: Vec::new(),
        }
    }

    /// Other ranks: what rank 0 says, until the end.
    pub(in crate::verbs) fn follow(&mut self) -> Result<(), Failure> {
        loop {
            match self
                .session
                .ranks
                .broadcast(&Ok::<_, Failure>(Word::End))??
            {
                Word::Store(store, arrays) => self.begin(store, &arrays)?,
                Word::Round(round) => drop(self.check(&round)?),
                Word::End => return Ok(()),
            }
        }
    }

    /// Rank 0: the next rounds are of this store.
    pub(in crate::verbs) fn store(&mut self, known: &Known) -> Result<(), Failure> {
        let arrays = known.arrays.iter().map(|(name, array)| {
            let document = array.stored.document.to_string();
            (name.clone(), document, array.object_bytes())
        });
        let word = Word::Store(known.store.clone(), arrays.collect());
        match self.session.ranks.broadcast(&Ok::<_, Failure>(word))?? {
            Word::Store(store, arrays) => self.begin(store, &arrays),
            Word::Round(_) | Word::End => Ok(()),
        }
    }

    /// Rank 0: all ranks check the `items`; returns the faults in order.
    pub(in crate::verbs) fn round(&mut self, items: Vec<Item>) -> Result<Vec<Fault>, Failure> {
        let word = self
            .session
            .ranks
            .broadcast(&Ok::<_, Failure>(Word::Round(items)))??;
        let Word::Round(round) = word else {
            return Ok(Vec::new());
        };
        let mut faults = Vec::new();
        for of_rank in self.check(&round)? {
            faults.extend(of_rank?);
        }
        faults.sort_unstable();
        Ok(faults)
    }

    fn begin(&mut self, store: String, arrays: &[(String, String, u64)]) -> Result<(), Failure> {
        self.store = store;
        let codecs = arrays.iter().map(|(name, document, bytes)| {
            let codec = ChunkCodec::new(name, document)?;
            Ok((Arc::new(codec), *bytes))
        });
        self.arrays = codecs.collect::<Result<_, Failure>>()?;
        Ok(())
    }

    /// Checks this rank's share of the round. Rank 0 gets what every rank found.
    fn check(&self, round: &[Item]) -> Result<Vec<Result<Vec<Fault>, Failure>>, Failure> {
        // Neighbours are of like size: each rank gets as many of each.
        let mine = round.iter().skip(self.session.ranks.rank());
        let mine: Vec<&Item> = mine.step_by(self.session.ranks.size()).collect();
        let found = self.session.runtime.block_on(self.check_all(mine));
        let found = found.map_err(|failure| {
            let message = format!("rank {}: {}", self.session.ranks.rank(), failure.message);
            Failure::new(failure.exit, message)
        });
        Ok(self.session.ranks.gather(&found)?.unwrap_or_default())
    }

    async fn check_all(&self, items: Vec<&Item>) -> Result<Vec<Fault>, Failure> {
        // The stored bytes, and the decoded values.
        let largest = items.iter().map(|item| 2 * self.arrays[item.array].1).max();
        let at_once = (self.memory / largest.unwrap_or(0).max(1)).clamp(1, MOST_OBJECTS);
        let checks = items.into_iter().map(|item| async move {
            let codec = &self.arrays[item.array].0;
            let key = codec.key(&self.store, &item.chunk);
            let (bucket, pool) = (&self.session.bucket, &self.session.pool);
            let found = check_object(bucket, codec, &key, item.recorded, pool).await?;
            Ok::<_, Failure>(found.map(|what| Fault::new(key, what)))
        });
        stream::iter(checks)
            .buffer_unordered(usize::try_from(at_once).unwrap_or(1))
            .try_filter_map(|fault| std::future::ready(Ok(fault)))
            .try_collect()
            .await
    }
}
