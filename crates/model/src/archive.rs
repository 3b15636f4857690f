//! Source files joined along the append dimension: in time order, none twice.
//!
//! Key types: [`Archive`], [`Order`].

use std::cmp::Ordering;
use std::ops::Range;
use std::path::PathBuf;

use super::borrow::BorrowedCoordinates;
use super::catalogue::Catalogue;
use super::error::ArchiveError;
use super::file::SourceFile;
use super::problems::Problems;
use super::step::Step;
use super::text::widen;
use super::time::{Instant, gaps};

/// In which order the steps must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Increasing in each file, and from file to file once the files are sorted.
    Increasing,
    /// Any, but none twice.
    Any,
}

/// Source files in the order of their steps.
#[derive(Clone, Debug)]
pub struct Archive {
    /// What is sent, as the first file has it; the others were checked against it.
    pub catalogue: Catalogue,
    /// The files; never empty.
    pub files: Vec<SourceFile>,
    /// The dimension along which they are joined; empty, which no dimension's name is, if they are static.
    pub append_dimension: String,
    /// The variable whose values tell the steps apart; empty if there are none.
    pub axis: String,
    /// Coordinates that come from another file.
    pub borrowed: BorrowedCoordinates,
}

impl Archive {
    /// Puts the files, of which there must be one at least, in order.
    ///
    /// # Errors
    /// Every step that is not in `order`, every file that overlaps another.
    pub fn join(
        mut files: Vec<SourceFile>,
        append_dimension: &str,
        order: Order,
    ) -> Result<Self, Problems<ArchiveError>> {
        widen(&mut files);
        agree(&mut files)?;
        files.sort_by(|a, b| match (least(a), least(b)) {
            (Some(a), Some(b)) => compare(a, b),
            _ => Ordering::Equal,
        });
        let axis = files[0].axis.variable.clone();
        let archive = Self {
            catalogue: files[0].catalogue.clone(),
            files,
            append_dimension: append_dimension.to_owned(),
            axis,
            borrowed: BorrowedCoordinates::default(),
        };
        // Steps of different axes have no order.
        Problems::together(archive.differences(std::slice::from_ref(&archive.axis)))?;
        Problems::together(archive.other_axes())?;
        Problems::together(match order {
            Order::Increasing => archive.not_increasing(),
            Order::Any => archive.repeated(),
        })?;
        Ok(archive)
    }

    /// The axis' values over all files.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        let steps = self.files.iter().flat_map(SourceFile::steps);
        steps.copied().collect()
    }

    /// The number of steps in each file.
    #[must_use]
    pub fn lengths(&self) -> Vec<u64> {
        self.files.iter().map(|f| f.steps().len() as u64).collect()
    }

    /// Where the files are; behind them the one that coordinates are borrowed from.
    #[must_use]
    pub fn paths(&self) -> Vec<PathBuf> {
        let files = self.files.iter().map(|f| f.path().clone());
        files.chain(self.borrowed.path.clone()).collect()
    }

    /// The archive of some of its files.
    #[must_use]
    pub fn part(&self, files: Range<usize>) -> Self {
        Self {
            catalogue: self.catalogue.clone(),
            files: self.files[files].to_vec(),
            append_dimension: self.append_dimension.clone(),
            axis: self.axis.clone(),
            borrowed: self.borrowed.clone(),
        }
    }

    /// Where nothing covers the time between two files.
    #[must_use]
    pub fn gaps(&self) -> Vec<ArchiveError> {
        let instants: Vec<Instant> = self.steps().iter().filter_map(|s| s.instant()).collect();
        if instants.len() != self.steps().len() {
            return Vec::new();
        }
        let bounds: Vec<(Instant, Instant)> = self
            .files
            .iter()
            .flat_map(|f| f.axis.bounds.iter().copied())
            .collect();
        let found = gaps(&instants, Some(&bounds));
        let mut first = 0;
        let mut problems = Vec::new();
        for pair in self.files.windows(2) {
            first += pair[0].steps().len();
            problems.extend(found.iter().filter(|gap| gap.index == first).map(|gap| {
                ArchiveError::Gap {
                    path: pair[1].path().clone(),
                    other: pair[0].path().clone(),
                    begin: gap.to.to_string(),
                    end: gap.from.to_string(),
                }
            }));
        }
        problems
    }

    /// The files whose bounds of steps hold what is no time, and what that is.
    pub fn no_times(&self) -> impl Iterator<Item = (&PathBuf, &str)> {
        let files = self.files.iter();
        files.filter_map(|file| Some((file.path(), file.axis.unset.as_deref()?)))
    }

    /// Files whose steps another variable tells apart.
    fn other_axes(&self) -> Vec<ArchiveError> {
        let others = self.files.iter().skip(1);
        others
            .filter(|file| file.axis.variable != self.axis)
            .map(|file| ArchiveError::Mismatch {
                path: file.path().clone(),
                other: self.catalogue.path.clone(),
                problem: format!(
                    "its steps are told apart by '{}', expected '{}'",
                    file.axis.variable, self.axis
                ),
            })
            .collect()
    }

    fn not_increasing(&self) -> Vec<ArchiveError> {
        let mut problems = Vec::new();
        for file in &self.files {
            if let Some(index) = file.unsorted() {
                problems.push(ArchiveError::StepsNotIncreasing {
                    path: file.path().clone(),
                    variable: self.axis.clone(),
                    index,
                    found: file.steps()[index].to_string(),
                    before: file.steps()[index - 1].to_string(),
                });
            }
        }
        for pair in self.files.windows(2) {
            let (before, after) = (&pair[0], &pair[1]);
            let (Some(end), Some(first), Some(last)) =
                (greatest(before), least(after), greatest(after))
            else {
                continue;
            };
            if !first.is_after(end) {
                problems.push(ArchiveError::Overlap {
                    path: after.path().clone(),
                    other: before.path().clone(),
                    variable: self.axis.clone(),
                    first: first.to_string(),
                    last: last.to_string(),
                    end: end.to_string(),
                });
            }
        }
        problems
    }

    fn repeated(&self) -> Vec<ArchiveError> {
        let mut steps: Vec<(Step, &SourceFile)> = Vec::new();
        for file in &self.files {
            steps.extend(file.steps().iter().map(|&step| (step, file)));
        }
        steps.sort_by(|a, b| compare(a.0, b.0));
        let pairs = steps
            .windows(2)
            .filter(|pair| pair[0].0.compare(pair[1].0) == Some(Ordering::Equal));
        pairs
            .map(|pair| ArchiveError::Repeated {
                path: pair[1].1.path().clone(),
                other: pair[0].1.path().clone(),
                variable: self.axis.clone(),
                step: pair[0].0.to_string(),
            })
            .collect()
    }
}

/// The order of two steps of an archive; they are finite numbers.
fn compare(a: Step, b: Step) -> Ordering {
    a.compare(b).unwrap_or(Ordering::Equal)
}

fn least(file: &SourceFile) -> Option<Step> {
    file.steps().iter().copied().min_by(|a, b| compare(*a, *b))
}

fn greatest(file: &SourceFile) -> Option<Step> {
    file.steps().iter().copied().max_by(|a, b| compare(*a, *b))
}

/// Lets the same variable tell the steps of all `files` apart, that of the file with most: of one step alone, nothing tells
/// whether a variable ever changes.
///
/// # Errors
/// If all have one step, and it may be another variable than the coordinate that tells them apart.
fn agree(files: &mut [SourceFile]) -> Result<(), ArchiveError> {
    let longest = files.iter().max_by_key(|file| file.steps().len());
    let Some(longest) = longest else {
        return Ok(());
    };
    let mut axis = longest.axis.variable.clone();
    if let ([Step::Number(_)], Some(time)) = (longest.steps(), time_beside(longest)) {
        let is_same = |file: &SourceFile| file.steps() == longest.steps();
        if !files.iter().all(is_same) {
            // The coordinate changes from file to file.
        } else if longest.catalogue.is_time(time) || files.len() > 1 {
            time.clone_into(&mut axis);
        } else {
            return Err(ArchiveError::OneStep {
                path: longest.path().clone(),
                coordinate: axis,
                time: time.to_owned(),
            });
        }
    }
    for file in files {
        file.take_axis(&axis);
    }
    Ok(())
}

/// A variable of times along the axis of `file`, which has none.
fn time_beside(file: &SourceFile) -> Option<&str> {
    let mut others = file.others.iter();
    let time = others.find(|axis| matches!(axis.steps[..], [Step::Time(_)]));
    time.map(|axis| axis.variable.as_str())
}
