//! A batch script for Slurm that does what was planned.
//!
//! Key function: [`batch_script`].

use std::ffi::{OsStr, OsString};
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

use super::placement::OWN;
use super::plan::Estimate;
use super::words::bytes_shown;
use crate::verbs::send::SendPlan;

/// Bytes a second of a rank, where no rate is given: little for most stores.
const SLOW: u64 = 20 << 20;
/// What a job takes beside its bytes: to start, to read what files hold, to commit.
const START: f64 = 600.0;
/// What rank 0 holds of an object that it plans and records.
const RECORD: u64 = 200;
/// Memory is asked for in steps of so much.
const STEP: u64 = 64 << 20;

/// Flags of `plan` that `send` does not know, or that make a plan of it; and whether a value follows.
const OF_PLAN: [(&str, bool); 5] = [
    ("--sbatch", false),
    ("--json", false),
    ("--dry-run", false),
    ("--rate", true),
    ("--ranks", true),
];

/// The script that sends what `plan` says, by the command line `line` that planned it.
pub(super) fn batch_script(
    plan: &SendPlan,
    line: &[OsString],
    estimate: Option<Estimate>,
) -> String {
    let ranks = plan.ranks;
    let rate = estimate.map_or(SLOW * ranks as u64, |estimate| estimate.rate);
    let seconds = plan.bytes as f64 / rate as f64;
    let minutes = minutes(seconds);
    let objects = plan.transactions.iter().map(|one| one.size.objects).max();
    let memory = plan.peak_memory + OWN + objects.unwrap_or(0) * RECORD;
    let memory = memory.next_multiple_of(STEP) >> 20;
    let by = match estimate {
        Some(_) => "as --rate says",
        None => "assumed: plan with --rate to say otherwise",
    };
    let mut script = format!(
        "#!/bin/bash\n\
         # Made by msm_os plan: {} objects, {} decoded, on {ranks} ranks, at most {} of memory a rank for data.\n\
         # What is given to sbatch itself, before the script's name, wins over the lines below; the plan is for this many tasks.\n\
         # MSM_OS names the program when it is not on the PATH:  MSM_OS=$HOME/bin/msm_os sbatch SCRIPT\n\
         \n\
         #SBATCH --job-name=msm-os-send\n\
         #SBATCH --nodes=1\n\
         #SBATCH --ntasks={ranks}\n\
         #SBATCH --cpus-per-task=1\n\
         # What a rank needs for data at its peak, and {} for the program itself.\n\
         #SBATCH --mem-per-cpu={memory}M\n\
         # Half as long again as {} take at {}/s ({by}), and ten minutes.\n\
         #SBATCH --time={:02}:{:02}:00\n\
         #SBATCH --output=%x-%j.log\n\
         #SBATCH --open-mode=append\n",
        plan.objects,
        bytes_shown(plan.bytes),
        bytes_shown(plan.peak_memory),
        bytes_shown(OWN),
        bytes_shown(plan.bytes),
        bytes_shown(rate),
        minutes / 60,
        minutes % 60,
    );
    if !plan.parts.is_empty() {
        script.push_str(
            "# Jobs share the parts of this archive among them; so many at a time:  sbatch --array=1-8%4 SCRIPT\n",
        );
    }
    script.push_str(
        "\n\
         # Sites usually ask for these; take one # away and fill in.\n\
         ##SBATCH --account=\n\
         ##SBATCH --partition=\n\
         ##SBATCH --qos=\n\
         \n\
         # The MPI that msm_os was built with, where it comes as a module:\n\
         # module load openmpi netcdf-c\n\
         \n\
         set -eu\n\
         # Since 22.05 srun no longer inherits --cpus-per-task.\n\
         export SRUN_CPUS_PER_TASK=\"${SLURM_CPUS_PER_TASK:-1}\"\n\
         # exec, so that scancel and the time limit reach the ranks.\n\
         exec srun --mpi=pmix --kill-on-bad-exit=1 \"${MSM_OS:-msm_os}\"",
    );
    let words = send_line(line);
    let has_memory = words.iter().any(|word| {
        let bytes = word.as_bytes();
        bytes == b"--memory" || bytes.starts_with(b"--memory=")
    });
    for word in &words {
        let _ = write!(script, " {}", quoted(word));
    }
    if !has_memory {
        // Units are as they were planned.
        let _ = write!(script, " --memory {}", plan.memory_limit);
    }
    script
}

/// The time limit, in minutes: half as long again, and what it takes to start; whole steps of five minutes.
fn minutes(seconds: f64) -> u64 {
    let minutes = ((1.5 * seconds + START) / 60.0).ceil();
    (minutes as u64).next_multiple_of(5)
}

/// The words behind the program's name that send what this line of `plan` planned.
fn send_line(line: &[OsString]) -> Vec<OsString> {
    let mut words = Vec::new();
    let mut all = line.iter().skip(1);
    // What stands before the verb is of all verbs.
    for word in all.by_ref() {
        if word == "plan" {
            words.push("send".into());
            break;
        }
        words.push(word.clone());
    }
    while let Some(word) = all.next() {
        let name = word.as_bytes().split(|byte| *byte == b'=').next();
        let name = name.map(OsStr::from_bytes).unwrap_or_default();
        match OF_PLAN.iter().find(|(flag, _)| name == *flag) {
            Some((_, true)) if name.len() == word.len() => {
                all.next();
            }
            Some(_) => {}
            None => words.push(word.clone()),
        }
    }
    words
}

/// The word as a shell reads it.
fn quoted(word: &OsStr) -> String {
    let text = word.to_string_lossy();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.into_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(line: &str) -> Vec<OsString> {
        let line: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        send_line(&line)
    }

    #[test]
    fn what_only_a_plan_knows_is_left_out() {
        let line = "msm_os plan -f a.nc b.nc --rate 200M -b ocean --sbatch -v tos --ranks=4 --dry-run --memory 1G";
        assert_eq!(
            sent(line).join(OsStr::new(" ")),
            "send -f a.nc b.nc -b ocean -v tos --memory 1G"
        );
        let line = "msm_os --log info plan --rate=1G --ranks 3 -f plan -b x";
        assert_eq!(
            sent(line).join(OsStr::new(" ")),
            "--log info send -f plan -b x"
        );
    }

    #[test]
    fn words_are_quoted_where_a_shell_would_read_more() {
        let all = ["a b", "it's", "{\"x\": 1}", "$HOME", "", "run*/x.nc"];
        let quoted: Vec<String> = all.iter().map(|word| quoted(OsStr::new(word))).collect();
        assert_eq!(
            quoted,
            [
                "'a b'",
                r"'it'\''s'",
                "'{\"x\": 1}'",
                "'$HOME'",
                "''",
                "'run*/x.nc'"
            ]
        );
        assert_eq!(
            super::quoted(OsStr::new("file:///a/b_c-1.nc")),
            "file:///a/b_c-1.nc"
        );
    }

    #[test]
    fn the_time_has_a_margin() {
        assert_eq!(minutes(0.0), 10);
        assert_eq!(minutes(3600.0), 100);
        assert_eq!(minutes(61.0), 15);
    }
}
