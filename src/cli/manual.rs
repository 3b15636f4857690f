//! Man pages, one for the program and one for each of its commands.
//!
//! Key function: [`pages`].

use std::io;

use clap::Command;
use clap_mangen::Man;

/// The man pages, each with its file's name.
pub(super) fn pages(grammar: Command) -> Vec<(String, String)> {
    let mut grammar = grammar.disable_help_subcommand(true);
    grammar.build();
    let commands = std::iter::once(&grammar).chain(grammar.get_subcommands());
    let pages = commands.map(|command| {
        let mut page = Vec::new();
        let man = man(command);
        // Memory takes all that is written to it.
        let _ = render(&man, command, &mut page);
        (
            man.get_filename(),
            String::from_utf8_lossy(&page).into_owned(),
        )
    });
    pages.collect()
}

fn man(command: &Command) -> Man {
    let name = command.get_display_name().unwrap_or(command.get_name());
    // An empty date would be left out, and what comes after it taken for it.
    let program = concat!("msm_os ", env!("CARGO_PKG_VERSION"));
    Man::new(command.clone())
        .title(name)
        .date(" ")
        .source(program)
}

fn render(man: &Man, command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    man.render_title(page)?;
    man.render_name_section(page)?;
    // As `--help` has it: all flags in a row, without values, would tell less than the list of them below.
    let usage = command.clone().render_usage().to_string();
    let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage);
    let lines = usage.lines().map(|line| escaped(line.trim()) + "\n");
    let synopsis = format!(".SH SYNOPSIS\n.nf\n{}.fi\n", lines.collect::<String>());
    page.extend_from_slice(synopsis.as_bytes());
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(page)?;
    }
    // What stands below the help is laid out already: lines of examples may not be filled up.
    let below = command.get_after_help().map(ToString::to_string);
    if let Some((heading, lines)) = below.as_deref().and_then(|below| below.split_once(":\n")) {
        let lines = lines.lines().map(|line| escaped(line) + "\n");
        let section = format!(
            ".SH {}\n.nf\n{}.fi\n",
            heading.to_uppercase(),
            lines.collect::<String>()
        );
        page.extend_from_slice(section.as_bytes());
    }
    Ok(())
}

/// A line as roff has it: what would be a request, an escape, a hyphen or a curly quote stays what it is.
fn escaped(line: &str) -> String {
    let plain = line
        .replace('\\', "\\e")
        .replace('-', "\\-")
        .replace('\'', "\\(aq");
    if plain.starts_with('.') {
        format!("\\&{plain}")
    } else {
        plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::grammar;

    #[test]
    fn the_synopsis_says_what_has_to_be_given() {
        let pages = pages(grammar());
        let synopsis = |name: &str| {
            let (_, page) = pages.iter().find(|(found, _)| found == name).unwrap();
            let (_, after) = page.split_once(".SH SYNOPSIS\n.nf\n").unwrap();
            after.split_once(".fi\n").unwrap().0.replace("\\-", "-")
        };
        assert_eq!(synopsis("msm_os.1"), "msm_os [OPTIONS] <COMMAND>\n");
        let send = synopsis("msm_os-send.1");
        for given in [
            "msm_os send [OPTIONS] ",
            "--bucket <BUCKET>",
            "--filepaths <",
        ] {
            assert!(send.contains(given), "{send}");
        }
    }
}
