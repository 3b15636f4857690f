//! `list`: what stores are like, and what it takes to find out.

use nemo_like::Spec;
use s3_server::{Fault, Rule, Server};
use serde_json::{Value, json};

use crate::support::{Sandbox, alone, objects, on_ranks, server};

const STRATEGY: &str = r#"{"time_counter": 3, "y": 13}"#;

/// Sends two months, then two more, which fill up a half-full chunk.
fn send(sandbox: &Sandbox, bucket: &[&str], variables: &[&str]) {
    for month in [1, 3] {
        let start = format!("1976-{month:02}-01").parse().unwrap();
        let steps = 2;
        let file = sandbox.source(&Spec {
            steps,
            start,
            ..Spec::default()
        });
        let args = ["send", "-f", &file, "-cs", STRATEGY, "-v"];
        alone(&[&args, variables, bucket].concat()).well();
    }
}

fn parsed(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The prefixes of listings that look at more than a folder.
fn walks(server: &Server) -> Vec<String> {
    let queries = server.log().into_iter().map(|request| request.query);
    let walks = queries.filter(|q| q.contains("list-type=2") && !q.contains("delimiter="));
    let prefix = |query: String| {
        let mut parts = query.split('&').map(str::to_owned);
        parts.find_map(|part| part.strip_prefix("prefix=").map(str::to_owned))
    };
    walks.filter_map(prefix).collect()
}

#[test]
fn the_record_says_what_a_count_gives() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    send(&sandbox, &["-b", &url], &["tos", "thetao"]);
    let listed = alone(&["list", "-b", &url, "--json"]).well();
    let stores = parsed(&listed.stdout);
    let keys: Vec<&Value> = stores.iter().map(|store| &store["store"]).collect();
    assert_eq!(keys, ["T1m/thetao.zarr", "T1m/tos.zarr"]);
    let tree = sandbox.tree("ocean");
    for store in &stores {
        let key = format!("{}/", store["store"].as_str().unwrap());
        let files = tree.iter().filter(|(file, _)| file.starts_with(&key));
        let (count, bytes) = files.fold((0, 0), |(n, sum), (_, b)| (n + 1, sum + b.len()));
        assert_eq!(store["objects"], count, "{store}");
        assert_eq!(store["stored_bytes"], bytes, "{store}");
        assert_eq!(
            (&store["state"], &store["zarr_format"]),
            (&json!("whole"), &json!(3))
        );
        let last = &store["last_transaction"];
        assert_eq!(
            (&last["number"], &last["command"]),
            (&json!(2), &json!("send"))
        );
        assert_eq!(last["steps"], 2);
        assert!(last["time"].as_str().unwrap().ends_with('Z'), "{last}");
        assert_eq!(store["time"]["axis"], "time_counter");
        assert_eq!(store["time"]["steps"], 4);
        let data = |v: &&Value| v["coordinate"] == false;
        assert_eq!(
            store["variables"]
                .as_array()
                .unwrap()
                .iter()
                .filter(data)
                .count(),
            1
        );
    }
    let tos = &stores[1]["variables"][0];
    let expected = json!({
        "name": "tos", "coordinate": false, "dtype": "float32", "dimensions": ["time_counter", "y", "x"],
        "shape": [4, 30, 40], "chunks": [3, 13, 40], "shards": null, "decoded_bytes": 4 * 30 * 40 * 4,
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&tos[name], value, "{name}");
    }
    assert_eq!(tos["codecs"][1]["name"], "blosc");
    let text = alone(&["list", "-b", &url]).well().stdout;
    for part in [
        "T1m/tos.zarr: Zarr v3, ",
        "transaction 2: send, 2 steps, ",
        "time_counter: 4 steps, ",
        "float32  time_counter=4 y=30 x=40",
        "chunks 3×13×40",
        "bytes blosc:lz4 crc32c",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn ranks_and_places_make_no_difference() {
    let (sandbox, server) = (Sandbox::new(), server());
    let (url, credentials) = (sandbox.url("ocean"), sandbox.credentials(&server));
    let places = [
        ["-b", &url, "-p", "x/T1m"].to_vec(),
        ["-b", "ocean", "-c", &credentials, "-p", "x/T1m"].to_vec(),
    ];
    let mut seen = Vec::new();
    for place in &places {
        send(&sandbox, place, &["tos"]);
        for ranks in [1, 3] {
            let ended = on_ranks(ranks, &[&["list", "--json"][..], place].concat()).well();
            let mut stores = parsed(&ended.stdout);
            stores[0]["last_transaction"]["time"].take();
            seen.push(stores);
        }
    }
    assert!(seen.iter().all(|stores| *stores == seen[0]), "{seen:#?}");
}

#[test]
fn of_many_stores_only_those_without_a_record_are_walked_through() {
    let (sandbox, server) = (Sandbox::new(), server());
    let credentials = sandbox.credentials(&server);
    let bucket = ["-b", "ocean", "-c", &credentials];
    send(&sandbox, &bucket, &["tos"]);
    let original = objects(&server);
    for i in 0..300 {
        for (key, bytes) in &original {
            let copy = key.replace("tos.zarr", &format!("v{i:03}.zarr"));
            let copy = copy.replace("T1m/", &format!("T1m/{}/", i % 3));
            server.put_object("ocean", &copy, bytes.clone());
        }
    }
    server.remove_object("ocean", "T1m/0/.msm-os/v123.zarr/last.json");
    // A record of another transaction than the last one tells nothing.
    let stale = r#"{"transaction":9,"command":"send","steps":1,"stored_bytes":1,"objects":1,"documents":[1,1],"root_crc32c":1}"#;
    server.put_object("ocean", "T1m/1/.msm-os/v001.zarr/last.json", stale);
    let before = server.log().len();
    let stores = parsed(
        &on_ranks(2, &[&["list", "--json"], &bucket[..]].concat())
            .well()
            .stdout,
    );
    assert_eq!(stores.len(), 301);
    let keys: Vec<&str> = stores
        .iter()
        .map(|store| store["store"].as_str().unwrap())
        .collect();
    assert!(keys.is_sorted(), "{keys:?}");
    for store in &stores {
        assert_eq!(
            store["stored_bytes"], stores[300]["stored_bytes"],
            "{store}"
        );
        let unknown =
            ["T1m/0/v123.zarr", "T1m/1/v001.zarr"].contains(&store["store"].as_str().unwrap());
        assert_eq!(store["last_transaction"].is_null(), unknown, "{store}");
    }
    let mut walked = walks(&server);
    walked.retain(|prefix| prefix.contains(".zarr/") && !prefix.contains(".msm-os/"));
    walked.sort_unstable();
    walked.dedup();
    let sent = ["T1m/tos.zarr/".to_owned()];
    walked.retain(|prefix| !sent.contains(prefix));
    assert_eq!(walked, ["T1m/0/v123.zarr/", "T1m/1/v001.zarr/"]);
    // Root, record, and the time axis' first and last chunk of each store, and some listings.
    let requests = server.log().len() - before;
    assert!(requests < 301 * 4 + 20, "{requests}");
}

#[test]
fn stores_that_cannot_be_read_are_listed_with_the_others() {
    let (sandbox, server) = (Sandbox::new(), server());
    let credentials = sandbox.credentials(&server);
    let bucket = ["-b", "ocean", "-c", &credentials];
    send(&sandbox, &bucket, &["tos"]);
    let root = objects(&server)["T1m/tos.zarr/zarr.json"].clone();
    server.put_object("ocean", "T1m/broken.zarr/zarr.json", root[..100].to_vec());
    server.put_object("ocean", "T1m/other.zarr/readme.txt", b"hello".to_vec());
    server.put_object("ocean", "T1m/dead.zarr/dead/c/0", b"chunk".to_vec());
    server.put_object("ocean", "T1m.zarr/zarr.json", root);
    for ranks in [1, 3] {
        let ended = on_ranks(
            ranks,
            &[&["list", "--json", "-p", "T1m"], &bucket[..]].concat(),
        );
        assert_eq!(ended.code, 25, "{ended:#?}");
        assert!(
            ended.stderr.contains("2 of 5 stores cannot be read"),
            "{ended:#?}"
        );
        let stores = parsed(&ended.stdout);
        let states: Vec<_> = stores
            .iter()
            .map(|s| (s["store"].as_str().unwrap(), s["state"].as_str().unwrap()))
            .collect();
        // The compact store has its root document only.
        let expected = [
            ("T1m.zarr", "whole"),
            ("T1m/broken.zarr", "broken"),
            ("T1m/dead.zarr", "unfinished"),
            ("T1m/other.zarr", "broken"),
            ("T1m/tos.zarr", "whole"),
        ];
        assert_eq!(states, expected);
        assert!(
            stores[1]["problem"].as_str().unwrap().contains("not JSON"),
            "{}",
            stores[1]
        );
        assert_eq!(stores[2]["objects"], 1);
    }
    let text = alone(&[&["list"], &bucket[..]].concat()).stdout;
    for part in [
        "T1m/dead.zarr: unfinished",
        "T1m/broken.zarr: BROKEN",
        "not JSON",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn where_there_are_no_stores_it_says_so() {
    let (sandbox, server) = (Sandbox::new(), server());
    let credentials = sandbox.credentials(&server);
    let none = sandbox.url("none");
    for place in [
        &["-b", &none][..],
        &["-b", "ocean", "-c", &credentials, "-p", "x/y"],
    ] {
        let text = on_ranks(2, &[&["list"], place].concat()).well().stdout;
        assert!(text.contains("there are no stores"), "{text}");
        let json = alone(&[&["list", "--json"], place].concat()).well().stdout;
        assert!(parsed(&json).is_empty(), "{json}");
    }
    let missing = alone(&["list", "-b", "lake", "-c", &credentials]);
    assert_eq!(missing.code, 31, "{missing:#?}");
}

#[test]
fn a_refused_list_is_no_empty_one() {
    let sandbox = Sandbox::new();
    let server = server();
    let credentials = sandbox.credentials(&server);
    let args = ["list", "-b", "ocean", "-c", &credentials, "--anonymous"];
    let refused = on_ranks(3, &args);
    assert_eq!(refused.code, 32, "{refused:#?}");
    assert!(refused.stderr.contains("access refused"), "{refused:#?}");
    assert!(!refused.stdout.contains("no stores"), "{refused:#?}");
}

#[test]
fn a_store_that_may_not_be_read_is_not_called_broken() {
    let (sandbox, server) = (Sandbox::new(), server());
    let credentials = sandbox.credentials(&server);
    let file = sandbox.source(&Spec::default());
    let place = ["-b", "ocean", "-c", &credentials];
    let line = ["send", "-f", &file, "-v", "tos", "sos"];
    alone(&[&line[..], &place].concat()).well();
    let secret = Rule::new(Fault::Status(403)).method("GET");
    server.faults().add(secret.key_contains("tos.zarr/"));
    let listed = alone(&[&["list"][..], &place].concat());
    assert_eq!(listed.code, 32, "{listed:#?}");
    assert!(
        listed.stdout.contains("tos.zarr: may not be read"),
        "{listed:#?}"
    );
    assert!(!listed.stdout.contains("BROKEN"), "{listed:#?}");
    let json = alone(&[&["list", "--json"][..], &place].concat());
    assert!(json.stdout.contains(r#""state":"denied""#), "{json:#?}");
}
