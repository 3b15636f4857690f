//! Servers in trouble: busy, failing, slow, stale, cut off in mid-request, full. Afterwards each store is wholly old or
//! wholly new, the exit code says which, and the next command works and leaves everything tidy.
//!
//! Key types: [`Act`], a command in a certain state of the bucket; [`Trouble`], what the server does meanwhile.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nemo_like::{Spec, Variable};
use s3_server::{Config, Fault, Full, Go, Rule, Server};

use crate::crash::{litter, made_by};
use crate::dataset::{Dataset, Objects};
use crate::support::{Ended, Sandbox, alone_command, end, ranks_command};

const STORES: [&str; 2] = ["T1m/thetao.zarr", "T1m/tos.zarr"];
/// A chunk holds two steps, so that the second file fills up a half-full one and begins another.
const STRATEGY: &str = r#"{"time_counter": 2, "deptht": 1}"#;
/// Cases that are tried at a time, each on a server of its own.
const AT_A_TIME: usize = 4;

/// A command in a certain state of the bucket.
struct Act {
    name: &'static str,
    start: Objects,
    new: Objects,
    /// Bytes in the bucket at most, while it runs undisturbed.
    peak: u64,
    line: Vec<String>,
    /// Does a reader meet new objects beside old ones while it runs?
    in_place: bool,
}

/// What the server does while a command runs.
#[derive(Clone, Debug)]
enum Trouble {
    Rules(Vec<Rule>),
    /// The bucket has room for so many hundredths of what the command needs besides.
    Room(u64, Full),
}

/// A command, the ranks, the trouble, the patience in seconds, and the exit codes that may come of it.
struct Case<'a> {
    act: &'a Act,
    ranks: Option<usize>,
    trouble: Trouble,
    patience: &'static str,
    codes: &'static [i32],
}

/// A server, and what it takes to run commands against it.
struct Place {
    sandbox: Sandbox,
    server: Server,
}

impl Place {
    fn new(full: Full, objects: &Objects) -> Self {
        let config = Config {
            full,
            ..Config::default()
        };
        let (sandbox, server) = (Sandbox::new(), Server::start(config).unwrap());
        sandbox.credentials(&server);
        for (key, bytes) in objects {
            server.put_object("ocean", key, bytes.clone());
        }
        Self { sandbox, server }
    }

    fn run(&self, line: &[String], ranks: Option<usize>, patience: &str) -> Ended {
        let credentials = self.sandbox.path("credentials.json");
        let mut args: Vec<&str> = line.iter().map(String::as_str).collect();
        args.extend([
            "-b",
            "ocean",
            "-p",
            "T1m",
            "-c",
            credentials.to_str().unwrap(),
        ]);
        let mut command = match ranks {
            Some(ranks) => ranks_command(ranks, &args),
            None => alone_command(&args),
        };
        command
            .env("MSM_OS_TEST_PATIENCE_SECONDS", patience)
            .env("MSM_OS_TEST_JOURNAL_MS", "20");
        end(command)
    }

    fn objects(&self) -> Objects {
        self.server.objects("ocean")
    }
}

fn bytes(objects: &Objects) -> u64 {
    objects.values().map(|object| object.len() as u64).sum()
}

fn words(line: &[&str]) -> Vec<String> {
    line.iter().map(|word| (*word).to_owned()).collect()
}

impl Act {
    fn new(name: &'static str, start: &Objects, line: Vec<String>) -> Self {
        let place = Place::new(Full::default(), start);
        let peak = Arc::new(AtomicU64::new(0));
        let highest = Arc::clone(&peak);
        place.server.on_mutation(move |mutation| {
            highest.fetch_max(bytes(&mutation.objects("ocean")), Ordering::Relaxed);
            Go::On
        });
        place.run(&line, None, "60").well();
        Self {
            name,
            start: start.clone(),
            new: place.objects(),
            peak: peak.load(Ordering::Relaxed),
            in_place: line[0] == "update" || line[0] == "rollback",
            line,
        }
    }

    fn case(&self, trouble: Trouble, codes: &'static [i32]) -> Case<'_> {
        Case {
            act: self,
            ranks: None,
            trouble,
            patience: "60",
            codes,
        }
    }
}

/// The acts of all cases. The files are needed as long as they are.
struct Acts {
    _sandbox: Sandbox,
    create: Act,
    append: Act,
    update: Act,
    delete: Act,
    rollback: Act,
    rollback_of_update: Act,
}

impl Acts {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let months = |first: u32, steps, seed| {
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
        let send =
            |file: &str| words(&["send", "-f", file, "-cs", STRATEGY, "-v", "thetao", "tos"]);
        let create = Act::new("create", &Objects::new(), send(&months(1, 1, 0)));
        let append = Act::new("append", &create.new, send(&months(2, 2, 0)));
        let update = words(&["update", "-f", &months(2, 2, 1)]);
        let update = Act::new("update", &append.new, update);
        let rollback = words(&["rollback"]);
        Self {
            delete: Act::new("delete", &append.new, words(&["delete", "--all", "--yes"])),
            rollback: Act::new("rollback", &append.new, rollback.clone()),
            rollback_of_update: Act::new("rollback of update", &update.new, rollback),
            create,
            append,
            update,
            _sandbox: sandbox,
        }
    }

    fn all(&self) -> [&Act; 6] {
        [
            &self.create,
            &self.append,
            &self.update,
            &self.delete,
            &self.rollback,
            &self.rollback_of_update,
        ]
    }

    /// Those that write objects, alone, and two of them on two ranks.
    fn writing(&self) -> Vec<(&Act, Option<usize>)> {
        vec![
            (&self.create, None),
            (&self.append, None),
            (&self.update, None),
            (&self.append, Some(2)),
            (&self.update, Some(2)),
        ]
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    Old,
    New,
    Both,
    Mixed,
}

impl Case<'_> {
    fn name(&self) -> String {
        let (act, ranks, trouble) = (self.act.name, self.ranks, &self.trouble);
        format!("{act} on {ranks:?} ranks, {trouble:?}")
    }

    /// What each store is, or an error if it is neither old nor new.
    fn states(&self, objects: &Objects) -> Result<Vec<Is>, String> {
        let Act {
            start,
            new,
            in_place,
            ..
        } = self.act;
        STORES
            .iter()
            .map(|store| {
                let [old, new] = [start, new].map(|objects| Dataset::of(objects, store));
                let seen = |dataset: &Option<Dataset>| match dataset {
                    Some(dataset) => dataset.is_seen(objects),
                    None if Dataset::of(objects, store).is_none() => Ok(()),
                    None => Err("there is a root document".to_owned()),
                };
                match (seen(&old), seen(&new)) {
                    (Ok(()), Ok(())) => Ok(Is::Both),
                    (Ok(()), Err(_)) => Ok(Is::Old),
                    (Err(_), Ok(())) => Ok(Is::New),
                    (Err(is_old), Err(is_new)) => match (old, new) {
                        (Some(old), Some(new))
                            if *in_place && old.is_seen_mixed_with(&new, objects).is_ok() =>
                        {
                            Ok(Is::Mixed)
                        }
                        _ => Err(format!(
                            "store {store} is not the old one: {is_old}; nor the new one: {is_new}"
                        )),
                    },
                }
            })
            .collect()
    }

    fn run(&self) -> Result<i32, String> {
        let full = match self.trouble {
            Trouble::Room(_, full) => full,
            Trouble::Rules(_) => Full::default(),
        };
        let place = Place::new(full, &self.act.start);
        match &self.trouble {
            Trouble::Rules(rules) => {
                for rule in rules {
                    place.server.faults().add(rule.clone());
                }
            }
            Trouble::Room(hundredths, _) => {
                let there = bytes(&self.act.start);
                let besides = self.act.peak - there;
                place
                    .server
                    .set_quota(Some(there + besides * hundredths / 100));
            }
        }
        let ended = place.run(&self.act.line, self.ranks, self.patience);
        place.server.faults().clear();
        place.server.set_quota(None);
        let keys: Vec<String> = place.objects().into_keys().collect();
        let ledger: Vec<&String> = keys.iter().filter(|key| key.contains(".msm-os/")).collect();
        let told =
            |problem: String| format!("{problem}\n  it left {ledger:?}\n  it said: {ended:#?}");

        let code = ended.code;
        if !self.codes.contains(&code) {
            return Err(told(format!(
                "code {code}, expected one of {:?}",
                self.codes
            )));
        }
        let states = self.states(&place.objects()).map_err(told)?;
        let is_right = |state: &Is| match code {
            0 => matches!(state, Is::New | Is::Both),
            // The run and the way back failed, or a delete did; or nobody knows.
            42 | 43 | 45 => true,
            _ => matches!(state, Is::Old | Is::Both),
        };
        if !states.iter().all(is_right) {
            return Err(told(format!("the stores are {states:?}")));
        }
        let left = litter(&place.objects(), &STORES);
        if code != 0 {
            println!("{}: code {code}: {}", self.name(), ended.stderr.trim());
        }
        let says_so = ["not tidy yet", "left behind until it expires"];
        let says_so = says_so.iter().any(|words| ended.stderr.contains(words));
        if code < 42 && !left.is_empty() && !says_so {
            return Err(told(format!("left behind: {left:?}")));
        }
        self.next(&place, code).map_err(told)?;
        Ok(code)
    }

    /// The next command, when the server is well again.
    fn next(&self, place: &Place, code: i32) -> Result<(), String> {
        // A rollback that is healed must not be followed by another one.
        let again = code != 0 && !(self.act.line[0] == "rollback" && code == 42);
        let line = if again {
            self.act.line.clone()
        } else {
            words(&["recover"])
        };
        let next = place.run(&line, self.ranks, "60");
        let told = |problem: String| format!("then {line:?}: {problem}: {next:#?}");
        if next.code != 0 {
            return Err(told("it failed".to_owned()));
        }
        let states = self.states(&place.objects()).map_err(told)?;
        let must_be_new = again || code == 0;
        let is_right = |state: &Is| match state {
            Is::New | Is::Both => true,
            Is::Old => !must_be_new,
            Is::Mixed => false,
        };
        if !states.iter().all(is_right) {
            return Err(told(format!("the stores are {states:?}")));
        }
        let left = litter(&place.objects(), &STORES);
        if !left.is_empty() {
            return Err(told(format!("left behind: {left:?}")));
        }
        if place.objects().contains_key("T1m/tos.zarr/zarr.json") {
            let verified = place.run(&words(&["verify"]), None, "60");
            if verified.code != 0 {
                return Err(told(format!("verify: {verified:#?}")));
            }
        }
        Ok(())
    }
}

/// Tries all cases, and shows how long that took and which codes came of it.
#[track_caller]
fn try_all(what: &str, cases: &[Case<'_>]) {
    let begun = Instant::now();
    let (next, results) = (AtomicUsize::new(0), Mutex::new((Vec::new(), Vec::new())));
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = case.run();
                    let (codes, failures) = &mut *results.lock().unwrap();
                    match result {
                        Ok(code) => codes.push(code),
                        Err(failure) => failures.push(format!("{}: {failure}", case.name())),
                    }
                }
            });
        }
    });
    let (mut codes, failures) = results.into_inner().unwrap();
    codes.sort_unstable();
    println!(
        "{what}: {} cases, codes {codes:?}, {:?}",
        cases.len(),
        begun.elapsed()
    );
    assert!(
        failures.is_empty(),
        "{} of {} failed:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}

#[test]
fn bursts_that_end_are_sat_out() {
    let acts = Acts::new();
    let bursts = [503, 500].map(|status| {
        let burst = Rule::new(Fault::Status(status)).skip(6).times(5);
        Trouble::Rules(vec![burst])
    });
    let cases: Vec<Case> = acts
        .all()
        .into_iter()
        .flat_map(|act| bursts.clone().map(|trouble| act.case(trouble, &[0])))
        .chain(acts.writing().into_iter().map(|(act, ranks)| Case {
            ranks,
            ..act.case(bursts[0].clone(), &[0])
        }))
        .collect();
    try_all("bursts", &cases);
}

#[test]
fn troubles_that_last_longer_than_the_patience() {
    let acts = Acts::new();
    let lasting = |rule: Rule| Trouble::Rules(vec![rule]);
    let mut cases = Vec::new();
    for (act, ranks) in acts.writing() {
        for (status, rule, codes) in [
            // Objects, documents, journals cannot be put; what there is can be put back.
            (503, "tos/c/0/0", &[40][..]),
            (500, "tos/zarr.json", &[0, 40]),
            (503, ".prepared", &[40]),
        ] {
            let rule = Rule::new(Fault::Status(status))
                .method("PUT")
                .key_contains(rule);
            cases.push(Case {
                ranks,
                patience: "0.5",
                ..act.case(lasting(rule), codes)
            });
        }
        // Nothing can be written any more, from one moment on.
        for skip in [12, 25, 45] {
            let rule = |method| Rule::new(Fault::Status(503)).method(method).skip(skip);
            let trouble = Trouble::Rules(vec![rule("PUT"), rule("DELETE")]);
            cases.push(Case {
                ranks,
                patience: "0.5",
                ..act.case(trouble, &[0, 34, 40, 42])
            });
        }
    }
    for skip in [3, 9, 20] {
        for act in [&acts.delete, &acts.rollback, &acts.rollback_of_update] {
            let codes = if act.name == "delete" {
                &[0, 34, 43][..]
            } else {
                &[0, 34, 42]
            };
            let rule = |method| Rule::new(Fault::Status(503)).method(method).skip(skip);
            cases.push(Case {
                patience: "0.5",
                ..act.case(Trouble::Rules(vec![rule("PUT"), rule("DELETE")]), codes)
            });
        }
    }
    try_all("lasting troubles", &cases);
}

#[test]
fn requests_that_break_off_and_answers_that_get_lost() {
    let acts = Acts::new();
    let mut cases = Vec::new();
    let acts_and_ranks = acts.writing().into_iter();
    let others = [&acts.delete, &acts.rollback, &acts.rollback_of_update].map(|act| (act, None));
    for (act, ranks) in acts_and_ranks.chain(others) {
        let often = |fault, method: &str| {
            // Every third request of the kind, for a while.
            let strike = |n: u64| Rule::new(fault).method(method).skip(n * 2).once();
            Trouble::Rules((1..7).map(strike).collect())
        };
        let troubles = [
            often(Fault::TruncateWrite, "PUT"),
            often(Fault::StatusAfterApply(500), "PUT"),
            often(Fault::DropAfterApply, "PUT"),
            often(Fault::DropAfterApply, "DELETE"),
        ];
        cases.extend(troubles.map(|trouble| Case {
            ranks,
            ..act.case(trouble, &[0])
        }));
    }
    try_all("broken requests", &cases);
}

#[test]
fn slow_and_stale_answers() {
    let acts = Acts::new();
    let wait = Duration::from_millis(300);
    let slow = Trouble::Rules(vec![Rule::new(Fault::Delay(wait))]);
    let slow_journal = Rule::new(Fault::Delay(3 * wait)).key_contains(".done/");
    let slow_journal = Trouble::Rules(vec![slow_journal]);
    let stale = Rule::new(Fault::StaleRead(Duration::from_secs(1)));
    let stale = Trouble::Rules(vec![stale]);
    let slow_cases = [
        (&acts.append, Some(2)),
        (&acts.update, None),
        (&acts.delete, None),
        (&acts.rollback, None),
    ];
    let stale_cases = [&acts.delete, &acts.rollback, &acts.rollback_of_update];
    let stale_cases = acts
        .writing()
        .into_iter()
        .chain(stale_cases.map(|act| (act, None)));
    let cases: Vec<Case> = (slow_cases.into_iter().map(|case| (case, &slow)))
        .chain(stale_cases.map(|case| (case, &stale)))
        .chain(acts.writing().into_iter().map(|case| (case, &slow_journal)))
        .map(|((act, ranks), trouble)| Case {
            ranks,
            ..act.case(trouble.clone(), &[0])
        })
        .collect();
    try_all("slow and stale answers", &cases);
}

#[test]
fn full_buckets() {
    let acts = Acts::new();
    let mut cases = Vec::new();
    for (act, ranks) in acts.writing() {
        for (n, hundredths) in [0, 15, 30, 45, 60, 75, 88, 97].into_iter().enumerate() {
            let full = [Full::QuotaExceeded, Full::InsufficientStorage][n % 2];
            cases.push(Case {
                ranks,
                patience: "0.3",
                ..act.case(Trouble::Room(hundredths, full), &[0, 32, 34, 40, 42])
            });
        }
    }
    for act in [&acts.delete, &acts.rollback, &acts.rollback_of_update] {
        for (hundredths, full) in [(0, Full::QuotaExceeded), (50, Full::InsufficientStorage)] {
            cases.push(Case {
                patience: "0.3",
                ..act.case(Trouble::Room(hundredths, full), &[0, 32, 34, 42, 43])
            });
        }
    }
    try_all("full buckets", &cases);
}

#[test]
fn sends_that_follow_each_other_where_reads_are_stale() {
    let sandbox = Sandbox::new();
    let lines: Vec<Vec<String>> = (1..=6)
        .map(|month| {
            let spec = Spec {
                grid: "8x6x2".parse().unwrap(),
                variables: vec![Variable::Tos],
                start: format!("1976-{month:02}-01").parse().unwrap(),
                ..Spec::default()
            };
            let name = format!("ORCA8x6_1m_grid_T_{month}.nc");
            let file = sandbox.source_called(&name, &spec);
            words(&["send", "-f", &file, "-cs", r#"{"time_counter": 4}"#])
        })
        .collect();
    let line_on_bucket =
        |line: &Vec<String>| [&line[..], &words(&["-b", "ocean", "-p", "T1m"])].concat();
    let expected = lines.iter().fold(Objects::new(), |objects, line| {
        made_by(&objects, &line_on_bucket(line))
    });
    let expected = Dataset::of(&expected, "T1m/tos.zarr").unwrap();
    let place = Place::new(Full::default(), &Objects::new());
    let stale = Rule::new(Fault::StaleRead(Duration::from_secs(1)));
    place.server.faults().add(stale);
    for line in &lines {
        place.run(line, None, "60").well();
    }
    place.server.faults().clear();
    let objects = place.objects();
    expected.is_seen(&objects).unwrap();
    let left = litter(&objects, &STORES[1..]);
    assert!(left.is_empty(), "{left:?}");
    place.run(&words(&["verify"]), None, "60").well();
}
