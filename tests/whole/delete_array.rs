//! `delete --array`: an array goes, whatever wrote it; the rest of the store stays, and `rollback` brings the array back.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::line::msm_os;
use crate::support::{Ended, Sandbox, objects, served, without_ledgers};
use crate::truncate::opens;

#[test]
fn a_projected_array_of_the_python_tool_goes_and_comes_back() {
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        sandbox.unpack("msm-os-dev-create", "ocean");
        let url = sandbox.url("ocean");
        let run = |line: &str| msm_os!("{line} -b {url} -p T1y -v e3t").on(ranks);
        let before = sandbox.tree("ocean");
        let delete = |line: &str| run(&format!("delete --array {line}"));
        let coordinate = "the coordinate of a dimension of 'e3t'";
        let of_projected = "'projected_e3t' names it in its coordinates";
        for (arrays, code, said) in [
            ("sst", 27, "it has 'deptht', 'e3t', "),
            ("time_counter", 39, coordinate),
            ("deptht", 39, coordinate),
            ("nav_lat", 39, "'e3t' names it in its coordinates"),
            ("projected_x", 39, of_projected),
            ("e3t", 39, "leave --array out"),
            ("e3t projected_e3t", 39, "leave --array out"),
        ] {
            let refused = delete(&format!("{arrays} --yes"));
            refused.refused(code, &[said, "nothing was deleted"]);
        }
        delete("projected_e3t").refused(2, &[]);
        let dry = delete("projected_e3t --dry-run").well();
        dry.says(&["T1y/e3t.zarr: array 'projected_e3t': 3 objects"]);
        assert!(sandbox.tree("ocean") == before);

        let arrays = ["projected_e3t", "projected_x", "projected_y"];
        delete(&format!("{} --yes", arrays.join(" "))).well();
        run("verify").well();
        let after = sandbox.tree("ocean");
        for (key, bytes) in &before {
            let below = key.strip_prefix("T1y/e3t.zarr/").unwrap_or_default();
            let is_below = |name: &&str| below.starts_with(&format!("{name}/"));
            let is_gone = arrays.iter().any(is_below);
            let changes = [".zmetadata", ".zattrs"].contains(&below);
            assert_eq!(after.contains_key(key), !is_gone, "{key}");
            assert!(is_gone || changes || after[key] == *bytes, "{key}");
        }
        let attributes: Value = serde_json::from_slice(&after["T1y/e3t.zarr/.zattrs"]).unwrap();
        let expected = json!({"expected_coords": [], "expected_variables": ["e3t"]});
        assert_eq!(attributes, expected);
        let read = opens(&sandbox.path("ocean/T1y/e3t.zarr"));
        assert!(
            read.contains("'e3t'") && !read.contains("projected"),
            "{read}"
        );
        run("rollback").well();
        assert!(sandbox.tree("ocean") == before);
    }
}

#[test]
fn an_array_that_cannot_be_decoded_goes_as_any_other() {
    let sandbox = Sandbox::new();
    sandbox.unpack("msm-os-dev-create", "ocean");
    for key in [".zmetadata", "projected_e3t/.zarray"] {
        let path = sandbox.path("ocean/T1y/e3t.zarr").join(key);
        let mut document: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let array = if key == ".zmetadata" {
            &mut document["metadata"]["projected_e3t/.zarray"]
        } else {
            &mut document
        };
        array["filters"] = json!([{"id": "delta", "dtype": "<f4"}]);
        std::fs::write(path, document.to_string()).unwrap();
    }
    let before = sandbox.tree("ocean");
    let url = sandbox.url("ocean");
    let run = |line: &str| msm_os!("{line} -b {url} -p T1y -v e3t").alone();
    run("verify").refused(60, &[]);
    run("delete --yes --array projected_e3t").well();
    run("verify").well();
    run("rollback").well();
    assert!(sandbox.tree("ocean") == before);
}

/// A compact store of two variables.
struct Scene {
    sandbox: Sandbox,
    file: String,
}

impl Scene {
    fn new(flags: &str) -> Self {
        let sandbox = Sandbox::new();
        let file = sandbox.months(1, 3);
        let scene = Self { sandbox, file };
        let file = &scene.file;
        scene.runs(&format!("send -f {file} -p T1m -v compact tos sos {flags}"));
        scene
    }

    fn run(&self, line: &str) -> Ended {
        msm_os!("{line} -b {}", self.sandbox.url("ocean")).alone()
    }

    #[track_caller]
    fn runs(&self, line: &str) -> Ended {
        self.run(line).well()
    }

    fn delete(&self, line: &str) -> Ended {
        self.run(&format!("delete -p T1m -v compact --yes {line}"))
    }

    /// What readers see; the ledger does not keep what it kept before for undoing the send.
    fn stores(&self) -> BTreeMap<String, Vec<u8>> {
        self.sandbox.stores("ocean")
    }

    fn tree(&self) -> BTreeMap<String, Vec<u8>> {
        self.sandbox.tree("ocean")
    }
}

#[test]
fn the_ledger_of_a_store_knows_that_an_array_is_gone() {
    for flags in ["", "-zv 2"] {
        let scene = Scene::new(flags);
        let before = scene.stores();
        let done = scene.delete("--array sos").well();
        done.says(&["T1m.zarr: array 'sos': "]);
        let verified = scene.runs("verify");
        assert!(!verified.stdout.contains("no manifest"), "{verified:#?}");
        let listed = scene.runs("list");
        let tree = scene.tree();
        let objects = tree.keys().filter(|key| key.starts_with("T1m.zarr/"));
        listed.says(&["tos", &format!("{} objects, ", objects.count())]);
        assert!(!listed.stdout.contains("sos"), "{listed:#?}");
        let sandbox = &scene.sandbox;
        sandbox.reads_back("ocean/T1m.zarr", &[&scene.file]);
        scene.delete("--array tos").refused(39, &[]);
        scene.runs("rollback");
        assert!(scene.stores() == before);
    }
}

#[test]
fn what_is_not_this_programs_is_in_the_way() {
    let scene = Scene::new("");
    let notes = scene.sandbox.path("ocean/T1m.zarr/sos/notes.txt");
    std::fs::write(notes, "mine").unwrap();
    let before = scene.tree();
    let words = ["T1m.zarr/sos/notes.txt"];
    scene.delete("--array sos").refused(29, &words);
    assert!(scene.tree() == before);
    scene.delete("--array sos --force").well();
    assert!(!scene.sandbox.path("ocean/T1m.zarr/sos").exists());
    scene.runs("rollback");
    assert!(scene.stores() == without_ledgers(before));
}

#[test]
fn arrays_of_several_stores_on_a_server_go_together() {
    let (sandbox, server, bucket) = served();
    unpack_on(&server, &sandbox);
    let before = objects(&server);
    // One of them has none of this name.
    let delete = |line: &str| msm_os!("delete --yes {bucket} -p T1y {line}").on(3);
    let bounds = "-v bounds_lat bounds_lon";
    delete(&format!("{bounds} --array projected_bounds_lat")).refused(27, &[]);
    assert!(objects(&server) == before);
    delete(&format!("{bounds} --array projected_x")).refused(39, &[]);
    assert!(objects(&server) == before);
    let done = delete("-v e3t thetao --array extra").well();
    for store in ["e3t", "thetao"] {
        done.says(&[&format!("T1y/{store}.zarr: array 'extra': 3 objects")]);
    }
    for key in objects(&server).keys() {
        let is_left = key.contains(".zarr/extra/") && !key.contains(".msm-os/");
        assert!(!is_left, "{key}");
    }
    msm_os!("verify {bucket} -p T1y -v e3t thetao").well_on(3);
    msm_os!("rollback {bucket} -p T1y -v e3t thetao").well_on(3);
    assert!(objects(&server) == before);
}

/// Puts the stores of the Python tool on a server, two of them with an array more that nothing names.
fn unpack_on(server: &s3_server::Server, sandbox: &Sandbox) {
    sandbox.unpack("msm-os-dev-create", "unpacked");
    let mut objects = sandbox.tree("unpacked");
    for store in ["T1y/e3t.zarr", "T1y/thetao.zarr"] {
        let copied = format!("{store}/projected_x/");
        let copies: Vec<(String, Vec<u8>)> = objects
            .iter()
            .filter_map(|(key, bytes)| Some((key.strip_prefix(&copied)?, bytes.clone())))
            .map(|(below, bytes)| (format!("{store}/extra/{below}"), bytes))
            .collect();
        objects.extend(copies);
        let root = objects.get_mut(&format!("{store}/.zmetadata")).unwrap();
        let mut document: Value = serde_json::from_slice(root).unwrap();
        for path in [".zarray", ".zattrs"] {
            let copied = document["metadata"][format!("projected_x/{path}")].clone();
            document["metadata"][format!("extra/{path}")] = copied;
        }
        *root = document.to_string().into_bytes();
    }
    for (key, object) in objects {
        server.put_object("ocean", &key, object);
    }
}
