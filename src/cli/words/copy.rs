//! What `copy` and `move` say that they did, or would do.

use std::fmt::Write;

use super::tally_shown;
use crate::verbs::copy::{CopiedStore, CopyReport};
use crate::verbs::tally::Tally;

/// A line a store, and one with the total: what was `done`.
pub(in crate::cli) fn copied(done: &str, report: &CopyReport) -> Vec<String> {
    let mut total = Tally::default();
    let mut lines = Vec::new();
    for CopiedStore {
        from,
        to,
        tally,
        was_there,
        unlike,
        left_out,
    } in &report.stores
    {
        total.add(*tally);
        let mut line = format!("  {from} → {to}: {}", tally_shown(*tally));
        if *was_there {
            line.push_str(", there already");
        }
        if *unlike > 0 {
            let _ = write!(
                line,
                "; {unlike} objects are not what their manifest says, and were copied as they are: verify names them"
            );
        }
        if *left_out > 0 {
            let _ = write!(
                line,
                "; {left_out} objects in it are not of the store, and stay behind"
            );
        }
        lines.push(line);
    }
    lines.push(format!(
        "{done}: {} stores, {}",
        report.stores.len(),
        tally_shown(total)
    ));
    lines
}
