//! A file as a recipe makes it.

use super::*;
use crate::catalogue::Catalogue;
use crate::dtype::DType;
use crate::variable::{Variable, VariableType};

fn text(text: &str) -> Attribute {
    Attribute::Text(text.to_owned())
}

fn variable(name: &str, dimensions: &[&str], attributes: &[(&str, &str)]) -> Variable {
    Variable {
        name: name.to_owned(),
        kind: VariableType::Number(DType::F32),
        dimensions: dimensions.iter().map(|d| (*d).to_owned()).collect(),
        shape: vec![2; dimensions.len()],
        stored_chunks: None,
        attributes: attributes
            .iter()
            .map(|(name, value)| ((*name).to_owned(), text(value)))
            .collect(),
    }
}

fn file() -> Catalogue {
    let four = ["t", "z", "y", "x"];
    Catalogue {
        path: "a.nc".into(),
        dimensions: four.map(|d| (d.to_owned(), 2)).to_vec(),
        variables: vec![
            variable(
                "temp",
                &four,
                &[
                    ("units", "K"),
                    ("coordinates", "z lon lat"),
                    ("cell_measures", "volume: e3t"),
                ],
            ),
            variable("t", &["t"], &[("units", "days since 1900-01-01")]),
            variable("z", &["z"], &[("bounds", "z_bounds"), ("units", "m")]),
            variable("z_bounds", &["z", "x"], &[]),
            variable("lon", &["y", "x"], &[("units", "degrees_east")]),
            variable("lat", &["y", "x"], &[("units", "degrees_north")]),
            variable("e3t", &four, &[("units", "m"), ("quantization", "q")]),
            variable("packed", &four, &[("scale_factor", "0.1")]),
        ],
        attributes: vec![
            ("title".to_owned(), text("old")),
            ("history".to_owned(), text("long")),
        ],
        ..Catalogue::default()
    }
}

fn section(line: u32, edit: impl Fn(&mut VariableRecipe)) -> VariableRecipe {
    let mut section = VariableRecipe::default();
    section.lines.insert(String::new(), line);
    edit(&mut section);
    section
}

fn recipe(variables: &[(&str, VariableRecipe)]) -> Recipe {
    Recipe {
        path: "r.toml".into(),
        variables: variables
            .iter()
            .map(|(name, section)| ((*name).to_owned(), section.clone()))
            .collect(),
        ..Recipe::default()
    }
}

fn conversion(factor: f64, offset: f64, inexact: bool) -> LinearConversion {
    LinearConversion {
        factor: Number::Float(factor),
        offset: Number::Float(offset),
        inexact,
    }
}

fn said(recipe: &Recipe) -> String {
    let made = file().with_recipe(recipe, "t");
    made.map_or_else(|problem| problem.to_string(), |_| "nothing".to_owned())
}

#[test]
fn names_are_the_stores_and_values_are_read_by_the_files() {
    let mut recipe = recipe(&[
        (
            "temp",
            section(1, |s| {
                s.name = Some("thetao".to_owned());
                s.array.conversion = Some(conversion(1.0, -273.15, true));
                s.array.keep_bits = Some(9);
                s.array.attributes.insert("units".to_owned(), text("degC"));
            }),
        ),
        ("lon", section(2, |s| s.name = Some("longitude".to_owned()))),
    ]);
    recipe
        .dimensions
        .insert("z".to_owned(), ("depth".to_owned(), 3));
    recipe.dropped.insert("e3t".to_owned(), 4);
    recipe.removed_attributes.insert("history".to_owned(), 5);
    recipe.attributes.insert("title".to_owned(), text("new"));
    let made = file().with_recipe(&recipe, "t").unwrap();
    let names: Vec<&str> = made.variables.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "thetao",
            "t",
            "depth",
            "z_bounds",
            "longitude",
            "lat",
            "packed"
        ]
    );
    let of =
        |name: &str, attribute: &str| made.variable(name).unwrap().attribute(attribute).cloned();
    assert_eq!(
        of("thetao", "coordinates"),
        Some(text("depth longitude lat"))
    );
    assert_eq!(of("thetao", "cell_measures"), None);
    assert_eq!(of("thetao", "units"), Some(text("degC")));
    assert_eq!(of("thetao", "quantization"), Some(text(QUANTIZATION)));
    assert_eq!(
        of("thetao", "quantization_nsb").unwrap().number(),
        Some(Number::Int(9))
    );
    assert_eq!(
        made.variable("z_bounds").unwrap().dimensions,
        ["depth", "x"]
    );
    assert_eq!(made.attributes, [("title".to_owned(), text("new"))]);
    let in_file = ["thetao", "depth", "longitude", "lat"].map(|name| made.name_in_file(name));
    assert_eq!(in_file, ["temp", "z", "lon", "lat"]);
    assert_eq!(
        made.recipe_of("thetao").unwrap().file_units.as_deref(),
        Some("K")
    );
    let unknown = made.unknown_variable("temp").to_string();
    assert!(
        unknown.contains("what the file calls 'temp', the store calls 'thetao'"),
        "{unknown}"
    );
    // Two names may change places.
    let swapped = self::recipe(&[
        ("lon", section(1, |s| s.name = Some("lat".to_owned()))),
        ("lat", section(2, |s| s.name = Some("lon".to_owned()))),
    ]);
    let made = file().with_recipe(&swapped, "t").unwrap();
    assert_eq!(made.name_in_file("lon"), "lat");
    let coordinates = made
        .variable("temp")
        .unwrap()
        .attribute("coordinates")
        .cloned();
    assert_eq!(coordinates, Some(text("z lat lon")));
}

#[test]
fn names_that_clash_are_told_with_their_line() {
    let named =
        |old: &str, new: &str| recipe(&[(old, section(7, |s| s.name = Some(new.to_owned())))]);
    for (recipe, words) in [
        (named("temp", "lat"), ["line 7", "'temp' and 'lat'", "both"]),
        (
            named("z", "depth"),
            ["line 7", "[dimensions]", "z = \"depth\""],
        ),
        (
            named("temp", "x"),
            ["line 7", "name of the dimension 'x'", "'temp'"],
        ),
    ] {
        let said = said(&recipe);
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
    }
    let mut dimensions = recipe(&[]);
    dimensions
        .dimensions
        .insert("z".to_owned(), ("y".to_owned(), 8));
    assert!(
        said(&dimensions).contains("line 8: the dimensions 'z' and 'y'"),
        "{}",
        said(&dimensions)
    );
    dimensions
        .dimensions
        .insert("y".to_owned(), ("z".to_owned(), 9));
    // They change places, but z is no coordinate of what was y.
    assert_eq!(said(&dimensions), "nothing");
}

#[test]
fn what_cannot_be_changed_is_told() {
    let changed = |name: &str, edit: &dyn Fn(&mut ArrayRecipe)| {
        said(&recipe(&[(name, section(7, |s| edit(&mut s.array)))]))
    };
    let units = |array: &mut ArrayRecipe| {
        array.attributes.insert("units".to_owned(), text("1"));
    };
    for (name, factor, offset, inexact, gives_units, word) in [
        ("temp", 1.0, -273.15, false, true, "inexact = true"),
        ("temp", 3.0, 0.0, false, true, "power of two"),
        ("temp", 1.0, -273.15, true, false, "has units"),
        ("temp", 0.25, 0.0, false, true, "nothing"),
        ("packed", 2.0, 0.0, false, true, "is packed"),
        ("t", 2.0, 0.0, false, true, "may tell steps apart"),
        ("lon", 2.0, 0.0, false, true, "where cells are"),
        ("z", 2.0, 0.0, false, true, "bounds 'z_bounds'"),
        ("z_bounds", 2.0, 0.0, false, true, "is the bounds of 'z'"),
    ] {
        let said = changed(name, &|array| {
            array.conversion = Some(conversion(factor, offset, inexact));
            if gives_units {
                units(array);
            }
        });
        assert!(said.contains(word), "{name}: {said}");
    }
    for (name, bits, word) in [
        ("temp", 24, "of 23 bits"),
        ("temp", 23, "nothing"),
        ("z", 3, "no data variable"),
        ("lat", 3, "where cells are"),
        ("e3t", 3, "quantised already"),
    ] {
        let said = changed(name, &|array| array.keep_bits = Some(bits));
        assert!(said.contains(word), "{name}: {said}");
    }
    let both = recipe(&["z", "z_bounds"].map(|name| {
        let edit = |s: &mut VariableRecipe| {
            s.array.conversion = Some(conversion(2.0, 0.0, false));
            s.array.attributes.insert("units".to_owned(), text("1"));
        };
        (name, section(1, edit))
    }));
    assert_eq!(said(&both), "nothing");
    let chunks = changed("temp", &|array| {
        array.chunks.insert("zz".to_owned(), 1);
    });
    assert!(chunks.contains("no dimension 'zz'"), "{chunks}");
}

#[test]
fn names_that_no_file_has_are_told_and_those_of_one_file_are_not() {
    let mut recipe = recipe(&[("tepm", section(1, |_| {}))]);
    recipe.dropped.insert("e3t".to_owned(), 2);
    let mut other = file();
    other.variables.retain(|v| v.name != "e3t");
    let unknown =
        [file(), other].map(|file| file.with_recipe(&recipe, "t").unwrap().recipe_unknown);
    let said: Vec<String> = recipe
        .in_no_file(unknown.iter())
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("r.toml, line 1") && said[0].contains("did you mean 'temp'?"),
        "{said:?}"
    );
}

#[test]
fn recipes_are_compared_array_by_array() {
    let with = |bits: u32| {
        let recipe = recipe(&[(
            "temp",
            section(1, |s| {
                s.name = Some("thetao".to_owned());
                s.array.keep_bits = Some(bits);
                s.array.chunks.insert("y".to_owned(), u64::from(bits));
            }),
        )]);
        file().with_recipe(&recipe, "t").unwrap()
    };
    let differences = |stored: &Catalogue, given: &Catalogue| -> Vec<String> {
        let found = recipe_differences(&stored.recipes, given, |name| name != "lat");
        let shown = |d: RecipeDifference| format!("{} {} {} {}", d.array, d.key, d.stored, d.given);
        found.into_iter().map(shown).collect()
    };
    assert_eq!(differences(&with(1), &with(1)), Vec::<String>::new());
    assert_eq!(differences(&with(1), &with(2)), ["thetao keep_bits 1 2"]);
    let without = differences(&with(1), &file());
    assert!(
        without[0].starts_with("thetao name 'thetao' for 'temp' none"),
        "{without:?}"
    );
    assert_eq!(without.len(), 2);
}

#[test]
fn a_recipe_is_kept_as_it_was() {
    let recipe = ArrayRecipe {
        conversion: Some(conversion(0.1, -273.15, true)),
        attributes: [("a".to_owned(), Attribute::Texts(vec!["b".to_owned()]))].into(),
        ..ArrayRecipe::default()
    };
    let json = serde_json::to_string(&recipe).unwrap();
    assert_eq!(serde_json::from_str::<ArrayRecipe>(&json).unwrap(), recipe);
    // What later versions leave out.
    assert_eq!(
        serde_json::from_str::<ArrayRecipe>("{}").unwrap(),
        ArrayRecipe::default()
    );
    let bytes = postcard::to_stdvec(&recipe).unwrap();
    assert_eq!(postcard::from_bytes::<ArrayRecipe>(&bytes).unwrap(), recipe);
}
