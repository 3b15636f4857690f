//! The flags of `list`, and how it prints.
//!
//! Key types: [`ListArgs`]; [`ListPrinter`].

use std::ops::ControlFlow;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Args;

use super::error::CliError;
use super::files::name;
use super::printer::{Printer, document, warn};
use super::store::StoreArgs;
use super::words::{ListedTotals, StoreDescription, StoreLine, counted, left_out};
use crate::verbs::list::{LeftOut, List, StoreFilter, StoreInfo, StoreState};

/// What `list` is told.
#[derive(Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    pub store: StoreArgs,

    /// Only stores that hold one of these variables, coordinates among them
    #[arg(short, long, num_args = 1.., value_delimiter = ',', value_parser = name, value_name = "VAR")]
    pub variables: Vec<String>,

    /// Only stores whose last transaction was committed longer ago, such as 90days or 12h
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub older: Option<Duration>,

    /// Only stores whose last transaction was committed since then, such as 7days or 12h
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub newer: Option<Duration>,

    /// Print one line a store
    #[arg(long)]
    pub brief: bool,

    /// Print one JSON array, an element a store, for programs
    #[arg(long, conflicts_with = "brief")]
    pub json: bool,
}

/// How a store is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ListForm {
    /// With its arrays, for people.
    Full,
    /// In one line.
    Brief,
    /// For programs.
    Json,
}

impl ListArgs {
    /// What is asked.
    ///
    /// # Errors
    /// If the prefix is none.
    pub(super) fn request(&self) -> Result<List, CliError> {
        let spot = self.store.spot_or_all()?;
        let now = SystemTime::now();
        // No store is older than that.
        let ago = |age| now.checked_sub(age).unwrap_or(UNIX_EPOCH);
        let filter = StoreFilter {
            variables: self.variables.clone(),
            before: self.older.map(ago),
            since: self.newer.map(ago),
        };
        Ok(List { spot, filter })
    }

    pub(super) fn form(&self) -> ListForm {
        match (self.json, self.brief) {
            (true, _) => ListForm::Json,
            (false, true) => ListForm::Brief,
            (false, false) => ListForm::Full,
        }
    }
}

/// What was printed so far.
pub(super) struct ListPrinter<'a> {
    form: ListForm,
    printer: &'a Printer,
    totals: ListedTotals,
    broken: u64,
    denied: u64,
    /// Variables that were asked for, and that none of them holds.
    unheld: Vec<String>,
}

/// Leaves of these `names` those that `store` does not hold.
pub(super) fn leave_unheld(names: &mut Vec<String>, store: &StoreInfo) {
    names.retain(|name| store.variables.iter().all(|held| held.name != *name));
}

impl<'a> ListPrinter<'a> {
    pub(super) fn new(args: &ListArgs, printer: &'a Printer) -> Self {
        let form = args.form();
        Self {
            unheld: args.variables.clone(),
            form,
            printer,
            totals: ListedTotals::default(),
            broken: 0,
            denied: 0,
        }
    }

    /// Prints a store; breaks off if nobody reads any more.
    pub(super) fn print(&mut self, store: &StoreInfo) -> ControlFlow<()> {
        let text = match self.form {
            ListForm::Json => {
                let before = if self.totals.stores == 0 {
                    "[\n"
                } else {
                    ",\n"
                };
                format!("{before}{}", document(store))
            }
            ListForm::Brief => format!("{}\n", StoreLine(store)),
            ListForm::Full => format!("{}\n", StoreDescription(store)),
        };
        self.totals.count(store);
        leave_unheld(&mut self.unheld, store);
        self.broken += u64::from(store.state == StoreState::Broken);
        self.denied += u64::from(store.state == StoreState::Denied);
        if self.printer.print(&text) {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }

    /// Ends the list of what is at `place`, of which so much was left out; `None` if it was cut short.
    pub(super) fn end(&self, place: &str, left: Option<&LeftOut>) {
        let place = place.trim_end_matches('/');
        match (self.form, self.totals.stores, left) {
            // What failed before the first is told by a document of its own.
            (ListForm::Json, 0, None) => {}
            (ListForm::Json, 0, Some(_)) => self.printer.line("[]"),
            (ListForm::Json, ..) => self.printer.line("\n]"),
            (_, 0, Some(left)) if left.stores() == 0 => {
                self.printer.line(&format!("{place}: there are no stores"));
            }
            (_, 0, Some(left)) => {
                let all = left.stores();
                self.printer.line(&format!(
                    "{place}: none of {} is such as asked for",
                    counted(all, "stores")
                ));
            }
            (_, _, Some(_)) => self.printer.line(&self.totals.to_string()),
            (_, _, None) => {}
        }
        if left.is_some() && self.totals.stores > 0 && !self.unheld.is_empty() {
            let names = self.unheld.join("' or '");
            warn(&format!("{place}: none of these stores holds '{names}'"));
        }
        if let Some(line) = left.and_then(left_out) {
            warn(&line);
        }
    }

    /// How it went.
    ///
    /// # Errors
    /// If it could not be printed, or stores could not be read.
    pub(super) fn verdict(&self) -> Result<(), CliError> {
        self.printer.verdict()?;
        let Self { broken, denied, .. } = *self;
        let printed = self.totals.stores;
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
