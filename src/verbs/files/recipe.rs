//! The recipe that the arrays of a store were made by, as its ledger says, against the one that is given.
//!
//! Key type: [`FoundStore`], a store with what its ledger says of that.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, join, stream};
use msm_model::{
    Archive, ArrayRecipe, RecipeDifference, TIME_FROM, UNITS_OF_FILES, list, recipe_differences,
};
use msm_plan::PlanError;
use msm_zarr::{StoreSnapshot, layout};

use crate::commit::{LastTransaction, StoreRecipes};
use crate::error::Error;
use crate::events::Notice;
use crate::store::{Bucket, REQUESTS, StoreError, StoreLookup, read_store};
use crate::verbs::files::requested::{RequestedStore, existing_targets};

/// A store as it is now, or what is at its place.
#[derive(Clone)]
pub(in crate::verbs) struct FoundStore {
    /// What is there.
    pub store: StoreLookup,
    /// What the ledger says of its last transaction, if it says something.
    record: Option<LastTransaction>,
}

/// Looks at the stores of `targets`.
///
/// # Errors
/// If one cannot be read.
pub(in crate::verbs) async fn find_stores(
    bucket: &Bucket,
    targets: &[RequestedStore],
    axis: &str,
) -> Result<Vec<FoundStore>, Error> {
    let found = stream::iter(targets).map(|target| async move {
        let (store, record) = join!(
            read_store(bucket, &target.group, axis),
            LastTransaction::of_store(bucket, &target.key)
        );
        let store = store?;
        let record = match store {
            // It counts whatever the root document has become: the values are as they were written.
            StoreLookup::Store(_) => record?,
            StoreLookup::Nothing | StoreLookup::Remains(_) => None,
        };
        Ok(FoundStore { store, record })
    });
    found.buffered(REQUESTS).try_collect().await
}

/// In what the recipe of the files, of which there is one if it `is_given`, differs from the one that the arrays of the store
/// `key` were made by.
fn recipe_conflicts(
    key: &str,
    stored: &StoreSnapshot,
    record: &LastTransaction,
    archive: &Archive,
    is_given: bool,
) -> Vec<PlanError> {
    let recipes = &record.recipes;
    let of_array =
        |name: &String| Some((name.clone(), recipes.get(&stored.path_of(name))?.clone()));
    let names = stored.arrays.iter().map(|array| &array.name);
    let of_arrays: BTreeMap<String, ArrayRecipe> = names.filter_map(of_array).collect();
    // Of others, nobody may know.
    let is_known = |name: &str| {
        of_arrays.contains_key(name) || !record.has_untold_arrays && stored.holds(name)
    };
    let mut differences = recipe_differences(&of_arrays, &archive.catalogue, is_known);
    // Where its times are from is no matter of the recipe, and is told by who compares times.
    let axis = &archive.append_dimension;
    let coordinate = stored.arrays.iter().find(|array| array.name == *axis);
    let times = coordinate.and_then(|array| array.attributes.get(TIME_FROM)?.as_str());
    if times != archive.catalogue.time_from(axis) {
        differences.retain(|one| one.array != *axis || one.key != "name");
    }
    let differing: BTreeSet<&str> = differences.iter().map(|d| d.array.as_str()).collect();
    let (store, arrays) = (key.to_owned(), list(differing.iter().copied()));
    if differences.is_empty() {
        Vec::new()
    } else if !is_given {
        vec![PlanError::NoRecipe { store, arrays }]
    } else if recipes.is_empty() {
        vec![PlanError::MadeWithoutRecipe { store, arrays }]
    } else {
        let conflict = |difference: RecipeDifference| {
            let store = key.to_owned();
            if difference.key == UNITS_OF_FILES {
                return PlanError::UnitsOfFiles {
                    store,
                    array: difference.array,
                    stored: difference.stored,
                    given: difference.given,
                };
            }
            PlanError::Recipe { store, difference }
        };
        differences.into_iter().map(conflict).collect()
    }
}

/// Checks that what the stores `targets`, which are not there, would hold is not in one beside them, under the name that a recipe
/// gave it: who forgets the recipe would begin a second series.
///
/// # Errors
/// If it is, or a ledger cannot be read.
pub(in crate::verbs) async fn check_names_beside(
    bucket: &Bucket,
    targets: impl Iterator<Item = &RequestedStore> + Clone,
    archive: &Archive,
) -> Result<(), Error> {
    let new: BTreeSet<String> = targets.clone().map(|target| target.key.clone()).collect();
    let mut told: BTreeMap<String, Vec<(String, StoreRecipes)>> = BTreeMap::new();
    let mut problems = Vec::new();
    for target in targets {
        let catalogue = &archive.catalogue;
        let folder = target.key.rsplit_once('/').map_or("", |(folder, _)| folder);
        if !told.contains_key(folder) {
            let made = |name: &str| new.contains(&layout::below(folder, name));
            told.insert(folder.to_owned(), recipes_in(bucket, folder, made).await?);
        }
        let stores = told.get(folder).into_iter().flatten();
        let arrays = stores.flat_map(|(store, recipes)| recipes.iter().map(move |r| (store, r)));
        for (other, (array, recipe)) in arrays.filter(|(store, _)| **store != target.key) {
            let old = recipe.variable.as_ref().unwrap_or(array);
            let mut mains = target.mains.iter();
            let Some(main) = mains.find(|main| catalogue.name_in_file(main) == old) else {
                continue;
            };
            // Under one name it is in both, as is asked for.
            if main == array {
                continue;
            }
            // Of a store that another program removed, the ledger may be left.
            if !bucket.folder(other).await?.is_empty() {
                problems.push(PlanError::CalledOtherwise {
                    store: target.key.clone(),
                    variable: main.clone(),
                    old: old.clone(),
                    array: array.clone(),
                    other: other.clone(),
                });
            }
        }
    }
    Error::together(problems)
}

/// Those of `targets` that are there, see [`existing_targets`].
///
/// # Errors
/// As that; if what is missing is there under the name that a recipe gave it, that.
pub(in crate::verbs) async fn held_targets(
    targets: Vec<RequestedStore>,
    bucket: &Bucket,
    archive: &Archive,
    named: bool,
) -> Result<Vec<RequestedStore>, Error> {
    let asked = targets.clone();
    match existing_targets(targets, bucket, &archive.axis, named).await {
        Ok(held) => Ok(held),
        Err(failure) => {
            check_names_beside(bucket, asked.iter(), archive).await?;
            Err(failure)
        }
    }
}

/// By store in `folder`, what its arrays were made by, but for those that are only being `made`.
async fn recipes_in(
    bucket: &Bucket,
    folder: &str,
    made: impl Fn(&str) -> bool,
) -> Result<Vec<(String, StoreRecipes)>, StoreError> {
    let names = bucket.ledgers(folder).await?.into_iter();
    let names = names.filter(|name| !made(name));
    let read = names.map(|name| async move {
        let store = layout::below(folder, &name);
        let record = LastTransaction::of_store(bucket, &store).await?;
        Ok::<_, StoreError>(record.map(|record| {
            let mut recipes = record.recipes;
            // What is made without a recipe is not told of; a store has the name of its variable.
            if let Some(variable) = name.strip_suffix(".zarr")
                && !record.has_untold_arrays
            {
                recipes.entry(variable.to_owned()).or_default();
            }
            (store, recipes)
        }))
    });
    let read: Vec<Option<(String, StoreRecipes)>> =
        stream::iter(read).buffered(REQUESTS).try_collect().await?;
    Ok(read.into_iter().flatten().collect())
}

impl FoundStore {
    /// A store as a command would leave it: made by the recipe of its files.
    pub(in crate::verbs) fn foreseen(stored: StoreSnapshot) -> Self {
        Self {
            store: StoreLookup::Store(stored),
            record: None,
        }
    }

    /// What is there, if it was made by the recipe of the files, of which there is one if it `is_given`.
    ///
    /// # Errors
    /// Everything in which they differ.
    pub(in crate::verbs) fn made_alike(
        self,
        key: &str,
        archive: &Archive,
        is_given: bool,
    ) -> Result<StoreLookup, Error> {
        if let StoreLookup::Store(stored) = &self.store {
            let records = self.record.iter();
            let conflicts =
                records.flat_map(|r| recipe_conflicts(key, stored, r, archive, is_given));
            Error::together(conflicts)?;
        }
        Ok(self.store)
    }

    /// Is there no store?
    pub(in crate::verbs) fn is_new(&self) -> bool {
        !matches!(self.store, StoreLookup::Store(_))
    }

    /// That nothing tells whether the arrays of the store `key` were made by the recipe of the files, if they have one.
    pub(in crate::verbs) fn untold(&self, key: &str, archive: &Archive) -> Option<Notice> {
        let StoreLookup::Store(stored) = &self.store else {
            return None;
        };
        let recipes = &archive.catalogue.recipes;
        let is_known = |name: &String| {
            self.record.as_ref().is_some_and(|record| {
                !record.has_untold_arrays || record.recipes.contains_key(&stored.path_of(name))
            })
        };
        let is_untold = recipes
            .keys()
            .any(|name| stored.holds(name) && !is_known(name));
        is_untold.then(|| Notice::UntoldRecipe {
            store: key.to_owned(),
        })
    }
}
