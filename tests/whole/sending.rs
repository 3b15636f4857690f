//! One file, one server: sent alone and on ranks, with flags and an environment, well or refused.
//!
//! Key type: [`Scene`].

use std::collections::BTreeMap;

use nemo_like::Spec;
use s3_server::{Config, Request, Server};

use crate::line::{Line, msm_os};
use crate::support::{Ended, Sandbox, end, objects};

/// What the program runs with in its environment.
type Variables<'a> = &'a [(&'a str, &'a str)];

/// A server, and a file to send to it.
pub struct Scene {
    pub sandbox: Sandbox,
    pub server: Server,
    file: String,
}

impl Scene {
    pub fn new(config: Config) -> Self {
        let sandbox = Sandbox::new();
        let file = sandbox.source(&Spec::default());
        Self {
            sandbox,
            server: Server::start(config).unwrap(),
            file,
        }
    }

    /// The file's path.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// What sends the file below `prefix`.
    pub fn send(&self, prefix: &str, flags: &str) -> Line {
        msm_os!("send -f {} -b ocean -v tos -p {prefix} {flags}", self.file)
    }

    /// Sends with `flags`, alone and on ranks.
    #[track_caller]
    pub fn run(&self, flags: &str, variables: Variables) -> [Ended; 2] {
        [("alone", 1), ("ranks", 3)].map(|(prefix, ranks)| {
            let mut command = self.send(prefix, flags).command(ranks);
            command.envs(variables.iter().copied());
            end(command)
        })
    }

    /// Sends well, with nothing to warn of; gives the requests, and leaves the bucket empty.
    #[track_caller]
    pub fn sends(&self, flags: &str, variables: Variables) -> Vec<Request> {
        let seen = self.server.log().len();
        for ended in self.run(flags, variables) {
            let ended = ended.well();
            assert_eq!(ended.stderr, "", "{flags}");
        }
        let objects = objects(&self.server);
        let below = |prefix: &str| -> BTreeMap<String, Vec<u8>> {
            let below = objects.iter().filter_map(|(key, bytes)| {
                Some((key.strip_prefix(prefix)?.to_owned(), bytes.clone()))
            });
            below.collect()
        };
        assert!(below("alone/tos.zarr/").contains_key("zarr.json"));
        assert!(below("alone/tos.zarr/") == below("ranks/tos.zarr/"));
        for key in objects.keys() {
            self.server.remove_object("ocean", key);
        }
        self.server.log().split_off(seen)
    }

    /// Refused, alone and on ranks, in words of rank 0 alone; nothing is written, no secret is shown.
    #[track_caller]
    pub fn refuses(&self, code: i32, words: &[&str], flags: &str, variables: Variables) {
        for ended in self.run(flags, variables) {
            self.is_refusal(&ended, code, words);
        }
    }

    /// The same of one run.
    #[track_caller]
    pub fn is_refusal(&self, ended: &Ended, code: i32, words: &[&str]) {
        ended.refused(code, words).hushed();
        ended.speaks_once();
        assert!(objects(&self.server).is_empty(), "{ended:#?}");
    }
}
