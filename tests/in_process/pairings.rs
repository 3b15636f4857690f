//! Two commands on one store, and what becomes of it when they are run one after the other.
//!
//! Key types: [`Pairing`], the two; [`Outcome`], what may become of the store.

use std::path::Path;

use super::dataset::Objects;
use super::support::{Line, line, month, readable, run};
use crate::cli::Exit;
use crate::store::Conditional;
use crate::store::simulated::World;

/// Kinds of stores.
pub const KINDS: [Conditional; 3] = [
    Conditional::Enforced,
    Conditional::Refused,
    Conditional::Ignored,
];

/// Two commands.
pub struct Pairing {
    pub name: &'static str,
    /// What is there before.
    pub start: Objects,
    pub lines: [Line; 2],
    /// What may become of the store.
    pub outcomes: Vec<Outcome>,
    /// Does a reader meet new objects beside old ones while they run?
    pub in_place: bool,
}

/// What becomes of a store when some of the two are run to their end, one after the other.
pub struct Outcome {
    /// How each of the two ended, if it was run.
    pub ended: [Option<Exit>; 2],
    /// What readers see then.
    pub seen: Objects,
}

/// All of them.
pub fn pairings(root: &Path) -> Vec<Pairing> {
    let month = |number: u32, seed: u64| month(root, number, seed);
    // A chunk holds two steps, so that the second month fills up a half-full one.
    let chunks = r#"{"time_counter": 2}"#;
    let send = |number, seed| line(&["send", "-f", &month(number, seed), "-cs", chunks]);
    let update = line(&["update", "-f", &month(1, 1)]);
    let delete = line(&["delete", "--all", "--yes"]);
    let made = after(&Objects::new(), &send(1, 0)).1;
    let pairing = |name, lines| Pairing::new(name, &made, lines);
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
        Pairing::new("two creates", &Objects::new(), [send(1, 0), send(1, 1)]),
    ]
}

impl Pairing {
    fn new(name: &'static str, start: &Objects, lines: [Line; 2]) -> Self {
        let orders: [&[usize]; 5] = [&[], &[0], &[1], &[0, 1], &[1, 0]];
        let outcomes = orders.map(|order| {
            let (mut ended, mut objects) = ([None; 2], start.clone());
            for &which in order {
                let (exit, now) = after(&objects, &lines[which]);
                ended[which] = Some(exit);
                objects = now;
            }
            Outcome {
                ended,
                seen: readable(objects),
            }
        });
        Self {
            name,
            start: start.clone(),
            outcomes: outcomes.into(),
            in_place: lines.iter().any(|line| line[0] == "update"),
            lines,
        }
    }
}

/// How `line` ends, and what it makes of `start`.
fn after(start: &Objects, line: &Line) -> (Exit, Objects) {
    let world = World::holding(Conditional::Enforced, start);
    (run(&world.link(Vec::new()), line), world.objects())
}
