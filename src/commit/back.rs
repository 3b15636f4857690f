//! Back: a store becomes what it was before a transaction. Whoever begins it, and however often it is interrupted, it
//! comes to the same end.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use futures::TryStreamExt;
use msm_zarr::layout;

use super::cleanup::{CleanupError, all, remove};
use super::journal::{JournalEntry, Stage, put_json};
use super::put_back::{DocumentState, put_back};
use super::undo_copies::{CopyWorth, UndoCopies};
use crate::store::{Bucket, Guarantees, ListedObject, StoreError};

/// What a store is made again by.
pub(super) struct UndoPlan<'a> {
    pub bucket: &'a Bucket,
    pub guarantees: &'a Guarantees,
    pub store: &'a str,
    pub id: &'a str,
    pub entry: &'a JournalEntry,
}

impl UndoPlan<'_> {
    /// Undoes the transaction, which came to this `stage`.
    ///
    /// # Errors
    /// With what could not be done; then it is still in the journal.
    pub(super) async fn run(&self, stage: Stage) -> Result<(), CleanupError> {
        let (bucket, store, id) = (self.bucket, self.store, self.id);
        let root = &self.entry.root;
        // Then what lies there may be another's.
        let overtaken = || StoreError::Overtaken {
            key: root.key.clone(),
        };
        if DocumentState::of(bucket, root).await? == DocumentState::Other {
            return Err(overtaken().into());
        }
        let is_back =
            stage == Stage::Back && bucket.stat(&Stage::Back.key(store, id)).await?.is_some();
        // From here on it only goes back, whoever goes on with it; and a holder who lost the lease sees it.
        if !is_back && let Err(error) = self.entry.put(bucket, store, id, Stage::Back).await {
            let is_open = bucket.stat(&Stage::Open.key(store, id)).await?.is_some();
            if stage == Stage::Open && !is_open {
                // It never came into the journal, so nothing was changed.
                return Ok(());
            }
            self.do_without_entry(stage, is_open, error).await?;
        }
        if self.entry.removes {
            return self.give_back(stage).await;
        }
        if !put_back(bucket, root, stage, self.guarantees).await? {
            return Err(overtaken().into());
        }
        // Nobody sees these any more. They go first: a full bucket needs the room for what comes back.
        let new = self.entry.new_objects(bucket, store).await?;
        remove(bucket, new.into_iter().map(|object| object.key).collect()).await?;
        for document in &self.entry.documents {
            // Readers do not meet one that another has changed since, for the root is what it was.
            put_back(bucket, document, stage, self.guarantees).await?;
        }
        self.restore().await?;
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
            || !DocumentState::of(bucket, root).await?.is_after(root);
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
    async fn give_back(&self, stage: Stage) -> Result<(), CleanupError> {
        let root = &self.entry.root;
        // They went after the root only.
        if DocumentState::of(self.bucket, root).await?.is_after(root) {
            self.restore().await?;
        }
        for document in &self.entry.documents {
            put_back(self.bucket, document, stage, self.guarantees).await?;
        }
        if !put_back(self.bucket, root, stage, self.guarantees).await? {
            let key = root.key.clone();
            return Err(StoreError::Overtaken { key }.into());
        }
        self.tidy().await
    }

    /// Copies back what was overwritten. An empty copy says that there was nothing. A damaged one is not put in the place of what
    /// may be intact.
    async fn restore(&self) -> Result<(), CleanupError> {
        let copies = UndoCopies::of(self.bucket, self.store, self.id, self.entry).await?;
        let (copies, damaged) = (&copies, &Mutex::new(Vec::new()));
        let work = copies.all.iter().map(|copy| async move {
            let key = copies.object(copy);
            match copies.worth(copy).await? {
                CopyWorth::Sound => {}
                CopyWorth::NotNeeded => return Ok(()),
                CopyWorth::Lost(copy) => {
                    let mut damaged = damaged.lock().unwrap_or_else(PoisonError::into_inner);
                    damaged.push(copy);
                    return Ok(());
                }
            }
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
        let mut restored = vec![all(work).await];
        let mut damaged =
            std::mem::take(&mut *damaged.lock().unwrap_or_else(PoisonError::into_inner));
        if self.entry.removes {
            let (made, missing) = copies.made().await?;
            damaged.extend(missing);
            restored.push(remove(self.bucket, made).await);
        }
        restored.push(CleanupError::of_copies(damaged.into()));
        CleanupError::together(restored)
    }

    /// Makes the ledger what it was before; this transaction's entry goes last.
    async fn tidy(&self) -> Result<(), CleanupError> {
        let (bucket, store, id) = (self.bucket, self.store, self.id);
        if self.entry.creates() {
            // What is left of earlier stores at this place tells of nothing that is there.
            clear_ledger(bucket, store, Some(id)).await?;
            return end(bucket, store, id, Stage::Back).await;
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
        remove(bucket, keys).await?;
        bucket.delete(&layout::addition(store, id)).await?;
        end(bucket, store, id, Stage::Back).await
    }
}

impl JournalEntry {
    /// The objects that the transaction wrote into `store` where nothing was before.
    pub(super) async fn new_objects(
        &self,
        bucket: &Bucket,
        store: &str,
    ) -> Result<Vec<ListedObject>, StoreError> {
        let mut new = Vec::new();
        // What parts have put stays for the next commit, unless it was committed.
        let of_parts = self.rollback.as_ref().map(|_| &self.parts);
        for array in self.arrays.iter().chain(of_parts.into_iter().flatten()) {
            let codec = array.codec()?;
            let below = format!("{store}/{}", array.name);
            let mut objects = bucket.entries(&below);
            while let Some(object) = objects.try_next().await? {
                let chunk = codec.chunk_of(store, &object.key);
                if chunk.is_some_and(|chunk| array.is_new(&chunk)) {
                    new.push(object);
                }
            }
        }
        Ok(new)
    }
}

/// Removes the transaction `id`, which came to the stage `last`, from the journal of `store`. The entry that says which way it is healed
/// goes last.
async fn end(bucket: &Bucket, store: &str, id: &str, last: Stage) -> Result<(), CleanupError> {
    let progress = bucket.list(&layout::progress(store, id)).await?;
    leave_earlier_stages(bucket, store, id, last, progress).await?;
    Ok(bucket.delete(&last.key(store, id)).await?)
}

/// Removes what the journal of `store` has of the transaction `id` from before the stage `last`: entries, and these objects, which tell how
/// far it was.
pub(super) async fn leave_earlier_stages(
    bucket: &Bucket,
    store: &str,
    id: &str,
    last: Stage,
    mut progress: Vec<String>,
) -> Result<(), CleanupError> {
    let before = Stage::ALL.into_iter().filter(|stage| *stage < last);
    progress.extend(before.map(|stage| stage.key(store, id)));
    remove(bucket, progress).await
}

/// Removes all of the ledger of `store` but its leases, what is told of an archive that is sent into it in parts, and the journal
/// of the transaction `id`.
///
/// # Errors
/// With what could not be removed.
pub(crate) async fn clear_ledger(
    bucket: &Bucket,
    store: &str,
    id: Option<&str>,
) -> Result<(), CleanupError> {
    remove(bucket, ledger_objects(bucket, store, id).await?).await
}

/// The keys of what [`clear_ledger`] removes.
///
/// # Errors
/// As the server says.
pub(super) async fn ledger_objects(
    bucket: &Bucket,
    store: &str,
    id: Option<&str>,
) -> Result<Vec<String>, StoreError> {
    let stays = [layout::leases(store), layout::share(store)].map(|folder| format!("{folder}/"));
    let journal = id.map(|id| format!("{}/{id}.", layout::journals(store)));
    let mut keys = bucket.list(&layout::ledger(store)).await?;
    keys.retain(|key| {
        let is_journal = journal.as_ref().is_some_and(|own| key.starts_with(own));
        !stays.iter().any(|folder| key.starts_with(folder)) && !is_journal
    });
    Ok(keys)
}
