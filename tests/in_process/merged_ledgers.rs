//! Ledgers that grow over many sends: how many objects they have, and that nothing which goes by them notices.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::dataset::Objects;
use super::support::{LONG, Line, is_tidy, line, month, run, seen, set_lease_times};
use crate::cli::Exit;
use crate::events::SilentReporter;
use crate::ranks::Ranks;
use crate::session::Session;
use crate::store::simulated::{Link, World};
use crate::store::{Conditional, Connection, Spot};
use crate::verbs::history::{CommandRecord, History, for_each};

/// Sends of a month each.
const SENDS: u32 = 100;

/// The keys of ledgers, but for what the last command is undone by, which goes with the next one.
fn ledger(world: &World) -> Vec<String> {
    let keys = world.objects().into_keys();
    keys.filter(|key| key.contains(".msm-os/") && !key.contains("/undo/"))
        .collect()
}

/// The commands, the last one first.
fn history(link: &Link) -> Vec<CommandRecord> {
    let connection = Connection::simulated(link);
    let ranks = Ranks::alone();
    let session = Session::open(&connection, &ranks, Arc::new(SilentReporter)).unwrap();
    let request = History {
        spot: Spot::Below("T1m".to_owned()),
        ..History::default()
    };
    let mut commands = Vec::new();
    let told = for_each(&session, &request, |command| {
        commands.push(command);
        ControlFlow::Continue(())
    });
    told.unwrap();
    commands
}

#[test]
fn a_hundred_sends_leave_few_objects_in_the_ledger_and_all_can_be_undone() {
    set_lease_times(LONG);
    let root = tempfile::tempdir().unwrap();
    let world = World::new(Conditional::Enforced);
    let calm = world.link(Vec::new());
    let send = |number: u32| -> Line {
        let chunks = r#"{"time_counter": 1}"#;
        line(&["send", "-f", &month(root.path(), number, 0), "-cs", chunks])
    };
    let mut stages: BTreeMap<u32, Objects> = BTreeMap::new();
    for number in 1..=SENDS {
        assert_eq!(run(&calm, &send(number)), Exit::Ok);
        if [41, 97].contains(&number) {
            stages.insert(number, seen(&world));
        }
    }
    let of_ledger = ledger(&world);
    println!("{of_ledger:#?} of {} objects", world.objects().len());
    assert!(of_ledger.len() <= 10, "{of_ledger:#?}");
    is_tidy(&world, &calm).unwrap();
    let commands = history(&calm);
    assert_eq!(commands.len(), SENDS as usize);
    assert!(
        commands
            .iter()
            .all(|one| one.can_be_undone && one.steps == 1)
    );
    // Of the last few, some have no objects of their own any more.
    let back = |words: &[&str], to: u32| {
        assert_eq!(
            run(&calm, &line(&[&["rollback"], words].concat())),
            Exit::Ok
        );
        assert_eq!(seen(&world), stages[&to]);
        is_tidy(&world, &calm).unwrap();
        assert_eq!(history(&calm)[..], commands[(SENDS - to) as usize..]);
    };
    back(&["--last", "3"], 97);
    let first = &commands[(SENDS - 41) as usize].id;
    back(&["--to", first], 41);
    // It goes on from there.
    for number in 42..=48 {
        assert_eq!(run(&calm, &send(number)), Exit::Ok);
    }
    is_tidy(&world, &calm).unwrap();
    assert!(ledger(&world).len() <= 10, "{:#?}", ledger(&world));
    assert_eq!(history(&calm).len(), 48);
}
