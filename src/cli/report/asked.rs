//! What a run was asked to do, so that it is known whether another was asked the same.
//!
//! Key function: [`asked`].

use std::any::TypeId;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches};

use super::surroundings::without_password;
use crate::cli::args::grammar;

/// Flags that change nothing of what stores hold in the end: how it is told, and how fast it goes.
const BESIDE: [&str; 15] = [
    "config",
    "exit-nothing",
    "help",
    "json",
    "lock-wait",
    "log",
    "max-rate",
    "max-requests",
    "memory",
    "progress",
    "report",
    "resume",
    "show-config",
    "stop-after",
    "version",
];

/// The flags of the command in the line `words`, which has all settings, that are not as they are when not given: their names and values, the
/// flags in the order of their names. Paths are those that hold from any directory.
pub(super) fn asked(words: &[OsString]) -> Vec<String> {
    let mut built = grammar();
    built.build();
    // They make sense, or the command would not run.
    let matches = built.clone().try_get_matches_from(words);
    let Some((verb, matches)) = matches.as_ref().ok().and_then(ArgMatches::subcommand) else {
        return Vec::new();
    };
    let command = built.find_subcommand(verb).into_iter();
    let flags = command.flat_map(clap::Command::get_arguments);
    let mut asked: Vec<String> = flags.filter_map(|arg| told(arg, matches)).collect();
    asked.sort_unstable();
    asked
}

/// The flag's name and values, if it is of what is asked.
fn told(arg: &Arg, matches: &ArgMatches) -> Option<String> {
    let (id, name) = (arg.get_id().as_str(), arg.get_long()?);
    if BESIDE.contains(&name) {
        return None;
    }
    if !arg.get_action().takes_values() {
        return matches.get_flag(id).then(|| format!("--{name}"));
    }
    let values: Vec<&OsStr> = matches.get_raw(id)?.collect();
    let defaults = arg.get_default_values().iter();
    if defaults
        .map(clap::builder::OsStr::as_os_str)
        .eq(values.iter().copied())
    {
        return None;
    }
    let is_path = arg.get_value_parser().type_id() == TypeId::of::<PathBuf>();
    let texts = values.into_iter().map(|value| {
        let whole = is_path.then(|| std::path::absolute(Path::new(value)).ok());
        let text = match whole.flatten() {
            Some(path) => path.to_string_lossy().into_owned(),
            None => value.to_string_lossy().into_owned(),
        };
        without_password(&text)
    });
    let texts: Vec<String> = texts.collect();
    Some(format!("--{name} {}", texts.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Vec<String> {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        asked(&words)
    }

    #[test]
    fn the_same_is_asked_however_it_is_typed_and_told() {
        let plain = of("msm_os send -f a.nc -b ocean -p T1y -v tos,sos");
        let here = std::env::current_dir().unwrap();
        let path = format!("--filepaths {}/a.nc", here.display());
        let expected = [
            "--bucket ocean",
            &path,
            "--prefix T1y",
            "--variables tos sos",
        ];
        assert_eq!(plain, expected);
        for same in [
            "msm_os send --resume --report x.json --filepaths a.nc --variables tos sos -p T1y -b ocean",
            "msm_os --log debug send -b ocean -f ./a.nc --prefix=T1y -v tos -v sos --json --lock-wait 1s",
            "msm_os send -f a.nc -b ocean -p T1y -v tos,sos --append_dim time_counter --max-rate 1M --progress none",
        ] {
            assert_eq!(of(same), plain, "{same}");
        }
        for other in [
            "msm_os send -f a.nc -b ocean -p T1y -v tos",
            "msm_os send -f a.nc -b ocean -v tos,sos",
            "msm_os send -f b.nc -b ocean -p T1y -v tos,sos",
            "msm_os send -f a.nc -b other -p T1y -v tos,sos",
            "msm_os send -f a.nc -b ocean -p T1y -v tos,sos --insert",
            "msm_os send -f a.nc -b ocean -p T1y -v tos,sos --endpoint-url http://s3.org",
        ] {
            assert_ne!(of(other), plain, "{other}");
        }
        let secret = of("msm_os send -f a.nc -b ocean --attributes http://me:secret@s3.org");
        assert!(secret.concat().contains("//***@s3.org"), "{secret:?}");
    }
}
