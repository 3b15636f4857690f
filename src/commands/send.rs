//! `send`: create a store for each variable, or append the files' steps to it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use super::prepare::{Prepared, prepare};
use super::settle::settle;
use crate::cli::{Meter, SendArgs, Summary, read_credentials};
use crate::commit::{Commit, Manifest};
use crate::exit::{Exit, Failure};
use crate::plan::{Budget, Phase, Plan};
use crate::ranks::{Pulse, Ranks};
use crate::store::Bucket;
use crate::transfer::{ChunkRecord, Engine, TransferError};

/// Threads of a rank that wait for sockets.
const IO_THREADS: usize = 2;
/// Longest time between two pulses.
const PULSE: Duration = Duration::from_millis(100);

/// Runs the command on this rank.
pub(super) fn send(args: &SendArgs, ranks: &Ranks) -> Result<(), Failure> {
    let begun = Instant::now();
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = (cpus / ranks.sharing_cpus()).max(1);
    let started = start(args, threads);
    settle(ranks, &started.as_ref().map(|_| ()).map_err(Clone::clone))?;
    let (bucket, runtime) = started?;
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
    let committed = match records {
        Ok(records) if ranks.rank() == 0 => {
            job.commit(&engine, records.into_iter().flatten().collect())
        }
        Ok(_) => Ok(None),
        Err(failure) => Err(failure),
    };
    // What rank 0 says goes; the others' word was in the records.
    let verdict = ranks.broadcast(&committed.as_ref().map(|_| ()).map_err(Clone::clone))?;
    job.end(&engine, verdict)?;
    if let Ok(Some(manifest)) = &committed {
        println!(
            "{}",
            Summary {
                plan: &plan,
                manifest,
                elapsed: begun.elapsed()
            }
        );
    }
    Ok(())
}

/// What every rank needs before anything else.
fn start(args: &SendArgs, threads: usize) -> Result<(Bucket, Runtime), Failure> {
    let internal = |cause: String| Failure::new(Exit::Internal, cause);
    let access = args
        .credentials
        .as_deref()
        .map(read_credentials)
        .transpose()?;
    let bucket = Bucket::open(&args.bucket, access.as_ref())?;
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .map_err(|cause| internal(format!("starting threads: {cause}")))?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(IO_THREADS)
        .enable_all()
        .build()
        .map_err(|cause| internal(format!("starting the I/O threads: {cause}")))?;
    Ok((bucket, runtime))
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
            Ok(Err(error)) => Err(error.into()),
            Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
        }
    }

    /// Removes what a create that died left.
    fn clear(&self, remains: &[String]) -> Result<(), Failure> {
        for key in remains {
            self.runtime.block_on(self.bucket.delete(key))?;
        }
        Ok(())
    }

    /// Rank 0: checks the manifest, writes the small arrays, puts the documents. Undoes the documents if that fails.
    fn commit(
        &self,
        engine: &Arc<Engine>,
        records: Vec<ChunkRecord>,
    ) -> Result<Option<Manifest>, Failure> {
        let manifest = Manifest::check(self.plan, Phase::Transfer, records)?;
        let small = self
            .runtime
            .block_on(Arc::clone(engine).run(Phase::Commit))?;
        let manifest = manifest.and(Manifest::check(self.plan, Phase::Commit, small)?);
        let mut commit = Commit::new(self.bucket, self.args.verify);
        self.runtime.block_on(async {
            match commit.apply(self.plan).await {
                Ok(()) => Ok(Some(manifest)),
                Err(error) => {
                    let problems = commit.undo().await;
                    let exit = if problems.is_empty() {
                        Exit::TransferFailed
                    } else {
                        Exit::RollbackIncomplete
                    };
                    let message = [vec![format!("committing: {error}")], problems]
                        .concat()
                        .join("\n  ");
                    Err(Failure::new(exit, message))
                }
            }
        })
    }

    /// Every rank drops its undo copies, or puts everything back.
    fn end(&self, engine: &Engine, verdict: Result<(), Failure>) -> Result<(), Failure> {
        let Err(mut failure) = verdict else {
            let problems = self.runtime.block_on(engine.forget());
            for problem in self
                .ranks
                .gather(&problems)?
                .into_iter()
                .flatten()
                .flatten()
            {
                eprintln!("msm_os: an undo copy is left behind: {problem}");
            }
            return Ok(());
        };
        let problems = self.runtime.block_on(engine.undo());
        let problems = self
            .ranks
            .gather(&problems)?
            .into_iter()
            .flatten()
            .flatten()
            .collect::<Vec<_>>();
        if failure.exit == Exit::RollbackIncomplete || !problems.is_empty() {
            failure.exit = Exit::RollbackIncomplete;
            failure
                .message
                .push_str("; putting everything back failed as well:");
            for problem in problems {
                failure.message.push_str("\n  ");
                failure.message.push_str(&problem);
            }
        } else {
            failure
                .message
                .push_str("; rolled back, nothing has changed");
        }
        let exit = self.ranks.broadcast(&failure)?;
        Err(exit)
    }
}
