//! The flags of `plan`, and what it prints: words, a JSON document, or a batch script. What `--dry-run` of `send` and `update` prints is
//! the same.
//!
//! Key types: [`PlanArgs`]; [`PlanPrint`], how a plan is printed.

use std::ffi::OsString;
use std::num::NonZeroUsize;

use clap::Args;
use serde_json::{Value, json};

use super::error::CliError;
use super::json::Outcome;
use super::outcome::OutcomeArgs;
use super::prices::{Cost, Prices};
use super::printer;
use super::rate::{Rate, RateArg};
use super::sbatch::{ScriptTerms, batch_script};
use super::send::SendArgs;
use super::share::SLURM;
use super::words;
use crate::verbs::send::{PlanWarning, SendPlan};

/// What `plan` is told.
#[derive(Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub send: SendArgs,

    /// Bytes a second, decoded, that the job as a whole sends, such as 200M, or the file of a document that measured them: the time is
    /// estimated from it
    ///
    /// A send says at its end what its rate was, and its --report has it; doctor --json has that of puts by one process alone.
    #[arg(long, value_name = "SIZE|FILE.json", value_parser = RateArg::parse)]
    pub rate: Option<RateArg>,

    /// What is charged, such as put=0.005/1000,get=0.0004/1000,gb-month=0.023: the cost is told by it
    ///
    /// Of put, get, copy, head, list, delete: the price of a request, or of so many; gb-month: of 10⁹ bytes for a month; core-hour: of a
    /// core for an hour.
    #[arg(long, value_name = "PRICES")]
    pub prices: Option<Prices>,

    /// Ranks of the job that is planned [default: those that plan it]
    #[arg(long, value_name = "N")]
    pub ranks: Option<NonZeroUsize>,

    /// Print a batch script for Slurm that sends what is planned, with ranks, memory and time from the plan
    #[arg(long, conflicts_with = "json")]
    pub sbatch: bool,

    /// All that was typed.
    #[arg(skip)]
    pub line: Vec<OsString>,
}

impl PlanArgs {
    /// Takes the line that was typed. A plan is of no task of an array: `--task slurm` says nothing yet.
    pub(super) fn take_line(&mut self, line: Vec<OsString>) {
        self.line = line;
        let task = &mut self.send.share.task;
        *task = task.take().filter(|task| task != SLURM);
    }

    /// Checks what is of no use to a plan.
    ///
    /// # Errors
    /// If something is.
    pub(super) fn check(&self) -> Result<(), CliError> {
        if self.send.files.consolidate {
            return Err(CliError::Line(
                "a plan writes nothing: it cannot be made with --consolidate; consolidate the store first, by a send or an update".to_owned(),
            ));
        }
        Ok(())
    }

    /// How the plan is printed, where this is the job's `rate`; as a script whose ranks hold so much, if it is one.
    pub(super) fn print(&self, rate: Option<Rate>, script_memory: Option<u64>) -> PlanPrint<'_> {
        let line = &self.line[..];
        PlanPrint {
            verb: "send",
            outcome: self.send.files.outcome,
            rate,
            prices: self.prices.as_ref(),
            script_of: script_memory.map(|memory| ScriptTerms { line, memory }),
        }
    }
}

/// How a plan is printed.
pub(super) struct PlanPrint<'a> {
    /// What is planned.
    pub verb: &'static str,
    /// As a document? And how does it end if there is nothing to do?
    pub outcome: OutcomeArgs,
    /// How fast the job is.
    pub rate: Option<Rate>,
    /// What is charged.
    pub prices: Option<&'a Prices>,
    /// Of what a batch script is made, if one is.
    pub script_of: Option<ScriptTerms<'a>>,
}

/// How long something takes at a rate.
pub(super) struct Estimate {
    /// How fast the job is.
    pub rate: Rate,
    /// Seconds.
    pub seconds: f64,
    /// Hours of all ranks' cores together.
    pub core_hours: f64,
}

impl PlanPrint<'_> {
    /// What is printed of `plan`.
    pub(super) fn of(&self, plan: &SendPlan) -> String {
        let estimate = self.rate.as_ref().map(|rate| {
            let seconds = plan.bytes as f64 / rate.bytes as f64;
            Estimate {
                rate: rate.clone(),
                seconds,
                core_hours: seconds * plan.ranks as f64 / 3600.0,
            }
        });
        let estimate = estimate.as_ref();
        let core_hours = estimate.map(|estimate| estimate.core_hours);
        let cost = self.prices.map(|prices| prices.cost(plan, core_hours));
        let cost = cost.as_ref();
        if let Some(terms) = self.script_of {
            return batch_script(plan, terms, estimate);
        }
        if self.outcome.told.json {
            return printer::document(&document(self.verb, plan, estimate, cost));
        }
        words::foreseen(plan, estimate, cost).join("\n")
    }
}

/// The document of `--json`: docs/schemas/plan-2.json.
fn document(
    verb: &str,
    plan: &SendPlan,
    estimate: Option<&Estimate>,
    cost: Option<&Cost>,
) -> Value {
    let mut stores = json!(plan.stores);
    for (store, planned) in stores
        .as_array_mut()
        .into_iter()
        .flatten()
        .zip(&plan.stores)
    {
        let arrays = store["arrays"].as_array_mut().into_iter().flatten();
        for (array, planned) in arrays.zip(&planned.arrays) {
            array["codecs"] = planned.codec_documents().into();
        }
    }
    let transactions = plan.transactions.iter().map(|one| {
        let mut told = files_told(&one.files);
        told["number"] = one.number.into();
        told["stores"] = one.size.stores.into();
        told["arrays"] = one.size.arrays.into();
        told["objects"] = one.size.objects.into();
        told["bytes"] = one.size.bytes.into();
        told["peak_memory"] = one.size.memory.into();
        told["moves"] = json!(one.size.moves);
        told
    });
    let parts = plan.parts.iter().map(|part| {
        let mut told = files_told(&part.files);
        told["number"] = part.number.into();
        told["steps"] = part.steps.into();
        told["committed"] = part.is_committed.into();
        told["waiting"] = part.is_waiting.into();
        told["own"] = part.is_own.into();
        told
    });
    let warnings: Vec<Value> = plan.warnings.iter().map(warning_told).collect();
    let transactions: Vec<Value> = transactions.collect();
    let parts: Vec<Value> = parts.collect();
    let estimate = estimate.map(|estimate| {
        let Estimate {
            rate,
            seconds,
            core_hours,
        } = estimate;
        json!({
            "rate": rate.bytes,
            "measured": rate.measured,
            "estimated_seconds": seconds,
            "core_hours": core_hours,
        })
    });
    json!({
        "format": "msm_os/plan/2",
        "verb": verb,
        "outcome": Outcome::of(plan.nothing_to_do),
        "ranks": plan.ranks,
        "memory_limit": plan.memory_limit,
        "peak_memory": plan.peak_memory,
        "objects": plan.objects,
        "bytes": plan.bytes,
        "reads": plan.reads,
        "stores": stores,
        "transactions": transactions,
        "parts": parts,
        "work": plan.work,
        "requests": plan.requests,
        "estimate": estimate,
        "cost": cost,
        "warnings": warnings,
    })
}

/// A warning, with what it says in words.
pub(super) fn warning_told(warning: &PlanWarning) -> Value {
    // One member, by which kind it is.
    let value = json!(warning);
    let kinds = value.as_object().into_iter().flatten();
    let mut told = json!({});
    for (kind, facts) in kinds {
        told = facts.clone();
        told["kind"] = kind.as_str().into();
    }
    told["message"] = words::plan_warning(warning).into();
    told
}

/// Files, with their first step and their last.
fn files_told(files: &crate::events::PlannedFiles) -> Value {
    let (first, last) = files.steps.clone().unzip();
    json!({"files": files.names, "first_step": first, "last_step": last})
}
