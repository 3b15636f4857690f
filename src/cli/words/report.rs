//! What `report` says of several runs.

use std::time::Duration;

use super::{are, bytes_shown, counted, more_waiting, rate_shown};
use crate::cli::open::quoted;
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
            "{} committed, {} of that",
            counted(all.commit.count, "transactions"),
            seconds(all.commit.seconds)
        ));
    }
    if !all.slowest_objects.is_empty() {
        lines.push("the slowest objects, each put and verified:".to_owned());
    }
    for slow in &all.slowest_objects {
        lines.push(format!(
            "  {}  {}  {}  (rank {} of run {}, {})",
            seconds(slow.seconds),
            bytes_shown(slow.bytes),
            slow.key,
            slow.rank,
            slow.run,
            slow.file
        ));
    }
    if !all.stores.is_empty() {
        lines.push("the stores in the end:".to_owned());
    }
    for store in &all.stores {
        lines.push(format!("  {}: {}", store.url, standing(store)));
    }
    lines.extend(all.runs.iter().filter_map(failure));
    lines
}

/// Where a store stands: its state, what readers see of it, and what the runs have written.
pub(in crate::cli) fn standing(store: &StoreStanding) -> String {
    let all = [Some(state(store)), seen(store), written(store)];
    let all: Vec<String> = all.into_iter().flatten().collect();
    all.join("; ")
}

/// In which state the runs left the store.
pub(in crate::cli) fn state(store: &StoreStanding) -> String {
    match store.state {
        StoreState::Committed => "committed".to_owned(),
        StoreState::Unchanged => "as it was before".to_owned(),
        StoreState::Growing => store.shared.as_ref().and_then(left).unwrap_or_else(|| {
            "parts of a shared archive are put or begun; status says how far it is".to_owned()
        }),
        StoreState::Open => {
            "a transaction is open: the same command again, or recover, brings it to its end"
                .to_owned()
        }
    }
}

/// What readers see of the store, as far as that is known.
pub(in crate::cli) fn seen(store: &StoreStanding) -> Option<String> {
    let holds = store.holds.as_ref();
    if let Some(holds) = holds.filter(|_| store.state != StoreState::Growing) {
        let (first, last) = (&holds.first_step, &holds.last_step);
        let steps = counted(holds.steps, "steps");
        return Some(format!("readers see {steps}, {first} to {last}"));
    }
    let SharedStanding {
        parts, committed, ..
    } = store.shared.as_ref()?;
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

/// What the runs have committed in the store.
pub(in crate::cli) fn written(store: &StoreStanding) -> Option<String> {
    if store.committed == 0 {
        return None;
    }
    let steps = match (&store.first_step, &store.last_step) {
        (Some(first), Some(last)) => format!(" with steps from {first} to {last}"),
        // What came before knows no more.
        (None, Some(last)) => format!(" with steps up to {last}"),
        _ => String::new(),
    };
    let committed = counted(store.committed, "transactions");
    Some(format!("{committed} committed{steps}"))
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
        "run", "report", "task", "hosts", "ranks", "begun", "took", "objects", "stored", "rate",
        "outcome",
    ];
    let mut rows = vec![heads.map(str::to_owned)];
    rows.extend(runs.iter().map(row));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..heads.len()).map(|c| width(c).unwrap_or(0)).collect();
    let line = |row: &[String; 11]| {
        let cells = row.iter().zip(&widths);
        let padded: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        padded.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn row(run: &MergedRun) -> [String; 11] {
    let report = &run.run;
    let hosts = match &report.job.hosts[..] {
        [] => "-".to_owned(),
        [one] => one.clone(),
        [first, others @ ..] => format!("{first} +{}", others.len()),
    };
    [
        run.number.to_string(),
        run.file.clone(),
        task(run).unwrap_or_else(|| "-".to_owned()),
        hosts,
        report.job.ranks.to_string(),
        second(&report.begun),
        seconds(report.elapsed_seconds),
        report.written.objects.to_string(),
        bytes_shown(report.written.bytes),
        rate(report.written.bytes, report.elapsed_seconds),
        ended(run),
    ]
}

/// Which task of an array a run was, if it was one.
pub(in crate::cli) fn task(run: &MergedRun) -> Option<String> {
    let job = &run.run.job;
    let slurm = job.slurm.as_ref();
    let array_task = slurm.and_then(|slurm| slurm.array_task.clone());
    array_task.or_else(|| job.task.clone())
}

/// The command that was typed, as a shell takes it.
pub(in crate::cli) fn command_line(arguments: &[String]) -> String {
    let words = arguments.iter().map(|word| quoted(word));
    let words: Vec<String> = std::iter::once("msm_os".to_owned()).chain(words).collect();
    words.join(" ")
}

/// How a run ended.
pub(in crate::cli) fn ended(run: &MergedRun) -> String {
    match (run.run.outcome, run.made_up_for) {
        (RunOutcome::Done, _) => "done".to_owned(),
        (RunOutcome::NothingToDo, _) => "nothing to do".to_owned(),
        (RunOutcome::Failed, made_up) => {
            let later = if made_up { ", made up for later" } else { "" };
            format!("failed, code {}{later}", run.run.exit_code)
        }
    }
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
        "of {} of all stages, which overlap: {}",
        seconds(total),
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
            format!(
                " (half within {}, 99 % within {}, the slowest {})",
                seconds(latency.p50_seconds),
                seconds(latency.p99_seconds),
                seconds(latency.max_seconds)
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

/// `1h 2m 3s`, or `4.5 s`, `12.3 ms`, `61 µs` of what is over in less than a minute.
pub(in crate::cli) fn seconds(seconds: f64) -> String {
    match seconds {
        0.0 => return "0 s".to_owned(),
        short if short < 1e-3 => return format!("{:.0} µs", 1e6 * short),
        short if short < 1.0 => return format!("{:.1} ms", 1e3 * short),
        short if short < 60.0 => return format!("{short:.1} s"),
        _ => {}
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
            holds: None,
            committed,
            first_step: None,
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
            "3 more are put and wait for those before them; 1 is left: run any of the jobs again if no other does that; \
             2 of 6 parts are committed, readers see all up to 1976-02-15 00:00:00; 1 transaction committed with steps up to 1976-02-15 00:00:00"
        );
        let nothing = store(StoreState::Growing, 0, parts(0, Some(6)));
        assert!(nothing.ends_with("; 0 of 6 parts are committed, readers see nothing yet"));
        let unknown = store(StoreState::Growing, 1, parts(2, None));
        assert!(unknown.starts_with("of the other 4, status says more; 2 of 6 "));
        assert!(store(StoreState::Growing, 0, None).contains("status says how far"));
        let open = store(StoreState::Open, 2, None);
        assert!(open.starts_with("a transaction is open: "));
        let written = "; 2 transactions committed with steps up to 1976-02-15 00:00:00";
        assert!(open.ends_with(written), "{open}");
        assert!(store(StoreState::Open, 0, None).starts_with("a transaction is open: "));
        let whole = store(StoreState::Committed, 1, parts(6, Some(0)));
        assert!(
            whole.starts_with("committed; 6 of 6 parts are committed, readers see all up to 1976")
        );
    }

    #[test]
    fn times_are_told_in_what_they_are_counted_in() {
        for (time, told) in [
            (0.0, "0 s"),
            (6.0775e-5, "61 µs"),
            (0.012_34, "12.3 ms"),
            (4.56, "4.6 s"),
            (3723.0, "1h 2m 3s"),
        ] {
            assert_eq!(seconds(time), told);
        }
    }
}
