//! What `--help` shows beside the flags themselves: headings, examples, and where other topics are told.
//!
//! Key functions: [`dressed`]; [`topic`], what `msm_os help TOPIC` prints.

mod examples;
mod headings;
mod topics;

use clap::Command;

pub(super) use self::topics::{TOPICS, topic};

/// `grammar` with headings for its flags, and examples below those of each command.
pub(super) fn dressed(grammar: Command) -> Command {
    let under_headings = |command: Command| {
        command.mut_args(|arg| match arg.get_long().and_then(headings::of) {
            Some(heading) => arg.help_heading(heading),
            None => arg,
        })
    };
    under_headings(grammar)
        .after_help(topics::ALL)
        .mut_subcommands(|command| {
            let name = command.get_name().to_owned();
            under_headings(command).after_help(examples::below(&name))
        })
}

#[cfg(test)]
mod tests;
