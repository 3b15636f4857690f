//! Jobs that share in the sending of an archive, on every kind of store: together, one after the other in any order, and killed. Readers
//! see a prefix of the archive that only grows, in which `verify` finds no fault at any time; in the end the stores are as one send of all files
//! makes them; nothing is put twice.
//! `MSM_OS_TEST_SHARE=zarr3/create/refused` tries those whose names begin so, `…/17` the kill at this point.
//!
//! Key types: [`Archive`], what is sent; [`Case`], in one setting.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use nemo_like::Variable;

use super::dataset::{Dataset, Objects};
use super::pairings::KINDS;
use super::scenes::Layout;
use super::support::{Draw, LONG, Line, line, months, run, run_on, seen, set_lease_times, try_all};
use crate::cli::Exit;
use crate::store::Conditional;
use crate::store::simulated::{Link, Mishap, Request, Rule, World};

const AT_A_TIME: usize = 8;
/// Months of the archive, with those that the store has before.
const MONTHS: usize = 8;

/// Archives of which every point is tried where the jobs have one rank.
const WHOLE: [&str; 1] = ["zarr3/create"];

/// What is sent.
struct Archive {
    name: String,
    /// What is there before.
    start: Objects,
    line: Line,
    /// The datasets that a reader may see, in order, by store.
    stages: Vec<(&'static str, Vec<Option<Dataset>>)>,
    /// What readers see in the end.
    end: Objects,
    parts: usize,
}

/// An archive in one setting.
struct Case<'a> {
    name: String,
    archive: &'a Archive,
    conditional: Conditional,
    ranks: usize,
}

impl Archive {
    /// The archive in files of so many months, of which the store has the first so many.
    fn new(root: &Path, layout: Layout, name: &str, held: u32, files: &[usize]) -> Self {
        let variables = [Variable::Tos, Variable::Sos];
        let send = |first: u32, steps: usize| {
            let file = months(root, first, steps, 0, &variables);
            let words = ["send", "-f", &file];
            line(&[&words, layout.variables(), layout.settings()].concat())
        };
        let world = World::new(Conditional::Enforced);
        let calm = world.link(Vec::new());
        let sent = |line: &Line| assert_eq!(run(&calm, line), Exit::Ok, "{line:?}");
        if held > 0 {
            sent(&send(1, held as usize));
        }
        let start = world.objects();
        let mut ends = Vec::new();
        let (mut first, mut paths) = (held + 1, Vec::new());
        for &steps in files {
            paths.push(months(root, first, steps, 0, &variables));
            first += steps as u32;
            // An object holds two steps.
            let even = (first - 1).next_multiple_of(2).min(MONTHS as u32);
            if ends.last() != Some(&even) {
                ends.push(even);
            }
        }
        let of_store = |store: &str| Dataset::of(&world.objects(), store);
        let stores = layout.stores().iter();
        let mut stages: Vec<(&str, Vec<Option<Dataset>>)> = stores
            .map(|store| (*store, vec![of_store(store)]))
            .collect();
        let mut next = held + 1;
        if held == 0 && files[0] > 1 {
            // A new store has the attributes of the archive's first file, within which none of its parts ends.
            sent(&send(1, files[0]));
            next += files[0] as u32;
        }
        for month in next..=MONTHS as u32 {
            sent(&send(month, 1));
            if ends.contains(&month) {
                for (store, stages) in &mut stages {
                    stages.push(of_store(store));
                }
            }
        }
        let mut words = vec!["send", "--share", "-f"];
        words.extend(paths.iter().map(String::as_str));
        Self {
            name: format!("{}/{name}", layout.name()),
            start,
            line: line(&[&words, layout.variables(), layout.settings()].concat()),
            stages,
            end: seen(&world),
            parts: ends.len(),
        }
    }

    /// How far along a reader sees each store; an error if it sees something in between.
    fn stage(&self, objects: &Objects) -> Result<Vec<usize>, String> {
        let mut found = Vec::new();
        for (store, stages) in &self.stages {
            let mut problems = Vec::new();
            let at = stages.iter().position(|stage| {
                let seen = match stage {
                    Some(dataset) => dataset.is_seen(objects),
                    None if Dataset::is_there(objects, store) => Err("there is a store".to_owned()),
                    None => Ok(()),
                };
                problems.extend(seen.as_ref().err().cloned());
                seen.is_ok()
            });
            let at = at.ok_or_else(|| format!("store {store} is in between: {problems:?}"));
            found.push(at?);
        }
        Ok(found)
    }

    /// An error if `world` is not as one send of all files leaves it.
    fn is_done(&self, world: &Arc<World>) -> Result<(), String> {
        let objects = world.objects();
        let last = self.stages[0].1.len() - 1;
        let stage = self.stage(&objects)?;
        if stage.iter().any(|at| *at != last) {
            return Err(format!("not all of it is there: {stage:?} of {last}"));
        }
        let now = seen(world);
        let differing = |key: &&String| now.get(*key) != self.end.get(*key);
        let keys: Vec<&String> = now
            .keys()
            .chain(self.end.keys())
            .filter(differing)
            .collect();
        if !keys.is_empty() {
            return Err(format!("other objects than one send makes: {keys:?}"));
        }
        let in_the_way = |key: &&String| {
            let parts = ["/journal/", "/lease/", "/probe-", "/share/", "/.files/"];
            parts.iter().any(|part| key.contains(part))
        };
        let left: Vec<&String> = objects.keys().filter(in_the_way).collect();
        if !left.is_empty() {
            return Err(format!("left behind: {left:?}"));
        }
        match run(&world.link(Vec::new()), &line(&["verify"])) {
            Exit::Ok => Ok(()),
            other => Err(format!("verify ended with {other:?}")),
        }
    }
}

fn archives(root: &Path) -> Vec<Archive> {
    let layouts = Layout::ALL.into_iter();
    let archives = layouts.flat_map(|layout| {
        [
            Archive::new(root, layout, "create", 0, &[1; 8]),
            Archive::new(root, layout, "across", 0, &[3, 3, 2]),
            Archive::new(root, layout, "append", 1, &[1; 7]),
            Archive::new(root, layout, "append-across", 3, &[2, 3]),
        ]
    });
    archives.collect()
}

fn cases(archives: &[Archive]) -> Vec<Case<'_>> {
    let mut cases = Vec::new();
    for archive in archives {
        for (conditional, kind) in KINDS.into_iter().zip(["enforced", "refused", "ignored"]) {
            for ranks in [1, 3] {
                cases.push(Case {
                    name: format!("{}/{kind}/{ranks}ranks", archive.name),
                    archive,
                    conditional,
                    ranks,
                });
            }
        }
    }
    cases
}

/// A link on which a few requests are late, and others overtake each other.
fn link(world: &Arc<World>, draw: &mut Draw) -> Link {
    let late = (0..draw.below(4)).map(|_| {
        let time = Duration::from_millis(draw.below(30));
        Rule::at(draw.below(80) as usize, Mishap::Late(time))
    });
    let link = world.link(late.collect());
    link.shuffle(draw.0);
    link
}

impl Case<'_> {
    fn world(&self) -> Arc<World> {
        World::holding(self.conditional, &self.archive.start)
    }

    /// Several jobs at once, the first of them on so many ranks; each starts a bit later than the one before.
    fn together(&self, world: &Arc<World>, jobs: usize, draw: &mut Draw) -> Vec<Exit> {
        let first: Vec<Link> = (0..self.ranks).map(|_| link(world, draw)).collect();
        let others: Vec<(Link, Duration)> = (1..jobs)
            .map(|_| (link(world, draw), Duration::from_millis(draw.below(60))))
            .collect();
        thread::scope(|scope| {
            let others: Vec<_> = others
                .iter()
                .map(|(link, later)| {
                    scope.spawn(|| {
                        set_lease_times(LONG);
                        thread::sleep(*later);
                        run(link, &self.archive.line)
                    })
                })
                .collect();
            let mut ended = vec![run_on(
                self.ranks,
                |rank| first[rank].clone(),
                &self.archive.line,
            )];
            ended.extend(others.into_iter().map(|other| other.join().unwrap()));
            ended
        })
    }

    /// Verifies again and again, beside jobs: how that ended where it found something, or could not look.
    fn verify_until(&self, world: &Arc<World>, is_over: &AtomicBool) -> Vec<Exit> {
        set_lease_times(LONG);
        let mut found = Vec::new();
        while self.ranks == 1 && !is_over.load(Ordering::Relaxed) {
            match run(&world.link(Vec::new()), &line(&["verify"])) {
                Exit::Ok | Exit::NoStore => {}
                other => found.push(other),
            }
        }
        found
    }

    /// An error if readers of `world` have seen a gap, a torn step or a store that shrinks; or an object was put twice.
    fn was_a_growing_prefix(&self, world: &Arc<World>) -> Result<(), String> {
        let history = world.history();
        let mut before = vec![0; self.archive.stages.len()];
        for (number, objects) in history.states().iter().enumerate() {
            let now = self.archive.stage(objects);
            let now = now.map_err(|problem| format!("after change {number}, {problem}"))?;
            if now.iter().zip(&before).any(|(now, before)| now < before) {
                return Err(format!("after change {number}, {now:?} behind {before:?}"));
            }
            before = now;
        }
        let mut puts: BTreeMap<&str, usize> = BTreeMap::new();
        for change in history.changes.iter().filter(|change| change.is_put()) {
            let is_data = ["/tos/", "/sos/", "/projected_tos/"]
                .iter()
                .any(|array| change.key.contains(array));
            let is_document = change.key.ends_with("zarr.json") || change.key.contains("/.z");
            if is_data && !is_document && !change.key.contains(".msm-os/") {
                *puts.entry(&change.key).or_default() += 1;
            }
        }
        let twice: Vec<_> = puts.into_iter().filter(|(_, count)| *count > 1).collect();
        if twice.is_empty() {
            Ok(())
        } else {
            Err(format!("put twice: {twice:?}"))
        }
    }
}

fn is_asked(name: &str) -> bool {
    let asked = std::env::var("MSM_OS_TEST_SHARE").ok();
    asked.is_none_or(|asked| {
        let mut parts = name.split('/').zip(asked.split('/'));
        parts.all(|(part, asked)| part == asked || asked == "*")
    })
}

#[test]
fn jobs_that_share_an_archive_end_as_one_send_of_it() {
    let root = tempfile::tempdir().unwrap();
    let archives = archives(root.path());
    let mut cases = cases(&archives);
    cases.retain(|case| is_asked(&case.name));
    try_all(&cases, AT_A_TIME, |case| {
        set_lease_times(LONG);
        let told = |problem: String| format!("MSM_OS_TEST_SHARE={}: {problem}", case.name);
        let world = case.world();
        let is_over = AtomicBool::new(false);
        let (ended, found) = thread::scope(|scope| {
            let verify = scope.spawn(|| case.verify_until(&world, &is_over));
            let ended = case.together(&world, 3, &mut Draw(case.name.len() as u64));
            is_over.store(true, Ordering::Relaxed);
            (ended, verify.join().unwrap())
        });
        if ended.iter().any(|exit| *exit != Exit::Ok) {
            return Err(told(format!("they ended with {ended:?}")));
        }
        if !found.is_empty() {
            return Err(told(format!("verify beside them ended with {found:?}")));
        }
        case.was_a_growing_prefix(&world).map_err(told)?;
        case.archive.is_done(&world).map_err(told)
    });
}

#[test]
fn what_is_shared_out_while_verify_looks_is_no_fault() {
    let root = tempfile::tempdir().unwrap();
    let archive = Archive::new(root.path(), Layout::ALL[0], "append", 1, &[1; 7]);
    let world = World::holding(Conditional::Enforced, &archive.start);
    // By then it has seen that nothing is shared.
    let late = Rule::new(Mishap::Late(Duration::from_secs(2)));
    let slow = world.link(vec![late.of(Request::List).key("/undo").times(1)]);
    let ended = thread::scope(|scope| {
        let verify = scope.spawn(|| {
            set_lease_times(LONG);
            run(&slow, &line(&["verify"]))
        });
        set_lease_times(LONG);
        while slow.struck() == 0 && !verify.is_finished() {
            thread::yield_now();
        }
        let mut second = archive.line.clone();
        second.extend(["--task", "1/4"].map(str::to_owned));
        assert_eq!(run(&world.link(Vec::new()), &second), Exit::Ok);
        verify.join().unwrap()
    });
    assert_eq!((ended, slow.struck()), (Exit::Ok, 1));
}

#[test]
fn tasks_in_any_order_make_a_growing_prefix() {
    let root = tempfile::tempdir().unwrap();
    let archives: Vec<Archive> = Layout::ALL
        .into_iter()
        .map(|layout| Archive::new(root.path(), layout, "create", 0, &[1; 8]))
        .collect();
    let mut orders = Vec::new();
    for number in 0..24 {
        let (mut left, mut order, mut digit) = (vec![0, 1, 2, 3], Vec::new(), number);
        for choices in (1..=4).rev() {
            order.push(left.remove(digit % choices));
            digit /= choices;
        }
        orders.push(order);
    }
    let all: Vec<(&Archive, &Vec<usize>)> = archives
        .iter()
        .flat_map(|archive| orders.iter().map(move |order| (archive, order)))
        .collect();
    try_all(&all, AT_A_TIME, |(archive, order)| {
        set_lease_times(LONG);
        assert_eq!(archive.parts, 4);
        let conditional = KINDS[order[0] % 3];
        let told = |problem: String| format!("{}, {order:?}: {problem}", archive.name);
        let world = World::holding(conditional, &archive.start);
        let mut done = HashSet::new();
        for task in *order {
            let mut line = archive.line.clone();
            line.extend(["--task".to_owned(), format!("{task}/4")]);
            let ended = run(&world.link(Vec::new()), &line);
            if ended != Exit::Ok {
                return Err(told(format!("task {task} ended with {ended:?}")));
            }
            done.insert(*task);
            let expected = (0..4).take_while(|part| done.contains(part)).count();
            let stage = archive.stage(&world.objects()).map_err(told)?;
            if stage.iter().any(|at| *at != expected) {
                return Err(told(format!(
                    "behind task {task}, {stage:?}, not {expected}"
                )));
            }
        }
        archive.is_done(&world).map_err(told)
    });
}

#[test]
fn whatever_dies_of_two_jobs_the_next_one_finishes_the_work() {
    let root = tempfile::tempdir().unwrap();
    let archives = archives(root.path());
    let mut cases = cases(&archives);
    cases.retain(|case| is_asked(&case.name));
    try_all(&cases, AT_A_TIME * 2, |case| {
        set_lease_times(LONG);
        let told = |problem: String| format!("MSM_OS_TEST_SHARE={}: {problem}", case.name);
        let world = case.world();
        let ended = case.together(&world, 2, &mut Draw(7));
        if ended.iter().any(|exit| *exit != Exit::Ok) {
            return Err(told(format!("undisturbed, they ended with {ended:?}")));
        }
        let history = world.history();
        let mut known = HashSet::from([case.archive.start.clone()]);
        let mut failures = Vec::new();
        for (number, mut objects) in history.states().into_iter().enumerate() {
            let mut draw = Draw(number as u64);
            if draw.below(2) == 0 {
                for change in history.on_the_way(number + 1) {
                    if draw.below(2) == 0 {
                        change.apply(&mut objects);
                    }
                }
            }
            // Without the environment all points of a few archives, and a part of the others'.
            let is_of_share = std::env::var("MSM_OS_TEST_SHARE").is_ok()
                || case.ranks == 1 && WHOLE.contains(&case.archive.name.as_str())
                || draw.below(20) == 0;
            let name = format!("{}/{number}", case.name);
            if !known.insert(objects.clone()) || !is_of_share || !is_asked(&name) {
                continue;
            }
            let tried = case.archive.try_kill(case.conditional, &objects, &mut draw);
            failures.extend(tried.err().map(|problem| {
                let last = &history.changes[number].key;
                format!("MSM_OS_TEST_SHARE={name}: killed behind {last}: {problem}")
            }));
        }
        if failures.is_empty() {
            Ok(())
        } else {
            Err(failures.join("\n"))
        }
    });
}

impl Archive {
    /// Sees to what comes after a kill that left `objects`.
    fn try_kill(
        &self,
        conditional: Conditional,
        objects: &Objects,
        draw: &mut Draw,
    ) -> Result<(), String> {
        let before = self.stage(objects)?;
        let world = World::holding(conditional, objects);
        let link = world.link(Vec::new());
        let told = run(&link, &line(&["status"]));
        if told != Exit::Ok {
            return Err(format!("status ended with {told:?}"));
        }
        if draw.below(3) == 0 {
            let ended = run(&link, &line(&["recover"]));
            if ended != Exit::Ok {
                return Err(format!("recover ended with {ended:?}"));
            }
            let now = self.stage(&world.objects())?;
            if now.iter().zip(&before).any(|(now, before)| now < before) {
                return Err(format!("recover went from {before:?} to {now:?}"));
            }
        }
        let ended = run(&link, &self.line);
        if ended != Exit::Ok {
            return Err(format!("the next job ended with {ended:?}"));
        }
        self.is_done(&world)
    }
}
