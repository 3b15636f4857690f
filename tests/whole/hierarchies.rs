//! Groups of a hierarchy, as xarray writes a `DataTree`: one of them grows, the others stay, and the root tells the truth.

use serde_json::Value;

use crate::any_store::Archive;
use crate::line::msm_os;
use crate::support::{Sandbox, input, python_runs, script};

/// A hierarchy of two groups, `gridT` and `ocean/gridU`, with the first year.
fn tree(version: &str) -> Archive {
    let sandbox = Sandbox::new();
    let args = [&sandbox.file("made/a/tree.zarr"), version, &input(1976)];
    python_runs(&script("write_tree.py"), &args);
    let all = sandbox.tree("made");
    Archive::of(sandbox, all)
}

/// What `list` tells of the stores below `place`.
fn listed(archive: &Archive, place: &str) -> Vec<Value> {
    let json = msm_os!("list --json {place}").in_both(archive, 1);
    serde_json::from_str(&json).unwrap()
}

#[test]
fn a_group_grows_and_the_root_tells_of_it() {
    for (version, group, other) in [("2", "gridT", "ocean/gridU"), ("3", "ocean/gridU", "gridT")] {
        let archive = tree(version);
        let (place, files) = (format!("a/tree.zarr/{group}"), [1976, 1977].map(input));
        let [first, second] = &files;
        let original = archive.stores();
        let stores = listed(&archive, "");
        let keys: Vec<_> = stores.iter().map(|store| &store["store"]).collect();
        assert_eq!(keys, ["a/tree.zarr/gridT", "a/tree.zarr/ocean/gridU"]);
        for way in ["-p", "--store"] {
            let stores = listed(&archive, &format!("{way} {place}"));
            assert_eq!(stores.len(), 1, "{stores:?}");
            assert_eq!(stores[0]["time"]["steps"], 1);
        }

        msm_os!("send -f {second} -p {place}").in_both(&archive, 3);
        let sent = archive.stores();
        assert!(sent != original);
        archive.reads_back("a/tree.zarr", group, &files);
        archive.reads_back("a/tree.zarr", other, &files[..1]);
        msm_os!("send -f {second} -p {place} -v compact").says_in_both(
            &archive,
            1,
            "nothing to do",
        );
        for line in [
            msm_os!("verify"),
            msm_os!("verify -p {place}"),
            msm_os!("verify -p {place} -v tos --against {first} {second}"),
            msm_os!("recover --orphans"),
            msm_os!("verify --store {place}"),
        ] {
            line.in_both(&archive, 3);
            assert!(archive.stores() == sent, "{line:?}");
        }
        // The ledger lies beside the hierarchy, not in it.
        for all in archive.all() {
            let ledgers = all.keys().filter(|key| key.contains(".msm-os/"));
            for key in ledgers {
                assert!(key.starts_with("a/.msm-os/tree.zarr/"), "{key}");
            }
        }
        let words = ["is not in the group", "--store a/tree.zarr"];
        msm_os!("rollback -p a/tree.zarr/{other}").refused_in_both(&archive, 36, &words);
        msm_os!("rollback -p {place}").in_both(&archive, 1);
        assert!(archive.stores() == original, "{version} {group}");

        // Its attributes are told by the root, too.
        let licence = r#"{"licence": "OGL"}"#;
        msm_os!("send -f {second} -p {place} -at '{licence}'").in_both(&archive, 1);
        msm_os!("update -f {second} -p {place} -v e3t").says_in_both(&archive, 3, "1 replaced");
        archive.reads_back("a/tree.zarr", group, &files);
        msm_os!("verify").in_both(&archive, 1);
        assert_eq!(licences(&archive, version, group), ["OGL", "OGL"]);
        is_deleted(&archive, &place, other);
        msm_os!("delete --store a/tree.zarr --yes").in_both(&archive, 1);
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
    msm_os!("delete -p {place} --all --dry-run").in_both(archive, 1);
    assert!(archive.stores() == before);
    msm_os!("delete -p {place} --all --yes").in_both(archive, 3);
    for all in archive.stores() {
        assert!(!all.keys().any(|key| key.starts_with(&format!("{place}/"))));
    }
    archive.reads_back("a/tree.zarr", other, &[input(1976)]);
    msm_os!("verify").in_both(archive, 1);
    let stores = listed(archive, "");
    assert_eq!(stores.len(), 1, "{stores:?}");
    msm_os!("rollback").refused_in_both(archive, 36, &["not kept"]);
}

#[test]
fn what_is_no_group_of_it_is_refused() {
    let archive = tree("3");
    let file = input(1977);
    let refuses = |place: &str, code, words: &[&str]| {
        msm_os!("send -f {file} {place}").refused_in_both(&archive, code, words);
    };
    refuses("-p a/tree.zarr", 26, &["hierarchy", "'a/tree.zarr/gridT'"]);
    let words = ["'ocean/gridU'", "no store is put into"];
    refuses("-p a/tree.zarr/gridV -v compact", 25, &words);
    refuses("--store a/tree.zarr/gridT/tos -v tos", 25, &words[1..]);
    refuses("-p a/tree.zarr/gridT/tos/c", 25, &words[1..]);
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
        let send = msm_os!("send -f {} -p a/tree.zarr/gridT", files[1]);
        send.refused_in_both(&archive, 25, &["--consolidate"]);
        send.and("--consolidate").in_both(&archive, 3);
        archive.reads_back("a/tree.zarr", "gridT", &files);
        archive.reads_back("a/tree.zarr", "ocean/gridU", &files[..1]);
        msm_os!("verify").in_both(&archive, 1);
        msm_os!("rollback -p a/tree.zarr/gridT").in_both(&archive, 1);
        archive.reads_back("a/tree.zarr", "gridT", &files[..1]);
        msm_os!("rollback").refused_in_both(&archive, 36, &["not kept"]);
        msm_os!("recover --orphans").in_both(&archive, 1);
        msm_os!("verify").in_both(&archive, 1);
    }
}
