//! The file of settings: TOML, whose keys are names of flags, at the top for all commands, in tables for one.
//!
//! Key function: [`read`].

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::ops::Range;
use std::path::Path;

use clap::{Arg, Command};
use msm_model::meant;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::{Origin, Setting, Value, flags, is_list, is_switch};
use crate::cli::error::CliError;
use crate::cli::recipe::{RecipeProblem, described, line_of};
use crate::cli::shell::takes_settings;

/// The settings in the file at `path` for the `verb`: those of its table, of the table of the command that it is a plan of, and those of all
/// commands that have them.
///
/// # Errors
/// If the file cannot be read, or something in it is wrong, whatever command it is for.
pub(super) fn read(
    path: &Path,
    grammar: &Command,
    verb: &str,
) -> Result<[Vec<Setting>; 3], CliError> {
    let failed = |cause: String| CliError::ConfigFile {
        path: path.to_owned(),
        cause,
    };
    let bytes = std::fs::read(path).map_err(|cause| failed(cause.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let read = error
            .as_bytes()
            .iter()
            .take(error.utf8_error().valid_up_to());
        let line = 1 + read.filter(|byte| **byte == b'\n').count();
        failed(format!(
            "line {line} is no text in UTF-8; save the file as that"
        ))
    })?;
    settings_of(path, &text, grammar, verb).map_err(|problems| CliError::Config {
        path: path.to_owned(),
        problems,
    })
}

/// The settings that `text`, which is at `path`, has for the `verb`: those of its table, those of the table of the command that it plans, and
/// those of all commands.
pub(super) fn settings_of(
    path: &Path,
    text: &str,
    grammar: &Command,
    verb: &str,
) -> Result<[Vec<Setting>; 3], Vec<RecipeProblem>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let problems = errors.into_iter().map(|error| {
            let span = error.span().unwrap_or_default();
            let hint = named_twice(error.message(), text.get(span.clone()), grammar);
            RecipeProblem::new(text, &span, format!("no TOML: {}{hint}", error.message()))
        });
        return Err(problems.collect());
    }
    let mut file = ConfigText {
        path,
        text,
        problems: Vec::new(),
    };
    let commands = grammar.get_subcommands();
    let commands: Vec<&Command> = commands.filter(|command| takes_settings(command)).collect();
    let is_flag = |key: &str| {
        commands
            .iter()
            .any(|command| arg_of(command, key).is_some())
    };
    let is_command = |key: &str| commands.iter().any(|command| command.get_name() == key);
    let (tables, commons): (Vec<Item<'_>>, Vec<Item<'_>>) = { items(table.get_ref()).into_iter() }
        .partition(|(key, value)| {
            let key: &str = key.get_ref();
            matches!(value.get_ref(), DeValue::Table(_)) && (is_command(key) || !is_flag(key))
        });
    let common = file.settings(&commons, &commands, "", verb);
    let (mut own, mut of_planned) = (Vec::new(), Vec::new());
    for (key, value) in tables {
        let name: &str = key.get_ref();
        let command = { commands.iter() }.find(|command| command.get_name() == name);
        let (Some(command), DeValue::Table(of_command)) = (command, value.get_ref()) else {
            let problem = if grammar.find_subcommand(name).is_some() {
                format!("the command '{name}' takes no settings")
            } else {
                let meant = meant(name, commands.iter().map(|command| command.get_name()));
                format!("there is no command '{name}'{meant}")
            };
            file.wrong(&key.span(), problem);
            continue;
        };
        let settings = file.settings(&items(of_command), &[command], name, name);
        if name == verb {
            own = settings;
        } else if planned_by(verb) == Some(name) {
            of_planned = settings;
        }
    }
    if file.problems.is_empty() {
        return Ok([own, of_planned, common]);
    }
    file.problems
        .sort_by_key(|problem| (problem.line, problem.column));
    Err(file.problems)
}

/// What helps where a `key` is there twice, because a command and a flag are called so: the one has a table, the other a value.
fn named_twice(message: &str, key: Option<&str>, grammar: &Command) -> String {
    let key = key.unwrap_or_default().trim_matches(['[', ']', ' ']);
    let is_flag = |command: &Command| arg_of(command, key).is_some();
    let are_both = grammar.find_subcommand(key).is_some() && grammar.get_subcommands().any(is_flag);
    if !(message.contains("duplicate key") && are_both) {
        return String::new();
    }
    format!(
        "; [{key}] is the table of the command {key}, and so the flag --{key} has to stand in the tables of the commands that have it, such \
         as [send]"
    )
}

/// The command that `verb` says the doings of: what is set for that one counts.
fn planned_by(verb: &str) -> Option<&'static str> {
    (verb == "plan").then_some("send")
}

/// A key with its value.
type Item<'a> = (&'a Spanned<DeString<'a>>, &'a Spanned<DeValue<'a>>);

/// The items of a table, in the order in which they were written.
fn items<'a>(table: &'a DeTable<'a>) -> Vec<Item<'a>> {
    let mut items: Vec<Item<'a>> = table.iter().collect();
    items.sort_by_key(|(key, _)| key.span().start);
    items
}

/// The text of a file of settings, and what was found to be wrong with it.
struct ConfigText<'a> {
    path: &'a Path,
    text: &'a str,
    problems: Vec<RecipeProblem>,
}

impl ConfigText<'_> {
    fn wrong(&mut self, span: &Range<usize>, problem: String) {
        let problem = RecipeProblem::new(self.text, span, problem);
        self.problems.push(problem);
    }

    /// The settings for the command `verb` among `items`, each of which has to be a flag of one of the `commands`. They stand in the
    /// table of a command, or in none.
    fn settings(
        &mut self,
        items: &[Item<'_>],
        commands: &[&Command],
        table: &str,
        verb: &str,
    ) -> Vec<Setting> {
        let mut settings = Vec::new();
        let mut lines: BTreeMap<&str, u32> = BTreeMap::new();
        for (key, value) in items {
            let known = { commands.iter() }
                .filter_map(|command| Some((*command, arg_of(command, key.get_ref())?)));
            let known: Vec<(&Command, &Arg)> = known.collect();
            let is_command = { commands.iter() }.any(|command| command.get_name() == key.get_ref());
            if table.is_empty() && is_command && (known.is_empty() || has_tables(value.get_ref())) {
                let name: &str = key.get_ref();
                let problem = format!("{name} is a command; its settings go into a table [{name}]");
                self.wrong(&key.span(), problem);
                continue;
            }
            let own = known.iter().find(|(command, _)| command.get_name() == verb);
            let Some((_, arg)) = own.or(known.first()) else {
                let problem = unknown(key.get_ref(), commands, table);
                self.wrong(&key.span(), problem);
                continue;
            };
            let line = line_of(self.text, &key.span());
            let flag = arg.get_long().unwrap_or_default();
            if let Some(other) = lines.insert(flag, line) {
                let problem = format!("--{flag} is set twice, here and in line {other}");
                self.wrong(&key.span(), problem);
            }
            match value_of(arg, value.get_ref()) {
                Ok(value) if own.is_some() => settings.push(Setting {
                    flag: flag.to_owned(),
                    value,
                    origin: Origin::File(self.path.to_owned(), line),
                }),
                Ok(_) => {}
                Err(expected) => {
                    let found = described(value.get_ref());
                    let problem = format!("{}: expected {expected}, found {found}", key.get_ref());
                    self.wrong(&value.span(), problem);
                }
            }
        }
        settings
    }
}

/// The flag of `command` that a key means: it may have `-` for `_`, as flags may.
fn arg_of<'a>(command: &'a Command, key: &str) -> Option<&'a Arg> {
    let key = key.replace('_', "-");
    let is_meant = |name: &&str| name.replace('_', "-") == key;
    let mut flags = flags(command);
    let found = flags.find(|(arg, flag)| {
        is_meant(flag)
            || arg
                .get_all_aliases()
                .unwrap_or_default()
                .iter()
                .any(is_meant)
    });
    found.map(|(arg, _)| arg)
}

fn unknown(key: &str, commands: &[&Command], table: &str) -> String {
    let names: BTreeSet<&str> = { commands.iter() }
        .flat_map(|command| flags(command).map(|(_, flag)| flag))
        .collect();
    let meant = meant(key, names.into_iter());
    match table {
        "" => format!("unknown key '{key}': no command has a flag --{key}{meant}"),
        _ => format!("unknown key '{key}': {table} has no flag --{key}{meant}"),
    }
}

/// What the file says of a flag, or what was expected.
fn value_of(arg: &Arg, value: &DeValue<'_>) -> Result<Value, &'static str> {
    match value {
        DeValue::Boolean(on) if is_switch(arg) => Ok(Value::Switch(*on)),
        _ if is_switch(arg) => Err("true or false"),
        DeValue::Table(_) if is_json(arg) => Err("JSON as a text, such as '{\"y\": 100}'"),
        DeValue::Array(values) if is_list(arg) => {
            let texts = values.iter().map(|value| text_of(value.get_ref()));
            let texts: Option<Vec<OsString>> = texts.collect();
            texts.map(Value::Texts).ok_or("a list of texts or numbers")
        }
        value => {
            let text = text_of(value).map(|text| Value::Texts(vec![text]));
            text.ok_or(if is_list(arg) {
                "a text, a number, or a list of them"
            } else {
                "a text or a number"
            })
        }
    }
}

/// Is it a list of tables, as `[[name]]` begins one?
fn has_tables(value: &DeValue<'_>) -> bool {
    let DeValue::Array(values) = value else {
        return false;
    };
    { values.iter() }.any(|value| matches!(value.get_ref(), DeValue::Table(_)))
}

/// Is the flag given JSON?
fn is_json(arg: &Arg) -> bool {
    let names = arg.get_value_names().unwrap_or_default();
    names.iter().any(|name| name == "JSON")
}

/// A value as it is written on a line, if it is a text or a number.
fn text_of(value: &DeValue<'_>) -> Option<OsString> {
    match value {
        DeValue::String(text) => Some(text.to_string().into()),
        DeValue::Integer(whole) => {
            let number = i128::from_str_radix(whole.as_str(), whole.radix()).ok()?;
            Some(number.to_string().into())
        }
        DeValue::Float(number) => Some(number.as_str().to_owned().into()),
        _ => None,
    }
}
