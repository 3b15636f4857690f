//! The crash matrix: the program is killed at each of its requests that change the bucket. At every moment each store is
//! wholly old or wholly new to a reader, and the next command brings it to one of the two, with nothing left behind.
//!
//! Key types: [`Scene`], what is killed; [`Point`], when. Killed before a request, the bucket is as it is after the one
//! before, so the points are those before each request, and the one behind the last.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use s3_server::{Go, Mutation, Server, When};

use crate::dataset::{Dataset, Objects};
use crate::processes;
use crate::support::{Ended, Sandbox, alone, alone_command, ranks_command, server};

/// Points that are tried at a time, each on a server of its own.
const AT_A_TIME: usize = 4;
/// Failures that are shown.
const SHOWN: usize = 12;
/// Only one matrix runs at a time.
static TURN: Mutex<()> = Mutex::new(());

/// A command in a certain state of the bucket.
pub struct Scene {
    pub name: &'static str,
    /// The stores that it touches.
    pub stores: &'static [&'static str],
    /// What is in the bucket before.
    pub start: Objects,
    /// The command line, without the credentials.
    pub command: Vec<String>,
    /// Ranks; without a launcher if it is none.
    pub ranks: Option<usize>,
    /// What dies with a kill.
    pub dies: Dies,
    /// Does a reader meet new objects beside old ones while it runs?
    pub in_place: bool,
    /// What is done after a kill, in turn.
    pub next: &'static [Next],
    /// What the command ends with when it has come to its end before: nothing is left to do then.
    pub idle: i32,
}

/// What dies with a kill.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Dies {
    /// Every process.
    All,
    /// One rank, in turn; the launcher sees to the others.
    OneRank,
    /// Nobody but the connection: the request has no effect, or no answer.
    Connection,
}

/// What is done after a kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The same command again.
    Same,
    /// The same command, which goes on where it was killed.
    Resume,
    /// `recover`.
    Recover,
}

/// When the program is killed.
#[derive(Clone, Copy, Debug)]
struct Point {
    number: u64,
    when: When,
    next: Next,
}

/// What each store of a scene is before and after; `None` where there is none.
struct Expected {
    stores: Vec<(&'static str, Option<Dataset>, Option<Dataset>)>,
    in_place: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    Old,
    New,
    Both,
}

impl Scene {
    /// Tries every point.
    #[track_caller]
    pub fn try_all(&self) {
        // A matrix that failed has left nothing behind.
        let _turn = TURN
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let (expected, last) = self.undisturbed();
        let expected = Arc::new(expected);
        let mut points: Vec<Point> = (1..=last)
            .map(|number| (number, When::Before))
            .chain([(last, When::After)])
            .map(|(number, when)| Point {
                number,
                when,
                next: self.next[number as usize % self.next.len()],
            })
            .collect();
        if self.dies == Dies::Connection {
            let after = points.clone().into_iter();
            points.extend(after.map(|point| Point {
                when: When::After,
                ..point
            }));
        }
        let next = AtomicUsize::new(0);
        let failures = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..AT_A_TIME {
                scope.spawn(|| {
                    let worker = Worker::new();
                    while let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if let Err(failure) = worker.try_point(self, &expected, *point) {
                            let failure = format!("{} at {point:?}: {failure}", self.name);
                            failures.lock().unwrap().push(failure);
                        }
                    }
                });
            }
        });
        println!("{}: {} points", self.name, points.len());
        let failures = failures.into_inner().unwrap();
        let shown = failures
            .iter()
            .take(SHOWN)
            .fold(String::new(), |mut all, failure| {
                let _ = writeln!(all, "{failure}");
                all
            });
        assert!(
            failures.is_empty(),
            "{} of {} points failed:\n{shown}",
            failures.len(),
            points.len()
        );
    }

    /// What a run that nobody disturbs makes of the stores, and with how many requests.
    fn undisturbed(&self) -> (Expected, u64) {
        let worker = Worker::new();
        worker.restore(&self.start);
        let last = Arc::new(Mutex::new(0));
        let seen = Arc::clone(&last);
        worker.server.on_mutation(move |mutation| {
            *seen.lock().unwrap() = mutation.number;
            Go::On
        });
        let (ended, _) = worker.run(self, Next::Same, &Arc::default());
        ended.well();
        let new = worker.objects();
        let stores = self.stores.iter().map(|store| {
            let [old, new] = [&self.start, &new].map(|objects| Dataset::of(objects, store));
            (*store, old, new)
        });
        let expected = Expected {
            stores: stores.collect(),
            in_place: self.in_place,
        };
        let problems = litter(&worker.objects(), self.stores);
        assert!(problems.is_empty(), "{}: {problems:?}", self.name);
        let last = *last.lock().unwrap();
        (expected, last)
    }
}

impl Expected {
    /// An error if a reader sees something in between.
    fn check(&self, objects: &Objects) -> Result<(), String> {
        for (store, old, new) in &self.stores {
            match (old, new) {
                (Some(old), Some(new)) if self.in_place => old.is_seen_mixed_with(new, objects),
                _ => Self::is(store, old.as_ref(), new.as_ref(), objects).map(|_| ()),
            }
            .map_err(|problem| format!("store {store}: {problem}"))?;
        }
        Ok(())
    }

    /// What each store is, or an error if it is neither old nor new.
    fn settled(&self, objects: &Objects) -> Result<Vec<Is>, String> {
        let stores = self.stores.iter();
        stores
            .map(|(store, old, new)| {
                Self::is(store, old.as_ref(), new.as_ref(), objects)
                    .map_err(|problem| format!("store {store}: {problem}"))
            })
            .collect()
    }

    fn is(
        store: &str,
        old: Option<&Dataset>,
        new: Option<&Dataset>,
        objects: &Objects,
    ) -> Result<Is, String> {
        let seen = |dataset: Option<&Dataset>| match dataset {
            Some(dataset) => dataset.is_seen(objects),
            None if Dataset::of(objects, store).is_none() => Ok(()),
            None => Err("there is a root document".to_owned()),
        };
        match (seen(old), seen(new)) {
            (Ok(()), Ok(())) => Ok(Is::Both),
            (Ok(()), Err(_)) => Ok(Is::Old),
            (Err(_), Ok(())) => Ok(Is::New),
            (Err(old), Err(new)) => Err(format!("not the old one: {old}; not the new one: {new}")),
        }
    }
}

/// A server, and what it takes to run commands against it.
struct Worker {
    sandbox: Sandbox,
    server: Server,
}

impl Worker {
    fn new() -> Self {
        let (sandbox, server) = (Sandbox::new(), server());
        sandbox.credentials(&server);
        Self { sandbox, server }
    }

    fn objects(&self) -> Objects {
        self.server.objects("ocean")
    }

    /// Makes the bucket what it was.
    fn restore(&self, objects: &Objects) {
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
    fn run(&self, scene: &Scene, next: Next, launcher: &Arc<OnceLock<u32>>) -> (Ended, String) {
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
    fn try_point(
        &self,
        scene: &Scene,
        expected: &Arc<Expected>,
        point: Point,
    ) -> Result<(), String> {
        self.restore(&scene.start);
        let watch = self.watch(expected);
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
        let watch = self.watch(expected);
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

    fn watch(&self, expected: &Arc<Expected>) -> Arc<Watch> {
        Arc::new(Watch {
            expected: Arc::clone(expected),
            seen: Mutex::default(),
        })
    }
}

/// Looks at the stores at every request, and keeps the first problem.
struct Watch {
    expected: Arc<Expected>,
    seen: Mutex<Option<String>>,
}

impl Watch {
    fn look(&self, mutation: &Mutation) {
        if mutation.when == When::Before {
            return;
        }
        let mut seen = self.seen.lock().unwrap();
        if seen.is_none() {
            let problem = self.expected.check(&mutation.objects("ocean")).err();
            *seen = problem.map(|problem| {
                let Mutation {
                    number,
                    method,
                    key,
                    ..
                } = mutation;
                format!("after request {number}, {method} {key}: {problem}")
            });
        }
    }

    fn verdict(&self) -> Result<(), String> {
        self.seen.lock().unwrap().take().map_or(Ok(()), Err)
    }
}

/// What lies in the bucket that no store and no committed transaction accounts for.
fn litter(objects: &Objects, stores: &[&str]) -> Vec<String> {
    let mut litter = Vec::new();
    for store in stores {
        let ledger = ledger(store);
        let committed: BTreeSet<&str> = objects
            .keys()
            .filter_map(|key| key.strip_prefix(&ledger)?.strip_prefix("transactions/"))
            .collect();
        let dataset = Dataset::of(objects, store);
        for key in objects.keys() {
            let is_known = if let Some(below) = key.strip_prefix(&ledger) {
                let mut parts = below.split('/');
                let (folder, id) = (parts.next(), parts.next().unwrap_or_default());
                dataset.is_some()
                    && match folder {
                        Some("last.json") => true,
                        Some("transactions" | "manifests") => committed.contains(id),
                        Some("undo") => committed.last() == Some(&id),
                        _ => false,
                    }
            } else if key.starts_with(&format!("{store}/")) {
                dataset
                    .as_ref()
                    .is_some_and(|dataset| dataset.knows(store, key))
            } else {
                stores.iter().any(|other| {
                    key.starts_with(&format!("{other}/")) || key.starts_with(&self::ledger(other))
                })
            };
            if !is_known {
                litter.push(key.clone());
            }
        }
    }
    // One that was killed while it found out what the server guarantees left a few bytes there, harmless to all: nobody
    // can tell them from those of a run that is alive.
    litter.retain(|key| !key.contains(".msm-os/probe-"));
    litter.sort();
    litter.dedup();
    litter
}

/// What the keys of the ledger of `store` begin with.
fn ledger(store: &str) -> String {
    let name = store.rfind('/').map_or(0, |slash| slash + 1);
    format!("{}.msm-os/{}/", &store[..name], &store[name..])
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
