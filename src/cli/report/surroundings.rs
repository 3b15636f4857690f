//! What a run was: its command line, the program, the job.
//!
//! Key functions: [`arguments`], [`versions`], [`job`].

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::document::{JobPlace, ProgramVersions, SlurmJob};
use crate::source::library_versions;

/// What launchers set, and how they are called.
const LAUNCHERS: [(&str, &str); 4] = [
    ("OMPI_COMM_WORLD_SIZE", "mpirun"),
    ("SLURM_STEP_NUM_TASKS", "srun"),
    ("PMIX_RANK", "prterun"),
    ("PMI_SIZE", "mpiexec"),
];

/// The command line as it was typed, without what opens a door: secrets are in files and in the environment, but a URL could have
/// a password in it.
pub(super) fn arguments(line: impl IntoIterator<Item = OsString>) -> Vec<String> {
    let words = line.into_iter().skip(1);
    words
        .map(|word| without_password(&word.to_string_lossy()))
        .collect()
}

/// `text` without the user and password of URLs in it, and without signatures in their queries.
pub(super) fn without_password(text: &str) -> String {
    let mut pieces = text.split("://");
    let mut clean = pieces.next().unwrap_or_default().to_owned();
    for rest in pieces {
        clean.push_str("://");
        let end = rest.find(['/', '?', '#', ' ', '"', '\'']);
        let (authority, path) = rest.split_at(end.unwrap_or(rest.len()));
        match authority.rsplit_once('@') {
            Some((_, host)) => {
                clean.push_str("***@");
                clean.push_str(host);
            }
            None => clean.push_str(authority),
        }
        clean.push_str(&without_signature(path));
    }
    clean
}

/// `path` without the values of parameters of its query that sign a request.
fn without_signature(path: &str) -> String {
    let Some((path, query)) = path.split_once('?') else {
        return path.to_owned();
    };
    let hushed = query.split('&').map(|pair| {
        let (name, _) = pair.split_once('=').unwrap_or((pair, ""));
        let tells = [
            "signature",
            "credential",
            "token",
            "secret",
            "password",
            "key",
        ];
        let is_secret = tells.iter().any(|word| name.to_lowercase().contains(word));
        if is_secret {
            format!("{name}=***")
        } else {
            pair.to_owned()
        }
    });
    format!("{path}?{}", hushed.collect::<Vec<_>>().join("&"))
}

/// This program, and the libraries it runs with.
pub(super) fn versions(mpi: Option<&str>) -> ProgramVersions {
    let libraries = library_versions().into_iter();
    let libraries = libraries.chain(mpi.map(|mpi| ("mpi", mpi.to_owned())));
    let libraries: BTreeMap<String, String> = libraries
        .map(|(name, version)| (name.to_owned(), version))
        .collect();
    ProgramVersions {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        libraries,
    }
}

/// Where the ranks, on these `hosts`, ran; `variable` is the environment, in which MPI may have put what launchers do if none started
/// them.
pub(super) fn job(
    hosts: &[String],
    task: Option<String>,
    is_launched: bool,
    variable: &impl Fn(&str) -> Option<String>,
) -> JobPlace {
    let set = |name: &str| variable(name).filter(|text| !text.is_empty());
    let mut launchers = LAUNCHERS.iter().filter(|_| is_launched);
    let launcher = launchers.find(|(name, _)| set(name).is_some());
    let mut distinct = hosts.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    JobPlace {
        launcher: launcher.map(|(_, launcher)| (*launcher).to_owned()),
        ranks: hosts.len(),
        hosts: distinct,
        slurm: set("SLURM_JOB_ID").map(|job| SlurmJob {
            job,
            array_job: set("SLURM_ARRAY_JOB_ID"),
            array_task: set("SLURM_ARRAY_TASK_ID"),
            restarts: set("SLURM_RESTART_COUNT"),
        }),
        task,
    }
}

/// The machine on which this rank runs.
pub(super) fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname");
    name.map_or_else(|_| "unknown".to_owned(), |name| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_and_no_signature_is_kept() {
        for (typed, kept) in [
            ("ocean", "ocean"),
            ("s3://ocean/T1y", "s3://ocean/T1y"),
            ("me@host", "me@host"),
            (
                "https://me:se@cret@s3.org/a?b=c",
                "https://***@s3.org/a?b=c",
            ),
            ("http://me@s3.org", "http://***@s3.org"),
            (r#"{"a": "https://u:p@x"}"#, r#"{"a": "https://***@x"}"#),
            (
                "https://s3.org/a?X-Amz-Signature=12ab&v=1",
                "https://s3.org/a?X-Amz-Signature=***&v=1",
            ),
        ] {
            assert_eq!(without_password(typed), kept);
        }
        let line = ["msm_os", "send", "-b", "https://u:p@h"].map(OsString::from);
        assert_eq!(arguments(line), ["send", "-b", "https://***@h"]);
    }

    #[test]
    fn a_task_of_an_array_is_told() {
        let variable = |name: &str| {
            let set = [
                ("SLURM_JOB_ID", "12"),
                ("SLURM_ARRAY_JOB_ID", "10"),
                ("SLURM_ARRAY_TASK_ID", "2"),
                ("SLURM_STEP_NUM_TASKS", "2"),
            ];
            let found = set.iter().find(|(other, _)| *other == name);
            found.map(|(_, text)| (*text).to_owned())
        };
        let hosts = ["n2", "n1", "n2"].map(str::to_owned);
        assert_eq!(job(&hosts, None, false, &variable).launcher, None);
        let job = job(&hosts, None, true, &variable);
        assert_eq!((job.ranks, job.hosts.len()), (3, 2));
        assert_eq!(job.launcher.as_deref(), Some("srun"));
        let slurm = job.slurm.unwrap();
        assert_eq!(slurm.array_task.as_deref(), Some("2"));
        assert_eq!((slurm.job.as_str(), slurm.restarts), ("12", None));
    }
}
