//! Ending the job when another rank has fallen silent: nothing that waits for it would ever end.
//!
//! What the launcher does by itself is not enough. `MPI_Abort` ends the ranks on every host that can be reached, but an
//! `mpirun` that has a host out of reach waits for a quarter of an hour; and where this host is the one that is cut off,
//! `MPI_Abort` does not return. So a guardian outlives this process, and ends the launcher if it still stands then.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use mpi::topology::{Communicator, SimpleCommunicator};
use rustix::process::{Pid, getppid};

use crate::ranks::{Ending, RanksError};

/// MPI gets so long to end this process.
const PATIENCE: Duration = Duration::from_secs(5);
/// Launchers of OpenMPI. Slurm ends what it started by itself, seconds after `MPI_Abort`.
const LAUNCHERS: [&str; 6] = ["mpirun", "mpiexec", "orterun", "orted", "prterun", "prted"];
/// Waits until MPI had its time, and kills the launcher if it is still the same process.
const GUARDIAN: &str =
    r#"sleep 8; [ "$(cut -d' ' -f22 "/proc/$1/stat" 2>/dev/null)" = "$2" ] && kill -KILL "$1""#;

/// Ends this process, all others of the job that can be reached, and the launcher. What the job left, whoever comes next
/// heals.
pub(super) fn end_the_job(why: &RanksError, ending: Ending) -> ! {
    let code = ending(why);
    if let Some(parent) = getppid() {
        guard(parent, ending);
    }
    std::thread::spawn(move || {
        std::thread::sleep(PATIENCE);
        // At once: what MPI would do at an ordinary exit may wait for the others.
        signal_hook::low_level::exit(code);
    });
    SimpleCommunicator::world().abort(code)
}

/// Leaves a guardian behind, in a process group of its own: the launcher kills that of the ranks. It holds none of the
/// launcher's pipes.
fn guard(launcher: Pid, ending: Ending) {
    let pid = launcher.as_raw_nonzero().to_string();
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).ok();
    let name = read("comm").unwrap_or_default();
    // The name, in parentheses, may hold anything; the start is field 22. Names of launchers have no blank.
    let started = read("stat").and_then(|stat| Some(stat.split(' ').nth(21)?.to_owned()));
    let Some(started) = started.filter(|_| LAUNCHERS.contains(&name.trim())) else {
        return;
    };
    let guardian = Command::new("sh")
        .args(["-c", GUARDIAN, "msm_os-guardian", &pid, &started])
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if let Err(cause) = guardian {
        ending(&RanksError::LauncherStays {
            launcher: name.trim().to_owned(),
            cause: cause.to_string(),
        });
    }
}
