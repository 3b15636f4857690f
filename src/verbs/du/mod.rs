//! `du`: what stores take, counted object by object. Rank 0 walks through them; the others wait for its verdict.
//!
//! Key types: [`Du`], what is asked; [`StoreUsage`], what a store takes; [`UsageTotal`], what all of them do.

mod usage;

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use futures::{StreamExt, TryStreamExt, stream};
use msm_zarr::{Group, layout};

pub use self::usage::{LedgerUsage, StoreUsage, UsageTotal};
pub use crate::verbs::tally::Tally;

use self::usage::Counter;
use crate::error::Error;
use crate::session::Session;
use crate::store::{Bucket, Spot, StoreError, read_outline};
use crate::verbs::stores::absent::tell_waiting;
use crate::verbs::stores::named::stores;

/// Stores walked through at a time.
const STORES: usize = 16;

/// What is counted.
#[derive(Clone, Debug, Default)]
pub struct Du {
    /// Where the stores are.
    pub spot: Spot,
    /// The variables whose stores are meant, `compact` for that of all variables; none for all stores.
    pub variables: Vec<String>,
}

/// Gives what each store takes to `visit`, on rank 0, as soon as those before it have been; until it has enough.
///
/// # Errors
/// On every rank the same: if one of the variables has no store, or the server does not list.
pub fn for_each(
    session: &Session,
    request: &Du,
    mut visit: impl FnMut(StoreUsage) -> ControlFlow<()>,
) -> Result<(), Error> {
    session.on_lead(async || visit_all(session, request, &mut visit).await)
}

async fn visit_all(
    session: &Session<'_>,
    request: &Du,
    visit: &mut impl FnMut(StoreUsage) -> ControlFlow<()>,
) -> Result<(), Error> {
    let Du { spot, variables } = request;
    let bucket = &session.bucket;
    bucket.reach(spot.key()).await?;
    let groups = stores(bucket, spot, variables).await?;
    tell_waiting(session, spot, &groups, !variables.is_empty()).await?;
    let counts = stream::iter(&groups).map(|group| count(bucket, group));
    let mut counts = counts.buffered(STORES);
    while let Some(usage) = counts.try_next().await? {
        if visit(usage).is_break() {
            break;
        }
    }
    Ok(())
}

/// Counts what lies in `group`, and, if it is a whole store, in its ledger.
async fn count(bucket: &Bucket, group: &Group) -> Result<StoreUsage, StoreError> {
    let (arrays, problem) = match read_outline(bucket, &group.store).await {
        Ok(Some(outline)) => {
            let names = outline.arrays.into_iter().map(|array| array.name);
            let names = names.filter(|name| group.is_above(name));
            (Some(names.collect::<BTreeSet<String>>()), None)
        }
        Ok(None) => (None, None),
        Err(problem @ (StoreError::Zarr(_) | StoreError::Denied { .. })) => {
            (None, Some(problem.to_string()))
        }
        Err(error) => return Err(error),
    };
    let mut counter = Counter::new(group, arrays, problem);
    let mut places = vec![group.key()];
    if group.path.is_empty() {
        places.push(layout::ledger(&group.store));
    }
    for place in places {
        let mut entries = bucket.entries(&place);
        while let Some(entry) = entries.try_next().await? {
            counter.count(&entry.key, entry.bytes);
        }
    }
    Ok(counter.usage)
}
