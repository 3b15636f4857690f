//! What `msm_os help` tells beside the help of commands.
//!
//! Key function: [`topic`].

use std::ffi::OsString;

use clap::Command;
use msm_model::meant;

use crate::cli::Exit;
use crate::cli::error::CliError;
use crate::cli::settings::variables;

/// The topics, below the help of the program.
pub(super) const ALL: &str = "Topics:
  msm_os help COMMAND      The help of a command, with examples
  msm_os help exit-codes   What the exit codes mean
  msm_os help environment  The variables that give flags, and what comes before what";

/// What those topics are called that are no commands, and what they tell.
pub(in crate::cli) const TOPICS: [(&str, &str); 2] = [
    ("exit-codes", "What the exit codes mean"),
    ("environment", "The variables that give flags"),
];

/// What `line` asks for, if it is `help` on a topic, whatever flags of all commands are behind it.
///
/// # Errors
/// If there is no such topic, but one that may have been meant.
pub(in crate::cli) fn topic(
    grammar: &Command,
    line: &[OsString],
) -> Option<Result<String, CliError>> {
    let [_, help, topic, flags @ ..] = line else {
        return None;
    };
    let is_for_all = |flag: &OsString| flag == "-h" || flag == "--help" || flag == "--json";
    if help != "help" || !flags.iter().all(is_for_all) {
        return None;
    }
    match topic.to_str()? {
        "exit-codes" => Some(Ok(exit_codes())),
        "environment" => Some(Ok(environment(grammar))),
        command if grammar.find_subcommand(command).is_some() => None,
        other => {
            let meant = meant(other, TOPICS.iter().map(|(name, _)| *name));
            let problem = format!("there is no help on '{other}'{meant}");
            (!meant.is_empty()).then(|| Err(CliError::line(&problem)))
        }
    }
}

fn exit_codes() -> String {
    let rows =
        { Exit::ALL.iter() }.map(|(exit, meaning)| format!("{:>4} {meaning}\n", exit.code()));
    format!("Exit codes:\n{}", rows.collect::<String>())
}

fn environment(grammar: &Command) -> String {
    let rows = variables(grammar).into_iter().map(|(name, (flag, of))| {
        let of = match of.len() {
            0 => "all commands".to_owned(),
            few if few <= FEW => of.join(", "),
            _ => "most commands".to_owned(),
        };
        format!("  {name:<32}--{flag:<26}{of}\n")
    });
    let rows: String = rows.collect();
    format!("{ENVIRONMENT}\n\nVariables:\n{rows}\n{ACCESS}\n")
}

/// So many commands are named.
const FEW: usize = 6;

const ENVIRONMENT: &str = "\
Every flag can be given by a variable of the environment. A flag on the line comes before its
variable, this before the file of --config, and that before the default. --show-config shows for
any command which of them it was.

Flags without a value: true or 1, false or 0. Several names: with blanks or commas between them;
several files: each on a line of its own. A variable that is empty is as good as none. What
contradicts a flag on the line, or needs one that is not given, is left aside.";

const ACCESS: &str = "\
Keys for the object store are in AWS_ACCESS_KEY_ID and the others that `msm_os help send` names at
--credentials.";
