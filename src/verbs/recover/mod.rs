//! `recover`: what dead jobs left goes forward or back, and what no transaction owns is removed. Rank 0's work; the others
//! wait.

mod truncate;

use std::time::{Duration, SystemTime};

use futures::{StreamExt, TryStreamExt, stream};

use crate::cli::{RecoverArgs, Spot, bytes_shown};
use crate::commit::{
    Journal, LeaseTimes, LiveLease, State, clear_ledger, live_lease, orphans, probe_and_sweep,
    sweep, sweep_staged,
};
use crate::exit::{Exit, Failure};
use crate::ranks::Ranks;
use crate::say;
use crate::store::REQUESTS;
use crate::store::{Bucket, Entry, Found, Group, layout, read_store};
use crate::verbs::recover::truncate::{foretell_cuts, needs_cut, truncate};
use crate::verbs::shared::hold::{Hold, this};
use crate::verbs::shared::left::{is_locked, journals, told};
use crate::verbs::shared::start::{Job, start};
use crate::verbs::stores::named::{keys, stores};
use crate::verbs::stores::place::Place;
use crate::verbs::stores::shelf::Shelf;

/// Runs the command on this rank.
pub(in crate::verbs) fn recover(args: &RecoverArgs, ranks: &Ranks) -> Result<(), Failure> {
    let spot = args.store.spot_or_all()?;
    let job = start(&args.store, ranks)?;
    job.on_lead(recover_here(args, &job, &spot))
}

async fn recover_here(args: &RecoverArgs, job: &Job<'_>, spot: &Spot) -> Result<(), Failure> {
    let bucket = &job.bucket;
    bucket.reach(spot.key()).await?;
    let all = keys(&stores(bucket, spot, &[]).await?);
    let folders = folders(bucket, spot, &all).await?;
    let (found, mut problems) = readable_journals(bucket, &all).await;
    if args.dry_run {
        foretell(args, job, &folders[0], &all, found).await?;
        problems.extend(foretell_cuts(args, bucket, &all).await);
        return Failure::together(problems);
    }
    let desk = bucket.unfenced()?;
    let guarantees = probe_and_sweep(&desk, &folders[0], &this(job, "recover")?).await?;
    for folder in &folders[1..] {
        sweep(&desk, folder, &guarantees).await?;
    }
    let times = LeaseTimes::of_this_run();
    let (mut healed, mut removed, mut cut) = (0, 0, 0);
    let mut held = Vec::new();
    // One store after the other: each is whole on its own, and a busy one is not in the way of the others.
    for store in &all {
        let journal = found.iter().find(|(other, _)| other == store);
        let count = journal.and_then(|(_, found)| Some(found.as_ref()?.unfinished.len()));
        let leases = bucket.list(&layout::leases(store)).await?;
        let mut staged = bucket.staged(store).await?;
        staged.extend(bucket.staged(&layout::ledger(store)).await?);
        let is_tidy = journal.is_none() && leases.is_empty() && staged.is_empty();
        let is_uneven = match needs_cut(args, bucket, store, journal.is_some()).await {
            Ok(is_uneven) => is_uneven,
            Err(failure) => {
                problems.push(failure);
                continue;
            }
        };
        if is_tidy && !args.orphans && !is_uneven {
            continue;
        }
        if let Some(lease) = live_lease(bucket, store, &guarantees, times).await? {
            held.push(still_held(store, &lease));
            continue;
        }
        if journal.is_some_and(|(_, journal)| journal.is_none()) {
            continue;
        }
        match recover_one(args, job, store).await {
            Ok(done) => {
                healed += count.unwrap_or(0);
                removed += done.orphans;
                cut += u64::from(done.is_cut);
            }
            Err(failure) => problems.push(failure),
        }
    }
    if !problems.is_empty() {
        return Failure::together(problems.into_iter().chain(held));
    }
    say!("recovered: {healed} transactions in {} stores", all.len());
    if args.orphans {
        say!("removed: {removed} objects that no transaction owns");
    }
    match cut {
        _ if !args.truncate => {}
        0 => say!("truncated: nothing, no store has arrays of different lengths"),
        cut => say!("truncated: {cut} stores"),
    }
    Failure::together(held)
}

/// The folders whose ledgers' folders are swept, at least one; none is in a store.
async fn folders(bucket: &Bucket, spot: &Spot, stores: &[String]) -> Result<Vec<String>, Failure> {
    let folder = |key: &str| {
        key.rsplit_once('/')
            .map_or("", |(folder, _)| folder)
            .to_owned()
    };
    Ok(match Place::of(bucket, spot).await? {
        Place::Shelf(Shelf { prefix, .. }) if prefix.is_empty() => vec![prefix],
        // The ledger of the store of all variables lies beside the prefix, not below it.
        Place::Shelf(Shelf { prefix, .. }) => vec![prefix.clone(), folder(&prefix)],
        Place::Store(key) | Place::Group(Group { store: key, .. }) => {
            vec![folder(stores.first().unwrap_or(&key))]
        }
    })
}

/// A store is left alone: whoever has this `lease` may be writing it.
fn still_held(store: &str, lease: &LiveLease) -> Failure {
    // Rounded up, so that it is over by then.
    let left = Duration::from_secs(lease.left.as_secs() + 1);
    let message = format!(
        "store '{store}': left alone, for it is being written: {lease}; if that job is dead, run recover again in {}, after {}",
        humantime::format_duration(left),
        humantime::format_rfc3339_seconds(SystemTime::now() + left)
    );
    Failure::new(Exit::StillHeld, message)
}

/// The journals of those of `stores` that have one; none of what cannot be read, and why not. A damaged one is not in the way
/// of other stores.
async fn readable_journals(
    bucket: &Bucket,
    stores: &[String],
) -> (Vec<(String, Option<Journal>)>, Vec<Failure>) {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    let read = stream::iter(stores).map(|store| async move {
        let journal = journals(bucket, std::slice::from_ref(store)).await;
        (store, journal)
    });
    let mut read = read.buffered(REQUESTS);
    while let Some((store, journal)) = read.next().await {
        match journal {
            Ok(journal) => found.extend(journal.into_iter().map(|(s, j)| (s, Some(j)))),
            Err(error) => {
                found.push((store.clone(), None));
                problems.push(error.into());
            }
        }
    }
    (found, problems)
}

/// What was done to one store.
#[derive(Default)]
struct Done {
    /// Objects that no transaction owned.
    orphans: u64,
    /// Was it cut?
    is_cut: bool,
}

/// Heals one store, and mends it.
async fn recover_one(args: &RecoverArgs, job: &Job<'_>, store: &str) -> Result<Done, Failure> {
    let bucket = &job.bucket;
    let stores = [store.to_owned()];
    let mut hold = Hold::take(job, &args.lease, &stores, "recover").await?;
    let mut what = Done::default();
    let mut done = hold.left.heal(bucket).await;
    if done.is_ok() {
        done = sweep_staged(bucket, store)
            .await
            .map(drop)
            .map_err(Failure::from);
    }
    if done.is_ok() && args.truncate {
        done = match truncate(args, bucket, store, &hold).await {
            Ok(is_cut) => {
                what.is_cut = is_cut;
                Ok(())
            }
            Err(failure) => Err(failure),
        };
    }
    if done.is_ok() && args.orphans {
        done = match remove_orphans(bucket, store).await {
            Ok(objects) => {
                what.orphans = objects;
                Ok(())
            }
            Err(failure) => Err(failure),
        };
    }
    let done = done.map_err(|failure| hold.verdict(failure));
    hold.release().await;
    done.map(|()| what)
}

async fn remove_orphans(bucket: &Bucket, store: &str) -> Result<u64, Failure> {
    let orphans = orphans(bucket, store).await?;
    let keys: Vec<String> = orphans.into_iter().map(|entry| entry.key).collect();
    for key in &keys {
        say!("removing {key}");
    }
    let deleted = bucket.delete_all(keys, false).await;
    let mut problems = deleted.problems;
    let group = Group::whole(store);
    if let (true, Found::Nothing) = (problems.is_empty(), read_store(bucket, &group, "").await?) {
        // What is left tells of a store that is no more.
        problems = clear_ledger(bucket, store, None).await?;
    }
    if problems.is_empty() {
        return Ok(deleted.objects);
    }
    let message = format!("store '{store}': {}", problems.join("\n  "));
    Err(Failure::new(Exit::DeleteIncomplete, message))
}

/// Says what would be done.
async fn foretell(
    args: &RecoverArgs,
    job: &Job<'_>,
    folder: &str,
    all: &[String],
    found: Vec<(String, Option<Journal>)>,
) -> Result<(), Failure> {
    let (bucket, mut transactions) = (&job.bucket, 0);
    if !found.is_empty() {
        let desk = bucket.unfenced()?;
        let guarantees = probe_and_sweep(&desk, folder, &this(job, "recover")?).await?;
        let times = LeaseTimes::of_this_run();
        for (store, journal) in found {
            let holder = live_lease(bucket, &store, &guarantees, times).await?;
            let journal = journal.unwrap_or_default();
            for key in journal.strays.iter().filter(|_| holder.is_none()) {
                say!("would remove {key}, of a transaction that has ended");
            }
            for transaction in journal.unfinished {
                let what = told(&transaction);
                if is_locked(&transaction, args.lease.locks().as_deref()) {
                    say!("store '{store}': {what} may be under way: give its --lock-dir");
                    continue;
                }
                if let Some(holder) = &holder {
                    say!("store '{store}': {what} is under way: {holder}");
                    continue;
                }
                transactions += 1;
                let way = match transaction.state {
                    State::Open | State::Back => "rolled back",
                    State::Prepared => "finished",
                    State::Delete => "gone on with",
                };
                say!("store '{store}': {what} would be {way}");
            }
        }
    }
    say!(
        "{transactions} transactions in {} stores would be recovered",
        all.len()
    );
    if !args.orphans {
        return Ok(());
    }
    let found = stream::iter(all).map(|store| orphans(bucket, store));
    let found: Vec<Vec<Entry>> = found.buffered(REQUESTS).try_collect().await?;
    let (mut objects, mut bytes) = (0u64, 0);
    for entry in found.into_iter().flatten() {
        say!("would remove {}", entry.key);
        objects += 1;
        bytes += entry.bytes;
    }
    say!(
        "{objects} objects, {}, would be removed",
        bytes_shown(bytes)
    );
    Ok(())
}
