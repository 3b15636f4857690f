//! What `copy` and `move` say that they did, or would do.

use std::fmt::Write;

use super::{counted, tally_shown};
use crate::verbs::copy::{CopiedStore, CopyReport};

/// A line a store, and one with the totals: what was `done`, or would be.
pub(in crate::cli) fn copied(done: &str, dry_run: bool, report: &CopyReport) -> Vec<String> {
    let mut lines = Vec::new();
    for CopiedStore {
        from,
        to,
        tally,
        unrecorded: _,
        was_there,
        unlike,
        left_out,
    } in &report.stores
    {
        let mut line = format!("  {from} → {to}: {}", tally_shown(*tally));
        if *was_there {
            line.push_str(", there already");
        }
        if *unlike > 0 {
            let _ = match unlike {
                1 => write!(
                    line,
                    "; 1 object is not what its manifest says, and was copied as it is: verify names it"
                ),
                _ => write!(
                    line,
                    "; {unlike} objects are not what their manifest says, and were copied as they are: verify names them"
                ),
            };
        }
        if *left_out > 0 {
            let _ = match left_out {
                1 => write!(
                    line,
                    "; 1 object in it is not of the store, and stays behind"
                ),
                _ => write!(
                    line,
                    "; {left_out} objects in it are not of the store, and stay behind"
                ),
            };
        }
        lines.push(line);
    }
    let [copied, compared] = report.totals();
    let there = report.stores.iter().filter(|store| store.was_there).count();
    let mut total = format!(
        "{done}: {}, {}",
        counted(report.stores.len() - there, "stores"),
        tally_shown(copied)
    );
    if there > 0 {
        // A dry run does not look into objects.
        let how = if dry_run { "not" } else { "and" };
        let _ = write!(
            total,
            "; there already, {how} compared: {}, {}",
            counted(there, "stores"),
            tally_shown(compared)
        );
    }
    lines.push(total);
    lines
}
