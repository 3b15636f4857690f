//! Which values stand for missing ones, in the files and in a store that may say it otherwise; and how the files' are written
//! so that the store's readers see them missing, and no others. After xarray 2026.9, `xarray.coding.variables`: what
//! `_FillValue` and `missing_value` name is missing, and so is NaN.
//!
//! Key types: [`Masks`], the values; [`Masking`], what becomes of the files'.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::PlanError;
use msm_model::{Attribute, DType, Number, Variable, VariableType, default_fill};
use msm_zarr::StoredArray;

/// No physical quantity has values from here on; fill values are 1e20 and the like.
const LARGEST_DATA: f64 = 1e15;

/// How missing values of the files are written into an array that has others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Masking {
    /// The values that stand for missing ones in the files, and not in the store: their bytes.
    from: Vec<Vec<u8>>,
    /// The value that stands for them in the store.
    to: Vec<u8>,
    /// The values that stand for missing ones in the store, but in the files are data like others.
    reserved: Vec<Vec<u8>>,
}

/// The values that stand for missing ones, as bytes, but for NaN.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Masks {
    values: Vec<Vec<u8>>,
    /// Does the array, or the variable, say so of any, be it NaN?
    said: bool,
}

impl Masks {
    /// Those of `variable`.
    pub(super) fn of_variable(variable: &Variable, dtype: DType) -> Self {
        let mut masks = Self::default();
        for name in ["_FillValue", "missing_value"] {
            let Some(Attribute::Numbers(numbers)) = variable.attribute(name) else {
                continue;
            };
            let held = numbers.iter().filter_map(|n| dtype.rounded(*n));
            masks.add(dtype, held.filter_map(|n| dtype.bytes_of(n)));
        }
        masks
    }

    /// Those that the attributes of `stored` name.
    pub(super) fn of_array(stored: &StoredArray, dtype: DType) -> Self {
        let mut masks = Self::default();
        for name in ["_FillValue", "missing_value"] {
            let values = match stored.attributes.get(name) {
                None | Some(Value::Null) => continue,
                Some(Value::Array(values)) => &values[..],
                Some(value) => std::slice::from_ref(value),
            };
            let turned = is_turned(stored);
            masks.add(dtype, values.iter().filter_map(|v| bytes(v, dtype, turned)));
        }
        masks
    }

    fn add(&mut self, dtype: DType, values: impl Iterator<Item = Vec<u8>>) {
        for value in values {
            self.said = true;
            if !is_nan(&value, dtype) && !self.values.contains(&value) {
                self.values.push(value);
            }
        }
    }

    /// Is no value said to be missing?
    pub(super) fn are_unsaid(&self) -> bool {
        !self.said
    }

    /// Are they all values that no data have, so that an array which names none may be told of them?
    pub(super) fn are_no_data(&self, dtype: DType) -> bool {
        self.values.iter().all(|value| {
            let number = dtype.numbers(value).next();
            number.is_some_and(|number| {
                number.as_f64().abs() >= LARGEST_DATA && dtype.is_float()
                    || Some(number) == default_fill(dtype)
            })
        })
    }

    /// Do they hold this value, which is given by its bytes?
    pub(super) fn have(&self, value: &[u8]) -> bool {
        self.values.iter().any(|own| own == value)
    }

    /// How they are shown to the user.
    pub(super) fn shown(&self, dtype: DType) -> String {
        let shown = self.values.iter().map(|value| shown(value, dtype));
        let mut shown: Vec<String> = shown.collect();
        if self.said && shown.is_empty() {
            shown.push("NaN".to_owned());
        }
        if shown.is_empty() {
            "none".to_owned()
        } else {
            shown.join(", ")
        }
    }
}

/// What becomes of the values of `variable` in the array `stored`, both of this type; nothing if both say the same.
///
/// # Errors
/// The masks of the store and of the files, if no value of the store stands for missing ones.
pub(super) fn masking(
    variable: &Variable,
    stored: &StoredArray,
    dtype: DType,
) -> Result<Option<Masking>, (Masks, Masks)> {
    let (held, found) = (
        held_masks(variable, stored, dtype),
        Masks::of_variable(variable, dtype),
    );
    let beyond = |these: &Masks, those: &Masks| {
        let values = these.values.iter().filter(|value| !those.have(value));
        values.cloned().collect::<Vec<_>>()
    };
    let [mut from, mut reserved] = [beyond(&found, &held), beyond(&held, &found)];
    // To readers, the two zeros are one.
    for values in [&mut from, &mut reserved] {
        let zeros = [0.0, -0.0].map(|zero| dtype.bytes_of(Number::Float(zero)));
        if let [Some(plus), Some(minus)] = zeros
            && (values.contains(&plus) || values.contains(&minus))
        {
            values.retain(|value| *value != plus && *value != minus);
            values.push(plus.clone());
            if plus != minus {
                values.push(minus);
            }
        }
    }
    if from.is_empty() && reserved.is_empty() {
        return Ok(None);
    }
    let fill = stored.attributes.get("_FillValue");
    let to = fill.and_then(|value| bytes(value, dtype, is_turned(stored)));
    let to = to.or_else(|| dtype.bytes_of(Number::Float(f64::NAN)));
    match to.or_else(|| held.values.first().cloned()) {
        Some(to) => Ok(Some(Masking { from, to, reserved })),
        None if from.is_empty() => Ok(None),
        None => Err((held, found)),
    }
}

/// The values that stand for missing ones in `stored`, as bytes, but for NaN. Where it names none, Zarr's own fill value is taken for one
/// if somebody has chosen it.
#[must_use]
pub fn missing_values(stored: &StoredArray) -> Vec<Vec<u8>> {
    let Ok(dtype) = stored.dtype else {
        return Vec::new();
    };
    let mut masks = Masks::of_array(stored, dtype);
    if masks.are_unsaid() && stored.fill.iter().any(|&byte| byte != 0) {
        masks.add(dtype, std::iter::once(stored.fill.clone()));
    }
    masks.values
}

/// Does `stored` name no value as missing, as far as `variable` tells?
fn is_unmasked(variable: &Variable, stored: &StoredArray) -> bool {
    let dtype = stored.dtype.as_ref();
    dtype.is_ok_and(|&dtype| held_masks(variable, stored, dtype).are_unsaid())
}

/// Missing values that a store has otherwise than the files.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum MaskingNote {
    /// They are written as others.
    Rewritten {
        /// The variable.
        variable: String,
        /// Those of the files.
        from: String,
        /// What is written.
        to: String,
        /// Does the store say of no value that it is missing?
        is_unmasked: bool,
    },
    /// Values are missing in the store that may not be data of the files.
    Reserved {
        /// The values.
        values: String,
        /// The variable.
        variable: String,
    },
}

/// How the store has missing values of `variable` otherwise than the files, if it has.
#[must_use]
pub fn masking_note(variable: &Variable, stored: &StoredArray) -> Option<MaskingNote> {
    let (VariableType::Number(dtype), Ok(held)) = (&variable.kind, &stored.dtype) else {
        return None;
    };
    let masking = (dtype == held).then(|| masking(variable, stored, *dtype));
    let masking = masking?.ok().flatten()?;
    let all = |values: &[Vec<u8>]| {
        let shown = values.iter().map(|value| shown(value, *dtype));
        let shown: Vec<String> = shown.filter(|value| value != "-0.0").collect();
        shown.join(", ")
    };
    let variable_name = variable.name.clone();
    Some(if masking.from.is_empty() {
        MaskingNote::Reserved {
            values: all(&masking.reserved),
            variable: variable_name,
        }
    } else {
        MaskingNote::Rewritten {
            variable: variable_name,
            from: all(&masking.from),
            to: shown(&masking.to, *dtype),
            is_unmasked: is_unmasked(variable, stored),
        }
    })
}

/// The masks of `stored`. Some tools name the files' fill value in Zarr's own field only, which not all readers heed; 0 stands there
/// where none was named.
pub(super) fn held_masks(variable: &Variable, stored: &StoredArray, dtype: DType) -> Masks {
    let mut held = Masks::of_array(stored, dtype);
    let is_named = stored.document["zarr_format"] == 3 && stored.fill.iter().any(|&byte| byte != 0);
    if held.are_unsaid() && is_named && Masks::of_variable(variable, dtype).have(&stored.fill) {
        held.add(dtype, std::iter::once(stored.fill.clone()));
    }
    held
}

impl Masking {
    /// Writes the missing ones among `values` as the store does.
    ///
    /// # Errors
    /// The index of a value that is data in the files, and would be missing in the store.
    pub fn apply(&self, values: &mut [u8]) -> Result<(), usize> {
        for (index, value) in values.chunks_exact_mut(self.to.len()).enumerate() {
            if self.from.iter().any(|from| from == value) {
                value.copy_from_slice(&self.to);
            } else if self.reserved.iter().any(|reserved| reserved == value) {
                return Err(index);
            }
        }
        Ok(())
    }
}

/// A value as a person would write it: 1e20, not all digits of the nearest float.
#[allow(clippy::cast_possible_truncation)]
fn shown(value: &[u8], dtype: DType) -> String {
    let number = dtype.numbers(value).next();
    match (number, dtype) {
        (Some(Number::Float(float)), DType::F32) => format!("{:?}", float as f32),
        (Some(Number::Float(float)), _) => format!("{float:?}"),
        (Some(number), _) => number.to_string(),
        (None, _) => String::new(),
    }
}

/// A mask of a Zarr document as a person would write it.
pub(super) fn shown_mask(value: &Value, dtype: DType) -> String {
    let bytes = bytes(value, dtype, false);
    bytes.map_or_else(|| value.to_string(), |bytes| shown(&bytes, dtype))
}

fn is_nan(value: &[u8], dtype: DType) -> bool {
    let mut numbers = dtype.numbers(value);
    numbers
        .next()
        .is_some_and(|number| number.as_f64().is_nan())
}

/// Are the values of `stored` read with the other sign?
fn is_turned(stored: &StoredArray) -> bool {
    stored.attributes.contains_key("_Unsigned")
}

/// The bytes of the value that the attribute `_FillValue` of `stored`, of this type, names, if it is one.
pub(super) fn mask_bytes(stored: &StoredArray, dtype: DType) -> Option<Vec<u8>> {
    bytes(
        stored.attributes.get("_FillValue")?,
        dtype,
        is_turned(stored),
    )
}

/// The bytes of a number in a Zarr document, if the type can hold it: also the base64 of a float64, a name of what JSON has no
/// number for, and, where signs are `turned`, an unsigned number for a signed one.
fn bytes(value: &Value, dtype: DType, turned: bool) -> Option<Vec<u8>> {
    let number = match value {
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => Number::Int(int),
            (None, Some(int)) => Number::UInt(int),
            (None, None) => Number::Float(number.as_f64()?),
        },
        Value::String(text) => Number::Float(match text.as_str() {
            "NaN" => f64::NAN,
            "Infinity" => f64::INFINITY,
            "-Infinity" => f64::NEG_INFINITY,
            text => {
                let bytes = BASE64.decode(text.as_bytes()).ok()?;
                f64::from_le_bytes(bytes.try_into().ok()?)
            }
        }),
        _ => return None,
    };
    let rounded = dtype.rounded(number).and_then(|n| dtype.bytes_of(n));
    rounded.or_else(|| {
        let int = match number {
            Number::Int(int) => int.to_le_bytes(),
            Number::UInt(int) => int.to_le_bytes(),
            Number::Float(_) => return None,
        };
        let twin = dtype.with_other_sign().filter(|_| turned)?;
        twin.rounded(number)?;
        Some(int[..dtype.size()].to_vec())
    })
}

/// `variable` with a mask, for an array of this type that is new to the store called `store` and does not get all its steps:
/// NaN, or the value that NetCDF has for what was never written, which the files then may not hold. `None` if it has one, or is
/// of texts.
///
/// # Errors
/// If there is no such value for its type.
pub(super) fn mask_unsent(
    store: &str,
    variable: &Variable,
    dtype: DType,
) -> Result<Option<(Variable, Masking)>, PlanError> {
    if dtype.is_text() || !Masks::of_variable(variable, dtype).are_unsaid() {
        return Ok(None);
    }
    let mask = if dtype.is_float() {
        Some(Number::Float(f64::NAN))
    } else {
        default_fill(dtype)
    };
    let Some((mask, bytes)) = mask.and_then(|mask| Some((mask, dtype.bytes_of(mask)?))) else {
        return Err(PlanError::Unmasked {
            store: store.to_owned(),
            array: variable.name.clone(),
            dtype: dtype.to_string(),
        });
    };
    let mut masked = variable.clone();
    let attribute = Attribute::Numbers(vec![mask]);
    masked.attributes.push(("_FillValue".to_owned(), attribute));
    let masking = Masking {
        from: Vec::new(),
        to: bytes.clone(),
        reserved: if dtype.is_float() {
            Vec::new()
        } else {
            vec![bytes]
        },
    };
    Ok(Some((masked, masking)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;

    fn variable(dtype: DType, fill: Option<f64>) -> Variable {
        let fill = fill.map(|fill| Attribute::Numbers(vec![Number::Float(fill)]));
        Variable {
            name: "v".to_owned(),
            kind: VariableType::Number(dtype),
            dimensions: Vec::new(),
            shape: Vec::new(),
            stored_chunks: None,
            attributes: fill
                .map(|fill| ("_FillValue".to_owned(), fill))
                .into_iter()
                .collect(),
        }
    }

    fn array(dtype: DType, format: u64, fill: f64, attributes: &Value) -> StoredArray {
        StoredArray {
            name: "v".to_owned(),
            document: json!({"zarr_format": format}),
            dtype: Ok(dtype),
            fill: dtype.bytes_of(Number::Float(fill)).unwrap(),
            shape: Vec::new(),
            chunk: Vec::new(),
            inner: None,
            dimensions: Vec::new(),
            attributes: attributes.as_object().cloned().unwrap_or_else(Map::new),
        }
    }

    /// What becomes of a file's values in an array: none if they stay as they are; the place of one that cannot be written.
    fn written(file: Option<f64>, array: &StoredArray, values: &[f32]) -> Result<Vec<f32>, usize> {
        let mut bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let masking = masking(&variable(DType::F32, file), array, DType::F32).unwrap();
        if let Some(masking) = masking {
            masking.apply(&mut bytes)?;
        }
        let numbers = DType::F32.numbers(&bytes);
        Ok(numbers.map(|n| n.as_f64() as f32).collect())
    }

    #[test]
    fn missing_values_are_written_as_the_store_says_them() {
        let nan = array(
            DType::F32,
            3,
            f64::NAN,
            &json!({"_FillValue": "AAAAAAAA+H8="}),
        );
        let found = written(Some(1e20), &nan, &[1.0, 1e20]).unwrap();
        assert!(found[0] == 1.0 && found[1].is_nan());
        let same = array(DType::F32, 2, 1e20, &json!({"_FillValue": 1e20}));
        assert_eq!(
            written(Some(1e20), &same, &[1.0, 1e20]),
            Ok(vec![1.0, 1e20])
        );
        // Readers take both zeros for the mask.
        let zero = array(DType::F32, 2, 0.0, &json!({"_FillValue": 0}));
        assert_eq!(written(Some(1e20), &zero, &[1.0, 1e20]), Ok(vec![1.0, 0.0]));
        for data in [0.0, -0.0] {
            assert_eq!(written(Some(1e20), &zero, &[1.0, data]), Err(1));
        }
    }

    #[test]
    fn zarrs_own_field_counts_where_it_was_named() {
        let named = array(DType::F32, 3, 1e20, &json!({}));
        assert_eq!(written(Some(1e20), &named, &[1e20]), Ok(vec![1e20]));
        // No fill value, and 0 for none: nothing stands for missing ones but NaN.
        for format in [2, 3] {
            let none = array(DType::F32, format, 0.0, &json!({}));
            assert!(written(Some(0.0), &none, &[0.0]).unwrap()[0].is_nan());
            let none = array(DType::I32, format, 0.0, &json!({}));
            assert!(masking(&variable(DType::I32, Some(0.0)), &none, DType::I32).is_err());
        }
    }

    #[test]
    fn signs_are_turned_only_where_they_are_read_so() {
        let mask = json!({"_FillValue": -1});
        let read_so = json!({"_FillValue": -1, "_Unsigned": "false"});
        let masks = |attributes| Masks::of_array(&array(DType::U8, 3, 0.0, attributes), DType::U8);
        assert!(masks(&mask).are_unsaid());
        assert!(masks(&read_so).have(&[255]));
    }

    #[test]
    fn only_what_no_data_have_is_written_into_an_array_without_a_mask() {
        for (dtype, fill, expected) in [
            (DType::F32, 1e20, true),
            (DType::F64, -9999.0, false),
            (DType::I32, 0.0, false),
            (DType::I32, -2_147_483_647.0, true),
        ] {
            let masks = Masks::of_variable(&variable(dtype, Some(fill)), dtype);
            assert_eq!(masks.are_no_data(dtype), expected, "{dtype} {fill}");
        }
    }
}
