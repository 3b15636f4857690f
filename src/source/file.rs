//! Opening one file of an archive.

use std::path::Path;

use msm_model::{ArchiveError, AxisValues, FileView, Hyperslab, SourceFile, Variable};

use super::error::SourceError;
use super::open::OpenFile;

/// The most steps of a file: hours of two thousand years.
const MAX_STEPS: u64 = 1 << 24;

/// The metadata and the axis of the file at `path`, seen as `view` says, whose dimension is empty if it is a static one.
///
/// # Errors
/// If it cannot be read, or holds nothing that can be sent along that dimension.
pub(crate) fn read_file(path: &Path, view: FileView<'_>) -> Result<SourceFile, SourceError> {
    let file = OpenFile::new(path)?;
    let catalogue = file.catalogue()?;
    SourceFile::new(catalogue, view, |name, variable| {
        read_numbers(&file, name, variable)
    })
}

/// All values of a variable of numbers that is called `name` in the file, such as the axis or its bounds.
fn read_numbers(
    file: &OpenFile,
    name: &str,
    variable: &Variable,
) -> Result<AxisValues, SourceError> {
    let path = &file.path;
    let dtype = variable.dtype(path)?;
    if dtype.is_text() {
        return Err(ArchiveError::Unsupported {
            path: path.clone(),
            variable: name.to_owned(),
            problem: "holds texts; steps must be numbers".to_owned(),
        }
        .into());
    }
    if variable.shape.iter().any(|&steps| steps > MAX_STEPS) {
        return Err(ArchiveError::Unsupported {
            path: path.clone(),
            variable: name.to_owned(),
            problem: format!(
                "has shape {:?}; expected at most {MAX_STEPS} steps",
                variable.shape
            ),
        }
        .into());
    }
    let whole = Hyperslab {
        start: vec![0; variable.shape.len()],
        count: variable.shape.clone(),
    };
    let values = file.read_whole(name, dtype.size(), &whole, false)?;
    Ok((dtype, dtype.numbers(&values).collect()))
}
