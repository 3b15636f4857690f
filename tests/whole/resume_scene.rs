//! Sends that are stopped in their middle, and what was asked of the server meanwhile.
//!
//! Key types: [`Scene`], stores to send to; [`Stop`], how a send is stopped; [`Run`], a send that ended.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use nemo_like::{Spec, Variable};
use rustix::process::Signal;
use s3_server::{Go, Server, When};

use crate::dataset::{Dataset, Objects};
use crate::processes;
use crate::support::{Ended, Sandbox, alone_command, ranks_command, server};

pub const STORES: [&str; 2] = ["T1m/thetao.zarr", "T1m/tos.zarr"];

/// Objects of data in 36 months: five levels and a surface each.
pub const OBJECTS: usize = 36 * 6;

/// A server with a month in two stores.
pub struct Scene {
    sandbox: Sandbox,
    pub server: Server,
    pub before: Objects,
}

/// How a send is stopped.
#[derive(Clone, Copy, Debug)]
pub struct Stop {
    pub signal: Signal,
    pub whom: Whom,
    pub at: At,
}

/// Who gets the signal.
#[derive(Clone, Copy, Debug)]
pub enum Whom {
    All,
    Rank(usize),
    Mpirun,
}

/// At which request.
#[derive(Clone, Copy, Debug)]
pub enum At {
    /// The PUT of so many an object of data.
    Object(usize),
    /// The first PUT to a key that contains this.
    Key(&'static str),
}

/// A send that ended.
pub struct Run {
    pub ended: Ended,
    /// Keys of the objects of data that were put, or sent to be and met on the condition that they are not there.
    pub put: BTreeSet<String>,
    /// The key of such an object for each time it was read.
    pub read: Vec<String>,
    /// From the signal to the end.
    pub since: Option<Duration>,
}

impl Scene {
    /// Nothing is there yet.
    pub fn empty() -> Self {
        let (sandbox, server) = (Sandbox::new(), server());
        sandbox.credentials(&server);
        Self {
            sandbox,
            server,
            before: Objects::new(),
        }
    }

    /// January is there.
    pub fn new() -> Self {
        let mut scene = Self::empty();
        let first = scene.months(0, 1, 0);
        let settings = ["-cs", r#"{"time_counter": 1, "deptht": 1}"#];
        scene.send(1, &[&first], &settings, None).ended.well();
        scene.before = scene.objects();
        scene
    }

    pub fn objects(&self) -> Objects {
        self.server.objects("ocean")
    }

    /// A file of so many months from this one on.
    pub fn months(&self, first: u32, steps: usize, seed: u64) -> String {
        let spec = Spec {
            grid: "8x6x5".parse().unwrap(),
            variables: vec![Variable::Thetao, Variable::Tos],
            start: format!("{}-{:02}-01", 1976 + first / 12, 1 + first % 12)
                .parse()
                .unwrap(),
            steps,
            seed,
            ..Spec::default()
        };
        let name = format!("ORCA8x6_1m_grid_T_{first}_{steps}_{seed}.nc");
        let path = self.sandbox.path(&name);
        if path.exists() {
            // Written again, it would be another file.
            return path.to_str().unwrap().to_owned();
        }
        self.sandbox.source_called(&name, &spec)
    }

    /// The three years behind January.
    pub fn years(&self) -> String {
        self.months(1, 36, 0)
    }

    /// Sends files on so many ranks; what they put goes into the journal often.
    pub fn send(&self, ranks: usize, files: &[&str], options: &[&str], stop: Option<Stop>) -> Run {
        let credentials = self.sandbox.path("credentials.json");
        let place = [
            "-b",
            "ocean",
            "-p",
            "T1m",
            "-c",
            credentials.to_str().unwrap(),
        ];
        // Only so much that a few objects are in flight at a time.
        let memory = ["--memory", "2M"];
        let args = [&["send"], &place[..], &memory, options, &["-f"], files].concat();
        let mut command = match ranks {
            1 => alone_command(&args),
            ranks => ranks_command(ranks, &args),
        };
        command
            .env("HDF5_USE_FILE_LOCKING", "FALSE")
            .env("MSM_OS_TEST_JOURNAL_MS", "50")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let launcher: Arc<OnceLock<u32>> = Arc::default();
        let stopped: Arc<OnceLock<Instant>> = Arc::default();
        self.watch(stop, Arc::clone(&launcher), Arc::clone(&stopped));
        let seen = self.server.log().len();
        let child = command.spawn().unwrap();
        launcher.set(child.id()).unwrap();
        let output = child.wait_with_output().unwrap();
        let code = output.status.code();
        let signal = output.status.signal().map(|signal| 128 + signal);
        let since = stopped.get().map(Instant::elapsed);
        self.server.thaw();
        self.server.on_mutation(|_| Go::On);
        let log = self.server.log();
        let of = |method: &str| -> Vec<String> {
            let those = log[seen..].iter().filter(|r| {
                r.method == method && ((200..300).contains(&r.status) || r.status == 412)
            });
            let keys = those.map(|request| request.key.clone());
            keys.filter(|key| is_data(key)).collect()
        };
        Run {
            ended: Ended {
                // As a shell says it of a process that a signal ended.
                code: code.or(signal).unwrap_or(-1),
                stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
                stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
                elapsed: Duration::ZERO,
            },
            put: of("PUT").into_iter().collect(),
            read: of("GET"),
            since,
        }
    }

    /// Sends the signal when it is time; each object of data takes a while.
    fn watch(
        &self,
        stop: Option<Stop>,
        launcher: Arc<OnceLock<u32>>,
        stopped: Arc<OnceLock<Instant>>,
    ) {
        let (objects, is_sent) = (AtomicUsize::new(0), AtomicBool::new(false));
        let Some(Stop { signal, whom, at }) = stop else {
            return;
        };
        self.server.on_mutation(move |mutation| {
            if mutation.when == When::Before || mutation.method != "PUT" {
                return Go::On;
            }
            let mut number = 0;
            if is_data(&mutation.key) {
                std::thread::sleep(Duration::from_millis(10));
                number = objects.fetch_add(1, Ordering::SeqCst) + 1;
            }
            let is_time = match at {
                At::Object(at) => number == at,
                At::Key(part) => mutation.key.contains(part),
            };
            if !is_time || is_sent.swap(true, Ordering::SeqCst) {
                return Go::On;
            }
            // Only once can it be the first.
            let _ = stopped.set(Instant::now());
            let launcher = *launcher.wait();
            match whom {
                Whom::All => processes::signal(launcher, None, signal),
                Whom::Rank(rank) => processes::signal(launcher, Some(rank), signal),
                Whom::Mpirun => processes::signal_mpirun(launcher, signal),
            }
            if signal == Signal::KILL {
                Go::Freeze
            } else {
                Go::On
            }
        });
    }

    /// The stores are what sending `files` behind January, undisturbed, makes of them; and the ledgers are tidy.
    #[track_caller]
    pub fn is_as_sent(&self, files: &[&str]) {
        let other = Self::empty();
        for (key, object) in &self.before {
            other.server.put_object("ocean", key, object.clone());
        }
        other.send(1, files, &[], None).ended.well();
        let (expected, now) = (other.objects(), self.objects());
        for store in STORES {
            let dataset = Dataset::of(&expected, store).unwrap();
            dataset.is_seen(&now).unwrap();
        }
        crate::support::is_tidy(&self.server);
    }
}

/// Is it an object of data, not of coordinates?
fn is_data(key: &str) -> bool {
    !key.contains(".msm-os/") && (key.contains("/thetao/c/") || key.contains("/tos/c/"))
}
