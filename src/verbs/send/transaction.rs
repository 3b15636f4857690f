//! The lead's part in a transaction: commit it, or roll it back.
//!
//! Key type: [`LedTransaction`].

use std::sync::Arc;

use msm_plan::Phase;

use super::error::SendError;
use super::gather::gather;
use super::worker::{PhaseWatch, Worker};
use crate::commit::{CleanupError, Manifest, OpenTransaction};
use crate::error::Error;
use crate::events::{Event, WorkKind, WorkPhase};
use crate::ranks::Lead;
use crate::transfer::{Engine, Orders};
use crate::verbs::shared::ending::{committing, put_back};
use crate::verbs::shared::hold::Hold;

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
            let manifest = gather(lead, &orders.plan, records)?;
            worker.manifest(&engine, orders, manifest)
        });
        let manifest = manifest.and_then(|manifest| (self.last_look)().map(|()| manifest));
        lead.conclude(match manifest {
            Ok(manifest) => self.commit(worker, orders, manifest),
            Err(failure) => Err(self.end_badly(worker, orders, failure)),
        })
    }

    /// Commits the transaction, all of whose data has been put.
    fn commit(
        self,
        worker: &Worker<'_>,
        orders: &Orders,
        manifest: Manifest,
    ) -> Result<Manifest, Error> {
        let (plan, session) = (&orders.plan, worker.session);
        let leases = &self.hold.leases;
        let recorded = self.transaction.record(plan, &manifest);
        let _committing = session.work_unmeasured(WorkKind::Committing);
        session.runtime.block_on(async {
            let committed = match recorded.commit(leases, worker.verify).await {
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
    /// Writes the small arrays, and checks that there is a record of every object of theirs: then the `manifest` has all.
    fn manifest(
        &self,
        engine: &Arc<Engine>,
        orders: &Orders,
        manifest: Manifest,
    ) -> Result<Manifest, Error> {
        let plan = &orders.plan;
        let watch = PhaseWatch::start(WorkPhase::Small);
        let _committing = self.session.work_unmeasured(WorkKind::Committing);
        let small = self
            .session
            .runtime
            .block_on(Arc::clone(engine).run(Phase::Commit));
        watch.stop(self.session, engine.clock());
        let small = small.map_err(|error| self.session.ranks.here(error.into()))?;
        let small = self.keep(orders, "small", small)?;
        Ok(manifest.and(Manifest::check(plan, Phase::Commit, small)?))
    }
}
