//! Groups of a hierarchy, as xarray writes a `DataTree`: one of them grows, the others stay, and the root tells the truth.

use std::path::Path;

use serde_json::Value;

use crate::any_store::{Archive, input};
use crate::support::{Sandbox, python_runs};

/// A hierarchy of two groups, `gridT` and `ocean/gridU`, with the first year.
fn tree(version: &str) -> Archive {
    let sandbox = Sandbox::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/write_tree.py");
    let place = sandbox.path("made/a/tree.zarr");
    let args = [place.to_str().unwrap(), version, &input(1976)];
    python_runs(&script, &args);
    let all = sandbox.tree("made");
    Archive::of(sandbox, all)
}

#[test]
fn a_group_grows_and_the_root_tells_of_it() {
    for (version, group, other) in [("2", "gridT", "ocean/gridU"), ("3", "ocean/gridU", "gridT")] {
        let archive = tree(version);
        let (place, files) = (format!("a/tree.zarr/{group}"), [1976, 1977].map(input));
        let original = archive.stores();
        let json = archive.runs(1, &["list", "--json"]);
        let stores: Vec<Value> = serde_json::from_str(&json).unwrap();
        let keys: Vec<&str> = stores
            .iter()
            .map(|s| s["store"].as_str().unwrap())
            .collect();
        assert_eq!(keys, ["a/tree.zarr/gridT", "a/tree.zarr/ocean/gridU"]);
        for way in [&["-p"][..], &["--store"]] {
            let json = archive.runs(1, &[&["list", "--json"], way, &[&place]].concat());
            let stores: Vec<Value> = serde_json::from_str(&json).unwrap();
            assert_eq!(stores.len(), 1, "{json}");
            assert_eq!(stores[0]["time"]["steps"], 1);
        }

        archive.runs(3, &["send", "-f", &files[1], "-p", &place]);
        let sent = archive.stores();
        assert!(sent != original);
        archive.reads_back("a/tree.zarr", group, &files);
        archive.reads_back("a/tree.zarr", other, &files[..1]);
        let said = archive.runs(1, &["send", "-f", &files[1], "-p", &place, "-v", "compact"]);
        assert!(said.contains("nothing to do"), "{said}");
        for line in [
            &["verify"][..],
            &["verify", "-p", &place],
            &[
                "verify",
                "-p",
                &place,
                "-v",
                "tos",
                "--against",
                &files[0],
                &files[1],
            ],
            &["recover", "--orphans"],
            &["verify", "--store", &place],
        ] {
            archive.runs(3, line);
            assert!(archive.stores() == sent, "{line:?}");
        }
        // The ledger lies beside the hierarchy, not in it.
        for all in archive.all() {
            let ledgers = all.keys().filter(|key| key.contains(".msm-os/"));
            for key in ledgers {
                assert!(key.starts_with("a/.msm-os/tree.zarr/"), "{key}");
            }
        }
        archive.refuses(
            36,
            &["is not in the group", "--store a/tree.zarr"],
            &["rollback", "-p", &format!("a/tree.zarr/{other}")],
        );
        archive.runs(1, &["rollback", "-p", &place]);
        assert!(archive.stores() == original, "{version} {group}");

        // Its attributes are told by the root, too.
        let attributes = [r#"{"licence": "OGL"}"#];
        archive.runs(
            1,
            &[
                &["send", "-f", &files[1], "-p", &place, "-at"][..],
                &attributes,
            ]
            .concat(),
        );
        let line = ["update", "-f", &files[1], "-p", &place, "-v", "e3t"];
        let said = archive.runs(3, &line);
        assert!(said.contains("1 replaced"), "{said}");
        archive.reads_back("a/tree.zarr", group, &files);
        archive.runs(1, &["verify"]);
        assert_eq!(licences(&archive, version, group), ["OGL", "OGL"]);
        is_deleted(&archive, &place, other);
        archive.runs(1, &["delete", "--store", "a/tree.zarr", "--yes"]);
        assert_eq!(archive.all().map(|all| all.len()), [0, 0]);
    }
}

/// The attribute `licence` of a group, as the root tells it and as the group does.
fn licences(archive: &Archive, version: &str, group: &str) -> [String; 2] {
    let tree = archive.sandbox.tree("ocean/a/tree.zarr");
    let document = |key: &str| serde_json::from_slice::<Value>(&tree[key]).unwrap();
    let attributes = if version == "3" {
        let root = document("zarr.json");
        [
            root["consolidated_metadata"]["metadata"][group]["attributes"].clone(),
            document(&format!("{group}/zarr.json"))["attributes"].clone(),
        ]
    } else {
        let root = document(".zmetadata");
        let key = format!("{group}/.zattrs");
        [root["metadata"][&key].clone(), document(&key)]
    };
    attributes.map(|attributes| attributes["licence"].as_str().unwrap().to_owned())
}

/// The group at `place` goes, the group `other` stays.
fn is_deleted(archive: &Archive, place: &str, other: &str) {
    let before = archive.stores();
    archive.runs(1, &["delete", "-p", place, "--all", "--dry-run"]);
    assert!(archive.stores() == before);
    archive.runs(3, &["delete", "-p", place, "--all", "--yes"]);
    for all in archive.stores() {
        assert!(!all.keys().any(|key| key.starts_with(&format!("{place}/"))));
    }
    archive.reads_back("a/tree.zarr", other, &[input(1976)]);
    archive.runs(1, &["verify"]);
    let json = archive.runs(1, &["list", "--json"]);
    let stores: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert_eq!(stores.len(), 1, "{json}");
    archive.refuses(36, &["not kept"], &["rollback"]);
}

#[test]
fn what_is_no_group_of_it_is_refused() {
    let archive = tree("3");
    let file = input(1977);
    for (code, words, place) in [
        (
            26,
            &["hierarchy", "'a/tree.zarr/gridT'"][..],
            &["-p", "a/tree.zarr"][..],
        ),
        (
            25,
            &["'ocean/gridU'", "no store is put into"],
            &["-p", "a/tree.zarr/gridV", "-v", "compact"],
        ),
        (
            25,
            &["no store is put into"],
            &["--store", "a/tree.zarr/gridT/tos", "-v", "tos"],
        ),
        (
            25,
            &["no store is put into"],
            &["-p", "a/tree.zarr/gridT/tos/c"],
        ),
    ] {
        archive.refuses(code, words, &[&["send", "-f", &file][..], place].concat());
    }
}

#[test]
fn a_store_that_does_not_say_what_is_in_it_is_made_to_say_so_when_asked() {
    for version in ["3", "2"] {
        let whole = tree(version);
        let mut all = whole.sandbox.tree("ocean");
        let root = all.get_mut("a/tree.zarr/zarr.json");
        if let Some(root) = root {
            let mut document: Value = serde_json::from_slice(root).unwrap();
            document
                .as_object_mut()
                .unwrap()
                .remove("consolidated_metadata");
            *root = document.to_string().into_bytes();
        } else {
            all.remove("a/tree.zarr/.zmetadata");
        }
        let archive = Archive::of(Sandbox::new(), all);
        let files = [1976, 1977].map(input);
        let line = ["send", "-f", &files[1], "-p", "a/tree.zarr/gridT"];
        let original = archive.stores();
        archive.refuses(25, &["--consolidate"], &line);
        assert!(archive.stores() == original);
        archive.runs(3, &[&line[..], &["--consolidate"]].concat());
        archive.reads_back("a/tree.zarr", "gridT", &files);
        archive.reads_back("a/tree.zarr", "ocean/gridU", &files[..1]);
        archive.runs(1, &["verify"]);
        archive.runs(1, &["rollback", "-p", "a/tree.zarr/gridT"]);
        archive.reads_back("a/tree.zarr", "gridT", &files[..1]);
        archive.refuses(36, &["not kept"], &["rollback"]);
        archive.runs(1, &["recover", "--orphans"]);
        archive.runs(1, &["verify"]);
    }
}
