//! Rank 0: how a transaction that failed ends.

use crate::commit::{AbortedTransaction, LeaseError, Leases, TransactionError};
use crate::events::Event;
use crate::exit::{Exit, Failure};
use crate::session::Session;

/// Why it was not committed. A server that cannot say whether a lease holds is no other job.
pub(in crate::verbs) fn committing(error: TransactionError) -> Failure {
    match error {
        TransactionError::Lease(lost @ LeaseError::Lost { .. }) => lost.into(),
        other => Failure::new(Exit::TransferFailed, format!("committing: {other}")),
    }
}

/// Puts back what was touched, unless a lease was lost. Returns `failure` with how that went.
pub(in crate::verbs) async fn put_back(
    session: &Session<'_>,
    transaction: AbortedTransaction<'_>,
    leases: &Leases,
    mut failure: Failure,
) -> Failure {
    if let Some(lost) = leases.lost() {
        // Whoever has the lease now sees to what was left.
        return lost.into();
    }
    if failure.exit == Exit::LeaseLost {
        // It was not heard in time that it holds.
        failure.exit = Exit::TransferFailed;
    }
    let undone = transaction.back().await;
    if let Some(lost) = leases.lost() {
        return lost.into();
    }
    match undone {
        Ok(()) => {
            session.tell(&Event::RolledBack);
            failure.message += "; rolled back, nothing has changed";
        }
        Err(error) => {
            failure.exit = Exit::RollbackIncomplete;
            failure.message +=
                "; putting everything back failed as well; recover goes on with it:\n  ";
            failure.message += &error.to_string();
        }
    }
    failure
}
