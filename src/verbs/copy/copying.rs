//! The lead's part of a copy.
//!
//! Key type: [`Copying`].

use futures::{StreamExt, TryStreamExt};

use super::batch::{CopiedObjects, CopyBatch};
use super::ends::Route;
use super::error::CopyError;
use super::held::{BothHolds, Held};
use super::place::Passage;
use super::source::SourceStore;
use super::{CopiedStore, Copy, CopyReport, sources, ways};
use crate::commit::{Deletion, LeaseError, NotBegun};
use crate::error::Error;
use crate::events::{WorkKind, WorkSpan};
use crate::ranks::Lead;
use crate::verbs::stores::absent::no_stores;
use crate::verbs::stores::place::is_taken;
use crate::verbs::tally::Tally;

/// Objects of a turn for each rank, and of a whole turn.
const TURN: usize = 1_000;
const WHOLE_TURN: usize = 100_000;

/// A copy under way, as the lead sees it.
pub(in crate::verbs) struct Copying<'a> {
    pub route: Route<'a>,
    pub request: &'a Copy,
    pub lead: Lead<'a>,
}

impl Copying<'_> {
    pub(super) fn run(&self) -> Result<CopyReport, Error> {
        let Self { route, request, .. } = self;
        let session = route.from;
        let runtime = &session.runtime;
        let command = if request.moves { "move" } else { "copy" };
        let mut ways = runtime.block_on(ways(route.ends(), request))?;
        let mut hold = runtime.block_on(BothHolds::take(*route, request, &ways, command))?;
        let done = runtime.block_on(hold.heal(*route));
        session.interrupt.guard(true);
        let done = done.and_then(|()| {
            // What a dead job had moved already is not there any more, and is at its new place.
            let all = ways.clone();
            ways.retain(|way| !hold.held().from.left.is_gone(&way.from));
            let copied = self.copy_held(&ways, hold.held())?;
            let is_moved = async || {
                for way in &all {
                    if request.moves && is_taken(route.ends().to, &way.to).await? {
                        return Ok::<_, Error>(true);
                    }
                }
                Ok(false)
            };
            // Another job was there first, or a dead one had deleted them.
            if copied.stores.is_empty() && !runtime.block_on(is_moved())? {
                let none = no_stores(&session.bucket, &request.spot);
                return Err(runtime.block_on(none)?);
            }
            Ok(copied)
        });
        let done = done.map_err(|failure| hold.verdict(failure));
        runtime.block_on(hold.release(*route));
        session.interrupt.guard(false);
        done
    }

    /// Copies all of it while no other job writes there.
    pub(in crate::verbs) fn copy_held(
        &self,
        ways: &[Passage],
        held: Held<'_>,
    ) -> Result<CopyReport, Error> {
        let (ends, runtime) = (self.route.ends(), &self.route.from.runtime);
        let sources = runtime.block_on(sources(ends, ways, self.request))?;
        let (mut fresh, mut there, mut problems) = (Vec::new(), Vec::new(), Vec::new());
        for store in sources {
            match runtime.block_on(store.is_at_its_place(ends)) {
                Ok(true) => there.push(store),
                Ok(false) => fresh.push(store),
                Err(problem) => problems.push(problem),
            }
        }
        Error::together(problems)?;
        let mut total = Tally::default();
        let stores = fresh.iter().chain(&there);
        stores.for_each(|store| total.add(store.tally));
        let objects = Some(total.objects);
        let work = self
            .route
            .from
            .work(WorkKind::Copying, objects, total.bytes);
        let mut done = Tally::default();
        let mut report = CopyReport::default();
        for store in &there {
            let compared = self.objects(store, true, &work, &mut done);
            report
                .stores
                .push(compared.map_err(|failure| store.taken_by(failure))?);
        }
        let targets: Vec<String> = fresh.iter().map(|store| store.passage.to.clone()).collect();
        let begun = runtime.block_on(Deletion::begin(ends.to, &targets, &held.to.holder));
        let begun = begun.map_err(|NotBegun { cause, .. }| cause)?;
        match self.fresh(&fresh, held, &work, &mut done) {
            Ok(copied) => report.stores.extend(copied),
            Err(cause) if held.to.leases.lost().is_some() => return Err(cause),
            Err(cause) => {
                let cause = Box::new(cause);
                return Err(match runtime.block_on(begun.finish()) {
                    Ok(()) => Error::RolledBack { cause },
                    Err(left) => Error::NotRolledBack { cause, left },
                });
            }
        }
        let ended = runtime.block_on(begun.end());
        ended.map_err(CopyError::NotEnded)?;
        report
            .stores
            .sort_by(|one, other| one.from.cmp(&other.from));
        if self.request.moves {
            let stores = there.iter().chain(&fresh);
            runtime.block_on(self.remove_sources(stores, held))?;
        }
        Ok(report)
    }

    /// Copies stores of which there is nothing at their places, root documents last.
    fn fresh(
        &self,
        stores: &[SourceStore],
        held: Held<'_>,
        work: &WorkSpan<'_>,
        done: &mut Tally,
    ) -> Result<Vec<CopiedStore>, Error> {
        let mut report = Vec::new();
        for store in stores {
            report.push(self.objects(store, false, work, done)?);
        }
        let (ends, runtime) = (self.route.ends(), &self.route.from.runtime);
        runtime.block_on(held.check())?;
        for store in stores {
            if !runtime.block_on(store.is_unchanged(ends.from))? {
                let store = store.passage.from.clone();
                return Err(CopyError::Changed { store }.into());
            }
            runtime.block_on(store.copy_roots(ends.to))?;
        }
        Ok(report)
    }

    /// All ranks copy, or only compare, the objects of `store` but for its root documents.
    fn objects(
        &self,
        store: &SourceStore,
        is_there: bool,
        work: &WorkSpan<'_>,
        done: &mut Tally,
    ) -> Result<CopiedStore, Error> {
        let session = self.route.from;
        let (bucket, runtime) = (&session.bucket, &session.runtime);
        let recorded = runtime.block_on(store.recorded(bucket))?;
        let turn = (TURN * session.ranks.size()).min(WHOLE_TURN);
        let items = store.items(bucket, &recorded);
        let mut turns = items
            .try_chunks(turn)
            .map_err(|cause| cause.1)
            .boxed_local();
        let mut all = CopiedObjects::default();
        while let Some(items) = runtime.block_on(turns.next()) {
            let batch = CopyBatch {
                items: items?,
                is_there,
            };
            self.lead.tell(&Some(&batch))?;
            let mine = batch.copy_share(self.route);
            for copied in self.lead.collect(mine)? {
                done.add(copied.tally);
                all.add(copied);
            }
            Error::together(std::mem::take(&mut all.problems))?;
            if all.is_stopped {
                return Err(CopyError::Stopped.into());
            }
            work.show(done.bytes, done.objects);
        }
        if !store.is_all_but_roots(all.tally) {
            let store = store.passage.from.clone();
            return Err(CopyError::Changed { store }.into());
        }
        let mut report = store.report(is_there);
        report.unlike = all.unlike;
        Ok(report)
    }

    /// From the journals' entries on it only goes forward, whoever goes on with it.
    async fn remove_sources<'s>(
        &self,
        stores: impl Iterator<Item = &'s SourceStore>,
        held: Held<'_>,
    ) -> Result<(), Error> {
        // It only goes forward.
        let _committing = self.route.from.work_unmeasured(WorkKind::Committing);
        let bucket = self.route.ends().from;
        let mut sources = Vec::new();
        for source in stores {
            let store = source.passage.from.clone();
            match source.is_unchanged(bucket).await {
                Ok(true) => sources.push(store),
                Ok(false) => return Err(CopyError::ChangedSince { store }.into()),
                Err(Error::Store(cause)) => return Err(CopyError::StillThere { cause }.into()),
                Err(cause) => return Err(cause),
            }
        }
        held.check().await.map_err(|error| match error {
            LeaseError::Store(cause) => CopyError::StillThere { cause }.into(),
            lost => Error::from(lost),
        })?;
        let deletion = Deletion::begin(bucket, &sources, &held.from.holder).await;
        let deletion =
            deletion.map_err(|NotBegun { cause, .. }| CopyError::StillThere { cause })?;
        Ok(deletion.finish().await.map_err(CopyError::NotAllGone)?)
    }
}
