//! Overwriting steps that a store has, and what becomes of steps that it has or lacks.

use nemo_like::Spec;
use s3_server::{Fault, Rule};

use crate::support::{Sandbox, alone, cut, every_kind, objects, on_ranks, reads_back, server};

/// Six months, and the store's first bytes: two steps a chunk, so that updates meet part of a chunk.
fn year(sandbox: &Sandbox) -> String {
    sandbox.source(&Spec {
        steps: 6,
        start: "1976-01-01".parse().unwrap(),
        ..Spec::default()
    })
}

const CHUNKS: &str = r#"{"time_counter": 4, "y": 7}"#;

#[track_caller]
fn holds(sandbox: &Sandbox, store: &str, files: &[String]) {
    reads_back(sandbox.path(store).to_str().unwrap(), None, files);
}

#[test]
fn any_steps_in_any_order_are_overwritten() {
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        let (file, url) = (year(&sandbox), sandbox.url("ocean"));
        on_ranks(ranks, &["send", "-f", &file, "-b", &url, "-cs", CHUNKS]).well();
        let before = sandbox.stores("ocean");
        // Not contiguous, not in order, in two files given the wrong way round.
        let changed = [
            cut(&sandbox, &file, "b_1m_grid_T.nc", "5,1", &["add=1"]),
            cut(&sandbox, &file, "a_1m_grid_T.nc", "3,2", &["add=2"]),
        ];
        let update = [
            "update",
            "-f",
            &changed[0],
            &changed[1],
            "-b",
            &url,
            "-v",
            "thetao",
            "tos",
        ];
        let ended = on_ranks(ranks, &update).well();
        assert!(
            ended.stdout.contains("0 steps appended, 4 replaced"),
            "{}",
            ended.stdout
        );
        let pieces = [("0", "0"), ("1", "1"), ("2,3", "2"), ("4", "0"), ("5", "1")];
        let expected: Vec<String> = pieces
            .iter()
            .map(|(steps, add)| {
                cut(
                    &sandbox,
                    &file,
                    &format!("expected-{steps}.nc"),
                    steps,
                    &[&format!("add={add}")],
                )
            })
            .collect();
        for variable in ["thetao", "tos"] {
            holds(&sandbox, &format!("ocean/T1m/{variable}.zarr"), &expected);
        }
        let after = sandbox.stores("ocean");
        let same = |key: &&String| !key.contains("thetao") && !key.contains("tos");
        for key in before.keys().filter(same) {
            assert!(before[key] == after[key], "{key} is another variable's");
        }
        assert!(
            !after.keys().any(|k| k.contains("/undo/")),
            "{:?}",
            after.keys()
        );
        // And back again: the very same bytes.
        on_ranks(ranks, &["update", "-f", &file, "-b", &url]).well();
        assert!(sandbox.stores("ocean") == before);
    }
}

#[test]
fn a_step_that_the_store_lacks_is_named_or_appended() {
    let (sandbox, server) = (Sandbox::new(), server());
    let credentials = sandbox.credentials(&server);
    let file = year(&sandbox);
    let place = ["-b", "ocean", "-c", &credentials, "-p", "T1m"];
    let first = cut(&sandbox, &file, "first.nc", "0,1,2", &[]);
    let send = ["send", "-f", &first, "-cs", CHUNKS, "-v", "thetao"];
    on_ranks(3, &[&send[..], &place].concat()).well();
    let before = objects(&server);
    let later = cut(&sandbox, &file, "later.nc", "2,3,4,5", &["add=1"]);
    let update = ["update", "-f", &later, "-v", "thetao"];
    for ranks in [1, 3] {
        let refused = on_ranks(ranks, &[&update[..], &place].concat());
        assert_eq!(refused.code, 24, "{refused:#?}");
        for word in [
            "does not have 3 of the 4 steps",
            "1976-04-16",
            "1976-06-16",
            "--append-missing",
        ] {
            assert!(refused.stderr.contains(word), "{word}: {}", refused.stderr);
        }
        assert!(objects(&server) == before);
    }
    on_ranks(3, &[&update[..], &place, &["--append-missing"]].concat()).well();
    let expected = [cut(&sandbox, &file, "kept.nc", "0,1", &[]), later];
    reads_back("s3://ocean/T1m/thetao.zarr", Some(&server), &expected);
}

#[test]
fn without_a_store_there_is_nothing_to_update() {
    let sandbox = Sandbox::new();
    let (file, url) = (year(&sandbox), sandbox.url("ocean"));
    alone(&["send", "-f", &file, "-b", &url, "-v", "tos"]).well();
    let before = sandbox.stores("ocean");
    for ranks in [1, 3] {
        let refused = on_ranks(
            ranks,
            &["update", "-f", &file, "-b", &url, "-v", "tos", "sos"],
        );
        assert_eq!(refused.code, 27, "{refused:#?}");
        assert!(
            refused.stderr.contains("'T1m/sos.zarr'"),
            "{}",
            refused.stderr
        );
        let none = on_ranks(
            ranks,
            &["update", "-f", &file, "-b", &url, "-p", "elsewhere"],
        );
        assert_eq!(none.code, 27, "{none:#?}");
        assert!(sandbox.stores("ocean") == before);
    }
    // Without -v, what has a store.
    let ended = on_ranks(3, &["update", "-f", &file, "-b", &url]).well();
    assert!(ended.stdout.contains("1 stores"), "{}", ended.stdout);
    assert!(sandbox.stores("ocean") == before);
}

#[test]
fn what_becomes_of_steps_that_are_there() {
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        let (file, url) = (year(&sandbox), sandbox.url("ocean"));
        let first = cut(&sandbox, &file, "first.nc", "0,1,2", &[]);
        let send = |file: &str, more: &[&str]| {
            let args = [
                "send", "-f", file, "-b", &url, "-p", "T1m", "-v", "tos", "-cs", CHUNKS,
            ];
            on_ranks(ranks, &[&args[..], more].concat())
        };
        send(&first, &[]).well();
        let before = sandbox.tree("ocean");
        let later = cut(&sandbox, &file, "later.nc", "1,2,3,4", &["add=1"]);
        for (file, more) in [
            (&later, &[][..]),
            (&later, &["--on-overlap", "error"]),
            (&first, &["--on-overlap", "error"]),
        ] {
            let refused = send(file, more);
            assert_eq!(refused.code, 24, "{refused:#?}");
            assert!(refused.stderr.contains("1976-02-15"), "{}", refused.stderr);
            assert!(sandbox.tree("ocean") == before);
        }
        for more in [&[][..], &["--on-overlap", "skip"]] {
            let skipped = send(&first, more).well();
            assert!(
                skipped.stdout.contains("nothing to do"),
                "{}",
                skipped.stdout
            );
            assert!(sandbox.tree("ocean") == before);
        }
        send(&later, &["--on-overlap", "skip"]).well();
        let kept = [
            first.clone(),
            cut(&sandbox, &file, "new.nc", "3,4", &["add=1"]),
        ];
        holds(&sandbox, "ocean/T1m/tos.zarr", &kept);
        let last = cut(&sandbox, &file, "last.nc", "1,4,5", &["add=3"]);
        send(&last, &["--on-overlap", "replace"]).well();
        let piece =
            |steps: &str, add: &str| cut(&sandbox, &file, &format!("p{steps}.nc"), steps, &[add]);
        let replaced = [
            piece("0", "add=0"),
            piece("1", "add=3"),
            piece("2", "add=0"),
            piece("3", "add=1"),
            piece("4,5", "add=3"),
        ];
        holds(&sandbox, "ocean/T1m/tos.zarr", &replaced);
    }
}

#[test]
fn a_static_variable_is_overwritten_whole() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let files = every_kind(&sandbox);
    let place = ["-b", &url, "-p", "all", "-v", "fixed"];
    on_ranks(3, &[&["send", "-f", &files[0]][..], &place].concat()).well();
    let changed = sandbox.path("changed.nc").to_str().unwrap().to_owned();
    std::fs::copy(&files[0], &changed).unwrap();
    crate::support::quietly(|| {
        let mut file = netcdf::append(&changed).unwrap();
        file.variable_mut("fixed")
            .unwrap()
            .put_value(-7f32, [3, 4])
            .unwrap();
    });
    let refused = on_ranks(3, &[&["send", "-f", &changed][..], &place].concat());
    assert_eq!(refused.code, 22, "{refused:#?}");
    on_ranks(3, &[&["update", "-f", &changed][..], &place].concat()).well();
    holds(&sandbox, "ocean/all/fixed.zarr", &[changed]);
}

#[test]
fn an_update_that_fails_leaves_all_as_it_was() {
    let (sandbox, server) = (Sandbox::new(), server());
    let credentials = sandbox.credentials(&server);
    let file = year(&sandbox);
    let first = cut(&sandbox, &file, "first.nc", "0,1,2,3,4", &[]);
    let place = [
        "-b",
        "ocean",
        "-c",
        &credentials,
        "-p",
        "T1m",
        "-v",
        "thetao",
    ];
    let send = ["send", "-f", &first, "-cs", CHUNKS];
    on_ranks(3, &[&send[..], &place].concat()).well();
    let before = objects(&server);
    // Whole chunks and parts of chunks are overwritten, and a step is appended, when the server refuses an object.
    let changed = cut(&sandbox, &file, "changed.nc", "0,1,2,3,5", &["add=1"]);
    let update = ["update", "-f", &changed, "--append-missing"];
    for (ranks, key) in [
        (3, "/thetao/c/0/0/1/0"),
        (3, "/thetao/c/1/0/2/0"),
        (1, "/thetao/zarr.json"),
        (3, "thetao.zarr/zarr.json"),
    ] {
        let rule = Rule::new(Fault::Status(403)).method("PUT");
        server.faults().add(rule.key_contains(key));
        let failed = on_ranks(ranks, &[&update[..], &place].concat());
        assert_eq!(failed.code, 40, "{key}: {failed:#?}");
        assert!(failed.stderr.contains("rolled back"), "{}", failed.stderr);
        server.faults().clear();
        assert!(objects(&server) == before, "{key}");
    }
    on_ranks(3, &[&update[..], &place].concat()).well();
    let kept = cut(&sandbox, &file, "kept.nc", "4", &[]);
    let pieces = [("0,1,2,3", "b.nc"), ("5", "a.nc")]
        .map(|(steps, name)| cut(&sandbox, &file, name, steps, &["add=1"]));
    let expected = [pieces[0].clone(), kept, pieces[1].clone()];
    reads_back("s3://ocean/T1m/thetao.zarr", Some(&server), &expected);
}
