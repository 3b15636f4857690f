//! Stores whose documents say what cannot be, consolidated and one by one alike: `verify` tells it as a fault, what writes
//! refuses the store by its code, `delete` removes it, and nobody takes a document's word for a size.

use std::path::Path;

use nemo_like::Variable;
use serde_json::{Value, json};

use super::dataset::Objects;
use super::scenes::{after, cut_time};
use super::strangers::{TREE, hierarchy};
use super::support::{line, month, months, run};
use crate::cli::Exit;
use crate::store::Conditional;
use crate::store::simulated::World;

/// A store of two months, in this version.
fn store(root: &Path, version: &str) -> Objects {
    let world = World::new(Conditional::Enforced);
    let link = world.link(Vec::new());
    let first = month(root, 1, 0);
    let create = ["send", "-f", &first, "--zarr-version", version];
    let append = ["send", "-f", &month(root, 2, 0)];
    for words in [&create[..], &append] {
        assert_eq!(run(&link, &line(words)), Exit::Ok);
    }
    world.objects()
}

/// The store with `value` at `pointer` of the document of `array`, wherever that document is.
fn tampered(
    objects: &Objects,
    version: &str,
    array: &str,
    pointer: &str,
    value: &Value,
) -> Objects {
    let mut objects = objects.clone();
    let (own, root, within) = match version {
        "3" => (
            format!("T1m/tos.zarr/{array}/zarr.json"),
            "T1m/tos.zarr/zarr.json",
            format!("/consolidated_metadata/metadata/{array}"),
        ),
        _ => (
            format!("T1m/tos.zarr/{array}/.zarray"),
            "T1m/tos.zarr/.zmetadata",
            format!("/metadata/{array}~1.zarray"),
        ),
    };
    for (key, place) in [
        (own.as_str(), pointer.to_owned()),
        (root, format!("{within}{pointer}")),
    ] {
        let mut document: Value = serde_json::from_slice(&objects[key]).unwrap();
        *document.pointer_mut(&place).unwrap() = value.clone();
        objects.insert(key.to_owned(), document.to_string().into());
    }
    objects
}

#[test]
fn what_cannot_be_is_a_fault_and_is_not_written_to() {
    let root = tempfile::tempdir().unwrap();
    let huge = 1u64 << 40;
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    for version in ["3", "2"] {
        let objects = store(root.path(), version);
        let chunk = match version {
            "3" => "/chunk_grid/configuration/chunk_shape",
            _ => "/chunks",
        };
        let dtype = if version == "3" {
            "/data_type"
        } else {
            "/dtype"
        };
        for (array, pointer, value) in [
            ("time_counter", "/shape", json!([huge])),
            ("time_counter", "/shape", json!([1u64 << 63])),
            ("time_counter", "/shape", json!([-1])),
            ("time_counter", "/shape", json!([2.5])),
            ("time_counter", "/shape", json!([2, 2])),
            ("time_counter", "/shape", json!([])),
            ("time_counter", "/shape", json!("2")),
            ("time_counter", "/shape", json!(null)),
            ("time_counter", "/shape", deep.clone()),
            ("time_counter", chunk, json!([huge])),
            ("time_counter", chunk, json!([1u64 << 63])),
            ("time_counter", chunk, json!([0])),
            ("time_counter", chunk, json!([1, 1])),
            ("time_counter", dtype, json!({"name": "x"})),
            ("time_counter", dtype, json!(7)),
            ("tos", "/shape", json!([huge, 4, 4])),
            ("tos", "/shape", json!([2, huge, huge])),
            ("tos", "/shape", json!([u64::MAX, u64::MAX, u64::MAX])),
            ("tos", "/shape", json!([2, 4])),
            ("tos", chunk, json!([huge, huge, huge])),
            ("tos", chunk, json!([1, 0, 4])),
            ("tos", chunk, json!([1, -4, 4])),
            ("tos", chunk, json!([1, 4])),
            ("tos", "", json!([])),
            ("tos", "", json!(null)),
        ] {
            let told = format!("version {version}, {array}{pointer} = {value}");
            let objects = tampered(&objects, version, array, pointer, &value);
            let world = World::holding(Conditional::Enforced, &objects);
            let tried = |words: &[&str]| run(&world.link(Vec::new()), &line(words));
            assert_eq!(tried(&["verify"]), Exit::FaultsFound, "{told}");
            let sent = tried(&["send", "-f", &month(root.path(), 3, 0)]);
            let refusals = [
                Exit::ForeignStore,
                Exit::DimensionConflict,
                Exit::ContentsConflict,
            ];
            assert!(refusals.contains(&sent), "{told}: {sent:?}");
            let now = world.objects();
            assert!(
                objects
                    .iter()
                    .all(|(key, bytes)| now.get(key) == Some(bytes)),
                "{told}"
            );
            let listed = tried(&["list"]);
            assert!(
                [Exit::Ok, Exit::ForeignStore].contains(&listed),
                "{told}: {listed:?}"
            );
            assert_eq!(tried(&["delete", "--all", "--yes"]), Exit::Ok, "{told}");
            assert_eq!(world.objects(), Objects::new(), "{told}");
        }
    }
}

/// What goes by the manifests does not go by a part of one: what the rest says of objects that go would be missed ever after.
#[test]
fn nothing_is_taken_away_where_a_manifest_cannot_be_read() {
    let root = tempfile::tempdir().unwrap();
    let both = [Variable::Tos, Variable::Sos];
    let file = months(root.path(), 1, 2, 0, &both);
    let compact = line(&["send", "-f", &file, "-v", "compact"]);
    let compact = after(&Objects::new(), &compact);
    let mut short = compact.clone();
    cut_time(&mut short, "T1m.zarr");
    let group = hierarchy(root.path(), 3);
    let place = format!("{TREE}/gridT");
    for (objects, words) in [
        (
            &compact,
            &["delete", "-v", "compact", "--array", "sos", "--yes"][..],
        ),
        (&short, &["recover", "--truncate"]),
        (
            &after(&group.stages[0], &group.line),
            &["delete", "--store", &place, "--yes"],
        ),
    ] {
        assert_ne!(after(objects, &line(words)), *objects, "{words:?}");
        let mut objects = objects.clone();
        let parts = objects
            .iter_mut()
            .filter(|(key, _)| key.contains("/manifests/"));
        assert_ne!(
            parts.map(|(_, part)| part.truncate(part.len() / 2)).count(),
            0
        );
        let world = World::holding(Conditional::Enforced, &objects);
        assert_eq!(
            run(&world.link(Vec::new()), &line(words)),
            Exit::ForeignStore,
            "{words:?}"
        );
        assert!(world.objects() == objects, "{words:?} changed something");
    }
}
