//! Back: a store becomes what it was before a transaction. Whoever begins it, and however often it is interrupted, it
//! comes to the same end.

use bytes::Bytes;
use futures::TryStreamExt;

use super::journal::{JournalEntry, Stage, put_json};
use super::many::all;
use super::put_back::{Now, put_back};
use super::unfinished::{UnfinishedTransaction, delete_key};
use crate::store::{Bucket, Entry as Listed, Guarantees, StoreError, layout};

/// Keys from which on they are deleted many with one request.
const MANY: usize = 100;

/// Undoes the transaction `unfinished` of `store`; returns what could not be done. Then it is still in the journal.
pub async fn roll_back(
    bucket: &Bucket,
    store: &str,
    unfinished: &UnfinishedTransaction,
    guarantees: &Guarantees,
) -> Vec<String> {
    let back = Back {
        bucket,
        guarantees,
        store,
        id: &unfinished.id,
        entry: &unfinished.entry,
    };
    match back.run(unfinished.stage).await {
        Ok(problems) => problems,
        Err(error) => vec![error.to_string()],
    }
}

struct Back<'a> {
    bucket: &'a Bucket,
    guarantees: &'a Guarantees,
    store: &'a str,
    id: &'a str,
    entry: &'a JournalEntry,
}

impl Back<'_> {
    async fn run(&self, stage: Stage) -> Result<Vec<String>, StoreError> {
        let (bucket, store, id) = (self.bucket, self.store, self.id);
        let root = &self.entry.root;
        // Then what lies there may be another's.
        let overtaken = || StoreError::Overtaken {
            key: root.key.clone(),
        };
        if Now::of(bucket, root).await? == Now::Other {
            return Err(overtaken());
        }
        let is_back =
            stage == Stage::Back && bucket.stat(&Stage::Back.key(store, id)).await?.is_some();
        // From here on it only goes back, whoever goes on with it; and a holder who lost the lease sees it.
        if !is_back && let Err(error) = self.entry.put(bucket, store, id, Stage::Back).await {
            let is_open = bucket.stat(&Stage::Open.key(store, id)).await?.is_some();
            if stage == Stage::Open && !is_open {
                // It never came into the journal, so nothing was changed.
                return Ok(Vec::new());
            }
            self.do_without_entry(stage, is_open, error).await?;
        }
        if self.entry.removes {
            return self.give_back(stage).await;
        }
        if !put_back(bucket, root, stage, self.guarantees).await? {
            return Err(overtaken());
        }
        // Nobody sees these any more. They go first: a full bucket needs the room for what comes back.
        let problems = self.remove(self.new_objects().await?).await;
        if !problems.is_empty() {
            return Ok(problems);
        }
        for document in &self.entry.documents {
            // Readers do not meet one that another has changed since, for the root is what it was.
            put_back(bucket, document, stage, self.guarantees).await?;
        }
        let problems = self.restore().await?;
        if !problems.is_empty() {
            return Ok(problems);
        }
        self.tidy().await
    }

    /// Sees to it that all who come go back although the server refuses the entry that says so, for a full bucket has no
    /// room for it.
    ///
    /// # Errors
    /// `refused`, if readers may see the new store already, or the transaction is not in the journal any more; others as the
    /// server says. Nothing has been undone then.
    async fn do_without_entry(
        &self,
        stage: Stage,
        is_open: bool,
        refused: StoreError,
    ) -> Result<(), StoreError> {
        let (bucket, store, id) = (self.bucket, self.store, self.id);
        let root = &self.entry.root;
        let is_old = root.before.as_ref() == Some(&root.after)
            || !Now::of(bucket, root).await?.is_after(root);
        if !is_open || !is_old {
            return Err(refused);
        }
        // Who resumed it would take these for objects that are there.
        for key in bucket.list(&layout::progress(store, id)).await? {
            bucket.delete(&key).await?;
        }
        if stage == Stage::Prepared {
            bucket.delete(&Stage::Prepared.key(store, id)).await?;
        }
        Ok(())
    }

    /// The same of a transaction that removes objects: they come back before readers look for them.
    async fn give_back(&self, stage: Stage) -> Result<Vec<String>, StoreError> {
        let root = &self.entry.root;
        // They went after the root only.
        if Now::of(self.bucket, root).await?.is_after(root) {
            let problems = self.restore().await?;
            if !problems.is_empty() {
                return Ok(problems);
            }
        }
        for document in &self.entry.documents {
            put_back(self.bucket, document, stage, self.guarantees).await?;
        }
        if !put_back(self.bucket, root, stage, self.guarantees).await? {
            return Err(StoreError::Overtaken {
                key: root.key.clone(),
            });
        }
        self.tidy().await
    }

    /// Copies back what was overwritten. An empty copy says that there was nothing.
    async fn restore(&self) -> Result<Vec<String>, StoreError> {
        let folder = layout::undo_copies(self.store, self.id);
        let copies: Vec<Listed> = self.bucket.entries(&folder).try_collect().await?;
        let work = copies.iter().map(|copy| async {
            let below = copy.key.strip_prefix(&folder).unwrap_or_default();
            let key = format!("{}{below}", self.store);
            if copy.bytes > 0 {
                self.bucket.copy(&copy.key, &key).await
            } else if !self.entry.removes {
                self.bucket.delete(&key).await
            } else if self.bucket.stat(&key).await?.is_none() {
                // What is removed was there, if only without a byte.
                self.bucket.put(&key, Bytes::new()).await.map(|_| ())
            } else {
                Ok(())
            }
        });
        Ok(all(work).await)
    }

    /// The objects that the transaction wrote where nothing was before.
    async fn new_objects(&self) -> Result<Vec<String>, StoreError> {
        let mut keys = Vec::new();
        for array in &self.entry.arrays {
            let codec = array.codec()?;
            let below = format!("{}/{}", self.store, array.name);
            let mut objects = self.bucket.entries(&below);
            while let Some(object) = objects.try_next().await? {
                let chunk = codec.chunk_of(self.store, &object.key);
                if chunk.is_some_and(|chunk| array.is_new(&chunk)) {
                    keys.push(object.key);
                }
            }
        }
        Ok(keys)
    }

    /// Makes the ledger what it was before; this transaction's entry goes last.
    async fn tidy(&self) -> Result<Vec<String>, StoreError> {
        let (bucket, store, id) = (self.bucket, self.store, self.id);
        if self.entry.creates() {
            // What is left of earlier stores at this place tells of nothing that is there.
            let mut problems = clear_ledger(bucket, store, Some(id)).await?;
            if problems.is_empty() {
                problems.extend(end(bucket, store, id).await);
            }
            return Ok(problems);
        }
        if self.entry.record.is_some() {
            let last = layout::last_transaction(store);
            match &self.entry.previous {
                Some(previous) => put_json(bucket, &last, previous).await?,
                None => bucket.delete(&last).await?,
            }
            bucket.delete(&layout::transaction(store, id)).await?;
        }
        let mut keys = bucket.list(&layout::manifest(store, id)).await?;
        keys.extend(bucket.list(&layout::undo(store, id)).await?);
        let mut problems = self.remove(keys).await;
        if problems.is_empty() {
            problems.extend(end(bucket, store, id).await);
        }
        Ok(problems)
    }

    async fn remove(&self, keys: Vec<String>) -> Vec<String> {
        remove(self.bucket, keys).await
    }
}

/// Deletes the objects `keys`; returns what could not be done.
pub(super) async fn remove(bucket: &Bucket, keys: Vec<String>) -> Vec<String> {
    let in_bulk = keys.len() >= MANY;
    bucket.delete_all(keys, in_bulk).await.problems
}

/// Removes the transaction `id` from the journal of `store`: what heals it last.
pub(super) async fn end(bucket: &Bucket, store: &str, id: &str) -> Vec<String> {
    let progress = bucket.list(&layout::progress(store, id)).await;
    let mut problems = match progress {
        Ok(keys) => remove(bucket, keys).await,
        Err(error) => vec![error.to_string()],
    };
    let entries = Stage::ALL.map(|stage| stage.key(store, id));
    for key in entries.into_iter().chain([delete_key(store, id)]) {
        if problems.is_empty() {
            let deleted = bucket.delete(&key).await;
            problems.extend(deleted.err().map(|error| error.to_string()));
        }
    }
    problems
}

/// Removes all of the ledger of `store` but its leases and the journal of the transaction `id`; returns what could not be
/// done.
///
/// # Errors
/// If the ledger cannot be listed.
pub async fn clear_ledger(
    bucket: &Bucket,
    store: &str,
    id: Option<&str>,
) -> Result<Vec<String>, StoreError> {
    let leases = format!("{}/", layout::leases(store));
    let journal = id.map(|id| format!("{}/{id}.", layout::journals(store)));
    let mut keys = bucket.list(&layout::ledger(store)).await?;
    keys.retain(|key| {
        let is_journal = journal.as_ref().is_some_and(|own| key.starts_with(own));
        !key.starts_with(&leases) && !is_journal
    });
    Ok(remove(bucket, keys).await)
}
