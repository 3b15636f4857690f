//! Servers and ranks that fail: the run ends as promised, soon, with the old store intact.

use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use nemo_like::Spec;
use s3_server::{Config, Fault, Full, Rule, Server};

use crate::processes;
use crate::support::{
    Ended, Sandbox, end, is_tidy, objects, on_ranks, ranks_command, reads_back, server,
};

/// A server with one month in it, and the next month to send.
struct Scene {
    /// Kept for its files.
    _sandbox: Sandbox,
    server: Server,
    credentials: String,
    files: [String; 2],
    before: BTreeMap<String, Vec<u8>>,
}

/// A chunk holds two steps, so that the second month fills up a half-full one.
const STRATEGY: &str = r#"{"time_counter": 2, "deptht": 1}"#;

impl Scene {
    fn new() -> Self {
        Self::on(Config::default())
    }

    fn on(config: Config) -> Self {
        let (sandbox, server) = (Sandbox::new(), Server::start(config).unwrap());
        let credentials = sandbox.credentials(&server);
        let start = "1976-02-01".parse().unwrap();
        let files = [
            sandbox.source(&Spec::default()),
            sandbox.source(&Spec {
                start,
                ..Spec::default()
            }),
        ];
        let mut scene = Self {
            _sandbox: sandbox,
            server,
            credentials,
            files,
            before: BTreeMap::new(),
        };
        on_ranks(2, &scene.args(0)).well();
        scene.before = objects(&scene.server);
        scene
    }

    fn args(&self, month: usize) -> Vec<&str> {
        let file = &self.files[month];
        [
            "send",
            "-f",
            file,
            "-b",
            "ocean",
            "-c",
            &self.credentials,
            "-v",
            "thetao",
            "tos",
            "-cs",
            STRATEGY,
        ]
        .to_vec()
    }

    /// Where the stores are.
    fn place(&self) -> [&str; 6] {
        ["-b", "ocean", "-p", "T1m", "-c", &self.credentials]
    }

    /// Sends the second month while `rules` hold.
    fn send(&self, ranks: usize, rules: Vec<Rule>) -> Ended {
        self.send_with_patience("20", ranks, rules)
    }

    fn send_with_patience(&self, patience: &str, ranks: usize, rules: Vec<Rule>) -> Ended {
        for rule in rules {
            self.server.faults().add(rule);
        }
        let mut command = ranks_command(ranks, &self.args(1));
        command.env("MSM_OS_TEST_PATIENCE_SECONDS", patience);
        let ended = end(command);
        self.server.faults().clear();
        ended
    }

    /// The old stores are there to the byte, and the same command goes well now.
    #[track_caller]
    fn is_unchanged_and_can_go_on(&self) {
        let now = objects(&self.server);
        is_tidy(&self.server);
        let differing: Vec<&String> = now
            .iter()
            .filter(|(k, v)| self.before.get(*k) != Some(v))
            .map(|(k, _)| k)
            .collect();
        assert!(now == self.before, "differing: {differing:?}");
        self.goes_on();
    }

    #[track_caller]
    fn goes_on(&self) {
        on_ranks(2, &self.args(1)).well();
        for variable in ["thetao", "tos"] {
            reads_back(
                &format!("s3://ocean/T1m/{variable}.zarr"),
                Some(&self.server),
                &self.files,
            );
        }
        is_tidy(&self.server);
    }
}

#[test]
fn a_server_that_is_busy_for_a_while() {
    let scene = Scene::new();
    let ended = scene
        .send(3, vec![Rule::new(Fault::Status(503)).times(12)])
        .well();
    assert!(ended.stdout.contains("2 extended"), "{}", ended.stdout);
    assert_eq!(scene.server.faults().struck(), 12);
    for variable in ["thetao", "tos"] {
        reads_back(
            &format!("s3://ocean/T1m/{variable}.zarr"),
            Some(&scene.server),
            &scene.files,
        );
    }
}

/// What befalls requests in memory cannot show that the real ones are tried again.
#[test]
fn what_goes_wrong_on_the_wire_is_tried_again() {
    let scene = Scene::new();
    let second = |rule: Rule| (1..4).map(move |n| rule.clone().skip(2 * n).once());
    let rules = |fault, method| second(Rule::new(fault).method(method)).collect::<Vec<_>>();
    for rules in [
        rules(Fault::Status(500), "PUT"),
        rules(Fault::Drop, "PUT"),
        rules(Fault::DropAfterApply, "PUT"),
        rules(Fault::DropAfterApply, "DELETE"),
        rules(Fault::StatusAfterApply(500), "PUT"),
        rules(Fault::TruncateWrite, "PUT"),
        rules(Fault::TruncateRead, "GET"),
        vec![Rule::new(Fault::Delay(Duration::from_millis(200)))],
        vec![Rule::new(Fault::StaleRead(Duration::from_secs(1)))],
    ] {
        let struck = scene.server.faults().struck();
        let told = format!("{rules:?}");
        let ended = scene.send(2, rules);
        assert_eq!(ended.code, 0, "{told}: {ended:#?}");
        assert!(scene.server.faults().struck() > struck, "{told}");
        is_tidy(&scene.server);
        let url = "s3://ocean/T1m/thetao.zarr";
        reads_back(url, Some(&scene.server), &scene.files);
        on_ranks(1, &[&["rollback"], scene.place().as_slice()].concat()).well();
    }
}

#[test]
fn a_full_bucket_fails_the_run_and_the_next_one_works() {
    for full in [Full::QuotaExceeded, Full::InsufficientStorage] {
        let scene = Scene::on(Config {
            full,
            ..Config::default()
        });
        let there: usize = scene.before.values().map(Vec::len).sum();
        for room in [0, 2000, 8000] {
            scene.server.set_quota(Some(there as u64 + room));
            let ended = scene.send_with_patience("0.3", 2, Vec::new());
            scene.server.set_quota(None);
            let codes = [32, 34, 40, 42];
            assert!(codes.contains(&ended.code), "{room}: {ended:#?}");
            readers_see_the_old_stores(&scene);
        }
        scene.goes_on();
    }
}

#[test]
fn a_body_that_is_corrupted_once_is_put_again() {
    let scene = Scene::new();
    let rule = Rule::new(Fault::CorruptStored)
        .key_contains("/thetao/c/")
        .times(2);
    scene.send(2, vec![rule]).well();
    assert_eq!(scene.server.faults().struck(), 2);
    reads_back(
        "s3://ocean/T1m/thetao.zarr",
        Some(&scene.server),
        &scene.files,
    );
}

#[test]
fn a_server_that_corrupts_bodies_fails_the_run() {
    let scene = Scene::new();
    for ranks in [1, 3] {
        let ended = scene.send(
            ranks,
            vec![Rule::new(Fault::CorruptStored).key_contains("thetao/c/0/2")],
        );
        assert_eq!(ended.code, 41, "{ended:#?}");
        for word in [
            "'thetao'",
            "chunk [0, 2, 0, 0]",
            "in 3 tries",
            "rolled back, nothing has changed",
        ] {
            assert!(
                ended.stderr.contains(word),
                "'{word}' is not in: {}",
                ended.stderr
            );
        }
        assert!(ended.stderr.contains("rank "), "{}", ended.stderr);
        assert!(objects(&scene.server) == scene.before);
    }
    scene.is_unchanged_and_can_go_on();
}

#[test]
fn without_verification_corruption_passes_unseen_and_the_summary_says_so() {
    let scene = Scene::new();
    // The server answers with the ETag of what it was sent: only reading back shows what it stored.
    let corrupt = || Rule::new(Fault::CorruptStored).key_contains("/tos/c/");
    scene.server.faults().add(corrupt());
    let trusting = on_ranks(2, &[&scene.args(1)[..], &["--verify", "none"]].concat()).well();
    scene.server.faults().clear();
    assert!(
        trusting.stdout.contains("not verified"),
        "{}",
        trusting.stdout
    );
}

#[test]
fn etags_are_enough_where_they_are_md5_and_not_where_they_are_not() {
    use s3_server::EtagKind;
    for (etag, proof) in [
        (EtagKind::Md5, "objects by ETag"),
        (EtagKind::Opaque, "objects read back and compared"),
    ] {
        let (sandbox, server) = (
            Sandbox::new(),
            Server::start(Config {
                etag,
                ..Config::default()
            })
            .unwrap(),
        );
        let credentials = sandbox.credentials(&server);
        let file = sandbox.source(&Spec::default());
        let args = [
            "send",
            "-f",
            &file,
            "-b",
            "ocean",
            "-c",
            &credentials,
            "--verify",
            "etag",
        ];
        let ended = on_ranks(2, &args).well();
        assert!(ended.stdout.contains(proof), "{}", ended.stdout);
    }
}

#[test]
fn a_server_that_refuses_one_object_fails_the_run() {
    let scene = Scene::new();
    for (status, key) in [
        (403, "tos/c/0/0/0"),
        (507, "thetao/c/0/1"),
        (403, "thetao.zarr/thetao/zarr.json"),
    ] {
        let ended = scene.send(
            3,
            vec![
                Rule::new(Fault::Status(status))
                    .method("PUT")
                    .key_contains(key),
            ],
        );
        assert_eq!(ended.code, 40, "{ended:#?}");
        assert!(
            ended.stderr.contains("rolled back, nothing has changed"),
            "{}",
            ended.stderr
        );
        assert!(objects(&scene.server) == scene.before, "{key}");
    }
    scene.is_unchanged_and_can_go_on();
}

#[test]
fn a_commit_that_fails_at_the_last_root_takes_the_others_back() {
    let scene = Scene::new();
    let rule = Rule::new(Fault::Status(403))
        .method("PUT")
        .key_contains("tos.zarr/zarr.json");
    let ended = scene.send(2, vec![rule]);
    assert_eq!(ended.code, 40, "{ended:#?}");
    scene.is_unchanged_and_can_go_on();
    // A root that was switched and cannot be put back right.
    let scene = Scene::new();
    let rule = Rule::new(Fault::CorruptStored).key_contains("tos.zarr/zarr.json");
    let ended = scene.send(2, vec![rule]);
    assert_eq!(ended.code, 42, "{ended:#?}");
    // Whichever root is live, the objects that it names are there.
    let new = objects(&scene.server);
    assert!(new["T1m/tos.zarr/tos/c/0/0/0"] != scene.before["T1m/tos.zarr/tos/c/0/0/0"]);
    assert!(
        objects(&scene.server)["T1m/thetao.zarr/zarr.json"]
            == scene.before["T1m/thetao.zarr/zarr.json"]
    );
    // Refused once, it can be put back.
    let scene = Scene::new();
    let rule = Rule::new(Fault::Status(403))
        .method("PUT")
        .key_contains("tos.zarr/zarr.json")
        .once();
    let ended = scene.send(2, vec![rule]);
    assert_eq!(ended.code, 40, "{ended:#?}");
    scene.is_unchanged_and_can_go_on();
}

#[test]
fn a_failed_create_leaves_nothing() {
    let (sandbox, server) = (Sandbox::new(), server());
    let credentials = sandbox.credentials(&server);
    let file = sandbox.source(&Spec::default());
    server.faults().add(
        Rule::new(Fault::Status(403))
            .method("PUT")
            .key_contains("so/c/0/0"),
    );
    let ended = on_ranks(3, &["send", "-f", &file, "-b", "ocean", "-c", &credentials]);
    assert_eq!(ended.code, 40, "{ended:#?}");
    assert!(objects(&server).is_empty(), "{:?}", objects(&server).keys());
}

#[test]
fn a_rollback_that_fails_is_not_called_one() {
    let scene = Scene::new();
    let rules = vec![
        Rule::new(Fault::CorruptStored).key_contains("thetao/c/0/2"),
        Rule::new(Fault::Status(403))
            .method("DELETE")
            .key_contains("/undo/"),
    ];
    let ended = scene.send(2, rules);
    assert_eq!(ended.code, 42, "{ended:#?}");
    assert!(
        ended
            .stderr
            .contains("putting everything back failed as well"),
        "{}",
        ended.stderr
    );
    assert!(
        !ended.stderr.contains("nothing has changed"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_rank_that_panics_ends_the_job() {
    let scene = Scene::new();
    for rank in ["0", "2"] {
        let mut command = ranks_command(3, &scene.args(1));
        command.env("MSM_OS_TEST_PANIC_ON_RANK", rank);
        let ended = end(command);
        assert_eq!(ended.code, 70, "{ended:#?}");
        assert!(
            ended
                .stderr
                .contains(&format!("rank {rank} was asked to panic")),
            "{}",
            ended.stderr
        );
        assert!(
            ended.elapsed < Duration::from_secs(20),
            "{:?}",
            ended.elapsed
        );
        readers_see_the_old_stores(&scene);
    }
    scene.goes_on();
}

#[test]
fn a_rank_that_is_killed_ends_the_job() {
    let scene = Scene::new();
    for rank in [0, 1] {
        // Slow enough to be met in the middle of its PUTs.
        scene
            .server
            .faults()
            .add(Rule::new(Fault::Delay(Duration::from_millis(400))).method("PUT"));
        let mut command = ranks_command(3, &scene.args(1));
        let mut job = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let seen = scene.server.log().len();
        wait_for("a PUT", || {
            scene.server.log()[seen..].iter().any(|r| r.method == "PUT")
        });
        let killed = Instant::now();
        processes::kill(job.id(), Some(rank));
        let status = wait_for_end(&mut job);
        scene.server.faults().clear();
        assert_ne!(status, Some(0));
        assert!(
            killed.elapsed() < Duration::from_secs(20),
            "{:?}",
            killed.elapsed()
        );
        readers_see_the_old_stores(&scene);
    }
    scene.goes_on();
}

/// Chunks that the dead run filled up may have other bytes by now, but readers see the same values.
fn readers_see_the_old_stores(scene: &Scene) {
    for variable in ["thetao", "tos"] {
        let store = format!("s3://ocean/T1m/{variable}.zarr");
        reads_back(&store, Some(&scene.server), &scene.files[..1]);
        let root = format!("T1m/{variable}.zarr/zarr.json");
        assert!(objects(&scene.server)[&root] == scene.before[&root]);
    }
}

fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "no {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn wait_for_end(job: &mut Child) -> Option<i32> {
    let mut status = None;
    wait_for("end of the job", || {
        status = job.try_wait().unwrap();
        status.is_some()
    });
    status.and_then(|s| s.code())
}

/// All requests for an object share one patience: looks after each PUT and PUTs after bad looks had one each.
#[test]
fn a_rank_that_is_cut_off_says_so_when_its_patience_is_over() {
    let scene = Scene::new();
    let dropped = Rule::new(Fault::Drop).key_contains("thetao.zarr/thetao/c/");
    let ended = scene.send_with_patience("4", 2, vec![dropped.method("GET")]);
    assert_eq!(ended.code, 40, "{}", ended.stderr);
    assert!(ended.elapsed < Duration::from_secs(40), "{ended:?}");
    scene.is_unchanged_and_can_go_on();
}

/// A ledger is read years later: a manifest that the server stored wrongly is put again.
#[test]
fn what_is_stored_wrongly_of_a_ledger_is_put_again() {
    let scene = Scene::new();
    let corrupt = |part: &str| Rule::new(Fault::CorruptStored).key_contains(part).once();
    let parts = ["/manifests/", ".open", "/transactions/", "last.json"];
    let ended = scene.send(1, parts.map(corrupt).to_vec());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    on_ranks(1, &[&["verify"], scene.place().as_slice()].concat()).well();
}
