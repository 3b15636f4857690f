//! What lies at a store's place now.
//!
//! Key type: [`Found`].

use serde_json::{Map, Value};

use super::bucket::Bucket;
use super::codec::ChunkCodec;
use super::error::StoreError;
use super::layout;
use super::stored::{Stored, StoredArray};
use crate::source::{Catalogue, DType, Step, pairs, time_units};

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
            arrays.push(stored_array(name, document).map_err(|cause| foreign(cause.to_string()))?);
        }
    }
    let mut stored = Stored {
        root,
        arrays,
        steps: Vec::new(),
        bounds: Vec::new(),
    };
    let catalogue = stored.catalogue();
    let array = |name: &str| stored.arrays.iter().find(|a| a.name == name);
    let mut steps = Vec::new();
    let mut bounds = Vec::new();
    if let Some(axis) = array(axis) {
        steps = read_times(bucket, key, axis, &catalogue).await?;
        let named = catalogue
            .variable(&axis.name)
            .and_then(|v| v.words("bounds").next());
        if let Some(array) = named.and_then(array)
            && array.shape == [steps.len() as u64, 2]
        {
            bounds = pairs(&read_times(bucket, key, array, &catalogue).await?);
        }
    }
    if let Some(i) = (1..steps.len()).find(|&i| !steps[i].is_after(steps[i - 1])) {
        let problem = format!(
            "step {i} of its '{axis}' is {}, not after {}",
            steps[i],
            steps[i - 1]
        );
        return Err(foreign(problem));
    }
    stored.steps = steps;
    stored.bounds = bounds;
    Ok(Found::Store(stored))
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

/// All values of a small array of times, such as the axis or its bounds, which is chunked along its first dimension only.
async fn read_times(
    bucket: &Bucket,
    store: &str,
    array: &StoredArray,
    catalogue: &Catalogue,
) -> Result<Vec<Step>, StoreError> {
    let foreign = |problem: String| StoreError::Foreign {
        store: store.to_owned(),
        problem: format!("its '{}' {problem}", array.name),
    };
    if array.shape.is_empty() || array.chunk[1..] != array.shape[1..] {
        return Err(foreign(format!(
            "has shape {:?} and chunks {:?}, expected chunks along the first dimension only",
            array.shape, array.chunk
        )));
    }
    let dtype = array
        .dtype
        .as_ref()
        .map_err(|name| foreign(format!("has type {name}")))?;
    let units = time_units(catalogue, &array.name).map_err(|cause| foreign(cause.to_string()))?;
    let codec = ChunkCodec::new(&array.name, &array.document.to_string())?;
    let length: u64 = array.shape.iter().product();
    let count = usize::try_from(array.chunk.iter().product::<u64>()).unwrap_or(usize::MAX);
    let mut numbers = Vec::new();
    for index in 0..array.shape[0].div_ceil(array.chunk[0]) {
        let mut chunk = vec![0; array.shape.len()];
        chunk[0] = index;
        let values = match bucket.get(&codec.key(store, &chunk)).await {
            Ok(stored) => codec.decode(&stored)?,
            Err(error) if error.is_missing() => array.fill.repeat(count),
            Err(error) => return Err(error),
        };
        numbers.extend(dtype.numbers(&values));
    }
    numbers.truncate(usize::try_from(length).unwrap_or(usize::MAX));
    numbers
        .into_iter()
        .map(|number| Step::new(number, *dtype, units.as_ref()))
        .collect::<Result<_, _>>()
        .map_err(|cause| foreign(format!("cannot be read: {cause}")))
}
