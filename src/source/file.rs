//! One file of an archive: what it holds, and its steps.
//!
//! Key type: [`SourceFile`].

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::catalogue::Catalogue;
use super::error::{SourceError, list};
use super::hyperslab::Hyperslab;
use super::open::OpenFile;
use super::step::Step;
use super::time::{Instant, time_units};
use super::variable::Variable;

/// The most steps of a file: hours of two thousand years.
const MAX_STEPS: u64 = 1 << 24;

/// One file of an archive.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SourceFile {
    /// What it holds.
    pub catalogue: Catalogue,
    /// The values of its axis, one a step; never empty.
    pub steps: Vec<Step>,
    /// Where each step begins and ends, if the axis has bounds.
    pub bounds: Vec<(Instant, Instant)>,
}

impl SourceFile {
    /// Reads the metadata and the axis of the file at `path`.
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
        if catalogue.dimension(dimension).is_none() {
            return Err(SourceError::NoAppendDimension {
                path: path.to_owned(),
                dimension: dimension.to_owned(),
                found: list(catalogue.dimensions.iter().map(|d| d.0.as_str())),
            });
        }
        let axis = catalogue.axis(dimension)?;
        let steps = read_times(&file, &catalogue, axis)?;
        if steps.is_empty() {
            return Err(SourceError::NoSteps {
                path: path.to_owned(),
                dimension: dimension.to_owned(),
            });
        }
        let bounds = axis.words("bounds").next();
        let bounds = match bounds.and_then(|name| catalogue.variable(name)) {
            Some(bounds) if bounds.shape == [steps.len() as u64, 2] => {
                pairs(&read_times(&file, &catalogue, bounds)?)
            }
            _ => Vec::new(),
        };
        Ok(Self {
            catalogue,
            steps,
            bounds,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &PathBuf {
        &self.catalogue.path
    }

    /// The step that does not come after the one before it, if there is one.
    pub(super) fn unsorted(&self) -> Option<usize> {
        (1..self.steps.len()).find(|&i| !self.steps[i].is_after(self.steps[i - 1]))
    }
}

/// Moments two by two; nothing if they are not times.
pub(crate) fn pairs(steps: &[Step]) -> Vec<(Instant, Instant)> {
    let instants: Vec<Instant> = steps.iter().filter_map(|step| step.instant()).collect();
    instants
        .chunks_exact(2)
        .map(|pair| (pair[0], pair[1]))
        .collect()
}

/// All values of a variable of times, such as the axis or its bounds.
fn read_times(
    file: &OpenFile,
    catalogue: &Catalogue,
    variable: &Variable,
) -> Result<Vec<Step>, SourceError> {
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
    let units = time_units(catalogue, &variable.name)?;
    let steps = dtype.numbers(&values).enumerate().map(|(index, number)| {
        if !number.as_f64().is_finite() {
            return Err(SourceError::NoTime {
                path: path.clone(),
                variable: variable.name.clone(),
                index,
                cause: format!("{number} is no finite number"),
            });
        }
        Step::new(number, dtype, units.as_ref()).map_err(|cause| SourceError::NoTime {
            path: path.clone(),
            variable: variable.name.clone(),
            index,
            cause: cause.to_string(),
        })
    });
    steps.collect()
}
