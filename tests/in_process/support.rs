//! Running commands in this process, and the files that they send.
//!
//! Key functions: [`run`], a command on one rank; [`try_all`], many cases at a time.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use nemo_like::{Format, Spec, Variable};

use super::dataset::Objects;
use crate::cli::Exit;
use crate::cli::{ReachedBucket, Standing, StoreArgs, parse, run_over};
use crate::commit::LeaseTimes;
use crate::interrupt::Interrupt;
use crate::ranks::{self, Ranks};
use crate::store::Connection;
use crate::store::simulated::{Link, World};

/// Failures that are shown.
const SHOWN: usize = 12;

thread_local! {
    static TIMES: Cell<LeaseTimes> = const { Cell::new(USUAL) };
}

/// How long leases last, unless a test says otherwise.
const USUAL: LeaseTimes = LeaseTimes {
    life: Duration::from_millis(1500),
    look: Duration::from_millis(25),
};
/// The same where nobody waits for one to expire, and a busy machine must not lose any.
pub const LONG: LeaseTimes = LeaseTimes {
    life: Duration::from_secs(30),
    look: Duration::from_millis(5),
};

/// How long the leases of this thread's commands last.
pub(crate) fn lease_times() -> LeaseTimes {
    TIMES.get()
}

/// From here on, leases of this thread's commands last so long.
pub fn set_lease_times(times: LeaseTimes) {
    TIMES.set(times);
}

/// Where in a world the bucket `other` is.
pub const OTHER: &str = "T1m/other";

/// What needs no lease.
const LOOKS: [&str; 8] = [
    "verify",
    "list",
    "status",
    "du",
    "history",
    "open",
    "quicklook",
    "page",
];

pub type Line = Vec<String>;

pub fn line(words: &[&str]) -> Line {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// Runs a command on this thread, alone.
pub fn run(link: &Link, line: &Line) -> Exit {
    run_and_stand(link, line).0
}

/// The same, with where the program says that the stores stand, if the command failed and was to write some.
pub fn run_and_stand(link: &Link, line: &Line) -> (Exit, Option<Standing>) {
    run_as(link, line, &Ranks::alone())
}

/// Runs a command on so many ranks, each of which has the link that `link` gives it.
pub fn run_on(size: usize, link: impl Fn(usize) -> Link + Sync, line: &Line) -> Exit {
    if size == 1 {
        return run(&link(0), line);
    }
    let times = lease_times();
    let ended = ranks::threads(size, |ranks| {
        set_lease_times(times);
        run_as(&link(ranks.rank()), line, ranks).0
    });
    assert!(ended.iter().all(|exit| *exit == ended[0]), "{ended:?}");
    ended[0]
}

/// Runs a command as one of its ranks.
fn run_as(link: &Link, line: &Line, ranks: &Ranks) -> (Exit, Option<Standing>) {
    let names = |flag: &str| line.iter().any(|word| word == flag);
    let mut words: Vec<&str> = vec!["msm_os"];
    words.extend(line.iter().map(String::as_str));
    words.extend(["-b", "ocean"]);
    if !names("--store") {
        words.extend(["-p", "T1m"]);
    }
    if !LOOKS.contains(&line[0].as_str()) && !names("--lock-wait") {
        words.extend(["--lock-wait", "60s"]);
    }
    let find = |asked: &StoreArgs| {
        let connection = match asked.bucket.to_string().as_str() {
            "s3://other" => Connection::simulated_in(link, OTHER),
            _ => Connection::simulated(link),
        };
        Ok(ReachedBucket {
            connection,
            warning: None,
        })
    };
    run_over(
        parse(words.into_iter().map(Into::into)),
        ranks,
        &Interrupt::default(),
        &find,
    )
}

/// A file of so many months from this one on, counted from January 1976; other seeds have other values.
pub fn months(root: &Path, first: u32, steps: usize, seed: u64, variables: &[Variable]) -> String {
    static WRITING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = WRITING.lock();
    let names: String = variables.iter().map(|variable| variable.name()).collect();
    let path = root.join(format!("ORCA_1m_grid_T_{first}_{steps}_{seed}_{names}.nc"));
    let spec = Spec {
        grid: "4x4x1".parse().unwrap(),
        variables: variables.to_vec(),
        start: format!("{}-{:02}-01", 1976 + (first - 1) / 12, 1 + (first - 1) % 12)
            .parse()
            .unwrap(),
        steps,
        format: Format::Classic,
        seed,
        ..Spec::default()
    };
    if !path.exists() {
        nemo_like::write(&path, &spec).unwrap();
    }
    path.to_str().unwrap().to_owned()
}

/// A file with one month of one variable.
pub fn month(root: &Path, number: u32, seed: u64) -> String {
    months(root, number, 1, seed, &[Variable::Tos])
}

/// What readers see now.
pub fn seen(world: &World) -> Objects {
    readable(world.objects())
}

/// All but the ledgers.
pub fn readable(mut objects: Objects) -> Objects {
    objects.retain(|key, _| !key.contains(".msm-os/"));
    objects
}

/// Nothing is left of any job, and every object is as its manifest says.
pub fn is_tidy(world: &World, calm: &Link) -> Result<(), String> {
    let keys = world.objects().into_keys();
    let in_the_way = |key: &String| {
        ["/journal/", "/lease/", "/probe-"]
            .iter()
            .any(|part| key.contains(part))
    };
    let left: BTreeSet<String> = keys.filter(in_the_way).collect();
    if !left.is_empty() {
        return Err(format!("left behind: {left:?}"));
    }
    match run(calm, &line(&["verify"])) {
        Exit::Ok => Ok(()),
        Exit::NoStore if seen(world).is_empty() => Ok(()),
        other => Err(format!("verify ended with {other:?}")),
    }
}

/// Numbers that follow from a seed (splitmix64, Steele et al. 2014).
pub struct Draw(pub u64);

impl Draw {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

/// The seeds that the environment asks for, such as `500..800`, or these.
pub fn seeds(variable: &str, usual: Range<u64>) -> Range<u64> {
    let asked = std::env::var(variable).ok();
    asked.map_or(usual, |text| {
        let (first, end) = text.split_once("..").unwrap();
        first.parse().unwrap()..end.parse().unwrap()
    })
}

/// Tries all cases, so many at a time; a failure says what repeats it alone.
#[track_caller]
pub fn try_all<T: Sync>(
    cases: &[T],
    at_a_time: usize,
    try_it: impl Fn(&T) -> Result<(), String> + Sync,
) {
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..at_a_time {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(failure) = try_it(case) {
                        failures.lock().unwrap().push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    let shown: Vec<&str> = failures.iter().take(SHOWN).map(String::as_str).collect();
    assert!(
        failures.is_empty(),
        "{} failed:\n{}",
        failures.len(),
        shown.join("\n")
    );
}
