//! `--log`: what lies below the messages, with the rank, and no secret.

use nemo_like::Spec;
use s3_server::{Fault, Rule};

use crate::support::{Sandbox, alone, end, ranks_command, server};

#[test]
fn a_log_tells_of_requests_retries_and_leases_on_each_rank_and_of_no_secret() {
    let (sandbox, server) = (Sandbox::new(), server());
    let credentials = sandbox.credentials(&server);
    let file = sandbox.source(&Spec::default());
    let busy = Rule::new(Fault::Status(503)).method("PUT");
    server.faults().add(busy.key_contains("/c/").times(2));
    let args = [
        "send",
        "-f",
        &file,
        "-b",
        "ocean",
        "-c",
        &credentials,
        "--log",
        "trace",
    ];
    let mut command = ranks_command(2, &args);
    command.env("MSM_OS_TEST_LEASE_SECONDS", "1");
    let log = end(command).well().stderr;
    for part in [
        "rank 0 ",
        "rank 1 ",
        "method=PUT",
        "status=503",
        "to be tried again",
        "waiting for the server",
        "got the lease",
        "this rank's share",
    ] {
        assert!(log.contains(part), "'{part}' is missing:\n{log}");
    }
    for hidden in ["test-secret", "test-key", "Signature", "Credential="] {
        assert!(!log.contains(hidden), "{hidden} is told:\n{log}");
    }
}

#[test]
fn nothing_is_logged_unless_asked_for_and_a_wrong_filter_is_named() {
    let sandbox = Sandbox::new();
    let (file, bucket) = (sandbox.source(&Spec::default()), sandbox.url("ocean"));
    std::fs::create_dir(sandbox.path("ocean")).unwrap();
    let quiet = alone(&["send", "-f", &file, "-b", &bucket]).well();
    assert!(!quiet.stderr.contains("rank 0"), "{}", quiet.stderr);
    let some = alone(&["send", "-f", &file, "-b", &bucket, "--log", "commit=debug"]).well();
    assert!(some.stderr.contains("msm_os::commit") && !some.stderr.contains("msm_os::store"));
    let wrong = alone(&["list", "-b", &bucket, "--log", "hyper=trace"]);
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.stderr.contains("'hyper' does not log"),
        "{}",
        wrong.stderr
    );
}
