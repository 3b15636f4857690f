//! What jobs have in hand in a store that nobody can read as it is.
//!
//! Key functions: [`in_hand`]; [`unfinished`], where there is no root document.

use crate::commit::{SharedArchive, read_journal};
use crate::store::{Bucket, StoreError, read_outline};
use crate::verbs::shared::abandoned::unended;
use crate::verbs::shared::remnant::is_held;

/// What a job has in hand in `store`, of which there is no root document, if the ledger tells of any: it is put, or put back, with that.
pub(in crate::verbs) async fn unfinished(bucket: &Bucket, store: &str) -> Option<String> {
    match read_outline(bucket, store).await {
        Ok(None) => in_hand(bucket, store).await.ok().flatten(),
        Ok(Some(_)) | Err(_) => None,
    }
}

/// What jobs have in hand in `store`, or had as they died.
///
/// # Errors
/// As the server says, or if the ledger cannot be read.
pub(in crate::verbs) async fn in_hand(
    bucket: &Bucket,
    store: &str,
) -> Result<Option<String>, StoreError> {
    let journal = read_journal(bucket, store).await?;
    let Some(last) = journal.unfinished.last() else {
        let shared = SharedArchive::of_store(bucket, store).await?;
        return Ok(shared.map(|archive| {
            let by = archive.by.name;
            format!("jobs with --share are sending an archive into it (begun by {by}): status says how far they are")
        }));
    };
    let transaction = unended(last);
    Ok(Some(if is_held(bucket, store).await? {
        format!("{transaction} is under way: wait until that job has ended")
    } else {
        format!(
            "{transaction} has not ended: its job has died or is stopped; recover, or whoever writes the store next, brings it to its end"
        )
    }))
}
