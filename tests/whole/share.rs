//! Jobs that share in sending an archive, as processes of one rank and of several, on a real server; and what others find meanwhile. Every order
//! of the parts and every kill of two jobs is tried in one process, by `tests/in_process/share.rs`.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use s3_server::{Go, Server, When};
use serde_json::Value;

use crate::support::{
    Ended, Sandbox, alone_command, end, is_tidy, objects, ranks_command, served, without_ledgers,
};

/// The files of a year, two months each.
const FILES: u32 = 6;

/// What is sent, and what the jobs are told.
struct Scene {
    /// Holds the files.
    _sandbox: Sandbox,
    server: Server,
    bucket: String,
    files: Vec<String>,
}

impl Scene {
    fn new() -> Self {
        let (sandbox, server, bucket) = served();
        let files = (0..FILES).map(|file| sandbox.months(1 + 2 * file, 2));
        let files = files.collect();
        Self {
            _sandbox: sandbox,
            server,
            bucket,
            files,
        }
    }

    /// The words of a command on the prefix.
    fn words<'a>(&'a self, line: &'a str, prefix: &'a str) -> Vec<&'a str> {
        let mut words: Vec<&str> = line.split(' ').collect();
        words.extend(self.bucket.split(' '));
        words.extend(["-p", prefix]);
        words
    }

    /// The same with all files, or the first so many.
    fn with_files<'a>(&'a self, line: &'a str, prefix: &'a str, count: u32) -> Vec<&'a str> {
        let mut words = self.words(line, prefix);
        words.push("-f");
        words.extend(self.files[..count as usize].iter().map(String::as_str));
        words
    }

    fn run(&self, line: &str, prefix: &str) -> Ended {
        end(alone_command(&self.words(line, prefix)))
    }

    fn send(&self, line: &str, prefix: &str) -> Ended {
        end(alone_command(&self.with_files(line, prefix, FILES)))
    }

    /// Starts a job on so many ranks.
    fn start(&self, ranks: usize) -> Child {
        let words = self.with_files("send --share", "many", FILES);
        let mut command = match ranks {
            1 => alone_command(&words),
            _ => ranks_command(ranks, &words),
        };
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    }

    fn has(&self, part: &str) -> bool {
        objects(&self.server).keys().any(|key| key.contains(part))
    }

    /// What lies below the prefix, as if it were another.
    fn stored(&self, prefix: &str) -> Vec<(String, Vec<u8>)> {
        let all = without_ledgers(objects(&self.server)).into_iter();
        let below = all.filter_map(|(key, bytes)| {
            let below = key.strip_prefix(prefix)?.to_owned();
            Some((below, bytes))
        });
        below.collect()
    }
}

/// Sends a signal to a job. It is a child of `timeout`, which passes not all of them on.
fn signal(name: &str, timeout: u32) {
    let mut kill = Command::new("pkill");
    let sent = kill.args([name, "-P", &timeout.to_string()]).status();
    assert!(sent.unwrap().success());
}

#[test]
fn processes_share_an_archive_though_one_is_killed() {
    let scene = Scene::new();
    scene.send("send --transaction all", "plain").well();
    let mut jobs = vec![scene.start(2), scene.start(1), scene.start(1)];
    let begun = Instant::now();
    while !scene.has("/share/000001/takers/") {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "no part is taken"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    let killed = jobs.pop().unwrap();
    signal("-KILL", killed.id());
    for mut job in jobs.into_iter().chain([killed]) {
        job.wait().unwrap();
    }
    scene.send("send --share", "many").well();
    assert_eq!(scene.stored("plain/"), scene.stored("many/"));
    is_tidy(&scene.server);
    scene.run("verify", "many").well();
}

#[test]
fn others_are_told_what_goes_on_and_abandoning_ends_it() {
    let scene = Scene::new();
    let second = scene.send("send --share --task 1/6", "many").well();
    second.says(&[
        "this job put 1 part; 0 of 6 are committed, readers see nothing yet",
        "5 are left",
    ]);
    for line in ["send", "send --on-overlap skip"] {
        let refused = scene.send(line, "many");
        refused.refused(
            48,
            &[
                "store 'many/",
                "6 parts",
                "recover --abandon",
                "nothing was done",
            ],
        );
    }
    scene
        .run("delete --all --yes", "many")
        .refused(48, &["6 parts"]);
    scene
        .run("recover --orphans", "many")
        .refused(48, &["6 parts"]);
    scene
        .run("recover --orphans --dry-run", "many")
        .refused(48, &["6 parts"]);
    scene
        .run("recover --abandon --dry-run", "many")
        .well()
        .says(&[
            "would not be sent by many jobs any more",
            "would remove many/",
            "archives that would be abandoned: 1",
        ]);
    scene.run("recover", "many").well();
    let fewer = end(alone_command(&scene.with_files("send --share", "many", 5)));
    fewer.refused(49, &[&scene.files[5], "give all jobs the same files"]);
    let other = scene.send("send --share --shards {\"time_counter\":2}", "many");
    other.refused(49, &["--shards", "give all jobs the same"]);
    for line in [
        "send --share --on-overlap replace",
        "send --share --add-variables",
    ] {
        scene.send(line, "many").refused(49, &["cannot be shared"]);
    }
    let told = scene.run("status", "many").well();
    told.says(&[
        "an archive of 6 files in 6 parts",
        "readers see 0 parts, 0 of 12 steps",
        "part 1    steps 1 to 2: free",
        "part 2    steps 3 to 4: put by 'send --share' on",
        "waits for part 1: run any of its jobs again",
    ]);
    let told: Value =
        serde_json::from_str(&scene.run("status --json", "many").well().stdout).unwrap();
    let archive = &told["archives"][0];
    assert_eq!(
        (&archive["parts"], &archive["committed"]),
        (&6.into(), &0.into())
    );
    assert_eq!(archive["open"][1]["state"]["state"], "done");
    scene
        .run("recover --abandon", "many")
        .well()
        .says(&["abandoned: 1 archive"]);
    assert_eq!(scene.stored("many/"), []);
    is_tidy(&scene.server);
    scene
        .run("status", "many")
        .well()
        .says(&["there are no stores"]);
    scene.send("send", "many").well();
}

#[test]
fn a_part_that_fails_holds_back_only_what_comes_after_it() {
    let scene = Scene::new();
    scene.send("send --transaction all", "plain").well();
    // The metadata of the third file are sound, and the values of one variable are not there.
    let whole = std::fs::read(&scene.files[2]).unwrap();
    let first = scene.send("send --share --task 0/6", "many").well();
    first.says(&[
        "1 of 6 are committed",
        "readers see all up to 1976-02-15 12:00:00",
    ]);
    let modified = std::fs::metadata(&scene.files[2])
        .unwrap()
        .modified()
        .unwrap();
    let mut broken = whole.clone();
    let middle = broken.len() / 2;
    broken[middle..].fill(0xff);
    let put = |bytes: &[u8]| {
        std::fs::write(&scene.files[2], bytes).unwrap();
        let file = std::fs::File::options()
            .write(true)
            .open(&scene.files[2])
            .unwrap();
        file.set_modified(modified).unwrap();
    };
    put(&broken);
    let failed = scene.send("send --share", "many");
    failed.refused(
        12,
        &["part 3 of 6", &scene.files[2], "going on with others"],
    );
    scene
        .run("status", "many")
        .well()
        .says(&["readers see 2 parts", "part 4    steps 7 to 8: put by"]);
    put(&whole);
    scene
        .send("send --share", "many")
        .well()
        .says(&["this job put 1 part; 6 of 6 are committed"]);
    assert_eq!(scene.stored("plain/"), scene.stored("many/"));
    is_tidy(&scene.server);
}

#[test]
fn rollback_undoes_the_last_growth_and_the_jobs_do_it_again() {
    let scene = Scene::new();
    scene.send("send --transaction all", "plain").well();
    for task in ["0/6", "1/6", "3/6"] {
        scene
            .send(&format!("send --share --task {task}"), "many")
            .well();
    }
    scene
        .run("status", "many")
        .well()
        .says(&["readers see 2 parts, 4 of 12 steps"]);
    scene.run("verify", "many").well();
    scene.run("rollback", "many").well();
    scene.run("status", "many").well().says(&[
        "readers see 1 part, 2 of 12 steps",
        "part 4    steps 7 to 8: put by",
    ]);
    scene.run("verify", "many").well();
    scene
        .send("send --share", "many")
        .well()
        .says(&["this job put 4 parts; 6 of 6 are committed"]);
    assert_eq!(scene.stored("plain/"), scene.stored("many/"));
    is_tidy(&scene.server);
}

#[test]
fn growth_that_is_rolled_back_in_one_store_is_sent_again_there() {
    let scene = Scene::new();
    scene.send("send --transaction all", "plain").well();
    // The home is the first of the stores, whose ledger tells of the parts.
    for variable in ["zos", "e3t"] {
        for task in ["1/6", "2/6", "0/6", "4/6"] {
            let task = format!("send --share --task {task}");
            scene.send(&task, variable).well();
        }
        scene
            .run(&format!("rollback -v {variable}"), variable)
            .well();
        scene
            .send("send --share", variable)
            .well()
            .says(&["6 are committed"]);
        scene.run("verify", variable).well();
        assert_eq!(
            scene.stored("plain/"),
            scene.stored(&format!("{variable}/"))
        );
    }
    is_tidy(&scene.server);
}

#[test]
fn a_damaged_store_can_be_abandoned_and_deleted() {
    let scene = Scene::new();
    scene.send("send --share --task 0/6", "many").well();
    scene.send("send --share --task 2/6", "many").well();
    let key = "many/tos.zarr/zarr.json";
    scene.server.put_object("ocean", key, b"{".to_vec());
    scene
        .run("recover --abandon --dry-run", "many")
        .refused(25, &[key])
        .says(&["archives that would be abandoned: 1"]);
    scene.run("recover --abandon", "many").refused(25, &[key]);
    assert!(!scene.has("/share/"));
    scene.run("delete -v tos --yes", "many").well();
    scene
        .run("verify -v thetao", "many")
        .well()
        .says(&[" 0 faults"]);
}

#[test]
fn what_was_there_before_the_archive_was_shared_out_is_not_rolled_back_meanwhile() {
    let scene = Scene::new();
    end(alone_command(&scene.with_files("send", "many", 2))).well();
    scene.send("send --share --task 1/4", "many").well();
    scene.run("rollback", "many").refused(48, &["4 parts"]);
    scene.send("send --share --task 0/4", "many").well();
    let before = objects(&scene.server);
    let last = scene.run("rollback --last 3", "many");
    last.refused(48, &["4 parts"]);
    assert!(objects(&scene.server) == before);
    scene.run("rollback", "many").well();
    scene.send("send --share", "many").well();
    // Now that it is done, it is one command.
    scene.run("rollback", "many").well();
    let told = scene.run("history", "many").well();
    told.says(&["2 files, "]);
    assert_eq!(told.stdout.matches("rollback can undo it").count(), 1);
}

#[test]
fn a_job_that_runs_while_the_growth_is_rolled_back_does_it_again() {
    let scene = Scene::new();
    scene.send("send --transaction all", "plain").well();
    for task in ["0/6", "1/6", "2/6"] {
        scene
            .send(&format!("send --share --task {task}"), "many")
            .well();
    }
    // Stopped when it has put its first part, it goes on when others have rolled back.
    let (pid, stopped) = (
        Arc::new(AtomicU32::new(0)),
        Arc::new(AtomicBool::new(false)),
    );
    let (of_job, has_stopped) = (Arc::clone(&pid), Arc::clone(&stopped));
    scene.server.on_mutation(move |mutation| {
        let is_put = mutation.method == "PUT" && mutation.when == When::After;
        let is_done = is_put && mutation.key.ends_with("share/000003/done.json");
        if is_done && !has_stopped.load(Ordering::SeqCst) {
            signal("-STOP", of_job.load(Ordering::SeqCst));
            has_stopped.store(true, Ordering::SeqCst);
        }
        Go::On
    });
    let mut job = alone_command(&scene.with_files("send --share", "many", FILES));
    let job = job.stdout(Stdio::piped()).stderr(Stdio::piped());
    let job = job.spawn().unwrap();
    pid.store(job.id(), Ordering::SeqCst);
    let begun = Instant::now();
    while !stopped.load(Ordering::SeqCst) {
        assert!(begun.elapsed() < Duration::from_secs(60), "it puts no part");
        std::thread::sleep(Duration::from_millis(5));
    }
    scene.run("rollback", "many").well();
    scene
        .run("status", "many")
        .well()
        .says(&["readers see 2 parts"]);
    signal("-CONT", job.id());
    let ended = job.wait_with_output().unwrap();
    let said = String::from_utf8([ended.stdout, ended.stderr].concat()).unwrap();
    assert!(
        said.contains("this job put 4 parts; 6 of 6 are committed"),
        "{said}"
    );
    let again = said.lines().find(|line| line.starts_with("part 3 of 6: "));
    assert!(
        again.is_some_and(|line| !line.contains(" 0 objects")),
        "{said}"
    );
    assert_eq!(scene.stored("plain/"), scene.stored("many/"));
    is_tidy(&scene.server);
    scene.run("verify", "many").well();
}

#[test]
fn a_signal_or_the_time_ends_a_job_between_parts() {
    let scene = Scene::new();
    let over = scene.send("send --share --stop-after 0s", "many").well();
    over.says(&["this job put 0 parts", "6 are left, for the time was over"]);
    scene.send("send --share", "many").well();
    is_tidy(&scene.server);
    let wrong = scene.send("send --share --task 6/6", "other");
    wrong.refused(2, &["expected K/N"]);
    scene
        .send("send --share --task slurm", "other")
        .refused(2, &["SLURM_ARRAY_TASK_ID"]);
    scene
        .send("send --task 0/6", "other")
        .refused(2, &["--share"]);
}

#[test]
fn a_file_that_goes_or_changes_while_jobs_are_at_work_holds_back_its_part() {
    for (code, said, spoil) in [
        (
            10,
            "No such file",
            (|path| std::fs::remove_file(path)) as fn(&str) -> std::io::Result<()>,
        ),
        (49, "has changed since", |path| {
            std::fs::write(path, "something else")
        }),
    ] {
        let scene = Scene::new();
        let file = scene.files[3].clone();
        let whole = std::fs::read(&file).unwrap();
        let modified = std::fs::metadata(&file).unwrap().modified().unwrap();
        let spoilt = file.clone();
        scene.server.on_mutation(move |mutation| {
            let is_put = mutation.method == "PUT" && mutation.when == When::After;
            if is_put && mutation.key.ends_with("share/000001/done.json") {
                spoil(&spoilt).unwrap();
            }
            Go::On
        });
        let failed = scene.send("send --share", "many");
        failed.refused(
            code,
            &[
                "part 4 of 6",
                said,
                &file,
                "going on with others",
                "this job put 5 parts; 3 of 6 are committed, readers see all up to",
            ],
        );
        scene.server.on_mutation(|_| Go::On);
        std::fs::write(&file, whole).unwrap();
        let restored = std::fs::File::options().write(true).open(&file).unwrap();
        restored.set_modified(modified).unwrap();
        let last = scene.send("send --share", "many").well();
        last.says(&["this job put 1 part; 6 of 6 are committed"]);
        is_tidy(&scene.server);
    }
}
