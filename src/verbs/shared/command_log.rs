//! What the ledgers tell of commands: the committed transactions of stores, joined to what persons did.
//!
//! Key types: [`CommandLog`], of several stores; [`LoggedTransaction`], one transaction of one of them.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use msm_zarr::{Group, ZarrError, layout};

use crate::commit::{
    CommandRun, CommittedTransactions, JournalEntry, LastTransaction, SharedArchive, unmoved,
};
use crate::error::Error;
use crate::store::{Bucket, REQUESTS, StoreError};
use crate::verbs::rollback::RollbackError;

/// The committed transactions of stores, in order.
pub(in crate::verbs) struct CommandLog(Vec<StoreLog>);

struct StoreLog {
    group: Group,
    transactions: Vec<LoggedTransaction>,
    /// What cannot be read of its ledger, by the keys, with the cause: there, others may be told of.
    damaged: Vec<(String, String)>,
}

/// A committed transaction of a store.
#[derive(Clone)]
pub(in crate::verbs) struct LoggedTransaction {
    /// Where it was.
    pub group: Group,
    /// Its id.
    pub id: String,
    /// The id of its command.
    pub command_id: String,
    /// When that began; of older ledgers, when the transaction was committed.
    pub begun: String,
    /// What the ledger says of it, if that can be read.
    pub record: Option<LastTransaction>,
    /// Can it be undone, when all that came after have been?
    pub can_be_undone: bool,
}

impl CommandLog {
    /// That of the stores of `groups`.
    ///
    /// # Errors
    /// As the server says.
    pub(in crate::verbs) async fn of(bucket: &Bucket, groups: &[Group]) -> Result<Self, Error> {
        let logs = stream::iter(groups).map(|group| StoreLog::of(bucket, group));
        Ok(Self(logs.buffered(REQUESTS).try_collect().await?))
    }

    /// Checks that nothing is missing in it.
    ///
    /// # Errors
    /// If a part of a ledger cannot be read that tells of several transactions.
    pub(in crate::verbs) fn check(&self) -> Result<(), StoreError> {
        let mut damaged = self.0.iter().flat_map(|log| &log.damaged);
        damaged.next().map_or(Ok(()), |(key, cause)| {
            let (key, cause) = (key.clone(), cause.clone());
            Err(ZarrError::Damaged { key, cause }.into())
        })
    }

    /// Those of its stores that have no transaction.
    pub(in crate::verbs) fn empty(&self) -> impl Iterator<Item = &Group> {
        let empty = self.0.iter().filter(|log| log.transactions.is_empty());
        empty.map(|log| &log.group)
    }

    /// Takes the last command off: its transactions in all stores, those of a store the last first; none if there is none left. Of those
    /// that nothing follows in any store, it is the one that began last, by the clocks of their machines.
    ///
    /// # Errors
    /// If each is followed by another one: then the ledgers are not those of commands that ran one after the other.
    pub(in crate::verbs) fn pop(&mut self) -> Result<Vec<LoggedTransaction>, RollbackError> {
        let is_last = |command: &str| {
            self.0.iter().all(|log| {
                let of_it = |one: &&LoggedTransaction| one.command_id == command;
                let behind = log.transactions.iter().rev().skip_while(of_it);
                !behind.into_iter().any(|one| one.command_id == command)
            })
        };
        let heads = self.0.iter().filter_map(|log| log.transactions.last());
        let free = heads.clone().filter(|head| is_last(&head.command_id));
        let last = free.max_by_key(|head| (&head.begun, &head.command_id));
        let Some(last) = last.map(|last| last.command_id.clone()) else {
            return match heads.clone().next() {
                None => Ok(Vec::new()),
                Some(LoggedTransaction { group, id, .. }) => Err(RollbackError::NoOrder {
                    store: group.store.clone(),
                    id: id.clone(),
                }),
            };
        };
        let mut popped = Vec::new();
        for log in &mut self.0 {
            while log
                .transactions
                .last()
                .is_some_and(|one| one.command_id == last)
            {
                popped.extend(log.transactions.pop());
            }
        }
        Ok(popped)
    }
}

impl StoreLog {
    async fn of(bucket: &Bucket, group: &Group) -> Result<Self, StoreError> {
        unmoved(async || Self::read(bucket, group).await).await
    }

    async fn read(bucket: &Bucket, group: &Group) -> Result<Self, StoreError> {
        let store = &group.store;
        // While an archive is being sent into it in parts, each growth counts for itself.
        let is_shared = match SharedArchive::of_store(bucket, store).await {
            Ok(archive) => archive.is_some(),
            Err(StoreError::Share { .. }) => true,
            Err(error) => return Err(error),
        };
        let mut committed = CommittedTransactions::of(bucket, store).await?;
        let undoable: BTreeSet<String> = committed.undoable().cloned().collect();
        let damaged = std::mem::take(&mut committed.damaged);
        let CommittedTransactions {
            ids, mut merged, ..
        } = committed;
        let found = ids.into_iter().map(|id| {
            let merged = merged.remove(&id);
            (id, merged)
        });
        let reads = found.map(|(id, merged)| {
            let can_be_undone = undoable.contains(&id);
            async move {
                let mut one = read(bucket, group, id, merged, is_shared).await?;
                one.can_be_undone = can_be_undone;
                Ok::<_, StoreError>(one)
            }
        });
        let transactions = stream::iter(reads).buffered(REQUESTS).try_collect();
        Ok(Self {
            group: group.clone(),
            transactions: transactions.await?,
            damaged,
        })
    }
}

/// The transaction `id`, whose record is `merged`, with when it was put, or an object of its own.
async fn read(
    bucket: &Bucket,
    group: &Group,
    id: String,
    merged: Option<(String, String)>,
    is_shared: bool,
) -> Result<LoggedTransaction, StoreError> {
    let (record, put) = match merged {
        Some((record, put)) => (serde_json::from_str(&record).ok(), put),
        None => read_record(bucket, group, &id).await?,
    };
    let run = match &record {
        Some(LastTransaction { run, .. }) => run.clone(),
        // What is kept to undo it says of which command it was; if that cannot be read either, it is one of its own.
        None => match JournalEntry::kept(bucket, &group.store, &id).await {
            Ok(entry) => entry.run,
            Err(StoreError::Journal { .. }) => None,
            Err(error) if error.is_missing() => None,
            Err(error) => return Err(error),
        },
    };
    let command_id = match &run {
        Some(CommandRun { id, .. }) if !is_shared => id.clone(),
        _ => token(&id).to_owned(),
    };
    Ok(LoggedTransaction {
        group: group.clone(),
        command_id,
        begun: run.map_or(put, |run| run.begun),
        record,
        id,
        can_be_undone: false,
    })
}

/// The record of the transaction `id`, if it can be read, and when it was put.
async fn read_record(
    bucket: &Bucket,
    group: &Group,
    id: &str,
) -> Result<(Option<LastTransaction>, String), StoreError> {
    let key = layout::transaction(&group.store, id);
    let (record, put) = bucket.get_dated(&key).await?;
    let mut record: Option<LastTransaction> = serde_json::from_slice(&record).ok();
    if record.is_none() {
        // The answer may have been damaged.
        record = serde_json::from_slice(&bucket.get(&key).await?).ok();
    }
    Ok((record, put))
}

/// What of the id of a transaction is not its number.
fn token(id: &str) -> &str {
    id.split_once('-').map_or(id, |(_, token)| token)
}
