//! Tables of stores, faults, runs, ranks, requests and objects.

use maud::{Markup, html};

use super::{name, ranks, row_name, run_name};
use crate::cli::json::FaultView;
use crate::cli::markup::{text, wide};
use crate::cli::report::document::StageRecord;
use crate::cli::report::merge::Merged;
use crate::cli::words::{self, bytes_shown, counted, ended, seconds};
use crate::events::Stage;

/// Faults that are shown.
const FAULTS: usize = 50;

/// Bytes of a cell that has one line.
const SHORT: usize = 25;

/// Where the runs left each store, or what was found in it.
pub(super) fn stores(all: &Merged) -> Markup {
    let verified = all.runs.iter().filter_map(|run| run.run.verified.as_ref());
    let verified: Vec<_> = verified.flat_map(|found| &found.stores).collect();
    let heads = ["Store", "State", "What readers see", "What was written"];
    html! {
        @if !all.stores.is_empty() {
            h2 { "The stores in the end" }
            (table("The stores in the end", &heads, all.stores.iter().map(|store| {
                let or_none = |words: Option<String>, none: &str| words.unwrap_or_else(|| none.to_owned());
                vec![
                    store.url.clone(),
                    words::state(store),
                    or_none(words::seen(store), "of its steps nothing is known: see list"),
                    or_none(words::written(store), "nothing"),
                ]
            })))
        }
        @if !verified.is_empty() {
            h2 { "What was looked at" }
            (table("What was looked at", &["Store", "Objects", "Size", "Faults", "Not settled"], verified.into_iter().map(|store| {
                vec![
                    store.store.url.clone(),
                    store.objects.to_string(),
                    bytes_shown(store.bytes),
                    store.faults.len().to_string(),
                    store.unsettled.to_string(),
                ]
            })))
        }
    }
}

/// What `verify` found.
pub(super) fn faults(all: &Merged) -> Markup {
    let verified = all.runs.iter().filter_map(|run| run.run.verified.as_ref());
    let faults = verified.flat_map(|found| {
        let of_stores = found.stores.iter().flat_map(|store| &store.faults);
        of_stores.chain(&found.differing)
    });
    let faults: Vec<&FaultView> = faults.collect();
    let more = faults.len().saturating_sub(FAULTS);
    html! {
        @if !faults.is_empty() {
            h2 { "Faults" }
            (table("Faults", &["Object", "Fault"], faults.iter().take(FAULTS).map(|fault| {
                vec![fault.key.clone(), fault.what.clone()]
            })))
        }
        @if more > 0 { p { "And " (more) " more, which the JSON has." } }
    }
}

/// The runs, where there are several.
pub(super) fn runs(all: &Merged) -> Markup {
    let rows = all.runs.iter().map(|run| {
        let report = &run.run;
        vec![
            run.number.to_string(),
            run.file.clone(),
            words::task(run).unwrap_or_default(),
            report.job.hosts.join(", "),
            report.job.ranks.to_string(),
            report.begun.clone(),
            seconds(report.elapsed_seconds),
            counted(report.written.objects, "objects"),
            bytes_shown(report.written.bytes),
            ended(run),
        ]
    });
    let heads = [
        "Run", "Report", "Task", "Hosts", "Ranks", "Begun", "Took", "Put", "Stored", "Ended",
    ];
    let lines = all.runs.iter().map(|run| {
        let line = words::command_line(&run.run.arguments);
        vec![run.number.to_string(), line]
    });
    html! {
        @if all.runs.len() > 1 {
            h2 { "The runs" }
            (table("The runs", &heads, rows))
            (table("Command lines", &["Run", "Command"], lines))
        }
    }
}

/// What each rank did.
pub(super) fn ranks_of(all: &Merged) -> Markup {
    let rows = ranks(all).map(|(run, rank)| {
        let requests = rank.requests.values().map(|record| record.count);
        vec![
            row_name(all, run, rank.rank),
            rank.host.clone(),
            counted(rank.written.objects, "objects"),
            bytes_shown(rank.written.bytes),
            requests.sum::<u64>().to_string(),
            rank.retries.values().sum::<u64>().to_string(),
        ]
    });
    let heads = ["Rank", "Host", "Put", "Stored", "Requests", "Made again"];
    table("Work of each rank", &heads, rows)
}

/// How long each stage took on each rank, and on all of them together.
pub(super) fn stages_of(all: &Merged) -> Markup {
    let row = |name: String, stages: &std::collections::BTreeMap<Stage, StageRecord>| {
        let of = |stage| stages.get(stage).map_or(0.0, |record| record.seconds);
        let cells = Stage::ALL.iter().map(|stage| seconds(of(stage)));
        [name].into_iter().chain(cells).collect::<Vec<String>>()
    };
    let rows = ranks(all).map(|(run, rank)| row(row_name(all, run, rank.rank), &rank.stages));
    let sums = [row("all".to_owned(), &all.stages)];
    let names: Vec<String> = Stage::ALL.iter().map(name).collect();
    let heads = ["Rank"].into_iter().chain(names.iter().map(String::as_str));
    let heads: Vec<&str> = heads.collect();
    html! {
        h3 { "How long each stage took" }
        (table("How long each stage took", &heads, rows.chain(sums)))
    }
}

/// The requests, by their kinds.
pub(super) fn requests(all: &Merged) -> Markup {
    let rows = all.requests.iter().map(|(kind, record)| {
        let latency = record.latency.as_ref();
        let times = latency.map(|all| {
            [
                all.p50_seconds,
                all.p90_seconds,
                all.p99_seconds,
                all.max_seconds,
            ]
        });
        let times = times.map(|times| times.map(seconds)).unwrap_or_default();
        let mut cells = vec![
            name(kind),
            record.count.to_string(),
            record.unanswered.to_string(),
            bytes_shown(record.sent_bytes),
            bytes_shown(record.received_bytes),
        ];
        cells.extend(times);
        cells
    });
    let heads = [
        "Kind",
        "Requests",
        "Not answered",
        "Sent",
        "Received",
        "Half within",
        "90 % within",
        "99 % within",
        "Slowest",
    ];
    html! {
        h3 { "Requests" }
        @if all.requests.is_empty() {
            p { "None were made: stores in a directory are written without a server." }
        } @else {
            (table("Requests", &heads, rows))
        }
    }
}

/// The objects that took longest.
pub(super) fn slowest(all: &Merged) -> Markup {
    let rows = all.slowest_objects.iter().map(|slow| {
        let run = all.runs.iter().find(|run| run.number == slow.run);
        let mut cells = vec![
            slow.key.clone(),
            bytes_shown(slow.bytes),
            seconds(slow.seconds),
            slow.rank.to_string(),
        ];
        cells.extend(run.filter(|_| all.runs.len() > 1).map(run_name));
        cells
    });
    let heads = ["Object", "Size", "Time", "Rank", "Run"];
    let heads = &heads[..if all.runs.len() > 1 { 5 } else { 4 }];
    html! {
        @if !all.slowest_objects.is_empty() {
            h2 { "The slowest objects" }
            (table("The slowest objects", heads, rows))
        }
    }
}

/// The first cell of each row is its name.
fn table(label: &str, heads: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Markup {
    wide(
        label,
        &html! {
            table {
                thead { tr { @for head in heads { th scope="col" { (head) } } } }
                tbody {
                    @for row in rows {
                        tr {
                            @for (number, cell) in row.iter().enumerate() {
                                @let class = (cell.len() < SHORT).then_some("short");
                                @if number == 0 { th class=[class] scope="row" { (text(cell)) } } @else { td class=[class] { (text(cell)) } }
                            }
                        }
                    }
                }
            }
        },
    )
}
