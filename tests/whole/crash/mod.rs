//! The crash matrix: the program is killed at each of its requests that change the bucket. At every moment each store is
//! wholly old or wholly new to a reader, and the next command brings it to one of the two, with nothing left behind.
//!
//! Key types: [`Scene`], what is killed; [`Point`], when. Killed before a request, the bucket is as it is after the one
//! before, so the points are those before each request, and the one behind the last.

mod expected;
mod scenes;
mod worker;

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use s3_server::{Go, When};

use self::expected::Expected;
pub use self::expected::litter;
use self::worker::Worker;
pub use self::worker::made_by;
use crate::dataset::{Dataset, Objects};

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

/// Two of five points are tried, of each way to go on alike, unless all are asked for.
fn all_are_tried() -> bool {
    std::env::var_os("MSM_OS_TEST_CRASH").is_some_and(|asked| asked == "all")
}

impl Scene {
    /// Tries the points.
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
        if !all_are_tried() {
            let all = points.iter().enumerate();
            let some = all.filter(|(index, _)| [0, 3].contains(&(index % 5)));
            points = some.map(|(_, point)| *point).collect();
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
