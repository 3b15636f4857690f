//! The flags of a job that takes part in sending an archive with others.
//!
//! Key type: [`ShareArgs`].

use std::time::Duration;

use clap::Args;

use super::error::CliError;
use crate::verbs::send::{Sharing, TaskNumber};

/// How a job shares in the sending of an archive.
#[derive(Args, Clone, Debug)]
pub(super) struct ShareArgs {
    /// Send the archive together with other jobs that are given the same files and settings: each takes parts until none is left
    ///
    /// Any number of jobs, of any number of ranks, at any time. Readers see a prefix of the archive without gaps, which only grows; what is
    /// put behind a part that is missing waits out of sight. A job that died or was stopped is made up for by running any of them again.
    #[arg(long)]
    pub share: bool,

    /// With --share: take only the parts of task K of N, counted from 0, such as 3/8; `slurm` for the task of a Slurm job array
    #[arg(long, value_name = "K/N", requires = "share")]
    pub task: Option<String>,

    /// With --share: take no other part after so long, such as 11h or 90m
    #[arg(long, value_name = "DURATION", requires = "share", value_parser = humantime::parse_duration)]
    pub stop_after: Option<Duration>,
}

/// What `--task` says for the task of a Slurm job array.
pub(super) const SLURM: &str = "slurm";

impl ShareArgs {
    /// What is asked; `None` if it is not to be shared.
    ///
    /// # Errors
    /// If the task is malformed, or this is no task of a Slurm job array.
    pub(super) fn sharing(&self) -> Result<Option<Sharing>, CliError> {
        let variable = |name: &str| std::env::var(name).ok();
        let task = match self.task.as_deref() {
            None => None,
            Some(SLURM) => Some(of_array(&variable)?),
            Some(text) => Some(parsed(text)?),
        };
        Ok(self.share.then_some(Sharing {
            task,
            stop_after: self.stop_after,
        }))
    }
}

fn parsed(text: &str) -> Result<TaskNumber, CliError> {
    let task = text.split_once('/').and_then(|(number, of)| {
        let (number, of) = (number.parse().ok()?, of.parse().ok()?);
        (number < of).then_some(TaskNumber { number, of })
    });
    task.ok_or_else(|| CliError::Task {
        text: text.to_owned(),
    })
}

/// The task of a Slurm job array, by the variables that Slurm sets.
fn of_array(variable: &impl Fn(&str) -> Option<String>) -> Result<TaskNumber, CliError> {
    let number = |name: &str| {
        let missing = || CliError::NoArray {
            variable: name.to_owned(),
        };
        let found: usize = variable(name)
            .and_then(|text| text.parse().ok())
            .ok_or_else(missing)?;
        Ok::<_, CliError>(found)
    };
    let id = number("SLURM_ARRAY_TASK_ID")?;
    let (least, most) = (
        number("SLURM_ARRAY_TASK_MIN")?,
        number("SLURM_ARRAY_TASK_MAX")?,
    );
    let step = variable("SLURM_ARRAY_TASK_STEP").and_then(|step| step.parse().ok());
    let step = step.unwrap_or(1).max(1);
    let (behind, span) = (id.saturating_sub(least), most.saturating_sub(least));
    // A list of single numbers is no sequence with a step: some tasks would have the same parts, and others nobody.
    let is_one_of_a_sequence = behind.is_multiple_of(step) && span.is_multiple_of(step);
    let of = span / step + 1;
    let count = variable("SLURM_ARRAY_TASK_COUNT").and_then(|count| count.parse().ok());
    if !is_one_of_a_sequence || count.is_some_and(|count: usize| count != of) {
        return Err(CliError::UnevenArray { least, most, step });
    }
    Ok(TaskNumber {
        number: behind / step,
        of,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(variables: &[(&str, &str)]) -> Result<TaskNumber, CliError> {
        of_array(&|name: &str| {
            let found = variables.iter().find(|(set, _)| name.ends_with(set));
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn tasks_as_people_and_slurm_say_them() {
        let task = |number, of| Ok(TaskNumber { number, of });
        assert_eq!(parsed("3/8"), task(3, 8));
        for wrong in ["8/8", "3", "/8", "a/8", "-1/8", "1/0"] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
        let sequence = [("_ID", "7"), ("_MIN", "3"), ("_MAX", "11"), ("_STEP", "2")];
        assert_eq!(array(&sequence), task(2, 5));
        assert_eq!(
            array(&[("_ID", "0"), ("_MIN", "0"), ("_MAX", "44")]),
            task(0, 45)
        );
        let list = [
            ("_ID", "7"),
            ("_MIN", "3"),
            ("_MAX", "11"),
            ("_STEP", "1"),
            ("_COUNT", "3"),
        ];
        assert!(array(&list).is_err());
        assert!(array(&[]).is_err());
    }
}
