//! Where the archive's steps go in a store: on those it has of the same time, and behind its end.
//!
//! Key types: [`Placed`], [`Overlap`], [`Missing`].

use std::cmp::Ordering;

use super::error::PlanError;
use super::target::Run;
use crate::source::{Archive, Instant, Step, gaps};
use crate::store::Stored;

/// Where a step of the archive goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its place along the append dimension.
    pub at: u64,
    /// Does the store have it already?
    pub stored: bool,
}

/// What becomes of steps that the store has already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    /// If it has all of them, nothing is done; if some, that is an error.
    AllOrNothing,
    /// They are left as they are.
    Skip,
    /// They are an error.
    Error,
    /// They are overwritten.
    Replace,
}

/// What becomes of steps that the store does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// They are appended.
    Append,
    /// They are an error.
    Error,
}

/// Finds the places of `archive`'s steps, which may come in any order but not twice, in the store called `store`, whose
/// steps increase.
///
/// # Errors
/// If the steps cannot be compared, `overlap` or `missing` forbid it, or a new step is not after the store's last.
pub fn place(
    store: &str,
    stored: &[Step],
    archive: &[Step],
    overlap: Overlap,
    missing: Missing,
) -> Result<Vec<Placed>, PlanError> {
    if let (Some(held), Some(asked)) = (stored.first(), archive.first())
        && held.compare(*asked).is_none()
    {
        return Err(PlanError::Axis {
            store: store.to_owned(),
            stored: held.kind(),
            found: asked.kind(),
        });
    }
    let found: Vec<Option<usize>> = archive
        .iter()
        .map(|step| {
            stored
                .binary_search_by(|s| s.compare(*step).unwrap_or(Ordering::Less))
                .ok()
        })
        .collect();
    let those = |there: bool| -> Vec<Step> {
        let pairs = archive.iter().zip(&found);
        let chosen = pairs.filter(|(_, found)| found.is_some() == there);
        chosen.map(|(step, _)| *step).collect()
    };
    let (there, mut new) = (those(true), those(false));
    let refused = match overlap {
        Overlap::AllOrNothing => !there.is_empty() && !new.is_empty(),
        Overlap::Error => !there.is_empty(),
        Overlap::Skip | Overlap::Replace => false,
    };
    if refused {
        return Err(PlanError::StepsStored {
            store: store.to_owned(),
            count: there.len(),
            total: archive.len(),
            shown: shown(&there),
        });
    }
    if missing == Missing::Error && !new.is_empty() {
        return Err(PlanError::StepsMissing {
            store: store.to_owned(),
            count: new.len(),
            total: archive.len(),
            shown: shown(&new),
        });
    }
    new.sort_by(|a, b| a.compare(*b).unwrap_or(Ordering::Equal));
    if let (Some(end), Some(first)) = (stored.last(), new.first())
        && !first.is_after(*end)
    {
        return Err(PlanError::BeforeEnd {
            store: store.to_owned(),
            end: end.to_string(),
            first: first.to_string(),
        });
    }
    let placed = archive.iter().zip(found).map(|(step, found)| match found {
        Some(at) => Placed {
            at: at as u64,
            stored: true,
        },
        None => Placed {
            at: (stored.len() + new.partition_point(|other| step.is_after(*other))) as u64,
            stored: false,
        },
    });
    Ok(placed.collect())
}

/// Checks that no time is missing between the last step of the store called `store` and the first that is appended, as
/// far as bounds or the spacing of the steps tell.
///
/// # Errors
/// If some is.
pub fn follows_on(
    store: &str,
    stored: &Stored,
    archive: &Archive,
    placed: &[Placed],
) -> Result<(), PlanError> {
    let end = stored.steps.len() as u64;
    let mut instants: Vec<Instant> = stored.steps.iter().filter_map(|s| s.instant()).collect();
    let mut bounds = stored.bounds.clone();
    let old = instants.len();
    let of_files: Vec<(Instant, Instant)> = archive
        .files
        .iter()
        .flat_map(|f| f.bounds.iter().copied())
        .collect();
    let mut new: Vec<(&Placed, usize)> = placed
        .iter()
        .zip(0..)
        .filter(|(p, _)| p.at >= end)
        .collect();
    new.sort_by_key(|(placed, _)| placed.at);
    let steps = archive.steps();
    for (_, index) in new {
        instants.extend(steps[index].instant());
        bounds.extend(of_files.get(index));
    }
    match gaps(&instants, Some(&bounds))
        .iter()
        .find(|gap| old > 0 && gap.index == old)
    {
        Some(gap) => Err(PlanError::Gap {
            store: store.to_owned(),
            end: gap.from.to_string(),
            first: gap.to.to_string(),
        }),
        None => Ok(()),
    }
}

/// The runs that put those steps of files of so many `steps` which `wanted` names to their places, in the array's order.
pub(super) fn runs(steps: &[u64], placed: &[Placed], wanted: impl Fn(&Placed) -> bool) -> Vec<Run> {
    let mut each = Vec::new();
    let mut places = placed.iter();
    for (file, &steps) in steps.iter().enumerate() {
        for (first, place) in (0..steps).zip(&mut places) {
            if wanted(place) {
                each.push(Run {
                    file,
                    first,
                    count: 1,
                    at: place.at,
                });
            }
        }
    }
    each.sort_by_key(|run| run.at);
    let mut runs: Vec<Run> = Vec::new();
    for run in each {
        match runs.last_mut() {
            Some(last)
                if last.file == run.file
                    && last.first + last.count == run.first
                    && last.at + last.count == run.at =>
            {
                last.count += 1;
            }
            _ => runs.push(run),
        }
    }
    runs
}

/// The steps as a list for a message, not longer than a line.
fn shown(steps: &[Step]) -> String {
    let text: Vec<String> = steps.iter().map(ToString::to_string).collect();
    if text.len() > 6 {
        format!("{} … {}", text[..3].join(", "), text[text.len() - 1])
    } else {
        text.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Number;

    fn steps(values: &[f64]) -> Vec<Step> {
        values
            .iter()
            .map(|&v| Step::Number(Number::Float(v)))
            .collect()
    }

    fn places(placed: &[Placed]) -> Vec<(u64, bool)> {
        placed.iter().map(|p| (p.at, p.stored)).collect()
    }

    #[test]
    fn steps_are_found_by_value_in_any_order() {
        let stored = steps(&[1.0, 2.0, 3.0]);
        let at = |archive: &[f64], overlap, missing| {
            place("s", &stored, &steps(archive), overlap, missing)
        };
        let new = at(&[4.0, 5.0], Overlap::AllOrNothing, Missing::Append).unwrap();
        assert_eq!(places(&new), [(3, false), (4, false)]);
        let all = at(&[3.0, 1.0], Overlap::AllOrNothing, Missing::Append).unwrap();
        assert_eq!(places(&all), [(2, true), (0, true)]);
        let both = at(&[5.0, 2.0, 4.0], Overlap::Replace, Missing::Append).unwrap();
        assert_eq!(places(&both), [(4, false), (1, true), (3, false)]);
        let some = at(&[3.0, 4.0], Overlap::AllOrNothing, Missing::Append).unwrap_err();
        assert!(
            matches!(some, PlanError::StepsStored { count: 1, total: 2, ref shown, .. } if shown == "3")
        );
        assert!(at(&[3.0], Overlap::Error, Missing::Append).is_err());
        let absent = at(&[3.0, 4.0], Overlap::Replace, Missing::Error).unwrap_err();
        assert!(
            matches!(absent, PlanError::StepsMissing { count: 1, ref shown, .. } if shown == "4")
        );
        let before = at(&[0.5], Overlap::Skip, Missing::Append).unwrap_err();
        assert!(matches!(before, PlanError::BeforeEnd { .. }));
    }

    #[test]
    fn neighbours_in_file_and_array_are_one_run() {
        let placed = [(2, true), (3, false), (5, false), (4, false), (0, true)];
        let placed = placed.map(|(at, stored)| Placed { at, stored });
        let run = |file, first, count, at| Run {
            file,
            first,
            count,
            at,
        };
        assert_eq!(
            runs(&[3, 2], &placed, |_| true),
            [
                run(1, 1, 1, 0),
                run(0, 0, 2, 2),
                run(1, 0, 1, 4),
                run(0, 2, 1, 5)
            ]
        );
        assert_eq!(
            runs(&[3, 2], &placed, |p| p.stored),
            [run(1, 1, 1, 0), run(0, 0, 1, 2)]
        );
    }
}
