//! `--show-config`: each setting of a command with its value and where that came from, as a file of settings has it.

use std::ffi::OsStr;
use std::fmt::Write;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use super::layers::conflict;
use super::{CONFIG, ResolvedLine, is_list, is_switch};
use crate::cli::hush::hushed;
use crate::cli::shell::takes_settings;

impl ResolvedLine {
    /// The settings of the command, a line each.
    pub(in crate::cli) fn shown(&self, grammar: &Command) -> String {
        let verb = self.verb.as_deref().unwrap_or_default();
        let mut text = String::new();
        let lenient = grammar.clone().ignore_errors(true);
        let matches = lenient.try_get_matches_from(&self.words);
        let mut built = grammar.clone();
        built.build();
        let of_verb = matches.as_ref().ok().and_then(ArgMatches::subcommand);
        if let (Some((_, matches)), Some(command)) = (of_verb, built.find_subcommand(verb)) {
            let comment = if takes_settings(command) { "" } else { "# " };
            let _ = writeln!(text, "{comment}[{verb}]");
            for arg in command.get_arguments() {
                let name = arg.get_long().unwrap_or(arg.get_id().as_str());
                if !["help", "version", super::SHOW].contains(&name) {
                    let _ = writeln!(text, "{}", self.line(arg, name, matches, command));
                }
            }
        }
        for (setting, why) in &self.left_aside {
            let (flag, origin) = (&setting.flag, &setting.origin);
            let _ = writeln!(text, "# {flag} of {origin} is left aside: {}", hushed(why));
        }
        text
    }

    /// The line of a flag.
    fn line(&self, arg: &Arg, name: &str, matches: &ArgMatches, command: &Command) -> String {
        let id = arg.get_id().as_str();
        let beside = self.settings.iter().find(|setting| setting.flag == name);
        let from = match (beside, matches.value_source(id)) {
            (Some(setting), _) => setting.origin.to_string(),
            (None, Some(ValueSource::CommandLine)) => "flag".to_owned(),
            (None, Some(_)) => "default".to_owned(),
            (None, None) => "not set".to_owned(),
        };
        // A file of settings cannot name another, nor what has no flag; and what is said by default can contradict what is given.
        let is_given = |other: &&Arg| {
            matches.value_source(other.get_id().as_str()) == Some(ValueSource::CommandLine)
        };
        let excludes = |other: &Arg| conflict(command, arg, other);
        let is_readable = takes_settings(command)
            && arg.get_long().is_some_and(|long| long != CONFIG)
            && (is_switch(arg)
                || is_given(&arg)
                || !command.get_arguments().filter(is_given).any(excludes));
        let said = match value(arg, matches) {
            Some((value, true)) if is_readable => format!("{name} = {value}"),
            Some((value, _)) => format!("# {name} = {value}"),
            None => format!("# {name} ="),
        };
        format!("{said:<40}  # {from}")
    }
}

/// The value of a flag as a file of settings has it, and whether it is the whole of it.
fn value(arg: &Arg, matches: &ArgMatches) -> Option<(String, bool)> {
    let id = arg.get_id().as_str();
    if is_switch(arg) {
        return Some((matches.get_flag(id).to_string(), true));
    }
    let raw: Vec<&OsStr> = matches.get_raw(id)?.collect();
    let is_whole = |value: &&OsStr| value.to_str().is_some_and(|text| hushed(text) == text);
    let is_whole = raw.iter().all(is_whole);
    let values: Vec<String> = raw.into_iter().map(quoted).collect();
    if is_list(arg) {
        return Some((format!("[{}]", values.join(", ")), is_whole));
    }
    Some((values.into_iter().next()?, is_whole))
}

/// A number, or a text as TOML has it, without the password of a URL.
fn quoted(value: &OsStr) -> String {
    let text = hushed(&value.to_string_lossy());
    let is_whole = |number: i64| number.to_string() == text;
    if text.parse().is_ok_and(is_whole) {
        return text;
    }
    // What JSON escapes is escaped alike in TOML, which escapes one character more.
    serde_json::Value::from(text)
        .to_string()
        .replace('\u{7f}', "\\u007f")
}
