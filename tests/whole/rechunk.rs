//! `rechunk`: stores made anew at another place, in other chunks, shards, codecs or of the other version, with the same data.

use std::collections::BTreeMap;
use std::sync::Arc;

use s3_server::{Go, Server, When};
use serde_json::Value;

use crate::line::msm_os;
use crate::support::{
    Sandbox, every_kind, is_tidy, objects, python_runs, reads_back, script, served, server,
};

const BOTH: [&str; 2] = ["tos.zarr", "thetao.zarr"];

/// Stock readers see the same in both stores of the sandbox.
#[track_caller]
fn same(sandbox: &Sandbox, one: &str, other: &str) {
    let stores = [one, other].map(|store| sandbox.file(&format!("ocean/{store}")));
    python_runs(&script("same_stores.py"), &stores);
}

/// What a document of the sandbox says.
fn document(sandbox: &Sandbox, path: &str) -> Value {
    let text = std::fs::read(sandbox.path(&format!("ocean/{path}"))).unwrap();
    serde_json::from_slice(&text).unwrap()
}

/// Those whose keys begin so.
fn below(objects: &BTreeMap<String, Vec<u8>>, prefix: &str) -> BTreeMap<String, Vec<u8>> {
    let below = objects.iter().filter(|(key, _)| key.starts_with(prefix));
    below
        .map(|(key, bytes)| (key.clone(), bytes.clone()))
        .collect()
}

#[test]
fn what_is_made_anew_is_the_same_data_and_goes_on() {
    let shards = r#"-cs '{"time_counter": 1, "y": 10}' --shards '{"time_counter": 2, "y": 20}'"#;
    for (made, cut, ranks) in [
        ("", r#"-cs '{"time_counter": 3, "x": 7}'"#, 3),
        ("", r#"-zv 2 -cs '{"time_counter": 2}'"#, 1),
        ("-zv 2", "-zv 3 --codec zstd:3", 3),
        ("", r#"--shards '{"time_counter": 4}'"#, 3),
        (shards, r#"--shards '{}' -cs '{"y": 7}'"#, 3),
        (shards, "-zv 2", 1),
    ] {
        let (sandbox, server, bucket) = served();
        let directory = format!("-b {}", sandbox.url("ocean"));
        let files = [1, 3, 5].map(|month| sandbox.months(month, 2));
        let [first, second, third] = &files;
        for place in [&bucket, &directory] {
            for file in [first, second] {
                msm_os!("send -f {file} {place} -v tos,thetao {made}").well();
            }
            let line = msm_os!("rechunk {place} -p T1m --to new/T1m {cut}");
            let told = line.and("--dry-run").well_on(ranks);
            told.says(&["T1m/tos.zarr → new/T1m/tos.zarr", "would rechunk: 2 stores"]);
            let done = line.well_on(ranks);
            done.says(&["T1m/tos.zarr → new/T1m/tos.zarr", "rechunked: 2 stores"]);
            let new = format!("{place} -p new/T1m");
            msm_os!("verify {new} --against {first} {second}").well_on(ranks);
            msm_os!("list {new}")
                .well()
                .says(&["transaction 1: rechunk, 4 steps"]);
        }
        let before = objects(&server);
        is_tidy(&server);
        // The same again compares.
        let again = msm_os!("rechunk {bucket} -p T1m --to new/T1m {cut}");
        again.and("--dry-run --exit-nothing").well().says(&[
            "new/T1m/tos.zarr: 9 arrays, there already",
            "not compared: 2 stores",
        ]);
        let told = again.well_on(ranks);
        told.says(&["nothing to do: all 2 stores are there already, with the same values"]);
        assert!(objects(&server) == before, "{cut}");
        for store in BOTH {
            same(
                &sandbox,
                &format!("T1m/{store}"),
                &format!("new/T1m/{store}"),
            );
        }
        reads_back("s3://ocean/new/T1m/tos.zarr", Some(&server), &files[..2]);
        // It goes on as any store does, and the one that it was made of stays as it was.
        let new = format!("{bucket} -p new/T1m");
        msm_os!("send -f {third} {new} -v tos,thetao").well_on(ranks);
        reads_back("s3://ocean/new/T1m/tos.zarr", Some(&server), &files);
        msm_os!("verify {new}").well();
        assert!(
            below(&objects(&server), "T1m/") == below(&before, "T1m/"),
            "{cut}"
        );
        msm_os!("rollback {new}").well();
        msm_os!("verify {new} --against {first} {second}").well();
        msm_os!("rollback {new}").well();
        assert!(below(&objects(&server), "new/T1m/t").is_empty(), "{cut}");
        assert!(
            below(&objects(&server), "T1m/") == below(&before, "T1m/"),
            "{cut}"
        );
    }
}

#[test]
fn a_store_of_all_variables_is_cut_as_asked_and_keeps_the_rest() {
    let sandbox = Sandbox::new();
    let place = format!("-b {}", sandbox.url("ocean"));
    let file = sandbox.months(1, 3);
    msm_os!("send -f {file} {place} -v compact").well();
    let chunks = r#"-cs '{"time_counter": 3, "deptht": 1}'"#;
    msm_os!("rechunk {place} -p T1m -v compact --to new {chunks}").well_on(3);
    msm_os!("rechunk {place} --store T1m.zarr --to other/ocean {chunks} --codec none").well();
    for store in ["new.zarr", "other/ocean"] {
        same(&sandbox, "T1m.zarr", store);
        let chunk = |array: &str| {
            let document = document(&sandbox, &format!("{store}/{array}/zarr.json"));
            document["chunk_grid"]["configuration"]["chunk_shape"].clone()
        };
        assert_eq!(chunk("thetao"), serde_json::json!([3, 1, 30, 40]));
        assert_eq!(chunk("tos"), serde_json::json!([3, 30, 40]));
        // As a send would have it: small coordinates and the grid are not cut.
        assert_eq!(chunk("time_counter"), serde_json::json!([16384]));
        assert_eq!(chunk("nav_lat"), serde_json::json!([30, 40]));
    }
    let old = document(&sandbox, "T1m.zarr/tos/zarr.json");
    let mut new = document(&sandbox, "new.zarr/tos/zarr.json");
    new["chunk_grid"] = old["chunk_grid"].clone();
    assert_eq!(new, old);
    sandbox.reads_back("ocean/new.zarr", &[&file]);
}

/// Types, texts, scalars, dimensions of no length, and what stands for missing values.
#[test]
fn every_kind_of_array_is_made_anew() {
    let sandbox = Sandbox::new();
    let place = format!("-b {}", sandbox.url("ocean"));
    let files = every_kind(&sandbox);
    let all = files.join(" ");
    for (version, other) in [("3", "2"), ("2", "3")] {
        let from = format!("v{version}");
        msm_os!("send -f {all} {place} -p {from} -v compact -zv {version}").well();
        for (to, cut) in [
            ("same", r#"-cs '{"time_counter": 3, "x": 4}'"#.to_owned()),
            ("other", format!("-zv {other} --codec zstd:1")),
        ] {
            let to = format!("{to}/{from}");
            msm_os!("rechunk {place} -p {from} -v compact --to {to} {cut}").well_on(3);
            msm_os!("verify {place} -p {to} -v compact --against {all}").well();
            sandbox.reads_back(&format!("ocean/{to}.zarr"), &files);
            same(&sandbox, &format!("{from}.zarr"), &format!("{to}.zarr"));
        }
    }
}

#[test]
fn stores_of_other_programs_are_made_anew() {
    for name in ["msm-os-dev-create", "msm-os-202401-create", "ods-v3-append"] {
        let sandbox = Sandbox::new();
        sandbox.unpack(name, "ocean");
        let place = format!("-b {}", sandbox.url("ocean"));
        let roots = sandbox.tree("ocean").into_iter().filter_map(|(key, text)| {
            let (store, name) = key.rsplit_once('/')?;
            let text = String::from_utf8(text).ok()?;
            let is_root =
                name == ".zmetadata" || name == "zarr.json" && text.contains("consolidated");
            is_root.then(|| store.to_owned())
        });
        let roots: Vec<String> = roots.collect();
        assert!(!roots.is_empty(), "{name}");
        for root in roots {
            for version in ["2", "3"] {
                let to = format!("new{version}/{root}");
                let line = msm_os!("rechunk {place} --store {root} --to {to} -zv {version}");
                line.well_on(3);
                same(&sandbox, &root, &to);
                msm_os!("verify {place} --store {to}").well();
            }
        }
    }
}

#[test]
fn what_cannot_be_made_is_refused_and_nothing_changes() {
    let sandbox = Sandbox::new();
    let place = format!("-b {}", sandbox.url("ocean"));
    let file = sandbox.months(1, 2);
    let shards = r#"-cs '{"y": 10}' --shards '{"y": 20}'"#;
    msm_os!("send -f {file} {place} -v tos").well();
    msm_os!("send -f {file} {place} -p sharded -v tos {shards}").well();
    let chunks = r#"-cs '{"time_counter": 2}'"#;
    msm_os!("send -f {file} {place} -p taken -v tos {chunks}").well();
    let tree = [
        sandbox.file("ocean/tree.zarr"),
        "3".to_owned(),
        crate::support::input(1976),
    ];
    python_runs(&script("write_tree.py"), &tree);
    for (flags, code, words) in [
        ("-p T1m", 2, &["--to"][..]),
        ("--to new", 2, &["--prefix", "--store"]),
        ("-p T1m --to T1m", 2, &["where the stores are"]),
        (
            "-p T1m --to taken",
            51,
            &["'taken/tos.zarr' is there already"],
        ),
        ("-p none --to new", 27, &["none"]),
        ("-p T1m -v sos --to new", 27, &["sos"]),
        ("-p T1m --to new -cs '{'", 17, &["--chunk_strategy"]),
        (
            r#"-p T1m --to new -cs '{"z": 1}'"#,
            17,
            &["'z'", "'time_counter'"],
        ),
        (
            r#"-p T1m --to new --shards '{"y": 7}'"#,
            17,
            &["--shards", "whole multiple"],
        ),
        (
            r#"-p T1m --to new -zv 2 --shards '{"y": 60}'"#,
            2,
            &["--shards"],
        ),
        (
            r#"-p sharded --to new -cs '{"y": 7}'"#,
            17,
            &["shards of [1, 20, 40]", "--shards"],
        ),
        ("-p T1m --to new --codec gzip", 2, &["--codec gzip"]),
        ("-p T1m --to new --memory 1M", 19, &["--memory"]),
        (
            "--store tree.zarr --to new.zarr",
            25,
            &["hierarchy", "gridT"],
        ),
    ] {
        msm_os!("rechunk {place} {flags}").refused_in(&sandbox, code, words);
    }
}

/// What is not what the manifest says is not passed on with a new one.
#[test]
fn damaged_objects_are_named_and_nothing_is_made_of_them() {
    let (sandbox, server, bucket) = served();
    let file = sandbox.months(1, 2);
    msm_os!("send -f {file} {bucket} -v tos --codec none").well();
    let key = "T1m/tos.zarr/tos/c/1/0/0";
    let stored = objects(&server)[key].clone();
    let mut flipped = stored.clone();
    flipped[5] ^= 1;
    for bytes in [&flipped[..], &stored[..8]] {
        server.put_object("ocean", key, bytes.to_vec());
        let before = objects(&server);
        for ranks in [1, 3] {
            let line = msm_os!("rechunk {bucket} -p T1m --to new --codec zstd:1");
            line.on(ranks).refused(40, &[key, "rolled back"]);
            assert!(objects(&server) == before);
        }
    }
}

#[test]
fn a_store_that_another_program_changes_meanwhile_is_not_made_anew() {
    let server = Arc::new(server());
    let sandbox = Sandbox::new();
    let bucket = format!("-b ocean -c {}", sandbox.credentials(&server));
    let file = sandbox.months(1, 2);
    msm_os!("send -f {file} {bucket} -v tos").well();
    let root = "T1m/tos.zarr/zarr.json";
    let mut changed = objects(&server)[root].clone();
    changed.push(b'\n');
    let changing: std::sync::Weak<Server> = Arc::downgrade(&server);
    server.on_mutation(move |mutation| {
        if mutation.when == When::Before && mutation.key.contains("new/tos.zarr/tos/c/") {
            let server = changing.upgrade().unwrap();
            server.put_object("ocean", root, changed.clone());
        }
        Go::On
    });
    let line = msm_os!("rechunk {bucket} -p T1m --to new");
    line.on(3)
        .refused(40, &["another program has changed it", "rolled back"]);
    assert!(below(&objects(&server), "new/tos.zarr").is_empty());
    is_tidy(&server);
    // Then it is another store, and a whole one.
    server.on_mutation(|_| Go::On);
    line.well_on(3);
    msm_os!("verify {bucket} -p new --against {file}").well();
}

/// Of two stores, a job that was killed has made one; the same command again makes the other.
#[test]
fn what_is_there_is_compared_and_the_rest_is_made() {
    let (sandbox, server, bucket) = served();
    let file = sandbox.months(1, 2);
    msm_os!("send -f {file} {bucket} -v tos,sos").well();
    let line = msm_os!("rechunk {bucket} -p T1m --to new --codec zstd:1");
    line.well_on(3);
    let both = objects(&server);
    msm_os!("delete {bucket} -p new -v sos --yes").well();
    line.well_on(3).says(&[
        "new/tos.zarr: 9 arrays, there already",
        "rechunked: 1 store",
    ]);
    let data = |objects: &BTreeMap<String, Vec<u8>>| below(objects, "new/sos.zarr");
    assert!(data(&objects(&server)) == data(&both));
    // The same root, but other values.
    let key = "new/tos.zarr/tos/c/0/0/0";
    let other = both["new/tos.zarr/tos/c/1/0/0"].clone();
    server.put_object("ocean", key, other);
    msm_os!("delete {bucket} -p new -v sos --yes").well();
    let before = objects(&server);
    line.on(3).refused(51, &["'new/tos.zarr' is there already"]);
    assert!(objects(&server) == before);
}
