//! Stores whose root document does not say what is in them, and the root document that would.
//!
//! Key type: [`UnconsolidatedStore`].

use msm_zarr::{Version, ZarrError, layout};
use serde_json::{Map, Value, json};

use super::bucket::Bucket;
use super::error::StoreError;

/// A store without consolidated metadata.
pub(crate) struct UnconsolidatedStore {
    /// Its version of the Zarr format.
    pub version: Version,
    /// Its root document as it is; version 2 has none.
    pub root: Option<String>,
    /// The root document with the documents of all its arrays and groups.
    pub consolidated: String,
}

impl UnconsolidatedStore {
    /// What lies at `store`; `None` if it is no group, or says itself what is in it.
    ///
    /// # Errors
    /// If what is there cannot be read.
    pub(crate) async fn read(bucket: &Bucket, store: &str) -> Result<Option<Self>, StoreError> {
        let v3 = text(bucket, &layout::root_document(store, Version::V3)).await?;
        if let Some(root) = v3 {
            let mut document = json(&layout::root_document(store, Version::V3), &root)?;
            if document["node_type"] != "group" || document["consolidated_metadata"].is_object() {
                return Ok(None);
            }
            let metadata = members(bucket, store, Version::V3).await?;
            document["consolidated_metadata"] = inline(&metadata);
            return Ok(Some(Self {
                version: Version::V3,
                root: Some(root),
                consolidated: document.to_string(),
            }));
        }
        let root = layout::root_document(store, Version::V2);
        let is_group = text(bucket, &layout::below(store, ".zgroup"))
            .await?
            .is_some();
        if !is_group || bucket.stat(&root).await?.is_some() {
            return Ok(None);
        }
        let metadata = members(bucket, store, Version::V2).await?;
        let document = json!({"zarr_consolidated_format": 1, "metadata": metadata});
        Ok(Some(Self {
            version: Version::V2,
            root: None,
            consolidated: document.to_string(),
        }))
    }
}

fn inline(metadata: &Map<String, Value>) -> Value {
    json!({"kind": "inline", "must_understand": false, "metadata": metadata})
}

/// The documents of all that is in `store`, as a root document of this version consolidates them. No array is looked into.
async fn members(
    bucket: &Bucket,
    store: &str,
    version: Version,
) -> Result<Map<String, Value>, StoreError> {
    let names: &[&str] = match version {
        Version::V3 => &["zarr.json"],
        Version::V2 => &[".zgroup", ".zarray", ".zattrs"],
    };
    let mut metadata = Map::new();
    let mut ahead = vec![String::new()];
    while let Some(path) = ahead.pop() {
        let folder = match path.as_str() {
            "" => store.to_owned(),
            path => layout::below(store, path),
        };
        let mut is_group = path.is_empty();
        // The root of version 3 is not told of by itself.
        let is_told = version == Version::V2 || !path.is_empty();
        for name in names.iter().filter(|_| is_told) {
            let key = layout::below(&folder, name);
            let Some(text) = text(bucket, &key).await? else {
                continue;
            };
            let mut document = json(&key, &text)?;
            is_group |= *name == ".zgroup" || document["node_type"] == "group";
            if version == Version::V2 {
                metadata.insert(layout::below(&path, name), document);
                continue;
            }
            if document["node_type"] == "group" {
                document["consolidated_metadata"] = inline(&Map::new());
            }
            metadata.insert(path.clone(), document);
        }
        if is_group {
            let folders = bucket.folder(&folder).await?.folders;
            let names = folders.iter().filter_map(|key| key.rsplit('/').next());
            ahead.extend(names.map(|name| layout::below(&path, name)));
        }
    }
    Ok(metadata)
}

async fn text(bucket: &Bucket, key: &str) -> Result<Option<String>, StoreError> {
    let document = match bucket.get(key).await {
        Ok(document) => document,
        Err(error) if error.is_missing() => return Ok(None),
        Err(error) => return Err(error),
    };
    let text = String::from_utf8(document.to_vec());
    Ok(Some(text.map_err(|cause| damaged(key, &cause))?))
}

fn json(key: &str, text: &str) -> Result<Value, ZarrError> {
    serde_json::from_str(text).map_err(|cause| damaged(key, &cause))
}

fn damaged(key: &str, cause: &dyn std::fmt::Display) -> ZarrError {
    ZarrError::Damaged {
        key: key.to_owned(),
        cause: cause.to_string(),
    }
}
