//! What can be wrong with an archive, as data; each error names the file.
//!
//! Key type: [`ArchiveError`].

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::time::TimeError;

/// What is wrong with an archive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum ArchiveError {
    #[error("{path}: has no dimension '{dimension}'; it has {found}; name the append dimension with --append_dim, or send a file without time, such as a mesh mask, with --static", path = path.display())]
    NoAppendDimension {
        #[serde(with = "crate::names::one")]
        path: PathBuf,
        dimension: String,
        found: String,
    },
    #[error("{path}: dimension '{dimension}' has neither a coordinate variable nor another one with time units, so its steps cannot be told apart; add one, or send the file as it is, with nothing to append to, with --static", path = path.display())]
    NoAppendCoordinate {
        #[serde(with = "crate::names::one")]
        path: PathBuf,
        dimension: String,
    },
    #[error("{path}: is one of {total} pieces that the model wrote, one a processor (its attribute DOMAIN_number_total says so); join them with NEMO's rebuild_nemo and send the whole, or, if this is the whole, delete the attribute: ncatted -h -a DOMAIN_number_total,global,d,, {path}", path = path.display())]
    Piece {
        #[serde(with = "crate::names::one")]
        path: PathBuf,
        total: String,
    },
    #[error("{path}: dimension '{dimension}' has no steps; send a file without time, such as a bathymetry, with --static", path = path.display())]
    NoSteps {
        #[serde(with = "crate::names::one")]
        path: PathBuf,
        dimension: String,
    },
    #[error("{path}: step {index} of '{variable}' is {found}, not after the one before it ({before}); the steps must increase", path = path.display())]
    StepsNotIncreasing {
        #[serde(with = "crate::names::one")]
        path: PathBuf,
        variable: String,
        index: usize,
        found: String,
        before: String,
    },
    #[error("{path}: has no variable '{variable}'; it has {found}", path = path.display())]
    UnknownVariable {
        #[serde(with = "crate::names::one")]
        path: PathBuf,
        variable: String,
        found: String,
    },
    #[error("{path}: has no data variable to send; left out are {left_out}; name those to send with -v, or take them out of that attribute with ncatted", path = path.display())]
    NoData {
        #[serde(with = "crate::names::one")]
        path: PathBuf,
        left_out: String,
    },
    #[error("{path}: variable '{variable}' {problem}", path = path.display())]
    Unsupported {
        #[serde(with = "crate::names::one")]
        path: PathBuf,
        variable: String,
        problem: String,
    },
    #[error("{path}: variable '{variable}' has the value {value} at {position:?}, which is data there, but stands for missing data in the store; send it to a store of its own, with --prefix, or set that value to another one", path = path.display())]
    Masked {
        #[serde(with = "crate::names::one")]
        path: PathBuf,
        variable: String,
        value: String,
        position: Vec<u64>,
    },
    #[error("{path}: {problem}; {other} differs; send files of different grids or contents separately", path = path.display(), other = other.display())]
    Mismatch {
        #[serde(with = "crate::names::one")]
        path: PathBuf,
        #[serde(with = "crate::names::one")]
        other: PathBuf,
        problem: String,
    },
    #[error("{path}: its steps {first} to {last} of '{variable}' overlap those of {other}, which end at {end}", path = path.display(), other = other.display())]
    Overlap {
        #[serde(with = "crate::names::one")]
        path: PathBuf,
        #[serde(with = "crate::names::one")]
        other: PathBuf,
        variable: String,
        first: String,
        last: String,
        end: String,
    },
    #[error("{path}: variable '{variable}', value {index}: {cause}", path = path.display())]
    NoTime {
        #[serde(with = "crate::names::one")]
        path: PathBuf,
        variable: String,
        index: usize,
        cause: String,
    },
    #[error("{path}: has one step, and nothing tells whether '{coordinate}', whose units are none of time, or '{time}' tells steps apart; send files of other steps with it, give '{time}' the standard_name of a time: ncatted -a standard_name,{time},o,c,time {path}, or make its times those of the store with --time-from {time}", path = path.display())]
    OneStep {
        #[serde(with = "crate::names::one")]
        path: PathBuf,
        coordinate: String,
        time: String,
    },
    #[error("{}, line {line}: {problem}; nothing was written", recipe.display())]
    Recipe {
        #[serde(with = "crate::names::one")]
        recipe: PathBuf,
        line: u32,
        problem: String,
    },
    #[error("{path}: variable '{variable}' has the value {value} at {position:?}, which by the recipe {problem}", path = path.display())]
    Unconvertible {
        #[serde(with = "crate::names::one")]
        path: PathBuf,
        variable: String,
        value: String,
        position: Vec<u64>,
        problem: String,
    },
    #[error(transparent)]
    Units(#[from] TimeError),
    #[error("{path}: begins at {begin}, {other} ends at {end}, and no file covers what is between; give the file that is missing, or --allow-gaps", path = path.display(), other = other.display())]
    Gap {
        #[serde(with = "crate::names::one")]
        path: PathBuf,
        #[serde(with = "crate::names::one")]
        other: PathBuf,
        begin: String,
        end: String,
    },
    #[error("{path}: '{variable}' does not tell the steps of these files apart, '{time}' does: give --time-from {time}, and its times are those of the store's '{dimension}'", path = path.display())]
    OtherTime {
        #[serde(with = "crate::names::one")]
        path: PathBuf,
        variable: String,
        time: String,
        dimension: String,
    },
    #[error("{path}: step {step} of '{variable}' is in {other} too", path = path.display(), other = other.display())]
    Repeated {
        #[serde(with = "crate::names::one")]
        path: PathBuf,
        #[serde(with = "crate::names::one")]
        other: PathBuf,
        variable: String,
        step: String,
    },
}

/// The `names` that there are, as a list for a message to whoever gave another: with that which was meant, as far as can be told.
pub fn choices<'a>(given: &str, names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    let meant = meant(given, names.iter().copied());
    format!("{}{meant}", list(names.into_iter()))
}

/// A question for whoever gave a name that is none of these, but nearly one, all but a third of its letters; empty if it is not.
pub fn meant<'a>(given: &str, names: impl Iterator<Item = &'a str>) -> String {
    let given = given.to_lowercase();
    let far = |name: &str| strsim::damerau_levenshtein(&name.to_lowercase(), &given);
    let near = names.map(|name| (far(name), name)).min();
    let near = near.filter(|(far, _)| far * 3 <= given.chars().count());
    near.map_or_else(String::new, |(_, name)| {
        format!(" (did you mean '{name}'?)")
    })
}

/// Names as a list for a message.
pub fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("'{name}'")).collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join(", ")
    }
}
