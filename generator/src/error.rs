//! What can go wrong: a word that does not parse, a [`Spec`](crate::Spec) that contradicts itself, or
//! a file that cannot be written.

use std::path::PathBuf;

/// The errors of this crate; messages read well after "failed to write the file: ".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A word given for a grid, frequency, date, … is not one.
    #[error("{given:?} is not a {what}: expected {expected}")]
    Parse {
        what: &'static str,
        given: String,
        expected: &'static str,
    },
    /// The parts of a spec do not fit together.
    #[error("the spec cannot be written: {0}")]
    Spec(String),
    /// The NetCDF library refused something.
    #[error("{}: cannot write {item}: {source}", path.display())]
    Netcdf {
        path: PathBuf,
        item: String,
        source: netcdf::Error,
    },
}

impl Error {
    pub(crate) fn parse(what: &'static str, given: &str, expected: &'static str) -> Self {
        Self::Parse {
            what,
            given: given.to_owned(),
            expected,
        }
    }
}
