//! `rollback`: the last commands are undone, in all stores that they wrote. Rank 0's work; the others wait.
//!
//! Key types: [`Rollback`], what is asked; [`RollbackForecast`]; [`RollbackReport`].

mod error;
mod forecast;

use std::collections::{BTreeMap, BTreeSet};

use msm_zarr::{Group, layout};
use serde::{Deserialize, Serialize};

pub use self::error::RollbackError;
pub use self::forecast::{RollbackForecast, StoreOutlook, foretell};

use crate::commit::{
    DamagedCopy, JournalEntry, Remaking, SharedArchive, StoreRollback, damaged_copies,
    remake_copies, unmerge,
};
use crate::error::Error;
use crate::events::{Event, Notice};
use crate::session::Session;
use crate::store::{Bucket, Spot};
use crate::verbs::shared::command_log::{CommandLog, LoggedTransaction};
use crate::verbs::shared::hold::{Hold, Leasing, shared_error};
use crate::verbs::stores::absent::{no_stores, none_comes_back};
use crate::verbs::stores::named::{keys, stores};

/// What is undone.
#[derive(Clone, Debug, Default)]
pub struct Rollback {
    /// Where the stores are.
    pub spot: Spot,
    /// The variables whose stores are meant, `compact` for that of all variables; none means all stores.
    pub variables: Vec<String>,
    /// Which of the commands that wrote them.
    pub extent: RollbackExtent,
    /// How the stores' leases are got.
    pub leasing: Leasing,
}

/// Which commands are undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RollbackExtent {
    /// So many, from the last.
    Last(usize),
    /// All that came after the command of this id.
    To(String),
}

/// The last one.
impl Default for RollbackExtent {
    fn default() -> Self {
        Self::Last(1)
    }
}

/// What was undone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackReport {
    /// The stores' keys.
    pub stores: Vec<String>,
    /// The ids of the commands.
    pub commands: Vec<String>,
    /// Was the last one a command that had died? It has no id.
    pub had_died: bool,
}

/// Undoes commands.
///
/// # Errors
/// On every rank the same: if one of them cannot be undone, before the first is changed; or what was not put back.
pub fn rollback(session: &Session, request: &Rollback) -> Result<RollbackReport, Error> {
    session.on_lead(async || rollback_here(session, request).await)
}

async fn rollback_here(session: &Session<'_>, request: &Rollback) -> Result<RollbackReport, Error> {
    let groups = groups_of(session, request).await?;
    let stores = keys(&groups);
    Hold::during_share(
        session,
        &request.leasing,
        &stores,
        "rollback",
        async |hold| undo_all(session, &groups, request, hold).await,
    )
    .await
}

/// The stores that are meant, of which there is one at least.
async fn groups_of(session: &Session<'_>, request: &Rollback) -> Result<Vec<Group>, Error> {
    let Rollback {
        spot, variables, ..
    } = request;
    let bucket = &session.bucket;
    bucket.reach(spot.key()).await?;
    let groups = stores(bucket, spot, variables).await?;
    let is_store = |group: &Group| !layout::is_reading(&group.store);
    let groups: Vec<Group> = groups.into_iter().filter(is_store).collect();
    if groups.is_empty() {
        return Err(no_stores(bucket, spot).await?);
    }
    if variables.is_empty() {
        none_comes_back(bucket, spot).await?;
    }
    written_here(session, groups, variables.is_empty()).await
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

/// What is to be undone of a store, the last transaction first.
struct StoreUndo {
    group: Group,
    ids: Vec<String>,
}

/// Looks at all stores before the first is changed. From the journals' entries on it only goes forward, whoever goes on with
/// it; what a rollback that died has begun is brought to its end, and nothing else is undone.
async fn undo_all(
    session: &Session<'_>,
    groups: &[Group],
    request: &Rollback,
    hold: &Hold,
) -> Result<RollbackReport, Error> {
    let bucket = &session.bucket;
    let (extent, all) = (&request.extent, request.variables.is_empty());
    let mut groups = groups.to_vec();
    groups.retain(|group| !hold.left.is_gone(&group.store));
    let begun = hold.left.rollback();
    // What a dead job had begun was the last command, and is undone by now but for what was committed of it.
    let healed = hold.left.undone();
    let had_died = !healed.is_empty();
    let (undos, commands) = if begun.is_empty() {
        let log = CommandLog::of(bucket, &groups).await?;
        if !had_died {
            has_transactions(&log, &groups, all)?;
        }
        chosen(log, extent, healed)?
    } else {
        (rest_of(bucket, &groups, begun).await?, Vec::new())
    };
    let (mut all, mut problems) = (Vec::new(), Vec::new());
    for StoreUndo { group, ids } in &undos {
        match undoable(bucket, group, ids).await {
            Ok(found) => all.push((&group.store, found)),
            Err(problem) => problems.push(problem),
        }
    }
    Error::together(problems)?;
    let (mut problems, mut made) = (Vec::new(), Vec::new());
    for (store, found) in &all {
        let found = damage(bucket, store, found, &BTreeMap::new(), Remaking::Put).await;
        match found {
            Ok(found) => {
                problems.extend(found.problems);
                made.extend(found.made);
            }
            Err(error) => problems.push(error),
        }
    }
    if !problems.is_empty() {
        // Nothing is changed, the ledgers neither.
        for copy in &made {
            problems.extend(bucket.delete(copy).await.err().map(Error::from));
        }
    }
    Error::together(problems)?;
    let mut steps: Vec<(&String, StoreRollback)> = Vec::new();
    for (store, found) in all {
        steps.extend(found.into_iter().map(|one| (store, one)));
    }
    hold.leases.check().await?;
    for StoreUndo { group, ids } in &undos {
        if let Some(first) = ids.iter().min() {
            unmerge(bucket, &group.store, first).await?;
        }
    }
    StoreRollback::begin(bucket, &mut steps).await?;
    for (store, rollback) in &steps {
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
    let undone = undos.iter().map(|undo| &undo.group.store);
    let stores: BTreeSet<&String> = healed
        .iter()
        .map(|(store, _)| store)
        .chain(begun.iter().map(|(store, _)| store))
        .chain(undone)
        .collect();
    Ok(RollbackReport {
        stores: stores.into_iter().cloned().collect(),
        commands,
        had_died,
    })
}

/// Checks that there is something to undo: in every store that was named, or, if `all` are meant, in one of them.
fn has_transactions(log: &CommandLog, groups: &[Group], all: bool) -> Result<(), Error> {
    let empty: Vec<&Group> = log.empty().collect();
    if all && empty.len() < groups.len() {
        return Ok(());
    }
    Error::together(empty.into_iter().map(|group| {
        let store = group.store.clone();
        RollbackError::NoTransaction { store }
    }))
}

/// What `extent` says is to be undone, and the ids of its commands. The first command is the one that had died, of which transactions were
/// `healed`, if any were: what it had committed before, or in other stores, is undone, too.
fn chosen(
    mut log: CommandLog,
    extent: &RollbackExtent,
    healed: &[(String, Option<String>)],
) -> Result<(Vec<StoreUndo>, Vec<String>), Error> {
    let (mut undos, mut commands): (Vec<StoreUndo>, Vec<String>) = (Vec::new(), Vec::new());
    let had_died =
        |command: &String| { healed.iter() }.any(|(_, died)| died.as_ref() == Some(command));
    let mut count = usize::from(!healed.is_empty());
    loop {
        let is_enough = *extent == RollbackExtent::Last(count);
        if is_enough && healed.is_empty() {
            break;
        }
        let popped = match log.pop() {
            Err(_) if is_enough => break,
            popped => popped?,
        };
        let last = popped.first().map(|last| &last.command_id);
        if is_enough && !last.is_some_and(had_died) {
            break;
        }
        let Some(LoggedTransaction { command_id, .. }) = popped.first() else {
            return Err(match extent {
                RollbackExtent::Last(asked) => RollbackError::FewerCommands {
                    asked: *asked,
                    found: count,
                },
                RollbackExtent::To(id) => RollbackError::NoCommand { id: id.clone() },
            }
            .into());
        };
        if *extent == RollbackExtent::To(command_id.clone()) {
            break;
        }
        count += usize::from(!had_died(command_id));
        commands.push(command_id.clone());
        for LoggedTransaction { group, id, .. } in popped {
            match undos.iter_mut().find(|undo| undo.group == group) {
                Some(undo) => undo.ids.push(id),
                None => undos.push(StoreUndo {
                    group,
                    ids: vec![id],
                }),
            }
        }
    }
    Ok((undos, commands))
}

/// What is left to be undone of a rollback that has `begun` and died: what still has a record.
async fn rest_of(
    bucket: &Bucket,
    groups: &[Group],
    begun: &[(String, String)],
) -> Result<Vec<StoreUndo>, Error> {
    let mut undos = Vec::new();
    for group in groups {
        let mut ids = Vec::new();
        for (_, id) in begun.iter().filter(|(store, _)| *store == group.store) {
            let record = layout::transaction(&group.store, id);
            if bucket.stat(&record).await?.is_some() {
                ids.push(id.clone());
            }
        }
        ids.sort_unstable_by(|one, other| other.cmp(one));
        if !ids.is_empty() {
            let group = group.clone();
            undos.push(StoreUndo { group, ids });
        }
    }
    Ok(undos)
}

/// The transactions `ids` of the store of `group`, the last of them first, if what they replaced is kept, or can be made again.
async fn undoable(
    bucket: &Bucket,
    group: &Group,
    ids: &[String],
) -> Result<Vec<StoreRollback>, Error> {
    let archive = SharedArchive::of_store(bucket, &group.store).await?;
    let mut found: Vec<StoreRollback> = Vec::new();
    for id in ids {
        let kept = kept_of(bucket, group, id, found.last()).await?;
        // All parts of a shared archive count on what the store had when it was shared out.
        if let Some(archive) = &archive
            && kept
                .entry
                .run
                .as_ref()
                .is_none_or(|run| run.id != archive.id)
        {
            return Err(shared_error(&group.store, archive));
        }
        found.push(kept);
    }
    Ok(found)
}

/// What is in the way of putting back what transactions replaced.
struct CopyDamage {
    problems: Vec<Error>,
    /// The keys of the copies that were made again, or would be.
    made: Vec<String>,
}

/// Which copies of what these transactions of `store` replaced are damaged, or cannot be made again. Objects are what lies at the keys
/// that `first` has of them, if they are not what they are now.
async fn damage(
    bucket: &Bucket,
    store: &str,
    undone: &[StoreRollback],
    first: &BTreeMap<String, String>,
    remaking: Remaking,
) -> Result<CopyDamage, Error> {
    let mut damaged: Vec<Vec<DamagedCopy>> = Vec::new();
    let mut doubtful = BTreeSet::new();
    for StoreRollback { id, entry } in undone {
        let of_this = damaged_copies(bucket, store, id, entry).await?;
        if entry.is_addition {
            doubtful.extend(of_this.iter().map(|copy| copy.key.clone()));
        }
        damaged.push(of_this);
    }
    let remade = remake_copies(bucket, store, undone, &doubtful, first, remaking).await?;
    let mut problems = Vec::new();
    for (StoreRollback { id, entry }, mut damaged) in undone.iter().zip(damaged) {
        match (remade.made.get(id), remaking) {
            (None, _) => {}
            (Some(_), Remaking::Put) => {
                damaged = damaged_copies(bucket, store, id, entry).await?;
            }
            (Some(made), Remaking::Foresee) => damaged.retain(|copy| !made.contains(&copy.key)),
        }
        let missing = remade.missing.iter().filter(|(of, _)| of == id);
        damaged.extend(missing.map(|(_, copy)| copy.clone()));
        if !damaged.is_empty() {
            problems.push(
                RollbackError::Damaged {
                    store: store.to_owned(),
                    id: id.clone(),
                    copies: damaged.into(),
                }
                .into(),
            );
        }
    }
    let made = remade.made.into_values().flatten().collect();
    Ok(CopyDamage { problems, made })
}

/// The committed transaction `id` of the store of `group`, if what it replaced is kept and it is of the group. It left the root document
/// that a `later` one found; if there is none, that which is there, which another program may have changed.
async fn kept_of(
    bucket: &Bucket,
    group: &Group,
    id: &str,
    later: Option<&StoreRollback>,
) -> Result<StoreRollback, Error> {
    let (store, id) = (&group.store, id.to_owned());
    let entry = match JournalEntry::kept(bucket, store, &id).await {
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
    let root = &entry.root;
    let is_left_so = match later {
        Some(later) => later.entry.root.before.as_ref() == Some(&root.after),
        None => bucket
            .get(&root.key)
            .await
            .is_ok_and(|now| now == root.after),
    };
    if !is_left_so {
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
