//! A transaction of all stores of a plan, as the ledgers see it: each of its states is a type that offers only what may come next.
//! Rank 0's.
//!
//! Key types: [`OpenTransaction`], [`RecordedTransaction`], [`PreparedTransaction`], [`CommittedTransaction`]; or
//! [`AbortedTransaction`], which has to go back.

use futures::{StreamExt, stream};
use msm_plan::Plan;

use super::aborted::{Abort, AbortedTransaction, TransactionError};
use super::cleanup::CleanupError;
use super::forward::{finish, go_forward, put_documents, put_root};
use super::journal::{JournalEntry, Stage};
use super::lease::Leases;
use super::ledger::LastTransaction;
use super::manifest::Manifest;
use super::removal::Removal;
use super::transaction_id::number_of;
use super::unfinished::UnfinishedTransaction;
use crate::store::{Bucket, Guarantees, REQUESTS, StoreError};
use crate::transfer::Verification;

/// The part of a transaction that is of one store.
pub(super) struct StoreTransaction {
    pub key: String,
    pub id: String,
    pub entry: JournalEntry,
}

/// What a transaction has in each of its states.
pub(super) struct Stores<'a> {
    pub bucket: &'a Bucket,
    pub guarantees: Guarantees,
    pub parts: Vec<StoreTransaction>,
}

/// The journals say what is going to be written or removed, and objects may be, where no reader sees them or with a copy of what
/// was there.
pub(crate) struct OpenTransaction<'a>(pub(super) Stores<'a>);

/// All objects are in place, and what the ledgers will say of them is known.
pub(crate) struct RecordedTransaction<'a>(Stores<'a>);

/// The journals say that all objects are in place: whoever comes goes forward.
pub(crate) struct PreparedTransaction<'a>(pub(super) Stores<'a>);

/// Every reader sees the stores as they are to be; only the ledgers are left to be tidied.
pub(crate) struct CommittedTransaction<'a>(Stores<'a>);

impl<'a> Stores<'a> {
    /// Goes on with it if that was `done`; what failed after this stage has to go back.
    pub(super) fn passed(
        self,
        done: Result<(), impl Into<TransactionError>>,
        stage: Stage,
    ) -> Result<Self, Box<Abort<'a>>> {
        match done {
            Ok(()) => Ok(self),
            Err(error) => Err(Box::new(Abort {
                error: error.into(),
                transaction: AbortedTransaction {
                    stores: self,
                    stage,
                },
            })),
        }
    }

    /// That of `store` which was found.
    pub(super) fn found(
        bucket: &'a Bucket,
        guarantees: &Guarantees,
        store: &str,
        id: &str,
        entry: &JournalEntry,
    ) -> Self {
        Self {
            bucket,
            guarantees: guarantees.clone(),
            parts: vec![StoreTransaction {
                key: store.to_owned(),
                id: id.to_owned(),
                entry: entry.clone(),
            }],
        }
    }

    /// Does `work` for every store. All of it ends before an error is passed on, so that an undo comes after the last
    /// request.
    pub(super) async fn each<E>(
        &self,
        work: impl AsyncFn(&StoreTransaction) -> Result<(), E>,
    ) -> Vec<Result<(), E>> {
        let work = &work;
        stream::iter(&self.parts)
            .map(|store| async move { work(store).await })
            .buffer_unordered(REQUESTS)
            .collect()
            .await
    }
}

impl<'a> OpenTransaction<'a> {
    /// Those of `remains`, objects at the places of stores that are created, that this transaction has not put itself before
    /// it was `resumed`.
    ///
    /// # Errors
    /// If an array's document is not one that this program can write.
    pub(crate) fn strays(
        &self,
        remains: &[String],
        resumed: &[Option<UnfinishedTransaction>],
    ) -> Result<Vec<String>, StoreError> {
        let mut own = Vec::new();
        for (StoreTransaction { key, entry, .. }, resumed) in self.0.parts.iter().zip(resumed) {
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

    /// All objects are in place, as `manifest` tells.
    #[must_use]
    pub(crate) fn record(self, plan: &Plan, manifest: &Manifest) -> RecordedTransaction<'a> {
        let Self(mut stores) = self;
        for (index, StoreTransaction { id, entry, .. }) in stores.parts.iter_mut().enumerate() {
            let number = number_of(id).unwrap_or(1);
            let previous = entry.previous.as_ref();
            let command = &entry.command;
            let record = LastTransaction::new(plan, index, manifest, command, number, previous);
            entry.record = Some(record);
        }
        RecordedTransaction(stores)
    }

    /// Keeps what goes. These are the transaction's `removals`.
    ///
    /// # Errors
    /// As the server says, or if an object that has to be cut cannot be decoded.
    pub(crate) async fn keep(
        self,
        removals: &[Removal],
    ) -> Result<RecordedTransaction<'a>, Box<Abort<'a>>> {
        let Self(mut stores) = self;
        let mut kept = Ok(());
        for (store, removal) in stores.parts.iter_mut().zip(removals) {
            let StoreTransaction { id, entry, .. } = store;
            let root = &entry.root;
            match removal.save(stores.bucket, id, entry.keep_undo > 0).await {
                Ok(changes) => {
                    let mut record = LastTransaction::of_roots(
                        root.before.as_deref(),
                        &root.after,
                        &entry.command,
                        number_of(id).unwrap_or(1),
                        entry.previous.as_ref(),
                        [changes.stored, changes.replaced],
                    );
                    record.steps = removal.steps;
                    entry.record = Some(record);
                }
                Err(error) => {
                    kept = Err(error);
                    break;
                }
            }
        }
        stores.passed(kept, Stage::Open).map(RecordedTransaction)
    }

    /// The record is in the journal already.
    pub(super) fn recorded(self) -> RecordedTransaction<'a> {
        RecordedTransaction(self.0)
    }

    /// Commits what changes documents only.
    ///
    /// # Errors
    /// As the server says; whoever comes next brings it to an end.
    pub(super) async fn commit_documents(
        self,
    ) -> Result<CommittedTransaction<'a>, TransactionError> {
        let committed = async {
            let prepared = self.recorded().prepare().await?;
            let documented = prepared.put_documents(Verification::Full).await?;
            documented.put_roots(Verification::Full).await
        };
        committed.await.map_err(|abort: Box<Abort>| abort.error)
    }
}

/// It has to go back.
impl<'a> From<OpenTransaction<'a>> for AbortedTransaction<'a> {
    fn from(open: OpenTransaction<'a>) -> Self {
        Self {
            stores: open.0,
            stage: Stage::Open,
        }
    }
}

impl<'a> RecordedTransaction<'a> {
    /// Says in the journals that all objects are in place: from here on, whoever comes goes forward.
    ///
    /// # Errors
    /// If one cannot be written.
    pub(crate) async fn prepare(self) -> Result<PreparedTransaction<'a>, Box<Abort<'a>>> {
        let Stores { bucket, .. } = self.0;
        let put = self.0.each(async |store| {
            let StoreTransaction { key, id, entry } = store;
            entry.put(bucket, key, id, Stage::Prepared).await
        });
        let put: Result<(), StoreError> = put.await.into_iter().collect();
        self.0.passed(put, Stage::Prepared).map(PreparedTransaction)
    }

    /// Prepares it, and puts all documents: when it returns `Ok`, every reader sees the new stores. The `leases` are looked at before
    /// each step that another job would go forward from.
    ///
    /// # Errors
    /// If a lease is ours no more, or a document cannot be put or does not read back, or another program has changed a root
    /// meanwhile.
    pub(crate) async fn commit(
        self,
        leases: &Leases,
        verify: Verification,
    ) -> Result<CommittedTransaction<'a>, Box<Abort<'a>>> {
        let checked = leases.check().await;
        let recorded = Self(self.0.passed(checked, Stage::Open)?);
        let prepared = recorded.prepare().await?;
        let prepared = prepared.put_documents(verify).await?;
        // Whoever took the lease over has brought the transaction to its end, one way or the other.
        let checked = leases.check().await;
        let prepared = PreparedTransaction(prepared.0.passed(checked, Stage::Prepared)?);
        prepared.put_roots(verify).await
    }
}

impl<'a> PreparedTransaction<'a> {
    /// Puts the documents of all stores but for the roots.
    ///
    /// # Errors
    /// If a document cannot be put or does not read back.
    pub(crate) async fn put_documents(self, verify: Verification) -> Result<Self, Box<Abort<'a>>> {
        let Stores { bucket, .. } = self.0;
        let put =
            async |store: &StoreTransaction| put_documents(bucket, &store.entry, verify).await;
        let put: Result<(), StoreError> = self.0.each(put).await.into_iter().collect();
        self.0.passed(put, Stage::Prepared).map(Self)
    }

    /// Puts the root of each store.
    ///
    /// # Errors
    /// As [`PreparedTransaction::put_documents`]; or if another program has changed a root meanwhile.
    pub(crate) async fn put_roots(
        self,
        verify: Verification,
    ) -> Result<CommittedTransaction<'a>, Box<Abort<'a>>> {
        let Stores {
            bucket, guarantees, ..
        } = &self.0;
        let put = async |store: &StoreTransaction| {
            put_root(bucket, &store.entry, verify, guarantees).await
        };
        let put: Result<(), StoreError> = self.0.each(put).await.into_iter().collect();
        self.0
            .passed(put, Stage::Prepared)
            .map(CommittedTransaction)
    }

    /// Brings it to its end, wherever in between it was left.
    ///
    /// # Errors
    /// With what could not be done; whoever comes next goes on with it.
    pub(crate) async fn go_forward(self) -> Result<(), CleanupError> {
        let Stores {
            bucket, guarantees, ..
        } = &self.0;
        let forward = async |store: &StoreTransaction| {
            let StoreTransaction { key, id, entry } = store;
            go_forward(bucket, key, id, entry, guarantees).await
        };
        CleanupError::together(self.0.each(forward).await)
    }
}

impl CommittedTransaction<'_> {
    /// After the commit: the ledgers' records.
    ///
    /// # Errors
    /// With what could not be done, not at the second time either; whoever comes next does it, and until then no other
    /// transaction may follow.
    pub(crate) async fn finish(self) -> Result<(), CleanupError> {
        let Stores { bucket, .. } = self.0;
        let finish = async |store: &StoreTransaction| {
            let StoreTransaction { key, id, entry } = store;
            match finish(bucket, key, id, entry).await {
                Ok(()) => Ok(()),
                Err(_) => finish(bucket, key, id, entry).await,
            }
        };
        CleanupError::together(self.0.each(finish).await)
    }
}
