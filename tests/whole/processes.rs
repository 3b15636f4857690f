//! The processes of a run of the program, to kill some of them.

use rustix::process::{Pid, Signal, kill_process};

/// Kills all processes of the program below `launcher`, or those of one rank.
pub fn kill(launcher: u32, rank: Option<usize>) {
    signal(launcher, rank, Signal::KILL);
}

/// Sends a signal to all processes of the program below `launcher`, or to those of one rank.
pub fn signal(launcher: u32, rank: Option<usize>, signal: Signal) {
    for pid in called("msm_os", launcher) {
        if rank.is_none() || rank_of(pid) == rank {
            send(pid, signal);
        }
    }
}

/// Sends a signal to the `mpirun` below `launcher`.
pub fn signal_mpirun(launcher: u32, signal: Signal) {
    for pid in called("mpirun", launcher) {
        send(pid, signal);
    }
}

fn send(pid: u32, signal: Signal) {
    // It may have ended meanwhile.
    let _ = kill_process(Pid::from_raw(pid as i32).unwrap(), signal);
}

/// The processes of this name below `launcher`.
fn called(name: &str, launcher: u32) -> Vec<u32> {
    let is_called = |pid: &u32| {
        let found = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
        found.trim() == name
    };
    descendants(launcher)
        .into_iter()
        .filter(is_called)
        .collect()
}

/// The rank of a process that mpirun started.
fn rank_of(pid: u32) -> Option<usize> {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
    let mut variables = environment.split(|byte| *byte == 0);
    let name = b"OMPI_COMM_WORLD_RANK=".as_slice();
    let rank = variables.find_map(|variable| variable.strip_prefix(name))?;
    std::str::from_utf8(rank).ok()?.parse().ok()
}

fn descendants(parent: u32) -> Vec<u32> {
    let mut all = children(parent);
    let mut next = 0;
    while let Some(&pid) = all.get(next) {
        all.extend(children(pid));
        next += 1;
    }
    all
}

/// The children of a process; none if it is no more.
fn children(parent: u32) -> Vec<u32> {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{parent}/task")) else {
        return Vec::new();
    };
    let lists = threads
        .filter_map(|thread| std::fs::read_to_string(thread.ok()?.path().join("children")).ok());
    let lists: Vec<String> = lists.collect();
    let pids = lists.iter().flat_map(|list| list.split_whitespace());
    pids.filter_map(|pid| pid.parse().ok()).collect()
}
