//! An array of a store as numbers.
//!
//! Key types: [`StoredValues`], which travels between ranks; [`ObjectRecords`], what its manifest says of its objects; [`AllValues`].

use std::sync::{Arc, Mutex, PoisonError};

use msm_model::{DType, Hyperslab, Number, copy_block};
use msm_plan::missing_values;
use msm_zarr::{ChunkCodec, StoredArray};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::Error;
use crate::source::Block;
use crate::transfer::{BlockSink, Content, ReadMeans, StoredField};

/// An array, and how its values are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredValues {
    /// The key of its group.
    pub(super) store: String,
    pub(super) name: String,
    document: String,
    dtype: DType,
    fill: Vec<u8>,
    pub(super) shape: Vec<u64>,
    /// What one object holds.
    pub(super) chunk: Vec<u64>,
    /// What stands for missing values, beside NaN.
    missing: Vec<f64>,
    scale: f64,
    offset: f64,
    /// What its manifest says of the objects that are read; of others, or without one, nothing is known.
    pub(super) recorded: ObjectRecords,
}

/// What objects hold, by their places in the chunk grid.
pub(super) type ObjectRecords = Vec<(Vec<u64>, Content)>;

/// All values of an array.
pub(super) struct AllValues {
    pub(super) values: Vec<f64>,
    /// Whole objects that are not stored though no manifest says that nothing is: these values are fill values. Those of one value each
    /// are left out: it may be that one.
    pub(super) absent: Vec<Hyperslab>,
}

impl AllValues {
    /// Those of `array`, which tells where cells are: where nothing is stored there are none, and not many at one place.
    pub(super) fn places(mut self, array: &StoredValues) -> Vec<f64> {
        for slab in &self.absent {
            for number in 0..slab.len() {
                let (mut rest, mut index, mut stride) = (number, 0, 1);
                for d in (0..array.shape.len()).rev() {
                    index += (slab.start[d] + rest % slab.count[d]) * stride;
                    rest /= slab.count[d];
                    stride *= array.shape[d];
                }
                let index = usize::try_from(index).unwrap_or(usize::MAX);
                if let Some(value) = self.values.get_mut(index) {
                    *value = f64::NAN;
                }
            }
        }
        self.values
    }
}

impl StoredValues {
    /// `array` of the group `store`; `None` if its values are no numbers.
    pub(super) fn of(store: &str, array: &StoredArray) -> Option<Self> {
        let stored = *array.dtype.as_ref().ok()?;
        if stored.is_text() {
            return None;
        }
        let is_signed = matches!(stored, DType::I8 | DType::I16 | DType::I32 | DType::I64);
        let read_unsigned = array.attributes.get("_Unsigned").and_then(Value::as_str);
        let is_turned = read_unsigned.is_some_and(|said| (said == "true") == is_signed);
        let turned = stored.with_other_sign().filter(|_| is_turned);
        let dtype = turned.unwrap_or(stored);
        let number = |name: &str| array.attributes.get(name).and_then(Value::as_f64);
        let missing = missing_values(array).into_iter();
        Some(Self {
            store: store.to_owned(),
            name: array.name.clone(),
            document: array.document.to_string(),
            dtype,
            fill: array.fill.clone(),
            shape: array.shape.clone(),
            chunk: array.chunk.clone(),
            missing: missing
                .filter_map(|bytes| dtype.numbers(&bytes).next())
                .map(Number::as_f64)
                .collect(),
            scale: number("scale_factor").unwrap_or(1.0),
            offset: number("add_offset").unwrap_or(0.0),
            recorded: ObjectRecords::new(),
        })
    }

    /// Whole objects of it, to be read.
    ///
    /// # Errors
    /// If this program cannot decode them.
    pub(super) fn field(&self) -> Result<Arc<StoredField>, Error> {
        let keys = ChunkCodec::new(&self.name, &self.document)?;
        let store = self.store.clone();
        Ok(Arc::new(StoredField {
            codec: ChunkCodec::new(&self.name, &self.document)?,
            object: self.chunk.clone(),
            fill: self.fill.clone(),
            key: Box::new(move |chunk| Some(keys.key(&store, chunk))),
            recorded: self.recorded.iter().cloned().collect(),
        }))
    }

    /// Bytes of a decoded object.
    pub(super) fn object_bytes(&self) -> u64 {
        let values = self
            .chunk
            .iter()
            .fold(1u64, |all, n| all.saturating_mul(*n));
        values.saturating_mul(self.dtype.size() as u64)
    }

    /// The number at `index` of decoded values; NaN where it stands for a missing one.
    pub(super) fn value(&self, values: &[u8], index: usize) -> f64 {
        let size = self.dtype.size();
        let bytes = values.get(index * size..(index + 1) * size);
        let number = bytes.and_then(|bytes| self.dtype.numbers(bytes).next());
        let value = number.map_or(f64::NAN, Number::as_f64);
        if self.missing.contains(&value) {
            return f64::NAN;
        }
        value * self.scale + self.offset
    }

    /// All of its values.
    ///
    /// # Errors
    /// If they cannot be read or decoded.
    pub(super) async fn all(&self, means: &ReadMeans) -> Result<AllValues, Error> {
        let whole = Hyperslab {
            start: vec![0; self.shape.len()],
            count: self.shape.clone(),
        };
        let size = self.dtype.size();
        let count = usize::try_from(whole.len()).unwrap_or(usize::MAX);
        let bytes = Arc::new(Mutex::new(vec![0; count.saturating_mul(size)]));
        let (into, window) = (Arc::clone(&bytes), whole.clone());
        let sink: BlockSink = Arc::new(move |block: Block<'_>| {
            let mut into = into.lock().unwrap_or_else(PoisonError::into_inner);
            copy_block(block.values, block.slab, &mut into, &window, &window, size);
        });
        let mut absent = self.field()?.read(&whole, means, &sink).await?;
        let bytes = bytes.lock().unwrap_or_else(PoisonError::into_inner);
        absent.retain(|chunk| !self.recorded.iter().any(|(known, _)| known == chunk));
        absent.sort_unstable();
        let absent = absent.iter().map(|chunk| self.slab(chunk));
        Ok(AllValues {
            values: (0..count).map(|index| self.value(&bytes, index)).collect(),
            absent: absent.filter(|slab| slab.len() > 1).collect(),
        })
    }

    /// What the object at `place` of the chunk grid holds of the array.
    pub(super) fn slab(&self, place: &[u64]) -> Hyperslab {
        let along = place.iter().zip(&self.chunk).zip(&self.shape);
        let (start, count) = along
            .map(|((place, size), length)| {
                let start = place * size;
                (start, (*size).min(length - start))
            })
            .unzip();
        Hyperslab { start, count }
    }

    /// The key of the object that holds the value at this place.
    ///
    /// # Errors
    /// If this program does not know its keys.
    pub(super) fn key(&self, place: &[u64]) -> Result<String, Error> {
        let chunk = place.iter().zip(&self.chunk);
        let chunk: Vec<u64> = chunk.map(|(start, size)| start / (*size).max(1)).collect();
        Ok(ChunkCodec::new(&self.name, &self.document)?.key(&self.store, &chunk))
    }
}
