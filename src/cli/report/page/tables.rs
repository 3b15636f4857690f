//! Tables of stores, faults, ranks and objects.

use maud::{Markup, html};

use super::{ranks, row_name};
use crate::cli::json::FaultView;
use crate::cli::markup::wide;
use crate::cli::report::merge::Merged;
use crate::cli::words::{bytes_shown, counted, seconds, standing};
use crate::events::Stage;

/// Faults that are shown.
const FAULTS: usize = 50;

/// Where each store stands, or what was found in it.
pub(super) fn stores(all: &Merged) -> Markup {
    let verified = all.runs.iter().filter_map(|run| run.run.verified.as_ref());
    let verified: Vec<_> = verified.flat_map(|found| &found.stores).collect();
    html! {
        @if !all.stores.is_empty() {
            h2 { "The stores now" }
            (table("The stores now", &["Store", "What readers see"], all.stores.iter().map(|store| {
                vec![store.url.clone(), standing(store)]
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

/// What each rank did.
pub(super) fn ranks_of(all: &Merged) -> Markup {
    let rows = ranks(all).map(|(run, rank)| {
        let requests = rank.requests.values().map(|record| record.count);
        let waited = rank.stages.get(&Stage::Wait);
        vec![
            row_name(all, run, rank.rank),
            rank.host.clone(),
            counted(rank.written.objects, "objects"),
            bytes_shown(rank.written.bytes),
            requests.sum::<u64>().to_string(),
            rank.retries.values().sum::<u64>().to_string(),
            seconds(waited.map_or(0.0, |record| record.seconds)),
        ]
    });
    let heads = [
        "Rank",
        "Host",
        "Put",
        "Stored",
        "Requests",
        "Made again",
        "Waited",
    ];
    table("Work of each rank", &heads, rows)
}

/// The objects that took longest.
pub(super) fn slowest(all: &Merged) -> Markup {
    let rows = all.slowest_objects.iter().map(|slow| {
        vec![
            slow.key.clone(),
            bytes_shown(slow.bytes),
            format!("{:.2} s", slow.seconds),
            slow.rank.to_string(),
            slow.file.clone(),
        ]
    });
    let heads = ["Object", "Size", "Time", "Rank", "Report"];
    html! {
        @if !all.slowest_objects.is_empty() {
            h2 { "The slowest objects" }
            (table("The slowest objects", &heads, rows))
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
                                @if number == 0 { th scope="row" { (cell) } } @else { td { (cell) } }
                            }
                        }
                    }
                }
            }
        },
    )
}
