//! The flags of `du`, and how it prints.
//!
//! Key types: [`DuArgs`]; [`DuPrinter`].

use std::ops::ControlFlow;

use clap::Args;

use super::error::CliError;
use super::files::name;
use super::printer::{Printer, document};
use super::store::StoreArgs;
use super::words;
use crate::verbs::du::{Du, StoreUsage, UsageTotal};

/// What `du` is told.
#[derive(Args)]
pub(super) struct DuArgs {
    #[command(flatten)]
    pub store: StoreArgs,

    /// Variables whose stores to count, `compact` for PREFIX.zarr [default: all below the prefix]
    #[arg(short, long, num_args = 1.., value_delimiter = ',', value_parser = name, value_name = "VAR")]
    pub variables: Vec<String>,

    /// Print one JSON document, for programs
    #[arg(long)]
    pub json: bool,
}

impl DuArgs {
    /// What is asked.
    ///
    /// # Errors
    /// If the prefix is none.
    pub(super) fn request(&self) -> Result<Du, CliError> {
        Ok(Du {
            spot: self.store.spot_or_all()?,
            variables: self.variables.clone(),
        })
    }
}

/// What was printed so far.
pub(super) struct DuPrinter<'a> {
    json: bool,
    printer: &'a Printer,
    total: UsageTotal,
    printed: u64,
}

impl<'a> DuPrinter<'a> {
    pub(super) fn new(json: bool, printer: &'a Printer) -> Self {
        Self {
            json,
            printer,
            total: UsageTotal::default(),
            printed: 0,
        }
    }

    /// Prints what a store takes; breaks off if nobody reads any more.
    pub(super) fn print(&mut self, usage: &StoreUsage) -> ControlFlow<()> {
        let text = if self.json {
            let before = if self.printed == 0 {
                "{\"stores\":[\n"
            } else {
                ",\n"
            };
            format!("{before}{}", document(usage))
        } else {
            words::usage(usage)
        };
        self.total.add(usage);
        self.printed += 1;
        if self.printer.print(&text) {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    }

    /// Ends with what all takes at `place`, unless it was not `complete`.
    pub(super) fn end(&self, place: &str, complete: bool) {
        match (self.json, self.printed) {
            // What failed before the first is told by a document of its own.
            (true, 0) if !complete => {}
            (true, printed) => {
                let before = if printed == 0 { "{\"stores\":[" } else { "\n" };
                let total = complete.then_some(&self.total);
                let total = serde_json::json!(total);
                self.printer.line(&format!("{before}],\"total\":{total}}}"));
            }
            (false, 0) if complete => {
                let place = place.trim_end_matches('/');
                self.printer.line(&format!("{place}: there are no stores"));
            }
            (false, _) if complete => {
                self.printer.print(&words::usage_total(&self.total));
            }
            (false, _) => {}
        }
    }
}
