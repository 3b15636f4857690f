//! Charts of ranks.

use std::collections::BTreeMap;

use msm_chart::{Caption, Span, SpanRow, Spans};

use super::{name, ranks, ranks_in_words, row_name, since};
use crate::cli::report::document::{RankRecord, TransactionEntry};
use crate::cli::report::merge::{Merged, MergedRun};
use crate::cli::words::{counted, seconds};
use crate::events::{Stage, WorkPhase};

const PHASES: [WorkPhase; 6] = [
    WorkPhase::Weights,
    WorkPhase::Compare,
    WorkPhase::Keep,
    WorkPhase::Transfer,
    WorkPhase::Small,
    WorkPhase::Check,
];

/// What else there is in the timeline.
const WAIT: usize = PHASES.len();
const COMMIT: usize = WAIT + 1;

/// Seconds of waiting that are.
const WORTH_A_WORD: f64 = 0.1;

/// When each rank was in which phase, when it waited there for others, and when rank 0 committed.
pub(super) fn timeline(all: &Merged) -> Spans {
    let rows = ranks(all).map(|(run, rank)| {
        let phases = rank.phases.iter().filter_map(|entry| {
            let kind = PHASES.iter().position(|phase| *phase == entry.phase)?;
            let (from, to) = (since(all, &entry.begun)?, since(all, &entry.ended)?);
            let done = (to - entry.wait_seconds).max(from);
            let worked = Span {
                kind,
                from,
                to: done,
            };
            let waited = Span {
                kind: WAIT,
                from: done,
                to,
            };
            Some([worked, waited])
        });
        let commits = run.run.plan.transactions.iter().filter(|_| rank.rank == 0);
        let commits = commits.filter_map(|one| commit(one, since(all, one.ended.as_deref()?)?));
        SpanRow {
            name: row_name(all, run, rank.rank),
            spans: { phases.flatten().chain(commits) }
                .chain([end(all)])
                .collect(),
        }
    });
    let rows: Vec<SpanRow> = rows.collect();
    let kinds = PHASES.iter().map(name);
    let kinds = kinds.chain(["wait for others", "commit"].map(str::to_owned));
    let kinds: Vec<String> = kinds.collect();
    let spans = || rows.iter().flat_map(|row| &row.spans);
    let of_kind = |kind| spans().filter(move |span| span.kind == kind);
    let sums = (0..kinds.len()).map(|kind| of_kind(kind).map(|span| span.to - span.from).sum());
    Spans {
        caption: caption(
            "When each rank did what",
            "where a row is empty, the rank planned, or waited between phases",
        ),
        words: in_all(all, &kinds, sums),
        kinds,
        rows,
    }
}

/// Nothing, at the end: so that all charts over time have the same axis.
fn end(all: &Merged) -> Span {
    Span {
        kind: 0,
        from: all.elapsed_seconds,
        to: all.elapsed_seconds,
    }
}

fn commit(transaction: &TransactionEntry, to: f64) -> Option<Span> {
    let from = (to - transaction.commit_seconds?).max(0.0);
    let kind = COMMIT;
    Some(Span { kind, from, to })
}

/// For whom ranks waited at the ends of phases.
pub(super) fn who_was_waited_for(all: &Merged) -> Option<String> {
    let mut waits: Vec<(f64, String)> = Vec::new();
    for run in all.runs.iter().filter(|run| run.run.ranks.len() > 1) {
        waits.extend(waits_for(run).into_iter().map(|(rank, waited)| {
            let host = &run.run.ranks[rank].host;
            (
                waited,
                format!("{} on {host}", row_name(all, run, run.run.ranks[rank].rank)),
            )
        }));
    }
    let whole: f64 = waits.iter().map(|(waited, _)| waited).sum();
    let (most, who) = waits.into_iter().max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    if whole < WORTH_A_WORD {
        return None;
    }
    let (whole, most) = (seconds(whole), seconds(most));
    Some(format!(
        "At the ends of phases ranks waited {whole} for others, all together; longest for {who}: {most}."
    ))
}

/// How long others waited for each rank at the ends of phases that all of them have: who waits least is the last.
fn waits_for(run: &MergedRun) -> BTreeMap<usize, f64> {
    let of_all = |rank: &RankRecord| -> Vec<f64> {
        let phases = rank.phases.iter().filter(|p| p.phase.is_of_all_ranks());
        phases.map(|phase| phase.wait_seconds).collect()
    };
    let waits: Vec<Vec<f64>> = run.run.ranks.iter().map(of_all).collect();
    let phases = waits.iter().map(Vec::len).min().unwrap_or(0);
    let mut all: BTreeMap<usize, f64> = BTreeMap::new();
    for phase in 0..phases {
        let of_phase = waits.iter().map(|of_rank| of_rank[phase]).enumerate();
        let whole: f64 = of_phase.clone().map(|(_, waited)| waited).sum();
        let last = of_phase.min_by(|(_, a), (_, b)| a.total_cmp(b));
        if let Some((last, _)) = last.filter(|_| whole > 0.0) {
            *all.entry(last).or_default() += whole;
        }
    }
    all
}

/// What most of each rank's time went into, moment by moment.
pub(super) fn stages_over_time(all: &Merged) -> Spans {
    let rows = ranks(all).filter_map(|(run, rank)| {
        let samples = rank.samples.as_ref()?;
        let begun = since(all, &samples.begun)?;
        let width = samples.bucket_seconds;
        let buckets = samples.stages.values().map(Vec::len).max().unwrap_or(0);
        let spans = (0..buckets).filter_map(|bucket| {
            let busy = Stage::ALL.iter().enumerate().filter_map(|(kind, stage)| {
                let busy = *samples.stages.get(stage)?.get(bucket)?;
                (busy > 0.0).then_some((kind, busy))
            });
            let (kind, _) = busy.max_by(|(_, a), (_, b)| a.total_cmp(b))?;
            let from = begun + width * bucket as f64;
            Some(Span {
                kind,
                from,
                to: from + width,
            })
        });
        Some(SpanRow {
            name: row_name(all, run, rank.rank),
            spans: spans.chain([end(all)]).collect(),
        })
    });
    let rows: Vec<SpanRow> = rows.collect();
    let slices = rows.iter().flat_map(|row| &row.spans);
    let slices = slices.filter(|span| span.to > span.from).count();
    Spans {
        caption: caption(
            "Ranks and stages",
            "in each slice of time the stage that most of it went into",
        ),
        words: format!(
            "{}, {}; how long each stage took is in the table of stages",
            ranks_in_words(all),
            counted(slices, "slices")
        ),
        kinds: Stage::ALL.iter().map(name).collect(),
        rows,
    }
}

/// What each rank's time went into.
pub(super) fn stages(all: &Merged) -> Spans {
    let rows = ranks(all).map(|(run, rank)| {
        let seconds = |stage: &Stage| rank.stages.get(stage).map_or(0.0, |record| record.seconds);
        let amounts: Vec<f64> = Stage::ALL.iter().map(seconds).collect();
        SpanRow::of_amounts(&row_name(all, run, rank.rank), &amounts)
    });
    let rows: Vec<SpanRow> = rows.collect();
    let kinds: Vec<String> = Stage::ALL.iter().map(name).collect();
    let seconds = |stage| all.stages.get(stage).map_or(0.0, |record| record.seconds);
    Spans {
        caption: caption(
            "What the time went into",
            "summed over all that went on at once",
        ),
        words: in_all(all, &kinds, Stage::ALL.iter().map(seconds)),
        kinds,
        rows,
    }
}

/// What ranks come to together: those of the `kinds` of which there is anything.
fn in_all(all: &Merged, kinds: &[String], sums: impl Iterator<Item = f64>) -> String {
    let sums = kinds.iter().zip(sums).filter(|(_, sum)| *sum > 0.0);
    let sums: Vec<String> = sums
        .map(|(kind, sum)| format!("{kind} {}", seconds(sum)))
        .collect();
    format!("{}; in all {}", ranks_in_words(all), sums.join(", "))
}

fn caption(title: &str, detail: &str) -> Caption {
    Caption {
        title: title.to_owned(),
        detail: detail.to_owned(),
        units: "s".to_owned(),
    }
}
