//! Giving a store consolidated metadata: one transaction, of the root document alone, before the first that needs it.

use super::forward::go_forward;
use super::journal::{Document, JournalEntry, Stage, Writer};
use super::ledger::LastTransaction;
use super::transaction::before;
use super::transaction_id::{new_id, token};
use crate::store::{Bucket, Guarantees, StoreError, Unconsolidated, layout};

/// What the journal calls it.
const COMMAND: &str = "consolidate";

/// Puts the root document that tells of all that is in `store`, whose lease `holder` has. It cannot be undone. Returns what could
/// not be done; whoever comes next goes on with it.
///
/// # Errors
/// As the server says.
pub async fn consolidate(
    bucket: &Bucket,
    store: &str,
    found: Unconsolidated,
    holder: &Writer,
    guarantees: &Guarantees,
) -> Result<Vec<String>, StoreError> {
    let (previous, number) = before(bucket, store).await?;
    let id = new_id(number, &token());
    let root = Document {
        key: layout::root_document(store, found.version),
        before: found.root,
        after: found.consolidated,
    };
    let record = LastTransaction::of_documents(number, COMMAND, &root.after);
    let mut entry = JournalEntry::new(COMMAND, holder, "", root);
    entry.previous = previous;
    entry.record = Some(record);
    entry.put(bucket, store, &id, Stage::Open).await?;
    entry.put(bucket, store, &id, Stage::Prepared).await?;
    go_forward(bucket, store, &id, &entry, guarantees).await
}
