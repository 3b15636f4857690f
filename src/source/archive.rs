//! Source files joined along the append dimension: sorted, overlap-checked, alike.
//!
//! Key types: [`Archive`], [`SourceFile`].

use std::path::{Path, PathBuf};

use super::attribute::Attribute;
use super::catalogue::{Catalogue, open};
use super::dtype::Number;
use super::error::SourceError;
use super::text::widen;

/// Attributes that say what raw values mean: where they differ, the same bytes mean different things.
pub const MEANING: [&str; 8] = [
    "_FillValue",
    "missing_value",
    "scale_factor",
    "add_offset",
    "_Unsigned",
    "units",
    "calendar",
    "positive",
];

/// One file of an archive.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// What it holds.
    pub catalogue: Catalogue,
    /// The values of the archive's axis, one a step, increasing.
    pub steps: Vec<Number>,
}

/// Source files in the order of their steps.
#[derive(Clone, Debug)]
pub struct Archive {
    /// The files; never empty, none without steps.
    pub files: Vec<SourceFile>,
    /// The dimension along which they are joined.
    pub append_dimension: String,
    /// The variable whose values tell the steps apart.
    pub axis: String,
}

impl Archive {
    /// Reads the metadata and the axis of each file, and puts the files in order.
    ///
    /// The axis is the coordinate of the append dimension; or, where that has no time units, the variable that has
    /// them: some XIOS versions write a `time_counter` of zeros and the times into `time_centered`.
    ///
    /// # Errors
    /// If a file cannot be read, lacks the append dimension or an axis, or overlaps another.
    pub fn open(paths: &[PathBuf], append_dimension: &str) -> Result<Self, SourceError> {
        let mut files = Vec::new();
        for path in paths {
            files.push(SourceFile::open(path, append_dimension)?);
        }
        widen(&mut files);
        files.sort_by(|a, b| a.steps[0].as_f64().total_cmp(&b.steps[0].as_f64()));
        let axis = files[0].catalogue.axis(append_dimension)?.name.clone();
        let archive = Self {
            files,
            append_dimension: append_dimension.to_owned(),
            axis,
        };
        archive.check_members(std::slice::from_ref(&archive.axis))?;
        for pair in archive.files.windows(2) {
            let (before, after) = (&pair[0], &pair[1]);
            let end = before.steps[before.steps.len() - 1];
            if !after.steps[0].is_after(end) {
                return Err(SourceError::Overlap {
                    path: after.catalogue.path.clone(),
                    other: before.catalogue.path.clone(),
                    first: after.steps[0].to_string(),
                    last: after.steps[after.steps.len() - 1].to_string(),
                    end: end.to_string(),
                });
            }
        }
        Ok(archive)
    }

    /// What the first file holds; the others are checked against it.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.files[0].catalogue
    }

    /// The axis' values over all files.
    #[must_use]
    pub fn steps(&self) -> Vec<Number> {
        self.files
            .iter()
            .flat_map(|f| f.steps.iter().copied())
            .collect()
    }

    /// Checks that every file holds the variables `members` with the dimensions, sizes, types and meaning they have
    /// in the first one. Sizes along the append dimension may differ.
    ///
    /// # Errors
    /// The first difference.
    pub fn check_members(&self, members: &[String]) -> Result<(), SourceError> {
        for file in &self.files[1..] {
            for name in members {
                self.check_member(&file.catalogue, name)?;
            }
        }
        Ok(())
    }

    fn check_member(&self, catalogue: &Catalogue, name: &str) -> Result<(), SourceError> {
        let first = self.catalogue();
        let differ = |problem: String| SourceError::Mismatch {
            path: catalogue.path.clone(),
            other: first.path.clone(),
            problem,
        };
        let Some(expected) = first.variable(name) else {
            return Ok(());
        };
        let Some(found) = catalogue.variable(name) else {
            return Err(differ(format!("variable '{name}' is missing")));
        };
        if found.kind != expected.kind {
            return Err(differ(format!(
                "variable '{name}' has type {:?}, expected {:?}",
                found.kind, expected.kind
            )));
        }
        let shapes = found.dimensions == expected.dimensions
            && (0..found.shape.len()).all(|d| {
                found.dimensions[d] == self.append_dimension || found.shape[d] == expected.shape[d]
            });
        if !shapes {
            return Err(differ(format!(
                "variable '{name}' has dimensions {:?} of sizes {:?}, expected {:?} of {:?}",
                found.dimensions, found.shape, expected.dimensions, expected.shape
            )));
        }
        for attribute in MEANING {
            let (found, expected) = (found.attribute(attribute), expected.attribute(attribute));
            if !same(found, expected) {
                return Err(differ(format!(
                    "variable '{name}' has {attribute} {}, expected {}",
                    shown(found),
                    shown(expected)
                )));
            }
        }
        Ok(())
    }
}

/// Are two attributes equal? NaN equals NaN here.
fn same(a: Option<&Attribute>, b: Option<&Attribute>) -> bool {
    a.map(Attribute::to_json) == b.map(Attribute::to_json)
}

fn shown(attribute: Option<&Attribute>) -> String {
    attribute.map_or_else(|| "none".to_owned(), |a| a.to_json().to_string())
}

impl SourceFile {
    fn open(path: &Path, dimension: &str) -> Result<Self, SourceError> {
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
        let finite = |index: usize| steps[index].as_f64().is_finite();
        let bad =
            (0..steps.len()).find(|&i| !finite(i) || (i > 0 && !steps[i].is_after(steps[i - 1])));
        if let Some(index) = bad {
            return Err(SourceError::StepsNotIncreasing {
                path: path.to_owned(),
                dimension: dimension.to_owned(),
                index,
                found: steps[index].to_string(),
                before: index
                    .checked_sub(1)
                    .map_or_else(|| "nothing".to_owned(), |i| steps[i].to_string()),
            });
        }
        Ok(Self { catalogue, steps })
    }
}

fn read_steps(
    file: &netcdf::File,
    catalogue: &Catalogue,
    dimension: &str,
) -> Result<Vec<Number>, SourceError> {
    let path = &catalogue.path;
    let axis = catalogue.axis(dimension)?;
    let dtype = axis.dtype(path)?;
    if dtype.is_text() {
        return Err(SourceError::Unsupported {
            path: path.clone(),
            variable: axis.name.clone(),
            problem: format!("holds texts; the steps of '{dimension}' must be numbers"),
        });
    }
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
    Ok(dtype.numbers(&values).collect())
}

/// Names as a list for a message.
pub(crate) fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("'{name}'")).collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
