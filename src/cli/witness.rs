//! What has become of stores while a command worked, as its events told: what reports leave out, and errors do not know.
//!
//! Key type: [`Witness`].

use serde::Serialize;

use crate::events::{Event, Outcome, TransactionIdentity, Truncation};

/// What was heard of the stores, on rank 0.
#[derive(Clone, Debug, Default)]
pub(super) struct Witness {
    /// Transactions of this command that were committed.
    pub committed: u64,
    /// What dead jobs had left and is brought to its end: of which store, and how.
    pub healed: Vec<(String, TransactionIdentity, Outcome)>,
    /// Has a store got consolidated metadata?
    pub consolidated: bool,
    /// Transactions that `rollback` has undone.
    pub undone: Vec<UndoneTransaction>,
    /// Stores that `recover` has cut.
    pub truncated: Vec<Truncation>,
    /// Has a delete been looked at, and begun?
    pub is_deleting: bool,
}

/// A transaction that `rollback` has undone.
#[derive(Clone, Debug, Serialize)]
pub(super) struct UndoneTransaction {
    store: String,
    id: String,
    /// `None` if it had created the store, which is gone then.
    command: Option<String>,
}

impl Witness {
    /// Hears of `event`.
    pub(super) fn hear(&mut self, event: &Event) {
        match event {
            Event::Committed { .. } => self.committed += 1,
            Event::Healed {
                store,
                transaction,
                outcome,
            } => self
                .healed
                .push((store.clone(), transaction.clone(), *outcome)),
            Event::Consolidated { .. } => self.consolidated = true,
            Event::Undone { store, id, command } => self.undone.push(UndoneTransaction {
                store: store.clone(),
                id: id.clone(),
                command: command.as_deref().map(|command| {
                    let undone = command.strip_prefix("rollback of the ");
                    undone.unwrap_or(command).to_owned()
                }),
            }),
            Event::Truncated(cut) => self.truncated.push(cut.clone()),
            _ => {}
        }
    }
}
