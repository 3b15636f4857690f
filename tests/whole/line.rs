//! Command lines of the program, written as users type them: `msm_os!("send -f {file} -b {url} -v tos").well()`.
//!
//! Key type: [`Line`].

use std::process::Command;

use crate::support::{Ended, Sandbox, alone_command, end, ranks_command};

/// A [`Line`] from a text, in which `{…}` are values as in `format!`.
macro_rules! msm_os {
    ($($text:tt)*) => { $crate::line::Line::of(&format!($($text)*)) };
}

pub(crate) use msm_os;

/// What stands behind the program's name.
#[derive(Debug, Clone)]
pub struct Line {
    words: Vec<String>,
}

impl Line {
    pub fn of(text: &str) -> Self {
        Self { words: words(text) }
    }

    /// With more at its end.
    pub fn and(&self, more: &str) -> Self {
        Self {
            words: [&self.words[..], &words(more)].concat(),
        }
    }

    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// The command that runs it on so many ranks; without a launcher if it is one.
    pub fn command(&self, ranks: usize) -> Command {
        match ranks {
            1 => alone_command(&self.texts()),
            _ => self.launched(ranks),
        }
    }

    /// The same, with a launcher also for one.
    pub fn launched(&self, ranks: usize) -> Command {
        ranks_command(ranks, &self.texts())
    }

    fn texts(&self) -> Vec<&str> {
        self.words.iter().map(String::as_str).collect()
    }

    pub fn alone(&self) -> Ended {
        self.on(1)
    }

    /// On so many ranks; without a launcher if it is one.
    pub fn on(&self, ranks: usize) -> Ended {
        end(self.command(ranks))
    }

    /// Alone, and it goes well.
    #[track_caller]
    pub fn well(&self) -> Ended {
        self.alone().well()
    }

    /// On so many ranks, and it goes well.
    #[track_caller]
    pub fn well_on(&self, ranks: usize) -> Ended {
        self.on(ranks).well()
    }

    /// Refused alone and on ranks, in words of rank 0 alone that show no secret; nothing in the sandbox changes.
    #[track_caller]
    pub fn refused_in(&self, sandbox: &Sandbox, code: i32, words: &[&str]) {
        let before = sandbox.tree("");
        for ended in [self.alone(), self.on(3)] {
            ended.refused(code, words).hushed();
            ended.speaks_once();
            let after = sandbox.tree("");
            assert!(after == before, "something was written: {ended:#?}");
        }
    }
}

/// The words of a text: blanks part them, but not within '…'.
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (i, part) in text.split('\'').enumerate() {
        match i % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}
