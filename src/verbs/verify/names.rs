//! What the arrays of a store say of each other: lengths of the dimensions that they share, and names.

use std::collections::BTreeMap;

use msm_zarr::{StoreMetadata, uneven};
use serde_json::Value;

use crate::events::{Event, Fault};

/// Attributes by which readers look for other arrays.
const NAMING: [&str; 2] = ["bounds", "coordinates"];

/// The dimensions of which the arrays of a store have different lengths.
pub(in crate::verbs) fn lengths(known: &StoreMetadata) -> Vec<Fault> {
    let arrays = known.arrays.values().map(|array| {
        let array = &array.stored;
        (
            array.name.as_str(),
            array.dimensions.as_slice(),
            array.shape.as_slice(),
        )
    });
    let faults = uneven(arrays).into_iter();
    faults
        .map(|uneven| Fault::new(&known.store, format!("{uneven}; {}", uneven.way_out())))
        .collect()
}

/// Names that arrays of a store give to others which it does not have. Readers do without them, so it is no fault.
pub(in crate::verbs) fn dangling(known: &StoreMetadata) -> Option<Event> {
    let mut missing: BTreeMap<&str, Vec<(&'static str, String)>> = BTreeMap::new();
    for (name, array) in &known.arrays {
        for attribute in NAMING {
            let words = array.stored.attributes.get(attribute);
            let words = words.and_then(Value::as_str).unwrap_or_default();
            for word in words.split_whitespace() {
                if !is_there(known, name, word) {
                    let by = (attribute, name.clone());
                    missing.entry(word).or_default().push(by);
                }
            }
        }
    }
    let missing = missing.into_iter();
    let missing: Vec<_> = missing.map(|(word, by)| (word.to_owned(), by)).collect();
    (!missing.is_empty()).then(|| Event::Dangling {
        store: known.store.clone(),
        missing,
    })
}

/// Is there an array `word` in the group of the array `by`, or in one around it?
fn is_there(known: &StoreMetadata, by: &str, word: &str) -> bool {
    let ends = by.match_indices('/').map(|(end, _)| end + 1);
    let mut groups = std::iter::once(0).chain(ends).map(|end| &by[..end]);
    groups.any(|group| known.arrays.contains_key(&format!("{group}{word}")))
}
