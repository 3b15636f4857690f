//! The section of a variable.

use std::collections::BTreeMap;

use msm_model::{Attribute, LinearConversion, Number, VariableRecipe};
use msm_zarr::Codec;

use super::sections::{attributes, section};
use super::table::{Item, RecipeText};

/// Its keys.
const KEYS: [&str; 10] = [
    "name",
    "attributes",
    "remove_attributes",
    "factor",
    "offset",
    "inexact",
    "keep_bits",
    "chunks",
    "shards",
    "codec",
];

/// Attributes that say what stored values mean, or that this program writes, each with what to do.
const RESERVED: [(&str, &str); 9] = [
    ("_FillValue", "it says which stored values are missing"),
    ("missing_value", "it says which stored values are missing"),
    ("scale_factor", "it says what stored values mean"),
    ("add_offset", "it says what stored values mean"),
    ("_Unsigned", "it says what stored values mean"),
    ("_Encoding", "it says how stored texts are read"),
    ("_ARRAY_DIMENSIONS", "Zarr names dimensions by it"),
    ("steps_never_sent", "msm-os writes it"),
    ("time_from", "msm-os writes it, with --time-from"),
];

/// Attributes that are texts in CF (appendix A).
const TEXTS: [&str; 13] = [
    "ancillary_variables",
    "bounds",
    "calendar",
    "cell_measures",
    "cell_methods",
    "climatology",
    "coordinates",
    "formula_terms",
    "grid_mapping",
    "long_name",
    "quantization",
    "standard_name",
    "units",
];

/// What the section `item` says, if it is one.
pub(super) fn variable_recipe(source: &RecipeText<'_>, item: &Item<'_>) -> Option<VariableRecipe> {
    let table = source.table(item, "a section, [variables.NAME], or { key = value, … }")?;
    let mut recipe = VariableRecipe::default();
    recipe.lines.insert(String::new(), source.line(item));
    let (mut factor, mut offset, mut inexact) = (None, None, None);
    for item in source.items(table) {
        recipe.lines.insert(item.key.to_owned(), source.line(&item));
        let array = &mut recipe.array;
        match item.key {
            "name" => recipe.name = source.name(&item, "the name that the variable gets"),
            "attributes" => {
                array.attributes = attributes(source, &item);
                for attribute in section(source, &item) {
                    check_reserved(source, &attribute, attribute.key);
                    check_naming(source, &attribute, &array.attributes);
                }
            }
            "remove_attributes" => {
                let names = source.texts(&item, "a list of names of attributes");
                for (name, _) in &names {
                    check_reserved(source, &item, name);
                }
                array.removed_attributes = names.into_iter().map(|(name, _)| name).collect();
            }
            "factor" => {
                factor = source.number(&item);
                if factor == Some(0.0) {
                    source.wrong(
                        &item.value.span(),
                        "factor: 0 would make all values the same".to_owned(),
                    );
                }
            }
            "offset" => offset = source.number(&item),
            "inexact" => inexact = source.boolean(&item),
            "keep_bits" => {
                let bits = source.whole(&item, 1, 52);
                array.keep_bits = bits.and_then(|bits| u32::try_from(bits).ok());
            }
            "chunks" => array.chunks = sizes(source, &item),
            "shards" => array.shards = sizes(source, &item),
            "codec" => array.codec = codec(source, &item),
            _ => source.unknown(&item, "of a variable", &KEYS),
        }
    }
    let span = item.key_span();
    let array = &mut recipe.array;
    if factor.is_some() || offset.is_some() {
        array.conversion = Some(LinearConversion {
            factor: Number::Float(factor.unwrap_or(1.0)),
            offset: Number::Float(offset.unwrap_or(0.0)),
            inexact: inexact.unwrap_or(false),
        });
    } else if inexact.is_some() {
        let problem = format!(
            "{}: inexact is of a factor and an offset, and there is none",
            item.key
        );
        source.wrong(&span, problem);
    }
    for name in &array.removed_attributes {
        if array.attributes.contains_key(name) {
            let problem = format!("{}: attribute '{name}' is given and removed", item.key);
            source.wrong(&span, problem);
        }
    }
    let written = ["quantization", "quantization_nsb"].into_iter();
    for name in written.filter(|name| array.attributes.contains_key(*name)) {
        if array.keep_bits.is_some() {
            let problem = format!(
                "{}: keep_bits writes the attribute '{name}' itself",
                item.key
            );
            source.wrong(&span, problem);
        }
    }
    Some(recipe)
}

/// Notes if an attribute is not the user's to change.
fn check_reserved(source: &RecipeText<'_>, item: &Item<'_>, name: &str) {
    if let Some((_, why)) = RESERVED.iter().find(|(reserved, _)| *reserved == name) {
        source.wrong(
            &item.key_span(),
            format!("attribute '{name}' cannot be changed by a recipe: {why}"),
        );
    }
}

/// Attributes that name variables, or tell what a variable is, are texts: readers take them apart.
fn check_naming(
    source: &RecipeText<'_>,
    item: &Item<'_>,
    attributes: &BTreeMap<String, Attribute>,
) {
    let is_text = |attribute: &Attribute| attribute.text().is_some();
    if TEXTS.contains(&item.key) && !attributes.get(item.key).is_none_or(is_text) {
        let problem = format!("attribute '{}': expected a text", item.key);
        source.wrong(&item.value.span(), problem);
    }
}

/// Sizes by dimension.
fn sizes(source: &RecipeText<'_>, item: &Item<'_>) -> BTreeMap<String, u64> {
    let items = section(source, item).into_iter();
    items
        .filter_map(|item| Some((item.key.to_owned(), source.whole(&item, 1, u64::MAX)?)))
        .collect()
}

/// The compressor, in its one spelling.
fn codec(source: &RecipeText<'_>, item: &Item<'_>) -> Option<String> {
    let text = source.text(item, "a codec, such as \"zstd:5\"")?;
    match text.parse::<Codec>() {
        Ok(codec) => Some(codec.to_string()),
        Err(cause) => {
            source.wrong(&item.value.span(), cause.to_string());
            None
        }
    }
}
