//! Which stores a command means that was told where, and perhaps variables.

use futures::TryStreamExt;
use futures::join;
use msm_model::{are, choices, list, meant};
use msm_zarr::{Group, layout};

use crate::error::Error;
use crate::store::{Bucket, Spot};
use crate::verbs::stores::error::StoresError;
use crate::verbs::stores::place::{CommandPlace, is_there};
use crate::verbs::stores::replaced::check_not_replaced;
use crate::verbs::stores::shelf::{CompactStore, Shelf, readable};

/// The groups at `spot`, or those below it and the store of all variables beside it, that are there or have a ledger; those of
/// `variables` only, if there are any.
///
/// # Errors
/// If one of `variables` is in none or in two, or the server does not list.
pub(in crate::verbs) async fn stores(
    bucket: &Bucket,
    spot: &Spot,
    variables: &[String],
) -> Result<Vec<Group>, Error> {
    let place = CommandPlace::of(bucket, spot).await?;
    if variables.is_empty() {
        return all(bucket, spot, &place).await;
    }
    let mut named = Vec::new();
    for variable in variables {
        let found = match &place {
            _ if variable == "compact" => place.compact(bucket, spot).await?,
            CommandPlace::Shelf(shelf) => of_shelf(bucket, shelf, variable).await?,
            CommandPlace::Group(_) | CommandPlace::Store(_) => {
                let group = place.compact(bucket, spot).await?;
                let stored = match &group {
                    Some(group) => readable(bucket, group).await?,
                    None => None,
                };
                let mut arrays = stored.iter().flat_map(|stored| &stored.arrays);
                group.filter(|_| arrays.any(|array| array.name == *variable))
            }
        };
        named.push(match found {
            Some(found) => found,
            None => return Err(no_store(bucket, spot, variable, &place).await?.into()),
        });
    }
    named.sort_unstable();
    named.dedup();
    Ok(named)
}

/// The keys of the stores of `groups`, each once.
pub(in crate::verbs) fn keys(groups: &[Group]) -> Vec<String> {
    let mut keys: Vec<String> = groups.iter().map(|group| group.store.clone()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// How many of these `places` are stores, and not where files are being read.
pub(in crate::verbs) fn count(places: &[String]) -> usize {
    let stores = places.iter().filter(|place| !layout::is_reading(place));
    stores.count()
}

/// Those at and below `spot`.
async fn all(bucket: &Bucket, spot: &Spot, place: &CommandPlace) -> Result<Vec<Group>, Error> {
    let mut found = match place {
        CommandPlace::Group(group) => vec![group.clone()],
        CommandPlace::Store(key) => {
            let there = is_there(bucket, key).await?.then(|| Group::whole(key));
            there.into_iter().collect()
        }
        CommandPlace::Shelf(shelf) => {
            let sites = bucket.sites(&shelf.prefix);
            let stores = sites.try_filter(|site| std::future::ready(!site.is_repository));
            let stores = stores.map_ok(|site| Group::whole(&site.key));
            stores.try_collect().await?
        }
    };
    if let Some(beside) = beside(bucket, spot).await? {
        found.push(Group::whole(&beside));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// The store of all variables beside the prefix that `spot` is, if it is there.
///
/// # Errors
/// If the server does not list.
pub(in crate::verbs) async fn beside(
    bucket: &Bucket,
    spot: &Spot,
) -> Result<Option<String>, Error> {
    let Spot::Below(prefix) = spot else {
        return Ok(None);
    };
    if prefix.is_empty() {
        return Ok(None);
    }
    let compact = layout::compact_key(prefix);
    Ok(is_there(bucket, &compact).await?.then_some(compact))
}

/// The store of `variable` on `shelf`.
async fn of_shelf(bucket: &Bucket, shelf: &Shelf, variable: &str) -> Result<Option<Group>, Error> {
    let (compact, own) = join!(CompactStore::of(bucket, shelf), shelf.own(bucket, variable));
    let key = Shelf::store_of(variable, own?, compact?.as_ref())?;
    Ok(key.as_deref().map(Group::whole))
}

/// The failure that `variable` is in no store.
async fn no_store(
    bucket: &Bucket,
    spot: &Spot,
    variable: &str,
    place: &CommandPlace,
) -> Result<StoresError, Error> {
    let at = bucket.place().to_owned();
    let variable = variable.to_owned();
    let shelf = match place {
        CommandPlace::Shelf(shelf) => shelf,
        CommandPlace::Group(group) => {
            let held = held(bucket, spot, &variable, place).await?;
            let group = group.to_string();
            return Ok(StoresError::NotInGroup {
                place: at,
                group,
                variable,
                held,
            });
        }
        CommandPlace::Store(store) => {
            let held = held(bucket, spot, &variable, place).await?;
            let store = store.clone();
            return Ok(StoresError::NotInStore {
                place: at,
                store,
                variable,
                held,
            });
        }
    };
    let key = spot.key();
    let there = keys(&all(bucket, spot, place).await?);
    let there = there.iter().filter(|store| !layout::is_reading(store));
    let there: Vec<&str> = there.map(String::as_str).collect();
    // By their own names: a long prefix would make all of them alike.
    let named = there.iter().map(|store| {
        let name = store.rsplit('/').next().unwrap_or(store);
        name.strip_suffix(".zarr").unwrap_or(name)
    });
    let meant = meant(&variable, named);
    let store = match variable.as_str() {
        "compact" => shelf.new_compact(),
        name => layout::store_key(key, name),
    };
    check_not_replaced(bucket, std::iter::once(&store)).await?;
    Ok(StoresError::NoStore {
        place: bucket.place_of(key),
        store,
        there: format!(
            "{} {}{meant}",
            are(there.len() as u64),
            list(there.iter().copied())
        ),
    })
}

/// What the store at `spot` holds, for whoever asks it for a `variable` that it has not.
async fn held(
    bucket: &Bucket,
    spot: &Spot,
    variable: &str,
    place: &CommandPlace,
) -> Result<String, Error> {
    let stored = match place.compact(bucket, spot).await? {
        Some(group) => readable(bucket, &group).await?,
        None => None,
    };
    let arrays = stored.iter().flat_map(|stored| &stored.arrays);
    Ok(choices(variable, arrays.map(|array| array.name.as_str())))
}
