//! Two commands on one store, started together, on every kind of store, one of them on several ranks. The store ends as some order of
//! the two makes it, their exit codes fit that order, and what readers see after each request is a state of some order.
//! `MSM_OS_TEST_RACES=500..800` tries others.

use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use super::dataset::{Dataset, Objects};
use super::pairings::{KINDS, Pairing, pairings};
use super::support::{Draw, LONG, is_tidy, run, run_on, seeds, seen, set_lease_times, try_all};
use crate::cli::Exit;
use crate::store::Conditional;
use crate::store::simulated::{Link, Mishap, Rule, World};

/// Races that are run.
const SEEDS: std::ops::Range<u64> = 0..600;
const AT_A_TIME: usize = 8;
/// Requests among which some are late.
const REQUESTS: u64 = 60;
/// The store of all of them.
const STORE: &str = "T1m/tos.zarr";

/// What is tried.
struct Race<'a> {
    pairing: &'a Pairing,
    states: &'a [Option<Dataset>],
    conditional: Conditional,
    ranks: usize,
    waits: bool,
    draw: Draw,
}

impl Race<'_> {
    /// A link on which a few requests are late, and others overtake each other.
    fn link(&mut self, world: &std::sync::Arc<World>) -> Link {
        let late = (0..self.draw.below(4)).map(|_| {
            let time = Duration::from_millis(self.draw.below(40));
            Rule::at(self.draw.below(REQUESTS) as usize, Mishap::Late(time))
        });
        let link = world.link(late.collect());
        link.shuffle(self.draw.0);
        link
    }

    /// Runs it, and counts how many of the two found the store held.
    fn run(mut self, busy: &Mutex<[usize; 3]>) -> Result<(), String> {
        let world = World::holding(self.conditional, &self.pairing.start);
        let wait = if self.waits { "60s" } else { "0s" };
        let lines = self.pairing.lines.clone().map(|mut line| {
            line.extend(["--lock-wait", wait].map(str::to_owned));
            line
        });
        let links: Vec<Link> = (0..self.ranks).map(|_| self.link(&world)).collect();
        let other = self.link(&world);
        let later = Duration::from_millis(self.draw.below(40));
        let ended = thread::scope(|scope| {
            let other = scope.spawn(|| {
                set_lease_times(LONG);
                thread::sleep(later);
                run(&other, &lines[1])
            });
            let one = run_on(self.ranks, |rank| links[rank].clone(), &lines[0]);
            [one, other.join().unwrap()]
        });
        let count = ended.iter().filter(|exit| **exit == Exit::Busy).count();
        busy.lock().unwrap()[count] += 1;
        let told = |problem: String| format!("{problem}; they ended with {ended:?}");
        for (number, objects) in world.history().states().iter().enumerate() {
            self.is_seen(objects)
                .map_err(|problem| told(format!("after change {number}, {problem}")))?;
        }
        let now = seen(&world);
        let fits = self.pairing.outcomes.iter().any(|outcome| {
            let mut both = ended.iter().zip(outcome.ended);
            outcome.seen == now
                && both.all(|(ended, alone)| match alone {
                    Some(alone) => *ended == alone,
                    None => *ended == Exit::Busy && !self.waits,
                })
        });
        if !fits {
            return Err(told("no order of the two ends so".to_owned()));
        }
        is_tidy(&world, &world.link(Vec::new())).map_err(told)
    }

    /// An error if a reader sees what no order of the two shows.
    fn is_seen(&self, objects: &Objects) -> Result<(), String> {
        let is = |state: &Option<Dataset>| match state {
            Some(dataset) => dataset.is_seen(objects).is_ok(),
            None => !Dataset::is_there(objects, STORE),
        };
        let there = || self.states.iter().flatten();
        let mixed = |one: &Dataset, other| one.is_seen_mixed_with(other, objects).is_ok();
        let is_mixed = || there().any(|one| there().any(|other| mixed(one, other)));
        if self.states.iter().any(is) || self.pairing.in_place && is_mixed() {
            return Ok(());
        }
        Err("a reader sees none of the states".to_owned())
    }
}

#[test]
fn two_commands_at_a_time_end_as_one_after_the_other() {
    let root = tempfile::tempdir().unwrap();
    let pairings = pairings(root.path());
    let states: Vec<Vec<Option<Dataset>>> = pairings
        .iter()
        .map(|pairing| {
            let seen = pairing.outcomes.iter().map(|outcome| &outcome.seen);
            seen.map(|objects| Dataset::of(objects, STORE)).collect()
        })
        .collect();
    let seeds = seeds("MSM_OS_TEST_RACES", SEEDS);
    let busy = Mutex::default();
    try_all(&seeds.clone().collect::<Vec<u64>>(), AT_A_TIME, |&seed| {
        set_lease_times(LONG);
        let mut draw = Draw(seed);
        let which = draw.below(pairings.len() as u64) as usize;
        let race = Race {
            pairing: &pairings[which],
            states: &states[which],
            conditional: KINDS[draw.below(3) as usize],
            ranks: [1, 1, 3][draw.below(3) as usize],
            waits: draw.below(3) > 0,
            draw,
        };
        let told = format!(
            "MSM_OS_TEST_RACES={seed}..{}, {}, {:?}, {} ranks",
            seed + 1,
            race.pairing.name,
            race.conditional,
            race.ranks
        );
        race.run(&busy)
            .map_err(|problem| format!("{told}: {problem}"))
    });
    println!(
        "{seeds:?}: {:?} with none, one, both busy",
        busy.into_inner().unwrap()
    );
}
