//! What `delete` says that it did, or would do.

use std::fmt::Write;

use super::{bytes_shown, counted, tally_shown};
use crate::events::ReplacedStore;
use crate::verbs::delete::{DeleteReport, DeleteSurvey, DeleteWarning, StepsSurvey};

/// What would go: a line a store, and one with the total.
pub(in crate::cli) fn survey(survey: &DeleteSurvey) -> String {
    let mut lines = Vec::new();
    match survey {
        DeleteSurvey::Stores {
            stores,
            links,
            ledgers,
            others,
            unended: _,
            replacing: _,
            coming_back: _,
        } => {
            let stores_told = stores.iter();
            lines.extend(
                stores_told.map(|(store, found)| format!("  {store}: {}", tally_shown(*found))),
            );
            lines.extend(
                links
                    .iter()
                    .map(|link| format!("  the link {}, nothing behind it", link.display())),
            );
            for (what, found) in [("ledgers", *ledgers), ("others", *others)] {
                if found.objects > 0 {
                    lines.push(format!("  {what}: {}", tally_shown(found)));
                }
            }
            lines.push(format!(
                "{}, {}",
                counted(stores.len(), "stores"),
                tally_shown(survey.total())
            ));
        }
        DeleteSurvey::Group {
            group,
            tally: found,
        } => lines.push(format!("  {group}: {}", tally_shown(*found))),
        DeleteSurvey::Steps { stores } => {
            for found in stores {
                let StepsSurvey {
                    store,
                    steps,
                    first,
                    last,
                    moved,
                    tally,
                    remade,
                    attributes,
                    requests: _,
                } = found;
                let mut objects = tally_shown(*tally);
                if remade.objects > 0 {
                    let _ = write!(objects, ", of which made anew: {}", tally_shown(*remade));
                }
                let place = match moved {
                    0 if *steps == 1 => format!("the last step, {first}"),
                    0 => format!("the last {steps} steps, {first} to {last}"),
                    _ => {
                        let steps = counted(*steps, "steps");
                        format!("{steps}, {first} to {last}, and {moved} behind them move up")
                    }
                };
                lines.push(format!("  {store}: {place}: {objects}"));
                lines.extend(doubtful(store, attributes));
            }
        }
        DeleteSurvey::Arrays { names, stores } => {
            let names: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
            for found in stores {
                let store = &found.store;
                let arrays = if names.len() == 1 { "array" } else { "arrays" };
                lines.push(format!(
                    "  {store}: {arrays} {}: {}",
                    names.join(", "),
                    tally_shown(found.tally)
                ));
                lines.extend(doubtful(store, &found.attributes));
            }
        }
    }
    lines.join("\n")
}

/// What a warning says.
pub(in crate::cli) fn delete_warning(warning: &DeleteWarning) -> String {
    match warning {
        DeleteWarning::ForGood => "rollback brings none of this back".to_owned(),
        DeleteWarning::Unended { store, transaction } => format!(
            "{store}: {transaction} has not ended: if its job still runs, the delete waits for it, and what it puts until then goes, too; of a dead one, all \
             goes"
        ),
        DeleteWarning::OnlyCopy(ReplacedStore { store, made, .. }) => format!(
            "'{made}' is the only copy that rechunk --replace was to leave of '{store}': with --force, it goes, too"
        ),
        DeleteWarning::ComesBack(replaced) => {
            format!("{replaced}; '{}' is not deleted with it", replaced.made)
        }
        DeleteWarning::Rewritten {
            store,
            objects,
            bytes,
        } => format!(
            "{store}: most of what changes is made anew, for steps that stay lie in it: {}, {}; whole chunks at the end of the store go without that",
            counted(*objects, "objects"),
            bytes_shown(*bytes)
        ),
    }
}

/// Attributes of `store` that go, a line each.
fn doubtful(store: &str, attributes: &[String]) -> impl Iterator<Item = String> {
    attributes.iter().map(move |attribute| {
        format!("  {store}: its attribute '{attribute}', which need not be true of what is left")
    })
}

/// What is gone from `place`.
pub(in crate::cli) fn deleted(place: &str, report: &DeleteReport) -> String {
    let all = tally_shown(report.deleted.total());
    match &report.deleted {
        DeleteSurvey::Stores { stores, .. } => {
            format!("deleted: {}, {all}", counted(stores.len(), "stores"))
        }
        DeleteSurvey::Group { group, .. } => format!("deleted: the group '{group}', {all}"),
        DeleteSurvey::Arrays { .. } | DeleteSurvey::Steps { .. } => {
            format!("deleted from {place}:\n{}", survey(&report.deleted))
        }
    }
}
