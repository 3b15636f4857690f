//! Jobs that outlive their lease: stopped in mid-transfer, or with their link cut while they commit, delete or roll back. Another
//! job takes the store over meanwhile, and not a byte of what it did changes.
//!
//! Key type: [`Stage`].

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nemo_like::{Spec, Variable};
use rustix::process::Signal;
use s3_server::{Fault, Go, Rule, Server, Throttle, When};

use crate::processes::signal;
use crate::support::{
    Ended, Sandbox, alone_command, end, is_tidy, objects, ranks_command, server, without_ledgers,
};

/// How long leases last: another job takes one over after a sixth more.
const LEASE_SECONDS: &str = "6";
const OVER: Duration = Duration::from_secs(7);
/// A link that is no hindrance.
const FAST: u32 = 50_000_000;
const LEASE_LOST: i32 = 45;

/// A server, and a link to it that one job has for itself.
struct Stage {
    sandbox: Sandbox,
    server: Arc<Server>,
    link: Arc<Throttle>,
}

impl Stage {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let server = Arc::new(server());
        let link = Arc::new(Throttle::new(&server.endpoint(), FAST).unwrap());
        sandbox.credentials(&server);
        for (name, endpoint) in [
            ("link.json", link.endpoint()),
            ("direct.json", server.endpoint()),
        ] {
            let text = format!(
                r#"{{"token": "test-key", "secret": "test-secret", "endpoint_url": "{endpoint}"}}"#
            );
            sandbox.private(name, &text);
        }
        Self {
            sandbox,
            server,
            link,
        }
    }

    /// Twelve steps from this year on; other seeds have other values.
    fn year(&self, year: u32, seed: u64) -> String {
        let spec = Spec {
            variables: vec![Variable::Tos],
            start: format!("{year}-01-01").parse().unwrap(),
            steps: 12,
            seed,
            ..Spec::default()
        };
        let name = format!("ORCA_1m_grid_T_{year}_{seed}.nc");
        self.sandbox.source_called(&name, &spec)
    }

    fn command(&self, credentials: &str, ranks: usize, line: &[&str]) -> Command {
        let credentials = self.sandbox.path(credentials);
        let place = [
            "-b",
            "ocean",
            "-c",
            credentials.to_str().unwrap(),
            "-p",
            "T1m",
        ];
        let line = [line, &place].concat();
        let mut command = match ranks {
            1 => alone_command(&line),
            ranks => ranks_command(ranks, &line),
        };
        command
            .env("MSM_OS_TEST_LEASE_SECONDS", LEASE_SECONDS)
            .env("HDF5_USE_FILE_LOCKING", "FALSE");
        command
    }

    /// Runs a command that has a link of its own and no trouble.
    fn other(&self, line: &[&str]) -> Ended {
        end(self.command("direct.json", 1, line))
    }

    fn send(&self, file: &str) {
        self.other(&["send", "-f", file, "-cs", r#"{"time_counter": 1}"#])
            .well();
    }

    /// Starts a command whose requests go by the link that is cut.
    fn start(&self, ranks: usize, line: &[&str]) -> Child {
        let mut command = self.command("link.json", ranks, line);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// From the first request on that the hook sees so, nothing of the job passes any more.
    fn cut_at(&self, method: &'static str, part: &'static str) {
        let link = Arc::clone(&self.link);
        let cut = std::sync::atomic::AtomicBool::new(false);
        self.server.on_mutation(move |mutation| {
            let is_it = mutation.method == method && mutation.key.contains(part);
            let first = is_it && mutation.when == When::Before;
            if first && !cut.swap(true, std::sync::atomic::Ordering::SeqCst) {
                link.cut();
                return Go::Cut;
            }
            Go::On
        });
    }

    fn stores(&self) -> BTreeMap<String, Vec<u8>> {
        without_ledgers(objects(&self.server))
    }

    /// It ends as one that has lost its lease, and nothing has changed since `before`.
    #[track_caller]
    fn ends_without_a_trace(&self, job: Child, before: &BTreeMap<String, Vec<u8>>, what: &str) {
        let ended = job.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(LEASE_LOST), "{what}: {said}");
        assert!(said.contains("the lease of store"), "{what}: {said}");
        let after = self.stores();
        let changed = |key: &&String| after.get(*key) != before.get(*key);
        let keys = after.keys().chain(before.keys());
        let changed: Vec<&String> = keys.filter(changed).collect();
        assert!(changed.is_empty(), "{what}: {changed:?}");
        self.other(&["verify"]).well();
        is_tidy(&self.server);
    }
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(90), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// All ranks stand still for longer than the lease in the middle of an update, while another job updates the same steps.
#[test]
fn who_was_stopped_in_mid_transfer_changes_nothing() {
    let stage = Stage::new();
    stage.send(&stage.year(1976, 0));
    let (mine, theirs) = (stage.year(1976, 1), stage.year(1976, 2));
    let chunk = "tos.zarr/tos/c/";
    let slow = Rule::new(Fault::Delay(Duration::from_millis(400)));
    stage
        .server
        .faults()
        .add(slow.method("PUT").key_contains(chunk));
    let asked = || {
        let log = stage.server.log().into_iter();
        log.filter(|request| request.method == "PUT" && request.key.contains(chunk))
            .count()
    };
    let before = asked();
    let job = stage.start(2, &["update", "-f", &mine, "--memory", "4M"]);
    wait_until("no chunk is put", || asked() >= before + 2);
    signal(job.id(), None, Signal::STOP);
    stage.server.faults().clear();
    std::thread::sleep(OVER);
    stage.other(&["update", "-f", &theirs]).well();
    let done = stage.stores();
    signal(job.id(), None, Signal::CONT);
    stage.ends_without_a_trace(job, &done, "update");
    let same = stage.other(&["verify", "--against", &theirs]);
    same.well();
}

/// The link of a committing job is cut before its root; the next job finishes the transaction, and a third one appends.
#[test]
fn a_commit_that_another_has_finished_is_not_taken_back() {
    let stage = Stage::new();
    stage.send(&stage.year(1976, 0));
    stage.cut_at("PUT", "tos.zarr/zarr.json");
    let (second, third) = (stage.year(1977, 0), stage.year(1978, 0));
    let job = stage.start(1, &["send", "-f", &second]);
    wait_until("nothing is prepared", || {
        objects(&stage.server)
            .keys()
            .any(|key| key.ends_with(".prepared"))
    });
    let recovered = stage.other(&["send", "-f", &third]).well();
    assert!(
        recovered.stderr.contains("had not ended: finished"),
        "{recovered:?}"
    );
    let done = stage.stores();
    stage.link.mend();
    stage.ends_without_a_trace(job, &done, "commit");
    stage
        .other(&["verify", "--against", &second, &third])
        .well();
}
