//! One command on one rank: how its bucket is reached, what it is told, and how it ends.
//!
//! Key type: [`Job`]; the verbs are in files of their own, by what becomes of stores.

mod changing;
mod looking;
mod sending;

use std::cell::OnceCell;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use msm_model::Recipe;
use serde::Serialize;

use super::args::Command;
use super::error::CliError;
use super::failure::Standing;
use super::outcome::OutcomeArgs;
use super::placement::{Allowance, Placement};
use super::printer::{self, warn};
use super::recipe;
use super::report::PendingReport;
use super::run::{agree, tell_failure};
use super::store::{ReachedBucket, StoreArgs};
use super::terminal::Terminal;
use super::words;
use crate::cli::Exit;
use crate::events::Reporter;
use crate::interrupt::Interrupt;
use crate::ranks::Ranks;
use crate::session::Session;
use crate::store::{Connection, StoreError};

/// One command on this rank.
pub(super) struct Job<'a> {
    pub ranks: &'a Ranks,
    pub interrupt: &'a Interrupt,
    pub find: &'a dyn Fn(&StoreArgs) -> Result<ReachedBucket, StoreError>,
    pub terminal: Arc<Terminal>,
    /// What it is to write of what it did, if that was asked for.
    pub report: OnceCell<PendingReport>,
}

impl Job<'_> {
    /// Runs the command of the line `words`, and writes a report of that if one was asked for.
    pub(super) fn run_reported(
        &self,
        command: &Command,
        words: &[OsString],
    ) -> Result<(), CliError> {
        let terminal = Arc::clone(&self.terminal) as Arc<dyn Reporter>;
        let report = PendingReport::begin(command, words, terminal, self.ranks)?;
        match report.map(|report| self.report.get_or_init(|| report)) {
            Some(report) => report.end(self.run(command), self.ranks),
            None => self.run(command),
        }
    }

    fn run(&self, command: &Command) -> Result<(), CliError> {
        match command {
            Command::Send(args) => self.send(args),
            Command::Update(args) => self.update(args),
            Command::Plan(args) => self.plan(args),
            Command::List(args) => self.list(args),
            Command::Open(args) => self.open_stores(args),
            Command::Quicklook(args) => self.quicklook(args),
            Command::Page(args) => self.page(args),
            Command::Du(args) => self.du(args),
            Command::History(args) => self.history(args),
            Command::Status(args) => self.status(args),
            Command::Delete(args) => self.delete(args),
            Command::Copy(args) => self.copy(args, false),
            Command::Move(args) => self.copy(args, true),
            Command::Rechunk(args) => self.rechunk(args),
            Command::Rollback(args) => self.rollback(args),
            Command::Recover(args) => self.recover(args),
            Command::Verify(args) => self.verify(args),
            Command::Report(args) => self.merge(args),
            Command::Doctor(args) => self.doctor(args),
        }
    }

    /// The memory that each rank may use for data, as was `asked`, or else that of the rank that has least. In a batch job, it is
    /// told of what this is the log.
    fn memory(&self, command: &str, asked: Option<u64>) -> Result<u64, CliError> {
        let placement = Placement::here();
        let mine = match asked {
            Some(bytes) => Allowance { bytes, why: None },
            None => placement.memory(self.ranks.on_node()),
        };
        let least = self.ranks.join(Ok(mine), |all| {
            let least = all.into_iter().min_by_key(|allowance| allowance.bytes);
            Ok(least.unwrap_or_default())
        })?;
        if self.leads() {
            if let Some(line) = placement.first_line(command, self.ranks.size(), least.bytes) {
                warn(&line);
            }
            if let Some(why) = &least.why {
                let each = words::bytes_shown(least.bytes);
                warn(&format!(
                    "{each} of memory a rank, for {why}; --memory says otherwise"
                ));
            }
        }
        Ok(least.bytes)
    }

    /// The recipe, if one is named: rank 0 reads it.
    fn recipe(&self, path: Option<&Path>) -> Result<Option<Recipe>, CliError> {
        self.ranks
            .on_lead(|| Ok(path.map(recipe::read).transpose()))?
    }

    /// Opens the bucket.
    fn open(&self, store: &StoreArgs) -> Result<Session<'_>, CliError> {
        self.open_with(store, true)
    }

    /// The same; rank 0 says, if it `warns`, what is to be said of how it is reached.
    fn open_with(&self, store: &StoreArgs, warns: bool) -> Result<Session<'_>, CliError> {
        let connection = self.reach(store, warns)?;
        let reporter = match self.report.get() {
            Some(report) => report.reporter(),
            None => Arc::clone(&self.terminal) as Arc<dyn Reporter>,
        };
        let session = Session::open(&connection, self.ranks, reporter)?;
        if let Some(report) = self.report.get() {
            report.opened(&session);
        }
        Ok(session.stopped_by(self.interrupt))
    }

    /// How the bucket is reached; rank 0 says, if it `warns`, what is to be said of that. Every rank finds its credentials itself.
    fn reach(&self, store: &StoreArgs, warns: bool) -> Result<Connection, CliError> {
        let found = (self.find)(store).map_err(|error| self.ranks.of_follower(error.into()));
        let ReachedBucket {
            connection,
            warning,
        } = self.ranks.settle(found)?;
        if let Some(warning) = warning
            && warns
            && self.leads()
        {
            warn(&format_args!("warning: {warning}"));
        }
        Ok(connection)
    }

    fn leads(&self) -> bool {
        self.ranks.rank() == 0
    }

    /// Rank 0 says it.
    fn say(&self, line: &str) {
        if self.leads() {
            self.terminal.printer.line(line);
        }
    }

    /// Rank 0 says what came of it: `for_programs` in one document, else in lines.
    fn conclude<D: Serialize>(
        &self,
        for_programs: bool,
        document: impl FnOnce() -> D,
        lines: impl FnOnce() -> Vec<String>,
    ) {
        if !self.leads() {
            return;
        }
        if for_programs {
            self.terminal.printer.line(&printer::document(&document()));
        } else {
            for line in lines() {
                self.terminal.printer.line(&line);
            }
        }
    }

    /// How a command ends that went well.
    ///
    /// # Errors
    /// If there was nothing to do, and that is to be told by the exit code.
    fn ending(outcome: OutcomeArgs, is_nothing: bool) -> Result<(), CliError> {
        if outcome.exit_nothing && is_nothing {
            return Err(CliError::NothingToDo);
        }
        Ok(())
    }

    /// The exit code of what is `done`; rank 0 says why it is not, and where the stores stand then.
    pub(super) fn end(
        &self,
        command: &Command,
        done: Result<(), CliError>,
    ) -> (Exit, Option<Standing>) {
        let error = match done {
            Ok(()) => return (Exit::Ok, None),
            Err(error) => error,
        };
        let exit = Exit::from(&error);
        if !self.leads() || matches!(error, CliError::NothingToDo) {
            return (exit, None);
        }
        let standing = Standing::after(command, &error, &self.terminal.witness());
        let printer = &self.terminal.printer;
        // What has been printed says it already.
        let is_first = command.is_for_programs() && printer.is_first();
        tell_failure(&error, standing.as_ref(), is_first.then_some(printer));
        (exit, standing)
    }

    /// Could all be printed?
    ///
    /// # Errors
    /// If not; what a command did that writes stores is done.
    pub(super) fn printed(&self, command: &Command) -> Result<(), CliError> {
        self.terminal
            .printer
            .verdict()
            .map_err(|error| match error {
                CliError::Printing { cause } if command.writes() => {
                    CliError::DocumentLost { cause }
                }
                other => other,
            })
    }

    /// What rank 0 thinks of it, on every rank.
    fn agree(&self, verdict: impl FnOnce() -> Result<(), CliError>) -> Result<(), CliError> {
        agree(self.ranks, verdict)
    }
}
