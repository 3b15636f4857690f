//! Rollbacks of commands in several stores: one command whole or none of it, whatever the clocks say, and nothing on a doubt.

use std::path::Path;

use bytes::Bytes;
use msm_zarr::layout;
use nemo_like::Variable;
use serde_json::{Value, json};

use super::dataset::Objects;
use super::scenes::{after, states_of};
use super::support::{LONG, Line, line, months, readable, run, set_lease_times};
use crate::cli::Exit;
use crate::store::Conditional;
use crate::store::simulated::World;

const STORES: [&str; 2] = ["T1m/tos.zarr", "T1m/sos.zarr"];

/// A month of both variables, where an object holds two, and nothing is kept of what is filled up.
fn send(root: &Path, month: u32) -> Line {
    let file = months(root, month, 1, 0, &[Variable::Tos, Variable::Sos]);
    let chunks = r#"{"time_counter": 2}"#;
    line(&["send", "-f", &file, "-cs", chunks, "--keep-undo", "0"])
}

/// What is there after no month, one month, and so on.
fn grown(root: &Path, count: u32) -> Vec<Objects> {
    let mut stages = vec![Objects::new()];
    for month in 1..=count {
        stages.push(after(&stages[stages.len() - 1], &send(root, month)));
    }
    stages
}

/// How a command on `objects` ends, and what is there then.
fn ends(objects: &Objects, words: &[&str]) -> (Exit, Objects) {
    let world = World::holding(Conditional::Enforced, objects);
    let exit = run(&world.link(Vec::new()), &line(words));
    (exit, world.objects())
}

/// The keys of the records of the transactions of `store`, in order.
fn records(objects: &Objects, store: &str) -> Vec<String> {
    let name = store.rsplit('/').next().unwrap();
    let folder = format!("T1m/.msm-os/{name}/transactions/");
    let keys = objects.keys().filter(|key| key.starts_with(&folder));
    keys.cloned().collect()
}

/// `objects`, where the record `key` tells of another command.
fn told(objects: &Objects, key: &str, change: impl Fn(&mut Value)) -> Objects {
    let mut record: Value = serde_json::from_slice(&objects[key]).unwrap();
    change(&mut record["run"]);
    let mut objects = objects.clone();
    objects.insert(key.to_owned(), record.to_string().into());
    objects
}

/// Before the one job's transaction has ended, nothing can be told of another one's; and telling changes nothing.
#[test]
fn a_dry_run_changes_nothing_whatever_is_there() {
    let root = tempfile::tempdir().unwrap();
    let stages = grown(root.path(), 2);
    let mut dry = send(root.path(), 4);
    dry.extend(line(&["--allow-gaps"]));
    let later = after(&stages[2], &dry);
    dry.push("--dry-run".to_owned());
    let mut insert = send(root.path(), 3);
    insert.push("--insert".to_owned());
    let mut open = 0;
    for state in states_of(&later, &insert) {
        let words: Vec<&str> = dry.iter().map(String::as_str).collect();
        let (exit, left) = ends(&state, &words);
        assert!(left == state);
        let is_open = state.keys().any(|key| key.contains("/journal/"));
        assert_eq!(exit, if is_open { Exit::Busy } else { Exit::Ok });
        open += usize::from(is_open);
    }
    assert!(open > 10);
}

/// What each command would do to stores that another job holds, which has not begun to change them.
#[test]
fn no_dry_run_tells_what_would_be_done_to_stores_that_are_held() {
    let root = tempfile::tempdir().unwrap();
    let stage = grown(root.path(), 2).pop().unwrap();
    let file = months(root.path(), 3, 1, 0, &[Variable::Tos, Variable::Sos]);
    let commands: [(&[&str], Exit); 12] = [
        (&["plan", "-f", &file], Exit::Busy),
        (&["send", "-f", &file, "--dry-run"], Exit::Busy),
        (&["send", "-f", &file, "--share", "--dry-run"], Exit::Busy),
        (
            &["update", "-f", &file, "--append-missing", "--dry-run"],
            Exit::Busy,
        ),
        (&["rollback", "--dry-run"], Exit::Busy),
        (&["delete", "--all", "--dry-run"], Exit::Busy),
        (
            &["delete", "--all", "--time", "1976-02..", "--dry-run"],
            Exit::Busy,
        ),
        (&["copy", "--to", "q", "--dry-run"], Exit::Busy),
        (&["move", "--to", "q", "--dry-run"], Exit::Busy),
        (
            &["rechunk", "--to", "q", "-zv", "2", "--dry-run"],
            Exit::Busy,
        ),
        (&["recover", "--dry-run"], Exit::StillHeld),
        (
            &["recover", "--orphans", "--dry-run", "--exit-nothing"],
            Exit::StillHeld,
        ),
    ];
    let lease = format!("{}/00000001", layout::leases(STORES[0]));
    let held = stage.into_iter();
    let held = held.chain([(lease, Bytes::from_static(b"of a newer version"))]);
    let held: Objects = held.collect();
    set_lease_times(LONG);
    for (words, expected) in commands {
        let world = World::put_just_now(Conditional::Enforced, &held);
        let exit = run(&world.link(Vec::new()), &line(words));
        assert_eq!(exit, expected, "{words:?}");
        assert!(world.objects() == held, "{words:?}");
        // Its job has died an hour ago.
        let (exit, left) = ends(&held, words);
        let is_told = matches!(exit, Exit::Ok | Exit::NothingToDo);
        assert!(is_told && left == held, "{words:?}: {exit:?}");
    }
}

#[track_caller]
fn is_refused(objects: &Objects, words: &[&str], expected: Exit) {
    let (exit, left) = ends(objects, words);
    assert_eq!(exit, expected);
    let changed: Vec<&String> = left
        .keys()
        .chain(objects.keys())
        .filter(|key| left.get(*key) != objects.get(*key))
        .collect();
    assert!(changed.is_empty(), "{changed:?}");
}

#[track_caller]
fn goes_back(objects: &Objects, words: &[&str], to: &Objects) {
    let (exit, left) = ends(objects, words);
    assert_eq!(exit, Exit::Ok);
    assert!(readable(left) == readable(to.clone()));
}

/// What a dead job had begun was the last command: who undoes that loses no other.
#[test]
fn a_command_that_died_is_undone_and_no_other() {
    let root = tempfile::tempdir().unwrap();
    let stages = grown(root.path(), 2);
    let mut begun = 0;
    for state in states_of(&stages[2], &send(root.path(), 3)) {
        if !state.keys().any(|key| key.contains("/journal/")) {
            continue;
        }
        begun += 1;
        // What is about to go forward is not told of.
        let (exit, left) = ends(&state, &["rollback", "--dry-run"]);
        let is_prepared = state.keys().any(|key| key.ends_with(".prepared"));
        assert_eq!(exit, if is_prepared { Exit::Busy } else { Exit::Ok });
        assert!(left == state);
        let both = ends(&state, &["rollback", "--last", "2", "--dry-run"]);
        assert_eq!(both.0, exit);
        assert!(both.1 == state);
        let (exit, left) = ends(&state, &["rollback"]);
        assert_eq!(exit, Exit::Ok);
        assert!(readable(left.clone()) == readable(stages[2].clone()));
        goes_back(&left, &["rollback"], &stages[1]);
        goes_back(&state, &["rollback", "--last", "2"], &stages[1]);
    }
    assert!(begun > 10);
}

#[test]
fn a_command_is_undone_in_all_of_its_stores_whatever_the_clock_said() {
    let root = tempfile::tempdir().unwrap();
    let stages = grown(root.path(), 3);
    let mut late = stages[3].clone();
    for store in STORES {
        // The last command's machine is a day behind.
        let last = &records(&late, store)[2];
        late = told(&late, last, |run| {
            run["begun"] = json!("2000-01-01T00:00:00.000000Z");
        });
    }
    goes_back(&late, &["rollback"], &stages[2]);
    goes_back(&late, &["rollback", "--last", "2"], &stages[1]);
    // In one store only, as when a command of another machine wrote it alone in between.
    let last = &records(&stages[3], STORES[0])[2];
    let one = told(&stages[3], last, |run| {
        run["begun"] = json!("2000-01-01T00:00:00.000000Z");
    });
    goes_back(&one, &["rollback"], &stages[2]);
}

#[test]
fn a_record_that_is_damaged_is_of_the_command_of_its_id() {
    let root = tempfile::tempdir().unwrap();
    let stages = grown(root.path(), 3);
    for (damaged, store) in [(2, 0), (1, 1), (0, 0)] {
        let mut objects = stages[3].clone();
        let key = &records(&objects, STORES[store])[damaged];
        objects.insert(key.clone(), Bytes::from_static(b"{"));
        for last in 1..=3 {
            let words = ["rollback", "--last", &last.to_string()];
            goes_back(&objects, &words, &stages[3 - last]);
        }
    }
}

#[test]
fn where_nothing_tells_which_command_was_the_last_none_is_undone() {
    let root = tempfile::tempdir().unwrap();
    let stages = grown(root.path(), 3);
    let [_, second, third]: [String; 3] = records(&stages[3], STORES[1]).try_into().unwrap();
    let run = |key: &str| -> Value {
        let record: Value = serde_json::from_slice(&stages[3][key]).unwrap();
        record["run"].clone()
    };
    // In one store the third came before the second.
    let crossed = told(&stages[3], &second, |of| *of = run(&third));
    let crossed = told(&crossed, &third, |of| *of = run(&second));
    is_refused(&crossed, &["rollback"], Exit::NothingToUndo);
    let (exit, left) = ends(&crossed, &["rollback", "-v", "sos"]);
    assert_eq!(exit, Exit::Ok);
    assert_eq!(records(&left, STORES[1]).len(), 2);
    assert_eq!(records(&left, STORES[0]).len(), 3);
}

/// One store could be put back; the other could not.
#[test]
fn a_rollback_that_is_refused_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    let stages = grown(root.path(), 2);
    let whole = &stages[2];
    for store in STORES {
        let name = store.rsplit('/').next().unwrap();
        let variable = name.strip_suffix(".zarr").unwrap();
        let filled = format!("{store}/{variable}/c/0/0/0");
        let other = whole[&filled].slice(..whole[&filled].len() - 1);
        let addition = |key: &&String| key.contains(&format!("{name}/additions/"));
        let manifest = |key: &&String| key.contains(&format!("{name}/manifests/"));
        let last = |is: &dyn Fn(&&String) -> bool| whole.keys().rfind(|key| is(key));
        let (addition, manifest) = (last(&addition).unwrap(), last(&manifest).unwrap());
        let noise = Some(Bytes::from_static(b"no"));
        for (key, damaged, exit) in [
            // Another program has written it.
            (&filled, Some(other), Exit::NothingToUndo),
            (&filled, None, Exit::NothingToUndo),
            (addition, None, Exit::NothingToUndo),
            (addition, noise.clone(), Exit::ForeignStore),
            (manifest, None, Exit::NothingToUndo),
            (manifest, noise, Exit::ForeignStore),
        ] {
            let mut objects = whole.clone();
            match damaged {
                Some(bytes) => drop(objects.insert(key.clone(), bytes)),
                None => drop(objects.remove(key)),
            }
            println!("{key}");
            is_refused(&objects, &["rollback"], exit);
        }
    }
    goes_back(whole, &["rollback"], &stages[1]);
}

/// Killed while it says in the journals what it does, it has undone nothing, and `recover` undoes nothing either.
#[test]
fn a_rollback_that_has_not_begun_in_all_stores_is_dropped() {
    let root = tempfile::tempdir().unwrap();
    let stages = grown(root.path(), 2);
    let world = World::holding(Conditional::Enforced, &stages[2]);
    assert_eq!(run(&world.link(Vec::new()), &line(&["rollback"])), Exit::Ok);
    let begun = |objects: &Objects| objects.keys().filter(|key| key.contains(".back")).count();
    let (mut dropped, mut finished, mut is_begun) = (0, 0, false);
    for state in world.history().states() {
        is_begun |= begun(&state) == STORES.len();
        if begun(&state) == 0 {
            continue;
        }
        let left = if is_begun { &stages[1] } else { &stages[2] };
        goes_back(&state, &["recover"], left);
        let (_, healed) = ends(&state, &["recover"]);
        assert_eq!(begun(&healed), 0);
        let verified = ends(&healed, &["verify"]).0;
        assert_eq!(verified, Exit::Ok);
        if is_begun {
            finished += 1;
        } else {
            dropped += 1;
            // The same command again does all of it.
            goes_back(&state, &["rollback"], &stages[1]);
        }
    }
    assert!(dropped > 0 && finished > 0, "{dropped} {finished}");
}
