//! The lead: maps of what is sent. They are in the way of nothing: where there is no room for them, there are none.
//!
//! Key type: [`PlannedMaps`].

use std::cell::Cell;

use msm_model::Archive;
use msm_plan::{Plan, PlanSettings, Projection, StoreRequest};

use super::files::MapsAsked;
use super::foreseen_store::foreseen;
use super::intent::Intent;
use super::prepare::PreparedSend;
use super::worker::Worker;
use crate::error::Error;
use crate::verbs::files::requested::RequestedStore;
use crate::verbs::quicklook::{ForeseenStore, MapMemory, SentPictures};

/// The maps of a run, as far as it is.
#[derive(Default)]
pub(super) struct PlannedMaps {
    /// Bytes of each rank's memory that are set aside for them; none where none are drawn.
    held: Cell<Option<u64>>,
    /// If there was no room, for how many bytes.
    lacking: Cell<Option<u64>>,
    pictures: SentPictures,
}

impl PlannedMaps {
    /// Sets memory aside, if maps of what goes to these stores are to be drawn.
    pub(super) fn of(
        archive: &Archive,
        targets: &[RequestedStore],
        projections: &[Projection],
        intent: &Intent<'_>,
    ) -> Self {
        let maps = Self::default();
        if intent.files.maps == MapsAsked::None {
            return maps;
        }
        let variables = targets.iter().flat_map(|target| &target.mains);
        let threads = intent.resources.threads;
        let memory = MapMemory::of(archive, variables, projections, threads);
        match memory.lacking(intent.resources.memory) {
            None => maps.held.set(Some(memory.held)),
            lacking => maps.lacking.set(lacking),
        }
        maps
    }

    /// What `plan` makes of `settings` beside what is set aside; without that, if there is no room for both.
    ///
    /// # Errors
    /// As `plan`, which has all the memory then.
    pub(super) fn beside<T>(
        &self,
        settings: &PlanSettings,
        plan: impl Fn(&PlanSettings) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let Some(held) = self.held.get() else {
            return plan(settings);
        };
        let mut less = settings.clone();
        less.projections.weights += held;
        plan(&less).or_else(|_| {
            let planned = plan(settings)?;
            self.held.set(None);
            self.lacking.set(Some(held));
            Ok(planned)
        })
    }

    /// The stores that `plan` is of, for which its `requests` are, as it leaves them; none, where no maps are drawn.
    pub(super) fn stores<'a>(
        &self,
        plan: &Plan,
        requests: impl Iterator<Item = &'a StoreRequest>,
        targets: &[RequestedStore],
        archive: &Archive,
    ) -> Vec<ForeseenStore> {
        if self.held.get().is_none() {
            return Vec::new();
        }
        let stores = requests.enumerate().filter_map(|(index, request)| {
            let target = targets.iter().find(|target| target.key == request.key)?;
            let group = target.group.clone();
            let stored = foreseen(&group, plan, index, request, archive);
            Some((group, stored))
        });
        stores.collect()
    }

    /// The maps of what all ranks have seen.
    pub(super) fn into_pictures(self) -> SentPictures {
        match self.lacking.get() {
            Some(bytes) => SentPictures::without_room(bytes),
            None => self.pictures,
        }
    }
}

impl PreparedSend<'_> {
    /// Sets memory aside, if maps of what is sent are to be drawn.
    pub(super) fn set_aside_for_maps(&mut self, intent: &Intent<'_>) {
        let projections = self.projections();
        self.maps = PlannedMaps::of(&self.archive, &self.targets, projections, intent);
    }

    /// Lets the `worker` of each rank see what is to be drawn of the transaction that comes next, whose `stores` its plan leaves so.
    pub(super) fn show(&mut self, worker: &Worker<'_>, plan: &Plan, stores: &[ForeseenStore]) {
        if let Some(fields) = worker.maps.as_ref().filter(|_| !stores.is_empty()) {
            let pictures = &mut self.maps.pictures;
            fields.tell(pictures.looks(plan, stores, &self.archive, worker.session));
        }
    }
}

#[cfg(test)]
mod tests {
    use msm_plan::{Goal, NewArrays, PlanError, Projections, Resources, Task};

    use super::*;

    /// Settings where nothing is held.
    fn settings() -> PlanSettings {
        PlanSettings {
            task: Task {
                goal: Goal::Update,
                attributes: serde_json::Map::new(),
                repair_attributes: false,
                tolerance: 0.0,
            },
            arrays: NewArrays::default(),
            resources: Resources {
                ranks: 1,
                memory: 100,
                threads: 1,
            },
            projections: Projections::default(),
        }
    }

    /// A plan that needs so much: what is set aside for it, if it fits.
    fn plan(needed: u64) -> impl Fn(&PlanSettings) -> Result<u64, Error> {
        move |settings| {
            let available = settings.resources.memory - settings.projections.weights;
            if needed <= available {
                return Ok(settings.projections.weights);
            }
            let array = "tos".to_owned();
            Err(PlanError::Memory {
                array,
                needed,
                available,
                least: needed,
            }
            .into())
        }
    }

    #[test]
    fn data_that_need_the_memory_have_it_and_then_there_are_no_maps() {
        let maps = PlannedMaps::default();
        maps.held.set(Some(20));
        assert_eq!(maps.beside(&settings(), plan(80)).unwrap(), 20);
        assert!(maps.beside(&settings(), plan(101)).is_err());
        assert_eq!((maps.held.get(), maps.lacking.get()), (Some(20), None));
        assert_eq!(maps.beside(&settings(), plan(81)).unwrap(), 0);
        assert_eq!((maps.held.get(), maps.lacking.get()), (None, Some(20)));
        assert_eq!(maps.beside(&settings(), plan(10)).unwrap(), 0);
    }
}
