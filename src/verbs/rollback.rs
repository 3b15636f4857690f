//! `rollback`: the last committed transaction of each store is undone. Rank 0's work; the others wait.

use futures::TryStreamExt;

use crate::cli::{RollbackArgs, Spot};
use crate::commit::{Entry, ROLLBACK, State, Unfinished, begin_rollback, is_id, roll_back};
use crate::exit::{Exit, Failure};
use crate::ranks::Ranks;
use crate::say;
use crate::source::list;
use crate::store::{Bucket, Group, layout};
use crate::verbs::shared::hold::Hold;
use crate::verbs::shared::start::{Job, start};
use crate::verbs::stores::named::{keys, stores};

/// Runs the command on this rank.
pub(in crate::verbs) fn rollback(args: &RollbackArgs, ranks: &Ranks) -> Result<(), Failure> {
    let spot = args.store.spot_or_all()?;
    let job = start(&args.store, ranks)?;
    job.on_lead(rollback_here(args, &job, &spot))
}

async fn rollback_here(args: &RollbackArgs, job: &Job<'_>, spot: &Spot) -> Result<(), Failure> {
    let bucket = &job.bucket;
    bucket.reach(spot.key()).await?;
    let groups = stores(bucket, spot, &args.variables).await?;
    if groups.is_empty() {
        let place = layout::below(bucket.place(), spot.key());
        let message = format!("{place}: there are no stores");
        return Err(Failure::new(Exit::NoStore, message));
    }
    let groups = written_here(bucket, groups, args.variables.is_empty()).await?;
    let stores = keys(&groups);
    let mut hold = Hold::take(job, &args.lease, &stores, "rollback").await?;
    let mut done = hold.left.heal(bucket).await;
    if done.is_ok() {
        done = undo_all(bucket, &groups, &hold).await;
    }
    let done = done.map_err(|failure| hold.verdict(failure));
    hold.release().await;
    done
}

/// Those of `groups` whose stores this program has written, if `all` there are is meant: others have nothing to undo.
async fn written_here(
    bucket: &Bucket,
    groups: Vec<Group>,
    all: bool,
) -> Result<Vec<Group>, Failure> {
    let (mut written, mut others) = (Vec::new(), Vec::new());
    for group in groups {
        let ledger = bucket.folder(&layout::ledger(&group.store)).await?;
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
        let keys: Vec<String> = others.iter().map(Group::key).collect();
        say!(
            "left as they are: {}, which this program never wrote",
            list(keys.iter().map(String::as_str))
        );
    }
    Ok(written)
}

/// Looks at all stores before the first is changed. From the journals' entries on it only goes forward, whoever goes on with
/// it; what a rollback that died has begun is not undone twice.
async fn undo_all(bucket: &Bucket, groups: &[Group], hold: &Hold) -> Result<(), Failure> {
    let (mut last, mut problems) = (Vec::new(), Vec::new());
    let groups = groups
        .iter()
        .filter(|group| !hold.left.was_undone(&group.store));
    for group in groups {
        match last_of(bucket, group).await {
            Ok(found) => last.push((&group.store, found)),
            Err(problem) => problems.push(problem),
        }
    }
    Failure::together(problems)?;
    let together = last
        .iter()
        .map(|(store, t)| ((*store).clone(), t.id.clone()));
    let together: Vec<(String, String)> = together.collect();
    for (_, transaction) in &mut last {
        if let Some(entry) = &mut transaction.entry {
            entry.together.clone_from(&together);
        }
    }
    hold.leases.check().await?;
    begin_rollback(bucket, &last).await?;
    for (store, transaction) in &last {
        let problems = roll_back(bucket, store, transaction, &hold.guarantees).await;
        if !problems.is_empty() {
            let message = format!(
                "store '{store}': undoing {} failed; recover goes on with it:\n  {}",
                transaction.id,
                problems.join("\n  ")
            );
            return Err(Failure::new(Exit::RollbackIncomplete, message));
        }
        let entry = transaction.entry.as_ref();
        let what = entry.map_or_else(String::new, |entry| {
            if entry.creates() {
                "the send that created it is undone, the store is gone".to_owned()
            } else {
                format!("the {} of {} is done", entry.command, transaction.id)
            }
        });
        say!("store '{store}': {what}");
    }
    say!("rolled back: {} stores", last.len());
    Ok(())
}

/// The last committed transaction of the store of `group`, if it can be undone and is of the group.
async fn last_of(bucket: &Bucket, group: &Group) -> Result<Unfinished, Failure> {
    let store = group.store.as_str();
    let impossible = |problem: &str| {
        let message = format!("store '{store}': {problem}; nothing was changed");
        Failure::new(Exit::NothingToUndo, message)
    };
    let records = bucket.entries(&layout::transactions(store));
    let ids = records.map_ok(|record| record.key.rsplit('/').next().unwrap_or_default().to_owned());
    let ids: Vec<String> = ids.try_collect().await?;
    let ids = ids.into_iter().filter(|id| is_id(id));
    let Some(id) = ids.max() else {
        return Err(impossible("its ledger knows of no transaction"));
    };
    let key = layout::before(store, &id);
    let mut entry = match Entry::read(bucket, store, &key).await {
        Ok(entry) => entry,
        Err(error) if error.is_missing() => {
            return Err(impossible(&format!(
                "what its last transaction, {id}, replaced is not kept: a transaction before it was rolled back already, or \
                 it was made with a --keep-undo too small"
            )));
        }
        Err(error) => return Err(error.into()),
    };
    let of_group = |key: &str| {
        let below = key.strip_prefix(&group.key());
        below.is_some_and(|below| below.starts_with('/'))
    };
    let arrays = entry
        .arrays
        .iter()
        .map(|array| layout::below(store, &array.name));
    let documents = entry.documents.iter().map(|document| document.key.clone());
    let stranger = arrays
        .chain(documents)
        .find(|key| !group.path.is_empty() && !of_group(key) && !of_group_above(group, key));
    if let Some(stranger) = stranger {
        return Err(impossible(&format!(
            "its last transaction, {id}, is of '{stranger}' too, which is not in the group '{}'; to undo that, name the whole store: \
             --store {store}",
            group.path
        )));
    }
    // Another tool may have changed the store since.
    let root = &entry.root;
    let now = bucket.get(&root.key).await;
    if !now.is_ok_and(|now| now == root.after) {
        return Err(impossible(&format!(
            "{} is not as its last transaction, {id}, left it: another program has changed it since, or it is damaged; put it back as \
             it was, or delete the store",
            root.key
        )));
    }
    entry.command = format!("{ROLLBACK} of the {}", entry.command);
    Ok(Unfinished {
        id,
        state: State::Back,
        writer: entry.holder.clone(),
        entry: Some(entry),
    })
}

/// Is `key` that of a document of one of the groups that `group` lies in? With what it holds, theirs change.
fn of_group_above(group: &Group, key: &str) -> bool {
    let folder = key.rsplit_once('/').map_or("", |(folder, _)| folder);
    group.key().starts_with(&format!("{folder}/"))
}
