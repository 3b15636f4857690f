//! Taking a group out of a hierarchy: one transaction, after which no consolidated metadata tells of it. Its objects are
//! left to be deleted.

use super::forward::go_forward;
use super::journal::{Document, JournalEntry, Stage, Writer};
use super::kept::KeptRecord;
use super::ledger::LastTransaction;
use super::manifests::read_kept;
use super::put::put_and_read_back;
use super::transaction::before;
use super::transaction_id::{new_id, token};
use crate::store::{Bucket, Group, Guarantees, StoreError, Stored, document, layout};
use crate::transfer::Content;

/// What the journal calls it.
const COMMAND: &str = "delete";

/// Takes `group`, which is `stored` so and whose store's lease `holder` has, out of its hierarchy. It cannot be undone. Returns
/// what could not be done; whoever comes next goes on with it.
///
/// # Errors
/// As the server says.
pub async fn remove_group(
    bucket: &Bucket,
    group: &Group,
    stored: &Stored,
    holder: &Writer,
    guarantees: &Guarantees,
) -> Result<Vec<String>, StoreError> {
    let store = group.store.as_str();
    let (previous, number) = before(bucket, store).await?;
    let id = new_id(number, &token());
    let entry = entry(group, stored, holder, number, previous);
    entry.put(bucket, store, &id, Stage::Open).await?;
    forget(bucket, group, &id).await?;
    entry.put(bucket, store, &id, Stage::Prepared).await?;
    go_forward(bucket, store, &id, &entry, guarantees).await
}

fn entry(
    group: &Group,
    stored: &Stored,
    holder: &Writer,
    number: u64,
    previous: Option<LastTransaction>,
) -> JournalEntry {
    let version = stored.version;
    let changed = |folder: &str, before: &str, path: &str| Document {
        key: layout::root_document(folder, version),
        before: Some(before.to_owned()),
        after: document::without(version, before, path),
    };
    let root = changed(&group.store, &stored.root, &group.path);
    let record = LastTransaction::of_documents(number, COMMAND, &root.after);
    let mut entry = JournalEntry::new(COMMAND, holder, "", root);
    let above = stored.nested.iter().flat_map(|nested| &nested.groups);
    let above = above.filter_map(|(folder, before)| {
        let path = group.path.strip_prefix(folder)?.strip_prefix('/')?;
        Some(changed(&layout::below(&group.store, folder), before, path))
    });
    let differs = |document: &Document| document.before.as_ref() != Some(&document.after);
    entry.documents = above.filter(differs).collect();
    entry.previous = previous;
    entry.record = Some(record);
    entry
}

/// Says in the manifest of the transaction `id` that nothing is stored of the group's arrays: what is kept of earlier ones would
/// be missed.
async fn forget(bucket: &Bucket, group: &Group, id: &str) -> Result<(), StoreError> {
    let kept = read_kept(bucket, &group.store).await?;
    let arrays = kept.objects.into_iter();
    let arrays = arrays.filter(|(array, _)| group.is_above(array));
    let records = arrays.flat_map(|(array, chunks)| {
        chunks.into_keys().map(move |chunk| KeptRecord {
            array: array.clone(),
            chunk: chunk.into(),
            content: Content::Empty,
        })
    });
    let key = format!("{}/000000-deleted-0", layout::manifest(&group.store, id));
    let part = KeptRecord::write(records.collect()).map_err(|cause| StoreError::Journal {
        key: key.clone(),
        cause: cause.to_string(),
    })?;
    put_and_read_back(bucket, &key, part.into()).await
}
