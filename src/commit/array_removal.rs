//! Arrays that are taken out of a store, whatever wrote them; the rest of it stays as it is.
//!
//! Key type: [`ArrayRemoval`].

use std::collections::BTreeSet;

use super::edits::Edits;
use super::expected;
use super::kept::KeptRecord;
use super::manifests::read_kept;
use super::removal::Removal;
use crate::exit::{Exit, Failure};
use crate::source::list;
use crate::store::{
    Bucket, Entry as Listed, Kind, Outline, Outlined, Version, group_of, read_outline,
};
use crate::transfer::Content;
use futures::TryStreamExt;

/// Attributes that name other arrays, which readers then look for.
const NAMING: [&str; 7] = [
    "bounds",
    "climatology",
    "coordinates",
    "ancillary_variables",
    "cell_measures",
    "formula_terms",
    "grid_mapping",
];
/// How arrays begin that are reprojected from others.
const PROJECTED: &str = "projected_";

/// What goes with some arrays of a store.
pub struct ArrayRemoval {
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
    pub async fn of(
        bucket: &Bucket,
        store: &str,
        names: &[String],
        force: bool,
    ) -> Result<Self, Failure> {
        let Some(outline) = read_outline(bucket, store).await? else {
            let message = format!("there is no store '{store}'; nothing was deleted");
            return Err(Failure::new(Exit::NoStore, message));
        };
        check(&outline, names)?;
        let objects = objects(bucket, &outline, names, force).await?;
        let mut edits = Edits::new(bucket, &outline);
        for name in names {
            edits.leave_out(&outline.documents_of(name));
        }
        let attributes = match outline.version {
            Version::V3 => &outline.root["attributes"],
            Version::V2 => &outline.root["metadata"][".zattrs"],
        };
        let attributes = attributes.as_object();
        let attributes = attributes.map_or_else(Vec::new, |all| expected::of_arrays(all, names));
        edits
            .change_attributes(|all| {
                all.retain(|name, _| !attributes.contains(name));
                expected::leave_out(all, names);
            })
            .await?;
        let kept = read_kept(bucket, store).await?;
        let gone = names.iter().flat_map(|name| {
            let objects = kept.objects.get(name).into_iter().flatten();
            let stored = objects.filter(|(_, content)| matches!(content, Content::Stored { .. }));
            stored.map(|(chunk, _)| KeptRecord {
                array: name.clone(),
                chunk: chunk.to_vec(),
                content: Content::Empty,
            })
        });
        let (root, documents) = edits.done();
        Ok(Self {
            attributes,
            removal: Removal {
                store: store.to_owned(),
                root,
                documents,
                objects,
                trims: Vec::new(),
                gone: gone.collect(),
                steps: 0,
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
) -> Result<Vec<Listed>, Failure> {
    let store = &outline.store;
    let mut objects = Vec::new();
    for name in names {
        let below = format!("{store}/{name}");
        if let Some(link) = bucket.links(&below).await?.first() {
            let message = format!(
                "{} is a symbolic link to {}, behind which nothing is deleted; nothing was deleted; remove the link",
                link.path.display(),
                link.to.display()
            );
            return Err(Failure::new(Exit::ForeignObjects, message));
        }
        let mut entries = bucket.entries(&below);
        while let Some(entry) = entries.try_next().await? {
            let is_part = matches!(Kind::of(store, &entry.key), Kind::Part);
            if !is_part && !force {
                let message = format!(
                    "'{}' is not this program's; nothing was deleted; move it away, or delete it too with --force",
                    entry.key
                );
                return Err(Failure::new(Exit::ForeignObjects, message));
            }
            objects.push(entry);
        }
    }
    Ok(objects)
}

/// Refuses to take `names` out of the store that `outline` tells of, if it does not have them, or needs them.
fn check(outline: &Outline, names: &[String]) -> Result<(), Failure> {
    let store = &outline.store;
    let (gone, stay): (Vec<&Outlined>, Vec<&Outlined>) = outline
        .arrays
        .iter()
        .partition(|array| names.contains(&array.name));
    let is_there = |name: &&String| gone.iter().any(|array| array.name == **name);
    let missing: Vec<&str> = names
        .iter()
        .filter(|name| !is_there(name))
        .map(String::as_str)
        .collect();
    if !missing.is_empty() {
        let message = format!(
            "store '{store}' has no array {}; it has {}; nothing was deleted",
            list(missing.into_iter()),
            list(outline.arrays.iter().map(|array| array.name.as_str()))
        );
        return Err(Failure::new(Exit::NoStore, message));
    }
    let main = store.rsplit('/').next().unwrap_or_default();
    let main = main.strip_suffix(".zarr").unwrap_or(main);
    let named = named_by(&outline.arrays);
    let has_data = stay.iter().any(|array| {
        let is_projected = last_of(&array.name).starts_with(PROJECTED);
        array.name == main || !named.contains(array.name.as_str()) && !is_projected
    });
    if !has_data || gone.iter().any(|array| array.name == main) {
        let what = if has_data {
            "is what the store is there for"
        } else {
            "is the last that has data there"
        };
        let message = format!(
            "store '{store}': array {} {what}; nothing was deleted; to delete the store, leave --array out",
            list(names.iter().map(String::as_str))
        );
        return Err(Failure::new(Exit::ArrayNeeded, message));
    }
    Failure::together(gone.iter().filter_map(|array| {
        let by = needed_by(array, &stay)?;
        let message = format!(
            "store '{store}': array '{}' is needed: {by}; nothing was deleted; name that one too, or leave both",
            array.name
        );
        Some(Failure::new(Exit::ArrayNeeded, message))
    }))
}

/// What needs `array`, of those that stay.
fn needed_by(array: &Outlined, stay: &[&Outlined]) -> Option<String> {
    stay.iter().find_map(|other| {
        let means = |word: &str| is_meant(&array.name, word, &other.name);
        if other.dimensions.iter().any(|name| means(name)) {
            return Some(format!(
                "it is the coordinate of a dimension of '{}'",
                other.name
            ));
        }
        let attribute = NAMING
            .iter()
            .find(|attribute| other.words(attribute).any(means))?;
        Some(format!("'{}' names it in its {attribute}", other.name))
    })
}

/// The arrays that are coordinates of dimensions, or that attributes of others name.
fn named_by(arrays: &[Outlined]) -> BTreeSet<&str> {
    let is_named = |array: &&Outlined| {
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
