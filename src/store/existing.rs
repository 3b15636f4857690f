//! What lies at a store's place now.
//!
//! Key type: [`Found`].

use bytes::Bytes;
use serde_json::Value;

use super::bucket::Bucket;
use super::codec::ChunkCodec;
use super::error::StoreError;
use super::layout;
use super::members::members;
use super::stored::{Stored, StoredArray};
use super::version::Version;
use crate::source::Number;

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
/// If the bucket cannot be read, or something lies there that is not a Zarr store with consolidated metadata.
pub async fn read_store(bucket: &Bucket, key: &str, axis: &str) -> Result<Found, StoreError> {
    // Nothing may be there, or what a dead create left: the listing tells.
    let Some((version, root)) = root(bucket, key).await? else {
        return without_root(bucket, key).await;
    };
    let foreign = |problem: String| StoreError::Foreign {
        store: key.to_owned(),
        problem,
    };
    let root = String::from_utf8(root.to_vec())
        .map_err(|_| foreign("its root document is not text".to_owned()))?;
    let document: Value = serde_json::from_str(&root)
        .map_err(|cause| foreign(format!("its root document is not JSON ({cause})")))?;
    let arrays = members(version, &document).map_err(foreign)?;
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
        version,
        root,
        arrays,
        steps,
    }))
}

/// The root document, of the version that has one.
async fn root(bucket: &Bucket, key: &str) -> Result<Option<(Version, Bytes)>, StoreError> {
    for version in [Version::V3, Version::V2] {
        match bucket.get(&layout::root_document(key, version)).await {
            Ok(root) => return Ok(Some((version, root))),
            Err(error) if error.is_missing() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

async fn without_root(bucket: &Bucket, key: &str) -> Result<Found, StoreError> {
    let keys = bucket.list(key).await?;
    let below = |k: &String| {
        let below = k.strip_prefix(key).and_then(|k| k.strip_prefix('/'));
        below.map(str::to_owned)
    };
    let foreign = |problem: String| StoreError::Foreign {
        store: key.to_owned(),
        problem,
    };
    // Readers see such a store even so: it may be another tool's, and whole.
    if keys.iter().any(|k| below(k).as_deref() == Some(".zgroup")) {
        return Err(foreign(
            "it has a .zgroup but no .zmetadata: no consolidated metadata; consolidate it with zarr-python, or, if a send died \
             here, delete it"
                .to_owned(),
        ));
    }
    match keys.iter().find(|k| !below(k).is_some_and(|b| is_ours(&b))) {
        Some(other) => Err(foreign(format!(
            "there is no root document, but '{other}' lies there; move it away or choose another prefix"
        ))),
        None if keys.is_empty() => Ok(Found::Nothing),
        None => Ok(Found::Remains(keys)),
    }
}

/// Is this the key, below a store, of something that a create writes before the root document? Of either version:
/// chunks and array documents.
fn is_ours(below: &str) -> bool {
    if below == ".zattrs" {
        return true;
    }
    let chunk_v2 = |rest: &str| {
        rest.split(['.', '/'])
            .all(|index| !index.is_empty() && index.bytes().all(|b| b.is_ascii_digit()))
    };
    below.split_once('/').is_some_and(|(_, rest)| {
        ["zarr.json", "c", ".zarray", ".zattrs"].contains(&rest)
            || rest.starts_with("c/")
            || chunk_v2(rest)
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

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn what_a_create_writes_before_the_root_document() {
        for ours in [
            "tos/zarr.json",
            "tos/c",
            "tos/c/0/0",
            "tos/.zarray",
            "tos/.zattrs",
            "tos/0",
            "tos/0.0.12",
            "tos/0/0/12",
            ".zattrs",
        ] {
            assert!(is_ours(ours), "{ours}");
        }
        for other in [
            "notes.txt",
            ".zarray",
            "0.0",
            "tos/notes.txt",
            "tos/0..1",
            "tos/1.nc",
            "tos/a/zarr.json",
        ] {
            assert!(!is_ours(other), "{other}");
        }
    }
}
