//! What `recover` says that it did, or would do.

use super::bytes_shown;
use crate::events::{Outcome, Truncation};
use crate::verbs::recover::{Forecast, Outlook, Recover, RecoverReport};

/// What was done.
pub(in crate::cli) fn recovered(request: &Recover, report: &RecoverReport) -> Vec<String> {
    let RecoverReport {
        transactions,
        stores,
        orphans,
        truncated,
        abandoned,
        ..
    } = report;
    let mut lines = vec![format!(
        "recovered: {transactions} transactions in {stores} stores"
    )];
    if request.abandon {
        lines.push(format!(
            "abandoned: {abandoned} archives, of which {orphans} objects out of sight are removed"
        ));
    }
    if request.orphans && !request.abandon {
        lines.push(format!(
            "removed: {orphans} objects that no transaction owns"
        ));
    }
    match truncated {
        _ if request.truncate.is_none() => {}
        0 => lines.push("truncated: nothing, no store has arrays of different lengths".to_owned()),
        cut => lines.push(format!("truncated: {cut} stores")),
    }
    lines
}

/// What would be done.
pub(in crate::cli) fn forecast(forecast: &Forecast) -> Vec<String> {
    let mut lines = Vec::new();
    for left in &forecast.left {
        let strays = left.strays.iter();
        lines.extend(
            strays.map(|key| format!("would remove {key}, of a transaction that has ended")),
        );
        let store = &left.store;
        lines.extend(
            left.transactions
                .iter()
                .map(|(what, outlook)| match outlook {
                    Outlook::Locked => {
                        format!("store '{store}': {what} may be under way: give its --lock-dir")
                    }
                    Outlook::UnderWay(holder) => {
                        format!("store '{store}': {what} is under way: {holder}")
                    }
                    Outlook::Ends(outcome) => {
                        let way = match outcome {
                            Outcome::RolledBack => "rolled back",
                            Outcome::Finished => "finished",
                            Outcome::Deleted => "gone on with",
                        };
                        format!("store '{store}': {what} would be {way}")
                    }
                }),
        );
    }
    lines.push(format!(
        "{} transactions in {} stores would be recovered",
        forecast.transactions(),
        forecast.stores
    ));
    if let Some(orphans) = &forecast.orphans {
        lines.extend(orphans.iter().map(|(key, _)| format!("would remove {key}")));
        let bytes = orphans.iter().map(|(_, bytes)| bytes).sum();
        lines.push(format!(
            "{} objects, {}, would be removed",
            orphans.len(),
            bytes_shown(bytes)
        ));
    }
    if let Some(cuts) = &forecast.cuts {
        lines.extend(cuts.iter().map(|cut| truncation(cut, "would be")));
        lines.push(match cuts.len() {
            0 => "nothing would be truncated: no store has arrays of different lengths".to_owned(),
            count => format!("{count} stores would be truncated"),
        });
    }
    lines
}

/// What is cut, a line an array.
pub(super) fn truncation(cut: &Truncation, word: &str) -> String {
    let Truncation {
        store, dimension, ..
    } = cut;
    let arrays = cut.arrays.iter().map(|(name, from, to)| {
        format!(
            "store '{store}': array '{name}' {word} cut from {from} to {to} along '{dimension}'"
        )
    });
    let attributes = cut.attributes.iter().map(|name| {
        format!(
            "store '{store}': its attribute '{name}' {word} removed: it need not be true of what is left"
        )
    });
    let size = format!(
        "store '{store}': removed or cut: {} objects, {}",
        cut.objects,
        bytes_shown(cut.bytes)
    );
    let lines: Vec<String> = arrays.chain(attributes).chain([size]).collect();
    lines.join("\n")
}
