//! What the Python msm-os says of a store in its attributes: which variables it should have, and checksums of their steps. What
//! is not true any more goes. Pure.

use serde_json::{Map, Value};

const CHECKSUM: &str = "expected_checksum_";
const SIZE: &str = "expected_size";
const LISTS: [&str; 2] = ["expected_variables", "expected_coords"];

/// The attributes that are not known to be true without some of the steps: those of steps, by their dates, and the size.
pub(super) fn of_steps(attributes: &Map<String, Value>) -> Vec<String> {
    let is_of_steps = |name: &&String| {
        let date = name.strip_prefix(CHECKSUM);
        let is_dated = date.is_some_and(|date| date.starts_with(|c: char| c.is_ascii_digit()));
        is_dated || *name == SIZE
    };
    attributes.keys().filter(is_of_steps).cloned().collect()
}

/// Those that are not known to be true without the arrays `gone`.
pub(super) fn of_arrays(attributes: &Map<String, Value>, gone: &[String]) -> Vec<String> {
    let names = |list: &Value| list.as_array().cloned().unwrap_or_default();
    let listed = LISTS.iter().filter_map(|list| attributes.get(*list));
    let listed: Vec<Value> = listed.flat_map(names).collect();
    let is_listed = |name: &String| listed.iter().any(|other| other == name);
    if !gone.iter().any(is_listed) {
        return Vec::new();
    }
    let of_arrays = gone.iter().map(|name| format!("{CHECKSUM}{name}"));
    let of_arrays = of_arrays.filter(|name| attributes.contains_key(name));
    of_steps(attributes).into_iter().chain(of_arrays).collect()
}

/// Takes the arrays `gone` out of the lists.
pub(super) fn leave_out(attributes: &mut Map<String, Value>, gone: &[String]) {
    for list in LISTS {
        if let Some(names) = attributes.get_mut(list).and_then(Value::as_array_mut) {
            names.retain(|name| !gone.iter().any(|gone| name == gone));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_true_any_more() {
        let attributes = json!({
            "title": "x", "expected_checksum_1976-07-02T00:00:00.000000000": 1, "expected_checksum_e3t": 2,
            "expected_size": 3, "expected_coords": [], "expected_variables": ["e3t", "projected_e3t"],
        });
        let mut attributes = attributes.as_object().unwrap().clone();
        let dated = "expected_checksum_1976-07-02T00:00:00.000000000";
        assert_eq!(of_steps(&attributes), [dated, SIZE]);
        let gone = ["e3t".to_owned()];
        assert_eq!(
            of_arrays(&attributes, &gone),
            [dated, SIZE, "expected_checksum_e3t"]
        );
        assert_eq!(of_arrays(&attributes, &["other".to_owned()]), [""; 0]);
        leave_out(&mut attributes, &gone);
        assert_eq!(attributes["expected_variables"], json!(["projected_e3t"]));
    }
}
