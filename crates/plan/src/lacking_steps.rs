//! Steps for which arrays have a place, but whose values were never sent to them: those that a store had before a variable was
//! added to it. They read as fill. An attribute of the array tells of them, so that a later command knows them from steps
//! that are there and all missing data.
//!
//! Key type: [`LackingSteps`].

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Map, Value, json};

use super::error::PlanError;
use super::target::Run;
use msm_zarr::StoreSnapshot;

/// The attribute: indices along the append dimension, as in `0-2, 5`.
pub const LACKING: &str = "steps_never_sent";

/// By array, the steps that were never sent to it: indices along the append dimension, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LackingSteps(BTreeMap<String, Vec<Range<u64>>>);

impl LackingSteps {
    /// What the arrays of the store called `store` say.
    ///
    /// # Errors
    /// If one says what no step is.
    pub fn of(store: &str, stored: Option<&StoreSnapshot>) -> Result<Self, PlanError> {
        let mut lacking = BTreeMap::new();
        let steps = stored.map_or(0, |stored| stored.steps.len());
        for array in stored.iter().flat_map(|stored| &stored.arrays) {
            let Some(said) = array.attributes.get(LACKING) else {
                continue;
            };
            let read = said.as_str().and_then(|text| parse(text, steps as u64));
            let runs = read.ok_or_else(|| PlanError::Lacking {
                store: store.to_owned(),
                array: array.name.clone(),
                found: said.to_string(),
                steps,
            })?;
            lacking.insert(array.name.clone(), runs);
        }
        Ok(Self(lacking))
    }

    /// Was step `at` of `array` never sent?
    #[must_use]
    pub fn has(&self, array: &str, at: u64) -> bool {
        let runs = self.0.get(array);
        runs.is_some_and(|runs| runs.iter().any(|run| run.contains(&at)))
    }

    /// Was it of no array?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What `array` lacks when `written` is written; if it `is_new` to a store that has so many `steps`, it lacked all of them.
    pub(super) fn after(
        &self,
        array: &str,
        is_new: bool,
        steps: u64,
        written: &[Run],
    ) -> Vec<Range<u64>> {
        let mut left = match self.0.get(array) {
            _ if is_new => vec![0..steps],
            Some(runs) => runs.clone(),
            None => Vec::new(),
        };
        for run in written {
            let cut = |old: Range<u64>| {
                let before = old.start..old.end.min(run.at);
                let behind = old.start.max(run.at + run.count)..old.end;
                [before, behind].into_iter().filter(|run| !run.is_empty())
            };
            left = left.into_iter().flat_map(cut).collect();
        }
        left.retain(|run| !run.is_empty());
        left
    }

    /// What `array`, which has so many steps, lacks when it grows to `length` without any values.
    pub(super) fn padded(&self, array: &str, steps: u64, length: u64) -> Vec<Range<u64>> {
        let mut runs = self.0.get(array).cloned().unwrap_or_default();
        match runs.last_mut() {
            Some(last) if last.end == steps => last.end = length,
            _ => runs.push(steps..length),
        }
        runs.retain(|run| !run.is_empty());
        runs
    }

    /// Does `array` lack something else now than this?
    pub(super) fn differs(&self, array: &str, now: &[Range<u64>]) -> bool {
        self.0.get(array).map_or(&[][..], Vec::as_slice) != now
    }
}

/// Puts what an array lacks into its attributes.
pub(super) fn tell(attributes: &mut Map<String, Value>, lacking: &[Range<u64>]) {
    if lacking.is_empty() {
        attributes.remove(LACKING);
    } else {
        attributes.insert(LACKING.to_owned(), json!(said(lacking)));
    }
}

/// Steps in the attribute's words.
pub(crate) fn said(runs: &[Range<u64>]) -> String {
    let words: Vec<String> = runs
        .iter()
        .map(|run| match run.end - run.start {
            1 => run.start.to_string(),
            _ => format!("{}-{}", run.start, run.end - 1),
        })
        .collect();
    words.join(", ")
}

/// What the attribute `text` tells when the steps that are `gone` are not counted any more; `None` if that is nothing.
#[must_use]
pub fn lacking_without(text: &str, gone: &Range<u64>) -> Option<String> {
    let left = |at: u64| at.min(gone.start) + at.saturating_sub(gone.end);
    let mut runs: Vec<Range<u64>> = Vec::new();
    for run in parse(text, u64::MAX)? {
        let run = left(run.start)..left(run.end);
        match runs.last_mut() {
            _ if run.is_empty() => {}
            Some(last) if last.end == run.start => last.end = run.end,
            _ => runs.push(run),
        }
    }
    (!runs.is_empty()).then(|| said(&runs))
}

/// The steps that the attribute tells of, of so many; `None` if it is malformed.
fn parse(text: &str, steps: u64) -> Option<Vec<Range<u64>>> {
    let mut runs: Vec<Range<u64>> = Vec::new();
    for word in text.split(',') {
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        let (first, last): (u64, u64) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        let before = runs.last().map_or(0, |run| run.end);
        if first < before || last < first || last >= steps {
            return None;
        }
        runs.push(first..last + 1);
    }
    Some(runs)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn run(at: u64, count: u64) -> Run {
        Run {
            file: 0,
            first: 0,
            count,
            at,
        }
    }

    #[test]
    fn what_is_no_step_is_malformed() {
        assert_eq!(parse("0-2, 5", 6), Some(vec![0..3, 5..6]));
        for text in ["", "x", "1-", "2-1", "5, 5", "3, 1", "0-6", "-1", "0-2;5"] {
            assert_eq!(parse(text, 6), None, "{text}");
        }
        let without = |gone: Range<u64>| lacking_without("0-2, 5", &gone);
        assert_eq!(without(6..9).as_deref(), Some("0-2, 5"));
        assert_eq!(without(5..6).as_deref(), Some("0-2"));
        assert_eq!(without(1..6).as_deref(), Some("0"));
        assert_eq!(without(0..6), None);
        assert_eq!(without(1..4).as_deref(), Some("0, 2"));
        assert_eq!(without(2..5).as_deref(), Some("0-2"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_lacking_no_more(
            steps in 0..30u64,
            writes in proptest::collection::vec(proptest::collection::vec((0..40u64, 1..5u64), 0..4), 0..4),
        ) {
            let mut expected: BTreeSet<u64> = (0..steps).collect();
            let mut lacking = LackingSteps::default();
            let mut is_new = true;
            for written in writes {
                let written: Vec<Run> = written.into_iter().map(|(at, count)| run(at, count)).collect();
                for run in &written {
                    expected.retain(|at| !(run.at..run.at + run.count).contains(at));
                }
                let now = lacking.after("v", is_new, steps, &written);
                // It reads back from the attribute, and only what is left is there.
                let mut attributes = Map::new();
                tell(&mut attributes, &now);
                let read = attributes.get(LACKING).map(|text| parse(text.as_str().unwrap(), steps).unwrap());
                prop_assert_eq!(read.unwrap_or_default(), now.clone());
                lacking = LackingSteps([("v".to_owned(), now)].into());
                is_new = false;
                let left: BTreeSet<u64> = (0..steps).filter(|&at| lacking.has("v", at)).collect();
                prop_assert_eq!(&left, &expected);
                prop_assert!(!lacking.has("w", 0));
            }
        }
    }
}
