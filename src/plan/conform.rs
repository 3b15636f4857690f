//! Does a variable fit the array that a store holds of it?

use serde_json::Value;

use super::attributes::attributes_of;
use super::error::PlanError;
use crate::source::{DType, MEANING, Number, TIME, Variable};
use crate::store::{StoredArray, document};

/// Checks that `variable` can extend `stored`: dimensions, sizes but along the append dimension, type, and the
/// attributes that say what the values mean. Times that are `converted` may have other units and another type.
///
/// # Errors
/// The first difference, naming `store`.
pub(super) fn conforms(
    store: &str,
    variable: &Variable,
    dtype: DType,
    stored: &StoredArray,
    append_dimension: &str,
    converted: bool,
) -> Result<(), PlanError> {
    let (store, array) = (store.to_owned(), variable.name.clone());
    if variable.dimensions != stored.dimensions {
        return Err(PlanError::Dimensions {
            store,
            array,
            stored: format!("{:?}", stored.dimensions),
            found: format!("{:?}", variable.dimensions),
        });
    }
    for (d, dimension) in variable.dimensions.iter().enumerate() {
        if dimension != append_dimension && variable.shape[d] != stored.shape[d] {
            return Err(PlanError::DimensionSize {
                store,
                array,
                dimension: dimension.clone(),
                stored: stored.shape[d],
                found: variable.shape[d],
            });
        }
    }
    let fits = |stored: &DType| converted || stored.widest(dtype).is_some();
    if !stored.dtype.as_ref().is_ok_and(fits) {
        return Err(PlanError::Type {
            store,
            array,
            stored: stored
                .dtype
                .as_ref()
                .map_or_else(Clone::clone, ToString::to_string),
            found: dtype.to_string(),
        });
    }
    let attributes = attributes_of(variable, dtype);
    for attribute in MEANING {
        if converted && TIME.contains(&attribute) {
            continue;
        }
        let (found, held) = (attributes.get(attribute), stored.attributes.get(attribute));
        let mask = attribute == "_FillValue";
        let same = equal(found, held)
            || mask && (masks_nan_only(dtype, found, held) || masks_alike(variable, dtype, stored));
        if !same {
            let shown =
                |value: Option<&Value>| value.map_or_else(|| "none".to_owned(), Value::to_string);
            return Err(PlanError::Attribute {
                store,
                array,
                attribute: attribute.to_owned(),
                stored: shown(held),
                found: shown(found),
            });
        }
    }
    Ok(())
}

/// Is the mask of both the same stored value, however it is written? Attributes can say an unsigned one signed.
fn masks_alike(variable: &Variable, dtype: DType, stored: &StoredArray) -> bool {
    let found = variable.fill_value().and_then(|fill| dtype.rounded(fill));
    let held = dtype.numbers(&stored.fill).next();
    stored.attributes.contains_key("_FillValue") && found.is_some() && found == held
}

/// Has the file no mask, and the store that of NaN, which xarray gives to any float? Readers see the same.
fn masks_nan_only(dtype: DType, found: Option<&Value>, held: Option<&Value>) -> bool {
    found.is_none()
        && dtype.is_float()
        && held == Some(&document::mask(dtype, Number::Float(f64::NAN)))
}

/// Equal as JSON, or as numbers: another writer may have put 1 where we put 1.0.
fn equal(a: Option<&Value>, b: Option<&Value>) -> bool {
    let number = |v: Option<&Value>| v.and_then(Value::as_f64);
    a == b || (number(a).is_some() && number(a) == number(b))
}
