//! Which store each variable goes to, or is looked for in.
//!
//! Key type: [`Destination`], what is said of it.

use futures::future::join_all;
use futures::{StreamExt, TryStreamExt, join, stream};
use msm_model::Archive;
use msm_zarr::{Group, layout};

use crate::error::Error;
use crate::store::{Bucket, REQUESTS, Spot, read_store};
use crate::verbs::files::requested::RequestedStore;
use crate::verbs::stores::error::StoresError;
use crate::verbs::stores::place::{CommandPlace, is_there};
use crate::verbs::stores::shelf::{CompactStore, Shelf, readable};

/// What is said of the stores.
pub(in crate::verbs) struct Destination<'a> {
    /// Where they are.
    pub spot: &'a Spot,
    /// Is it the store of all variables?
    pub is_compact: bool,
    /// Were the variables named?
    pub is_named: bool,
    /// Is a store that does not say what is in it made to say so first?
    pub consolidates: bool,
    /// What is done.
    pub aim: Aim,
}

/// What is done with the stores.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::verbs) enum Aim {
    /// They are created, or appended to.
    Send,
    /// They are overwritten.
    Update,
    /// They are compared.
    Compare,
}

/// The stores of `variables`, each with those that it has or will have.
///
/// # Errors
/// If it cannot be told which are meant, or they would lie in what is another's.
pub(in crate::verbs) async fn targets(
    bucket: &Bucket,
    archive: &Archive,
    destination: &Destination<'_>,
    variables: Vec<String>,
) -> Result<Vec<RequestedStore>, Error> {
    let target = |group: Group, mains: Vec<String>| RequestedStore {
        key: group.store.clone(),
        members: archive.members(&mains),
        group,
        mains,
    };
    let is_one = destination.is_compact || matches!(destination.spot, Spot::At(_));
    let place = CommandPlace::of(bucket, destination.spot).await?;
    let shelf = match &place {
        CommandPlace::Shelf(shelf) if !is_one => shelf,
        CommandPlace::Shelf(shelf) => {
            let there = place.compact(bucket, destination.spot).await?;
            let group = there.unwrap_or_else(|| Group::whole(&shelf.new_compact()));
            return Ok(vec![target(group, variables)]);
        }
        CommandPlace::Store(key) => {
            if destination.aim == Aim::Send && !is_one && !is_there(bucket, key).await? {
                let key = key.clone();
                return Err(StoresError::PrefixOfStore { key }.into());
            }
            return Ok(vec![target(Group::whole(key), variables)]);
        }
        CommandPlace::Group(group) => {
            place.compact(bucket, destination.spot).await?;
            if !group.path.is_empty() && !destination.consolidates {
                // Is there such a group? Before anything is written, leases included.
                read_store(bucket, group, "").await?;
            }
            if destination.aim == Aim::Send && !is_one {
                holds_all(bucket, group, &variables).await?;
            }
            return Ok(vec![target(group.clone(), variables)]);
        }
    };
    let mut stores = of_shelf(bucket, shelf, destination, variables).await?;
    if !destination.is_named {
        stores.extend(of_no_data(bucket, shelf, archive).await?);
    }
    let stores = stores.into_iter();
    Ok(stores
        .map(|(key, mains)| target(Group::whole(&key), mains))
        .collect())
}

/// The stores on `shelf`, each with its variables.
async fn of_shelf(
    bucket: &Bucket,
    shelf: &Shelf,
    destination: &Destination<'_>,
    variables: Vec<String>,
) -> Result<Vec<(String, Vec<String>)>, Error> {
    let own = variables.iter().map(|name| shelf.own(bucket, name));
    let (compact, own) = join!(CompactStore::of(bucket, shelf), join_all(own));
    let compact = compact?;
    let mut stores: Vec<(String, Vec<String>)> = Vec::new();
    let mut are_there = false;
    for (variable, own) in variables.iter().zip(own) {
        let found = if destination.is_named {
            Shelf::store_of(variable, own?, compact.as_ref())?
        } else {
            own?
        };
        are_there |= found.is_some();
        let key = found.unwrap_or_else(|| layout::store_key(&shelf.prefix, variable));
        match stores.iter_mut().find(|(other, _)| *other == key) {
            Some((_, mains)) => mains.push(variable.clone()),
            None => stores.push((key, vec![variable.clone()])),
        }
    }
    let Some(CompactStore {
        key,
        variables: held,
    }) = compact
    else {
        return Ok(stores);
    };
    let holds_all = variables.iter().all(|name| held.contains(name));
    if !destination.is_named && !are_there && (holds_all || destination.aim != Aim::Send) {
        return Ok(vec![(key, variables)]);
    }
    if !destination.is_named && destination.aim == Aim::Compare {
        stores.push((key, variables));
    }
    Ok(stores)
}

/// Bounds and other variables that are no data, but have stores of their own, as the Python msm-os makes them: these go on with
/// the others.
async fn of_no_data(
    bucket: &Bucket,
    shelf: &Shelf,
    archive: &Archive,
) -> Result<Vec<(String, Vec<String>)>, Error> {
    let all = archive
        .catalogue
        .not_data()
        .into_iter()
        .map(|(variable, _)| variable);
    let looks = all.map(|variable| async move {
        let own = shelf.own(bucket, &variable).await?;
        Ok::<_, Error>(own.map(|key| (key, vec![variable])))
    });
    let found: Vec<_> = stream::iter(looks).buffered(REQUESTS).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// A group that lies where stores of single variables were asked for must hold all of `variables`: they are meant to go there.
async fn holds_all(bucket: &Bucket, group: &Group, variables: &[String]) -> Result<(), Error> {
    let Some(found) = readable(bucket, group).await? else {
        // What is wrong with it is said when it is read again.
        return Ok(());
    };
    let is_held = |name: &String| found.arrays.iter().any(|array| array.name == *name);
    let missing = variables.iter().filter(|name| !is_held(name));
    let missing: Vec<String> = missing.cloned().collect();
    if missing.is_empty() {
        return Ok(());
    }
    let groups = found.groups();
    let has_none_below = |path: &&String| {
        let folder = format!("{path}/");
        !groups.iter().any(|other| other.starts_with(&folder))
    };
    let below = groups.iter().filter(|path| group.is_above(path));
    let below = below
        .filter(|path| **path != group.path)
        .filter(has_none_below);
    let groups: Vec<String> = below
        .map(|path| layout::below(&group.store, path))
        .collect();
    let group = group.to_string();
    Err(if groups.is_empty() {
        StoresError::NotAllHeld { group, missing }
    } else {
        StoresError::Hierarchy {
            group,
            missing,
            groups,
        }
    }
    .into())
}
