//! `copy` and `move`: stores with their ledgers at another place of the bucket; every rank copies its share and reads it back.
//!
//! Key types: [`struct@Copy`], what is asked; [`CopyReport`].
//!
//! As long as it is copied, the journal of a copy says that the store is being deleted: whoever comes after a job that died removes
//! what there is of it. Root documents come last. What is moved is deleted when all copies are whole, as by `delete`.

mod batch;
mod error;
pub(in crate::verbs) mod place;
pub(in crate::verbs) mod source;

use futures::{StreamExt, TryStreamExt};
use msm_zarr::layout;
use serde::{Deserialize, Serialize};

pub use self::error::CopyError;

use self::batch::{CopiedObjects, CopyBatch};
use self::place::{Passage, passages};
use self::source::SourceStore;
use crate::commit::{Deletion, LeaseError, NotBegun};
use crate::error::Error;
use crate::events::WorkSpan;
use crate::ranks::{Follower, Lead, Role};
use crate::session::Session;
use crate::store::{Bucket, Spot, StoreError};
use crate::verbs::shared::hold::{Hold, Leasing};
use crate::verbs::tally::Tally;

/// Objects of a turn for each rank, and of a whole turn.
const TURN: usize = 1_000;
const WHOLE_TURN: usize = 100_000;

/// What is copied.
#[derive(Clone, Debug, Default)]
pub struct Copy {
    /// Where the stores are.
    pub spot: Spot,
    /// The variables whose stores are meant, `compact` for that of all variables; none means all stores.
    pub variables: Vec<String>,
    /// The prefix that they go to, or the place of a single store.
    pub to: String,
    /// Do they leave where they were?
    pub moves: bool,
    /// How the stores' leases are got.
    pub leasing: Leasing,
}

/// What was copied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyReport {
    /// A line for each.
    pub stores: Vec<CopiedStore>,
}

/// A store that was copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopiedStore {
    /// Its key.
    pub from: String,
    /// That of the copy.
    pub to: String,
    /// Its objects, with those of its ledger.
    pub tally: Tally,
    /// Was the copy there already, whole?
    pub was_there: bool,
    /// Objects that are not what the manifest says, and were copied as they are.
    pub unlike: u64,
    /// Objects in the store's folder that are not of the store, and were left out.
    pub left_out: u64,
}

/// Says what would be copied, and where to.
///
/// # Errors
/// On every rank the same: if there is nothing, or the copies cannot be there.
pub fn foretell(session: &Session, request: &Copy) -> Result<CopyReport, Error> {
    session.on_lead(async || {
        let bucket = &session.bucket;
        let mut report = CopyReport::default();
        for store in sources(bucket, &ways(bucket, request).await?, request).await? {
            let was_there = store.is_at_its_place(bucket).await?;
            report.stores.push(store.report(was_there));
        }
        Ok(report)
    })
}

/// Copies stores.
///
/// # Errors
/// On every rank the same: if a copy cannot be there, or is not like what it was made of; then none is there.
pub fn copy(session: &Session, request: &Copy) -> Result<CopyReport, Error> {
    let lead = match session.role() {
        Role::Lead(lead) => lead,
        Role::Follower(follower) => {
            let followed = follow(session, follower);
            session.interrupt.guard(false);
            return followed;
        }
    };
    let copying = Copying {
        session,
        request,
        lead,
    };
    let copied = copying.run();
    let copied = lead.go_on(copied)?;
    lead.tell(&None::<CopyBatch>)?;
    lead.share(Ok(copied))
}

/// The others' part.
fn follow(session: &Session<'_>, follower: Follower<'_>) -> Result<CopyReport, Error> {
    while let Some(batch) = follower.hear::<Option<CopyBatch>>()? {
        // Once something is copied, it ends as it should.
        session.interrupt.guard(true);
        follower.give(&batch.copy_share(session))?;
    }
    follower.hear()
}

/// The ways of the stores that are meant.
async fn ways(bucket: &Bucket, request: &Copy) -> Result<Vec<Passage>, Error> {
    let Copy {
        spot,
        variables,
        to,
        ..
    } = request;
    bucket.reach(spot.key()).await?;
    passages(bucket, spot, variables, to).await
}

/// The stores that take these ways, as they are now.
async fn sources(
    bucket: &Bucket,
    ways: &[Passage],
    request: &Copy,
) -> Result<Vec<SourceStore>, Error> {
    let (mut stores, mut problems) = (Vec::new(), Vec::<Error>::new());
    for way in ways {
        // Of one that a dead job has deleted, or moved, a lease may be left.
        if !is_taken(bucket, &way.from).await? {
            continue;
        }
        let looked = async {
            let store = SourceStore::of(bucket, way.clone()).await?;
            if request.moves {
                store.can_go(bucket).await?;
            }
            Ok::<_, Error>(store)
        };
        let all = request.variables.is_empty() && matches!(request.spot, Spot::Below(_));
        match looked.await {
            Ok(store) => stores.push(store),
            // A ledger alone is no store that anybody has named.
            Err(Error::Copy(CopyError::NoRoot { .. })) if all => {}
            Err(problem) => problems.push(problem),
        }
    }
    Error::together(problems)?;
    Ok(stores)
}

/// A copy under way, as the lead sees it.
struct Copying<'a> {
    session: &'a Session<'a>,
    request: &'a Copy,
    lead: Lead<'a>,
}

impl Copying<'_> {
    fn run(&self) -> Result<CopyReport, Error> {
        let Self {
            session, request, ..
        } = self;
        let runtime = &session.runtime;
        let command = if request.moves { "move" } else { "copy" };
        let mut ways = runtime.block_on(ways(&session.bucket, request))?;
        let both = ways.iter().flat_map(|way| [&way.from, &way.to]);
        let stores: Vec<String> = both.cloned().collect();
        let hold = Hold::take(session, &request.leasing, &stores, command);
        let mut hold = runtime.block_on(hold)?;
        let done = runtime.block_on(hold.left.heal(session));
        // What a dead job had moved already is not there any more.
        ways.retain(|way| !hold.left.is_gone(&way.from));
        runtime.block_on(hold.wait_for_reads());
        session.interrupt.guard(true);
        let done = done.and_then(|()| self.copy_held(&ways, &hold));
        session.interrupt.guard(false);
        let done = done.map_err(|failure| hold.verdict(failure));
        runtime.block_on(hold.release(session));
        done
    }

    /// Copies all of it while no other job writes there.
    fn copy_held(&self, ways: &[Passage], hold: &Hold) -> Result<CopyReport, Error> {
        let (bucket, runtime) = (&self.session.bucket, &self.session.runtime);
        let sources = runtime.block_on(sources(bucket, ways, self.request))?;
        let (mut fresh, mut there, mut problems) = (Vec::new(), Vec::new(), Vec::new());
        for store in sources {
            match runtime.block_on(store.is_at_its_place(bucket)) {
                Ok(true) => there.push(store),
                Ok(false) => fresh.push(store),
                Err(problem) => problems.push(problem),
            }
        }
        Error::together(problems)?;
        let bytes = fresh.iter().chain(&there).map(|store| store.tally.bytes);
        let work = self.session.work(bytes.sum());
        let mut done = Tally::default();
        let mut report = CopyReport::default();
        for store in &there {
            let compared = self.objects(store, true, &work, &mut done);
            report
                .stores
                .push(compared.map_err(|failure| store.taken_by(failure))?);
        }
        let targets: Vec<String> = fresh.iter().map(|store| store.passage.to.clone()).collect();
        let begun = runtime.block_on(Deletion::begin(bucket, &targets, &hold.holder));
        let begun = begun.map_err(|NotBegun { cause, .. }| cause)?;
        match self.fresh(&fresh, hold, &work, &mut done) {
            Ok(copied) => report.stores.extend(copied),
            Err(cause) if hold.leases.lost().is_some() => return Err(cause),
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
            runtime.block_on(self.remove_sources(stores, hold))?;
        }
        Ok(report)
    }

    /// Copies stores of which there is nothing at their places, root documents last.
    fn fresh(
        &self,
        stores: &[SourceStore],
        hold: &Hold,
        work: &WorkSpan<'_>,
        done: &mut Tally,
    ) -> Result<Vec<CopiedStore>, Error> {
        let mut report = Vec::new();
        for store in stores {
            report.push(self.objects(store, false, work, done)?);
        }
        let (bucket, runtime) = (&self.session.bucket, &self.session.runtime);
        runtime.block_on(hold.leases.check())?;
        for store in stores {
            if !runtime.block_on(store.is_unchanged(bucket))? {
                let store = store.passage.from.clone();
                return Err(CopyError::Changed { store }.into());
            }
            runtime.block_on(store.copy_roots(bucket))?;
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
        let (bucket, runtime) = (&self.session.bucket, &self.session.runtime);
        let recorded = runtime.block_on(store.recorded(bucket))?;
        let turn = (TURN * self.session.ranks.size()).min(WHOLE_TURN);
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
            let mine = batch.copy_share(self.session);
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
        hold: &Hold,
    ) -> Result<(), Error> {
        let bucket = &self.session.bucket;
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
        hold.leases.check().await.map_err(|error| match error {
            LeaseError::Store(cause) => CopyError::StillThere { cause }.into(),
            lost => Error::from(lost),
        })?;
        let deletion = Deletion::begin(bucket, &sources, &hold.holder).await;
        let deletion =
            deletion.map_err(|NotBegun { cause, .. }| CopyError::StillThere { cause })?;
        Ok(deletion.finish().await.map_err(CopyError::NotAllGone)?)
    }
}

/// Is there anything at `store`, or in its ledger, but for what keeps other jobs away, or does not count?
pub(in crate::verbs) async fn is_taken(bucket: &Bucket, store: &str) -> Result<bool, StoreError> {
    let marks = bucket.list(&layout::journals(store)).await?;
    if marks.iter().any(|key| layout::is_in_use(store, key)) {
        // Whoever comes next removes it.
        return Ok(false);
    }
    if bucket.entries(store).try_next().await?.is_some() {
        return Ok(true);
    }
    let ledger = layout::ledger(store);
    let mut left = bucket.entries(&ledger);
    while let Some(entry) = left.try_next().await? {
        if !layout::is_in_use(store, &entry.key) {
            return Ok(true);
        }
    }
    Ok(false)
}
