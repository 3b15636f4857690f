//! `--json`: one document of each command, whether it goes well or not, as its schema in docs/schemas says; and what standard error says of
//! typical failures, word for word.
//!
//! Key type: [`Documents`], what was printed, all of which is validated in one start of Python.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::Command;

use nemo_like::Spec;
use s3_server::{Fault, Rule};
use serde_json::{Value, json};

use crate::line::{Line, msm_os};
use crate::support::{Ended, Sandbox, end, python, script, served};

/// Documents, each with the name of its schema.
struct Documents<'a> {
    sandbox: &'a Sandbox,
    files: RefCell<Vec<[String; 2]>>,
}

impl<'a> Documents<'a> {
    fn new(sandbox: &'a Sandbox) -> Self {
        std::fs::create_dir(sandbox.path("documents")).unwrap();
        Self {
            sandbox,
            files: RefCell::default(),
        }
    }

    /// What `line` prints, which ends with `code`, is a document of this schema.
    #[track_caller]
    fn of(&self, schema: &str, code: i32, line: &Line) -> Value {
        self.printed(schema, code, &line.and("--json").alone())
    }

    #[track_caller]
    fn printed(&self, schema: &str, code: i32, ended: &Ended) -> Value {
        assert_eq!(ended.code, code, "{ended:#?}");
        ended.hushed();
        let mut files = self.files.borrow_mut();
        let file = self.sandbox.file(&format!("documents/{}", files.len()));
        std::fs::write(&file, &ended.stdout).unwrap();
        files.push([schema.to_owned(), file]);
        serde_json::from_str(&ended.stdout)
            .unwrap_or_else(|error| panic!("not one document: {error}: {ended:#?}"))
    }

    /// A failure that ends with `code`: its document says what standard error says.
    #[track_caller]
    fn of_failure(&self, code: i32, line: &Line) -> Value {
        self.failed(code, &line.and("--json").alone())
    }

    #[track_caller]
    fn failed(&self, code: i32, ended: &Ended) -> Value {
        let document = self.printed("error-1", code, ended);
        assert_eq!(document["exit_code"], code);
        let message = document["message"].as_str().unwrap();
        ended.warns(&[&format!("msm_os: {message}\n")]);
        document
    }

    #[track_caller]
    fn are_valid(&self) {
        let mut validate = Command::new(python());
        validate.arg(script("valid.py"));
        validate.args(self.files.borrow().iter().flatten());
        end(validate).well();
    }
}

/// Every command, one after the other, on one archive.
#[test]
fn every_command_prints_one_document() {
    let sandbox = Sandbox::new();
    let documents = Documents::new(&sandbox);
    let files = [1, 2, 3].map(|month| sandbox.months(month, 1));
    let url = sandbox.url("ocean");
    sent(&documents, &url, &files);
    read(&documents, &url);
    copied(&documents, &url);
    deleted(&documents, &url);
    documents.are_valid();
}

fn sent(documents: &Documents<'_>, url: &str, files: &[String; 3]) {
    let send = |files: &str| msm_os!("send -f {files} -b {url} -v tos sos");

    let sent = documents.of("send-1", 0, &send(&files[..2].join(" ")));
    assert_eq!(sent["outcome"], "done");
    assert_eq!(
        (&sent["transactions"], &sent["steps_appended"]),
        (&json!(2), &json!(2))
    );
    let store =
        json!({"store": "T1m/sos.zarr", "url": format!("{url}/T1m/sos.zarr"), "created": true});
    assert_eq!(sent["stores"][0], store);
    let again = documents.of("send-1", 0, &send(&files[0]));
    assert_eq!(again["outcome"], "nothing_to_do");
    let again = send(&files[0]).and("--exit-nothing");
    assert_eq!(
        documents.of("send-1", 3, &again)["outcome"],
        "nothing_to_do"
    );
    // All ranks end alike, and one of them speaks.
    let ranks = again.and("--json").on(3);
    documents.printed("send-1", 3, &ranks);
    let appended = documents.printed(
        "send-1",
        0,
        &send(&files[2]).and("--json --exit-nothing").on(2),
    );
    assert_eq!(appended["stores"][0]["created"], false);
    let update = msm_os!("update -f {} -b {url} -v tos", files[1]);
    assert_eq!(documents.of("update-1", 0, &update)["steps_replaced"], 1);
}

fn read(documents: &Documents<'_>, url: &str) {
    let place = format!("-b {url} -p T1m");
    let listed = documents.of("list-1", 0, &msm_os!("list {place}"));
    assert_eq!(listed.as_array().unwrap().len(), 2);
    documents.of("list-1", 0, &msm_os!("list -b {url} -p none"));
    let usage = documents.of("du-1", 0, &msm_os!("du {place}"));
    assert_eq!(usage["total"]["stores"], 2);
    let picture = documents.sandbox.file("map.png");
    let drawn = documents.of("quicklook-1", 0, &msm_os!("quicklook {place} -o {picture}"));
    assert_eq!(drawn["charts"].as_array().unwrap().len(), 2);
    let folder = documents.sandbox.file("page");
    let paged = documents.of("page-1", 0, &msm_os!("page {place} -o {folder}"));
    assert_eq!(
        (&paged["stores"], paged["maps"].as_array().unwrap().len()),
        (&json!(2), 2)
    );
    let history = documents.of("history-1", 0, &msm_os!("history {place}"));
    assert_eq!(history["commands"].as_array().unwrap().len(), 3);
    let status = documents.of("status-1", 0, &msm_os!("status {place}"));
    assert_eq!(status["looked_at"], 2);
    let verified = documents.of("verify-1", 0, &msm_os!("verify {place}"));
    assert_eq!(
        (&verified["outcome"], &verified["faults"]),
        (&json!("sound"), &json!(0))
    );
}

fn copied(documents: &Documents<'_>, url: &str) {
    let place = format!("-b {url} -p T1m");
    let sandbox = documents.sandbox;
    let copy = msm_os!("copy {place} --to copies");
    let foretold = documents.of("copy-1", 0, &copy.and("--dry-run"));
    assert_eq!(
        (&foretold["dry_run"], &foretold["outcome"]),
        (&json!(true), &json!("done"))
    );
    assert!(!sandbox.path("ocean/copies").exists());
    let copied = documents.of("copy-1", 0, &copy);
    assert_eq!(foretold["copied"], copied["copied"]);
    let put = |tree: BTreeMap<String, Vec<u8>>| {
        let copies = tree.iter().filter(|(key, _)| key.starts_with("copies/"));
        let bytes = copies.map(|(_, bytes)| bytes.len());
        json!({"objects": bytes.clone().count(), "bytes": bytes.sum::<usize>()})
    };
    assert_eq!(copied["copied"], put(sandbox.tree("ocean")));
    assert_eq!(
        copied["stores"][0]["to_url"],
        format!("{url}/copies/sos.zarr")
    );
    let again = documents.of("copy-1", 3, &copy.and("--exit-nothing"));
    assert_eq!(again["outcome"], "nothing_to_do");
    assert_eq!(again["copied"]["objects"], 0);
    assert_eq!(again["compared"], copied["copied"]);
    // Nothing was compared.
    let dry = documents.of("copy-1", 0, &copy.and("--dry-run --exit-nothing"));
    assert_eq!(
        (&dry["outcome"], &dry["compared"]),
        (&json!("done"), &copied["copied"])
    );
    let other = sandbox.url("other");
    let out = msm_os!("move -b {url} -p copies --to-bucket {other}");
    documents.of("move-1", 0, &out.and("--dry-run"));
    let moved = documents.of("move-1", 0, &out);
    assert_eq!(
        moved["stores"][1]["to_url"],
        format!("{other}/copies/tos.zarr")
    );

    let chunks = r#"{"x": 20, "y": 15}"#;
    let rechunk = msm_os!("rechunk {place} -v tos --to small -cs '{chunks}'");
    let foretold = documents.of("rechunk-1", 0, &rechunk.and("--dry-run"));
    let made = documents.of("rechunk-1", 0, &rechunk);
    assert_eq!(foretold["stores"], made["stores"]);
    let count = |name: &str| made[name].as_u64().unwrap();
    assert_eq!(
        foretold["objects"],
        count("objects") + count("empty_objects")
    );
    assert_eq!(foretold["decoded_bytes"], made["decoded_bytes"]);
    assert_eq!(made["outcome"], "done");
    let again = documents.of("rechunk-1", 3, &rechunk.and("--exit-nothing"));
    assert_eq!(again["outcome"], "nothing_to_do");
}

fn deleted(documents: &Documents<'_>, url: &str) {
    let place = format!("-b {url} -p T1m");
    let sandbox = documents.sandbox;
    let other = sandbox.url("other");
    let days = documents.of(
        "delete-1",
        0,
        &msm_os!("delete {place} -v tos --time 1976-03.. --dry-run"),
    );
    assert_eq!(
        (&days["what"], &days["stores"][0]["steps"]["count"]),
        (&json!("steps"), &json!(1))
    );
    let cut = documents.of(
        "delete-1",
        0,
        &msm_os!("delete {place} -v tos --time 1976-03.. --yes"),
    );
    assert_eq!(cut["stores"], days["stores"]);
    let arrays = msm_os!("delete {place} -v tos --array area --dry-run --yes");
    documents.of_failure(27, &arrays);
    let gone = documents.of(
        "delete-1",
        0,
        &msm_os!("delete -b {other} -p copies --all --yes"),
    );
    assert_eq!(gone["stores"].as_array().unwrap().len(), 2);
    let undone = documents.of("rollback-1", 0, &msm_os!("rollback {place}"));
    assert_eq!(undone["transactions"][0]["store"], "T1m/tos.zarr");
    for flags in ["--dry-run", "", "--orphans --dry-run --abandon --truncate"] {
        let recover = msm_os!("recover {place} --exit-nothing {flags}");
        assert_eq!(
            documents.of("recover-1", 3, &recover)["outcome"],
            "nothing_to_do"
        );
    }
    let doctor = documents.of("doctor-1", 0, &msm_os!("doctor -b {url}"));
    assert_eq!(doctor["verdict"], "fit");
    // A delete that died.
    let journal = "ocean/small/.msm-os/tos.zarr/journal/00000000-0123abcd.delete";
    sandbox.private(journal, r#"{"name": "one that died", "lock_dir": null}"#);
    let recover = msm_os!("recover -b {url} -p small");
    let foretold = documents.of("recover-1", 0, &recover.and("--dry-run"));
    assert_eq!(foretold["transactions"][0]["outlook"], "deleted");
    let recovered = documents.of("recover-1", 0, &recover);
    let outcome = |document: &Value| document["outcome"].clone();
    assert_eq!(
        (outcome(&recovered), outcome(&recovered["healed"][0])),
        (json!("done"), json!("deleted"))
    );
}

/// What only some stores have.
#[test]
fn documents_of_what_is_seldom() {
    let sandbox = Sandbox::new();
    let documents = Documents::new(&sandbox);
    let files = [1, 2, 3].map(|month| sandbox.months(month, 1));
    let url = sandbox.url("ocean");
    msm_os!("send -f {} -b {url} -p all -v compact tos sos", files[0]).well();
    let delete = msm_os!("delete -b {url} -p all -v compact --array sos");
    let foretold = documents.of("delete-1", 0, &delete.and("--dry-run"));
    let deleted = documents.of("delete-1", 0, &delete.and("--yes"));
    assert_eq!(
        (&deleted["what"], &deleted["stores"]),
        (&json!("arrays"), &foretold["stores"])
    );
    assert_eq!(deleted["stores"][0]["arrays"], json!(["sos"]));

    let share = msm_os!(
        "send -f {} -b {url} -v tos --share --task 0/2",
        files.join(" ")
    );
    let shared = documents.of("send-1", 0, &share);
    assert_eq!(shared["shared"]["parts"], 3);
    let status = documents.of("status-1", 0, &msm_os!("status -b {url}"));
    assert_eq!(status["archives"][0]["parts"], 3);
    let error = documents.of_failure(48, &msm_os!("delete -b {url} -p T1m -v tos --yes"));
    assert_eq!(error["retry"]["helps"], "after");
    documents.of(
        "recover-1",
        0,
        &msm_os!("recover -b {url} -p T1m --abandon --dry-run"),
    );
    let ended = documents.of(
        "recover-1",
        0,
        &msm_os!("recover -b {url} -p T1m --abandon"),
    );
    assert_eq!(ended["archives_abandoned"], 1);

    sandbox.unpack("msm-os-dev-append-wrecked", "wrecked");
    let truncate = msm_os!("recover -b {} --truncate", sandbox.url("wrecked"));
    let foretold = documents.of("recover-1", 0, &truncate.and("--dry-run"));
    let done = documents.of("recover-1", 0, &truncate);
    assert_eq!(foretold["truncations"], done["truncated"]);
    assert!(!done["truncated"].as_array().unwrap().is_empty());

    sandbox.private("ocean/T1m/broken.zarr/zarr.json", "{");
    let listed = documents.of("list-1", 25, &msm_os!("list -b {url} -p T1m"));
    assert_eq!(listed[0]["state"], "broken");
    // Only a lock in another directory tells whether that job is alive.
    let journal = "ocean/.msm-os/all.zarr/journal/00000000-0123abcd.delete";
    sandbox.private(journal, r#"{"name": "a job", "lock_dir": "/locks"}"#);
    let error = documents.of_failure(
        35,
        &msm_os!("send -f {} -b {url} -p all -v compact tos", files[1]),
    );
    assert_eq!(
        (&error["retry"]["helps"], &error["exit"]),
        (&json!("no"), &json!("busy"))
    );
    documents.are_valid();
}

#[test]
fn a_failure_is_one_document_and_says_where_the_stores_stand() {
    let (sandbox, server, bucket) = served();
    let documents = Documents::new(&sandbox);
    let files = [1, 2, 3].map(|month| sandbox.months(month, 1));
    let send = |more: &str| msm_os!("send {bucket} -v tos -f {more}");
    let state = |error: &Value| error["stores"]["state"].as_str().unwrap_or("").to_owned();

    // Of a line that makes no sense, nobody knows whether it was to write.
    let usage = documents.of_failure(2, &msm_os!("send {bucket}"));
    assert_eq!(
        (&usage["exit"], &usage["stores"]),
        (&json!("usage"), &Value::Null)
    );
    assert_eq!(usage["retry"]["helps"], "no");
    let missing = send(&sandbox.file("none_1m_grid_T.nc"));
    let error = documents.of_failure(10, &missing);
    assert_eq!(
        (&error["exit"], state(&error)),
        (&json!("source_missing"), "unchanged".to_owned())
    );
    let error = documents.failed(10, &missing.and("--json").on(3));
    assert_eq!(error["retry"]["helps"], "no");
    let error = documents.of_failure(27, &msm_os!("verify {bucket} -p T1m"));
    assert_eq!(error["stores"], Value::Null);
    // What begins a list has no failure to tell yet.
    let error = documents.of_failure(
        31,
        &msm_os!("list -b nowhere -c {}", sandbox.credentials(&server)),
    );
    assert_eq!(error["exit"], "no_bucket");

    // The third month is refused: what was committed before is told.
    let refuse = Rule::new(Fault::Status(403)).method("PUT");
    server.faults().add(refuse.key_contains("tos/c/2/0/0"));
    let all = send(&files.join(" "));
    let ended = all.and("--json").alone();
    let error = documents.failed(40, &ended);
    assert_eq!(
        (state(&error), &error["retry"]["helps"]),
        ("partly_committed".to_owned(), &json!("after"))
    );
    let transactions = &error["stores"]["transactions"];
    assert_eq!(
        (&transactions["committed"], &transactions["of"]),
        (&json!(2), &json!(3))
    );
    assert!(
        transactions["up_to"]
            .as_str()
            .unwrap()
            .starts_with("1976-02-15"),
        "{error}"
    );
    ended.warns(&["msm_os: 2 of 3 transactions are committed, up to 1976-02-15"]);
    // Now those are there before.
    let error = documents.of_failure(40, &all);
    assert_eq!(state(&error), "unchanged");
    server.faults().clear();
    let error = documents.of_failure(24, &all.and("--on-overlap error"));
    assert_eq!(error["retry"]["helps"], "no");

    // What was found is the document, also where it is no good news.
    let key = "T1m/tos.zarr/tos/c/0/0/0";
    let object = server.objects("ocean")[key].clone();
    let mut bytes = object.to_vec();
    bytes[20] ^= 1;
    server.put_object("ocean", key, bytes);
    let faults = documents.of("verify-1", 60, &msm_os!("verify {bucket} -p T1m"));
    assert_eq!(
        (&faults["outcome"], &faults["faults"]),
        (&json!("faults"), &json!(1))
    );
    assert_eq!(faults["stores"][0]["faults"][0]["key"], key);
    assert_eq!(faults["stores"][0]["url"], "s3://ocean/T1m/tos.zarr");
    let doctor = documents.of("doctor-1", 0, &msm_os!("doctor {bucket}"));
    assert_eq!(doctor["endpoint"]["virtual_hosted"], false);

    drop(server);
    let error = documents.of_failure(33, &send(&files[2]));
    assert_eq!(
        (&error["retry"]["helps"], state(&error)),
        (&json!("yes"), "unchanged".to_owned())
    );
    documents.are_valid();
    // A schema that takes anything shows nothing.
    let odd = sandbox.private(
        "odd.json",
        r#"{"format": "msm_os/error/1", "exit_code": 0}"#,
    );
    let mut validate = Command::new(python());
    validate.arg(script("valid.py")).args(["error-1", &odd]);
    let found = ["exit_code", "'message' is a required property"];
    end(validate).refused(1, &found);
}

/// `MSM_OS_TEST_RENEW=1` writes the page anew.
#[test]
fn messages_of_failures_are_as_they_were() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let files = [1, 2].map(|month| sandbox.months(month, 1));
    let other = sandbox.source_called(
        "other_1m_grid_T.nc",
        &Spec {
            start: "1976-02-01".parse().unwrap(),
            grid: "20x10x5".parse().unwrap(),
            ..Spec::default()
        },
    );
    let text = sandbox.file("text_1m_grid_T.nc");
    std::fs::write(&text, "this is no NetCDF file").unwrap();
    let recipe = sandbox.file("recipe.toml");
    std::fs::write(&recipe, "[[array]]\n").unwrap();
    msm_os!("send -b {url} -v tos -f {}", files[0]).well();
    let root = sandbox.file("");
    let mut page = String::new();
    for (code, line) in [
        (2, "send -b URL"),
        (2, "delete -b URL -p T1m --all"),
        (10, "send -b URL -f ROOTnone_1m_grid_T.nc"),
        (12, "send -b URL -f ROOTtext_1m_grid_T.nc"),
        (14, "send -b URL -f FIRST -v salt"),
        (17, "send -b URL -f FIRST -v sos -cs {\"depth\":1}"),
        (19, "send -b URL -f SECOND -v tos --memory 1K"),
        (20, "send -b URL -f OTHER -v tos"),
        (24, "send -b URL -f FIRST -v tos --on-overlap error"),
        (27, "verify -b URL -p T1m -v sos"),
        (27, "delete -b URL -p T1y --all --yes"),
        (30, "list -b eorca025"),
        (36, "rollback -b URL -p T1m --last 2"),
        (51, "copy -b URL -p T1m --to taken"),
        (52, "send -b URL -f FIRST --recipe ROOTrecipe.toml"),
    ] {
        if code == 51 {
            msm_os!("send -b {url} -p taken -v tos -f {}", files[1]).well();
        }
        let typed = { line.replace("URL", &url).replace("FIRST", &files[0]) }
            .replace("SECOND", &files[1])
            .replace("OTHER", &other)
            .replace("ROOT", &root);
        let ended = Line::of(&typed).alone();
        assert_eq!(ended.code, code, "{line}: {ended:#?}");
        let said = ended.stderr.replace(&root, "/tmp/");
        let shown = typed.replace(&root, "/tmp/");
        write!(page, "$ msm_os {shown}\n{said}[{code}]\n\n").unwrap();
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/failures.txt");
    if std::env::var_os("MSM_OS_TEST_RENEW").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    let advice =
        "if that should be: MSM_OS_TEST_RENEW=1 cargo test --test whole messages_of_failures";
    assert!(
        page == kept,
        "{page}\nis not what tests/data/failures.txt has; {advice}"
    );
}
