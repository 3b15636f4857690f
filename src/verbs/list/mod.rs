//! `list`: rank 0 walks from store to store and describes each; the others wait for its verdict.
//!
//! Key types: [`List`], what is asked; [`StoreInfo`], what is found of a store.

mod describe;
mod filter;
mod inventory;
mod time_range;

use std::ops::ControlFlow;

use futures::{Stream, StreamExt, TryStreamExt, stream};
use msm_zarr::{Group, layout};

pub use self::filter::{LeftOut, StoreFilter};
pub use self::inventory::{StoreInfo, StoreState, TimeRange, TransactionInfo, VariableInfo};

pub(in crate::verbs) use self::describe::variable;

use self::describe::{being_replaced, describe, repository};
use self::filter::FilterVerdict;
use crate::error::Error;
use crate::session::Session;
use crate::store::{Bucket, Ground, Site, Spot};
use crate::verbs::stores::absent::waiting;

/// Stores in flight.
const STORES: usize = 16;

/// What is listed.
#[derive(Clone, Debug, Default)]
pub struct List {
    /// Where the stores are.
    pub spot: Spot,
    /// Which of them.
    pub filter: StoreFilter,
}

/// The stores, in the order of their keys; rank 0 has them, the others none. One that cannot be read is described as such.
///
/// # Errors
/// On every rank the same: if the bucket cannot be read at all.
pub fn list(session: &Session, request: &List) -> Result<Vec<StoreInfo>, Error> {
    let mut stores = Vec::new();
    for_each(session, request, |store| {
        stores.push(store);
        ControlFlow::Continue(())
    })?;
    Ok(stores)
}

/// Gives each of the stores to `visit`, on rank 0, as soon as those before it have been; until it has enough. Returns what the
/// filter left out.
///
/// # Errors
/// On every rank the same: if the bucket cannot be read at all.
pub fn for_each(
    session: &Session,
    request: &List,
    mut visit: impl FnMut(StoreInfo) -> ControlFlow<()>,
) -> Result<LeftOut, Error> {
    session.on_lead(async || visit_all(&session.bucket, request, &mut visit).await)
}

async fn visit_all(
    bucket: &Bucket,
    request: &List,
    visit: &mut impl FnMut(StoreInfo) -> ControlFlow<()>,
) -> Result<LeftOut, Error> {
    let List { spot, filter } = request;
    let key = spot.key();
    bucket.reach(key).await?;
    // The store of all variables lies beside the prefix, and before what is below it.
    let beside = match spot {
        Spot::Below(prefix) if !prefix.is_empty() => Some(site(layout::compact_key(prefix))),
        _ => None,
    };
    let here = match bucket.ground(key).await? {
        Ground::Group(group) if group.path.is_empty() && !group.store.is_empty() => {
            stream::iter([Ok(site(group.store))]).boxed()
        }
        // One group of a hierarchy, and those below it.
        Ground::Group(group) => {
            let groups = stream::iter([describe(bucket, &group, filter)]);
            return give(groups, Vec::new(), filter, visit).await;
        }
        Ground::Repository(key) => stream::iter([Ok(Site {
            key,
            is_repository: true,
        })])
        .boxed(),
        Ground::Array(_) => stream::empty().boxed(),
        Ground::Free if matches!(spot, Spot::At(_)) => {
            stream::iter([Ok(site(key.to_owned()))]).boxed()
        }
        Ground::Free => bucket.sites(key),
    };
    let mut replaced = Vec::new();
    for gone in waiting(bucket, spot).await? {
        replaced.push(being_replaced(bucket, gone).await?);
    }
    let sites = stream::iter(beside.map(Ok)).chain(here);
    let described = sites.map(|site| async move {
        let Site { key, is_repository } = site?;
        if is_repository {
            return Ok(vec![repository(&key)]);
        }
        describe(bucket, &Group::whole(&key), filter).await
    });
    give(described, replaced, filter, visit).await
}

/// Gives what is `described` and asked for, in order, to `visit`, with the stores that are being `replaced`, which are in order, too: what is
/// left of one is not told.
async fn give(
    described: impl Stream<Item = impl Future<Output = Result<Vec<StoreInfo>, Error>>>,
    replaced: Vec<StoreInfo>,
    filter: &StoreFilter,
    visit: &mut impl FnMut(StoreInfo) -> ControlFlow<()>,
) -> Result<LeftOut, Error> {
    let mut left_out = LeftOut::default();
    let mut replaced = replaced.into_iter().peekable();
    let mut described = std::pin::pin!(described.buffered(STORES));
    loop {
        let described = described.try_next().await?;
        let is_end = described.is_none();
        let mut all = Vec::new();
        for info in described.into_iter().flatten() {
            let below = |info: &StoreInfo| format!("{}/", info.store);
            while let Some(gone) = replaced.next_if(|gone| below(gone) < below(&info)) {
                all.push(gone);
            }
            all.push(
                replaced
                    .next_if(|gone| gone.store == info.store)
                    .unwrap_or(info),
            );
        }
        if is_end {
            all.extend(replaced.by_ref());
        }
        for info in all {
            let verdict = filter.verdict(&info);
            left_out.count(&info, verdict);
            if verdict == FilterVerdict::Fits && visit(info).is_break() {
                return Ok(left_out);
            }
        }
        if is_end {
            return Ok(left_out);
        }
    }
}

fn site(key: String) -> Site {
    Site {
        key,
        is_repository: false,
    }
}
