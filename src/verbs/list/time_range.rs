//! From when to when a store goes: the ends of its time axis.
//!
//! Key function: [`time_range`].

use msm_model::{DType, Number, TimeUnits};
use msm_zarr::{ChunkCodec, StoredArray};
use serde_json::Value;

use crate::store::{Bucket, StoreError};
use crate::verbs::list::inventory::TimeRange;

/// From when to when the `arrays` of `store` go, if one of them tells the time: the one of a dimension's name rather than others.
///
/// # Errors
/// If the server does not give its values, or they cannot be decoded.
pub(super) async fn time_range(
    bucket: &Bucket,
    store: &str,
    arrays: &[StoredArray],
) -> Result<Option<TimeRange>, StoreError> {
    let axes = arrays.iter().filter(|array| tells_time(array));
    match axes.min_by_key(|array| !array.dimensions.contains(&array.name)) {
        Some(axis) => time(bucket, store, axis).await,
        None => Ok(None),
    }
}

/// Does the array's one dimension run along the time that it tells?
fn tells_time(array: &StoredArray) -> bool {
    array.shape.len() == 1 && text(array, "units").is_some_and(|units| units.contains(" since "))
}

fn text<'a>(array: &'a StoredArray, attribute: &str) -> Option<&'a str> {
    array.attributes.get(attribute).and_then(Value::as_str)
}

async fn time(
    bucket: &Bucket,
    store: &str,
    axis: &StoredArray,
) -> Result<Option<TimeRange>, StoreError> {
    let steps = axis.shape.first().copied().unwrap_or(0);
    if steps == 0 {
        return Ok(None);
    }
    let (Some(first), Some(last)) = (
        value(bucket, store, axis, 0).await?,
        value(bucket, store, axis, steps - 1).await?,
    ) else {
        return Ok(None);
    };
    let units = text(axis, "units").unwrap_or_default();
    let calendar = text(axis, "calendar").unwrap_or("standard");
    let Ok(dtype) = axis.dtype else {
        return Ok(None);
    };
    let [first, last] = readable([first, last], dtype, units, calendar);
    Ok(Some(TimeRange {
        axis: axis.name.clone(),
        steps,
        first,
        last,
        units: units.to_owned(),
        calendar: calendar.to_owned(),
    }))
}

/// The first and the last step as people read them; numbers, where their units cannot be read.
fn readable(ends: [Number; 2], dtype: DType, units: &str, calendar: &str) -> [String; 2] {
    let units = TimeUnits::parse(units, Some(calendar)).ok();
    ends.map(|value| {
        let instant = units.and_then(|units| units.instant(value, dtype).ok());
        instant.map_or_else(|| value.to_string(), |instant| instant.to_string())
    })
}

/// The value of step `index` of `axis`, if its type is a number.
async fn value(
    bucket: &Bucket,
    store: &str,
    axis: &StoredArray,
    index: u64,
) -> Result<Option<Number>, StoreError> {
    let (Ok(dtype), Some(&chunk)) = (&axis.dtype, axis.chunk.first()) else {
        return Ok(None);
    };
    let codec = ChunkCodec::new(&axis.name, &axis.document.to_string())?;
    let key = codec.key(store, &[index / chunk]);
    let values = match bucket.get(&key).await {
        Ok(stored) => {
            let values = codec.decode(&stored);
            values.map_err(|cause| cause.in_object(&key))?
        }
        // All values of the chunk are the fill value.
        Err(error) if error.is_missing() => return Ok(dtype.numbers(&axis.fill).next()),
        Err(error) => return Err(error),
    };
    let within = usize::try_from(index % chunk).unwrap_or(usize::MAX);
    Ok(dtype.numbers(&values).nth(within))
}
