//! Maps of what is sent: the last step that a run writes of each variable, at its first level, out of the values that are in memory. Rank 0
//! says which fields of a transaction these are; each rank keeps what its objects have of them; at the end, rank 0 draws.
//!
//! Key types: [`SentFields`], of each rank; [`SentLooks`], what rank 0 tells; [`SentPictures`], what it draws; [`SentMaps`], drawn.

mod look;
mod memory;
mod pictures;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use msm_model::Hyperslab;
use serde::{Deserialize, Serialize};

pub(in crate::verbs) use self::memory::MapMemory;
pub(in crate::verbs) use self::pictures::{ForeseenStore, SentPictures};
pub use self::pictures::{SentMap, SentMaps};

use super::footprint::{Footprint, Footprints};
use super::look::{Grid, Look};
use super::read::{Found, Task};
use super::{HELD, means};
use crate::error::Error;
use crate::events::{Stage, StageClock, WorkPhase};
use crate::ranks::Role;
use crate::session::Session;
use crate::source::Block;
use crate::transfer::ValueWatch;
use crate::verbs::shared::phase_watch::PhaseWatch;

/// The fields of a transaction that are to be seen, as rank 0 tells them.
#[derive(Default, Serialize, Deserialize)]
pub(in crate::verbs) struct SentLooks {
    /// Pixels in the longer side of a map.
    width: usize,
    grids: Vec<Grid>,
    looks: Vec<ToldLook>,
}

/// One of them.
#[derive(Serialize, Deserialize)]
struct ToldLook {
    /// The number of its map.
    map: usize,
    /// Which of the plan's arrays has it.
    array: usize,
    look: Look,
}

/// What a rank has seen: of which map, in the object that begins where.
type Seen = (usize, Vec<u64>, Found);

/// What a rank sees of the fields.
#[derive(Default)]
pub(in crate::verbs) struct SentFields(Mutex<State>);

#[derive(Default)]
struct State {
    /// On rank 0: what it tells of the next transaction.
    told: SentLooks,
    footprints: KnownFootprints,
    /// By their maps. What a later transaction writes takes the place of what is there.
    fields: BTreeMap<usize, Arc<SentField>>,
}

/// Which cells the pixels of maps show, by grid.
type KnownFootprints = Vec<(Grid, Result<Arc<Footprint>, Error>)>;

/// A field, and what this rank's objects have of it.
struct SentField {
    task: Task,
    found: Mutex<BTreeMap<Vec<u64>, Found>>,
}

impl SentFields {
    /// Rank 0: these are to be seen of the next transaction.
    pub(in crate::verbs) fn tell(&self, looks: SentLooks) {
        self.state().told = looks;
    }

    /// What sees the values of the transaction that begins; `None` if nothing is to be seen of it. Every rank calls it.
    ///
    /// # Errors
    /// On every rank the same: if they do not understand each other. Maps that cannot be drawn are none.
    pub(in crate::verbs) fn begin(
        &self,
        session: &Session<'_>,
    ) -> Result<Option<ValueWatch>, Error> {
        let mut state = self.state();
        let told = std::mem::take(&mut state.told);
        let told = session.ranks.on_lead(|| Ok(told))?;
        state.weigh(&told, session);
        let mut of_arrays: HashMap<usize, Vec<Arc<SentField>>> = HashMap::new();
        for ToldLook { map, array, look } in &told.looks {
            let grid = &told.grids[look.grid];
            let Some(Ok(footprint)) = footprint_of(&state.footprints, grid) else {
                continue;
            };
            let field = Arc::new(SentField {
                task: Task::new(look, footprint, grid.columns()),
                found: Mutex::default(),
            });
            of_arrays
                .entry(*array)
                .or_default()
                .push(Arc::clone(&field));
            state.fields.insert(*map, field);
        }
        if of_arrays.is_empty() {
            return Ok(None);
        }
        Ok(Some(Arc::new(move |array, slab, values| {
            for field in of_arrays.get(&array).into_iter().flatten() {
                field.see(slab, values);
            }
        })))
    }

    /// Lets rank 0 draw what all ranks have seen. Every rank calls it; that of others is empty.
    ///
    /// # Errors
    /// If ranks do not understand each other.
    pub(in crate::verbs) fn drawn(
        &self,
        pictures: SentPictures,
        session: &Session<'_>,
    ) -> Result<SentMaps, Error> {
        let mut state = self.state();
        let fields = std::mem::take(&mut state.fields).into_iter();
        let mine = fields.flat_map(|(map, field)| {
            let found = std::mem::take(&mut *field.found());
            { found.into_iter() }.map(move |(start, found)| (map, start, found))
        });
        let mine: Vec<Seen> = mine.collect();
        match session.role() {
            Role::Lead(lead) => {
                let all = lead.collect(mine)?.into_iter().flatten();
                Ok(pictures.drawn(all, &state.footprints))
            }
            Role::Follower(follower) => follower.give(&mine).map(|()| SentMaps::default()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Finds out which cells the pixels of grids show that are new.
    fn weigh(&mut self, told: &SentLooks, session: &Session<'_>) {
        let grids = told.grids.iter();
        let new: Vec<&Grid> = grids
            .filter(|grid| footprint_of(&self.footprints, grid).is_none())
            .collect();
        if new.is_empty() {
            return;
        }
        let (watch, clock) = (PhaseWatch::start(WorkPhase::Weights), StageClock::default());
        let means = means(session, HELD / 4);
        let mut of_grids = Footprints::new(None, told.width, session, &means);
        for grid in new {
            let found = || of_grids.of(grid, &mut Vec::new());
            let found = clock.time(Stage::Reproject, 0, found);
            self.footprints.push((grid.clone(), found));
        }
        watch.stop(session, &clock);
    }
}

fn footprint_of<'a>(
    footprints: &'a KnownFootprints,
    grid: &Grid,
) -> Option<&'a Result<Arc<Footprint>, Error>> {
    let known = footprints.iter().find(|(known, _)| known == grid);
    known.map(|(_, footprint)| footprint)
}

impl SentField {
    /// Keeps what the `values` of an object have of it.
    fn see(&self, slab: &Hyperslab, values: &[u8]) {
        if let Some(found) = self.task.see(&Block { slab, values }) {
            self.found().insert(slab.start.clone(), found);
        }
    }

    fn found(&self) -> MutexGuard<'_, BTreeMap<Vec<u64>, Found>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
