//! The stores that are read: as they are, and what manifests say of their objects.
//!
//! Key type: [`Sources`].

use msm_plan::{Plan, RechunkPlan, Rechunking, StoreRechunk, rechunked};
use msm_zarr::{Group, StoreSnapshot};

use super::error::RechunkError;
use super::report::RechunkedStore;
use crate::commit::{LastTransaction, StoreRecipes};
use crate::error::Error;
use crate::store::{Bucket, StoreLookup, read_store};
use crate::transfer::{SourceRecord, TransferError};
use crate::verbs::copy::CopyError;
use crate::verbs::copy::place::Passage;
use crate::verbs::copy::source::SourceStore;
use crate::verbs::shared::recorded::sure_records;

/// Stores that are read, of which all are to be made, or all are there already.
pub(super) struct Sources {
    pub stores: Vec<(SourceStore, StoreSnapshot)>,
    pub is_there: bool,
}

impl Sources {
    /// What is done to make them anew. What is there already has to be what would be made, as far as root documents tell.
    ///
    /// # Errors
    /// If what is asked for does not fit them; or of each place with something else.
    pub(super) async fn plan(
        &self,
        bucket: &Bucket,
        asked: &Rechunking,
    ) -> Result<RechunkPlan, Error> {
        let mut stores = Vec::new();
        for (store, stored) in &self.stores {
            let from = store.passage.from.clone();
            let (recipes, has_untold_arrays) = recipes(bucket, &from).await?;
            stores.push(StoreRechunk {
                recipes,
                has_untold_arrays,
                from,
                to: store.passage.to.clone(),
                stored: stored.clone(),
            });
        }
        let planned = rechunked(&stores, asked)?;
        if self.is_there {
            self.are_alike(bucket, &planned.plan).await?;
        }
        Ok(planned)
    }

    /// Their keys.
    pub(super) fn keys(&self) -> impl Iterator<Item = String> + '_ {
        let keys = self.stores.iter();
        keys.map(|(store, _)| store.passage.from.clone())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.stores.is_empty()
    }

    /// Checks that what is there has the root documents that the `plan` makes.
    ///
    /// # Errors
    /// Of each that has not; or as the server says.
    async fn are_alike(&self, bucket: &Bucket, plan: &Plan) -> Result<(), Error> {
        let mut taken = Vec::new();
        for (target, (store, _)) in plan.stores.iter().zip(&self.stores) {
            let is_alike = match bucket.get(&target.root_key).await {
                Ok(root) => root == target.new_root.as_bytes(),
                Err(error) if error.is_missing() => false,
                Err(error) => return Err(error.into()),
            };
            if !is_alike {
                taken.push(taken_by(&store.passage));
            }
        }
        Error::together(taken)
    }

    /// What is said if comparing what is there with what would be made failed so.
    pub(super) fn unlike(&self, failure: Error) -> Error {
        let transfer = match &failure {
            Error::OnRank { cause, .. } => cause,
            failure => failure,
        };
        let Error::Transfer(TransferError::Differs { other, .. }) = transfer else {
            return failure;
        };
        let ways = self.stores.iter().map(|(store, _)| &store.passage);
        let way = { ways }.find(|way| other.starts_with(&format!("{}/", way.to)));
        way.map_or(failure.clone(), |way| taken_by(way).into())
    }

    /// What manifests say of the objects that `planned` reads. Where another program has written a store, too, they say nothing sure.
    ///
    /// # Errors
    /// As the server says.
    pub(super) async fn records(
        &self,
        bucket: &Bucket,
        planned: &RechunkPlan,
    ) -> Result<Vec<SourceRecord>, Error> {
        let mut all = Vec::new();
        for (index, (store, stored)) in self.stores.iter().enumerate() {
            let key = &store.passage.from;
            let Some(mut records) = sure_records(bucket, key, &stored.root).await? else {
                continue;
            };
            for (array, change) in planned.changes.iter().enumerate() {
                if change.store != index {
                    continue;
                }
                let of_array = records.objects.remove(&change.name).unwrap_or_default();
                all.extend(of_array.into_iter().map(|(chunk, content)| SourceRecord {
                    array,
                    chunk: chunk.into_vec(),
                    content,
                }));
            }
        }
        Ok(all)
    }

    /// Checks that no other program has changed one since it was looked at.
    ///
    /// # Errors
    /// If one has; or as the server says.
    pub(super) async fn are_unchanged(&self, bucket: &Bucket) -> Result<(), Error> {
        for (store, _) in &self.stores {
            if !store.is_unchanged(bucket).await? {
                let store = store.passage.from.clone();
                return Err(RechunkError::Changed { store }.into());
            }
        }
        Ok(())
    }

    /// What becomes of each.
    pub(super) fn report(&self, planned: &RechunkPlan) -> Vec<RechunkedStore> {
        let report = |(index, (store, _)): (usize, &(SourceStore, StoreSnapshot))| {
            let changes = planned.changes.iter();
            RechunkedStore {
                from: store.passage.from.clone(),
                to: store.passage.to.clone(),
                arrays: changes.filter(|c| c.store == index).cloned().collect(),
                was_there: self.is_there,
                left_out: store.foreign.0,
            }
        };
        self.stores.iter().enumerate().map(report).collect()
    }
}

/// What the arrays of `store` were made by, but for how they were cut and encoded; and whether nobody knows it of others.
async fn recipes(bucket: &Bucket, store: &str) -> Result<(StoreRecipes, bool), Error> {
    let Some(last) = LastTransaction::of_store(bucket, store).await? else {
        return Ok((StoreRecipes::new(), true));
    };
    let mut recipes = last.recipes;
    for recipe in recipes.values_mut() {
        recipe.chunks.clear();
        recipe.shards.clear();
        recipe.codec = None;
    }
    Ok((recipes, last.has_untold_arrays))
}

/// The store that takes this way, as it is now.
///
/// # Errors
/// If it is none, or a hierarchy; or as the server says.
pub(super) async fn source(
    bucket: &Bucket,
    way: &Passage,
) -> Result<(SourceStore, StoreSnapshot), Error> {
    let from = &way.from;
    let store = SourceStore::of(bucket, way.clone()).await?;
    let StoreLookup::Store(stored) = read_store(bucket, &Group::whole(from), "").await? else {
        let store = from.clone();
        return Err(CopyError::NoRoot { store }.into());
    };
    let mut groups = stored.groups();
    groups.retain(|path| !path.is_empty());
    if !groups.is_empty() {
        return Err(RechunkError::Hierarchy {
            store: from.clone(),
            groups: groups.join(", "),
        }
        .into());
    }
    Ok((store, stored))
}

fn taken_by(passage: &Passage) -> RechunkError {
    RechunkError::Taken {
        store: passage.from.clone(),
        to: passage.to.clone(),
    }
}
