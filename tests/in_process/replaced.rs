//! `rechunk --replace`, dead at any request: who looks at stores, or would do something with them, says that one is being replaced, and
//! the same command goes on. And `move`, which deletes what it has copied.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use nemo_like::Variable;

use super::dataset::Objects;
use super::scenes::{after, states_of};
use super::support::{LONG, Line, line, months, readable, run, set_lease_times};
use crate::cli::Exit;
use crate::events::SilentReporter;
use crate::ranks::Ranks;
use crate::session::Session;
use crate::store::simulated::World;
use crate::store::{Conditional, Connection, Spot};
use crate::verbs::history::{self, History};
use crate::verbs::status::{Status, status};

const TOS: &str = "T1m/tos.zarr";
const SOS: &str = "T1m/sos.zarr";

/// A store of a month of each variable.
fn sent(root: &Path, flags: &[&str]) -> Objects {
    let file = months(root, 1, 1, 0, &[Variable::Tos, Variable::Sos]);
    after(
        &Objects::new(),
        &[line(&["send", "-f", &file]), line(flags)].concat(),
    )
}

/// How a command on `objects` ends, and what is there then.
fn ends(objects: &Objects, line: &Line) -> (Exit, Objects) {
    let world = World::holding(Conditional::Enforced, objects);
    let exit = run(&world.link(Vec::new()), line);
    (exit, world.objects())
}

/// Is there a root document in `store`?
fn has_root(objects: &Objects, store: &str) -> bool {
    let mut roots = ["zarr.json", ".zgroup", ".zmetadata"].into_iter();
    roots.any(|name| objects.contains_key(&format!("{store}/{name}")))
}

/// Does the journal of `store` say that all that is there goes?
fn is_going(objects: &Objects, store: &str) -> bool {
    let (folder, name) = store.rsplit_once('/').unwrap();
    let journal = format!("{folder}/.msm-os/{name}/journal/");
    let mut keys = objects.keys();
    keys.any(|key| key.starts_with(&journal) && key.ends_with(".delete"))
}

/// Is what replaces `store` whole, and not in its place?
fn is_replaced(objects: &Objects, store: &str) -> bool {
    let made = format!("being-rechunked/{store}");
    let is_made = has_root(objects, &made) && !is_going(objects, &made);
    is_made && (!has_root(objects, store) || is_going(objects, store))
}

/// Whatever is left of the old store, or there of the new one already. In Zarr version 2, a group can be there without its root document.
#[test]
fn who_looks_at_stores_says_which_is_being_replaced() {
    set_lease_times(LONG);
    let root = tempfile::tempdir().unwrap();
    let place = |name: &str| root.path().join(name).to_str().unwrap().to_owned();
    let (picture, page) = (place("map.svg"), place("page"));
    let next = months(root.path(), 2, 1, 0, &[Variable::Tos]);
    let start = sent(root.path(), &["-zv", "2"]);
    let cut = r#"{"x": 3}"#;
    let replace = line(&["rechunk", "--replace", "-v", "tos", "-cs", cut]);
    let time = "1976-01..1976-01";
    let all: [&[&str]; 10] = [
        &["list"],
        &["rechunk", "--replace", "-v", "tos", "-cs", cut, "--dry-run"],
        &["du"],
        &["history"],
        &["open"],
        &["quicklook", "-o", &picture],
        &["page", "-o", &page],
        &["list", "-v", "tos"],
        &["status"],
        // It is left to a person.
        &["recover", "--dry-run", "--exit-nothing"],
    ];
    let made = "being-rechunked/T1m/tos.zarr";
    let of_it: [&[&str]; 13] = [
        &["delete", "--store", made, "--array", "tos", "--dry-run"],
        &[
            "delete",
            "--store",
            made,
            "--time",
            "1976-01..",
            "--dry-run",
        ],
        &["verify"],
        &["verify", "-v", "tos"],
        &["du", "-v", "tos"],
        &["history", "-v", "tos"],
        &["open", "-v", "tos"],
        &["quicklook", "-v", "tos", "-o", &picture],
        &["rollback", "--dry-run"],
        &["copy", "-v", "tos", "--to", "T1m/old", "--dry-run"],
        &["delete", "-v", "tos", "--time", time, "--dry-run"],
        &["delete", "-v", "tos", "--array", "tos", "--dry-run"],
        &["send", "-f", &next, "-v", "tos", "--dry-run"],
    ];
    let mut waiting = 0;
    for state in states_of(&start, &replace) {
        if !is_replaced(&state, TOS) {
            continue;
        }
        // Two of them at each moment.
        let mine = [
            (all[waiting % all.len()], Exit::Ok),
            (of_it[waiting % of_it.len()], Exit::Taken),
        ];
        waiting += 1;
        for (words, expected) in mine {
            let (exit, left) = ends(&state, &line(words));
            assert_eq!(exit, expected, "{words:?}: {:?}", state.keys());
            assert!(left == state, "{words:?}");
        }
    }
    assert!(waiting > 2 * of_it.len(), "{waiting}");
}

/// Both are gone, `recover` has ended the deletion, and moves nothing.
#[test]
fn where_both_stores_are_gone_the_same_command_goes_on_after_a_recover() {
    set_lease_times(LONG);
    let root = tempfile::tempdir().unwrap();
    let start = sent(root.path(), &[]);
    let replace = line(&["rechunk", "--replace", "-cs", r#"{"x": 3}"#]);
    let done = readable(after(&start, &replace));
    let mut both = 0;
    for state in states_of(&start, &replace) {
        if ![TOS, SOS].iter().all(|store| is_replaced(&state, store)) {
            continue;
        }
        both += 1;
        let (exit, healed) = ends(&state, &line(&["recover", "--exit-nothing"]));
        assert_eq!(exit, Exit::Ok);
        assert!([TOS, SOS].iter().all(|store| is_replaced(&healed, store)));
        let (exit, ended) = ends(&healed, &replace);
        assert_eq!(exit, Exit::Ok);
        assert!(readable(ended) == done);
    }
    assert!(both > 3, "{both}");
}

/// A store that a transaction is making, or taking away, is no broken one that somebody may delete: the next one brings it to its end.
#[test]
fn what_a_job_has_in_hand_is_not_said_to_be_broken() {
    set_lease_times(LONG);
    let root = tempfile::tempdir().unwrap();
    let picture = root.path().join("map.svg").to_str().unwrap().to_owned();
    let flags = ["-zv", "2"];
    let sent = sent(root.path(), &flags);
    let file = months(root.path(), 1, 1, 0, &[Variable::Tos, Variable::Sos]);
    let send = [line(&["send", "-f", &file]), line(&flags)].concat();
    let beside = line(&["-v", "tos", "sos", "--to", "T1m/old"]);
    let cut = line(&["rechunk", "-cs", r#"{"x": 3}"#]);
    for (start, command) in [
        (&Objects::new(), send),
        (&sent, line(&["rollback"])),
        (&sent, [line(&["move"]), beside.clone()].concat()),
        (&sent, [cut, beside].concat()),
        (&sent, line(&["delete", "--all", "--yes"])),
    ] {
        let mut open = 0;
        for state in states_of(start, &command) {
            let groups = state.keys().filter_map(|key| key.strip_suffix(".zgroup"));
            let is_whole = |group: &str| state.contains_key(&format!("{group}.zmetadata"));
            if { groups }.all(is_whole) {
                continue;
            }
            open += 1;
            for words in [&["list"][..], &["recover", "--orphans", "--dry-run"]] {
                let (exit, _) = ends(&state, &line(words));
                let keys = state.keys();
                assert_eq!(exit, Exit::Ok, "{command:?} {words:?}: {keys:?}");
            }
            if open % 20 == 1 {
                let (exit, _) = ends(&state, &line(&["quicklook", "-o", &picture]));
                assert_ne!(exit, Exit::ForeignStore, "{command:?}: {:?}", state.keys());
            }
        }
        assert!(open > 0, "{command:?}");
    }
}

/// What was done to it goes with it.
#[test]
fn what_is_half_deleted_is_not_said_to_be_undoable() {
    set_lease_times(LONG);
    let root = tempfile::tempdir().unwrap();
    let start = sent(root.path(), &[]);
    let spot = Spot::Below("T1m".to_owned());
    let mut going = 0;
    for state in states_of(&start, &line(&["delete", "--all", "--yes"])) {
        let stores = [TOS, SOS].map(|store| (store, is_going(&state, store)));
        let world = World::holding(Conditional::Enforced, &state);
        let connection = Connection::simulated(&world.link(Vec::new()));
        let ranks = Ranks::alone();
        let session = Session::open(&connection, &ranks, Arc::new(SilentReporter)).unwrap();
        let asked = Status { spot: spot.clone() };
        let told = status(&session, &asked).unwrap().stores;
        let asked = History {
            spot: spot.clone(),
            variables: Vec::new(),
        };
        let mut undoable = Vec::new();
        let told_of = history::for_each(&session, &asked, |command| {
            if command.can_be_undone {
                undoable.extend(command.stores);
            }
            ControlFlow::Continue(())
        });
        told_of.unwrap();
        for (store, _) in stores.iter().filter(|(_, is_going)| *is_going) {
            going += 1;
            let of_it = told.iter().find(|one| one.store == *store).unwrap();
            assert_eq!((of_it.undo, of_it.unfinished.len()), (0, 1));
            assert!(!undoable.iter().any(|one| one == store));
        }
    }
    assert!(going > 3, "{going}");
}

/// Where a dead `move` had moved the store, and only its journal was left, the same command has done it; where a `delete` had died so,
/// there is nothing to move.
#[test]
fn what_a_dead_move_had_moved_is_moved_and_what_a_dead_delete_had_deleted_is_not() {
    set_lease_times(LONG);
    let root = tempfile::tempdir().unwrap();
    let start = sent(root.path(), &[]);
    let away = line(&["move", "-v", "tos", "--to", "T1m/old"]);
    let delete = line(&["delete", "-v", "tos", "--yes"]);
    for (command, expected) in [(&away, Exit::Ok), (&delete, Exit::NoStore)] {
        let done = readable(after(&start, command));
        let mut gone = 0;
        for state in states_of(&start, command) {
            let is_there = readable(state.clone())
                .keys()
                .any(|key| key.starts_with(TOS));
            if is_going(&state, TOS) && !is_there {
                gone += 1;
                let (exit, now) = ends(&state, &away);
                assert_eq!(exit, expected, "{command:?}");
                assert!(readable(now) == done, "{command:?}");
            }
        }
        assert!(gone > 0, "{command:?}");
    }
}
