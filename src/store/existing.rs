//! What lies at a store's place now.
//!
//! Key type: [`Found`].

use serde_json::{Map, Value};

use super::bucket::Bucket;
use super::codec::ChunkCodec;
use super::error::StoreError;
use super::layout;
use super::stored::{Stored, StoredArray};
use super::text::text_type;
use crate::source::{DType, Number};

/// What lies at a store's place.
pub enum Found {
    /// Nothing.
    Nothing,
    /// Objects without a root document, by their keys: what a create that died left. No reader sees them.
    Remains(Vec<String>),
    /// A store.
    Store(Stored),
}

/// Looks at the place of the store `key`, in which the array `axis` tells the steps apart.
///
/// # Errors
/// If the bucket cannot be read, or something lies there that is not a Zarr v3 store with consolidated metadata.
pub async fn read_store(bucket: &Bucket, key: &str, axis: &str) -> Result<Found, StoreError> {
    let root = match bucket.get(&layout::root_document(key)).await {
        Ok(root) => root,
        // Nothing may be there, or what a dead create left: the listing tells.
        Err(error) if error.is_missing() => return without_root(bucket, key).await,
        Err(error) => return Err(error),
    };
    let foreign = |problem: String| StoreError::Foreign {
        store: key.to_owned(),
        problem,
    };
    let root = String::from_utf8(root.to_vec())
        .map_err(|_| foreign("its root document is not text".to_owned()))?;
    let document: Value = serde_json::from_str(&root)
        .map_err(|cause| foreign(format!("its root document is not JSON ({cause})")))?;
    if document["zarr_format"] != 3 || document["node_type"] != "group" {
        return Err(foreign(
            "its root document is not that of a Zarr v3 group".to_owned(),
        ));
    }
    let Some(metadata) = document["consolidated_metadata"]["metadata"].as_object() else {
        return Err(foreign(
            "it has no consolidated metadata; consolidate it with zarr-python first".to_owned(),
        ));
    };
    let mut arrays = Vec::new();
    for (name, document) in metadata {
        if document["node_type"] == "array" {
            let mut array =
                stored_array(name, document).map_err(|cause| foreign(cause.to_string()))?;
            if array.dtype.as_ref().is_ok_and(|dtype| dtype.is_text()) {
                array.dtype = Ok(text_type(bucket, key, &array).await?);
            }
            arrays.push(array);
        }
    }
    let steps = match arrays.iter().find(|a| a.name == axis) {
        Some(array) => read_axis(bucket, key, array).await?,
        None => Vec::new(),
    };
    if let Some(i) = (1..steps.len()).find(|&i| !steps[i].is_after(steps[i - 1])) {
        let problem = format!(
            "step {i} of its '{axis}' is {}, not after {}",
            steps[i],
            steps[i - 1]
        );
        return Err(foreign(problem));
    }
    Ok(Found::Store(Stored {
        root,
        arrays,
        steps,
    }))
}

async fn without_root(bucket: &Bucket, key: &str) -> Result<Found, StoreError> {
    let keys = bucket.list(key).await?;
    // What a create writes before its root document: chunks and array documents.
    let ours = |k: &String| {
        let below = k.strip_prefix(key).and_then(|k| k.strip_prefix('/'));
        below
            .and_then(|k| k.split_once('/'))
            .is_some_and(|(_, rest)| rest == "zarr.json" || rest == "c" || rest.starts_with("c/"))
    };
    match keys.iter().find(|k| !ours(k)) {
        Some(other) => Err(StoreError::Foreign {
            store: key.to_owned(),
            problem: format!(
                "there is no root document, but '{other}' lies there; move it away or choose another prefix"
            ),
        }),
        None if keys.is_empty() => Ok(Found::Nothing),
        None => Ok(Found::Remains(keys)),
    }
}

fn stored_array(name: &str, document: &Value) -> Result<StoredArray, StoreError> {
    let codec = ChunkCodec::new(name, &document.to_string())?;
    let array = codec.array();
    let types = [
        DType::I8,
        DType::U8,
        DType::I16,
        DType::U16,
        DType::I32,
        DType::U32,
        DType::I64,
        DType::U64,
        DType::F32,
        DType::F64,
        DType::Text(1),
    ];
    let named = document["data_type"].as_str().unwrap_or("another type");
    let dtype = types
        .into_iter()
        .find(|t| t.zarr_name() == named)
        .ok_or_else(|| named.to_owned());
    let chunk = array
        .chunk_shape(&vec![0; array.dimensionality()])
        .map_err(|cause| StoreError::Coding {
            array: name.to_owned(),
            cause: cause.to_string(),
        })?;
    Ok(StoredArray {
        name: name.to_owned(),
        document: document.clone(),
        dtype,
        fill: array.fill_value().as_ne_bytes().to_vec(),
        shape: array.shape().to_vec(),
        chunk: chunk.iter().map(|n| n.get()).collect(),
        dimensions: array
            .dimension_names()
            .iter()
            .flatten()
            .map(|n| n.clone().unwrap_or_default())
            .collect(),
        attributes: document["attributes"]
            .as_object()
            .cloned()
            .unwrap_or_else(Map::new),
    })
}

/// All values of the one-dimensional array `axis`.
async fn read_axis(
    bucket: &Bucket,
    store: &str,
    axis: &StoredArray,
) -> Result<Vec<Number>, StoreError> {
    let foreign = |problem: String| StoreError::Foreign {
        store: store.to_owned(),
        problem,
    };
    let (&[length], &[chunk]) = (&axis.shape[..], &axis.chunk[..]) else {
        return Err(foreign(format!(
            "its '{}' has {} dimensions, expected one",
            axis.name,
            axis.shape.len()
        )));
    };
    let dtype = axis
        .dtype
        .as_ref()
        .map_err(|name| foreign(format!("its '{}' has type {name}", axis.name)))?;
    let codec = ChunkCodec::new(&axis.name, &axis.document.to_string())?;
    let mut steps = Vec::new();
    for index in 0..length.div_ceil(chunk) {
        let values = match bucket.get(&codec.key(store, &[index])).await {
            Ok(stored) => codec.decode(&stored)?,
            Err(error) if error.is_missing() => axis
                .fill
                .repeat(usize::try_from(chunk).unwrap_or(usize::MAX)),
            Err(error) => return Err(error),
        };
        steps.extend(dtype.numbers(&values));
    }
    steps.truncate(usize::try_from(length).unwrap_or(usize::MAX));
    Ok(steps)
}
