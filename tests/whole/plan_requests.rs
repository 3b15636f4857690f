//! The requests that `plan` foresees of shared sends, insertions and deletes, held against the server's log.

use s3_server::Server;

use crate::line::msm_os;
use crate::plan::{document, kinds};
use crate::support::served;

/// What is planned of a send is about what it asks for then.
#[track_caller]
fn is_foreseen(server: &Server, what: &str) {
    let planned = document(&msm_os!("plan {what} --json").well());
    let first = server.log().len();
    msm_os!("send {what}").well();
    let found = kinds(server, first);
    let of = |kind: &str| planned["requests"][kind].as_u64().unwrap();
    for (kind, foreseen) in [
        // A copy is a PUT, too.
        ("put", of("put") + of("copy")),
        ("get", of("get")),
        ("head", of("head")),
        ("list", of("list")),
    ] {
        let found = found.get(kind).copied().unwrap_or(0);
        assert!(
            found.abs_diff(foreseen) <= 5 + found / 4,
            "{what}, {kind}: {foreseen} foreseen, {found} found"
        );
    }
}

#[test]
fn of_jobs_that_share() {
    let (sandbox, server, bucket) = served();
    let files: Vec<String> = (1..=4).map(|month| sandbox.months(month, 1)).collect();
    let what = format!("-f {} {bucket} -v tos,sos --share", files.join(" "));
    is_foreseen(&server, &format!("{what} -p alone"));
    // The first commits its first part, and the other one all that is left.
    for task in ["0/2", "1/2"] {
        is_foreseen(&server, &format!("{what} -p both --task {task}"));
    }
}

#[test]
fn of_a_delete() {
    let (sandbox, server, bucket) = served();
    let file = sandbox.months(1, 6);
    msm_os!("send -f {file} {bucket} -p T1m -v tos,sos,thetao").well();
    let dry = msm_os!("delete {bucket} -p T1m --all --dry-run");
    let planned = document(&dry.and("--json").well());
    dry.well().says(&["requests: about "]);
    let first = server.log().len();
    msm_os!("delete {bucket} -p T1m --all --yes").well();
    let found = kinds(&server, first);
    // Those that delete many are POSTs.
    let deletes = found["delete"] + found["other"];
    for (kind, found) in [
        ("put", found["put"]),
        ("get", found["get"]),
        ("list", found["list"]),
        ("head", found["head"]),
        ("delete", deletes),
    ] {
        let foreseen = planned["requests"][kind].as_u64().unwrap();
        assert!(
            found.abs_diff(foreseen) <= 5 + found / 4,
            "{kind}: {foreseen} foreseen, {found} found"
        );
    }
}

#[test]
fn of_steps_that_make_room() {
    let (sandbox, server, bucket) = served();
    let what = |file: &str| format!("-f {file} {bucket} -p T1m -v tos,thetao");
    let later = sandbox.months(2, 6);
    msm_os!("send {}", what(&later)).well();
    is_foreseen(
        &server,
        &format!("{} --insert", what(&sandbox.months(1, 1))),
    );
}
