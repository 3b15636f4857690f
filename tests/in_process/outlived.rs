//! Two jobs on one store in memory, whose requests are late beyond any lease, and which stand still at any request: whoever
//! outlives its lease changes nothing, and the same commands again finish the work. `MSM_OS_TEST_OUTLIVED=500..800` tries
//! other seeds.
//!
//! Key type: [`Case`], what is tried.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use super::pairings::{KINDS, Outcome, Pairing, pairings};
use super::support::{
    Draw, LONG, Line, is_tidy, line, run, run_on, seeds, seen, set_lease_times, try_all,
};
use crate::cli::Exit;
use crate::commit::LeaseTimes;
use crate::store::Conditional;
use crate::store::simulated::{Mishap, Rule, World};

/// Cases that are tried.
const SEEDS: std::ops::Range<u64> = 0..5000;
/// Cases at a time: nearly all of their time they wait.
const AT_A_TIME: usize = 48;
/// Leases last so long, for jobs to outlive them soon.
const TIMES: LeaseTimes = LeaseTimes {
    life: Duration::from_millis(400),
    look: Duration::from_millis(10),
};
/// Requests among which mishaps fall; a send has about as many.
const REQUESTS: u64 = 110;
/// Mishaps of one job at most.
const MISHAPS: u64 = 3;

/// What is tried.
struct Case<'a> {
    pairing: &'a Pairing,
    conditional: Conditional,
    /// Of each rank of each job, by the number of its request.
    mishaps: [Vec<Vec<(usize, Mishap)>>; 2],
    /// How much later the second one starts.
    later: Duration,
    /// Are the same commands run again in the end?
    again: bool,
}

impl Case<'_> {
    /// Tries it, and counts how the two ended; an error says what went wrong.
    fn try_it(&self, codes: &Mutex<BTreeMap<i32, usize>>) -> Result<(), String> {
        let world = World::holding(self.conditional, &self.pairing.start);
        let mut number = 0;
        let jobs = self.mishaps.clone().map(|mishaps| {
            let links = mishaps.into_iter().map(|of_rank| {
                let rules = of_rank.into_iter().map(|(at, mishap)| Rule::at(at, mishap));
                world.link(rules.collect())
            });
            let (links, line) = (
                links.collect::<Vec<_>>(),
                self.pairing.lines[number].clone(),
            );
            let later = self.later * number as u32;
            number += 1;
            thread::spawn(move || {
                set_lease_times(TIMES);
                thread::sleep(later);
                run_on(links.len(), |rank| links[rank].clone(), &line)
            })
        });
        let ended = jobs.map(|job| job.join().map_err(|_| "a job panicked"));
        let [one, other] = ended;
        let ended = [one?, other?];
        for exit in ended {
            *codes.lock().unwrap().entry(exit.code()).or_default() += 1;
        }
        // What was late has come by now; and then leases are over.
        let world = World::holding(self.conditional, &world.objects());
        let calm = world.link(Vec::new());
        set_lease_times(LONG);
        let recovered = run(&calm, &line(&["recover"]));
        let told = |problem: String| Err(format!("{problem}; they ended with {ended:?}"));
        if recovered != Exit::Ok {
            return told(format!("recover ended with {recovered:?}"));
        }
        let now = seen(&world);
        let fits = |outcome: &&Outcome| {
            let mut both = ended.iter().zip(&outcome.ended);
            let is_done = both.all(|(ended, done)| done.is_some() || *ended != Exit::Ok);
            is_done && outcome.seen == now
        };
        let outcomes = &self.pairing.outcomes;
        if !outcomes.iter().any(|outcome| fits(&outcome)) {
            let like = outcomes.iter().filter(|outcome| outcome.seen == now);
            return told(format!(
                "the store is what {:?} make of it: {:?}",
                like.map(|outcome| outcome.ended).collect::<Vec<_>>(),
                now.keys().collect::<Vec<_>>()
            ));
        }
        // The same commands again finish the work.
        for line in self.pairing.lines.iter().filter(|_| self.again) {
            let again = run(&calm, line);
            let may_fail = ["update", "rollback"].contains(&line[0].as_str());
            if again != Exit::Ok && !may_fail && !is_gone(again, line) {
                return told(format!("{} again ended with {again:?}", line[0]));
            }
        }
        is_tidy(&world, &calm).or_else(told)
    }
}

/// A store that was deleted cannot be deleted again.
fn is_gone(ended: Exit, line: &Line) -> bool {
    ended == Exit::NoStore && line[0] == "delete"
}

/// What befalls a job, by the number of its request.
fn mishaps(draw: &mut Draw) -> Vec<(usize, Mishap)> {
    let life = TIMES.life;
    let count = draw.below(MISHAPS + 1);
    let mishap = |_| {
        // Up to twice as long as a lease lasts.
        let time = life * draw.below(200) as u32 / 100;
        let mishap = match draw.below(4) {
            0 => Mishap::Late(time),
            1 => Mishap::LateAnswer(time),
            _ => Mishap::Pause(time),
        };
        (draw.below(REQUESTS) as usize, mishap)
    };
    (0..count).map(mishap).collect()
}

#[test]
fn who_outlives_its_lease_changes_nothing_and_the_same_again_finishes_the_work() {
    let root = tempfile::tempdir().unwrap();
    let pairings = pairings(root.path());
    let seeds = seeds("MSM_OS_TEST_OUTLIVED", SEEDS);
    let codes = Mutex::default();
    try_all(&seeds.clone().collect::<Vec<u64>>(), AT_A_TIME, |&seed| {
        let mut draw = Draw(seed);
        set_lease_times(TIMES);
        let pairing = &pairings[draw.below(pairings.len() as u64) as usize];
        let conditional = KINDS[draw.below(KINDS.len() as u64) as usize];
        let case = Case {
            pairing,
            conditional,
            mishaps: [(); 2].map(|()| {
                let ranks = [1, 1, 1, 3][draw.below(4) as usize];
                (0..ranks).map(|_| mishaps(&mut draw)).collect()
            }),
            again: draw.below(3) == 0,
            later: TIMES.life * draw.below(200) as u32 / 1000,
        };
        case.try_it(&codes).map_err(|problem| {
            let (name, mishaps) = (pairing.name, &case.mishaps);
            format!(
                "MSM_OS_TEST_OUTLIVED={seed}..{}, {name}, {conditional:?}, {mishaps:?}: {problem}",
                seed + 1
            )
        })
    });
    let codes: BTreeMap<i32, usize> = codes.into_inner().unwrap();
    println!("{seeds:?}: exit codes {codes:?}");
    let lost = Exit::LeaseLost.code();
    assert!(codes.contains_key(&lost), "no lease was outlived");
}
