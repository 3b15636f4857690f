//! Why stores are not copied.

use std::path::PathBuf;

use msm_model::{are, counted};
use serde::{Deserialize, Serialize};

use crate::commit::CleanupError;
use crate::store::StoreError;

/// What a copy finds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum CopyError {
    #[error("--to: '{to}' is where the stores are; give another place; nothing was changed")]
    SamePlace { to: String },
    #[error(
        "--to: '{to}' would lie in '{within}', or that in it; give a place beside it; nothing was changed"
    )]
    Within { to: String, within: String },
    #[error(
        "--to-bucket: of {bucket} and {to}, one is in the other: name the one that both are in with -b, and the place in it with --to; nothing \
         was changed"
    )]
    Nested { bucket: String, to: String },
    #[error(
        "'{group}' is a group of a hierarchy, which is copied as a whole: name the store with --store {store}; nothing was changed"
    )]
    Group { group: String, store: String },
    #[error(
        "store '{store}': '{to}' is there already, and is not the same; give another place, or delete that first; nothing was changed"
    )]
    Taken { store: String, to: String },
    #[error(
        "store '{store}': {} in it {} not of the store ('{first}'), and would be left behind; move these away, or copy the \
         store and delete it with --force; nothing was changed",
        counted(count, "objects"),
        are(count)
    )]
    Foreign {
        store: String,
        count: u64,
        first: String,
    },
    #[error(
        "store '{store}': {} is a symbolic link, and what it leads to would be deleted; copy the store, or move what the link leads to; nothing \
         was changed",
        link.display()
    )]
    Link {
        store: String,
        #[serde(with = "msm_model::names::one")]
        link: PathBuf,
    },
    #[error(
        "-v '{name}' is in '{store}', the store of all variables, and has no store of its own: to copy that store, give -v compact; nothing \
         was changed"
    )]
    InCompact { name: String, store: String },
    #[error(
        "--to: '{to}' is below '{prefix}', where the stores are, and the same command again would copy the copies: name the variables with -v, \
         or give another place; nothing was changed"
    )]
    Below { to: String, prefix: String },
    #[error("store '{store}': it has no root document, so it is none; nothing was changed")]
    NoRoot { store: String },
    #[error(
        "store '{store}': another program has changed it while it was copied; try again when that has ended"
    )]
    Changed { store: String },
    #[error(
        "store '{store}': another program has changed it since it was copied; the copies are whole, and no store was deleted; delete the copies, \
         and move the stores when that has ended"
    )]
    ChangedSince { store: String },
    #[error(
        "the copies are whole, and the stores are still where they were: {cause}; the same command again goes on"
    )]
    StillThere { cause: StoreError },
    #[error("the copy '{key}' is not like '{from}'")]
    Unlike { key: String, from: String },
    #[error("stopped while stores were copied")]
    Stopped,
    #[error(
        "the copies are whole, but their journals could not all be told so, and whoever comes next removes them; the same command again \
         makes them anew:\n  {0}"
    )]
    NotEnded(CleanupError),
    #[error(
        "the stores are copied, and these could not all be removed; recover goes on with it:\n  {0}"
    )]
    NotAllGone(CleanupError),
}
