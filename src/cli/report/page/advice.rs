//! What is not as it should be, with what to do.
//!
//! Key type: [`Advice`].

use super::run_name;
use crate::cli::report::document::StoreState;
use crate::cli::report::merge::{Merged, MergedRun};
use crate::cli::words::{counted, standing};

/// Requests made again, as a share of all, that are worth a word.
const OFTEN: f64 = 0.01;

/// Something to look at.
pub(super) struct Advice {
    pub(super) what: String,
    pub(super) to_do: String,
}

/// All of it, what matters most first.
pub(super) fn advice(all: &Merged) -> Vec<Advice> {
    let mut found = Vec::new();
    let mut add = |what: String, to_do: &str| {
        let to_do = to_do.to_owned();
        found.push(Advice { what, to_do });
    };
    let last = |run: &MergedRun, said: &str| match all.runs.len() {
        1 => said.to_owned(),
        _ => format!("{}: {said}", run_name(run)),
    };
    for run in all.runs.iter().filter(|run| !run.made_up_for) {
        if let Some(error) = &run.run.error {
            let to_do = run.run.advice.as_deref().unwrap_or("Look up its code");
            add(last(run, error), to_do);
        }
    }
    for store in &all.stores {
        let to_do = match store.state {
            StoreState::Open => "Run the same command again, or recover",
            StoreState::Growing => "Let the other jobs end, or see status",
            StoreState::Committed | StoreState::Unchanged => continue,
        };
        add(format!("{}: {}", store.url, standing(store)), to_do);
    }
    for run in &all.runs {
        for problem in &run.run.problems {
            let to_do = "See status; recover brings to an end what is left";
            add(last(run, problem), to_do);
        }
        for notice in &run.run.notices {
            add(last(run, notice), "See that this is meant");
        }
        let result = run.run.result.as_ref();
        if let Some(result) = result.filter(|result| result.unverified > 0) {
            let of = counted(result.objects, "objects");
            add(
                last(
                    run,
                    &format!("{} of {of} were not verified", result.unverified),
                ),
                "Run verify, which reads them",
            );
        }
        if let Some(found) = run.run.verified.as_ref().filter(|found| found.faults > 0) {
            let (faults, objects) = (
                counted(found.faults, "faults"),
                counted(found.objects, "objects"),
            );
            add(
                last(run, &format!("{faults} in {objects} that were read")),
                "See the faults below; update writes steps anew, and rollback undoes the last command",
            );
        }
        let guarantee = run.run.guarantee.as_ref();
        let is_open = guarantee
            .filter(|found| found.conditional_writes != "enforced" && found.lock_dir.is_none());
        if let Some(found) = is_open {
            let said = format!(
                "conditional writes are {} there, and there was no --lock-dir: nothing but time keeps two jobs apart",
                found.conditional_writes
            );
            add(
                last(run, &said),
                "Let one job write at a time, or give all of them --lock-dir",
            );
        }
    }
    let requests: u64 = all.requests.values().map(|record| record.count).sum();
    for (cause, count) in &all.retries {
        if (*count as f64) < OFTEN * requests as f64 {
            continue;
        }
        let of_all = counted(requests, "requests");
        let (after, to_do) = match cause.as_str() {
            "no_answer" => ("no answer", "Look at the network and the server"),
            "429" | "503" => (
                cause.as_str(),
                "Ask for less: fewer ranks, or --max-requests",
            ),
            status => (status, "Look at the server's log"),
        };
        let (share, limit) = (1e2 * *count as f64 / requests as f64, 1e2 * OFTEN);
        add(
            format!(
                "{count} of {of_all}, {share:.1} %, were made again after {after}; more than {limit} % slow a run down"
            ),
            to_do,
        );
    }
    found
}
