//! What can be wrong with source files; each error names the file.

use std::path::PathBuf;

use super::time::TimeError;
use crate::exit::{Exit, Failure};

/// What is wrong with the source.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs)]
pub enum SourceError {
    #[error("{path}: cannot be read: {cause}; check the path and its permissions", path = path.display())]
    Missing {
        path: PathBuf,
        cause: std::io::Error,
    },
    #[error("{path}: {problem}", path = path.display())]
    NoFiles { path: PathBuf, problem: String },
    #[error("{path}: is not a whole NetCDF file ({cause}); it may be truncated: copy it again and check it with ncdump -h", path = path.display())]
    Broken { path: PathBuf, cause: String },
    #[error("{path}: cannot be written: {cause}", path = path.display())]
    Unwritable { path: PathBuf, cause: String },
    #[error("{path}: is truncated: its header describes {expected} bytes, the file has {found}; copy it again", path = path.display())]
    Truncated {
        path: PathBuf,
        expected: u64,
        found: u64,
    },
    #[error("{path}: has no dimension '{dimension}'; it has {found}; name the append dimension with --append_dim, or send a file without time, such as a mesh mask, with --static", path = path.display())]
    NoAppendDimension {
        path: PathBuf,
        dimension: String,
        found: String,
    },
    #[error("{path}: dimension '{dimension}' has neither a coordinate variable nor another one with time units, so its steps cannot be told apart; add one, or send the file as it is, with nothing to append to, with --static", path = path.display())]
    NoAppendCoordinate { path: PathBuf, dimension: String },
    #[error("{path}: is one of {total} pieces that the model wrote, one a processor (its attribute DOMAIN_number_total says so); join them with NEMO's rebuild_nemo and send the whole, or, if this is the whole, delete the attribute: ncatted -h -a DOMAIN_number_total,global,d,, {path}", path = path.display())]
    Piece { path: PathBuf, total: String },
    #[error("{path}: dimension '{dimension}' has no steps; send a file without time, such as a bathymetry, with --static", path = path.display())]
    NoSteps { path: PathBuf, dimension: String },
    #[error("{path}: step {index} of '{variable}' is {found}, not after the one before it ({before}); the steps must increase", path = path.display())]
    StepsNotIncreasing {
        path: PathBuf,
        variable: String,
        index: usize,
        found: String,
        before: String,
    },
    #[error("{path}: has no variable '{variable}'; it has {found}", path = path.display())]
    UnknownVariable {
        path: PathBuf,
        variable: String,
        found: String,
    },
    #[error("{path}: has no data variable to send; left out are {left_out}; name those to send with -v, or take them out of that attribute with ncatted", path = path.display())]
    NoData { path: PathBuf, left_out: String },
    #[error("{path}: variable '{variable}' {problem}", path = path.display())]
    Unsupported {
        path: PathBuf,
        variable: String,
        problem: String,
    },
    #[error("{path}: variable '{variable}' has the value {value} at {position:?}, which is data there, but stands for missing data in the store; send it to a store of its own, with --prefix, or set that value to another one", path = path.display())]
    Masked {
        path: PathBuf,
        variable: String,
        value: String,
        position: Vec<u64>,
    },
    #[error("{path}: has the groups {groups}, and variables in groups cannot be sent; flatten the file with ncks -G : {path} flat.nc", path = path.display())]
    Groups { path: PathBuf, groups: String },
    #[error("{path}: {problem}; {other} differs; send files of different grids or contents separately", path = path.display(), other = other.display())]
    Mismatch {
        path: PathBuf,
        other: PathBuf,
        problem: String,
    },
    #[error("{path}: its steps {first} to {last} of '{variable}' overlap those of {other}, which end at {end}", path = path.display(), other = other.display())]
    Overlap {
        path: PathBuf,
        other: PathBuf,
        variable: String,
        first: String,
        last: String,
        end: String,
    },
    #[error("{path}: variable '{variable}', value {index}: {cause}", path = path.display())]
    NoTime {
        path: PathBuf,
        variable: String,
        index: usize,
        cause: String,
    },
    #[error("{path}: has one step, and nothing tells whether '{coordinate}', whose units are none of time, or '{time}' tells steps apart; send files of other steps with it, or give '{time}' the standard_name of a time: ncatted -a standard_name,{time},o,c,time {path}", path = path.display())]
    OneStep {
        path: PathBuf,
        coordinate: String,
        time: String,
    },
    #[error(transparent)]
    Units(#[from] TimeError),
    #[error("{path}: begins at {begin}, {other} ends at {end}, and no file covers what is between; give the file that is missing, or --allow-gaps", path = path.display(), other = other.display())]
    Gap {
        path: PathBuf,
        other: PathBuf,
        begin: String,
        end: String,
    },
    #[error("{path}: step {step} of '{variable}' is in {other} too", path = path.display(), other = other.display())]
    Repeated {
        path: PathBuf,
        other: PathBuf,
        variable: String,
        step: String,
    },
    #[error("{path}: variable '{variable}': cannot read start {start:?} count {count:?}: {cause}", path = path.display())]
    Read {
        path: PathBuf,
        variable: String,
        start: Vec<u64>,
        count: Vec<u64>,
        cause: String,
    },
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let exit = match &error {
            SourceError::Missing { .. } => Exit::SourceMissing,
            SourceError::NoFiles { .. } => Exit::NoSourceFiles,
            SourceError::Unwritable { .. } => Exit::NotReprojected,
            SourceError::Broken { .. }
            | SourceError::Truncated { .. }
            | SourceError::Read { .. } => Exit::SourceBroken,
            SourceError::NoAppendDimension { .. }
            | SourceError::NoAppendCoordinate { .. }
            | SourceError::NoSteps { .. } => Exit::NoAppendDimension,
            SourceError::UnknownVariable { .. } | SourceError::NoData { .. } => {
                Exit::UnknownVariable
            }
            SourceError::Unsupported { .. } | SourceError::Groups { .. } => {
                Exit::UnsupportedVariable
            }
            SourceError::Piece { .. }
            | SourceError::StepsNotIncreasing { .. }
            | SourceError::Mismatch { .. }
            | SourceError::Overlap { .. }
            | SourceError::Repeated { .. }
            | SourceError::NoTime { .. }
            | SourceError::OneStep { .. }
            | SourceError::Gap { .. }
            | SourceError::Units(_) => Exit::ArchiveMismatch,
            SourceError::Masked { .. } => Exit::AttributeConflict,
        };
        Self::new(exit, error.to_string())
    }
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
