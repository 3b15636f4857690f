//! Does a variable fit the array that a store holds of it?

use serde_json::Value;

use super::attributes::attributes_of;
use super::error::PlanError;
use super::masks::{Masking, Masks, masking, shown_mask};
use super::settings::PlanSettings;
use super::target::Derivation;
use super::upkeep::{REPAIRABLE, is_spoiled};
use msm_model::{Attribute, DType, MEANING, Number, TIME, Variable};
use msm_zarr::{StoredArray, document};

/// The attributes that say which values are missing.
const MASKS: [&str; 2] = ["_FillValue", "missing_value"];
/// The attributes that bounds need not say again.
const INHERITED: [&str; 3] = ["units", "calendar", "positive"];
/// What to do about an attribute that the store has not.
const WAY_OUT: &str = "; --repair-attributes writes the file's";

/// Checks that `variable` can extend `stored`: dimensions, sizes but along the append dimension, type, and the
/// attributes that say what the values mean. Times that are `converted` may have other units and another type. What is
/// read as it is may have other missing values: returns how they are written. Bounds have those attributes of the `bounded`
/// variable that they do not say (CF conventions 1.11, §7.1).
///
/// # Errors
/// The first difference, naming `store`.
pub(super) fn conforms(
    store: &str,
    (variable, dtype, form): (&Variable, DType, &Derivation),
    stored: &StoredArray,
    append_dimension: &str,
    settings: &PlanSettings,
    (converted, bounded): (bool, Option<&Variable>),
) -> Result<Option<Masking>, PlanError> {
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
    let masks_as_attributes = converted || dtype.is_text();
    for attribute in MEANING {
        let is_mask = MASKS.contains(&attribute);
        if (converted && TIME.contains(&attribute)) || (is_mask && !masks_as_attributes) {
            continue;
        }
        let (found, held) = (attributes.get(attribute), stored.attributes.get(attribute));
        let mask = attribute == "_FillValue";
        // Packing is each variable's own.
        let bounded = bounded.filter(|_| INHERITED.contains(&attribute));
        let inherited = bounded.and_then(|bounded| bounded.attribute(attribute));
        let inherited = inherited.map(Attribute::to_json);
        let inherited = inherited.as_ref();
        let same = equal(found.or(inherited), held.or(inherited))
            || is_spoiled(stored, attribute)
            || mask && (masks_nan_only(dtype, found, held) || masks_alike(variable, dtype, stored));
        let repairable = held.is_none() && REPAIRABLE.contains(&attribute);
        if !(same || repairable && settings.task.repair_attributes) {
            let shown = |value: Option<&Value>| match value {
                None => "none".to_owned(),
                Some(value) if is_mask => shown_mask(value, dtype),
                Some(value) => value.to_string(),
            };
            return Err(PlanError::Attribute {
                store,
                array,
                attribute: attribute.to_owned(),
                stored: shown(held),
                found: shown(found),
                way_out: if repairable { WAY_OUT } else { "" }.to_owned(),
            });
        }
    }
    let unsaid = Masks::of_array(stored, dtype).are_unsaid()
        && Masks::of_variable(variable, dtype).are_no_data(dtype);
    if masks_as_attributes || (unsaid && settings.task.repair_attributes) {
        return Ok(None);
    }
    let refused = |held: &Masks, found: &Masks| PlanError::Attribute {
        store,
        array,
        attribute: MASKS[0].to_owned(),
        stored: held.shown(dtype),
        found: found.shown(dtype),
        way_out: if unsaid { WAY_OUT } else { "" }.to_owned(),
    };
    match masking(variable, stored, dtype) {
        // Reprojection masks by itself.
        Ok(Some(_)) if *form != Derivation::AsRead => Err(refused(
            &Masks::of_array(stored, dtype),
            &Masks::of_variable(variable, dtype),
        )),
        Ok(masking) => Ok(masking),
        Err((held, found)) => Err(refused(&held, &found)),
    }
}

/// Is the mask of both the same stored value, however it is written? Attributes can say an unsigned one signed.
fn masks_alike(variable: &Variable, dtype: DType, stored: &StoredArray) -> bool {
    let found = variable.fill_value().and_then(|fill| dtype.rounded(fill));
    let held = dtype.numbers(&stored.fill).next();
    stored.attributes.contains_key("_FillValue") && found.is_some() && found == held
}

/// Has one of them no mask, and the other that of NaN, which xarray gives to any float? Readers see the same.
fn masks_nan_only(dtype: DType, found: Option<&Value>, held: Option<&Value>) -> bool {
    let ((None, Some(only)) | (Some(only), None)) = (found, held) else {
        return false;
    };
    dtype.is_float() && *only == document::mask(dtype, Number::Float(f64::NAN))
}

/// Equal as JSON, or as numbers: another writer may have put 1 where we put 1.0.
fn equal(a: Option<&Value>, b: Option<&Value>) -> bool {
    let number = |v: Option<&Value>| v.and_then(Value::as_f64);
    a == b || (number(a).is_some() && number(a) == number(b))
}
