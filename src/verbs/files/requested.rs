//! Which stores a command is about, and what each holds.
//!
//! Key type: [`RequestedStore`].

use futures::{StreamExt, TryStreamExt, stream};
use msm_model::{Archive, ArchiveError, Catalogue};
use msm_plan::DerivedVariable;
use msm_zarr::{Group, StoreSnapshot};

use crate::error::Error;
use crate::events::Notice;
use crate::store::REQUESTS;
use crate::store::{Bucket, StoreError, StoreLookup, read_store};
use crate::verbs::stores::error::StoresError;
use crate::verbs::stores::replaced::check_not_replaced;

/// A store that is asked for.
#[derive(Clone)]
pub(in crate::verbs) struct RequestedStore {
    /// Its key.
    pub key: String,
    /// The group in it.
    pub group: Group,
    /// Its data variables.
    pub mains: Vec<String>,
    /// These and their coordinates.
    pub members: Vec<String>,
}

impl RequestedStore {
    /// Its members, and the coordinates that what is `added` is reprojected from.
    pub(in crate::verbs) fn members_with(
        &self,
        archive: &Archive,
        added: &[DerivedVariable],
    ) -> Vec<String> {
        let catalogue = &archive.catalogue;
        let mut members = self.members.clone();
        for variable in added.iter().filter_map(|added| added.of.as_ref()) {
            let variable = catalogue.variable(variable);
            let Some(found) = variable.and_then(|v| catalogue.horizontal(v)) else {
                continue;
            };
            for name in [found.longitude, found.latitude] {
                for name in catalogue.with_coordinates(&name) {
                    if !members.contains(&name) {
                        members.push(name);
                    }
                }
            }
        }
        members
    }
}

/// What a store that is there has beside the `members`, and the files have too: all of it grows together. Data variables are among
/// it if none were `named`, or these were: other tools put them into stores of others.
pub(in crate::verbs) fn held_besides(
    members: &[String],
    named: &[String],
    catalogue: &Catalogue,
    stored: &StoreSnapshot,
) -> Vec<String> {
    let data = catalogue.data_variables();
    let is_meant = |name: &String| named.is_empty() || named.contains(name) || !data.contains(name);
    let names = stored.arrays.iter().map(|array| &array.name);
    let besides = names.filter(|name| {
        catalogue.variable(name).is_some() && !members.contains(name) && is_meant(name)
    });
    besides.cloned().collect()
}

/// Of `members`, what the store goes on without: bounds, coordinates and other arrays that go with its data variables, which
/// it has no array of. Without its axis no step could be told.
pub(in crate::verbs) fn lacked(
    members: &[String],
    mains: &[String],
    axis: &str,
    stored: &StoreSnapshot,
) -> Vec<String> {
    let lacked = members
        .iter()
        .filter(|name| !mains.contains(name) && *name != axis && !stored.holds(name));
    lacked.cloned().collect()
}

/// The variables to send: those `named`, each once, or all data variables.
///
/// # Errors
/// If one of them is not there, or there are none.
pub(in crate::verbs) fn selected_variables(
    catalogue: &Catalogue,
    named: &[String],
) -> Result<Vec<String>, ArchiveError> {
    if named.is_empty() {
        let all = catalogue.data_variables();
        if all.is_empty() {
            let left_out = catalogue.not_data().into_iter().map(|(_, why)| why);
            let left_out: Vec<String> = left_out.collect();
            return Err(ArchiveError::NoData {
                path: catalogue.path.clone(),
                left_out: if left_out.is_empty() {
                    "no variables at all".to_owned()
                } else {
                    left_out.join(", ")
                },
            });
        }
        return Ok(all);
    }
    let mut chosen: Vec<String> = Vec::new();
    for name in named {
        if catalogue.variable(name).is_none() {
            return Err(catalogue.unknown_variable(name));
        }
        if !chosen.contains(name) {
            chosen.push(name.clone());
        }
    }
    Ok(chosen)
}

/// The variables that no store of `targets` gets though no variable was named, with the reasons; `None` if there are none.
pub(in crate::verbs) fn left_out(
    catalogue: &Catalogue,
    targets: &[RequestedStore],
) -> Option<Notice> {
    let members = all_members(targets);
    let left_out = catalogue.not_data().into_iter();
    let variables: Vec<String> = left_out
        .filter(|(name, _)| !members.contains(name))
        .map(|(_, why)| why)
        .collect();
    (!variables.is_empty()).then(|| Notice::NotData {
        file: catalogue.path.clone(),
        variables,
    })
}

/// What any of `targets` holds, each once.
fn all_members(targets: &[RequestedStore]) -> Vec<String> {
    once(targets.iter().flat_map(|t| &t.members).cloned())
}

/// The `variables`, each followed by its coordinates; each once.
pub(in crate::verbs) fn with_coordinates(archive: &Archive, variables: &[String]) -> Vec<String> {
    let each = variables.chunks(1);
    once(each.flat_map(|variable| archive.members(variable)))
}

fn once(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in names {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// Those of `targets` that can be updated: of a store, the data variables that it holds. If they were `named` one by
/// one, all of them must be there.
pub(in crate::verbs) async fn existing_targets(
    targets: Vec<RequestedStore>,
    bucket: &Bucket,
    axis: &str,
    named: bool,
) -> Result<Vec<RequestedStore>, Error> {
    let looked = stream::iter(&targets).map(|target| read_store(bucket, &target.group, axis));
    let looked: Result<Vec<StoreLookup>, StoreError> =
        looked.buffered(REQUESTS).try_collect().await;
    let (mut there, mut missing, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for (mut target, found) in targets.into_iter().zip(looked?) {
        let StoreLookup::Store(stored) = found else {
            missing.push(target.key);
            continue;
        };
        let holds = |name: &String| stored.arrays.iter().any(|a| a.name == *name);
        if !named {
            target.mains.retain(holds);
            target.members.retain(holds);
        }
        if target.mains.is_empty() {
            others.push(target.key);
        } else {
            there.push(target);
        }
    }
    check_not_replaced(bucket, missing.iter()).await?;
    if there.is_empty() && !others.is_empty() {
        return Err(StoresError::NothingHeld {
            place: place_of(bucket, &others),
            stores: others,
        }
        .into());
    }
    if (named && !missing.is_empty()) || there.is_empty() {
        return Err(StoresError::NoneToUpdate {
            place: place_of(bucket, &missing),
            stores: missing,
        }
        .into());
    }
    Ok(there)
}

/// What to call the place of `stores`, which lie in one folder.
fn place_of(bucket: &Bucket, stores: &[String]) -> String {
    let folder = stores.first().and_then(|store| store.rsplit_once('/'));
    bucket.place_of(folder.map_or("", |(folder, _)| folder))
}
