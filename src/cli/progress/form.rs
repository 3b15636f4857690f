//! `--progress`: how the user is told how far work is.
//!
//! Key types: [`ProgressFlag`], what was asked for; [`ProgressForm`], what that comes to here.

use std::io::IsTerminal;

use clap::ValueEnum;

/// What `--progress` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ProgressFlag {
    /// A bar, where standard error is a terminal
    Bar,
    /// Lines with a time, after 2, 5 and 10 s of a work, then every half minute
    Plain,
    /// An event a line, each a JSON object
    Json,
    /// Nothing; messages stay
    None,
}

/// How it is said how far work is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) enum ProgressForm {
    Bar,
    #[default]
    Plain,
    Json,
    Silent,
}

impl ProgressForm {
    /// What was `asked` for, on a standard error as this process has it.
    pub(in crate::cli) fn of(asked: Option<ProgressFlag>) -> Self {
        let can_draw = || {
            let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
            std::io::stderr().is_terminal() && !is_dumb
        };
        Self::on(asked, can_draw)
    }

    fn on(asked: Option<ProgressFlag>, can_draw: impl Fn() -> bool) -> Self {
        match asked {
            Some(ProgressFlag::Json) => Self::Json,
            Some(ProgressFlag::None) => Self::Silent,
            Some(ProgressFlag::Bar) | None if can_draw() => Self::Bar,
            Some(ProgressFlag::Bar | ProgressFlag::Plain) | None => Self::Plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_needs_a_terminal() {
        use ProgressFlag as Flag;
        for (asked, there, elsewhere) in [
            (None, ProgressForm::Bar, ProgressForm::Plain),
            (Some(Flag::Bar), ProgressForm::Bar, ProgressForm::Plain),
            (Some(Flag::Plain), ProgressForm::Plain, ProgressForm::Plain),
            (Some(Flag::Json), ProgressForm::Json, ProgressForm::Json),
            (Some(Flag::None), ProgressForm::Silent, ProgressForm::Silent),
        ] {
            assert_eq!(ProgressForm::on(asked, || true), there, "{asked:?}");
            assert_eq!(ProgressForm::on(asked, || false), elsewhere, "{asked:?}");
        }
    }
}
