//! `--verify server`: where the server compares what it stores with a checksum nothing is read back, and elsewhere nothing is written.

use nemo_like::Spec;
use s3_server::{Checksums, Config, Fault, Rule, Server};
use serde_json::Value;

use crate::line::msm_os;
use crate::support::{Sandbox, is_tidy, objects, without_ledgers};

fn server(checksums: Checksums) -> Server {
    let config = Config {
        checksums,
        ..Config::default()
    };
    Server::start(config).unwrap()
}

/// Two months, of which the second fills up part-full chunks.
fn months(sandbox: &Sandbox) -> [String; 2] {
    ["1976-01-01", "1976-02-01"].map(|start| {
        sandbox.source(&Spec {
            start: start.parse().unwrap(),
            ..Spec::default()
        })
    })
}

/// GETs of objects of arrays.
fn reads(server: &Server) -> usize {
    let log = server.log();
    let is_read = |method: &str, key: &str| {
        method == "GET" && key.contains("/c/") && !key.contains("/.msm-os/")
    };
    let reads = log.iter().filter(|seen| is_read(&seen.method, &seen.key));
    reads.count()
}

#[test]
fn a_server_that_compares_is_not_read_back_from() {
    let sandbox = Sandbox::new();
    let [first, second] = months(&sandbox);
    let strategy = r#"-cs '{"time_counter": 2, "deptht": 1}'"#;
    let mut kept = Vec::new();
    for (ranks, verify) in [(1, "full"), (1, "server"), (3, "server")] {
        let server = server(Checksums::Enforced);
        let credentials = sandbox.credentials(&server);
        let line = msm_os!("send -b ocean -c {credentials} --verify {verify} {strategy} --json -f");
        let sent = line.and(&first).well_on(ranks);
        let sent: Value = serde_json::from_str(&sent.stdout).unwrap();
        let verified = &sent["verified"];
        let [by_server, read_back] =
            ["by_server", "read_back"].map(|way| verified[way].as_u64().unwrap());
        let all = sent["objects"].as_u64().unwrap();
        let expected = if verify == "server" {
            [all, 0]
        } else {
            [0, all]
        };
        assert_eq!([by_server, read_back], expected, "{sent}");
        assert_eq!(reads(&server) == 0, verify == "server", "{verify}");
        // What is in part-full chunks is read, as it is with any way.
        line.and(&second).well_on(ranks);
        let place = format!("-b ocean -c {credentials}");
        msm_os!("verify {place}").well();
        kept.push(without_ledgers(objects(&server)));
        msm_os!("rollback {place} -p T1m").well();
        msm_os!("verify {place}").well();
        is_tidy(&server);
    }
    assert!(kept[0] == kept[1] && kept[1] == kept[2]);
}

/// Bytes that change on the way are refused, and sent again.
#[test]
fn what_changes_on_the_way_is_sent_again() {
    let sandbox = Sandbox::new();
    let [first, _] = months(&sandbox);
    let server = server(Checksums::Enforced);
    let credentials = sandbox.credentials(&server);
    let garbled = || Rule::new(Fault::CorruptArrived).key_contains("/tos/c/");
    server.faults().add(garbled().times(2));
    let line = msm_os!("send -f {first} -b ocean -c {credentials} -v tos,so --verify server");
    let sent = line.well();
    sent.says(&["objects by the server, by their crc32c"]);
    let log = server.log();
    let is_refused = |method: &str, status: u16| method == "PUT" && status == 400;
    // One in the probe.
    assert_eq!(
        log.iter()
            .filter(|seen| is_refused(&seen.method, seen.status))
            .count(),
        3
    );
    msm_os!("verify -b ocean -c {credentials}").well();
    msm_os!("delete -b ocean -c {credentials} -p T1m -v tos,so --yes").well();
    // As often as it is sent.
    server.faults().add(garbled());
    line.on(3).refused(41, &["BadDigest", "rolled back"]);
    assert_eq!(without_ledgers(objects(&server)).len(), 0);
}

#[test]
fn servers_that_do_not_compare_are_refused_before_anything_is_written() {
    let sandbox = Sandbox::new();
    let [first, _] = months(&sandbox);
    for (checksums, words) in [
        (Checksums::Dropped, "the server drops the checksum"),
        (Checksums::Believed, "the server does not compare"),
        (
            Checksums::Forgotten,
            "HEAD does not tell that of a right one",
        ),
        (
            Checksums::Refused,
            "a right x-amz-checksum-crc32c is refused (NotImplemented",
        ),
    ] {
        let server = server(checksums);
        let credentials = sandbox.credentials(&server);
        let place = format!("-b ocean -c {credentials}");
        let send = msm_os!("send -f {first} {place} -v tos");
        let refused = |line: &str, ranks: usize| {
            let ended = send.and("--verify server").and(line).on(ranks);
            ended.refused(2, &["--verify server", words, "nothing was written"]);
            assert_eq!(objects(&server).len(), 0, "{ended:#?}");
        };
        refused("", 1);
        if checksums != Checksums::Dropped {
            continue;
        }
        refused("", 3);
        refused("--share", 1);
        send.well();
        let before = objects(&server);
        let rechunk = msm_os!("rechunk {place} -p T1m --to new -v tos --verify server");
        rechunk.alone().refused(2, &[words]);
        assert!(objects(&server) == before);
        let examined = msm_os!("doctor {place}").well();
        examined.says(&[words, "`--verify server` is refused"]);
    }
    let url = sandbox.url("ocean");
    let words = ["--verify server", "a directory has no server"];
    for line in ["send", "plan"] {
        msm_os!("{line} -f {first} -b {url} --verify server").refused_in(&sandbox, 2, &words);
    }
}
