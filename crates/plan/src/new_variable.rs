//! What a new array is like: its chunks, its shards, its fill value.
//!
//! Key type: [`NewVariable`].

use serde_json::{Map, Value};

use super::chunking::choose;
use super::error::PlanError;
use super::sharding::shard_shape;
use super::target::Phase;
use super::wishes::ArrayWishes;
use msm_model::{Archive, ArchiveError, Catalogue, DType, Number, Variable};
use msm_zarr::{StoredArray, Version, document};

/// Steps in one object of a small array along the append dimension: almost two years of hourly output, so that
/// readers fetch a time axis in one request.
const SMALL_ARRAY_STEPS: u64 = 16_384;
/// Bytes a step of a coordinate may have for it to count as small.
const SMALL_STEP_BYTES: u64 = 1024;

/// A new array as it will be.
pub(super) struct NewArrayForm {
    pub document: Value,
    /// The fill value's bytes.
    pub fill: Vec<u8>,
    /// The shape of what one object holds.
    pub object: Vec<u64>,
    /// The shape of its chunks.
    pub chunk: Vec<u64>,
}

/// A variable that gets a new array.
pub(super) struct NewVariable<'a> {
    pub variable: &'a Variable,
    pub dtype: DType,
    /// Which of its dimensions is the append dimension.
    pub axis: Option<usize>,
    pub phase: Phase,
    /// Is it a data variable?
    pub main: bool,
    /// The chunk sizes of its first dimensions, where they are given by those of another array.
    pub leading: &'a [u64],
    /// The array of another tool whose place it takes: its objects are overwritten, so they stay as they are cut and named.
    pub replaced: Option<&'a StoredArray>,
}

/// Bytes of one object, at most: what decodes it takes no more.
const MOST_BYTES: u64 = 1 << 40;

impl NewVariable<'_> {
    /// What its array is like.
    pub(super) fn form(
        &self,
        archive: &Archive,
        wishes: &ArrayWishes,
        version: Version,
        shape: &[u64],
        attributes: &Map<String, Value>,
    ) -> Result<NewArrayForm, PlanError> {
        let (chunk, shard) = self.chunk_and_shard(wishes)?;
        let fill = self.fill(&archive.catalogue)?;
        let array = document::NewArray {
            variable: self.variable,
            dtype: self.dtype,
            shape,
            chunk: shard.as_ref().unwrap_or(&chunk),
            inner: shard.as_ref().map(|_| &chunk[..]),
            fill: &fill,
        };
        let codec = wishes.codec.value.clone().unwrap_or_default();
        let mut document = document::new_array(version, &array, attributes, &codec);
        if let Some(replaced) = self.replaced {
            for field in ["dimension_separator", "chunk_key_encoding"] {
                if let Some(value) = replaced.document.get(field) {
                    document[field] = value.clone();
                }
            }
        }
        Ok(NewArrayForm {
            document,
            fill,
            object: shard.unwrap_or_else(|| chunk.clone()),
            chunk,
        })
    }

    /// The chunk shape, and that of the shards if it gets any.
    fn chunk_and_shard(
        &self,
        wishes: &ArrayWishes,
    ) -> Result<(Vec<u64>, Option<Vec<u64>>), PlanError> {
        if let Some(replaced) = self.replaced {
            return Ok((replaced.chunk.clone(), None));
        }
        let chunk = self.chunk(wishes);
        let is_asked = self.main || self.axis.is_some() || wishes.shards.is_by_name();
        let sharded = self.phase == Phase::Transfer && is_asked;
        let shard = if sharded {
            shard_shape(self.variable, self.axis, &chunk, &wishes.shards)?
        } else {
            None
        };
        let object = shard.as_ref().unwrap_or(&chunk);
        let size = self.dtype.size() as u64;
        let bytes = { object.iter() }.fold(size, |all, &one| all.saturating_mul(one));
        if bytes > MOST_BYTES {
            let by = match shard {
                Some(_) => &wishes.shards.by,
                None => &wishes.chunks.by,
            };
            return Err(PlanError::LargeObjects {
                by: by.clone(),
                array: self.variable.name.clone(),
                object: object.clone(),
                most: MOST_BYTES,
            });
        }
        Ok((chunk, shard))
    }

    fn chunk(&self, wishes: &ArrayWishes) -> Vec<u64> {
        let fixed: Vec<Option<u64>> = self
            .variable
            .dimensions
            .iter()
            .enumerate()
            .map(|(d, name)| match self.phase {
                _ if d < self.leading.len() => Some(self.leading[d]),
                Phase::Commit if self.axis == Some(d) => Some(SMALL_ARRAY_STEPS),
                Phase::Commit => Some(self.variable.shape[d]),
                _ if self.main || self.axis.is_some() || wishes.chunks.is_by_name() => {
                    wishes.chunks.value.0.get(name).copied()
                }
                _ => None,
            })
            .collect();
        choose(
            &self.variable.shape,
            self.axis,
            self.variable.stored_chunks.as_deref(),
            &fixed,
            self.dtype.size() as u64,
        )
    }

    /// The fill value's bytes.
    fn fill(&self, catalogue: &Catalogue) -> Result<Vec<u8>, ArchiveError> {
        if self.dtype.is_text() {
            return Ok(self.dtype.padded(Vec::new()));
        }
        let fill = self.variable.fill_value().unwrap_or(Number::Int(0));
        let bytes = self.dtype.bytes_of(fill);
        bytes.ok_or_else(|| ArchiveError::Unsupported {
            path: catalogue.path.clone(),
            variable: self.variable.name.clone(),
            problem: format!(
                "has type {}, which cannot hold its _FillValue {fill}",
                self.dtype
            ),
        })
    }
}

/// Coordinates of few bytes a step, and series without any other dimension, go into one large object.
pub(super) fn is_small(variable: &Variable, dtype: DType, axis: usize, main: bool) -> bool {
    is_small_step(&variable.shape, dtype, axis, main)
}

/// The same, of an array of this `shape`.
pub(super) fn is_small_step(shape: &[u64], dtype: DType, axis: usize, main: bool) -> bool {
    let others = (0..shape.len()).filter(|&d| d != axis);
    let step: u64 = others.map(|d| shape[d]).product::<u64>() * dtype.size() as u64;
    shape.len() == 1 || (!main && step <= SMALL_STEP_BYTES)
}
