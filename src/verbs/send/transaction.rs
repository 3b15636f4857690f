//! The lead's part in a transaction: commit it, or roll it back.
//!
//! Key type: [`Leading`].

use std::sync::Arc;

use super::worker::Worker;
use crate::commit::{Manifest, Transaction};
use crate::events::Event;
use crate::exit::{Exit, Failure};
use crate::plan::Phase;
use crate::ranks::Lead;
use crate::store::StoreError;
use crate::transfer::{ChunkRecord, Engine, Orders};
use crate::verbs::shared::hold::Hold;

/// What a transaction is led with.
pub(super) struct Leading<'a, 'b> {
    pub lead: Lead<'a>,
    /// It is open.
    pub transaction: &'a mut Transaction<'b>,
    /// The stores' leases.
    pub hold: &'a Hold,
    /// Is nothing left to do in the ledger once it is committed?
    pub is_tidy: &'a mut bool,
}

impl Leading<'_, '_> {
    /// All ranks do what the `orders` say, and it is committed.
    ///
    /// # Errors
    /// On every rank the same, when all is as it was before; or with what could not be put back.
    pub fn run(&mut self, worker: &Worker<'_>, orders: &Orders) -> Result<Manifest, Failure> {
        let done = worker.engine(orders).and_then(|engine| {
            let records = worker.transfer(&engine, orders, Some(&self.hold.leases));
            let records = self.lead.settle(records)?.into_iter().flatten().collect();
            self.commit(worker, &engine, orders, records)
        });
        let done = done.map_err(|failure| worker.end_badly(self.transaction, self.hold, failure));
        self.lead.conclude(done)
    }

    /// Writes the small arrays, checks the manifest, puts the documents.
    fn commit(
        &mut self,
        worker: &Worker<'_>,
        engine: &Arc<Engine>,
        orders: &Orders,
        records: Vec<ChunkRecord>,
    ) -> Result<Manifest, Failure> {
        let Self {
            transaction, hold, ..
        } = self;
        let session = worker.session;
        let plan = &orders.plan;
        let manifest = Manifest::check(plan, Phase::Transfer, records)?;
        let small = session
            .runtime
            .block_on(Arc::clone(engine).run(Phase::Commit))
            .map_err(|error| session.ranks.here(error.into()))?;
        let small = worker.keep(orders, "small", small)?;
        let manifest = manifest.and(Manifest::check(plan, Phase::Commit, small)?);
        let failed =
            |error: StoreError| Failure::new(Exit::TransferFailed, format!("committing: {error}"));
        // A server that cannot say is no other job.
        let unsure = |mut failure: Failure| {
            if failure.exit != Exit::LeaseLost {
                failure.exit = Exit::TransferFailed;
                failure.message = format!("committing: {}", failure.message);
            }
            failure
        };
        session.runtime.block_on(async {
            hold.leases.check().await.map_err(unsure)?;
            transaction.prepare(plan, &manifest).await.map_err(failed)?;
            let documents = transaction.put_documents(worker.verify).await;
            documents.map_err(failed)?;
            // Whoever took the lease over has brought the transaction to its end, one way or the other.
            hold.leases.check().await.map_err(unsure)?;
            transaction.put_roots(worker.verify).await.map_err(failed)
        })?;
        let problems = session.runtime.block_on(transaction.finish());
        let stores = plan.stores.iter();
        session.tell(&Event::Committed {
            stores: stores.map(|store| store.key.clone()).collect(),
        });
        *self.is_tidy = problems.is_empty();
        for problem in problems {
            session.tell(&Event::Untidy { problem });
        }
        Ok(manifest)
    }
}

impl Worker<'_> {
    /// Puts back what was touched. Returns `failure` with how that went.
    pub(super) fn end_badly(
        &self,
        transaction: &Transaction<'_>,
        hold: &Hold,
        mut failure: Failure,
    ) -> Failure {
        if let Some(lost) = hold.leases.lost() {
            // Whoever has the lease now sees to what was left.
            return lost;
        }
        if failure.exit == Exit::LeaseLost {
            // A rank did not hear in time that it holds.
            failure.exit = Exit::TransferFailed;
        }
        if failure.exit == Exit::Interrupted && self.resume {
            failure.message += "; the journal stays open: the same command with --resume goes on";
            return failure;
        }
        let problems = self.session.runtime.block_on(transaction.back());
        if let Some(lost) = hold.leases.lost() {
            return lost;
        }
        if problems.is_empty() {
            self.session.tell(&Event::RolledBack);
            failure.message += "; rolled back, nothing has changed";
        } else {
            failure.exit = Exit::RollbackIncomplete;
            failure.message +=
                "; putting everything back failed as well; recover goes on with it:\n  ";
            failure.message += &problems.join("\n  ");
        }
        failure
    }
}
