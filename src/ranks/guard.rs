//! Refusing silent singletons: a program linked to one MPI but started by another's launcher runs as N processes that
//! each think they are alone, and all write the same store.

use crate::exit::{Exit, Failure};

/// What launchers tell their processes of the number of ranks. Not `SLURM_NTASKS`: a plain batch script has it too.
const RANKS: [&str; 3] = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"];

/// Fails if MPI knows of one rank only and the launcher says there are more.
pub(super) fn refuse_silent_singletons(
    size: usize,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(), Failure> {
    if size > 1 {
        return Ok(());
    }
    for name in RANKS {
        let started = variable(name).and_then(|value| value.trim().parse::<usize>().ok());
        if let Some(started) = started.filter(|&n| n > 1) {
            let message = format!(
                "the launcher started {started} processes ({name}={started}), but MPI connects only this one: the \
                 launcher belongs to another MPI than the program; under Slurm use srun --mpi=pmix, else the mpirun \
                 of the MPI that msm_os was built with; nothing was written"
            );
            return Err(Failure::new(Exit::Launcher, message));
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
        for name in RANKS {
            let refused = refuse_silent_singletons(1, started(name, "4")).unwrap_err();
            assert_eq!(refused.exit, Exit::Launcher);
            assert!(refused.message.contains(name));
        }
    }

    #[test]
    fn a_job_that_fits_is_let_through() {
        assert!(refuse_silent_singletons(4, started("OMPI_COMM_WORLD_SIZE", "4")).is_ok());
        assert!(refuse_silent_singletons(1, started("PMI_SIZE", "1")).is_ok());
        assert!(refuse_silent_singletons(1, started("SLURM_NTASKS", "4")).is_ok());
        assert!(refuse_silent_singletons(1, |_| None).is_ok());
    }
}
