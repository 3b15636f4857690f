//! Giving a store consolidated metadata: one transaction, of the root document alone, before the first that needs it.

use msm_zarr::layout;

use super::aborted::TransactionError;
use super::command_run::CommandRun;
use super::journal::{Document, Writer};
use super::planned::{PlannedTransaction, TransactionTerms};
use super::transaction::CommittedTransaction;
use crate::store::{Bucket, Guarantees, UnconsolidatedStore};

/// Puts the root document that tells of all that is in `store`, whose lease `holder` has. It cannot be undone.
///
/// # Errors
/// As the server says; whoever comes next brings it to an end.
pub(crate) async fn consolidate<'a>(
    bucket: &'a Bucket,
    store: &str,
    found: UnconsolidatedStore,
    holder: &Writer,
    run: &CommandRun,
    guarantees: &'a Guarantees,
) -> Result<CommittedTransaction<'a>, TransactionError> {
    let opening = TransactionTerms::of_documents("consolidate", holder, run, guarantees);
    let root = Document {
        key: layout::root_document(store, found.version),
        before: found.root,
        after: found.consolidated,
    };
    let planned = PlannedTransaction::of_documents(bucket, store, root, Vec::new(), &opening);
    let open = planned.await?.open().await.map_err(|abort| abort.error)?;
    open.commit_documents().await
}
