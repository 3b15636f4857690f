//! What a job may use where nobody says so, and what a batch log says of it first.
//!
//! Key types: [`Placement`], what the system tells; [`Allowance`], the memory of a rank.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::words::{bytes_shown, counted};

/// Of a rank at most, where it is not asked for more.
const MOST: u64 = 1 << 30;
/// With less, hardly anything can be sent; it is tried, and the plan says what it takes.
const LEAST: u64 = 64 << 20;
/// What the program itself takes on each rank: code, libraries, buffers of sockets.
pub(super) const OWN: u64 = 100 << 20;

/// What the system tells of the place where a rank runs.
pub(super) struct Placement<'a> {
    /// Environment variables.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// Files.
    pub file: &'a dyn Fn(&Path) -> Option<String>,
}

/// The memory that a rank may use for data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Allowance {
    /// So many bytes.
    pub bytes: u64,
    /// Why it is no more, if something limits it.
    pub why: Option<String>,
}

impl Placement<'static> {
    /// That of this process.
    pub(super) fn here() -> Self {
        Self {
            variable: &|name| std::env::var(name).ok(),
            file: &|path| fs::read_to_string(path).ok(),
        }
    }
}

impl Placement<'_> {
    /// The memory of each of `ranks` that share what the job may have on this node.
    pub(super) fn memory(&self, ranks: usize) -> Allowance {
        let limits = [self.slurm(), self.control_group(), self.installed()];
        let least = limits.into_iter().flatten().min_by_key(|(bytes, _)| *bytes);
        let Some((limit, source)) = least else {
            let (bytes, why) = (MOST, None);
            return Allowance { bytes, why };
        };
        let each = limit / (ranks as u64).max(1);
        let bytes = each.saturating_sub(OWN).clamp(LEAST, MOST);
        let why = (bytes < MOST).then(|| {
            format!(
                "{source} gives {} to {}, and the program itself takes {} of each one's",
                bytes_shown(limit),
                counted(ranks, "ranks"),
                bytes_shown(OWN)
            )
        });
        Allowance { bytes, why }
    }

    /// What Slurm gives the job on this node.
    fn slurm(&self) -> Option<(u64, &'static str)> {
        let mebibytes = |name: &str| {
            let text = (self.variable)(name)?;
            let bytes = text.trim().parse::<u64>().ok()?.checked_mul(1 << 20)?;
            // All that there is.
            (bytes > 0).then_some(bytes)
        };
        if let Some(bytes) = mebibytes("SLURM_MEM_PER_NODE") {
            return Some((bytes, "SLURM_MEM_PER_NODE"));
        }
        let cpus: u64 = (self.variable)("SLURM_CPUS_ON_NODE")?.trim().parse().ok()?;
        let each = mebibytes("SLURM_MEM_PER_CPU")?;
        Some((each.checked_mul(cpus)?, "SLURM_MEM_PER_CPU"))
    }

    /// The lowest limit of the control groups that this process is in, of either version.
    fn control_group(&self) -> Option<(u64, &'static str)> {
        let groups = (self.file)(Path::new("/proc/self/cgroup"))?;
        let mut limits = Vec::new();
        for line in groups.lines() {
            let mut words = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(group)) = (words.next(), words.next()) else {
                continue;
            };
            let (root, name) = match controllers {
                "" => ("/sys/fs/cgroup", "memory.max"),
                _ if controllers.split(',').any(|one| one == "memory") => {
                    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
                }
                _ => continue,
            };
            // In a container, the group's own path may not be there: then its root is the group.
            let below = PathBuf::from(group.trim_start_matches('/'));
            for above in below.ancestors() {
                let limit = (self.file)(&Path::new(root).join(above).join(name));
                limits.extend(limit.and_then(|limit| limit.trim().parse::<u64>().ok()));
            }
        }
        Some((limits.into_iter().min()?, "the control group"))
    }

    /// What is in the machine.
    fn installed(&self) -> Option<(u64, &'static str)> {
        let memory = (self.file)(Path::new("/proc/meminfo"))?;
        let total = memory
            .lines()
            .find_map(|line| line.strip_prefix("MemTotal:"));
        let kibibytes: u64 = total?.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some((kibibytes * 1024, "this machine"))
    }

    /// The first line of a batch job's log; `None` outside of one.
    pub(super) fn first_line(&self, command: &str, ranks: usize, memory: u64) -> Option<String> {
        let variable = |name: &str| (self.variable)(name).filter(|text| !text.is_empty());
        let job = variable("SLURM_JOB_ID")?;
        let host = (self.file)(Path::new("/proc/sys/kernel/hostname"));
        let host = host.as_deref().map_or("an unknown host", str::trim);
        let mut words = vec![format!("Slurm job {job}")];
        if let (Some(array), Some(task)) = (
            variable("SLURM_ARRAY_JOB_ID"),
            variable("SLURM_ARRAY_TASK_ID"),
        ) {
            words.push(format!("task {task} of array {array}"));
        }
        let restarts = variable("SLURM_RESTART_COUNT").filter(|count| count != "0");
        words.extend(restarts.map(|count| format!("restart {count}")));
        Some(format!(
            "{command}, version {}, {}, {}, rank 0 on {host}, {} of memory a rank",
            env!("CARGO_PKG_VERSION"),
            words.join(", "),
            counted(ranks, "ranks"),
            bytes_shown(memory)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn allowed(variables: &[(&str, &str)], files: &[(&str, &str)], ranks: usize) -> Allowance {
        let found = |all: &[(&str, &str)], name: &str| {
            let mut all = all.iter();
            all.find(|(other, _)| *other == name)
                .map(|(_, text)| (*text).to_owned())
        };
        let placement = Placement {
            variable: &|name| found(variables, name),
            file: &|path| found(files, path.to_str().unwrap()),
        };
        placement.memory(ranks)
    }

    #[test]
    fn a_rank_gets_its_share_of_the_least_limit() {
        let most = Allowance {
            bytes: GIB,
            why: None,
        };
        assert_eq!(allowed(&[], &[], 4), most);
        let machine = [(
            "/proc/meminfo",
            "MemTotal:       25165824 kB\nMemFree: 1 kB",
        )];
        assert_eq!(allowed(&[], &machine, 4), most);
        assert_eq!(allowed(&[], &machine, 48).bytes, GIB / 2 - OWN);
        let node = allowed(&[("SLURM_MEM_PER_NODE", "2048")], &machine, 4);
        assert_eq!(node.bytes, GIB / 2 - OWN);
        assert!(
            node.why
                .unwrap()
                .starts_with("SLURM_MEM_PER_NODE gives 2.0 GiB to 4 ranks")
        );
        let cpus = [("SLURM_MEM_PER_CPU", "1024"), ("SLURM_CPUS_ON_NODE", "2")];
        assert_eq!(allowed(&cpus, &machine, 4).bytes, GIB / 2 - OWN);
        // All of the node.
        assert_eq!(allowed(&[("SLURM_MEM_PER_NODE", "0")], &machine, 4), most);
        assert_eq!(
            allowed(&[("SLURM_MEM_PER_NODE", "10")], &machine, 4).bytes,
            LEAST
        );
    }

    #[test]
    fn control_groups_of_both_versions_limit_it_at_any_level() {
        let second = [
            ("/proc/self/cgroup", "0::/slurm/job_7/step_0\n"),
            ("/sys/fs/cgroup/slurm/job_7/memory.max", "2147483648\n"),
            ("/sys/fs/cgroup/slurm/job_7/step_0/memory.max", "max\n"),
        ];
        assert_eq!(allowed(&[], &second, 4).bytes, GIB / 2 - OWN);
        let first = [
            (
                "/proc/self/cgroup",
                "9:cpu:/a\n4:memory,hugetlb:/slurm/job_7\n",
            ),
            (
                "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                "9223372036854771712",
            ),
            (
                "/sys/fs/cgroup/memory/slurm/job_7/memory.limit_in_bytes",
                "2147483648",
            ),
        ];
        let found = allowed(&[], &first, 4);
        assert_eq!(found.bytes, GIB / 2 - OWN);
        assert!(
            found
                .why
                .unwrap()
                .starts_with("the control group gives 2.0 GiB")
        );
    }

    #[test]
    fn a_batch_log_says_first_what_it_is_of() {
        let line = |variables: &'static [(&str, &str)]| {
            let variable = |name: &str| {
                let found = variables.iter().find(|(other, _)| *other == name);
                found.map(|(_, text)| (*text).to_owned())
            };
            let file = |_: &Path| Some("node7\n".to_owned());
            let placement = Placement {
                variable: &variable,
                file: &file,
            };
            placement.first_line("send", 4, GIB)
        };
        assert_eq!(line(&[]), None);
        let task = line(&[
            ("SLURM_JOB_ID", "1234"),
            ("SLURM_ARRAY_JOB_ID", "1230"),
            ("SLURM_ARRAY_TASK_ID", "3"),
            ("SLURM_RESTART_COUNT", "1"),
        ]);
        let expected = "Slurm job 1234, task 3 of array 1230, restart 1, 4 ranks, rank 0 on node7, 1.0 GiB of memory a rank";
        assert!(task.unwrap().ends_with(expected));
    }
}
