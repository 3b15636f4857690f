//! Encoding and decoding the objects of an array.
//!
//! Key types: [`ChunkCodec`], made from an array's document; [`EncodedObject`].

use std::num::NonZeroU64;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use zarrs::array::{Array, ArrayBytes, ArrayMetadata, ArrayToBytesCodecTraits, CodecOptions};
use zarrs::storage::store::MemoryStore;

use super::chunk_keys::ChunkKeys;
use super::error::ZarrError;
use super::text;
use msm_model::DType;

/// Bytes of a decoded object, from which on no document is believed: more than any machine decodes at once.
const MOST_BYTES: u64 = 1 << 40;
/// What one stored byte makes at most when it is decoded: zstd takes four bytes for a run of 128 KiB.
const MOST_OF_A_BYTE: u64 = 1 << 17;
/// Bytes that any object may make.
const ALWAYS: u64 = 64 << 20;

/// Encodes and decodes the objects of one array, as its document says.
pub struct ChunkCodec {
    array: Array<MemoryStore>,
    name: String,
    keys: ChunkKeys,
    shape: Vec<NonZeroU64>,
    /// Bytes of a decoded object; of texts, about.
    bytes: u64,
    /// Do readers take an object that is missing for one of fill values? Not in version 2 without a fill value.
    may_omit: bool,
    /// The width of texts; `None` of numbers, or where it is not known.
    width: Option<usize>,
}

/// What has to lie under the key of an object so that readers see the values that were encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EncodedObject {
    /// Every value is the fill value, and readers know it: nothing is stored.
    Empty,
    /// What is stored.
    Stored(Bytes),
}

impl ChunkCodec {
    /// The codec of array `name` with this document.
    ///
    /// # Errors
    /// If the document is not one that this program can write.
    pub fn new(name: &str, document: &str) -> Result<Self, ZarrError> {
        let failed = |cause: String| ZarrError::Coding {
            array: name.to_owned(),
            cause,
        };
        let document: Value = serde_json::from_str(document).map_err(|e| failed(e.to_string()))?;
        let metadata = ArrayMetadata::deserialize(&document).map_err(|e| failed(e.to_string()))?;
        let may_omit = !matches!(&metadata, ArrayMetadata::V2(v2) if v2.fill_value.is_null());
        // Without its name: what zarrs takes for one, readers and files see otherwise.
        let array = Array::new_with_metadata(Arc::new(MemoryStore::new()), "/", metadata)
            .map_err(|e| failed(e.to_string()))?;
        let origin = vec![0; array.dimensionality()];
        let shape = array
            .chunk_shape(&origin)
            .map_err(|e| failed(e.to_string()))?;
        let size = array.data_type().fixed_size().unwrap_or(TEXT_BYTES) as u64;
        let bytes = bytes_of(shape.iter().map(|length| length.get()), size);
        let Some(bytes) = bytes.filter(|bytes| *bytes <= MOST_BYTES) else {
            let shape: Vec<u64> = shape.iter().map(|length| length.get()).collect();
            return Err(failed(format!(
                "its chunks of {shape:?} values take more than {MOST_BYTES} bytes"
            )));
        };
        Ok(Self {
            array,
            name: name.to_owned(),
            keys: ChunkKeys::new(name, &document, shape.len()).map_err(failed)?,
            shape,
            bytes,
            may_omit,
            width: None,
        })
    }

    /// The codec, decoding to values of type `dtype`. Without it, texts get the width of the longest in each object.
    #[must_use]
    pub fn with_type(mut self, dtype: DType) -> Self {
        self.width = dtype.is_text().then(|| dtype.size());
        self
    }

    /// Number of dimensions.
    #[must_use]
    pub fn rank(&self) -> usize {
        self.shape.len()
    }

    /// Values in an object along each dimension.
    pub(super) fn shape(&self) -> impl Iterator<Item = u64> {
        self.shape.iter().map(|length| length.get())
    }

    /// Values in an object.
    pub fn values(&self) -> usize {
        let values: u64 = self.shape.iter().map(|n| n.get()).product();
        usize::try_from(values).unwrap_or(usize::MAX)
    }

    fn is_text(&self) -> bool {
        self.array.data_type().is_variable()
    }

    /// The crc32c of the values of a whole object; of texts, the same whatever their width.
    #[must_use]
    pub fn checksum(&self, values: &[u8]) -> u32 {
        if self.is_text() {
            text::checksum(values, values.len() / self.values())
        } else {
            crc32c::crc32c(values)
        }
    }

    /// The array as zarrs sees it.
    pub(super) fn array(&self) -> &Array<MemoryStore> {
        &self.array
    }

    /// The key of the object at `chunk` of the chunk grid, in the store `store`.
    #[must_use]
    pub fn key(&self, store: &str, chunk: &[u64]) -> String {
        self.keys.key(store, chunk)
    }

    /// The place in the chunk grid of the object `key` of `store`, if it is one of this array's.
    #[must_use]
    pub fn chunk_of(&self, store: &str, key: &str) -> Option<Vec<u64>> {
        self.keys.chunk_of(store, key)
    }

    /// Encodes the values of a whole object.
    ///
    /// # Errors
    /// If a codec fails.
    pub fn encode(&self, values: &[u8]) -> Result<EncodedObject, ZarrError> {
        let fill = self.array.fill_value();
        let bytes = if self.is_text() {
            let width = values.len() / self.values();
            if self.may_omit && text::all_fill(values, width, fill.as_ne_bytes()) {
                return Ok(EncodedObject::Empty);
            }
            text::to_variable(values, width).map_err(|cause| self.failed(&cause))?
        } else {
            if self.may_omit && fill.equals_all(values) {
                return Ok(EncodedObject::Empty);
            }
            ArrayBytes::from(values)
        };
        let encoded = self.array.codecs().encode(
            bytes,
            &self.shape,
            self.array.data_type(),
            self.array.fill_value(),
            &options(),
        );
        let encoded = encoded.map_err(|cause| self.failed(&cause))?;
        Ok(EncodedObject::Stored(encoded.into_owned().into()))
    }

    /// The values of a stored object.
    ///
    /// # Errors
    /// If it is not what a codec wrote, a wrong crc32c included.
    pub fn decode(&self, stored: &[u8]) -> Result<Vec<u8>, ZarrError> {
        let most = (stored.len() as u64).saturating_mul(MOST_OF_A_BYTE);
        if self.bytes > most.saturating_add(ALWAYS) {
            let cause = format!(
                "{} bytes cannot hold the {} that the array's document says",
                stored.len(),
                self.bytes
            );
            return Err(self.failed(&cause));
        }
        let decoded = self.array.codecs().decode(
            stored.into(),
            &self.shape,
            self.array.data_type(),
            self.array.fill_value(),
            &options(),
        );
        let decoded = decoded.map_err(|cause| self.failed(&cause))?;
        if self.is_text() {
            let texts = decoded
                .into_variable()
                .map_err(|cause| self.failed(&cause))?;
            return text::to_runs(&texts, self.width).map_err(|cause| self.failed(&cause));
        }
        Ok(decoded
            .into_fixed()
            .map_err(|cause| self.failed(&cause))?
            .into_owned())
    }

    pub(super) fn failed(&self, cause: &dyn std::fmt::Display) -> ZarrError {
        ZarrError::Coding {
            array: self.name.clone(),
            cause: cause.to_string(),
        }
    }
}

/// What a text counts for, whatever its length.
const TEXT_BYTES: usize = 8;

/// Bytes of so many values along each dimension, of so many bytes each; `None` if they cannot be counted.
pub(super) fn bytes_of(mut shape: impl Iterator<Item = u64>, size: u64) -> Option<u64> {
    shape.try_fold(size, u64::checked_mul)
}

/// One thread an object: the objects themselves are what runs in parallel.
fn options() -> CodecOptions {
    CodecOptions::default().with_concurrent_target(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Codec;
    use serde_json::json;

    #[test]
    fn every_codec_gives_back_what_it_was_given_and_notices_a_flipped_byte() {
        let values: Vec<u8> = (0..24u16)
            .flat_map(|v| (f32::from(v) * 0.1).to_le_bytes())
            .collect();
        for codec in [
            "none",
            "zstd:1",
            "blosc:lz4:5:shuffle",
            "blosc:zstd:1:bitshuffle",
        ] {
            let codecs = codec.parse::<Codec>().unwrap().metadata(DType::F32);
            let document = json!({
                "zarr_format": 3, "node_type": "array", "shape": [30, 6], "data_type": "float32",
                "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [4, 6]}},
                "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
                "fill_value": 0.0, "codecs": codecs, "attributes": {}, "dimension_names": ["y", "x"],
            });
            let codec = ChunkCodec::new("tos", &document.to_string()).unwrap();
            assert_eq!(codec.key("p/tos.zarr", &[2, 1]), "p/tos.zarr/tos/c/2/1");
            let EncodedObject::Stored(stored) = codec.encode(&values).unwrap() else {
                panic!("not empty")
            };
            assert_eq!(codec.decode(&stored).unwrap(), values);
            let mut flipped = stored.to_vec();
            flipped[stored.len() / 2] ^= 1;
            assert!(codec.decode(&flipped).is_err());
            assert_eq!(codec.encode(&[0; 96]).unwrap(), EncodedObject::Empty);
        }
    }

    #[test]
    fn zeros_are_left_out_only_where_readers_know_the_fill_value() {
        for (fill, empty) in [(json!(0.0), true), (json!(null), false)] {
            let document = json!({
                "zarr_format": 2, "shape": [30, 6], "chunks": [4, 6], "dtype": "<f4", "fill_value": fill,
                "order": "C", "filters": null, "compressor": null, "dimension_separator": ".",
            });
            let codec = ChunkCodec::new("tos", &document.to_string()).unwrap();
            assert_eq!(codec.key("p/tos.zarr", &[2, 1]), "p/tos.zarr/tos/2.1");
            let zeros = EncodedObject::Stored(Bytes::from_static(&[0; 96]));
            let expected = if empty { EncodedObject::Empty } else { zeros };
            assert_eq!(codec.encode(&[0; 96]).unwrap(), expected);
        }
    }

    #[test]
    fn a_shard_notices_a_flipped_byte_in_a_chunk_and_in_its_index() {
        let document = json!({
            "zarr_format": 3, "node_type": "array", "shape": [30, 6], "data_type": "float32",
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [4, 6]}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
            "fill_value": 0.0, "attributes": {}, "dimension_names": ["y", "x"],
            "codecs": [{"name": "sharding_indexed", "configuration": {
                "chunk_shape": [2, 6], "codecs": Codec::default().metadata(DType::F32), "index_location": "end",
                "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}],
            }}],
        });
        let codec = ChunkCodec::new("tos", &document.to_string()).unwrap();
        // The second chunk is all fill, and takes no room.
        let values = [[1; 48], [0; 48]].concat();
        let EncodedObject::Stored(stored) = codec.encode(&values).unwrap() else {
            panic!("not empty")
        };
        assert_eq!(codec.decode(&stored).unwrap(), values);
        for byte in [2, stored.len() - 30, stored.len() - 1] {
            let mut flipped = stored.to_vec();
            flipped[byte] ^= 1;
            assert!(codec.decode(&flipped).is_err(), "{byte}");
        }
        assert_eq!(codec.encode(&[0; 96]).unwrap(), EncodedObject::Empty);
    }
}
