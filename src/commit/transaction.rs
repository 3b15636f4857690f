//! A transaction of all stores of a plan, as the ledgers see it: opened, prepared, committed; or back. Rank 0's.
//!
//! Key type: [`Transaction`].

use futures::{StreamExt, TryStreamExt, stream};

use super::back::{clear_ledger, roll_back};
use super::forward::{finish, put_documents, put_root};
use super::journal::{Document, Entry, State, Unfinished, Writer, is_id, new_id, number_of, token};
use super::ledger::LastTransaction;
use super::manifest::Manifest;
use super::written::Written;
use crate::plan::Plan;
use crate::store::{Bucket, Guarantees, REQUESTS, StoreError, ZarrError, layout};
use crate::transfer::Verify;

/// What is said of every store's transaction.
pub struct Opening<'a> {
    /// The command.
    pub command: &'a str,
    /// Who runs it.
    pub holder: &'a Writer,
    /// Of the plan.
    pub digest: &'a str,
    /// What the server was found to guarantee.
    pub guarantees: &'a Guarantees,
    /// Of how many transactions what they replaced is kept.
    pub keep_undo: usize,
    /// For each store, the transaction that is resumed, if there is one.
    pub resumed: Vec<Option<Unfinished>>,
}

/// A transaction under way.
pub struct Transaction<'a> {
    pub(super) bucket: &'a Bucket,
    pub(super) guarantees: Guarantees,
    pub(super) stores: Vec<OfStore>,
    pub(super) state: State,
}

pub(super) struct OfStore {
    pub key: String,
    pub id: String,
    pub entry: Entry,
}

impl<'a> Transaction<'a> {
    /// Reads what is there before, for each store of `plan`. Nothing is written yet.
    ///
    /// # Errors
    /// As the server says.
    pub async fn new(
        bucket: &'a Bucket,
        plan: &Plan,
        opening: Opening<'_>,
    ) -> Result<Self, StoreError> {
        let token = token();
        let stores = plan.stores.iter().zip(&opening.resumed).enumerate();
        let stores = stores.map(|(index, (store, resumed))| {
            let (opening, token) = (&opening, &token);
            async move {
                let (id, entry) = if let Some(Unfinished {
                    id,
                    entry: Some(entry),
                    ..
                }) = resumed
                {
                    (id.clone(), entry.clone())
                } else {
                    let (previous, number) = match &store.old_root {
                        None => (None, 1),
                        Some(_) => before(bucket, &store.key).await?,
                    };
                    let mut entry = entry(bucket, plan, index, opening).await?;
                    entry.previous = previous;
                    (new_id(number, token), entry)
                };
                let key = store.key.clone();
                Ok::<_, StoreError>(OfStore { key, id, entry })
            }
        });
        Ok(Self {
            bucket,
            guarantees: opening.guarantees.clone(),
            stores: stream::iter(stores)
                .buffered(REQUESTS)
                .try_collect()
                .await?,
            state: State::Open,
        })
    }

    /// The id in each store.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        self.stores.iter().map(|store| store.id.clone()).collect()
    }

    /// Writes the journals. From here on, the transaction must end.
    ///
    /// # Errors
    /// If one cannot be written; then call [`Transaction::back`].
    pub async fn open(&self) -> Result<(), StoreError> {
        self.each(async |store| {
            let OfStore { key, id, entry } = store;
            entry.put(self.bucket, key, id, State::Open).await?;
            if entry.creates() {
                // It tells of a store that is no more.
                let problems = clear_ledger(self.bucket, key, Some(id)).await?;
                if let Some(cause) = problems.into_iter().next() {
                    return Err(StoreError::Journal {
                        key: layout::ledger(key),
                        cause,
                    });
                }
            }
            Ok(())
        })
        .await
    }

    /// Those of `remains`, objects at the places of stores that are created, that this transaction has not put itself before
    /// it was `resumed`.
    ///
    /// # Errors
    /// If an array's document is not one that this program can write.
    pub fn strays(
        &self,
        remains: &[String],
        resumed: &[Option<Unfinished>],
    ) -> Result<Vec<String>, StoreError> {
        let mut own = Vec::new();
        for (OfStore { key, entry, .. }, resumed) in self.stores.iter().zip(resumed) {
            for array in entry.arrays.iter().filter(|_| resumed.is_some()) {
                own.push((key, array, array.codec()?));
            }
        }
        let is_own = |object: &&String| {
            own.iter().any(|(store, array, codec)| {
                let chunk = codec.chunk_of(store, object);
                chunk.is_some_and(|chunk| array.is_new(&chunk))
            })
        };
        let strays = remains.iter().filter(|object| !is_own(object));
        Ok(strays.cloned().collect())
    }

    /// Says in the journals that all objects are in place, as `manifest` tells: from here on, whoever comes goes forward.
    ///
    /// # Errors
    /// If one cannot be written; then call [`Transaction::back`].
    pub async fn prepare(&mut self, plan: &Plan, manifest: &Manifest) -> Result<(), StoreError> {
        for (index, OfStore { id, entry, .. }) in self.stores.iter_mut().enumerate() {
            let number = number_of(id).unwrap_or(1);
            let previous = entry.previous.clone();
            entry.record = Some(LastTransaction::new(
                plan,
                index,
                manifest,
                &entry.command,
                number,
                previous.as_ref(),
            ));
        }
        self.put_prepared().await
    }

    pub(super) async fn put_prepared(&mut self) -> Result<(), StoreError> {
        self.state = State::Prepared;
        self.each(async |store| {
            let OfStore { key, id, entry } = store;
            entry.put(self.bucket, key, id, State::Prepared).await
        })
        .await
    }

    /// Puts the documents of all stores but for the roots.
    ///
    /// # Errors
    /// If a document cannot be put or does not read back; then call [`Transaction::back`].
    pub async fn put_documents(&self, verify: Verify) -> Result<(), StoreError> {
        self.each(async |store| put_documents(self.bucket, &store.entry, verify).await)
            .await
    }

    /// Puts the root of each store: when it returns `Ok`, every reader sees the new stores.
    ///
    /// # Errors
    /// As [`Transaction::put_documents`]; or if another program has changed a root meanwhile.
    pub async fn put_roots(&self, verify: Verify) -> Result<(), StoreError> {
        self.each(async |store| put_root(self.bucket, &store.entry, verify, &self.guarantees).await)
            .await
    }

    /// After the commit: the ledgers' records. Returns what could not be done, not at the second time either; whoever
    /// comes next does it, and until then no other transaction may follow.
    pub async fn finish(&self) -> Vec<String> {
        let work = self.stores.iter().map(async |store| {
            let OfStore { key, id, entry } = store;
            let problems = finish(self.bucket, key, id, entry).await;
            if problems.is_empty() {
                return problems;
            }
            finish(self.bucket, key, id, entry).await
        });
        let problems: Vec<Vec<String>> = stream::iter(work)
            .buffer_unordered(REQUESTS)
            .collect()
            .await;
        problems.into_iter().flatten().collect()
    }

    /// Makes every store what it was before; returns what could not be done. Whoever comes next goes on with it.
    pub async fn back(&self) -> Vec<String> {
        let mut left: Vec<&OfStore> = self.stores.iter().collect();
        loop {
            let work = left.iter().map(|&store| async move {
                let unfinished = Unfinished {
                    id: store.id.clone(),
                    state: self.state,
                    writer: store.entry.holder.clone(),
                    entry: Some(store.entry.clone()),
                };
                let problems =
                    roll_back(self.bucket, &store.key, &unfinished, &self.guarantees).await;
                (store, problems)
            });
            let mut failed: Vec<(&OfStore, Vec<String>)> = stream::iter(work)
                .buffer_unordered(REQUESTS)
                .collect()
                .await;
            failed.retain(|(_, problems)| !problems.is_empty());
            // What one store gave up is room for another, if the bucket is full.
            if failed.is_empty() || failed.len() == left.len() {
                return failed
                    .into_iter()
                    .flat_map(|(_, problems)| problems)
                    .collect();
            }
            left = failed.into_iter().map(|(store, _)| store).collect();
        }
    }

    /// Does `work` for every store. All of it ends before an error is passed on, so that an undo comes after the last
    /// request.
    pub(super) async fn each(
        &self,
        work: impl AsyncFn(&OfStore) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let work = &work;
        let done: Vec<Result<(), StoreError>> = stream::iter(&self.stores)
            .map(|store| async move { work(store).await })
            .buffer_unordered(REQUESTS)
            .collect()
            .await;
        done.into_iter().collect()
    }
}

/// What the journal says of the plan's store `index`, with what is there now.
async fn entry(
    bucket: &Bucket,
    plan: &Plan,
    index: usize,
    opening: &Opening<'_>,
) -> Result<Entry, StoreError> {
    let store = &plan.stores[index];
    let root = Document {
        key: store.root_key.clone(),
        before: store.old_root.clone(),
        after: store.new_root.clone(),
    };
    let mut entry = Entry::new(opening.command, opening.holder, opening.digest, root);
    entry.keep_undo = opening.keep_undo;
    entry.arrays = Written::of(plan, index);
    let is_new = store.old_root.is_none();
    let documents = stream::iter(&store.documents).map(|(key, after)| async move {
        // What lies at the place of a new store is of a create that died, and goes.
        let before = if is_new {
            None
        } else {
            match bucket.get(key).await {
                Ok(before) => Some(text(key, &before)?),
                Err(error) if error.is_missing() => None,
                Err(error) => return Err(error),
            }
        };
        Ok(Document {
            key: key.clone(),
            before,
            after: after.clone(),
        })
    });
    let documents: Vec<Document> = documents.buffered(REQUESTS).try_collect().await?;
    let changes = |document: &Document| document.before.as_ref() != Some(&document.after);
    entry.documents = documents.into_iter().filter(changes).collect();
    Ok(entry)
}

fn text(key: &str, document: &[u8]) -> Result<String, ZarrError> {
    String::from_utf8(document.to_vec()).map_err(|cause| ZarrError::Damaged {
        key: key.to_owned(),
        cause: cause.to_string(),
    })
}

/// The ledger's record of the transaction before the next one of `store`, which is there, and the number of that.
pub(super) async fn before(
    bucket: &Bucket,
    store: &str,
) -> Result<(Option<LastTransaction>, u64), StoreError> {
    let previous = LastTransaction::of_store(bucket, store).await?;
    // What is recorded counts: the record of the last one may be lost or damaged, or the store another tool's.
    let records = bucket.list(&layout::transactions(store)).await?;
    let ids = records.iter().filter_map(|key| key.rsplit('/').next());
    let last = ids.filter(|id| is_id(id)).filter_map(number_of).max();
    let last = last.or(previous.as_ref().map(|previous| previous.transaction));
    Ok((previous, last.unwrap_or(0).saturating_add(1)))
}
