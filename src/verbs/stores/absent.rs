//! What is said where there are no stores, or not all: perhaps those that were there are about to come back.
//!
//! Key functions: [`waiting`], [`tell_waiting`], [`no_stores`].

use msm_zarr::Group;

use crate::error::Error;
use crate::events::{Event, Notice, ReplacedStore};
use crate::session::Session;
use crate::store::{Bucket, Spot, StoreError};
use crate::verbs::stores::error::StoresError;
use crate::verbs::stores::named::{keys, stores};
use crate::verbs::stores::replaced::{MADE, beside, replaced_by, replacement};

/// Where what will replace the stores at `spot` is made.
pub(in crate::verbs) fn made_beside(spot: &Spot) -> Spot {
    let made = beside(spot.key());
    match spot {
        Spot::Below(_) => Spot::Below(made),
        Spot::At(_) => Spot::At(made),
    }
}

/// The stores at `spot` that are being replaced, in the order of their keys: a job has deleted them, or died as it did, and what was made of
/// them is not in their places yet.
///
/// # Errors
/// As the server says.
pub(in crate::verbs) async fn waiting(
    bucket: &Bucket,
    spot: &Spot,
) -> Result<Vec<ReplacedStore>, Error> {
    let made = match made_at(bucket, spot).await {
        // There is none; or who may not look there has not made it.
        Err(Error::Stores(_) | Error::Store(StoreError::Denied { .. })) => Vec::new(),
        made => made?,
    };
    waiting_among(bucket, &made).await
}

/// What was made to replace stores at `spot`.
async fn made_at(bucket: &Bucket, spot: &Spot) -> Result<Vec<String>, Error> {
    // Most buckets have no such folder.
    if bucket.folder(MADE).await?.is_empty() {
        return Ok(Vec::new());
    }
    Ok(keys(&stores(bucket, &made_beside(spot), &[]).await?))
}

/// The stores that these `made` ones are to replace, and that are gone, or going.
///
/// # Errors
/// As the server says.
pub(in crate::verbs) async fn waiting_among(
    bucket: &Bucket,
    made: &[String],
) -> Result<Vec<ReplacedStore>, Error> {
    let mut waiting = Vec::new();
    for store in made.iter().filter_map(|made| replaced_by(made)) {
        waiting.extend(replacement(bucket, store).await?);
    }
    // As the keys below them.
    waiting.sort_by_cached_key(|replaced| format!("{}/", replaced.store));
    Ok(waiting)
}

/// Tells of the stores at `spot` that are being replaced, and returns them. Where `groups` were named one by one, only these are meant.
///
/// # Errors
/// If one that was named is; or as the server says.
pub(in crate::verbs) async fn tell_waiting(
    session: &Session<'_>,
    spot: &Spot,
    groups: &[Group],
    are_named: bool,
) -> Result<Vec<ReplacedStore>, Error> {
    let waiting = not_named(&session.bucket, spot, groups, are_named).await?;
    for replaced in &waiting {
        session.tell(&Event::Notice(Notice::BeingReplaced(replaced.clone())));
    }
    Ok(waiting)
}

/// The stores at `spot` that are being replaced. Where `groups` were named one by one, only these are meant.
///
/// # Errors
/// If one that was named is; or as the server says.
pub(in crate::verbs) async fn not_named(
    bucket: &Bucket,
    spot: &Spot,
    groups: &[Group],
    are_named: bool,
) -> Result<Vec<ReplacedStore>, Error> {
    let mut waiting = waiting(bucket, spot).await?;
    if !are_named {
        return Ok(waiting);
    }
    waiting.retain(|replaced| groups.iter().any(|group| group.store == replaced.store));
    match waiting.into_iter().next() {
        Some(replaced) => Err(StoresError::BeingReplaced(replaced).into()),
        None => Ok(Vec::new()),
    }
}

/// Checks that none of the stores that are not at `spot` is about to come back.
///
/// # Errors
/// Of the first that is: what brings it back brings all; or as the server says.
pub(in crate::verbs) async fn none_comes_back(bucket: &Bucket, spot: &Spot) -> Result<(), Error> {
    match waiting(bucket, spot).await?.into_iter().next() {
        Some(replaced) => Err(StoresError::BeingReplaced(replaced).into()),
        None => Ok(()),
    }
}

/// The failure that there are no stores at `spot`.
///
/// # Errors
/// If they are about to come back; or as the server says.
pub(in crate::verbs) async fn no_stores(bucket: &Bucket, spot: &Spot) -> Result<Error, Error> {
    none_comes_back(bucket, spot).await?;
    let place = bucket.place_of(spot.key());
    Ok(StoresError::None { place }.into())
}
