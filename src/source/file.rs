//! One file of an archive: what it holds, and its steps.
//!
//! Key type: [`SourceFile`].

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::catalogue::{Catalogue, open};
use super::error::{SourceError, list};
use super::step::Step;

/// One file of an archive.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SourceFile {
    /// What it holds.
    pub catalogue: Catalogue,
    /// The values of its axis, one a step; never empty.
    pub steps: Vec<Step>,
}

impl SourceFile {
    /// Reads the metadata and the axis of the file at `path`.
    ///
    /// # Errors
    /// If it cannot be read, lacks the append `dimension`, an axis or any step, or a step is no finite number.
    pub fn open(path: &Path, dimension: &str) -> Result<Self, SourceError> {
        let file = open(path)?;
        let catalogue = Catalogue::of(&file, path)?;
        if catalogue.dimension(dimension).is_none() {
            return Err(SourceError::NoAppendDimension {
                path: path.to_owned(),
                dimension: dimension.to_owned(),
                found: list(catalogue.dimensions.iter().map(|d| d.0.as_str())),
            });
        }
        let steps = read_steps(&file, &catalogue, dimension)?;
        if steps.is_empty() {
            return Err(SourceError::NoSteps {
                path: path.to_owned(),
                dimension: dimension.to_owned(),
            });
        }
        Ok(Self { catalogue, steps })
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

fn read_steps(
    file: &netcdf::File,
    catalogue: &Catalogue,
    dimension: &str,
) -> Result<Vec<Step>, SourceError> {
    let path = &catalogue.path;
    let axis = catalogue.axis(dimension)?;
    let dtype = axis.number_type(path)?;
    let values = file
        .variable(&axis.name)
        .ok_or(netcdf::Error::NotFound(axis.name.clone()))
        .and_then(|variable| variable.get_raw_values(..))
        .map_err(|cause| SourceError::Read {
            path: path.clone(),
            variable: axis.name.clone(),
            start: vec![0],
            count: axis.shape.clone(),
            cause: cause.to_string(),
        })?;
    let numbers = dtype.numbers(&values).enumerate();
    numbers
        .map(|(index, number)| {
            if number.as_f64().is_finite() {
                return Ok(Step(number));
            }
            Err(SourceError::StepsNotIncreasing {
                path: path.clone(),
                dimension: dimension.to_owned(),
                index,
                found: number.to_string(),
                before: "nothing".to_owned(),
            })
        })
        .collect()
}
