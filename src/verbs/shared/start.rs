//! What every rank of every command needs before anything else.
//!
//! Key type: [`Job`].

use std::sync::Arc;

use rayon::{ThreadPool, ThreadPoolBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::{Builder, Runtime};

use crate::cli::{Opened, StoreArgs};
use crate::commit::{Crew, Rank};
use crate::exit::{Exit, Failure};
use crate::ranks::{Ranks, Role};
use crate::store::Bucket;

/// Threads of a rank that wait for sockets.
const IO_THREADS: usize = 2;

/// A job, on one of its ranks.
pub(in crate::verbs) struct Job<'a> {
    pub ranks: &'a Ranks,
    /// The bucket, not yet asked anything.
    pub bucket: Bucket,
    /// What runs its requests.
    pub runtime: Runtime,
    /// Threads that decode and encode: this rank's share of the node's CPUs.
    pub pool: Arc<ThreadPool>,
    /// Who it is, to other jobs.
    pub crew: Crew,
}

impl Job<'_> {
    /// The lead works, the others wait for what comes of it.
    ///
    /// # Errors
    /// On every rank the same: if the work fails.
    pub fn on_lead<T: Serialize + DeserializeOwned>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        self.ranks.on_lead(|| self.runtime.block_on(work))
    }
}

/// Opens the bucket and starts this rank's threads.
///
/// # Errors
/// On every rank the same: the failure of the lowest rank that has one.
pub(in crate::verbs) fn start<'a>(args: &StoreArgs, ranks: &'a Ranks) -> Result<Job<'a>, Failure> {
    let started = start_here(args, ranks).map_err(|failure| match ranks.role() {
        Role::Lead(_) => failure,
        Role::Follower(_) => ranks.here(failure),
    });
    let place = |(job, _): &(Job<'_>, _)| (job.bucket.place().to_owned(), Rank::this());
    let mine = started.as_ref().map(place).map_err(Clone::clone);
    let processes = ranks.join(mine, |all: Vec<(String, Rank)>| {
        let (places, processes): (Vec<String>, Vec<Rank>) = all.into_iter().unzip();
        same_place(&places).map(|()| processes)
    })?;
    let (mut job, warning) = started?;
    if ranks.size() > 1 {
        job.crew.ranks = processes;
    }
    ranks.share(job.bucket.fence());
    if let Some(warning) = warning
        && ranks.rank() == 0
    {
        eprintln!("msm_os: warning: {warning}");
    }
    Ok(job)
}

/// Every rank finds its credentials itself. A launcher that leaves the environment behind on another node must not
/// make the ranks there write to another server.
fn same_place(places: &[String]) -> Result<(), Failure> {
    let Some((first, rank, other)) = places.first().and_then(|first| {
        let differs = |(_, place): &(usize, &String)| *place != first;
        let (rank, other) = places.iter().enumerate().find(differs)?;
        Some((first, rank, other))
    }) else {
        return Ok(());
    };
    Err(Failure::new(
        Exit::Credentials,
        format!(
            "rank 0 would write to {first}, rank {rank} to {other}: the ranks find different credentials; give them \
             with -c, or make the launcher pass the environment on (mpirun -x AWS_ENDPOINT_URL …)"
        ),
    ))
}

fn start_here<'a>(
    args: &StoreArgs,
    ranks: &'a Ranks,
) -> Result<(Job<'a>, Option<String>), Failure> {
    let internal = |cause: String| Failure::new(Exit::Internal, cause);
    let Opened { bucket, warning } = open(args)?;
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let pool = ThreadPoolBuilder::new()
        .num_threads((cpus / ranks.sharing_cpus()).max(1))
        .build()
        .map_err(|cause| internal(format!("starting threads: {cause}")))?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(IO_THREADS)
        .enable_all()
        .build()
        .map_err(|cause| internal(format!("starting the I/O threads: {cause}")))?;
    let job = Job {
        ranks,
        bucket,
        runtime,
        pool: Arc::new(pool),
        crew: Crew {
            launched: ranks.launched().clone(),
            ranks: Vec::new(),
        },
    };
    Ok((job, warning))
}

fn open(args: &StoreArgs) -> Result<Opened, Failure> {
    #[cfg(test)]
    if let Some(bucket) = crate::verbs::outlived::bucket() {
        return Ok(Opened {
            bucket,
            warning: None,
        });
    }
    Ok(args.open()?)
}
