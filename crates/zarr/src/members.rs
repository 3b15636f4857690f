//! The arrays that a root document names. Pure.

use serde_json::{Map, Value};

use super::chunk_codec::{ChunkCodec, bytes_of};
use super::document;
use super::document_v2::{DIMENSIONS, TEXTS};
use super::error::ZarrError;
use super::layout::is_plain;
use super::root::unreadable;
use super::snapshot::StoredArray;
use super::version::Version;
use msm_model::DType;

/// Bytes of a decoded array, from which on no document is believed.
const MOST_BYTES: u64 = 1 << 56;

/// The arrays that the root document `root` of `store` consolidates.
///
/// # Errors
/// If it consolidates none, or one that this program cannot write.
pub fn members(store: &str, version: Version, root: &Value) -> Result<Vec<StoredArray>, ZarrError> {
    arrays(version, root).map_err(|problem| unreadable(store, version, &problem))
}

fn arrays(version: Version, root: &Value) -> Result<Vec<StoredArray>, String> {
    match version {
        Version::V2 => members_v2(root),
        Version::V3 => members_v3(root),
    }
}

fn members_v3(root: &Value) -> Result<Vec<StoredArray>, String> {
    if root["zarr_format"] != 3 || root["node_type"] != "group" {
        return Err("its root document is not that of a Zarr v3 group".to_owned());
    }
    let Some(metadata) = root["consolidated_metadata"]["metadata"].as_object() else {
        return Err(
            "it has no consolidated metadata; send or update with --consolidate, or consolidate it with zarr-python first".into(),
        );
    };
    let arrays = metadata
        .iter()
        .filter(|(_, document)| document["node_type"] == "array");
    let of_array = |(name, document): (&String, &Value)| {
        let mut array = stored_array(name, document)?;
        array.attributes = object(&document["attributes"]);
        Ok(array)
    };
    arrays.map(of_array).collect()
}

fn members_v2(root: &Value) -> Result<Vec<StoredArray>, String> {
    let Some(metadata) = root["metadata"].as_object() else {
        return Err("its .zmetadata is not that of a Zarr v2 group".to_owned());
    };
    let of_array = |(path, document): (&String, &Value)| {
        let name = path.strip_suffix("/.zarray")?;
        let attributes = metadata.get(&format!("{name}/.zattrs"));
        Some(stored_array_v2(
            name,
            document,
            object(attributes.unwrap_or(&Value::Null)),
        ))
    };
    metadata.iter().filter_map(of_array).collect()
}

/// A version 2 array as a version 3 one: with its dimensions' names and its mask in their places.
fn stored_array_v2(
    name: &str,
    document: &Value,
    mut attributes: Map<String, Value>,
) -> Result<StoredArray, String> {
    if document["order"] != "C" {
        return Err(format!(
            "array '{name}' has order {}, this program writes order \"C\" only",
            document["order"]
        ));
    }
    let filters = document["filters"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    let texts = document["dtype"] == "|O" && filters.len() == 1 && filters[0]["id"] == TEXTS;
    if !filters.is_empty() && !texts {
        return Err(format!(
            "array '{name}' has the filters {}, this program writes arrays without filters only",
            document["filters"]
        ));
    }
    let mut array = stored_array(name, document)?;
    let dimensions = attributes.remove(DIMENSIONS);
    let dimensions = dimensions.as_ref().and_then(Value::as_array);
    array.dimensions = dimensions
        .into_iter()
        .flatten()
        .map(|name| name.as_str().unwrap_or_default().to_owned())
        .collect();
    check_rank(name, DIMENSIONS, array.dimensions.len(), &array)?;
    if let Ok(dtype) = array.dtype
        && !document["fill_value"].is_null()
        && let Some(fill) = dtype.numbers(&array.fill).next()
    {
        attributes.insert("_FillValue".to_owned(), document::mask(dtype, fill));
    }
    array.attributes = attributes;
    Ok(array)
}

/// What the array's own document says, whatever its version.
fn stored_array(name: &str, document: &Value) -> Result<StoredArray, String> {
    let said = |cause: ZarrError| cause.to_string();
    if !is_plain(name) {
        return Err(format!(
            "its metadata name an array '{}'",
            name.escape_debug()
        ));
    }
    let codec = ChunkCodec::new(name, &document.to_string()).map_err(said)?;
    let array = codec.array();
    let mut types = DType::NUMBERS.into_iter().chain([DType::Text(1)]);
    let named = document["data_type"]
        .as_str()
        .or(document["dtype"].as_str())
        .unwrap_or("another type");
    // The codec turns big-endian values round.
    let little = named.replace('>', "<");
    let dtype = types
        .find(|t| t.zarr_name() == named || t.numpy_name() == little)
        .ok_or_else(|| named.to_owned());
    let chunk = array
        .chunk_shape(&vec![0; array.dimensionality()])
        .map_err(|cause| format!("array '{name}': {cause}"))?;
    let size = array.data_type().fixed_size().unwrap_or(1) as u64;
    if bytes_of(array.shape().iter().copied(), size).is_none_or(|bytes| bytes > MOST_BYTES) {
        return Err(format!(
            "array '{name}': its shape {:?} takes more than {MOST_BYTES} bytes",
            array.shape()
        ));
    }
    let inner = &document["codecs"][0];
    let inner = inner["configuration"]["chunk_shape"]
        .as_array()
        .filter(|_| inner["name"] == "sharding_indexed");
    let stored = StoredArray {
        name: name.to_owned(),
        document: document.clone(),
        dtype,
        fill: array.fill_value().as_ne_bytes().to_vec(),
        shape: array.shape().to_vec(),
        chunk: chunk.iter().map(|n| n.get()).collect(),
        inner: inner.map(|lengths| lengths.iter().filter_map(Value::as_u64).collect()),
        dimensions: array
            .dimension_names()
            .iter()
            .flatten()
            .map(|n| n.clone().unwrap_or_default())
            .collect(),
        attributes: Map::new(),
    };
    if let Some(inner) = &stored.inner {
        check_rank(name, "chunk_shape", inner.len(), &stored)?;
        let lengths = stored.chunk.iter().zip(inner);
        if lengths
            .into_iter()
            .any(|(shard, chunk)| shard.checked_rem(*chunk) != Some(0))
        {
            return Err(format!(
                "array '{name}': shards of {:?} cannot be cut into chunks of {inner:?}",
                stored.chunk
            ));
        }
    }
    Ok(stored)
}

/// What documents say of each dimension, they say of all or of none.
fn check_rank(name: &str, what: &str, count: usize, array: &StoredArray) -> Result<(), String> {
    if count == 0 || count == array.shape.len() {
        return Ok(());
    }
    Err(format!(
        "array '{name}': its {what} has {count} entries, its shape {:?}",
        array.shape
    ))
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn with(change: (&str, Value)) -> Result<Vec<StoredArray>, String> {
        let mut array = json!({
            "zarr_format": 2, "shape": [5, 6], "chunks": [2, 6], "dtype": ">f4", "fill_value": "NaN", "order": "C",
            "filters": null, "compressor": {"id": "zstd", "level": 1}, "dimension_separator": "/",
        });
        array[change.0] = change.1;
        let attributes = json!({"units": "K", "_ARRAY_DIMENSIONS": ["y", "x"]});
        arrays(
            Version::V2,
            &json!({"metadata": {".zgroup": {}, "tos/.zarray": array, "tos/.zattrs": attributes}}),
        )
    }

    #[test]
    fn a_version_2_array_looks_like_one_of_version_3() {
        let arrays = with(("shape", json!([5, 6]))).unwrap();
        let [tos] = &arrays[..] else {
            panic!("one array")
        };
        assert_eq!(
            (tos.name.as_str(), tos.dtype.clone()),
            ("tos", Ok(DType::F32))
        );
        assert_eq!((&tos.shape[..], &tos.chunk[..]), (&[5, 6][..], &[2, 6][..]));
        assert_eq!(tos.dimensions, ["y", "x"]);
        let attributes = json!({"units": "K", "_FillValue": "AAAAAAAA+H8="});
        assert_eq!(Value::Object(tos.attributes.clone()), attributes);
        let unmasked = with(("fill_value", Value::Null)).unwrap();
        assert!(!unmasked[0].attributes.contains_key("_FillValue"));
    }

    #[test]
    fn what_cannot_be_written_is_refused() {
        for (change, word) in [
            (("order", json!("F")), "order"),
            (("filters", json!([{"id": "delta"}])), "filters"),
            (("compressor", json!({"id": "lzma"})), "lzma"),
            (("dtype", json!("<M8[ns]")), "<M8[ns]"),
        ] {
            let problem = with(change).unwrap_err();
            assert!(
                problem.contains("'tos'") && problem.contains(word),
                "{problem}"
            );
        }
        assert!(arrays(Version::V2, &json!({})).is_err());
    }
}
