//! Reports as a page: what came of runs at a glance, when which rank did what, what the time went into, and how long requests took.
//!
//! Key function: [`page`].

mod advice;
mod charts;
mod facts;
mod histograms;
mod maps;
mod over_time;
mod tables;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use maud::{Markup, PreEscaped, html};
use msm_chart::{Chart, Spans, harmless};
use serde::Serialize;
use serde_json::json;

use self::advice::advice;
use super::document::RankRecord;
use super::kept::embedded;
use super::merge::{Merged, MergedRun};
use crate::cli::markup;
use crate::cli::words::counted;
use crate::verbs::quicklook::SentMaps;

const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/// How wide plots are.
const WIDTH: usize = 720;

/// A chart keeps its size, so that its letters can be read, and has a scroll bar of its own where the window is not as wide. Maps lie side by
/// side as the window has room.
const STYLE: &str = "main { display: block; }\nfigure { margin-top: 1rem; }\n\
    .maps { display: flex; flex-wrap: wrap; column-gap: 1.5rem; }\n.maps figure { width: min-content; max-width: 100%; }\n.wide svg { max-width: none; }\n\
    .short { white-space: nowrap; }\ntd:not(.short) { min-width: 12rem; }\n\
    @media print { .wide svg { max-width: 100%; } .short { white-space: normal; } th, td { padding-right: 0.5rem; }\n\
    table { font-size: 0.75rem; } td:not(.short), th[scope=row]:not(.short) { min-width: 0; overflow-wrap: anywhere; } }\n";

/// The page of `all`, with the `document` in it that programs read, and with these maps of what was sent.
pub(in crate::cli) fn page(
    all: &Merged,
    document: &impl Serialize,
    maps: Option<&SentMaps>,
) -> String {
    let title = match &all.runs[..] {
        [run] => format!("msm_os {}: {}", run.run.command, name(&all.outcome)),
        runs => format!("{} runs of msm_os: {}", runs.len(), name(&all.outcome)),
    };
    let title = harmless(&title);
    let advice = advice(all);
    let body = html! {
        h1 { (title) }
        main {
            (facts::facts(all))
            @if !advice.is_empty() {
                h2 { "Warnings" }
                ul { @for one in &advice { li { (markup::text(&one.what)) br; strong { (one.to_do) "." } } } }
            }
            (tables::stores(all))
            (tables::faults(all))
            (tables::runs(all))
            @if let Some(maps) = maps { (maps::maps(maps)) }
            h2 { "When" }
            (when(all))
            h2 { "Work" }
            (tables::ranks_of(all))
            (spans(&charts::stages(all)))
            (tables::stages_of(all))
            (tables::requests(all))
            @for latency in histograms::latencies(all) { (spans(&latency)) }
            @if let Some(sizes) = histograms::object_sizes(all) { (spans(&sizes)) }
            (tables::slowest(all))
        }
        (embedded(document))
    };
    markup::document(&title, POLICY, STYLE, &body).into_string()
}

/// What went on over time.
fn when(all: &Merged) -> Markup {
    let drawn = html! {
        (spans(&charts::timeline(all)))
        @if let Some(waited) = charts::who_was_waited_for(all) { p { (markup::text(&waited)) } }
        (spans(&charts::stages_over_time(all)))
        @for series in over_time::series(all) { (chart(&Chart::Series(series))) }
    };
    html! {
        @if drawn.0.is_empty() { p { "No rank did anything that is measured." } } @else { (drawn) }
    }
}

/// Nothing, where there is nothing to be seen.
fn spans(chart: &Spans) -> Markup {
    let spans = chart.rows.iter().flat_map(|row| &row.spans);
    let is_empty = !{ spans }.any(|span| span.to > span.from);
    html! { @if !is_empty { (figure(&chart.svg(WIDTH), &chart.caption.title, &chart.in_words())) } }
}

fn chart(chart: &Chart) -> Markup {
    html! {
        // A series is never too large to be drawn.
        @if let Ok(svg) = chart.svg(WIDTH) { (figure(&svg, &chart.caption().title, &chart.in_words())) }
    }
}

fn figure(svg: &str, title: &str, words: &str) -> Markup {
    html! { figure { (markup::wide(title, &PreEscaped(svg.to_owned()))) figcaption { (words) } } }
}

/// As documents name it.
fn name(value: &impl Serialize) -> String {
    let name = json!(value).as_str().unwrap_or_default().to_owned();
    name.replace('_', " ")
}

/// A run among others.
fn run_name(run: &MergedRun) -> String {
    format!("run {} ({})", run.number, run.file)
}

fn row_name(all: &Merged, run: &MergedRun, rank: usize) -> String {
    match all.runs.len() {
        1 => format!("rank {rank}"),
        _ => format!("run {}, rank {rank}", run.number),
    }
}

fn ranks(all: &Merged) -> impl Iterator<Item = (&MergedRun, &RankRecord)> {
    all.runs
        .iter()
        .flat_map(|run| run.run.ranks.iter().map(move |rank| (run, rank)))
}

/// How many there are.
fn ranks_in_words(all: &Merged) -> String {
    let ranks = || all.runs.iter().map(|run| run.run.job.ranks);
    match (&all.runs[..], ranks().min(), ranks().max()) {
        ([run], ..) => counted(run.run.job.ranks, "ranks"),
        (runs, Some(least), Some(most)) if least < most => {
            format!(
                "{} of {least} to {most} ranks each",
                counted(runs.len(), "runs")
            )
        }
        (runs, _, most) => {
            let each = counted(most.unwrap_or_default(), "ranks");
            format!("{} of {each} each", counted(runs.len(), "runs"))
        }
    }
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
pub(in crate::cli::report) fn is_page(path: &Path) -> bool {
    let end = path.extension().map(std::ffi::OsStr::to_ascii_lowercase);
    end.is_some_and(|end| end == "html" || end == "htm")
}
