//! Who holds a lease: enough to name the job to a user, and to know on the same machine that its process is dead.
//!
//! Key type: [`Holder`].

use std::fmt;
use std::fs;
use std::io;
use std::time::SystemTime;

use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};

use crate::ranks::LaunchedJob;

/// The process that holds a lease: rank 0 of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The machine's name.
    pub host: String,
    /// The id of that machine's last start.
    pub boot: String,
    /// The namespace in which `pid` counts.
    pub pid_namespace: String,
    /// The process.
    pub pid: u32,
    /// When that process started, in the kernel's ticks: a pid is used again.
    pub started: u64,
    /// Are there ranks on other machines, which may outlive it for a moment?
    #[serde(default)]
    pub spread: bool,
    /// The other ranks, which may do so too.
    #[serde(default)]
    pub others: Vec<RankProcess>,
    /// The Slurm job, if it is one.
    pub slurm_job: Option<String>,
    /// The command that it runs.
    pub command: String,
    /// Since when it holds the lease, or waits for it, by its own clock (UTC).
    pub since: String,
}

/// A rank's process, told from a later one of the same number by when it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankProcess {
    /// The process.
    pub pid: u32,
    /// When it started, in the kernel's ticks; 0 if that is not known.
    pub started: u64,
}

/// The job that a process is of, as far as its [`Holder`] tells of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Crew {
    /// Where it runs.
    pub(crate) launched: LaunchedJob,
    /// Its ranks, if there are several.
    pub ranks: Vec<RankProcess>,
}

impl RankProcess {
    /// That of this process.
    #[must_use]
    pub fn this() -> Self {
        let pid = std::process::id();
        let process = Process::read(pid).ok().flatten();
        Self {
            pid,
            started: process.map_or(0, |process| process.started),
        }
    }

    /// Has it ended, on this machine?
    fn is_over(self) -> bool {
        let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw) else {
            return false;
        };
        // Where users do not see each other's processes, only this tells them from dead ones.
        if test_kill_process(pid) == Err(rustix::io::Errno::SRCH) {
            return true;
        }
        match Process::read(self.pid) {
            Ok(Some(process)) => {
                process.is_over || (self.started > 0 && process.started != self.started)
            }
            // It is there, and not for us to see; or it ended this very moment, and the next look tells.
            Ok(None) | Err(_) => false,
        }
    }
}

impl Holder {
    /// This process, of this `crew`, running `command`.
    ///
    /// # Errors
    /// If the system does not say who this process is.
    pub(crate) fn this(command: &str, crew: &Crew) -> io::Result<Self> {
        let (boot, pid_namespace) = (boot()?, pid_namespace()?);
        let host = fs::read_to_string("/proc/sys/kernel/hostname")?;
        let pid = std::process::id();
        let Some(process) = Process::read(pid)? else {
            return Err(io::Error::other("/proc does not show this process"));
        };
        let now = humantime::format_rfc3339_seconds(SystemTime::now());
        let LaunchedJob {
            spread, slurm_job, ..
        } = crew.launched.clone();
        Ok(Self {
            host: host.trim().to_owned(),
            boot,
            pid_namespace,
            pid,
            started: process.started,
            spread,
            others: crew.ranks.clone(),
            slurm_job,
            command: command.to_owned(),
            since: now.to_string(),
        })
    }

    /// Are the process, and all ranks of its job, known to be dead? Only the machine on which they ran can know that.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        let same = |here: io::Result<String>, there: &str| here.is_ok_and(|here| here == there);
        if self.spread || !same(boot(), &self.boot) || !same(pid_namespace(), &self.pid_namespace) {
            return false;
        }
        let lead = RankProcess {
            pid: self.pid,
            started: self.started,
        };
        lead.is_over() && self.others.iter().all(|rank| rank.is_over())
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            host,
            pid,
            command,
            since,
            ..
        } = self;
        write!(f, "'{command}' on {host}, process {pid}")?;
        if let Some(job) = &self.slurm_job {
            write!(f, ", Slurm job {job}")?;
        }
        write!(f, ", since {since}")
    }
}

/// What `/proc` says of a process.
struct Process {
    started: u64,
    /// It has ended, and its parent has not asked how.
    is_over: bool,
}

impl Process {
    fn read(pid: u32) -> io::Result<Option<Self>> {
        let stat = match fs::read_to_string(format!("/proc/{pid}/stat")) {
            Ok(stat) => stat,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(cause),
        };
        // The name, in parentheses, may hold anything; the state is field 3, the start field 22.
        let fields = stat.rsplit_once(") ").map(|(_, fields)| fields);
        let process = fields.and_then(|fields| {
            let mut fields = fields.split(' ');
            Some(Self {
                is_over: ["Z", "X"].contains(&fields.next()?),
                started: fields.nth(18)?.parse().ok()?,
            })
        });
        let strange = || io::Error::other(format!("/proc/{pid}/stat: '{stat}'"));
        process.ok_or_else(strange).map(Some)
    }
}

fn boot() -> io::Result<String> {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
    Ok(id.trim().to_owned())
}

fn pid_namespace() -> io::Result<String> {
    let link = fs::read_link("/proc/self/ns/pid")?;
    Ok(link.to_string_lossy().into_owned())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::process::Command;

    /// A process that has ended.
    pub(crate) fn dead() -> Holder {
        let mut child = Command::new("true").spawn().unwrap();
        let pid = child.id();
        child.wait().unwrap();
        Holder {
            pid,
            ..Holder::this("send", &Crew::default()).unwrap()
        }
    }

    /// A process of another machine, of which nothing can be known.
    pub(crate) fn elsewhere() -> Holder {
        Holder {
            host: "elsewhere".to_owned(),
            boot: "another".to_owned(),
            ..Holder::this("send", &Crew::default()).unwrap()
        }
    }

    #[test]
    fn a_job_on_several_machines_is_not_known_to_be_dead() {
        let spread = Holder {
            spread: true,
            ..dead()
        };
        assert!(dead().is_dead() && !spread.is_dead());
    }

    #[test]
    fn the_dead_are_told_from_the_living() {
        let this = Holder::this("send", &Crew::default()).unwrap();
        assert!(!this.is_dead());
        assert!(dead().is_dead());
        let later = Holder {
            started: this.started + 1,
            ..this.clone()
        };
        assert!(later.is_dead(), "the pid is another process's now");
        let survived = Holder {
            others: vec![RankProcess::this()],
            ..dead()
        };
        assert!(!survived.is_dead(), "another rank may still write");
        assert!(!elsewhere().is_dead());
        let apart = Holder {
            pid_namespace: "pid:[1]".to_owned(),
            ..dead()
        };
        assert!(!apart.is_dead());
        // Our own parent, whoever's it is, lives.
        let first = Process::read(std::os::unix::process::parent_id()).unwrap();
        assert!(first.is_none_or(|first| !first.is_over));
        // Ended, and not yet waited for.
        let mut child = Command::new("true").spawn().unwrap();
        let started = Process::read(child.id()).unwrap().unwrap().started;
        let zombie = Holder {
            pid: child.id(),
            started,
            ..this
        };
        while !zombie.is_dead() {
            std::thread::yield_now();
        }
        child.wait().unwrap();
    }

    #[test]
    fn a_user_reads_who_it_is() {
        let holder = Holder {
            host: "node7".to_owned(),
            pid: 42,
            slurm_job: Some("1234".to_owned()),
            since: "2026-01-31T12:00:00Z".to_owned(),
            ..Holder::this("send", &Crew::default()).unwrap()
        };
        assert_eq!(
            holder.to_string(),
            "'send' on node7, process 42, Slurm job 1234, since 2026-01-31T12:00:00Z"
        );
    }
}
