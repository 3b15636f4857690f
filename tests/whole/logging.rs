//! `--log`: what lies below the messages, with the rank, and no secret.

use s3_server::{Fault, Rule};

use crate::line::msm_os;
use crate::support::{Sandbox, end, served};

#[test]
fn a_log_tells_of_requests_retries_and_leases_on_each_rank_and_of_no_secret() {
    let (sandbox, server, bucket) = served();
    let file = sandbox.months(1, 1);
    let busy = Rule::new(Fault::Status(503)).method("PUT");
    server.faults().add(busy.key_contains("/c/").times(2));
    let mut command = msm_os!("send -f {file} {bucket} --log trace").command(2);
    command.env("MSM_OS_TEST_LEASE_SECONDS", "15");
    let log = end(command).well();
    log.warns(&[
        "rank 0 ",
        "rank 1 ",
        "method=PUT",
        "status=503",
        "to be tried again",
        "waiting for the server",
        "got the lease",
        "this rank's share",
    ]);
    for hidden in ["test-secret", "test-key", "Signature", "Credential="] {
        assert!(!log.stderr.contains(hidden), "{hidden} is told: {log:#?}");
    }
}

#[test]
fn nothing_is_logged_unless_asked_for_and_a_wrong_filter_is_named() {
    let sandbox = Sandbox::new();
    let (file, url) = (sandbox.months(1, 1), sandbox.url("ocean"));
    std::fs::create_dir(sandbox.path("ocean")).unwrap();
    let send = msm_os!("send -f {file} -b {url}");
    let quiet = send.well();
    assert!(!quiet.stderr.contains("rank 0"), "{quiet:#?}");
    let some = send.and("--log commit=debug").well();
    some.warns(&["msm_os::commit"]);
    assert!(!some.stderr.contains("msm_os::store"), "{some:#?}");
    let wrong = msm_os!("list -b {url} --log hyper=trace").alone();
    wrong.refused(2, &["'hyper' does not log"]);
}
