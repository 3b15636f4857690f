//! Zarr documents: of arrays, and of the root with its consolidated metadata, as zarr-python writes them. Version 3
//! (Zarr core specification v3) is here, version 2 in `document_v2`. Pure.
//!
//! Key types: [`NewArray`]; [`Documents`], by their paths below the store.

use data_encoding::BASE64;
use serde_json::{Map, Value, json};

use super::codec::Codec;
use super::document_v2 as v2;
use super::hierarchy::{consolidate, set_attributes};
pub use super::hierarchy::{of_groups, without};
use super::layout;
use super::version::Version;
use msm_model::{DType, Number, Variable, number_to_json};

/// What a new array is like.
pub struct NewArray<'a> {
    /// The variable it holds.
    pub variable: &'a Variable,
    /// The type of its values.
    pub dtype: DType,
    /// Its shape.
    pub shape: &'a [u64],
    /// What one object holds: its chunk shape, or the shape of its shards.
    pub chunk: &'a [u64],
    /// The chunk shape within a shard; `None` without shards, which version 2 does not have.
    pub inner: Option<&'a [u64]>,
    /// The fill value's bytes, little-endian.
    pub fill: &'a [u8],
}

/// Documents by their paths below the store.
pub type Documents = Vec<(String, Value)>;

/// The document of a new array that says how its objects are encoded.
#[must_use]
pub fn new_array(
    version: Version,
    array: &NewArray<'_>,
    attributes: &Map<String, Value>,
    codec: &Codec,
) -> Value {
    if version == Version::V2 {
        return v2::new_array(array, codec);
    }
    let number = array.dtype.numbers(array.fill).next();
    // The only text that fills is the empty one.
    let fill = number.map_or(json!(""), number_to_json);
    json!({
        "zarr_format": 3,
        "node_type": "array",
        "shape": array.shape,
        "data_type": array.dtype.zarr_name(),
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": array.chunk}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": fill,
        "codecs": codecs(array, codec),
        "attributes": attributes,
        "dimension_names": array.variable.dimensions,
        "storage_transformers": [],
    })
}

/// The codecs of an array, or those of its shards: each chunk in a shard is encoded for itself.
fn codecs(array: &NewArray<'_>, codec: &Codec) -> Vec<Value> {
    let codecs = codec.metadata(array.dtype);
    let Some(inner) = array.inner else {
        return codecs;
    };
    sharded(inner, &json!(codecs))
}

/// The codecs of an array with shards of chunks of this shape, which have `codecs`.
pub(super) fn sharded(inner: &[u64], codecs: &Value) -> Vec<Value> {
    vec![json!({"name": "sharding_indexed", "configuration": {
        "chunk_shape": inner,
        "codecs": codecs,
        "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}],
        "index_location": "end",
    }})]
}

/// `document` with another shape.
#[must_use]
pub fn grown_array(document: &Value, shape: &[u64]) -> Value {
    let mut grown = document.clone();
    grown["shape"] = json!(shape);
    grown
}

/// The attribute `_FillValue` of a version 3 array. xarray expects that of a float array as the base64 of its
/// little-endian float64 (`xarray.backends.zarr.FillValueCoder`).
#[must_use]
pub fn mask(dtype: DType, fill: Number) -> Value {
    if dtype.is_float() {
        json!(BASE64.encode(&fill.as_f64().to_le_bytes()))
    } else {
        number_to_json(fill)
    }
}

/// All documents of the array `name` whose own one is `document`; a new array, unlike one that grows, has
/// `attributes` to write, and `dimensions`.
#[must_use]
pub fn of_array(
    version: Version,
    name: &str,
    document: Value,
    new: Option<(&Map<String, Value>, &[String])>,
) -> Documents {
    match version {
        Version::V3 => vec![(format!("{name}/zarr.json"), document)],
        Version::V2 => v2::of_array(name, document, new),
    }
}

/// What becomes of the attributes of a store.
#[derive(Clone, Debug, Default)]
pub struct AttributeEdits {
    /// Those that it gets.
    pub added: Map<String, Value>,
    /// Those that it loses.
    pub removed: Vec<String>,
}

impl AttributeEdits {
    /// Is nothing changed?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }

    /// Changes `attributes`.
    pub(super) fn change(&self, attributes: &mut Map<String, Value>) {
        attributes.retain(|name, _| !self.removed.contains(name));
        attributes.extend(self.added.clone());
    }
}

/// The attributes of the group `group` of the store whose root document is `root`.
#[must_use]
pub fn attributes(version: Version, root: &str, group: &str) -> Map<String, Value> {
    let root: Value = serde_json::from_str(root).unwrap_or_default();
    let attributes = match (version, group) {
        (Version::V3, "") => &root["attributes"],
        (Version::V3, path) => &root["consolidated_metadata"]["metadata"][path]["attributes"],
        (Version::V2, path) => &root["metadata"][layout::below(path, ".zattrs")],
    };
    attributes.as_object().cloned().unwrap_or_default()
}

/// The documents of the group `group` of a store, but for its arrays and its root document, that change when it gets these
/// `attributes`; the root document is `old`, or it is new.
#[must_use]
pub fn of_store(
    version: Version,
    old: Option<&str>,
    group: &str,
    attributes: &AttributeEdits,
) -> Documents {
    match version {
        Version::V3 => Vec::new(),
        Version::V2 => v2::of_store(parsed(old), group, attributes),
    }
}

fn parsed(root: Option<&str>) -> Option<Value> {
    root.and_then(|root| serde_json::from_str(root).ok())
}

/// The root document: a new one, or `old`, with the `attributes` of the group `group` changed and these documents replaced.
#[must_use]
pub fn root(
    version: Version,
    old: Option<&str>,
    group: &str,
    attributes: &AttributeEdits,
    documents: &[(String, Value)],
) -> String {
    let new = match version {
        Version::V2 => json!({"zarr_consolidated_format": 1, "metadata": {}}),
        Version::V3 => json!({
            "zarr_format": 3,
            "node_type": "group",
            "attributes": {},
            "consolidated_metadata": {"kind": "inline", "must_understand": false, "metadata": {}},
        }),
    };
    let mut root = parsed(old).unwrap_or(new);
    if version == Version::V3 {
        set_attributes(&mut root, group, attributes);
    }
    for (path, document) in documents {
        consolidate(version, &mut root, path, document);
    }
    root.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NestedGroup;

    #[test]
    fn the_root_keeps_what_is_not_replaced() {
        let old =
            json!({"zarr_consolidated_format": 1, "metadata": {"a/.zarray": 1, "a/.zattrs": 2}});
        let documents = [("a/.zarray".to_owned(), json!(3))];
        let new = root(
            Version::V2,
            Some(&old.to_string()),
            "",
            &AttributeEdits::default(),
            &documents,
        );
        let new: Value = serde_json::from_str(&new).unwrap();
        assert_eq!(new["metadata"], json!({"a/.zarray": 3, "a/.zattrs": 2}));
        assert_eq!(new["zarr_consolidated_format"], 1);
    }

    #[test]
    fn the_root_of_a_hierarchy_tells_of_its_groups_as_they_tell_themselves() {
        let group = |metadata: Value| json!({"node_type": "group", "attributes": {}, "consolidated_metadata": {"metadata": metadata}});
        let old = group(json!({"T": group(json!({"tos": 1})), "U": group(json!({})), "T/tos": 1}));
        let title = json!({"title": "x"});
        let attributes = AttributeEdits {
            added: title.as_object().unwrap().clone(),
            removed: vec!["none".to_owned()],
        };
        let documents = [("T/tos/zarr.json".to_owned(), json!(2))];
        let new = root(
            Version::V3,
            Some(&old.to_string()),
            "T",
            &attributes,
            &documents,
        );
        let new: Value = serde_json::from_str(&new).unwrap();
        let mut expected = group(json!({"tos": 2}));
        expected["attributes"] = title;
        let all = json!({"T": expected, "U": group(json!({})), "T/tos": 2});
        assert_eq!(new, group(all));
        // The group's own document, for those who open it by itself.
        let nested = NestedGroup {
            path: "T".to_owned(),
            groups: vec![("T".to_owned(), group(json!({"tos": 1})).to_string())],
        };
        let own = of_groups(Version::V3, &nested, &attributes, &documents);
        assert_eq!(own, [("T/zarr.json".to_owned(), expected)]);
    }

    #[test]
    fn a_group_that_is_taken_out_is_told_of_by_nobody() {
        let group = |metadata: Value| json!({"node_type": "group", "consolidated_metadata": {"metadata": metadata}});
        let old = group(
            json!({"a": group(json!({"T": 1, "T/tos": 1, "Tx": 1})), "a/T": 1, "a/T/tos": 1, "a/Tx": 1}),
        );
        let new = without(Version::V3, &old.to_string(), "a/T");
        let expected = group(json!({"a": group(json!({"Tx": 1})), "a/Tx": 1}));
        assert_eq!(serde_json::from_str::<Value>(&new).unwrap(), expected);
        let old = json!({"metadata": {"a/.zgroup": 1, "a/T/.zgroup": 1, "a/T/tos/.zarray": 1}});
        let new = without(Version::V2, &old.to_string(), "a/T");
        let expected = json!({"metadata": {"a/.zgroup": 1}});
        assert_eq!(serde_json::from_str::<Value>(&new).unwrap(), expected);
    }
}
