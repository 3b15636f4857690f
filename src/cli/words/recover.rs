//! What `recover` says that it did, or would do.

use super::{bytes_shown, counted, requests};
use crate::events::{Outcome, Truncation};
use crate::verbs::recover::{
    ArchiveForecast, Forecast, Outlook, Recover, RecoverError, RecoverReport,
};

/// What was done.
pub(in crate::cli) fn recovered(request: &Recover, report: &RecoverReport) -> Vec<String> {
    let RecoverReport {
        transactions,
        stores,
        orphans,
        truncated,
        abandoned,
        replaced: waiting,
        ..
    } = report;
    let mut lines = vec![format!(
        "recovered: {} in {}",
        transactions_shown(*transactions),
        counted(*stores, "stores")
    )];
    if request.abandon {
        lines.push(format!(
            "abandoned: {}; out of sight, and removed: {}",
            counted(*abandoned, "archives"),
            counted(*orphans, "objects")
        ));
    }
    if request.orphans && !request.abandon {
        lines.push(format!(
            "removed: {} that no transaction owns",
            counted(*orphans, "objects")
        ));
    }
    match truncated {
        _ if request.truncate.is_none() => {}
        0 => lines.push("truncated: nothing, no store has arrays of different lengths".to_owned()),
        cut => lines.push(format!("truncated: {}", counted(*cut, "stores"))),
    }
    lines.extend(waiting.iter().map(ToString::to_string));
    lines
}

fn transactions_shown(count: usize) -> String {
    match count {
        0 => "no transaction".to_owned(),
        some => counted(some, "transactions"),
    }
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
                    // Whose it is, is said of the store.
                    Outlook::UnderWay(_) => format!("store '{store}': {what} is under way"),
                    Outlook::Ends(outcome) => {
                        let way = match outcome {
                            Outcome::RolledBack => "rolled back",
                            Outcome::NeverBegun => "dropped",
                            Outcome::Finished => "finished",
                            Outcome::Deleted => "gone on with",
                        };
                        format!("store '{store}': {what} would be {way}")
                    }
                }),
        );
    }
    lines.push(format!(
        "{} in {} would be recovered",
        transactions_shown(forecast.transactions()),
        counted(forecast.stores, "stores")
    ));
    if let Some(archives) = &forecast.abandoned {
        lines.extend(
            archives
                .iter()
                .flat_map(|archive| abandoned(archive, forecast)),
        );
        lines.push(format!(
            "archives that would be abandoned: {}",
            archives
                .iter()
                .filter(|archive| archive.held.is_empty())
                .count()
        ));
    }
    if forecast.orphans.is_some() {
        let open = forecast
            .left
            .iter()
            .filter(|left| !left.transactions.is_empty());
        lines.extend(open.map(|left| {
            let store = &left.store;
            format!("store '{store}': what no transaction owns is known, and removed, when its transactions have ended")
        }));
    }
    lines.extend(forecast.orphans.iter().flat_map(|orphans| removed(orphans)));
    if let Some(cuts) = &forecast.cuts {
        lines.extend(cuts.iter().map(|cut| truncation(cut, "would be")));
        lines.push(match cuts.len() {
            0 => "nothing would be truncated: no store has arrays of different lengths".to_owned(),
            count => format!("{} would be truncated", counted(count, "stores")),
        });
    }
    lines.extend(forecast.replaced.iter().map(ToString::to_string));
    lines.extend(forecast.requests.iter().map(requests));
    lines
}

/// What would become of an archive that jobs share in sending.
fn abandoned(archive: &ArchiveForecast, forecast: &Forecast) -> Vec<String> {
    let ArchiveForecast {
        stores,
        objects,
        held,
    } = archive;
    let open = forecast.left.iter();
    let is_open = open
        .map(|left| &left.store)
        .any(|store| stores.contains(store));
    let stores = stores.join(", ");
    if held.is_empty() {
        let ending = format!("{stores}: would not be sent by many jobs any more");
        let objects = if is_open {
            vec![format!(
                "{stores}: what is out of sight is known, and removed, when its transactions have ended"
            )]
        } else {
            removed(objects)
        };
        return [vec![ending], objects].concat();
    }
    let left = held.iter().map(|part| {
        let part = RecoverError::from(part);
        format!("{stores}: {part}")
    });
    left.collect()
}

/// These `objects` would go.
fn removed(objects: &[(String, u64)]) -> Vec<String> {
    let keys = objects.iter().map(|(key, _)| format!("would remove {key}"));
    let bytes = objects.iter().map(|(_, bytes)| bytes).sum();
    let (count, bytes) = (objects.len(), bytes_shown(bytes));
    let count = counted(count, "objects");
    keys.chain([format!("{count}, {bytes}, would be removed")])
        .collect()
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
        "store '{store}': removed or cut: {}, {}",
        counted(cut.objects, "objects"),
        bytes_shown(cut.bytes)
    );
    let lines: Vec<String> = arrays.chain(attributes).chain([size]).collect();
    lines.join("\n")
}
