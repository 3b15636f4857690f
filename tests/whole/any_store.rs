//! Stores whose names do not end in `.zarr`, as OceanDataStore makes them; Icechunk repositories; and which store a variable
//! is looked for in.
//!
//! Key type: [`Archive`], what a predecessor left, in a directory and in a bucket.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use s3_server::Server;
use serde_json::Value;

use crate::support::{
    Ended, Sandbox, alone, end, objects, on_ranks, python_runs, server, without_ledgers,
};

type Objects = BTreeMap<String, Vec<u8>>;

const ARCHIVES: &str = "tests/data/archives";

/// A source file of a year of 1976 to 1978.
pub fn input(year: u32) -> String {
    let file = format!("{ARCHIVES}/inputs/eORCA025_1y_grid_T_{year}-{year}.nc");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    path.to_str().unwrap().to_owned()
}

/// The same objects in a directory and in a bucket.
pub struct Archive {
    pub sandbox: Sandbox,
    pub server: Server,
    credentials: String,
}

impl Archive {
    /// Of this name among the test data; `place` says where in the bucket an object of it goes.
    pub fn new(name: &str, place: impl Fn(&str) -> String) -> Self {
        let sandbox = Sandbox::new();
        let archive = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(ARCHIVES)
            .join(format!("{name}.tar.gz"));
        std::fs::create_dir_all(sandbox.path("unpacked")).unwrap();
        let mut tar = Command::new("tar");
        tar.arg("xzf").arg(archive).arg("-C");
        end({
            tar.arg(sandbox.path("unpacked"));
            tar
        })
        .well();
        let all = sandbox.tree(&format!("unpacked/{name}"));
        let all = all.into_iter().map(|(key, bytes)| (place(&key), bytes));
        Self::of(sandbox, all.collect())
    }

    /// With these objects.
    pub fn of(sandbox: Sandbox, all: Objects) -> Self {
        let server = server();
        for (key, bytes) in all {
            let path = sandbox.path("ocean").join(&key);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &bytes).unwrap();
            server.put_object("ocean", &key, bytes);
        }
        Self {
            credentials: sandbox.credentials(&server),
            sandbox,
            server,
        }
    }

    /// Runs the command on both, side by side.
    pub fn run(&self, ranks: usize, line: &[&str]) -> [Ended; 2] {
        let directory = self.sandbox.url("ocean");
        let bucket = ["-b", "ocean", "-c", &self.credentials];
        let run = |place: &[&str]| match ranks {
            1 => alone(&[line, place].concat()),
            _ => on_ranks(ranks, &[line, place].concat()),
        };
        let directory = ["-b", &directory];
        std::thread::scope(|scope| {
            let other = scope.spawn(|| run(&bucket));
            [run(&directory), other.join().unwrap()]
        })
    }

    /// The same, which must go well; returns what it said.
    #[track_caller]
    pub fn runs(&self, ranks: usize, line: &[&str]) -> String {
        let [directory, bucket] = self.run(ranks, line);
        let said = directory.well().stdout;
        bucket.well();
        said
    }

    /// The command is refused with this code, and these words in its message; nothing changes.
    #[track_caller]
    pub fn refuses(&self, code: i32, words: &[&str], line: &[&str]) {
        let before = self.all();
        for ended in self.run(1, line) {
            assert_eq!(ended.code, code, "{line:?}: {ended:#?}");
            for word in words {
                assert!(ended.stderr.contains(word), "{line:?}: {word}: {ended:#?}");
            }
        }
        assert!(self.all() == before, "{line:?}");
    }

    /// All that is there: in the directory, and in the bucket.
    pub fn all(&self) -> [Objects; 2] {
        [self.sandbox.tree("ocean"), objects(&self.server)]
    }

    /// The same without ledgers.
    pub fn stores(&self) -> [Objects; 2] {
        self.all().map(without_ledgers)
    }

    /// xarray sees in the group `group` of `store` what it sees in the files of these years.
    #[track_caller]
    pub fn reads_back(&self, store: &str, group: &str, files: &[String]) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/group_values.py");
        // What lies in the bucket, as files.
        let copy = self.sandbox.path("copied");
        let _ = std::fs::remove_dir_all(&copy);
        for (key, bytes) in objects(&self.server) {
            let path = copy.join(key);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        for place in [self.sandbox.path("ocean"), copy] {
            let store = place.join(store).to_str().unwrap().to_owned();
            let args = [&[store, group.to_owned()][..], files].concat();
            python_runs(&script, &args);
        }
    }
}

/// The keys of what was listed, with their states.
fn listed(json: &str) -> Vec<(String, String)> {
    let stores: Vec<Value> = serde_json::from_str(json).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    stores
        .iter()
        .map(|store| (text(&store["store"]), text(&store["state"])))
        .collect()
}

#[test]
fn a_store_of_all_variables_is_found_under_the_name_it_has() {
    for ranks in [1, 3] {
        let archive = Archive::new("ods-v3-create", str::to_owned);
        let (store, next) = ("npd-eorca025/T1y", input(1977));
        let place = ["-p", store];
        let is_listed = [(store.to_owned(), "whole".to_owned())];
        for place in [&[][..], &place, &["--store", store]] {
            let json = archive.runs(1, &[&["list", "--json"], place].concat());
            assert_eq!(listed(&json), is_listed);
        }
        let original = archive.all();
        archive.runs(ranks, &["send", "-f", &next, "-p", store, "-v", "compact"]);
        let sent = archive.stores();
        archive.reads_back(store, "", &[input(1976), next.clone()]);
        // By whatever way it is named, it is the same store.
        for way in [&["-v", "compact"][..], &[], &["-v", "tos", "e3t"]] {
            let said = archive.runs(ranks, &[&["send", "-f", &next, "-p", store], way].concat());
            assert!(said.contains("nothing to do"), "{way:?}: {said}");
        }
        let said = archive.runs(ranks, &["send", "-f", &next, "--store", store]);
        assert!(said.contains("nothing to do"), "{said}");
        archive.runs(ranks, &["verify", "-p", store]);
        let files = [input(1976), next.clone()];
        for variables in [&[][..], &["-v", "e3t"], &["-v", "compact", "e3t"]] {
            let line = ["verify", "-p", store, "--against", &files[0], &files[1]];
            archive.runs(ranks, &[&line[..], variables].concat());
        }
        for variables in [&["-v", "e3t"][..], &[]] {
            let line = ["update", "-f", &next, "-p", store];
            let said = archive.runs(ranks, &[&line[..], variables].concat());
            assert!(said.contains("1 replaced"), "{said}");
            assert!(archive.stores() == sent, "the same values");
        }
        archive.runs(1, &["rollback", "-p", store, "-v", "tos"]);
        assert!(archive.stores() == sent);
        archive.runs(1, &["recover", "--orphans"]);
        for all in archive.all() {
            let own = ["npd-eorca025/T1y/", "npd-eorca025/.msm-os/T1y/"];
            let is_own = |key: &&String| own.iter().any(|own| key.starts_with(own));
            let others: Vec<&String> = all.keys().filter(|key| !is_own(key)).collect();
            assert!(others.is_empty(), "{others:?}");
        }
        assert!(archive.stores() != original);
        archive.runs(ranks, &["delete", "-p", store, "--all", "--yes"]);
        assert_eq!(archive.all().map(|all| all.len()), [0, 0]);
    }
}

#[test]
fn a_rollback_of_all_leaves_out_stores_that_this_program_never_wrote() {
    let archive = Archive::new("ods-v3-create", str::to_owned);
    let original = archive.all();
    archive.runs(1, &["send", "-f", &input(1976), "-p", "other", "-v", "tos"]);
    archive.runs(1, &["rollback"]);
    assert!(archive.all() == original);
    archive.refuses(
        36,
        &["knows of no transaction"],
        &["rollback", "-p", "npd-eorca025/T1y"],
    );
}

#[test]
fn an_append_to_it_is_undone() {
    for way in [
        &["-p", "npd-eorca025/T1y"][..],
        &["-p", "npd-eorca025/T1y", "-v", "thetao"],
        &[],
    ] {
        let archive = Archive::new("ods-v3-create", str::to_owned);
        let original = archive.all();
        let place = ["-p", "npd-eorca025/T1y"];
        archive.runs(3, &[&["send", "-f", &input(1977)][..], &place].concat());
        assert!(archive.stores() != original);
        archive.runs(1, &[&["rollback"], way].concat());
        assert!(archive.stores() == original, "{way:?}");
    }
}

#[test]
fn stores_of_one_variable_are_found_under_the_names_they_have() {
    // As the tool names it when it is told nothing, and as it was named in this archive.
    for name in ["thetao", "thetao_con"] {
        let place = |key: &str| key.replace("/thetao_con/", &format!("/{name}/"));
        let archive = Archive::new("ods-v3-chunks-two-years", place);
        let (store, files) = (format!("npd/T1y/{name}"), [1976, 1977, 1978].map(input));
        let original = archive.all();
        archive.runs(
            3,
            &[
                "send",
                "-f",
                &files[2],
                "-p",
                "npd/T1y",
                "-v",
                "thetao",
                "--add-variables",
            ],
        );
        for all in archive.stores() {
            let folder = format!("{store}/");
            assert!(all.keys().all(|key| key.starts_with(&folder)));
        }
        archive.reads_back(&store, "", &files);
        for line in [
            &["verify", "-p", "npd/T1y", "-v", "thetao"][..],
            &[
                "verify",
                "-p",
                "npd/T1y",
                "--against",
                &files[2],
                "-v",
                "thetao",
            ],
            &["update", "-f", &files[1], "-p", "npd/T1y", "-v", "thetao"],
            &["update", "-f", &files[1], "-p", "npd/T1y"],
            &["update", "-f", &files[1], "--store", &store, "-v", "thetao"],
        ] {
            archive.runs(3, line);
        }
        let json = archive.runs(1, &["list", "--json", "-p", "npd"]);
        assert_eq!(listed(&json), [(store.clone(), "whole".to_owned())]);
        archive.runs(3, &["delete", "-p", "npd/T1y", "-v", "thetao", "--yes"]);
        assert_eq!(archive.all().map(|all| all.len()), [0, 0]);
        assert!(!original[0].is_empty());
    }
}

#[test]
fn an_icechunk_repository_is_told_and_left_alone() {
    let archive = Archive::new("ods-icechunk1-create", str::to_owned);
    let (store, file) = ("npd-eorca025/T1y", input(1977));
    let said = archive.runs(1, &["list"]);
    assert!(
        said.contains("npd-eorca025/T1y: an Icechunk repository"),
        "{said}"
    );
    let json = archive.runs(1, &["list", "--json", "-p", store]);
    assert_eq!(listed(&json), [(store.to_owned(), "icechunk".to_owned())]);
    let words = [
        "'npd-eorca025/T1y' is an Icechunk repository",
        "--prefix or --store",
    ];
    for line in [
        &["send", "-f", &file, "-p", store][..],
        &["send", "-f", &file, "-p", store, "-v", "compact"],
        &["send", "-f", &file, "--store", store],
        &[
            "send",
            "-f",
            &file,
            "--store",
            "npd-eorca025/T1y/tos",
            "-v",
            "tos",
        ],
        &["send", "-f", &file, "-p", "npd-eorca025/T1y/chunks"],
        &["update", "-f", &file, "-p", store, "-v", "e3t"],
        &["verify", "-p", store],
        &["rollback", "-p", store],
        &["recover", "-p", store],
        &["delete", "-p", store, "--all", "--yes", "--force"],
    ] {
        archive.refuses(25, &words, line);
    }
    archive.refuses(
        29,
        &words[..1],
        &["delete", "-p", "npd-eorca025", "--all", "--yes", "--force"],
    );
    archive.refuses(27, &[], &["rollback"]);
    // Others beside it are none the worse.
    archive.runs(1, &["send", "-f", &file, "-p", "npd-eorca025", "-v", "tos"]);
    archive.runs(1, &["verify"]);
}

#[test]
fn no_store_is_put_into_another_nor_a_second_one_beside_it() {
    let archive = Archive::new("ods-v3-create", str::to_owned);
    let file = input(1977);
    let send = |place: &[&'static str]| [&["send", "-f", &file][..], place].concat();
    for (code, words, place) in [
        (
            25,
            &["'npd-eorca025/T1y/new'", "no store is put into"][..],
            &["-p", "npd-eorca025/T1y/new"][..],
        ),
        (
            25,
            &["no store is put into"],
            &["--store", "npd-eorca025/T1y/tos.zarr", "-v", "tos"],
        ),
        (
            25,
            &["no store is put into"],
            &["-p", "npd-eorca025/T1y/tos", "-v", "compact"],
        ),
        (2, &["--store", "'../x'"], &["--store", "../x"]),
        (
            2,
            &[".msm-os", "choose another"],
            &["--store", "npd-eorca025/.msm-os/x"],
        ),
        (
            2,
            &["choose another", "--store new/x.zarr"],
            &["-p", "new/x.zarr"],
        ),
        (2, &["choose another"], &["-p", "new/x.zarr/y"]),
    ] {
        archive.refuses(code, words, &send(place));
    }
    // Two stores that could both be meant.
    archive.runs(1, &send(&["--store", "npd-eorca025/T1y.zarr"]));
    let both = ["npd-eorca025/T1y", "npd-eorca025/T1y.zarr", "--store"];
    for line in [
        send(&["-p", "npd-eorca025/T1y", "-v", "compact"]),
        send(&["-p", "npd-eorca025/T1y"]),
        vec!["update", "-f", &file, "-p", "npd-eorca025/T1y", "-v", "e3t"],
        vec!["rollback", "-p", "npd-eorca025/T1y", "-v", "compact"],
        vec!["delete", "-p", "npd-eorca025/T1y", "-v", "compact", "--yes"],
    ] {
        archive.refuses(47, &both, &line);
    }
    archive.runs(1, &["verify", "-p", "npd-eorca025/T1y"]);
    archive.runs(1, &["delete", "--store", "npd-eorca025/T1y.zarr", "--yes"]);
    archive.runs(1, &send(&["-p", "npd-eorca025/T1y", "-v", "compact"]));
    archive.runs(1, &send(&["--store", "npd/T1y/tos", "-v", "tos"]));
    archive.runs(1, &send(&["--store", "npd/T1y/tos.zarr", "-v", "tos"]));
    archive.refuses(
        47,
        &["npd/T1y/tos.zarr", "--store npd/T1y/tos"],
        &send(&["-p", "npd/T1y", "-v", "tos"]),
    );
}

#[test]
fn a_variable_finds_its_store() {
    let file = input(1976);
    let archive = Archive::of(Sandbox::new(), Objects::new());
    archive.runs(1, &["send", "-f", &file, "-v", "compact"]);
    archive.runs(1, &["send", "-f", &file, "-v", "tos"]);
    // Of the store of all variables it is in, nothing else is made.
    let keys = |all: [Objects; 2]| all.map(|all| all.into_keys().collect::<Vec<_>>());
    assert!(
        keys(archive.stores())
            .iter()
            .flatten()
            .all(|key| key.starts_with("T1y.zarr/"))
    );
    let said = archive.runs(3, &["update", "-f", &file, "-v", "e3t"]);
    assert!(said.contains("1 replaced"), "{said}");
    for line in [
        &["verify", "-p", "T1y", "-v", "e3t"][..],
        &["verify", "--against", &file, "-v", "e3t"],
        &["rollback", "-p", "T1y", "-v", "e3t"],
    ] {
        archive.runs(1, line);
    }
    archive.refuses(
        27,
        &["T1y.zarr", "-v compact"],
        &["delete", "-p", "T1y", "-v", "e3t", "--yes"],
    );
    archive.refuses(
        27,
        &["'T1y/nothing.zarr'"],
        &["verify", "-p", "T1y", "-v", "nothing"],
    );

    // In both: neither is guessed.
    archive.runs(
        1,
        &["send", "-f", &file, "--store", "T1y/e3t.zarr", "-v", "e3t"],
    );
    let words = ["T1y/e3t.zarr", "'T1y.zarr'", "-v compact e3t"];
    for line in [
        &["update", "-f", &file, "-v", "e3t"][..],
        &["send", "-f", &input(1977), "-v", "e3t"],
        &["verify", "-p", "T1y", "-v", "e3t"],
        &["verify", "--against", &file, "-v", "e3t"],
        &["rollback", "-p", "T1y", "-v", "e3t"],
    ] {
        archive.refuses(47, &words, line);
    }
    archive.runs(1, &["update", "-f", &file, "-v", "compact", "e3t"]);
    archive.runs(
        1,
        &[
            "update",
            "-f",
            &file,
            "--store",
            "T1y/e3t.zarr",
            "-v",
            "e3t",
        ],
    );
    archive.runs(1, &["delete", "-p", "T1y", "-v", "e3t", "--yes"]);
    archive.runs(1, &["verify", "-p", "T1y", "-v", "e3t"]);
}

#[test]
fn a_new_store_gets_the_name_it_is_given() {
    for version in ["3", "2"] {
        let archive = Archive::of(Sandbox::new(), Objects::new());
        let files = [1976, 1977].map(input);
        let line = [
            "send",
            "-f",
            &files[0],
            "-zv",
            version,
            "--store",
            "npd-eorca025/T1y",
        ];
        archive.runs(3, &line);
        archive.runs(3, &["send", "-f", &files[1], "-p", "npd-eorca025/T1y"]);
        archive.reads_back("npd-eorca025/T1y", "", &files);
        archive.runs(
            1,
            &[
                "send",
                "-f",
                &files[0],
                "-zv",
                version,
                "-p",
                "a/T1y.zarr",
                "-v",
                "compact",
            ],
        );
        let json = archive.runs(1, &["list", "--json"]);
        let whole = |key: &str| (key.to_owned(), "whole".to_owned());
        assert_eq!(
            listed(&json),
            [whole("a/T1y.zarr"), whole("npd-eorca025/T1y")]
        );
        archive.runs(1, &["verify"]);
        archive.runs(1, &["rollback", "--store", "npd-eorca025/T1y"]);
        archive.runs(
            1,
            &[
                "verify",
                "--against",
                &files[0],
                "--store",
                "npd-eorca025/T1y",
            ],
        );
        archive.runs(1, &["delete", "--all", "--yes"]);
        assert_eq!(archive.all().map(|all| all.len()), [0, 0], "{version}");
    }
}
