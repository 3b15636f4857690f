//! A variable's attributes as a Zarr document has them, so that xarray decodes the store as it decodes the file; and
//! those that no document can hold.

use std::path::Path;

use data_encoding::BASE64;
use serde_json::{Map, Value, json};

use super::lacking_steps::LACKING;
use msm_model::{ArchiveError, Attribute, DType, Number, Variable, VariableType};

/// The attributes of `variable` as a Zarr v3 document has them: plain JSON, but for those that xarray decodes by
/// (xarray 2026.9, `xarray.backends.zarr.FillValueCoder` and `xarray.coding.variables`):
///
/// - `_FillValue` of a float array is the base64 of its little-endian float64, so it can be NaN or infinite.
/// - `_FillValue` of an integer array read through `_Unsigned` is the stored integer; xarray wants it signed where
///   `_Unsigned` is `"false"`.
/// - `_FillValue` of a text array cannot be opened at all: it is called `missing_value`, by which xarray masks alike.
///   Where a file has both, they are a list.
/// - `_FillValue` that no value of the array can equal, such as 1e37 of shorts, cannot be opened either, and is called
///   `missing_value` in the same way.
/// - `missing_value` loses its NaNs. JSON has none; as a string, xarray would take the other values for strings too;
///   and without it NaN stays NaN in a float array, and cannot be in an integer one.
/// - `_Encoding` of a text array is left out: its texts are UTF-8.
/// - `steps_never_sent` is left out: it tells of a store, not of the file.
///
/// Any other NaN or infinity (`valid_range`, say) becomes a string; see [`Attribute::to_json`]. No reader acts on it.
#[must_use]
pub(crate) fn attributes_of(variable: &Variable, dtype: DType) -> Map<String, Value> {
    let mut attributes = Map::new();
    for (name, attribute) in &variable.attributes {
        match name.as_str() {
            "_Encoding" if dtype.is_text() => {}
            // Of the store that the file was made from.
            LACKING => {}
            "_FillValue" | "missing_value" if dtype.is_text() => {
                attributes.insert("missing_value".to_owned(), missing_texts(variable));
            }
            "_FillValue" | "missing_value" if misfit(variable, dtype).is_some() => {
                if let Some(missing) = without_nan(&missing_numbers(variable)) {
                    attributes.insert("missing_value".to_owned(), missing.to_json());
                }
            }
            "_FillValue" => {
                attributes.insert(name.clone(), fill_value(variable, dtype, attribute));
            }
            "missing_value" => {
                if let Some(attribute) = without_nan(attribute) {
                    attributes.insert(name.clone(), attribute.to_json());
                }
            }
            _ => {
                attributes.insert(name.clone(), attribute.to_json());
            }
        }
    }
    attributes
}

/// The texts that mark missing data, each once.
fn missing_texts(variable: &Variable) -> Value {
    let mut missing: Vec<Value> = Vec::new();
    for name in ["_FillValue", "missing_value"] {
        let value = variable.attribute(name).map(Attribute::to_json);
        if let Some(value) = value.filter(|value| !missing.contains(value)) {
            missing.push(value);
        }
    }
    if missing.len() == 1 {
        missing.remove(0)
    } else {
        Value::Array(missing)
    }
}

/// The `_FillValue` of a variable of numbers, if its type cannot hold it.
fn misfit(variable: &Variable, dtype: DType) -> Option<Number> {
    let fill = variable
        .attribute("_FillValue")
        .and_then(Attribute::number)?;
    (!dtype.is_text() && dtype.rounded(fill).is_none()).then_some(fill)
}

/// The type of `variable` and its `_FillValue`, if that is no value of the type, and so marks nothing.
#[must_use]
pub fn marks_nothing(variable: &Variable) -> Option<(DType, Number)> {
    let VariableType::Number(dtype) = variable.kind else {
        return None;
    };
    Some((dtype, misfit(variable, dtype)?))
}

/// The numbers that `_FillValue` and `missing_value` have, each once.
fn missing_numbers(variable: &Variable) -> Attribute {
    let mut missing: Vec<Number> = Vec::new();
    for name in ["_FillValue", "missing_value"] {
        if let Some(Attribute::Numbers(numbers)) = variable.attribute(name) {
            let new: Vec<Number> = numbers
                .iter()
                .copied()
                .filter(|n| !missing.contains(n))
                .collect();
            missing.extend(new);
        }
    }
    Attribute::Numbers(missing)
}

/// The attribute `_FillValue` of version 3, of a variable of numbers that has `attribute` as its `_FillValue`.
pub(super) fn fill_value(variable: &Variable, dtype: DType, attribute: &Attribute) -> Value {
    let Some(fill) = attribute.number() else {
        return attribute.to_json();
    };
    if dtype.is_float() {
        // One NaN for all, or two files with the same mask would differ.
        let fill = if fill.as_f64().is_nan() {
            f64::NAN
        } else {
            fill.as_f64()
        };
        return json!(BASE64.encode(&fill.to_le_bytes()));
    }
    let unsigned = variable.attribute("_Unsigned").and_then(Attribute::text);
    let stored = dtype.bytes_of(fill).unwrap_or_default();
    let is_unsigned = matches!(dtype, DType::U8 | DType::U16 | DType::U32 | DType::U64);
    let read_as = match dtype.with_other_sign() {
        Some(signed) if is_unsigned && unsigned == Some("false") => signed,
        _ => dtype,
    };
    let number = read_as.numbers(&stored).next().unwrap_or(fill);
    Attribute::Numbers(vec![number]).to_json()
}

/// The attribute without NaNs; `None` if nothing is left.
fn without_nan(attribute: &Attribute) -> Option<Attribute> {
    let Attribute::Numbers(numbers) = attribute else {
        return Some(attribute.clone());
    };
    let kept: Vec<Number> = numbers
        .iter()
        .copied()
        .filter(|n| !n.as_f64().is_nan())
        .collect();
    (numbers.is_empty() || !kept.is_empty()).then_some(Attribute::Numbers(kept))
}

fn is_finite(attribute: &Attribute) -> bool {
    match attribute {
        Attribute::Numbers(numbers) => numbers.iter().all(|n| n.as_f64().is_finite()),
        Attribute::Text(_) | Attribute::Texts(_) => true,
    }
}

fn is_finite_or_nan(attribute: &Attribute) -> bool {
    without_nan(attribute).is_none_or(|kept| is_finite(&kept))
}

/// Checks that the attributes of `variable` can be said in a Zarr document without changing what its values mean.
///
/// # Errors
/// The first that cannot; `path` is for the message.
pub(super) fn check_attributes(
    variable: &Variable,
    dtype: DType,
    path: &Path,
) -> Result<(), ArchiveError> {
    let refuse = |problem: String| {
        Err(ArchiveError::Unsupported {
            path: path.to_owned(),
            variable: variable.name.clone(),
            problem,
        })
    };
    for (name, attribute) in &variable.attributes {
        match name.as_str() {
            "_ARRAY_DIMENSIONS" => {
                return refuse(
                    "has an attribute _ARRAY_DIMENSIONS, by which Zarr names dimensions; rename or delete it with ncatted"
                        .to_owned(),
                );
            }
            "scale_factor" | "add_offset" if !is_finite(attribute) => {
                return refuse(format!(
                    "has {name} {}, which makes every value meaningless; mend it with ncatted",
                    attribute.to_json()
                ));
            }
            "missing_value" if !is_finite_or_nan(attribute) => {
                return refuse(format!(
                    "has missing_value {}, and JSON has no infinity; replace it, and those values, by a _FillValue",
                    attribute.to_json()
                ));
            }
            "_FillValue" if misfit(variable, dtype).is_some() && !is_finite_or_nan(attribute) => {
                return refuse(format!(
                    "has type {dtype} and _FillValue {}, which it cannot hold; mend or delete it with ncatted",
                    attribute.to_json()
                ));
            }
            "_FillValue" if !dtype.is_text() && attribute.number().is_none() => {
                return refuse(format!(
                    "has type {dtype} and _FillValue {}; expected one number; mend it with ncatted",
                    attribute.to_json()
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(dtype: DType, attributes: &[(&str, Attribute)]) -> Value {
        let variable = Variable {
            name: "v".to_owned(),
            kind: VariableType::Number(dtype),
            dimensions: Vec::new(),
            shape: Vec::new(),
            stored_chunks: None,
            attributes: attributes
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
        };
        Value::Object(attributes_of(&variable, dtype))
    }

    fn text(text: &str) -> Attribute {
        Attribute::Text(text.to_owned())
    }

    fn floats(values: &[f64]) -> Attribute {
        Attribute::Numbers(values.iter().copied().map(Number::Float).collect())
    }

    #[test]
    fn missing_texts_are_called_missing_value() {
        let one = [("_FillValue", text("NA")), ("_Encoding", text("latin-1"))];
        assert_eq!(
            attributes(DType::Text(2), &one),
            json!({"missing_value": "NA"})
        );
        let both = [("_FillValue", text("NA")), ("missing_value", text("x"))];
        assert_eq!(
            attributes(DType::Text(2), &both),
            json!({"missing_value": ["NA", "x"]})
        );
    }

    #[test]
    fn a_fill_value_that_no_value_equals_masks_nothing() {
        let fill = ("_FillValue", floats(&[1e37]));
        let missing = ("missing_value", Attribute::Numbers(vec![Number::Int(-1)]));
        let alone = attributes(DType::I16, std::slice::from_ref(&fill));
        assert_eq!(alone, json!({"missing_value": 1e37}));
        let both = attributes(DType::I16, &[missing.clone(), fill]);
        assert_eq!(both, json!({"missing_value": [1e37, -1]}));
        let nan = [("_FillValue", floats(&[f64::NAN])), missing];
        assert_eq!(attributes(DType::I16, &nan), json!({"missing_value": -1}));
        assert_eq!(attributes(DType::I16, &nan[..1]), json!({}));
    }

    #[test]
    fn nan_is_no_missing_value() {
        let nan = floats(&[f64::NAN]);
        let both = [("missing_value", nan.clone()), ("valid_min", nan)];
        assert_eq!(attributes(DType::F32, &both), json!({"valid_min": "NaN"}));
        let some = [("missing_value", floats(&[f64::NAN, 2.0]))];
        assert_eq!(attributes(DType::F64, &some), json!({"missing_value": 2.0}));
    }

    #[test]
    fn fill_values_are_what_xarray_decodes() {
        let nan = [("_FillValue", floats(&[f64::NAN]))];
        assert_eq!(
            attributes(DType::F32, &nan),
            json!({"_FillValue": "AAAAAAAA+H8="})
        );
        let signed = [
            ("_FillValue", Attribute::Numbers(vec![Number::UInt(255)])),
            ("_Unsigned", text("false")),
        ];
        assert_eq!(
            attributes(DType::U8, &signed),
            json!({"_FillValue": -1, "_Unsigned": "false"})
        );
    }
}
