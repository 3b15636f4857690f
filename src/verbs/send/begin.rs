//! Rank 0: beginning a transaction, or going on with one that a dead job left open.
//!
//! Key type: [`TransactionStart`].

use futures::{StreamExt, TryStreamExt, stream};
use msm_zarr::layout;

use crate::commit::{
    Abort, OpenTransaction, PlannedTransaction, TransactionTerms, UnfinishedTransaction,
    read_progress,
};
use crate::error::Error;
use crate::events::{Event, HeldSteps};
use crate::session::Session;
use crate::store::{REQUESTS, StoreError};
use crate::transfer::{Content, Orders, WriteConditions};
use crate::verbs::send::sample::RecordedObjects;
use crate::verbs::send::turns::TransactionWork;
use crate::verbs::shared::ending::put_back;
use crate::verbs::shared::error::{TransactionStep, WritingError};
use crate::verbs::shared::hold::Hold;
use crate::verbs::shared::recorded::moved_records;

/// What the ledgers say of the command that a transaction is of.
#[derive(Clone, Copy)]
pub(in crate::verbs) struct CommandTerms<'a> {
    /// Its name.
    pub command: &'a str,
    /// Of how many transactions what they replaced is kept.
    pub keep_undo: usize,
}

/// A transaction, and what to tell the ranks of it.
pub(in crate::verbs) struct TransactionStart<'a> {
    pub orders: Orders,
    pub transaction: OpenTransaction<'a>,
    /// What its stores hold when it is committed, if they have steps.
    pub holds: Vec<(String, HeldSteps)>,
}

impl<'a> TransactionStart<'a> {
    /// Begins the transaction that `work` plans.
    ///
    /// # Errors
    /// If what is there before cannot be read, or the journals cannot be written; nothing has changed then, or what could not be
    /// put back is told.
    pub(in crate::verbs) async fn new(
        session: &'a Session<'_>,
        work: TransactionWork,
        terms: CommandTerms<'_>,
        hold: &Hold,
    ) -> Result<Self, Error> {
        let bucket = &session.bucket;
        let TransactionWork {
            plan,
            remains,
            digest,
            resumed,
            parts,
            holds,
            ..
        } = work;
        let opening = TransactionTerms {
            command: terms.command,
            holder: &hold.holder,
            run: &hold.run,
            guarantees: &hold.guarantees,
            digest: &digest,
            keep_undo: terms.keep_undo,
            of_parts: parts.is_some(),
        };
        let planned = PlannedTransaction::writing(bucket, &plan, &opening, &resumed).await?;
        let mut orders = Orders::new(plan, planned.ids());
        orders.conditions = WriteConditions::from(&hold.guarantees);
        orders.source_records = moved_records(bucket, &orders.plan).await?;
        orders.done = parts.unwrap_or_default();
        let aborted = match planned.open().await {
            Ok(transaction) => {
                let mut begun = Self {
                    orders,
                    transaction,
                    holds,
                };
                match begun.make_ready(session, &remains, &resumed).await {
                    Ok(()) => return Ok(begun),
                    Err(error) => Abort {
                        error: error.into(),
                        transaction: begun.transaction.into(),
                    },
                }
            }
            Err(aborted) => *aborted,
        };
        let Abort { error, transaction } = aborted;
        let failure = WritingError::Transaction {
            step: TransactionStep::Opening,
            cause: error,
        };
        Err(put_back(session, transaction, &hold.leases, failure.into()).await)
    }

    /// Removes what a dead create left, and finds out what is there already of what is resumed.
    async fn make_ready(
        &mut self,
        session: &Session<'_>,
        remains: &[String],
        resumed: &[Option<UnfinishedTransaction>],
    ) -> Result<(), StoreError> {
        let bucket = &session.bucket;
        let stores = self.orders.plan.stores.iter();
        session.tell(&Event::TransactionBegun {
            stores: stores.map(|store| store.key.clone()).collect(),
        });
        let strays = self.transaction.strays(remains, resumed)?;
        let deletes = stream::iter(&strays).map(|key| bucket.delete(key));
        deletes
            .buffer_unordered(REQUESTS)
            .try_collect::<()>()
            .await?;
        if resumed.iter().any(Option::is_some) {
            self.orders.resumed = true;
            self.resume(session, resumed).await?;
        }
        Ok(())
    }

    /// Finds out what is there already.
    async fn resume(
        &mut self,
        session: &Session<'_>,
        resumed: &[Option<UnfinishedTransaction>],
    ) -> Result<(), StoreError> {
        let bucket = &session.bucket;
        let Orders {
            plan,
            ids,
            done,
            saved,
            ..
        } = &mut self.orders;
        for (store, resumed) in resumed.iter().enumerate() {
            if let Some(resumed) = resumed {
                let (records, copies) = read_progress(bucket, plan, store, &resumed.id).await?;
                done.extend(records);
                saved.extend(copies);
            }
        }
        let objects = RecordedObjects::of(plan)?;
        for record in done.iter_mut() {
            let store = &plan.stores[record.store].key;
            let copy = layout::undo_copy(store, &ids[record.store], &objects.key(record));
            record.replaced = saved.get(&copy).copied().unwrap_or(0);
        }
        let (read_again, sound) = objects.look_again(bucket, done).await;
        let stored = done
            .iter()
            .filter(|r| matches!(r.content, Content::Stored { .. }));
        session.tell(&Event::Resumed {
            objects: done.len(),
            with_data: stored.count(),
            read_again,
            sound,
        });
        if !sound {
            done.clear();
        }
        Ok(())
    }
}
