//! Zarr documents: of arrays, and of the root with its consolidated metadata, as zarr-python writes them. Version 3
//! (Zarr core specification v3) is here, version 2 in `document_v2`. Pure.
//!
//! Key types: [`NewArray`]; [`Documents`], by their paths below the store.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use super::codec::Codec;
use super::document_v2 as v2;
use super::version::Version;
use crate::source::{DType, Number, Variable, number_to_json};

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
        json!(BASE64_STANDARD.encode(fill.as_f64().to_le_bytes()))
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
pub struct Attributes {
    /// Those that it gets.
    pub added: Map<String, Value>,
    /// Those that it loses.
    pub removed: Vec<String>,
}

impl Attributes {
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

/// The attributes of the store whose root document is `root`.
#[must_use]
pub fn attributes(version: Version, root: &str) -> Map<String, Value> {
    let root: Value = serde_json::from_str(root).unwrap_or_default();
    let attributes = match version {
        Version::V3 => &root["attributes"],
        Version::V2 => &root["metadata"][".zattrs"],
    };
    attributes.as_object().cloned().unwrap_or_default()
}

/// The documents of a store, but for its arrays and its root document, that change with its `attributes`; its root document is
/// `old`, or it is new.
#[must_use]
pub fn of_store(version: Version, old: Option<&str>, attributes: &Attributes) -> Documents {
    match version {
        Version::V3 => Vec::new(),
        Version::V2 => v2::of_store(parsed(old), attributes),
    }
}

fn parsed(root: Option<&str>) -> Option<Value> {
    root.and_then(|root| serde_json::from_str(root).ok())
}

/// The root document: a new one, or `old`, with its `attributes` changed and these documents replaced.
#[must_use]
pub fn root(
    version: Version,
    old: Option<&str>,
    attributes: &Attributes,
    documents: &[(String, Value)],
) -> String {
    let old = parsed(old);
    if version == Version::V2 {
        return v2::root(old, documents);
    }
    let mut root = old.unwrap_or_else(|| {
        json!({
            "zarr_format": 3,
            "node_type": "group",
            "attributes": {},
            "consolidated_metadata": {"kind": "inline", "must_understand": false, "metadata": {}},
        })
    });
    if !attributes.is_empty() {
        let mut all = root["attributes"].as_object().cloned().unwrap_or_default();
        attributes.change(&mut all);
        root["attributes"] = Value::Object(all);
    }
    for (path, document) in documents {
        let name = path.strip_suffix("/zarr.json").unwrap_or(path);
        root["consolidated_metadata"]["metadata"][name] = document.clone();
    }
    root.to_string()
}
