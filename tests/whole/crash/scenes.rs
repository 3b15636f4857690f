//! The scenes of the crash matrix: every command that writes, killed at each of its requests.

use std::path::Path;

use nemo_like::{Spec, Variable};

use super::worker::{killed_at, made_by};
use super::{Dies, Next, Scene};
use crate::dataset::Objects;
use crate::predecessors::{archive, input};
use crate::support::{Sandbox, python_runs};
use crate::truncate::of_length;

const STORES: &[&str] = &["T1m/thetao.zarr", "T1m/tos.zarr"];

/// A chunk holds two steps, so that the second file fills up a half-full one and begins another.
const STRATEGY: &str = r#"{"time_counter": 2, "deptht": 1}"#;

/// Source files, and command lines that send them.
struct Files {
    sandbox: Sandbox,
}

impl Files {
    fn new() -> Self {
        Self {
            sandbox: Sandbox::new(),
        }
    }

    /// A file of so many months from this one on.
    fn months(&self, first: u32, steps: usize, seed: u64) -> String {
        let spec = Spec {
            grid: "8x6x2".parse().unwrap(),
            variables: vec![Variable::Thetao, Variable::Tos],
            start: format!("1976-{first:02}-01").parse().unwrap(),
            steps,
            seed,
            ..Spec::default()
        };
        let name = format!("ORCA8x6_1m_grid_T_{first}_{steps}_{seed}.nc");
        self.sandbox.source_called(&name, &spec)
    }

    /// The first month.
    fn first(&self) -> Vec<String> {
        send(&self.months(1, 1, 0))
    }

    /// The two months behind it.
    fn second(&self) -> Vec<String> {
        send(&self.months(2, 2, 0))
    }
}

fn send(file: &str) -> Vec<String> {
    line(&["send", "-f", file, "-cs", STRATEGY, "-v", "thetao", "tos"])
}

/// A command line on the bucket.
fn line(args: &[&str]) -> Vec<String> {
    let place = ["-b", "ocean", "-p", "T1m"];
    let args = [&args[..1], &place[..], &args[1..]].concat();
    args.into_iter().map(str::to_owned).collect()
}

/// A scene on both stores, run without a launcher.
fn scene(name: &'static str, start: Objects, command: Vec<String>) -> Scene {
    Scene {
        name,
        stores: STORES,
        start,
        command,
        ranks: None,
        dies: Dies::All,
        in_place: false,
        next: &[Next::Same, Next::Recover, Next::Resume],
        idle: 0,
    }
}

#[test]
fn creates() {
    let files = Files::new();
    scene("create", Objects::new(), files.first()).try_all();
}

#[test]
fn appends() {
    let files = Files::new();
    let start = made_by(&Objects::new(), &files.first());
    scene("append", start, files.second()).try_all();
}

#[test]
fn appends_when_one_rank_dies() {
    let files = Files::new();
    let start = made_by(&Objects::new(), &files.first());
    Scene {
        ranks: Some(2),
        dies: Dies::OneRank,
        ..scene("append on two ranks", start, files.second())
    }
    .try_all();
}

#[test]
fn appends_when_answers_are_lost() {
    let files = Files::new();
    let start = made_by(&Objects::new(), &files.first());
    Scene {
        dies: Dies::Connection,
        ..scene("append with a broken connection", start, files.second())
    }
    .try_all();
}

#[test]
fn updates() {
    let files = Files::new();
    let start = made_by(&Objects::new(), &files.first());
    let start = made_by(&start, &files.second());
    let other = files.months(2, 2, 1);
    Scene {
        in_place: true,
        next: &[Next::Same, Next::Recover],
        ..scene("update", start, line(&["update", "-f", &other]))
    }
    .try_all();
}

#[test]
fn creates_a_compact_store() {
    let files = Files::new();
    let file = files.months(1, 1, 0);
    let command = ["send", "-f", &file, "-cs", STRATEGY, "-v", "compact"];
    Scene {
        stores: &["T1m.zarr"],
        ..scene("compact", Objects::new(), line(&command))
    }
    .try_all();
}

#[test]
fn creates_and_deletes_a_store_of_any_name() {
    let files = Files::new();
    let file = files.months(1, 1, 0);
    let line = ["send", "-b", "ocean", "--store", "T1m/any", "-f", &file];
    let create = line.map(str::to_owned).to_vec();
    let made = made_by(&Objects::new(), &create);
    Scene {
        stores: &["T1m/any"],
        ..scene("any name", Objects::new(), create)
    }
    .try_all();
    let line = ["delete", "-b", "ocean", "-p", "T1m/any", "--all", "--yes"];
    Scene {
        stores: &["T1m/any"],
        next: &[Next::Same, Next::Recover],
        idle: 27,
        ..scene("delete of any name", made, line.map(str::to_owned).to_vec())
    }
    .try_all();
}

#[test]
fn appends_to_a_group_of_a_hierarchy() {
    for version in ["3", "2"] {
        let files = Files::new();
        let place = files.sandbox.path("made/T1m/tree.zarr");
        let first = files.months(1, 1, 0);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/write_tree.py");
        python_runs(&script, &[place.to_str().unwrap(), version, &first]);
        let start = files.sandbox.tree("made").into_iter();
        let start = start.map(|(key, bytes)| (key, bytes.into())).collect();
        let next = files.months(2, 2, 0);
        let command = [
            "send",
            "-b",
            "ocean",
            "-p",
            "T1m/tree.zarr/gridT",
            "-f",
            &next,
        ];
        Scene {
            stores: &["T1m/tree.zarr"],
            ..scene("hierarchy", start, command.map(str::to_owned).to_vec())
        }
        .try_all();
    }
}

#[test]
fn deletes() {
    let files = Files::new();
    let start = made_by(&Objects::new(), &files.first());
    let start = made_by(&start, &files.second());
    Scene {
        next: &[Next::Same, Next::Recover],
        idle: 27,
        ..scene("delete", start, line(&["delete", "--all", "--yes"]))
    }
    .try_all();
}

/// Two months of both variables in one store, from which one goes.
fn compact(files: &Files) -> Objects {
    let file = files.months(1, 2, 0);
    let command = ["send", "-f", &file, "-cs", STRATEGY, "-v", "compact"];
    made_by(&Objects::new(), &line(&command))
}

fn delete_thetao() -> Vec<String> {
    line(&["delete", "-v", "compact", "--array", "thetao", "--yes"])
}

#[test]
fn deletes_an_array() {
    let files = Files::new();
    Scene {
        stores: &["T1m.zarr"],
        next: &[Next::Same, Next::Recover],
        idle: 27,
        ..scene("delete of an array", compact(&files), delete_thetao())
    }
    .try_all();
}

#[test]
fn rolls_the_delete_of_an_array_back() {
    let files = Files::new();
    let start = made_by(&compact(&files), &delete_thetao());
    Scene {
        stores: &["T1m.zarr"],
        next: &[Next::Recover],
        ..scene(
            "rollback of a delete of an array",
            start,
            line(&["rollback"]),
        )
    }
    .try_all();
}

/// The time axes of both stores have one step, the other arrays three: an object goes, and one is cut.
fn uneven(files: &Files) -> Objects {
    let start = made_by(&Objects::new(), &files.first());
    let mut start = made_by(&start, &files.second());
    for store in STORES {
        let documents = of_length(&start, store, "time_counter", 1);
        start.extend(documents.into_iter().map(|(key, text)| (key, text.into())));
    }
    start
}

#[test]
fn truncates() {
    let files = Files::new();
    Scene {
        next: &[Next::Same],
        ..scene("truncate", uneven(&files), line(&["recover", "--truncate"]))
    }
    .try_all();
}

#[test]
fn truncates_when_answers_are_lost() {
    let files = Files::new();
    Scene {
        dies: Dies::Connection,
        next: &[Next::Same],
        ..scene(
            "truncate with a broken connection",
            uneven(&files),
            line(&["recover", "--truncate", "--keep-undo", "0"]),
        )
    }
    .try_all();
}

#[test]
fn rolls_an_append_back() {
    let files = Files::new();
    let start = made_by(&Objects::new(), &files.first());
    let start = made_by(&start, &files.second());
    Scene {
        next: &[Next::Recover],
        ..scene("rollback of an append", start, line(&["rollback"]))
    }
    .try_all();
}

#[test]
fn rolls_a_create_back() {
    let files = Files::new();
    let start = made_by(&Objects::new(), &files.first());
    Scene {
        next: &[Next::Recover],
        ..scene("rollback of a create", start, line(&["rollback"]))
    }
    .try_all();
}

#[test]
fn recovers_what_was_open() {
    let files = Files::new();
    let start = made_by(&Objects::new(), &files.first());
    let start = killed_at(&start, &files.second(), "/manifests/", 2);
    Scene {
        next: &[Next::Same],
        ..scene("recover of an open append", start, line(&["recover"]))
    }
    .try_all();
}

#[test]
fn recovers_what_was_prepared() {
    let files = Files::new();
    let start = made_by(&Objects::new(), &files.first());
    let start = killed_at(&start, &files.second(), "zarr/zarr.json", 2);
    Scene {
        next: &[Next::Same],
        ..scene("recover of a prepared append", start, line(&["recover"]))
    }
    .try_all();
}

/// The store of one variable that the Python msm-os began, with what it reprojected.
fn begun_by_another(files: &Files) -> Objects {
    archive(&files.sandbox, "msm-os-dev-create");
    let all = files.sandbox.tree("msm-os-dev-create").into_iter();
    let of_tos = all.filter_map(|(key, bytes)| {
        let below = key.strip_prefix("T1y/tos.zarr/")?;
        Some((format!("T1m/tos.zarr/{below}"), bytes.into()))
    });
    of_tos.collect()
}

fn send_to_it(years: &[u32], more: &[&str]) -> Vec<String> {
    let place = ["send", "-b", "ocean", "-p", "T1m", "-v", "tos"];
    let words = place.iter().chain(more).map(|word| (*word).to_owned());
    let files = years.iter().map(|&year| input(year));
    words.chain(["-f".to_owned()]).chain(files).collect()
}

#[test]
fn appends_to_another_tools_store() {
    let files = Files::new();
    let start = begun_by_another(&files);
    Scene {
        stores: &["T1m/tos.zarr"],
        ..scene(
            "append elsewhere",
            start,
            send_to_it(&[1977], &["--repair-attributes"]),
        )
    }
    .try_all();
}

#[test]
fn replaces_what_another_tool_reprojected() {
    let files = Files::new();
    let start = begun_by_another(&files);
    let command = send_to_it(&[1976, 1977], &["-r", "--replace-projected"]);
    Scene {
        stores: &["T1m/tos.zarr"],
        in_place: true,
        ..scene("replace projected", start, command)
    }
    .try_all();
}
