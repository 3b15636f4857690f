//! What every rank does of a send: weights and comparisons before the first transaction, and its units of each.
//!
//! Key types: [`Worker`]; [`Groundwork`], what it needs to know before.

use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use msm_plan::{Phase, Plan, Projection};
use msm_reproject::Weights;
use serde::{Deserialize, Serialize};

use super::error::SendError;
use super::files::{Files, MapsAsked};
use super::gather::give;
use super::journalist::Journalist;
use crate::commit::{Leases, ToldManifest, tell_manifest};
use crate::error::Error;
use crate::events::{LimitedTime, RanksAtWork, Stage, StageClock, WorkKind, WorkPhase};
use crate::ranks::{Follower, PhasePulse, Ranks};
use crate::session::Session;
use crate::store::StoreError;
use crate::transfer::{ChunkRecords, Engine, EngineMeans, Orders, TransferError, Verification};
use crate::verbs::quicklook::{SentFields, SentMaps, SentPictures};
use crate::verbs::reprojection::weights::weigh;
use crate::verbs::shared::phase_watch::PhaseWatch;

/// Longest time between two pulses.
const PULSE: Duration = Duration::from_millis(100);

/// What every rank is told before the first transaction.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Groundwork {
    /// How variables are reprojected.
    pub projections: Vec<Projection>,
    /// What is compared.
    pub comparison: Option<Plan>,
    /// Is it for a send, and not only to say what one would do?
    pub is_to_be_sent: bool,
}

/// This rank, ready for transactions.
pub(in crate::verbs) struct Worker<'a> {
    pub session: &'a Session<'a>,
    /// Of the plans' projections.
    pub weights: Arc<Vec<Weights>>,
    pub verify: Verification,
    /// Does a transaction that a signal stops stay open, to be resumed?
    pub resume: bool,
    /// Sees what is put, if maps are to be drawn of it.
    pub(super) maps: Option<SentFields>,
    limited: Mutex<LimitedTime>,
}

impl<'a> Worker<'a> {
    /// One that has these weights.
    pub(in crate::verbs) fn new(
        session: &'a Session<'a>,
        weights: impl Into<Arc<Vec<Weights>>>,
        verify: Verification,
        resume: bool,
    ) -> Self {
        Self {
            session,
            weights: weights.into(),
            verify,
            resume,
            maps: None,
            limited: Mutex::default(),
        }
    }

    /// Does the `groundwork`, on all ranks.
    ///
    /// # Errors
    /// On every rank the same: if there are no weights, or the first difference.
    pub(super) fn ready(
        groundwork: Groundwork,
        asked: &Files,
        session: &'a Session<'a>,
    ) -> Result<Self, Error> {
        let (watch, clock) = (PhaseWatch::start(WorkPhase::Weights), StageClock::default());
        let weighed = clock.time(Stage::Reproject, 0, || {
            weigh(
                &groundwork.projections,
                asked.weights.as_deref(),
                groundwork.is_to_be_sent,
                session,
            )
        });
        if !groundwork.projections.is_empty() {
            watch.stop(session, &clock);
        }
        let mut worker = Self::new(session, weighed?, asked.verify, asked.resume);
        let is_to_be_drawn = asked.maps != MapsAsked::None && groundwork.is_to_be_sent;
        if let Some(plan) = groundwork.comparison {
            worker.compare(&Orders::new(plan, Vec::new()))?;
        }
        worker.maps = is_to_be_drawn.then(SentFields::default);
        Ok(worker)
    }

    /// Compares this rank's share of what the `orders` say.
    ///
    /// # Errors
    /// On every rank the same, and on any number of them: the first difference in the order of stores and arrays.
    pub(in crate::verbs) fn compare(&self, orders: &Orders) -> Result<(), Error> {
        let _all = self.session.all_at_work();
        let engine = self.engine(orders)?;
        let found = match self.work(&engine, orders, &[Phase::Compare], None) {
            Ok(_) => Ok(None),
            // It is of the files, whichever rank found it.
            Err(Error::OnRank { cause, .. }) if difference(&cause).is_some() => Ok(Some(*cause)),
            Err(failure) => Err(failure),
        };
        self.session.ranks.join(found, |found| {
            let found = found.into_iter().flatten();
            found.min_by_key(difference).map_or(Ok(()), Err)
        })
    }

    /// Does this rank's share of the `orders`, which the lead commits or takes back.
    ///
    /// # Errors
    /// On every rank the same: what the lead says.
    pub(in crate::verbs) fn follow(
        &self,
        orders: &Orders,
        follower: Follower<'_>,
    ) -> Result<(), Error> {
        if let Ok(engine) = self.engine(orders) {
            let records = self.transfer(&engine, orders, None);
            let records = records.and_then(|records| self.keep(orders, records));
            let begun = Instant::now();
            // The lead knows, and says so.
            let _ = give(follower, records);
            let verdict = follower.verdict();
            self.session.waited(begun);
            return verdict;
        }
        follower.verdict()
    }

    /// This rank's part in what the `orders` say: with `small` arrays, those, too, which are rank 0's, if they need not wait.
    pub(super) fn transfer(
        &self,
        engine: &Arc<Engine>,
        orders: &Orders,
        leases: Option<&Leases>,
    ) -> Result<ChunkRecords, Error> {
        let _all = self.session.all_at_work();
        if orders.plan.moves_steps() {
            // From here on, what is overwritten is read from its copies, whichever rank made them.
            let kept = self.work(engine, orders, &[Phase::Keep], leases);
            self.session.ranks.settle(kept)?;
        }
        let phases: &[Phase] = if orders.small_with_data() {
            &[Phase::Transfer, Phase::Commit]
        } else {
            &[Phase::Transfer]
        };
        self.work(engine, orders, phases, leases)
    }

    /// What does this rank's units of the `orders`, on every rank.
    pub(super) fn engine(&self, orders: &Orders) -> Result<Arc<Engine>, Error> {
        let (session, weights) = (self.session, Arc::clone(&self.weights));
        let watch = self.maps.as_ref().map(|maps| maps.begin(session));
        let means = EngineMeans {
            watch: watch.transpose()?.flatten(),
            ..session.means()
        };
        let engine = Engine::new(orders, session.ranks.rank(), means, weights, self.verify);
        session.ranks.settle(engine.map_err(Error::from))
    }

    /// Maps of what was put, if there are to be some: of rank 0, which knows which. Every rank calls it.
    ///
    /// # Errors
    /// If ranks do not understand each other.
    pub(super) fn drawn(&self, pictures: SentPictures) -> Result<SentMaps, Error> {
        let drawn = self.maps.as_ref();
        let drawn = drawn.map(|maps| maps.drawn(pictures, self.session));
        Ok(drawn.transpose()?.unwrap_or_default())
    }

    /// Does this rank's units of these `phases`, while all ranks tell each other how far they are. When one fails, or is sent a
    /// signal, all stop.
    fn work(
        &self,
        engine: &Arc<Engine>,
        orders: &Orders,
        phases: &'static [Phase],
        leases: Option<&Leases>,
    ) -> Result<ChunkRecords, Error> {
        let phase = phases.first().copied().unwrap_or(Phase::Transfer);
        let mut watch = PhaseWatch::start(match phase {
            Phase::Compare => WorkPhase::Compare,
            Phase::Keep => WorkPhase::Keep,
            Phase::Transfer | Phase::Commit => WorkPhase::Transfer,
        });
        let progress = engine.progress();
        let (objects, bytes) = (progress.objects(), progress.bytes());
        let (work, fence) = (
            Arc::clone(engine).run(phases),
            self.session.bucket.fence().clone(),
        );
        let mut running = self.session.runtime.spawn(async move {
            if phase != Phase::Compare {
                // Without it, the first request says so.
                let _ = fence.opened().await;
            }
            work.await
        });
        let ranks = self.session.ranks;
        let (mut total, mut objects_total) = (0, 0);
        for &phase in phases {
            total += orders.plan.bytes(phase);
            objects_total += orders.plan.objects(phase);
        }
        let kind = kind_of(phase);
        let shown =
            (ranks.rank() == 0).then(|| self.session.work(kind, Some(objects_total), total));
        let mut journalist = Journalist::new(&self.session.runtime, &self.session.bucket, orders);
        let mut journal = Ok(());
        let mut nap = Duration::from_millis(1);
        let (mut ended, mut done_at) = (None, None);
        let all = loop {
            if leases.is_some_and(|leases| leases.lost().is_some()) {
                progress.fail();
            }
            if ended.is_none() && running.is_finished() {
                let joined = self.session.runtime.block_on(&mut running);
                // The other ranks need not end what they do.
                ended = Some(joined.unwrap_or_else(|panic| resume_unwind(panic.into_panic())));
                done_at = Some(Instant::now());
            }
            let all = self.session.ranks.agree(PhasePulse {
                finished: u64::from(ended.is_some()),
                objects: progress.objects() - objects,
                bytes: progress.bytes() - bytes,
                failed: u64::from(progress.has_failed()),
                interrupted: u64::from(self.session.interrupt.has_come()),
                in_flight: progress.in_flight(),
                unfinished: if ended.is_none() {
                    ranks.rank() as u64
                } else {
                    0
                },
                limited: u64::from(self.is_limited()),
            });
            if all.failed + all.interrupted > 0 {
                progress.stop();
            }
            if let Some(shown) = &shown {
                shown.show_ranks(all.bytes, all.objects, all.in_flight, at_work(&all, ranks));
            }
            if all.finished == self.session.ranks.size() as u64 {
                break all;
            }
            if journal.is_ok() {
                journal = journalist.tick(engine);
                if journal.is_err() {
                    progress.fail();
                }
            }
            watch.tell(self.session, engine.clock());
            std::thread::sleep(nap);
            nap = (nap * 2).min(PULSE);
        };
        if let Some(done_at) = done_at {
            engine.clock().add(Stage::Wait, done_at, 0);
        }
        watch.stop(self.session, engine.clock());
        let done = match ended {
            Some(Ok(records)) => Ok(records),
            // The rank that failed says why.
            Some(Err(TransferError::Stopped)) | None => Ok(ChunkRecords::default()),
            Some(Err(error)) => Err(self.session.ranks.here(error.into())),
        };
        if let Some(lost) = leases.and_then(Leases::lost) {
            return Err(lost.into());
        }
        let records = done?;
        // What is still on its way would come into a ledger that is tidy by then.
        let journal = journal.and_then(|()| journalist.wait());
        journal.map_err(|error| self.journal_failed(error))?;
        if all.interrupted > 0 {
            if self.resume && !orders.ids.is_empty() || orders.part.is_some() {
                let written = journalist.last_words(engine);
                written.map_err(|error| self.journal_failed(error))?;
            }
            return Err(SendError::Stopped.into());
        }
        Ok(records)
    }

    /// Does this rank wait most of the time for limits?
    fn is_limited(&self) -> bool {
        let kept_back = self.session.reporter.traffic().state().kept_back;
        // Nothing panics while the lock is held.
        let mut limited = self.limited.lock().unwrap_or_else(PoisonError::into_inner);
        limited.look(kept_back, Instant::now());
        limited.is_most()
    }

    /// Puts this rank's records into the manifests.
    pub(in crate::verbs) fn keep(
        &self,
        orders: &Orders,
        records: ChunkRecords,
    ) -> Result<ChunkRecords, Error> {
        let put = async {
            let told = self.tell_records(orders, &records).await?;
            let is_there = told.is_there(&self.session.bucket).await;
            is_there.map_err(|error| self.journal_failed(error))
        };
        self.session.runtime.block_on(put)?;
        Ok(records)
    }

    /// The same, but that they are not read back yet.
    pub(super) async fn tell_records(
        &self,
        orders: &Orders,
        records: &ChunkRecords,
    ) -> Result<ToldManifest, Error> {
        let part = format!("{:06}-data", self.session.ranks.rank());
        let told = tell_manifest(&self.session.bucket, orders, &part, records).await;
        told.map_err(|error| self.journal_failed(error))
    }

    fn journal_failed(&self, error: StoreError) -> Error {
        self.session.ranks.here(SendError::Ledger(error).into())
    }
}

/// The place of a difference among all that there may be; `None` if it is something else.
fn difference(failure: &Error) -> Option<[usize; 3]> {
    match failure {
        Error::Transfer(TransferError::Differs { order, .. }) => Some(*order),
        _ => None,
    }
}

/// What the units of `phase` are, to who is told.
fn kind_of(phase: Phase) -> WorkKind {
    match phase {
        Phase::Compare => WorkKind::Comparing,
        Phase::Keep => WorkKind::Keeping,
        Phase::Transfer => WorkKind::Sending,
        Phase::Commit => WorkKind::Committing,
    }
}

/// Which ranks are still at it, as the sum of their pulses tells.
fn at_work(all: &PhasePulse, ranks: &Ranks) -> RanksAtWork {
    let size = ranks.size() as u64;
    let is_one = size > 1 && all.finished + 1 == size;
    RanksAtWork {
        all: size,
        done: all.finished,
        last: is_one.then_some(all.unfinished),
        is_stopping: all.interrupted > 0,
        limited: all.limited,
    }
}
