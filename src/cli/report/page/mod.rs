//! Reports as a page: what came of runs at a glance, when which rank did what, what the time went into, and how long requests took.
//!
//! Key function: [`page`].

mod advice;
mod charts;
mod facts;
mod over_time;
mod tables;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use maud::{Markup, PreEscaped, html};
use msm_chart::{Chart, Spans};
use serde::Serialize;
use serde_json::json;

use self::advice::advice;
use super::document::RankRecord;
use super::kept::embedded;
use super::merge::{Merged, MergedRun};
use crate::cli::markup::{self, program};
use crate::cli::words;

const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/// How wide plots are.
const WIDTH: usize = 720;

const STYLE: &str = "main { display: block; }\nfigure { margin-top: 1rem; }\n";

/// The page of `all`, with the `document` in it that programs read.
pub(in crate::cli) fn page(all: &Merged, document: &impl Serialize) -> String {
    let title = match &all.runs[..] {
        [run] => format!("msm_os {}: {}", run.run.command, name(&all.outcome)),
        runs => format!("{} runs of msm_os: {}", runs.len(), name(&all.outcome)),
    };
    let advice = advice(all);
    let body = html! {
        h1 { (title) }
        main {
            (facts::facts(all))
            @if !advice.is_empty() {
                h2 { "Warnings" }
                ul { @for one in &advice { li { (one.what) br; strong { (one.to_do) "." } } } }
            }
            (tables::stores(all))
            (tables::faults(all))
            h2 { "When" }
            (spans(&charts::timeline(all)))
            @if let Some(waited) = charts::who_was_waited_for(all) { p { (waited) } }
            (spans(&charts::stages_over_time(all)))
            @for series in over_time::series(all) { (chart(&Chart::Series(series))) }
            h2 { "Work" }
            (tables::ranks_of(all))
            (spans(&charts::stages(all)))
            @for latency in charts::latencies(all) { (spans(&latency)) }
            (spans(&charts::object_sizes(all)))
            (tables::slowest(all))
            details {
                summary { "All of it in words" }
                (program("What came of it", &words::merged(all)))
            }
        }
        (embedded(document))
    };
    markup::document(&title, POLICY, STYLE, &body).into_string()
}

fn spans(chart: &Spans) -> Markup {
    html! {
        @if !chart.rows.is_empty() {
            figure { (PreEscaped(chart.svg(WIDTH))) figcaption { (chart.in_words()) } }
        }
    }
}

fn chart(chart: &Chart) -> Markup {
    html! {
        // A series is never too large to be drawn.
        @if let Ok(svg) = chart.svg(WIDTH) {
            figure { (PreEscaped(svg)) figcaption { (chart.in_words()) } }
        }
    }
}

/// As documents name it.
fn name(value: &impl Serialize) -> String {
    let name = json!(value).as_str().unwrap_or_default().to_owned();
    name.replace('_', " ")
}

fn row_name(all: &Merged, run: &MergedRun, rank: usize) -> String {
    let rank = format!("rank {rank}");
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

/// Seconds from the beginning of `all` to a time; `None` if that is no time.
fn since(all: &Merged, time: &str) -> Option<f64> {
    let begun = humantime::parse_rfc3339(&all.begun).ok()?;
    let passed = humantime::parse_rfc3339(time).ok()?.duration_since(begun);
    Some(passed.unwrap_or_default().as_secs_f64())
}

/// A file for a page.
pub(in crate::cli) fn parse_page(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if is_page(&path) {
        Ok(path)
    } else {
        Err("expected a name that ends in .html".to_owned())
    }
}

/// Does the name of this file end as those of pages do?
pub(super) fn is_page(path: &Path) -> bool {
    let end = path.extension().map(std::ffi::OsStr::to_ascii_lowercase);
    end.is_some_and(|end| end == "html" || end == "htm")
}
