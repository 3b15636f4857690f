//! What a rollback would undo, as the stores are now. Nothing is written, and no lease is taken.
//!
//! Key type: [`RollbackForecast`].

use std::collections::BTreeMap;

use msm_zarr::{Group, StoredArray, Version, layout, members, parse_root};
use serde::{Deserialize, Serialize};

use super::{Rollback, StoreUndo, chosen, damage, groups_of, has_transactions, undoable};
use crate::commit::{Remaking, StoreRollback, UndoSize, UnfinishedWork, foresee_back};
use crate::error::Error;
use crate::session::Session;
use crate::verbs::send::RequestCounts;
use crate::verbs::shared::abandoned::{journals, unended};
use crate::verbs::shared::at_rest::none_held;
use crate::verbs::shared::command_log::CommandLog;
use crate::verbs::shared::error::WritingError;
use crate::verbs::shared::requests::{of_command, of_rollback};
use crate::verbs::tally::Tally;

/// What would be undone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackForecast {
    /// The ids of the commands, the last one first.
    pub commands: Vec<String>,
    /// Stores in which a command had died: what it had begun goes back before anything else.
    pub died: Vec<String>,
    /// What becomes of each store.
    pub stores: Vec<StoreOutlook>,
    /// Requests that it makes, about; `None` in a directory, or where what had died comes before it.
    pub requests: Option<RequestCounts>,
}

/// What would become of a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreOutlook {
    /// The store.
    pub store: String,
    /// What is undone in it, the last first.
    pub undone: Vec<String>,
    /// Would it be gone?
    pub is_gone: bool,
    /// Dimensions along which it gets another length: their names, the length now and then.
    pub lengths: Vec<(String, u64, u64)>,
    /// Arrays that would be gone, if the store is not.
    pub arrays: Vec<String>,
    /// Objects that would be put back, at most: what goes back through several transactions is counted in each.
    pub back: Tally,
    /// Objects that would go, documents among them, at most.
    pub gone: Tally,
}

/// Says what a rollback would undo. The copies that it puts back are looked at as it looks at them.
///
/// # Errors
/// On every rank the same: if one of the commands cannot be undone, or a copy is damaged; or a transaction has not ended that is no command's that
/// died; or a job is at one of the stores.
pub fn foretell(session: &Session, request: &Rollback) -> Result<RollbackForecast, Error> {
    session.on_lead(async || foretell_here(session, request).await)
}

async fn foretell_here(
    session: &Session<'_>,
    request: &Rollback,
) -> Result<RollbackForecast, Error> {
    let bucket = &session.bucket;
    let groups = groups_of(session, request).await?;
    let stores: Vec<String> = groups.iter().map(|group| group.store.clone()).collect();
    let mut healed: Vec<(String, Option<String>)> = Vec::new();
    let mut problems: Vec<Error> = Vec::new();
    // By store, what objects are again when that has gone back.
    let mut back: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for (store, found) in journals(bucket, &stores).await? {
        for one in &found.unfinished {
            match one {
                UnfinishedWork::Transaction(open) if open.goes_back() => {
                    let run = open.entry.run.as_ref();
                    healed.push((store.clone(), run.map(|run| run.id.clone())));
                    match foresee_back(bucket, &store, open).await {
                        Ok(restored) => drop(back.insert(store.clone(), restored)),
                        Err(cause) => problems.push(
                            WritingError::NotHealed {
                                store: store.clone(),
                                transaction: unended(one),
                                cause,
                            }
                            .into(),
                        ),
                    }
                }
                // What goes forward, or undoes already, comes to its end first.
                _ => problems.push(
                    WritingError::Unended {
                        store: store.clone(),
                        transaction: unended(one),
                    }
                    .into(),
                ),
            }
        }
    }
    Error::together(problems)?;
    none_held(bucket, &stores).await?;
    let log = CommandLog::of(bucket, &groups).await?;
    if healed.is_empty() {
        has_transactions(&log, &groups, request.variables.is_empty())?;
    }
    let (undos, commands) = chosen(log, &request.extent, &healed)?;
    let (mut all, mut problems) = (Vec::new(), Vec::new());
    for StoreUndo { group, ids } in &undos {
        match undoable(bucket, group, ids).await {
            Ok(found) => all.push((group, found)),
            Err(problem) => problems.push(problem),
        }
    }
    Error::together(problems)?;
    let mut problems = Vec::new();
    for (group, found) in &all {
        let store = &group.store;
        let first = back.remove(store).unwrap_or_default();
        match damage(bucket, store, found, &first, Remaking::Foresee).await {
            Ok(found) => problems.extend(found.problems),
            Err(problem) => problems.push(problem),
        }
    }
    Error::together(problems)?;
    let mut outlooks = Vec::new();
    let mut requests = of_command();
    for (group, found) in &all {
        let mut sizes = Vec::new();
        for undone in found {
            sizes.push(undone.size(bucket, &group.store).await?);
        }
        requests = requests.and(of_rollback(&sizes));
        outlooks.push(outlook(group, found, &sizes));
    }
    let is_foreseen = healed.is_empty() && bucket.endpoint().is_some();
    Ok(RollbackForecast {
        commands,
        died: healed.into_iter().map(|(store, _)| store).collect(),
        stores: outlooks,
        requests: is_foreseen.then_some(requests),
    })
}

/// What becomes of the store of `group` when these transactions are undone, the last of them first, which are of these sizes.
fn outlook(group: &Group, undone: &[StoreRollback], sizes: &[UndoSize]) -> StoreOutlook {
    let commands = undone.iter().map(|one| one.entry.command.clone());
    let sum = |of: fn(&UndoSize) -> (u64, u64)| {
        let mut sum = Tally::default();
        for (objects, bytes) in sizes.iter().map(of) {
            sum.add(Tally { objects, bytes });
        }
        sum
    };
    let mut outlook = StoreOutlook {
        store: group.store.clone(),
        undone: commands.collect(),
        is_gone: false,
        lengths: Vec::new(),
        arrays: Vec::new(),
        back: sum(|size| size.back),
        gone: sum(|size| size.gone),
    };
    let (Some(last), Some(first)) = (undone.first(), undone.last()) else {
        return outlook;
    };
    let now = arrays(&group.store, &last.entry.root.key, &last.entry.root.after);
    let Some(before) = &first.entry.root.before else {
        outlook.is_gone = true;
        // What a later transaction replaced goes with what the first one made.
        outlook.back = Tally::default();
        return outlook;
    };
    let then = arrays(&group.store, &first.entry.root.key, before);
    let mut lengths: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for array in &now {
        let Some(old) = then.iter().find(|old| old.name == array.name) else {
            outlook.arrays.push(array.name.clone());
            continue;
        };
        let sides = array.shape.iter().zip(&old.shape);
        for (dimension, (&long, &short)) in array.dimensions.iter().zip(sides) {
            if long != short {
                lengths.insert(dimension, (long, short));
            }
        }
    }
    let lengths = lengths.into_iter();
    outlook.lengths = lengths
        .map(|(dimension, (now, then))| (dimension.to_owned(), now, then))
        .collect();
    outlook
}

/// The arrays that a root document tells of; none if it cannot be read.
fn arrays(store: &str, key: &str, root: &str) -> Vec<StoredArray> {
    let is_v2 = key == layout::root_document(store, Version::V2);
    let version = if is_v2 { Version::V2 } else { Version::V3 };
    let read = parse_root(store, version, root.as_bytes());
    let arrays = read.and_then(|(_, document)| members(store, version, &document));
    arrays.unwrap_or_default()
}
