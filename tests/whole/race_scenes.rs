//! Where two commands race: an empty store, one month, on every kind of server and in a directory.
//!
//! Key types: [`Kind`] and [`Arena`], the place; [`Pairing`], the two commands and the store that they begin with.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use nemo_like::{Spec, Variable};
use s3_server::{Conditional, Config, Server};

use crate::dataset::Objects;
use crate::support::{Sandbox, alone_command, ranks_command};

/// The store of every race.
pub const STORE: &str = "T1m/tos.zarr";
/// A chunk holds two steps, so that the second month fills up a half-full one.
const STRATEGY: &str = r#"{"time_counter": 2}"#;
/// Leases last so long: claims settle in a sixtieth of it, and a busy machine keeps them alive.
const LEASE_SECONDS: &str = "15";

/// How the place keeps two jobs apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Enforced,
    Refused,
    Ignored,
    LockDir,
    Directory,
}

/// A place in which races are run, one after the other.
pub struct Arena {
    sandbox: Sandbox,
    server: Option<Server>,
    lock_dir: Option<String>,
}

impl Arena {
    pub fn new(kind: Kind) -> Self {
        let sandbox = Sandbox::new();
        let conditional = match kind {
            Kind::Enforced | Kind::Directory => Conditional::Enforced,
            Kind::Refused | Kind::LockDir => Conditional::Refused,
            Kind::Ignored => Conditional::Ignored,
        };
        let config = Config {
            conditional,
            ..Config::default()
        };
        let server = (kind != Kind::Directory).then(|| Server::start(config).unwrap());
        if let Some(server) = &server {
            sandbox.credentials(server);
        }
        let lock_dir = sandbox.path("locks");
        std::fs::create_dir(&lock_dir).unwrap();
        let lock_dir = lock_dir.to_str().unwrap().to_owned();
        Self {
            sandbox,
            server,
            lock_dir: (kind == Kind::LockDir).then_some(lock_dir),
        }
    }

    /// What is there now; `None` if a directory changes too fast to be looked at.
    pub fn objects(&self) -> Option<Objects> {
        match &self.server {
            Some(server) => Some(server.objects("ocean")),
            None => (0..3).find_map(|_| {
                let [first, second] = [(); 2].map(|()| files(&self.sandbox.path("ocean")));
                (first == second).then_some(first)
            }),
        }
    }

    /// Makes the place what it was.
    pub fn restore(&self, objects: &Objects) {
        let Some(server) = &self.server else {
            let root = self.sandbox.path("ocean");
            if root.exists() {
                std::fs::remove_dir_all(&root).unwrap();
            }
            for (key, bytes) in objects {
                let path = root.join(key);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, bytes).unwrap();
            }
            return;
        };
        for key in server.objects("ocean").into_keys() {
            server.remove_object("ocean", &key);
        }
        for (key, bytes) in objects {
            server.put_object("ocean", key, bytes.clone());
        }
    }

    /// The command line `line` here.
    pub fn command(&self, line: &[String], wait: &str, ranks: Option<usize>) -> Command {
        let mut args: Vec<&str> = line.iter().map(String::as_str).collect();
        let (url, credentials) = (
            self.sandbox.url("ocean"),
            self.sandbox.path("credentials.json"),
        );
        args.extend(["-p", "T1m"]);
        match self.server {
            Some(_) => args.extend(["-b", "ocean", "-c", credentials.to_str().unwrap()]),
            None => args.extend(["-b", &url]),
        }
        if args[0] != "verify" {
            args.extend(["--lock-wait", wait]);
            if let Some(dir) = &self.lock_dir {
                args.extend(["--lock-dir", dir]);
            }
        }
        let mut command = match ranks {
            Some(ranks) => ranks_command(ranks, &args),
            None => alone_command(&args),
        };
        command
            .env("MSM_OS_TEST_LEASE_SECONDS", LEASE_SECONDS)
            .env("HDF5_USE_FILE_LOCKING", "FALSE");
        command
    }
}

/// All files below `root`, but for those that are being written.
fn files(root: &Path) -> Objects {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let key = path.strip_prefix(root).unwrap().to_str().unwrap();
            if path.is_dir() {
                folders.push(path);
            } else if !key.contains('#')
                && let Ok(bytes) = std::fs::read(&path)
            {
                found.insert(key.to_owned(), bytes.into());
            }
        }
    }
    found
}

/// Two commands that are started together.
pub struct Pairing {
    pub name: &'static str,
    /// Is the first month there?
    pub begun: bool,
    pub lines: [Vec<String>; 2],
    /// Does a reader meet new objects beside old ones while it runs?
    pub in_place: bool,
}

/// The source files of all pairings.
pub struct Files {
    sandbox: Sandbox,
}

impl Files {
    pub fn new() -> Self {
        Self {
            sandbox: Sandbox::new(),
        }
    }

    fn month(&self, month: u32, seed: u64) -> String {
        let spec = Spec {
            grid: "8x6x2".parse().unwrap(),
            variables: vec![Variable::Tos],
            start: format!("1976-{month:02}-01").parse().unwrap(),
            seed,
            ..Spec::default()
        };
        let name = format!("ORCA8x6_1m_grid_T_{month}_{seed}.nc");
        let path = self.sandbox.path(&name);
        if path.exists() {
            return path.to_str().unwrap().to_owned();
        }
        self.sandbox.source_called(&name, &spec)
    }

    /// The command that sends a month.
    pub fn send(&self, month: u32) -> Vec<String> {
        let file = self.month(month, 0);
        let line = ["send", "-f", &file, "-cs", STRATEGY, "--allow-gaps"];
        line.map(str::to_owned).to_vec()
    }

    pub fn pairings(&self) -> Vec<Pairing> {
        let other = self.month(1, 1);
        let update = ["update", "-f", &other].map(str::to_owned).to_vec();
        let delete = ["delete", "--all", "--yes"].map(str::to_owned).to_vec();
        let pairing = |name, lines| Pairing {
            name,
            begun: true,
            lines,
            in_place: false,
        };
        vec![
            pairing("the same month twice", [self.send(2), self.send(2)]),
            pairing("two different months", [self.send(2), self.send(3)]),
            Pairing {
                in_place: true,
                ..pairing("send against update", [self.send(2), update])
            },
            pairing("send against delete", [self.send(2), delete]),
            Pairing {
                begun: false,
                ..pairing("two creates", [self.send(1), self.send(2)])
            },
        ]
    }
}
