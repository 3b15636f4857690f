//! Two jobs on one store in memory, whose requests are late beyond any lease, and which stand still at any request: whoever
//! outlives its lease changes nothing, and the same commands again finish the work. `MSM_OS_TEST_OUTLIVED=500..800` tries
//! other seeds.
//!
//! Key types: [`Case`], what is tried; [`Pairing`], the two commands.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use nemo_like::{Format, Spec, Variable};

use crate::cli::{Found, parse, run_over};
use crate::commit::LeaseTimes;
use crate::exit::Exit;
use crate::ranks::Ranks;
use crate::session::Interrupt;
use crate::store::simulated::{Link, Mishap, World};
use crate::store::{Conditional, Connection};

/// Cases that are tried.
const SEEDS: Range<u64> = 0..500;
/// Cases at a time: nearly all of their time they wait.
const AT_A_TIME: usize = 24;
/// Requests among which mishaps fall; a send has about as many.
const REQUESTS: u64 = 110;
/// Mishaps of one job at most.
const MISHAPS: u64 = 3;

type Objects = BTreeMap<String, Bytes>;
pub(in crate::verbs) type Line = Vec<String>;

/// Two commands on the store that `begin` makes.
struct Pairing {
    name: &'static str,
    begin: Vec<Line>,
    lines: [Line; 2],
}

/// A file with a month of 1976; other seeds have other values.
pub(in crate::verbs) fn month(root: &Path, number: u32, seed: u64) -> String {
    static WRITING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = WRITING.lock();
    let path = root.join(format!("ORCA_1m_grid_T_{number}_{seed}.nc"));
    let spec = Spec {
        grid: "4x4x1".parse().unwrap(),
        variables: vec![Variable::Tos],
        start: format!("1976-{number:02}-01").parse().unwrap(),
        format: Format::Classic,
        seed,
        ..Spec::default()
    };
    if !path.exists() {
        nemo_like::write(&path, &spec).unwrap();
    }
    path.to_str().unwrap().to_owned()
}

fn pairings(root: &Path) -> Vec<Pairing> {
    let month = |number: u32, seed: u64| month(root, number, seed);
    let line = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Line>();
    // A chunk holds two steps, so that the second month fills up a half-full one.
    let chunks = r#"{"time_counter": 2}"#;
    let send = |number, seed| line(&["send", "-f", &month(number, seed), "-cs", chunks]);
    let update = line(&["update", "-f", &month(1, 1)]);
    let delete = line(&["delete", "--all", "--yes"]);
    let pairing = |name, lines| Pairing {
        name,
        begin: vec![send(1, 0)],
        lines,
    };
    vec![
        pairing("the same month twice", [send(2, 0), send(2, 0)]),
        pairing("one month, two values", [send(2, 0), send(2, 1)]),
        pairing("send against update", [send(2, 0), update.clone()]),
        pairing(
            "two updates",
            [line(&["update", "-f", &month(1, 2)]), update],
        ),
        pairing("send against delete", [send(2, 0), delete]),
        pairing("send against rollback", [send(2, 0), line(&["rollback"])]),
        Pairing {
            begin: Vec::new(),
            ..pairing("two creates", [send(1, 0), send(1, 1)])
        },
    ]
}

/// Runs a command on this thread.
pub(in crate::verbs) fn run(link: &Link, line: &Line) -> Exit {
    let words = ["msm_os"]
        .into_iter()
        .chain(line.iter().map(String::as_str));
    let words = words.chain(["-b", "ocean", "-p", "T1m"]).chain(
        match line[0].as_str() {
            "verify" | "list" => [].iter(),
            _ => ["--lock-wait", "60s"].iter(),
        }
        .copied(),
    );
    let find = |_: &_| {
        Ok(Found {
            connection: Connection::simulated(link),
            warning: None,
        })
    };
    run_over(
        parse(words.map(Into::into)),
        &Ranks::alone(),
        &Interrupt::default(),
        &find,
    )
}

/// What readers see: all but the ledgers.
fn seen(world: &World) -> Objects {
    let mut objects = world.objects();
    objects.retain(|key, _| !key.contains("/.msm-os/"));
    objects
}

/// What the store may be when these commands were run one after the other, by which of them were run to their end.
fn outcomes(pairing: &Pairing, conditional: Conditional) -> Vec<([bool; 2], Objects)> {
    let orders: [&[usize]; 5] = [&[], &[0], &[1], &[0, 1], &[1, 0]];
    let outcome = |order: &&[usize]| {
        let world = World::new(conditional);
        let link = world.link(BTreeMap::new());
        let lines = pairing
            .begin
            .iter()
            .chain(order.iter().map(|&i| &pairing.lines[i]));
        for line in lines {
            run(&link, line);
        }
        ([0, 1].map(|i| order.contains(&i)), seen(&world))
    };
    orders.iter().map(outcome).collect()
}

/// What is tried.
struct Case<'a> {
    pairing: &'a Pairing,
    conditional: Conditional,
    outcomes: &'a [([bool; 2], Objects)],
    /// Of each job, by the number of its request.
    mishaps: [BTreeMap<usize, Mishap>; 2],
    /// How much later the second one starts.
    later: Duration,
}

impl Case<'_> {
    /// Tries it, and counts how the two ended; an error says what went wrong.
    fn try_it(&self, codes: &Mutex<BTreeMap<i32, usize>>) -> Result<(), String> {
        let world = World::new(self.conditional);
        let calm = world.link(BTreeMap::new());
        for line in &self.pairing.begin {
            assert_eq!(run(&calm, line), Exit::Ok);
        }
        let mut number = 0;
        let jobs = self.mishaps.clone().map(|mishaps| {
            let (link, line) = (world.link(mishaps), self.pairing.lines[number].clone());
            let later = self.later * number as u32;
            number += 1;
            thread::spawn(move || {
                thread::sleep(later);
                run(&link, &line)
            })
        });
        let ended = jobs.map(|job| job.join().map_err(|_| "a job panicked"));
        let [one, other] = ended;
        let ended = [one?, other?];
        for exit in ended {
            *codes.lock().unwrap().entry(exit.code()).or_default() += 1;
        }
        // What was late has come by now, and leases are over.
        thread::sleep(LeaseTimes::of_this_run().over());
        let recovered = run(&calm, &vec!["recover".to_owned()]);
        let told = |problem: String| Err(format!("{problem}; they ended with {ended:?}"));
        if recovered != Exit::Ok {
            return told(format!("recover ended with {recovered:?}"));
        }
        let now = seen(&world);
        let fits = |(done, objects): &([bool; 2], Objects)| {
            let is_done = ended
                .iter()
                .zip(done)
                .all(|(ended, done)| *done || *ended != Exit::Ok);
            is_done && *objects == now
        };
        if !self.outcomes.iter().any(fits) {
            let like: Vec<_> = self.outcomes.iter().filter(|(_, o)| *o == now).collect();
            return told(format!(
                "the store is what {:?} make of it: {:?}",
                like.iter().map(|(done, _)| done).collect::<Vec<_>>(),
                now.keys().collect::<Vec<_>>()
            ));
        }
        is_tidy(&world, &calm, &now).or_else(told)?;
        // The same commands again finish the work.
        for line in &self.pairing.lines {
            let again = run(&calm, line);
            let may_fail = ["update", "rollback"].contains(&line[0].as_str());
            if again != Exit::Ok && !may_fail && !is_gone(again, line) {
                return told(format!("{} again ended with {again:?}", line[0]));
            }
        }
        is_tidy(&world, &calm, &seen(&world)).or_else(told)
    }
}

/// Nothing is left of either job, and every object is as its manifest says.
fn is_tidy(world: &World, calm: &Link, now: &Objects) -> Result<(), String> {
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
    let verified = run(calm, &vec!["verify".to_owned()]);
    match verified {
        Exit::Ok => Ok(()),
        Exit::NoStore if now.is_empty() => Ok(()),
        other => Err(format!("verify ended with {other:?}")),
    }
}

/// A store that was deleted cannot be deleted again.
fn is_gone(ended: Exit, line: &Line) -> bool {
    ended == Exit::NoStore && line[0] == "delete"
}

/// Numbers that follow from a seed (splitmix64, Steele et al. 2014).
pub(in crate::verbs) struct Draw(pub u64);

impl Draw {
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }

    fn mishaps(&mut self) -> BTreeMap<usize, Mishap> {
        let life = LeaseTimes::of_this_run().life;
        let count = self.below(MISHAPS + 1);
        let mishap = |_| {
            // Up to twice as long as a lease lasts.
            let time = life * self.below(200) as u32 / 100;
            let mishap = match self.below(4) {
                0 => Mishap::Late(time),
                1 => Mishap::LateAnswer(time),
                _ => Mishap::Pause(time),
            };
            (self.below(REQUESTS) as usize, mishap)
        };
        (0..count).map(mishap).collect()
    }
}

fn seeds() -> Range<u64> {
    let asked = std::env::var("MSM_OS_TEST_OUTLIVED").ok();
    asked.map_or(SEEDS, |text| {
        let (first, end) = text.split_once("..").unwrap();
        first.parse().unwrap()..end.parse().unwrap()
    })
}

#[test]
fn who_outlives_its_lease_changes_nothing_and_the_same_again_finishes_the_work() {
    static ROOT: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());
    let pairings = pairings(ROOT.path());
    let kinds = [
        Conditional::Enforced,
        Conditional::Refused,
        Conditional::Ignored,
    ];
    let scenes: Vec<_> = pairings
        .iter()
        .flat_map(|pairing| kinds.map(|kind| (pairing, kind)))
        .map(|(pairing, kind)| (pairing, kind, outcomes(pairing, kind)))
        .collect();
    let seeds = seeds();
    let (next, failures) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    let codes = Mutex::default();
    let (scenes, next, failures, codes) = (&scenes, &next, &failures, &codes);
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= seeds.end {
                        break;
                    }
                    let mut draw = Draw(seed);
                    let scene = draw.below(scenes.len() as u64) as usize;
                    let (pairing, conditional, outcomes) = &scenes[scene];
                    let case = Case {
                        pairing,
                        conditional: *conditional,
                        outcomes,
                        mishaps: [(); 2].map(|()| draw.mishaps()),
                        later: Duration::from_millis(draw.below(300)),
                    };
                    if let Err(problem) = case.try_it(codes) {
                        let (name, mishaps) = (pairing.name, &case.mishaps);
                        let line =
                            format!("seed {seed}, {name}, {conditional:?}, {mishaps:?}: {problem}");
                        failures.lock().unwrap().push(line);
                    }
                }
            });
        }
    });
    let failures = failures.lock().unwrap();
    let codes = codes.lock().unwrap();
    println!("{seeds:?}: exit codes {codes:?}, {} failed", failures.len());
    assert!(
        codes.contains_key(&Exit::LeaseLost.code()),
        "no lease was outlived"
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
