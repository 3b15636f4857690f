//! `recover --truncate`: stores whose arrays have different lengths are cut to the shortest.
//!
//! Key type: [`Truncate`], what is asked.

use super::Recover;
use crate::commit::StoreTruncation;
use crate::error::Error;
use crate::events::{Event, Truncation};
use crate::session::Session;
use crate::store::Bucket;
use crate::verbs::send::RequestCounts;
use crate::verbs::shared::hold::Hold;
use crate::verbs::shared::removing::remove;
use crate::verbs::shared::requests::of_removal;

/// The command, as ledgers and lists say it.
const COMMAND: &str = "recover --truncate";

/// How stores are cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truncate {
    /// The dimension along which they grow.
    pub dimension: String,
    /// Transactions of a store that can be undone: what so many removed is kept.
    pub keep_undo: usize,
}

/// Is there something to cut? Not known before what a dead job left has been healed.
///
/// # Errors
/// If the store cannot be read, or not be cut.
pub(super) async fn needs_cut(
    request: &Recover,
    bucket: &Bucket,
    store: &str,
    is_open: bool,
) -> Result<bool, Error> {
    let Some(asked) = request.truncate.as_ref().filter(|_| !is_open) else {
        return Ok(false);
    };
    let cut = StoreTruncation::of(bucket, store, &asked.dimension).await?;
    Ok(cut.is_some())
}

/// Cuts `store`, which is held; `false` if there is nothing to cut.
///
/// # Errors
/// If that cannot be done.
pub(super) async fn truncate(
    session: &Session<'_>,
    asked: &Truncate,
    store: &str,
    hold: &Hold,
) -> Result<bool, Error> {
    let bucket = &session.bucket;
    let Some(cut) = StoreTruncation::of(bucket, store, &asked.dimension).await? else {
        return Ok(false);
    };
    let done = truncation(store, &cut, asked);
    remove(session, &[cut.removal], hold, COMMAND, asked.keep_undo).await?;
    session.tell(&Event::Truncated(done));
    Ok(true)
}

/// What would be cut of `store`, if anything would be, and about how many requests that takes.
///
/// # Errors
/// What is in the way.
pub(super) async fn foretell_cut(
    bucket: &Bucket,
    asked: &Truncate,
    store: &str,
) -> Result<Option<(Truncation, RequestCounts)>, Error> {
    let Some(cut) = StoreTruncation::of(bucket, store, &asked.dimension).await? else {
        return Ok(None);
    };
    let requests = of_removal(bucket, &cut.removal, asked.keep_undo).await?;
    Ok(Some((truncation(store, &cut, asked), requests)))
}

fn truncation(store: &str, cut: &StoreTruncation, asked: &Truncate) -> Truncation {
    let (objects, bytes) = cut.removal.size();
    Truncation {
        store: store.to_owned(),
        dimension: asked.dimension.clone(),
        arrays: cut.arrays.clone(),
        attributes: cut.attributes.clone(),
        objects,
        bytes,
    }
}
