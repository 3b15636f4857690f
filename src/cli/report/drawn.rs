//! Reports as a page: what came of runs at a glance, when which rank did what, what the time went into, and how long requests took.
//!
//! Key function: [`page`].

use std::path::{Path, PathBuf};

use maud::{Markup, PreEscaped, html};
use msm_chart::{Caption, Span, SpanRow, Spans};
use serde::Serialize;
use serde_json::json;

use super::document::{RankRecord, TransactionEntry};
use super::merge::{Merged, MergedRun};
use crate::cli::markup::{document, program, wide};
use crate::cli::words::{self, bytes_shown};
use crate::events::{Stage, WorkPhase};

const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/// How wide plots are.
const WIDTH: usize = 720;

const STYLE: &str = "main { display: block; }\nfigure { margin-top: 1rem; }\n";

const PHASES: [WorkPhase; 5] = [
    WorkPhase::Weights,
    WorkPhase::Compare,
    WorkPhase::Keep,
    WorkPhase::Transfer,
    WorkPhase::Small,
];

/// The page of `all`, with the document in it that programs read.
pub(in crate::cli) fn page(all: &Merged) -> String {
    let title = match &all.runs[..] {
        [run] => format!("msm_os {}: {}", run.run.command, name(&all.outcome)),
        runs => format!("{} runs of msm_os: {}", runs.len(), name(&all.outcome)),
    };
    let problems: Vec<(&str, &String)> = { all.runs.iter() }
        .flat_map(|run| {
            run.run
                .problems
                .iter()
                .map(|said| (run.file.as_str(), said))
        })
        .collect();
    let body = html! {
        h1 { (title) }
        main {
            (program("What came of it", &words::merged(all)))
            @if !problems.is_empty() {
                h2 { "Problems" }
                ul { @for (file, said) in problems { li { (file) ": " (said) } } }
            }
            (figure(&timeline(all)))
            (figure(&stages(all)))
            @for latency in latencies(all) { (figure(&latency)) }
            @if !all.slowest_objects.is_empty() {
                h2 { "The slowest objects" }
                (wide("The slowest objects", &slowest(all)))
            }
        }
        script type="application/json" id="report" { (PreEscaped(embedded(all))) }
    };
    document(&title, POLICY, STYLE, &body).into_string()
}

/// The document, in which nothing is markup.
fn embedded(all: &Merged) -> String {
    json!(all).to_string().replace('<', "\\u003c")
}

fn figure(chart: &Spans) -> Markup {
    html! {
        @if !chart.rows.is_empty() {
            figure { (PreEscaped(chart.svg(WIDTH))) figcaption { (chart.in_words()) } }
        }
    }
}

/// As documents name it.
fn name(value: &impl Serialize) -> String {
    let name = json!(value).as_str().unwrap_or_default().to_owned();
    name.replace('_', " ")
}

fn row_name(all: &Merged, run: &MergedRun, rank: &RankRecord) -> String {
    let rank = format!("rank {}", rank.rank);
    if all.runs.len() == 1 {
        return rank;
    }
    let file = Path::new(&run.file).file_stem().unwrap_or_default();
    format!("{} {rank}", file.to_string_lossy())
}

fn ranks(all: &Merged) -> impl Iterator<Item = (&MergedRun, &RankRecord)> {
    all.runs
        .iter()
        .flat_map(|run| run.run.ranks.iter().map(move |rank| (run, rank)))
}

/// When each rank was in which phase, and when rank 0 committed.
fn timeline(all: &Merged) -> Spans {
    let begun = humantime::parse_rfc3339(&all.begun).ok();
    let at = |time: &str| {
        let passed = humantime::parse_rfc3339(time).ok()?.duration_since(begun?);
        Some(passed.unwrap_or_default().as_secs_f64())
    };
    let rows = ranks(all).map(|(run, rank)| {
        let phases = rank.phases.iter().filter_map(|entry| {
            let kind = PHASES.iter().position(|phase| *phase == entry.phase)?;
            let (from, to) = (at(&entry.begun)?, at(&entry.ended)?);
            Some(Span { kind, from, to })
        });
        let commits = run.run.plan.transactions.iter().filter(|_| rank.rank == 0);
        let commits = commits.filter_map(|one| commit(one, at(one.ended.as_deref()?)?));
        SpanRow {
            name: row_name(all, run, rank),
            spans: phases.chain(commits).collect(),
        }
    });
    let kinds = PHASES.iter().map(name).chain(["commit".to_owned()]);
    Spans {
        caption: caption(
            "When each rank did what",
            "where a row is empty, the rank waited or planned",
        ),
        kinds: kinds.collect(),
        rows: rows.collect(),
    }
}

fn commit(transaction: &TransactionEntry, to: f64) -> Option<Span> {
    let from = (to - transaction.commit_seconds?).max(0.0);
    let kind = PHASES.len();
    Some(Span { kind, from, to })
}

/// What each rank's time went into.
fn stages(all: &Merged) -> Spans {
    let rows = ranks(all).map(|(run, rank)| {
        let seconds = |stage: &Stage| rank.stages.get(stage).map_or(0.0, |record| record.seconds);
        let amounts: Vec<f64> = Stage::ALL.iter().map(seconds).collect();
        SpanRow::of_amounts(&row_name(all, run, rank), &amounts)
    });
    Spans {
        caption: caption(
            "What the time went into",
            "summed over all that went on at once",
        ),
        kinds: Stage::ALL.iter().map(name).collect(),
        rows: rows.collect(),
    }
}

fn caption(title: &str, detail: &str) -> Caption {
    Caption {
        title: title.to_owned(),
        detail: detail.to_owned(),
        units: "s".to_owned(),
    }
}

/// How many requests of each kind took how long, by powers of two.
fn latencies(all: &Merged) -> Vec<Spans> {
    let kinds = all.requests.iter().filter_map(|(kind, record)| {
        let histogram = &record.latency.as_ref()?.histogram;
        let power = |micros: u64| micros.checked_ilog2().unwrap_or(0);
        let powers = histogram.keys().map(|micros| power(*micros));
        let (least, most) = (powers.clone().min()?, powers.max()?);
        let rows = (least..=most).map(|row| {
            let in_row = histogram
                .iter()
                .filter(|(micros, _)| power(**micros) == row);
            let count: u64 = in_row.map(|(_, count)| count).sum();
            let name = format!("from {:.3} ms", 2_f64.powi(row as i32) / 1e3);
            SpanRow::of_amounts(&name, &[count as f64])
        });
        Some(Spans {
            caption: Caption {
                title: format!("How long requests took: {}", name(kind)),
                detail: String::new(),
                units: "requests".to_owned(),
            },
            kinds: vec![name(kind)],
            rows: rows.collect(),
        })
    });
    kinds.collect()
}

fn slowest(all: &Merged) -> Markup {
    html! {
        table {
            thead { tr { @for name in ["Object", "Size", "Time", "Rank", "Report"] { th scope="col" { (name) } } } }
            tbody {
                @for slow in &all.slowest_objects {
                    tr {
                        th scope="row" { (slow.key) }
                        td { (bytes_shown(slow.bytes)) }
                        td { (format!("{:.2} s", slow.seconds)) }
                        td { (slow.rank) }
                        td { (slow.file) }
                    }
                }
            }
        }
    }
}

/// A file for a page.
pub(in crate::cli) fn parse_page(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    let end = path.extension().map(std::ffi::OsStr::to_ascii_lowercase);
    match end.as_ref().and_then(|end| end.to_str()) {
        Some("html" | "htm") => Ok(path),
        _ => Err("expected a name that ends in .html".to_owned()),
    }
}
