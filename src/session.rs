//! What every verb needs: the ranks, a bucket, threads, and who is told what happens.
//!
//! Key type: [`Session`].

use std::sync::Arc;
use std::time::Instant;

use msm_plan::Resources;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Runtime};

use crate::commit::{Crew, RankProcess};
use crate::error::Error;
use crate::events::{Event, Measure, Notice, Reporter, WorkKind, WorkSpan};
use crate::interrupt::Interrupt;
use crate::ranks::{Ranks, Role};
use crate::store::{AllAtWork, Bucket, Connection, Endpoint, Flow, Spot};
use crate::transfer::EngineMeans;
use crate::workers::Workers;

/// Threads of a rank that wait for sockets.
const IO_THREADS: usize = 2;

/// Why a rank's part of a job cannot begin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum SessionError {
    #[error("starting {what}: {cause}")]
    Starting { what: String, cause: String },
    #[error(
        "rank 0 would write to {first}, rank {rank} to {other}: the ranks find different credentials; give them with -c, or make the \
         launcher pass the environment on (mpirun -x AWS_ENDPOINT_URL …)"
    )]
    Servers {
        first: String,
        rank: usize,
        other: String,
    },
}

/// A rank's part of a job that can begin: with one bucket, for any number of verbs, one after the other.
pub struct Session<'a> {
    pub(crate) ranks: &'a Ranks,
    /// Not yet asked anything.
    pub(crate) bucket: Bucket,
    /// Runs its requests.
    pub(crate) runtime: Runtime,
    /// Decodes and encodes: this rank's share of the node's CPUs.
    pub(crate) pool: Arc<Workers>,
    pub(crate) reporter: Arc<dyn Reporter>,
    pub(crate) interrupt: Interrupt,
    /// Who it is, to other jobs.
    pub(crate) crew: Crew,
}

impl<'a> Session<'a> {
    /// Opens the bucket and starts this rank's threads; nothing is asked of a server yet. Every rank calls it. The `reporter` hears
    /// what happens on this rank, and on rank 0 what happens to the job.
    ///
    /// # Errors
    /// On every rank the same: the failure of the lowest rank that has one; or that the ranks would write to several servers.
    pub fn open(
        connection: &Connection,
        ranks: &'a Ranks,
        reporter: Arc<dyn Reporter>,
    ) -> Result<Self, Error> {
        let flow = flow(connection, ranks);
        Self::open_with(connection, ranks, reporter, flow)
    }

    fn open_with(
        connection: &Connection,
        ranks: &'a Ranks,
        reporter: Arc<dyn Reporter>,
        flow: Flow,
    ) -> Result<Self, Error> {
        let session = Self::open_here(connection, ranks, reporter, flow);
        let session = session.map_err(|failure| ranks.of_follower(failure));
        let place = |session: &Self| (session.bucket.place().to_owned(), RankProcess::this());
        let mine = session.as_ref().map(place).map_err(Clone::clone);
        let processes = ranks.join(mine, |all: Vec<(String, RankProcess)>| {
            let (places, processes): (Vec<String>, Vec<RankProcess>) = all.into_iter().unzip();
            same_place(&places)?;
            Ok(processes)
        })?;
        let mut session = session?;
        if ranks.size() > 1 {
            session.crew.ranks = processes;
        }
        ranks.share(session.bucket.fence());
        Ok(session)
    }

    /// The same for another bucket, whose fence is the one that is open on all ranks from now on; `None` if it is this one. The limits
    /// of this one hold for both together.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn beside(&self, connection: &Connection) -> Result<Option<Self>, Error> {
        let ranks = self.ranks;
        let reporter = Arc::clone(&self.reporter);
        let other = Bucket::open(connection.clone(), Arc::clone(&reporter));
        let other = other.map_err(|failure| ranks.of_follower(failure.into()));
        let is_other = other.map(|other| other.identity() != self.bucket.identity());
        // What the ranks make of links may differ; that they reach the same server is looked at when it is opened.
        let is_other = ranks.join(is_other, |all| Ok(all[0]))?;
        if !is_other {
            return Ok(None);
        }
        let flow = flow(connection, ranks).paced_as(self.bucket.flow());
        let other = Self::open_with(connection, ranks, reporter, flow)?;
        Ok(Some(other.stopped_by(&self.interrupt)))
    }

    /// What is sent stops when `interrupt` says so.
    #[must_use]
    pub fn stopped_by(mut self, interrupt: &Interrupt) -> Self {
        self.interrupt = interrupt.clone();
        self
    }

    fn open_here(
        connection: &Connection,
        ranks: &'a Ranks,
        reporter: Arc<dyn Reporter>,
        flow: Flow,
    ) -> Result<Self, Error> {
        let internal = |what: &str, cause: &dyn std::fmt::Display| SessionError::Starting {
            what: what.to_owned(),
            cause: cause.to_string(),
        };
        let bucket = Bucket::open_with(connection.clone(), Arc::clone(&reporter), flow)?;
        let cpus = cpus(connection);
        let threads = (cpus / ranks.sharing_cpus()).max(1);
        let pool = Workers::start(threads);
        let runtime = Builder::new_multi_thread()
            .worker_threads(IO_THREADS.min(cpus))
            .enable_all()
            .build();
        Ok(Self {
            ranks,
            bucket,
            runtime: runtime.map_err(|cause| internal("the I/O threads", &cause))?,
            pool: Arc::new(pool.map_err(|cause| internal("threads", &cause))?),
            reporter,
            interrupt: Interrupt::default(),
            crew: Crew {
                launched: ranks.launched().clone(),
                ranks: Vec::new(),
            },
        })
    }

    /// The bucket, as messages call it.
    #[must_use]
    pub fn place(&self) -> &str {
        self.bucket.place()
    }

    /// What is at `spot`, as messages call it.
    #[must_use]
    pub fn place_of(&self, spot: &Spot) -> String {
        self.bucket.place_of(spot.key())
    }

    /// The server; a directory has none.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.bucket.endpoint()
    }

    /// What there is to plan with, where each rank may hold so many bytes.
    pub(crate) fn resources(&self, memory: u64) -> Resources {
        Resources {
            ranks: self.ranks.size(),
            memory,
            threads: self.pool.current_num_threads() as u64,
        }
    }

    /// All ranks ask for something until what this returns is dropped, so each keeps to its share of the limits. At other times the others
    /// wait for rank 0, which may take all.
    pub(crate) fn all_at_work(&self) -> AllAtWork {
        self.bucket.flow().all_at_work()
    }

    /// What this rank's engines work with.
    pub(crate) fn means(&self) -> EngineMeans {
        EngineMeans {
            bucket: self.bucket.clone(),
            pool: Arc::clone(&self.pool),
            reporter: Arc::clone(&self.reporter),
            watch: None,
        }
    }

    /// The part of this rank.
    pub(crate) fn role(&self) -> Role<'_> {
        self.ranks.role()
    }

    /// Tells the reporter.
    pub(crate) fn tell(&self, event: &Event) {
        self.reporter.tell(event);
    }

    /// Tells the reporter that this rank has waited for others since it `begun`.
    pub(crate) fn waited(&self, begun: Instant) {
        let took = begun.elapsed();
        self.tell(&Event::Measured(Measure::Wait { took }));
    }

    /// Tells the reporter what is worth knowing.
    pub(crate) fn notice(&self, notice: Notice) {
        self.tell(&Event::Notice(notice));
    }

    /// Work on so many objects and bytes begins, whose progress rank 0 tells.
    pub(crate) fn work(&self, kind: WorkKind, objects: Option<u64>, bytes: u64) -> WorkSpan<'_> {
        WorkSpan::begin(&*self.reporter, kind, objects, bytes)
    }

    /// Work begins of which nobody knows how far it is.
    pub(crate) fn work_unmeasured(&self, kind: WorkKind) -> WorkSpan<'_> {
        self.work(kind, None, 0)
    }

    /// Rank 0 does `work` while the others wait; every rank gets what came of it.
    ///
    /// # Errors
    /// On every rank the same: that of `work`.
    pub(crate) fn on_lead<T: Serialize + DeserializeOwned>(
        &self,
        work: impl AsyncFnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.ranks.on_lead(|| self.runtime.block_on(work()))
    }
}

/// How much this one of the `ranks` may ask of a server.
fn flow(connection: &Connection, ranks: &Ranks) -> Flow {
    let (rank, size) = (ranks.rank(), ranks.size());
    Flow::of_rank(connection.limits, rank, size, ranks.on_node())
}

/// CPUs of this node, which the ranks on it share.
#[cfg_attr(not(test), expect(unused_variables))]
fn cpus(connection: &Connection) -> usize {
    #[cfg(test)]
    if connection.link.is_some() {
        // Many jobs share a store in memory.
        return 1;
    }
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Every rank finds its credentials itself. A launcher that leaves the environment behind on another node must not
/// make the ranks there write to another server.
fn same_place(places: &[String]) -> Result<(), SessionError> {
    let Some((first, rank, other)) = places.first().and_then(|first| {
        let differs = |(_, place): &(usize, &String)| *place != first;
        let (rank, other) = places.iter().enumerate().find(differs)?;
        Some((first, rank, other))
    }) else {
        return Ok(());
    };
    Err(SessionError::Servers {
        first: first.clone(),
        rank,
        other: other.clone(),
    })
}
