//! Running the commands of a scene, and killing them.
//!
//! Key type: [`Worker`].

use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use s3_server::{Go, Server, When};

use super::expected::{Expected, Is, Watch, litter};
use super::{Dies, Next, Point, Scene};
use crate::dataset::Objects;
use crate::processes;
use crate::support::{Ended, Sandbox, alone, alone_command, ranks_command, server};

/// A server, and what it takes to run commands against it.
pub struct Worker {
    sandbox: Sandbox,
    pub server: Server,
}

impl Worker {
    pub fn new() -> Self {
        let (sandbox, server) = (Sandbox::new(), server());
        sandbox.credentials(&server);
        Self { sandbox, server }
    }

    pub fn objects(&self) -> Objects {
        self.server.objects("ocean")
    }

    /// Makes the bucket what it was.
    pub fn restore(&self, objects: &Objects) {
        for key in self
            .objects()
            .keys()
            .filter(|key| !objects.contains_key(*key))
        {
            self.server.remove_object("ocean", key);
        }
        for (key, object) in objects {
            self.server.put_object("ocean", key, object.clone());
        }
    }

    /// Runs the scene's command, or what comes next; `launcher` is told the process while it runs.
    pub fn run(&self, scene: &Scene, next: Next, launcher: &Arc<OnceLock<u32>>) -> (Ended, String) {
        let credentials = self.sandbox.path("credentials.json");
        let mut args: Vec<&str> = match next {
            Next::Recover => vec!["recover", "-b", "ocean", "-p", "T1m"],
            _ => scene.command.iter().map(String::as_str).collect(),
        };
        args.extend(["-c", credentials.to_str().unwrap()]);
        if next == Next::Resume {
            args.push("--resume");
        }
        let mut command = match scene.ranks.filter(|_| next != Next::Recover) {
            Some(ranks) => ranks_command(ranks, &args),
            None => alone_command(&args),
        };
        command
            .env("HDF5_USE_FILE_LOCKING", "FALSE")
            // So that runs as short as these note what they have put, too.
            .env("MSM_OS_TEST_JOURNAL_MS", "5")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        launcher.set(child.id()).unwrap();
        let begun = std::time::Instant::now();
        let output = child.wait_with_output().unwrap();
        let ended = Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            elapsed: begun.elapsed(),
        };
        (ended, args.join(" "))
    }

    /// Kills the scene's command at `point`, and sees to what comes next.
    pub fn try_point(
        &self,
        scene: &Scene,
        expected: &Arc<Expected>,
        point: Point,
    ) -> Result<(), String> {
        self.restore(&scene.start);
        let watch = Watch::new(expected);
        let launcher = Arc::new(OnceLock::new());
        let dies = scene.dies;
        let rank = (dies == Dies::OneRank).then_some(point.number as usize % 2);
        let killed_at = Arc::new(Mutex::new(None));
        {
            let (watch, launcher, killed_at) = (
                Arc::clone(&watch),
                Arc::clone(&launcher),
                Arc::clone(&killed_at),
            );
            self.server.on_mutation(move |mutation| {
                watch.look(mutation);
                if (mutation.number, mutation.when) != (point.number, point.when) {
                    return Go::On;
                }
                *killed_at.lock().unwrap() = Some(format!("{} {}", mutation.method, mutation.key));
                if dies != Dies::Connection {
                    processes::kill(*launcher.wait(), rank);
                }
                match dies {
                    Dies::All => Go::Freeze,
                    // Those that are left go on until the launcher ends them.
                    Dies::OneRank => Go::On,
                    Dies::Connection => Go::Cut,
                }
            });
        }
        let (killed, _) = self.run(scene, Next::Same, &launcher);
        self.server.thaw();
        let at = killed_at.lock().unwrap().take();
        let at = at.unwrap_or_else(|| "the end, which came before".to_owned());
        let told = |problem: String| format!("killed at {at}: {problem}");
        watch.verdict().map_err(told)?;
        let after_kill = expected.check(&self.objects());
        after_kill.map_err(|problem| told(format!("after the kill: {problem}")))?;

        if dies == Dies::Connection {
            return self
                .is_done(scene, expected, Next::Same, &killed)
                .map_err(told);
        }

        let left: Vec<String> = self.objects().into_keys().collect();
        let ledger: Vec<&String> = left.iter().filter(|key| key.contains(".msm-os/")).collect();
        let watch = Watch::new(expected);
        {
            let watch = Arc::clone(&watch);
            self.server.on_mutation(move |mutation| {
                watch.look(mutation);
                Go::On
            });
        }
        let (next, line) = self.run(scene, point.next, &Arc::default());
        let told = |problem: String| {
            format!(
                "killed at {at} ({}), then {line}: {problem}\n  it left {ledger:?}\n  it said: {}{}",
                killed.stderr.trim(),
                next.stdout,
                next.stderr
            )
        };
        watch.verdict().map_err(told)?;
        self.is_done(scene, expected, point.next, &next)
            .map_err(told)
    }

    /// An error if a command that ended did not see everything through.
    fn is_done(
        &self,
        scene: &Scene,
        expected: &Expected,
        command: Next,
        ended: &Ended,
    ) -> Result<(), String> {
        let now = self.objects();
        let states = expected.settled(&now)?;
        let is_new = !states.contains(&Is::Old);
        let code = ended.code;
        if code != 0 && (code != scene.idle || command == Next::Recover || !is_new) {
            return Err(format!("code {code}, and the stores are {states:?}"));
        }
        if command != Next::Recover && !is_new {
            return Err(format!("the stores are {states:?}"));
        }
        let problems = litter(&now, scene.stores);
        if !problems.is_empty() {
            return Err(format!("left behind: {problems:?}"));
        }
        if now.keys().all(|key| key.contains(".msm-os/")) {
            return Ok(());
        }
        let credentials = self.sandbox.path("credentials.json");
        let credentials = credentials.to_str().unwrap();
        let verified = alone(&["verify", "-b", "ocean", "-p", "T1m", "-c", credentials]);
        if verified.code == 0 {
            Ok(())
        } else {
            Err(format!(
                "verify says {}{}",
                verified.stdout, verified.stderr
            ))
        }
    }
}

/// What a command makes of `start`.
pub fn made_by(start: &Objects, command: &[String]) -> Objects {
    let worker = Worker::new();
    worker.restore(start);
    let credentials = worker.sandbox.path("credentials.json");
    let mut args: Vec<&str> = command.iter().map(String::as_str).collect();
    args.extend(["-c", credentials.to_str().unwrap()]);
    alone(&args).well();
    worker.objects()
}

/// What a command leaves that is killed before the request of this number, counted among those whose key contains `part`.
pub fn killed_at(
    start: &Objects,
    command: &[String],
    part: &'static str,
    number: usize,
) -> Objects {
    let worker = Worker::new();
    worker.restore(start);
    let launcher: Arc<OnceLock<u32>> = Arc::default();
    let (told, seen) = (Arc::clone(&launcher), AtomicUsize::new(0));
    worker.server.on_mutation(move |mutation| {
        if mutation.when == When::Before
            && mutation.key.contains(part)
            && seen.fetch_add(1, Ordering::Relaxed) + 1 == number
        {
            processes::kill(*told.wait(), None);
            return Go::Freeze;
        }
        Go::On
    });
    let scene = Scene {
        name: "",
        stores: &[],
        start: Objects::new(),
        command: command.to_vec(),
        ranks: None,
        dies: Dies::All,
        in_place: false,
        next: &[],
        idle: 0,
    };
    let (ended, line) = worker.run(&scene, Next::Same, &launcher);
    assert_ne!(ended.code, 0, "{line} was not killed");
    worker.server.thaw();
    worker.objects()
}
