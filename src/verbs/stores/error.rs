//! Why it cannot be told which stores are meant, or these are none to work with.

use msm_model::list;
use serde::{Deserialize, Serialize};

use crate::events::ReplacedStore;

/// What is wrong with where stores are looked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum StoresError {
    #[error("-v compact: the compact store is PREFIX.zarr; give --prefix")]
    NoPrefix,
    #[error(
        "--prefix '{key}' is the name of a store, and no store is put into another: choose another prefix, or give --store {key} to \
         put all variables into that one"
    )]
    PrefixOfStore { key: String },
    #[error(
        "'{key}': '{part}' is the name of a store or of the folder of ledgers, and no store is put into another; choose another \
         place with --prefix or --store"
    )]
    Within { key: String, part: String },
    #[error(
        "'{key}' is a Zarr array that is in no group: it is no store, and none is put into it; choose another place with --prefix or \
         --store; nothing was written"
    )]
    Array { key: String },
    #[error(
        "{place} is itself a Zarr group with consolidated metadata: no store or ledger is put into it; give the folder above it with \
         -b, and its name with --store; nothing was written"
    )]
    Bucket { place: String },
    #[error(
        "both '{one}' and '{other}' could be the store of {}: say which, with --store {one} or --store {other}; nothing was written",
        variable.as_ref().map_or_else(|| "all variables".to_owned(), |name| format!("'{name}'"))
    )]
    Which {
        one: String,
        other: String,
        /// None means all of them.
        variable: Option<String>,
    },
    #[error(
        "'{variable}' is in two stores: '{own}', its own, and '{compact}', that of all variables; for the one give --store {own} in the \
         place of --prefix, for the other --store {compact}, with -v {variable} only where files are given; nothing was written"
    )]
    InTwo {
        variable: String,
        own: String,
        compact: String,
    },
    #[error(
        "'{group}' is a hierarchy of groups, and does not hold {} itself: choose one of its groups with --prefix: {}; nothing was \
         written",
        list(missing.iter().map(String::as_str)),
        list(groups.iter().map(String::as_str))
    )]
    Hierarchy {
        group: String,
        missing: Vec<String>,
        groups: Vec<String>,
    },
    #[error(
        "'{group}' is a store of all its variables, and no store is put into it; it does not hold {}: to add to it what it does not \
         hold, give -v compact {} --add-variables, to send what it holds, -v with the names of that; or choose another prefix; \
         nothing was written",
        list(missing.iter().map(String::as_str)),
        missing.join(" ")
    )]
    NotAllHeld { group: String, missing: Vec<String> },
    #[error("{place}: store '{group}' does not hold '{variable}'; it has {held}")]
    NotInGroup {
        place: String,
        group: String,
        variable: String,
        held: String,
    },
    #[error(
        "{place}: there is no store '{store}' with '{variable}'; it has {held}; check --store and -v"
    )]
    NotInStore {
        place: String,
        store: String,
        variable: String,
        held: String,
    },
    #[error("{place}: there is no store '{store}'; there {there}; check --prefix and -v")]
    NoStore {
        place: String,
        store: String,
        there: String,
    },
    #[error("{place}: there are no stores")]
    None { place: String },
    #[error("{0}")]
    BeingReplaced(ReplacedStore),
    #[error(
        "{place}: store {} holds none of the files' data variables, so there is nothing to update; check --prefix and the files; nothing \
         was written",
        list(stores.iter().map(String::as_str))
    )]
    NothingHeld { place: String, stores: Vec<String> },
    #[error(
        "{place}: there is no store {} to update; send the files first, or check --prefix and -v; nothing was written",
        list(stores.iter().map(String::as_str))
    )]
    NoneToUpdate { place: String, stores: Vec<String> },
}
