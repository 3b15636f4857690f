//! Which parts of the bucket a delete walks through.
//!
//! Key type: [`Area`].

use futures::TryStreamExt;
use msm_zarr::{
    ObjectKind,
    layout::{self, LEDGERS},
};

use crate::error::Error;
use crate::store::{Bucket, Spot, is_doctors};
use crate::verbs::delete::{Delete, DeleteError};
use crate::verbs::stores::error::StoresError;
use crate::verbs::stores::named::beside;
use crate::verbs::stores::place::CommandPlace;
use crate::verbs::stores::shelf::{CompactStore, Shelf};

/// A part of the bucket: everything below one key.
#[derive(Clone, Debug)]
pub(in crate::verbs) struct Area {
    /// The key.
    pub below: String,
    /// The stores in it, and those whose ledgers are; in order.
    stores: Vec<String>,
}

impl Area {
    /// What the object `key` of this area is, and of which store.
    pub(super) fn kind<'a>(&self, key: &'a str) -> (Option<&str>, ObjectKind<'a>) {
        let known = |store: &str| {
            let found = self
                .stores
                .binary_search_by(|known| known.as_str().cmp(store));
            found.ok().map(|index| self.stores[index].as_str())
        };
        let mut begin = 0;
        while let Some(length) = key[begin..].find('/') {
            let end = begin + length;
            if &key[begin..end] == LEDGERS {
                let folder = key[..begin].trim_end_matches('/');
                let name = key[end + 1..].split_once('/').map(|(name, _)| name);
                let name = name.filter(|name| !is_doctors(name));
                let store = name.map(|name| known(&layout::below(folder, name)));
                return match store {
                    // Of a store that is new since, it is that store's.
                    Some(None) => (None, ObjectKind::Foreign),
                    store => (store.flatten(), ObjectKind::Ledger),
                };
            }
            if let Some(store) = known(&key[..end]) {
                return (Some(store), ObjectKind::of(store, key));
            }
            begin = end + 1;
        }
        (None, ObjectKind::Foreign)
    }
}

/// What the `request` chooses: names for messages, each with its areas; no area twice.
///
/// # Errors
/// If a name cannot be a variable's, or it cannot be told which store is meant, or it is none.
pub(in crate::verbs) async fn selected_areas(
    request: &Delete,
    bucket: &Bucket,
) -> Result<Vec<(String, Vec<Area>)>, Error> {
    let spot = &request.spot;
    if let Some(name) = request.variables.iter().find(|name| !is_name(name)) {
        let name = name.clone();
        return Err(DeleteError::Name { name }.into());
    }
    let is_compact = request.variables.iter().any(|name| name == "compact");
    if is_compact && spot.key().is_empty() {
        return Err(StoresError::NoPrefix.into());
    }
    let place = CommandPlace::of(bucket, spot).await?;
    let shelf = match &place {
        CommandPlace::Group(_) | CommandPlace::Store(_) => {
            if let Some(name) = request.variables.iter().find(|name| *name != "compact") {
                let (name, store) = (name.clone(), spot.key().to_owned());
                return Err(DeleteError::OfAllVariables { name, store }.into());
            }
            return of_place(request, bucket, &place).await;
        }
        CommandPlace::Shelf(shelf) => shelf,
    };
    if request.all {
        return Ok(vec![everything(bucket, spot, shelf).await?]);
    }
    let mut names = request.variables.clone();
    names.sort_unstable();
    names.dedup();
    let mut chosen = Vec::new();
    for name in &names {
        let store = one_store(bucket, shelf, name).await?;
        let areas = of_store(&store);
        chosen.push((store, areas));
    }
    Ok(chosen)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains('/') && !name.chars().any(char::is_control)
}

/// The one store that `place` is, and the store of all variables beside it if all is meant.
async fn of_place(
    request: &Delete,
    bucket: &Bucket,
    place: &CommandPlace,
) -> Result<Vec<(String, Vec<Area>)>, Error> {
    let spot = &request.spot;
    let store = match place {
        CommandPlace::Group(group) => &group.store,
        CommandPlace::Store(key) => key,
        CommandPlace::Shelf(shelf) => &shelf.prefix,
    };
    let mut areas = of_store(store);
    if request.all {
        areas.extend(
            beside(bucket, spot)
                .await?
                .iter()
                .flat_map(|key| of_store(key)),
        );
    } else {
        place.compact(bucket, spot).await?;
    }
    Ok(vec![(store.clone(), areas)])
}

/// All stores on `shelf`, and the store of all variables beside it.
async fn everything(
    bucket: &Bucket,
    spot: &Spot,
    shelf: &Shelf,
) -> Result<(String, Vec<Area>), Error> {
    let prefix = &shelf.prefix;
    let mut stores = Vec::new();
    let mut sites = bucket.sites(prefix);
    while let Some(site) = sites.try_next().await? {
        if site.is_repository {
            let key = site.key;
            return Err(DeleteError::Repository { key }.into());
        }
        stores.push(site.key);
    }
    stores.sort_unstable();
    let mut areas = vec![Area {
        below: prefix.clone(),
        stores,
    }];
    // What is left of one at the prefix itself.
    let ledger = layout::ledger(prefix);
    if !prefix.is_empty() && !bucket.folder(&ledger).await?.is_empty() {
        areas.push(Area {
            below: ledger,
            stores: vec![prefix.clone()],
        });
    }
    areas.extend(
        beside(bucket, spot)
            .await?
            .iter()
            .flat_map(|key| of_store(key)),
    );
    Ok((prefix.clone(), areas))
}

/// The store of the variable `name`, or that of all variables.
async fn one_store(bucket: &Bucket, shelf: &Shelf, name: &str) -> Result<String, Error> {
    if name == "compact" {
        let there = shelf.compact()?;
        return Ok(there.unwrap_or_else(|| shelf.new_compact()));
    }
    if let Some(own) = shelf.own(bucket, name).await? {
        return Ok(own);
    }
    if let Some(CompactStore { key, variables }) = CompactStore::of(bucket, shelf).await?
        && variables.contains(name)
    {
        let (name, store) = (name.to_owned(), key);
        return Err(DeleteError::InCompact { name, store }.into());
    }
    Ok(layout::store_key(&shelf.prefix, name))
}

/// The store `key` and its ledger.
fn of_store(key: &str) -> Vec<Area> {
    let area = |below| Area {
        below,
        stores: vec![key.to_owned()],
    };
    vec![area(key.to_owned()), area(layout::ledger(key))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_told_by_the_stores_that_are_known() {
        let area = Area {
            below: "a".to_owned(),
            stores: ["a/T1y", "a/tos.zarr"].map(str::to_owned).to_vec(),
        };
        for (key, expected) in [
            (
                "a/T1y/zarr.json",
                (Some("a/T1y"), ObjectKind::Root("zarr.json")),
            ),
            ("a/T1y/tos/c/0", (Some("a/T1y"), ObjectKind::Part)),
            ("a/T1y/notes.txt", (Some("a/T1y"), ObjectKind::Foreign)),
            ("a/tos.zarr/tos/0.0", (Some("a/tos.zarr"), ObjectKind::Part)),
            (
                "a/.msm-os/T1y/last.json",
                (Some("a/T1y"), ObjectKind::Ledger),
            ),
            ("a/.msm-os/other/last.json", (None, ObjectKind::Foreign)),
            ("a/.msm-os/doctor-1/x", (None, ObjectKind::Ledger)),
            ("a/.msm-os/probe-1", (None, ObjectKind::Ledger)),
            ("a/T1m/zarr.json", (None, ObjectKind::Foreign)),
            ("a/notes.txt", (None, ObjectKind::Foreign)),
        ] {
            assert_eq!(area.kind(key), expected, "{key}");
        }
    }
}
