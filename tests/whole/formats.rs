//! Zarr version 2 and shards: created, extended, read back by stock readers, and kept as a store has them.

use std::path::Path;
use std::process::Command;

use nemo_like::Spec;
use s3_server::{Fault, Rule};

use crate::refusals::{edited, refused};
use crate::support::{
    Ended, Sandbox, alone, end, every_kind, objects, on_ranks, python, python_of, reads_back,
    server, without_ledgers,
};

fn months(sandbox: &Sandbox, from: u32, count: usize) -> String {
    let start = format!("1976-{from:02}-01").parse().unwrap();
    sandbox.source(&Spec {
        steps: count,
        start,
        ..Spec::default()
    })
}

/// Sends `file` with `flags`: alone or on three ranks.
fn send(sandbox: &Sandbox, ranks: usize, files: &[&str], bucket: &str, flags: &[&str]) -> Ended {
    let url = sandbox.url(bucket);
    let args = [&["send", "-b", &url][..], flags, &["-f"], files].concat();
    match ranks {
        1 => alone(&args),
        _ => on_ranks(ranks, &args),
    }
}

fn reads(sandbox: &Sandbox, store: &str, files: &[String]) {
    reads_back(sandbox.path(store).to_str().unwrap(), None, files);
}

#[test]
fn a_version_2_store_is_created_and_keeps_its_version() {
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        let files = [months(&sandbox, 1, 2), months(&sandbox, 3, 2)];
        let chunks = ["-v", "thetao", "-cs", r#"{"time_counter": 3, "x": 17}"#];
        let created = [&chunks[..], &["-zv", "2"]].concat();
        send(&sandbox, ranks, &[&files[0]], "ocean", &created).well();
        reads(&sandbox, "ocean/T1m/thetao.zarr", &files[..1]);
        send(&sandbox, ranks, &[&files[1]], "ocean", &chunks).well();
        reads(&sandbox, "ocean/T1m/thetao.zarr", &files);
        let tree = sandbox.tree("ocean");
        assert!(tree.keys().all(|key| !key.ends_with("zarr.json")));
        assert!(tree.contains_key("T1m/thetao.zarr/thetao/1.0.0.2"));
        // The same in one go.
        let both = [&files[0][..], &files[1]];
        send(&sandbox, 3, &both, "at-once", &created).well();
        assert!(sandbox.stores("at-once") == sandbox.stores("ocean"));
    }
}

#[test]
fn every_codec_and_kind_of_number_in_version_2() {
    let sandbox = Sandbox::new();
    let files = every_kind(&sandbox);
    let mut stores = Vec::new();
    for (codec, variables) in [
        ("none", ["packed", "nan", "holes"]),
        ("zstd:3", ["byte", "unsigned_long", "big_endian"]),
        (
            "blosc:zstd:1:bitshuffle",
            ["contiguous", "unsigned_byte", "series"],
        ),
    ] {
        let flags = ["-zv", "2", "-p", "all", "--codec", codec, "-v"];
        for file in &files {
            send(
                &sandbox,
                3,
                &[file],
                "ocean",
                &[&flags[..], &variables].concat(),
            )
            .well();
        }
        for variable in variables {
            let store = sandbox.path(&format!("ocean/all/{variable}.zarr"));
            stores.push(store.to_str().unwrap().to_owned());
        }
    }
    reads_back(&stores.join(","), None, &files);
    // And with zarr-python 2.18.
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/read_v2.py");
    let mut command = Command::new(python_of("tests/.venv-zarr2"));
    command
        .arg(script)
        .args(["time_counter", &stores.join(",")])
        .args(&files);
    assert!(end(command).well().stdout.starts_with("zarr 2.18"));
}

#[test]
fn zeros_are_stored_where_readers_would_not_know_them() {
    let sandbox = Sandbox::new();
    let file = months(&sandbox, 1, 1);
    let zeros = edited(&sandbox, "zeros_1m_grid_T.nc", &file, |f| {
        let mut zeros = f
            .add_variable::<f32>("zeros", &["time_counter", "y", "x"])
            .unwrap();
        zeros.put_values(&[0f32; 30 * 40], ..).unwrap();
    });
    for (version, key, stored) in [
        ("2", "T1m/zeros.zarr/zeros/0.0.0", true),
        ("3", "T1m/zeros.zarr/zeros/c/0/0/0", false),
    ] {
        send(
            &sandbox,
            1,
            &[&zeros],
            version,
            &["-v", "zeros", "-zv", version],
        )
        .well();
        assert_eq!(sandbox.tree(version).contains_key(key), stored);
        let files = std::slice::from_ref(&zeros);
        reads(&sandbox, &format!("{version}/T1m/zeros.zarr"), files);
    }
}

/// Writes `file` with xarray as the version 2 store of `tos`.
fn written_by_xarray(sandbox: &Sandbox, file: &str, kind: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/write_v2.py");
    let mut command = Command::new(python());
    let store = sandbox.path("ocean").join(kind).join("tos.zarr");
    command.arg(script).arg(file).arg(store).arg(kind).args([
        "tos",
        "time_counter",
        "time_counter_bounds",
        "time_centered",
        "time_centered_bounds",
        "nav_lat",
        "nav_lon",
        "bounds_lat",
        "bounds_lon",
    ]);
    end(command).well();
}

#[test]
fn a_version_2_store_of_xarray_is_extended() {
    let sandbox = Sandbox::new();
    let files = [months(&sandbox, 1, 2), months(&sandbox, 3, 3)];
    for (kind, ranks) in [("plain", 3), ("big-endian", 1), ("default", 1)] {
        written_by_xarray(&sandbox, &files[0], kind);
        let flags = ["-v", "tos", "-p", kind];
        send(&sandbox, ranks, &[&files[1]], "ocean", &flags).well();
        let script = "import sys, numpy, xarray as xr
found = xr.open_zarr(sys.argv[1], decode_times=False).tos
files = [xr.open_dataset(f, decode_times=False).tos for f in sys.argv[2:]]
numpy.testing.assert_array_equal(found, xr.concat(files, 'time_counter'))";
        let mut command = Command::new(python());
        let store = sandbox.path("ocean").join(kind).join("tos.zarr");
        command.args(["-c", script]).arg(store).args(&files);
        end(command).well();
    }
    let tree = sandbox.tree("ocean");
    assert!(tree.keys().all(|key| !key.ends_with("zarr.json")));
    reads(&sandbox, "ocean/plain/tos.zarr", &files);
    for (kind, words) in [
        ("fortran", ["fortran/tos.zarr", "order \"F\""]),
        ("filters", ["'tos'", "shuffle"]),
    ] {
        written_by_xarray(&sandbox, &files[0], kind);
        let url = sandbox.url("ocean");
        let args = ["send", "-f", &files[1], "-b", &url, "-v", "tos", "-p", kind];
        refused(&sandbox, 25, &words, &args);
    }
}

#[test]
fn shards_are_filled_up() {
    let flags = [
        "-v",
        "thetao",
        "tos",
        "-cs",
        r#"{"time_counter": 1, "deptht": 2, "y": 10, "x": 16}"#,
        "--shards",
        r#"{"time_counter": 3, "deptht": 4, "y": 100, "x": 32}"#,
    ];
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        let files = [months(&sandbox, 1, 2), months(&sandbox, 3, 2)];
        for (i, file) in files.iter().enumerate() {
            send(&sandbox, ranks, &[file], "ocean", &flags).well();
            for variable in ["thetao", "tos"] {
                reads(
                    &sandbox,
                    &format!("ocean/T1m/{variable}.zarr"),
                    &files[..=i],
                );
            }
        }
        let tree = sandbox.stores("ocean");
        let shards = tree.keys().filter(|key| key.contains("/tos/c/"));
        assert_eq!(shards.count(), 4, "two of three steps each, in two columns");
        let both = [&files[0][..], &files[1]];
        send(&sandbox, 3, &both, "at-once", &flags).well();
        assert!(sandbox.stores("at-once") == sandbox.stores("ocean"));
        // Shards and chunks are kept without being asked for.
        let file = months(&sandbox, 5, 1);
        send(&sandbox, ranks, &[&file], "ocean", &["-v", "tos"]).well();
        let files = [&files[..], &[file]].concat();
        reads(&sandbox, "ocean/T1m/tos.zarr", &files);
    }
}

#[test]
fn what_contradicts_a_store_or_itself_is_refused() {
    let sandbox = Sandbox::new();
    let files = [months(&sandbox, 1, 1), months(&sandbox, 2, 1)];
    let made = |flags: &[&str]| {
        send(
            &sandbox,
            1,
            &[&files[0]],
            "ocean",
            &[flags, &["-v", "tos"]].concat(),
        )
        .well();
    };
    made(&["-p", "two", "-zv", "2"]);
    made(&["-p", "three"]);
    let sizes = ["-cs", r#"{"x": 8, "y": 30}"#, "--shards", r#"{"x": 16}"#];
    made(&[&["-p", "shards"][..], &sizes].concat());
    let url = sandbox.url("ocean");
    let cases: [(i32, &[&str], &[&str]); 9] = [
        (
            28,
            &["two/tos.zarr", "version 2", "asks for 3"],
            &["-p", "two", "-zv", "3"],
        ),
        (
            28,
            &["three/tos.zarr", "version 3", "asks for 2"],
            &["-p", "three", "-zv", "2"],
        ),
        (
            17,
            &["two/tos.zarr", "no shards"],
            &["-p", "two", "--shards", r#"{"x": 40}"#],
        ),
        (
            17,
            &["three/tos.zarr", "[1, 30, 40]"],
            &["-p", "three", "--shards", r#"{"time_counter": 4}"#],
        ),
        (
            17,
            &["keeps its shards", "[1, 30, 16]"],
            &["-p", "shards", "--shards", r#"{"x": 24}"#],
        ),
        (
            17,
            &["keeps its chunks", "[1, 30, 8]"],
            &["-p", "shards", "-cs", r#"{"x": 16}"#],
        ),
        (
            2,
            &["--shards", "version 2"],
            &["-p", "new", "-zv", "2", "--shards", "{}"],
        ),
        (
            17,
            &["--shards: 20 along 'x'", "'tos'", "8"],
            &[
                "-p",
                "new",
                "-cs",
                r#"{"x": 8}"#,
                "--shards",
                r#"{"x": 20}"#,
            ],
        ),
        (
            17,
            &["--shards names the dimension 'lon'"],
            &["-p", "new", "--shards", r#"{"lon": 20}"#],
        ),
    ];
    for (code, words, flags) in cases {
        let args = [
            &["send", "-f", &files[1], "-b", &url, "-v", "tos"][..],
            flags,
        ]
        .concat();
        refused(&sandbox, code, words, &args);
    }
    // What a store has may be asked for.
    for flags in [
        &["-p", "two", "-zv", "2"][..],
        &[&["-p", "shards"][..], &sizes].concat(),
    ] {
        let flags = [flags, &["-v", "tos"]].concat();
        send(&sandbox, 1, &[&files[1]], "ocean", &flags).well();
    }
}

#[test]
fn what_a_dead_create_of_version_2_left_is_no_hindrance() {
    let (sandbox, server) = (Sandbox::new(), server());
    let credentials = sandbox.credentials(&server);
    let file = months(&sandbox, 1, 1);
    let send = [
        "send", "-f", &file, "-b", "ocean", "-v", "tos", "-zv", "2", "-c",
    ];
    on_ranks(2, &[&send[..], &[&credentials]].concat()).well();
    let clean = objects(&server);
    let server = crate::support::server();
    let credentials = sandbox.credentials(&server);
    let dead = clean.iter().filter(|(key, _)| !key.ends_with(".zmetadata"));
    for (key, bytes) in dead.filter(|(key, _)| !key.ends_with(".zgroup")) {
        server.put_object("ocean", key, bytes.clone());
    }
    for stale in ["tos/7.0.0", "tos/7/0/0"] {
        let key = format!("T1m/tos.zarr/{stale}");
        server.put_object("ocean", &key, b"stale".to_vec());
    }
    let args = [&send[..], &[&credentials]].concat();
    let ended = on_ranks(2, &args).well();
    assert!(ended.stderr.contains("of a send that died"), "{ended:#?}");
    assert!(without_ledgers(objects(&server)) == without_ledgers(clean.clone()));
    // With .zgroup but no .zmetadata it may be a whole store of another tool.
    let other = crate::support::server();
    let credentials = sandbox.credentials(&other);
    for (key, bytes) in clean.iter().filter(|(key, _)| !key.ends_with(".zmetadata")) {
        other.put_object("ocean", key, bytes.clone());
    }
    let before = objects(&other);
    let ended = on_ranks(2, &[&send[..], &[&credentials]].concat());
    assert_eq!(ended.code, 25, "{ended:#?}");
    assert!(ended.stderr.contains("no .zmetadata"), "{ended:#?}");
    assert!(objects(&other) == before);
}

#[test]
fn a_version_2_commit_that_fails_at_its_root_leaves_all_as_it_was() {
    let (sandbox, server) = (Sandbox::new(), server());
    let credentials = sandbox.credentials(&server);
    let files = [months(&sandbox, 1, 2), months(&sandbox, 3, 2)];
    let chunks = r#"{"time_counter": 3}"#;
    let flags = [
        "-b",
        "ocean",
        "-v",
        "tos",
        "-cs",
        chunks,
        "-c",
        &credentials,
    ];
    for file in &files {
        let before = objects(&server);
        let rule = Rule::new(Fault::Status(403)).method("PUT");
        server.faults().add(rule.key_contains(".zmetadata"));
        let args = [&["send", "-zv", "2", "-f", file][..], &flags].concat();
        let ended = on_ranks(3, &args);
        server.faults().clear();
        assert_eq!(ended.code, 40, "{ended:#?}");
        assert!(objects(&server) == before);
        on_ranks(3, &args).well();
    }
    reads_back("s3://ocean/T1m/tos.zarr", Some(&server), &files);
}
