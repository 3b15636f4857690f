//! Commands on several stores that are interrupted and given again, and ledgers that are damaged or name what is not their
//! own: each store is changed once, and no ledger is believed.
//!
//! Key type: [`Stage`].

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nemo_like::{Spec, Variable};
use s3_server::{Config, Fault, Go, Rule, Server, When};

use crate::processes::kill;
use crate::support::{Ended, Sandbox, alone_command, end, is_tidy, objects, ranks_command};

const STORES: [&str; 2] = ["T1m/sos.zarr", "T1m/tos.zarr"];

/// Two stores on a server.
pub struct Stage {
    sandbox: Sandbox,
    pub server: Server,
}

impl Stage {
    pub fn new() -> Self {
        let (sandbox, server) = (Sandbox::new(), Server::start(Config::default()).unwrap());
        sandbox.credentials(&server);
        Self { sandbox, server }
    }

    /// Six months from this year on; other seeds have other values.
    pub fn months(&self, year: u32, seed: u64) -> String {
        let spec = Spec {
            variables: vec![Variable::Tos, Variable::Sos],
            start: format!("{year}-01-01").parse().unwrap(),
            steps: 6,
            seed,
            ..Spec::default()
        };
        let name = format!("ORCA_1m_grid_T_{year}_{seed}.nc");
        self.sandbox.source_called(&name, &spec)
    }

    fn command(&self, ranks: usize, line: &[&str]) -> Command {
        self.command_at("T1m", ranks, line)
    }

    fn command_at(&self, prefix: &str, ranks: usize, line: &[&str]) -> Command {
        let credentials = self.sandbox.path("credentials.json");
        let place = [
            "-b",
            "ocean",
            "-c",
            credentials.to_str().unwrap(),
            "-p",
            prefix,
        ];
        let line = [line, &place].concat();
        let mut command = match ranks {
            1 => alone_command(&line),
            ranks => ranks_command(ranks, &line),
        };
        command
            .env("MSM_OS_TEST_LEASE_SECONDS", "6")
            .env("MSM_OS_TEST_PATIENCE_SECONDS", "1")
            .env("HDF5_USE_FILE_LOCKING", "FALSE");
        command
    }

    pub fn run(&self, line: &[&str]) -> Ended {
        self.run_at("T1m", line)
    }

    /// The same below another prefix.
    pub fn run_at(&self, prefix: &str, line: &[&str]) -> Ended {
        end(self.command_at(prefix, 1, line))
    }

    pub fn send(&self, year: u32) {
        let file = self.months(year, 0);
        let chunks = r#"{"time_counter": 1}"#;
        let line = [
            "send",
            "-f",
            &file,
            "-cs",
            chunks,
            "--keep-undo",
            "3",
            "--allow-gaps",
        ];
        self.run(&line).well();
    }

    /// Runs a command that is cut off after the first request that does this.
    pub fn cut_off(&self, line: &[&str], method: &'static str, part: &'static str) -> Ended {
        self.server.on_mutation(move |mutation| {
            let is_it = mutation.method == method && mutation.key.contains(part);
            if is_it && mutation.when == When::After {
                return Go::Freeze;
            }
            Go::On
        });
        let ended = self.run(line);
        assert_ne!(ended.code, 0, "{ended:#?}");
        self.server.on_mutation(|_| Go::On);
        self.server.thaw();
        ended
    }

    pub fn keys(&self, part: &str) -> Vec<String> {
        let keys = objects(&self.server).into_keys();
        keys.filter(|key| key.contains(part)).collect()
    }

    /// The only key with this part.
    fn key(&self, part: &str) -> String {
        let mut keys = self.keys(part);
        assert_eq!(keys.len(), 1, "{keys:?}");
        keys.remove(0)
    }
}

/// What a dead job left is healed before anything else, so that another thing is done than what the store tells of as it is.
#[test]
fn no_dry_run_tells_what_would_be_done_before_what_a_dead_job_left_is_healed() {
    let stage = Stage::new();
    stage.send(1976);
    let file = stage.months(1977, 0);
    let send = ["send", "-f", &file, "--allow-gaps"];
    stage.cut_off(&send, "PUT", ".prepared");
    let before = objects(&stage.server);
    for line in [
        &["delete", "--all", "--time", "1976-06.."][..],
        &["delete", "-v", "tos", "--array", "area"],
        &["copy", "--to", "old/T1m"],
        &["move", "--to", "old/T1m"],
        &["rechunk", "--to", "new/T1m", "--codec", "zstd:2"],
        &["rechunk", "--replace", "--codec", "zstd:2"],
        &["rollback"],
        &send,
    ] {
        let line = [line, &["--dry-run"]].concat();
        let refused = stage.run(&line);
        refused.refused(35, &["the send ", " has not ended: ", "recover"]);
    }
    // All goes, whatever becomes of it.
    let gone = stage.run(&["delete", "--all", "--dry-run"]).well();
    gone.says(&["warning: T1m/tos.zarr: the send ", " has not ended: "]);
    assert!(objects(&stage.server) == before);
}

#[test]
fn an_interrupted_rollback_of_several_stores_undoes_each_once() {
    for part in [".back", "/transactions/"] {
        let stage = Stage::new();
        (1976..1979).for_each(|year| stage.send(year));
        stage.cut_off(&["rollback"], "DELETE", part);
        stage.run(&["rollback"]).well();
        for store in ["sos.zarr/transactions/", "tos.zarr/transactions/"] {
            assert_eq!(stage.keys(store).len(), 2, "{part}: {store}");
        }
        stage.run(&["verify"]).well();
        is_tidy(&stage.server);
    }
}

#[test]
fn a_delete_also_ends_the_one_that_died_before_it() {
    let stage = Stage::new();
    stage.send(1976);
    stage.cut_off(
        &["delete", "--all", "--yes"],
        "DELETE",
        "tos.zarr/zarr.json",
    );
    assert!(!stage.keys(".delete").is_empty());
    stage.run(&["delete", "--all", "--yes"]).well();
    assert_eq!(stage.keys(""), [""; 0]);
}

#[test]
fn a_damaged_journal_is_in_nobodys_way_and_can_be_deleted() {
    let stage = Stage::new();
    stage.send(1976);
    let second = stage.months(1977, 0);
    // One store has a transaction to be healed, the other one a journal that cannot be read.
    stage.cut_off(
        &["send", "-f", &second, "--allow-gaps", "-v", "sos"],
        "PUT",
        "sos.zarr/sos/c/7",
    );
    let journal = "T1m/.msm-os/tos.zarr/journal/00000002-0123abcd.open";
    stage
        .server
        .put_object("ocean", journal, "{\"format\": 1, ");
    std::thread::sleep(Duration::from_secs(7));
    let recovered = stage.run(&["recover"]);
    assert_eq!(recovered.code, 25, "{recovered:#?}");
    assert!(recovered.stderr.contains(journal), "{recovered:#?}");
    assert_eq!(stage.key("/journal/"), journal);
    stage.run(&["delete", "--all", "--yes"]).well();
    assert_eq!(stage.keys(""), [""; 0]);
}

#[test]
fn a_ledger_that_names_another_store_changes_nothing_there() {
    let stage = Stage::new();
    stage.send(1976);
    stage.send(1977);
    let before = objects(&stage.server);
    let entries = stage.keys("sos.zarr/additions/");
    let entry = entries.iter().max().unwrap();
    let id = entry.rsplit('/').next().unwrap();
    let entry = String::from_utf8(before[entry].clone()).unwrap();
    // As it is now, with keys from the store on, and as it was, with whole ones.
    let whole = entry
        .replace("\"format\":4", "\"format\":1")
        .replace("\"key\":\"", "\"key\":\"T1m/sos.zarr/");
    for (entry, own, stolen) in [
        (&entry, "zarr.json", "../tos.zarr/zarr.json"),
        (&entry, "zarr.json", "/T1m/tos.zarr/zarr.json"),
        (&whole, "T1m/sos.zarr/zarr.json", "T1m/tos.zarr/zarr.json"),
        (
            &whole,
            "T1m/sos.zarr/zarr.json",
            "T1m/sos.zarr/../tos.zarr/zarr.json",
        ),
    ] {
        let changed = entry.replace(&format!("\"{own}\""), &format!("\"{stolen}\""));
        assert_ne!(changed, *entry);
        let entry = changed;
        let journal = format!("T1m/.msm-os/sos.zarr/journal/{id}.back");
        stage.server.put_object("ocean", &journal, entry);
        let recovered = stage.run(&["recover"]);
        assert_eq!(recovered.code, 25, "{recovered:#?}");
        assert!(
            recovered.stderr.contains("is not below its store"),
            "{recovered:#?}"
        );
        stage.server.remove_object("ocean", &journal);
        assert!(objects(&stage.server) == before, "{stolen}");
    }
}

#[test]
fn recover_says_how_long_a_lease_is_in_the_way() {
    let stage = Stage::new();
    stage.send(1976);
    let second = stage.months(1977, 0);
    stage.cut_off(
        &["send", "-f", &second, "--allow-gaps", "-v", "sos"],
        "PUT",
        "sos.zarr/sos/c/7",
    );
    // Its job ran on another machine, so that only time tells that it died.
    for store in STORES {
        let (_, name) = store.split_once('/').unwrap();
        let lease = format!("T1m/.msm-os/{name}/lease/00000009");
        let holder = r#"{"host": "elsewhere", "boot": "1", "pid_namespace": "1", "pid": 1, "started": 1, "slurm_job": null,
            "command": "send", "since": "2026-01-31T12:00:00Z"}"#;
        let claim = format!(
            r#"{{"format": 1, "token": "0", "state": "held", "beat": 0, "holder": {holder}}}"#
        );
        stage.server.put_object("ocean", &lease, claim);
    }
    let before = objects(&stage.server);
    let recovered = stage.run(&["recover"]);
    assert_eq!(recovered.code, 46, "{recovered:#?}");
    for part in [
        "sos.zarr",
        "tos.zarr",
        "on elsewhere",
        "run the same recover again; if it is dead, in ",
        "Z",
    ] {
        assert!(recovered.stderr.contains(part), "{part}: {recovered:#?}");
    }
    assert!(objects(&stage.server) == before);
    std::thread::sleep(Duration::from_secs(8));
    stage.run(&["recover"]).well();
    is_tidy(&stage.server);
}

/// A copy that the server of a dead job has made late.
#[test]
fn a_stray_undo_copy_does_not_take_the_place_of_what_rollback_needs() {
    let stage = Stage::new();
    stage.send(1976);
    for store in STORES {
        let (_, name) = store.split_once('/').unwrap();
        let stray = format!("T1m/.msm-os/{name}/undo/00000002-ffffffff/objects/tos/c/0/0/0");
        stage.server.put_object("ocean", &stray, "stray");
    }
    let first = objects(&stage.server);
    let second = stage.months(1977, 0);
    stage.run(&["send", "-f", &second, "--allow-gaps"]).well();
    assert_eq!(stage.keys("ffffffff"), [""; 0]);
    stage.run(&["rollback"]).well();
    let now = objects(&stage.server);
    let is_same = |key: &&String| key.contains(".msm-os/") || now.get(*key) == first.get(*key);
    assert!(first.keys().chain(now.keys()).all(|key| is_same(&key)));
}

/// The others live on for a while, and may still write.
#[test]
fn a_job_is_not_dead_before_its_last_rank_is() {
    let stage = Stage::new();
    stage.send(1976);
    let (old, new) = (stage.months(1976, 0), stage.months(1976, 1));
    let chunk = "tos.zarr/tos/c/";
    let slow = Rule::new(Fault::Delay(Duration::from_millis(500)));
    stage
        .server
        .faults()
        .add(slow.method("PUT").key_contains("/c/"));
    let mut job = stage.command(3, &["update", "-f", &new, "--memory", "4M"]);
    job.env("OMPI_MCA_odls_base_sigkill_timeout", "4");
    // The delay is no silence.
    job.env("MSM_OS_TEST_PATIENCE_SECONDS", "20");
    let mut job = job
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let asked = stage.server.log().len();
    let is_put =
        |request: &s3_server::Request| request.method == "PUT" && request.key.contains(chunk);
    while !stage.server.log()[asked..].iter().any(is_put) {
        assert!(begun.elapsed() < Duration::from_secs(60), "no chunk is put");
        std::thread::sleep(Duration::from_millis(20));
    }
    kill(job.id(), Some(0));
    let mut next = stage.command(1, &["update", "-f", &old, "--lock-wait", "60s"]);
    next.env("MSM_OS_TEST_PATIENCE_SECONDS", "20");
    end(next).well();
    stage.server.faults().clear();
    job.wait().unwrap();
    std::thread::sleep(Duration::from_secs(1));
    stage.run(&["verify", "--against", &old]).well();
    is_tidy(&stage.server);
}
