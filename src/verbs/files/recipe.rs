//! The recipe that the arrays of a store were made by, as its ledger says, against the one that is given.
//!
//! Key type: [`FoundStore`], a store with what its ledger says of that.

use futures::{StreamExt, TryStreamExt, stream};
use msm_model::{Archive, ArrayRecipe, recipe_differences};
use msm_plan::PlanError;
use msm_zarr::StoreSnapshot;
use std::collections::BTreeMap;

use crate::commit::{LastTransaction, StoreRecipes};
use crate::error::Error;
use crate::events::Notice;
use crate::store::{Bucket, REQUESTS, StoreLookup, read_store};
use crate::verbs::files::requested::RequestedStore;

/// A store as it is now, or what is at its place.
pub(in crate::verbs) struct FoundStore {
    /// What is there.
    pub store: StoreLookup,
    /// What its arrays were made by; `None` if the ledger does not know, as where another tool made them.
    recipes: Option<StoreRecipes>,
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
        let store = read_store(bucket, &target.group, axis).await?;
        let recipes = match store {
            StoreLookup::Store(_) => {
                // It counts whatever the root document has become: the values are as they were written.
                let record = LastTransaction::of_store(bucket, &target.key).await?;
                record.map(|record| record.recipes)
            }
            StoreLookup::Nothing | StoreLookup::Remains(_) => None,
        };
        Ok(FoundStore { store, recipes })
    });
    found.buffered(REQUESTS).try_collect().await
}

/// In what the recipe of the files, of which there is one if it `is_given`, differs from the one that the arrays of the store
/// `key` were made by.
pub(in crate::verbs) fn recipe_conflicts(
    key: &str,
    stored: &StoreSnapshot,
    recipes: Option<&StoreRecipes>,
    archive: &Archive,
    is_given: bool,
) -> Vec<PlanError> {
    let Some(recipes) = recipes else {
        return Vec::new();
    };
    let of_array =
        |name: &String| Some((name.clone(), recipes.get(&stored.path_of(name))?.clone()));
    let names = stored.arrays.iter().map(|array| &array.name);
    let of_arrays: BTreeMap<String, ArrayRecipe> = names.filter_map(of_array).collect();
    let differences = recipe_differences(&of_arrays, &archive.catalogue, |name| stored.holds(name));
    let conflict = |difference| PlanError::Recipe {
        store: key.to_owned(),
        difference,
        is_given,
    };
    differences.into_iter().map(conflict).collect()
}

impl FoundStore {
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
            let recipes = self.recipes.as_ref();
            Error::together(recipe_conflicts(key, stored, recipes, archive, is_given))?;
        }
        Ok(self.store)
    }

    /// That nothing tells whether the arrays of the store `key` were made by the recipe of the files, if they have one.
    pub(in crate::verbs) fn untold(&self, key: &str, archive: &Archive) -> Option<Notice> {
        let StoreLookup::Store(stored) = &self.store else {
            return None;
        };
        let recipes = &archive.catalogue.recipes;
        let is_asked = recipes.keys().any(|name| stored.holds(name));
        (self.recipes.is_none() && is_asked).then(|| Notice::UntoldRecipe {
            store: key.to_owned(),
        })
    }
}
