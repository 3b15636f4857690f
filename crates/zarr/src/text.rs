//! Text arrays: fixed-width runs of bytes, as they travel, to and from what the codec `vlen-utf8` takes.

use zarrs::array::{ArrayBytes, ArrayBytesOffsets, ArrayBytesVariableLength};

use msm_model::trimmed;

/// The texts in `runs` of `width` bytes each, without their padding.
pub(super) fn to_variable(runs: &[u8], width: usize) -> Result<ArrayBytes<'static>, String> {
    let mut texts = Vec::with_capacity(runs.len());
    let mut offsets = vec![0];
    for run in runs.chunks_exact(width.max(1)) {
        texts.extend_from_slice(trimmed(run));
        offsets.push(texts.len());
    }
    let offsets = ArrayBytesOffsets::new(offsets).map_err(|cause| cause.to_string())?;
    ArrayBytes::new_vlen(texts, offsets).map_err(|cause| cause.to_string())
}

/// The texts as runs of `width` bytes each; of the width of the longest, where none is given.
///
/// # Errors
/// If one is longer.
pub(super) fn to_runs(
    texts: &ArrayBytesVariableLength<'_>,
    width: Option<usize>,
) -> Result<Vec<u8>, String> {
    let longest = longest(texts);
    let width = width.unwrap_or(longest).max(1);
    if longest > width {
        return Err(format!(
            "a text of {longest} bytes, expected at most {width}; did another program write it?"
        ));
    }
    let offsets = texts.offsets();
    let mut runs = Vec::with_capacity((offsets.len() - 1) * width);
    for pair in offsets.windows(2) {
        runs.extend_from_slice(&texts.bytes()[pair[0]..pair[1]]);
        runs.resize(runs.len() + width - (pair[1] - pair[0]), 0);
    }
    Ok(runs)
}

/// The least width of runs that all texts fit into: the bytes of the longest, without an end mark.
pub(super) fn longest(texts: &ArrayBytesVariableLength<'_>) -> usize {
    let lengths = texts.offsets().windows(2).map(|pair| pair[1] - pair[0]);
    lengths.max().unwrap_or(0)
}

/// Does every run hold the text `fill`?
pub(super) fn all_fill(runs: &[u8], width: usize, fill: &[u8]) -> bool {
    runs.chunks_exact(width.max(1))
        .all(|run| trimmed(run) == fill)
}

/// The crc32c of texts, each ended by a NUL: the same for any width of the runs.
pub(super) fn checksum(runs: &[u8], width: usize) -> u32 {
    let texts = runs.chunks_exact(width.max(1));
    texts.fold(0, |crc, run| {
        crc32c::crc32c_append(crc32c::crc32c_append(crc, trimmed(run)), &[0])
    })
}

#[cfg(test)]
mod tests {
    use crate::{ChunkCodec, Codec, EncodedObject};
    use msm_model::DType;
    use serde_json::json;

    fn codec(name: &str) -> ChunkCodec {
        let codecs = name.parse::<Codec>().unwrap().metadata(DType::Text(5));
        let document = json!({
            "zarr_format": 3, "node_type": "array", "shape": [6], "data_type": "string",
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [3]}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
            "fill_value": "", "codecs": codecs, "attributes": {}, "dimension_names": ["time"],
        });
        ChunkCodec::new("name", &document.to_string()).unwrap()
    }

    #[test]
    fn every_codec_gives_back_texts_of_the_width_asked_for() {
        for name in ["none", "zstd:1", "blosc:lz4:5:shuffle"] {
            let five = codec(name).with_type(DType::Text(5));
            let runs = "ab \0\0\0\0\0\0\0\u{e9}\u{e9}d".as_bytes();
            let EncodedObject::Stored(stored) = five.encode(runs).unwrap() else {
                panic!("not empty")
            };
            assert_eq!(five.decode(&stored).unwrap(), runs);
            let seven = codec(name).with_type(DType::Text(7));
            let wider = "ab \0\0\0\0\0\0\0\0\0\0\0\u{e9}\u{e9}d\0\0".as_bytes();
            assert_eq!(seven.decode(&stored).unwrap(), wider);
            assert_eq!(seven.checksum(wider), five.checksum(runs));
            let error = codec(name).with_type(DType::Text(4)).decode(&stored);
            assert!(error.unwrap_err().to_string().contains("a text of 5 bytes"));
            let mut flipped = stored.to_vec();
            flipped[stored.len() / 2] ^= 1;
            assert!(five.decode(&flipped).is_err());
            assert_eq!(five.encode(&[0; 15]).unwrap(), EncodedObject::Empty);
        }
    }

    #[test]
    fn the_checksum_tells_where_one_text_ends() {
        let codec = codec("none");
        assert_ne!(
            codec.checksum(b"ab\0c\0\0\0\0\0"),
            codec.checksum(b"a\0\0bc\0\0\0\0")
        );
    }
}
