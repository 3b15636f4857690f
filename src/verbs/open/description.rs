//! What a catalogue says of a store, beside what `list` tells.
//!
//! Key type: [`StoreMetadata`].

use std::collections::BTreeMap;
use std::time::SystemTime;

use msm_zarr::{Group, StoreSnapshot, Version, layout};
use serde_json::{Map, Value};

use super::coverage::coverage;
use crate::store::{Bucket, StoreError, StoreLookup, read_store};

/// What the documents of a store tell, and where on the earth its cells lie.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreMetadata {
    /// Its global attributes.
    pub attributes: Map<String, Value>,
    /// Those of its arrays, by their names.
    pub arrays: BTreeMap<String, Map<String, Value>>,
    /// The degrees west, south, east and north between which the centres of its cells lie; `None` if that could not be found out
    /// cheaply.
    pub bbox: Option<[f64; 4]>,
    /// Why not, if its coordinates cannot be read, or are not what manifests say.
    pub unplaced: Option<StoreError>,
    /// When its root document was written.
    pub changed: Option<SystemTime>,
}

impl StoreMetadata {
    /// Reads that of `group`; `None` if it is gone by now.
    ///
    /// # Errors
    /// If the bucket cannot be read.
    pub(super) async fn read(bucket: &Bucket, group: &Group) -> Result<Option<Self>, StoreError> {
        let StoreLookup::Store(stored) = read_store(bucket, group, "").await? else {
            return Ok(None);
        };
        let root = layout::root_document(&group.store, stored.version);
        let folder = bucket.folder(&group.store).await?;
        let root = folder.objects.into_iter().find(|object| object.key == root);
        let placed = coverage(bucket, group, &stored).await;
        let (bbox, unplaced) = match placed {
            Ok(bbox) => (bbox, None),
            // Other stores have theirs.
            Err(why @ (StoreError::Zarr(_) | StoreError::Denied { .. })) => (None, Some(why)),
            Err(other) => return Err(other),
        };
        Ok(Some(Self {
            attributes: global_attributes(&stored),
            bbox,
            unplaced,
            arrays: stored
                .arrays
                .into_iter()
                .map(|array| (array.name, array.attributes))
                .collect(),
            changed: root.map(|object| object.modified),
        }))
    }
}

/// The attributes of the group that `stored` is.
fn global_attributes(stored: &StoreSnapshot) -> Map<String, Value> {
    let root: Value = serde_json::from_str(&stored.root).unwrap_or_default();
    let attributes = match (stored.version, stored.group()) {
        (Version::V3, "") => &root["attributes"],
        (Version::V3, path) => &root["consolidated_metadata"]["metadata"][path]["attributes"],
        (Version::V2, path) => &root["metadata"][layout::below(path, ".zattrs")],
    };
    attributes.as_object().cloned().unwrap_or_default()
}
