//! Rank 0: a transaction that removes objects of stores, whose leases are held.

use crate::commit::{Opening, Removal, Transaction};
use crate::exit::{Exit, Failure};
use crate::store::{Bucket, StoreError};
use crate::transfer::Verify;
use crate::verbs::shared::hold::Hold;

/// Does what `removals` say, in one transaction of the command `command`; of so many transactions, what they removed is kept.
///
/// # Errors
/// If it fails; then everything is as it was before, or the journal tells what is left to be done.
pub(in crate::verbs) async fn remove(
    bucket: &Bucket,
    removals: &[Removal],
    hold: &Hold,
    command: &str,
    keep_undo: usize,
) -> Result<(), Failure> {
    let opening = Opening {
        command,
        holder: &hold.holder,
        digest: "",
        guarantees: &hold.guarantees,
        keep_undo,
        resumed: Vec::new(),
    };
    let mut transaction = Transaction::removing(bucket, removals, &opening).await?;
    if let Err(failure) = commit(&mut transaction, removals, hold).await {
        return Err(end_badly(&transaction, hold, failure).await);
    }
    let problems = transaction.finish().await;
    if problems.is_empty() {
        return Ok(());
    }
    let message = format!(
        "readers see the store without what was to go, but not all of it is gone; recover goes on with it:\n  {}",
        problems.join("\n  ")
    );
    Err(Failure::new(Exit::DeleteIncomplete, message))
}

/// All that can still go back.
async fn commit(
    transaction: &mut Transaction<'_>,
    removals: &[Removal],
    hold: &Hold,
) -> Result<(), Failure> {
    let during = |what: &'static str| {
        move |error: StoreError| match Failure::from(error) {
            lost if lost.exit == Exit::LeaseLost => lost,
            // What is damaged, or cannot be decoded, was so before.
            damaged if damaged.exit == Exit::ForeignStore => damaged,
            failure => Failure::new(Exit::TransferFailed, format!("{what}: {failure}")),
        }
    };
    let opening = during("opening the transaction");
    transaction.open().await.map_err(opening)?;
    let keeping = during("keeping what goes");
    transaction.save(removals).await.map_err(keeping)?;
    let committing = during("committing");
    hold.leases.check().await?;
    transaction.prepare_removal().await.map_err(&committing)?;
    let documents = transaction.put_documents(Verify::Full).await;
    documents.map_err(&committing)?;
    hold.leases.check().await?;
    let roots = transaction.put_roots(Verify::Full).await;
    roots.map_err(&committing)
}

async fn end_badly(transaction: &Transaction<'_>, hold: &Hold, mut failure: Failure) -> Failure {
    if let Some(lost) = hold.leases.lost() {
        // Whoever has the lease now sees to what was left.
        return lost;
    }
    let problems = transaction.back().await;
    if let Some(lost) = hold.leases.lost() {
        return lost;
    }
    if problems.is_empty() {
        failure.message += "; rolled back, nothing has changed";
    } else {
        failure.exit = Exit::RollbackIncomplete;
        failure.message += "; putting everything back failed as well; recover goes on with it:\n  ";
        failure.message += &problems.join("\n  ");
    }
    failure
}
