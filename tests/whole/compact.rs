//! One store for all variables.

use nemo_like::Spec;
use serde_json::Value;

use crate::support::{Sandbox, cut, on_ranks, reads_back};

const CHUNKS: &str = r#"{"time_counter": 2, "y": 7}"#;

fn halves(sandbox: &Sandbox) -> (String, [String; 2]) {
    let file = sandbox.source(&Spec {
        steps: 5,
        start: "1976-01-01".parse().unwrap(),
        ..Spec::default()
    });
    let half = |name: &str, steps: &str| cut(sandbox, &file, name, steps, &[]);
    let halves = [
        half("h1_1m_grid_T.nc", "0,1,2"),
        half("h2_1m_grid_T.nc", "3,4"),
    ];
    (file, halves)
}

#[test]
fn all_variables_in_one_store_that_grows_and_is_updated() {
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        let (file, halves) = halves(&sandbox);
        let url = sandbox.url("ocean");
        let place = ["-b", &url, "-v", "compact"];
        on_ranks(
            ranks,
            &[&["send", "-f", &halves[0], "-cs", CHUNKS][..], &place].concat(),
        )
        .well();
        on_ranks(ranks, &[&["send", "-f", &halves[1]][..], &place].concat()).well();
        let store = sandbox.path("ocean/T1m.zarr");
        let files = [file.clone()];
        reads_back(store.to_str().unwrap(), None, &files);
        let tree = sandbox.tree("ocean");
        assert!(
            tree.keys()
                .all(|k| k.starts_with("T1m.zarr/") || k.starts_with(".msm-os/")),
            "{:?}",
            tree.keys()
        );
        let root: Value = serde_json::from_slice(&tree["T1m.zarr/zarr.json"]).unwrap();
        let arrays = root["consolidated_metadata"]["metadata"]
            .as_object()
            .unwrap();
        for name in ["thetao", "so", "e3t", "tos", "sos", "zos", "time_counter"] {
            assert!(arrays.contains_key(name), "{name}");
        }
        // One variable of it, at two of its steps.
        let changed = cut(&sandbox, &file, "c_1m_grid_T.nc", "4,1", &["add=1"]);
        on_ranks(
            ranks,
            &["update", "-f", &changed, "-b", &url, "-v", "compact", "tos"],
        )
        .well();
        let after = sandbox.tree("ocean");
        for (key, bytes) in &tree {
            let expected = !key.contains("/tos/c/") && !key.starts_with(".msm-os/");
            assert!(
                !expected || after[key] == *bytes,
                "{key} is not of the variable"
            );
        }
        on_ranks(ranks, &[&["update", "-f", &changed][..], &place].concat()).well();
        let piece =
            |steps: &str, add: &str| cut(&sandbox, &file, &format!("p{steps}.nc"), steps, &[add]);
        let pieces = [
            piece("0", "add=0"),
            piece("1", "add=1"),
            piece("2,3", "add=0"),
            piece("4", "add=1"),
        ];
        reads_back(store.to_str().unwrap(), None, &pieces);
    }
}

#[test]
fn a_variable_that_is_missing_is_refused_and_a_new_one_added_only_when_asked() {
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        let (file, halves) = halves(&sandbox);
        let url = sandbox.url("ocean");
        let send = |file: &str, more: &[&str]| {
            let args = ["send", "-f", file, "-b", &url, "-p", "T1m", "-v", "compact"];
            on_ranks(ranks, &[&args[..], more].concat())
        };
        let without = cut(&sandbox, &halves[0], "without.nc", "0,1,2", &["drop=sos"]);
        send(&without, &["-cs", CHUNKS]).well();
        let before = sandbox.tree("ocean");
        let fewer = cut(
            &sandbox,
            &halves[1],
            "fewer.nc",
            "0,1",
            &["drop=tos", "drop=sos"],
        );
        let refused = send(&fewer, &[]);
        assert_eq!(refused.code, 26, "{refused:#?}");
        assert!(refused.stderr.contains("'tos'"), "{}", refused.stderr);
        let refused = send(&halves[1], &[]);
        assert_eq!(refused.code, 26, "{refused:#?}");
        for word in ["'sos'", "--add-variables"] {
            assert!(refused.stderr.contains(word), "{}", refused.stderr);
        }
        assert!(sandbox.tree("ocean") == before);
        send(&halves[1], &["--add-variables"]).well();
        let empty = cut(&sandbox, &halves[0], "empty.nc", "0,1,2", &["fill=sos"]);
        let store = sandbox.path("ocean/T1m.zarr");
        reads_back(store.to_str().unwrap(), None, &[empty, halves[1].clone()]);
        // What is missing at steps that are there can be added, too.
        let extra = cut(
            &sandbox,
            &file,
            "extra.nc",
            "0,1,2,3,4",
            &["copy=tos:again"],
        );
        send(&extra, &["--add-variables"]).well();
        let filled = cut(
            &sandbox,
            &file,
            "filled.nc",
            "0,1,2",
            &["copy=tos:again", "fill=sos"],
        );
        let rest = cut(&sandbox, &file, "rest.nc", "3,4", &["copy=tos:again"]);
        reads_back(store.to_str().unwrap(), None, &[filled, rest]);
    }
}
