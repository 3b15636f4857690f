//! The compressor that an array has, against the one that the user asks for.

use serde_json::{Map, Value};

use super::draft::StoreRequest;
use super::error::PlanError;
use super::wishes::ArrayWishes;
use msm_model::{DType, Variable};
use msm_zarr::{StoredArray, Version, document};

/// Checks that the codec asked for, if there is one, is that of `stored`.
///
/// # Errors
/// If it is another.
pub(super) fn check_codec(
    request: &StoreRequest,
    variable: &Variable,
    dtype: DType,
    stored: &StoredArray,
    wishes: &ArrayWishes,
) -> Result<(), PlanError> {
    let (Some(codec), Some(store)) = (&wishes.codec.value, &request.stored) else {
        return Ok(());
    };
    let array = document::NewArray {
        variable,
        dtype,
        shape: &stored.shape,
        chunk: &stored.chunk,
        inner: stored.inner.as_deref(),
        fill: &dtype.padded(stored.fill.clone()),
    };
    let asked = document::new_array(store.version, &array, &Map::new(), codec);
    let [held, asked] = [&stored.document, &asked].map(|d| spelled(store.version, d));
    if held == asked {
        return Ok(());
    }
    Err(PlanError::Codec {
        store: request.key.clone(),
        array: variable.name.clone(),
        stored: held,
        by: wishes.codec.by.clone(),
        asked,
    })
}

/// The compressor of the array with this document as `--codec` spells it; one that the flag cannot name, as JSON.
pub(super) fn spelled(version: Version, document: &Value) -> String {
    if version == Version::V2 {
        let compressor = &document["compressor"];
        return match compressor["id"].as_str() {
            None => "none".to_owned(),
            Some(name) => one(name, compressor).unwrap_or_else(|| compressor.to_string()),
        };
    }
    let sharded = &document["codecs"][0]["configuration"]["codecs"];
    let codecs = sharded.as_array().or(document["codecs"].as_array());
    // What is left of them without those that say how values become bytes, and the checksum.
    let plain = ["bytes", "vlen-utf8", "crc32c"];
    let compressors: Vec<String> = codecs
        .into_iter()
        .flatten()
        .filter(|codec| !plain.iter().any(|name| codec["name"] == *name))
        .map(|codec| {
            let name = codec["name"].as_str().unwrap_or_default();
            one(name, &codec["configuration"]).unwrap_or_else(|| codec.to_string())
        })
        .collect();
    if compressors.is_empty() {
        return "none".to_owned();
    }
    compressors.join(" and ")
}

/// The compressor `name` of this configuration, as `--codec` spells it.
fn one(name: &str, configuration: &Value) -> Option<String> {
    match name {
        "zstd" => Some(format!("zstd:{}", configuration["level"].as_i64()?)),
        "blosc" => {
            let shuffle = match &configuration["shuffle"] {
                Value::String(name) => name.as_str(),
                Value::Number(number) => match number.as_i64()? {
                    0 => "noshuffle",
                    1 => "shuffle",
                    2 => "bitshuffle",
                    _ => return None,
                },
                _ => return None,
            };
            let compressor = configuration["cname"].as_str()?;
            let level = configuration["clevel"].as_u64()?;
            Some(format!("blosc:{compressor}:{level}:{shuffle}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use msm_model::VariableType;

    #[test]
    fn what_a_document_says_is_what_was_asked_for() {
        let variable = Variable {
            name: "tos".to_owned(),
            kind: VariableType::Number(DType::F32),
            dimensions: vec!["x".to_owned()],
            shape: vec![8],
            attributes: Vec::new(),
            stored_chunks: None,
        };
        for (version, inner) in [
            (Version::V2, None),
            (Version::V3, None),
            (Version::V3, Some(&[2][..])),
        ] {
            let array = document::NewArray {
                variable: &variable,
                dtype: DType::F32,
                shape: &[8],
                chunk: &[4],
                inner,
                fill: &[0; 4],
            };
            for codec in [
                "none",
                "zstd:-3",
                "blosc:lz4:5:shuffle",
                "blosc:zstd:0:noshuffle",
                "blosc:zlib:9:bitshuffle",
            ] {
                let parsed = codec.parse().unwrap();
                let document = document::new_array(version, &array, &Map::new(), &parsed);
                assert_eq!(spelled(version, &document), codec, "{document}");
            }
        }
    }

    #[test]
    fn other_tools_compressors_have_a_name_too() {
        let codecs = json!([{"name": "bytes"}, {"name": "gzip", "configuration": {"level": 5}}]);
        let gzip = spelled(Version::V3, &json!({"codecs": codecs}));
        assert!(gzip.contains("gzip"), "{gzip}");
        let lz4 = spelled(
            Version::V2,
            &json!({"compressor": {"id": "lz4", "acceleration": 1}}),
        );
        assert!(lz4.contains("lz4"), "{lz4}");
        assert_eq!(spelled(Version::V2, &json!({"compressor": null})), "none");
    }
}
