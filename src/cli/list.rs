//! The flags of `list`, and how it prints.
//!
//! Key types: [`ListArgs`]; [`ListPrinter`].

use std::ops::ControlFlow;

use clap::Args;

use super::error::CliError;
use super::printer::Printer;
use super::store::StoreArgs;
use super::words::StoreDescription;
use crate::verbs::list::{List, StoreInfo, StoreState};

/// What `list` is told.
#[derive(Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    pub store: StoreArgs,

    /// Print one JSON array, an element a store, for programs
    #[arg(long)]
    pub json: bool,
}

impl ListArgs {
    /// What is asked.
    ///
    /// # Errors
    /// If the prefix is none.
    pub(super) fn request(&self) -> Result<List, CliError> {
        let spot = self.store.spot_or_all()?;
        Ok(List { spot })
    }
}

/// What was printed so far.
pub(super) struct ListPrinter<'a> {
    json: bool,
    printer: &'a Printer,
    printed: u64,
    broken: u64,
    denied: u64,
}

impl<'a> ListPrinter<'a> {
    pub(super) fn new(json: bool, printer: &'a Printer) -> Self {
        Self {
            json,
            printer,
            printed: 0,
            broken: 0,
            denied: 0,
        }
    }

    /// Prints a store; breaks off if nobody reads any more.
    pub(super) fn print(&mut self, store: &StoreInfo) -> ControlFlow<()> {
        let text = if self.json {
            let before = if self.printed == 0 { "[\n" } else { ",\n" };
            // What it is made of has names for keys, and finite numbers.
            format!("{before}{}", serde_json::json!(store))
        } else {
            format!("{}\n", StoreDescription(store))
        };
        self.printed += 1;
        self.broken += u64::from(store.state == StoreState::Broken);
        self.denied += u64::from(store.state == StoreState::Denied);
        if self.printer.print(&text) {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }

    /// Ends the list of what is at `place`, which is `complete` or was cut short.
    pub(super) fn end(&self, place: &str, complete: bool) {
        let place = place.trim_end_matches('/');
        match (self.json, self.printed) {
            (true, 0) => self.printer.line("[]"),
            (true, _) => self.printer.line("\n]"),
            (false, 0) if complete => self.printer.line(&format!("{place}: there are no stores")),
            (false, _) => {}
        }
    }

    /// How it went.
    ///
    /// # Errors
    /// If it could not be printed, or stores could not be read.
    pub(super) fn verdict(&self) -> Result<(), CliError> {
        self.printer.verdict()?;
        let Self {
            printed,
            broken,
            denied,
            ..
        } = *self;
        match (broken, denied) {
            (0, 0) => Ok(()),
            (0, _) => Err(CliError::Denied { denied, printed }),
            _ => Err(CliError::Unreadable {
                unreadable: broken + denied,
                printed,
            }),
        }
    }
}
