//! Any number of ranks gives the same bytes, in a directory and on an S3 server.

use nemo_like::Spec;

use crate::support::{Sandbox, alone, objects, on_ranks, server, without_ledgers};

/// Two sends: a create, and an append that begins in the middle of a chunk.
fn two_sends(sandbox: &Sandbox) -> [String; 2] {
    let first = Spec {
        steps: 3,
        ..Spec::default()
    };
    let second = Spec {
        steps: 4,
        start: "1976-04-01".parse().unwrap(),
        ..Spec::default()
    };
    [sandbox.source(&first), sandbox.source(&second)]
}

#[test]
fn any_number_of_ranks_gives_the_same_bytes() {
    let sandbox = Sandbox::new();
    let files = two_sends(&sandbox);
    let to = |name: &str, file: &str, run: &dyn Fn(&[&str])| {
        run(&[
            "send",
            "-f",
            file,
            "-b",
            name,
            "-cs",
            r#"{"time_counter": 2, "y": 13, "deptht": 2}"#,
        ]);
    };
    for file in &files {
        to(&sandbox.url("alone"), file, &|args| {
            drop(alone(args).well());
        });
        for ranks in [1, 2, 3, 5] {
            to(&sandbox.url(&format!("on{ranks}")), file, &|args| {
                drop(on_ranks(ranks, args).well());
            });
        }
    }
    let expected = sandbox.stores("alone");
    assert!(expected.len() > 100, "{}", expected.len());
    for ranks in [1, 2, 3, 5] {
        assert!(
            sandbox.stores(&format!("on{ranks}")) == expected,
            "{ranks} ranks give other bytes"
        );
    }
}

#[test]
fn a_server_gets_the_bytes_that_a_directory_gets() {
    let sandbox = Sandbox::new();
    let files = two_sends(&sandbox);
    for file in &files {
        alone(&["send", "-f", file, "-b", &sandbox.url("alone")]).well();
    }
    let expected = sandbox.stores("alone");
    for ranks in [1, 2, 3, 5] {
        let server = server();
        let credentials = sandbox.credentials(&server);
        for file in &files {
            on_ranks(
                ranks,
                &["send", "-f", file, "-b", "s3://ocean", "-c", &credentials],
            )
            .well();
        }
        assert!(
            without_ledgers(objects(&server)) == expected,
            "{ranks} ranks give other bytes"
        );
    }
}

#[test]
fn every_rank_takes_a_share() {
    let sandbox = Sandbox::new();
    let [file, _] = two_sends(&sandbox);
    let ended = on_ranks(3, &["send", "-f", &file, "-b", &sandbox.url("ocean")]).well();
    assert_eq!(
        ended.stdout.matches("plan: ").count(),
        1,
        "only rank 0 speaks: {}",
        ended.stdout
    );
    assert_eq!(
        ended.stdout.matches("sent: 8 stores created").count(),
        1,
        "{}",
        ended.stdout
    );
}

#[test]
fn the_environment_gives_endpoint_and_keys_as_well() {
    let (sandbox, server) = (Sandbox::new(), server());
    let [file, _] = two_sends(&sandbox);
    let mut command =
        crate::support::ranks_command(2, &["send", "-f", &file, "-b", "ocean", "-v", "tos"]);
    command.env("AWS_ENDPOINT_URL", server.endpoint());
    command
        .env("AWS_ACCESS_KEY_ID", "test-key")
        .env("AWS_SECRET_ACCESS_KEY", "test-secret");
    crate::support::end(command).well();
    assert!(
        server
            .objects("ocean")
            .contains_key("T1m/tos.zarr/zarr.json")
    );
}
