//! Processes of the program that are killed, and connections that are cut, at some of the requests that change the bucket. All requests
//! are tried in one process, by `tests/in_process/crash.rs`; what only processes can show is tried here: that a kill ends all ranks,
//! that the locks of dead ones count for nothing, and that the real requests of a dead one are as whole as those in memory.
//!
//! Key type: [`Scene`], what is killed.

use std::process::Stdio;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use nemo_like::{Spec, Variable};
use s3_server::{Go, Server, When};

use crate::dataset::{Dataset, Objects, litter};
use crate::processes;
use crate::support::{Ended, Sandbox, alone_command, ranks_command, server};

const STORES: [&str; 2] = ["T1m/thetao.zarr", "T1m/tos.zarr"];
/// A chunk holds two steps, so that the second file fills up a half-full one and begins another.
const STRATEGY: &str = r#"{"time_counter": 2, "deptht": 1}"#;
/// Points of each scene.
const POINTS: u64 = 6;

/// What dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dies {
    /// Every process.
    All,
    /// One rank, in turn; the launcher sees to the others.
    OneRank,
    /// Nobody but the connection: the request has no effect, or no answer.
    Connection,
}

/// A command in a certain state of the bucket.
struct Scene {
    start: Objects,
    line: Vec<String>,
    ranks: Option<usize>,
    dies: Dies,
    in_place: bool,
}

/// A server, and what it takes to run commands against it.
struct Worker {
    sandbox: Sandbox,
    server: Server,
}

impl Worker {
    fn new(objects: &Objects) -> Self {
        let (sandbox, server) = (Sandbox::new(), server());
        sandbox.credentials(&server);
        for (key, object) in objects {
            server.put_object("ocean", key, object.clone());
        }
        Self { sandbox, server }
    }

    fn objects(&self) -> Objects {
        self.server.objects("ocean")
    }

    /// Runs a command; `launcher` is told the process while it runs.
    fn run(&self, line: &[String], ranks: Option<usize>, launcher: &Arc<OnceLock<u32>>) -> Ended {
        let credentials = self.sandbox.path("credentials.json");
        let place = ["-b", "ocean", "-p", "T1m", "-c"];
        let mut args: Vec<&str> = line.iter().map(String::as_str).collect();
        args.extend(place);
        args.push(credentials.to_str().unwrap());
        let mut command = match ranks {
            Some(ranks) => ranks_command(ranks, &args),
            None => alone_command(&args),
        };
        command
            .env("HDF5_USE_FILE_LOCKING", "FALSE")
            // So that runs as short as these note what they have put, too.
            .env("MSM_OS_TEST_JOURNAL_MS", "5")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let begun = Instant::now();
        let child = command.spawn().unwrap();
        launcher.set(child.id()).unwrap();
        let output = child.wait_with_output().unwrap();
        Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            elapsed: begun.elapsed(),
        }
    }

    fn end(&self, line: &[String]) -> Ended {
        self.run(line, None, &Arc::default())
    }
}

/// What a command makes of `start`.
fn made_by(start: &Objects, line: &[String]) -> Objects {
    let worker = Worker::new(start);
    worker.end(line).well();
    worker.objects()
}

/// Each store in `objects`, if it is there.
fn datasets(objects: &Objects) -> Vec<Option<Dataset>> {
    let stores = STORES.iter();
    stores.map(|store| Dataset::of(objects, store)).collect()
}

/// An error if a reader sees neither this store nor the other.
fn is_one_of(
    store: &str,
    [old, new]: [Option<&Dataset>; 2],
    in_place: bool,
    objects: &Objects,
) -> Result<(), String> {
    let is = |dataset: Option<&Dataset>| match dataset {
        Some(dataset) => dataset.is_seen(objects),
        None if !Dataset::is_there(objects, store) => Ok(()),
        None => Err(format!("{store}: there is a root document")),
    };
    match (old, new) {
        (Some(old), Some(new)) if in_place => old.is_seen_mixed_with(new, objects),
        _ => is(old).or_else(|_| is(new)),
    }
}

impl Scene {
    #[track_caller]
    fn try_some(&self) {
        let last = Arc::new(Mutex::new(0));
        let worker = Worker::new(&self.start);
        let seen = Arc::clone(&last);
        worker.server.on_mutation(move |mutation| {
            *seen.lock().unwrap() = mutation.number;
            Go::On
        });
        worker.run(&self.line, self.ranks, &Arc::default()).well();
        let (new, last) = (worker.objects(), *last.lock().unwrap());
        for point in 0..POINTS {
            let number = 1 + point * (last - 1) / (POINTS - 1);
            if let Err(failure) = self.try_point(number, point, &new) {
                panic!("request {number} of {last}, {:?}: {failure}", self.dies);
            }
        }
    }

    /// Kills the command at its request of this number, and sees to what comes next.
    fn try_point(&self, number: u64, point: u64, new: &Objects) -> Result<(), String> {
        let worker = Worker::new(&self.start);
        let launcher: Arc<OnceLock<u32>> = Arc::default();
        let (told, dies) = (Arc::clone(&launcher), self.dies);
        let when = match (dies, point % 2) {
            (Dies::Connection, 1) => When::After,
            _ => When::Before,
        };
        worker.server.on_mutation(move |mutation| {
            if (mutation.number, mutation.when) != (number, when) {
                return Go::On;
            }
            match dies {
                Dies::Connection => return Go::Cut,
                Dies::All => processes::kill(*told.wait(), None),
                Dies::OneRank => processes::kill(*told.wait(), Some(point as usize % 2)),
            }
            // Those that are left go on until the launcher ends them.
            if dies == Dies::All {
                Go::Freeze
            } else {
                Go::On
            }
        });
        let killed = worker.run(&self.line, self.ranks, &launcher);
        worker.server.thaw();
        worker.server.on_mutation(|_| Go::On);
        let (old, expected) = (datasets(&self.start), datasets(new));
        let left = worker.objects();
        for ((store, old), new) in STORES.iter().zip(&old).zip(&expected) {
            is_one_of(store, [old.as_ref(), new.as_ref()], self.in_place, &left)?;
        }
        let mut line = self.line.clone();
        let next = match (dies, point % 3) {
            (Dies::Connection, _) => killed,
            (_, 0) if line[0] == "send" => {
                line.push("--resume".to_owned());
                worker.run(&line, self.ranks, &Arc::default())
            }
            _ => worker.run(&line, self.ranks, &Arc::default()),
        };
        if next.code != 0 {
            return Err(format!("then {next:#?}"));
        }
        let now = worker.objects();
        for (store, new) in STORES.iter().zip(&expected) {
            is_one_of(store, [new.as_ref(); 2], false, &now)?;
        }
        let now_there = STORES.into_iter().zip(expected.iter().map(Option::as_ref));
        let left = litter(&now, &now_there.collect::<Vec<_>>());
        if !left.is_empty() {
            return Err(format!("left behind: {left:?}"));
        }
        worker.end(&["verify".to_owned()]).well();
        Ok(())
    }
}

/// The first month, then two more, then those two with other values.
fn lines(sandbox: &Sandbox) -> [Vec<String>; 3] {
    let months = |first: u32, steps: usize, seed: u64| {
        let spec = Spec {
            grid: "8x6x2".parse().unwrap(),
            variables: vec![Variable::Thetao, Variable::Tos],
            start: format!("1976-{first:02}-01").parse().unwrap(),
            steps,
            seed,
            ..Spec::default()
        };
        let name = format!("ORCA8x6_1m_grid_T_{first}_{steps}_{seed}.nc");
        sandbox.source_called(&name, &spec)
    };
    let line = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let send = |file: &str| line(&["send", "-f", file, "-cs", STRATEGY, "-v", "thetao", "tos"]);
    [
        send(&months(1, 1, 0)),
        send(&months(2, 2, 0)),
        line(&["update", "-f", &months(2, 2, 1)]),
    ]
}

#[test]
fn an_append_that_is_killed_with_all_its_ranks_or_one_or_loses_its_connection() {
    let sandbox = Sandbox::new();
    let [first, second, _] = lines(&sandbox);
    let start = made_by(&Objects::new(), &first);
    for (ranks, dies) in [
        (Some(3), Dies::All),
        (Some(2), Dies::OneRank),
        (None, Dies::Connection),
    ] {
        let scene = Scene {
            start: start.clone(),
            line: second.clone(),
            ranks,
            dies,
            in_place: false,
        };
        scene.try_some();
    }
}

#[test]
fn a_create_and_an_update_that_are_killed() {
    let sandbox = Sandbox::new();
    let [first, second, update] = lines(&sandbox);
    let start = made_by(&made_by(&Objects::new(), &first), &second);
    for (start, line, in_place) in [(Objects::new(), first, false), (start, update, true)] {
        let scene = Scene {
            start,
            line,
            ranks: None,
            dies: Dies::All,
            in_place,
        };
        scene.try_some();
    }
}
