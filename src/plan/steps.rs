//! Which steps of the archive are new to a store.

use std::cmp::Ordering;

use super::error::PlanError;
use crate::source::Number;

/// How an archive's steps lie to a store's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steps {
    /// The store has them all.
    AllStored,
    /// All come after the store's last.
    AllNew,
}

/// Compares the archive's steps with those of the store called `store`, by value. Both must increase.
///
/// # Errors
/// If the store has some of them, or ends after the first.
pub fn new_steps(store: &str, stored: &[Number], archive: &[Number]) -> Result<Steps, PlanError> {
    let both: Vec<String> = archive
        .iter()
        .filter(|step| {
            stored
                .binary_search_by(|s| s.compare(**step).unwrap_or(Ordering::Less))
                .is_ok()
        })
        .map(ToString::to_string)
        .collect();
    if both.len() == archive.len() {
        return Ok(Steps::AllStored);
    }
    if !both.is_empty() {
        let shown = if both.len() > 6 {
            format!("{} … {}", both[..3].join(", "), both[both.len() - 1])
        } else {
            both.join(", ")
        };
        return Err(PlanError::SomeStepsStored {
            store: store.to_owned(),
            count: both.len(),
            total: archive.len(),
            shown,
        });
    }
    match (stored.last(), archive.first()) {
        (Some(end), Some(first)) if !first.is_after(*end) => Err(PlanError::BeforeEnd {
            store: store.to_owned(),
            end: end.to_string(),
            first: first.to_string(),
        }),
        _ => Ok(Steps::AllNew),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(values: &[f64]) -> Vec<Number> {
        values.iter().copied().map(Number::Float).collect()
    }

    #[test]
    fn all_new_all_stored_and_nothing_between() {
        let stored = steps(&[1.0, 2.0, 3.0]);
        assert_eq!(
            new_steps("s", &stored, &steps(&[4.0, 5.0])),
            Ok(Steps::AllNew)
        );
        assert_eq!(new_steps("s", &[], &steps(&[4.0])), Ok(Steps::AllNew));
        assert_eq!(
            new_steps("s", &stored, &steps(&[2.0, 3.0])),
            Ok(Steps::AllStored)
        );
        let some = new_steps("s", &stored, &steps(&[3.0, 4.0])).unwrap_err();
        assert!(
            matches!(some, PlanError::SomeStepsStored { count: 1, total: 2, ref shown, .. } if shown == "3")
        );
        let before = new_steps("s", &stored, &steps(&[0.5])).unwrap_err();
        assert!(matches!(before, PlanError::BeforeEnd { .. }));
    }
}
