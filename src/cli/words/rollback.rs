//! What `rollback` says at its end, and what it says that it would do.

use super::{counted, requests, tally_shown};
use crate::verbs::rollback::{RollbackForecast, RollbackReport, StoreOutlook};

/// What would be undone.
pub(in crate::cli) fn rollback_forecast(forecast: &RollbackForecast) -> Vec<String> {
    let RollbackForecast {
        commands,
        died,
        stores,
        requests: foreseen,
    } = forecast;
    let died = died
        .iter()
        .map(|store| format!("store '{store}': what a command that died had begun would go back"));
    let stores = stores.iter().map(outlook);
    let commands = match &commands[..] {
        [] => "no other command would be undone".to_owned(),
        [one] => format!("command {one} would be undone"),
        several => format!("commands {} would be undone", several.join(", ")),
    };
    let last = format!("{commands}; nothing was written");
    let foreseen = foreseen.iter().map(requests);
    died.chain(stores).chain(foreseen).chain([last]).collect()
}

/// `store 'T1m/tos.zarr': its send would be undone: 24 of 36 steps along 'time_counter' would stay`
fn outlook(outlook: &StoreOutlook) -> String {
    let StoreOutlook {
        store,
        undone,
        is_gone,
        lengths,
        arrays,
        back,
        gone,
    } = outlook;
    let what = match &undone[..] {
        [one] => format!("its last {one}"),
        several => format!("its last {} transactions", several.len()),
    };
    let mut words = Vec::new();
    if *is_gone {
        words.push("the store would be gone".to_owned());
    }
    for (dimension, now, then) in lengths {
        words.push(if now > then {
            format!(
                "{} would go, {then} of {now} would stay along '{dimension}'",
                counted(now - then, "steps")
            )
        } else {
            format!(
                "{} would be back, {then} instead of {now} along '{dimension}'",
                counted(then - now, "steps")
            )
        });
    }
    if !arrays.is_empty() {
        words.push(format!("its arrays {} would be gone", arrays.join(", ")));
    }
    if words.is_empty() {
        words.push("it would have its old values and attributes".to_owned());
    }
    for (tally, fate) in [(back, "be put back"), (gone, "go")] {
        if tally.objects > 0 {
            words.push(format!("{} would {fate}", tally_shown(*tally)));
        }
    }
    format!(
        "store '{store}': {what} would be undone: {}",
        words.join(", ")
    )
}

/// What was undone; of each store, its event has told.
pub(in crate::cli) fn rolled_back(report: &RollbackReport) -> String {
    let stores = counted(report.stores.len(), "stores");
    let commands = report.commands.join(", ");
    match (report.had_died, report.commands.is_empty()) {
        (false, true) => format!("rolled back: {stores}"),
        (false, false) => format!("rolled back: {stores}, command {commands}"),
        (true, true) => format!(
            "rolled back: {stores}, the command that had died in them; rollback again undoes the one before it"
        ),
        (true, false) => {
            format!("rolled back: {stores}, the command that had died in them, and {commands}")
        }
    }
}
