//! Taking a group out of a hierarchy: one transaction, after which no consolidated metadata tells of it. Its objects are
//! left to be deleted.

use msm_zarr::{Group, StoreSnapshot, document, layout};

use super::aborted::TransactionError;
use super::command_run::CommandRun;
use super::journal::{Document, Writer};
use super::manifests::{ManifestRecords, read_manifests};
use super::object_record::ObjectRecord;
use super::planned::{PlannedTransaction, TransactionTerms};
use super::put::put_and_read_back;
use super::transaction::CommittedTransaction;
use crate::store::{Bucket, Guarantees, StoreError};
use crate::transfer::Content;

/// Takes `group`, which is `stored` so and whose store's lease `holder` has, out of its hierarchy. It cannot be undone.
///
/// # Errors
/// As the server says; whoever comes next brings it to an end.
pub(crate) async fn remove_group<'a>(
    bucket: &'a Bucket,
    group: &Group,
    stored: &StoreSnapshot,
    holder: &Writer,
    run: &CommandRun,
    guarantees: &'a Guarantees,
) -> Result<CommittedTransaction<'a>, TransactionError> {
    let records = read_manifests(bucket, &group.store).await?.whole()?;
    let opening = TransactionTerms::of_documents("delete", holder, run, guarantees);
    let (root, documents) = documents(group, stored);
    let planned =
        PlannedTransaction::of_documents(bucket, &group.store, root, documents, &opening).await?;
    let ids = planned.ids();
    let open = planned.open().await.map_err(|abort| abort.error)?;
    for id in ids {
        forget(bucket, group, &records, &id).await?;
    }
    open.commit_documents().await
}

/// The root document, and the others that tell of the group.
fn documents(group: &Group, stored: &StoreSnapshot) -> (Document, Vec<Document>) {
    let version = stored.version;
    let changed = |folder: &str, before: &str, path: &str| Document {
        key: layout::root_document(folder, version),
        before: Some(before.to_owned()),
        after: document::without(version, before, path),
    };
    let above = stored.nested.iter().flat_map(|nested| &nested.groups);
    let above = above.filter_map(|(folder, before)| {
        let path = group.path.strip_prefix(folder)?.strip_prefix('/')?;
        Some(changed(&layout::below(&group.store, folder), before, path))
    });
    let differs = |document: &Document| document.before.as_ref() != Some(&document.after);
    (
        changed(&group.store, &stored.root, &group.path),
        above.filter(differs).collect(),
    )
}

/// Says in the manifest of the transaction `id` that nothing is stored of the group's arrays: what is kept of earlier ones would
/// be missed.
async fn forget(
    bucket: &Bucket,
    group: &Group,
    records: &ManifestRecords,
    id: &str,
) -> Result<(), StoreError> {
    let arrays = records.objects.iter();
    let arrays = arrays.filter(|(array, _)| group.is_above(array));
    let records = arrays.flat_map(|(array, chunks)| {
        chunks.keys().map(move |chunk| ObjectRecord {
            array: array.clone(),
            chunk: chunk.to_vec(),
            content: Content::Empty,
        })
    });
    let key = format!("{}/000000-deleted-0", layout::manifest(&group.store, id));
    let part = ObjectRecord::write(records.collect()).map_err(|cause| StoreError::Journal {
        key: key.clone(),
        cause: cause.to_string(),
    })?;
    put_and_read_back(bucket, &key, part.into()).await
}
