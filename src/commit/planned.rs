//! What a transaction is about to do to its stores, read and thought out before the first change.
//!
//! Key types: [`PlannedTransaction`]; [`TransactionTerms`], what is said of every store's transaction.

use futures::{StreamExt, TryStreamExt, join, stream, try_join};
use msm_plan::Plan;
use msm_zarr::{ZarrError, layout};

use super::aborted::Abort;
use super::back::ledger_objects;
use super::cleanup::{CleanupError, remove};
use super::command_run::{CommandRun, FileSpan};
use super::journal::{Document, JournalEntry, Stage, Writer};
use super::ledger::LastTransaction;
use super::removal::Removal;
use super::transaction::{OpenTransaction, StoreTransaction, Stores};
use super::transaction_id::{before_ids_of, is_id, new_id, number_of, token};
use super::unfinished::UnfinishedTransaction;
use super::written_boxes::WrittenBoxes;
use crate::store::{Bucket, Guarantees, REQUESTS, StoreError};

/// Keys of one page of a listing.
const PAGE: usize = 1000;

/// What is said of every store's transaction.
pub(crate) struct TransactionTerms<'a> {
    /// The command.
    pub command: &'a str,
    /// Who runs it.
    pub holder: &'a Writer,
    /// Which command of a person it is of.
    pub run: &'a CommandRun,
    /// Of the plan; empty where there is none.
    pub digest: &'a str,
    /// What the server was found to guarantee.
    pub guarantees: &'a Guarantees,
    /// Of how many transactions what they replaced is kept.
    pub keep_undo: usize,
    /// Were its new objects put before, as parts of an archive?
    pub of_parts: bool,
}

/// A transaction of which nothing is written yet.
pub(crate) struct PlannedTransaction<'a>(Stores<'a>);

impl<'a> PlannedTransaction<'a> {
    /// Reads what is there before, for each store of `plan`; of those that are `resumed`, it is known.
    ///
    /// # Errors
    /// As the server says.
    pub(crate) async fn writing(
        bucket: &'a Bucket,
        plan: &Plan,
        opening: &TransactionTerms<'_>,
        resumed: &[Option<UnfinishedTransaction>],
    ) -> Result<Self, StoreError> {
        let token = token();
        let stores = plan.stores.iter().zip(resumed).enumerate();
        let stores = stores.map(|(index, (store, resumed))| {
            let token = &token;
            async move {
                let (id, entry) = if let Some(UnfinishedTransaction { id, entry, .. }) = resumed {
                    let mut entry = entry.clone();
                    entry.run = Some(opening.run.clone());
                    (id.clone(), entry)
                } else {
                    let before = async {
                        match &store.old_root {
                            None => Ok((None, 1)),
                            Some(_) => before(bucket, &store.key).await,
                        }
                    };
                    let entry = entry(bucket, plan, index, opening);
                    let ((previous, number), mut entry) = try_join!(before, entry)?;
                    entry.previous = previous;
                    (new_id(number, token), entry)
                };
                let key = store.key.clone();
                Ok::<_, StoreError>(StoreTransaction { key, id, entry })
            }
        });
        let stores = stream::iter(stores).buffered(REQUESTS).try_collect();
        Ok(Self(Stores {
            bucket,
            guarantees: opening.guarantees.clone(),
            parts: stores.await?,
        }))
    }

    /// Reads what the ledgers say, for each of `removals`.
    ///
    /// # Errors
    /// As the server says.
    pub(crate) async fn removing(
        bucket: &'a Bucket,
        removals: &[Removal],
        opening: &TransactionTerms<'_>,
    ) -> Result<Self, StoreError> {
        let token = token();
        let mut stores = Vec::new();
        for removal in removals {
            let (previous, number) = before(bucket, &removal.store).await?;
            let mut entry = opening.entry(removal.root.clone());
            entry.documents.clone_from(&removal.documents);
            entry.previous = previous;
            entry.removes = true;
            stores.push(StoreTransaction {
                key: removal.store.clone(),
                id: new_id(number, &token),
                entry,
            });
        }
        Ok(Self(Stores {
            bucket,
            guarantees: opening.guarantees.clone(),
            parts: stores,
        }))
    }

    /// Of documents alone: makes `root` and `documents` of `store` what they say.
    ///
    /// # Errors
    /// As the server says.
    pub(super) async fn of_documents(
        bucket: &'a Bucket,
        store: &str,
        root: Document,
        documents: Vec<Document>,
        opening: &TransactionTerms<'_>,
    ) -> Result<Self, StoreError> {
        let (previous, number) = before(bucket, store).await?;
        let record =
            LastTransaction::of_documents(number, opening.command, &root.after, previous.as_ref());
        let mut entry = opening.entry(root);
        entry.documents = documents;
        entry.previous = previous;
        entry.record = Some(record);
        Ok(Self(Stores {
            bucket,
            guarantees: opening.guarantees.clone(),
            parts: vec![StoreTransaction {
                key: store.to_owned(),
                id: new_id(number, &token()),
                entry,
            }],
        }))
    }

    /// The id in each store.
    #[must_use]
    pub(crate) fn ids(&self) -> Vec<String> {
        self.0.parts.iter().map(|store| store.id.clone()).collect()
    }

    /// Writes the journals. From here on, the transaction must end.
    ///
    /// # Errors
    /// If one cannot be written.
    pub(crate) async fn open(self) -> Result<OpenTransaction<'a>, Box<Abort<'a>>> {
        let Stores { bucket, .. } = self.0;
        let opened = self.0.each(async |store| {
            let StoreTransaction { key, id, entry } = store;
            // What is there of a store that is no more.
            let old = async {
                if entry.creates() {
                    ledger_objects(bucket, key, Some(id)).await
                } else {
                    Ok(Vec::new())
                }
            };
            let (put, old) = join!(entry.put(bucket, key, id, Stage::Open), old);
            put?;
            let cleared = remove(bucket, old?).await;
            cleared.or_else(CleanupError::first)
        });
        let opened: Result<(), StoreError> = opened.await.into_iter().collect();
        self.0.passed(opened, Stage::Open).map(OpenTransaction)
    }
}

impl<'a> TransactionTerms<'a> {
    /// For a transaction of documents alone, which cannot be undone.
    pub(super) fn of_documents(
        command: &'a str,
        holder: &'a Writer,
        run: &'a CommandRun,
        guarantees: &'a Guarantees,
    ) -> Self {
        Self {
            command,
            holder,
            run,
            digest: "",
            guarantees,
            keep_undo: 0,
            of_parts: false,
        }
    }

    fn entry(&self, root: Document) -> JournalEntry {
        let mut entry = JournalEntry::new(self.command, self.holder, self.digest, root);
        entry.run = Some(self.run.clone());
        entry.keep_undo = self.keep_undo;
        entry
    }
}

/// What the journal says of the plan's store `index`, with what is there now.
async fn entry(
    bucket: &Bucket,
    plan: &Plan,
    index: usize,
    opening: &TransactionTerms<'_>,
) -> Result<JournalEntry, StoreError> {
    let store = &plan.stores[index];
    let root = Document {
        key: store.root_key.clone(),
        before: store.old_root.clone(),
        after: store.new_root.clone(),
    };
    let mut entry = opening.entry(root);
    if opening.of_parts {
        (entry.parts, entry.arrays) = WrittenBoxes::in_parts(plan, index);
    } else {
        entry.arrays = WrittenBoxes::of(plan, index);
    }
    entry.files = FileSpan::of(&plan.files);
    entry.is_addition = plan.only_adds_to(index);
    entry.moves = plan.moves_steps();
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
async fn before(
    bucket: &Bucket,
    store: &str,
) -> Result<(Option<LastTransaction>, u64), StoreError> {
    // What is recorded counts: the record of the last one may be lost or damaged, or the store another tool's. Where there are many, those
    // before it need not be listed.
    let folder = layout::transactions(store);
    let first = bucket.entries(&folder).map_ok(|entry| entry.key).take(PAGE);
    let (previous, mut records): (_, Vec<String>) = try_join!(
        LastTransaction::of_store(bucket, store),
        first.try_collect()
    )?;
    if records.len() == PAGE {
        records = match &previous {
            Some(previous) => {
                let before = before_ids_of(previous.transaction);
                let after = layout::below(&folder, &before);
                bucket.list_after(&folder, &after).await?
            }
            None => Vec::new(),
        };
        if records.is_empty() {
            records = bucket.list(&folder).await?;
        }
    }
    let ids = records.iter().filter_map(|key| key.rsplit('/').next());
    let last = ids.filter(|id| is_id(id)).filter_map(number_of).max();
    let last = last.or(previous.as_ref().map(|previous| previous.transaction));
    Ok((previous, last.unwrap_or(0).saturating_add(1)))
}
