//! Zarr v3 documents (Zarr core specification v3): arrays, and the root group with its consolidated metadata inline,
//! as zarr-python writes it. Pure.

use serde_json::{Map, Value, json};

use crate::source::{DType, Variable, number_to_json};

/// What a new array is like.
pub struct NewArray<'a> {
    /// The variable it holds.
    pub variable: &'a Variable,
    /// The type of its values.
    pub dtype: DType,
    /// Its shape.
    pub shape: &'a [u64],
    /// Its chunk shape.
    pub chunk: &'a [u64],
    /// The fill value's bytes, little-endian.
    pub fill: &'a [u8],
}

/// The document of a new array.
#[must_use]
pub fn new_array(array: &NewArray<'_>, attributes: &Map<String, Value>, codecs: &[Value]) -> Value {
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
        "codecs": codecs,
        "attributes": attributes,
        "dimension_names": array.variable.dimensions,
        "storage_transformers": [],
    })
}

/// `document` with another shape.
#[must_use]
pub fn grown_array(document: &Value, shape: &[u64]) -> Value {
    let mut grown = document.clone();
    grown["shape"] = json!(shape);
    grown
}

/// The root document: of a new store with these `attributes`, or `old` with its arrays' documents replaced.
#[must_use]
pub fn root(
    old: Option<&str>,
    attributes: &Map<String, Value>,
    arrays: &[(String, Value)],
) -> String {
    let mut root = old.and_then(|old| serde_json::from_str(old).ok()).unwrap_or_else(|| {
        json!({
            "zarr_format": 3,
            "node_type": "group",
            "attributes": attributes,
            "consolidated_metadata": {"kind": "inline", "must_understand": false, "metadata": {}},
        })
    });
    for (name, document) in arrays {
        root["consolidated_metadata"]["metadata"][name] = document.clone();
    }
    root.to_string()
}
