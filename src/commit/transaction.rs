//! A transaction of all stores of a plan, as the ledgers see it: each of its states is a type that offers only what may come next.
//! Rank 0's.
//!
//! Key types: [`OpenTransaction`], [`RecordedTransaction`], [`PreparedTransaction`], [`CommittedTransaction`]; or
//! [`AbortedTransaction`], which has to go back.

use futures::{StreamExt, join, stream};
use msm_plan::Plan;

use super::aborted::{Abort, AbortedTransaction, TransactionError};
use super::cleanup::CleanupError;
use super::forward::{finish, go_forward, put_documents, put_root};
use super::journal::{JournalEntry, Stage};
use super::lease::{LeaseError, Leases};
use super::ledger::LastTransaction;
use super::manifest::Manifest;
use super::parts::ToldManifest;
use super::put_back::DocumentState;
use super::removal::Removal;
use super::transaction_id::number_of;
use super::unfinished::UnfinishedTransaction;
use crate::store::{Bucket, Guarantees, KeptProbe, REQUESTS, StoreError};
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
        let server = KeptProbe::of(stores.bucket, &stores.guarantees);
        for (index, StoreTransaction { id, entry, .. }) in stores.parts.iter_mut().enumerate() {
            let number = number_of(id).unwrap_or(1);
            let previous = entry.previous.as_ref();
            let command = &entry.command;
            let record = LastTransaction::new(plan, index, manifest, command, number, previous);
            entry.record = Some(LastTransaction {
                server: server.clone(),
                ..record
            });
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
            let nothing = ToldManifest::default();
            let prepared = self.recorded().prepare(&nothing).await?;
            // Who changes documents alone has looked at the leases.
            let no_more = || std::future::ready(Ok(()));
            prepared.go_live(Verification::Full, no_more).await
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
    /// Prepares it, and puts all documents: when it returns `Ok`, every reader sees the new stores. The `leases` are looked at before
    /// each step that another job would go forward from; before the first they were `checked`. That the `manifest` is there, as it was
    /// put, is seen before any document.
    ///
    /// # Errors
    /// If a lease is ours no more, or a document cannot be put or does not read back, or another program has changed a root
    /// meanwhile.
    pub(crate) async fn commit(
        self,
        manifest: &ToldManifest,
        checked: Result<(), LeaseError>,
        leases: &Leases,
        verify: Verification,
    ) -> Result<CommittedTransaction<'a>, Box<Abort<'a>>> {
        let recorded = Self(self.0.passed(checked, Stage::Open)?);
        let prepared = recorded.prepare(manifest).await?;
        prepared.go_live(verify, || leases.check()).await
    }

    /// Says in the journals that all objects are in place: from here on, whoever comes goes forward.
    ///
    /// # Errors
    /// If one cannot be written, or the `manifest` does not read back.
    async fn prepare(
        self,
        manifest: &ToldManifest,
    ) -> Result<PreparedTransaction<'a>, Box<Abort<'a>>> {
        let Stores { bucket, .. } = self.0;
        let told = self.0.each(async |store| {
            let StoreTransaction { key, id, entry } = store;
            entry.tell(bucket, key, id, Stage::Prepared).await
        });
        let (told, manifest) = join!(told, manifest.is_there(bucket));
        let told: Result<(), StoreError> = told.into_iter().collect();
        self.0
            .passed(told.and(manifest), Stage::Prepared)
            .map(PreparedTransaction)
    }
}

impl<'a> PreparedTransaction<'a> {
    /// Puts the documents of all stores, the roots last, when the leases were looked at by `check`: whoever took one over has brought the
    /// transaction to its end, one way or the other. What does not need another's answer is asked for at the same time: on a far server,
    /// each request in a row is felt.
    ///
    /// # Errors
    /// If a journal or a document cannot be put or does not read back, as `check`, or if another program has changed a root meanwhile.
    async fn go_live<C: Future<Output = Result<(), LeaseError>>>(
        self,
        verify: Verification,
        check: impl FnOnce() -> C,
    ) -> Result<CommittedTransaction<'a>, Box<Abort<'a>>> {
        let Stores {
            bucket, guarantees, ..
        } = &self.0;
        let put =
            async |store: &StoreTransaction| put_documents(bucket, &store.entry, verify).await;
        let looks = async {
            let told = self.0.each(async |store| {
                let StoreTransaction { key, id, entry } = store;
                entry.is_told(bucket, key, id, Stage::Prepared).await
            });
            let told: Result<(), StoreError> = told.await.into_iter().collect();
            told?;
            let roots = self.0.parts.iter();
            let roots = roots.map(|store| DocumentState::of(bucket, &store.entry.root));
            let roots = stream::iter(roots).buffered(REQUESTS).collect::<Vec<_>>();
            let (checked, roots) = join!(check(), roots);
            checked?;
            let roots: Result<Vec<_>, StoreError> = roots.into_iter().collect();
            Ok::<_, TransactionError>(roots?)
        };
        // All of it ends before an error is passed on, so that an undo comes after the last request.
        let (put, looked) = join!(self.0.each(put), looks);
        let put: Result<(), StoreError> = put.into_iter().collect();
        let roots = match put.map_err(TransactionError::from).and(looked) {
            Ok(roots) => roots,
            Err(error) => return Err(self.aborted(error)),
        };
        let puts = self.0.parts.iter().zip(roots);
        let puts = puts.map(|(store, now)| put_root(bucket, &store.entry, now, verify, guarantees));
        let put: Vec<_> = stream::iter(puts)
            .buffer_unordered(REQUESTS)
            .collect()
            .await;
        match put.into_iter().collect::<Result<(), StoreError>>() {
            Ok(()) => Ok(CommittedTransaction(self.0)),
            Err(error) => Err(self.aborted(error.into())),
        }
    }

    /// It has to go back, because of this `error`.
    fn aborted(self, error: TransactionError) -> Box<Abort<'a>> {
        Box::new(Abort {
            error,
            transaction: AbortedTransaction {
                stores: self.0,
                stage: Stage::Prepared,
            },
        })
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
