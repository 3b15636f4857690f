//! What `msm_os help` tells beside the help of commands.
//!
//! Key function: [`topic`].

use std::ffi::OsString;

use clap::Command;

use crate::cli::Exit;
use crate::cli::settings::variables;

/// The topics, below the help of the program.
pub(super) const ALL: &str = "Topics:
  msm_os help COMMAND      The help of a command, with examples
  msm_os help exit-codes   What the exit codes mean
  msm_os help environment  The variables that give flags, and what comes before what";

/// What `line` asks for, if it is `help` on a topic.
pub(in crate::cli) fn topic(grammar: &Command, line: &[OsString]) -> Option<String> {
    let [_, help, topic] = line else { return None };
    if help != "help" {
        return None;
    }
    match topic.to_str()? {
        "exit-codes" => Some(exit_codes()),
        "environment" => Some(environment(grammar)),
        _ => None,
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
