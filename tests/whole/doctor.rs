//! `doctor`: what it says of servers of every kind, and that nothing of it is left.

use s3_server::{Conditional, Config, EtagKind, Fault, Rule, Server};

use crate::support::{Ended, Sandbox, alone, objects, on_ranks, server};

/// Examines `server` alone and on ranks.
fn examined(server: &Server) -> [Ended; 2] {
    let sandbox = Sandbox::new();
    let credentials = sandbox.credentials(server);
    let args = ["doctor", "-b", "ocean", "-c", &credentials, "-p", "/x/T1m/"];
    [alone(&args), on_ranks(3, &args)]
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
    assert_eq!(ended.code, code, "{ended:#?}");
    for word in words {
        assert!(ended.stderr.contains(word), "'{word}': {ended:#?}");
    }
    let shown = format!("{}{}", ended.stdout, ended.stderr);
    assert!(
        !shown.contains("test-secret") && !shown.contains("HUSH"),
        "{shown}"
    );
}

#[test]
fn a_server_that_can_do_everything() {
    let server = server();
    for ended in examined(&server) {
        let ended = ended.well();
        let head = format!(
            "endpoint  {}/ (path style)\nbucket    s3://ocean\ntries in  x/T1m/.msm-os/doctor-",
            server.endpoint()
        );
        assert!(ended.stdout.contains(&head), "{}", ended.stdout);
        assert!(
            ended
                .stdout
                .starts_with(concat!("msm_os    ", env!("CARGO_PKG_VERSION")))
        );
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
    for there in [false, true] {
        if there {
            server.put_object("ocean", "x/T1m/tos.zarr/zarr.json", "{\"a\": 1}");
        }
        for ended in examined(&server) {
            failed(&ended, 32, &["access refused", "lacks", "put"]);
            says(&ended, "ok", "list", &[]);
            says(
                &ended,
                "FAIL",
                "put",
                &["AccessDenied", "may still be read"],
            );
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
    server
        .faults()
        .add(Rule::new(Fault::Status(403)).method("DELETE"));
    let [ended, _] = examined(&server);
    failed(
        &ended,
        32,
        &[
            "delete",
            "temporary objects below x/T1m/.msm-os/doctor-",
            "could not be removed",
        ],
    );
    says(&ended, "FAIL", "delete", &["AccessDenied"]);
    let keys: Vec<String> = objects(&server).into_keys().collect();
    assert!(
        !keys.is_empty() && keys.iter().all(|key| key.starts_with("x/T1m/.msm-os/")),
        "{keys:?}"
    );
}

#[test]
fn where_nothing_can_follow_the_exit_code_says_why() {
    let (sandbox, server) = (Sandbox::new(), server());
    let endpoint = server.endpoint();
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let secret = "HUSH-HUSH";
    for (code, bucket, keys, endpoint, words) in [
        (
            31,
            "lake",
            ("test-key", "test-secret"),
            &endpoint,
            "no such bucket",
        ),
        (
            32,
            "ocean",
            ("test-key", secret),
            &endpoint,
            "SignatureDoesNotMatch",
        ),
        (
            32,
            "ocean",
            (secret, "test-secret"),
            &endpoint,
            "InvalidAccessKeyId",
        ),
        (
            33,
            "ocean",
            ("test-key", "test-secret"),
            &closed,
            "cannot be reached",
        ),
    ] {
        let credentials = sandbox.credentials_with(keys.0, keys.1, endpoint);
        let args = ["doctor", "-b", bucket, "-c", &credentials];
        for ended in [alone(&args), on_ranks(3, &args)] {
            failed(&ended, code, &[words]);
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
        let args = ["doctor", "-b", &url, "-p", prefix];
        for ended in [alone(&args), on_ranks(3, &args)] {
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
