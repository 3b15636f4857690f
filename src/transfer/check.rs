//! One object against what its manifest says of it.
//!
//! Key function: [`check_object`].

use std::sync::Arc;

use bytes::Bytes;
use msm_zarr::{ChunkCodec, ZarrError};

use super::engine::on_pool;
use super::record::Content;
use crate::store::{Bucket, StoreError, StoredDigest};
use crate::workers::Workers;

/// Reads the object `key` once, and says what is wrong with it: its length, its bytes, or its values are not those that
/// were recorded. Of one without a record only that it decodes is checked.
///
/// # Errors
/// If the server does not give it.
pub(crate) async fn check_object(
    bucket: &Bucket,
    codec: &Arc<ChunkCodec>,
    key: &str,
    recorded: Option<Content>,
    pool: &Workers,
) -> Result<Option<String>, StoreError> {
    let stored = match bucket.get(key).await {
        Ok(stored) => stored,
        Err(error) if error.is_missing() => {
            return Ok(Some("it was listed, and then was gone".to_owned()));
        }
        Err(error) => return Err(error),
    };
    let codec = Arc::clone(codec);
    Ok(on_pool(pool, move || fault(&codec, &stored, recorded)).await)
}

/// How the bytes that were `found` where an object was put differ from those `sent`, if they do. They are decoded only then, so that
/// what differs is named, or if it `decodes` them in any case.
pub(super) fn unlike_sent(
    codec: &ChunkCodec,
    found: &Bytes,
    sent: Content,
    decodes: bool,
) -> Option<String> {
    let is_same = matches!(sent, Content::Stored { bytes, stored_crc32c, .. }
        if found.len() as u64 == bytes && StoredDigest::is_of(stored_crc32c, found));
    if is_same && !decodes {
        return None;
    }
    fault(codec, found, Some(sent))
}

fn fault(codec: &ChunkCodec, stored: &Bytes, recorded: Option<Content>) -> Option<String> {
    let decoded = codec.decode(stored).map(|values| codec.checksum(&values));
    let decoded = decoded.map_err(|cause| match cause {
        ZarrError::Coding { cause, .. } => cause,
        other => other.to_string(),
    });
    let Some(Content::Stored {
        bytes,
        values_crc32c,
        stored_crc32c,
        ..
    }) = recorded
    else {
        return decoded
            .err()
            .map(|cause| format!("it cannot be decoded: {cause}"));
    };
    if stored.len() as u64 != bytes {
        return Some(format!("{} bytes, expected {bytes}", stored.len()));
    }
    let found = StoredDigest::of(stored);
    let values = match decoded {
        Err(cause) => Some(format!("it cannot be decoded: {cause}")),
        Ok(crc) if crc != values_crc32c => Some(format!(
            "the crc32c of its values is {crc:08x}, expected {values_crc32c:08x}"
        )),
        Ok(_) => None,
    };
    let bytes = (!StoredDigest::is_of(stored_crc32c, stored))
        .then(|| format!("the crc32c of its bytes is {found:08x}, expected {stored_crc32c:08x}"));
    match (bytes, values) {
        (Some(bytes), Some(values)) => Some(format!("{bytes}; {values}")),
        (Some(bytes), None) => Some(format!("{bytes}; its values are as expected")),
        (None, values) => values,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::Proof;
    use msm_model::DType;
    use msm_zarr::{Codec, EncodedObject};
    use serde_json::json;

    #[test]
    fn what_is_wrong_with_an_object() {
        for name in ["none", "zstd:1"] {
            let codecs = name.parse::<Codec>().unwrap().metadata(DType::F32);
            let document = json!({
                "zarr_format": 3, "node_type": "array", "shape": [4], "data_type": "float32",
                "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [4]}},
                "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
                "fill_value": 0.0, "codecs": codecs, "attributes": {},
            });
            let codec = ChunkCodec::new("tos", &document.to_string()).unwrap();
            let values = [1.5f32; 4].map(f32::to_le_bytes).concat();
            let EncodedObject::Stored(stored) = codec.encode(&values).unwrap() else {
                panic!("not empty")
            };
            let recorded = |bytes: &Bytes| Content::Stored {
                bytes: bytes.len() as u64,
                values_crc32c: codec.checksum(&values),
                stored_crc32c: StoredDigest::of(bytes),
                proof: Proof::ReadBack,
            };
            let right = Some(recorded(&stored));
            assert_eq!(fault(&codec, &stored, right), None);
            assert_eq!(fault(&codec, &stored, None), None);
            let mut flipped = stored.to_vec();
            flipped[5] ^= 1;
            let flipped = Bytes::from(flipped);
            let said = fault(&codec, &flipped, right).unwrap();
            assert!(said.starts_with("the crc32c of its bytes is "), "{said}");
            assert!(said.contains("; it cannot be decoded: "), "{said}");
            // As if the record were of these bytes: the values tell.
            let said = fault(&codec, &flipped, Some(recorded(&flipped))).unwrap();
            assert!(said.starts_with("it cannot be decoded: "), "{said}");
            let short = stored.slice(..stored.len() - 1);
            let said = fault(&codec, &short, right).unwrap();
            assert_eq!(
                said,
                format!("{} bytes, expected {}", short.len(), stored.len())
            );
            assert!(fault(&codec, &short, None).is_some());
            // What came back is decoded where it is not what was sent, or when it is told to.
            let sent = recorded(&stored);
            let of_other_values = match sent {
                Content::Stored {
                    bytes,
                    stored_crc32c,
                    proof,
                    ..
                } => Content::Stored {
                    bytes,
                    values_crc32c: 7,
                    stored_crc32c,
                    proof,
                },
                Content::Empty => panic!("not empty"),
            };
            assert_eq!(unlike_sent(&codec, &stored, of_other_values, false), None);
            let said = unlike_sent(&codec, &stored, of_other_values, true).unwrap();
            assert!(
                said.contains("its values is") && said.ends_with("expected 00000007"),
                "{said}"
            );
            assert_eq!(unlike_sent(&codec, &stored, sent, true), None);
            let said = unlike_sent(&codec, &flipped, sent, false).unwrap();
            assert!(said.starts_with("the crc32c of its bytes is "), "{said}");
            assert!(unlike_sent(&codec, &short, sent, false).is_some());
        }
    }
}
