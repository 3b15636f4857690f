//! Documents of Zarr version 2 (Zarr storage specification version 2), as zarr-python writes them: `.zarray` and
//! `.zattrs` of each array, `.zgroup` and `.zattrs` of the store, and `.zmetadata`, which holds them all. Pure.

use serde_json::{Map, Value, json};

use super::codec::{BLOCK_BYTES, Codec};
use super::document::{Documents, NewArray};
use crate::source::number_to_json;

/// The attribute with the names of an array's dimensions.
pub(super) const DIMENSIONS: &str = "_ARRAY_DIMENSIONS";

/// The `.zarray` of a new array. xarray masks by its `fill_value`, so that is null without a `_FillValue`.
pub(super) fn new_array(array: &NewArray<'_>, codec: &Codec) -> Value {
    let mask = array.variable.fill_value();
    let mask = mask.and_then(|_| array.dtype.numbers(array.fill).next());
    json!({
        "zarr_format": 2,
        "shape": array.shape,
        "chunks": array.chunk,
        "dtype": array.dtype.numpy_name(),
        "fill_value": mask.map(number_to_json),
        "order": "C",
        "filters": null,
        "compressor": compressor(codec),
        "dimension_separator": ".",
    })
}

/// The compressor as numcodecs names it. Version 2 has no place for a crc32c that stock readers know, so only the
/// compressor's own checks guard an object at rest.
fn compressor(codec: &Codec) -> Value {
    match codec {
        Codec::None => Value::Null,
        Codec::Zstd(level) => json!({"id": "zstd", "level": level}),
        Codec::Blosc {
            compressor,
            level,
            shuffle,
        } => {
            let shuffle = match shuffle.as_str() {
                "shuffle" => 1,
                "bitshuffle" => 2,
                _ => 0,
            };
            json!({"id": "blosc", "cname": compressor, "clevel": level, "shuffle": shuffle, "blocksize": BLOCK_BYTES})
        }
    }
}

/// The documents of the array `name`.
pub(super) fn of_array(
    name: &str,
    document: Value,
    new: Option<(&Map<String, Value>, &[String])>,
) -> Documents {
    let attributes = new.map(|(attributes, dimensions)| {
        let kept = attributes.iter().filter(|(name, _)| *name != "_FillValue");
        let mut kept: Map<String, Value> = kept.map(|(n, v)| (n.clone(), v.clone())).collect();
        kept.insert(DIMENSIONS.to_owned(), json!(dimensions));
        (format!("{name}/.zattrs"), Value::Object(kept))
    });
    let array = (format!("{name}/.zarray"), document);
    std::iter::once(array).chain(attributes).collect()
}

/// `.zgroup` and `.zattrs`, as far as they are new.
pub(super) fn of_store(old: Option<Value>, attributes: &Map<String, Value>) -> Documents {
    let Some(old) = old else {
        return vec![
            (".zgroup".to_owned(), json!({"zarr_format": 2})),
            (".zattrs".to_owned(), json!(attributes)),
        ];
    };
    if attributes.is_empty() {
        return Vec::new();
    }
    let mut all = old["metadata"][".zattrs"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    all.extend(attributes.clone());
    vec![(".zattrs".to_owned(), json!(all))]
}

/// `.zmetadata`.
pub(super) fn root(old: Option<Value>, documents: &[(String, Value)]) -> String {
    let mut root = old.unwrap_or_else(|| json!({"zarr_consolidated_format": 1, "metadata": {}}));
    for (path, document) in documents {
        root["metadata"][path] = document.clone();
    }
    root.to_string()
}
