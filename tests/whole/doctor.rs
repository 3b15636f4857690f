//! `doctor`: what it says of servers of every kind, and that nothing of it is left.

use s3_server::{Conditional, Config, EtagKind, Fault, Rule, Server};

use crate::line::msm_os;
use crate::support::{Ended, Sandbox, objects, served, server};

/// Examines `server` alone and on ranks.
fn examined(server: &Server) -> [Ended; 2] {
    let sandbox = Sandbox::new();
    let credentials = sandbox.credentials(server);
    let doctor = msm_os!("doctor -b ocean -c {credentials} -p /x/T1m/");
    [doctor.alone(), doctor.on(3)]
}

/// The table has a line of `what` in this state that holds each of `words`.
#[track_caller]
fn says(ended: &Ended, state: &str, what: &str, words: &[&str]) {
    let lines: Vec<&str> = ended.stdout.lines().collect();
    let begin = format!("{state:<5} {what:<17} ");
    let line = lines.iter().find(|line| line.starts_with(&begin));
    let line = line.unwrap_or_else(|| panic!("no '{begin}' in {ended:#?}"));
    for word in words {
        assert!(line.contains(word), "'{word}' is not in: {line}");
    }
    let once = lines.iter().filter(|line| line.starts_with(&begin)).count();
    assert_eq!(once, 1, "only rank 0 speaks: {ended:#?}");
}

#[track_caller]
fn failed(ended: &Ended, code: i32, words: &[&str]) {
    ended.refused(code, words).hushed();
}

#[test]
fn a_server_that_can_do_everything() {
    let server = server();
    for ended in examined(&server) {
        let ended = ended.well();
        let endpoint = server.endpoint();
        let head = format!("endpoint  {endpoint}/ (path style)\nbucket    s3://ocean\n");
        ended.says(&[&head, "\ntries in  x/T1m/.msm-os/doctor-"]);
        let version = concat!("msm_os    ", env!("CARGO_PKG_VERSION"));
        assert!(ended.stdout.starts_with(version), "{ended:#?}");
        says(&ended, "ok", "connect", &["127.0.0.1", "connected in"]);
        says(&ended, "note", "encryption", &["http"]);
        for what in [
            "keys",
            "list",
            "put",
            "get",
            "head",
            "copy",
            "multipart",
            "delete",
            "bulk delete",
        ] {
            says(&ended, "ok", what, &[]);
        }
        says(&ended, "ok", "range get", &["206"]);
        says(&ended, "ok", "create if absent", &["enforced"]);
        says(&ended, "ok", "replace if same", &["enforced"]);
        says(&ended, "ok", "ETag", &["MD5", "in quotes"]);
        let words = [
            "wrong x-amz-checksum-crc32c is refused",
            "reads nothing back",
        ];
        says(&ended, "ok", "crc32c", &words);
        let words = ["wrong x-amz-checksum-crc64nvme is refused"];
        says(&ended, "ok", "crc64nvme", &words);
        says(&ended, "ok", "clock", &["this machine's"]);
        says(&ended, "ok", "stale reads", &["none"]);
        says(&ended, "ok", "stale lists", &["none"]);
        says(&ended, "ok", "latency", &["PUT median", "worst", "ms"]);
        says(&ended, "ok", "throughput", &["16 × 4 MiB", "MB/s"]);
        failed(&ended, 0, &[]);
    }
    assert_eq!(objects(&server).len(), 0);
}

#[test]
fn conditional_writes_and_etags_of_every_kind() {
    for (conditional, word) in [
        (Conditional::Refused, "refused"),
        (Conditional::Ignored, "ignored"),
    ] {
        let config = Config {
            conditional,
            etag: EtagKind::Opaque,
            ..Config::default()
        };
        let server = Server::start(config).unwrap();
        for ended in examined(&server) {
            let ended = ended.well();
            says(&ended, "note", "create if absent", &[word, "--lock-dir"]);
            says(&ended, "note", "replace if same", &[word, "plain writes"]);
            says(&ended, "note", "ETag", &["opaque"]);
        }
        assert_eq!(objects(&server).len(), 0);
    }
}

#[test]
fn who_may_only_read_hears_what_works() {
    let server = server();
    let denied = Rule::new(Fault::Status(403)).method("PUT");
    server.faults().add(denied);
    let denied = ["AccessDenied", "may still be read"];
    for there in [false, true] {
        if there {
            server.put_object("ocean", "x/T1m/tos.zarr/zarr.json", "{\"a\": 1}");
        }
        for ended in examined(&server) {
            failed(&ended, 32, &["access refused", "lacks", "put"]);
            says(&ended, "ok", "list", &[]);
            says(&ended, "FAIL", "put", &denied);
            says(&ended, "-", "other writes", &["not tried"]);
            if there {
                says(&ended, "ok", "get", &[]);
                says(&ended, "ok", "range get", &[]);
                says(&ended, "ok", "head", &[]);
            } else {
                says(&ended, "-", "get, range, head", &["not tried"]);
            }
            assert!(!ended.stdout.contains("latency"), "{ended:#?}");
        }
    }
    assert_eq!(objects(&server).len(), 1);
}

#[test]
fn a_step_that_fails_stops_no_other() {
    let server = server();
    for part in ["/copy", "/multipart", "/bulk-1", "/small", "/large-3"] {
        let broken = Rule::new(Fault::Status(400))
            .method("PUT")
            .key_contains(part);
        server.faults().add(broken);
    }
    for ended in examined(&server) {
        failed(&ended, 34, &["lacks", "copy"]);
        says(&ended, "FAIL", "copy", &["`update`"]);
        says(&ended, "ok", "delete", &[]);
        says(&ended, "-", "bulk delete", &["not tried"]);
        says(&ended, "ok", "create if absent", &["enforced"]);
        says(&ended, "note", "latency", &["not every"]);
        says(&ended, "note", "throughput", &["not every"]);
    }
    assert_eq!(objects(&server).len(), 0);
}

#[test]
fn what_cannot_be_removed_is_told() {
    let server = server();
    let denied = Rule::new(Fault::Status(403)).method("DELETE");
    server.faults().add(denied);
    let [ended, _] = examined(&server);
    let left = "temporary objects below x/T1m/.msm-os/doctor-";
    failed(&ended, 32, &["delete", left, "could not be removed"]);
    says(&ended, "FAIL", "delete", &["AccessDenied"]);
    let left = objects(&server);
    assert_ne!(left.len(), 0);
    for key in left.keys() {
        assert!(key.starts_with("x/T1m/.msm-os/"), "{key}");
    }
}

#[test]
fn where_nothing_can_follow_the_exit_code_says_why() {
    let (sandbox, server, _) = served();
    let there = server.endpoint();
    let closed = "http://127.0.0.1:9".to_owned();
    let (keys, wrong) = (["test-key", "test-secret"], "HUSH-HUSH");
    for (code, bucket, [key, secret], endpoint, word) in [
        (31, "lake", keys, &there, "no such bucket"),
        (
            32,
            "ocean",
            [keys[0], wrong],
            &there,
            "SignatureDoesNotMatch",
        ),
        (32, "ocean", [wrong, keys[1]], &there, "InvalidAccessKeyId"),
        (33, "ocean", keys, &closed, "cannot be reached"),
    ] {
        let credentials = sandbox.credentials_with(key, secret, endpoint);
        let doctor = msm_os!("doctor -b {bucket} -c {credentials}");
        for ended in [doctor.alone(), doctor.on(3)] {
            failed(&ended, code, &[word]);
            says(&ended, "FAIL", "list", &[]);
            let connected = if code == 33 { "note" } else { "ok" };
            says(&ended, connected, "connect", &["127.0.0.1"]);
        }
    }
    assert_eq!(objects(&server).len(), 0);
}

#[test]
fn a_directory() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    for prefix in ["T1m", "a/b"] {
        let doctor = msm_os!("doctor -b {url} -p {prefix}");
        for ended in [doctor.alone(), doctor.on(3)] {
            let ended = ended.well();
            assert!(!ended.stdout.contains("endpoint"), "{ended:#?}");
            for what in [
                "list",
                "put",
                "get",
                "range get",
                "head",
                "copy",
                "delete",
                "create if absent",
            ] {
                says(&ended, "ok", what, &[]);
            }
            assert!(!ended.stdout.contains("bulk delete") && !ended.stdout.contains("keys"));
        }
    }
    assert_eq!(sandbox.tree("ocean").len(), 0);
}
