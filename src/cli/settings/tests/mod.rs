//! Settings beside the line, a table a file.

mod faults;
mod order;
mod places;
mod shown;

use std::ffi::OsString;
use std::path::Path;

use clap::Command;
use msm_zarr::Version;

use super::*;
use crate::cli::Exit;
use crate::cli::args::{self, CommandLine, Invocation, grammar, parse_among};
use crate::cli::rate::RateArg;
use crate::cli::send::SendArgs;
use crate::transfer::Verification;

type Set<'a> = &'a [(&'a str, &'a str)];

fn parsed(line: &str, environment: Set<'_>) -> CommandLine {
    let variable = |name: &str| {
        let found = environment.iter().find(|(set, _)| *set == name);
        found.map(|(_, value)| OsString::from(value))
    };
    parse_among(line.split(' ').map(OsString::from), &variable)
}

fn send(line: &str, environment: Set<'_>) -> SendArgs {
    match parsed(line, environment) {
        CommandLine::Command(Invocation(command, ..)) => match *command {
            args::Command::Send(args) => args,
            _ => panic!("{line} is not a send"),
        },
        CommandLine::Answer(answer) => panic!("{}", answer.text()),
        CommandLine::Wrong(failure) => panic!("{failure}"),
    }
}

fn wrong(line: &str, environment: Set<'_>) -> String {
    match parsed(line, environment) {
        CommandLine::Wrong(failure) => {
            assert_eq!(Exit::from(&failure), Exit::Usage);
            failure.to_string()
        }
        _ => panic!("{line} is not wrong"),
    }
}

fn shown(line: &str, environment: Set<'_>) -> String {
    match parsed(line, environment) {
        CommandLine::Answer(answer) => answer.text().to_owned(),
        CommandLine::Wrong(failure) => panic!("{failure}"),
        CommandLine::Command(_) => panic!("{line} shows nothing"),
    }
}

/// A file of settings, and the line that names it.
fn configured(line: &str, text: &str) -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ocean.toml");
    std::fs::write(&path, text).unwrap();
    let line = format!("{line} --config {}", path.display());
    (directory, line)
}

fn built() -> Command {
    let mut grammar = grammar();
    grammar.build();
    grammar
}
