//! What `recover` would do.
//!
//! Key type: [`Forecast`].

use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use super::abandon::held_parts;
use super::truncate::foretell_cut;
use super::{HeldStore, Recover, held_store, readable_journals, with_made};
use crate::commit::{Journal, LeaseTimes, SharedArchive, Writer, live_lease, orphans};
use crate::error::Error;
use crate::events::{Outcome, ReplacedStore, TransactionIdentity, Truncation};
use crate::session::Session;
use crate::store::{ListedObject, REQUESTS};
use crate::verbs::send::RequestCounts;
use crate::verbs::shared::abandoned::{is_locked, outcome, unended};
use crate::verbs::shared::hold::{not_shared, this};
use crate::verbs::shared::requests::of_recover;
use crate::verbs::stores::absent::waiting_among;
use crate::verbs::stores::named::{count, keys, stores};

/// What would be done.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Forecast {
    /// Stores that were looked at.
    pub stores: usize,
    /// Those in which a job has left something.
    pub left: Vec<StoreForecast>,
    /// Objects that no transaction owns, with their bytes, if they would be removed. Of a store with a transaction that has not ended that is
    /// known only when it has.
    pub orphans: Option<Vec<(String, u64)>>,
    /// Archives that jobs share in sending, if that would be put to an end.
    pub abandoned: Option<Vec<ArchiveForecast>>,
    /// What would be cut, if stores would be.
    pub cuts: Option<Vec<Truncation>>,
    /// Stores that would be left alone, for jobs are at them, by this machine's clock.
    pub held: Vec<HeldStore>,
    /// Stores that are gone, and about to be replaced: whoever deleted them died before that.
    pub replaced: Vec<ReplacedStore>,
    /// What is in the way.
    pub problems: Vec<Error>,
    /// Requests that it makes, about; `None` in a directory, or where transactions or shared archives are to be brought to an end.
    pub requests: Option<RequestCounts>,
}

/// What would be done to a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreForecast {
    /// Its key.
    pub store: String,
    /// Objects of transactions that have ended, which would be removed.
    pub strays: Vec<String>,
    /// Transactions that have not ended.
    pub transactions: Vec<(TransactionIdentity, Outlook)>,
}

/// What would become of an archive that jobs share in sending.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveForecast {
    /// Its stores.
    pub stores: Vec<String>,
    /// Objects out of sight, which would be removed, with their bytes.
    pub objects: Vec<(String, u64)>,
    /// Parts and stores that jobs are at: as long as they are, the archive would be left alone.
    pub held: Vec<HeldStore>,
}

/// What becomes of a transaction that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outlook {
    /// Only the locks in a directory tell whether it is under way.
    Locked,
    /// This job is at it.
    UnderWay(String),
    /// It would end so.
    Ends(Outcome),
}

impl Forecast {
    /// Transactions that would be brought to their ends.
    #[must_use]
    pub fn transactions(&self) -> usize {
        let all = self.left.iter().flat_map(|store| &store.transactions);
        all.filter(|(_, outlook)| matches!(outlook, Outlook::Ends(_)))
            .count()
    }

    /// Is nothing to be brought to an end whose size is not known before?
    fn is_simple(&self) -> bool {
        let is_empty = |store: &StoreForecast| store.transactions.is_empty();
        self.left.iter().all(is_empty) && self.abandoned.as_ref().is_none_or(Vec::is_empty)
    }

    /// Would nothing be done?
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        let is_empty = self.left.iter().all(|store| store.strays.is_empty())
            && self.orphans.as_ref().is_none_or(Vec::is_empty)
            && self.cuts.as_ref().is_none_or(Vec::is_empty)
            && self.abandoned.as_ref().is_none_or(Vec::is_empty);
        let is_left = !self.held.is_empty() || !self.replaced.is_empty();
        is_empty && !is_left && self.transactions() == 0
    }
}

/// What [`recover`](super::recover()) would do; changes nothing.
///
/// # Errors
/// On every rank the same: if the bucket cannot be read.
pub fn foretell(session: &Session, request: &Recover) -> Result<Forecast, Error> {
    session.on_lead(async || foretell_here(session, request).await)
}

async fn foretell_here(session: &Session<'_>, request: &Recover) -> Result<Forecast, Error> {
    let (bucket, spot) = (&session.bucket, &request.spot);
    bucket.reach(spot.key()).await?;
    let own = keys(&stores(bucket, spot, &[]).await?);
    let mut all = with_made(bucket, spot, own).await?;
    let (found, problems) = readable_journals(bucket, &all).await;
    let held = held(session, &all).await?;
    let mut of_cuts = RequestCounts::default();
    let mut forecast = Forecast {
        stores: count(&all),
        left: left(request, found, &held),
        problems,
        held,
        replaced: waiting_among(bucket, &all).await?,
        ..Forecast::default()
    };
    if request.abandon {
        let problems = &mut forecast.problems;
        let archives = archives(session, request, &all, problems).await?;
        forecast.abandoned = Some(archives);
    }
    all.retain(|store| forecast.held.iter().all(|held| held.store != *store));
    if request.orphans {
        let ended = forecast.abandoned.iter().flatten();
        // One that jobs are at is not ended, and what is out of sight in it is counted on.
        let ended = ended.filter(|archive| archive.held.is_empty());
        let ended: Vec<&String> = ended.flat_map(|archive| &archive.stores).collect();
        let mut found = Vec::new();
        let is_open = |store: &String| {
            let open = forecast.left.iter().find(|left| left.store == *store);
            open.is_some_and(|left| !left.transactions.is_empty())
        };
        let known: Vec<&String> = { all.iter() }
            .filter(|store| !ended.contains(store) && !is_open(store))
            .collect();
        for store in known {
            match not_shared(bucket, store).await {
                Ok(()) => found.extend(objects(orphans(bucket, store).await?)),
                Err(problem) => forecast.problems.push(problem),
            }
        }
        forecast.orphans = Some(found);
    }
    if let Some(truncate) = &request.truncate {
        let mut cuts = Vec::new();
        for store in &all {
            match foretell_cut(bucket, truncate, store).await {
                Ok(Some((cut, requests))) => {
                    cuts.push(cut);
                    of_cuts = of_cuts.and(requests);
                }
                Ok(None) => {}
                Err(failure) => forecast.problems.push(failure),
            }
        }
        forecast.cuts = Some(cuts);
    }
    if forecast.is_simple() && bucket.endpoint().is_some() {
        let strays = forecast.left.iter().map(|left| left.strays.len());
        let orphans = forecast.orphans.iter().map(Vec::len);
        let gone = strays.chain(orphans).sum::<usize>() as u64;
        let stores = forecast.stores as u64;
        let all = of_recover(stores, gone, request.orphans, request.truncate.is_some());
        forecast.requests = Some(all.and(of_cuts));
    }
    Ok(forecast)
}

fn objects(found: Vec<ListedObject>) -> impl Iterator<Item = (String, u64)> {
    found.into_iter().map(|entry| (entry.key, entry.bytes))
}

/// What would become of the archives that jobs share in sending into any of `all`; `problems` are stores of which that cannot be told.
async fn archives(
    session: &Session<'_>,
    request: &Recover,
    all: &[String],
    problems: &mut Vec<Error>,
) -> Result<Vec<ArchiveForecast>, Error> {
    let (bucket, by) = (&session.bucket, this(session, "recover")?);
    let writer = Writer {
        name: by.to_string(),
        lock_dir: request.leasing.lock_dir.clone(),
    };
    let times = LeaseTimes::of_this_run();
    let mut archives: Vec<ArchiveForecast> = Vec::new();
    for store in all {
        let is_told = |archive: &ArchiveForecast| archive.stores.contains(store);
        if archives.iter().any(is_told) {
            continue;
        }
        let Some(archive) = SharedArchive::to_end(bucket, store, &writer).await? else {
            continue;
        };
        let mut forecast = ArchiveForecast {
            stores: archive.stores().to_vec(),
            objects: Vec::new(),
            held: held_parts(bucket, &archive, None).await?,
        };
        for store in archive.stores() {
            if let Some(lease) = live_lease(bucket, store, None, times).await? {
                forecast.held.push(held_store(store, &lease));
            }
            match orphans(bucket, store).await {
                Ok(found) => forecast.objects.extend(objects(found)),
                Err(damage) => problems.push(damage.into()),
            }
        }
        archives.push(forecast);
    }
    Ok(archives)
}

/// Those of `all` that jobs are at.
async fn held(session: &Session<'_>, all: &[String]) -> Result<Vec<HeldStore>, Error> {
    let (bucket, times) = (&session.bucket, LeaseTimes::of_this_run());
    let leases = all.iter().map(|store| async move {
        let lease = live_lease(bucket, store, None, times).await?;
        Ok::<_, Error>(lease.map(|lease| held_store(store, &lease)))
    });
    let held: Vec<_> = stream::iter(leases)
        .buffered(REQUESTS)
        .try_collect()
        .await?;
    Ok(held.into_iter().flatten().collect())
}

/// What would become of what was `found`, where jobs are at the stores that are `held`.
fn left(
    request: &Recover,
    found: Vec<(String, Option<Journal>)>,
    held: &[HeldStore],
) -> Vec<StoreForecast> {
    let found = found.into_iter().map(|(store, journal)| {
        let holder = held.iter().find(|held| held.store == store);
        let Journal { strays, unfinished } = journal.unwrap_or_default();
        let outlook = |transaction| {
            let outlook = match holder {
                _ if is_locked(transaction, request.leasing.lock_dir.as_deref()) => Outlook::Locked,
                Some(held) => Outlook::UnderWay(held.holder.clone()),
                None => Outlook::Ends(outcome(transaction)),
            };
            (unended(transaction), outlook)
        };
        StoreForecast {
            transactions: unfinished.iter().map(outlook).collect(),
            strays: if holder.is_none() { strays } else { Vec::new() },
            store,
        }
    });
    found.collect()
}
