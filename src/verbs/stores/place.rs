//! Where a command works: in a folder of stores, or in one store.
//!
//! Key type: [`CommandPlace`].

use futures::{TryStreamExt, join};
use msm_zarr::{
    Group, is_store,
    layout::{self, LEDGERS},
};

use crate::error::Error;
use crate::store::{Bucket, Ground, Spot, StoreError};
use crate::verbs::stores::error::StoresError;
use crate::verbs::stores::shelf::{Shelf, which};

/// Where a command works.
pub(in crate::verbs) enum CommandPlace {
    /// In a folder of stores, or where one can be.
    Shelf(Shelf),
    /// In this group.
    Group(Group),
    /// In the store of this key, if it is there.
    Store(String),
}

impl CommandPlace {
    /// What `spot` is.
    ///
    /// # Errors
    /// If it is not this program's to work in; then what is.
    pub(crate) async fn of(bucket: &Bucket, spot: &Spot) -> Result<Self, Error> {
        let key = spot.key();
        let is_one = matches!(spot, Spot::At(_)) || is_store(last(key));
        // What the place may turn out to be is looked for at the same time.
        let (ground, unfinished, shelf) = join!(
            bucket.ground(key),
            async { Ok(is_one || is_unfinished(bucket, key).await?) },
            async {
                if is_one {
                    Ok(None)
                } else {
                    Shelf::of(bucket, key).await.map(Some)
                }
            }
        );
        match ground? {
            Ground::Repository(key) => {
                let key = match key.as_str() {
                    "" => bucket.place().to_owned(),
                    _ => key,
                };
                return Err(StoreError::Repository { key }.into());
            }
            Ground::Array(key) => return Err(StoresError::Array { key }.into()),
            Ground::Group(group) if group.store.is_empty() => {
                let place = bucket.place().to_owned();
                return Err(StoresError::Bucket { place }.into());
            }
            Ground::Group(group) => return Ok(Self::Group(group)),
            Ground::Free => {}
        }
        beside_stores(spot)?;
        let unfinished: Result<bool, StoreError> = unfinished;
        if unfinished? {
            return Ok(Self::Store(key.to_owned()));
        }
        Ok(match shelf? {
            Some(shelf) => Self::Shelf(shelf),
            None => Self::Store(key.to_owned()),
        })
    }

    /// The one store of all variables that is meant here, if it is there; `None` if it is not.
    ///
    /// # Errors
    /// If there are two.
    pub(crate) async fn compact(
        &self,
        bucket: &Bucket,
        spot: &Spot,
    ) -> Result<Option<Group>, Error> {
        match self {
            Self::Shelf(shelf) => Ok(shelf.compact()?.as_deref().map(Group::whole)),
            Self::Store(key) => {
                let there = is_there(bucket, key).await?;
                Ok(there.then(|| Group::whole(key)))
            }
            Self::Group(group) => {
                if group.path.is_empty() && *spot == Spot::Below(group.store.clone()) {
                    let beside = layout::compact_key(&group.store);
                    // A ledger alone is what is left of one that was renamed, or deleted.
                    if !bucket.folder(&beside).await?.is_empty() {
                        return Err(which(&group.store, &beside, None).into());
                    }
                }
                Ok(Some(group.clone()))
            }
        }
    }
}

/// Is there anything of the store `key`, or of its ledger?
pub(in crate::verbs) async fn is_there(bucket: &Bucket, key: &str) -> Result<bool, StoreError> {
    let ledger = layout::ledger(key);
    let (store, ledger) = join!(bucket.folder(key), bucket.folder(&ledger));
    Ok(!store?.is_empty() || !ledger?.is_empty())
}

/// Has a create or a delete of the store `key` not ended? It has no documents yet, or no more.
async fn is_unfinished(bucket: &Bucket, key: &str) -> Result<bool, StoreError> {
    if key.is_empty() {
        return Ok(false);
    }
    match bucket.folder(&layout::journals(key)).await {
        Err(StoreError::Denied { .. }) => Ok(false),
        journals => Ok(!journals?.is_empty()),
    }
}

/// That stores would lie in another store, by its name, or among ledgers.
fn beside_stores(spot: &Spot) -> Result<(), StoresError> {
    let key = spot.key();
    let mut above = key
        .rsplit_once('/')
        .map_or("", |(above, _)| above)
        .split('/');
    let part = if last(key) == LEDGERS {
        Some(LEDGERS)
    } else {
        above.find(|part| is_store(part) || *part == LEDGERS)
    };
    match part {
        Some(part) => Err(StoresError::Within {
            key: key.to_owned(),
            part: part.to_owned(),
        }),
        None => Ok(()),
    }
}

pub(in crate::verbs) fn last(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or_default()
}

/// Is there anything at `store`, or in its ledger, but for what keeps other jobs away, or does not count?
pub(in crate::verbs) async fn is_taken(bucket: &Bucket, store: &str) -> Result<bool, StoreError> {
    let marks = bucket.list(&layout::journals(store)).await?;
    if marks.iter().any(|key| layout::is_in_use(store, key)) {
        // Whoever comes next removes it.
        return Ok(false);
    }
    if bucket.entries(store).try_next().await?.is_some() {
        return Ok(true);
    }
    let ledger = layout::ledger(store);
    let mut left = bucket.entries(&ledger);
    while let Some(entry) = left.try_next().await? {
        if !layout::is_in_use(store, &entry.key) {
            return Ok(true);
        }
    }
    Ok(false)
}
