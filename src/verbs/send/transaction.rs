//! The lead's part in a transaction: commit it, or roll it back.
//!
//! Key type: [`LedTransaction`].

use std::sync::Arc;

use futures::join;
use msm_plan::Phase;

use super::error::SendError;
use super::gather::{Gathered, gather};
use super::worker::Worker;
use crate::commit::{CleanupError, LeaseError, Leases, Manifest, OpenTransaction, ToldManifest};
use crate::error::Error;
use crate::events::{Event, WorkKind, WorkPhase};
use crate::ranks::Lead;
use crate::transfer::{ChunkRecords, Engine, Orders};
use crate::verbs::shared::ending::{committing, put_back};
use crate::verbs::shared::hold::Hold;
use crate::verbs::shared::phase_watch::PhaseWatch;

/// What a transaction is led with.
pub(in crate::verbs) struct LedTransaction<'a, 'b> {
    pub lead: Lead<'a>,
    /// What is led.
    pub transaction: OpenTransaction<'b>,
    /// The stores' leases.
    pub hold: &'a Hold,
    /// What is left to do in the ledger once it is committed, if anything is.
    pub untidy: &'a mut Option<CleanupError>,
    /// May it be committed, now that all has been read?
    pub last_look: &'a dyn Fn() -> Result<(), Error>,
}

/// All data of a transaction, put by all ranks.
struct PutData {
    manifest: Manifest,
    /// This rank's part of it in the ledger.
    told: ToldManifest,
    /// Did the leases hold then?
    checked: Result<(), LeaseError>,
}

impl LedTransaction<'_, '_> {
    /// All ranks do what the `orders` say, and it is committed.
    ///
    /// # Errors
    /// On every rank the same, when all is as it was before; or with what could not be put back.
    pub(in crate::verbs) fn run(
        self,
        worker: &Worker<'_>,
        orders: &Orders,
    ) -> Result<Manifest, Error> {
        let lead = self.lead;
        let manifest = worker.engine(orders).and_then(|engine| {
            let records = worker.transfer(&engine, orders, Some(&self.hold.leases));
            let all = [Phase::Transfer, Phase::Commit];
            let gathered = gather(lead, &orders.plan, &all, records)?;
            worker.manifest(&engine, orders, gathered, &self.hold.leases)
        });
        let manifest = manifest.and_then(|manifest| (self.last_look)().map(|()| manifest));
        lead.conclude(match manifest {
            Ok(put) => self.commit(worker, orders, put),
            Err(failure) => Err(self.end_badly(worker, orders, failure)),
        })
    }

    /// Commits the transaction, all of whose data has been put.
    fn commit(self, worker: &Worker<'_>, orders: &Orders, put: PutData) -> Result<Manifest, Error> {
        let PutData {
            manifest,
            told,
            checked,
        } = put;
        let (plan, session) = (&orders.plan, worker.session);
        let leases = &self.hold.leases;
        let recorded = self.transaction.record(plan, &manifest);
        let _committing = session.work_unmeasured(WorkKind::Committing);
        session.runtime.block_on(async {
            let committed = match recorded.commit(&told, checked, leases, worker.verify).await {
                Ok(committed) => committed,
                Err(abort) => {
                    let failure = committing(abort.error);
                    return Err(put_back(session, abort.transaction, leases, failure).await);
                }
            };
            let finished = committed.finish().await;
            let stores = plan.stores.iter();
            session.tell(&Event::Committed {
                stores: stores.map(|store| store.key.clone()).collect(),
                digest: manifest.digest(plan),
            });
            if let Err(error) = finished {
                for problem in error.lines() {
                    session.tell(&Event::Untidy { problem });
                }
                *self.untidy = Some(error);
            }
            Ok(manifest)
        })
    }

    /// Puts back what was touched, unless the transaction stays open to be resumed. Returns `failure` with how that went.
    fn end_badly(self, worker: &Worker<'_>, orders: &Orders, failure: Error) -> Error {
        let leases = &self.hold.leases;
        let is_stopped = failure == Error::Send(SendError::Stopped);
        let can_go_on = worker.resume && !orders.plan.moves_steps();
        if is_stopped && can_go_on && leases.lost().is_none() {
            return SendError::LeftOpen.into();
        }
        let put_back = put_back(worker.session, self.transaction.into(), leases, failure);
        worker.session.runtime.block_on(put_back)
    }
}

impl Worker<'_> {
    /// Checks that there is a record of every object in what was `gathered`; this rank's go into the ledger; and writes the small arrays, if
    /// they are not among them. The leases are checked meanwhile.
    fn manifest(
        &self,
        engine: &Arc<Engine>,
        orders: &Orders,
        gathered: Gathered<'_>,
        leases: &Leases,
    ) -> Result<PutData, Error> {
        let Gathered { draft, mut own } = gathered;
        if !orders.small_with_data() {
            own.extend(self.small(engine)?);
        }
        let _committing = self.session.work_unmeasured(WorkKind::Committing);
        let (kept, checked) = self
            .session
            .runtime
            .block_on(async { join!(self.tell_records(orders, &own), leases.check()) });
        Ok(PutData {
            told: kept?,
            manifest: Gathered { draft, own }.complete()?,
            checked,
        })
    }

    /// Writes the small arrays, now that all else is there.
    fn small(&self, engine: &Arc<Engine>) -> Result<ChunkRecords, Error> {
        let watch = PhaseWatch::start(WorkPhase::Small);
        let _committing = self.session.work_unmeasured(WorkKind::Committing);
        let small = Arc::clone(engine).run(&[Phase::Commit]);
        let small = self.session.runtime.block_on(small);
        watch.stop(self.session, engine.clock());
        small.map_err(|error| self.session.ranks.here(error.into()))
    }
}
