//! What dead jobs left whose journals have this form or an older one: `recover` makes of each what the program made of it that
//! wrote it. `MSM_OS_TEST_JOURNALS=FORMAT` writes examples of the form of today, to be kept when it changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::dataset::Objects;
use super::mutants::uneven;
use super::support::{Line, month, run};
use crate::cli::Exit;
use crate::store::Conditional;
use crate::store::simulated::World;

/// A bucket as a dead job left it, without its lease, and what becomes of it.
#[derive(Serialize, Deserialize)]
struct Example {
    objects: BTreeMap<String, Content>,
    /// What readers see then, as crc32c.
    readers_see: BTreeMap<String, u32>,
    /// The ledgers' objects.
    ledgers_hold: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Bytes(Vec<u8>),
}

impl Example {
    fn of(objects: &Objects) -> Self {
        let healed = healed(objects);
        let content = |bytes: &Bytes| match std::str::from_utf8(bytes) {
            Ok(text) => Content::Text(text.to_owned()),
            Err(_) => Content::Bytes(bytes.to_vec()),
        };
        let content = objects.iter().map(|(key, b)| (key.clone(), content(b)));
        Self {
            objects: content.collect(),
            readers_see: seen(&healed),
            ledgers_hold: ledgers(&healed),
        }
    }

    fn objects(&self) -> Objects {
        let bytes = |content: &Content| match content {
            Content::Text(text) => text.clone().into(),
            Content::Bytes(bytes) => bytes.clone().into(),
        };
        let all = self.objects.iter().map(|(key, c)| (key.clone(), bytes(c)));
        all.collect()
    }
}

fn seen(objects: &Objects) -> BTreeMap<String, u32> {
    let seen = objects.iter().filter(|(key, _)| !key.contains("/.msm-os/"));
    seen.map(|(key, bytes)| (key.clone(), crc32c::crc32c(bytes)))
        .collect()
}

fn ledgers(objects: &Objects) -> Vec<String> {
    let keys = objects.keys().filter(|key| key.contains("/.msm-os/"));
    keys.cloned().collect()
}

fn healed(objects: &Objects) -> Objects {
    let world = World::holding(Conditional::Enforced, objects);
    let link = world.link(Vec::new());
    assert_eq!(run(&link, &vec!["recover".to_owned()]), Exit::Ok);
    world.objects()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/journals")
}

/// What jobs leave that die at each change of the bucket.
fn history(begin: &Objects, line: &[&str]) -> Vec<Objects> {
    let world = World::holding(Conditional::Enforced, begin);
    let line: Line = line.iter().map(|&word| word.to_owned()).collect();
    assert_eq!(run(&world.link(Vec::new()), &line), Exit::Ok);
    let mut history = world.history().states();
    for objects in &mut history {
        objects.retain(|key, _| key.starts_with("T1m/") && !key.contains("/lease/"));
        objects.retain(|key, _| !key.contains("/probe-"));
    }
    history
}

/// Those whose journals hold entries of just these `states`.
fn left(history: &[Objects], states: &[&str]) -> Vec<Objects> {
    let is_so = |objects: &&Objects| {
        ["open", "prepared", "back", "delete"].iter().all(|state| {
            let mut keys = objects.keys();
            let has =
                keys.any(|key| key.contains("/journal/") && key.ends_with(&format!(".{state}")));
            has == states.contains(state)
        })
    };
    history.iter().filter(is_so).cloned().collect()
}

fn write(format: &str) {
    let files = tempfile::tempdir().unwrap();
    let month = |number| month(files.path(), number, 0);
    let send = |number| {
        let path = month(number);
        move |begin: &Objects| {
            let line = ["send", "-f", &path, "-cs", r#"{"time_counter": 2}"#];
            history(begin, &line)
        }
    };
    let last = |history: Vec<Objects>| history.last().unwrap().clone();
    let one = last(send(1)(&Objects::new()));
    let two = last(send(2)(&one));
    let sent = send(2)(&one);
    let updated = history(&two, &["update", "-f", &month(1)]);
    let middle = |all: Vec<Objects>| all[all.len() / 2].clone();
    let open = last(left(&sent, &["open"]));
    let undoing = history(&open, &["recover"]);
    let rolling = history(&two, &["rollback"]);
    let deleting = history(&two, &["delete", "--all", "--yes"]);
    let removing = history(&uneven(two), &["recover", "--truncate"]);
    for (name, objects) in [
        ("created", last(left(&send(1)(&Objects::new()), &["open"]))),
        ("open", open),
        ("prepared", middle(left(&sent, &["open", "prepared"]))),
        ("committed", last(left(&sent, &["open", "prepared"]))),
        ("updated", last(left(&updated, &["open"]))),
        ("back", middle(left(&undoing, &["open", "back"]))),
        ("rollback", middle(left(&rolling, &["back"]))),
        ("delete", middle(left(&deleting, &["delete"]))),
        ("removing", last(left(&removing, &["open"]))),
        ("removed", middle(left(&removing, &["open", "prepared"]))),
    ] {
        let example = serde_json::to_vec(&Example::of(&objects)).unwrap();
        let path = folder().join(format!("{format}-{name}.json"));
        std::fs::write(path, example).unwrap();
    }
}

/// As a version of this program meets it that is older than the entry.
#[test]
fn a_later_form_is_refused_and_left_as_it_is() {
    let example = std::fs::read(folder().join("4-open.json")).unwrap();
    let example: Example = serde_json::from_slice(&example).unwrap();
    let mut objects = example.objects();
    for (key, entry) in &mut objects {
        if key.contains("/journal/") && !key.contains(".done/") {
            let text = std::str::from_utf8(entry).unwrap();
            *entry = text.replacen("\"format\":4", "\"format\":6", 1).into();
        }
    }
    let world = World::holding(Conditional::Enforced, &objects);
    let exit = run(&world.link(Vec::new()), &vec!["recover".to_owned()]);
    assert_eq!(exit, Exit::ForeignStore);
    assert_eq!(seen(&world.objects()), seen(&objects));
}

#[test]
fn what_this_or_an_older_form_of_journal_tells_is_healed() {
    if let Ok(format) = std::env::var("MSM_OS_TEST_JOURNALS") {
        write(&format);
    }
    let mut count = 0;
    for example in std::fs::read_dir(folder()).unwrap() {
        let path = example.unwrap().path();
        let example: Example = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let healed = healed(&example.objects());
        assert_eq!(seen(&healed), example.readers_see, "{}", path.display());
        assert_eq!(ledgers(&healed), example.ledgers_hold, "{}", path.display());
        count += 1;
    }
    assert!(count >= 28, "{count} examples");
}
