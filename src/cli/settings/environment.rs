//! Flags that variables of the environment give: `MSM_OS_BUCKET` for `--bucket`.
//!
//! Key functions: [`name_of`], the variable of a flag; [`read`].

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use clap::{Arg, Command};

use super::{CONFIG, Origin, Setting, Value, flags, is_list, is_switch};
use crate::cli::error::CliError;
use crate::cli::hush::hushed;
use crate::cli::shell::takes_settings;

/// The environment: what a variable says, if it is set.
pub(in crate::cli) type Variable<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The variable that gives the flag of this name.
pub(in crate::cli) fn name_of(flag: &str) -> String {
    format!("MSM_OS_{}", flag.replace('-', "_").to_uppercase())
}

/// The variables of all flags, each with its flag and the commands that have it; none are named of one that all have.
pub(in crate::cli) fn variables(grammar: &Command) -> BTreeMap<String, (String, Vec<String>)> {
    let mut all: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
    let config = (CONFIG.to_owned(), Vec::new());
    all.insert(name_of(CONFIG), config);
    for (_, flag) in flags(grammar) {
        all.insert(name_of(flag), (flag.to_owned(), Vec::new()));
    }
    let commands = grammar.get_subcommands();
    for command in commands.filter(|command| takes_settings(command)) {
        for (_, flag) in flags(command).filter(|(arg, _)| !arg.is_global_set()) {
            let entry = all.entry(name_of(flag));
            let (_, commands) = entry.or_insert_with(|| (flag.to_owned(), Vec::new()));
            commands.push(command.get_name().to_owned());
        }
    }
    all
}

/// The value of a flag's variable; one that is empty is as good as none.
pub(super) fn set(variable: Variable<'_>, flag: &str) -> Option<(String, OsString)> {
    let name = name_of(flag);
    let value = variable(&name).filter(|value| !value.is_empty())?;
    Some((name, value))
}

/// The flags of `command` that the environment gives.
///
/// # Errors
/// If a flag without a value is given one.
pub(super) fn read(command: &Command, variable: Variable<'_>) -> Result<Vec<Setting>, CliError> {
    let given = flags(command).filter_map(|(arg, flag)| {
        let (name, value) = set(variable, flag)?;
        let setting = value_of(arg, &name, &value).map(|value| Setting {
            flag: flag.to_owned(),
            value,
            origin: Origin::Environment(name),
        });
        Some(setting)
    });
    given.collect()
}

fn value_of(arg: &Arg, name: &str, value: &OsStr) -> Result<Value, CliError> {
    if is_switch(arg) {
        return match value.to_str() {
            Some("true" | "1") => Ok(Value::Switch(true)),
            Some("false" | "0") => Ok(Value::Switch(false)),
            _ => Err(CliError::Switch {
                variable: name.to_owned(),
                value: hushed(&value.to_string_lossy()),
            }),
        };
    }
    if !is_list(arg) {
        return Ok(Value::Texts(vec![value.to_owned()]));
    }
    // Names are parted as on a line; those of files may have blanks and commas.
    let are_names = arg.get_value_delimiter().is_some();
    let parts = |byte: &u8| *byte == b'\n' || are_names && (*byte == b',' || *byte == b' ');
    let values = value
        .as_bytes()
        .split(parts)
        .filter(|value| !value.is_empty());
    let values = values.map(|value| OsString::from_vec(value.to_vec()));
    Ok(Value::Texts(values.collect()))
}
