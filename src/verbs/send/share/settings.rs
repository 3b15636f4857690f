//! What all jobs that send an archive must have asked alike.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use msm_model::Recipe;
use msm_plan::ChunkStrategy;
use msm_reproject::Method;
use serde_json::Value;

use super::error::ShareError;
use crate::commit::SharedArchive;
use crate::error::Error;
use crate::store::Spot;
use crate::verbs::files::selection::Selection;
use crate::verbs::reprojection::corners::DomainFile;
use crate::verbs::reprojection::request::{Edges, GridChoice, Longitudes, Reprojection};
use crate::verbs::send::intent::Intent;

/// What is said where nothing was asked.
const NONE: &str = "not given";

/// What was asked, by the names of flags, as users write it.
pub(super) fn settings(intent: &Intent<'_>) -> BTreeMap<String, String> {
    let (files, task, arrays) = (intent.files, &intent.task, &intent.arrays);
    let spoken = [
        ("--variables", variables(&files.selection)),
        ("--prefix or --store", spot(files.spot.as_ref())),
        ("--append_dim", files.append_dimension.clone()),
        ("--time-from", given(files.time_from.as_ref())),
        ("--recipe", given(files.recipe.as_ref().map(spelled))),
        ("--allow-gaps", intent.allow_gaps.to_string()),
        ("--chunk_strategy", sizes(&arrays.chunks)),
        ("--shards", sizes(&arrays.shards)),
        ("--zarr-version", given(arrays.version)),
        ("--codec", given(arrays.codec.as_ref())),
        (
            "--attributes",
            Value::from(task.attributes.clone()).to_string(),
        ),
        ("--repair-attributes", task.repair_attributes.to_string()),
        ("--coords-tolerance", task.tolerance.to_string()),
        (
            "--lock-dir",
            given(files.leasing.lock_dir.as_ref().map(|path| path.display())),
        ),
    ];
    let spoken = spoken.into_iter().chain(domain(files.domain.as_ref()));
    spoken
        .chain(reprojection(files.reprojection.as_ref()))
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn given(value: Option<impl Display>) -> String {
    value.map_or_else(|| NONE.to_owned(), |value| value.to_string())
}

/// The recipe, wherever it was written.
fn spelled(recipe: &Recipe) -> Value {
    let mut sections = serde_json::Map::new();
    for (variable, section) in &recipe.variables {
        let section = serde_json::json!({"name": section.name, "array": section.array});
        sections.insert(variable.clone(), section);
    }
    let dimensions = recipe.dimensions.iter();
    let dimensions: BTreeMap<&String, &String> =
        dimensions.map(|(old, (new, _))| (old, new)).collect();
    serde_json::json!({
        "dimensions": dimensions,
        "drop": recipe.dropped.keys().collect::<Vec<_>>(),
        "attributes": recipe.attributes,
        "remove_attributes": recipe.removed_attributes.keys().collect::<Vec<_>>(),
        "variables": sections,
    })
}

fn variables(selection: &Selection) -> String {
    match (selection.compact, &selection.variables[..]) {
        (true, []) => "compact".to_owned(),
        (true, names) => format!("compact, of {}", names.join(" ")),
        (false, []) => "all".to_owned(),
        (false, names) => names.join(" "),
    }
}

fn spot(spot: Option<&Spot>) -> String {
    match spot {
        None => "what the files' names say".to_owned(),
        Some(Spot::Below(prefix)) => format!("--prefix '{prefix}'"),
        Some(Spot::At(store)) => format!("--store '{store}'"),
    }
}

fn sizes(strategy: &ChunkStrategy) -> String {
    let asked = (!strategy.0.is_empty()).then(|| serde_json::json!(strategy.0));
    given(asked)
}

fn domain(domain: Option<&DomainFile>) -> [(&'static str, String); 2] {
    let coordinates = domain.and_then(|domain| domain.coordinates.as_ref());
    [
        (
            "--grid-filepath",
            given(domain.map(|domain| domain.path.display())),
        ),
        (
            "--update-coords",
            given(coordinates.map(|names| serde_json::json!(names))),
        ),
    ]
}

fn reprojection(asked: Option<&Reprojection>) -> Vec<(&'static str, String)> {
    let grid = asked.map(|asked| asked.grid).unwrap_or_default();
    let GridChoice {
        size,
        resolution,
        edges,
        longitudes,
    } = grid;
    let edges = edges.map(
        |Edges {
             west,
             south,
             east,
             north,
         }| format!("{west},{south},{east},{north}"),
    );
    let longitudes = longitudes.map(|range| match range {
        Longitudes::Signed => "-180..180",
        Longitudes::Positive => "0..360",
    });
    let is = |flag: fn(&Reprojection) -> bool| asked.is_some_and(flag).to_string();
    vec![
        ("--reproject", asked.is_some().to_string()),
        (
            "--method",
            given(asked.and_then(|asked| asked.method).map(Method::name)),
        ),
        ("--grid", given(size.map(|[nx, ny]| format!("{nx}x{ny}")))),
        ("--resolution", given(resolution)),
        ("--bbox", given(edges)),
        ("--longitudes", given(longitudes)),
        ("--replace-projected", is(|asked| asked.replaces_others)),
        (
            "--allow-vector-components",
            is(|asked| asked.vector_components),
        ),
    ]
}

/// The keys that two recipes say otherwise, each with what one and the other say.
fn differing_keys(path: &str, one: &Value, other: &Value) -> Vec<(String, String, String)> {
    if one == other {
        return Vec::new();
    }
    let (Value::Object(these), Value::Object(those)) = (one, other) else {
        let said = |value: &Value| match value {
            Value::Null => NONE.to_owned(),
            value => value.to_string(),
        };
        return vec![(path.to_owned(), said(one), said(other))];
    };
    let keys: BTreeSet<&String> = these.keys().chain(those.keys()).collect();
    let differing = keys.into_iter().flat_map(|key| {
        // As the recipe has it.
        let path = match key.as_str() {
            "array" => path.to_owned(),
            key => format!("{path} {key}"),
        };
        let [one, other] = [these, those].map(|all| all.get(key).unwrap_or(&Value::Null));
        differing_keys(&path, one, other)
    });
    differing.collect()
}

/// Checks that the same was asked, for the same `stores`.
///
/// # Errors
/// Everything that differs.
pub(super) fn same_request(
    archive: &SharedArchive,
    settings: &BTreeMap<String, String>,
    stores: &[String],
) -> Result<(), Error> {
    let by = || archive.by.name.clone();
    let absent = || "not known".to_owned();
    let names: BTreeSet<&String> = archive.settings.keys().chain(settings.keys()).collect();
    let mut differing = Vec::new();
    for name in names {
        let (found, expected) = (settings.get(name), archive.settings.get(name));
        if found == expected {
            continue;
        }
        let [found, expected] = [found, expected].map(|said| said.cloned().unwrap_or_else(absent));
        let parsed = [&found, &expected].map(|said| serde_json::from_str::<Value>(said).ok());
        match parsed {
            // Of two recipes, what differs.
            [Some(Value::Object(one)), Some(Value::Object(other))] if name == "--recipe" => {
                differing.extend(differing_keys(name, &one.into(), &other.into()));
            }
            _ => differing.push((name.clone(), found, expected)),
        }
    }
    Error::together(differing.into_iter().map(|(setting, found, expected)| {
        ShareError::Settings {
            setting,
            found,
            expected,
            by: by(),
        }
    }))?;
    let of = |all: &[String]| all.iter().cloned().collect::<BTreeSet<String>>();
    let (asked, shared) = (of(stores), of(archive.stores()));
    Error::together(
        asked
            .symmetric_difference(&shared)
            .map(|store| ShareError::Stores {
                store: store.clone(),
                stores: archive.stores().to_vec(),
                by: by(),
            }),
    )
}
