//! What every rank of every command needs before anything else.
//!
//! Key type: [`Started`].

use tokio::runtime::{Builder, Runtime};

use crate::cli::{Opened, StoreArgs};
use crate::commit::Rank;
use crate::exit::{Exit, Failure};
use crate::ranks::Ranks;
use crate::store::Bucket;
use crate::verbs::shared::settle::settle;

/// Threads of a rank that wait for sockets.
const IO_THREADS: usize = 2;

/// A rank that can begin.
pub(in crate::verbs) struct Started {
    /// The bucket, not yet asked anything.
    pub bucket: Bucket,
    /// What runs its requests.
    pub runtime: Runtime,
    /// Threads that decode and encode: this rank's share of the node's CPUs.
    pub threads: usize,
}

/// Opens the bucket and starts this rank's threads.
///
/// # Errors
/// On every rank the same: the failure of the lowest rank that has one.
pub(in crate::verbs) fn start(args: &StoreArgs, ranks: &Ranks) -> Result<Started, Failure> {
    let started = start_here(args, ranks).map_err(|failure| match ranks.rank() {
        0 => failure,
        rank => Failure::new(failure.exit, format!("rank {rank}: {}", failure.message)),
    });
    let place = |(started, _): &(Started, _)| (started.bucket.place().to_owned(), Rank::this());
    let places = settle(ranks, &started.as_ref().map(place).map_err(Clone::clone))?;
    let (places, processes): (Vec<String>, Vec<Rank>) = places.into_iter().unzip();
    if ranks.rank() == 0 && ranks.size() > 1 {
        Rank::share(processes);
    }
    let agreed = same_place(&places);
    ranks.broadcast(&agreed)??;
    let (started, warning) = started?;
    ranks.share(started.bucket.fence());
    if let Some(warning) = warning
        && ranks.rank() == 0
    {
        eprintln!("msm_os: warning: {warning}");
    }
    Ok(started)
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

fn start_here(args: &StoreArgs, ranks: &Ranks) -> Result<(Started, Option<String>), Failure> {
    let internal = |cause: String| Failure::new(Exit::Internal, cause);
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = (cpus / ranks.sharing_cpus()).max(1);
    #[cfg(test)]
    if let Some(bucket) = crate::verbs::outlived::bucket() {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let started = Started {
            bucket,
            runtime: runtime.map_err(|cause| internal(cause.to_string()))?,
            threads: 1,
        };
        return Ok((started, None));
    }
    let Opened { bucket, warning } = args.open()?;
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build_global()
        .map_err(|cause| internal(format!("starting threads: {cause}")))?;
    let runtime = Builder::new_multi_thread()
        .worker_threads(IO_THREADS)
        .enable_all()
        .build()
        .map_err(|cause| internal(format!("starting the I/O threads: {cause}")))?;
    let started = Started {
        bucket,
        runtime,
        threads,
    };
    Ok((started, warning))
}
