//! Every word that a user reads of what happens and of what was done, but for those of errors, of faults that `verify` finds,
//! and of what `doctor` finds or is odd in files.
//!
//! Key function: [`of_event`]; each verb's report has a file of its own.

mod copy;
mod delete;
mod doctor;
mod du;
mod event;
mod history;
mod listed;
mod notice;
mod plan;
mod progress;
mod rechunk;
mod recover;
mod report;
mod rollback;
mod send;
mod status;
mod store;
mod verify;

pub(super) use copy::copied;
pub(super) use delete::{deleted, survey};
pub(super) use doctor::examined;
pub(super) use du::{usage, usage_total};
pub(super) use event::{OutputLine, of_event, work_of};
pub(super) use history::command;
pub(super) use listed::{ListedTotals, StoreLine, left_out};
pub(super) use plan::{foreseen, plan_warning};
pub(super) use progress::{bar, saying};
pub(super) use rechunk::{rechunk_forecast, rechunked};
pub(super) use recover::{forecast, recovered};
pub(super) use report::merged;
pub(super) use rollback::{rollback_forecast, rolled_back};
pub(super) use send::sent;
pub(super) use status::status;
pub(super) use store::{StoreDescription, state_shown};

use crate::verbs::du::Tally;
pub(super) use verify::verified;

/// Bytes as people read them: `13.9 MiB`.
pub(super) fn bytes_shown(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{bytes} B")
    } else {
        format!("{value:.1} {}", units[unit])
    }
}

/// How much there is of something.
fn tally_shown(tally: Tally) -> String {
    format!("{} objects, {}", tally.objects, bytes_shown(tally.bytes))
}
