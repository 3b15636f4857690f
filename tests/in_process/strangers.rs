//! Commands on stores that other tools began, on groups of a hierarchy, and on a store of any name.
//!
//! Key function: [`scenes_of_strangers`].

use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use nemo_like::Variable;
use serde_json::{Map, Value, json};

use super::dataset::Objects;
use super::scenes::{ENDS, Layout, Scene, after};
use super::support::{Line, line, months};
use crate::cli::Exit;

/// A store that nothing names as one.
const ANY: &str = "T1m/any";
/// The root of a hierarchy.
pub const TREE: &str = "T1m/tree.zarr";
/// Its groups.
const GROUPS: [&str; 2] = ["gridT", "ocean/gridU"];

/// The scenes of a layout; most layouts have none of their own.
pub fn scenes_of_strangers(root: &Path, layout: Layout) -> Vec<Scene> {
    match layout {
        Layout::Zarr3 => [vec![hierarchy(root, 3)], any_name(root), begun(root)].concat(),
        Layout::Zarr2 => vec![hierarchy(root, 2)],
        _ => Vec::new(),
    }
}

fn scene(
    name: &'static str,
    stores: &'static [&'static str],
    start: &Objects,
    line: Line,
) -> Scene {
    Scene {
        stores,
        ..Scene::new(name, start, line)
    }
}

/// A send to one of two groups, whose documents their root repeats.
pub fn hierarchy(root: &Path, version: usize) -> Scene {
    let file = |first, steps| months(root, first, steps, 0, &[Variable::Tos]);
    let version = version.to_string();
    let chunks = r#"{"time_counter": 2}"#;
    let words = ["send", "--store", ANY, "-f", &file(1, 1), "-cs", chunks];
    let made = after(
        &Objects::new(),
        &line(&[&words[..], &["-zv", &version]].concat()),
    );
    let place = format!("{TREE}/{}", GROUPS[0]);
    let append = line(&["send", "--store", &place, "-f", &file(2, 2)]);
    let mut start = Objects::new();
    for group in GROUPS {
        for (key, bytes) in &made {
            if let Some(below) = key.strip_prefix(&format!("{ANY}/")) {
                start.insert(format!("{TREE}/{group}/{below}"), bytes.clone());
            }
        }
    }
    start.insert(format!("{TREE}/ocean/zarr.json"), text(&group()));
    consolidate(&mut start);
    scene("hierarchy", &[TREE], &start, append)
}

/// The document of a group.
fn group() -> Value {
    json!({"zarr_format": 3, "node_type": "group", "attributes": {}})
}

fn text(document: &Value) -> Bytes {
    document.to_string().into()
}

/// Moves the metadata that each group repeats to the root.
fn consolidate(start: &mut Objects) {
    let is_old = start.keys().any(|key| key.ends_with(".zmetadata"));
    start.retain(|key, _| !(key.ends_with(".zmetadata") || is_old && key.ends_with("zarr.json")));
    let mut all = Map::new();
    for (key, bytes) in start.iter_mut() {
        let below = &key[TREE.len() + 1..];
        let (path, name) = below.rsplit_once('/').unwrap();
        if name == "zarr.json" {
            let mut document: Value = serde_json::from_slice(bytes).unwrap();
            document
                .as_object_mut()
                .unwrap()
                .remove("consolidated_metadata");
            *bytes = text(&document);
            all.insert(path.to_owned(), document);
        } else if name.starts_with(".z") {
            let document = serde_json::from_slice(bytes).unwrap();
            all.insert(below.to_owned(), document);
        }
    }
    if is_old {
        let group = json!({"zarr_format": 2});
        for path in ["", "ocean/"] {
            all.insert(format!("{path}.zgroup"), group.clone());
            start.insert(format!("{TREE}/{path}.zgroup"), text(&group));
        }
        let root = json!({"zarr_consolidated_format": 1, "metadata": all});
        start.insert(format!("{TREE}/.zmetadata"), text(&root));
    } else {
        let mut root = group();
        root["consolidated_metadata"] =
            json!({"kind": "inline", "must_understand": false, "metadata": all});
        start.insert(format!("{TREE}/zarr.json"), text(&root));
    }
}

/// A store is created at any place, and deleted there.
fn any_name(root: &Path) -> Vec<Scene> {
    let file = months(root, 1, 1, 0, &[Variable::Tos]);
    let create = line(&["send", "--store", ANY, "-f", &file]);
    let delete = line(&["delete", "--store", ANY, "--yes"]);
    let made = after(&Objects::new(), &create);
    vec![
        scene("create-anywhere", &[ANY], &Objects::new(), create),
        Scene {
            next: ENDS,
            idle: Exit::NoStore,
            ..scene("delete-anywhere", &[ANY], &made, delete)
        },
    ]
}

/// The store of one variable that the Python msm-os began, with what it reprojected, grows, and gets its fields reprojected anew.
fn begun(root: &Path) -> Vec<Scene> {
    const TOS: &[&str] = &["T1m/tos.zarr"];
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/archives");
    let mut tar = Command::new("tar");
    tar.arg("xzf").arg(data.join("msm-os-dev-create.tar.gz"));
    assert!(tar.arg("-C").arg(root).status().unwrap().success());
    let unpacked = root.join("msm-os-dev-create/T1y/tos.zarr");
    let mut start = Objects::new();
    for entry in walkdir::WalkDir::new(&unpacked) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let below = entry.path().strip_prefix(&unpacked).unwrap();
            let bytes = std::fs::read(entry.path()).unwrap();
            start.insert(format!("T1m/tos.zarr/{}", below.display()), bytes.into());
        }
    }
    let send = |years: &[u32], more: &[&str]| {
        let file = |year| data.join(format!("inputs/eORCA025_1y_grid_T_{year}-{year}.nc"));
        let files: Vec<String> = years
            .iter()
            .map(|y| file(y).display().to_string())
            .collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        line(&[&["send", "-v", "tos"], more, &["-f"], &files].concat())
    };
    let anew = send(&[1976, 1977], &["-r", "--replace-projected"]);
    vec![
        scene(
            "append-elsewhere",
            TOS,
            &start,
            send(&[1977], &["--repair-attributes"]),
        ),
        Scene {
            in_place: true,
            ..scene("replace-projected", TOS, &start, anew)
        },
    ]
}
