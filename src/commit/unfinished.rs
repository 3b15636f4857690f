//! What a journal tells of jobs that have not ended, or died.
//!
//! Key types: [`UnfinishedWork`]; [`Journal`], all of it.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use msm_zarr::layout;

use super::journal::{JournalEntry, Stage, Writer};
use super::rollback::StoreRollback;
use crate::store::{Bucket, StoreError};

/// What the keys of journals end in that say that the store is being deleted.
const DELETE: &str = "delete";

/// What has not ended, or was left by a dead job.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum UnfinishedWork {
    /// The store is being deleted.
    Delete {
        /// Its id.
        id: String,
        /// Who deletes it, or did.
        writer: Writer,
    },
    /// A transaction that writes or removes objects, or goes back.
    Transaction(UnfinishedTransaction),
    /// A committed transaction is being undone.
    Rollback(StoreRollback),
}

/// A transaction that has not ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct UnfinishedTransaction {
    /// Its id.
    pub id: String,
    /// How far it is.
    pub stage: Stage,
    /// What it does.
    pub entry: JournalEntry,
}

impl UnfinishedWork {
    /// Does the store go with it?
    #[must_use]
    pub(crate) fn is_delete(&self) -> bool {
        matches!(self, Self::Delete { .. })
    }

    /// Who works on it, or did.
    #[must_use]
    pub(crate) fn writer(&self) -> &Writer {
        match self {
            Self::Delete { writer, .. } => writer,
            Self::Transaction(UnfinishedTransaction { entry, .. })
            | Self::Rollback(StoreRollback { entry, .. }) => &entry.holder,
        }
    }

    /// Its id.
    #[must_use]
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::Delete { id, .. }
            | Self::Transaction(UnfinishedTransaction { id, .. })
            | Self::Rollback(StoreRollback { id, .. }) => id,
        }
    }

    /// The command, as it is shown.
    #[must_use]
    pub(crate) fn command(&self) -> &str {
        match self {
            Self::Delete { .. } => "delete",
            Self::Transaction(UnfinishedTransaction { entry, .. })
            | Self::Rollback(StoreRollback { entry, .. }) => &entry.command,
        }
    }
}

impl UnfinishedTransaction {
    /// Is it rolled back when it is healed?
    #[must_use]
    pub(crate) fn goes_back(&self) -> bool {
        self.stage != Stage::Prepared
    }
}

/// What the journal of a store holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Journal {
    /// What has not ended, in order.
    pub unfinished: Vec<UnfinishedWork>,
    /// Keys of what transactions put here that are not in the journal any more, or never were.
    pub strays: Vec<String>,
}

/// The key that says that the delete `id` of `store` has begun.
pub(super) fn delete_key(store: &str, id: &str) -> String {
    format!("{}/{id}.{DELETE}", layout::journals(store))
}

/// What the journal of `store` says of one id.
#[derive(Default)]
struct Marks {
    /// The last one.
    stage: Option<Stage>,
    delete: bool,
}

/// The journal of `store`.
///
/// # Errors
/// As the server says, or if an entry cannot be read.
pub(crate) async fn read_journal(bucket: &Bucket, store: &str) -> Result<Journal, StoreError> {
    let folder = layout::journals(store);
    let mut marks: BTreeMap<String, Marks> = BTreeMap::new();
    let mut parts = Vec::new();
    let mut entries = bucket.entries(&folder);
    while let Some(object) = entries.try_next().await? {
        let name = object.key.strip_prefix(&folder).unwrap_or_default();
        let Some((id, end)) = name.trim_start_matches('/').split_once('.') else {
            continue;
        };
        if let Some(stage) = Stage::ALL.into_iter().find(|stage| stage.name() == end) {
            let known = &mut marks.entry(id.to_owned()).or_default().stage;
            *known = (*known).max(Some(stage));
        } else if end == DELETE {
            marks.entry(id.to_owned()).or_default().delete = true;
        } else if end.starts_with("done/") {
            parts.push((id.to_owned(), object.key.clone()));
        }
    }
    parts.retain(|(id, _)| !marks.contains_key(id));
    let mut unfinished = Vec::new();
    for (id, marks) in marks {
        unfinished.push(match marks.stage {
            Some(stage) if !marks.delete => read_transaction(bucket, store, id, stage).await?,
            _ => read_delete(bucket, store, id).await?,
        });
    }
    Ok(Journal {
        unfinished,
        strays: parts.into_iter().map(|(_, key)| key).collect(),
    })
}

async fn read_delete(
    bucket: &Bucket,
    store: &str,
    id: String,
) -> Result<UnfinishedWork, StoreError> {
    let key = delete_key(store, &id);
    match serde_json::from_slice(&bucket.get(&key).await?) {
        Ok(writer) => Ok(UnfinishedWork::Delete { id, writer }),
        Err(cause) => Err(StoreError::Journal {
            key,
            cause: cause.to_string(),
        }),
    }
}

async fn read_transaction(
    bucket: &Bucket,
    store: &str,
    id: String,
    last: Stage,
) -> Result<UnfinishedWork, StoreError> {
    let mut stage = last;
    // A commit that has been seen through lacks the first entry already. Without a record of it, one who had lost the
    // lease put this after the transaction had been rolled back, and what it may have done since goes back, too.
    if last == Stage::Prepared
        && bucket.stat(&Stage::Open.key(store, &id)).await?.is_none()
        && bucket
            .stat(&layout::transaction(store, &id))
            .await?
            .is_none()
    {
        stage = Stage::Back;
    }
    let entry = JournalEntry::read(bucket, store, &last.key(store, &id)).await?;
    Ok(if entry.rollback.is_some() {
        UnfinishedWork::Rollback(StoreRollback { id, entry })
    } else {
        UnfinishedWork::Transaction(UnfinishedTransaction { id, stage, entry })
    })
}
