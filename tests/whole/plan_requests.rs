//! The requests that `plan` foresees of shared sends and insertions, and `--dry-run` of other commands, held against the server's log.

use s3_server::Server;
use serde_json::{Value, json};

use crate::line::msm_os;
use crate::plan::{document, kinds};
use crate::support::{Sandbox, python_runs, script, served};

/// What was `planned` of these kinds is about what was asked since the request `first`.
#[track_caller]
fn is_about(server: &Server, first: usize, planned: &Value, what: &str) {
    let found = kinds(server, first);
    let of = |kind: &str| planned["requests"][kind].as_u64().unwrap();
    for (kind, foreseen) in [
        // A copy is a PUT, too.
        ("put", of("put") + of("copy")),
        ("get", of("get")),
        ("head", of("head")),
        ("list", of("list")),
    ] {
        let found = found.get(kind).copied().unwrap_or(0);
        assert!(
            found.abs_diff(foreseen) <= 5 + found / 4,
            "{what}, {kind}: {foreseen} foreseen, {found} found"
        );
    }
}

/// What is planned of a send is about what it asks for then.
#[track_caller]
fn is_foreseen(server: &Server, what: &str) {
    let planned = document(&msm_os!("plan {what} --json").well());
    let first = server.log().len();
    msm_os!("send {what}").well();
    is_about(server, first, &planned, what);
}

#[test]
fn of_jobs_that_share() {
    let (sandbox, server, bucket) = served();
    let files: Vec<String> = (1..=4).map(|month| sandbox.months(month, 1)).collect();
    let what = format!("-f {} {bucket} -v tos,sos --share", files.join(" "));
    is_foreseen(&server, &format!("{what} -p alone"));
    // The first commits its first part, and the other one all that is left.
    for task in ["0/2", "1/2"] {
        is_foreseen(&server, &format!("{what} -p both --task {task}"));
    }
}

#[test]
fn of_a_delete() {
    let (sandbox, server, bucket) = served();
    let file = sandbox.months(1, 6);
    msm_os!("send -f {file} {bucket} -p T1m -v tos,sos,thetao").well();
    let dry = msm_os!("delete {bucket} -p T1m --all --dry-run");
    let planned = document(&dry.and("--json").well());
    dry.well()
        .says(&["requests: about ", "warning: rollback brings none"]);
    let first = server.log().len();
    msm_os!("delete {bucket} -p T1m --all --yes").well();
    let found = kinds(&server, first);
    // Those that delete many are POSTs.
    let deletes = found["delete"] + found["other"];
    for (kind, found) in [
        ("put", found["put"]),
        ("get", found["get"]),
        ("list", found["list"]),
        ("head", found["head"]),
        ("delete", deletes),
    ] {
        let foreseen = planned["requests"][kind].as_u64().unwrap();
        assert!(
            found.abs_diff(foreseen) <= 5 + found / 4,
            "{kind}: {foreseen} foreseen, {found} found"
        );
    }
}

/// What a command says that it would do, in words and in a document, about which it then does.
struct DryRuns<'a> {
    sandbox: &'a Sandbox,
    server: &'a Server,
    /// Documents, each behind the name of its schema.
    valid: Vec<String>,
}

impl DryRuns<'_> {
    #[track_caller]
    fn of(&mut self, schema: &str, line: &str, also: &str, words: &[&str]) -> Value {
        let dry = msm_os!("{line} --dry-run");
        dry.well().says(&["requests: about "]).says(words);
        let said = dry.and("--json").well().stdout;
        let path = self.sandbox.file(&format!("dry{}", self.valid.len()));
        std::fs::write(&path, &said).unwrap();
        self.valid.extend([schema.to_owned(), path]);
        let planned: Value = serde_json::from_str(&said).unwrap();
        let first = self.server.log().len();
        msm_os!("{line} {also}").well();
        is_about(self.server, first, &planned, line);
        let found = kinds(self.server, first);
        let of = |kind: &str| found.get(kind).copied().unwrap_or(0);
        // Those that delete many are POSTs.
        let (found, foreseen) = (
            of("delete") + of("other"),
            planned["requests"]["delete"].as_u64().unwrap(),
        );
        assert!(
            found <= 12 + 2 * foreseen && foreseen <= 12 + 2 * found,
            "{line}: {foreseen} foreseen to delete, {found} found"
        );
        planned
    }
}

#[test]
fn of_what_changes_stores_that_are_there() {
    let (sandbox, server, bucket) = served();
    let file = sandbox.months(1, 6);
    let cut = r#"-cs '{"time_counter": 1}'"#;
    let place = format!("{bucket} -p T1m");
    msm_os!("send -f {file} {place} -v tos,sos,thetao {cut}").well();
    msm_os!("send -f {file} {bucket} --store all.zarr {cut}").well();
    let mut runs = DryRuns {
        sandbox: &sandbox,
        server: &server,
        valid: Vec::new(),
    };
    let time = |time: &str| format!("delete {place} -v tos,sos --time {time}");
    let end = runs.of(
        "delete-1",
        &time("1976-06.."),
        "--yes",
        &["of which made anew: 4 objects"],
    );
    // One object of the array, and those of all times.
    assert_eq!(end["stores"][0]["objects"], 5);
    assert_eq!(end["stores"][0]["steps"]["remade"]["objects"], 4);
    assert_eq!(end["warnings"], json!([]));
    let within = runs.of(
        "delete-1",
        &format!("{} --keep-undo 2", time("1976-02..1976-02")),
        "--yes",
        &["warning: T1m/tos.zarr: most of what changes is made anew"],
    );
    let kinds: Vec<&Value> = { within["warnings"].as_array().unwrap().iter() }
        .map(|warning| &warning["kind"])
        .collect();
    assert_eq!(kinds, ["rewritten", "rewritten"]);
    let rollback = format!("rollback {place} -v tos,sos");
    let undone = runs.of("rollback-1", &rollback, "", &["would be put back"]);
    let back = &undone["stores"][0]["objects_back"]["objects"];
    assert_eq!(back, &within["stores"][0]["objects"]);
    let arrays = format!("delete {bucket} --store all.zarr --array sos");
    let gone = runs.of("delete-1", &arrays, "--yes", &["array 'sos'"]);
    let rollback = format!("rollback {bucket} --store all.zarr");
    let undone = runs.of("rollback-1", &rollback, "", &[]);
    let back = &undone["stores"][0]["objects_back"]["objects"];
    assert_eq!(back, &gone["stores"][0]["objects"]);
    let copy = format!("copy {place} --to copied");
    runs.of("copy-1", &copy, "", &["would copy: 3 stores"]);
    // They are there.
    runs.of("copy-1", &copy, "", &["would copy: 0 stores"]);
    runs.of(
        "move-1",
        &format!("move {bucket} -p copied --to moved"),
        "",
        &["would move: 3 stores"],
    );
    let rechunk = r#"--to cut -cs '{"time_counter": 2}'"#;
    let made = runs.of(
        "rechunk-1",
        &format!("rechunk {place} {rechunk}"),
        "",
        &["warning: objects of "],
    );
    assert_eq!(made["warnings"][0]["kind"], "small_objects");
    runs.of(
        "recover-1",
        &format!("recover {place} --orphans --truncate"),
        "",
        &["0 objects, 0 B, would be removed"],
    );
    runs.of(
        "rollback-1",
        &format!("rollback {bucket} -p cut"),
        "",
        &["the store would be gone", " would go"],
    );
    python_runs(&script("valid.py"), &runs.valid);
}

/// Of a hundred objects on, they go many with one request; and of what is copied, what a manifest tells of is read once.
#[test]
fn of_what_goes_in_bulk() {
    let (sandbox, server, bucket) = served();
    let file = sandbox.months(1, 8);
    let place = format!("{bucket} -p T1m");
    let cut = r#"-cs '{"time_counter": 1, "y": 1}'"#;
    msm_os!("send -f {file} {place} -v tos {cut}").well();
    let mut runs = DryRuns {
        sandbox: &sandbox,
        server: &server,
        valid: Vec::new(),
    };
    // All others move; and what that replaced is not kept when the next one is done.
    let delete = |time: &str| format!("delete {place} -v tos --time {time}");
    let moved = runs.of("delete-1", &delete("..1976-01"), "--yes", &[]);
    let remade = &moved["stores"][0]["steps"]["remade"]["objects"];
    assert!(remade.as_u64().unwrap() > 100);
    let gone = runs.of("delete-1", &delete("1976-03.."), "--yes", &[]);
    assert!(gone["total"]["objects"].as_u64().unwrap() > 100);
    runs.of("rollback-1", &format!("rollback {place}"), "", &[]);
    let rechunk = format!("rechunk {place} --to cut --codec zstd:2");
    runs.of("rechunk-1", &rechunk, "", &[]);
    let there = runs.of("rechunk-1", &rechunk, "", &["not compared: 1 store"]);
    assert_eq!(there["outcome"], "done");
    runs.of("rollback-1", &format!("rollback {bucket} -p cut"), "", &[]);
    let copy = format!("copy {place} --to copied");
    runs.of("copy-1", &copy, "", &[]);
    let there = runs.of(
        "copy-1",
        &copy,
        "",
        &["there already, not compared: 1 store"],
    );
    assert_eq!(there["outcome"], "done");
    let away = format!("move {bucket} -p copied --to moved");
    runs.of("move-1", &away, "", &[]);
}

#[test]
fn of_steps_that_make_room() {
    let (sandbox, server, bucket) = served();
    let what = |file: &str| format!("-f {file} {bucket} -p T1m -v tos,thetao");
    let later = sandbox.months(2, 6);
    msm_os!("send {}", what(&later)).well();
    is_foreseen(
        &server,
        &format!("{} --insert", what(&sandbox.months(1, 1))),
    );
}
