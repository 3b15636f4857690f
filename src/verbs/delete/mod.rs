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

use crate::cli::{DeleteArgs, Meter, Spot};
use crate::commit::{begin_delete, end_delete, new_id, sweep_staged, token};
use crate::exit::{Exit, Failure};
use crate::ranks::{Lead, Ranks, Role};
use crate::say;
use crate::store::{Deleted, Entry, Group, Kind, StoreError, is_store, layout};
use crate::verbs::delete::area::Area;
use crate::verbs::delete::arrays::delete_arrays;
use crate::verbs::delete::group::{Contents, nested};
use crate::verbs::delete::survey::Survey;
use crate::verbs::shared::hold::Hold;
use crate::verbs::shared::start::{Job, start};

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

/// Runs the command on this rank.
pub(in crate::verbs) fn delete(args: &DeleteArgs, ranks: &Ranks) -> Result<(), Failure> {
    let spot = args.store.spot_or_all()?;
    let job = start(&args.store, ranks)?;
    if !args.array.is_empty() {
        return job.on_lead(delete_arrays(args, &job, &spot));
    }
    match ranks.role() {
        Role::Lead(lead) => {
            let job = &job;
            let done = Deleting { args, job, lead }.all(&spot);
            // After the last round there is none.
            lead.share(done.map(|()| None::<Round>)).map(drop)
        }
        Role::Follower(follower) => {
            while let Some(round) = follower.hear::<Option<Round>>()? {
                follower.give(&round.delete_share(&job))?;
            }
            Ok(())
        }
    }
}

/// A delete under way, as the lead sees it.
struct Deleting<'a> {
    args: &'a DeleteArgs,
    job: &'a Job<'a>,
    lead: Lead<'a>,
}

impl Deleting<'_> {
    /// Deletes what is at `spot`.
    fn all(&self, spot: &Spot) -> Result<(), Failure> {
        let job = self.job;
        if let Some(group) = job.runtime.block_on(nested(&job.bucket, spot))? {
            return self.delete_group(group);
        }
        let Some(survey) = self.prepare(spot)? else {
            return Ok(());
        };
        let (mut gone, all) = (0, survey.total());
        self.delete_held(&survey, &mut gone)
            .map_err(|Failure { exit, message }| {
                let left = all.objects.saturating_sub(gone);
                let of_all = format!("{left} of {} objects are left", all.objects);
                let message = format!("{message}; {of_all}, the same delete again finishes it");
                Failure::new(exit, message)
            })?;
        say!("deleted: {} stores, {all}", survey.stores());
        Ok(())
    }

    /// Looks at what there is, and asks. `None` if nothing is to be deleted.
    fn prepare(&self, spot: &Spot) -> Result<Option<Survey>, Failure> {
        asks(self.args)?;
        let survey = Survey::of(self.args, &self.job.bucket, spot);
        let survey = self.job.runtime.block_on(survey)?;
        Ok(self.is_wanted(&survey)?.then_some(survey))
    }

    /// Deletes a group of a hierarchy, if that is wanted.
    fn delete_group(&self, group: Group) -> Result<(), Failure> {
        asks(self.args)?;
        let what = format!("  {group}");
        let contents = Contents::of(self.args, &self.job.bucket, group);
        let contents = self.job.runtime.block_on(contents)?;
        if self.is_wanted(&format!("{what}: {}", contents.tally))? {
            self.job
                .runtime
                .block_on(contents.delete(self.args, self.job))?;
        }
        Ok(())
    }

    /// Says what would be deleted, or asks whether it is to be.
    fn is_wanted(&self, what: &impl std::fmt::Display) -> Result<bool, Failure> {
        let place = self.job.bucket.place();
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

    /// Deletes all of it while no other job writes there, and counts in `gone`. From the journals' first entry on
    /// it only goes forward, whoever goes on with it.
    fn delete_held(&self, survey: &Survey, gone: &mut u64) -> Result<(), Failure> {
        let Job {
            bucket, runtime, ..
        } = self.job;
        let stores: Vec<String> = survey.names().cloned().collect();
        let hold = Hold::take_as_it_is(self.job, &self.args.lease, &stores, "delete");
        let hold = runtime.block_on(hold)?;
        let id = new_id(0, &token());
        let done = runtime
            .block_on(begin_delete(bucket, &stores, &id, &hold.holder))
            .map_err(Failure::from)
            .and_then(|()| Ok(runtime.block_on(self.clear_away(survey))?))
            .and_then(|()| self.delete(survey, gone))
            .and_then(|()| {
                let problems = runtime.block_on(end_delete(bucket, &stores));
                settle_round(
                    &[Deleted {
                        objects: 0,
                        problems,
                    }],
                    gone,
                )
            });
        let done = done.map_err(|failure| hold.verdict(failure));
        runtime.block_on(hold.release());
        done
    }

    /// Removes what is in a directory besides objects: what dead jobs staged, and links, behind which nothing is
    /// deleted.
    async fn clear_away(&self, survey: &Survey) -> Result<(), StoreError> {
        for link in &survey.links {
            self.job.bucket.clear_away(&link.path).await?;
        }
        for store in survey.names() {
            sweep_staged(&self.job.bucket, store).await?;
        }
        Ok(())
    }

    /// Deletes all of it, and counts in `gone`.
    fn delete(&self, survey: &Survey, gone: &mut u64) -> Result<(), Failure> {
        let stores: BTreeSet<&String> = survey.names().collect();
        for roots in survey.roots() {
            let deleted = self
                .job
                .runtime
                .block_on(self.job.bucket.delete_all(roots, false));
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
                while let Some(round) = self.job.runtime.block_on(walk.next()) {
                    let entries = round?;
                    clean = false;
                    bytes += entries.iter().map(|entry| entry.bytes).sum::<u64>();
                    // A server may say that it deleted many, and not do it.
                    let round = Round {
                        keys: entries.into_iter().map(|entry| entry.key).collect(),
                        in_bulk: pass == 0,
                    };
                    self.round(&round, gone)?;
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
            let entries = self.job.bucket.entries(&area.below);
            entries.try_filter(move |entry| std::future::ready(doomed(area, &entry.key)))
        });
        let rounds = entries.try_chunks((ROUND * self.job.ranks.size()).min(WHOLE_ROUND));
        rounds.map_err(|cause| cause.1).boxed_local()
    }

    /// All ranks delete their shares of the round; counts the objects in `gone`.
    fn round(&self, round: &Round, gone: &mut u64) -> Result<(), Failure> {
        self.lead.tell(&Some(round))?;
        settle_round(&self.lead.collect(round.delete_share(self.job))?, gone)
    }
}

impl Round {
    /// Deletes this rank's share.
    fn delete_share(&self, job: &Job<'_>) -> Deleted {
        let (bucket, ranks) = (&job.bucket, job.ranks);
        let share = self.keys.len().div_ceil(ranks.size()).max(1);
        let mine = self.keys.chunks(share).nth(ranks.rank());
        let mine = mine.unwrap_or_default().to_vec();
        job.runtime.block_on(async {
            // Without it, the first request says so.
            let _ = bucket.fence().opened().await;
            bucket.delete_all(mine, self.in_bulk).await
        })
    }
}

/// Counts the objects that all ranks deleted in `gone`; fails if some gave trouble.
fn settle_round(all: &[Deleted], gone: &mut u64) -> Result<(), Failure> {
    *gone += all.iter().map(|deleted| deleted.objects).sum::<u64>();
    let problems: Vec<&str> = all
        .iter()
        .flat_map(|deleted| &deleted.problems)
        .map(String::as_str)
        .collect();
    if problems.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Exit::DeleteIncomplete, problems.join("\n  ")))
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
