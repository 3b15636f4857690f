//! Where on the earth a store's cells lie, by its arrays of longitudes and latitudes.
//!
//! Key function: [`coverage`].

use msm_zarr::{ChunkCodec, Group, StoreSnapshot, StoredArray, ZarrError, layout};
use serde_json::Value;

use crate::store::{Bucket, StoreError};
use crate::transfer::unlike;
use crate::verbs::shared::recorded::records_at_rest;

/// No longer array is read: those of eORCA12 have 13 million values.
const MOST_VALUES: u64 = 32 << 20;

/// West, south, east and north of the centres of the cells of `group`, in degrees; `None` if no arrays tell, or if they are too large.
/// Cells on both sides of the date line reach around the earth.
///
/// # Errors
/// If the server does not give the values, or they are not what the manifests say.
pub(super) async fn coverage(
    bucket: &Bucket,
    group: &Group,
    stored: &StoreSnapshot,
) -> Result<Option<[f64; 4]>, StoreError> {
    let (store, arrays) = (&group.key(), &stored.arrays);
    let (Some(longitudes), Some(latitudes)) = (
        coordinate(arrays, &LONGITUDE),
        coordinate(arrays, &LATITUDE),
    ) else {
        return Ok(None);
    };
    let mut absent = Vec::new();
    let of_columns = ends(bucket, store, longitudes, longitude, &mut absent).await?;
    let of_rows = ends(bucket, store, latitudes, latitude, &mut absent).await?;
    are_none(bucket, group, stored, absent).await?;
    let both = of_columns.zip(of_rows);
    Ok(both.map(|([west, east], [south, north])| [west, south, east, north]))
}

/// Where nothing is stored there are no cells, unless manifests have an object there.
async fn are_none(
    bucket: &Bucket,
    group: &Group,
    stored: &StoreSnapshot,
    absent: Vec<AbsentObject>,
) -> Result<(), StoreError> {
    // Manifests cost what they hold, so they are asked only if there is something to ask.
    if absent.is_empty() {
        return Ok(());
    }
    let records = records_at_rest(bucket, &group.store, &stored.root).await?;
    for AbsentObject { array, chunk, key } in absent {
        let path = layout::below(&group.path, &array);
        let recorded = records.as_ref().and_then(|found| found.get(&path, &chunk));
        if let Some(cause) = unlike(recorded.as_ref(), None) {
            return Err(ZarrError::Damaged { key, cause }.into());
        }
    }
    Ok(())
}

/// An object that is not stored.
struct AbsentObject {
    array: String,
    chunk: Vec<u64>,
    key: String,
}

/// By what an array of coordinates is known.
struct Names {
    array: &'static str,
    standard: &'static str,
    units: [&'static str; 3],
}

const LONGITUDE: Names = Names {
    array: "nav_lon",
    standard: "longitude",
    units: ["degrees_east", "degree_east", "degrees_E"],
};
const LATITUDE: Names = Names {
    array: "nav_lat",
    standard: "latitude",
    units: ["degrees_north", "degree_north", "degrees_N"],
};

/// NEMO's own, or the first that its attributes make one.
fn coordinate<'a>(arrays: &'a [StoredArray], names: &Names) -> Option<&'a StoredArray> {
    let is_one = |array: &&StoredArray| {
        let text = |name: &str| array.attributes.get(name).and_then(Value::as_str);
        let tells = text("standard_name") == Some(names.standard)
            || text("units").is_some_and(|units| names.units.contains(&units));
        tells && matches!(array.shape.len(), 1 | 2)
    };
    let own = arrays.iter().find(|array| array.name == names.array);
    own.or_else(|| arrays.iter().find(is_one))
}

/// Between 180 degrees west and east.
fn longitude(degrees: f64) -> Option<f64> {
    match degrees {
        d if (-180.0..=180.0).contains(&d) => Some(d),
        d if (-720.0..=720.0).contains(&d) => Some((d + 180.0).rem_euclid(360.0) - 180.0),
        _ => None,
    }
}

fn latitude(degrees: f64) -> Option<f64> {
    (-90.0..=90.0).contains(&degrees).then_some(degrees)
}

/// The least and the greatest of the array's values that are `sound`. What is not stored goes to `absent`.
async fn ends(
    bucket: &Bucket,
    store: &str,
    array: &StoredArray,
    sound: fn(f64) -> Option<f64>,
    absent: &mut Vec<AbsentObject>,
) -> Result<Option<[f64; 2]>, StoreError> {
    let values = array
        .shape
        .iter()
        .try_fold(1u64, |all, n| all.checked_mul(*n));
    let Ok(dtype) = array.dtype else {
        return Ok(None);
    };
    if values.is_none_or(|values| values > MOST_VALUES) || dtype.is_text() {
        return Ok(None);
    }
    let number = |name: &str| array.attributes.get(name).and_then(Value::as_f64);
    let (scale, offset) = (number("scale_factor"), number("add_offset"));
    let missing = ["_FillValue", "missing_value"].map(number);
    let codec = ChunkCodec::new(&array.name, &array.document.to_string())?;
    let mut ends: Option<[f64; 2]> = None;
    for chunk in chunks(&array.shape, &array.chunk) {
        let key = codec.key(store, &chunk);
        let stored = match bucket.get(&key).await {
            Ok(stored) => stored,
            Err(error) if error.is_missing() => {
                let array = array.name.clone();
                absent.push(AbsentObject { array, chunk, key });
                continue;
            }
            Err(error) => return Err(error),
        };
        let decoded = codec
            .decode(&stored)
            .map_err(|cause| cause.in_object(&key))?;
        for (index, value) in (0u64..).zip(dtype.numbers(&decoded)) {
            let value = value.as_f64();
            if missing.contains(&Some(value)) || !is_inside(array, &chunk, index) {
                continue;
            }
            let value = value * scale.unwrap_or(1.0) + offset.unwrap_or(0.0);
            if let Some(value) = sound(value) {
                let [least, most] = ends.unwrap_or([value; 2]);
                ends = Some([least.min(value), most.max(value)]);
            }
        }
    }
    // A millionth of a degree is 11 cm.
    Ok(ends.map(|ends| ends.map(|end| (end * 1e6).round() / 1e6)))
}

/// The places of an array's objects in its chunk grid.
fn chunks(shape: &[u64], chunk: &[u64]) -> Vec<Vec<u64>> {
    let mut places = vec![Vec::new()];
    for (&length, &size) in shape.iter().zip(chunk) {
        let counts = 0..length.div_ceil(size.max(1));
        places = places
            .into_iter()
            .flat_map(|place: Vec<u64>| {
                counts
                    .clone()
                    .map(move |index| [&place[..], &[index]].concat())
            })
            .collect();
    }
    places
}

/// Is value `index` of the object at `chunk` one of the array's, or does it only fill the object up?
fn is_inside(array: &StoredArray, chunk: &[u64], mut index: u64) -> bool {
    let along = array.shape.iter().zip(&array.chunk).zip(chunk);
    along.rev().all(|((&length, &size), &place)| {
        let within = index % size;
        index /= size;
        place * size + within < length
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use msm_model::DType;
    use serde_json::{Map, json};

    fn array(name: &str, attributes: &Value, shape: [u64; 2], chunk: [u64; 2]) -> StoredArray {
        StoredArray {
            name: name.to_owned(),
            document: Value::Null,
            dtype: Ok(DType::F32),
            fill: Vec::new(),
            shape: shape.to_vec(),
            chunk: chunk.to_vec(),
            inner: None,
            dimensions: Vec::new(),
            attributes: attributes.as_object().cloned().unwrap_or_else(Map::new),
        }
    }

    #[test]
    fn what_fills_an_object_up_is_no_cell() {
        let array = array("nav_lon", &json!({}), [3, 5], [2, 3]);
        let places = chunks(&array.shape, &array.chunk);
        assert_eq!(places, [[0, 0], [0, 1], [1, 0], [1, 1]]);
        let inside = |chunk: &[u64]| (0..6).filter(|i| is_inside(&array, chunk, *i)).count();
        let inside: Vec<usize> = places.iter().map(|chunk| inside(chunk)).collect();
        assert_eq!(inside, [6, 4, 3, 2]);
        assert!(is_inside(&array, &[1, 1], 1) && !is_inside(&array, &[1, 1], 2));
    }

    #[test]
    fn longitudes_lie_around_greenwich() {
        for (given, expected) in [
            (180.0, Some(180.0)),
            (-180.0, Some(-180.0)),
            (190.0, Some(-170.0)),
            (433.5, Some(73.5)),
            (1e20, None),
            (f64::NAN, None),
        ] {
            assert_eq!(longitude(given), expected, "{given}");
        }
        assert_eq!(latitude(-90.5), None);
    }

    #[test]
    fn coordinates_are_known_by_name_or_by_attributes() {
        let shape = ([2, 2], [2, 2]);
        let of = |name: &str, attributes: Value| array(name, &attributes, shape.0, shape.1);
        let arrays = [
            of("lon", json!({"units": "degrees_east"})),
            of("tos", json!({"units": "degrees_C"})),
            of("nav_lon", json!({})),
            of("y", json!({"standard_name": "latitude"})),
        ];
        let name = |names| coordinate(&arrays, names).map(|array| array.name.as_str());
        assert_eq!(name(&LONGITUDE), Some("nav_lon"));
        assert_eq!(name(&LATITUDE), Some("y"));
        assert!(coordinate(&arrays[..2], &LATITUDE).is_none());
    }
}
