//! What the ledgers tell of commands: the committed transactions of stores, joined to what persons did.
//!
//! Key types: [`CommandLog`], of several stores; [`LoggedTransaction`], one transaction of one of them.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use msm_zarr::{Group, layout};

use crate::commit::{CommandRun, LastTransaction, SharedArchive, is_id};
use crate::error::Error;
use crate::store::{Bucket, REQUESTS, StoreError};

/// The transactions of stores, whose records are read from the last one on, as they are asked for.
pub(in crate::verbs) struct CommandLog {
    stores: Vec<StoreLog>,
    /// Records of a store that are read at a time.
    ahead: usize,
}

struct StoreLog {
    group: Group,
    /// Ids of the transactions that are not read yet, in order.
    unread: Vec<String>,
    /// Is an archive being sent into it in parts? Then each growth counts for itself.
    is_shared: bool,
    /// Those that are read, the last one first.
    read: Vec<LoggedTransaction>,
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
    /// That of the stores of `groups`; of each, as many records are read `ahead`.
    ///
    /// # Errors
    /// As the server says.
    pub(in crate::verbs) async fn of(
        bucket: &Bucket,
        groups: &[Group],
        ahead: usize,
    ) -> Result<Self, Error> {
        let logs = stream::iter(groups).map(|group| StoreLog::of(bucket, group));
        let stores = logs.buffered(REQUESTS).try_collect().await?;
        Ok(Self { stores, ahead })
    }

    /// Those of its stores that have no transaction.
    pub(in crate::verbs) fn empty(&self) -> impl Iterator<Item = &Group> {
        let is_empty = |log: &&StoreLog| log.unread.is_empty() && log.read.is_empty();
        self.stores.iter().filter(is_empty).map(|log| &log.group)
    }

    /// Takes the last command off: its transactions in all stores, those of a store the last first; none if there is none left.
    ///
    /// # Errors
    /// As the server says.
    pub(in crate::verbs) async fn pop(
        &mut self,
        bucket: &Bucket,
    ) -> Result<Vec<LoggedTransaction>, Error> {
        let ahead = self.ahead;
        let reads = self.stores.iter_mut().map(|log| log.read(bucket, ahead));
        let mut reads = stream::iter(reads).buffer_unordered(REQUESTS);
        while reads.try_next().await?.is_some() {}
        drop(reads);
        let heads = self.stores.iter().filter_map(|log| log.read.first());
        let last = heads.max_by_key(|head| (&head.begun, &head.command_id));
        let Some(last) = last.map(|last| last.command_id.clone()) else {
            return Ok(Vec::new());
        };
        let mut popped = Vec::new();
        for log in &mut self.stores {
            while log.read.first().is_some_and(|head| head.command_id == last) {
                popped.push(log.read.remove(0));
                log.read(bucket, ahead).await?;
            }
        }
        Ok(popped)
    }
}

impl StoreLog {
    async fn of(bucket: &Bucket, group: &Group) -> Result<Self, StoreError> {
        let store = &group.store;
        let is_shared = match SharedArchive::of_store(bucket, store).await {
            Ok(archive) => archive.is_some(),
            Err(StoreError::Share { .. }) => true,
            Err(error) => return Err(error),
        };
        Ok(Self {
            group: group.clone(),
            unread: committed(bucket, store).await?,
            is_shared,
            read: Vec::new(),
        })
    }

    /// Reads the next records if all that were read are taken off.
    async fn read(&mut self, bucket: &Bucket, ahead: usize) -> Result<(), StoreError> {
        if !self.read.is_empty() {
            return Ok(());
        }
        let first = self.unread.len().saturating_sub(ahead);
        let ids = self.unread.split_off(first);
        let reads = ids.into_iter().rev().map(|id| self.transaction(bucket, id));
        let read: Vec<LoggedTransaction> =
            stream::iter(reads).buffered(REQUESTS).try_collect().await?;
        self.read = read;
        Ok(())
    }

    async fn transaction(
        &self,
        bucket: &Bucket,
        id: String,
    ) -> Result<LoggedTransaction, StoreError> {
        let key = layout::transaction(&self.group.store, &id);
        let (record, put) = bucket.get_dated(&key).await?;
        // One that cannot be read says of which command it was no more; it can be undone all the same.
        let record: Option<LastTransaction> = serde_json::from_slice(&record).ok();
        let run = record.as_ref().and_then(|record| record.run.clone());
        let of_itself = || id.split_once('-').map_or(id.as_str(), |(_, token)| token);
        let command_id = match &run {
            Some(CommandRun { id, .. }) if !self.is_shared => id.clone(),
            _ => of_itself().to_owned(),
        };
        Ok(LoggedTransaction {
            group: self.group.clone(),
            command_id,
            begun: run.map_or(put, |run| run.begun),
            record,
            id,
        })
    }
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
