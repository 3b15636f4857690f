//! One line out of the line that was typed, the environment and the file of settings.
//!
//! Key type: [`ResolvedLine`]. What is typed comes first: what contradicts it, or needs what is not there, is left aside.

use std::any::TypeId;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use super::bucket_names::BucketNames;
use super::environment::{self, Variable};
use super::{CONFIG, Origin, SHOW, Setting, Value, config, flag};
use crate::cli::error::CliError;
use crate::cli::location::{PlacedBucket, SpreadLine, placed, places};
use crate::cli::shell::takes_settings;

/// A line that has all settings.
pub(in crate::cli) struct ResolvedLine {
    pub words: Vec<OsString>,
    /// What was typed otherwise.
    notes: Vec<String>,
    /// Are the settings to be shown, and nothing to be done?
    pub shows: bool,
    /// The command, if there is one.
    pub(super) verb: Option<String>,
    /// The settings that are not of the line as it was typed.
    pub(super) settings: Vec<Setting>,
    /// Those that were left aside, each with the reason.
    pub(super) left_aside: Vec<(Setting, String)>,
    /// Why no place in a bucket holds, though one was said of the very bucket that is named.
    lost_place: Option<String>,
}

impl ResolvedLine {
    /// A line as it was typed.
    pub(in crate::cli) fn plain(words: Vec<OsString>) -> Self {
        Self {
            words,
            notes: Vec::new(),
            shows: false,
            verb: None,
            settings: Vec::new(),
            left_aside: Vec::new(),
            lost_place: None,
        }
    }

    /// The line that was typed, with what `variable`, the environment, and a file of settings say beside it.
    ///
    /// # Errors
    /// If one of these makes no sense. What is wrong with the line itself is found when it is parsed.
    pub(in crate::cli) fn of(
        grammar: &Command,
        typed: SpreadLine,
        variable: Variable<'_>,
    ) -> Result<Self, CliError> {
        let SpreadLine { args: typed, notes } = typed;
        let plain = |words| Self {
            notes: notes.clone(),
            ..Self::plain(words)
        };
        let mut lenient = grammar.clone().ignore_errors(true);
        let Ok(matches) = lenient.try_get_matches_from_mut(&typed) else {
            return Ok(plain(typed)); // for help
        };
        let Some((verb, matches)) = matches.subcommand() else {
            return Ok(plain(typed));
        };
        // Of all commands, this one is built now.
        let Some(command) = lenient.find_subcommand(verb) else {
            return Ok(plain(typed));
        };
        let mut line = Self {
            shows: matches.get_flag(SHOW),
            verb: Some(verb.to_owned()),
            ..plain(typed)
        };
        if !takes_settings(command) {
            return Ok(line);
        }
        let mut layers = vec![environment::read(command, variable)?];
        let mut file = matches.get_one::<PathBuf>(CONFIG).cloned();
        if file.is_none()
            && let Some((name, path)) = environment::set(variable, CONFIG)
        {
            line.settings.push(Setting {
                flag: CONFIG.to_owned(),
                value: Value::Texts(vec![path.clone()]),
                origin: Origin::Environment(name),
            });
            file = Some(path.into());
        }
        if let Some(path) = file {
            let mut built = grammar.clone();
            built.build();
            layers.extend(config::read(&path, &built, verb)?);
        }
        line.take(command, matches, layers)?;
        if line.settings.is_empty() {
            return Ok(line);
        }
        line.settings
            .iter()
            .try_for_each(|setting| setting.is_text(command))?;
        line.leave_what_needs_more(grammar);
        line.words = line.with(grammar, &line.settings);
        Ok(line)
    }

    /// Takes what is not said already, or contradicts what is, from each of the `layers` in turn.
    ///
    /// # Errors
    /// If one of them says in two ways where in a bucket.
    fn take(
        &mut self,
        command: &Command,
        typed: &ArgMatches,
        layers: Vec<Vec<Setting>>,
    ) -> Result<(), CliError> {
        let is_typed = |arg: &&Arg| {
            let source = typed.value_source(arg.get_id().as_str());
            source == Some(ValueSource::CommandLine)
        };
        let mut given: Vec<&Arg> = command.get_arguments().filter(is_typed).collect();
        let mut said: BTreeSet<String> = { given.iter() }
            .filter_map(|arg| arg.get_long().map(str::to_owned))
            .collect();
        let mut named = BucketNames::typed(command, typed);
        for layer in layers {
            let mut now = Vec::new();
            for setting in self.apart(&layer, &said, &mut named)? {
                let Some(arg) = flag(command, &setting.flag) else {
                    continue;
                };
                if !said.insert(setting.flag.clone()) {
                    continue;
                }
                if setting.value == Value::Switch(false) {
                    self.settings.push(setting);
                    continue;
                }
                // Where in a bucket gives way to another place alone: without it, the command would be for more than was meant.
                let gives_way = |other: &&&Arg| {
                    conflict(command, arg, other) && (is_place(other) || !is_place(arg))
                };
                if let Some(other) = given.iter().find(gives_way) {
                    let other = other.get_long().unwrap_or(other.get_id().as_str());
                    self.left_aside
                        .push((setting, format!("--{other} is given")));
                } else {
                    now.push(arg);
                    named.hear(&setting);
                    self.settings.push(setting);
                }
            }
            given.extend(now);
        }
        self.lost_place = named.lost_place(&said);
        Ok(())
    }

    /// Refuses to change more than was meant: the bucket is named again, without the place in it that a setting says.
    ///
    /// # Errors
    /// If so; a `/` behind the bucket, or a place, says what is meant.
    pub(in crate::cli) fn has_its_place(&self) -> Result<(), CliError> {
        match &self.lost_place {
            Some(problem) => Err(CliError::line(problem)),
            None => Ok(()),
        }
    }

    /// The settings of a `layer`, in which a bucket with a place in it is two, as it is two flags of a line: without the place where
    /// either of them is `said` already.
    ///
    /// # Errors
    /// If the layer says another place besides.
    fn apart(
        &mut self,
        layer: &[Setting],
        said: &BTreeSet<String>,
        named: &mut BucketNames,
    ) -> Result<Vec<Setting>, CliError> {
        let mut apart = Vec::with_capacity(layer.len() + 1);
        for setting in layer {
            let flag = format!("--{}", setting.flag);
            let placed = setting.text().and_then(|text| placed(&flag, text));
            let Some(PlacedBucket {
                bucket,
                place,
                flag: of_place,
            }) = placed
            else {
                apart.push(setting.clone());
                continue;
            };
            let of = |flag: &str, value: &str| Setting {
                flag: flag.trim_start_matches('-').to_owned(),
                value: Value::Texts(vec![value.into()]),
                origin: setting.origin.clone(),
            };
            let is_said = |flag: &&&str| said.contains(flag.trim_start_matches('-'));
            let places = places(&flag);
            let bucket_flag = [flag.as_str()];
            let given = { bucket_flag.iter().find(is_said) }.or(places.iter().find(is_said));
            if let Some(given) = given {
                let why = format!("it is '{place}' in {bucket}, and {given} is given");
                self.left_aside.push((of(of_place, &place), why));
                named.leave(&flag, &bucket, of_place, &place, &setting.origin);
            }
            apart.push(of(&flag, &bucket));
            let is_place =
                |other: &&Setting| places.contains(&format!("--{}", other.flag).as_str());
            match layer.iter().find(is_place) {
                _ if given.is_some() => {}
                None => apart.push(of(of_place, &place)),
                Some(other) => {
                    let said = other.text().unwrap_or_default();
                    if said.trim_matches('/') != place {
                        return Err(CliError::line(&format!(
                            "{flag} {bucket}/{place} ({}) means '{place}' in the bucket, but --{} says '{said}' ({}); give one of them",
                            setting.origin, other.flag, other.origin
                        )));
                    }
                }
            }
        }
        Ok(apart)
    }

    /// Leaves settings aside that need flags which are not given: a file may have the method of a reprojection that is not asked for.
    fn leave_what_needs_more(&mut self, grammar: &Command) {
        loop {
            let lacking = missing(grammar, &self.with(grammar, &self.settings));
            if lacking.is_empty() {
                return;
            }
            let before = missing(grammar, &self.words);
            let needs = |setting: &Setting| {
                let with_it = missing(grammar, &self.with(grammar, std::slice::from_ref(setting)));
                let mut needed = with_it.difference(&before);
                needed.find(|flag| lacking.contains(*flag)).cloned()
            };
            let needs: Vec<Option<String>> = self.settings.iter().map(needs).collect();
            if needs.iter().all(Option::is_none) {
                return;
            }
            let settings = std::mem::take(&mut self.settings);
            for (setting, needs) in settings.into_iter().zip(needs) {
                match needs {
                    Some(flag) => self.left_aside.push((setting, format!("it needs {flag}"))),
                    None => self.settings.push(setting),
                }
            }
        }
    }

    /// The line as it was typed, with these settings behind its command.
    fn with(&self, grammar: &Command, settings: &[Setting]) -> Vec<OsString> {
        let (before, after) = self.words.split_at(behind_command(grammar, &self.words));
        let settings = settings.iter().flat_map(Setting::words);
        let words = before.iter().cloned().chain(settings);
        words.chain(after.iter().cloned()).collect()
    }

    /// Where flags came from that a message names, if they are not of the line as it was typed; and what was typed otherwise.
    pub(in crate::cli) fn notes_on(&self, message: &str) -> String {
        let is_of_name = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
        let named: BTreeSet<&str> = { message.split("\n\nUsage:").next().unwrap_or_default() }
            .split(|c| !is_of_name(c))
            .filter_map(|word| word.strip_prefix("--"))
            .collect();
        let settings = self.settings.iter();
        let settings = settings.filter(|setting| named.contains(setting.flag.as_str()));
        let lines =
            settings.map(|setting| format!("\n--{} is from: {}", setting.flag, setting.origin));
        let notes = self.notes.iter().map(|note| format!("\n  ({note})"));
        notes.chain(lines).collect()
    }
}

impl Setting {
    /// The one text that it says.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Texts(values) => match &values[..] {
                [value] => value.to_str(),
                _ => None,
            },
            Value::Switch(_) => None,
        }
    }

    /// Is it text, where it has to be?
    ///
    /// # Errors
    /// If it is not: names of files alone can be other bytes.
    fn is_text(&self, command: &Command) -> Result<(), CliError> {
        let Value::Texts(values) = &self.value else {
            return Ok(());
        };
        let is_path = flag(command, &self.flag)
            .is_none_or(|arg| arg.get_value_parser().type_id() == TypeId::of::<PathBuf>());
        if is_path || values.iter().all(|value| value.to_str().is_some()) {
            return Ok(());
        }
        Err(CliError::line(&format!(
            "the value of --{} is no text in UTF-8; it is from: {}",
            self.flag, self.origin
        )))
    }
}

/// Does the flag say where in the bucket?
fn is_place(arg: &Arg) -> bool {
    let long = arg.get_long().unwrap_or_default();
    places("--bucket")
        .iter()
        .any(|place| *place == format!("--{long}"))
}

/// Can two flags not be given together?
pub(super) fn conflict(command: &Command, one: &Arg, other: &Arg) -> bool {
    let excludes = |one: &Arg, other: &Arg| {
        let excluded = command.get_arg_conflicts_with(one);
        excluded.iter().any(|arg| arg.get_id() == other.get_id())
    };
    let are_alternatives = command.get_groups().any(|group| {
        let has = |arg: &Arg| group.get_args().any(|id| id == arg.get_id());
        !group.clone().is_multiple() && has(one) && has(other)
    });
    one.get_id() != other.get_id()
        && (are_alternatives || excludes(one, other) || excludes(other, one))
}

/// The flags that a line lacks, as they are told.
fn missing(grammar: &Command, words: &[OsString]) -> BTreeSet<String> {
    match grammar.clone().try_get_matches_from(words) {
        Err(error) if error.kind() == ErrorKind::MissingRequiredArgument => {
            match error.get(ContextKind::InvalidArg) {
                Some(ContextValue::Strings(flags)) => flags.iter().cloned().collect(),
                _ => BTreeSet::new(),
            }
        }
        _ => BTreeSet::new(),
    }
}

/// How many words of a line come before those behind its command.
fn behind_command(grammar: &Command, words: &[OsString]) -> usize {
    let globals = grammar.get_arguments().filter(|arg| arg.is_global_set());
    let matches = Command::new("msm_os")
        .args(globals)
        .allow_external_subcommands(true)
        .ignore_errors(true)
        .try_get_matches_from(words);
    let behind = matches.ok().and_then(|matches| {
        let (_, behind) = matches.subcommand()?;
        Some(behind.get_many::<OsString>("").map_or(0, Iterator::count))
    });
    words.len() - behind.unwrap_or(0)
}
