//! `--show-config`: each setting of a command with its value and where that came from, as a file of settings has it.

use std::ffi::OsStr;
use std::fmt::Write;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use url::Url;

use super::{ResolvedLine, is_list, is_switch};

impl ResolvedLine {
    /// The settings of the command, a line each.
    pub(in crate::cli) fn shown(&self, grammar: &Command) -> String {
        let verb = self.verb.as_deref().unwrap_or_default();
        let mut text = format!("[{verb}]\n");
        let lenient = grammar.clone().ignore_errors(true);
        let matches = lenient.try_get_matches_from(&self.words);
        let mut built = grammar.clone();
        built.build();
        let of_verb = matches.as_ref().ok().and_then(ArgMatches::subcommand);
        if let (Some((_, matches)), Some(command)) = (of_verb, built.find_subcommand(verb)) {
            for arg in command.get_arguments() {
                let name = arg.get_long().unwrap_or(arg.get_id().as_str());
                if !["help", "version", super::SHOW].contains(&name) {
                    let _ = writeln!(text, "{}", self.line(arg, name, matches));
                }
            }
        }
        for (setting, why) in &self.left_aside {
            let (flag, origin) = (&setting.flag, &setting.origin);
            let _ = writeln!(text, "# {flag} of {origin} is left aside: {why}");
        }
        text
    }

    /// The line of a flag.
    fn line(&self, arg: &Arg, name: &str, matches: &ArgMatches) -> String {
        let id = arg.get_id().as_str();
        let beside = self.settings.iter().find(|setting| setting.flag == name);
        let from = match (beside, matches.value_source(id)) {
            (Some(setting), _) => setting.origin.to_string(),
            (None, Some(ValueSource::CommandLine)) => "flag".to_owned(),
            (None, Some(_)) => "default".to_owned(),
            (None, None) => "not set".to_owned(),
        };
        let said = match value(arg, matches) {
            Some(value) => format!("{name} = {value}"),
            None => format!("# {name} ="),
        };
        format!("{said:<40}  # {from}")
    }
}

/// The value of a flag as a file of settings has it.
fn value(arg: &Arg, matches: &ArgMatches) -> Option<String> {
    let id = arg.get_id().as_str();
    if is_switch(arg) {
        return Some(matches.get_flag(id).to_string());
    }
    let values: Vec<String> = matches.get_raw(id)?.map(quoted).collect();
    if is_list(arg) {
        return Some(format!("[{}]", values.join(", ")));
    }
    values.into_iter().next()
}

/// A number, or a text as TOML has it, without the password of a URL.
fn quoted(value: &OsStr) -> String {
    let text = value.to_string_lossy();
    let is_whole = |number: i64| number.to_string() == text;
    if text.parse().is_ok_and(is_whole) {
        return text.into_owned();
    }
    // What JSON escapes is escaped alike in TOML.
    serde_json::Value::from(without_password(&text)).to_string()
}

fn without_password(text: &str) -> String {
    match Url::parse(text) {
        Ok(mut url) if url.password().is_some() => {
            // A URL that has a password can have another.
            let _ = url.set_password(Some("****"));
            url.to_string()
        }
        _ => text.to_owned(),
    }
}
