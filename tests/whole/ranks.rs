//! Any number of ranks gives the same bytes, in a directory and on an S3 server.

use crate::line::msm_os;
use crate::support::{Sandbox, end, objects, served, server, without_ledgers};

const RANKS: [usize; 4] = [1, 2, 3, 5];

/// Two sends: a create, and an append that begins in the middle of a chunk.
fn two_sends(sandbox: &Sandbox) -> [String; 2] {
    [sandbox.months(1, 3), sandbox.months(4, 4)]
}

#[test]
fn any_number_of_ranks_gives_the_same_bytes() {
    let sandbox = Sandbox::new();
    for file in two_sends(&sandbox) {
        let send = |name: &str| {
            let (url, chunks) = (
                sandbox.url(name),
                r#"{"time_counter": 2, "y": 13, "deptht": 2}"#,
            );
            msm_os!("send -f {file} -b {url} -cs '{chunks}'")
        };
        send("alone").well();
        for ranks in RANKS {
            end(send(&format!("on{ranks}")).launched(ranks)).well();
        }
    }
    let expected = sandbox.stores("alone");
    assert!(expected.len() > 100, "{}", expected.len());
    for ranks in RANKS {
        let stores = sandbox.stores(&format!("on{ranks}"));
        assert!(stores == expected, "{ranks} ranks give other bytes");
    }
}

#[test]
fn a_server_gets_the_bytes_that_a_directory_gets() {
    let sandbox = Sandbox::new();
    let (files, url) = (two_sends(&sandbox), sandbox.url("alone"));
    for file in &files {
        msm_os!("send -f {file} -b {url}").well();
    }
    let expected = sandbox.stores("alone");
    for ranks in RANKS {
        let server = server();
        let credentials = sandbox.credentials(&server);
        for file in &files {
            let send = msm_os!("send -f {file} -b s3://ocean -c {credentials}");
            end(send.launched(ranks)).well();
        }
        let stores = without_ledgers(objects(&server));
        assert!(stores == expected, "{ranks} ranks give other bytes");
    }
}

#[test]
fn every_rank_takes_a_share() {
    let sandbox = Sandbox::new();
    let ([file, _], url) = (two_sends(&sandbox), sandbox.url("ocean"));
    let ended = msm_os!("send -f {file} -b {url}").well_on(3);
    // Only rank 0 speaks.
    for once in ["plan: ", "sent: 8 stores created"] {
        assert_eq!(ended.stdout.matches(once).count(), 1, "{ended:#?}");
    }
}

#[test]
fn the_environment_gives_endpoint_and_keys_as_well() {
    let (sandbox, server, _) = served();
    let [file, _] = two_sends(&sandbox);
    let mut command = msm_os!("send -f {file} -b ocean -v tos").command(2);
    command.env("AWS_ENDPOINT_URL", server.endpoint());
    command
        .env("AWS_ACCESS_KEY_ID", "test-key")
        .env("AWS_SECRET_ACCESS_KEY", "test-secret");
    end(command).well();
    assert!(objects(&server).contains_key("T1m/tos.zarr/zarr.json"));
}
