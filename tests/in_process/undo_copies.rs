//! Copies of what transactions replaced, damaged after they were made: none is put in the place of an object. `rollback` changes
//! nothing then, `verify` names them, and who heals leaves alone what is still as it was.

use std::path::Path;

use bytes::Bytes;
use nemo_like::Variable;

use super::dataset::Objects;
use super::scenes::after;
use super::support::{Line, line, month, months, readable, run};
use crate::cli::Exit;
use crate::store::Conditional;
use crate::store::simulated::World;

/// Two months, where an object holds two steps.
const CHUNKS: &str = r#"{"time_counter": 2}"#;

/// A store of two months after one of one month, and what makes a third transaction of it that replaces objects.
fn replacing(root: &Path) -> [(Objects, Line); 3] {
    let create = line(&["send", "-f", &month(root, 1, 0), "-cs", CHUNKS]);
    let one = after(&Objects::new(), &create);
    let append = line(&["send", "-f", &month(root, 2, 0)]);
    let two = after(&one, &append);
    let both = months(root, 1, 1, 0, &[Variable::Tos, Variable::Sos]);
    let compact = line(&["send", "-f", &both, "-v", "compact"]);
    let remove = ["delete", "-v", "compact", "--array", "sos", "--yes"];
    [
        (one, append),
        (two, line(&["update", "-f", &month(root, 1, 7)])),
        (after(&Objects::new(), &compact), line(&remove)),
    ]
}

fn is_copy(key: &str) -> bool {
    key.contains("/undo/") && key.contains("/objects/")
}

/// The keys of the copies in `objects`.
fn copies(objects: &Objects) -> Vec<String> {
    let keys = objects.keys().filter(|key| is_copy(key));
    keys.cloned().collect()
}

/// What may become of an object, unless that is what it is.
fn damages(object: &Bytes) -> Vec<Option<Bytes>> {
    let mut flipped = object.to_vec();
    if let Some(byte) = flipped.last_mut() {
        *byte ^= 1;
    }
    let noise = (0..300u32)
        .map(|i| (i * 7919 % 251) as u8)
        .collect::<Vec<u8>>();
    let all = [
        Some(Bytes::from(noise)),
        Some(Bytes::new()),
        Some(object.slice(..object.len() / 2)),
        Some(flipped.into()),
        None,
    ];
    let differs = |damaged: &Option<Bytes>| damaged.as_ref() != Some(object);
    all.into_iter().filter(differs).collect()
}

/// `objects` with `damaged` in the place of the object `key`, or without it.
fn with(objects: &Objects, key: &str, damaged: Option<&Bytes>) -> Objects {
    let mut objects = objects.clone();
    match damaged {
        Some(bytes) => drop(objects.insert(key.to_owned(), bytes.clone())),
        None => drop(objects.remove(key)),
    }
    objects
}

/// A command on `objects`: how it ends, and what is there then.
fn ends(objects: &Objects, words: &[&str]) -> (Exit, Objects) {
    let world = World::holding(Conditional::Enforced, objects);
    let exit = run(&world.link(Vec::new()), &line(words));
    (exit, world.objects())
}

#[test]
fn a_rollback_puts_back_no_damaged_copy() {
    let root = tempfile::tempdir().unwrap();
    for (before, command) in replacing(root.path()) {
        let done = after(&before, &command);
        let copies = copies(&done);
        assert_ne!(copies.len(), 0, "{command:?}");
        for copy in copies {
            let is_document = copy.ends_with("/zarr.json");
            for damaged in damages(&done[&copy]) {
                let told = format!("{} of {copy}: {damaged:?}", command[0]);
                // Of a document it can be told whether it is one.
                let is_like_one = damaged.as_ref().is_none_or(Bytes::is_empty);
                if is_document && is_like_one {
                    continue;
                }
                let damaged = with(&done, &copy, damaged.as_ref());
                let foreseen = ends(&damaged, &["rollback", "--dry-run"]);
                let (exit, left) = ends(&damaged, &["rollback"]);
                assert_eq!(foreseen.0, exit, "{told}");
                assert!(foreseen.1 == damaged, "{told}: the dry run wrote");
                if command[0] == "send" {
                    // It can be made again.
                    assert_eq!(exit, Exit::Ok, "{told}");
                    assert!(readable(left) == readable(before.clone()), "{told}");
                } else {
                    assert_eq!(exit, Exit::NothingToUndo, "{told}");
                    assert!(left == damaged, "{told}: something was changed");
                }
                let is_missing = !damaged.contains_key(&copy) && command[0] == "send";
                let verdict = if is_missing {
                    Exit::Ok
                } else {
                    Exit::FaultsFound
                };
                assert_eq!(ends(&damaged, &["verify"]).0, verdict, "{told}");
            }
        }
        assert_eq!(ends(&done, &["verify"]).0, Exit::Ok);
        let (exit, left) = ends(&done, &["rollback"]);
        assert_eq!(exit, Exit::Ok);
        assert!(readable(left) == readable(before), "{command:?}");
    }
}

/// Where the ledger does not know what was there, or another program has written the store, a copy has at least to decode.
#[test]
fn a_copy_that_no_manifest_vouches_for_has_to_decode() {
    let root = tempfile::tempdir().unwrap();
    let [_, (before, update), _] = replacing(root.path());
    let done = after(&before, &update);
    let copies = copies(&done);
    let copy = copies.iter().find(|copy| copy.contains("/tos/c/"));
    let copy = copy.unwrap().as_str();
    let other = done["T1m/tos.zarr/tos/c/0/0/0"].clone();
    let noise = damages(&done[copy]).remove(0);
    for forgotten in ["/manifests/", "/last.json"] {
        let mut before = before.clone();
        before.retain(|key, _| !key.contains(forgotten));
        let done = after(&before, &update);
        let refused = with(
            &done,
            &copy.replace(&id(copy), &id_in(&done)),
            noise.as_ref(),
        );
        let (exit, left) = ends(&refused, &["rollback"]);
        assert_eq!(exit, Exit::NothingToUndo, "without {forgotten}");
        assert!(left == refused);
        // As another program may have left it.
        let foreign = with(&done, &copy.replace(&id(copy), &id_in(&done)), Some(&other));
        assert_eq!(
            ends(&foreign, &["rollback"]).0,
            Exit::Ok,
            "without {forgotten}"
        );
    }
    assert_ne!(other, done[copy]);
    let sure = with(&done, copy, Some(&other));
    assert_eq!(ends(&sure, &["rollback"]).0, Exit::NothingToUndo);
}

/// The id of the transaction that made `copy`.
fn id(copy: &str) -> String {
    let (_, below) = copy.split_once("/undo/").unwrap();
    below.split('/').next().unwrap().to_owned()
}

fn id_in(objects: &Objects) -> String {
    id(&copies(objects)[0])
}

#[test]
fn who_heals_leaves_alone_what_a_damaged_copy_would_destroy() {
    let root = tempfile::tempdir().unwrap();
    let [_, (before, update), _] = replacing(root.path());
    let world = World::holding(Conditional::Enforced, &before);
    assert_eq!(run(&world.link(Vec::new()), &update), Exit::Ok);
    let is_open = |objects: &Objects| {
        let is = |state: &str| {
            let mut keys = objects.keys().filter(|key| key.contains("/journal/"));
            keys.any(|key| key.ends_with(state))
        };
        is(".open") && !is(".prepared")
    };
    let (mut intact, mut lost) = (0, 0);
    for state in world.history().states() {
        // Not those of the transaction before.
        let mut copies = copies(&state);
        copies.retain(|copy| is_open(&state) && id(copy).starts_with("00000003-"));
        for copy in copies {
            let below = copy.split_once("/objects/").unwrap().1;
            let object = format!("T1m/tos.zarr/{below}");
            for damaged in damages(&state[&copy]).into_iter().flatten() {
                let damaged = with(&state, &copy, Some(&damaged));
                let foreseen = ends(&damaged, &["rollback", "--dry-run"]);
                assert_eq!(foreseen.0, ends(&damaged, &["rollback"]).0, "{copy}");
                assert!(foreseen.1 == damaged, "{copy}: the dry run wrote");
                let (exit, left) = ends(&damaged, &["recover"]);
                if state[&object] == before[&object] {
                    intact += 1;
                    assert_eq!(exit, Exit::Ok, "{copy}");
                    assert!(readable(left) == readable(before.clone()), "{copy}");
                    continue;
                }
                lost += 1;
                assert_eq!(exit, Exit::RollbackIncomplete, "{copy}");
                assert_eq!(left[&object], state[&object], "{copy}");
                // Put back from elsewhere, it can go on.
                for key in [&copy, &object] {
                    let mended = with(&left, key, before.get(&object));
                    let (exit, left) = ends(&mended, &["recover"]);
                    assert_eq!(exit, Exit::Ok, "{key}");
                    assert!(readable(left) == readable(before.clone()), "{key}");
                }
                let (exit, left) = ends(&with(&left, &copy, None), &["recover"]);
                assert_eq!((exit, &left[&object]), (Exit::Ok, &state[&object]));
            }
        }
    }
    assert!(intact > 0 && lost > 0, "{intact} {lost}");
}
