//! `delete`: stores go, root documents first, ledgers last; every rank deletes its share.
//!
//! Key type: [`Round`], the keys of one turn.

mod area;
mod arrays;
mod group;
mod survey;

use std::collections::BTreeSet;
use std::io::{IsTerminal, Write};

use futures::stream::LocalBoxStream;
use futures::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};
use tokio::runtime::Runtime;

use crate::cli::{DeleteArgs, Meter, Spot};
use crate::commit::{CleanupError, Deletion, sweep_staged};
use crate::exit::{Exit, Failure};
use crate::ranks::Ranks;
use crate::say;
use crate::store::{Bucket, Deleted, Entry, Group, Kind, StoreError, is_store, layout};
use crate::verbs::delete::area::Area;
use crate::verbs::delete::arrays::delete_arrays;
use crate::verbs::delete::group::{Contents, nested};
use crate::verbs::delete::survey::Survey;
use crate::verbs::shared::hold::Hold;
use crate::verbs::shared::start::{Started, start};

/// Keys of a round for each rank, and of a whole round.
const ROUND: usize = 8_000;
const WHOLE_ROUND: usize = 100_000;
/// Walks through the bucket until it has to be empty. One that changes under a walk may need a second.
const PASSES: usize = 3;

/// The keys of one turn.
#[derive(Serialize, Deserialize)]
struct Round {
    keys: Vec<String>,
    in_bulk: bool,
}

/// What rank 0 tells the others: the next round, `None` at the end.
type Word = Result<Option<Round>, Failure>;

/// Runs the command on this rank.
pub(in crate::verbs) fn delete(args: &DeleteArgs, ranks: &Ranks) -> Result<(), Failure> {
    let spot = args.store.spot_or_all()?;
    let Started {
        bucket, runtime, ..
    } = start(&args.store, ranks)?;
    if !args.array.is_empty() {
        let done = match ranks.rank() {
            0 => runtime.block_on(delete_arrays(args, &bucket, &spot)),
            _ => Ok(()),
        };
        return ranks.broadcast(&done)?;
    }
    let job = Job {
        args,
        ranks,
        runtime: &runtime,
        bucket: &bucket,
    };
    if ranks.rank() != 0 {
        return job.follow();
    }
    let prepared = match runtime.block_on(nested(&bucket, &spot)) {
        Ok(Some(group)) => job.delete_group(group).map(|()| None),
        Ok(None) => job.prepare(&spot),
        Err(failure) => Err(failure),
    };
    match prepared {
        Ok(Some(survey)) => {
            let mut gone = 0;
            let done = job.delete_held(&survey, &mut gone);
            let all = survey.total();
            let done = done.map_err(|Failure { exit, message }| {
                let left = all.objects.saturating_sub(gone);
                let of_all = format!("{left} of {} objects are left", all.objects);
                let message = format!("{message}; {of_all}, the same delete again finishes it");
                Failure::new(exit, message)
            });
            ranks.broadcast(&done.map(|()| None) as &Word)??;
            say!("deleted: {} stores, {all}", survey.stores());
        }
        nothing => {
            ranks.broadcast(&nothing.map(|_| None) as &Word)??;
        }
    }
    Ok(())
}

/// A delete under way on this rank.
struct Job<'a> {
    args: &'a DeleteArgs,
    ranks: &'a Ranks,
    runtime: &'a Runtime,
    bucket: &'a Bucket,
}

impl Job<'_> {
    /// Rank 0: looks at what there is, and asks. `None` if nothing is to be deleted.
    fn prepare(&self, spot: &Spot) -> Result<Option<Survey>, Failure> {
        asks(self.args)?;
        let survey = Survey::of(self.args, self.bucket, spot);
        let survey = self.runtime.block_on(survey)?;
        Ok(self.is_wanted(&survey)?.then_some(survey))
    }

    /// Rank 0: deletes a group of a hierarchy, if that is wanted.
    fn delete_group(&self, group: Group) -> Result<(), Failure> {
        asks(self.args)?;
        let what = format!("  {group}");
        let contents = Contents::of(self.args, self.bucket, group);
        let contents = self.runtime.block_on(contents)?;
        if self.is_wanted(&format!("{what}: {}", contents.tally))? {
            self.runtime
                .block_on(contents.delete(self.args, self.bucket))?;
        }
        Ok(())
    }

    /// Says what would be deleted, or asks whether it is to be.
    fn is_wanted(&self, what: &impl std::fmt::Display) -> Result<bool, Failure> {
        let place = self.bucket.place();
        if self.args.dry_run {
            say!("would delete from {place}:\n{what}");
            return Ok(false);
        }
        if asks(self.args)? && !confirmed(&format!("to delete from {place}:\n{what}"))? {
            say!("nothing was deleted");
            return Ok(false);
        }
        Ok(true)
    }

    /// Rank 0: deletes all of it while no other job writes there, and counts in `gone`. From the journals' first entry on
    /// it only goes forward, whoever goes on with it.
    fn delete_held(&self, survey: &Survey, gone: &mut u64) -> Result<(), Failure> {
        let (bucket, runtime) = (self.bucket, self.runtime);
        let stores: Vec<String> = survey.names().cloned().collect();
        let hold = Hold::take_as_it_is(bucket, &self.args.lease, &stores, "delete");
        let hold = runtime.block_on(hold)?;
        let mut delete = || {
            let begun = runtime.block_on(Deletion::begin(bucket, &stores, &hold.holder))?;
            runtime.block_on(self.clear_away(survey))?;
            self.delete(survey, gone)?;
            let ended = runtime.block_on(begun.end());
            ended.map_err(|error| Failure::new(Exit::DeleteIncomplete, error.to_string()))
        };
        let done: Result<(), Failure> = delete();
        let done = done.map_err(|failure| hold.verdict(failure));
        runtime.block_on(hold.release());
        done
    }

    /// Rank 0: removes what is in a directory besides objects: what dead jobs staged, and links, behind which nothing is
    /// deleted.
    async fn clear_away(&self, survey: &Survey) -> Result<(), StoreError> {
        for link in &survey.links {
            self.bucket.clear_away(&link.path).await?;
        }
        for store in survey.names() {
            sweep_staged(self.bucket, store).await?;
        }
        Ok(())
    }

    /// Rank 0: deletes all of it, and counts in `gone`.
    fn delete(&self, survey: &Survey, gone: &mut u64) -> Result<(), Failure> {
        let stores: BTreeSet<&String> = survey.names().collect();
        for roots in survey.roots() {
            let deleted = self.runtime.block_on(self.bucket.delete_all(roots, false));
            settle_round(&[deleted], gone)?;
        }
        let mut meter = Meter::new(survey.total().bytes);
        let mut bytes = 0;
        for ledgers in [false, true] {
            let mut clean = false;
            for pass in 0..PASSES {
                if clean {
                    break;
                }
                clean = true;
                let mut walk = self.walk(&survey.areas, &stores, ledgers);
                while let Some(round) = self.runtime.block_on(walk.next()) {
                    let entries = round?;
                    clean = false;
                    bytes += entries.iter().map(|entry| entry.bytes).sum::<u64>();
                    // A server may say that it deleted many, and not do it.
                    let round = Round {
                        keys: entries.into_iter().map(|entry| entry.key).collect(),
                        in_bulk: pass == 0,
                    };
                    if let Some(round) = self.ranks.broadcast(&Ok(Some(round)) as &Word)?? {
                        settle_round(&self.take_part(&round)?, gone)?;
                    }
                    meter.show(bytes, *gone);
                }
            }
            if !clean {
                let message = "the server still lists objects that it said it deleted, or someone writes there";
                return Err(Failure::new(Exit::DeleteIncomplete, message));
            }
        }
        Ok(())
    }

    /// The objects to delete in `areas`, in rounds: of stores and foreign ones, or of ledgers; of `stores` only, whose leases
    /// are held.
    fn walk<'a>(
        &'a self,
        areas: &'a [Area],
        stores: &'a BTreeSet<&String>,
        ledgers: bool,
    ) -> LocalBoxStream<'a, Result<Vec<Entry>, StoreError>> {
        // Others are not this job's to delete.
        let is_held = |store: &str| stores.contains(&store.to_owned());
        let doomed = move |area: &Area, key: &str| match area.kind(key) {
            // What tells of the delete itself goes last.
            (Some(store), Kind::Ledger) => {
                ledgers && is_held(store) && !layout::is_in_use(store, key)
            }
            (None, Kind::Ledger) => ledgers,
            (Some(store), Kind::Root(_) | Kind::Part) => !ledgers && is_held(store),
            (Some(_), Kind::Foreign) => !ledgers && self.args.force,
            // Nor is a store that was put there since.
            (None, _) => {
                let is_of_one = |part| is_store(part) || part == layout::LEDGERS;
                !ledgers && self.args.force && !key.split('/').any(is_of_one)
            }
        };
        let entries = stream::iter(areas).flat_map(move |area| {
            let entries = self.bucket.entries(&area.below);
            entries.try_filter(move |entry| std::future::ready(doomed(area, &entry.key)))
        });
        let rounds = entries.try_chunks((ROUND * self.ranks.size()).min(WHOLE_ROUND));
        rounds.map_err(|cause| cause.1).boxed_local()
    }

    /// Other ranks: what rank 0 says, until the end.
    fn follow(&self) -> Result<(), Failure> {
        while let Some(round) = self.ranks.broadcast(&Ok(None) as &Word)?? {
            self.take_part(&round)?;
        }
        Ok(())
    }

    /// Deletes this rank's share of the round. Rank 0 gets how it went on every rank.
    fn take_part(&self, round: &Round) -> Result<Vec<Deleted>, Failure> {
        let share = round.keys.len().div_ceil(self.ranks.size()).max(1);
        let mine = round.keys.chunks(share).nth(self.ranks.rank());
        let mine = mine.unwrap_or_default().to_vec();
        let deleted = self.runtime.block_on(async {
            // Without it, the first request says so.
            let _ = self.bucket.fence().opened().await;
            self.bucket.delete_all(mine, round.in_bulk).await
        });
        Ok(self.ranks.gather(&deleted)?.unwrap_or_default())
    }
}

/// Counts the objects that all ranks deleted in `gone`; fails if some gave trouble.
fn settle_round(all: &[Deleted], gone: &mut u64) -> Result<(), Failure> {
    *gone += all.iter().map(|deleted| deleted.objects).sum::<u64>();
    let problems = all.iter().flat_map(|deleted| deleted.problems.clone());
    let settled = CleanupError::of(problems.collect());
    settled.map_err(|error| Failure::new(Exit::DeleteIncomplete, error.to_string()))
}

/// Does the command have to ask?
///
/// # Errors
/// If there is no terminal to ask on.
pub(in crate::verbs) fn asks(args: &DeleteArgs) -> Result<bool, Failure> {
    let asks = !args.yes && !args.dry_run;
    if asks && !std::io::stdin().is_terminal() {
        let message = "there is no terminal to ask on: give --yes to delete, or --dry-run to see what would go; \
                       nothing was deleted";
        return Err(Failure::new(Exit::Usage, message));
    }
    Ok(asks)
}

/// Asks on the terminal.
pub(in crate::verbs) fn confirmed(what: &str) -> Result<bool, Failure> {
    let failed = |cause| Failure::new(Exit::Internal, format!("asking on the terminal: {cause}"));
    let mut out = std::io::stderr();
    write!(out, "{what}\nDelete all of this? Type yes: ").map_err(failed)?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(failed)?;
    Ok(answer.trim() == "yes")
}
