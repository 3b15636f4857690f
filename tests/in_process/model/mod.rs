//! Random sequences of commands, killed, refused and run beside each other, by a seed: after each of them the stores
//! are what a model in memory says.
//!
//! `MSM_OS_MODEL_SEEDS=100..400` runs other seeds than those of every day. A failing sequence is cut down to a short one.
//! Key types: [`Sequence`], what is run; [`Turn`], a command and what comes in its way, as far as it can be said beforehand.

mod places;
mod run;
mod world;

use std::ops::Range;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use self::run::{Fault, Run, beside};
use self::world::{Command, Overlap, Step, World, Write};
use super::support::{LONG, seeds, set_lease_times, try_all};

/// Sequences that are run at a time.
const AT_A_TIME: usize = 8;
const SEEDS: Range<u64> = 0..200;
/// Sequences that are tried to find a shorter one that fails.
const SHRINKS: u32 = 60;

#[derive(Clone, Debug)]
struct Sequence {
    compact: bool,
    version: u8,
    chunk: usize,
    variables: usize,
    turns: Vec<Turn>,
}

#[derive(Clone, Debug)]
struct Turn {
    action: Action,
    ranks: usize,
    trouble: Trouble,
}

/// A command whose months are counted from the end of a store.
#[derive(Clone, Debug)]
enum Action {
    Send(Months),
    Update(Months),
    Delete(u8),
    Rollback(u8),
    Recover(bool),
    Verify,
    List,
    /// What the command before was.
    Again {
        resume: bool,
    },
}

#[derive(Clone, Debug)]
// Each is a flag of its own.
#[allow(clippy::struct_excessive_bools)]
struct Months {
    /// A bit for each store; none means all.
    stores: u8,
    /// From the end of the first of them.
    shift: i32,
    count: u32,
    /// A file for each month.
    split: bool,
    together: bool,
    seed: u64,
    overlap: Overlap,
    appends: bool,
    gaps: bool,
    keep: usize,
    resume: bool,
}

#[derive(Clone, Debug)]
enum Trouble {
    Fault(Fault),
    Rival(Months, bool),
}

fn months(shifts: Range<i32>) -> impl Strategy<Value = Months> {
    let overlap = prop_oneof![
        3 => Just(Overlap::AllOrNothing),
        1 => Just(Overlap::Skip),
        1 => Just(Overlap::Error),
        1 => Just(Overlap::Replace),
    ];
    let shift = prop_oneof![3 => Just(0), 2 => shifts];
    (
        (0..8u8, shift, 1..4u32, any::<bool>(), any::<bool>()),
        (0..3u64, overlap, any::<bool>(), prop::bool::weighted(0.3)),
        (0..4usize, prop::bool::weighted(0.3)),
    )
        .prop_map(|(what, how, (keep, resume))| Months {
            stores: what.0,
            shift: what.1,
            count: what.2,
            split: what.3,
            together: what.4,
            seed: how.0,
            overlap: how.1,
            appends: how.2,
            gaps: how.3,
            keep,
            resume,
        })
}

fn turn() -> impl Strategy<Value = Turn> {
    let action = prop_oneof![
        8 => months(-4..3).prop_map(Action::Send),
        4 => months(-4..1).prop_map(Action::Update),
        4 => any::<bool>().prop_map(|resume| Action::Again { resume }),
        1 => (0..8u8).prop_map(Action::Delete),
        4 => (0..8u8).prop_map(Action::Rollback),
        2 => any::<bool>().prop_map(Action::Recover),
        1 => Just(Action::Verify),
        1 => Just(Action::List),
    ];
    let number = || prop_oneof![2 => 1..12usize, 3 => 12..50usize, 2 => 50..140usize];
    let key = || {
        prop::sample::select(vec![
            "thetao/",
            "tos/",
            "time_counter",
            "zarr.json",
            ".zmetadata",
            ".zattrs",
            ".open",
            ".prepared",
            ".back",
            "manifests/",
            "transactions/",
            "last.json",
            "undo/",
            "lease/",
            ".done/",
            "probe-",
            "journal/",
        ])
    };
    let trouble = prop_oneof![
        6 => Just(Fault::None).prop_map(Trouble::Fault),
        6 => number().prop_map(|n| Trouble::Fault(Fault::Kill(n))),
        4 => (key(), 0..6usize).prop_map(|(key, skip)| Trouble::Fault(Fault::Deny(key, skip))),
        2 => (months(-3..2), any::<bool>()).prop_map(|(months, update)| Trouble::Rival(months, update)),
    ];
    (action, prop_oneof![3 => Just(1), 1 => Just(2)], trouble).prop_map(
        |(action, ranks, trouble)| Turn {
            action,
            ranks,
            trouble,
        },
    )
}

fn sequence() -> impl Strategy<Value = Sequence> {
    let turns = prop::collection::vec(turn(), 1..=9);
    let first = months(0..1).prop_map(|months| Turn {
        action: Action::Send(months),
        ranks: 1,
        trouble: Trouble::Fault(Fault::None),
    });
    let turns = (first, turns).prop_map(|(first, turns)| [vec![first], turns].concat());
    (any::<bool>(), 2..4u8, 2..4usize, 1..4usize, turns).prop_map(
        |(compact, version, chunk, variables, turns)| Sequence {
            compact,
            version,
            chunk,
            variables,
            turns,
        },
    )
}

impl Months {
    /// The command that writes them to stores that are in this state.
    fn write(&self, update: bool, world: &World) -> Write {
        let stores = chosen(self.stores, world.len()).unwrap_or_else(|| (0..world.len()).collect());
        let held = world[stores[0]].steps.as_ref();
        // There are months before the first.
        let end = held.map_or(4, |steps| steps[steps.len() - 1].0 as i32 + 1);
        // Those that an update finds.
        let shift = if update {
            self.shift - self.count as i32
        } else {
            self.shift
        };
        let first = (end + shift).max(0) as u32;
        let steps: Vec<Step> = (first..first + self.count)
            .map(|month| (month, self.seed))
            .collect();
        let files = if self.split {
            steps.iter().map(|step| vec![*step]).collect()
        } else {
            vec![steps]
        };
        let overlap = match (update, self.overlap, self.resume) {
            (true, ..) => Overlap::Replace,
            (false, Overlap::AllOrNothing, true) => Overlap::Skip,
            (false, overlap, _) => overlap,
        };
        Write {
            update,
            stores,
            files,
            overlap,
            appends: !update || self.appends,
            gaps: update || self.gaps,
            keep: self.keep,
            resume: self.resume,
            together: update || self.together,
        }
    }
}

/// Those of so many stores whose bits are set; `None` means all.
fn chosen(bits: u8, stores: usize) -> Option<Vec<usize>> {
    let named: Vec<usize> = (0..stores).filter(|store| bits >> store & 1 == 1).collect();
    (!named.is_empty()).then_some(named)
}

/// Runs the sequence.
fn holds(sequence: &Sequence) -> Result<(), String> {
    let Sequence {
        compact,
        version,
        chunk,
        variables,
        turns,
    } = sequence;
    let mut run = Run::new(*compact, *version, *chunk, *variables);
    let mut last = Command::List;
    for turn in turns {
        let (world, stores) = (run.world().clone(), run.stores());
        let command = match &turn.action {
            Action::Send(months) => Command::Write(months.write(false, &world)),
            Action::Update(months) => Command::Write(months.write(true, &world)),
            Action::Delete(bits) => Command::Delete(chosen(*bits, stores)),
            Action::Rollback(bits) => Command::Rollback(chosen(*bits, stores)),
            Action::Recover(orphans) => Command::Recover { orphans: *orphans },
            Action::Verify => Command::Verify,
            Action::List => Command::List,
            Action::Again { resume } => again(&last, *resume),
        };
        let fault = match (&turn.trouble, &command) {
            (Trouble::Fault(fault), _) => fault.clone(),
            (Trouble::Rival(months, update), Command::Write(Write { resume: false, .. })) => {
                Fault::Rival(beside(months.write(*update, &world)))
            }
            (Trouble::Rival(..), _) => Fault::None,
        };
        run.turn(&command, turn.ranks, &fault)?;
        last = command;
    }
    run.end()?;
    Ok(())
}

/// The same command, with or without `--resume`.
fn again(last: &Command, resume: bool) -> Command {
    let Command::Write(write) = last else {
        return last.clone();
    };
    let overlap = match (write.update, write.overlap, resume) {
        (false, Overlap::AllOrNothing, true) => Overlap::Skip,
        (_, overlap, _) => overlap,
    };
    Command::Write(Write {
        overlap,
        resume,
        ..write.clone()
    })
}

fn try_seed(seed: u64) -> Result<(), String> {
    let config = Config {
        cases: 1,
        max_shrink_iters: SHRINKS,
        failure_persistence: None,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let ran = TestRunner::new_with_rng(config, rng).run(&sequence(), |sequence| {
        holds(&sequence).map_err(TestCaseError::fail)
    });
    ran.map_err(|error| match error {
        TestError::Fail(problem, _) => {
            format!("MSM_OS_MODEL_SEEDS={seed}..{}: {problem}", seed + 1)
        }
        TestError::Abort(problem) => format!("seed {seed}: gave up: {problem}"),
    })
}

#[test]
fn whatever_comes_in_the_way_the_stores_are_as_the_model_says() {
    let seeds: Vec<u64> = seeds("MSM_OS_MODEL_SEEDS", SEEDS).collect();
    try_all(&seeds, AT_A_TIME, |&seed| {
        set_lease_times(LONG);
        try_seed(seed)
    });
}
