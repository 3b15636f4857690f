//! `rollback`: the last committed transaction of each store is undone. Rank 0's work; the others wait.
//!
//! Key types: [`Rollback`], what is asked; [`RollbackReport`].

mod error;

use futures::TryStreamExt;
use msm_zarr::{Group, layout};
use serde::{Deserialize, Serialize};

pub use self::error::RollbackError;

use crate::commit::{JournalEntry, SharedArchive, StoreRollback, damaged_copies, is_id};
use crate::error::Error;
use crate::events::{Event, Notice};
use crate::session::Session;
use crate::store::{Bucket, Spot};
use crate::verbs::shared::hold::{Hold, Leasing, shared_error};
use crate::verbs::stores::error::StoresError;
use crate::verbs::stores::named::{keys, stores};

/// What is undone.
#[derive(Clone, Debug, Default)]
pub struct Rollback {
    /// Where the stores are.
    pub spot: Spot,
    /// The variables whose stores are meant, `compact` for that of all variables; none means all stores.
    pub variables: Vec<String>,
    /// How the stores' leases are got.
    pub leasing: Leasing,
}

/// What was undone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackReport {
    /// The stores' keys.
    pub stores: Vec<String>,
}

/// Undoes the last committed transaction of each store.
///
/// # Errors
/// On every rank the same: if one of them cannot be undone, before the first is changed; or what was not put back.
pub fn rollback(session: &Session, request: &Rollback) -> Result<RollbackReport, Error> {
    session.on_lead(async || rollback_here(session, request).await)
}

async fn rollback_here(session: &Session<'_>, request: &Rollback) -> Result<RollbackReport, Error> {
    let Rollback {
        spot,
        variables,
        leasing,
    } = request;
    let bucket = &session.bucket;
    bucket.reach(spot.key()).await?;
    let groups = stores(bucket, spot, variables).await?;
    let is_store = |group: &Group| !layout::is_reading(&group.store);
    let groups: Vec<Group> = groups.into_iter().filter(is_store).collect();
    if groups.is_empty() {
        let place = layout::below(bucket.place(), spot.key());
        return Err(StoresError::None { place }.into());
    }
    let groups = written_here(session, groups, variables.is_empty()).await?;
    let stores = keys(&groups);
    Hold::during_share(session, leasing, &stores, "rollback", async |hold| {
        undo_all(session, &groups, hold).await
    })
    .await
}

/// Those of `groups` whose stores this program has written, if `all` there are is meant: others have nothing to undo.
async fn written_here(
    session: &Session<'_>,
    groups: Vec<Group>,
    all: bool,
) -> Result<Vec<Group>, Error> {
    let (mut written, mut others) = (Vec::new(), Vec::new());
    for group in groups {
        let ledger = session.bucket.folder(&layout::ledger(&group.store)).await?;
        if ledger.is_empty() {
            others.push(group);
        } else {
            written.push(group);
        }
    }
    if !all || written.is_empty() {
        written.append(&mut others);
    }
    if !others.is_empty() {
        let stores = others.iter().map(Group::key).collect();
        session.notice(Notice::NeverWritten { stores });
    }
    Ok(written)
}

/// Looks at all stores before the first is changed. From the journals' entries on it only goes forward, whoever goes on with
/// it; what a rollback that died has begun is not undone twice.
async fn undo_all(
    session: &Session<'_>,
    groups: &[Group],
    hold: &Hold,
) -> Result<RollbackReport, Error> {
    let bucket = &session.bucket;
    let (mut last, mut problems) = (Vec::new(), Vec::new());
    let groups = groups
        .iter()
        .filter(|group| !hold.left.was_undone(&group.store));
    for group in groups {
        match undoable(bucket, group).await {
            Ok(found) => last.push((&group.store, found)),
            Err(problem) => problems.push(problem),
        }
    }
    Error::together(problems)?;
    hold.leases.check().await?;
    StoreRollback::begin(bucket, &mut last).await?;
    for (store, rollback) in &last {
        let StoreRollback { id, entry } = rollback;
        let undone = rollback.undo(bucket, store, &hold.guarantees).await;
        undone.map_err(|cause| RollbackError::NotUndone {
            store: (*store).clone(),
            id: id.clone(),
            cause,
        })?;
        session.tell(&Event::Undone {
            store: (*store).clone(),
            id: id.clone(),
            command: (!entry.creates()).then(|| entry.command.clone()),
        });
    }
    let stores = last.into_iter().map(|(store, _)| store.clone()).collect();
    Ok(RollbackReport { stores })
}

/// The last committed transaction of the store of `group`, if all that it replaced can be put back.
async fn undoable(bucket: &Bucket, group: &Group) -> Result<StoreRollback, Error> {
    grown_since_shared(bucket, group).await?;
    let last = last_of(bucket, group).await?;
    let StoreRollback { id, entry } = &last;
    let damaged = damaged_copies(bucket, &group.store, id, entry).await?;
    if damaged.is_empty() {
        return Ok(last);
    }
    Err(RollbackError::Damaged {
        store: group.store.clone(),
        id: id.clone(),
        copies: damaged.into(),
    }
    .into())
}

/// Checks that what would be undone is none of what the store had when an archive was shared out to it, on which all of its parts count.
async fn grown_since_shared(bucket: &Bucket, group: &Group) -> Result<(), Error> {
    let store = &group.store;
    let Some(archive) = SharedArchive::of_store(bucket, store).await? else {
        return Ok(());
    };
    let held = archive.parts.store(store).map_or(0, |grows| grows.held);
    let steps = archive.visible(bucket, &Group::whole(store), held).await?;
    if held == 0 || steps > held {
        return Ok(());
    }
    Err(shared_error(store, &archive))
}

/// The last committed transaction of the store of `group`, if what it replaced is kept and it is of the group.
async fn last_of(bucket: &Bucket, group: &Group) -> Result<StoreRollback, Error> {
    let store = &group.store;
    let records = bucket.entries(&layout::transactions(store));
    let ids = records.map_ok(|record| record.key.rsplit('/').next().unwrap_or_default().to_owned());
    let ids: Vec<String> = ids.try_collect().await?;
    let ids = ids.into_iter().filter(|id| is_id(id));
    let Some(id) = ids.max() else {
        let store = store.clone();
        return Err(RollbackError::NoTransaction { store }.into());
    };
    let key = layout::before(store, &id);
    let entry = match JournalEntry::read(bucket, store, &key).await {
        Ok(entry) => entry,
        Err(error) if error.is_missing() => {
            let store = store.clone();
            return Err(RollbackError::NotKept { store, id }.into());
        }
        Err(error) => return Err(error.into()),
    };
    let of_group = |key: &str| {
        let below = key.strip_prefix(&group.key());
        below.is_some_and(|below| below.starts_with('/'))
    };
    let arrays = entry.arrays.iter().chain(&entry.parts);
    let arrays = arrays.map(|array| layout::below(store, &array.name));
    let documents = entry.documents.iter().map(|document| document.key.clone());
    let stranger = arrays
        .chain(documents)
        .find(|key| !group.path.is_empty() && !of_group(key) && !of_group_above(group, key));
    if let Some(stranger) = stranger {
        return Err(RollbackError::BesideGroup {
            store: store.clone(),
            id,
            key: stranger,
            group: group.path.clone(),
        }
        .into());
    }
    // Another tool may have changed the store since.
    let root = &entry.root;
    let now = bucket.get(&root.key).await;
    if !now.is_ok_and(|now| now == root.after) {
        return Err(RollbackError::Changed {
            store: store.clone(),
            id,
            root: root.key.clone(),
        }
        .into());
    }
    Ok(StoreRollback { id, entry })
}

/// Is `key` that of a document of one of the groups that `group` lies in? With what it holds, theirs change.
fn of_group_above(group: &Group, key: &str) -> bool {
    let folder = key.rsplit_once('/').map_or("", |(folder, _)| folder);
    group.key().starts_with(&format!("{folder}/"))
}
