//! `send`: create a store for each variable, or append the files' steps to it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, stream};
use tokio::runtime::Runtime;

use super::prepare::{Prepared, prepare};
use super::settle::settle;
use super::start::{Started, start};
use crate::cli::{Meter, SendArgs, Summary};
use crate::commit::{Commit, Manifest, record};
use crate::exit::{Exit, Failure};
use crate::plan::{Budget, Phase, Plan};
use crate::ranks::{Pulse, Ranks};
use crate::store::Bucket;
use crate::transfer::{ChunkRecord, Engine, TransferError};

/// Requests in flight that remove remains.
const REQUESTS: usize = 16;
/// Longest time between two pulses.
const PULSE: Duration = Duration::from_millis(100);

/// Runs the command on this rank.
pub(super) fn send(args: &SendArgs, ranks: &Ranks) -> Result<(), Failure> {
    let begun = Instant::now();
    let Started {
        bucket,
        runtime,
        threads,
    } = start(&args.store, ranks)?;
    let budget = Budget {
        memory: args.memory,
        threads: threads as u64,
    };

    let (prepared, remains) = if ranks.rank() == 0 {
        match runtime.block_on(prepare(args, &bucket, ranks.size(), budget)) {
            Ok(Prepared { plan, remains }) => (Ok(plan), remains),
            Err(failure) => (Err(failure), Vec::new()),
        }
    } else {
        (Ok(None), Vec::new())
    };
    let Some(plan) = ranks.broadcast(&prepared)?? else {
        return Ok(());
    };
    let plan = Arc::new(plan);
    let job = Job {
        args,
        ranks,
        runtime: &runtime,
        bucket: &bucket,
        plan: &plan,
    };
    let engine = Engine::new(Arc::clone(&plan), ranks.rank(), bucket.clone(), args.verify)
        .map_err(Failure::from);
    settle(ranks, &engine.as_ref().map(|_| ()).map_err(Clone::clone))?;
    let engine = engine?;

    settle(ranks, &job.work(&engine, Phase::Compare))?;
    settle(ranks, &job.clear(&remains))?;
    let records = settle(ranks, &job.work(&engine, Phase::Transfer));
    let mut problems = Vec::new();
    let committed = match records {
        Ok(records) if ranks.rank() == 0 => {
            let records = records.into_iter().flatten().collect();
            job.commit(&engine, records, &mut problems).map(Some)
        }
        Ok(_) => Ok(None),
        Err(failure) => Err(failure),
    };
    // What rank 0 says goes; the others' word was in the records.
    match ranks.broadcast(&committed.as_ref().map(|_| ()).map_err(Clone::clone))? {
        Ok(()) => job.forget(&engine)?,
        Err(failure) => return Err(job.roll_back(&engine, failure, problems)?),
    }
    if let Ok(Some(manifest)) = &committed {
        for problem in runtime.block_on(record(&bucket, &plan, manifest, "send")) {
            eprintln!("msm_os: the ledger lacks the record of this transaction: {problem}");
        }
        let elapsed = begun.elapsed();
        println!(
            "{}",
            Summary {
                plan: &plan,
                manifest,
                elapsed
            }
        );
    }
    Ok(())
}

/// A send under way on this rank.
struct Job<'a> {
    args: &'a SendArgs,
    ranks: &'a Ranks,
    runtime: &'a Runtime,
    bucket: &'a Bucket,
    plan: &'a Arc<Plan>,
}

impl Job<'_> {
    /// Does this rank's units of `phase`, while all ranks tell each other how far they are. When one fails, all stop.
    fn work(&self, engine: &Arc<Engine>, phase: Phase) -> Result<Vec<ChunkRecord>, Failure> {
        let progress = engine.progress();
        let (objects, bytes) = (progress.objects(), progress.bytes());
        let running = self.runtime.spawn(Arc::clone(engine).run(phase));
        let mut meter = (self.ranks.rank() == 0).then(|| Meter::new(self.plan.bytes(phase)));
        let mut nap = Duration::from_millis(1);
        loop {
            let all = self.ranks.agree(Pulse {
                finished: u64::from(running.is_finished()),
                objects: progress.objects() - objects,
                bytes: progress.bytes() - bytes,
                failed: u64::from(progress.has_failed()),
            });
            if all.failed > 0 {
                progress.stop();
            }
            if let Some(meter) = &mut meter {
                meter.show(all.bytes, all.objects);
            }
            if all.finished == self.ranks.size() as u64 {
                break;
            }
            std::thread::sleep(nap);
            nap = (nap * 2).min(PULSE);
        }
        match self.runtime.block_on(running) {
            Ok(Ok(records)) => Ok(records),
            // The rank that failed says why.
            Ok(Err(TransferError::Stopped)) => Ok(Vec::new()),
            Ok(Err(error)) => Err(self.on_this_rank(error)),
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }

    /// Rank 0: removes what a create that died left.
    fn clear(&self, remains: &[String]) -> Result<(), Failure> {
        let deletes = stream::iter(remains).map(|key| self.bucket.delete(key));
        let deleted = deletes.buffer_unordered(REQUESTS).try_collect::<()>();
        Ok(self.runtime.block_on(deleted)?)
    }

    /// Rank 0: checks the manifest, writes the small arrays, puts the documents. If that fails it puts the documents
    /// back, and adds what could not be to `problems`.
    fn commit(
        &self,
        engine: &Arc<Engine>,
        records: Vec<ChunkRecord>,
        problems: &mut Vec<String>,
    ) -> Result<Manifest, Failure> {
        let manifest = Manifest::check(self.plan, Phase::Transfer, records)?;
        let small = self.runtime.block_on(Arc::clone(engine).run(Phase::Commit));
        let small = small.map_err(|error| self.on_this_rank(error))?;
        let manifest = manifest.and(Manifest::check(self.plan, Phase::Commit, small)?);
        let mut commit = Commit::new(self.bucket, self.args.verify);
        self.runtime.block_on(async {
            match commit.apply(self.plan).await {
                Ok(()) => Ok(manifest),
                Err(error) => {
                    problems.extend(commit.undo().await);
                    let exit = if problems.is_empty() {
                        Exit::TransferFailed
                    } else {
                        Exit::RollbackIncomplete
                    };
                    Err(Failure::new(exit, format!("committing: {error}")))
                }
            }
        })
    }

    /// Every rank drops its undo copies.
    fn forget(&self, engine: &Engine) -> Result<(), Failure> {
        let problems = self.runtime.block_on(engine.forget());
        for problem in self.on_rank_0(&problems)? {
            eprintln!("msm_os: an undo copy is left behind: {problem}");
        }
        Ok(())
    }

    /// Every rank puts back what it touched. Returns `failure` with how that went; rank 0 may know `problems` already.
    fn roll_back(
        &self,
        engine: &Engine,
        mut failure: Failure,
        mut problems: Vec<String>,
    ) -> Result<Failure, Failure> {
        // A new root that could not be taken back is live: readers need the objects that it names.
        if failure.exit != Exit::RollbackIncomplete {
            problems.extend(self.runtime.block_on(engine.undo()));
        }
        let problems = self.on_rank_0(&problems)?;
        if problems.is_empty() {
            failure.message += "; rolled back, nothing has changed";
        } else {
            failure.exit = Exit::RollbackIncomplete;
            failure.message += "; putting everything back failed as well:\n  ";
            failure.message += &problems.join("\n  ");
        }
        self.ranks.broadcast(&failure)
    }

    /// All ranks' problems on rank 0, none elsewhere.
    fn on_rank_0(&self, problems: &Vec<String>) -> Result<Vec<String>, Failure> {
        let gathered = self.ranks.gather(problems)?;
        Ok(gathered.into_iter().flatten().flatten().collect())
    }

    fn on_this_rank(&self, error: TransferError) -> Failure {
        let failure = Failure::from(error);
        let message = format!("rank {}: {}", self.ranks.rank(), failure.message);
        Failure::new(failure.exit, message)
    }
}
