//! Rank 0: how a transaction that failed ends.

use crate::commit::{AbortedTransaction, LeaseError, Leases, TransactionError};
use crate::error::Error;
use crate::events::{Event, WorkKind};
use crate::session::Session;
use crate::verbs::shared::error::{TransactionStep, WritingError};

/// Why it was not committed. A server that cannot say whether a lease holds is no other job.
pub(in crate::verbs) fn committing(error: TransactionError) -> Error {
    match error {
        TransactionError::Lease(lost @ LeaseError::Lost { .. }) => lost.into(),
        cause => WritingError::Transaction {
            step: TransactionStep::Committing,
            cause,
        }
        .into(),
    }
}

/// Puts back what was touched, unless a lease was lost. Returns `failure` with how that went.
pub(in crate::verbs) async fn put_back(
    session: &Session<'_>,
    transaction: AbortedTransaction<'_>,
    leases: &Leases,
    failure: Error,
) -> Error {
    if let Some(lost) = leases.lost() {
        // Whoever has the lease now sees to what was left.
        return lost.into();
    }
    let shown = session.work_unmeasured(WorkKind::PuttingBack);
    let undone = transaction.back().await;
    drop(shown);
    if let Some(lost) = leases.lost() {
        return lost.into();
    }
    let cause = Box::new(failure);
    match undone {
        Ok(()) => {
            session.tell(&Event::RolledBack);
            Error::RolledBack { cause }
        }
        Err(left) => Error::NotRolledBack { cause, left },
    }
}
