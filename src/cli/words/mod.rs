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
mod page;
mod plan;
mod progress;
mod quicklook;
mod rechunk;
mod recover;
mod report;
mod rollback;
mod send;
mod status;
mod store;
mod verify;

pub(super) use copy::copied;
pub(super) use delete::{delete_warning, deleted, survey};
pub(super) use doctor::examined;
pub(super) use du::{usage, usage_total};
pub(super) use event::{OutputLine, of_event, work_of};
pub(super) use history::command;
pub(super) use listed::{ListedTotals, StoreLine, left_out};
pub(super) use notice::notice;
pub(super) use page::{paged, proofs_shown, verified_when_written};
pub(super) use plan::{foreseen, plan_warning, requests};
pub(super) use progress::{bar, saying};
pub(super) use quicklook::pictured;
pub(super) use rechunk::{rechunk_forecast, rechunked};
pub(super) use recover::{forecast, recovered};
pub(super) use report::{
    command_line, ended, merged, seconds, seen, standing, state, task, written,
};
pub(super) use rollback::{rollback_forecast, rolled_back};
pub(super) use send::sent;
pub(super) use status::status;
pub(super) use store::{StoreDescription, state_shown, variable_row};

use msm_model::are;
pub(in crate::cli) use msm_model::counted;

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

/// Bytes a second as people read them, slow ones too: `33 MB/s`, `3.3 MB/s`, `210 kB/s`.
pub(super) fn rate_shown(bytes_per_second: f64) -> String {
    let kilo = bytes_per_second / 1e3;
    let mega = kilo / 1e3;
    // Not what would be shown as 1000 of the smaller unit.
    if mega >= 9.95 {
        format!("{mega:.0} MB/s")
    } else if mega >= 0.9995 {
        format!("{mega:.1} MB/s")
    } else if kilo >= 9.95 {
        format!("{kilo:.0} kB/s")
    } else if kilo >= 0.9995 {
        format!("{kilo:.1} kB/s")
    } else {
        format!("{bytes_per_second:.0} B/s")
    }
}

/// So many parts of a shared archive wait out of sight.
fn more_waiting(parts: usize) -> String {
    match parts {
        1 => "1 more is put and waits for those before it".to_owned(),
        _ => format!("{parts} more are put and wait for those before them"),
    }
}

/// How much there is of something.
fn tally_shown(tally: Tally) -> String {
    format!(
        "{}, {}",
        counted(tally.objects, "objects"),
        bytes_shown(tally.bytes)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_rates_are_shown_too() {
        for (rate, shown) in [
            (33_400_000.0, "33 MB/s"),
            (9_960_000.0, "10 MB/s"),
            (3_340_000.0, "3.3 MB/s"),
            (999_900.0, "1.0 MB/s"),
            (210_400.0, "210 kB/s"),
            (1_040.0, "1.0 kB/s"),
            (999.0, "999 B/s"),
            (0.0, "0 B/s"),
        ] {
            assert_eq!(rate_shown(rate), shown);
        }
    }
}
