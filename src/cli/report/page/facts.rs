//! What went where, and how it was verified.
//!
//! Key function: [`facts`].

use maud::{Markup, html};

use crate::cli::report::document::{RunReport, RunResult};
use crate::cli::report::merge::Merged;
use crate::cli::words::{bytes_shown, counted, proofs_shown, rate_shown, seconds};
use crate::verbs::page::ProofCounts;

/// The facts of all runs, each with its name.
pub(super) fn facts(all: &Merged) -> Markup {
    html! {
        dl.list {
            @for (name, fact) in list(all) { div { dt { (name) } dd { (fact) } } }
        }
    }
}

fn list(all: &Merged) -> Vec<(&'static str, String)> {
    let runs = || all.runs.iter().map(|run| &run.run);
    let mut facts: Vec<(&'static str, String)> = Vec::new();
    let failures = all.runs.iter().filter(|run| !run.made_up_for);
    for run in failures {
        if let Some(error) = &run.run.error {
            let code = run.run.exit_code;
            facts.push(("Failed", format!("{} with code {code}: {error}", run.file)));
        }
    }
    let mut add = |name: &'static str, fact: String| {
        if !fact.is_empty() {
            facts.push((name, fact));
        }
    };
    add("From", files(runs()));
    add("Steps", steps(runs()));
    add(
        "To",
        distinct(runs().filter_map(|run| {
            let place = run.place.as_ref()?;
            let server = run.endpoint.iter().map(|server| format!(" at {server}"));
            Some(format!("{place}{}", server.collect::<String>()))
        })),
    );
    let results: Vec<&RunResult> = runs().filter_map(|run| run.result.as_ref()).collect();
    add("Done", done(&results));
    add("Verified", proofs(&results).join("\n"));
    let found = runs().filter_map(|run| run.verified.as_ref());
    for found in found {
        let (objects, bytes) = (counted(found.objects, "objects"), bytes_shown(found.bytes));
        let faults = counted(found.faults, "faults");
        add(
            "Verified",
            format!("{objects}, {bytes} read and compared: {faults}"),
        );
        add(
            "Not compared",
            found.not_compared.clone().unwrap_or_default(),
        );
    }
    if all.written.objects > 0 {
        let (objects, bytes) = (all.written.objects, all.written.bytes);
        let rate = rate_shown(bytes as f64 / all.elapsed_seconds.max(1e-3));
        let (objects, bytes) = (counted(objects, "objects"), bytes_shown(bytes));
        add("Put", format!("{objects}, {bytes}, {rate}"));
    }
    add(
        "When",
        format!(
            "{} to {}, {}",
            all.begun,
            all.ended,
            seconds(all.elapsed_seconds)
        ),
    );
    let ranks: usize = runs().map(|run| run.job.ranks).sum();
    let hosts: Vec<&str> = all.hosts.iter().map(String::as_str).collect();
    add(
        "By",
        format!("{} on {}", counted(ranks, "ranks"), hosts.join(", ")),
    );
    let jobs = runs().filter_map(|run| run.job.slurm.as_ref());
    add(
        "Slurm",
        distinct(jobs.map(|slurm| format!("job {}", slurm.job))),
    );
    let versions = runs().map(|run| format!("msm_os {}", run.program.version));
    add("Program", distinct(versions));
    facts
}

/// Each once, in the order in which they come.
fn distinct(texts: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = Vec::new();
    for text in texts {
        if !all.contains(&text) {
            all.push(text);
        }
    }
    all.join("\n")
}

/// The files, of all transactions.
fn files<'a>(runs: impl Iterator<Item = &'a RunReport>) -> String {
    let transactions = runs.flat_map(|run| &run.plan.transactions);
    let names = transactions.flat_map(|one| &one.files);
    let names: std::collections::BTreeSet<&String> = names.collect();
    match (names.first(), names.last(), names.len()) {
        (Some(first), _, 1) => (*first).clone(),
        (Some(first), Some(last), count) => {
            format!("{first} to {last}, {}", counted(count, "files"))
        }
        _ => String::new(),
    }
}

fn steps<'a>(runs: impl Iterator<Item = &'a RunReport>) -> String {
    let transactions: Vec<_> = runs.flat_map(|run| &run.plan.transactions).collect();
    let first = transactions
        .iter()
        .filter_map(|one| one.first_step.as_ref());
    let last = transactions.iter().filter_map(|one| one.last_step.as_ref());
    match first.min().zip(last.max()) {
        Some((first, last)) => format!("{first} to {last}"),
        None => String::new(),
    }
}

fn done(results: &[&RunResult]) -> String {
    let sum = |number: fn(&RunResult) -> u64| results.iter().map(|one| number(one)).sum::<u64>();
    let parts = [
        (
            sum(|one| one.stores_created.len() as u64),
            "stores",
            "created",
        ),
        (
            sum(|one| one.stores_extended.len() as u64),
            "stores",
            "extended",
        ),
        (sum(|one| one.steps_appended), "steps", "appended"),
        (sum(|one| one.steps_replaced), "steps", "replaced"),
        (sum(|one| one.transactions), "transactions", "committed"),
    ];
    let parts = parts.iter().filter(|(count, ..)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, what, done)| format!("{} {done}", counted(*count, what)))
        .collect();
    parts.join(", ")
}

fn proofs(results: &[&RunResult]) -> Vec<String> {
    let sum = |number: fn(&RunResult) -> u64| results.iter().map(|one| number(one)).sum();
    proofs_shown(&ProofCounts {
        read_back: sum(|one| one.verified_by_reading),
        by_server: sum(|one| one.verified_by_server),
        by_etag: sum(|one| one.verified_by_etag),
        unproven: sum(|one| one.unverified),
    })
}
