//! What `rechunk` says that it did, or would do.

use std::fmt::Write;

use msm_plan::{ArrayChange, ArrayCut};

use super::event::sized;
use super::{bytes_shown, counted, plan_warning, requests};
use crate::verbs::rechunk::{RechunkForecast, RechunkReport, RechunkedStore};

/// A line a store, and one with the total.
pub(in crate::cli) fn rechunked(report: &RechunkReport) -> Vec<String> {
    let mut lines: Vec<String> = report.stores.iter().map(store).collect();
    if !report.stores.is_empty() && report.stores.iter().all(|store| store.was_there) {
        let count = report.stores.len();
        let is_done = |store: &RechunkedStore| store.from == store.to;
        let waited = { report.stores.iter() }.filter(|store| store.arrays.is_empty());
        let waited = waited.filter(|store| is_done(store)).count();
        lines.push(if waited > 0 {
            match waited {
                1 => "put in its place: 1 store that had been made before".to_owned(),
                _ => format!("put in their places: {waited} stores that had been made before"),
            }
        } else if report.stores.iter().all(is_done) {
            match count {
                1 => "the store is as asked for".to_owned(),
                _ => format!("all {count} stores are as asked for"),
            }
        } else {
            match count {
                1 => "nothing to do: the store is there already, with the same values".to_owned(),
                _ => format!(
                    "nothing to do: all {count} stores are there already, with the same values"
                ),
            }
        });
        return lines;
    }
    let RechunkReport {
        stores,
        objects,
        bytes,
        empty,
        decoded,
        elapsed,
    } = report;
    let made = stores.iter().filter(|store| !store.was_there).count();
    lines.push(format!(
        "rechunked: {}, {}, {} stored ({} decoded), {empty} empty, in {:.1} s",
        counted(made, "stores"),
        counted(*objects, "objects"),
        bytes_shown(*bytes),
        bytes_shown(*decoded),
        elapsed.as_secs_f64()
    ));
    lines
}

/// A line a store, one an array, and one with what it takes.
pub(in crate::cli) fn rechunk_forecast(forecast: &RechunkForecast) -> Vec<String> {
    let mut lines = Vec::new();
    for of_store in &forecast.stores {
        lines.push(store(of_store));
        lines.extend(of_store.arrays.iter().map(array));
    }
    let made = forecast.stores.iter().filter(|store| !store.was_there);
    if made.count() > 0 {
        lines.push(sized("would rechunk", &forecast.size));
    }
    let there = { forecast.stores.iter() }.filter(|store| store.was_there);
    let (waiting, there): (Vec<_>, Vec<_>) = there.partition(|store| store.from == store.to);
    if !there.is_empty() {
        let count = counted(there.len(), "stores");
        lines.push(format!("there already, not compared: {count}"));
    }
    let waiting = waiting.iter().filter(|store| !store.is_nothing()).count();
    if waiting > 0 {
        let count = counted(waiting, "stores");
        lines.push(format!("would be put in place: {count} made before"));
    }
    if forecast.is_nothing() {
        lines.push("nothing to do".to_owned());
    }
    let reads = &forecast.reads;
    if reads.objects > 0 {
        let mut told = format!(
            "reads at most {} of the stores, {} decoded",
            counted(reads.objects, "objects"),
            bytes_shown(reads.bytes)
        );
        if reads.requests > reads.objects {
            let _ = write!(
                told,
                ", each {:.2} times on average, with more --memory fewer",
                reads.times()
            );
        }
        lines.push(told);
    }
    lines.extend(forecast.requests.iter().map(requests));
    let warnings = forecast.warnings.iter().map(plan_warning);
    lines.extend(warnings.map(|warning| format!("warning: {warning}")));
    lines.push("nothing was written".to_owned());
    lines
}

fn store(store: &RechunkedStore) -> String {
    let RechunkedStore {
        from,
        to,
        arrays,
        was_there,
        left_out,
    } = store;
    let mut line = match from == to {
        false => format!("  {from} → {to}: {}", counted(arrays.len(), "arrays")),
        // Of one that is made, and waits beside its place, the arrays are not looked at.
        true if arrays.is_empty() => format!("  {from}: made already"),
        true => format!("  {from}: {}", counted(arrays.len(), "arrays")),
    };
    if *was_there && from == to && !arrays.is_empty() {
        line.push_str(if arrays.iter().all(|array| array.before == array.after) {
            ", as asked for already"
        } else {
            ", made already"
        });
    } else if *was_there && from != to {
        line.push_str(", there already");
    }
    if *left_out > 0 {
        let _ = match left_out {
            1 => write!(
                line,
                "; 1 object in it is not of the store, and is left out"
            ),
            _ => write!(
                line,
                "; {left_out} objects in it are not of the store, and are left out"
            ),
        };
    }
    line
}

/// `tos [12, 330, 360]: chunks [1, 330, 360] → [12, 30, 30], no shards, zstd:1`
fn array(change: &ArrayChange) -> String {
    let ArrayChange {
        name,
        shape,
        before,
        after,
        ..
    } = change;
    let both = |of: fn(&ArrayCut) -> String| {
        let (before, after) = (of(before), of(after));
        if before == after {
            after
        } else {
            format!("{before} → {after}")
        }
    };
    let chunks = both(|cut| format!("{:?}", cut.chunk));
    let shards = both(|cut| match &cut.shard {
        Some(shard) => format!("shards {shard:?}"),
        None => "no shards".to_owned(),
    });
    let codec = both(|cut| cut.codec.clone());
    format!("    {name} {shape:?}: chunks {chunks}, {shards}, {codec}")
}
