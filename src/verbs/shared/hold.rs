//! Rank 0: the leases of the stores that a command writes, and what dead jobs left in them.
//!
//! Key types: [`Hold`]; [`Leasing`], how it is got.

use std::path::PathBuf;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, join, stream};
use msm_zarr::layout;

use crate::commit::{
    CommandRun, Holder, LastTransaction, LeaseError, LeaseSettings, LeaseTimes, Leases,
    SharedArchive, Writer, overwrite, probe_and_sweep,
};
use crate::error::Error;
use crate::events::{Event, WorkKind};
use crate::session::Session;
use crate::store::{
    Bucket, Guarantees, ListedObject, Overwritten, ProbeObjects, REQUESTS, StoreError,
};
use crate::verbs::shared::abandoned::AbandonedTransactions;
use crate::verbs::shared::error::WritingError;

/// How the leases of stores are got.
#[derive(Clone, Debug)]
pub struct Leasing {
    /// A directory that all jobs share, in which a file is locked for each store, besides its lease in the object store. By the
    /// name that it has for everybody on this machine.
    pub lock_dir: Option<PathBuf>,
    /// How long to wait for another job that holds a store.
    pub wait: Duration,
}

/// No directory, and two minutes.
impl Default for Leasing {
    fn default() -> Self {
        Self {
            lock_dir: None,
            wait: Duration::from_mins(2),
        }
    }
}

/// Stores that no other job writes.
pub(in crate::verbs) struct Hold {
    /// The leases.
    pub leases: Leases,
    /// What the server was found to guarantee.
    pub guarantees: Guarantees,
    /// Who this is, for the journal.
    pub holder: Writer,
    /// The command that this is, for who wants to undo it.
    pub run: CommandRun,
    /// Transactions that dead jobs left open.
    pub left: AbandonedTransactions,
}

impl Hold {
    /// Takes the leases of `stores` for `command`, and heals what can only go one way.
    ///
    /// # Errors
    /// If another job holds one of them, or an archive is being sent into it by many, or the server refuses.
    pub(crate) async fn take(
        session: &Session<'_>,
        leasing: &Leasing,
        stores: &[String],
        command: &str,
    ) -> Result<Self, Error> {
        let nothing = std::future::ready(());
        let (hold, _) = Self::take_and(session, leasing, stores, command, nothing).await?;
        Ok(hold)
    }

    /// The same, and what a `look` at the stores shows that is taken meanwhile; `None` where something was healed or what was healed may still
    /// look as it did.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub(crate) async fn take_and<T>(
        session: &Session<'_>,
        leasing: &Leasing,
        stores: &[String],
        command: &str,
        look: impl Future<Output = T>,
    ) -> Result<(Self, Option<T>), Error> {
        let (mut hold, overwritten) =
            match Self::lease_as_known(session, leasing, stores, command).await? {
                Some((hold, overwritten)) => (hold, Some(overwritten)),
                None => (
                    Self::take_as_it_is(session, leasing, stores, command).await?,
                    None,
                ),
            };
        let desk = session.bucket.unfenced()?;
        let lags = async {
            match overwritten {
                Some(overwritten) => Ok(!overwritten.reads_back(&desk).await?),
                None => Ok::<_, StoreError>(false),
            }
        };
        let lock_dir = leasing.lock_dir.as_deref();
        let (found, looked, seen, lags) = join!(
            hold.left.find(&session.bucket, stores, lock_dir),
            none_shared(&session.bucket, stores),
            look,
            lags
        );
        match lags {
            Ok(false) => {}
            // It did not when it was probed. What was seen of the stores may be old.
            Ok(true) => {
                hold.release(session).await;
                let hold = Self::take_as_it_is(session, leasing, stores, command).await?;
                let hold = hold.healed(session, leasing, stores).await?;
                let looked = none_shared(&session.bucket, stores).await;
                return Ok((hold.unless(session, looked).await?, None));
            }
            Err(failure) => return Err(hold.give_up(session, failure.into()).await),
        }
        let hold = hold.with_decided_healed(session, found).await?;
        let is_as_seen = !hold.left.has_healed() && hold.guarantees.lag.is_none();
        let hold = hold.unless(session, looked).await?;
        Ok((hold, is_as_seen.then_some(seen)))
    }

    /// This one; gives it up if something `failed`.
    async fn unless(self, session: &Session<'_>, failed: Result<(), Error>) -> Result<Self, Error> {
        match failed {
            Ok(()) => Ok(self),
            Err(failure) => Err(self.give_up(session, failure).await),
        }
    }

    /// The same for who goes on with an archive that many jobs send into these stores. What the server guarantees may be `known`.
    ///
    /// # Errors
    /// If another job holds one of them, or the server refuses.
    pub(crate) async fn take_shared(
        session: &Session<'_>,
        leasing: &Leasing,
        stores: &[String],
        command: &str,
        known: Option<&Guarantees>,
    ) -> Result<Self, Error> {
        let hold = Self::lease(session, leasing, stores, command, known).await?;
        hold.healed(session, leasing, stores).await
    }

    /// Heals what can only go one way.
    async fn healed(
        mut self,
        session: &Session<'_>,
        leasing: &Leasing,
        stores: &[String],
    ) -> Result<Self, Error> {
        let lock_dir = leasing.lock_dir.as_deref();
        let found = self.left.find(&session.bucket, stores, lock_dir).await;
        self.with_decided_healed(session, found).await
    }

    /// The same, when it has been looked for.
    async fn with_decided_healed(
        mut self,
        session: &Session<'_>,
        found: Result<(), Error>,
    ) -> Result<Self, Error> {
        let healed = async {
            found?;
            self.left.heal_what_is_decided(session).await?;
            // What was healed may still look as it did.
            self.wait_for_reads().await;
            Ok(())
        };
        let healed = healed.await;
        self.unless(session, healed).await
    }

    /// Gives up the leases; returns why.
    pub(crate) async fn give_up(self, session: &Session<'_>, failure: Error) -> Error {
        let failure = self.verdict(failure);
        self.release(session).await;
        failure
    }

    /// The leases, without a look at what is left: for who wants nothing that is there.
    ///
    /// # Errors
    /// If another job holds one of them, or the server refuses.
    pub(crate) async fn take_as_it_is(
        session: &Session<'_>,
        leasing: &Leasing,
        stores: &[String],
        command: &str,
    ) -> Result<Self, Error> {
        Self::lease(session, leasing, stores, command, None).await
    }

    /// The leases of `stores`. What the server guarantees is probed, unless it is `known`.
    ///
    /// # Errors
    /// If another job holds one of them, or the server refuses.
    pub(crate) async fn lease(
        session: &Session<'_>,
        leasing: &Leasing,
        stores: &[String],
        command: &str,
        known: Option<&Guarantees>,
    ) -> Result<Self, Error> {
        let holder = this(session, command)?;
        let (guarantees, probed) = if let Some(known) = known {
            (known.clone(), None)
        } else {
            let (found, objects) = probe(session, stores, &holder).await?;
            (found, Some(objects))
        };
        let settings = leasing.settings(&guarantees);
        let reporter = &*session.reporter;
        let leasing_work = session.work_unmeasured(WorkKind::Leasing);
        let (leases, removed) = join!(
            Leases::acquire(&session.bucket, stores, &settings, &holder, reporter),
            remove_probe(session, probed)
        );
        let hold = Self::with(leases?, guarantees, &holder, leasing);
        if let Err(failure) = removed {
            return Err(hold.give_up(session, failure.into()).await);
        }
        hold.wait_for_reads().await;
        drop(leasing_work);
        Ok(hold)
    }

    fn with(leases: Leases, guarantees: Guarantees, holder: &Holder, leasing: &Leasing) -> Self {
        Self {
            leases,
            left: AbandonedTransactions::nothing(&guarantees),
            guarantees,
            run: CommandRun::new(holder),
            holder: Writer {
                name: holder.to_string(),
                lock_dir: leasing.lock_dir.clone(),
            },
        }
    }

    /// The leases of `stores` by what the ledger of the first of them keeps of the server, and an object that tells whether its reads lag
    /// behind; `None` if the ledger keeps nothing of use, or what is met is something else: then the server is probed.
    async fn lease_as_known(
        session: &Session<'_>,
        leasing: &Leasing,
        stores: &[String],
        command: &str,
    ) -> Result<Option<(Self, Overwritten)>, Error> {
        let (bucket, holder) = (&session.bucket, this(session, command)?);
        let Some(first) = stores.first() else {
            return Ok(None);
        };
        let ledgers = layout::below(folder_of(stores), layout::LEDGERS);
        let claims = stores.iter().map(|store| async move {
            let leases = layout::leases(store);
            bucket.entries(&leases).try_next().await
        });
        let claims = stream::iter(claims).buffered(REQUESTS).try_collect();
        let (record, listed, claims) = join!(
            LastTransaction::of_store(bucket, first),
            bucket.folder(&ledgers),
            claims
        );
        let claims: Result<Vec<Option<ListedObject>>, StoreError> = claims;
        // What keeps them from being read is told where it matters.
        let (Ok(Some(record)), Ok(listed), Ok(claims)) = (record, listed, claims) else {
            return Ok(None);
        };
        // Who has to wait for another, or to tell how old a claim or a probe is, needs the server's clock.
        let is_clear = listed.objects.is_empty() && claims.iter().all(Option::is_none);
        let kept = record.server.and_then(|server| server.guarantees(bucket));
        let Some(guarantees) = kept.filter(|_| is_clear) else {
            return Ok(None);
        };
        let settings = LeaseSettings {
            wait: Duration::ZERO,
            kept: true,
            ..leasing.settings(&guarantees)
        };
        let reporter = &*session.reporter;
        let desk = bucket.unfenced()?;
        let (leases, overwritten) = join!(
            Leases::acquire(bucket, stores, &settings, &holder, reporter),
            overwrite(&desk, folder_of(stores), &holder)
        );
        let hold = leases.map(|leases| Self::with(leases, guarantees, &holder, leasing));
        // Whatever is in the way is met again, and told, once the server has been probed.
        match (hold, overwritten) {
            (Ok(hold), Ok(overwritten)) => return Ok(Some((hold, overwritten))),
            (Ok(hold), Err(_)) => hold.release(session).await,
            (Err(_), Ok(overwritten)) => overwritten.remove(&desk).await?,
            (Err(_), Err(_)) => {}
        }
        Ok(None)
    }

    /// Does `work` while the leases of `stores` are held, when what dead jobs left in them is healed.
    ///
    /// # Errors
    /// As [`Self::take`]; if something cannot be healed; as `work`.
    pub(crate) async fn during<T>(
        session: &Session<'_>,
        leasing: &Leasing,
        stores: &[String],
        command: &str,
        work: impl AsyncFnOnce(&Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let hold = Self::take(session, leasing, stores, command).await?;
        hold.work(session, work).await
    }

    /// The same, also while many jobs send an archive into the stores: what they have put out of sight must not be touched.
    ///
    /// # Errors
    /// As [`Self::take_shared`]; if something cannot be healed; as `work`.
    pub(crate) async fn during_share<T>(
        session: &Session<'_>,
        leasing: &Leasing,
        stores: &[String],
        command: &str,
        work: impl AsyncFnOnce(&Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let hold = Self::take_shared(session, leasing, stores, command, None).await?;
        hold.work(session, work).await
    }

    async fn work<T>(
        mut self,
        session: &Session<'_>,
        work: impl AsyncFnOnce(&Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let done = match self.left.heal(session).await {
            Ok(()) => work(&self).await,
            Err(failure) => Err(failure),
        };
        let done = done.map_err(|failure| self.verdict(failure));
        self.release(session).await;
        done
    }

    /// To be called before the stores are read again.
    pub(crate) async fn wait_for_reads(&self) {
        wait_for_reads(&self.guarantees).await;
    }

    /// What a command says that failed so: where a lease was lost, that is why, and whoever has it sees to what was left.
    pub(crate) fn verdict(&self, failure: Error) -> Error {
        match self.leases.lost() {
            Some(lost) => lost_after(failure, lost),
            None => failure,
        }
    }

    /// Gives the leases up. One that stays behind expires; until then it is in the way of others.
    pub(crate) async fn release(self, session: &Session<'_>) {
        for problem in self.leases.release().await {
            let problem = problem.to_string();
            session.tell(&Event::LeaseLeftBehind { problem });
        }
    }

    /// The same, when what was left open has been healed.
    ///
    /// # Errors
    /// If it cannot be healed.
    pub(crate) async fn heal_and_release(mut self, session: &Session<'_>) -> Result<(), Error> {
        let healed = match self.leases.lost() {
            Some(_) => Ok(()),
            None => self.left.heal(session).await,
        };
        let healed = healed.map_err(|failure| self.verdict(failure));
        self.release(session).await;
        healed
    }
}

impl Leasing {
    fn settings(&self, guarantees: &Guarantees) -> LeaseSettings {
        LeaseSettings {
            lock_dir: self.lock_dir.clone(),
            wait: self.wait,
            guarantees: guarantees.clone(),
            times: LeaseTimes::of_this_run(),
            kept: false,
        }
    }
}

/// Checks that no archive is being sent into `store` by many jobs: their parts lie out of sight, and are counted on.
///
/// # Errors
/// If one is.
pub(in crate::verbs) async fn not_shared(bucket: &Bucket, store: &str) -> Result<(), Error> {
    match SharedArchive::of_store(bucket, store).await? {
        None => Ok(()),
        Some(archive) => Err(shared_error(store, &archive)),
    }
}

/// That a lease was `lost`, which is why a command failed with `failure`: what it had committed before, it has.
fn lost_after(failure: Error, lost: LeaseError) -> Error {
    match failure {
        Error::SendCutShort {
            cause: _,
            transactions,
            appended,
            replaced,
            reach,
        } => Error::SendCutShort {
            cause: Box::new(lost.into()),
            transactions,
            appended,
            replaced,
            reach,
        },
        _ => lost.into(),
    }
}

/// What whoever may not change `store` is told, for an `archive` is being sent into it by many jobs.
pub(in crate::verbs) fn shared_error(store: &str, archive: &SharedArchive) -> Error {
    WritingError::Shared {
        store: store.to_owned(),
        by: archive.by.name.clone(),
        parts: archive.parts.len(),
    }
    .into()
}

/// What the server guarantees, found out beside the first of `stores`; and what that has put.
async fn probe(
    session: &Session<'_>,
    stores: &[String],
    holder: &Holder,
) -> Result<(Guarantees, ProbeObjects), Error> {
    let desk = session.bucket.unfenced()?;
    Ok(probe_and_sweep(&desk, folder_of(stores), holder).await?)
}

/// Checks that no archive is being sent into any of `stores` by many jobs.
pub(in crate::verbs) async fn none_shared(bucket: &Bucket, stores: &[String]) -> Result<(), Error> {
    let looks = stores.iter().map(|store| not_shared(bucket, store));
    let looks = stream::iter(looks).buffered(REQUESTS);
    looks.try_collect().await
}

/// Removes what a probe has put.
async fn remove_probe(
    session: &Session<'_>,
    objects: Option<ProbeObjects>,
) -> Result<(), StoreError> {
    match objects {
        Some(objects) => objects.remove(&session.bucket.unfenced()?).await,
        None => Ok(()),
    }
}

/// The folder that the first of `stores` lies in.
fn folder_of(stores: &[String]) -> &str {
    let folder = stores.first().and_then(|store| store.rsplit_once('/'));
    folder.map_or("", |(folder, _)| folder)
}

/// A lease of `place`, which is no store, for as long as files are read whose metadata other jobs need, too: they wait. Nothing may be
/// written by it.
///
/// # Errors
/// If another job holds it for longer than the wait, or the server refuses.
pub(in crate::verbs) async fn lease_for_reading(
    session: &Session<'_>,
    leasing: &Leasing,
    place: &str,
) -> Result<Leases, Error> {
    let places = [place.to_owned()];
    let holder = this(session, "send --share")?;
    let (guarantees, objects) = probe(session, &places, &holder).await?;
    remove_probe(session, Some(objects)).await?;
    let mut settings = leasing.settings(&guarantees);
    settings.lock_dir = None;
    let desk = session.bucket.unfenced()?;
    let _leasing = session.work_unmeasured(WorkKind::Leasing);
    Ok(Leases::acquire(&desk, &places, &settings, &holder, &*session.reporter).await?)
}

/// Who this is.
///
/// # Errors
/// If the system does not say.
pub(in crate::verbs) fn this(session: &Session<'_>, command: &str) -> Result<Holder, Error> {
    let holder = Holder::this(command, &session.crew);
    holder.map_err(|cause| {
        let cause = cause.to_string();
        LeaseError::Nameless { cause }.into()
    })
}

/// Where reads lag behind, what the transaction before overwrote may still look as it did.
async fn wait_for_reads(guarantees: &Guarantees) {
    if let Some(lag) = guarantees.lag {
        tokio::time::sleep(lag * 2).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::TransferError;

    #[test]
    fn what_was_committed_before_a_lease_was_lost_is_not_forgotten() {
        let lost = LeaseError::Lost {
            store: "a.zarr".to_owned(),
            cause: "late".to_owned(),
        };
        let cut_short = |cause: Error| Error::SendCutShort {
            cause: Box::new(cause),
            transactions: 2,
            appended: 24,
            replaced: 0,
            reach: None,
        };
        let stopped: Error = TransferError::Stopped.into();
        assert_eq!(
            lost_after(cut_short(stopped.clone()), lost.clone()),
            cut_short(lost.clone().into())
        );
        assert_eq!(lost_after(stopped, lost.clone()), lost.into());
    }
}
