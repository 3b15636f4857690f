//! The flags that say how a command keeps other jobs from its stores.
//!
//! Key type: [`LeaseArgs`].

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::verbs::shared::hold::Leasing;

/// How the leases of stores are got.
#[derive(Args, Clone, Debug)]
pub(super) struct LeaseArgs {
    /// Directory that all jobs share, in which to lock a file for each store, besides its lease in the object store
    ///
    /// For servers without conditional writes. Every job that writes the same stores must be given the same directory, on
    /// a file system whose locks (flock) hold on all nodes.
    #[arg(long, value_name = "DIR")]
    pub lock_dir: Option<PathBuf>,

    /// How long to wait for another job that holds a store, such as 90s or 10m; 0s does not wait
    #[arg(long, value_name = "DURATION", default_value = "120s", value_parser = humantime::parse_duration)]
    pub lock_wait: Duration,
}

impl LeaseArgs {
    /// What is asked: the directory by the name that it has for everybody on this machine.
    #[must_use]
    pub(super) fn leasing(&self) -> Leasing {
        let dir = self.lock_dir.as_ref();
        Leasing {
            // One that is not there is told of where it is used.
            lock_dir: dir.map(|dir| dir.canonicalize().unwrap_or_else(|_| dir.clone())),
            wait: self.lock_wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        lease: LeaseArgs,
    }

    fn parse(line: &str) -> Option<LeaseArgs> {
        let line = Line::try_parse_from(line.split(' '));
        line.ok().map(|line| line.lease)
    }

    #[test]
    fn waits_as_people_write_them() {
        let wait = |line| parse(line).map(|lease| lease.lock_wait.as_secs());
        assert_eq!(wait("x"), Some(120));
        assert_eq!(wait("x --lock-wait 90s"), Some(90));
        assert_eq!(wait("x --lock-wait 10m"), Some(600));
        assert_eq!(wait("x --lock-wait 0s"), Some(0));
        for wrong in [
            "x --lock-wait soon",
            "x --lock-wait -1s",
            "x --lock-wait 90",
        ] {
            assert_eq!(wait(wrong), None, "{wrong}");
        }
        let lease = parse("x --lock-dir /shared/locks").unwrap();
        assert_eq!(lease.lock_dir, Some(PathBuf::from("/shared/locks")));
    }
}
