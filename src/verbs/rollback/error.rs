//! Why a transaction is not undone.

use serde::{Deserialize, Serialize};

use crate::commit::{CleanupError, DamagedCopies};

/// What a rollback finds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum RollbackError {
    #[error("store '{store}': its ledger knows of no transaction; nothing was changed")]
    NoTransaction { store: String },
    #[error(
        "there are no {asked} commands to undo, but {found}; nothing was changed; history lists them"
    )]
    FewerCommands { asked: usize, found: usize },
    #[error("no command has the id '{id}'; nothing was changed; history lists them")]
    NoCommand { id: String },
    #[error(
        "store '{store}': its transaction {id} is of a command that came before another one in one store and after it in another, so \
         nothing tells which was the last; nothing was changed; name the stores one by one with -v"
    )]
    NoOrder { store: String, id: String },
    #[error(
        "store '{store}': what its transaction {id} replaced is not kept: its --keep-undo was too small, or it was a rechunk --replace; nothing was changed"
    )]
    NotKept { store: String, id: String },
    #[error(
        "store '{store}': its transaction {id} is of '{key}' too, which is not in the group '{group}'; to undo that, name the \
         whole store: --store {store}; nothing was changed"
    )]
    BesideGroup {
        store: String,
        id: String,
        key: String,
        group: String,
    },
    #[error(
        "store '{store}': {root} is not as its transaction {id} left it: another program has changed it since, or it is \
         damaged; put it back as it was, or delete the store; nothing was changed"
    )]
    Changed {
        store: String,
        id: String,
        root: String,
    },
    #[error(
        "store '{store}': what its transaction {id} replaced cannot be put back, for its copies in the ledger are damaged; \
         nothing was changed; send the old values again with update, or leave the store as it is:\n  {copies}"
    )]
    Damaged {
        store: String,
        id: String,
        copies: DamagedCopies,
    },
    #[error("store '{store}': undoing {id} failed; recover goes on with it:\n  {cause}")]
    NotUndone {
        store: String,
        id: String,
        cause: CleanupError,
    },
}
