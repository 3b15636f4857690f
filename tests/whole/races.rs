//! Two processes on one store, started together: where conditional writes are enforced, with a directory of locks, and in a directory.
//! The store ends as some order of the two makes it, and who came second is told. All kinds of stores, and many more races, are tried
//! in one process, by `tests/in_process/races.rs`.
//!
//! Key type: [`Arena`], where two race.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use nemo_like::{Spec, Variable};
use s3_server::{Conditional, Config, Server};

use crate::dataset::{Dataset, Objects, litter};
use crate::support::{Sandbox, alone_command, end, ranks_command};

const STORE: &str = "T1m/tos.zarr";
/// The exit code of a job that finds the store held.
const BUSY: i32 = 35;
/// Races of each pairing.
const ROUNDS: u64 = 3;

/// How the place keeps two jobs apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Enforced,
    LockDir,
    Directory,
}

/// Where two processes race.
struct Arena {
    sandbox: Sandbox,
    server: Option<Server>,
    kind: Kind,
}

impl Arena {
    fn new(kind: Kind) -> Self {
        let sandbox = Sandbox::new();
        let conditional = match kind {
            Kind::LockDir => Conditional::Refused,
            Kind::Enforced | Kind::Directory => Conditional::Enforced,
        };
        let config = Config {
            conditional,
            ..Config::default()
        };
        let server = (kind != Kind::Directory).then(|| Server::start(config).unwrap());
        if let Some(server) = &server {
            sandbox.credentials(server);
        }
        std::fs::create_dir(sandbox.path("locks")).unwrap();
        Self {
            sandbox,
            server,
            kind,
        }
    }

    fn objects(&self) -> Objects {
        if let Some(server) = &self.server {
            return server.objects("ocean");
        }
        let files = self.sandbox.tree("ocean").into_iter();
        files.map(|(key, bytes)| (key, bytes.into())).collect()
    }

    fn clear(&self) {
        let Some(server) = &self.server else {
            // It is not there before the first command.
            let _ = std::fs::remove_dir_all(self.sandbox.path("ocean"));
            return;
        };
        for key in server.objects("ocean").into_keys() {
            server.remove_object("ocean", &key);
        }
    }

    fn command(&self, line: &[String], wait: &str, ranks: Option<usize>) -> Command {
        let path = |name| self.sandbox.path(name).to_str().unwrap().to_owned();
        let (url, credentials, locks) = (
            self.sandbox.url("ocean"),
            path("credentials.json"),
            path("locks"),
        );
        let mut args: Vec<&str> = line.iter().map(String::as_str).collect();
        args.extend(["-p", "T1m"]);
        match self.server {
            Some(_) => args.extend(["-b", "ocean", "-c", &credentials]),
            None => args.extend(["-b", &url]),
        }
        if args[0] != "verify" {
            args.extend(["--lock-wait", wait]);
            if self.kind == Kind::LockDir {
                args.extend(["--lock-dir", &locks]);
            }
        }
        let mut command = match ranks {
            Some(ranks) => ranks_command(ranks, &args),
            None => alone_command(&args),
        };
        // Claims settle in a sixtieth of it, and a busy machine keeps them alive.
        command
            .env("MSM_OS_TEST_LEASE_SECONDS", "15")
            .env("HDF5_USE_FILE_LOCKING", "FALSE");
        command
    }

    fn run(&self, line: &[String]) -> i32 {
        end(self.command(line, "0s", None)).code
    }

    /// Makes the store with which a pairing begins.
    fn begin(&self, begin: &[Vec<String>]) {
        self.clear();
        for line in begin {
            assert_eq!(self.run(line), 0);
        }
    }

    /// Tries two commands together; `orders` are the codes and stores that they may come to.
    fn race(&self, lines: &[Vec<String>; 2], round: u64, orders: &[([i32; 2], Option<Dataset>)]) {
        let waits = round % 3 != 2;
        let wait = if waits { "60s" } else { "0s" };
        let start = |line, ranks| {
            let mut command = self.command(line, wait, ranks);
            command.stdout(Stdio::null()).stderr(Stdio::piped());
            command.spawn().unwrap()
        };
        let one = start(&lines[0], (round == 1).then_some(2));
        // From side by side to just behind.
        std::thread::sleep(Duration::from_millis(40 * round));
        let both = [one, start(&lines[1], None)].map(|child| child.wait_with_output().unwrap());
        let codes = [0, 1].map(|which| both[which].status.code().unwrap_or(-1));
        let objects = self.objects();
        let is = |(expected, store): &([i32; 2], Option<Dataset>)| {
            let is_store = match store {
                Some(dataset) => dataset.is_seen(&objects).is_ok(),
                None => !Dataset::is_there(&objects, STORE),
            };
            let may_be_busy = !waits && expected.contains(&BUSY);
            is_store && codes == *expected && (may_be_busy || !expected.contains(&BUSY))
        };
        assert!(
            orders.iter().any(is),
            "{:?}, {lines:?}: {both:#?}",
            self.kind
        );
        let dataset = Dataset::of(&objects, STORE);
        let left = litter(&objects, &[(STORE, dataset.as_ref())]);
        assert!(left.is_empty(), "{left:?}");
        if dataset.is_some() {
            assert_eq!(self.run(&["verify".to_owned()]), 0);
        }
    }
}

fn line(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn send(sandbox: &Sandbox, month: u32) -> Vec<String> {
    let name = format!("ORCA8x6_1m_grid_T_{month}.nc");
    let spec = Spec {
        grid: "8x6x2".parse().unwrap(),
        variables: vec![Variable::Tos],
        start: format!("1976-{month:02}-01").parse().unwrap(),
        ..Spec::default()
    };
    let path = sandbox.path(&name).to_str().unwrap().to_owned();
    if !Path::new(&path).exists() {
        sandbox.source_called(&name, &spec);
    }
    // A chunk holds two steps, so that the second month fills up a half-full one.
    let chunks = r#"{"time_counter": 2}"#;
    line(&["send", "-f", &path, "-cs", chunks, "--allow-gaps"])
}

fn run(kind: Kind) {
    let (arena, files) = (Arena::new(kind), Sandbox::new());
    let send = |month| send(&files, month);
    let delete = line(&["delete", "--all", "--yes"]);
    for (begin, lines) in [
        (vec![send(1)], [send(2), send(2)]),
        (vec![send(1)], [send(2), delete]),
        (Vec::new(), [send(1), send(2)]),
    ] {
        let mut orders = Vec::new();
        for first in [0, 1] {
            arena.begin(&begin);
            orders.push(([BUSY; 2], Dataset::of(&arena.objects(), STORE)));
            let mut codes = [BUSY; 2];
            codes[first] = arena.run(&lines[first]);
            orders.push((codes, Dataset::of(&arena.objects(), STORE)));
            codes[1 - first] = arena.run(&lines[1 - first]);
            orders.push((codes, Dataset::of(&arena.objects(), STORE)));
        }
        for round in 0..ROUNDS {
            arena.begin(&begin);
            arena.race(&lines, round, &orders);
        }
    }
}

#[test]
fn where_conditional_writes_are_enforced() {
    run(Kind::Enforced);
}

#[test]
fn with_a_directory_of_locks() {
    run(Kind::LockDir);
}

#[test]
fn in_a_directory() {
    run(Kind::Directory);
}
