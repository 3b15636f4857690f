//! Rank 0: a transaction that removes objects of stores, whose leases are held.

use msm_zarr::ZarrError;

use crate::commit::{
    Abort, AbortedTransaction, CommittedTransaction, LeaseError, PlannedTransaction, Removal,
    ToldManifest, TransactionError, TransactionTerms,
};
use crate::error::Error;
use crate::session::Session;
use crate::store::StoreError;
use crate::transfer::Verification;
use crate::verbs::shared::ending::{committing, put_back};
use crate::verbs::shared::error::{TransactionStep, WritingError};
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
        run: &hold.run,
        digest: "",
        guarantees: &hold.guarantees,
        keep_undo,
        of_parts: false,
    };
    let planned = PlannedTransaction::removing(&session.bucket, removals, &opening).await?;
    let committed = match commit(planned, removals, hold).await {
        Ok(committed) => committed,
        Err((transaction, failure)) => {
            return Err(put_back(session, transaction, &hold.leases, failure).await);
        }
    };
    let finished = committed.finish().await;
    Ok(finished.map_err(WritingError::NotAllGone)?)
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
        .map_err(during(TransactionStep::Opening));
    let kept = opened?.keep(removals).await;
    let recorded = kept.map_err(during(TransactionStep::Keeping))?;
    // Its manifest was read back.
    let (nothing, checked) = (ToldManifest::default(), hold.leases.check().await);
    let committed = recorded
        .commit(&nothing, checked, &hold.leases, Verification::Full)
        .await;
    committed.map_err(|abort| (abort.transaction, committing(abort.error)))
}

fn during<'a>(step: TransactionStep) -> impl Fn(Box<Abort<'a>>) -> (AbortedTransaction<'a>, Error) {
    move |abort| {
        let Abort { error, transaction } = *abort;
        let failure = if says_it_all(&error) {
            error.into()
        } else {
            let cause = error;
            WritingError::Transaction { step, cause }.into()
        };
        (transaction, failure)
    }
}

/// Whatever was done: a lease was lost; or something is damaged, or cannot be decoded, and was so before.
fn says_it_all(error: &TransactionError) -> bool {
    match error {
        TransactionError::Lease(LeaseError::Lost { .. }) => true,
        TransactionError::Lease(LeaseError::Store(error)) | TransactionError::Store(error) => {
            matches!(
                error,
                StoreError::Fenced { .. }
                    | StoreError::Repository { .. }
                    | StoreError::Journal { .. }
                    | StoreError::Zarr(ZarrError::Foreign { .. } | ZarrError::Damaged { .. })
            )
        }
        TransactionError::Lease(_) => false,
    }
}
