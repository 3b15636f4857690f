//! From a command line to what a verb is asked, and from what it did to words and an exit code.

use std::cell::OnceCell;
use std::sync::Arc;

use super::args::{Command, CommandLine, Invocation};
use super::error::CliError;
use super::failure::{Standing, afterword};
use super::job::Job;
use super::json::ErrorDocument;
use super::printer::{self, Printer, warn};
use super::progress::{ProgressForm, TellerTerms};
use super::shell::Answer;
use super::store::{ReachedBucket, StoreArgs};
use super::terminal::Terminal;
use super::told;
use crate::cli::Exit;
use crate::interrupt::Interrupt;
use crate::ranks::{Ranks, RanksError, is_launched};
use crate::store::StoreError;

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
    match Interrupt::by_signals() {
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
        CommandLine::Command(Invocation(command, log, progress, words)) => {
            log.start(ranks.rank());
            let lists = matches!(
                *command,
                Command::List(_)
                    | Command::Open(_)
                    | Command::Quicklook(_)
                    | Command::Page(_)
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
            let hurried = HurriedEnd {
                terminal: Arc::clone(&job.terminal),
                leads,
                writes: command.writes(),
                is_for_programs: command.is_for_programs(),
            };
            let mut done = interrupt
                .can_be_hurried(Exit::Interrupted.code(), move || hurried.tell())
                .map_err(CliError::from)
                .and_then(|()| job.run_reported(&command, &words));
            if command.is_for_programs() && matches!(done, Ok(()) | Err(CliError::NothingToDo)) {
                // The document is what was asked for, too.
                done = agree(ranks, || job.printed(&command)).and(done);
            }
            let is_told = matches!(
                done,
                Err(CliError::Printing { .. } | CliError::DocumentLost { .. })
            );
            if let Err(failure) = job.terminal.printer.verdict()
                && !lists
                && !is_told
                && leads
            {
                warn(&failure);
            }
            job.end(&command, done)
        }
    }
}

/// The end of a command that a second Ctrl-C does not let end as it should.
struct HurriedEnd {
    terminal: Arc<Terminal>,
    leads: bool,
    writes: bool,
    is_for_programs: bool,
}

impl HurriedEnd {
    fn tell(self) {
        if self.leads {
            let standing = self.writes.then_some(Standing::Unfinished);
            let printer = &self.terminal.printer;
            let is_first = self.is_for_programs && printer.is_first();
            tell_failure(
                &CliError::Hurried,
                standing.as_ref(),
                is_first.then_some(printer),
            );
        }
    }
}

/// Says why a command failed, where the stores stand so, if it was to write any, and whether trying again can help; with a printer, in a
/// document, too.
pub(super) fn tell_failure(
    error: &CliError,
    standing: Option<&Standing>,
    printer: Option<&Printer>,
) {
    warn(error);
    if let Some(line) = afterword(error, standing) {
        warn(&line);
    }
    if let Some(printer) = printer {
        printer.line(&printer::document(&ErrorDocument::new(error, standing)));
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
pub(super) fn agree(
    ranks: &Ranks,
    verdict: impl FnOnce() -> Result<(), CliError>,
) -> Result<(), CliError> {
    ranks.on_lead(|| Ok(verdict()))?
}
