//! What changes no store: from flags to requests, and from what was found to words.

use super::Job;
use crate::cli::doctor::DoctorArgs;
use crate::cli::du::{DuArgs, DuPrinter};
use crate::cli::error::CliError;
use crate::cli::history::{HistoryArgs, HistoryPrinter};
use crate::cli::json::{
    DoctorDocument, PageDocument, QuicklookDocument, StatusDocument, Verified, VerifyDocument,
};
use crate::cli::list::{ListArgs, ListPrinter};
use crate::cli::open::{self, KeysFrom, OpenArgs};
use crate::cli::page::{PageArgs, PageFiles};
use crate::cli::printer::warn;
use crate::cli::quicklook::QuicklookArgs;
use crate::cli::report::{self, MergeArgs, Merged};
use crate::cli::status::StatusArgs;
use crate::cli::verify::VerifyArgs;
use crate::cli::words;
use crate::error::Error;
use crate::verbs::doctor::doctor;
use crate::verbs::list::{List, StoreFilter};
use crate::verbs::page::page;
use crate::verbs::quicklook::quicklook;
use crate::verbs::status::status;
use crate::verbs::verify::verify;
use crate::verbs::{du, history, list};

impl Job<'_> {
    pub(super) fn list(&self, args: &ListArgs) -> Result<(), CliError> {
        let request = args.request()?;
        let session = self.open(&args.store)?;
        let mut listing = ListPrinter::new(args, &self.terminal.printer);
        let ended = list::for_each(&session, &request, |store| listing.print(&store));
        if self.leads() {
            // Also after a failure, so that what was printed stays JSON.
            listing.end(&session.place_of(&request.spot), ended.as_ref().ok());
        }
        ended?;
        self.agree(|| listing.verdict())
    }

    pub(super) fn open_stores(&self, args: &OpenArgs) -> Result<(), CliError> {
        let request = args.request()?;
        self.agree(|| args.places())?;
        let session = self.open(&args.store)?;
        let report = crate::verbs::open::open(&session, &request)?;
        let List { spot, filter } = &request.stores;
        self.agree(|| {
            open::verdict(&report, filter, &session.place_of(spot))?;
            let keys = KeysFrom::of(&args.store, &report.reach);
            self.conclude(
                args.told.json,
                || open::document(&report, &keys),
                || open::lines(&report, &keys),
            );
            args.write(&report, spot)?;
            self.terminal.printer.verdict()?;
            Ok(Error::together(report.unplaced())?)
        })
    }

    pub(super) fn quicklook(&self, args: &QuicklookArgs) -> Result<(), CliError> {
        let request = args.request()?;
        self.agree(|| args.out.is_place())?;
        let session = self.open(&args.store)?;
        let report = quicklook(&session, &request)?;
        let place = session.place_of(&request.spot);
        self.agree(|| {
            args.out
                .write(&report.picture, place.trim_end_matches('/'))?;
            let file = &args.out;
            self.conclude(
                args.told.json,
                || QuicklookDocument::new(file.path(), &report),
                || words::pictured(file, &report),
            );
            self.terminal.printer.verdict()?;
            // Of all else there is a picture.
            Ok(report.failure().map_or(Ok(()), Err)?)
        })
    }

    pub(super) fn page(&self, args: &PageArgs) -> Result<(), CliError> {
        let request = args.request()?;
        self.agree(|| args.is_place())?;
        let session = self.open(&args.store)?;
        let report = page(&session, &request)?;
        self.agree(|| {
            let place = session.place_of(&request.spot);
            open::verdict(&report.opened, &StoreFilter::default(), &place)?;
            let files = PageFiles::of(&report, &request.spot, &args.out);
            for note in files.write()? {
                warn(&note);
            }
            let index = args.index();
            self.conclude(
                args.told.json,
                || PageDocument::new(&index, &report, &files),
                || words::paged(&index, &report),
            );
            self.terminal.printer.verdict()?;
            // Of all else there is a page.
            Error::together(report.unread.iter().cloned())?;
            open::are_readable(&report.opened)
        })
    }

    pub(super) fn du(&self, args: &DuArgs) -> Result<(), CliError> {
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

    pub(super) fn history(&self, args: &HistoryArgs) -> Result<(), CliError> {
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

    pub(super) fn status(&self, args: &StatusArgs) -> Result<(), CliError> {
        let request = args.request()?;
        let session = self.open(&args.store)?;
        let report = status(&session, &request)?;
        self.conclude(
            args.json,
            || StatusDocument::from(&report),
            || words::status(&session.place_of(&request.spot), &report),
        );
        self.agree(|| self.terminal.printer.verdict())?;
        Ok(Error::together(report.problems)?)
    }

    pub(super) fn verify(&self, args: &VerifyArgs) -> Result<(), CliError> {
        let memory = self.memory("verify", args.memory)?;
        let request = args.request(memory, self.recipe(args.recipe.as_deref())?)?;
        let session = self.open(&args.store)?;
        let report = verify(&session, &request)?;
        let (lines, verdict) = words::verified(&report);
        let verified = Verified::new(&args.store.bucket, &report);
        if let Some(kept) = self.report.get() {
            kept.verified(verified.clone());
        }
        self.conclude(args.told.json, || VerifyDocument::new(verified), || lines);
        self.agree(|| self.terminal.printer.verdict())?;
        verdict
    }

    pub(super) fn merge(&self, args: &MergeArgs) -> Result<(), CliError> {
        self.agree(|| {
            if let Some(path) = &args.out {
                open::is_place("--out", path)?;
            }
            let merged = Merged::read(&args.files)?;
            if let Some(path) = &args.out {
                open::file("--out", path, &report::page(&merged, &merged, None))?;
            }
            self.conclude(args.json, || &merged, || words::merged(&merged));
            Ok(())
        })?;
        self.agree(|| self.terminal.printer.verdict())
    }

    pub(super) fn doctor(&self, args: &DoctorArgs) -> Result<(), CliError> {
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
        report.verdict()?;
        self.agree(|| self.terminal.printer.verdict())
    }
}
