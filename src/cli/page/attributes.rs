//! What the global attributes of a store say to those who may use it.
//!
//! Key function: [`terms`].

use serde_json::Value;

use crate::cli::open::text_attribute;
use crate::verbs::open::OpenableStore;

/// What readers have to know, and the attributes that say it: the first that is there counts.
const TERMS: [(&str, &[&str]); 8] = [
    ("Licence", &["license", "licence"]),
    ("Citation", &["citation", "how_to_cite"]),
    ("DOI", &["doi", "identifier", "id"]),
    ("References", &["references"]),
    ("Institution", &["institution"]),
    ("Project", &["project"]),
    ("Acknowledgement", &["acknowledgement", "acknowledgment"]),
    ("Contact", &["contact", "creator_email", "creator_name"]),
];

/// Terms of use and who is behind the data, as far as the store says them.
pub(super) fn terms(store: &OpenableStore) -> Vec<(&'static str, String)> {
    let said = |names: &[&str]| names.iter().find_map(|name| text_attribute(store, name));
    let terms = TERMS.iter();
    terms
        .filter_map(|(term, names)| Some((*term, said(names)?)))
        .collect()
}

/// All global attributes, in the order of their names.
pub(super) fn all(store: &OpenableStore) -> Vec<(&str, String)> {
    let metadata = store.metadata.as_ref();
    let attributes = metadata.into_iter().flat_map(|found| &found.attributes);
    let mut all: Vec<(&str, String)> = attributes
        .map(|(name, value)| (name.as_str(), shown(value)))
        .collect();
    all.sort_unstable();
    all
}

/// What an array means, and its units.
pub(super) fn meaning(store: &OpenableStore, array: &str) -> [String; 2] {
    let metadata = store.metadata.as_ref();
    let attributes = metadata.and_then(|found| found.arrays.get(array));
    let text = |name: &str| {
        let value = attributes.and_then(|attributes| attributes.get(name));
        value.and_then(Value::as_str).map(str::to_owned)
    };
    [text("long_name").or(text("standard_name")), text("units")].map(Option::unwrap_or_default)
}

fn shown(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
