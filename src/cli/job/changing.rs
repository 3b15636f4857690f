//! What changes stores that are there: from flags to requests, and from reports to words.

use std::io::{IsTerminal, Write};

use super::Job;
use crate::cli::copy::CopyArgs;
use crate::cli::delete::DeleteArgs;
use crate::cli::error::CliError;
use crate::cli::json::{
    CopyDocument, DeleteDocument, Outcome, RechunkDocument, RecoverDocument,
    RecoverForecastDocument, RollbackDocument, RollbackForecastDocument,
};
use crate::cli::rechunk::RechunkArgs;
use crate::cli::recover::{RecoverArgs, RollbackArgs};
use crate::cli::words;
use crate::error::Error;
use crate::store::Place;
use crate::verbs::copy::{self, copy};
use crate::verbs::delete::{self, DeleteSurvey, DeleteWarning};
use crate::verbs::rechunk::{self, rechunk};
use crate::verbs::recover::{RecoverError, foretell, recover};
use crate::verbs::rollback::{self, rollback};

impl Job<'_> {
    pub(super) fn delete(&self, args: &DeleteArgs) -> Result<(), CliError> {
        let request = args.request()?;
        let session = self.open(&args.store)?;
        let asks = !args.yes && !args.dry_run;
        self.agree(|| if asks { can_ask() } else { Ok(()) })?;
        let planned = delete::plan(&session, &request)?;
        let place = session.place();
        let document = |outcome, survey: &DeleteSurvey| {
            DeleteDocument::new(&args.store.bucket, args.dry_run, outcome, survey)
        };
        if args.dry_run {
            let survey = planned.survey()?;
            let requests = planned.requests(&survey);
            let warnings = request.warnings(&survey);
            self.conclude(
                args.told.json,
                || document(Outcome::Done, &survey).foreseen(requests, &warnings),
                || {
                    let survey = words::survey(&survey);
                    let would = format!("would delete from {place}:\n{survey}");
                    let requests = requests.as_ref().map(words::requests);
                    let warnings = warnings.iter().map(words::delete_warning);
                    let warnings = warnings.map(|warning| format!("warning: {warning}"));
                    std::iter::once(would)
                        .chain(requests)
                        .chain(warnings)
                        .collect()
                },
            );
            return Ok(());
        }
        if asks {
            let survey = planned.survey()?;
            if !self.is_wanted(place, &survey)? {
                self.conclude(
                    args.told.json,
                    || document(Outcome::Declined, &survey),
                    || vec!["nothing was deleted".to_owned()],
                );
                return Ok(());
            }
        }
        self.terminal.witness().is_deleting = true;
        let report = planned.run()?;
        // What holds when it is gone, too.
        let warnings: Vec<DeleteWarning> = { request.warnings(&report.deleted).into_iter() }
            .filter(|warning| {
                matches!(
                    warning,
                    DeleteWarning::OnlyCopy(_) | DeleteWarning::ComesBack(_)
                )
            })
            .collect();
        self.conclude(
            args.told.json,
            || document(Outcome::Done, &report.deleted).foreseen(None, &warnings),
            || {
                let warnings = warnings.iter().map(words::delete_warning);
                let warnings = warnings.map(|warning| format!("warning: {warning}"));
                std::iter::once(words::deleted(place, &report))
                    .chain(warnings)
                    .collect()
            },
        );
        Ok(())
    }

    pub(super) fn copy(&self, args: &CopyArgs, moves: bool) -> Result<(), CliError> {
        let request = args.request(moves)?;
        let session = self.open_with(&args.store, !args.goes_to_a_server())?;
        let other = match args.other() {
            Some(other) => {
                // Of a file that opens both, once.
                let is_first = matches!(args.store.bucket, Place::Directory(_));
                let warns = is_first || args.to_credentials.is_some();
                session.beside(&self.reach(&other, warns)?)?
            }
            None => None,
        };
        let other = other.as_ref();
        let (done, report) = match (args.dry_run, moves) {
            (true, false) => ("would copy", copy::foretell(&session, other, &request)?),
            (true, true) => ("would move", copy::foretell(&session, other, &request)?),
            (false, false) => ("copied", copy(&session, other, &request)?),
            (false, true) => ("moved", copy(&session, other, &request)?),
        };
        let requests = if args.dry_run {
            copy::requests(&session, other, &request, &report)?
        } else {
            None
        };
        // What is there already is compared first.
        let is_nothing = !moves && !args.dry_run && report.is_nothing();
        let (here, there) = (&args.store.bucket, args.to_bucket.as_ref());
        self.conclude(
            args.outcome.told.json,
            || CopyDocument::new(here, there, moves, args.dry_run, &report).with_requests(requests),
            || {
                let mut lines = words::copied(done, args.dry_run, &report);
                lines.extend(requests.iter().map(words::requests));
                lines
            },
        );
        Self::ending(args.outcome, is_nothing)
    }

    pub(super) fn rechunk(&self, args: &RechunkArgs) -> Result<(), CliError> {
        let request = args.request(self.memory("rechunk", args.memory)?)?;
        let session = self.open(&args.store)?;
        let (json, place) = (args.outcome.told.json, &args.store.bucket);
        let is_nothing = if args.dry_run {
            let forecast = rechunk::foretell(&session, &request)?;
            self.conclude(
                json,
                || RechunkDocument::foreseen(place, &forecast),
                || words::rechunk_forecast(&forecast),
            );
            forecast.is_nothing()
        } else {
            let report = rechunk(&session, &request)?;
            self.conclude(
                json,
                || RechunkDocument::done(place, &report),
                || words::rechunked(&report),
            );
            report.is_nothing()
        };
        Self::ending(args.outcome, is_nothing)
    }

    /// Rank 0 asks on the terminal.
    fn is_wanted(&self, place: &str, survey: &DeleteSurvey) -> Result<bool, CliError> {
        self.ranks.on_lead(|| {
            let survey = words::survey(survey);
            Ok(confirmed(&format!("to delete from {place}:\n{survey}")))
        })?
    }

    pub(super) fn rollback(&self, args: &RollbackArgs) -> Result<(), CliError> {
        let request = args.request()?;
        let session = self.open(&args.store)?;
        if args.dry_run {
            let forecast = rollback::foretell(&session, &request)?;
            self.conclude(
                args.told.json,
                || RollbackForecastDocument::new(&args.store.bucket, &forecast),
                || words::rollback_forecast(&forecast),
            );
            return Ok(());
        }
        let report = rollback(&session, &request)?;
        self.conclude(
            args.told.json,
            || RollbackDocument::new(&args.store.bucket, &report, &self.terminal.witness()),
            || vec![words::rolled_back(&report)],
        );
        Ok(())
    }

    pub(super) fn recover(&self, args: &RecoverArgs) -> Result<(), CliError> {
        let request = args.request()?;
        let session = self.open(&args.store)?;
        if args.dry_run {
            let forecast = foretell(&session, &request)?;
            self.conclude(
                args.outcome.told.json,
                || RecoverForecastDocument::new(&forecast),
                || words::forecast(&forecast),
            );
            let is_nothing = forecast.is_nothing();
            let held = forecast.held.iter().map(RecoverError::from);
            let problems = forecast.problems.into_iter();
            Error::together(problems.chain(held.map(Error::from)))?;
            return Self::ending(args.outcome, is_nothing);
        }
        let report = recover(&session, &request)?;
        self.conclude(
            args.outcome.told.json,
            || RecoverDocument::new(&report, &self.terminal.witness()),
            || words::recovered(&request, &report),
        );
        let held = report.held.iter().map(RecoverError::from);
        Error::together(held)?;
        Self::ending(args.outcome, report.is_nothing())
    }
}

/// Is there a terminal to ask on?
fn can_ask() -> Result<(), CliError> {
    if std::io::stdin().is_terminal() {
        return Ok(());
    }
    Err(CliError::NoTerminal)
}

/// Asks on the terminal.
fn confirmed(what: &str) -> Result<bool, CliError> {
    let failed = |cause: std::io::Error| CliError::Asking {
        cause: cause.to_string(),
    };
    let mut out = std::io::stderr();
    write!(out, "{what}\nDelete all of this? Type yes: ").map_err(failed)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(failed)?;
    Ok(answer.trim() == "yes")
}
