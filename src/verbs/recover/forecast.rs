//! What `recover` would do.
//!
//! Key type: [`Forecast`].

use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use super::truncate::foretell_cut;
use super::{Recover, folders, readable_journals};
use crate::commit::{Journal, LeaseTimes, live_lease, orphans, probe_and_sweep};
use crate::error::Error;
use crate::events::{Outcome, TransactionIdentity, Truncation};
use crate::session::Session;
use crate::store::{ListedObject, REQUESTS};
use crate::verbs::shared::abandoned::{is_locked, outcome, unended};
use crate::verbs::shared::hold::this;
use crate::verbs::stores::named::{keys, stores};

/// What would be done.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Forecast {
    /// Stores that were looked at.
    pub stores: usize,
    /// Those in which a job has left something.
    pub left: Vec<StoreForecast>,
    /// Objects that no transaction owns, with their bytes, if they would be removed.
    pub orphans: Option<Vec<(String, u64)>>,
    /// What would be cut, if stores would be.
    pub cuts: Option<Vec<Truncation>>,
    /// What is in the way.
    pub problems: Vec<Error>,
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
    let all = keys(&stores(bucket, spot, &[]).await?);
    let folders = folders(bucket, spot, &all).await?;
    let (found, problems) = readable_journals(bucket, &all).await;
    let mut forecast = Forecast {
        stores: all.len(),
        left: left(session, request, &folders[0], found).await?,
        problems,
        ..Forecast::default()
    };
    if request.orphans {
        let found = stream::iter(&all).map(|store| orphans(bucket, store));
        let found: Vec<Vec<ListedObject>> = found.buffered(REQUESTS).try_collect().await?;
        let found = found.into_iter().flatten();
        forecast.orphans = Some(found.map(|entry| (entry.key, entry.bytes)).collect());
    }
    if let Some(truncate) = &request.truncate {
        let mut cuts = Vec::new();
        for store in &all {
            match foretell_cut(bucket, truncate, store).await {
                Ok(cut) => cuts.extend(cut),
                Err(failure) => forecast.problems.push(failure),
            }
        }
        forecast.cuts = Some(cuts);
    }
    Ok(forecast)
}

/// What would become of what was `found`.
async fn left(
    session: &Session<'_>,
    request: &Recover,
    folder: &str,
    found: Vec<(String, Option<Journal>)>,
) -> Result<Vec<StoreForecast>, Error> {
    let (bucket, mut left) = (&session.bucket, Vec::new());
    if found.is_empty() {
        return Ok(left);
    }
    let desk = bucket.unfenced()?;
    let guarantees = probe_and_sweep(&desk, folder, &this(session, "recover")?).await?;
    let times = LeaseTimes::of_this_run();
    for (store, journal) in found {
        let holder = live_lease(bucket, &store, &guarantees, times).await?;
        let Journal { strays, unfinished } = journal.unwrap_or_default();
        let outlook = |transaction| {
            let outlook = match &holder {
                _ if is_locked(transaction, request.leasing.lock_dir.as_deref()) => Outlook::Locked,
                Some(holder) => Outlook::UnderWay(holder.to_string()),
                None => Outlook::Ends(outcome(transaction)),
            };
            (unended(transaction), outlook)
        };
        left.push(StoreForecast {
            transactions: unfinished.iter().map(outlook).collect(),
            strays: if holder.is_none() { strays } else { Vec::new() },
            store,
        });
    }
    Ok(left)
}
