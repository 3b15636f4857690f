//! Standard output and standard error that nobody reads, or whose disk is full: the work is done, and ends with its own code.

use std::fs::{self, File};
use std::process::{Command, Stdio};

use crate::line::{Line, msm_os};
use crate::support::{Ended, Sandbox, end};

/// Ways not to be heard: a full disk, and a pipe that nobody reads.
fn unheard() -> [Stdio; 2] {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let (reader, closed) = std::io::pipe().unwrap();
    drop(reader);
    [full.into(), closed.into()]
}

/// Runs it where nobody hears of what it says on standard error.
fn without_errors(line: &Line) -> [Ended; 2] {
    unheard().map(|stderr| {
        let mut command = line.command(1);
        command.stderr(stderr);
        end(command)
    })
}

#[test]
fn an_error_that_cannot_be_told_is_the_same_error() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let file = sandbox.months(1, 1);
    for (line, code) in [
        (msm_os!("fetch"), 2),
        (msm_os!("rollback -b {url} -p T1m"), 27),
        (msm_os!("send -b {url} -f none.nc"), 10),
        (msm_os!("send -b {url} -f {file} -v none"), 14),
        (msm_os!("send -b {url} -f {file} -v none --log trace"), 14),
    ] {
        for ended in without_errors(&line) {
            assert_eq!(ended.code, code, "{line:?}: {ended:#?}");
        }
    }
}

#[test]
fn what_heals_goes_on_unheard() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let file = sandbox.months(1, 1);
    let send = msm_os!("send -b {url} -f {file} -v tos --log trace");
    for ended in without_errors(&send) {
        ended.well();
    }
    let store = sandbox.path("ocean/T1m/tos.zarr/zarr.json");
    let recover = msm_os!("recover -b {url} -p T1m");
    for stderr in unheard() {
        send.well();
        let journal = sandbox.path("ocean/T1m/.msm-os/tos.zarr/journal/00000000-0123abcd.delete");
        fs::create_dir_all(journal.parent().unwrap()).unwrap();
        fs::write(&journal, r#"{"name": "one that died", "lock_dir": null}"#).unwrap();
        let mut command = recover.command(1);
        command.stderr(stderr);
        end(command).well().says(&["recovered: 1 transaction in"]);
        assert!(!store.exists());
    }
}

#[test]
fn what_is_found_out_for_nobody_is_a_failure() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    fs::create_dir_all(sandbox.path("ocean")).unwrap();
    for line in [
        msm_os!("doctor -b {url}"),
        msm_os!("doctor -b {url} --json"),
    ] {
        let [full, closed] = unheard().map(|stdout| {
            let mut command = line.command(1);
            command.stdout(stdout);
            end(command)
        });
        assert_eq!(closed.code, 0, "{closed:#?}");
        full.refused(1, &["printing on standard output: "]);
    }
}

#[test]
fn help_that_nobody_reads_is_no_panic() {
    let program = env!("CARGO_BIN_EXE_msm_os");
    for line in ["--help", "--version", "send --help"] {
        let [full, closed] = unheard().map(|stdout| {
            let mut command = Command::new(program);
            command.args(line.split(' ')).stdout(stdout);
            end(command)
        });
        assert_eq!((closed.code, closed.stderr.as_str()), (0, ""), "{line}");
        full.refused(1, &["msm_os: printing on standard output: "]);
    }
}

#[test]
fn a_document_that_comes_to_nobody_is_said_to_be_lost_and_the_work_is_done() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let file = sandbox.months(1, 1);
    let on_full = |line: &Line| {
        let [full, _] = unheard();
        let mut command = line.command(1);
        command.stdout(full);
        end(command)
    };
    let send = msm_os!("send -b {url} -f {file} -v tos");
    on_full(&send.and("--json")).refused(
        1,
        &[
            "msm_os: all is done, but the document could not be printed on standard output: ",
            "msm_os: the stores are as asked for; trying again does not help",
        ],
    );
    assert!(sandbox.path("ocean/T1m/tos.zarr/zarr.json").exists());
    on_full(&send).well();
    let plan = on_full(&msm_os!("plan -b {url} -f {file} -v sos --json"));
    assert_eq!(plan.code, 1);
    let told = plan.stderr.matches("printing on standard output").count();
    assert_eq!(told, 1, "{plan:#?}");
}
