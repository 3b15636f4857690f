//! What is said where there are no stores: perhaps those that were there are about to come back.
//!
//! Key functions: [`waiting`], [`no_stores`].

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::store::{Bucket, Spot};
use crate::verbs::stores::error::StoresError;
use crate::verbs::stores::named::{keys, stores};
use crate::verbs::stores::place::is_taken;
use crate::verbs::stores::replaced::{beside, is_waiting, replaced_by};

/// A store that is gone, and what is to replace it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplacedStore {
    /// Its key.
    pub store: String,
    /// The key of what was made of it, which is whole.
    pub made: String,
}

/// Where what will replace the stores at `spot` is made.
pub(in crate::verbs) fn made_beside(spot: &Spot) -> Spot {
    let made = beside(spot.key());
    match spot {
        Spot::Below(_) => Spot::Below(made),
        Spot::At(_) => Spot::At(made),
    }
}

/// The stores at `spot` that a job has deleted that died before it had put into their places what was made of them.
///
/// # Errors
/// As the server says.
pub(in crate::verbs) async fn waiting(
    bucket: &Bucket,
    spot: &Spot,
) -> Result<Vec<ReplacedStore>, Error> {
    let made = match stores(bucket, &made_beside(spot), &[]).await {
        Ok(made) => keys(&made),
        // There is none.
        Err(Error::Stores(_)) => Vec::new(),
        Err(failure) => return Err(failure),
    };
    waiting_among(bucket, &made).await
}

/// The stores that these `made` ones are to replace, and that are gone.
///
/// # Errors
/// As the server says.
pub(in crate::verbs) async fn waiting_among(
    bucket: &Bucket,
    made: &[String],
) -> Result<Vec<ReplacedStore>, Error> {
    let mut waiting = Vec::new();
    for made in made {
        waiting.extend(waits(bucket, made).await?);
    }
    Ok(waiting)
}

/// The store that is gone, and that `made` is to replace, if it is so.
///
/// # Errors
/// As the server says.
async fn waits(bucket: &Bucket, made: &str) -> Result<Option<ReplacedStore>, Error> {
    let Some(store) = replaced_by(made) else {
        return Ok(None);
    };
    let is_gone = is_waiting(bucket, made).await? && !is_taken(bucket, store).await?;
    let (store, made) = (store.to_owned(), made.to_owned());
    Ok(is_gone.then_some(ReplacedStore { store, made }))
}

/// Checks that none of the stores that are not at `spot` is about to come back.
///
/// # Errors
/// Of the first that is: what brings it back brings all; or as the server says.
pub(in crate::verbs) async fn none_comes_back(bucket: &Bucket, spot: &Spot) -> Result<(), Error> {
    match waiting(bucket, spot).await?.into_iter().next() {
        Some(ReplacedStore { store, made }) => {
            Err(StoresError::BeingReplaced { store, made }.into())
        }
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
