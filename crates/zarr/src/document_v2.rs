//! Documents of Zarr version 2 (Zarr storage specification version 2), as zarr-python writes them: `.zarray` and
//! `.zattrs` of each array, `.zgroup` and `.zattrs` of the store, and `.zmetadata`, which holds them all. Pure.

use serde_json::{Map, Value, json};

use super::codec::{BLOCK_BYTES, Codec};
use super::document::{AttributeEdits, Documents, NewArray};
use super::layout;
use msm_model::number_to_json;

/// The attribute with the names of an array's dimensions.
pub(super) const DIMENSIONS: &str = "_ARRAY_DIMENSIONS";

/// The filter of text arrays.
pub(super) const TEXTS: &str = "vlen-utf8";

/// The `.zarray` of a new array. xarray masks by its `fill_value`, so that is null without a `_FillValue`.
pub(super) fn new_array(array: &NewArray<'_>, codec: &Codec) -> Value {
    let mask = array.variable.fill_value();
    let mask = mask.and_then(|_| array.dtype.numbers(array.fill).next());
    let filters = array.dtype.is_text().then(|| json!([{"id": TEXTS}]));
    json!({
        "zarr_format": 2,
        "shape": array.shape,
        "chunks": array.chunk,
        "dtype": array.dtype.numpy_name(),
        "fill_value": mask.map(number_to_json),
        "order": "C",
        "filters": filters,
        "compressor": compressor(codec),
        "dimension_separator": ".",
    })
}

/// The compressor as numcodecs names it. Version 2 has no place for a crc32c that stock readers know, so only the
/// compressor's own checks guard an object at rest.
pub(super) fn compressor(codec: &Codec) -> Value {
    match codec {
        Codec::None => Value::Null,
        Codec::Zstd(level) => json!({"id": "zstd", "level": level}),
        Codec::Blosc {
            compressor,
            level,
            shuffle,
        } => {
            let shuffle = match shuffle.as_str() {
                "shuffle" => 1,
                "bitshuffle" => 2,
                _ => 0,
            };
            json!({"id": "blosc", "cname": compressor, "clevel": level, "shuffle": shuffle, "blocksize": BLOCK_BYTES})
        }
    }
}

/// The documents of the array `name`.
pub(super) fn of_array(
    name: &str,
    document: Value,
    new: Option<(&Map<String, Value>, &[String])>,
) -> Documents {
    let attributes = new.map(|(attributes, dimensions)| {
        let kept = attributes.iter().filter(|(name, _)| *name != "_FillValue");
        let mut kept: Map<String, Value> = kept.map(|(n, v)| (n.clone(), v.clone())).collect();
        kept.insert(DIMENSIONS.to_owned(), json!(dimensions));
        (format!("{name}/.zattrs"), Value::Object(kept))
    });
    let array = (format!("{name}/.zarray"), document);
    std::iter::once(array).chain(attributes).collect()
}

/// `.zgroup` and `.zattrs` of the group `group`, as far as they are new.
pub(super) fn of_store(old: Option<Value>, group: &str, attributes: &AttributeEdits) -> Documents {
    let Some(old) = old else {
        return vec![
            (".zgroup".to_owned(), json!({"zarr_format": 2})),
            (".zattrs".to_owned(), json!(attributes.added)),
        ];
    };
    if attributes.is_empty() {
        return Vec::new();
    }
    let path = layout::below(group, ".zattrs");
    let mut all = old["metadata"][&path]
        .as_object()
        .cloned()
        .unwrap_or_default();
    attributes.change(&mut all);
    vec![(path, json!(all))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use msm_model::{Attribute, DType, Number, Variable, VariableType};

    fn variable(attributes: &[(&str, Attribute)]) -> Variable {
        let attributes = attributes.iter();
        Variable {
            name: "tos".to_owned(),
            kind: VariableType::Number(DType::F32),
            dimensions: ["y", "x"].map(str::to_owned).to_vec(),
            shape: vec![4, 6],
            attributes: attributes
                .map(|(n, a)| ((*n).to_owned(), a.clone()))
                .collect(),
            stored_chunks: None,
        }
    }

    fn document(variable: &Variable, fill: f32, codec: &str) -> Value {
        let array = NewArray {
            variable,
            dtype: DType::F32,
            shape: &[4, 6],
            chunk: &[4, 3],
            inner: None,
            fill: &fill.to_le_bytes(),
        };
        new_array(&array, &codec.parse().unwrap())
    }

    #[test]
    fn the_mask_is_the_fill_value_and_null_without_one() {
        for (fill, shown) in [
            (f64::NAN, json!("NaN")),
            (f64::INFINITY, json!("Infinity")),
            (f64::from(1e20_f32), json!(f64::from(1e20_f32))),
        ] {
            let mask = Attribute::Numbers(vec![Number::Float(fill)]);
            let variable = variable(&[("_FillValue", mask)]);
            assert_eq!(
                document(&variable, fill as f32, "none")["fill_value"],
                shown
            );
        }
        assert_eq!(
            document(&variable(&[]), 0.0, "none")["fill_value"],
            Value::Null
        );
    }

    #[test]
    fn compressors_as_numcodecs_names_them() {
        let of = |codec| document(&variable(&[]), 0.0, codec)["compressor"].clone();
        assert_eq!(of("none"), Value::Null);
        assert_eq!(of("zstd:3"), json!({"id": "zstd", "level": 3}));
        let blosc =
            json!({"id": "blosc", "cname": "lz4", "clevel": 5, "shuffle": 2, "blocksize": 1 << 20});
        assert_eq!(of("blosc:lz4:5:bitshuffle"), blosc);
    }

    #[test]
    fn attributes_name_the_dimensions_and_leave_the_mask_out() {
        let attributes = json!({"units": "K", "_FillValue": "AAAAAAAA+H8="});
        let dimensions = ["y", "x"].map(str::to_owned);
        let new = attributes.as_object().map(|a| (a, &dimensions[..]));
        let documents = of_array("tos", json!({}), new);
        let expected = [
            ("tos/.zarray".to_owned(), json!({})),
            (
                "tos/.zattrs".to_owned(),
                json!({"units": "K", "_ARRAY_DIMENSIONS": ["y", "x"]}),
            ),
        ];
        assert_eq!(documents, expected);
        assert_eq!(
            of_array("tos", json!({}), None).len(),
            1,
            "one that grows keeps its attributes"
        );
    }
}
