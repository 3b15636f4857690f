//! One transaction on all ranks: write, commit or roll back. Before the first, the comparison.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use tokio::runtime::Runtime;

use super::settle::settle;
use crate::cli::Meter;
use crate::commit::{Commit, Manifest};
use crate::exit::{Exit, Failure};
use crate::plan::{Phase, Plan};
use crate::ranks::{Pulse, Ranks};
use crate::store::Bucket;
use crate::transfer::{ChunkRecord, Engine, TransferError, Verify};

/// Requests in flight that remove remains.
const REQUESTS: usize = 16;
/// Longest time between two pulses.
const PULSE: Duration = Duration::from_millis(100);

/// A transaction under way on this rank.
pub(super) struct Job<'a> {
    pub ranks: &'a Ranks,
    pub runtime: &'a Runtime,
    pub bucket: &'a Bucket,
    pub plan: Arc<Plan>,
    pub verify: Verify,
}

impl Job<'_> {
    /// Compares what the plan, which is of comparisons only, says.
    ///
    /// # Errors
    /// On every rank the same: the first difference.
    pub(super) fn compare(&self) -> Result<(), Failure> {
        let engine = self.engine()?;
        settle(self.ranks, &self.work(&engine, Phase::Compare)).map(|_| ())
    }

    /// Does the transaction, and returns its manifest on rank 0. `remains` are the keys of what a create that died left.
    ///
    /// # Errors
    /// On every rank the same, when all is as it was before; or with what could not be put back.
    pub(super) fn run(&self, remains: &[String]) -> Result<Option<Manifest>, Failure> {
        let ranks = self.ranks;
        let engine = self.engine()?;
        settle(ranks, &self.clear(remains))?;
        let records = settle(ranks, &self.work(&engine, Phase::Transfer));
        let mut problems = Vec::new();
        let committed = match records {
            Ok(records) if ranks.rank() == 0 => {
                let records = records.into_iter().flatten().collect();
                self.commit(&engine, records, &mut problems).map(Some)
            }
            Ok(_) => Ok(None),
            Err(failure) => Err(failure),
        };
        // What rank 0 says goes; the others' word was in the records.
        match ranks.broadcast(&committed.as_ref().map(|_| ()).map_err(Clone::clone))? {
            Ok(()) => self.forget(&engine)?,
            Err(failure) => return Err(self.roll_back(&engine, failure, problems)?),
        }
        committed
    }

    fn engine(&self) -> Result<Arc<Engine>, Failure> {
        let (plan, bucket) = (Arc::clone(&self.plan), self.bucket.clone());
        let engine = Engine::new(plan, self.ranks.rank(), bucket, self.verify);
        let engine = engine.map_err(Failure::from);
        settle(
            self.ranks,
            &engine.as_ref().map(|_| ()).map_err(Clone::clone),
        )?;
        engine
    }

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
        let manifest = Manifest::check(&self.plan, Phase::Transfer, records)?;
        let small = self.runtime.block_on(Arc::clone(engine).run(Phase::Commit));
        let small = small.map_err(|error| self.on_this_rank(error))?;
        let manifest = manifest.and(Manifest::check(&self.plan, Phase::Commit, small)?);
        let mut commit = Commit::new(self.bucket, self.verify);
        self.runtime.block_on(async {
            match commit.apply(&self.plan).await {
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
