//! From a command line to what a verb is asked, and from what it did to words and an exit code.

use std::cell::OnceCell;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use msm_model::Recipe;
use serde::Serialize;

use super::args::{Command, CommandLine, Invocation};
use super::copy::CopyArgs;
use super::delete::DeleteArgs;
use super::doctor::DoctorArgs;
use super::du::{DuArgs, DuPrinter};
use super::error::CliError;
use super::failure::{Standing, afterword};
use super::files::FileArgs;
use super::history::{HistoryArgs, HistoryPrinter};
use super::json::{
    CopyDocument, DeleteDocument, DoctorDocument, ErrorDocument, Outcome, RechunkDocument,
    RecoverDocument, RecoverForecastDocument, RollbackDocument, RollbackForecastDocument,
    SendDocument, StatusDocument, VerifyDocument,
};
use super::list::{ListArgs, ListPrinter};
use super::open::{self, KeysFrom, OpenArgs, opened_with};
use super::outcome::OutcomeArgs;
use super::placement::{Allowance, Placement};
use super::plan::{PlanArgs, PlanPrint};
use super::printer::{Printer, warn};
use super::progress::{ProgressForm, TellerTerms};
use super::rechunk::RechunkArgs;
use super::recipe;
use super::recover::{RecoverArgs, RollbackArgs};
use super::report::{MergeArgs, Merged, PendingReport};
use super::shell::Answer;
use super::status::StatusArgs;
use super::store::{ReachedBucket, StoreArgs};
use super::terminal::Terminal;
use super::told;
use super::verify::VerifyArgs;
use super::words;
use crate::cli::Exit;
use crate::error::Error;
use crate::events::Reporter;
use crate::interrupt::Interrupt;
use crate::ranks::{Ranks, RanksError, is_launched};
use crate::session::Session;
use crate::store::{Connection, Place, StoreError};
use crate::verbs::copy::{self, copy};
use crate::verbs::delete::{self, DeleteSurvey};
use crate::verbs::doctor::doctor;
use crate::verbs::rechunk::{self, rechunk};
use crate::verbs::recover::{RecoverError, foretell, recover};
use crate::verbs::rollback::{self, rollback};
use crate::verbs::send::{SendPlan, SendReport, forecast, forecast_update, send, update};
use crate::verbs::status::status;
use crate::verbs::verify::verify;
use crate::verbs::{du, history, list};

/// Says why the job ends in the middle of its work, and with which exit code.
#[must_use]
pub fn end(why: &RanksError) -> i32 {
    if *why == RanksError::Panicked {
        return Exit::from(why).code();
    }
    fail(why).code()
}

/// Says why the ranks do not work together.
#[must_use]
pub fn fail(why: &RanksError) -> Exit {
    warn(why);
    Exit::from(why)
}

/// Gives `answer`, or says why that cannot be done.
#[must_use]
pub fn answer(answer: &Answer) -> Exit {
    ended(answer.give(), true)
}

/// Runs what the command line of rank 0 asks for, which says how it went. Every rank returns the same.
#[must_use]
pub fn run(parsed: CommandLine, ranks: &Ranks) -> Exit {
    let parsed = told::by_lead(parsed, ranks);
    let interrupt = Interrupt::by_signals().and_then(|interrupt| {
        interrupt.can_be_hurried(Exit::Interrupted.code())?;
        Ok(interrupt)
    });
    match interrupt {
        Ok(interrupt) => run_over(parsed, ranks, &interrupt, &StoreArgs::find).0,
        Err(failure) => {
            let mut why = CliError::from(failure);
            if matches!(&parsed, CommandLine::Command(Invocation(command, ..)) if command.is_for_programs())
            {
                why = why.for_programs();
            }
            let wrong = CommandLine::Wrong(why);
            run_over(wrong, ranks, &Interrupt::default(), &StoreArgs::find).0
        }
    }
}

/// The same, where `find` says how the bucket is reached; with where the stores stand, which rank 0 knows if a command failed that was to write
/// some.
#[must_use]
pub(crate) fn run_over(
    parsed: CommandLine,
    ranks: &Ranks,
    interrupt: &Interrupt,
    find: &dyn Fn(&StoreArgs) -> Result<ReachedBucket, StoreError>,
) -> (Exit, Option<Standing>) {
    let leads = ranks.rank() == 0;
    match parsed {
        CommandLine::Answer(answer) => (ended(agree(ranks, || answer.give()), leads), None),
        CommandLine::Wrong(why) => {
            if leads {
                let printer = matches!(why, CliError::ForPrograms(_)).then(Printer::default);
                tell_failure(&why, None, printer.as_ref());
            }
            (Exit::from(&why), None)
        }
        CommandLine::Command(Invocation(command, log, progress, _)) => {
            log.start(ranks.rank());
            let lists = matches!(
                *command,
                Command::List(_)
                    | Command::Open(_)
                    | Command::Du(_)
                    | Command::History(_)
                    | Command::Status(_)
                    | Command::Report(_)
                    | Command::Verify(_)
            ) || matches!(&*command, Command::Plan(args) if args.sbatch);
            let telling = TellerTerms {
                form: ProgressForm::of(progress),
                rank: ranks.rank(),
                is_launched: is_launched(),
                interrupt: interrupt.clone(),
            };
            let job = Job {
                ranks,
                interrupt,
                find,
                terminal: Arc::new(Terminal::new(lists, command.is_for_programs(), telling)),
                report: OnceCell::new(),
            };
            let done = job.run_reported(&command);
            if let Err(failure) = job.terminal.printer.verdict()
                && !lists
                && leads
            {
                warn(&failure);
            }
            job.end(&command, done)
        }
    }
}

/// Says why a command failed, where the stores stand so, if it was to write any, and whether trying again can help; with a printer, in a
/// document, too.
fn tell_failure(error: &CliError, standing: Option<&Standing>, printer: Option<&Printer>) {
    warn(error);
    if let Some(line) = afterword(error, standing) {
        warn(&line);
    }
    if let Some(printer) = printer {
        // What it is made of has names for keys.
        let document = serde_json::json!(ErrorDocument::new(error, standing));
        printer.line(&document.to_string());
    }
}

/// The exit code of what is `done`, and, if it is `said`, why it is not.
fn ended(done: Result<(), CliError>, said: bool) -> Exit {
    match done {
        Ok(()) => Exit::Ok,
        Err(error) => {
            if said {
                warn(&error);
            }
            Exit::from(&error)
        }
    }
}

/// What rank 0 thinks of it, on every rank.
fn agree(ranks: &Ranks, verdict: impl FnOnce() -> Result<(), CliError>) -> Result<(), CliError> {
    ranks.on_lead(|| Ok(verdict()))?
}

/// One command on this rank.
struct Job<'a> {
    ranks: &'a Ranks,
    interrupt: &'a Interrupt,
    find: &'a dyn Fn(&StoreArgs) -> Result<ReachedBucket, StoreError>,
    terminal: Arc<Terminal>,
    /// What it is to write of what it did, if that was asked for.
    report: OnceCell<PendingReport>,
}

impl Job<'_> {
    /// Runs the command, and writes a report of that if one was asked for.
    fn run_reported(&self, command: &Command) -> Result<(), CliError> {
        let terminal = Arc::clone(&self.terminal) as Arc<dyn Reporter>;
        let report = PendingReport::begin(command, terminal, self.ranks)?;
        match report.map(|report| self.report.get_or_init(|| report)) {
            Some(report) => report.end(self.run(command), self.ranks),
            None => self.run(command),
        }
    }

    fn run(&self, command: &Command) -> Result<(), CliError> {
        match command {
            Command::Send(args) => {
                let memory = self.memory("send", args.files.memory)?;
                let request =
                    args.request(memory, self.recipe(args.files.recipe.recipe.as_deref())?)?;
                let session = self.open(&args.files.store)?;
                if args.dry_run {
                    let plan = forecast(&session, &request, None)?;
                    return self.say_plan(&plan, &args.print());
                }
                let report = send(&session, &request)?;
                self.say_sent(&args.files, false, &report)
            }
            Command::Update(args) => {
                let memory = self.memory("update", args.files.memory)?;
                let request =
                    args.request(memory, self.recipe(args.files.recipe.recipe.as_deref())?)?;
                let session = self.open(&args.files.store)?;
                if args.dry_run {
                    let plan = forecast_update(&session, &request)?;
                    return self.say_plan(&plan, &args.print());
                }
                let report = update(&session, &request)?;
                self.say_sent(&args.files, true, &report)
            }
            Command::Plan(args) => self.plan(args),
            Command::List(args) => self.list(args),
            Command::Open(args) => self.open_stores(args),
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
            // What documents are made of has names for keys, and finite numbers.
            let document = serde_json::json!(document());
            self.terminal.printer.line(&document.to_string());
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
    fn end(&self, command: &Command, done: Result<(), CliError>) -> (Exit, Option<Standing>) {
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
        let is_first = command.is_for_programs() && !printer.has_printed();
        tell_failure(&error, standing.as_ref(), is_first.then_some(printer));
        (exit, standing)
    }

    fn say_sent(
        &self,
        args: &FileArgs,
        is_update: bool,
        report: &SendReport,
    ) -> Result<(), CliError> {
        let is_nothing = self.ranks.on_lead(|| {
            let has_consolidated = self.terminal.witness().consolidated;
            Ok(report.is_nothing() && !has_consolidated)
        })?;
        if let Some(kept) = self.report.get() {
            kept.sent(report, is_nothing);
        }
        let place = &args.store.bucket;
        let done = if is_update { "updated" } else { "sent" };
        self.conclude(
            args.outcome.told.json,
            || SendDocument::new(place, is_update, is_nothing, report),
            || {
                let lines = words::sent(done, report).into_iter();
                lines.chain(opened_with(&args.store, report)).collect()
            },
        );
        Self::ending(args.outcome, is_nothing)
    }

    fn plan(&self, args: &PlanArgs) -> Result<(), CliError> {
        args.check()?;
        let files = &args.send.files;
        let memory = self.memory("plan", files.memory)?;
        let recipe = self.recipe(files.recipe.recipe.as_deref())?;
        let request = args.send.request(memory, recipe)?;
        let session = self.open(&files.store)?;
        let plan = forecast(&session, &request, args.ranks)?;
        self.say_plan(&plan, &args.print())
    }

    fn say_plan(&self, plan: &SendPlan, print: &PlanPrint<'_>) -> Result<(), CliError> {
        if print.script_of.is_some() && plan.nothing_to_do && self.leads() {
            warn(&"nothing to do: the script would send nothing");
        }
        self.say(&print.of(plan));
        self.agree(|| self.terminal.printer.verdict())?;
        Self::ending(print.outcome, plan.nothing_to_do)
    }

    /// What rank 0 thinks of it, on every rank.
    fn agree(&self, verdict: impl FnOnce() -> Result<(), CliError>) -> Result<(), CliError> {
        agree(self.ranks, verdict)
    }

    fn list(&self, args: &ListArgs) -> Result<(), CliError> {
        let request = args.request()?;
        let session = self.open(&args.store)?;
        let mut listing = ListPrinter::new(args.form(), &self.terminal.printer);
        let ended = list::for_each(&session, &request, |store| listing.print(&store));
        if self.leads() {
            // Also after a failure, so that what was printed stays JSON.
            listing.end(&session.place_of(&request.spot), ended.as_ref().ok());
        }
        ended?;
        self.agree(|| listing.verdict())
    }

    fn open_stores(&self, args: &OpenArgs) -> Result<(), CliError> {
        let request = args.request()?;
        let session = self.open(&args.store)?;
        let report = crate::verbs::open::open(&session, &request)?;
        let spot = &request.stores.spot;
        self.agree(|| {
            open::verdict(&report, &session.place_of(spot))?;
            let keys = KeysFrom::of(&args.store, &report.reach);
            self.conclude(
                args.told.json,
                || open::document(&report, &keys),
                || open::lines(&report, &keys),
            );
            args.write(&report, spot)?;
            self.terminal.printer.verdict()
        })
    }

    fn du(&self, args: &DuArgs) -> Result<(), CliError> {
        let request = args.request()?;
        let session = self.open(&args.store)?;
        let mut usage = DuPrinter::new(args.json, &self.terminal.printer);
        let ended = du::for_each(&session, &request, |store| usage.print(&store));
        if self.leads() {
            // Also after a failure, so that what was printed stays JSON.
            usage.end(&session.place_of(&request.spot), ended.is_ok());
        }
        ended?;
        self.agree(|| self.terminal.printer.verdict())
    }

    fn history(&self, args: &HistoryArgs) -> Result<(), CliError> {
        let request = args.request()?;
        let session = self.open(&args.store)?;
        let mut history = HistoryPrinter::new(args.json, &self.terminal.printer);
        let ended = history::for_each(&session, &request, |command| history.print(&command));
        if self.leads() {
            // Also after a failure, so that what was printed stays JSON.
            history.end(&session.place_of(&request.spot), ended.is_ok());
        }
        ended?;
        self.agree(|| self.terminal.printer.verdict())
    }

    fn status(&self, args: &StatusArgs) -> Result<(), CliError> {
        let request = args.request()?;
        let session = self.open(&args.store)?;
        let report = status(&session, &request)?;
        self.conclude(
            args.json,
            || StatusDocument::from(&report),
            || words::status(&session.place_of(&request.spot), &report),
        );
        Ok(Error::together(report.problems)?)
    }

    fn delete(&self, args: &DeleteArgs) -> Result<(), CliError> {
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
            self.conclude(
                args.told.json,
                || document(Outcome::Done, &survey),
                || {
                    let survey = words::survey(&survey);
                    vec![format!("would delete from {place}:\n{survey}")]
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
        self.conclude(
            args.told.json,
            || document(Outcome::Done, &report.deleted),
            || vec![words::deleted(place, &report)],
        );
        Ok(())
    }

    fn copy(&self, args: &CopyArgs, moves: bool) -> Result<(), CliError> {
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
        let is_nothing = !moves && report.is_nothing();
        let (here, there) = (&args.store.bucket, args.to_bucket.as_ref());
        self.conclude(
            args.outcome.told.json,
            || CopyDocument::new(here, there, moves, args.dry_run, &report),
            || words::copied(done, &report),
        );
        Self::ending(args.outcome, is_nothing)
    }

    fn rechunk(&self, args: &RechunkArgs) -> Result<(), CliError> {
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

    fn rollback(&self, args: &RollbackArgs) -> Result<(), CliError> {
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

    fn recover(&self, args: &RecoverArgs) -> Result<(), CliError> {
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
            Error::together(forecast.problems)?;
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

    fn verify(&self, args: &VerifyArgs) -> Result<(), CliError> {
        let memory = self.memory("verify", args.memory)?;
        let request = args.request(memory, self.recipe(args.recipe.as_deref())?)?;
        let session = self.open(&args.store)?;
        let report = verify(&session, &request)?;
        let (line, verdict) = words::verified(&report);
        self.conclude(
            args.told.json,
            || VerifyDocument::new(&args.store.bucket, &report),
            || vec![line],
        );
        self.agree(|| self.terminal.printer.verdict())?;
        verdict
    }

    fn merge(&self, args: &MergeArgs) -> Result<(), CliError> {
        let merged = self.ranks.on_lead(|| {
            let merged = Merged::read(&args.files);
            Ok(merged.map(|merged| {
                self.conclude(args.json, || &merged, || words::merged(&merged));
            }))
        })?;
        merged?;
        self.agree(|| self.terminal.printer.verdict())
    }

    fn doctor(&self, args: &DoctorArgs) -> Result<(), CliError> {
        let request = args.request()?;
        let session = self.open(&args.store)?;
        let (endpoint, place) = (session.endpoint(), &args.store.bucket);
        if !args.told.json {
            for line in words::examined(endpoint, place) {
                self.say(&line);
            }
        }
        let report = doctor(&session, &request)?;
        self.conclude(
            args.told.json,
            || DoctorDocument::new(place, endpoint, &report),
            Vec::new,
        );
        Ok(report.verdict()?)
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
