//! What `report` says of several runs.

use std::time::Duration;

use super::{are, bytes_shown, counted, more_waiting, rate_shown};
use crate::cli::report::{
    Merged, MergedRun, RunOutcome, SharedStanding, StoreStanding, StoreState,
};
use crate::events::Stage;

/// The runs, a line each, and what they come to together.
pub(in crate::cli) fn merged(all: &Merged) -> Vec<String> {
    let mut lines = table(&all.runs);
    lines.push(format!(
        "{} on {}, {} to {}, {}: {}",
        counted(all.runs.len(), "runs"),
        counted(all.hosts.len(), "hosts"),
        second(&all.begun),
        second(&all.ended),
        seconds(all.elapsed_seconds),
        put(all.written.objects, all.written.bytes, all.elapsed_seconds)
    ));
    lines.extend(stages(all));
    lines.extend(requests(all));
    if all.commit.count > 0 {
        lines.push(format!(
            "{} committed, {:.1} s of that",
            counted(all.commit.count, "transactions"),
            all.commit.seconds
        ));
    }
    if !all.slowest_objects.is_empty() {
        lines.push("the slowest objects, each put and verified:".to_owned());
    }
    for slow in &all.slowest_objects {
        lines.push(format!(
            "  {:.2} s  {}  {}  (rank {} of {})",
            slow.seconds,
            bytes_shown(slow.bytes),
            slow.key,
            slow.rank,
            slow.file
        ));
    }
    if !all.stores.is_empty() {
        lines.push("the stores now:".to_owned());
    }
    for store in &all.stores {
        lines.push(format!("  {}: {}", store.url, standing(store)));
    }
    lines.extend(all.runs.iter().filter_map(failure));
    lines
}

/// Where a store stands.
pub(in crate::cli) fn standing(store: &StoreStanding) -> String {
    let seen = match &store.shared {
        Some(SharedStanding {
            parts, committed, ..
        }) => {
            let edge = match &store.last_step {
                Some(edge) => format!("readers see all up to {edge}"),
                None => "readers see nothing yet".to_owned(),
            };
            Some(format!(
                "{committed} of {} {} committed, {edge}",
                counted(*parts, "parts"),
                are(*committed)
            ))
        }
        None if store.committed > 0 => {
            let last = store.last_step.as_ref();
            let up_to = last.map_or_else(String::new, |last| format!(", up to {last}"));
            let committed = counted(store.committed, "transactions");
            Some(format!("{committed} committed{up_to}"))
        }
        None => None,
    };
    let seen = seen.into_iter();
    match store.state {
        StoreState::Committed => match &store.last_step {
            Some(last) => format!("committed, up to {last}"),
            None => "committed".to_owned(),
        },
        StoreState::Unchanged => "as it was before".to_owned(),
        StoreState::Growing => {
            let rest = store.shared.as_ref().and_then(left);
            let none = "parts of a shared archive are put or begun; status says how far it is";
            let words: Vec<String> = seen.chain(rest).collect();
            if words.is_empty() {
                return none.to_owned();
            }
            words.join("; ")
        }
        StoreState::Open => {
            let open =
                "a transaction is open: the same command again, or recover, brings it to its end";
            let words: Vec<String> = seen.chain([open.to_owned()]).collect();
            words.join("; ")
        }
    }
}

/// What readers do not see of a shared archive.
fn left(shared: &SharedStanding) -> Option<String> {
    let left = shared.parts.saturating_sub(shared.committed);
    let Some(waiting) = shared.waiting else {
        return Some(format!("of the other {left}, status says more"));
    };
    let mut words = Vec::new();
    if waiting > 0 {
        words.push(more_waiting(waiting));
    }
    let missing = left.saturating_sub(waiting);
    if missing > 0 {
        words.push(format!(
            "{missing} {} left: run any of the jobs again if no other does that",
            are(missing)
        ));
    }
    (!words.is_empty()).then(|| words.join("; "))
}

/// A line a run, under a line of headings.
fn table(runs: &[MergedRun]) -> Vec<String> {
    let heads = [
        "report", "task", "hosts", "ranks", "begun", "took", "objects", "stored", "rate", "outcome",
    ];
    let mut rows = vec![heads.map(str::to_owned)];
    rows.extend(runs.iter().map(row));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..heads.len()).map(|c| width(c).unwrap_or(0)).collect();
    let line = |row: &[String; 10]| {
        let cells = row.iter().zip(&widths);
        let padded: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn row(run: &MergedRun) -> [String; 10] {
    let report = &run.run;
    let slurm = report.job.slurm.as_ref();
    let array_task = slurm.and_then(|slurm| slurm.array_task.clone());
    let task = array_task.or_else(|| report.job.task.clone());
    let hosts = match &report.job.hosts[..] {
        [] => "-".to_owned(),
        [one] => one.clone(),
        [first, others @ ..] => format!("{first} +{}", others.len()),
    };
    let outcome = match (report.outcome, run.made_up_for) {
        (RunOutcome::Done, _) => "done".to_owned(),
        (RunOutcome::NothingToDo, _) => "nothing to do".to_owned(),
        (RunOutcome::Failed, made_up) => {
            let later = if made_up { ", made up for later" } else { "" };
            format!("failed, code {}{later}", report.exit_code)
        }
    };
    [
        run.file.clone(),
        task.unwrap_or_else(|| "-".to_owned()),
        hosts,
        report.job.ranks.to_string(),
        second(&report.begun),
        seconds(report.elapsed_seconds),
        report.written.objects.to_string(),
        bytes_shown(report.written.bytes),
        rate(report.written.bytes, report.elapsed_seconds),
        outcome,
    ]
}

/// What the ranks' time went into.
fn stages(all: &Merged) -> Option<String> {
    let total: f64 = all.stages.values().map(|stage| stage.seconds).sum();
    if total <= 0.0 {
        return None;
    }
    let shares = all.stages.iter().map(|(stage, record)| {
        let name = match stage {
            Stage::Read => "read",
            Stage::Decode => "decode",
            Stage::Reproject => "reproject",
            Stage::Encode => "encode",
            Stage::Put => "put",
            Stage::Verify => "verify",
            Stage::Wait => "wait",
        };
        format!("{name} {:.0} %", 100.0 * record.seconds / total)
    });
    let shares: Vec<String> = shares.collect();
    Some(format!(
        "of {total:.0} s of all stages, which overlap: {}",
        shares.join(", ")
    ))
}

/// Requests of each kind, and those that were made again.
fn requests(all: &Merged) -> Vec<String> {
    let kinds = all.requests.iter().map(|(kind, record)| {
        // What it is made of has a text for a name.
        let name = serde_json::json!(kind);
        let name = name.as_str().unwrap_or_default().replace('_', " ");
        let latency = record.latency.as_ref().map_or_else(String::new, |latency| {
            let millis = |seconds: f64| 1e3 * seconds;
            format!(
                " (half within {:.1} ms, 99 % within {:.1} ms, the slowest {:.1} ms)",
                millis(latency.p50_seconds),
                millis(latency.p99_seconds),
                millis(latency.max_seconds)
            )
        });
        let count = counted(record.count, &format!("{name} requests"));
        format!("{count}{latency}")
    });
    let mut lines: Vec<String> = kinds.collect();
    if !all.retries.is_empty() {
        let causes = all.retries.iter().map(|(cause, count)| {
            let after = match cause.as_str() {
                "no_answer" => "no answer",
                status => status,
            };
            format!("{count} after {after}")
        });
        let causes: Vec<String> = causes.collect();
        lines.push(format!("requests made again: {}", causes.join(", ")));
    }
    lines
}

/// Why a run failed for which no other made up.
fn failure(run: &MergedRun) -> Option<String> {
    let error = run.run.error.as_ref().filter(|_| !run.made_up_for)?;
    Some(format!(
        "{} failed with code {}: {error}",
        run.file, run.run.exit_code
    ))
}

fn put(objects: u64, bytes: u64, elapsed: f64) -> String {
    format!(
        "{}, {} stored, {}",
        counted(objects, "objects"),
        bytes_shown(bytes),
        rate(bytes, elapsed)
    )
}

fn rate(bytes: u64, elapsed: f64) -> String {
    rate_shown(bytes as f64 / elapsed.max(1e-3))
}

/// `1h 2m 3s`, or `4.5s` of what is over in less than a minute.
pub(in crate::cli) fn seconds(seconds: f64) -> String {
    if seconds < 60.0 {
        return format!("{seconds:.1}s");
    }
    humantime::format_duration(Duration::from_secs(seconds.round() as u64)).to_string()
}

/// A time without its fraction of a second.
fn second(time: &str) -> String {
    match time.split_once('.') {
        Some((whole, _)) => format!("{whole}Z"),
        None => time.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(state: StoreState, committed: u64, shared: Option<SharedStanding>) -> String {
        standing(&StoreStanding {
            key: "T1y/tos.zarr".to_owned(),
            url: "s3://ocean/T1y/tos.zarr".to_owned(),
            state,
            committed,
            last_step: (committed > 0).then(|| "1976-02-15 00:00:00".to_owned()),
            shared,
        })
    }

    #[test]
    fn where_a_store_stands_is_said_as_far_as_it_is_known() {
        let parts = |committed, waiting| {
            Some(SharedStanding {
                parts: 6,
                committed,
                waiting,
            })
        };
        let growing = store(StoreState::Growing, 1, parts(2, Some(3)));
        assert_eq!(
            growing,
            "2 of 6 parts are committed, readers see all up to 1976-02-15 00:00:00; 3 more are put and wait for those before them; \
             1 is left: run any of the jobs again if no other does that"
        );
        let nothing = store(StoreState::Growing, 0, parts(0, Some(6)));
        assert!(nothing.starts_with("0 of 6 parts are committed, readers see nothing yet; 6 more"));
        let unknown = store(StoreState::Growing, 1, parts(2, None));
        assert!(unknown.ends_with("; of the other 4, status says more"));
        assert!(store(StoreState::Growing, 0, None).contains("status says how far"));
        let open = store(StoreState::Open, 2, None);
        assert!(open.starts_with(
            "2 transactions committed, up to 1976-02-15 00:00:00; a transaction is open: "
        ));
        assert!(store(StoreState::Open, 0, None).starts_with("a transaction is open: "));
        let whole = store(StoreState::Committed, 1, parts(6, Some(0)));
        assert_eq!(whole, "committed, up to 1976-02-15 00:00:00");
    }
}
