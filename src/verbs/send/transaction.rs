//! One transaction on all ranks: write, commit or roll back. Before the first, the comparison.

use std::sync::Arc;
use std::time::Duration;

use crate::commit::{Leases, Manifest, OpenTransaction, put_manifest};
use crate::events::Event;
use crate::exit::{Exit, Failure};
use crate::plan::{Phase, Plan};
use crate::ranks::Pulse;
use crate::reproject::Weights;
use crate::session::Session;
use crate::store::StoreError;
use crate::transfer::{ChunkRecord, Engine, Orders, TransferError, Verify};
use crate::verbs::send::journalist::Journalist;
use crate::verbs::shared::ending::{committing, put_back};
use crate::verbs::shared::hold::Hold;
use crate::verbs::shared::settle::settle;
use crate::verbs::shared::signals::Signals;

/// Longest time between two pulses.
const PULSE: Duration = Duration::from_millis(100);

/// What this rank does transactions with.
pub(in crate::verbs) struct Job<'a> {
    pub session: &'a Session<'a>,
    pub signals: &'a Signals,
    /// Of the plans' projections.
    pub weights: Arc<Vec<Weights>>,
    pub verify: Verify,
    /// Does a transaction that a signal stops stay open, to be resumed?
    pub resume: bool,
}

/// What rank 0 leads a transaction with.
pub(in crate::verbs) struct Lead<'a, 'b> {
    /// What is led.
    pub transaction: OpenTransaction<'b>,
    /// The stores' leases.
    pub hold: &'a Hold,
    /// Could something not be done after it was committed?
    pub untidy: &'a mut bool,
}

impl Job<'_> {
    /// Compares what the plan, which is of comparisons only, says.
    ///
    /// # Errors
    /// On every rank the same: the first difference.
    pub(in crate::verbs) fn compare(&self, plan: Plan) -> Result<(), Failure> {
        let orders = Orders::new(plan, Vec::new());
        let engine = self.engine(&orders)?;
        let compared = self.work(&engine, &orders, Phase::Compare, None);
        settle(self.session.ranks, &compared).map(|_| ())
    }

    /// Does what the `orders` say. Rank 0 has the `lead`, and gets the manifest.
    ///
    /// # Errors
    /// On every rank the same, when all is as it was before; or with what could not be put back.
    pub(in crate::verbs) fn run(
        &self,
        orders: &Orders,
        lead: Option<Lead<'_, '_>>,
    ) -> Result<Option<Manifest>, Failure> {
        let leases = lead.as_ref().map(|lead| &lead.hold.leases);
        let worked = self.engine(orders).and_then(|engine| {
            let records = self.work(&engine, orders, Phase::Transfer, leases);
            let records = records.and_then(|records| self.keep(orders, "data", records));
            Ok((engine, settle(self.session.ranks, &records)?))
        });
        let committed = match lead {
            Some(lead) => match worked {
                Ok((engine, records)) => {
                    let records = records.into_iter().flatten().collect();
                    self.commit(&engine, orders, records, lead).map(Some)
                }
                Err(failure) => Err(self.end_badly(lead.transaction, lead.hold, failure)),
            },
            None => worked.map(|_| None),
        };
        // What rank 0 says goes; the others' word was in the records.
        let verdict = committed.as_ref().map(|_| ()).map_err(Clone::clone);
        self.session.ranks.broadcast(&verdict)??;
        committed
    }

    fn engine(&self, orders: &Orders) -> Result<Arc<Engine>, Failure> {
        let (means, weights) = (self.session.means(), Arc::clone(&self.weights));
        let engine = Engine::new(
            orders,
            self.session.ranks.rank(),
            means,
            weights,
            self.verify,
        );
        let engine = engine.map_err(Failure::from);
        settle(
            self.session.ranks,
            &engine.as_ref().map(|_| ()).map_err(Clone::clone),
        )?;
        engine
    }

    /// Does this rank's units of `phase`, while all ranks tell each other how far they are. When one fails, or is sent a
    /// signal, all stop.
    fn work(
        &self,
        engine: &Arc<Engine>,
        orders: &Orders,
        phase: Phase,
        leases: Option<&Leases>,
    ) -> Result<Vec<ChunkRecord>, Failure> {
        let progress = engine.progress();
        let (objects, bytes) = (progress.objects(), progress.bytes());
        let (work, fence) = (
            Arc::clone(engine).run(phase),
            self.session.bucket.fence().clone(),
        );
        let running = self.session.runtime.spawn(async move {
            if phase != Phase::Compare {
                // Without it, the first request says so.
                let _ = fence.opened().await;
            }
            work.await
        });
        let total = orders.plan.bytes(phase);
        let shown = self.session.leads().then(|| self.session.work(total));
        let mut journalist = Journalist::new(&self.session.runtime, &self.session.bucket, orders);
        let mut journal = Ok(());
        let mut nap = Duration::from_millis(1);
        let all = loop {
            if leases.is_some_and(|leases| leases.lost().is_some()) {
                progress.fail();
            }
            let all = self.session.ranks.agree(Pulse {
                finished: u64::from(running.is_finished()),
                objects: progress.objects() - objects,
                bytes: progress.bytes() - bytes,
                failed: u64::from(progress.has_failed()),
                interrupted: u64::from(self.signals.has_come()),
            });
            if all.failed + all.interrupted > 0 {
                progress.stop();
            }
            if let Some(shown) = &shown {
                shown.show(all.bytes, all.objects);
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
            std::thread::sleep(nap);
            nap = (nap * 2).min(PULSE);
        };
        let done = match self.session.runtime.block_on(running) {
            Ok(Ok(records)) => Ok(records),
            // The rank that failed says why.
            Ok(Err(TransferError::Stopped)) => Ok(Vec::new()),
            Ok(Err(error)) => Err(self.on_this_rank(error.into())),
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        };
        if let Some(lost) = leases.and_then(Leases::lost) {
            return Err(lost.into());
        }
        let records = done?;
        // What is still on its way would come into a ledger that is tidy by then.
        let journal = journal.and_then(|()| journalist.wait());
        journal.map_err(|error| self.journal_failed(&error))?;
        if all.interrupted > 0 {
            if self.resume && !orders.ids.is_empty() {
                let written = journalist.last_words(engine);
                written.map_err(|error| self.journal_failed(&error))?;
            }
            return Err(Failure::new(Exit::Interrupted, "stopped by a signal"));
        }
        Ok(records)
    }

    /// Puts this rank's records into the manifests.
    fn keep(
        &self,
        orders: &Orders,
        part: &str,
        records: Vec<ChunkRecord>,
    ) -> Result<Vec<ChunkRecord>, Failure> {
        let Orders { plan, ids, .. } = orders;
        let part = format!("{:06}-{part}", self.session.ranks.rank());
        let put = put_manifest(&self.session.bucket, plan, ids, &part, &records);
        let put = self.session.runtime.block_on(put);
        put.map_err(|error| self.journal_failed(&error))?;
        Ok(records)
    }

    /// Rank 0: commits the transaction, all of whose data has been put.
    fn commit(
        &self,
        engine: &Arc<Engine>,
        orders: &Orders,
        records: Vec<ChunkRecord>,
        lead: Lead<'_, '_>,
    ) -> Result<Manifest, Failure> {
        let Lead {
            transaction,
            hold,
            untidy,
        } = lead;
        let manifest = match self.manifest(engine, orders, records) {
            Ok(manifest) => manifest,
            Err(failure) => return Err(self.end_badly(transaction, hold, failure)),
        };
        let (plan, session) = (&orders.plan, self.session);
        let recorded = transaction.record(plan, &manifest);
        session.runtime.block_on(async {
            let committed = match recorded.commit(&hold.leases, self.verify).await {
                Ok(committed) => committed,
                Err(abort) => {
                    let failure = committing(abort.error);
                    return Err(put_back(session, abort.transaction, &hold.leases, failure).await);
                }
            };
            let finished = committed.finish().await;
            let stores = plan.stores.iter();
            session.tell(&Event::Committed {
                stores: stores.map(|store| store.key.clone()).collect(),
            });
            if let Err(error) = finished {
                for problem in error.lines() {
                    session.tell(&Event::Untidy { problem });
                }
                *untidy = true;
            }
            Ok(manifest)
        })
    }

    /// Rank 0: writes the small arrays, and checks that there is a record of every object.
    fn manifest(
        &self,
        engine: &Arc<Engine>,
        orders: &Orders,
        records: Vec<ChunkRecord>,
    ) -> Result<Manifest, Failure> {
        let plan = &orders.plan;
        let manifest = Manifest::check(plan, Phase::Transfer, records)?;
        let small = self
            .session
            .runtime
            .block_on(Arc::clone(engine).run(Phase::Commit))
            .map_err(|error| self.on_this_rank(error.into()))?;
        let small = self.keep(orders, "small", small)?;
        Ok(manifest.and(Manifest::check(plan, Phase::Commit, small)?))
    }

    /// Rank 0: puts back what was touched, unless the transaction stays open to be resumed. Returns `failure` with how that went.
    fn end_badly(
        &self,
        transaction: OpenTransaction<'_>,
        hold: &Hold,
        failure: Failure,
    ) -> Failure {
        if failure.exit == Exit::Interrupted && self.resume && hold.leases.lost().is_none() {
            let left_open = "the journal stays open: the same command with --resume goes on";
            return Failure::new(failure.exit, format!("{failure}; {left_open}"));
        }
        let put_back = put_back(self.session, transaction.into(), &hold.leases, failure);
        self.session.runtime.block_on(put_back)
    }

    fn journal_failed(&self, error: &StoreError) -> Failure {
        let message = format!("writing the ledger: {error}");
        self.on_this_rank(Failure::new(Exit::TransferFailed, message))
    }

    fn on_this_rank(&self, Failure { exit, message }: Failure) -> Failure {
        Failure::new(
            exit,
            format!("rank {}: {message}", self.session.ranks.rank()),
        )
    }
}
