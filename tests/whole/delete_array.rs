//! `delete --array`: an array goes, whatever wrote it; the rest of the store stays, and `rollback` brings the array back.

use std::collections::BTreeMap;

use nemo_like::Spec;
use serde_json::{Value, json};

use crate::support::{
    Ended, Sandbox, alone, objects, on_ranks, reads_back, server, without_ledgers,
};
use crate::truncate::{opens, unpack};

#[test]
fn a_projected_array_of_the_python_tool_goes_and_comes_back() {
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        unpack(&sandbox, "msm-os-dev-create");
        let url = sandbox.url("ocean");
        let run = |args: &[&str]| on_ranks(ranks, &[args, &["-b", &url, "-p", "T1y"]].concat());
        let before = sandbox.tree("ocean");
        let delete = |arrays: &[&str], more: &[&str]| {
            let line = ["delete", "-v", "e3t", "--array"];
            run(&[&line[..], arrays, more].concat())
        };
        for (arrays, code, said) in [
            (&["sst"][..], 27, "it has 'deptht', 'e3t', "),
            (
                &["time_counter"],
                39,
                "the coordinate of a dimension of 'e3t'",
            ),
            (&["deptht"], 39, "the coordinate of a dimension of 'e3t'"),
            (&["nav_lat"], 39, "'e3t' names it in its coordinates"),
            (
                &["projected_x"],
                39,
                "'projected_e3t' names it in its coordinates",
            ),
            (&["e3t"], 39, "leave --array out"),
            (&["e3t", "projected_e3t"], 39, "leave --array out"),
        ] {
            let refused = delete(arrays, &["--yes"]);
            assert_eq!(refused.code, code, "{refused:#?}");
            assert!(refused.stderr.contains(said), "{said}: {refused:#?}");
            assert!(
                refused.stderr.contains("nothing was deleted"),
                "{refused:#?}"
            );
        }
        assert_eq!(delete(&["projected_e3t"], &[]).code, 2);
        let dry = delete(&["projected_e3t"], &["--dry-run"]).well();
        let said = "T1y/e3t.zarr: array 'projected_e3t': 3 objects";
        assert!(dry.stdout.contains(said), "{dry:#?}");
        assert!(sandbox.tree("ocean") == before);

        let arrays = ["projected_e3t", "projected_x", "projected_y"];
        delete(&arrays, &["--yes"]).well();
        run(&["verify", "-v", "e3t"]).well();
        let after = sandbox.tree("ocean");
        for (key, bytes) in &before {
            let below = key.strip_prefix("T1y/e3t.zarr/").unwrap_or_default();
            let is_gone = arrays
                .iter()
                .any(|name| below.starts_with(&format!("{name}/")));
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
        run(&["rollback", "-v", "e3t"]).well();
        assert!(sandbox.tree("ocean") == before);
    }
}

#[test]
fn an_array_that_cannot_be_decoded_goes_as_any_other() {
    let sandbox = Sandbox::new();
    unpack(&sandbox, "msm-os-dev-create");
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
    let run = |args: &[&str]| alone(&[args, &["-b", &url, "-p", "T1y", "-v", "e3t"]].concat());
    assert_eq!(run(&["verify"]).code, 60);
    run(&["delete", "--yes", "--array", "projected_e3t"]).well();
    run(&["verify"]).well();
    run(&["rollback"]).well();
    assert!(sandbox.tree("ocean") == before);
}

/// A compact store of two variables.
struct Scene {
    sandbox: Sandbox,
    file: String,
}

impl Scene {
    fn new(flags: &[&str]) -> Self {
        let sandbox = Sandbox::new();
        let file = sandbox.source(&Spec {
            steps: 3,
            start: "1976-01-01".parse().unwrap(),
            ..Spec::default()
        });
        let scene = Self { sandbox, file };
        let send = [
            "send",
            "-f",
            &scene.file,
            "-p",
            "T1m",
            "-v",
            "compact",
            "tos",
            "sos",
        ];
        scene.run(&[&send[..], flags].concat()).well();
        scene
    }

    fn run(&self, args: &[&str]) -> Ended {
        alone(&[args, &["-b", &self.sandbox.url("ocean")]].concat())
    }

    fn delete(&self, args: &[&str]) -> Ended {
        let line = ["delete", "-p", "T1m", "-v", "compact", "--yes"];
        self.run(&[&line[..], args].concat())
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
    for flags in [&[][..], &["-zv", "2"]] {
        let scene = Scene::new(flags);
        let before = scene.stores();
        let done = scene.delete(&["--array", "sos"]).well();
        assert!(done.stdout.contains("T1m.zarr: array 'sos': "), "{done:#?}");
        let verified = scene.run(&["verify"]).well();
        assert!(!verified.stdout.contains("no manifest"), "{verified:#?}");
        let listed = scene.run(&["list"]).well();
        assert!(
            !listed.stdout.contains("sos") && listed.stdout.contains("tos"),
            "{listed:#?}"
        );
        let objects = scene
            .tree()
            .keys()
            .filter(|key| key.starts_with("T1m.zarr/"))
            .count();
        let said = format!("{objects} objects, ");
        assert!(listed.stdout.contains(&said), "{said}: {listed:#?}");
        let store = scene.sandbox.path("ocean/T1m.zarr");
        reads_back(
            store.to_str().unwrap(),
            None,
            std::slice::from_ref(&scene.file),
        );
        let last = scene.delete(&["--array", "tos"]);
        assert_eq!(last.code, 39, "{last:#?}");
        scene.run(&["rollback"]).well();
        assert!(scene.stores() == before);
    }
}

#[test]
fn what_is_not_this_programs_is_in_the_way() {
    let scene = Scene::new(&[]);
    let notes = scene.sandbox.path("ocean/T1m.zarr/sos/notes.txt");
    std::fs::write(notes, "mine").unwrap();
    let before = scene.tree();
    let refused = scene.delete(&["--array", "sos"]);
    assert_eq!(refused.code, 29, "{refused:#?}");
    assert!(
        refused.stderr.contains("T1m.zarr/sos/notes.txt"),
        "{refused:#?}"
    );
    assert!(scene.tree() == before);
    scene.delete(&["--array", "sos", "--force"]).well();
    assert!(!scene.sandbox.path("ocean/T1m.zarr/sos").exists());
    scene.run(&["rollback"]).well();
    assert!(scene.stores() == without_ledgers(before));
}

#[test]
fn arrays_of_several_stores_on_a_server_go_together() {
    let scene = Scene::new(&[]);
    let server = server();
    let credentials = scene.sandbox.credentials(&server);
    unpack_beside(&scene.sandbox, &server);
    let before = objects(&server);
    let run = |args: &[&str]| {
        let place = [
            "-b",
            "ocean",
            "-c",
            &credentials,
            "-p",
            "T1y",
            "-v",
            "bounds_lat",
            "bounds_lon",
        ];
        on_ranks(3, &[args, &place].concat())
    };
    // One of them has none of this name.
    let refused = run(&["delete", "--yes", "--array", "projected_bounds_lat"]);
    assert_eq!(refused.code, 27, "{refused:#?}");
    assert!(objects(&server) == before);
    let line = ["delete", "--yes", "--array", "projected_x"];
    assert_eq!(run(&line).code, 39);
    assert!(objects(&server) == before);
    let run = |args: &[&str]| {
        let place = [
            "-b",
            "ocean",
            "-c",
            &credentials,
            "-p",
            "T1y",
            "-v",
            "e3t",
            "thetao",
        ];
        on_ranks(3, &[args, &place].concat())
    };
    let done = run(&["delete", "--yes", "--array", "extra"]).well();
    for store in ["e3t", "thetao"] {
        let said = format!("T1y/{store}.zarr: array 'extra': 3 objects");
        assert!(done.stdout.contains(&said), "{said}: {done:#?}");
    }
    let left: Vec<String> = objects(&server)
        .into_keys()
        .filter(|key| key.contains(".zarr/extra/") && !key.contains(".msm-os/"))
        .collect();
    assert_eq!(left, [""; 0]);
    run(&["verify"]).well();
    run(&["rollback"]).well();
    assert!(objects(&server) == before);
}

/// Puts the stores of the Python tool on a server, two of them with an array more that nothing names.
fn unpack_beside(sandbox: &Sandbox, server: &s3_server::Server) {
    std::fs::rename(sandbox.path("ocean"), sandbox.path("other")).unwrap();
    unpack(sandbox, "msm-os-dev-create");
    let mut objects = sandbox.tree("ocean");
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
