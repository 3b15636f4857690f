//! Rank 0: how a transaction that failed ends.

use crate::commit::{AbortedTransaction, CommitError, LeaseError, Leases};
use crate::exit::{Exit, Failure};

/// Why it was not committed.
pub(in crate::verbs) fn committing(error: CommitError) -> Failure {
    match error {
        CommitError::Lease(lost @ LeaseError::Lost { .. }) => lost.into(),
        // A server that cannot say is no other job.
        CommitError::Lease(error) => {
            Failure::new(Exit::TransferFailed, format!("committing: {error}"))
        }
        CommitError::Store(error) => {
            Failure::new(Exit::TransferFailed, format!("committing: {error}"))
        }
    }
}

/// Puts back what was touched, unless a lease was lost. Returns `failure` with how that went.
pub(in crate::verbs) async fn put_back(
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
        Ok(()) => failure.message += "; rolled back, nothing has changed",
        Err(error) => {
            failure.exit = Exit::RollbackIncomplete;
            failure.message +=
                "; putting everything back failed as well; recover goes on with it:\n  ";
            failure.message += &error.to_string();
        }
    }
    failure
}
