//! Hierarchies: groups within a group, as xarray writes a `DataTree`. One store, whose root document consolidates all of it.

use serde_json::Value;

use super::document::AttributeEdits;
use super::document_v2::DIMENSIONS;
use super::snapshot::{NestedGroup, StoredArray};
use super::version::Version;

/// The paths of the groups that `root` tells of, in order; the topmost one, which is always there, is the empty path.
pub fn groups(version: Version, root: &Value) -> Vec<String> {
    let documents = consolidated(version, root).as_object();
    let mut paths: Vec<String> = documents
        .into_iter()
        .flatten()
        .filter_map(|(path, document)| match version {
            Version::V3 => (document["node_type"] == "group").then(|| path.clone()),
            Version::V2 => path.strip_suffix("/.zgroup").map(str::to_owned),
        })
        .collect();
    paths.push(String::new());
    paths.sort_unstable();
    paths
}

/// The paths of the groups above and below the group `path` that have arrays along `dimension`: readers of the hierarchy align them.
pub(super) fn aligned(version: Version, root: &Value, path: &str, dimension: &str) -> Vec<String> {
    let documents = consolidated(version, root).as_object();
    let is_along = |names: &Value| {
        let mut names = names.as_array().into_iter().flatten();
        names.any(|name| name == dimension)
    };
    let arrays = documents
        .into_iter()
        .flatten()
        .filter_map(|(key, document)| match version {
            Version::V3 => is_along(&document["dimension_names"]).then_some(key.as_str()),
            Version::V2 => {
                let node = key.strip_suffix("/.zattrs")?;
                is_along(&document[DIMENSIONS]).then_some(node)
            }
        });
    let groups = arrays.map(|array| array.rsplit_once('/').map_or("", |(group, _)| group));
    let is_above = |above: &str, below: &str| {
        above != below
            && (above.is_empty()
                || below
                    .strip_prefix(above)
                    .is_some_and(|b| b.starts_with('/')))
    };
    let mut aligned: Vec<String> = groups
        .filter(|group| is_above(group, path) || is_above(path, group))
        .map(str::to_owned)
        .collect();
    aligned.dedup();
    aligned
}

/// The documents that `root` consolidates.
fn consolidated(version: Version, root: &Value) -> &Value {
    match version {
        Version::V3 => &root["consolidated_metadata"]["metadata"],
        Version::V2 => &root["metadata"],
    }
}

/// Keeps the arrays that lie in the group `path` itself, and calls them what they are called there.
pub fn of_group(arrays: &mut Vec<StoredArray>, path: &str) {
    arrays.retain_mut(|array| {
        let name = match path {
            "" => Some(array.name.as_str()),
            path => array
                .name
                .strip_prefix(path)
                .and_then(|n| n.strip_prefix('/')),
        };
        let name = name.filter(|name| !name.contains('/')).map(str::to_owned);
        name.map(|name| array.name = name).is_some()
    });
}

/// Sets the document at `path` among those that `root` consolidates; and among those of groups on the way that the root tells of
/// together with what they consolidate themselves.
pub(super) fn consolidate(version: Version, root: &mut Value, path: &str, document: &Value) {
    if version == Version::V2 {
        put(&mut root["metadata"], path, document);
        return;
    }
    let name = path.strip_suffix("/zarr.json").unwrap_or(path);
    let metadata = &mut root["consolidated_metadata"]["metadata"];
    put(metadata, name, document);
    for (end, _) in name.match_indices('/') {
        let within = &mut metadata[&name[..end]]["consolidated_metadata"]["metadata"];
        if within.as_object().is_some_and(|within| !within.is_empty()) {
            put(within, &name[end + 1..], document);
        }
    }
}

/// Sets an entry of consolidated metadata. What is new comes among its siblings: zarr-python 3 takes neighbours together, those of
/// one depth and one group, and does not find a node that stands apart (`GroupMetadata.from_dict`).
fn put(metadata: &mut Value, path: &str, document: &Value) {
    let is_new = metadata.get(path).is_none();
    metadata[path] = document.clone();
    let Some(entries) = metadata.as_object_mut().filter(|_| is_new) else {
        return;
    };
    let mut all: Vec<(String, Value)> = std::mem::take(entries).into_iter().collect();
    all.sort_by_cached_key(|(path, _)| {
        // Of version 2, the node that the document is of.
        let node = match path.rsplit_once('/') {
            Some((node, last)) if last.starts_with('.') => node,
            _ => path,
        };
        let above = node.rsplit_once('/').map_or("", |(above, _)| above);
        (node.matches('/').count(), above.to_owned())
    });
    entries.extend(all);
}

/// The documents of the groups of a hierarchy, from below its root down to `nested`, that change when that gets these
/// `attributes` and these `documents`, by their paths below the root, are put. They tell those who open these groups by
/// themselves.
#[must_use]
pub fn of_groups(
    version: Version,
    nested: &NestedGroup,
    attributes: &AttributeEdits,
    documents: &[(String, Value)],
) -> Vec<(String, Value)> {
    let grown = nested.groups.iter().filter_map(|(path, document)| {
        let old: Value = serde_json::from_str(document).ok()?;
        let mut new = old.clone();
        if *path == nested.path && version == Version::V3 {
            set_attributes(&mut new, "", attributes);
        }
        if consolidated(version, &old).is_object() {
            for (below, document) in documents {
                if let Some(below) = below.strip_prefix(path).and_then(|b| b.strip_prefix('/')) {
                    consolidate(version, &mut new, below, document);
                }
            }
        }
        (new != old).then(|| (format!("{path}/{}", version.root()), new))
    });
    grown.collect()
}

/// The document `root` of a group once it tells no more of the group `path` in it and of what lies in that.
#[must_use]
pub fn without(version: Version, root: &str, path: &str) -> String {
    let Ok(mut document) = serde_json::from_str::<Value>(root) else {
        return root.to_owned();
    };
    remove(version, &mut document, path);
    document.to_string()
}

fn remove(version: Version, document: &mut Value, path: &str) {
    let metadata = match version {
        Version::V3 => &mut document["consolidated_metadata"]["metadata"],
        Version::V2 => &mut document["metadata"],
    };
    let Some(metadata) = metadata.as_object_mut() else {
        return;
    };
    let within = |name: &str| {
        let below = name.strip_prefix(path);
        below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
    };
    metadata.retain(|name, _| !within(name));
    for (end, _) in path.match_indices('/') {
        if let Some(above) = metadata.get_mut(&path[..end])
            && above["consolidated_metadata"]["metadata"].is_object()
        {
            remove(version, above, &path[end + 1..]);
        }
    }
}

/// What the root document `root` of version 3 says of the group `path` when that gets these `attributes`.
pub(super) fn set_attributes(root: &mut Value, path: &str, attributes: &AttributeEdits) {
    let group = match path {
        "" => root,
        path => &mut root["consolidated_metadata"]["metadata"][path],
    };
    if attributes.is_empty() {
        return;
    }
    let mut all = group["attributes"].as_object().cloned().unwrap_or_default();
    attributes.change(&mut all);
    group["attributes"] = Value::Object(all);
}
