//! The same array, cut and compressed otherwise.
//!
//! Key type: [`ChunkLayout`].

use serde_json::{Value, json};

use super::codec::Codec;
use super::document::sharded;
use super::document_v2::compressor;
use msm_model::DType;

/// How an array is cut into objects, and what its chunks are encoded with.
pub struct ChunkLayout<'a> {
    /// What one object holds: its chunk shape, or the shape of its shards.
    pub object: &'a [u64],
    /// The chunk shape within a shard; `None` without shards, which version 2 does not have.
    pub inner: Option<&'a [u64]>,
    /// The compressor, and the type of the values; `None` where the array keeps its codecs.
    pub codec: Option<(&'a Codec, DType)>,
}

impl ChunkLayout<'_> {
    /// The document of an array, of either version, with this layout; all else in it stays as it is.
    #[must_use]
    pub fn of(&self, document: &Value) -> Value {
        let mut document = document.clone();
        if document["zarr_format"] == 2 {
            document["chunks"] = json!(self.object);
            if let Some((codec, _)) = self.codec {
                document["compressor"] = compressor(codec);
            }
            return document;
        }
        document["chunk_grid"]["configuration"]["chunk_shape"] = json!(self.object);
        let first = &document["codecs"][0];
        let was_sharded = first["name"] == "sharding_indexed";
        let own = match self.codec {
            Some((codec, dtype)) => json!(codec.metadata(dtype)),
            None if was_sharded => first["configuration"]["codecs"].clone(),
            None => document["codecs"].clone(),
        };
        match self.inner {
            None => document["codecs"] = own,
            Some(inner) if was_sharded => {
                let sharding = &mut document["codecs"][0]["configuration"];
                sharding["chunk_shape"] = json!(inner);
                sharding["codecs"] = own;
            }
            Some(inner) => document["codecs"] = json!(sharded(inner, &own)),
        }
        document
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ChunkCodec;

    fn v3(codecs: &Value) -> Value {
        json!({
            "zarr_format": 3, "node_type": "array", "shape": [30, 6], "data_type": "float32",
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [4, 6]}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
            "fill_value": 0.0, "codecs": codecs, "attributes": {"of": "others"}, "dimension_names": ["y", "x"],
        })
    }

    #[test]
    fn shards_come_and_go_and_codecs_stay() {
        let codecs =
            json!([{"name": "bytes", "configuration": {"endian": "big"}}, {"name": "crc32c"}]);
        let plain = v3(&codecs);
        let layout = |object, inner| ChunkLayout {
            object,
            inner,
            codec: None,
        };
        let shards = layout(&[8, 6], Some(&[2, 3])).of(&plain);
        assert_eq!(shards["codecs"][0]["configuration"]["codecs"], codecs);
        assert_eq!(shards["attributes"], plain["attributes"]);
        ChunkCodec::new("tos", &shards.to_string()).unwrap();
        let other = layout(&[6, 6], Some(&[3, 3])).of(&shards);
        let sharding = &other["codecs"][0]["configuration"];
        assert_eq!(sharding["chunk_shape"], json!([3, 3]));
        assert_eq!(sharding["index_location"], "end");
        assert_eq!(layout(&[4, 6], None).of(&other), plain);
    }

    #[test]
    fn the_codec_is_the_one_asked_for() {
        let codec: Codec = "zstd:3".parse().unwrap();
        let layout = |inner| ChunkLayout {
            object: &[8, 6],
            inner,
            codec: Some((&codec, DType::F32)),
        };
        let plain = v3(&json!([{"name": "bytes", "configuration": {"endian": "big"}}]));
        let expected = json!(codec.metadata(DType::F32));
        assert_eq!(layout(None).of(&plain)["codecs"], expected);
        let shards = layout(Some(&[4, 6])).of(&plain);
        assert_eq!(shards["codecs"][0]["configuration"]["codecs"], expected);
        let v2 = json!({
            "zarr_format": 2, "shape": [30, 6], "chunks": [4, 6], "dtype": ">f4", "fill_value": null, "order": "C",
            "filters": null, "compressor": null, "dimension_separator": "/",
        });
        let mut expected = v2.clone();
        expected["chunks"] = json!([8, 6]);
        expected["compressor"] = json!({"id": "zstd", "level": 3});
        assert_eq!(layout(None).of(&v2), expected);
    }
}
