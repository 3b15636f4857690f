use std::ffi::OsString;
use std::path::PathBuf;

use clap::Command;

use super::*;
use crate::cli::args::{CommandLine, grammar, parse_among};

fn commands() -> Vec<Command> {
    let mut grammar = grammar().disable_help_subcommand(true);
    grammar.build();
    grammar.get_subcommands().cloned().collect()
}

/// The words of a line as a shell parts them.
fn words(line: &str) -> Vec<OsString> {
    let mut words = Vec::new();
    for (i, part) in line.split('\'').enumerate() {
        match i % 2 {
            0 => words.extend(
                { part.split_whitespace() }
                    .filter(|word| *word != "\\")
                    .map(OsString::from),
            ),
            _ => words.push(part.into()),
        }
    }
    words
}

#[test]
fn every_flag_has_its_heading() {
    for command in commands() {
        for arg in command.get_arguments().filter(|arg| !arg.is_positional()) {
            let flag = arg.get_long().unwrap();
            let told = arg.get_help_heading().is_some() || flag == "help";
            assert!(
                told,
                "--{flag} of {}: give it one in headings.rs",
                command.get_name()
            );
        }
    }
}

#[test]
fn every_command_has_examples_that_parse() {
    for command in commands() {
        let name = command.get_name();
        let of_command = examples::EXAMPLES.iter().find(|(other, _)| *other == name);
        let (_, examples) =
            of_command.unwrap_or_else(|| panic!("{name}: give it one in examples.rs"));
        let help = command
            .clone()
            .term_width(200)
            .render_long_help()
            .to_string();
        for (_, line) in *examples {
            assert!(help.contains(line), "{name}: {line}");
            let words = words(line);
            let begin = words
                .iter()
                .position(|word| word.to_str().unwrap().ends_with("msm_os"));
            let end = words
                .iter()
                .position(|word| word == "|" || word == ">")
                .unwrap_or(words.len());
            let words = words[begin.unwrap()..end].iter();
            let words = words.map(|word| word.to_str().unwrap().trim_end_matches(')').into());
            let words: Vec<OsString> = words.collect();
            assert_eq!(words[1], name);
            match parse_among(words, &|_| None) {
                CommandLine::Command(_) | CommandLine::Answer(_) => {}
                CommandLine::Wrong(failure) => panic!("{line}: {failure}"),
            }
        }
    }
}

/// `MSM_OS_TEST_RENEW=1` writes them anew.
#[test]
fn help_is_as_it_was() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/help"));
    let renews = std::env::var_os("MSM_OS_TEST_RENEW").is_some();
    let whole = grammar().disable_help_subcommand(true);
    let mut all = vec![("msm_os".to_owned(), whole)];
    all.extend(
        commands()
            .into_iter()
            .map(|command| (command.get_name().to_owned(), command)),
    );
    let mut differ = Vec::new();
    for (name, command) in all {
        let help = command.term_width(100).render_long_help().to_string();
        let path = folder.join(format!("{name}.txt"));
        if renews {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, help).unwrap();
        } else if std::fs::read_to_string(&path).unwrap_or_default() != help {
            differ.push(name);
        }
    }
    assert!(
        differ.is_empty(),
        "the help of {differ:?} is another; if it should be: MSM_OS_TEST_RENEW=1 cargo test -p msm_os --lib help_is_as_it_was"
    );
}

#[test]
fn topics_are_told_and_commands_still_are() {
    let answered = |line: &str| match parse_among(words(line), &|_| None) {
        CommandLine::Answer(answer) => answer.text().to_owned(),
        CommandLine::Command(_) => panic!("{line}"),
        CommandLine::Wrong(failure) => failure.to_string(),
    };
    let codes = answered("msm_os help exit-codes");
    assert!(codes.contains("\n  44  a signal ended the run"), "{codes}");
    let environment = answered("msm_os help environment");
    assert!(
        environment
            .contains("  MSM_OS_ON_OVERLAP               --on-overlap                send, plan\n"),
        "{environment}"
    );
    for told in ["MSM_OS_CONFIG ", "MSM_OS_LOG "] {
        let row = environment.lines().find(|line| line.contains(told));
        assert!(row.unwrap().ends_with("all commands"), "{environment}");
    }
    assert!(answered("msm_os help send").contains("--filepaths"));
    assert!(answered("msm_os help").contains("msm_os help exit-codes"));
    for line in [
        "msm_os help exit-codes -h",
        "msm_os help exit-codes --help",
        "msm_os help exit-codes --json",
    ] {
        assert_eq!(answered(line), codes, "{line}");
    }
    for (meant, told) in [("exit-code", "exit-codes"), ("enviroment", "environment")] {
        let told = format!("there is no help on '{meant}' (did you mean '{told}'?)");
        assert_eq!(answered(&format!("msm_os help {meant}")), told);
    }
    assert!(answered("msm_os help sned").contains("unrecognized subcommand 'sned'"));
    for help in ["msm_os send --help", "msm_os list -h", "msm_os --help"] {
        assert!(!answered(help).contains("a signal ended the run"), "{help}");
        assert!(answered(help).contains("msm_os help exit-codes"), "{help}");
    }
    let (short, long) = (answered("msm_os send -h"), answered("msm_os send --help"));
    assert!(short.lines().count() < long.lines().count());
    assert!(
        long.contains("\nReprojection:\n") && short.contains("\nNew stores:\n"),
        "{short}"
    );
}
