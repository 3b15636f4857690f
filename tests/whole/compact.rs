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
        // The store says which steps are missing because they were never sent.
        let never = "set=sos:steps_never_sent:0-2";
        let empty = cut(
            &sandbox,
            &halves[0],
            "empty.nc",
            "0,1,2",
            &["fill=sos", never],
        );
        let store = sandbox.path("ocean/T1m.zarr");
        reads_back(store.to_str().unwrap(), None, &[empty, halves[1].clone()]);
        // What is missing at steps that are there can be added, too; and what was missing before is no more.
        let extra = cut(
            &sandbox,
            &file,
            "extra.nc",
            "0,1,2,3,4",
            &["copy=tos:again"],
        );
        send(&extra, &["--add-variables"]).well();
        reads_back(store.to_str().unwrap(), None, &[extra]);
    }
}

/// Files of two, one and two months, with all variables and with two of them dropped.
fn with_and_without(sandbox: &Sandbox) -> [Vec<String>; 2] {
    let (file, _) = halves(sandbox);
    [("with", &[][..]), ("without", &["drop=sos", "drop=thetao"])].map(|(name, options)| {
        let each = ["0,1", "2", "3,4"].into_iter().enumerate();
        each.map(|(i, steps)| {
            let name = format!("{name}{i}_1m_grid_T.nc");
            cut(sandbox, &file, &name, steps, options)
        })
        .collect()
    })
}

#[test]
fn variables_that_are_added_get_all_steps_that_the_files_have() {
    for (ranks, version, chunks) in [
        (1, "3", r#"{"time_counter": 1}"#),
        (3, "2", CHUNKS),
        (1, "3", r#"{"time_counter": 12, "y": 7}"#),
    ] {
        let sandbox = Sandbox::new();
        let [with, without] = with_and_without(&sandbox);
        let url = sandbox.url("ocean");
        let send = |prefix: &str, files: &[String], more: &[&str]| {
            let args = ["send", "-b", &url, "-p", prefix, "-v", "compact", "-f"];
            let files: Vec<&str> = files.iter().map(String::as_str).collect();
            on_ranks(ranks, &[&args[..], &files, more].concat())
        };
        let store = |prefix: &str| {
            let store = sandbox.path(&format!("ocean/{prefix}.zarr"));
            store.to_str().unwrap().to_owned()
        };
        let create = ["-zv", version, "-cs", chunks];
        let (add, chunked) = ("--add-variables", ["-cs", chunks]);
        // All files in one command.
        send("once", &without, &create).well();
        let added = send("once", &with, &[&chunked[..], &[add]].concat()).well();
        assert!(!added.stdout.contains("nothing to do"), "{added:#?}");
        reads_back(&store("once"), None, &with);
        // File by file; the last one is new to the store, the others' steps it has.
        send("each", &without[..2], &create).well();
        let first = send("each", &with[..1], &[&chunked[..], &[add]].concat()).well();
        for word in ["'thetao'", "2 of its 3 steps", "steps_never_sent"] {
            assert!(first.stdout.contains(word), "{first:#?}");
        }
        let partly = sandbox.stores("ocean");
        let again = send("each", &with[..1], &[add]).well();
        assert!(again.stdout.contains("nothing to do"), "{again:#?}");
        assert!(sandbox.stores("ocean") == partly);
        let second = send("each", &with[1..2], &[]).well();
        let said = "get steps there that were never sent to them";
        assert!(second.stdout.contains(said), "{second:#?}");
        reads_back(&store("each"), None, &with[..2]);
        let third = send("each", &with, &[]).well();
        let said = "2 of 3 files are there already";
        assert!(third.stdout.contains(said), "{third:#?}");
        reads_back(&store("each"), None, &with);
        // What was never sent can be sent by an update, too; and undone.
        send("other", &without, &create).well();
        send("other", &with[1..], &[&chunked[..], &[add]].concat()).well();
        let before = sandbox.stores("ocean");
        let update = ["update", "-b", &url, "-p", "other", "-v", "compact"];
        let update = [&update[..], &["-f", &with[0]]].concat();
        on_ranks(ranks, &update).well();
        reads_back(&store("other"), None, &with);
        let back = ["rollback", "-b", &url, "-p", "other", "-v", "compact"];
        on_ranks(ranks, &back).well();
        assert!(sandbox.stores("ocean") == before);
        let rest = send("other", &with, &[]).well();
        assert!(rest.stdout.contains("2 of 3 files are there"), "{rest:#?}");
        reads_back(&store("other"), None, &with);
        assert!(
            send("other", &with, &[])
                .well()
                .stdout
                .contains("nothing to do")
        );
    }
}

#[test]
fn a_store_that_says_what_it_cannot_lack_is_refused() {
    let sandbox = Sandbox::new();
    let (file, _) = halves(&sandbox);
    let url = sandbox.url("ocean");
    let send = ["send", "-f", &file, "-b", &url, "-v", "compact", "tos"];
    on_ranks(1, &send).well();
    let root = sandbox.path("ocean/T1m.zarr/zarr.json");
    let whole = std::fs::read_to_string(&root).unwrap();
    for wrong in ["\"0-5\"", "\"all\"", "[0,2]"] {
        let name = "\"cell_methods\":";
        let changed = format!("\"steps_never_sent\":{wrong},{name}");
        let text = whole.replacen(name, &changed, 1);
        assert_ne!(text, whole);
        std::fs::write(&root, text).unwrap();
        let refused = on_ranks(1, &send);
        assert_eq!(refused.code, 25, "{refused:#?}");
        for word in ["T1m.zarr", "steps_never_sent", wrong] {
            assert!(refused.stderr.contains(word), "{word}: {refused:#?}");
        }
    }
}
