//! Races: two commands on one store, started together, again and again, on every kind of server. The store ends as some
//! order of the two makes it, readers never see anything else, and who came second is told. `MSM_OS_TEST_RACES` sets how
//! often each pairing is tried.
//!
//! Key types: [`Orders`], what the two do one after the other; [`Outcome`], what a race may come to.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::crash::litter;
use crate::dataset::{Dataset, Objects};
use crate::race_scenes::{Arena, Files, Kind, Pairing, STORE};
use crate::support::{Ended, end};

/// Races that are run at a time, each in an arena of its own.
const AT_A_TIME: usize = 3;
/// The exit code of a job that finds the store held.
const BUSY: i32 = 35;
/// Races of one kind at a time.
static TURN: Mutex<()> = Mutex::new(());

/// What a race may come to: the exit codes of the two, and the store.
struct Outcome {
    codes: [i32; 2],
    store: Option<Dataset>,
}

/// What two commands do one after the other.
struct Orders {
    /// With both done, in either order.
    done: Vec<Outcome>,
    /// With the other one busy.
    busy: Vec<Outcome>,
    /// Every state of the store on the way.
    states: Vec<Option<Dataset>>,
    in_place: bool,
    /// What is there before.
    start: Objects,
}

impl Orders {
    fn of(pairing: &Pairing, files: &Files) -> Self {
        let arena = Arena::new(Kind::Enforced);
        let now = || Dataset::of(&arena.objects().unwrap(), STORE);
        if pairing.begun {
            end(arena.command(&files.send(1), "0s", None)).well();
        }
        let start = arena.objects().unwrap();
        let mut orders = Self {
            done: Vec::new(),
            busy: Vec::new(),
            states: vec![now()],
            in_place: pairing.in_place,
            start,
        };
        for first in [0, 1] {
            arena.restore(&orders.start);
            let mut codes = [BUSY; 2];
            codes[first] = end(arena.command(&pairing.lines[first], "0s", None)).code;
            let store = now();
            orders.states.push(store.clone());
            orders.busy.push(Outcome { codes, store });
            let second = end(arena.command(&pairing.lines[1 - first], "0s", None));
            assert!(second.code == 0 || !second.stderr.is_empty());
            codes[1 - first] = second.code;
            println!(
                "{}: serial {codes:?}: {}",
                pairing.name,
                second.stderr.trim()
            );
            let store = now();
            orders.states.push(store.clone());
            orders.done.push(Outcome { codes, store });
        }
        // Each gave way to the other's claim.
        orders.busy.push(Outcome {
            codes: [BUSY; 2],
            store: orders.states[0].clone(),
        });
        orders
    }

    /// An error if a reader sees what no order of the two shows.
    fn check(&self, objects: &Objects) -> Result<(), String> {
        let mut problems = Vec::new();
        for state in &self.states {
            match is(state.as_ref(), objects) {
                Ok(()) => return Ok(()),
                Err(problem) => problems.push(problem),
            }
        }
        let states = || self.states.iter().flatten();
        let mixed = |(one, other): (&Dataset, &Dataset)| one.is_seen_mixed_with(other, objects);
        if self.in_place && states().any(|one| states().any(|other| mixed((one, other)).is_ok())) {
            return Ok(());
        }
        Err(format!("a reader sees none of the states: {problems:?}"))
    }

    /// An error if the two ended so with a store that they could not have made one after the other.
    fn judge(&self, ended: &[Ended; 2], objects: &Objects, waits: bool) -> Result<(), String> {
        let codes = [ended[0].code, ended[1].code];
        let busy = self.busy.iter().filter(|_| !waits);
        let possible = self
            .done
            .iter()
            .chain(busy)
            .filter(|outcome| outcome.codes == codes);
        let differ: Vec<Result<(), String>> = possible
            .map(|outcome| is(outcome.store.as_ref(), objects))
            .collect();
        if !differ.iter().any(Result::is_ok) {
            return Err(format!(
                "no order of the two ends with these codes and this store: {differ:?}"
            ));
        }
        for ended in ended {
            let words = match ended.code {
                0 => continue,
                BUSY => "is held by another job",
                _ => "msm_os: ",
            };
            if !ended.stderr.contains(words) {
                return Err(format!("'{words}' is not in the message"));
            }
        }
        let left = litter(objects, &[STORE]);
        if left.is_empty() {
            Ok(())
        } else {
            Err(format!("left behind: {left:?}"))
        }
    }
}

fn is(state: Option<&Dataset>, objects: &Objects) -> Result<(), String> {
    match state {
        Some(dataset) => dataset.is_seen(objects),
        None if Dataset::of(objects, STORE).is_none() => Ok(()),
        None => Err("there is a root document".to_owned()),
    }
}

/// How often each pairing is tried, unless the environment says otherwise.
fn races(usual: usize) -> usize {
    let asked = std::env::var("MSM_OS_TEST_RACES").ok();
    asked.map_or(usual, |text| text.parse().unwrap())
}

/// Runs every pairing so often on this kind of place.
#[track_caller]
fn run(kind: Kind, usual: usize, ranks: Option<usize>) {
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let files = Files::new();
    let pairings = files.pairings();
    let orders: Vec<Orders> = pairings
        .iter()
        .map(|pairing| Orders::of(pairing, &files))
        .collect();
    let count = races(usual) * pairings.len();
    let begun = Instant::now();
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let won = [(); 3].map(|()| AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                let arena = Arena::new(kind);
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    let which = number % pairings.len();
                    let (pairing, orders) = (&pairings[which], &orders[which]);
                    match race(&arena, pairing, orders, number / pairings.len(), ranks) {
                        Ok(codes) => {
                            let busy = codes.iter().filter(|code| **code == BUSY).count();
                            won[busy].fetch_add(1, Ordering::Relaxed);
                        }
                        Err(failure) => {
                            let failure =
                                format!("{kind:?}, {}, race {number}: {failure}", pairing.name);
                            failures.lock().unwrap().push(failure);
                        }
                    }
                }
            });
        }
    });
    println!(
        "{kind:?}: {count} races, {:?} with none, one, both busy, {:?}",
        won.map(AtomicUsize::into_inner),
        begun.elapsed()
    );
    drop(turn);
    let failures = failures.into_inner().unwrap();
    assert!(
        failures.is_empty(),
        "{} failed:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// Runs one race; returns the exit codes.
fn race(
    arena: &Arena,
    pairing: &Pairing,
    orders: &Orders,
    round: usize,
    ranks: Option<usize>,
) -> Result<[i32; 2], String> {
    arena.restore(&orders.start);
    let waits = round % 3 != 2;
    let wait = if waits { "60s" } else { "0s" };
    let first = round % 2;
    let start = |which: usize| {
        let mut command = arena.command(&pairing.lines[which], wait, ranks);
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        child.unwrap()
    };
    let over = AtomicBool::new(false);
    let (ended, seen) = std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut seen = Ok(());
            while seen.is_ok() && !over.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(20));
                seen = arena
                    .objects()
                    .map_or(Ok(()), |objects| orders.check(&objects));
            }
            seen
        });
        let one = start(first);
        // From side by side to just behind.
        std::thread::sleep(Duration::from_millis(25) * (round as u32 / 2 % 5));
        let other = start(1 - first);
        let [one, other] = [one, other].map(|child| {
            let output = child.wait_with_output().unwrap();
            Ended {
                code: output.status.code().unwrap_or(-1),
                stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
                stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
                elapsed: Duration::ZERO,
            }
        });
        over.store(true, Ordering::Relaxed);
        let ended = if first == 0 {
            [one, other]
        } else {
            [other, one]
        };
        (ended, watch.join().unwrap())
    });
    let codes = [ended[0].code, ended[1].code];
    let told = |problem: String| {
        format!("codes {codes:?}, wait {wait}: {problem}\n  they said: {ended:#?}")
    };
    seen.map_err(told)?;
    let objects = arena
        .objects()
        .ok_or("the directory does not come to rest")?;
    orders.judge(&ended, &objects, waits).map_err(told)?;
    if Dataset::of(&objects, STORE).is_some() {
        let verified = end(verify(arena));
        if verified.code != 0 {
            return Err(told(format!("verify: {verified:#?}")));
        }
    }
    Ok(codes)
}

fn verify(arena: &Arena) -> Command {
    arena.command(&["verify".to_owned()], "", None)
}

#[test]
fn where_conditional_writes_are_enforced() {
    run(Kind::Enforced, 20, None);
}

#[test]
fn where_conditional_writes_are_refused() {
    run(Kind::Refused, 6, None);
}

#[test]
fn where_conditional_writes_are_ignored() {
    run(Kind::Ignored, 6, None);
}

#[test]
fn with_a_directory_of_locks() {
    run(Kind::LockDir, 6, None);
}

#[test]
fn in_a_directory() {
    run(Kind::Directory, 6, None);
}

#[test]
fn on_two_ranks_each() {
    run(Kind::Enforced, 2, Some(2));
}
