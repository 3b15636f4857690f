//! Zarr version 2 and shards: created, extended, read back by stock readers, and kept as a store has them.

use std::process::Command;

use s3_server::{Fault, Rule};

use crate::line::msm_os;
use crate::support::{
    Ended, Sandbox, every_kind, objects, python_code, python_of, python_runs, reads_back, script,
    served, server, without_ledgers,
};
use crate::warm::end_warm;

/// Sends `files` with `flags`: alone or on three ranks.
fn send(sandbox: &Sandbox, ranks: usize, files: &str, bucket: &str, flags: &str) -> Ended {
    let url = sandbox.url(bucket);
    msm_os!("send -b {url} {flags} -f {files}").well_on(ranks)
}

#[test]
fn a_version_2_store_is_created_and_keeps_its_version() {
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        let files = [1, 3].map(|month| sandbox.months(month, 2));
        let chunks = r#"-v thetao -cs '{"time_counter": 3, "x": 17}'"#;
        let created = format!("{chunks} -zv 2");
        send(&sandbox, ranks, &files[0], "ocean", &created);
        sandbox.reads_back("ocean/T1m/thetao.zarr", &files[..1]);
        send(&sandbox, ranks, &files[1], "ocean", chunks);
        sandbox.reads_back("ocean/T1m/thetao.zarr", &files);
        let tree = sandbox.tree("ocean");
        assert!(tree.keys().all(|key| !key.ends_with("zarr.json")));
        assert!(tree.contains_key("T1m/thetao.zarr/thetao/1.0.0.2"));
        // The same in one go.
        send(&sandbox, 3, &files.join(" "), "at-once", &created);
        assert!(sandbox.stores("at-once") == sandbox.stores("ocean"));
    }
}

#[test]
fn every_codec_and_kind_of_number_in_version_2() {
    let sandbox = Sandbox::new();
    let files = every_kind(&sandbox);
    let mut stores = Vec::new();
    for (codec, variables) in [
        ("none", "packed nan holes"),
        ("zstd:3", "byte unsigned_long big_endian"),
        ("blosc:zstd:1:bitshuffle", "contiguous unsigned_byte series"),
    ] {
        let flags = format!("-zv 2 -p all --codec {codec} -v {variables}");
        for file in &files {
            send(&sandbox, 3, file, "ocean", &flags);
        }
        let of_codec = variables.split(' ');
        stores.extend(of_codec.map(|variable| format!("ocean/all/{variable}.zarr")));
    }
    sandbox.reads_back(&stores.join(","), &files);
    // And with zarr-python 2.18.
    let paths: Vec<String> = stores.iter().map(|store| sandbox.file(store)).collect();
    let mut command = Command::new(python_of("tests/.venv-zarr2"));
    command.arg(script("read_v2.py"));
    command.args(["time_counter", &paths.join(",")]);
    command.args(&files);
    assert!(end_warm(&command).well().stdout.starts_with("zarr 2.18"));
}

#[test]
fn zeros_are_stored_where_readers_would_not_know_them() {
    let sandbox = Sandbox::new();
    let file = sandbox.months(1, 1);
    let zeros = sandbox.edited(&file, "zeros_1m_grid_T.nc", |f| {
        let axes = ["time_counter", "y", "x"];
        let mut zeros = f.add_variable::<f32>("zeros", &axes).unwrap();
        zeros.put_values(&[0f32; 30 * 40], ..).unwrap();
    });
    for (version, key, stored) in [
        ("2", "T1m/zeros.zarr/zeros/0.0.0", true),
        ("3", "T1m/zeros.zarr/zeros/c/0/0/0", false),
    ] {
        let flags = format!("-v zeros -zv {version}");
        send(&sandbox, 1, &zeros, version, &flags);
        assert_eq!(sandbox.tree(version).contains_key(key), stored);
        sandbox.reads_back(&format!("{version}/T1m/zeros.zarr"), &[&zeros]);
    }
}

/// Writes `file` with xarray as the version 2 store of `tos`.
fn written_by_xarray(sandbox: &Sandbox, file: &str, kind: &str) {
    let store = sandbox.file(&format!("ocean/{kind}/tos.zarr"));
    let variables = [
        "tos",
        "time_counter",
        "time_counter_bounds",
        "time_centered",
        "time_centered_bounds",
        "nav_lat",
        "nav_lon",
        "bounds_lat",
        "bounds_lon",
    ];
    let args = [&[file, &store, kind][..], &variables].concat();
    python_runs(&script("write_v2.py"), &args);
}

#[test]
fn a_version_2_store_of_xarray_is_extended() {
    let sandbox = Sandbox::new();
    let files = [sandbox.months(1, 2), sandbox.months(3, 3)];
    for (kind, ranks) in [("plain", 3), ("big-endian", 1), ("default", 1)] {
        written_by_xarray(&sandbox, &files[0], kind);
        let flags = format!("-v tos -p {kind}");
        send(&sandbox, ranks, &files[1], "ocean", &flags);
        let script = "import sys, numpy, xarray as xr
found = xr.open_zarr(sys.argv[1], decode_times=False).tos
files = [xr.open_dataset(f, decode_times=False).tos for f in sys.argv[2:]]
numpy.testing.assert_array_equal(found, xr.concat(files, 'time_counter'))";
        let store = sandbox.file(&format!("ocean/{kind}/tos.zarr"));
        python_code(script, &[&store, &files[0], &files[1]]);
    }
    let tree = sandbox.tree("ocean");
    assert!(tree.keys().all(|key| !key.ends_with("zarr.json")));
    sandbox.reads_back("ocean/plain/tos.zarr", &files);
    let url = sandbox.url("ocean");
    for (kind, words) in [
        ("fortran", ["fortran/tos.zarr", "order \"F\""]),
        ("filters", ["'tos'", "shuffle"]),
    ] {
        written_by_xarray(&sandbox, &files[0], kind);
        let send = msm_os!("send -f {} -b {url} -v tos -p {kind}", files[1]);
        send.refused_in(&sandbox, 25, &words);
    }
}

#[test]
fn shards_are_filled_up() {
    let chunks = r#"-cs '{"time_counter": 1, "deptht": 2, "y": 10, "x": 16}'"#;
    let shards = r#"--shards '{"time_counter": 3, "deptht": 4, "y": 100, "x": 32}'"#;
    let flags = format!("-v thetao tos {chunks} {shards}");
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        let files = [1, 3].map(|month| sandbox.months(month, 2));
        for (i, file) in files.iter().enumerate() {
            send(&sandbox, ranks, file, "ocean", &flags);
            for variable in ["thetao", "tos"] {
                let store = format!("ocean/T1m/{variable}.zarr");
                sandbox.reads_back(&store, &files[..=i]);
            }
        }
        let tree = sandbox.stores("ocean");
        let shards = tree.keys().filter(|key| key.contains("/tos/c/"));
        assert_eq!(shards.count(), 4, "two of three steps each, in two columns");
        send(&sandbox, 3, &files.join(" "), "at-once", &flags);
        assert!(sandbox.stores("at-once") == sandbox.stores("ocean"));
        // Shards and chunks are kept without being asked for.
        let file = [sandbox.months(5, 1)];
        send(&sandbox, ranks, &file[0], "ocean", "-v tos");
        sandbox.reads_back("ocean/T1m/tos.zarr", &[&files[..], &file].concat());
    }
}

#[test]
fn what_contradicts_a_store_or_itself_is_refused() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let [first, second] = [1, 2].map(|month| sandbox.months(month, 1));
    let send = |file: &str, flags: &str| msm_os!("send -f {file} -b {url} -v tos {flags}");
    let shards = r#"-p shards -cs '{"x": 8, "y": 30}' --shards '{"x": 16}'"#;
    for flags in ["-p two -zv 2", "-p three", shards] {
        send(&first, flags).well();
    }
    let refused = |flags: &str, code, words: &[&str]| {
        send(&second, flags).refused_in(&sandbox, code, words);
    };
    let words = ["two/tos.zarr", "version 2", "asks for 3"];
    refused("-p two -zv 3", 28, &words);
    let words = ["three/tos.zarr", "version 3", "asks for 2"];
    refused("-p three -zv 2", 28, &words);
    let words = ["two/tos.zarr", "no shards"];
    refused(r#"-p two --shards '{"x": 40}'"#, 17, &words);
    let words = ["three/tos.zarr", "[1, 30, 40]"];
    refused(r#"-p three --shards '{"time_counter": 4}'"#, 17, &words);
    let words = ["keeps its shards", "[1, 30, 16]"];
    refused(r#"-p shards --shards '{"x": 24}'"#, 17, &words);
    let words = ["keeps its chunks", "[1, 30, 8]"];
    refused(r#"-p shards -cs '{"x": 16}'"#, 17, &words);
    let words = ["--shards", "version 2"];
    refused("-p new -zv 2 --shards {}", 2, &words);
    let words = ["--shards: 20 along 'x'", "'tos'", "8"];
    refused(r#"-p new -cs '{"x": 8}' --shards '{"x": 20}'"#, 17, &words);
    let words = ["--shards names the dimension 'lon'"];
    refused(r#"-p new --shards '{"lon": 20}'"#, 17, &words);
    // What a store has may be asked for.
    for flags in ["-p two -zv 2", shards] {
        send(&second, flags).well();
    }
}

#[test]
fn what_a_dead_create_of_version_2_left_is_no_hindrance() {
    let (sandbox, first, bucket) = served();
    let file = sandbox.months(1, 1);
    let send = |bucket: &str| msm_os!("send -f {file} -v tos -zv 2 {bucket}");
    send(&bucket).well_on(2);
    let clean = objects(&first);
    let server = server();
    let bucket = format!("-b ocean -c {}", sandbox.credentials(&server));
    let dead = clean.iter().filter(|(key, _)| !key.ends_with(".zmetadata"));
    for (key, bytes) in dead.filter(|(key, _)| !key.ends_with(".zgroup")) {
        server.put_object("ocean", key, bytes.clone());
    }
    for stale in ["tos/7.0.0", "tos/7/0/0"] {
        let key = format!("T1m/tos.zarr/{stale}");
        server.put_object("ocean", &key, b"stale".to_vec());
    }
    let ended = send(&bucket).well_on(2);
    ended.warns(&["of a send that died"]);
    assert!(without_ledgers(objects(&server)) == without_ledgers(clean.clone()));
    // With .zgroup but no .zmetadata it may be a whole store of another tool.
    let (_sandbox, other, bucket) = served();
    for (key, bytes) in clean.iter().filter(|(key, _)| !key.ends_with(".zmetadata")) {
        other.put_object("ocean", key, bytes.clone());
    }
    let before = objects(&other);
    send(&bucket).on(2).refused(25, &["no .zmetadata"]);
    assert!(objects(&other) == before);
}

#[test]
fn a_version_2_commit_that_fails_at_its_root_leaves_all_as_it_was() {
    let (sandbox, server, bucket) = served();
    let files = [1, 3].map(|month| sandbox.months(month, 2));
    let chunks = r#"-cs '{"time_counter": 3}'"#;
    for file in &files {
        let before = objects(&server);
        let rule = Rule::new(Fault::Status(403)).method("PUT");
        server.faults().add(rule.key_contains(".zmetadata"));
        let send = msm_os!("send -zv 2 -f {file} {bucket} -v tos {chunks}");
        send.on(3).refused(40, &[]);
        server.faults().clear();
        assert!(objects(&server) == before);
        send.well_on(3);
    }
    reads_back("s3://ocean/T1m/tos.zarr", Some(&server), &files);
}
