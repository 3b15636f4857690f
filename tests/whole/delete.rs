//! `delete`: what goes, in which order, and what stays.

use std::collections::BTreeMap;
use std::process::Command;

use s3_server::{Fault, Rule, Server};

use crate::line::msm_os;
use crate::support::{Ended, Sandbox, end, is_in_the_way, objects, python, served};

/// A server with the stores of three variables.
struct Scene {
    /// Kept for its files.
    _sandbox: Sandbox,
    server: Server,
    /// Where it is, on a command line.
    bucket: String,
    before: BTreeMap<String, Vec<u8>>,
    /// Requests so far.
    requests: usize,
}

impl Scene {
    fn new() -> Self {
        let (sandbox, server, bucket) = served();
        let file = sandbox.months(1, 1);
        msm_os!("send -f {file} {bucket} -v tos sos thetao").well();
        Self {
            _sandbox: sandbox,
            bucket,
            before: objects(&server),
            requests: server.log().len(),
            server,
        }
    }

    fn delete(&self, ranks: usize, line: &str) -> Ended {
        msm_os!("delete {} {line}", self.bucket).on(ranks)
    }

    /// What was there before, without the objects of these stores and their ledgers.
    fn without(&self, stores: &[&str]) -> BTreeMap<String, Vec<u8>> {
        let mut left = self.before.clone();
        left.retain(|key, _| !stores.iter().any(|s| key.contains(&format!("{s}.zarr/"))));
        left
    }

    /// What was deleted one by one, and `None` for each request for many, in order; without what the delete itself left
    /// in the ledgers while it ran.
    fn deletions(&self) -> Vec<Option<String>> {
        let log = self.server.log().into_iter().skip(self.requests);
        let deletions = log.filter(|r| r.method == "DELETE" || r.method == "POST");
        deletions
            .map(|r| (r.method == "DELETE").then(|| r.key.replacen("ocean/", "", 1)))
            .filter(|key| !key.as_deref().is_some_and(is_in_the_way))
            .collect()
    }
}

#[test]
fn root_documents_go_first_and_other_stores_stay() {
    for ranks in [1, 3] {
        let scene = Scene::new();
        let ended = scene.delete(ranks, "-p T1m -v tos thetao tos --yes").well();
        let stay = scene.without(&["tos", "thetao"]);
        let gone = scene.before.len() - stay.len();
        ended.says(&[&format!("deleted: 2 stores, {gone} objects")]);
        assert!(objects(&scene.server) == stay);
        let deletions = scene.deletions();
        let mut roots: Vec<_> = deletions[..2].iter().flatten().collect();
        roots.sort_unstable();
        let expected = ["T1m/thetao.zarr/zarr.json", "T1m/tos.zarr/zarr.json"];
        assert_eq!(roots, expected);
        // The rest goes in bulk: each rank's share of the stores, then of the ledgers.
        let bulk = &deletions[2..];
        assert!(bulk.iter().all(Option::is_none), "{bulk:?}");
        assert!((2..=2 * ranks).contains(&bulk.len()), "{bulk:?}");
    }
}

#[test]
fn a_server_without_bulk_deletes_gets_one_request_an_object_and_ledgers_go_last() {
    for status in [501, 405] {
        let scene = Scene::new();
        let refuse = Rule::new(Fault::Status(status)).method("POST");
        scene.server.faults().add(refuse);
        scene.delete(3, "-p T1m --all --yes").well();
        assert!(objects(&scene.server).is_empty());
        let singles: Vec<String> = scene.deletions().into_iter().flatten().collect();
        assert_eq!(singles.len(), scene.before.len());
        let is_root = |key: &String| key.ends_with(".zarr/zarr.json");
        assert!(singles[..3].iter().all(is_root), "{singles:?}");
        for ledger in &singles[singles.len() - 3..] {
            assert!(ledger.contains("/.msm-os/"), "{ledger}");
        }
    }
}

#[test]
fn thousands_of_objects_go_in_batches() {
    let scene = Scene::new();
    for chunk in 0..2500 {
        let key = format!("T1m/tos.zarr/tos/c/{chunk}/0/0");
        scene.server.put_object("ocean", &key, b"chunk".to_vec());
    }
    let ended = scene.delete(2, "-p T1m -v tos --yes").well();
    ended.says(&["deleted: 1 store, 25"]);
    assert!(objects(&scene.server) == scene.without(&["tos"]));
    // Two ranks with two batches each, and one each for the ledger.
    let bulk = scene.deletions().iter().filter(|d| d.is_none()).count();
    assert_eq!(bulk, 6);
}

#[test]
fn a_directory_keeps_no_empty_folders() {
    let sandbox = Sandbox::new();
    let (file, url) = (sandbox.months(1, 1), sandbox.url("ocean"));
    for prefix in ["a/b", "a/c"] {
        msm_os!("send -f {file} -b {url} -p {prefix} -v tos sos").well();
    }
    let mut expected = sandbox.tree("ocean");
    let mut delete = |ranks, line: &str, stays: fn(&str) -> bool| {
        msm_os!("delete --yes -b {url} {line}").well_on(ranks);
        expected.retain(|key, _| stays(key));
        assert!(sandbox.tree("ocean") == expected, "{line}");
    };
    let there = |name: &str| sandbox.path(name).exists();
    delete(3, "-p a/b/ -v tos", |key| {
        !(key.starts_with("a/b/") && key.contains("/tos.zarr/"))
    });
    assert!(!there("ocean/a/b/tos.zarr") && !there("ocean/a/b/.msm-os/tos.zarr"));
    delete(3, "-p a/b --all", |key| key.starts_with("a/c/"));
    assert!(!there("ocean/a/b") && there("ocean/a/c"));
    delete(1, "--all", |_| false);
    assert!(!there("ocean/a"));
    let again = msm_os!("delete --yes -b {url} --all").alone();
    again.refused(27, &[]);
}

#[test]
fn nothing_goes_unless_all_of_it_can() {
    let scene = Scene::new();
    let none = "there is no store 'T1m/uo.zarr'; there are 'T1m/sos.zarr', 'T1m/thetao.zarr', 'T1m/tos.zarr'";
    for (line, code, says) in [
        ("-p T1m --all", 2, "give --yes"),
        ("-p T1m --yes", 2, "required"),
        ("-p T1m -v tos --all --yes", 2, "cannot be used with"),
        ("-v compact --yes", 2, "give --prefix"),
        ("-p T1m -v a/b --yes", 2, "expected a variable's name"),
        ("-p ../T1m --all --yes", 2, "--prefix '../T1m'"),
        ("-p T1m -v tos uo --yes", 27, none),
        ("-p T1y --all --yes", 27, "nothing to delete"),
        ("-p T1m -v compact --yes", 27, "no store 'T1m.zarr'"),
    ] {
        for ranks in [1, 3] {
            let ended = scene.delete(ranks, line);
            ended.refused(code, &[says]);
            ended.speaks_once();
        }
    }
    let dry = scene.delete(3, "-p T1m --all --dry-run").well();
    let of_ledgers = scene.before.keys().filter(|k| k.contains(".msm-os/"));
    let ledgers = format!("ledgers: {} objects", of_ledgers.count());
    let all = format!("3 stores, {} objects", scene.before.len());
    dry.says(&["T1m/tos.zarr: ", &ledgers, &all]);
    assert!(scene.deletions().is_empty());
    assert!(objects(&scene.server) == scene.before);
}

#[test]
fn what_is_not_ours_stays_without_force() {
    let scene = Scene::new();
    for foreign in ["T1m/notes.txt", "T1m/tos.zarr/tos/notes 100%.txt"] {
        scene.server.put_object("ocean", foreign, b"mine".to_vec());
    }
    let before = objects(&scene.server);
    let all = "2 objects are not this program's: 'T1m/notes.txt', ";
    for (line, first) in [
        ("-p T1m --all --yes", all),
        ("-p T1m -v tos --yes", "'T1m/tos.zarr/tos/notes 100%.txt'"),
    ] {
        scene.delete(3, line).refused(29, &[first]);
        assert!(objects(&scene.server) == before);
    }
    scene.delete(3, "-p T1m -v sos --yes").well();
    scene.delete(3, "-p T1m --all --yes --force").well();
    assert!(objects(&scene.server).is_empty());
}

#[test]
fn an_interrupted_delete_is_finished_by_the_next() {
    for ranks in [1, 3] {
        let scene = Scene::new();
        let line = "-p T1m -v tos thetao --yes";
        let one_by_one = Rule::new(Fault::Status(501)).method("POST");
        scene.server.faults().add(one_by_one);
        let stop = Rule::new(Fault::Status(403)).method("DELETE");
        let stop = stop.key_contains(".zarr/").skip(9);
        scene.server.faults().add(stop);
        let ended = scene.delete(ranks, line);
        let mut left = objects(&scene.server);
        left.retain(|key, _| !is_in_the_way(key));
        let gone = scene.without(&["tos", "thetao"]);
        let [left_over, all] = [&left, &scene.before].map(|all| all.len() - gone.len());
        let says = format!("{left_over} of {all} objects are left");
        ended.refused(43, &[&says]);
        assert!(!left.contains_key("T1m/tos.zarr/zarr.json"));
        scene.server.faults().clear();
        let listed = msm_os!("list {}", scene.bucket).well_on(ranks);
        listed.says(&["T1m/thetao.zarr: unfinished"]);
        scene.delete(ranks, line).well();
        assert!(objects(&scene.server) == gone);
    }
}

#[test]
fn a_delete_that_could_not_begin_has_nothing_to_finish() {
    for part in ["/probe-", "/lease/", "T1m/.msm-os/tos.zarr/journal/"] {
        let scene = Scene::new();
        let refuse = Rule::new(Fault::Status(403)).method("PUT");
        scene.server.faults().add(refuse.key_contains(part));
        let ended = scene.delete(1, "-p T1m -v sos tos --yes");
        ended.refused(32, &["access refused"]);
        assert!(!ended.stderr.contains("objects are left"), "{ended:#?}");
        scene.server.faults().clear();
        // Nobody goes on with it.
        let recovered = msm_os!("recover {} -p T1m", scene.bucket).well();
        recovered.says(&["recovered: no transaction"]);
        assert!(objects(&scene.server) == scene.before, "{part}");
    }
}

#[test]
fn a_ledger_alone_counts_as_the_store() {
    let scene = Scene::new();
    let is_of_store = |key: &&String| key.contains("T1m/tos.zarr/");
    for key in scene.before.keys().filter(is_of_store) {
        scene.server.remove_object("ocean", key);
    }
    let line = "-p T1m -v tos --yes";
    scene.delete(1, line).well();
    assert!(objects(&scene.server) == scene.without(&["tos"]));
    scene.delete(1, line).refused(27, &[]);
}

#[test]
fn the_compact_store_lies_beside_the_prefix() {
    let scene = Scene::new();
    let copy = || {
        let of_tos = scene.before.iter();
        for (key, bytes) in of_tos.filter(|(key, _)| key.contains("tos.zarr/")) {
            let key = key.replace("T1m/tos.zarr/", "T1m.zarr/");
            let key = key.replace("T1m/.msm-os/tos.zarr/", ".msm-os/T1m.zarr/");
            scene.server.put_object("ocean", &key, bytes.clone());
        }
    };
    copy();
    scene.delete(3, "-p T1m -v compact --yes").well();
    assert!(objects(&scene.server) == scene.before);
    copy();
    scene.delete(3, "-p T1m --all --yes").well();
    assert!(objects(&scene.server).is_empty());
}

#[test]
fn on_a_terminal_it_asks() {
    let scene = Scene::new();
    let script = "import os, pty, sys
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
said = b''
while True:
    try:
        read = os.read(terminal, 1000)
    except OSError:
        break
    if not read:
        break
    said += read
    if said.endswith(b'Type yes: '):
        os.write(terminal, sys.argv[1].encode() + b'\\n')
print(said.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))";
    let answer = |answer: &str| {
        let delete = msm_os!("delete {} -p T1m -v tos", scene.bucket);
        let mut command = Command::new(python());
        command.args(["-c", script, answer, env!("CARGO_BIN_EXE_msm_os")]);
        command.args(delete.words());
        command.env("OMPI_ALLOW_RUN_AS_ROOT", "1");
        command.env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
        end(command).well()
    };
    answer("y").says(&["T1m/tos.zarr: ", "nothing was deleted"]);
    assert!(objects(&scene.server) == scene.before);
    answer("yes");
    assert!(objects(&scene.server) == scene.without(&["tos"]));
}
