//! Taking a part: the next that is free, or whose job has died.
//!
//! Key type: [`TakenPart`].

use std::ops::Range;
use std::path::PathBuf;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, stream};
use msm_plan::{Phase, PlanSettings, part_plan};
use msm_zarr::layout;

use super::COMMAND;
use super::error::ShareError;
use super::lead::{SharedSend, is_of_files};
use super::listed::{look_at, unchanged};
use super::outlook::{files_of, requests_of};
use super::report::HeldPart;
use crate::commit::{LeaseError, LeaseTimes, ShareState, part_records, take_part, taken_before};
use crate::error::Error;
use crate::events::Event;
use crate::session::Session;
use crate::store::{Bucket, REQUESTS, StoreError};
use crate::transfer::{ChunkRecord, Orders, WriteConditions};
use crate::verbs::quicklook::ForeseenStore;
use crate::verbs::send::intent::Intent;
use crate::verbs::send::lead::size;
use crate::verbs::send::sample::RecordedObjects;
use crate::verbs::shared::hold::{Hold, Leasing};

/// A part that this job has the lease of.
pub(super) struct TakenPart {
    pub number: usize,
    pub orders: Orders,
    pub hold: Hold,
    /// Its stores as all parts leave them, if maps of it are drawn.
    pub foreseen: Vec<ForeseenStore>,
}

/// How far the archive is, as far as can be told without the stores' leases.
pub(super) struct Standing {
    pub state: ShareState,
    /// Parts that readers see.
    pub committed: usize,
}

impl SharedSend<'_> {
    /// How far the archive is; `None` if all of it is in place.
    ///
    /// # Errors
    /// As the server says; if another job has put an end to it.
    pub(super) async fn standing(&self, session: &Session<'_>) -> Result<Option<Standing>, Error> {
        let (bucket, archive) = (&session.bucket, &self.archive);
        // In this order: a job that ends it meanwhile has committed all before.
        let goes_on = self.goes_on(bucket).await?;
        let state = ShareState::of(bucket, archive).await?;
        let committed = archive.parts.before(self.edge(session).await?);
        match goes_on {
            true => Ok(Some(Standing { state, committed })),
            false if committed == archive.parts.len() => Ok(None),
            false => Err(ShareError::Abandoned.into()),
        }
    }

    /// Is the archive shared out still?
    ///
    /// # Errors
    /// As the server says.
    pub(super) async fn goes_on(&self, bucket: &Bucket) -> Result<bool, StoreError> {
        let known = self
            .tag
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let tag = self.archive.goes_on(bucket, known.as_deref()).await?;
        let goes_on = tag.is_some();
        *self.tag.lock().unwrap_or_else(PoisonError::into_inner) = tag;
        Ok(goes_on)
    }

    /// How many of the archive's steps readers see in all stores: growth can be rolled back in one of them.
    async fn edge(&self, session: &Session<'_>) -> Result<u64, Error> {
        let (archive, bucket) = (&self.archive, &session.bucket);
        let edges = self.prepared.targets.iter().map(async |target| {
            let Some(grows) = archive.parts.store(&target.key) else {
                return Ok(archive.parts.steps);
            };
            let steps = archive.visible(bucket, &target.group, grows.held).await?;
            self.edge_of(&target.key, steps)
        });
        let edges = stream::iter(edges).buffer_unordered(REQUESTS);
        let least = async |least: u64, edge| Ok(least.min(edge));
        edges.try_fold(archive.parts.steps, least).await
    }

    /// How many of the archive's steps a store has that has so many `steps`.
    ///
    /// # Errors
    /// If it had more when the archive was shared out.
    pub(super) fn edge_of(&self, store: &str, steps: u64) -> Result<u64, Error> {
        let Some(grows) = self.archive.parts.store(store) else {
            return Ok(self.archive.parts.steps);
        };
        grows.edge(steps).ok_or_else(|| {
            ShareError::Shorter {
                store: store.to_owned(),
                found: steps,
                expected: grows.held,
            }
            .into()
        })
    }

    /// Takes a part that no job has done or holds; `None` if there is none left for this job. Others' leases that may be those of dead
    /// jobs are waited for until they would have expired.
    ///
    /// # Errors
    /// As the server says.
    pub(super) async fn take(
        &mut self,
        intent: &Intent<'_>,
        settings: &PlanSettings,
        session: &Session<'_>,
    ) -> Result<Option<TakenPart>, Error> {
        let times = LeaseTimes::of_this_run();
        let mut waiting: Option<Instant> = None;
        loop {
            self.report.held.clear();
            let Some(standing) = self.standing(session).await? else {
                return Ok(None);
            };
            let Standing { state, committed } = &standing;
            let open = *committed..self.archive.parts.len();
            self.watch(state);
            let (free, leased): (Vec<usize>, Vec<usize>) = open
                .filter(|number| self.sharing.takes(*number))
                .filter(|number| !state.done.contains(number) && !self.failed.contains_key(number))
                .partition(|number| !state.leased.contains_key(number));
            // Those of dead jobs first, for what comes after them waits for them.
            let is_silent = |number: &usize| self.leases[number].1.elapsed() > times.over();
            let (silent, leased): (Vec<usize>, Vec<usize>) =
                leased.into_iter().partition(is_silent);
            let first_done = state.done.contains(committed);
            for number in silent.into_iter().chain(free).chain(leased) {
                if let Some(taken) = self.try_to_take(number, intent, settings, session).await? {
                    return Ok(Some(taken));
                }
            }
            let since = *waiting.get_or_insert_with(Instant::now);
            let is_over = since.elapsed() > times.over() + times.look * 2;
            // What can be committed meanwhile goes first.
            if self.report.held.is_empty() || is_over || first_done || session.interrupt.has_come()
            {
                return Ok(None);
            }
            tokio::time::sleep(times.look.min(Duration::from_secs(5))).await;
        }
    }

    /// Notes since when the leases of parts are as they are, by this machine's clock.
    fn watch(&mut self, state: &ShareState) {
        self.leases
            .retain(|number, (renewed, _)| state.leased.get(number) == Some(renewed));
        for (&number, &renewed) in &state.leased {
            let now = (renewed, Instant::now());
            self.leases.entry(number).or_insert(now);
        }
    }

    async fn try_to_take(
        &mut self,
        number: usize,
        intent: &Intent<'_>,
        settings: &PlanSettings,
        session: &Session<'_>,
    ) -> Result<Option<TakenPart>, Error> {
        let place = layout::shared_part(self.archive.home(), number);
        // Whoever holds it is at work: another part may be free.
        let leasing = Leasing {
            wait: Duration::ZERO,
            ..intent.files.leasing.clone()
        };
        let known = Some(&self.guarantees);
        let hold = match Hold::lease(session, &leasing, &[place], COMMAND, known).await {
            Ok(hold) => hold,
            Err(Error::Lease(LeaseError::Busy { holder, .. })) => {
                let holder = holder.map(|holder| holder.to_string());
                self.report.held.push(HeldPart { number, holder });
                return Ok(None);
            }
            Err(failure) => return Err(failure),
        };
        match self.begin(number, &hold, settings, session).await {
            Ok(Some((orders, foreseen))) => Ok(Some(TakenPart {
                number,
                orders,
                hold,
                foreseen,
            })),
            Ok(None) => {
                hold.release(session).await;
                Ok(None)
            }
            Err(failure) => {
                let failure = hold.give_up(session, failure).await;
                if !is_of_files(&failure) {
                    return Err(failure);
                }
                self.leave_out(number, failure, session);
                Ok(None)
            }
        }
    }

    /// What is to be done of the part `number`, whose lease is held, and how all parts leave its stores; `None` if another job has done it
    /// meanwhile, or rolled back what comes before it.
    async fn begin(
        &self,
        number: usize,
        hold: &Hold,
        settings: &PlanSettings,
        session: &Session<'_>,
    ) -> Result<Option<(Orders, Vec<ForeseenStore>)>, Error> {
        let (bucket, archive) = (&session.bucket, &self.archive);
        let Some(Standing { state, committed }) = self.standing(session).await? else {
            return Ok(None);
        };
        if number < committed || state.done.contains(&number) || committed < self.planned {
            return Ok(None);
        }
        let steps = archive.parts.steps_of(number);
        let (files, placed) = self.files_of(&steps);
        let planned = self.prepared.files(files.clone());
        let paths = self.prepared.archive.files[files.clone()].iter();
        let paths: Vec<PathBuf> = paths.map(|file| file.path().clone()).collect();
        unchanged(archive, &look_at(&paths)?)?;
        let requests = requests_of(&archive.parts, &self.requests, &steps, &placed);
        let of_part = self.prepared.archive.part(files);
        let plan = self.prepared.maps.beside(settings, |settings| {
            Ok(part_plan(&of_part, &requests, settings)?)
        })?;
        let whole = |key: &str| self.requests.iter().find(|request| request.key == key);
        let foreseen = self.prepared.maps.stores(
            &plan,
            requests.iter().filter_map(|request| whole(&request.key)),
            &self.prepared.targets,
            &self.prepared.archive,
        );
        let resumed = taken_before(bucket, archive, number).await?;
        let objects = plan.objects(Phase::Transfer);
        let part = take_part(bucket, archive, number, &hold.holder, objects).await?;
        let mut orders = Orders::new(plan, Vec::new());
        orders.part = Some(part);
        orders.resumed = resumed;
        orders.conditions = WriteConditions::from(&hold.guarantees);
        session.tell(&Event::PartTaken {
            number,
            of: archive.parts.len(),
            files: planned,
            stores: archive.stores().to_vec(),
            size: size(&orders.plan),
        });
        if resumed {
            let folder = |store: &str| layout::part_progress(store, number);
            let done = match part_records(bucket, &orders.plan, folder).await {
                // It is put from its beginning.
                Err(StoreError::Journal { .. }) => Vec::new(),
                done => done?,
            };
            let (read_again, sound) = RecordedObjects::of(&orders.plan)?
                .look_again(bucket, &done)
                .await;
            let has_data = |record: &&ChunkRecord| record.is_stored();
            session.tell(&Event::Resumed {
                objects: done.len(),
                with_data: done.iter().filter(has_data).count(),
                read_again,
                sound,
            });
            if sound {
                orders.done = done;
            }
        }
        Ok(Some((orders, foreseen)))
    }

    /// The files that have these `steps` of the archive, and the places of all of their steps among the archive's.
    pub(super) fn files_of(&self, steps: &Range<u64>) -> (Range<usize>, Range<usize>) {
        files_of(&self.prepared.archive, steps)
    }
}
