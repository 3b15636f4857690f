//! `list`: what stores are like, and what it takes to find out.

use s3_server::{Fault, Rule, Server};
use serde_json::{Value, json};

use crate::line::msm_os;
use crate::support::{Sandbox, objects, served};

const STRATEGY: &str = r#"{"time_counter": 3, "y": 13}"#;

/// Sends two months, then two more, which fill up a half-full chunk.
fn send(sandbox: &Sandbox, bucket: &str, variables: &str) {
    for month in [1, 3] {
        let file = sandbox.months(month, 2);
        msm_os!("send -f {file} -cs '{STRATEGY}' -v {variables} {bucket}").well();
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
    let bucket = format!("-b {}", sandbox.url("ocean"));
    send(&sandbox, &bucket, "tos thetao");
    let listed = msm_os!("list {bucket} --json").well();
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
        assert_eq!(store["state"], "whole");
        assert_eq!(store["zarr_format"], 3);
        let last = &store["last_transaction"];
        assert_eq!(last["number"], 2);
        assert_eq!(last["command"], "send");
        assert_eq!(last["steps"], 2);
        assert!(last["time"].as_str().unwrap().ends_with('Z'), "{last}");
        assert_eq!(store["time"]["axis"], "time_counter");
        assert_eq!(store["time"]["steps"], 4);
        let variables = store["variables"].as_array().unwrap().iter();
        let data = variables.filter(|variable| variable["coordinate"] == false);
        assert_eq!(data.count(), 1);
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
    msm_os!("list {bucket}").well().says(&[
        "T1m/tos.zarr: Zarr v3, ",
        "transaction 2: send, 2 steps, ",
        "time_counter: 4 steps, ",
        "float32  time_counter=4 y=30 x=40",
        "chunks 3×13×40",
        "bytes blosc:lz4 crc32c",
    ]);
}

#[test]
fn ranks_and_places_make_no_difference() {
    let (sandbox, _server, bucket) = served();
    let directory = format!("-b {}", sandbox.url("ocean"));
    let mut seen = Vec::new();
    for bucket in [directory, bucket] {
        let place = format!("{bucket} -p x/T1m");
        send(&sandbox, &place, "tos");
        for ranks in [1, 3] {
            let ended = msm_os!("list --json {place}").well_on(ranks);
            let mut stores = parsed(&ended.stdout);
            stores[0]["last_transaction"]["time"].take();
            seen.push(stores);
        }
    }
    assert!(seen.iter().all(|stores| *stores == seen[0]), "{seen:#?}");
}

#[test]
fn of_many_stores_only_those_without_a_record_are_walked_through() {
    let (sandbox, server, bucket) = served();
    send(&sandbox, &bucket, "tos");
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
    let stores = parsed(&msm_os!("list --json {bucket}").well_on(2).stdout);
    assert_eq!(stores.len(), 301);
    let keys: Vec<&str> = stores
        .iter()
        .map(|store| store["store"].as_str().unwrap())
        .collect();
    assert!(keys.is_sorted(), "{keys:?}");
    let without_record = ["T1m/0/v123.zarr", "T1m/1/v001.zarr"];
    for (store, key) in stores.iter().zip(keys) {
        let bytes = &stores[300]["stored_bytes"];
        assert_eq!(store["stored_bytes"], *bytes, "{store}");
        let unknown = without_record.contains(&key);
        assert_eq!(store["last_transaction"].is_null(), unknown, "{store}");
    }
    let mut walked = walks(&server);
    walked.retain(|prefix| prefix.contains(".zarr/") && !prefix.contains(".msm-os/"));
    walked.sort_unstable();
    walked.dedup();
    walked.retain(|prefix| prefix != "T1m/tos.zarr/");
    assert_eq!(walked, ["T1m/0/v123.zarr/", "T1m/1/v001.zarr/"]);
    // Root, record, and the time axis' first and last chunk of each store, and some listings.
    let requests = server.log().len() - before;
    assert!(requests < 301 * 4 + 20, "{requests}");
}

#[test]
fn stores_that_cannot_be_read_are_listed_with_the_others() {
    let (sandbox, server, bucket) = served();
    send(&sandbox, &bucket, "tos");
    let root = objects(&server)["T1m/tos.zarr/zarr.json"].clone();
    server.put_object("ocean", "T1m/broken.zarr/zarr.json", root[..100].to_vec());
    server.put_object("ocean", "T1m/other.zarr/readme.txt", b"hello".to_vec());
    server.put_object("ocean", "T1m/dead.zarr/dead/c/0", b"chunk".to_vec());
    server.put_object("ocean", "T1m.zarr/zarr.json", root);
    for ranks in [1, 3] {
        let ended = msm_os!("list --json -p T1m {bucket}").on(ranks);
        ended.refused(25, &["2 of 5 stores cannot be read"]);
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
        let problem = stores[1]["problem"].as_str().unwrap();
        assert!(problem.contains("not JSON"), "{problem}");
        assert_eq!(stores[2]["objects"], 1);
    }
    let listed = msm_os!("list {bucket}").alone();
    listed.says(&["T1m/dead.zarr: unfinished", "T1m/broken.zarr: BROKEN"]);
    listed.says(&["not JSON"]);
}

#[test]
fn where_there_are_no_stores_it_says_so() {
    let (sandbox, server, bucket) = served();
    let directory = format!("-b {}", sandbox.url("none"));
    for place in [directory, format!("{bucket} -p x/y")] {
        let listed = msm_os!("list {place}").well_on(2);
        listed.says(&["there are no stores"]);
        let json = msm_os!("list --json {place}").well().stdout;
        assert!(parsed(&json).is_empty(), "{json}");
    }
    let credentials = sandbox.credentials(&server);
    let missing = msm_os!("list -b lake -c {credentials}").alone();
    missing.refused(31, &[]);
}

#[test]
fn a_refused_list_is_no_empty_one() {
    let (_sandbox, _server, bucket) = served();
    let refused = msm_os!("list {bucket} --anonymous").on(3);
    refused.refused(32, &["access refused"]);
    assert!(!refused.stdout.contains("no stores"), "{refused:#?}");
}

#[test]
fn a_store_that_may_not_be_read_is_not_called_broken() {
    let (sandbox, server, bucket) = served();
    let file = sandbox.months(1, 1);
    msm_os!("send -f {file} -v tos sos {bucket}").well();
    let secret = Rule::new(Fault::Status(403)).method("GET");
    server.faults().add(secret.key_contains("tos.zarr/"));
    let listed = msm_os!("list {bucket}").alone();
    listed.refused(32, &[]);
    listed.says(&["tos.zarr: may not be read"]);
    assert!(!listed.stdout.contains("BROKEN"), "{listed:#?}");
    let json = msm_os!("list --json {bucket}").alone();
    json.says(&[r#""state":"denied""#]);
}

#[test]
fn a_line_a_store_and_totals_at_the_end() {
    let (sandbox, server, bucket) = served();
    let directory = format!("-b {}", sandbox.url("ocean"));
    for bucket in [&directory, &bucket] {
        send(&sandbox, &format!("{bucket} -p x/T1m"), "tos thetao");
    }
    let size = |server: &Server| {
        let objects = objects(server).into_iter();
        let stored = objects.filter(|(key, _)| !key.contains(".msm-os/"));
        stored.fold((0, 0), |(n, sum), (_, bytes)| (n + 1, sum + bytes.len()))
    };
    let (count, _) = size(&server);
    let totals = format!("\n2 stores, {count} objects, ");
    for bucket in [&directory, &bucket] {
        let full = msm_os!("list {bucket}").well();
        full.says(&[&totals]);
        for ranks in [1, 3] {
            let brief = msm_os!("list {bucket} --brief").well_on(ranks);
            brief.says(&[
                &totals,
                ", tos, 4 steps, 1976-01-",
                " objects, ",
                ", changed 2",
            ]);
            let lines: Vec<&str> = brief.stdout.lines().collect();
            assert_eq!(lines.len(), 3, "{brief:#?}");
            assert!(
                lines[0].starts_with("x/T1m/thetao.zarr: Zarr v3, thetao, 4 steps, "),
                "{brief:#?}"
            );
            assert!(
                lines[1].starts_with("x/T1m/tos.zarr: Zarr v3, "),
                "{brief:#?}"
            );
        }
        let json = msm_os!("list {bucket} --json").well();
        assert_eq!(parsed(&json.stdout).len(), 2);
    }
    msm_os!("list {bucket} --json --brief")
        .alone()
        .refused(2, &["--brief"]);
}

#[test]
fn a_coordinate_is_described_once_a_store() {
    let sandbox = Sandbox::new();
    let bucket = format!("-b {}", sandbox.url("ocean"));
    let file = sandbox.months(1, 2);
    msm_os!("send -f {file} -v compact tos sos thetao {bucket} -p all").well();
    let listed = msm_os!("list {bucket}").well();
    for coordinate in [
        "(nav_lat)",
        "(nav_lon)",
        "(time_counter)",
        "(time_counter_bounds)",
        "(deptht)",
    ] {
        let times = listed.stdout.matches(coordinate).count();
        assert_eq!(times, 1, "{coordinate}: {listed:#?}");
    }
    let names = |stores: &[Value]| -> Vec<String> {
        let variables = stores[0]["variables"].as_array().unwrap().iter();
        variables
            .map(|v| v["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let mut names = names(&parsed(&msm_os!("list {bucket} --json").well().stdout));
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "{names:?}");
}

/// The keys of the stores that are listed.
fn keys(line: &crate::line::Line) -> Vec<String> {
    let listed = parsed(&line.and("--json").well().stdout);
    let keys = listed
        .iter()
        .map(|store| store["store"].as_str().unwrap().to_owned());
    keys.collect()
}

#[test]
fn stores_are_chosen_by_what_they_hold() {
    let (sandbox, server, bucket) = served();
    let directory = format!("-b {}", sandbox.url("ocean"));
    for bucket in [&directory, &bucket] {
        send(&sandbox, bucket, "tos sos thetao");
        let list = msm_os!("list {bucket}");
        assert_eq!(
            keys(&list.and("-v sos,thetao")),
            ["T1m/sos.zarr", "T1m/thetao.zarr"]
        );
        assert_eq!(keys(&list.and("-v tos nothing")), ["T1m/tos.zarr"]);
        assert_eq!(keys(&list.and("-v deptht")), ["T1m/thetao.zarr"]);
        assert_eq!(keys(&list.and("-v nav_lat")).len(), 3);
        let none = list.and("-v nothing").well_on(2);
        none.says(&["none of 3 stores is such as asked for"]);
        assert!(!none.stdout.contains("objects"), "{none:#?}");
        assert!(keys(&list.and("-v nothing")).is_empty());
        list.and("-v tos,").alone().refused(2, &["a name is empty"]);
    }
    // What is not asked for is not walked through, and its time is not read.
    server.remove_object("ocean", "T1m/.msm-os/tos.zarr/last.json");
    let before = server.log().len();
    msm_os!("list {bucket} -v sos").well();
    let asked: Vec<String> = server.log()[before..]
        .iter()
        .map(|r| format!("{} {}", r.key, r.query))
        .collect();
    assert!(
        !asked
            .iter()
            .any(|asked| asked.contains("tos.zarr/time_counter")),
        "{asked:#?}"
    );
    // One that cannot be read may hold anything.
    server.put_object("ocean", "T1m/broken.zarr/zarr.json", b"{".to_vec());
    let listed = msm_os!("list {bucket} -v sos").well();
    listed.warns(&["left out, for it is not known", ": 'T1m/broken.zarr'"]);
}

#[test]
fn stores_are_chosen_by_their_last_transaction() {
    let (sandbox, server, bucket) = served();
    let directory = format!("-b {}", sandbox.url("ocean"));
    for bucket in [&directory, &bucket] {
        send(&sandbox, bucket, "tos sos thetao");
        let list = msm_os!("list {bucket}");
        assert_eq!(keys(&list.and("--newer 1h")).len(), 3);
        assert_eq!(keys(&list.and("--newer 1000years")).len(), 3);
        assert_eq!(keys(&list.and("--newer 1day -v sos")), ["T1m/sos.zarr"]);
        assert_eq!(keys(&list.and("--newer 1h --older 30min")).len(), 0);
        let none = list.and("--older 1000years").well();
        none.says(&["none of 3 stores is such as asked for"]);
        assert!(none.stderr.is_empty(), "{none:#?}");
        list.and("--older long").alone().refused(2, &["--older"]);
    }
    for store in ["sos", "tos"] {
        server.remove_object("ocean", &format!("T1m/.msm-os/{store}.zarr/last.json"));
    }
    for flag in ["--newer 1h", "--older 0s"] {
        let listed = msm_os!("list {bucket} {flag} --brief").well_on(2);
        listed.warns(&[
            "left out, for it is not known",
            ": 'T1m/sos.zarr' and 1 more",
        ]);
        assert_eq!(listed.stderr.matches("left out").count(), 1, "{listed:#?}");
        assert!(!listed.stdout.contains("os.zarr"), "{listed:#?}");
    }
    let old = sandbox.path("ocean/T1m/.msm-os/sos.zarr/last.json");
    let year_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(365 * 86_400);
    let record = std::fs::File::options().write(true).open(old).unwrap();
    record.set_modified(year_ago).unwrap();
    assert_eq!(
        keys(&msm_os!("list {directory} --older 300days")),
        ["T1m/sos.zarr"]
    );
    assert_eq!(keys(&msm_os!("list {directory} --newer 300days")).len(), 2);
}
