//! What `du` says that stores take.

use msm_zarr::layout;

use super::{bytes_shown, counted, tally_shown};
use crate::verbs::du::{LedgerUsage, StoreUsage, Tally, UsageTotal};

/// What a store takes: a line, and one for each kind of what is in it.
pub(in crate::cli) fn usage(usage: &StoreUsage) -> String {
    let StoreUsage {
        store,
        problem,
        total,
        arrays,
        documents,
        other,
        ledger,
    } = usage;
    let name = if layout::is_reading(store) {
        layout::place_name(store)
    } else {
        store.clone()
    };
    let told = problem
        .as_ref()
        .map(|problem| format!("  folders are taken for its arrays: {problem}\n"));
    let arrays = arrays.iter();
    let mut rows: Vec<(String, Tally)> = arrays
        .map(|(name, tally)| (format!("array {name}"), *tally))
        .collect();
    rows.extend(beside_arrays(*documents, *other, ledger));
    format!(
        "{name}: {}\n{}{}",
        tally_shown(*total),
        told.unwrap_or_default(),
        table(&rows)
    )
}

/// What all stores take.
pub(in crate::cli) fn usage_total(total: &UsageTotal) -> String {
    let UsageTotal {
        stores,
        total,
        arrays,
        documents,
        other,
        ledger,
    } = total;
    let mut rows = vec![("arrays".to_owned(), *arrays)];
    rows.extend(beside_arrays(*documents, *other, ledger));
    format!(
        "{}: {}\n{}",
        counted(*stores, "stores"),
        tally_shown(*total),
        table(&rows)
    )
}

/// What there is besides arrays.
fn beside_arrays(
    documents: Tally,
    other: Tally,
    ledger: &LedgerUsage,
) -> impl Iterator<Item = (String, Tally)> {
    let rows = [
        ("documents", documents),
        ("other", other),
        ("ledger: undo copies", ledger.undo),
        ("ledger: additions", ledger.additions),
        ("ledger: manifests", ledger.manifests),
        ("ledger: transaction records", ledger.transactions),
        ("ledger: journal", ledger.journal),
        ("ledger: share", ledger.share),
        ("ledger: lease", ledger.lease),
        ("ledger: other", ledger.other),
    ];
    let there = rows.into_iter().filter(|(_, tally)| tally.objects > 0);
    there.map(|(name, tally)| (name.to_owned(), tally))
}

/// A line a row, in columns.
fn table(rows: &[(String, Tally)]) -> String {
    let rows: Vec<[String; 3]> = rows
        .iter()
        .map(|(name, tally)| {
            [
                name.clone(),
                tally.objects.to_string(),
                bytes_shown(tally.bytes),
            ]
        })
        .collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let [name, objects, bytes] = [0, 1, 2].map(|column| width(column).unwrap_or(0));
    let lines = rows.iter().map(|[named, count, size]| {
        format!("    {named:name$}  {count:>objects$} objects  {size:>bytes$}\n")
    });
    lines.collect()
}
