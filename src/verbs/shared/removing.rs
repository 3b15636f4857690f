//! Rank 0: a transaction that removes objects of stores, whose leases are held.

use crate::commit::{
    Abort, AbortedTransaction, CommittedTransaction, PlannedTransaction, Removal, TransactionTerms,
};
use crate::error::Error;
use crate::exit::Exit;
use crate::session::Session;
use crate::transfer::Verification;
use crate::verbs::shared::ending::{committing, put_back};
use crate::verbs::shared::hold::Hold;

/// Does what `removals` say, in one transaction of the command `command`; of so many transactions, what they removed is kept.
///
/// # Errors
/// If it fails; then everything is as it was before, or the journal tells what is left to be done.
pub(in crate::verbs) async fn remove(
    session: &Session<'_>,
    removals: &[Removal],
    hold: &Hold,
    command: &str,
    keep_undo: usize,
) -> Result<(), Error> {
    let opening = TransactionTerms {
        command,
        holder: &hold.holder,
        digest: "",
        guarantees: &hold.guarantees,
        keep_undo,
    };
    let planned = PlannedTransaction::removing(&session.bucket, removals, &opening).await?;
    let committed = match commit(planned, removals, hold).await {
        Ok(committed) => committed,
        Err((transaction, failure)) => {
            return Err(put_back(session, transaction, &hold.leases, failure).await);
        }
    };
    committed.finish().await.map_err(|error| {
        let message = format!(
            "readers see the store without what was to go, but not all of it is gone; recover goes on with it:\n  {error}"
        );
        Error::new(Exit::DeleteIncomplete, message)
    })
}

/// All that can still go back.
async fn commit<'a>(
    planned: PlannedTransaction<'a>,
    removals: &[Removal],
    hold: &Hold,
) -> Result<CommittedTransaction<'a>, (AbortedTransaction<'a>, Error)> {
    let opened = planned
        .open()
        .await
        .map_err(during("opening the transaction"));
    let kept = opened?.keep(removals).await;
    let recorded = kept.map_err(during("keeping what goes"))?;
    let committed = recorded.commit(&hold.leases, Verification::Full).await;
    committed.map_err(|abort| (abort.transaction, committing(abort.error)))
}

fn during<'a>(what: &str) -> impl Fn(Box<Abort<'a>>) -> (AbortedTransaction<'a>, Error) {
    move |abort| {
        let Abort { error, transaction } = *abort;
        let failure = match Error::from(error) {
            lost if Exit::from(&lost) == Exit::LeaseLost => lost,
            // What is damaged, or cannot be decoded, was so before.
            damaged if Exit::from(&damaged) == Exit::ForeignStore => damaged,
            failure => Error::new(Exit::TransferFailed, format!("{what}: {failure}")),
        };
        (transaction, failure)
    }
}
