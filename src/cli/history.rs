//! The flags of `history`, and how it prints.
//!
//! Key types: [`HistoryArgs`]; [`HistoryPrinter`].

use std::ops::ControlFlow;

use clap::Args;

use super::error::CliError;
use super::files::name;
use super::printer::{Printer, document};
use super::store::StoreArgs;
use super::words;
use crate::verbs::history::{CommandRecord, History};

/// What `history` is told.
#[derive(Args)]
pub(super) struct HistoryArgs {
    #[command(flatten)]
    pub store: StoreArgs,

    /// Variables whose stores' commands to list, `compact` for PREFIX.zarr [default: all below the prefix]
    #[arg(short, long, num_args = 1.., value_delimiter = ',', value_parser = name, value_name = "VAR")]
    pub variables: Vec<String>,

    /// Print one JSON document, for programs
    #[arg(long)]
    pub json: bool,
}

impl HistoryArgs {
    /// What is asked.
    ///
    /// # Errors
    /// If the prefix is none.
    pub(super) fn request(&self) -> Result<History, CliError> {
        Ok(History {
            spot: self.store.spot_or_all()?,
            variables: self.variables.clone(),
        })
    }
}

/// What was printed so far.
pub(super) struct HistoryPrinter<'a> {
    json: bool,
    printer: &'a Printer,
    is_empty: bool,
}

impl<'a> HistoryPrinter<'a> {
    pub(super) fn new(json: bool, printer: &'a Printer) -> Self {
        Self {
            json,
            printer,
            is_empty: true,
        }
    }

    /// Prints a command; breaks off if nobody reads any more.
    pub(super) fn print(&mut self, command: &CommandRecord) -> ControlFlow<()> {
        let text = if self.json {
            let before = if self.is_empty {
                "{\"commands\":[\n"
            } else {
                ",\n"
            };
            format!("{before}{}", document(command))
        } else {
            words::command(command)
        };
        self.is_empty = false;
        if self.printer.print(&text) {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }

    /// Ends what was printed of `place`, unless it was not `complete`.
    pub(super) fn end(&self, place: &str, complete: bool) {
        let place = place.trim_end_matches('/');
        match (self.json, self.is_empty) {
            // What failed before the first is told by a document of its own.
            (true, true) if !complete => {}
            (true, true) => self.printer.line("{\"commands\":[]}"),
            (true, false) => self.printer.line("\n]}"),
            (false, true) if complete => {
                self.printer
                    .line(&format!("{place}: no command has written here"));
            }
            (false, _) => {}
        }
    }
}
