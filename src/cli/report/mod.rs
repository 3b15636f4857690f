//! `--report FILE`, which keeps what a run did as a document, and `msm_os report`, which puts several of them together.
//!
//! Key types: [`ReportArgs`]; [`PendingReport`], of a run under way; `RunReport`, the document; [`Merged`], several.

mod asked;
mod assemble;
mod document;
mod file;
mod kept;
mod merge;
mod noted;
mod page;
mod steps;
mod surroundings;

use std::cell::OnceCell;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use clap::Args;
use serde_json::json;

use self::assemble::Evidence;
use self::file::ReportFile;
use self::noted::Noted;

use super::args::Command;
use super::error::CliError;
use super::json::Verified;
use super::printer::warn;
use crate::error::Error;
use crate::events::Reporter;
use crate::measurements::{Measurements, Recorder};
use crate::ranks::{Ranks, is_launched};
use crate::session::Session;
use crate::verbs::send::{MapsAsked, SendReport};

pub(in crate::cli) use self::document::{
    FORMAT as REPORT, RunOutcome, RunReport, SharedStanding, StoreStanding, StoreState,
};
pub(in crate::cli) use self::kept::read;
pub(in crate::cli) use self::merge::{Merged, MergedRun};
pub(in crate::cli) use self::page::page;

/// Where a report goes.
#[derive(Args)]
pub(super) struct ReportArgs {
    /// Write what was done, and how long everything took, to this file, whether the command succeeds or fails: as a page with the
    /// JSON in it if its name ends in .html, else as JSON
    ///
    /// Rank 0 writes it, at the end. `msm_os report` puts the reports of several runs together.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
}

impl ReportArgs {
    /// What is drawn for it.
    pub(super) fn maps(&self) -> MapsAsked {
        match &self.report {
            Some(path) if page::is_page(path) => MapsAsked::LastSteps,
            _ => MapsAsked::None,
        }
    }
}

/// What `report` is told.
#[derive(Args)]
pub(super) struct MergeArgs {
    /// Reports that `--report` wrote: of an array's tasks, or of a run and those that went on with it
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// Draw them as a page, too, which needs nothing from elsewhere: when each rank did what, what the time went into, how long requests
    /// took; a name that ends in .html
    #[arg(short, long, value_name = "FILE", value_parser = page::parse_page)]
    pub out: Option<PathBuf>,

    /// Print one JSON document with all of them and their sums, for programs
    #[arg(long)]
    pub json: bool,
}

/// The report of a run under way, on each rank.
pub(super) struct PendingReport {
    command: &'static str,
    /// What is asked, all settings resolved.
    asked: Vec<String>,
    task: Option<String>,
    /// Rank 0 has it.
    file: Option<ReportFile>,
    noted: Arc<Noted>,
    recorder: Arc<Recorder>,
    begun: SystemTime,
    since: Instant,
    /// The bucket's URL, and that of its server.
    place: OnceCell<(String, Option<String>)>,
    /// What was done, and whether there was nothing to do.
    sent: OnceCell<(SendReport, bool)>,
    verified: OnceCell<Verified>,
}

impl PendingReport {
    /// The report that `command`, of the line `words`, is to write, if it is to write one: what happens is measured on its way to `reporter`.
    ///
    /// # Errors
    /// On every rank the same: if it cannot be written where it is to go.
    pub(super) fn begin(
        command: &Command,
        words: &[OsString],
        reporter: Arc<dyn Reporter>,
        ranks: &Ranks,
    ) -> Result<Option<Self>, CliError> {
        let (name, asked, task) = match command {
            Command::Send(args) => ("send", &args.files.report, args.share.task.clone()),
            Command::Update(args) => ("update", &args.files.report, None),
            Command::Verify(args) => ("verify", &args.report, None),
            _ => return Ok(None),
        };
        let Some(path) = &asked.report else {
            return Ok(None);
        };
        let mut file = None;
        ranks.on_lead(|| {
            Ok(ReportFile::at(path).map(|found| {
                file = Some(found);
            }))
        })??;
        let noted = Arc::new(Noted::new(reporter));
        Ok(Some(Self {
            command: name,
            asked: asked::asked(words),
            task,
            file,
            recorder: Arc::new(Recorder::new(Arc::clone(&noted) as Arc<dyn Reporter>)),
            noted,
            begun: SystemTime::now(),
            since: Instant::now(),
            place: OnceCell::new(),
            sent: OnceCell::new(),
            verified: OnceCell::new(),
        }))
    }

    /// Who is to be told what happens.
    pub(super) fn reporter(&self) -> Arc<dyn Reporter> {
        Arc::clone(&self.recorder) as Arc<dyn Reporter>
    }

    /// The bucket is open.
    pub(super) fn opened(&self, session: &Session<'_>) {
        let endpoint = session.endpoint().map(|endpoint| endpoint.url.as_str());
        let endpoint = endpoint.map(surroundings::without_password);
        let place = session.bucket.name();
        let place = place.trim_end_matches('/').to_owned();
        let _ = self.place.set((place, endpoint));
    }

    /// This was done, unless there was nothing to do.
    pub(super) fn sent(&self, report: &SendReport, is_nothing: bool) {
        let _ = self.sent.set((report.clone(), is_nothing));
    }

    /// This came of looking at stores.
    pub(super) fn verified(&self, verified: Verified) {
        let _ = self.verified.set(verified);
    }

    /// Writes it, and returns what came of the command.
    ///
    /// # Errors
    /// On every rank the same: that of the command, or, if it went well, that the report could not be written.
    pub(super) fn end(&self, done: Result<(), CliError>, ranks: &Ranks) -> Result<(), CliError> {
        let written = self.write(done.as_ref().err(), ranks);
        match (&done, written) {
            (Err(_), Err(lost)) => {
                if ranks.rank() == 0 {
                    warn(&lost);
                }
                done
            }
            (Ok(()), Err(lost)) => Err(lost),
            (_, Ok(())) => done,
        }
    }

    fn write(&self, failure: Option<&CliError>, ranks: &Ranks) -> Result<(), CliError> {
        let elapsed = self.since.elapsed();
        let all = match failure {
            // They do not understand each other.
            Some(CliError::Library(Error::Ranks(_))) => {
                vec![(surroundings::host(), self.recorder.measurements())]
            }
            _ => self.gathered(ranks)?,
        };
        ranks.on_lead(|| {
            let Some(file) = &self.file else {
                return Ok(Ok(()));
            };
            let hosts: Vec<String> = all.iter().map(|(host, _)| host.clone()).collect();
            let variable = |name: &str| std::env::var(name).ok();
            let evidence = Evidence {
                command: self.command,
                asked: self.asked.clone(),
                arguments: surroundings::arguments(std::env::args_os()),
                begun: self.begun,
                elapsed,
                program: surroundings::versions(ranks.launched().library.as_deref()),
                job: surroundings::job(&hosts, self.task.clone(), is_launched(), &variable),
                place: self.place.get().cloned(),
                sent: self.sent.get().map(|(sent, _)| sent),
                verified: self.verified.get().cloned(),
                is_nothing: self.sent.get().is_some_and(|(_, nothing)| *nothing),
                failure,
                notices: self.noted.lines(),
                ranks: all,
            };
            let maps = self.sent.get().map(|(sent, _)| &sent.maps);
            // What it is made of has names for keys, and finite numbers.
            Ok(file.write(&json!(evidence.report()), maps))
        })?
    }

    /// The hosts and measurements of all ranks, on rank 0.
    fn gathered(&self, ranks: &Ranks) -> Result<Vec<(String, Measurements)>, CliError> {
        let hosts = ranks.join(Ok(surroundings::host()), Ok)?;
        let measured = self.recorder.gather(ranks)?;
        Ok(hosts.into_iter().zip(measured).collect())
    }
}
