//! Stores whose names do not end in `.zarr`, as OceanDataStore makes them; Icechunk repositories; and which store a variable
//! is looked for in.
//!
//! Key type: [`Archive`], what a predecessor left, in a directory and in a bucket.

use std::collections::BTreeMap;

use s3_server::Server;
use serde_json::Value;

use crate::line::{Line, msm_os};
use crate::support::{
    Ended, Sandbox, input, objects, python_runs, script, server, without_ledgers,
};

type Objects = BTreeMap<String, Vec<u8>>;

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
        sandbox.unpack(name, "unpacked");
        let all = sandbox.tree("unpacked").into_iter();
        let all = all.map(|(key, bytes)| (place(&key), bytes));
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
    fn run(&self, ranks: usize, line: &Line) -> [Ended; 2] {
        let directory = line.and(&format!("-b {}", self.sandbox.url("ocean")));
        let bucket = line.and(&format!("-b ocean -c {}", self.credentials));
        std::thread::scope(|scope| {
            let other = scope.spawn(|| bucket.on(ranks));
            [directory.on(ranks), other.join().unwrap()]
        })
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
            python_runs(&script("group_values.py"), &args);
        }
    }
}

impl Line {
    /// In the directory and in the bucket of `archive`, on so many ranks, it goes well; what it said.
    #[track_caller]
    pub fn in_both(&self, archive: &Archive, ranks: usize) -> String {
        let [directory, bucket] = archive.run(ranks, self);
        bucket.well();
        directory.well().stdout
    }

    /// The same, and it said these words.
    #[track_caller]
    pub fn says_in_both(&self, archive: &Archive, ranks: usize, words: &str) {
        let said = self.in_both(archive, ranks);
        assert!(said.contains(words), "{self:?}: {said}");
    }

    /// It is refused with this code and these words in its message; nothing changes.
    #[track_caller]
    pub fn refused_in_both(&self, archive: &Archive, code: i32, words: &[&str]) {
        let before = archive.all();
        for ended in archive.run(1, self) {
            ended.refused(code, words);
        }
        assert!(archive.all() == before, "{self:?}");
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
        let store = "npd-eorca025/T1y";
        let [first, next] = [1976, 1977].map(input);
        for place in ["", "-p npd-eorca025/T1y", "--store npd-eorca025/T1y"] {
            let json = msm_os!("list --json {place}").in_both(&archive, 1);
            assert_eq!(listed(&json), [(store.to_owned(), "whole".to_owned())]);
        }
        let original = archive.all();
        msm_os!("send -f {next} -p {store} -v compact").in_both(&archive, ranks);
        let sent = archive.stores();
        archive.reads_back(store, "", &[first.clone(), next.clone()]);
        // By whatever way it is named, it is the same store.
        for way in [
            "-p npd-eorca025/T1y -v compact",
            "-p npd-eorca025/T1y",
            "-p npd-eorca025/T1y -v tos e3t",
            "--store npd-eorca025/T1y",
        ] {
            msm_os!("send -f {next} {way}").says_in_both(&archive, ranks, "nothing to do");
        }
        msm_os!("verify -p {store}").in_both(&archive, ranks);
        for variables in ["", "-v e3t", "-v compact e3t"] {
            msm_os!("verify -p {store} --against {first} {next} {variables}")
                .in_both(&archive, ranks);
        }
        for variables in ["-v e3t", ""] {
            msm_os!("update -f {next} -p {store} {variables}").says_in_both(
                &archive,
                ranks,
                "1 replaced",
            );
            assert!(archive.stores() == sent, "the same values");
        }
        msm_os!("rollback -p {store} -v tos").in_both(&archive, 1);
        assert!(archive.stores() == sent);
        msm_os!("recover --orphans").in_both(&archive, 1);
        for all in archive.all() {
            let own = ["npd-eorca025/T1y/", "npd-eorca025/.msm-os/T1y/"];
            let is_own = |key: &&String| own.iter().any(|own| key.starts_with(own));
            let others: Vec<&String> = all.keys().filter(|key| !is_own(key)).collect();
            assert!(others.is_empty(), "{others:?}");
        }
        assert!(archive.stores() != original);
        msm_os!("delete -p {store} --all --yes").in_both(&archive, ranks);
        assert_eq!(archive.all().map(|all| all.len()), [0, 0]);
    }
}

#[test]
fn a_rollback_of_all_leaves_out_stores_that_this_program_never_wrote() {
    let archive = Archive::new("ods-v3-create", str::to_owned);
    let original = archive.all();
    msm_os!("send -f {} -p other -v tos", input(1976)).in_both(&archive, 1);
    msm_os!("rollback").in_both(&archive, 1);
    assert!(archive.all() == original);
    let words = ["knows of no transaction"];
    msm_os!("rollback -p npd-eorca025/T1y").refused_in_both(&archive, 36, &words);
}

#[test]
fn an_append_to_it_is_undone() {
    for way in ["-p npd-eorca025/T1y", "-p npd-eorca025/T1y -v thetao", ""] {
        let archive = Archive::new("ods-v3-create", str::to_owned);
        let original = archive.all();
        msm_os!("send -f {} -p npd-eorca025/T1y", input(1977)).in_both(&archive, 3);
        assert!(archive.stores() != original);
        msm_os!("rollback {way}").in_both(&archive, 1);
        assert!(archive.stores() == original, "{way}");
    }
}

#[test]
fn stores_of_one_variable_are_found_under_the_names_they_have() {
    // As the tool names it when it is told nothing, and as it was named in this archive.
    for name in ["thetao", "thetao_con"] {
        let place = |key: &str| key.replace("/thetao_con/", &format!("/{name}/"));
        let archive = Archive::new("ods-v3-chunks-two-years", place);
        let (store, files) = (format!("npd/T1y/{name}"), [1976, 1977, 1978].map(input));
        let [_, second, third] = &files;
        msm_os!("send -f {third} -p npd/T1y -v thetao --add-variables").in_both(&archive, 3);
        for all in archive.stores() {
            let folder = format!("{store}/");
            assert!(all.keys().all(|key| key.starts_with(&folder)));
        }
        archive.reads_back(&store, "", &files);
        for line in [
            msm_os!("verify -p npd/T1y -v thetao"),
            msm_os!("verify -p npd/T1y --against {third} -v thetao"),
            msm_os!("update -f {second} -p npd/T1y -v thetao"),
            msm_os!("update -f {second} -p npd/T1y"),
            msm_os!("update -f {second} --store {store} -v thetao"),
        ] {
            line.in_both(&archive, 3);
        }
        let json = msm_os!("list --json -p npd").in_both(&archive, 1);
        assert_eq!(listed(&json), [(store.clone(), "whole".to_owned())]);
        msm_os!("delete -p npd/T1y -v thetao --yes").in_both(&archive, 3);
        assert_eq!(archive.all().map(|all| all.len()), [0, 0]);
    }
}

#[test]
fn an_icechunk_repository_is_told_and_left_alone() {
    let archive = Archive::new("ods-icechunk1-create", str::to_owned);
    let (store, file) = ("npd-eorca025/T1y", input(1977));
    let said = "npd-eorca025/T1y: an Icechunk repository";
    msm_os!("list").says_in_both(&archive, 1, said);
    let json = msm_os!("list --json -p {store}").in_both(&archive, 1);
    assert_eq!(listed(&json), [(store.to_owned(), "icechunk".to_owned())]);
    let words = [
        "'npd-eorca025/T1y' is an Icechunk repository",
        "--prefix or --store",
    ];
    for line in [
        msm_os!("send -f {file} -p {store}"),
        msm_os!("send -f {file} -p {store} -v compact"),
        msm_os!("send -f {file} --store {store}"),
        msm_os!("send -f {file} --store npd-eorca025/T1y/tos -v tos"),
        msm_os!("send -f {file} -p npd-eorca025/T1y/chunks"),
        msm_os!("update -f {file} -p {store} -v e3t"),
        msm_os!("verify -p {store}"),
        msm_os!("rollback -p {store}"),
        msm_os!("recover -p {store}"),
        msm_os!("delete -p {store} --all --yes --force"),
    ] {
        line.refused_in_both(&archive, 25, &words);
    }
    let all = msm_os!("delete -p npd-eorca025 --all --yes --force");
    all.refused_in_both(&archive, 29, &words[..1]);
    msm_os!("rollback").refused_in_both(&archive, 27, &[]);
    // Others beside it are none the worse.
    msm_os!("send -f {file} -p npd-eorca025 -v tos").in_both(&archive, 1);
    msm_os!("verify").in_both(&archive, 1);
}

#[test]
fn no_store_is_put_into_another_nor_a_second_one_beside_it() {
    let archive = Archive::new("ods-v3-create", str::to_owned);
    let file = input(1977);
    let send = |place: &str| msm_os!("send -f {file} {place}");
    let refuses = |place: &str, code, words: &[&str]| {
        send(place).refused_in_both(&archive, code, words);
    };
    let within = ["'npd-eorca025/T1y/new'", "no store is put into"];
    refuses("-p npd-eorca025/T1y/new", 25, &within);
    let inner = "--store npd-eorca025/T1y/tos.zarr -v tos";
    refuses(inner, 25, &within[1..]);
    refuses("-p npd-eorca025/T1y/tos -v compact", 25, &within[1..]);
    refuses("--store ../x", 2, &["--store", "'../x'"]);
    let ledger = [".msm-os", "choose another"];
    refuses("--store npd-eorca025/.msm-os/x", 2, &ledger);
    let other = ["choose another", "--store new/x.zarr"];
    refuses("-p new/x.zarr", 2, &other);
    refuses("-p new/x.zarr/y", 2, &other[..1]);
    // Two stores that could both be meant.
    send("--store npd-eorca025/T1y.zarr").in_both(&archive, 1);
    let both = ["npd-eorca025/T1y", "npd-eorca025/T1y.zarr", "--store"];
    for line in [
        send("-p npd-eorca025/T1y -v compact"),
        send("-p npd-eorca025/T1y"),
        msm_os!("update -f {file} -p npd-eorca025/T1y -v e3t"),
        msm_os!("rollback -p npd-eorca025/T1y -v compact"),
        msm_os!("delete -p npd-eorca025/T1y -v compact --yes"),
    ] {
        line.refused_in_both(&archive, 47, &both);
    }
    msm_os!("verify -p npd-eorca025/T1y").in_both(&archive, 1);
    msm_os!("delete --store npd-eorca025/T1y.zarr --yes").in_both(&archive, 1);
    send("-p npd-eorca025/T1y -v compact").in_both(&archive, 1);
    send("--store npd/T1y/tos -v tos").in_both(&archive, 1);
    send("--store npd/T1y/tos.zarr -v tos").in_both(&archive, 1);
    let both = ["npd/T1y/tos.zarr", "--store npd/T1y/tos"];
    refuses("-p npd/T1y -v tos", 47, &both);
}

#[test]
fn a_variable_finds_its_store() {
    let file = input(1976);
    let archive = Archive::of(Sandbox::new(), Objects::new());
    msm_os!("send -f {file} -v compact").in_both(&archive, 1);
    msm_os!("send -f {file} -v tos").in_both(&archive, 1);
    // Of the store of all variables it is in, nothing else is made.
    for all in archive.stores() {
        assert!(all.keys().all(|key| key.starts_with("T1y.zarr/")));
    }
    msm_os!("update -f {file} -v e3t").says_in_both(&archive, 3, "1 replaced");
    for line in [
        msm_os!("verify -p T1y -v e3t"),
        msm_os!("verify --against {file} -v e3t"),
        msm_os!("rollback -p T1y -v e3t"),
    ] {
        line.in_both(&archive, 1);
    }
    let words = ["T1y.zarr", "-v compact"];
    msm_os!("delete -p T1y -v e3t --yes").refused_in_both(&archive, 27, &words);
    let words = ["'T1y/nothing.zarr'"];
    msm_os!("verify -p T1y -v nothing").refused_in_both(&archive, 27, &words);

    // In both: neither is guessed.
    msm_os!("send -f {file} --store T1y/e3t.zarr -v e3t").in_both(&archive, 1);
    let words = ["--store T1y/e3t.zarr", "--store T1y.zarr"];
    for line in [
        msm_os!("update -f {file} -v e3t"),
        msm_os!("send -f {} -v e3t", input(1977)),
        msm_os!("verify -p T1y -v e3t"),
        msm_os!("verify --against {file} -v e3t"),
        msm_os!("rollback -p T1y -v e3t"),
    ] {
        line.refused_in_both(&archive, 47, &words);
    }
    msm_os!("update -f {file} -v compact e3t").in_both(&archive, 1);
    for store in ["T1y.zarr", "T1y/e3t.zarr"] {
        msm_os!("update -f {file} --store {store} -v e3t").in_both(&archive, 1);
        msm_os!("verify --store {store}").in_both(&archive, 1);
    }
    msm_os!("delete -p T1y -v e3t --yes").in_both(&archive, 1);
    msm_os!("verify -p T1y -v e3t").in_both(&archive, 1);
}

#[test]
fn a_new_store_gets_the_name_it_is_given() {
    for version in ["3", "2"] {
        let archive = Archive::of(Sandbox::new(), Objects::new());
        let files = [1976, 1977].map(input);
        let ([first, second], store) = (&files, "npd-eorca025/T1y");
        msm_os!("send -f {first} -zv {version} --store {store}").in_both(&archive, 3);
        msm_os!("send -f {second} -p {store}").in_both(&archive, 3);
        archive.reads_back(store, "", &files);
        msm_os!("send -f {first} -zv {version} -p a/T1y.zarr -v compact").in_both(&archive, 1);
        let json = msm_os!("list --json").in_both(&archive, 1);
        let expected = ["a/T1y.zarr", store].map(|key| (key.to_owned(), "whole".to_owned()));
        assert_eq!(listed(&json), expected);
        for line in [
            msm_os!("verify"),
            msm_os!("rollback --store {store}"),
            msm_os!("verify --against {first} --store {store}"),
            msm_os!("delete --all --yes"),
        ] {
            line.in_both(&archive, 1);
        }
        assert_eq!(archive.all().map(|all| all.len()), [0, 0], "{version}");
    }
}
