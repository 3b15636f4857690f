//! `history` and `rollback` of commands: what one run of the program wrote is undone as one, in all stores, whatever was kept.

use serde_json::Value;

use crate::line::{Line, msm_os};
use crate::support::{Sandbox, objects, reads_back, served, without_ledgers};

/// An object holds three steps, so that files fill up the objects of those before.
const CHUNKS: &str = r#"-cs '{"time_counter": 3}' -v tos,sos"#;

/// The commands that `history` tells of at `place`.
fn commands(place: &str) -> Vec<Value> {
    let told = msm_os!("history --json {place}").well();
    let told: Value = serde_json::from_str(&told.stdout).unwrap_or_else(|_| panic!("{told:#?}"));
    told["commands"].as_array().unwrap().clone()
}

fn id(command: &Value) -> &str {
    command["id"].as_str().unwrap()
}

fn send(place: &str, files: &[String], flags: &str) -> Line {
    msm_os!("send -f {} {place} {CHUNKS} {flags}", files.join(" "))
}

/// The month `from`, and so many behind it, a file each.
fn months(sandbox: &Sandbox, from: u32, count: u32) -> Vec<String> {
    let each = from..from + count;
    each.map(|month| sandbox.months(month, 1)).collect()
}

/// xarray reads `files` in the stores of a directory.
#[track_caller]
fn read_back(sandbox: &Sandbox, files: &[String]) {
    for variable in ["tos", "sos"] {
        sandbox.reads_back(&format!("ocean/T1m/{variable}.zarr"), files);
    }
}

#[test]
fn one_run_of_the_program_is_undone_as_one() {
    for ranks in [1, 3] {
        let (sandbox, server, bucket) = served();
        let directory = format!("-b {}", sandbox.url("ocean"));
        let files = months(&sandbox, 1, 6);
        for (place, stores, server) in [
            (&bucket, "s3://ocean/T1m".to_owned(), Some(&server)),
            (&directory, sandbox.file("ocean/T1m"), None),
        ] {
            send(place, &files[..1], "").well_on(ranks);
            send(place, &files[1..5], "").well_on(ranks);
            send(place, &files[5..], "--keep-undo 0").well_on(ranks);
            let told = commands(place);
            let seen: Vec<_> = told
                .iter()
                .map(|command| {
                    let files = &command["files"];
                    let one = (files["count"].as_u64(), command["steps"].as_u64());
                    (one, command["transactions"].as_u64().unwrap() > 2)
                })
                .collect();
            let expected = [(1, false), (4, true), (1, false)];
            let expected = expected.map(|(n, several)| ((Some(n), Some(n)), several));
            assert_eq!(seen, expected, "{told:#?}");
            for command in &told {
                assert_eq!(command["can_be_undone"], true, "{command}");
                assert!(!command["user"].as_str().unwrap().is_empty());
                assert!(!command["host"].as_str().unwrap().is_empty());
                let stores = ["T1m/sos.zarr", "T1m/tos.zarr"];
                assert_eq!(command["stores"], serde_json::json!(stores));
            }
            let name = |file: &str| file.rsplit('/').next().unwrap().to_owned();
            assert_eq!(told[1]["files"]["first"], name(&files[1]));
            assert_eq!(told[1]["files"]["last"], name(&files[4]));
            let text = msm_os!("history {place}").well_on(ranks);
            text.says(&[
                "Z  send, ",
                "4 files, ",
                "steps: 4",
                "rollback can undo it",
                "T1m/sos.zarr, T1m/tos.zarr",
            ]);
            for left in [5, 1] {
                msm_os!("rollback {place}").well_on(ranks);
                for variable in ["tos", "sos"] {
                    let store = format!("{stores}/{variable}.zarr");
                    reads_back(&store, server, &files[..left]);
                }
                msm_os!("verify {place} --against {}", files[..left].join(" ")).well();
            }
            assert_eq!(commands(place).len(), 1);
            msm_os!("rollback {place}").well_on(ranks);
            assert!(commands(place).is_empty());
            msm_os!("history {place}")
                .well()
                .says(&["no command has written here"]);
        }
    }
}

/// Chunks, shards and stores of version 2: what was there is made again, byte for byte.
#[test]
fn appends_and_creates_are_undone_whatever_was_kept() {
    for kind in [
        "",
        "-zv 2",
        "--shards '{\"time_counter\": 6}'",
        "-r --grid 3x2",
    ] {
        let (sandbox, server, bucket) = served();
        let place = format!("{bucket} -p T1m");
        let files = months(&sandbox, 1, 5);
        let mut before = Vec::new();
        for file in &files {
            before.push(without_ledgers(objects(&server)));
            send(
                &bucket,
                std::slice::from_ref(file),
                &format!("{kind} --keep-undo 0"),
            )
            .well();
        }
        let copies = objects(&server);
        let copies: Vec<&String> = copies.keys().filter(|key| key.contains("/undo/")).collect();
        assert!(copies.is_empty(), "{copies:?}");
        for (last, ranks) in [(1, 3), (2, 1), (2, 3)] {
            let left = commands(&place).len() - last;
            msm_os!("rollback {place} --last {last}").well_on(ranks);
            assert!(
                without_ledgers(objects(&server)) == before[left],
                "{kind}, {left}"
            );
            if left > 0 {
                msm_os!("verify {place}").well();
            }
        }
    }
}

#[test]
fn commands_are_named_by_their_ids() {
    let sandbox = Sandbox::new();
    let place = format!("-b {} -p T1m", sandbox.url("ocean"));
    let files = months(&sandbox, 1, 4);
    for file in &files {
        send(&place, std::slice::from_ref(file), "").well();
    }
    let told = commands(&place);
    let to = |command: &Value| msm_os!("rollback {place} --to {}", id(command));
    let refused = |line: &Line, words: &[&str]| line.refused_in(&sandbox, 36, words);
    refused(
        &msm_os!("rollback {place} --last 5"),
        &["5 commands", "but 4", "history"],
    );
    let strange = "rollback --to 20260101T000000-0badcafe";
    refused(
        &msm_os!("{strange} {place}"),
        &["20260101T000000-0badcafe", "history"],
    );
    msm_os!("rollback {place} --last 0").refused_in(&sandbox, 2, &["--last"]);
    to(&told[1])
        .and("--last 1")
        .refused_in(&sandbox, 2, &["--last"]);
    for ranks in [3, 1] {
        to(&told[2]).well_on(ranks);
        read_back(&sandbox, &files[..2]);
        assert_eq!(commands(&place), told[2..]);
    }
    // What is gone names nothing.
    refused(&to(&told[0]), &[id(&told[0])]);
}

#[test]
fn a_command_is_undone_in_some_of_its_stores_where_they_are_named() {
    let sandbox = Sandbox::new();
    let place = format!("-b {} -p T1m", sandbox.url("ocean"));
    let files = months(&sandbox, 1, 3);
    send(&place, &files[..1], "").well();
    send(&place, &files[1..], "").well();
    msm_os!("rollback {place} -v sos").well_on(3);
    let told = commands(&place);
    assert_eq!(told[0]["stores"], serde_json::json!(["T1m/tos.zarr"]));
    assert_eq!(commands(&format!("{place} -v sos")).len(), 1);
    // The last command of all stores is not the last one of each.
    msm_os!("rollback {place}").well();
    let told = commands(&place);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["stores"].as_array().unwrap().len(), 2);
    read_back(&sandbox, &files[..1]);
}

#[test]
fn what_is_not_kept_is_not_undone_and_history_says_so() {
    let sandbox = Sandbox::new();
    let place = format!("-b {} -p T1m", sandbox.url("ocean"));
    let file = sandbox.months(1, 2);
    send(&place, std::slice::from_ref(&file), "").well();
    let others = [1, 2].map(|add| {
        let name = format!("other{add}_1m_grid_T.nc");
        sandbox.cut(&file, &name, "0", &format!("add={add}"))
    });
    for other in &others {
        msm_os!("update -f {other} {place} -v tos").well();
    }
    let told = commands(&place);
    let can: Vec<&Value> = told
        .iter()
        .map(|command| &command["can_be_undone"])
        .collect();
    assert_eq!(can, [true, false, false], "{told:#?}");
    msm_os!("history {place}")
        .well()
        .says(&["rollback cannot undo it"]);
    for extent in ["--last 2", &format!("--to {}", id(&told[2]))] {
        let line = msm_os!("rollback {place} {extent}");
        line.refused_in(&sandbox, 36, &["T1m/tos.zarr", "--keep-undo"]);
    }
    msm_os!("rollback {place}").well_on(3);
    assert_eq!(commands(&place), told[1..]);
    // The send is behind an update of which nothing is kept, but not in the other store.
    msm_os!("rollback {place}").refused_in(&sandbox, 36, &["--keep-undo"]);
    msm_os!("rollback {place} -v sos").well();
}
