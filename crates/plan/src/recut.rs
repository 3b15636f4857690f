//! An array of a store as it will be in another: cut and encoded otherwise, or of the other version of Zarr.
//!
//! Key types: [`Recut`]; [`ArrayChange`], what it comes to; [`ArrayCut`].

use msm_model::{Attribute, DType, Variable, VariableType};
use msm_zarr::document::{self, Documents};
use msm_zarr::{ChunkCodec, ChunkLayout, Codec, StoredArray, Version};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::attributes::fill_value;
use super::chunking::SHARDS_FLAG;
use super::compressor::spelled;
use super::error::PlanError;
use super::masks::mask_bytes;
use super::rechunked::Rechunking;
use super::sharding::shard_shape;
use super::wishes::Wish;

/// How an array was cut, and how it will be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrayChange {
    /// Which of the plan's stores.
    pub store: usize,
    /// Its name.
    pub name: String,
    /// Its shape.
    pub shape: Vec<u64>,
    /// How it was cut.
    pub before: ArrayCut,
    /// How it will be.
    pub after: ArrayCut,
}

/// How an array is cut and encoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArrayCut {
    /// Its chunk shape.
    pub chunk: Vec<u64>,
    /// The shape of its shards, if it has any.
    pub shard: Option<Vec<u64>>,
    /// Its compressor.
    pub codec: String,
}

/// An array that is to be cut anew.
pub(super) struct Recut<'a> {
    /// The store that has it.
    pub from: &'a str,
    /// The array.
    pub stored: &'a StoredArray,
    /// The version of that store, and the one to make.
    pub version: (Version, Version),
    /// Are its chunks and shards those asked for, as far as they are?
    pub is_cut: bool,
    pub asked: &'a Rechunking,
}

/// An array as it will be.
pub(super) struct RecutArray {
    pub document: Value,
    /// All its documents.
    pub documents: Documents,
    pub dtype: DType,
    pub fill: Vec<u8>,
    /// What one object holds.
    pub object: Vec<u64>,
}

impl Recut<'_> {
    /// The array as it will be in the plan's store `store`.
    ///
    /// # Errors
    /// If it cannot be so.
    pub(super) fn form(&self, store: usize) -> Result<(RecutArray, ArrayChange), PlanError> {
        let StoredArray {
            name,
            dtype,
            shape,
            document,
            ..
        } = self.stored;
        let dtype = dtype.clone().map_err(|other| {
            self.unfit(format!(
                "has type {other}, of which this program writes none"
            ))
        })?;
        let grid = &document["chunk_grid"]["name"];
        if self.version.0 == Version::V3 && grid != "regular" {
            return Err(self.unfit(format!("has a chunk grid that is {grid}, not regular")));
        }
        let (chunk, shard) = self.cut(dtype)?;
        let object = shard.clone().unwrap_or_else(|| chunk.clone());
        let layout = ChunkLayout {
            object: &object,
            inner: shard.as_ref().map(|_| &chunk[..]),
            codec: self.asked.codec.as_ref().map(|codec| (codec, dtype)),
        };
        let (from, to) = self.version;
        let (formed, fill, documents) = if from == to {
            let formed = layout.of(document);
            let documents = document::of_array(to, name, formed.clone(), None);
            (formed, dtype.padded(self.stored.fill.clone()), documents)
        } else {
            self.converted(dtype, &layout)?
        };
        ChunkCodec::new(name, &formed.to_string())
            .map_err(|cause| self.unfit(format!("cannot be cut so: {cause}")))?;
        let change = ArrayChange {
            store,
            name: name.clone(),
            shape: shape.clone(),
            before: self.before(),
            after: ArrayCut {
                chunk,
                shard,
                codec: spelled(to, &formed),
            },
        };
        let formed = RecutArray {
            document: formed,
            documents,
            dtype,
            fill,
            object,
        };
        Ok((formed, change))
    }

    fn before(&self) -> ArrayCut {
        let StoredArray { chunk, inner, .. } = self.stored;
        ArrayCut {
            chunk: inner.as_ref().unwrap_or(chunk).clone(),
            shard: inner.as_ref().map(|_| chunk.clone()),
            codec: spelled(self.version.0, &self.stored.document),
        }
    }

    /// The chunk shape, and that of the shards, if there are any.
    fn cut(&self, dtype: DType) -> Result<(Vec<u64>, Option<Vec<u64>>), PlanError> {
        let StoredArray {
            dimensions, shape, ..
        } = self.stored;
        let ArrayCut {
            mut chunk, shard, ..
        } = self.before();
        let axis = dimensions
            .iter()
            .position(|dimension| *dimension == self.asked.append_dimension);
        if self.is_cut {
            for (d, dimension) in dimensions.iter().enumerate() {
                if let Some(&asked) = self.asked.chunks.0.get(dimension) {
                    let grows = axis == Some(d);
                    chunk[d] = if grows {
                        asked
                    } else {
                        asked.min(shape[d].max(1))
                    };
                }
            }
        }
        if self.version.1 == Version::V2 {
            return Ok((chunk, None));
        }
        let shard = match &self.asked.shards {
            Some(sizes) if sizes.0.is_empty() => None,
            Some(sizes) if self.is_cut => {
                let asked = Wish {
                    by: SHARDS_FLAG.to_owned(),
                    value: sizes.clone(),
                };
                shard_shape(&self.variable(dtype, Vec::new()), axis, &chunk, &asked)?
            }
            _ => self.kept_shards(shard, &chunk)?,
        };
        Ok((chunk, shard))
    }

    /// The shards that the array has, if chunks of this shape fill them.
    fn kept_shards(
        &self,
        shard: Option<Vec<u64>>,
        chunk: &[u64],
    ) -> Result<Option<Vec<u64>>, PlanError> {
        let Some(shard) = shard else { return Ok(None) };
        let mut lengths = shard.iter().zip(chunk);
        if lengths.all(|(shard, chunk)| shard.is_multiple_of(*chunk)) {
            return Ok((shard != chunk).then_some(shard));
        }
        Err(PlanError::KeptShards {
            store: self.from.to_owned(),
            array: self.stored.name.clone(),
            shard: format!("{shard:?}"),
            chunk: format!("{chunk:?}"),
        })
    }

    /// Its document in the other version, with its fill value's bytes, and all its documents.
    fn converted(
        &self,
        dtype: DType,
        layout: &ChunkLayout<'_>,
    ) -> Result<(Value, Vec<u8>, Documents), PlanError> {
        let to = self.version.1;
        let StoredArray {
            name,
            shape,
            dimensions,
            ..
        } = self.stored;
        if to == Version::V2
            && (dimensions.len() != shape.len() || dimensions.iter().any(String::is_empty))
        {
            return Err(
                self.unfit("has dimensions without names, which version 2 does not know".into())
            );
        }
        let (attributes, fill, mask) = self.masked(dtype)?;
        let codec = self
            .asked
            .codec
            .clone()
            .map_or_else(|| self.like_codec(), Ok)?;
        let variable = self.variable(dtype, mask);
        let array = document::NewArray {
            variable: &variable,
            dtype,
            shape,
            chunk: layout.object,
            inner: layout.inner,
            fill: &fill,
        };
        let mut formed = document::new_array(to, &array, &attributes, &codec);
        if to == Version::V3 && dimensions.len() != shape.len() {
            formed["dimension_names"] = Value::Null;
        }
        let new = Some((&attributes, &dimensions[..]));
        let documents = document::of_array(to, name, formed.clone(), new);
        Ok((formed, fill, documents))
    }

    /// The compressor that it has, in the other version.
    fn like_codec(&self) -> Result<Codec, PlanError> {
        let (from, to) = self.version;
        let held = spelled(from, &self.stored.document);
        held.parse().map_err(|_| {
            self.unfit(format!(
                "has the codec {held}, for which Zarr version {to} has no like; give one with --codec"
            ))
        })
    }

    /// What says which values are missing, in the other version: the attributes, the fill value's bytes and, of version 2, which masks by it,
    /// whether it is a mask.
    #[allow(clippy::type_complexity)] // names would say no more
    fn masked(
        &self,
        dtype: DType,
    ) -> Result<(Map<String, Value>, Vec<u8>, Vec<(String, Attribute)>), PlanError> {
        let StoredArray {
            attributes, fill, ..
        } = self.stored;
        let mut attributes = attributes.clone();
        let fill = dtype.padded(fill.clone());
        let said = attributes.get("_FillValue").cloned();
        if dtype.is_text() {
            if fill.iter().any(|byte| *byte != 0) || said.is_some() {
                return Err(self.unfit(
                    "has texts that stand for missing ones, which the other version says otherwise"
                        .into(),
                ));
            }
            return Ok((attributes, fill, Vec::new()));
        }
        let Some(said) = said else {
            return Ok((attributes, fill, Vec::new()));
        };
        let bytes = mask_bytes(self.stored, dtype);
        let number = bytes.as_ref().and_then(|bytes| dtype.numbers(bytes).next());
        let (Some(bytes), Some(number)) = (bytes, number) else {
            return Err(self.unfit(format!(
                "has the _FillValue {said}, which is no number of its type"
            )));
        };
        if self.version.1 == Version::V3 {
            let read_as = attributes.get("_Unsigned").and_then(Value::as_str);
            let read_as = read_as.map(|said| Attribute::Text(said.to_owned()));
            let read_as = read_as.map(|said| ("_Unsigned".to_owned(), said));
            let variable = self.variable(dtype, read_as.into_iter().collect());
            let said = fill_value(&variable, dtype, &Attribute::Numbers(vec![number]));
            attributes.insert("_FillValue".to_owned(), said);
            return Ok((attributes, fill, Vec::new()));
        }
        let mask = vec![("_FillValue".to_owned(), Attribute::Numbers(vec![number]))];
        Ok((attributes, bytes, mask))
    }

    /// The array as if it were a variable of a file.
    fn variable(&self, dtype: DType, attributes: Vec<(String, Attribute)>) -> Variable {
        let StoredArray {
            name,
            dimensions,
            shape,
            ..
        } = self.stored;
        Variable {
            name: name.clone(),
            kind: if dtype.is_text() {
                VariableType::Text(dtype)
            } else {
                VariableType::Number(dtype)
            },
            dimensions: dimensions.clone(),
            shape: shape.clone(),
            attributes,
            stored_chunks: None,
        }
    }

    fn unfit(&self, problem: String) -> PlanError {
        PlanError::Unfit {
            store: self.from.to_owned(),
            array: self.stored.name.clone(),
            problem,
        }
    }
}
