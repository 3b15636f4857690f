//! An archive that many jobs send, cut into parts: each ends where every array ends a chunk or shard, so that no object belongs
//! to two of them.
//!
//! Key types: [`ArchiveParts`]; [`GrowingStore`], where its steps go in one store.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::draft::{StoreRequest, draft};
use super::error::PlanError;
use super::settings::PlanSettings;
use super::steps::Scope;
use super::target::Phase;
use super::units::least_common_multiple;
use msm_model::{Archive, Problems};

/// Parts at most: the ledger is looked through for each.
const MOST: usize = 1_000;

/// An archive in parts. Steps are counted from the archive's first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveParts {
    /// Steps of the archive.
    pub steps: u64,
    /// Where the first part begins: what lies before it, every store has.
    pub first: u64,
    /// Where each part ends; the last one with the archive.
    pub ends: Vec<u64>,
    /// Where the steps go, in each store that grows.
    pub stores: Vec<GrowingStore>,
}

/// Where the archive's steps go in one store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrowingStore {
    /// Its key.
    pub store: String,
    /// Steps that it had before the first part.
    pub held: u64,
    /// The first of the archive that it did not have.
    pub first: u64,
}

impl GrowingStore {
    /// The place of the archive's step `step`; steps that it had are none of its business.
    #[must_use]
    pub fn place(&self, step: u64) -> u64 {
        self.held + step.saturating_sub(self.first)
    }

    /// How many of the archive's steps it has when it has so many steps; `None` if it was longer before.
    #[must_use]
    pub fn edge(&self, steps: u64) -> Option<u64> {
        Some(self.first + steps.checked_sub(self.held)?)
    }

    /// Does every chunk of this `length` end where the archive's step `step` would begin the next?
    fn is_even(&self, step: u64, length: u64) -> bool {
        step <= self.first || self.place(step).is_multiple_of(length)
    }
}

impl ArchiveParts {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Is there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The steps of the part `number`, from 0.
    #[must_use]
    pub fn steps_of(&self, number: usize) -> Range<u64> {
        let start = number
            .checked_sub(1)
            .map_or(self.first, |before| self.ends[before]);
        start..self.ends[number]
    }

    /// The store of this key.
    #[must_use]
    pub fn store(&self, key: &str) -> Option<&GrowingStore> {
        self.stores.iter().find(|store| store.store == key)
    }

    /// What is meant of the archive's `steps` in the store of this key.
    #[must_use]
    pub fn scope(&self, key: &str, steps: &Range<u64>) -> Scope {
        match self.store(key) {
            Some(store) => Scope::Part(store.place(steps.start)..store.place(steps.end)),
            None => Scope::Part(0..0),
        }
    }

    /// How many parts lie before the archive's step `edge`, which all stores have come to.
    #[must_use]
    pub fn before(&self, edge: u64) -> usize {
        self.ends.partition_point(|end| *end <= edge)
    }

    /// Do they follow one another, and are they of the archive?
    #[must_use]
    pub fn are_sound(&self) -> bool {
        let mut before = self.first;
        let mut follow = self.ends.iter();
        follow.all(|end| *end > std::mem::replace(&mut before, *end))
            && before == self.steps
            && self.ends.len() <= MOST
            && self.first
                == self
                    .stores
                    .iter()
                    .map(|store| store.first)
                    .min()
                    .unwrap_or(self.steps)
            && self.stores.iter().all(|store| store.first <= self.steps)
    }
}

/// Cuts the `archive` into parts: a part ends with a file or, where no file ends on a chunk boundary of all arrays, with the
/// first such boundary in the next file. `requests` place all steps of the archive.
///
/// # Errors
/// Everything that does not fit the stores.
pub fn parts(
    archive: &Archive,
    requests: &[StoreRequest],
    settings: &PlanSettings,
) -> Result<ArchiveParts, Problems<PlanError>> {
    let (_, drafts) = draft(archive, requests, settings)?;
    let steps = archive.lengths().iter().sum();
    let mut stores = Vec::new();
    let mut lengths = Vec::new();
    for (index, request) in requests.iter().enumerate() {
        let Some(first) = request.placed.iter().position(|place| !place.stored) else {
            continue;
        };
        stores.push(GrowingStore {
            store: request.key.clone(),
            held: request.stored.as_ref().map_or(0, |s| s.steps.len() as u64),
            first: first as u64,
        });
        let of_store = drafts
            .iter()
            .map(|draft| &draft.array)
            .filter(|array| array.phase == Phase::Transfer && array.stores.contains(&index));
        let chunks = of_store.filter_map(|array| Some(array.chunk[array.append.as_ref()?.axis]));
        lengths.push(chunks.fold(1, least_common_multiple));
    }
    let first = stores.iter().map(|store| store.first).min();
    let first = first.unwrap_or(steps);
    let is_even = |step: u64| {
        let mut all = stores.iter().zip(&lengths);
        all.all(|(store, &length)| store.is_even(step, length))
    };
    let mut ends: Vec<u64> = Vec::new();
    let (mut reached, mut end_of_file) = (first, 0);
    for length in archive.lengths() {
        end_of_file += length;
        if end_of_file > reached {
            reached = (end_of_file..steps)
                .find(|&step| is_even(step))
                .unwrap_or(steps);
            ends.push(reached);
        }
    }
    let together = ends.len().div_ceil(MOST).max(1);
    let last = ends.len();
    let ends = (1..=last)
        .filter(|number| number.is_multiple_of(together) || *number == last)
        .map(|number| ends[number - 1]);
    Ok(ArchiveParts {
        steps,
        first,
        ends: ends.collect(),
        stores,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(first: u64, ends: &[u64]) -> ArchiveParts {
        ArchiveParts {
            steps: ends.last().copied().unwrap_or(first),
            first,
            ends: ends.to_vec(),
            stores: vec![GrowingStore {
                store: "a/tos.zarr".to_owned(),
                held: 5,
                first,
            }],
        }
    }

    #[test]
    fn where_steps_are_and_what_follows() {
        let parts = of(2, &[4, 9]);
        assert!(parts.are_sound());
        assert_eq!((parts.steps_of(0), parts.steps_of(1)), (2..4, 4..9));
        let store = &parts.stores[0];
        assert_eq!([store.place(2), store.place(4), store.place(9)], [5, 7, 12]);
        assert_eq!(
            [store.edge(5), store.edge(12), store.edge(4)],
            [Some(2), Some(9), None]
        );
        assert_eq!(
            [2, 3, 4, 8, 9].map(|edge| parts.before(edge)),
            [0, 0, 1, 1, 2]
        );
        for unsound in [of(2, &[2]), of(2, &[4, 4]), of(2, &[4, 3])] {
            assert!(!unsound.are_sound());
        }
        assert!(of(2, &[]).are_sound() && of(2, &[]).is_empty());
    }

    proptest! {
        #[test]
        fn even_steps_end_chunks(held in 0..20u64, first in 0..20u64, length in 1..9u64, step in 0..60u64) {
            let store = GrowingStore { store: String::new(), held, first };
            let places: Vec<u64> = (first..step).map(|step| store.place(step)).collect();
            let behind = store.place(step);
            let shares = places.iter().any(|place| place / length == behind / length);
            prop_assert_eq!(store.is_even(step, length), !shares || places.is_empty());
        }
    }
}
