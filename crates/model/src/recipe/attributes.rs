//! Attributes that name variables or dimensions, when these get other names or are gone (CF conventions 1.12, appendix A).

use std::collections::BTreeMap;

use crate::attribute::Attribute;

/// By what a file calls things, what a store calls them; `None` for what is not there any more.
pub(super) type Renames = BTreeMap<String, Option<String>>;

/// Attributes that name variables, one or more between blanks.
const LISTS: [&str; 12] = [
    "coordinates",
    "bounds",
    "climatology",
    "ancillary_variables",
    "quantization",
    "time_from",
    "nodes",
    "node_coordinates",
    "node_count",
    "part_node_count",
    "interior_ring",
    "geometry",
];
/// Attributes of pairs, `word: variable`.
const PAIRS: [&str; 2] = ["cell_measures", "formula_terms"];

/// The attribute `name` with `value`, where `variables` and `dimensions` are called otherwise; `None` if nothing of it is left.
pub(super) fn followed(
    name: &str,
    value: &Attribute,
    variables: &Renames,
    dimensions: &Renames,
) -> Option<Attribute> {
    let Some(text) = value.text() else {
        return Some(value.clone());
    };
    let new = match name {
        _ if LISTS.contains(&name) => kept(text, |word| new_name(word, variables)),
        "compress" => kept(text, |word| new_name(word, dimensions)),
        _ if PAIRS.contains(&name) => pairs(text, variables),
        "grid_mapping" => mapping(text, variables),
        "cell_methods" => methods(text, dimensions, variables),
        _ => return Some(value.clone()),
    };
    if new == text {
        return Some(value.clone());
    }
    (!new.is_empty()).then_some(Attribute::Text(new))
}

/// What `word` is called in the store; itself if it has its name.
fn new_name(word: &str, renames: &Renames) -> Option<String> {
    match renames.get(word) {
        Some(new) => new.clone(),
        None => Some(word.to_owned()),
    }
}

/// The words of `text` as `new` has them; the same text if it has all of them as they are.
fn kept(text: &str, new: impl Fn(&str) -> Option<String>) -> String {
    let words: Vec<Option<String>> = text.split_whitespace().map(new).collect();
    let same = text.split_whitespace().eq(words.iter().flatten());
    if same {
        return text.to_owned();
    }
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// `area: areacello volume: e3t`: a pair goes with its variable.
fn pairs(text: &str, variables: &Renames) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut new = Vec::new();
    let mut word = None;
    for found in words {
        if found.ends_with(':') {
            word = Some(found);
            continue;
        }
        if let Some(name) = new_name(found, variables) {
            new.extend(word.map(str::to_owned));
            new.push(name);
        }
        word = None;
    }
    let new = new.join(" ");
    if new.split(' ').eq(text.split_whitespace()) {
        text.to_owned()
    } else {
        new
    }
}

/// One variable; or `crs: lat lon other: x y`, each with its coordinates.
fn mapping(text: &str, variables: &Renames) -> String {
    let is_long = text.split_whitespace().any(|word| word.ends_with(':'));
    if !is_long {
        return kept(text, |word| new_name(word, variables));
    }
    let mut is_there = true;
    let mut new = Vec::new();
    for word in text.split_whitespace() {
        match word.strip_suffix(':') {
            Some(mapping) => {
                let name = new_name(mapping, variables);
                is_there = name.is_some();
                new.extend(name.map(|name| format!("{name}:")));
            }
            None if is_there => new.extend(new_name(word, variables)),
            None => {}
        }
    }
    new.join(" ")
}

/// `time: mean (interval: 1 month) area: sum where land`: dimensions and coordinates before colons, but for what is in brackets.
fn methods(text: &str, dimensions: &Renames, variables: &Renames) -> String {
    let mut depth = 0i32;
    let words = text.split(' ').map(|word| {
        let within = depth > 0;
        depth += word.matches('(').count() as i32 - word.matches(')').count() as i32;
        let Some(name) = word.strip_suffix(':').filter(|_| !within) else {
            return word.to_owned();
        };
        // What is gone was still averaged over.
        let new = dimensions.get(name).or_else(|| variables.get(name));
        match new.and_then(Option::as_ref) {
            Some(new) => format!("{new}:"),
            None => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn renames(pairs: &[(&str, Option<&str>)]) -> Renames {
        let pairs = pairs.iter();
        pairs
            .map(|(old, new)| ((*old).to_owned(), new.map(str::to_owned)))
            .collect()
    }

    #[test]
    fn names_follow_wherever_attributes_have_them() {
        let variables = renames(&[
            ("nav_lon", Some("longitude")),
            ("deptht", Some("depth")),
            ("e3t", None),
            ("areacello", Some("area_of_cells")),
            ("crs", Some("mapping")),
        ]);
        let dimensions = renames(&[("deptht", Some("depth")), ("time_counter", Some("time"))]);
        for (name, old, new) in [
            ("coordinates", "nav_lat nav_lon", Some("nav_lat longitude")),
            ("coordinates", "e3t  nav_lat", Some("nav_lat")),
            ("coordinates", "e3t", None),
            // As it was written, if nothing is to be changed.
            ("coordinates", " a  b", Some(" a  b")),
            ("bounds", "deptht", Some("depth")),
            ("climatology", "deptht", Some("depth")),
            ("ancillary_variables", "e3t deptht", Some("depth")),
            (
                "cell_measures",
                "area: areacello",
                Some("area: area_of_cells"),
            ),
            (
                "cell_measures",
                "volume: e3t area: areacello",
                Some("area: area_of_cells"),
            ),
            ("formula_terms", "s: e3t", None),
            ("grid_mapping", "crs", Some("mapping")),
            (
                "grid_mapping",
                "crs: nav_lon y other: x",
                Some("mapping: longitude y other: x"),
            ),
            ("grid_mapping", "e3t: nav_lon crs: x", Some("mapping: x")),
            (
                "cell_methods",
                "time_counter: mean (time_counter: point) deptht: sum",
                Some("time: mean (time_counter: point) depth: sum"),
            ),
            ("compress", "deptht y", Some("depth y")),
            ("long_name", "deptht", Some("deptht")),
        ] {
            let found = followed(
                name,
                &Attribute::Text(old.to_owned()),
                &variables,
                &dimensions,
            );
            assert_eq!(
                found,
                new.map(|new| Attribute::Text(new.to_owned())),
                "{name} {old}"
            );
        }
    }

    proptest! {
        #[test]
        fn renaming_back_gives_the_same(
            words in proptest::collection::vec("[a-e]{1,2}", 0..6),
            attribute in proptest::sample::select(vec![
                "coordinates", "cell_measures", "grid_mapping", "cell_methods", "formula_terms", "compress",
            ]),
        ) {
            let there: BTreeMap<String, Option<String>> = words.iter().map(|w| (w.clone(), Some(format!("{w}_x")))).collect();
            let back = words.iter().map(|w| (format!("{w}_x"), Some(w.clone()))).collect();
            let text = if ["coordinates", "compress"].contains(&attribute) {
                words.join(" ")
            } else {
                words.iter().map(|w| format!("k: {w}")).collect::<Vec<_>>().join(" ")
            };
            let value = Attribute::Text(text);
            let once = followed(attribute, &value, &there, &there);
            let twice = once.and_then(|once| followed(attribute, &once, &back, &back));
            prop_assert_eq!(twice, Some(value));
        }
    }
}
