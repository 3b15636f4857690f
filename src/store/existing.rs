//! What lies at a store's place now.
//!
//! Key type: [`StoreLookup`].

use bytes::Bytes;
use futures::{StreamExt, join, stream};
use msm_model::{Catalogue, DType, Instant, Number, Step, TimeUnits, pairs, time_units};
use msm_zarr::{
    ChunkCodec, Group, Outline, StoreMetadata, StoreSnapshot, StoredArray, Version, ZarrError,
    layout, members, of_group, parse_root, precedes_root, uneven,
};

use super::REQUESTS;
use super::bucket::Bucket;
use super::error::StoreError;
use super::listing::Folder;
use super::nested::nested;
use super::node::is_repository;
use super::text_width::text_type;

/// What lies at a store's place.
#[derive(Clone)]
pub(crate) enum StoreLookup {
    /// Nothing.
    Nothing,
    /// Objects without a root document, by their keys: what a create that died left. No reader sees them.
    Remains(Vec<String>),
    /// A store.
    Store(StoreSnapshot),
}

/// Looks at the place of `group`, in which the array `axis` tells the steps apart.
///
/// # Errors
/// If the bucket cannot be read, or something lies there that is not a Zarr store with consolidated metadata.
pub(crate) async fn read_store(
    bucket: &Bucket,
    group: &Group,
    axis: &str,
) -> Result<StoreLookup, StoreError> {
    let (version, root) = if let Some(root) = document(bucket, &group.store, Version::V3).await? {
        (Version::V3, root)
    } else {
        let older = document(bucket, &group.store, Version::V2);
        let (older, folder) = join!(older, bucket.folder(&group.store));
        match older? {
            Some(root) => (Version::V2, root),
            // Nothing may be there, or what a dead create left: the listing tells.
            None => return without_root(bucket, &group.store, &folder?).await,
        }
    };
    let (root, document) = parse_root(&group.store, version, &root)?;
    let mut arrays = members(&group.store, version, &document)?;
    of_group(&mut arrays, &group.path);
    let mut stored = StoreSnapshot {
        version,
        root,
        nested: nested(bucket, group, version, &document).await?,
        arrays,
        steps: Vec::new(),
        bounds: Vec::new(),
    };
    let key = &group.key();
    for array in &mut stored.arrays {
        if array.dtype.as_ref().is_ok_and(|dtype| dtype.is_text()) {
            array.dtype = Ok(text_type(bucket, key, array).await?);
        }
    }
    let catalogue = stored.catalogue();
    let array = |name: &str| stored.arrays.iter().find(|a| a.name == name);
    let mut steps = Vec::new();
    let mut bounds = Vec::new();
    if let Some(axis) = array(axis) {
        refuse_uneven(key, &stored, axis)?;
        let named = catalogue
            .variable(&axis.name)
            .and_then(|v| v.words("bounds").next());
        let array = named.and_then(array);
        let array =
            array.filter(|array| array.shape == [axis.shape.first().copied().unwrap_or(0), 2]);
        let (times, of_steps) = join!(read_times(bucket, key, axis, &catalogue), async {
            match array {
                Some(array) => read_bounds(bucket, key, array, &catalogue).await,
                None => Ok(Vec::new()),
            }
        });
        (steps, bounds) = (times?, of_steps?);
    }
    stored.steps = steps;
    stored.bounds = bounds;
    Ok(StoreLookup::Store(stored))
}

/// The times of the array `name` of `group`, which `stored` was read from; none if it has none that increase.
///
/// # Errors
/// If the bucket cannot be read.
pub(crate) async fn read_other_times(
    bucket: &Bucket,
    group: &Group,
    stored: &StoreSnapshot,
    name: &str,
) -> Result<Vec<Step>, StoreError> {
    let Some(array) = stored.arrays.iter().find(|array| array.name == name) else {
        return Ok(Vec::new());
    };
    match read_times(bucket, &group.key(), array, &stored.catalogue()).await {
        Err(StoreError::Zarr(_)) => Ok(Vec::new()),
        read => read,
    }
}

/// What the metadata of `store` know; `None` if there is no root document.
///
/// # Errors
/// If the root document cannot be read, or is not that of a Zarr store with consolidated metadata.
pub(crate) async fn read_metadata(
    bucket: &Bucket,
    store: &str,
) -> Result<Option<StoreMetadata>, StoreError> {
    let found = root(bucket, store).await?;
    let known = found.map(|(version, root)| StoreMetadata::of(store, version, &root));
    Ok(known.transpose()?)
}

/// What the root document of `store` says of its arrays; `None` if there is none.
///
/// # Errors
/// As [`read_metadata`].
pub(crate) async fn read_outline(
    bucket: &Bucket,
    store: &str,
) -> Result<Option<Outline>, StoreError> {
    let found = root(bucket, store).await?;
    let outline = found.map(|(version, root)| Outline::of(store, version, &root));
    Ok(outline.transpose()?)
}

/// Refuses a store whose arrays do not have the same length along the dimension of `axis`: xarray does not open it.
fn refuse_uneven(key: &str, stored: &StoreSnapshot, axis: &StoredArray) -> Result<(), ZarrError> {
    let uneven = uneven(stored.arrays.iter().map(|array| {
        let StoredArray {
            name,
            dimensions,
            shape,
            ..
        } = array;
        (name.as_str(), dimensions.as_slice(), shape.as_slice())
    }));
    let Some(dimension) = axis.dimensions.first() else {
        return Ok(());
    };
    match uneven.iter().find(|uneven| uneven.dimension == *dimension) {
        None => Ok(()),
        Some(uneven) => Err(ZarrError::Foreign {
            store: key.to_owned(),
            problem: format!("{uneven}; {}", uneven.way_out()),
        }),
    }
}

/// The root document, of the version that has one.
pub(super) async fn root(
    bucket: &Bucket,
    key: &str,
) -> Result<Option<(Version, Bytes)>, StoreError> {
    for version in [Version::V3, Version::V2] {
        if let Some(root) = document(bucket, key, version).await? {
            return Ok(Some((version, root)));
        }
    }
    Ok(None)
}

/// The root document of this version, if there is one.
async fn document(
    bucket: &Bucket,
    key: &str,
    version: Version,
) -> Result<Option<Bytes>, StoreError> {
    match bucket.get(&layout::root_document(key, version)).await {
        Ok(root) => Ok(Some(root)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}

async fn without_root(
    bucket: &Bucket,
    key: &str,
    folder: &Folder,
) -> Result<StoreLookup, StoreError> {
    if is_repository(folder) {
        return Err(StoreError::Repository {
            key: key.to_owned(),
        });
    }
    if folder.is_empty() {
        return Ok(StoreLookup::Nothing);
    }
    let keys = bucket.list(key).await?;
    let below = |k: &String| {
        let below = k.strip_prefix(key).and_then(|k| k.strip_prefix('/'));
        below.map(str::to_owned)
    };
    let foreign = |problem: String| {
        StoreError::from(ZarrError::Foreign {
            store: key.to_owned(),
            problem,
        })
    };
    // Readers see such a store even so: it may be another tool's, and whole.
    if keys.iter().any(|k| below(k).as_deref() == Some(".zgroup")) {
        return Err(foreign(
            "it has a .zgroup but no .zmetadata: no consolidated metadata; send or update with --consolidate, or consolidate it with \
             zarr-python, or, if a send died here, delete it"
                .to_owned(),
        ));
    }
    match keys
        .iter()
        .find(|k| !below(k).is_some_and(|b| precedes_root(&b)))
    {
        Some(other) => Err(foreign(format!(
            "there is no root document, but '{other}' lies there; move it away or choose another prefix"
        ))),
        None => Ok(StoreLookup::Remains(keys)),
    }
}

/// What the values of a small array of times are.
struct TimeEncoding {
    dtype: DType,
    units: Option<TimeUnits>,
}

/// All values of the axis. They grow: so one whose shape says more than there is, is found out soon.
async fn read_times(
    bucket: &Bucket,
    store: &str,
    array: &StoredArray,
    catalogue: &Catalogue,
) -> Result<Vec<Step>, StoreError> {
    let mut steps: Vec<Step> = Vec::new();
    let put = |number, times: &TimeEncoding| {
        let step = Step::new(number, times.dtype, times.units.as_ref())
            .map_err(|cause| format!("cannot be read: {cause}"))?;
        if let Some(&last) = steps.last()
            && !step.is_after(last)
        {
            let place = steps.len();
            return Err(format!(
                "has step {place}, {step}, which is not after {last}"
            ));
        }
        steps.push(step);
        Ok(())
    };
    read_numbers(bucket, store, array, &[], catalogue, put).await?;
    Ok(steps)
}

/// What the bounds of the axis say, step by step; nothing where that cannot be told.
async fn read_bounds(
    bucket: &Bucket,
    store: &str,
    array: &StoredArray,
    catalogue: &Catalogue,
) -> Result<Vec<(Instant, Instant)>, StoreError> {
    let mut numbers = Vec::new();
    let put = |number, _: &TimeEncoding| {
        numbers.push(number);
        Ok(())
    };
    let times = read_numbers(bucket, store, array, &[2], catalogue, put).await?;
    let variable = catalogue.variable(&array.name);
    // Bounds that were never written tell nothing.
    let instant = |number| {
        let missing = variable?.missing_because(number, times.dtype).is_some();
        let units = times.units.filter(|_| !missing)?;
        units.instant(number, times.dtype).ok()
    };
    Ok(pairs(&numbers, instant).unwrap_or_default())
}

/// Hands all values of the axis, or, with two `others` a step, of its bounds to `each`, in order.
async fn read_numbers(
    bucket: &Bucket,
    store: &str,
    array: &StoredArray,
    others: &[u64],
    catalogue: &Catalogue,
    mut each: impl FnMut(Number, &TimeEncoding) -> Result<(), String>,
) -> Result<TimeEncoding, StoreError> {
    let foreign = |problem: String| {
        StoreError::from(ZarrError::Foreign {
            store: store.to_owned(),
            problem: format!("its '{}' {problem}", array.name),
        })
    };
    let (Some((&length, rest)), Some((&chunk, others_of_chunk))) =
        (array.shape.split_first(), array.chunk.split_first())
    else {
        return Err(foreign("is a scalar, expected a step a value".to_owned()));
    };
    if rest != others || others_of_chunk != others {
        return Err(foreign(format!(
            "has shape {:?} and chunks {:?}, expected {others:?} behind the first dimension of both",
            array.shape, array.chunk
        )));
    }
    let dtype = array
        .dtype
        .as_ref()
        .map_err(|name| foreign(format!("has type {name}")))?;
    let units = time_units(catalogue, &array.name).map_err(|cause| foreign(cause.to_string()))?;
    let times = TimeEncoding {
        dtype: *dtype,
        units,
    };
    let codec = ChunkCodec::new(&array.name, &array.document.to_string())?;
    let of_step: u64 = others.iter().product();
    let reads = (0..length.div_ceil(chunk)).map(|index| {
        let mut place = vec![0; array.shape.len()];
        place[0] = index;
        let key = codec.key(store, &place);
        async move {
            let found = bucket.get(&key).await;
            (index, key, found)
        }
    });
    let mut reads = stream::iter(reads).buffered(REQUESTS);
    while let Some((index, key, found)) = reads.next().await {
        let first = index * chunk;
        let steps = chunk.min(length - first);
        let count = usize::try_from(steps * of_step).unwrap_or(usize::MAX);
        let values = match found {
            Ok(stored) => codec
                .decode(&stored)
                .map_err(|cause| cause.in_object(&key))?,
            Err(error) if error.is_missing() && others.is_empty() && steps > 1 => {
                return Err(foreign(format!(
                    "has the shape {:?}, but there is no '{key}', where steps {first} to {} should be",
                    array.shape,
                    first + steps - 1
                )));
            }
            Err(error) if error.is_missing() => array.fill.repeat(count),
            Err(error) => return Err(error),
        };
        for number in times.dtype.numbers(&values).take(count) {
            each(number, &times).map_err(foreign)?;
        }
    }
    Ok(times)
}
