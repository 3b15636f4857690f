//! A batch script for Slurm that does what was planned.
//!
//! Key function: [`batch_script`].

use std::ffi::{OsStr, OsString};
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

use super::placement::OWN;
use super::plan::Estimate;
use super::words::{bytes_shown, counted};
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
/// The file of settings is one of them: what it says stands in the line.
const OF_PLAN: [(&str, bool); 8] = [
    ("--config", true),
    // The script says how much.
    ("--memory", true),
    ("--sbatch", false),
    ("--json", false),
    ("--dry-run", false),
    ("--rate", true),
    ("--prices", true),
    ("--ranks", true),
];

/// What a script is made of beside the plan.
#[derive(Clone, Copy)]
pub(super) struct ScriptTerms<'a> {
    /// The command line that planned it.
    pub line: &'a [OsString],
    /// Bytes of data that each rank may hold.
    pub memory: u64,
}

/// The script that sends what `plan` says on these `terms`.
pub(super) fn batch_script(
    plan: &SendPlan,
    terms: ScriptTerms<'_>,
    estimate: Option<&Estimate>,
) -> String {
    let ScriptTerms { line, memory: data } = terms;
    let ranks = plan.ranks;
    let rate = estimate.map_or(SLOW * ranks as u64, |estimate| estimate.rate.bytes);
    let seconds = plan.bytes as f64 / rate as f64;
    let minutes = minutes(seconds);
    let objects = plan.transactions.iter().map(|one| one.size.objects).max();
    let memory = data + OWN + objects.unwrap_or(0) * RECORD;
    let memory = memory.next_multiple_of(STEP) >> 20;
    let by = match estimate {
        Some(Estimate { rate, .. }) => rate.origin(),
        None => "assumed: plan with --rate to say otherwise".to_owned(),
    };
    let mut script = format!(
        "#!/bin/bash\n\
         # Made by msm_os plan: {}, {} decoded, on {}, at most {} of memory a rank for data.\n\
         # What is given to sbatch itself, before the script's name, wins over the lines below; the plan is for this many tasks.\n\
         # MSM_OS names the program when it is not on the PATH:  MSM_OS=$HOME/bin/msm_os sbatch SCRIPT\n\
         \n\
         #SBATCH --job-name=msm-os-send\n\
         #SBATCH --nodes=1\n\
         #SBATCH --ntasks={ranks}\n\
         #SBATCH --cpus-per-task=1\n\
         # For data {} a rank, as --memory says below: what it needs at its peak, and more; and {} for the program itself.\n\
         #SBATCH --mem-per-cpu={memory}M\n\
         # Half as long again as {} take at {}/s ({by}), and ten minutes, up to whole five minutes.\n\
         #SBATCH --time={:02}:{:02}:00\n\
         #SBATCH --output=%x-%j.log\n\
         #SBATCH --open-mode=append\n",
        counted(plan.objects, "objects"),
        bytes_shown(plan.bytes),
        counted(ranks, "ranks"),
        bytes_shown(plan.peak_memory),
        bytes_shown(data),
        bytes_shown(OWN),
        bytes_shown(plan.bytes),
        bytes_shown(rate),
        minutes / 60,
        minutes % 60,
    );
    if !plan.parts.is_empty() {
        script.push_str(
            "# Jobs share the parts of this archive among them; so many at a time:  sbatch --array=1-8%4 SCRIPT\n\
             # Time and memory are for one job that puts all of its parts that are not put yet; without --task K/N, those are all.\n",
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
         # All settings of the plan stand in the line below; others of the shell that submits it do not count.\n\
         unset ${!MSM_OS_@}\n\
         # exec, so that scancel and the time limit reach the ranks.\n\
         exec srun --mpi=pmix --kill-on-bad-exit=1 \"${MSM_OS:-msm_os}\"",
    );
    for word in send_line(line) {
        let _ = write!(script, " {}", quoted(&word));
    }
    let _ = write!(script, " --memory {data}");
    script
}

/// Bytes of data that each rank may hold: what it needs at its peak, and a quarter more, and six times what it sends in all, with which stored
/// chunks are read as often as planned; but no more than was planned with. If the store is
/// another one by then, of which more has to be held, the send says so, and is not killed.
pub(super) fn data_memory(plan: &SendPlan) -> u64 {
    let bytes = plan.work.iter().map(|rank| rank.bytes).max().unwrap_or(0);
    let most = (plan.peak_memory + plan.peak_memory / 4).max(6 * bytes);
    let most = most.next_multiple_of(STEP);
    most.min(plan.memory_limit).max(plan.peak_memory)
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
    let mut is_behind_verb = false;
    while let Some(word) = all.next() {
        if !is_behind_verb && word == "plan" {
            is_behind_verb = true;
            words.push("send".into());
            continue;
        }
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

/// The word as a shell reads it. Variables of Slurm's are read when the job runs, so that tasks of an array can have files of their own.
fn quoted(word: &OsStr) -> String {
    let text = word.to_string_lossy();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.into_owned();
    }
    if !text.split('$').skip(1).any(is_of_slurm) {
        return format!("'{}'", text.replace('\'', r"'\''"));
    }
    let mut shown = String::from("\"");
    for (at, c) in text.char_indices() {
        let is_read = c == '$' && is_of_slurm(&text[at + 1..]);
        if "$`\"\\".contains(c) && !is_read {
            shown.push('\\');
        }
        shown.push(c);
    }
    shown + "\""
}

/// Is it, behind a `$`, the name of a variable of Slurm's?
fn is_of_slurm(text: &str) -> bool {
    let is_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name = text.strip_prefix('{').unwrap_or(text);
    let behind = name.trim_start_matches(is_of_name);
    // Nothing but the name: what a shell could compute from it is a text like others.
    name.starts_with("SLURM_") && (name.len() == text.len() || behind.starts_with('}'))
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
            "send -f a.nc b.nc -b ocean -v tos"
        );
        let line = "msm_os --config plan --log info plan --codec=zstd:1 --config=x.toml -f a.nc -b x --config c.toml --memory=1G";
        assert_eq!(
            sent(line).join(OsStr::new(" ")),
            "--log info send --codec=zstd:1 -f a.nc -b x"
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
    fn variables_of_slurm_are_read_in_the_job() {
        let all = [
            "r-$SLURM_JOB_ID.json",
            "${SLURM_ARRAY_TASK_ID} $HOME",
            "$SLURM_A`ls`\"\\",
            "${SLURM_A:-$(ls)}",
        ];
        let quoted: Vec<String> = all.iter().map(|word| quoted(OsStr::new(word))).collect();
        assert_eq!(
            quoted,
            [
                r#""r-$SLURM_JOB_ID.json""#,
                r#""${SLURM_ARRAY_TASK_ID} \$HOME""#,
                r#""$SLURM_A\`ls\`\"\\""#,
                "'${SLURM_A:-$(ls)}'"
            ]
        );
    }

    #[test]
    fn the_line_may_hold_what_the_script_asks_for() {
        let memory = |peak: u64, limit: u64| {
            data_memory(&SendPlan {
                peak_memory: peak << 20,
                memory_limit: limit << 20,
                ..SendPlan::default()
            }) >> 20
        };
        assert_eq!(memory(7, 1024), 64);
        assert_eq!(memory(400, 1024), 512);
        assert_eq!(memory(900, 1024), 1024);
        assert_eq!(memory(7, 32), 32);
    }

    #[test]
    fn the_time_has_a_margin() {
        assert_eq!(minutes(0.0), 10);
        assert_eq!(minutes(3600.0), 100);
        assert_eq!(minutes(61.0), 15);
    }
}
