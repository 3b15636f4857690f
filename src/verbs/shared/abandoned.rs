//! What dead jobs left in the stores of a command. What can only go one way is healed at once; a transaction that was open
//! may be resumed, and goes back if it is not.
//!
//! Key type: [`AbandonedTransactions`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use futures::{StreamExt, TryStreamExt, stream};
use msm_plan::Plan;

use crate::commit::{
    Healed, Journal, Stage, UnfinishedTransaction, UnfinishedWork, heal, read_journal,
    sweep_journal, sweep_staged,
};
use crate::error::Error;
use crate::events::{Event, Outcome, TransactionIdentity};
use crate::session::Session;
use crate::store::REQUESTS;
use crate::store::{Bucket, Guarantees, StoreError};
use crate::verbs::shared::error::WritingError;

/// Open transactions that dead jobs left, by store.
pub(in crate::verbs) struct AbandonedTransactions {
    guarantees: Guarantees,
    /// As they were found, before anything was healed.
    journals: Vec<(String, Journal)>,
    open: BTreeMap<String, UnfinishedTransaction>,
    /// Has anything been healed?
    healed: bool,
    /// Stores that are gone with what was healed.
    gone: Vec<String>,
    /// Stores of which a transaction that had not ended was rolled back, each with the id of its command, if that is known.
    undone: Vec<(String, Option<String>)>,
    /// Stores and transactions of the rollbacks that have been gone on with, whether or not that was begun in each of them.
    rollback: Vec<(String, String)>,
    /// Stores of which objects may lie there before there is a store.
    expected: BTreeSet<String>,
}

impl AbandonedTransactions {
    /// Nothing is known to be left.
    pub(crate) fn nothing(guarantees: &Guarantees) -> Self {
        Self {
            guarantees: guarantees.clone(),
            journals: Vec::new(),
            open: BTreeMap::new(),
            healed: false,
            gone: Vec::new(),
            undone: Vec::new(),
            rollback: Vec::new(),
            expected: BTreeSet::new(),
        }
    }

    /// Of these `stores`, objects may lie there before there is a store: parts of an archive.
    pub(crate) fn expect(&mut self, stores: &[String]) {
        self.expected.extend(stores.iter().cloned());
    }

    /// Looks at `stores`, whose leases are held.
    ///
    /// # Errors
    /// If what is there cannot be read, or may still run.
    pub(crate) async fn find(
        &mut self,
        bucket: &Bucket,
        stores: &[String],
        lock_dir: Option<&Path>,
    ) -> Result<(), Error> {
        let all = journals(bucket, stores).await?;
        Error::together(all.iter().flat_map(|(store, found)| {
            let locked = found.unfinished.iter().filter(|t| is_locked(t, lock_dir));
            locked.map(move |unfinished| WritingError::Locked {
                store: store.clone(),
                transaction: unended(unfinished),
                lock_dir: unfinished.writer().lock_dir.clone().unwrap_or_default(),
            })
        }))?;
        self.journals = all;
        Ok(())
    }

    /// Heals what can only go one way, and says so.
    ///
    /// # Errors
    /// If it cannot be healed.
    pub(crate) async fn heal_what_is_decided(
        &mut self,
        session: &Session<'_>,
    ) -> Result<(), Error> {
        let bucket = &session.bucket;
        for (store, found) in std::mem::take(&mut self.journals) {
            sweep_journal(bucket, found.strays).await?;
            sweep_staged(bucket, &store).await?;
            let mut unfinished = found.unfinished;
            // With the store goes what was done to it before.
            if unfinished.iter().any(UnfinishedWork::is_delete) {
                unfinished.retain(UnfinishedWork::is_delete);
            }
            // They are undone in the order in which they were not done.
            if (unfinished.iter()).all(|one| matches!(one, UnfinishedWork::Rollback(_))) {
                unfinished.reverse();
            }
            let last = unfinished.len().saturating_sub(1);
            for (index, unfinished) in unfinished.into_iter().enumerate() {
                match unfinished {
                    UnfinishedWork::Transaction(open)
                        if index == last && open.stage == Stage::Open && !open.entry.moves =>
                    {
                        self.open.insert(store.clone(), open);
                    }
                    decided => self.heal_one(session, store.clone(), &decided).await?,
                }
            }
        }
        Ok(())
    }

    /// Has anything been healed?
    pub(crate) fn has_healed(&self) -> bool {
        self.healed
    }

    /// Is this store gone with what was healed?
    pub(crate) fn is_gone(&self, store: &String) -> bool {
        self.gone.contains(store)
    }

    /// The stores of which a transaction that had not ended has been rolled back, each with the id of its command, if that is known.
    pub(crate) fn undone(&self) -> &[(String, Option<String>)] {
        &self.undone
    }

    /// The stores and transactions of the rollback that has been gone on with; none if there was none.
    pub(crate) fn rollback(&self) -> &[(String, String)] {
        &self.rollback
    }

    /// Is there none?
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Was this store left so? Or do parts of an archive lie there?
    pub(crate) fn has(&self, store: &str) -> bool {
        self.open.contains_key(store) || self.expected.contains(store)
    }

    /// Takes what `plan`, which has this digest, goes on with, a place for each of its stores; `None` if the plan is
    /// another.
    pub(crate) fn resumed(
        &mut self,
        plan: &Plan,
        digest: &str,
    ) -> Option<Vec<Option<UnfinishedTransaction>>> {
        let of_plan = |left: &UnfinishedTransaction| left.entry.digest == digest;
        if self.open.is_empty() || !self.open.values().all(of_plan) {
            return None;
        }
        let keys = plan.stores.iter().map(|store| &store.key);
        Some(keys.map(|key| self.open.remove(key)).collect())
    }

    /// Rolls all of them back, and says so.
    ///
    /// # Errors
    /// If that cannot be done; then they are left as they are.
    pub(crate) async fn heal(&mut self, session: &Session<'_>) -> Result<(), Error> {
        for (store, transaction) in std::mem::take(&mut self.open) {
            let unfinished = UnfinishedWork::Transaction(transaction);
            self.heal_one(session, store, &unfinished).await?;
        }
        Ok(())
    }

    async fn heal_one(
        &mut self,
        session: &Session<'_>,
        store: String,
        unfinished: &UnfinishedWork,
    ) -> Result<(), Error> {
        self.healed = true;
        let healed = heal_one(session, &store, unfinished, &self.guarantees).await?;
        if healed == Healed::Ended
            && let UnfinishedWork::Transaction(transaction) = unfinished
            && transaction.stage != Stage::Prepared
        {
            let run = transaction.entry.run.as_ref();
            self.undone
                .push((store.clone(), run.map(|run| run.id.clone())));
        }
        match unfinished {
            _ if healed == Healed::NeverBegun => {}
            UnfinishedWork::Transaction(UnfinishedTransaction { stage, entry, .. })
                if *stage == Stage::Prepared || !entry.creates() => {}
            UnfinishedWork::Transaction(_) | UnfinishedWork::Delete { .. } => self.gone.push(store),
            UnfinishedWork::Rollback(rollback) => {
                let together = rollback.entry.rollback.iter().flatten();
                for undone in together {
                    if !self.rollback.contains(undone) {
                        self.rollback.push(undone.clone());
                    }
                }
            }
        }
        Ok(())
    }
}

/// Does only a lock in another directory than `lock_dir` tell whether the transaction still runs?
pub(in crate::verbs) fn is_locked(unfinished: &UnfinishedWork, lock_dir: Option<&Path>) -> bool {
    let asked = unfinished.writer().lock_dir.as_deref();
    asked.is_some() && asked != lock_dir
}

/// The journals of `stores`; those that are empty are left out.
pub(in crate::verbs) async fn journals(
    bucket: &Bucket,
    stores: &[String],
) -> Result<Vec<(String, Journal)>, StoreError> {
    let found = stream::iter(stores).map(|store| async move {
        let found = read_journal(bucket, store).await?;
        Ok::<_, StoreError>((store.clone(), found))
    });
    let found: Vec<_> = found.buffered(REQUESTS).try_collect().await?;
    let some = |(_, found): &(String, Journal)| *found != Journal::default();
    Ok(found.into_iter().filter(some).collect())
}

/// Heals one, and says so.
///
/// # Errors
/// If it cannot be healed.
async fn heal_one(
    session: &Session<'_>,
    store: &str,
    unfinished: &UnfinishedWork,
    guarantees: &Guarantees,
) -> Result<Healed, Error> {
    let what = unended(unfinished);
    session.tell(&Event::Healing {
        store: store.to_owned(),
        transaction: what.clone(),
    });
    let healed = heal(&session.bucket, store, unfinished, guarantees).await;
    let healed = healed.map_err(|cause| WritingError::NotHealed {
        store: store.to_owned(),
        transaction: what.clone(),
        cause,
    })?;
    session.tell(&Event::Healed {
        store: store.to_owned(),
        transaction: what,
        outcome: match healed {
            Healed::Ended => outcome(unfinished),
            Healed::NeverBegun => Outcome::NeverBegun,
        },
    });
    Ok(healed)
}

/// What has not ended, as others are told of it.
pub(in crate::verbs) fn unended(unfinished: &UnfinishedWork) -> TransactionIdentity {
    TransactionIdentity {
        id: unfinished.id().to_owned(),
        command: unfinished.command().to_owned(),
        holder: unfinished.writer().name.clone(),
    }
}

/// How it ends when it is healed.
pub(in crate::verbs) fn outcome(unfinished: &UnfinishedWork) -> Outcome {
    match unfinished {
        UnfinishedWork::Delete { .. } => Outcome::Deleted,
        UnfinishedWork::Transaction(transaction) if transaction.stage == Stage::Prepared => {
            Outcome::Finished
        }
        UnfinishedWork::Transaction(_) | UnfinishedWork::Rollback(_) => Outcome::RolledBack,
    }
}
