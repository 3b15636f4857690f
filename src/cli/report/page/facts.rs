//! What went where, and how it was verified.
//!
//! Key function: [`facts`].

use maud::{Markup, html};

use super::{ranks_in_words, run_name};
use crate::cli::json::Verified;
use crate::cli::markup::text;
use crate::cli::report::document::RunResult;
use crate::cli::report::merge::{Merged, MergedRun};
use crate::cli::report::steps::ends;
use crate::cli::words::{bytes_shown, command_line, counted, proofs_shown, rate_shown, seconds};
use crate::verbs::page::ProofCounts;

/// The facts of all runs, each with its name.
pub(super) fn facts(all: &Merged) -> Markup {
    html! {
        dl.list {
            @for (name, fact) in list(all) { div { dt { (name) } dd { (text(&fact)) } } }
        }
    }
}

fn list(all: &Merged) -> Vec<(&'static str, String)> {
    let runs = || all.runs.iter().map(|run| &run.run);
    let mut facts: Vec<(&'static str, String)> = Vec::new();
    let named = |run: &MergedRun| match all.runs.len() {
        1 => String::new(),
        _ => run_name(run) + ": ",
    };
    for run in all.runs.iter().filter(|run| !run.made_up_for) {
        if run.run.error.is_some() {
            let code = run.run.exit_code;
            facts.push((
                "Failed",
                format!("{}exit code {code}, see below", named(run)),
            ));
        }
    }
    let mut add = |name: &'static str, fact: String| {
        if !fact.is_empty() {
            facts.push((name, fact));
        }
    };
    if let [run] = &all.runs[..] {
        add("Command", command_line(&run.run.arguments));
    }
    let transactions = runs().flat_map(|run| &run.plan.transactions);
    add(
        "From",
        files(transactions.clone().flat_map(|one| &one.files)),
    );
    let ends_of = transactions.flat_map(|one| [&one.first_step, &one.last_step]);
    add("Steps", steps(ends_of.flatten()));
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
    for run in &all.runs {
        let Some(found) = &run.run.verified else {
            continue;
        };
        let (objects, bytes) = (counted(found.objects, "objects"), bytes_shown(found.bytes));
        let (name, faults) = (named(run), counted(found.faults, "faults"));
        add(
            "Verified",
            format!("{name}{objects}, {bytes} read and checked: {faults}"),
        );
        let replaced = found.replaced.iter().map(ToString::to_string);
        add("Not verified", replaced.collect::<Vec<_>>().join("\n"));
        if let Some(against) = held_against(run, found) {
            add("Held against", name + &against);
        }
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
    let hosts: Vec<&str> = all.hosts.iter().map(String::as_str).collect();
    add(
        "By",
        format!("{} on {}", ranks_in_words(all), hosts.join(", ")),
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

/// Which files' values `verify` has held against those of the stores, and what came of it; `None` if that is not known.
fn held_against(run: &MergedRun, found: &Verified) -> Option<String> {
    let Some(against) = &found.against else {
        let is_asked = { run.run.asked.iter() }.any(|flag| flag.starts_with("--against "));
        // What came before does not tell them.
        return (!is_asked).then(|| "no files".to_owned());
    };
    let ends = [&against.first_step, &against.last_step];
    let steps = Some(steps(ends.into_iter().flatten())).filter(|steps| !steps.is_empty());
    let steps = steps.map_or_else(String::new, |steps| format!(", steps {steps}"));
    let differ = match (&found.not_compared, found.differing.len()) {
        (Some(why), _) => format!("could not be compared: {why}"),
        (None, 0) => "no value differs".to_owned(),
        (None, count) => format!("values of {} differ", counted(count, "objects")),
    };
    let files = files(against.files.iter());
    Some(format!("{files}{steps}: {differ}"))
}

/// The first file, the last, and how many.
fn files<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: std::collections::BTreeSet<&String> = names.collect();
    match (names.first(), names.last(), names.len()) {
        (Some(first), _, 1) => (*first).clone(),
        (Some(first), Some(last), count) => {
            format!("{first} to {last}, {}", counted(count, "files"))
        }
        _ => String::new(),
    }
}

fn steps<'a>(steps: impl Iterator<Item = &'a String> + Clone) -> String {
    ends(steps).map_or_else(String::new, |[first, last]| format!("{first} to {last}"))
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
