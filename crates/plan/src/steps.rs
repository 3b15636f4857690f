//! Where the archive's steps go in a store: on those it has of the same time, behind its end, or between others.
//!
//! Key types: [`StepPlacement`], [`Overlap`], [`MissingSteps`].

use std::cmp::Ordering;
use std::ops::Range;
use std::path::Path;

use super::error::PlanError;
use super::target::Run;
use msm_model::{Archive, Instant, Step, gaps};
use msm_zarr::StoreSnapshot;

/// Where a step of the archive goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepPlacement {
    /// Its place along the append dimension.
    pub at: u64,
    /// Does the store have it already?
    pub stored: bool,
}

/// Which of the steps that a request places are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// All.
    #[default]
    All,
    /// Those before this place: what lies behind it comes another time.
    Before(u64),
    /// New ones of these places, to be put out of readers' sight before those in front of them are committed.
    Part(Range<u64>),
}

impl Scope {
    /// Is this step meant?
    pub(super) fn has(&self, place: &StepPlacement) -> bool {
        match self {
            Self::All => true,
            Self::Before(end) => place.at < *end,
            Self::Part(places) => !place.stored && places.contains(&place.at),
        }
    }
}

/// The steps of one file, and where it is.
#[derive(Clone, Copy, Debug)]
pub struct FileSteps<'a> {
    /// Where the file is.
    pub path: &'a Path,
    /// Its steps; none where they do not matter to a store.
    pub steps: &'a [Step],
}

impl<'a> FileSteps<'a> {
    /// The files of `archive`, for a store of these `members`: without its axis, it has no steps.
    #[must_use]
    pub fn all(archive: &'a Archive, members: &[String]) -> Vec<Self> {
        let steps = members.contains(&archive.axis);
        let files = archive.files.iter();
        files
            .map(|file| Self {
                path: file.path(),
                steps: if steps { file.steps() } else { &[] },
            })
            .collect()
    }
}

/// What becomes of steps that the store has already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overlap {
    /// A file of which it has all steps is there already and left alone; if it has some of a file's, that is an error. A
    /// transaction has whole files, so what a send that died has committed is always whole files, too.
    #[default]
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
pub enum MissingSteps {
    /// They are appended.
    Append,
    /// They are put where they belong, also between others.
    Insert,
    /// They are an error.
    Error,
}

/// Finds the places of the steps of `files`, which may come in any order but not twice, in the store called `store`, whose
/// steps increase.
///
/// # Errors
/// If the steps cannot be compared, `overlap` or `missing` forbid it, or a new step is not after the store's last and may not be
/// inserted.
pub fn place(
    store: &str,
    stored: &[Step],
    files: &[FileSteps<'_>],
    overlap: Overlap,
    missing: MissingSteps,
) -> Result<Vec<StepPlacement>, PlanError> {
    let archive: Vec<Step> = files.iter().flat_map(|file| file.steps).copied().collect();
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
    check_overlap(store, files, &found, overlap)?;
    let new = archive.iter().zip(&found).filter(|(_, at)| at.is_none());
    let mut new: Vec<Step> = new.map(|(step, _)| *step).collect();
    if missing == MissingSteps::Error && !new.is_empty() {
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
        && missing != MissingSteps::Insert
    {
        let before = stored.partition_point(|step| first.is_after(*step));
        // What deletes steps by their times leaves some.
        let from = stored.get(before).filter(|_| before > 0);
        return Err(PlanError::BeforeEnd {
            store: store.to_owned(),
            end: end.to_string(),
            first: first.to_string(),
            behind: stored.len() - before,
            from: from
                .and_then(|step| step.instant())
                .map(|instant| instant.to_string()),
        });
    }
    let before = |steps: &[Step], step: &Step| steps.partition_point(|other| step.is_after(*other));
    let placed = archive.iter().zip(found).map(|(step, found)| {
        let old = found.unwrap_or_else(|| before(stored, step));
        StepPlacement {
            at: (old + before(&new, step)) as u64,
            stored: found.is_some(),
        }
    });
    Ok(placed.collect())
}

/// Checks, file by file, that `overlap` lets the store have those steps that were `found` in it.
///
/// # Errors
/// The first file of which it does not.
fn check_overlap(
    store: &str,
    files: &[FileSteps<'_>],
    found: &[Option<usize>],
    overlap: Overlap,
) -> Result<(), PlanError> {
    let mut found = found.iter();
    for file in files {
        let pairs = file.steps.iter().zip(&mut found);
        let there: Vec<Step> = pairs.filter_map(|(step, at)| at.map(|_| *step)).collect();
        let refused = match overlap {
            Overlap::AllOrNothing => !there.is_empty() && there.len() < file.steps.len(),
            Overlap::Error => !there.is_empty(),
            Overlap::Skip | Overlap::Replace => false,
        };
        if refused {
            return Err(PlanError::StepsStored {
                store: store.to_owned(),
                path: file.path.to_owned(),
                count: there.len(),
                total: file.steps.len(),
                shown: shown(&there),
            });
        }
    }
    Ok(())
}

/// Checks that no time is missing between the last step of the store called `store` and the first that is appended, as
/// far as bounds or the spacing of the steps tell; nor, where steps are `missing` that may be inserted, outside of what lies between
/// the store's first and last.
///
/// # Errors
/// If some is.
pub fn follows_on(
    store: &str,
    stored: &StoreSnapshot,
    archive: &Archive,
    placed: &[StepPlacement],
    missing: MissingSteps,
) -> Result<(), PlanError> {
    let placed_steps = |steps: &[Step], bounds: &[(Instant, Instant)], file: Option<usize>| {
        let has_bounds = bounds.len() == steps.len();
        let placed = steps.iter().enumerate().map(|(index, step)| {
            let bounds = bounds.get(index).filter(|_| has_bounds).copied();
            (step.instant(), bounds, file)
        });
        placed.collect::<Vec<_>>()
    };
    let of_files = archive
        .files
        .iter()
        .enumerate()
        .flat_map(|(number, file)| placed_steps(file.steps(), &file.axis.bounds, Some(number)));
    let new = of_files.zip(placed).filter(|(_, place)| !place.stored);
    let old = placed_steps(&stored.steps, &stored.bounds, None);
    let all = old.into_iter().chain(new.map(|(of_file, _)| of_file));
    let mut all: Vec<_> = all
        .filter_map(|(step, bounds, file)| Some((step?, bounds, file)))
        .collect();
    all.sort_by(|(a, ..), (b, ..)| a.compare(*b).unwrap_or(Ordering::Equal));
    let instants: Vec<Instant> = all.iter().map(|(step, ..)| *step).collect();
    let bounds: Option<Vec<_>> = all.iter().map(|(_, bounds, _)| *bounds).collect();
    let files: Vec<Option<usize>> = all.iter().map(|(.., file)| *file).collect();
    let first = files.iter().position(Option::is_none);
    let ends = first.zip(files.iter().rposition(Option::is_none));
    let is_refused = |index: usize| {
        ends.is_some_and(|(first, last)| match missing {
            // What is missing within a file is as the file is.
            MissingSteps::Insert => {
                (index <= first || index > last) && files[index] != files[index - 1]
            }
            MissingSteps::Append | MissingSteps::Error => index == last + 1,
        })
    };
    match gaps(&instants, bounds.as_deref())
        .iter()
        .find(|gap| is_refused(gap.index))
    {
        Some(gap) => Err(PlanError::Gap {
            store: store.to_owned(),
            from: gap.from.to_string(),
            to: gap.to.to_string(),
        }),
        None => Ok(()),
    }
}

/// The runs that put those steps of files of so many `steps` which `wanted` names to their places, in the array's order.
pub(super) fn runs(
    steps: &[u64],
    placed: &[StepPlacement],
    wanted: impl Fn(&StepPlacement) -> bool,
) -> Vec<Run> {
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
    use msm_model::Number;

    fn steps(values: &[f64]) -> Vec<Step> {
        values
            .iter()
            .map(|&v| Step::Number(Number::Float(v)))
            .collect()
    }

    fn places(placed: &[StepPlacement]) -> Vec<(u64, bool)> {
        placed.iter().map(|p| (p.at, p.stored)).collect()
    }

    #[test]
    fn steps_are_found_by_value_in_any_order() {
        let stored = steps(&[1.0, 2.0, 3.0]);
        let at = |archive: &[f64], overlap, missing| {
            let steps = steps(archive);
            let path = Path::new("a.nc");
            let files = [FileSteps {
                path,
                steps: &steps,
            }];
            place("s", &stored, &files, overlap, missing)
        };
        let new = at(&[4.0, 5.0], Overlap::AllOrNothing, MissingSteps::Append).unwrap();
        assert_eq!(places(&new), [(3, false), (4, false)]);
        let all = at(&[3.0, 1.0], Overlap::AllOrNothing, MissingSteps::Append).unwrap();
        assert_eq!(places(&all), [(2, true), (0, true)]);
        let both = at(&[5.0, 2.0, 4.0], Overlap::Replace, MissingSteps::Append).unwrap();
        assert_eq!(places(&both), [(4, false), (1, true), (3, false)]);
        let some = at(&[3.0, 4.0], Overlap::AllOrNothing, MissingSteps::Append).unwrap_err();
        assert!(
            matches!(some, PlanError::StepsStored { count: 1, total: 2, ref shown, .. } if shown == "3")
        );
        assert!(at(&[3.0], Overlap::Error, MissingSteps::Append).is_err());
        let absent = at(&[3.0, 4.0], Overlap::Replace, MissingSteps::Error).unwrap_err();
        assert!(
            matches!(absent, PlanError::StepsMissing { count: 1, ref shown, .. } if shown == "4")
        );
        let before = at(&[0.5], Overlap::Skip, MissingSteps::Append).unwrap_err();
        assert!(matches!(
            before,
            PlanError::BeforeEnd {
                behind: 3,
                from: None,
                ..
            }
        ));
    }

    #[test]
    fn a_file_is_there_or_is_not() {
        let (stored, names) = (steps(&[1.0, 2.0, 3.0]), ["a.nc", "b.nc", "c.nc"]);
        let at = |files: &[&[f64]], overlap| {
            let steps: Vec<Vec<Step>> = files.iter().map(|file| steps(file)).collect();
            let files: Vec<FileSteps<'_>> = names
                .iter()
                .zip(&steps)
                .map(|(name, steps)| FileSteps {
                    path: Path::new(name),
                    steps,
                })
                .collect();
            place("s", &stored, &files, overlap, MissingSteps::Append)
        };
        let some = at(&[&[1.0, 2.0], &[3.0], &[4.0, 5.0]], Overlap::AllOrNothing).unwrap();
        let expected = [(0, true), (1, true), (2, true), (3, false), (4, false)];
        assert_eq!(places(&some), expected);
        let half = at(&[&[1.0, 2.0], &[3.0, 4.0], &[5.0]], Overlap::AllOrNothing).unwrap_err();
        let PlanError::StepsStored {
            path, count, total, ..
        } = half
        else {
            panic!("{half}")
        };
        assert_eq!((path.to_str(), count, total), (Some("b.nc"), 1, 2));
        assert!(at(&[&[1.0, 2.0], &[3.0, 4.0], &[5.0]], Overlap::Skip).is_ok());
        assert!(at(&[&[1.0, 2.0], &[4.0]], Overlap::Error).is_err());
        // Between what it has, nothing can be put.
        let stored = [1.0, 3.0].map(|v| Step::Number(Number::Float(v)));
        let gap = steps(&[2.0]);
        let path = Path::new("gap.nc");
        let files = [FileSteps { path, steps: &gap }];
        let between = place(
            "s",
            &stored,
            &files,
            Overlap::AllOrNothing,
            MissingSteps::Append,
        );
        assert!(matches!(between, Err(PlanError::BeforeEnd { .. })));
    }

    #[test]
    fn neighbours_in_file_and_array_are_one_run() {
        let placed = [(2, true), (3, false), (5, false), (4, false), (0, true)];
        let placed = placed.map(|(at, stored)| StepPlacement { at, stored });
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
