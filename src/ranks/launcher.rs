//! What launchers tell the processes that they start, and refusing silent singletons: a program that knows no MPI, or is
//! linked to one but started by another's launcher, runs as N processes that each think they are alone, and all write the
//! same store.

use std::sync::OnceLock;

use super::error::RanksError;

/// The number of processes. Not `SLURM_NTASKS`: a plain batch script has it too.
const SIZES: [&str; 3] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"];
/// What the names of variables begin with that launchers set for their processes, and nobody else: PMI and PMIx, whoever speaks them, Slurm's
/// steps, and those of Cray, Flux, IBM, MVAPICH and Hydra.
const OF_LAUNCHERS: [&str; 13] = [
    "OMPI_COMM_WORLD_",
    "PMI_",
    "PMI2_",
    "PMIX_",
    "SLURM_STEP_",
    "PALS_",
    "ALPS_APP_",
    "FLUX_",
    "JSM_",
    "MV2_COMM_WORLD_",
    "MPIRUN_",
    "HYDRA_",
    "HYDI_",
];
/// What is in the names of variables by which any launcher tells its processes apart. A batch script of Slurm has none.
const RANK: &str = "RANK";

/// Did a launcher start this process, perhaps as one of several? Where it is in doubt, MPI is asked. The answer is that of the first time
/// it is asked for: an MPI that is started without a launcher sets what launchers set.
pub fn is_launched() -> bool {
    static IS_LAUNCHED: OnceLock<bool> = OnceLock::new();
    *IS_LAUNCHED.get_or_init(|| {
        let mut names = std::env::vars_os().map(|(name, _)| name);
        names.any(|name| is_of_launcher(&name.to_string_lossy()))
    })
}

/// Is this variable one that launchers set for the processes that they start?
fn is_of_launcher(name: &str) -> bool {
    OF_LAUNCHERS.iter().any(|start| name.starts_with(start)) || name.contains(RANK)
}

/// What a launcher, or a batch system, tells of the job that this process is of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LaunchedJob {
    /// Are there ranks on other machines?
    pub spread: bool,
    /// The Slurm job, if it is one.
    pub slurm_job: Option<String>,
    /// What the MPI library calls itself, if there is one.
    pub library: Option<String>,
}

impl LaunchedJob {
    /// As `variable` gives it.
    pub(super) fn told(variable: &impl Fn(&str) -> Option<String>) -> Self {
        let number = |name: &str| variable(name)?.trim().parse::<u64>().ok();
        let all = number("OMPI_COMM_WORLD_SIZE");
        Self {
            spread: all > number("OMPI_COMM_WORLD_LOCAL_SIZE").or(all)
                || number("SLURM_STEP_NUM_NODES").is_some_and(|nodes| nodes > 1),
            slurm_job: variable("SLURM_JOB_ID").filter(|job| !job.is_empty()),
            library: None,
        }
    }
}

/// Does `job` as the only rank, without MPI: where no launcher started this process, that takes a third of a second to find out the same.
///
/// # Errors
/// If a launcher started more than this process, or `job` panicked.
#[cfg_attr(feature = "mpi", expect(unreachable_pub))] // Without MPI, it is what programs call.
pub fn run<T: Send>(
    _: super::Ending,
    job: impl FnOnce(&super::Ranks) -> T + Send,
) -> Result<T, RanksError> {
    let variable = |name: &str| std::env::var(name).ok();
    refuse_silent_singletons(1, variable)?;
    let ranks = super::Ranks {
        launched: LaunchedJob::told(&variable),
        ..super::Ranks::alone()
    };
    let job = std::panic::AssertUnwindSafe(|| job(&ranks));
    std::panic::catch_unwind(job).map_err(|_| RanksError::Panicked)
}

/// Fails if this process knows of one rank only and the launcher says there are more.
pub(super) fn refuse_silent_singletons(
    size: usize,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(), RanksError> {
    if size > 1 {
        return Ok(());
    }
    for name in SIZES {
        let started = variable(name).and_then(|value| value.trim().parse::<usize>().ok());
        if let Some(started) = started.filter(|&n| n > 1) {
            let variable = name.to_owned();
            return Err(RanksError::Singleton { variable, started });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(name: &'static str, value: &'static str) -> impl Fn(&str) -> Option<String> {
        move |asked| (asked == name).then(|| value.to_owned())
    }

    #[test]
    fn one_of_many_is_refused() {
        for name in SIZES {
            let refused = refuse_silent_singletons(1, started(name, "4")).unwrap_err();
            assert!(refused.to_string().contains(name));
        }
    }

    #[test]
    fn whoever_starts_several_processes_is_known_and_settings_are_not_taken_for_it() {
        for launched in [
            "OMPI_COMM_WORLD_RANK",
            "PMI_RANK",
            "PMI_SIZE",
            "PMI_FD",
            "PMIX_NAMESPACE",
            "PMIX_RANK",
            "SLURM_STEP_NUM_TASKS",
            "PALS_RANKID",
            "FLUX_TASK_LOCAL_ID",
            "JSM_NAMESPACE_SIZE",
            "MV2_COMM_WORLD_SIZE",
            "MPI_LOCALRANKID",
            "SOME_NEW_LAUNCHER_RANK",
        ] {
            assert!(is_of_launcher(launched), "{launched}");
        }
        for name in SIZES {
            assert!(is_of_launcher(name), "{name}");
        }
        for other in [
            "OMPI_MCA_btl",
            "OMPI_ALLOW_RUN_AS_ROOT",
            "SLURM_NTASKS",
            "SLURM_PROCID",
            "SLURM_JOB_ID",
            "PATH",
        ] {
            assert!(!is_of_launcher(other), "{other}");
        }
    }

    #[test]
    fn a_job_that_fits_is_let_through() {
        assert!(refuse_silent_singletons(4, started("OMPI_COMM_WORLD_SIZE", "4")).is_ok());
        assert!(refuse_silent_singletons(1, started("PMI_SIZE", "1")).is_ok());
        assert!(refuse_silent_singletons(1, started("SLURM_NTASKS", "4")).is_ok());
        assert!(refuse_silent_singletons(1, |_| None).is_ok());
    }

    #[test]
    fn a_job_on_several_machines_is_known() {
        let told = |told: &'static [(&'static str, &'static str)]| {
            move |name: &str| {
                let found = told.iter().find(|(other, _)| *other == name);
                found.map(|(_, value)| (*value).to_owned())
            }
        };
        assert!(!LaunchedJob::told(&told(&[])).spread);
        assert!(!LaunchedJob::told(&told(&[("OMPI_COMM_WORLD_SIZE", "4")])).spread);
        assert!(
            !LaunchedJob::told(&told(&[
                ("OMPI_COMM_WORLD_SIZE", "4"),
                ("OMPI_COMM_WORLD_LOCAL_SIZE", "4")
            ]))
            .spread
        );
        assert!(
            LaunchedJob::told(&told(&[
                ("OMPI_COMM_WORLD_SIZE", "4"),
                ("OMPI_COMM_WORLD_LOCAL_SIZE", "2")
            ]))
            .spread
        );
        assert!(LaunchedJob::told(&told(&[("SLURM_STEP_NUM_NODES", "2")])).spread);
        assert!(!LaunchedJob::told(&told(&[("SLURM_STEP_NUM_NODES", "1")])).spread);
    }
}
