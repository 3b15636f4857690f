//! `du`: what stores take, counted as it lies there.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::line::msm_os;
use crate::support::{Sandbox, objects, served};

const STRATEGY: &str = r#"{"time_counter": 3, "y": 13}"#;

/// Sends two months, then two more, which fill up a half-full chunk: of that, a copy is kept.
fn send(sandbox: &Sandbox, place: &str) {
    for month in [1, 3] {
        let file = sandbox.months(month, 2);
        msm_os!("send -f {file} -cs '{STRATEGY}' -v tos,sos {place}").well();
    }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Objects and bytes below a prefix, without documents.
fn below(tree: &BTreeMap<String, Vec<u8>>, prefix: &str) -> (u64, u64) {
    let is_document = |key: &str| key.ends_with("zarr.json");
    let there = tree.iter();
    let there = there.filter(|(key, _)| key.starts_with(prefix) && !is_document(key));
    there.fold((0, 0), |(n, sum), (_, bytes)| {
        (n + 1, sum + bytes.len() as u64)
    })
}

fn tally(value: &Value) -> (u64, u64) {
    let number = |name: &str| value[name].as_u64().unwrap();
    (number("objects"), number("bytes"))
}

#[test]
fn every_object_counts_once_and_as_what_it_is() {
    let (sandbox, server, bucket) = served();
    let directory = format!("-b {}", sandbox.url("ocean"));
    let mut seen = Vec::new();
    for place in [&directory, &bucket] {
        send(&sandbox, place);
    }
    std::fs::write(sandbox.path("ocean/T1m/tos.zarr/notes.txt"), b"hello").unwrap();
    server.put_object("ocean", "T1m/tos.zarr/notes.txt", b"hello".to_vec());
    for (place, tree) in [
        (&directory, sandbox.tree("ocean")),
        (&bucket, objects(&server)),
    ] {
        let told = parsed(&msm_os!("du --json {place}").well_on(2).stdout);
        let all = tree.values().map(|bytes| bytes.len() as u64);
        assert_eq!(
            tally(&told["total"]["total"]),
            (tree.len() as u64, all.sum())
        );
        assert_eq!(told["total"]["stores"], 2);
        let stores = told["stores"].as_array().unwrap();
        for (store, name) in stores.iter().zip(["sos", "tos"]) {
            assert_eq!(store["store"], format!("T1m/{name}.zarr"));
            assert!(store["problem"].is_null(), "{store}");
            let arrays = store["arrays"].as_object().unwrap();
            for (array, found) in arrays {
                let chunks = below(&tree, &format!("T1m/{name}.zarr/{array}/"));
                assert_eq!(tally(found), chunks, "{array} of {store}");
            }
            let mut documents = tree.keys().filter(|key| {
                key.starts_with(&format!("T1m/{name}.zarr/")) && key.ends_with("zarr.json")
            });
            assert_eq!(
                documents.by_ref().count() as u64,
                tally(&store["documents"]).0
            );
            let ledger = &store["ledger"];
            for (kind, folder) in [("undo", "undo/"), ("manifests", "manifests/")] {
                let found = below(&tree, &format!("T1m/.msm-os/{name}.zarr/{folder}"));
                assert!(found.0 > 0, "{kind}");
                assert_eq!(tally(&ledger[kind]), found, "{kind}");
            }
            assert!(tally(&ledger["transactions"]).0 > 1, "{ledger}");
            for kind in ["journal", "share", "lease", "other"] {
                assert_eq!(tally(&ledger[kind]), (0, 0), "{kind}");
            }
            let others = if name == "tos" { (1, 5) } else { (0, 0) };
            assert_eq!(tally(&store["other"]), others);
        }
        msm_os!("du {place}").well().says(&[
            "T1m/tos.zarr: ",
            "    array tos ",
            "    documents ",
            "    ledger: undo copies ",
            "    ledger: manifests ",
            "    ledger: transaction records ",
            "    other ",
            "\n2 stores: ",
        ]);
        seen.push(msm_os!("du {place} -p T1m -v sos").well().stdout);
    }
    assert!(
        seen.iter().all(|said| !said.contains("tos.zarr")),
        "{seen:#?}"
    );
    assert!(seen[0].contains("1 store: "), "{seen:#?}");
}

#[test]
fn what_no_array_owns_is_other_and_without_a_root_folders_are_taken_for_arrays() {
    let (sandbox, server, bucket) = served();
    send(&sandbox, &bucket);
    server.put_object("ocean", "T1m/tos.zarr/gone/c/0", b"chunk".to_vec());
    server.put_object("ocean", "T1m/dead.zarr/dead/c/0", b"chunk".to_vec());
    server.put_object("ocean", "T1m/broken.zarr/zarr.json", b"{".to_vec());
    server.put_object("ocean", "T1m/broken.zarr/v/c/0", b"chunk".to_vec());
    let told = parsed(&msm_os!("du --json {bucket} -p T1m").well().stdout);
    let stores = told["stores"].as_array().unwrap();
    let of = |name: &str| {
        let key = format!("T1m/{name}.zarr");
        stores.iter().find(|store| store["store"] == key).unwrap()
    };
    assert_eq!(tally(&of("tos")["other"]), (1, 5));
    assert!(of("tos")["arrays"]["gone"].is_null());
    assert_eq!(tally(&of("dead")["arrays"]["dead"]), (1, 5));
    assert_eq!(tally(&of("broken")["arrays"]["v"]), (1, 5));
    assert!(
        of("broken")["problem"]
            .as_str()
            .unwrap()
            .contains("not JSON")
    );
    msm_os!("du --store T1m/broken.zarr {bucket}")
        .well_on(2)
        .says(&["folders are taken for its arrays: ", "array v "]);
}

#[test]
fn where_there_is_nothing_it_says_so_and_what_fails_is_refused() {
    let (sandbox, server, bucket) = served();
    let directory = format!("-b {}", sandbox.url("none"));
    for place in [directory, format!("{bucket} -p x/y")] {
        msm_os!("du {place}")
            .well_on(2)
            .says(&["there are no stores"]);
        let told = parsed(&msm_os!("du --json {place}").well().stdout);
        assert_eq!(told["stores"], Value::Array(Vec::new()));
        assert_eq!(told["total"]["stores"], 0);
    }
    send(&sandbox, &bucket);
    msm_os!("du {bucket} -p T1m -v so").refused_in(&sandbox, 27, &["'T1m/so.zarr'"]);
    msm_os!("du {bucket} -v tos,")
        .alone()
        .refused(2, &["a name is empty"]);
    let credentials = sandbox.credentials(&server);
    msm_os!("du -b lake -c {credentials}")
        .alone()
        .refused(31, &[]);
    // What was printed stays JSON.
    let ended = msm_os!("du --json {bucket} --anonymous").on(2);
    ended.refused(32, &["access refused"]);
    assert!(parsed(&ended.stdout)["total"].is_null(), "{ended:#?}");
}
