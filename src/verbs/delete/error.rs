//! Why nothing is deleted, or not all.

use std::path::PathBuf;

use msm_model::{are, choices, counted, meant};
use serde::{Deserialize, Serialize};

use crate::commit::CleanupError;

/// Names shown in a message.
pub(super) const SHOWN: usize = 5;

/// What a delete finds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum DeleteError {
    #[error("-v '{name}': expected a variable's name")]
    Name { name: String },
    #[error(
        "-v '{name}' names a store of that variable alone, and '{store}' is one of all its variables: to delete it, give --store \
         {store}, to remove one array from it, --array {name}; nothing was deleted"
    )]
    OfAllVariables { name: String, store: String },
    #[error(
        "-v '{name}': '{group}' is a group of all its variables: to delete it, give --store {group} without -v, to remove one array \
         from it, --array {name}; nothing was deleted"
    )]
    GroupOfAllVariables { name: String, group: String },
    #[error(
        "'{name}' is in '{store}', the store of all variables, and has no store of its own: to delete that store, give -v compact, to \
         remove the array alone, --array {name}; nothing was deleted"
    )]
    InCompact { name: String, store: String },
    #[error(
        "--array: '{group}' is a group of the hierarchy '{store}', from which single arrays cannot be removed; nothing was deleted"
    )]
    ArrayOfGroup { group: String, store: String },
    #[error(
        "--time: '{group}' is a group of the hierarchy '{store}', from which single steps cannot be removed; nothing was deleted"
    )]
    StepsOfGroup { group: String, store: String },
    #[error(
        "--time '{text}': {cause}; expected FROM.., FROM..TO or ..TO, as 1978.., 1978-03..1978-05 or 1978-03-16T12:00..; nothing was \
         deleted"
    )]
    Time { text: String, cause: String },
    #[error(
        "--time: no store there has steps along '{dimension}'; name the dimension with -a; they have {}; nothing was deleted",
        choices(dimension, found.iter().map(String::as_str))
    )]
    NoTimes {
        dimension: String,
        found: Vec<String>,
    },
    #[error(
        "--time: the steps of '{store}' along '{dimension}' are no times, so nothing tells which of them are meant; nothing was deleted"
    )]
    NotTimed { store: String, dimension: String },
    #[error(
        "--time '{range}': there are no such steps, '{store}' has those of {held}; nothing was deleted"
    )]
    NoSteps {
        range: String,
        store: String,
        held: String,
    },
    #[error(
        "--time '{range}': all steps of '{store}' are of that time; to delete the store, leave --time out; nothing was deleted"
    )]
    AllSteps { store: String, range: String },
    #[error(
        "'{key}' is an Icechunk repository, which this program leaves as it is; nothing was deleted; delete stores by their names, or \
         a prefix that it does not lie in"
    )]
    Repository { key: String },
    #[error(
        "{} is a symbolic link to {}, behind which nothing is deleted; nothing was deleted; remove the link, or delete what it leads \
         to with -b file://{}",
        path.display(),
        to.display(),
        to.display()
    )]
    Link {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        #[serde(with = "msm_model::names::one")]
        to: PathBuf,
    },
    #[error(
        "{} is a symbolic link, behind which nothing is deleted; nothing was deleted; remove the link",
        path.display()
    )]
    GroupLink {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
    },
    #[error(
        "{} {} not this program's: {}; nothing was deleted; move them away, or delete them too with --force",
        counted(objects, "objects"),
        are(objects),
        shown(first, *objects)
    )]
    Foreign { objects: u64, first: Vec<String> },
    #[error(
        "objects that are not this program's lie in it, such as '{key}'; nothing was deleted; move them away, or delete them too with \
         --force"
    )]
    ForeignInGroup { key: String },
    #[error("{place}: there is nothing to delete")]
    Nothing { place: String },
    #[error("{place}: there are no stores; nothing was deleted")]
    NoStores { place: String },
    #[error(
        "{place}: there is no store {}; {}; nothing was deleted",
        shown(missing, missing.len() as u64),
        match there.len() {
            0 => "there are no stores".to_owned(),
            n => {
                let name = |store: &String| store.rsplit('/').next().unwrap_or(store).to_owned();
                let names: Vec<String> = there.iter().map(name).collect();
                let nearly = |store: &String| {
                    let name = name(store).trim_end_matches(".zarr").to_owned();
                    meant(&name, names.iter().map(|name| name.trim_end_matches(".zarr")))
                };
                let nearly: String = missing.iter().map(nearly).collect();
                format!("there are {}{nearly}", shown(there, n as u64))
            }
        }
    )]
    NoStore {
        place: String,
        missing: Vec<String>,
        there: Vec<String>,
    },
    #[error("{0}")]
    Incomplete(CleanupError),
    #[error("{0}; the same delete again finishes it")]
    GroupIncomplete(CleanupError),
    #[error("the server still lists objects that it said it deleted, or someone writes there")]
    StillListed,
}

/// The first few of `all` names.
fn shown(names: &[String], all: u64) -> String {
    let first = names.iter().take(SHOWN).map(|name| format!("'{name}'"));
    let first = first.collect::<Vec<_>>().join(", ");
    match all.saturating_sub(SHOWN as u64) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}
