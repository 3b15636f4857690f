//! Sends, updates and their plans: from flags to requests, and from reports to words.

use super::Job;
use crate::cli::error::CliError;
use crate::cli::files::FileArgs;
use crate::cli::json::SendDocument;
use crate::cli::open::opened_with;
use crate::cli::plan::{PlanArgs, PlanPrint};
use crate::cli::printer::warn;
use crate::cli::rate::RateArg;
use crate::cli::sbatch::data_memory;
use crate::cli::send::{SendArgs, UpdateArgs};
use crate::cli::words;
use crate::verbs::send::{SendPlan, SendReport, forecast, forecast_update, send, update};

impl Job<'_> {
    pub(super) fn send(&self, args: &SendArgs) -> Result<(), CliError> {
        let memory = self.memory("send", args.files.memory)?;
        let request = args.request(memory, self.recipe(args.files.recipe.recipe.as_deref())?)?;
        let session = self.open(&args.files.store)?;
        if args.dry_run {
            let plan = forecast(&session, &request, None)?;
            return self.say_plan(&plan, &args.print());
        }
        let report = send(&session, &request)?;
        self.say_sent(&args.files, false, &report)
    }

    pub(super) fn update(&self, args: &UpdateArgs) -> Result<(), CliError> {
        let memory = self.memory("update", args.files.memory)?;
        let request = args.request(memory, self.recipe(args.files.recipe.recipe.as_deref())?)?;
        let session = self.open(&args.files.store)?;
        if args.dry_run {
            let plan = forecast_update(&session, &request)?;
            return self.say_plan(&plan, &args.print());
        }
        let report = update(&session, &request)?;
        self.say_sent(&args.files, true, &report)
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

    pub(super) fn plan(&self, args: &PlanArgs) -> Result<(), CliError> {
        args.check()?;
        let files = &args.send.files;
        let memory = self.memory("plan", files.memory)?;
        let recipe = self.recipe(files.recipe.recipe.as_deref())?;
        let request = args.send.request(memory, recipe)?;
        let rate = args.rate.as_ref();
        let rate = { self.ranks }.on_lead(|| Ok(rate.map(RateArg::rate).transpose()))??;
        let session = self.open(&files.store)?;
        let plan = forecast(&session, &request, args.ranks)?;
        let mut script_memory = args.sbatch.then(|| data_memory(&plan));
        // With less, stored chunks may have to be inflated more often, and there may be no room for maps.
        while let Some(memory) = script_memory
            .as_mut()
            .filter(|memory| **memory < plan.memory_limit)
        {
            let mut request = request.clone();
            request.files.memory = *memory;
            let planned = forecast(&session, &request, args.ranks);
            if planned.is_ok_and(|planned| {
                (planned.reads, planned.peak_memory) == (plan.reads, plan.peak_memory)
            }) {
                break;
            }
            *memory = (2 * (*memory).max(1 << 20)).min(plan.memory_limit);
        }
        self.say_plan(&plan, &args.print(rate, script_memory))
    }

    fn say_plan(&self, plan: &SendPlan, print: &PlanPrint<'_>) -> Result<(), CliError> {
        if print.script_of.is_some() && plan.nothing_to_do && self.leads() {
            warn(&"nothing to do: the script would send nothing");
        }
        self.say(&print.of(plan));
        self.agree(|| self.terminal.printer.verdict())?;
        Self::ending(print.outcome, plan.nothing_to_do)
    }
}
