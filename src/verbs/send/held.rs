//! The steps that stores hold before a transaction and after it, as readers see them.

use msm_model::Archive;
use msm_plan::StoreRequest;
use msm_zarr::StoreSnapshot;

use crate::events::{Event, HeldSteps};
use crate::session::Session;

/// What a store holds as it is; `None` if it has no steps.
pub(super) fn held(stored: &StoreSnapshot) -> Option<HeldSteps> {
    let (first, last) = stored.steps.first().zip(stored.steps.last())?;
    Some(HeldSteps {
        count: stored.steps.len() as u64,
        first: first.to_string(),
        last: last.to_string(),
    })
}

/// What the stores that have steps hold after a transaction of this `archive`, which does what is asked of them.
pub(super) fn held_after(requests: &[StoreRequest], archive: &Archive) -> Vec<(String, HeldSteps)> {
    let held = requests.iter().filter_map(|request| {
        let (count, [first, last]) = request.steps_after(archive)?;
        let [first, last] = [first, last].map(|step| step.to_string());
        let steps = HeldSteps { count, first, last };
        Some((request.key.clone(), steps))
    });
    held.collect()
}

/// Tells what stores hold.
pub(super) fn tell_held(holds: Vec<(String, HeldSteps)>, session: &Session<'_>) {
    for (store, steps) in holds {
        session.tell(&Event::Holds { store, steps });
    }
}
