//! A store in trouble, at each request of each command: it fails before or after the effect, once or from then on, loses bodies half
//! way, stores other bytes, gives wrong answers. Afterwards each store is wholly old or wholly new, the exit code says which, so does what is said of the stores,
//! and the next command, when all is well again, finishes the work and leaves everything tidy. `MSM_OS_TEST_FAULTS=500..800` tries others.
//!
//! Key type: [`Case`], what is tried.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use super::dataset::Objects;
use super::expected::Expected;
use super::scenes::{Layout, Scene, all_scenes};
use super::support::{
    Draw, LONG, is_tidy, line, month, run, run_and_stand, seeds, set_lease_times, try_all,
};
use crate::cli::{Exit, Standing};
use crate::store::Conditional;
use crate::store::simulated::{Effect, Failure, Mishap, Request, Rule, World};

/// Cases that are tried.
const SEEDS: std::ops::Range<u64> = 0..2000;
const AT_A_TIME: usize = 16;

/// What befalls a command, from its request of a certain number on.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    mishap: Mishap,
    /// Those that it befalls; all if it is none.
    request: Option<Request>,
    times: usize,
}

const fn once(mishap: Mishap) -> Trouble {
    Trouble {
        mishap,
        request: None,
        times: 1,
    }
}

const fn lasting(mishap: Mishap, request: Option<Request>) -> Trouble {
    Trouble {
        mishap,
        request,
        times: usize::MAX,
    }
}

const fn lie(request: Request) -> Trouble {
    Trouble {
        request: Some(request),
        ..once(Mishap::Lie)
    }
}

const TROUBLES: [Trouble; 18] = [
    once(Mishap::Fails(Failure::Status(500), Effect::None)),
    once(Mishap::Fails(Failure::Status(503), Effect::Done)),
    once(Mishap::Fails(Failure::Timeout, Effect::None)),
    once(Mishap::Fails(Failure::Timeout, Effect::Done)),
    once(Mishap::Fails(Failure::Reset, Effect::Done)),
    once(Mishap::Fails(Failure::Status(403), Effect::None)),
    once(Mishap::Late(Duration::from_millis(30))),
    once(Mishap::LateAnswer(Duration::from_millis(30))),
    once(Mishap::CutOff),
    Trouble {
        request: Some(Request::Put),
        ..once(Mishap::Garbled)
    },
    lasting(Mishap::Fails(Failure::Status(503), Effect::None), None),
    lasting(Mishap::Fails(Failure::Reset, Effect::None), None),
    lasting(
        Mishap::Fails(Failure::Status(507), Effect::None),
        Some(Request::Put),
    ),
    lasting(
        Mishap::Fails(Failure::Status(403), Effect::None),
        Some(Request::Delete),
    ),
    lasting(Mishap::CutOff, Some(Request::Get)),
    lie(Request::Put),
    lie(Request::Get),
    lie(Request::Head),
];

/// What is tried.
struct Case<'a> {
    scene: &'a Scene,
    expected: &'a Expected,
    conditional: Conditional,
    trouble: Trouble,
    /// The request of this number is the first that the trouble befalls.
    number: usize,
}

impl Case<'_> {
    /// Tries it, and counts how it ended.
    fn try_it(&self, codes: &Mutex<BTreeMap<i32, usize>>) -> Result<(), String> {
        let world = World::holding(self.conditional, &self.scene.stages[0]);
        let Trouble {
            mishap,
            request,
            times,
        } = self.trouble;
        let rule = Rule::new(mishap).skip(self.number).times(times);
        let link = world.link(vec![match request {
            Some(request) => rule.of(request),
            None => rule,
        }]);
        let (ended, standing) = run_and_stand(&link, &self.scene.line);
        *codes.lock().unwrap().entry(ended.code()).or_default() += 1;
        let objects = world.objects();
        let told = |problem: String| {
            let ledger = objects.keys().filter(|key| key.contains(".msm-os/"));
            let ledger: Vec<&String> = ledger.collect();
            format!("it ended with {ended:?}: {problem}\n  it left {ledger:?}")
        };
        if [Exit::Internal, Exit::Panic, Exit::Usage].contains(&ended) {
            return Err(told("no such end is expected".to_owned()));
        }
        let heals = ["recover", "delete"].contains(&self.scene.line[0].as_str());
        match ended {
            Exit::Ok => {
                if !self.expected.now(&objects).map_err(told)?.done {
                    return Err(told("the work is not done".to_owned()));
                }
            }
            // The way back failed, or a delete did; or nobody knows. And what heals goes as far as it comes.
            Exit::RollbackIncomplete | Exit::DeleteIncomplete | Exit::LeaseLost => {
                self.expected.check(&objects).map_err(told)?;
            }
            _ if heals => self.expected.check(&objects).map_err(told)?,
            _ => {
                let now = self.expected.now(&objects).map_err(told)?;
                if !now.before {
                    return Err(told(format!("something is done: {now:?}")));
                }
            }
        }
        self.is_true(standing.as_ref(), &objects).map_err(told)?;
        self.next(ended, &objects).map_err(told)
    }

    /// What the program said of the stores is so.
    fn is_true(&self, standing: Option<&Standing>, objects: &Objects) -> Result<(), String> {
        let is_so = match standing {
            Some(Standing::Unchanged | Standing::Beside | Standing::Open) => {
                self.expected.now(objects)?.before
            }
            Some(Standing::Untidy) => self.expected.now(objects)?.done,
            _ => true,
        };
        if is_so {
            return Ok(());
        }
        Err(format!("it said {standing:?}, which is not so"))
    }

    /// The next command, when the store is well again.
    fn next(&self, ended: Exit, left: &Objects) -> Result<(), String> {
        let world = World::holding(self.conditional, left);
        let link = world.link(Vec::new());
        // A rollback that is healed must not be followed by another one.
        let is_rollback = self.scene.line[0] == "rollback";
        // And what has moved in part is not found any more by its name.
        let is_moved = self.scene.line[0] == "move" && ended == Exit::DeleteIncomplete;
        let again =
            ended != Exit::Ok && !is_moved && !(is_rollback && ended == Exit::RollbackIncomplete);
        let command = if again {
            self.scene.line.clone()
        } else {
            line(&["recover"])
        };
        let next = run(&link, &command);
        let objects = world.objects();
        let told = |problem: String| format!("then {} ended with {next:?}: {problem}", command[0]);
        let now = self.expected.settled(&objects).map_err(told)?;
        let is_idle = again && next == self.scene.idle && now.done;
        if next != Exit::Ok && !is_idle {
            return Err(told(format!("{now:?}")));
        }
        if !now.done && (again || ended == Exit::Ok) {
            return Err(told("the work is not done".to_owned()));
        }
        self.scene.is_sound(&world).map_err(told)
    }
}

#[test]
fn whatever_befalls_a_request_the_exit_code_says_what_the_stores_are_and_the_next_command_works() {
    let root = tempfile::tempdir().unwrap();
    let scenes = all_scenes(root.path());
    // How many requests each of them takes.
    let counted: Vec<(&Layout, &Scene, &Expected, u64)> = scenes
        .iter()
        .map(|(layout, scene, expected)| {
            let world = World::holding(Conditional::Enforced, &scene.stages[0]);
            let link = world.link(Vec::new());
            assert_eq!(run(&link, &scene.line), Exit::Ok);
            (layout, scene, expected, link.requests() as u64)
        })
        .collect();
    let seeds = seeds("MSM_OS_TEST_FAULTS", SEEDS);
    let codes = Mutex::default();
    try_all(&seeds.clone().collect::<Vec<u64>>(), AT_A_TIME, |&seed| {
        set_lease_times(LONG);
        let mut draw = Draw(seed);
        let (layout, scene, expected, requests) =
            counted[draw.below(counted.len() as u64) as usize];
        let kinds = [
            Conditional::Enforced,
            Conditional::Refused,
            Conditional::Ignored,
        ];
        let trouble = TROUBLES[draw.below(TROUBLES.len() as u64) as usize];
        // Requests of one kind are fewer.
        let requests = if trouble.request.is_some() {
            requests / 4
        } else {
            requests
        };
        let case = Case {
            scene,
            expected,
            conditional: kinds[draw.below(3) as usize],
            trouble,
            number: draw.below(requests) as usize,
        };
        case.try_it(&codes).map_err(|problem| {
            let Case {
                conditional,
                number,
                ..
            } = case;
            format!(
                "MSM_OS_TEST_FAULTS={seed}..{}: {} of {layout:?}, {conditional:?}, {trouble:?} at request {number}: {problem}",
                seed + 1,
                scene.name
            )
        })
    });
    println!("{seeds:?}: exit codes {:?}", codes.into_inner().unwrap());
}

/// What is made to replace a store lies elsewhere, and so does its lease: `recover` of the store sees to that, too.
#[test]
fn a_lease_left_where_a_store_was_made_is_recovered_with_the_store_itself() {
    set_lease_times(LONG);
    let root = tempfile::tempdir().unwrap();
    let world = World::new(Conditional::Refused);
    let file = month(root.path(), 1, 0);
    assert_eq!(
        run(&world.link(Vec::new()), &line(&["send", "-f", &file])),
        Exit::Ok
    );
    let kept = "being-rechunked/T1m/.msm-os/tos.zarr/lease/";
    let denied = Rule::new(Mishap::Fails(Failure::Status(403), Effect::None));
    let denied = denied.of(Request::Delete).key(kept).times(usize::MAX);
    let words = ["rechunk", "--replace", "-cs", r#"{"y": 2}"#];
    assert_eq!(run(&world.link(vec![denied]), &line(&words)), Exit::Ok);
    assert!(world.objects().keys().any(|key| key.starts_with(kept)));
    // When it has expired.
    let later = World::holding(Conditional::Refused, &world.objects());
    let calm = later.link(Vec::new());
    assert_eq!(run(&calm, &line(&["recover"])), Exit::Ok);
    is_tidy(&later, &calm).unwrap();
}
