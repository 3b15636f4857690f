//! Arrays that are taken out of a store, whatever wrote them; the rest of it stays as it is.
//!
//! Key type: [`ArrayRemoval`].

use std::collections::BTreeSet;

use futures::TryStreamExt;
use msm_model::Problems;
use msm_zarr::{ObjectKind, Outline, OutlineArray, group_of};

use super::edits::{AttributeMap, Edits};
use super::expected;
use super::manifests::read_manifests;
use super::removal::Removal;
use super::removal_error::{Need, RemovalError};

use crate::store::{Bucket, ListedObject as Listed, read_outline};

/// Attributes that name other arrays, which readers then look for.
const NAMING: [&str; 8] = [
    "bounds",
    "climatology",
    "coordinates",
    "ancillary_variables",
    "cell_measures",
    "formula_terms",
    "quantization",
    "grid_mapping",
];
/// How arrays begin that are reprojected from others.
const PROJECTED: &str = "projected_";

/// What goes with some arrays of a store.
pub(crate) struct ArrayRemoval {
    /// Attributes of the store that go because they are not known to be true without the arrays.
    pub attributes: Vec<String>,
    /// All that goes.
    pub removal: Removal,
}

impl ArrayRemoval {
    /// Looks at what goes with the arrays `names` of `store`; with `force`, also objects among theirs that are none of a Zarr
    /// store.
    ///
    /// # Errors
    /// If the store cannot be read, has no such array, or needs one of them.
    pub(crate) async fn of(
        bucket: &Bucket,
        store: &str,
        names: &[String],
        force: bool,
    ) -> Result<Self, Problems<RemovalError>> {
        let outline = read_outline(bucket, store).await;
        let Some(outline) = outline.map_err(RemovalError::from)? else {
            let store = store.to_owned();
            return Err(RemovalError::NoStore { store }.into());
        };
        check(&outline, names)?;
        Ok(Self::of_outline(bucket, &outline, names, force).await?)
    }

    async fn of_outline(
        bucket: &Bucket,
        outline: &Outline,
        names: &[String],
        force: bool,
    ) -> Result<Self, RemovalError> {
        let objects = objects(bucket, outline, names, force).await?;
        let mut edits = Edits::new(bucket, outline);
        for name in names {
            edits.leave_out(&outline.documents_of(name));
        }
        let told = |all: &AttributeMap| expected::of_arrays(all, names);
        let leave_out = |all: &mut AttributeMap| expected::leave_out(all, names);
        let attributes = edits.drop_attributes(told, leave_out).await?;
        let kept = read_manifests(bucket, &outline.store).await?.whole()?;
        let gone = names.iter().flat_map(|name| kept.gone(name, |_| true));
        Ok(Self {
            attributes,
            removal: Removal {
                objects,
                ..Removal::of(edits, gone.collect())
            },
        })
    }
}

/// The objects of the arrays `names`.
async fn objects(
    bucket: &Bucket,
    outline: &Outline,
    names: &[String],
    force: bool,
) -> Result<Vec<Listed>, RemovalError> {
    let store = &outline.store;
    let mut objects = Vec::new();
    for name in names {
        let below = format!("{store}/{name}");
        if let Some(link) = bucket.links(&below).await?.first() {
            return Err(RemovalError::Link {
                path: link.path.clone(),
                to: link.to.clone(),
            });
        }
        let mut entries = bucket.entries(&below);
        while let Some(entry) = entries.try_next().await? {
            let is_part = matches!(ObjectKind::of(store, &entry.key), ObjectKind::Part);
            if !is_part && !force {
                return Err(RemovalError::Foreign { key: entry.key });
            }
            objects.push(entry);
        }
    }
    Ok(objects)
}

/// Refuses to take `names` out of the store that `outline` tells of, if it does not have them, or needs them.
fn check(outline: &Outline, names: &[String]) -> Result<(), Problems<RemovalError>> {
    let store = &outline.store;
    let (gone, stay): (Vec<&OutlineArray>, Vec<&OutlineArray>) = outline
        .arrays
        .iter()
        .partition(|array| names.contains(&array.name));
    let is_there = |name: &&String| gone.iter().any(|array| array.name == **name);
    let missing = names.iter().filter(|name| !is_there(name)).cloned();
    let missing: Vec<String> = missing.collect();
    if !missing.is_empty() {
        let arrays = outline.arrays.iter().map(|array| array.name.clone());
        return Err(RemovalError::NoArray {
            store: store.clone(),
            missing,
            arrays: arrays.collect(),
        }
        .into());
    }
    let main = store.rsplit('/').next().unwrap_or_default();
    let main = main.strip_suffix(".zarr").unwrap_or(main);
    let named = named_by(&outline.arrays);
    let has_data = stay.iter().any(|array| {
        let is_projected = last_of(&array.name).starts_with(PROJECTED);
        array.name == main || !named.contains(array.name.as_str()) && !is_projected
    });
    let (store, arrays) = (store.clone(), names.to_vec());
    if !has_data {
        return Err(RemovalError::Last { store, arrays }.into());
    }
    if gone.iter().any(|array| array.name == main) {
        return Err(RemovalError::Main { store, arrays }.into());
    }
    Problems::together(gone.iter().filter_map(|array| {
        Some(RemovalError::Needed {
            store: store.clone(),
            array: array.name.clone(),
            by: needed_by(array, &stay)?,
        })
    }))
}

/// What needs `array`, of those that stay.
fn needed_by(array: &OutlineArray, stay: &[&OutlineArray]) -> Option<Need> {
    stay.iter().find_map(|other| {
        let means = |word: &str| is_meant(&array.name, word, &other.name);
        if other.dimensions.iter().any(|name| means(name)) {
            return Some(Need::Coordinate {
                of: other.name.clone(),
            });
        }
        let attribute = NAMING
            .iter()
            .find(|attribute| other.words(attribute).any(means))?;
        Some(Need::Named {
            by: other.name.clone(),
            attribute: (*attribute).to_owned(),
        })
    })
}

/// The arrays that are coordinates of dimensions, or that attributes of others name.
fn named_by(arrays: &[OutlineArray]) -> BTreeSet<&str> {
    let is_named = |array: &&OutlineArray| {
        let mut all = arrays.iter();
        all.any(|other| {
            let means = |word: &str| is_meant(&array.name, word, &other.name);
            let mut words = NAMING.iter().flat_map(|attribute| other.words(attribute));
            other.dimensions.iter().any(|name| means(name))
                || (other.name != array.name && words.any(means))
        })
    };
    let named = arrays.iter().filter(is_named);
    named.map(|array| array.name.as_str()).collect()
}

/// Does `word`, said by the array `by`, mean `array`? Names are those of its own group and of the groups around it.
fn is_meant(array: &str, word: &str, by: &str) -> bool {
    let (group, of) = (group_of(array), group_of(by));
    let is_around = group.is_empty()
        || of
            .strip_prefix(group)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    word == last_of(array) && is_around
}

/// The last part of the name of an array.
fn last_of(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_what_is_in_its_group_or_around_it() {
        assert!(is_meant("nav_lat", "nav_lat", "tos"));
        assert!(is_meant("nav_lat", "nav_lat", "T/tos"));
        assert!(is_meant("T/nav_lat", "nav_lat", "T/tos"));
        assert!(is_meant("T/nav_lat", "nav_lat", "T/deep/tos"));
        assert!(!is_meant("T/nav_lat", "nav_lat", "tos"));
        assert!(!is_meant("T/nav_lat", "nav_lat", "TU/tos"));
        assert!(!is_meant("nav_lat", "nav_lon", "tos"));
    }
}
