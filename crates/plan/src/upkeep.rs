//! What an array that a store holds says of itself after the transaction: its attributes are its own, but for those that
//! would be wrong then, and those that the file's are to replace.

use std::ops::Range;

use serde_json::{Map, Value, json};

use super::attributes::attributes_of;
use super::draft::StoreRequest;
use super::lacking_steps::{LACKING, tell};
use super::masks::Masks;
use super::new_variable::NewArrayForm;
use super::settings::Task;
use msm_model::{DType, Variable, number_to_json};
use msm_zarr::{StoredArray, Version, document};

/// The attributes with a bearing on what values mean that can be written where a store has none: without them, values meant
/// nothing else.
pub(super) const REPAIRABLE: [&str; 2] = ["units", "positive"];

/// An attribute by which the Python msm-os, of mid-2024, says how long a dimension is, on its coordinate.
const EXPECTED_SIZE: &str = "expected_size";

/// Has another tool lost this attribute, and left null in its place?
pub(super) fn is_spoiled(stored: &StoredArray, attribute: &str) -> bool {
    REPAIRABLE.contains(&attribute) && stored.attributes.get(attribute) == Some(&Value::Null)
}

/// The attributes that `variable` has and `stored` has as null.
#[must_use]
pub fn spoiled<'a>(variable: &'a Variable, stored: &StoredArray) -> Vec<&'a str> {
    let names = variable.attributes.iter().map(|(name, _)| name.as_str());
    names
        .filter(|name| stored.attributes.get(*name) == Some(&Value::Null))
        .collect()
}

/// An array of a store as it is after the transaction.
pub(super) struct ResultingArray<'a> {
    pub stored: &'a StoredArray,
    pub version: Version,
    /// The variable, and the type of the array, if attributes are repaired.
    pub repaired_by: Option<(&'a Variable, DType)>,
    /// The steps that it lacks, if those are others now.
    pub lacking: Option<&'a [Range<u64>]>,
    pub shape: &'a [u64],
}

impl ResultingArray<'_> {
    /// The array's document, and its attributes, if they are others now.
    pub(super) fn document(&self) -> (Value, Option<Map<String, Value>>) {
        let mut document = document::grown_array(&self.stored.document, self.shape);
        let mut attributes = self.stored.attributes.clone();
        if let Some((variable, dtype)) = self.repaired_by {
            self.repair(&mut attributes, &mut document, variable, dtype);
        }
        if let Some(lacking) = self.lacking {
            tell(&mut attributes, lacking);
        }
        if let (Some(size), Some(expected)) =
            (self.shape.first(), attributes.get_mut(EXPECTED_SIZE))
        {
            *expected = json!(size);
        }
        if attributes == self.stored.attributes {
            return (document, None);
        }
        if self.version == Version::V3 {
            document["attributes"] = Value::Object(attributes.clone());
        }
        (document, Some(attributes))
    }

    /// The array as it will be, with values of this type, and its attributes, if they are others now.
    pub(super) fn form(&self, dtype: DType) -> (NewArrayForm, Option<Map<String, Value>>) {
        let (document, attributes) = self.document();
        let stored = self.stored;
        let formed = NewArrayForm {
            document,
            fill: dtype.padded(stored.fill.clone()),
            object: stored.chunk.clone(),
            chunk: stored.inner.as_ref().unwrap_or(&stored.chunk).clone(),
        };
        (formed, attributes)
    }

    /// Writes the attributes of `variable` that the array has not.
    fn repair(
        &self,
        attributes: &mut Map<String, Value>,
        document: &mut Value,
        variable: &Variable,
        dtype: DType,
    ) {
        for (name, value) in lost(variable, self.stored, dtype) {
            if name == "_FillValue" && self.version == Version::V2 {
                // There, readers mask by the array's own field.
                let fill = variable.fill_value().and_then(|fill| dtype.rounded(fill));
                document["fill_value"] = fill.map_or(Value::Null, number_to_json);
            }
            attributes.insert(name, value);
        }
    }
}

/// The attributes of `variable` that `stored`, of this type, has not, or has as null. Those that say which values are missing are
/// none of them wherever the array says so of any, nor where old values may equal them.
fn lost(variable: &Variable, stored: &StoredArray, dtype: DType) -> Vec<(String, Value)> {
    let keeps_masks = !Masks::of_array(stored, dtype).are_unsaid()
        || !Masks::of_variable(variable, dtype).are_no_data(dtype);
    let is_lost = |name: &str| {
        let is_mask = ["_FillValue", "missing_value"].contains(&name);
        let held = stored.attributes.get(name);
        held.is_none_or(Value::is_null) && name != LACKING && !(is_mask && keeps_masks)
    };
    let all = attributes_of(variable, dtype).into_iter();
    all.filter(|(name, _)| is_lost(name)).collect()
}

/// The names of the attributes of `variable` that a repair writes into `stored`.
#[must_use]
pub fn repairs(variable: &Variable, stored: &StoredArray) -> Vec<String> {
    let Ok(dtype) = stored.dtype else {
        return Vec::new();
    };
    let lost = lost(variable, stored, dtype).into_iter();
    lost.map(|(name, _)| name).collect()
}

/// What the names of attributes begin with by which the Python msm-os, of mid-2024, tells the sum of a file's values: its first
/// time follows, or the name of a static variable.
const CHECKSUM: &str = "expected_checksum_";

/// The attributes of the store that tell of values which are overwritten.
#[must_use]
pub fn stale_checksums(request: &StoreRequest, task: &Task) -> Vec<String> {
    let Some(stored) = &request.stored else {
        return Vec::new();
    };
    let attributes = document::attributes(stored.version, &stored.root, stored.group());
    let checksums = attributes.keys().filter(|name| name.starts_with(CHECKSUM));
    // Of what: of times in the order that their digits have, or of variables.
    let of = |name: &str| {
        let of = &name[CHECKSUM.len()..];
        let time = of.replace('T', " ");
        match time.split_once('.') {
            Some((whole, fraction)) if fraction.bytes().all(|b| b == b'0') => whole.to_owned(),
            _ => time,
        }
    };
    let is_time = |of: &str| of.starts_with(|c: char| c.is_ascii_digit());
    let mut stale = Vec::new();
    if request.replaces_projected() {
        // They may be sums of what was reprojected, too.
        stale.extend(checksums.clone().filter(|name| is_time(&of(name))).cloned());
    }
    let replaced = request
        .placed
        .iter()
        .filter(|p| p.stored && task.goal.replaces());
    for place in replaced {
        let step = usize::try_from(place.at)
            .ok()
            .and_then(|at| stored.steps.get(at));
        let Some(step) = step.map(ToString::to_string) else {
            continue;
        };
        // That of the file which the step was in: the last one that does not begin after it.
        let before = checksums.clone().map(|name| (of(name), name));
        let before = before.filter(|(of, _)| is_time(of) && *of <= step);
        stale.extend(before.max().map(|(_, name)| name.clone()));
    }
    if task.goal.rewrites() {
        let is_stale = |name: &&String| request.mains.contains(&of(name));
        stale.extend(checksums.filter(is_stale).cloned());
    }
    stale.sort_unstable();
    stale.dedup();
    stale
}
