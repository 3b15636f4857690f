//! One command line for all ranks: launchers need not give each of them the same environment, nor have all machines the same files.
//!
//! Key function: [`by_lead`].

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use serde::{Deserialize, Serialize};

use super::args::{CommandLine, Invocation, grammar, parse_resolved};
use super::error::CliError;
use super::settings::ResolvedLine;
use crate::ranks::Ranks;

/// What rank 0's line came to.
#[derive(Serialize, Deserialize)]
enum Told {
    /// A command: the words of the line, with all settings; they need not be UTF-8.
    Command(Vec<Vec<u8>>),
    /// Rank 0 gives an answer.
    Answer,
    Wrong(Box<CliError>),
}

/// What rank 0's command line says, on every rank; `mine` is this rank's.
pub(super) fn by_lead(mine: CommandLine, ranks: &Ranks) -> CommandLine {
    if ranks.size() == 1 {
        return mine;
    }
    let told = ranks.on_lead(|| Ok(Told::of(&mine)));
    match told {
        Ok(_) if ranks.rank() == 0 => mine,
        Ok(told) => told.parsed(),
        Err(failure) => CommandLine::Wrong(failure.into()),
    }
}

impl Told {
    fn of(line: &CommandLine) -> Self {
        match line {
            CommandLine::Command(Invocation(.., words)) => {
                let bytes = words.iter().map(|word| word.as_bytes().to_vec());
                Self::Command(bytes.collect())
            }
            CommandLine::Answer(_) => Self::Answer,
            CommandLine::Wrong(failure) => Self::Wrong(Box::new(failure.clone())),
        }
    }

    fn parsed(self) -> CommandLine {
        match self {
            Self::Command(words) => {
                let words = words.into_iter().map(OsString::from_vec).collect();
                parse_resolved(grammar(), ResolvedLine::plain(words))
            }
            Self::Answer => CommandLine::Answer(String::new().into()),
            Self::Wrong(failure) => CommandLine::Wrong(*failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::{Command, parse_among};
    use crate::ranks::threads;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn all_ranks_do_what_rank_0_was_told() {
        let file = std::ffi::OsStr::from_bytes(b"a\xff.nc").to_owned();
        let lines = threads(3, |ranks| {
            // The others' environment lacks what rank 0 has, or says something else.
            let bucket = ["ocean", "", "elsewhere"][ranks.rank()];
            let line = ["msm_os", "send", "-v", "tos", "-f"].map(OsString::from);
            let line = line.into_iter().chain([file.clone()]);
            let mine = parse_among(line, &|name| {
                (name == "MSM_OS_BUCKET").then(|| bucket.into())
            });
            assert_eq!(ranks.rank() == 1, matches!(mine, CommandLine::Wrong(_)));
            let CommandLine::Command(Invocation(command, ..)) = by_lead(mine, ranks) else {
                panic!("rank {}", ranks.rank());
            };
            let Command::Send(args) = *command else {
                panic!("rank {}", ranks.rank());
            };
            (args.files.store.bucket.to_string(), args.files.filepaths)
        });
        assert_eq!(lines, vec![lines[0].clone(); 3]);
        assert!(lines[0].0.contains("ocean"), "{lines:?}");
        assert_eq!(lines[0].1[0].as_os_str(), file);
    }

    #[test]
    fn what_is_wrong_on_rank_0_is_wrong_on_all() {
        let wrong = threads(2, |ranks| {
            let bucket = ["", "ocean"][ranks.rank()];
            let line = ["msm_os", "list"].map(OsString::from);
            let mine = parse_among(line, &|name| {
                (name == "MSM_OS_BUCKET").then(|| bucket.into())
            });
            match by_lead(mine, ranks) {
                CommandLine::Wrong(failure) => failure.to_string(),
                _ => panic!("rank {}", ranks.rank()),
            }
        });
        assert!(wrong[0].contains("--bucket"));
        assert_eq!(wrong[0], wrong[1]);
    }
}
