//! Every kind of object of a store and of its ledger, damaged in every way there is, against every command: each ends with a
//! code of the list, soon, and what lies beside the store stays as it is; and a delete removes what is left. A command that
//! panics or hangs on something that others wrote is found here. `MSM_OS_TEST_MUTANTS=500..1000` tries other seeds.
//!
//! Key types: [`Mutant`], what is tried.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};

use super::dataset::Objects;
use super::support::{Draw, Line, line, month, run, seeds, try_all};
use crate::cli::Exit;
use crate::store::Conditional;
use crate::store::simulated::World;

/// Mutants that are tried.
const SEEDS: std::ops::Range<u64> = 0..150;
/// Mutants at a time: some wait for a document to settle.
const AT_A_TIME: usize = 8;
/// No command takes longer.
const MOST: Duration = Duration::from_secs(60);

/// What is tried: one object of a scene, changed, and a command.
struct Mutant {
    objects: Objects,
    line: Line,
    told: String,
}

/// Stores in every state, whole and as jobs leave them that die at any request.
fn scenes(root: &Path) -> Vec<Objects> {
    let chunks = r#"{"time_counter": 2}"#;
    let send = |number: u32| line(&["send", "-f", &month(root, number, 0), "-cs", chunks]);
    let mut scenes = Vec::new();
    for version in ["3", "2"] {
        let world = World::new(Conditional::Enforced);
        let link = world.link(Vec::new());
        let create = [send(1), line(&["--zarr-version", version])].concat();
        for line in [
            create,
            send(2),
            send(3),
            line(&["rollback"]),
            send(3),
            line(&["update", "-f", &month(root, 2, 1)]),
        ] {
            assert_eq!(run(&link, &line), Exit::Ok, "{line:?}");
        }
        let uneven = World::holding(Conditional::Enforced, &uneven(world.objects()));
        // Until the ledger is merged.
        for number in 4..8 {
            assert_eq!(run(&link, &send(number)), Exit::Ok);
        }
        let delete = line(&["delete", "--all", "--yes"]);
        assert_eq!(run(&link, &delete), Exit::Ok);
        scenes.extend(world.history().states());
        let link = uneven.link(Vec::new());
        for line in [line(&["recover", "--truncate"]), line(&["rollback"])] {
            assert_eq!(run(&link, &line), Exit::Ok, "{line:?}");
        }
        scenes.extend(uneven.history().states());
    }
    scenes.retain(|objects| !objects.is_empty());
    scenes
}

/// The store with a time axis of one step, as the append of another program leaves it that died.
pub(super) fn uneven(mut objects: Objects) -> Objects {
    for (root, path) in [
        (
            "zarr.json",
            "/consolidated_metadata/metadata/time_counter/shape/0",
        ),
        (".zmetadata", "/metadata/time_counter~1.zarray/shape/0"),
    ] {
        if let Some(text) = objects.get_mut(&format!("T1m/tos.zarr/{root}")) {
            let mut document: Value = serde_json::from_slice(text).unwrap();
            *document.pointer_mut(path).unwrap() = json!(1);
            *text = document.to_string().into();
        }
    }
    objects
}

/// What kind of object it is, so that each kind gets its share.
fn kind(key: &str) -> String {
    let below = key.split_once(".msm-os/").map_or(key, |(_, below)| below);
    let is_number = |part: &str| part.chars().any(|c| c.is_ascii_digit());
    let parts = below.split('/').map(|part| match part.rsplit_once('.') {
        Some((id, state)) if id.len() > 8 && is_number(id) => format!("*.{state}"),
        _ if part.starts_with("probe-") => "probe".to_owned(),
        _ if part.starts_with("merged-") => "merged".to_owned(),
        _ if is_number(part) => "*".to_owned(),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}

impl Mutant {
    fn new(seed: u64, root: &Path, scenes: &[Objects], kinds: &[String]) -> Self {
        let mut draw = Draw(seed);
        let wanted = &kinds[seed as usize % kinds.len()];
        let is_wanted = |key: &&String| key.starts_with("T1m/") && kind(key) == *wanted;
        let have = |objects: &&Objects| objects.keys().any(|key| is_wanted(&key));
        let fitting: Vec<&Objects> = scenes.iter().filter(have).collect();
        let mut objects = fitting[draw.below(fitting.len() as u64) as usize].clone();
        let keys: Vec<String> = objects.keys().filter(is_wanted).cloned().collect();
        let key = &keys[draw.below(keys.len() as u64) as usize];
        let (how, bytes) = mutate(&mut draw, &objects[key]);
        objects.insert(key.clone(), bytes);
        let lines: [&[&str]; 8] = [
            &["recover", "--truncate"],
            &["delete", "-v", "tos", "--array", "time_centered", "--yes"],
            &["verify"],
            &["list"],
            &["recover"],
            &["rollback"],
            &["delete", "--all", "--yes"],
            &["send", "-f", &month(root, 4, 0)],
        ];
        let line = line(lines[draw.below(lines.len() as u64) as usize]);
        Self {
            told: format!(
                "MSM_OS_TEST_MUTANTS={seed}..{}: {} of {key} {how}",
                seed + 1,
                line[0]
            ),
            objects,
            line,
        }
    }

    fn try_it(&self, codes: &Mutex<BTreeMap<i32, usize>>) -> Result<(), String> {
        let world = World::holding(Conditional::Enforced, &self.objects);
        let others = |objects: Objects| -> Objects {
            objects
                .into_iter()
                .filter(|(key, _)| !key.starts_with("T1m/"))
                .collect()
        };
        let beside = others(self.objects.clone());
        let told = |problem: &str| Err(format!("{}: {problem}", self.told));
        for line in [self.line.clone(), line(&["delete", "--all", "--yes"])] {
            let begun = Instant::now();
            let link = world.link(Vec::new());
            let Ok(exit) = catch_unwind(AssertUnwindSafe(|| run(&link, &line))) else {
                return told(&format!("{} panicked", line[0]));
            };
            *codes.lock().unwrap().entry(exit.code()).or_default() += 1;
            if [Exit::Internal, Exit::Panic, Exit::Usage].contains(&exit) {
                return told(&format!("{} ended with {exit:?}", line[0]));
            }
            if begun.elapsed() > MOST {
                return told(&format!("{} took {:?}", line[0], begun.elapsed()));
            }
            if others(world.objects()) != beside {
                return told(&format!("{} changed what lies beside the store", line[0]));
            }
            let is_gone = [Exit::Ok, Exit::NoStore].contains(&exit);
            if line.iter().any(|word| word == "--all") && !is_gone {
                return told(&format!("delete ended with {exit:?}"));
            }
        }
        let left: Vec<String> = world
            .objects()
            .into_keys()
            .filter(|key| key.starts_with("T1m/"))
            .collect();
        if left.is_empty() {
            return Ok(());
        }
        told(&format!("delete left {left:?}"))
    }
}

/// Changes `bytes`, and says how.
fn mutate(draw: &mut Draw, bytes: &Bytes) -> (String, Bytes) {
    let length = bytes.len() as u64;
    let parsed: Option<Value> = serde_json::from_slice(bytes).ok();
    match (draw.below(6), parsed) {
        (0, _) => ("emptied".to_owned(), Bytes::new()),
        (1, _) if length > 0 => {
            let end = draw.below(length);
            (format!("cut at {end}"), bytes.slice(..end as usize))
        }
        (2.., Some(mut document)) => {
            let how = replace_one(draw, &mut document);
            (how, document.to_string().into())
        }
        _ if length > 0 => {
            let mut flipped = bytes.to_vec();
            let bit = draw.below(8 * length);
            flipped[(bit / 8) as usize] ^= 1 << (bit % 8);
            (format!("with bit {bit} flipped"), flipped.into())
        }
        _ => ("filled".to_owned(), Bytes::from_static(b"{}")),
    }
}

/// Puts something else in the place of one value; documents within texts are gone into, too.
fn replace_one(draw: &mut Draw, document: &mut Value) -> String {
    let mut path = String::new();
    while let Some(place) = document.pointer_mut(&path) {
        let next = match place {
            Value::String(text) => {
                let inner = serde_json::from_str::<Value>(text).ok();
                if let Some(mut inner) =
                    inner.filter(|inner| inner.is_object() && draw.below(4) > 0)
                {
                    let how = replace_one(draw, &mut inner);
                    *text = inner.to_string();
                    return format!("{path}|{how}");
                }
                None
            }
            Value::Object(members) if !members.is_empty() && draw.below(8) > 0 => members
                .keys()
                .nth(draw.below(members.len() as u64) as usize)
                .cloned(),
            Value::Array(items) if !items.is_empty() && draw.below(8) > 0 => {
                Some(draw.below(items.len() as u64).to_string())
            }
            _ => None,
        };
        let Some(next) = next else { break };
        path = format!("{path}/{}", next.replace('~', "~0").replace('/', "~1"));
    }
    let deep = "[".repeat(100) + &"]".repeat(100);
    let others = [
        json!(0),
        json!(1),
        json!(-1),
        json!(1u64 << 40),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e300),
        json!(0.5),
        json!(null),
        json!(true),
        json!(""),
        json!("."),
        json!("../../other/tos.zarr/zarr.json"),
        json!("other/tos.zarr/zarr.json"),
        json!("other/tos.zarr"),
        json!("/"),
        json!("\u{0}\n"),
        json!([]),
        json!({}),
        json!([0, 0]),
        json!([1u64 << 40, 1u64 << 40, 1u64 << 40]),
        json!([[0, u64::MAX]]),
        json!({"name": "regular"}),
        serde_json::from_str(&deep).unwrap(),
    ];
    let other = others[draw.below(others.len() as u64) as usize].clone();
    let how = format!("with {other} at '{path}'");
    if let Some(place) = document.pointer_mut(&path) {
        *place = other;
    }
    how
}

#[test]
fn no_object_of_a_store_or_a_ledger_is_believed() {
    let root = tempfile::tempdir().unwrap();
    let mut scenes = scenes(root.path());
    // The same store beside it, which nothing may touch.
    for objects in &mut scenes {
        let copies: Vec<(String, Bytes)> = objects
            .iter()
            .filter_map(|(key, bytes)| Some((key.strip_prefix("T1m/")?, bytes.clone())))
            .map(|(below, bytes)| (format!("other/{below}"), bytes))
            .collect();
        objects.extend(copies);
    }
    let keys = scenes.iter().flat_map(BTreeMap::keys);
    let of_store = keys.filter(|key| key.starts_with("T1m/"));
    let kinds: BTreeSet<String> = of_store.map(|key| kind(key)).collect();
    let kinds: Vec<String> = kinds.into_iter().collect();
    println!("{} kinds of objects", kinds.len());
    let seeds = seeds("MSM_OS_TEST_MUTANTS", SEEDS);
    let codes = Mutex::default();
    try_all(&seeds.clone().collect::<Vec<u64>>(), AT_A_TIME, |&seed| {
        Mutant::new(seed, root.path(), &scenes, &kinds).try_it(&codes)
    });
    println!("{seeds:?}: exit codes {:?}", codes.into_inner().unwrap());
}
