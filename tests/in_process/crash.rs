//! The crash matrix: what lies in the store after each request of a command is what a kill of all ranks leaves there, with any of
//! the requests that were on their way. At every such moment each store is wholly old or wholly new to a reader, and the next command
//! brings it to one of the two, with nothing left behind.
//!
//! Of each request, a part of the settings is tried. `MSM_OS_TEST_CRASH=all` tries all of them, `append/zarr2/refused/3ranks/17` repeats
//! one, `append/*/refused` those whose names begin so.
//!
//! Key types: [`Matrix`], a scene in one setting; [`Point`], a moment of it.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::dataset::Objects;
use super::expected::Expected;
use super::pairings::KINDS;
use super::scenes::{Next, Scene, all_scenes};
use super::support::{Draw, LONG, line, run, run_on, set_lease_times, try_all};
use crate::cli::Exit;
use crate::store::Conditional;
use crate::store::simulated::World;

/// Settings that are tried at a time: where conditional writes are not enforced, most of their time they wait.
const AT_A_TIME: usize = 16;
/// The points that the gate tries at least.
const LEAST: usize = 10_000;
/// One of so many settings is tried at each point.
const SHARE: usize = 6;
/// Ranks of the command that is killed.
const RANKS: [usize; 2] = [1, 3];

/// A scene in one setting.
struct Matrix<'a> {
    name: String,
    scene: &'a Scene,
    expected: &'a Expected,
    conditional: Conditional,
    ranks: usize,
    /// Its place among those of its scene, for its share of the points.
    place: usize,
}

/// What a kill of all ranks leaves.
struct Point {
    objects: Objects,
    /// The last request that took effect.
    last: String,
}

impl Matrix<'_> {
    /// What may be left by a kill, each once.
    fn points(&self) -> Result<Vec<Point>, String> {
        let world = World::holding(self.conditional, &self.scene.stages[0]);
        let link = |rank: usize| {
            let link = world.link(Vec::new());
            link.shuffle(rank as u64 + 1);
            link
        };
        let ended = run_on(self.ranks, link, &self.scene.line);
        let now = self.expected.settled(&world.objects())?;
        if ended != Exit::Ok || !now.done {
            return Err(format!("undisturbed, it ended with {ended:?}: {now:?}"));
        }
        let (history, mut points) = (world.history(), Vec::new());
        let mut seen = HashSet::from([self.scene.stages[0].clone()]);
        for (at, objects) in history.states().into_iter().enumerate() {
            let mut draw = Draw(at as u64);
            let mut some = objects.clone();
            for change in history.on_the_way(at + 1) {
                if draw.below(2) == 0 {
                    change.apply(&mut some);
                }
            }
            for (objects, more) in [(objects, ""), (some, " and some on their way")] {
                if seen.insert(objects.clone()) {
                    let last = format!("{}{more}", history.changes[at].key);
                    points.push(Point { objects, last });
                }
            }
        }
        Ok(points)
    }

    /// Sees to what comes after a kill.
    fn try_point(&self, number: usize, point: &Point) -> Result<(), String> {
        let ways = self.scene.next;
        let next = ways[Draw(number as u64).below(ways.len() as u64) as usize];
        let told = |problem: String| {
            let ledger = point.objects.keys().filter(|key| key.contains(".msm-os/"));
            format!(
                "MSM_OS_TEST_CRASH={}/{number}: killed behind {}, then {next:?}: {problem}\n  it left {:?}",
                self.name,
                point.last,
                ledger.collect::<Vec<_>>()
            )
        };
        self.expected.check(&point.objects).map_err(told)?;
        let world = World::holding(self.conditional, &point.objects);
        let link = world.link(Vec::new());
        let mut command = match next {
            Next::Recover => line(&["recover"]),
            Next::Same | Next::Resume => self.scene.line.clone(),
        };
        if next == Next::Resume {
            command.push("--resume".to_owned());
        }
        let ended = run(&link, &command);
        let objects = world.objects();
        let now = self.expected.settled(&objects).map_err(told)?;
        let is_idle = next != Next::Recover && ended == self.scene.idle;
        if ended != Exit::Ok && !(is_idle && now.done) {
            return Err(told(format!("it ended with {ended:?}: {now:?}")));
        }
        if next != Next::Recover && !now.done {
            return Err(told(format!("it did not finish the work: {now:?}")));
        }
        self.scene.is_sound(&world).map_err(told)
    }
}

#[test]
fn whatever_dies_at_whatever_request_the_stores_are_old_or_new_and_the_next_command_heals() {
    let begun = Instant::now();
    let asked = std::env::var("MSM_OS_TEST_CRASH").ok();
    let is_all = asked.is_none() || asked.as_deref() == Some("all");
    let is_asked = |name: &str| {
        let mut parts = name
            .split('/')
            .zip(asked.iter().flat_map(|asked| asked.split('/')));
        is_all || parts.all(|(part, asked)| part == asked || asked == "*")
    };
    let root = tempfile::tempdir().unwrap();
    let scenes = all_scenes(root.path());
    let mut matrices = Vec::new();
    for (layout, scene, expected) in &scenes {
        for (row, ranks) in RANKS.into_iter().enumerate() {
            let kinds = KINDS.into_iter().zip(["enforced", "refused", "ignored"]);
            for (column, (conditional, kind)) in kinds.enumerate() {
                let name = format!("{}/{}/{kind}/{ranks}ranks", scene.name, layout.name());
                matrices.push(Matrix {
                    name,
                    scene,
                    expected,
                    conditional,
                    ranks,
                    place: row + column,
                });
            }
        }
    }
    matrices.retain(|matrix| is_asked(&matrix.name));
    println!("{} scenes made, {:?}", scenes.len(), begun.elapsed());
    let tried = AtomicUsize::new(0);
    let counts = std::sync::Mutex::new(BTreeMap::<&str, usize>::new());
    try_all(&matrices, AT_A_TIME, |matrix| {
        set_lease_times(LONG);
        let points = matrix
            .points()
            .map_err(|problem| format!("{}: {problem}", matrix.name))?;
        let mut failures = Vec::new();
        for (number, point) in points.iter().enumerate() {
            let is_of_share = (number + matrix.place) % SHARE == 0;
            if !is_asked(&format!("{}/{number}", matrix.name)) || asked.is_none() && !is_of_share {
                continue;
            }
            tried.fetch_add(1, Ordering::Relaxed);
            *counts.lock().unwrap().entry(matrix.scene.name).or_default() += 1;
            failures.extend(matrix.try_point(number, point).err());
        }
        if failures.is_empty() {
            Ok(())
        } else {
            Err(failures.join("\n"))
        }
    });
    let tried = tried.into_inner();
    println!(
        "{tried} points, {:?}: {:?}",
        begun.elapsed(),
        counts.into_inner().unwrap()
    );
    assert!(!is_all || tried >= LEAST, "{tried} points");
}
