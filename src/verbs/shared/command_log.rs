//! What the ledgers tell of commands: the committed transactions of stores, joined to what persons did.
//!
//! Key types: [`CommandLog`], of several stores; [`LoggedTransaction`], one transaction of one of them.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use msm_zarr::{Group, layout};

use crate::commit::{CommandRun, JournalEntry, LastTransaction, SharedArchive, is_id};
use crate::error::Error;
use crate::store::{Bucket, REQUESTS, StoreError};
use crate::verbs::rollback::RollbackError;

/// The committed transactions of stores, in order.
pub(in crate::verbs) struct CommandLog(Vec<StoreLog>);

struct StoreLog {
    group: Group,
    transactions: Vec<LoggedTransaction>,
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
        let store = &group.store;
        // While an archive is being sent into it in parts, each growth counts for itself.
        let is_shared = match SharedArchive::of_store(bucket, store).await {
            Ok(archive) => archive.is_some(),
            Err(StoreError::Share { .. }) => true,
            Err(error) => return Err(error),
        };
        let ids = committed(bucket, store).await?.into_iter();
        let reads = ids.map(|id| read(bucket, group, id, is_shared));
        let transactions = stream::iter(reads).buffered(REQUESTS).try_collect();
        Ok(Self {
            group: group.clone(),
            transactions: transactions.await?,
        })
    }
}

async fn read(
    bucket: &Bucket,
    group: &Group,
    id: String,
    is_shared: bool,
) -> Result<LoggedTransaction, StoreError> {
    let key = layout::transaction(&group.store, &id);
    let (record, put) = bucket.get_dated(&key).await?;
    let mut record: Option<LastTransaction> = serde_json::from_slice(&record).ok();
    if record.is_none() {
        // The answer may have been damaged.
        record = serde_json::from_slice(&bucket.get(&key).await?).ok();
    }
    let run = match &record {
        Some(record) => record.run.clone(),
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
    })
}

/// What of the id of a transaction is not its number.
fn token(id: &str) -> &str {
    id.split_once('-').map_or(id, |(_, token)| token)
}

/// The ids of the committed transactions of `store`, in order.
///
/// # Errors
/// As the server says.
pub(in crate::verbs) async fn committed(
    bucket: &Bucket,
    store: &str,
) -> Result<Vec<String>, StoreError> {
    let listed = bucket.list(&layout::transactions(store)).await?;
    let ids = listed.iter().filter_map(|key| key.rsplit('/').next());
    let mut ids: Vec<String> = ids.filter(|id| is_id(id)).map(str::to_owned).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// Those of the `committed` transactions of `store` that can be undone, the last first: up to one of which nothing is kept.
///
/// # Errors
/// As the server says.
pub(in crate::verbs) async fn undoable<'a>(
    bucket: &Bucket,
    store: &str,
    committed: &'a [String],
) -> Result<Vec<&'a String>, StoreError> {
    let mut kept = bucket.list(&layout::additions(store)).await?;
    kept.extend(bucket.folder(&layout::undos(store)).await?.folders);
    let names = kept.iter().filter_map(|key| key.rsplit('/').next());
    let kept: BTreeSet<&str> = names.collect();
    let last = committed.iter().rev();
    Ok(last.take_while(|id| kept.contains(id.as_str())).collect())
}
