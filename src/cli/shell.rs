//! What the program gives for shells and manuals, without doing any work: completions, man pages.
//!
//! Key types: [`ShellCommand`]; [`Answer`], what is printed, or written, and no more.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::args::SHORT;
use super::error::CliError;
use super::help;
use super::manual::pages;
use super::printer::Printer;

/// What is printed, or written, and no more.
pub struct Answer {
    text: String,
    /// Files to write before, whose folder is made if it is not there.
    files: Vec<(PathBuf, String)>,
}

impl From<String> for Answer {
    fn from(text: String) -> Self {
        let files = Vec::new();
        Self { text, files }
    }
}

impl Answer {
    #[cfg(test)]
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Writes and prints it.
    ///
    /// # Errors
    /// If that cannot be done.
    pub(super) fn give(&self) -> Result<(), CliError> {
        for (path, bytes) in &self.files {
            let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
            let written = folder.and_then(|()| std::fs::write(path, bytes));
            written.map_err(|cause| CliError::Page {
                path: path.clone(),
                cause: cause.to_string(),
            })?;
        }
        let printer = Printer::default();
        printer.print_as_it_is(&self.text);
        printer.verdict()
    }
}

// Commands for the shell. A doc comment would be the whole program's in its help.
#[derive(Subcommand)]
pub(super) enum ShellCommand {
    /// Print the completions for a shell, to be read where it starts
    Completions {
        /// The shell
        #[arg(value_name = "SHELL")]
        shell: CompletedShell,
    },
    /// Print the man page of the program or of a command, or write all of them
    Man(ManArgs),
}

/// A shell that completions are made for.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum CompletedShell {
    /// source <(msm_os completions bash)
    Bash,
    /// msm_os completions zsh > DIR/_msm_os, where DIR is one of $fpath
    Zsh,
    /// msm_os completions fish > ~/.config/fish/completions/msm_os.fish
    Fish,
}

/// What `man` is told.
#[derive(Args)]
pub(super) struct ManArgs {
    /// The command whose page to print [default: the program's own]
    #[arg(value_name = "COMMAND", conflicts_with = "out")]
    command: Option<String>,

    /// Directory to write the pages of the program and of all commands to
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Do the environment and files of settings say anything of the flags of `command`?
pub(super) fn takes_settings(command: &clap::Command) -> bool {
    let name = command.get_name();
    name != "help" && !ShellCommand::has_subcommand(name)
}

impl ShellCommand {
    /// What comes of it, where this is the `grammar` of the command line.
    ///
    /// # Errors
    /// If a man page is asked for that there is not.
    pub(super) fn answer(self, grammar: clap::Command) -> Result<Answer, CliError> {
        match self {
            Self::Completions { shell } => {
                let shell = match shell {
                    CompletedShell::Bash => Shell::Bash,
                    CompletedShell::Zsh => Shell::Zsh,
                    CompletedShell::Fish => Shell::Fish,
                };
                let mut grammar = with_topics(grammar);
                let mut script = Vec::new();
                clap_complete::generate(shell, &mut grammar, "msm_os", &mut script);
                let script = String::from_utf8_lossy(&script).into_owned();
                Ok(with_short(shell, script).into())
            }
            Self::Man(ManArgs { command, out: None }) => {
                let pages = pages(grammar);
                let asked = match &command {
                    Some(command) => format!("msm_os-{command}.1"),
                    None => "msm_os.1".to_owned(),
                };
                let page = pages.into_iter().find(|(name, _)| *name == asked);
                let (_, page) = page.ok_or_else(|| CliError::NoPage {
                    command: command.unwrap_or_default(),
                })?;
                Ok(page.into())
            }
            Self::Man(ManArgs {
                out: Some(directory),
                ..
            }) => {
                let files: Vec<_> = { pages(grammar).into_iter() }
                    .map(|(name, page)| (directory.join(name), page))
                    .collect();
                let text = format!("{} man pages in {}\n", files.len(), directory.display());
                Ok(Answer { text, files })
            }
        }
    }
}

/// `script` with the [two-letter flags](SHORT), which clap does not know: their values, in the shells that have a way to say that.
fn with_short(shell: Shell, script: String) -> String {
    SHORT
        .iter()
        .fold(script, |script, (short, long)| match shell {
            Shell::Bash => script.replace(&format!(" {long})"), &format!(" {long}|{short})")),
            Shell::Fish => {
                let (of_fish, short) = (
                    long.replacen("--", " -l ", 1),
                    short.replacen('-', " -o ", 1),
                );
                script.replace(&format!("{of_fish} "), &format!("{short}{of_fish} "))
            }
            _ => script,
        })
}

/// `grammar` with a `help` that knows topics, too.
fn with_topics(grammar: clap::Command) -> clap::Command {
    let mut grammar = grammar.bin_name("msm_os");
    // It has no `help` before.
    grammar.build();
    let topics = help::TOPICS.iter().map(|(name, about)| {
        clap::Command::new(*name)
            .about(*about)
            .bin_name(format!("msm_os help {name}"))
            .disable_help_flag(true)
            .disable_version_flag(true)
    });
    grammar.mut_subcommand("help", |help| help.subcommands(topics))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::grammar;

    #[test]
    fn commands_and_topics_are_completed_behind_help() {
        for shell in [
            CompletedShell::Bash,
            CompletedShell::Zsh,
            CompletedShell::Fish,
        ] {
            let script = ShellCommand::Completions { shell }.answer(grammar());
            let script = script.unwrap().text;
            for word in ["exit-codes", "environment", "rechunk"] {
                assert!(script.contains(word), "{word}");
            }
        }
    }
}
