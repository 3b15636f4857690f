//! Which object that came back with the bytes that were sent is decoded all the same: one of a phase, drawn at random, so that a
//! fault of the codec would be met.
//!
//! Key type: [`Draw`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rand::RngExt;
use rand::seq::IteratorRandom;
use tracing::info;

use super::check::unlike_sent;
use super::engine::{Engine, on_pool};
use super::error::TransferError;
use super::object::{LOOKS, PAUSE, failed};
use super::record::{ChunkRecord, Proof, Verification};
use super::records::ChunkRecords;

/// Draws one of so many objects, as each is looked at or passed over (Knuth, The Art of Computer Programming, volume 2, algorithm 3.4.2 S).
#[derive(Debug, Default)]
pub(super) struct Draw {
    left: AtomicU64,
    is_drawn: AtomicBool,
}

impl Draw {
    /// One of `objects` is to be drawn.
    fn begin(&self, objects: u64) {
        self.left.store(objects, Ordering::Relaxed);
        self.is_drawn.store(false, Ordering::Relaxed);
    }

    /// One of them is not read back.
    pub(super) fn pass(&self) {
        self.next();
    }

    /// The next one has come back as it was sent: is it drawn?
    pub(super) fn hits(&self) -> bool {
        let hits = rand::rng().random_range(0..self.next()) == 0;
        hits && !self.is_drawn.swap(true, Ordering::Relaxed)
    }

    /// How many there were still, with the next.
    fn next(&self) -> u64 {
        let one_less = |left: u64| Some(left.saturating_sub(1));
        let left = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less);
        left.unwrap_or_default().max(1)
    }
}

impl Engine {
    /// An object of these units will be drawn.
    pub(super) fn begin_draw(&self, units: impl Iterator<Item = usize>) {
        let objects = units.flat_map(|index| self.with_followers(index));
        let objects = objects.map(|index| {
            let unit = self.plan.units.get(index);
            unit.chunks.len() * self.plan.arrays[unit.array].stores.len() as u64
        });
        self.draw.begin(objects.sum());
    }

    /// If none was drawn of those that were read back, for those after them are all fill: reads one of them once more, and decodes it.
    ///
    /// # Errors
    /// If it is not what its record says.
    pub(super) async fn draw_late(
        self: &Arc<Self>,
        records: &ChunkRecords,
    ) -> Result<(), TransferError> {
        let reads_back = [Verification::Full, Verification::Etag].contains(&self.verify);
        if !reads_back || self.draw.is_drawn.load(Ordering::Relaxed) {
            return Ok(());
        }
        let is_read_back = |record: &ChunkRecord| record.content.is_proven(Proof::ReadBack);
        let read_back = records.iter().filter(is_read_back);
        let Some(record) = read_back.choose(&mut rand::rng()) else {
            return Ok(());
        };
        let array = &self.plan.arrays[record.array];
        let key = self.codecs[record.array].key(&self.plan.stores[record.store].key, &record.chunk);
        say_drawn(&key);
        let (mut wrong, mut pause) = (None, PAUSE);
        for look in 0..LOOKS {
            if look > 0 {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            let found = self.bucket.get(&key).await;
            let found = found.map_err(|cause| failed(array, &record.chunk, cause))?;
            let (engine, content) = (Arc::clone(self), record.content);
            let unlike = on_pool(&self.pool, move || {
                unlike_sent(&engine.codecs[record.array], &found, content, true)
            });
            wrong = unlike.await;
            if wrong.is_none() {
                return Ok(());
            }
        }
        Err(TransferError::Verify {
            array: array.name.clone(),
            chunk: record.chunk,
            key,
            tries: 1,
            cause: wrong.unwrap_or_default(),
        })
    }
}

/// Says which object was drawn.
pub(super) fn say_drawn(key: &str) {
    info!(key, "drawn to be decoded as well");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_them_is_drawn_and_each_may_be() {
        let mut times = [0; 5];
        for _ in 0..2000 {
            let draw = Draw::default();
            draw.begin(5);
            let drawn: Vec<usize> = (0..5).filter(|_| draw.hits()).collect();
            assert_eq!(drawn.len(), 1);
            times[drawn[0]] += 1;
        }
        // Four hundred each, give or take eight times the standard deviation.
        assert!(times.iter().all(|n| (256..544).contains(n)), "{times:?}");
    }

    #[test]
    fn what_is_passed_over_is_not_waited_for() {
        let draw = Draw::default();
        for _ in 0..100 {
            draw.begin(3);
            draw.pass();
            draw.pass();
            assert!(draw.hits());
            // More than there were.
            assert!(!draw.hits());
        }
    }
}
