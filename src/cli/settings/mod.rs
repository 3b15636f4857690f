//! Settings beside the line: flags that the environment gives and those of a file of settings. What the line says comes first, then the
//! environment, then the file, then defaults; all of it becomes one line, which is parsed as if it had been typed.
//!
//! Key types: [`ResolvedLine`]; [`Setting`], a flag from beside the line; [`Origin`], where from.

mod bucket_names;
mod config;
mod environment;
mod layers;
mod show;

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

use clap::{Arg, ArgAction, Command, value_parser};

pub(super) use self::environment::{Variable, variables};
pub(super) use self::layers::ResolvedLine;

/// The flag that names a file of settings.
const CONFIG: &str = "config";
/// The flag that shows all settings.
const SHOW: &str = "show-config";

/// The flags of this room, which every command has.
pub(super) fn arguments() -> [Arg; 2] {
    [
        Arg::new(CONFIG)
            .long(CONFIG)
            .global(true)
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .help("File of settings (TOML): flags by their names, for what neither the line nor the environment says")
            .long_help(
                "File of settings (TOML): flags by their names, for what neither the line nor the environment says\n\n\
                 Those at its top are for all commands that have them, those of a table such as [send] for that command. \
                 The page docs/settings.md tells more.",
            ),
        Arg::new(SHOW)
            .long(SHOW)
            .global(true)
            .action(ArgAction::SetTrue)
            .help("Print each setting of the command with its value and where that came from, and do nothing else"),
    ]
}

/// Where a setting came from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Origin {
    /// A variable of the environment.
    Environment(String),
    /// A line of the file of settings.
    File(PathBuf, u32),
}

/// What a setting says.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    /// A flag without a value is given, or is not.
    Switch(bool),
    /// A flag is given these.
    Texts(Vec<OsString>),
}

/// A flag from beside the line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Setting {
    /// The flag's name, without dashes.
    flag: String,
    value: Value,
    origin: Origin,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(name) => write!(f, "environment, {name}"),
            Self::File(path, line) => write!(f, "{}, line {line}", path.display()),
        }
    }
}

impl Setting {
    /// The words of the line that say it.
    fn words(&self) -> Vec<OsString> {
        let flag = format!("--{}", self.flag);
        match &self.value {
            Value::Switch(false) => Vec::new(),
            Value::Switch(true) => vec![flag.into()],
            Value::Texts(values) => { values.iter() }
                .map(|value| {
                    let mut word = OsString::from(format!("{flag}="));
                    word.push(value);
                    word
                })
                .collect(),
        }
    }
}

/// The flags of `command` that can be set beside the line.
fn flags(command: &Command) -> impl Iterator<Item = (&Arg, &str)> {
    let named = command
        .get_arguments()
        .filter_map(|arg| Some((arg, arg.get_long()?)));
    named.filter(|(_, long)| ![CONFIG, SHOW, "help", "version"].contains(long))
}

/// The flag of a name.
fn flag<'a>(command: &'a Command, long: &str) -> Option<&'a Arg> {
    command
        .get_arguments()
        .find(|arg| arg.get_long() == Some(long))
}

/// Does the flag take no value?
fn is_switch(arg: &Arg) -> bool {
    !arg.get_action().takes_values()
}

/// Does the flag take several values?
fn is_list(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append)
}

#[cfg(test)]
mod tests;
