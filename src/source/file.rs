//! One file of an archive: what it holds, and its steps.
//!
//! Key type: [`SourceFile`].

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::axis::{Axis, Values};
use super::catalogue::Catalogue;
use super::error::{SourceError, list};
use super::hyperslab::Hyperslab;
use super::open::OpenFile;
use super::step::Step;
use super::variable::Variable;

/// The most steps of a file: hours of two thousand years.
const MAX_STEPS: u64 = 1 << 24;

/// One file of an archive.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SourceFile {
    /// What it holds.
    pub catalogue: Catalogue,
    /// What tells its steps apart; without any in a static file, which has no append dimension.
    pub axis: Axis,
    /// What else could, if other files of the archive say so.
    pub others: Vec<Axis>,
}

impl SourceFile {
    /// Reads the metadata and the axis of the file at `path`; `dimension` is empty if it is a static one.
    ///
    /// # Errors
    /// If it cannot be read, holds a piece of its fields only, lacks the append `dimension`, an axis or any step, or a step is no finite number.
    pub fn open(path: &Path, dimension: &str) -> Result<Self, SourceError> {
        let file = OpenFile::new(path)?;
        let catalogue = file.catalogue()?;
        if let Some(total) = catalogue.pieces() {
            return Err(SourceError::Piece {
                path: path.to_owned(),
                total,
            });
        }
        if dimension.is_empty() {
            return Ok(Self {
                catalogue,
                axis: Axis::default(),
                others: Vec::new(),
            });
        }
        let Some(length) = catalogue.dimension(dimension) else {
            return Err(SourceError::NoAppendDimension {
                path: path.to_owned(),
                dimension: dimension.to_owned(),
                found: list(catalogue.dimensions.iter().map(|d| d.0.as_str())),
            });
        };
        let mut axes = catalogue.axes(dimension, |variable| {
            read_numbers(&file, &catalogue, variable)
        })?;
        if length == 0 {
            return Err(SourceError::NoSteps {
                path: path.to_owned(),
                dimension: dimension.to_owned(),
            });
        }
        let others = axes.split_off(1);
        let axis = axes.remove(0);
        Ok(Self {
            catalogue,
            axis,
            others,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &PathBuf {
        &self.catalogue.path
    }

    /// The values of its axis, one a step.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.axis.steps
    }

    /// Lets the `variable` tell the steps apart, if it can.
    pub(super) fn take_axis(&mut self, variable: &str) {
        if self.axis.variable == variable {
            return;
        }
        if let Some(other) = self.others.iter_mut().find(|a| a.variable == variable) {
            std::mem::swap(&mut self.axis, other);
        }
    }

    /// The step that does not come after the one before it, if there is one.
    pub(super) fn unsorted(&self) -> Option<usize> {
        let steps = self.steps();
        (1..steps.len()).find(|&i| !steps[i].is_after(steps[i - 1]))
    }
}

/// All values of a variable of numbers, such as the axis or its bounds.
fn read_numbers(
    file: &OpenFile,
    catalogue: &Catalogue,
    variable: &Variable,
) -> Result<Values, SourceError> {
    let path = &catalogue.path;
    let dtype = variable.dtype(path)?;
    if dtype.is_text() {
        return Err(SourceError::Unsupported {
            path: path.clone(),
            variable: variable.name.clone(),
            problem: "holds texts; steps must be numbers".to_owned(),
        });
    }
    if variable.shape.iter().any(|&steps| steps > MAX_STEPS) {
        return Err(SourceError::Unsupported {
            path: path.clone(),
            variable: variable.name.clone(),
            problem: format!(
                "has shape {:?}; expected at most {MAX_STEPS} steps",
                variable.shape
            ),
        });
    }
    let whole = Hyperslab {
        start: vec![0; variable.shape.len()],
        count: variable.shape.clone(),
    };
    let values = file.read_whole(&variable.name, dtype.size(), &whole, false)?;
    Ok((dtype, dtype.numbers(&values).collect()))
}
