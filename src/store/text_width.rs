//! The width that the texts of a store need.

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use msm_model::DType;
use msm_zarr::{ChunkCodec, StoredArray, ZarrError, layout};

use super::REQUESTS;
use super::bucket::Bucket;
use super::error::StoreError;

/// The type that holds the texts of `array` in the store `store`: every object is read.
///
/// # Errors
/// If an object cannot be read or decoded.
pub(super) async fn text_type(
    bucket: &Bucket,
    store: &str,
    array: &StoredArray,
) -> Result<DType, StoreError> {
    let codec = &ChunkCodec::new(&array.name, &array.document.to_string())?;
    // Those that are there, since a shape may say anything.
    let keys = bucket.list(&layout::below(store, &array.name)).await?;
    let objects = keys.into_iter().filter(|key| {
        let chunk = codec.chunk_of(store, key);
        chunk.is_some_and(|chunk| array.is_inside(&chunk))
    });
    let lengths = objects.map(|key| async move {
        match bucket.get(&key).await {
            Ok(stored) => Ok(longest_of(codec, &stored).map_err(|cause| cause.in_object(&key))?),
            Err(error) if error.is_missing() => Ok(0),
            Err(error) => Err(error),
        }
    });
    let lengths: Vec<usize> = stream::iter(lengths)
        .buffer_unordered(REQUESTS)
        .try_collect()
        .await?;
    let longest = lengths.into_iter().max().unwrap_or(0);
    let width = longest.max(array.fill.len()).max(1);
    Ok(DType::Text(u32::try_from(width).unwrap_or(u32::MAX)))
}

fn longest_of(codec: &ChunkCodec, stored: &Bytes) -> Result<usize, ZarrError> {
    let values = codec.values();
    codec.decode(stored).map(|runs| runs.len() / values.max(1))
}
