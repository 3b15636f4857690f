//! `rechunk`: stores made anew at another place of the bucket, or in their own, in other chunks, shards, codecs, or of the other version
//! of Zarr.
//!
//! Key types: [`Rechunk`], what is asked; [`RechunkReport`]; [`RechunkForecast`].
//!
//! It is a send whose source is stores: one transaction that creates all of them, so that they are there whole or not at all, each with a
//! ledger of its own. The leases of both are held, and the stores that are read are looked at again before the commit.

mod error;
pub(in crate::verbs) mod replace;
mod report;
mod source;
mod work;

use std::time::Instant;

use msm_plan::{ChunkStrategy, Phase, RechunkPlan, Rechunking};
use msm_zarr::{Codec, Version};

pub use self::error::RechunkError;
pub use self::report::{RechunkForecast, RechunkReport, RechunkedStore};
pub(crate) use crate::verbs::stores::replaced::REPLACING;

use self::source::Sources;
use self::work::RechunkWork;
use crate::error::Error;
use crate::events::{Event, PlannedFiles};
use crate::ranks::{Follower, Lead, Role};
use crate::session::Session;
use crate::store::{Bucket, Spot};
use crate::transfer::{Orders, Verification};
use crate::verbs::copy::ends::{Ends, Route};
use crate::verbs::copy::follow as follow_copies;
use crate::verbs::copy::place::{Passage, passages};
use crate::verbs::send::begin::{CommandTerms, TransactionStart};
use crate::verbs::send::lead::size;
use crate::verbs::send::plan_requests::{RequestRules, StoresAsked};
use crate::verbs::send::plan_warning::warnings_of;
use crate::verbs::send::transaction::LedTransaction;
use crate::verbs::send::turns::TransactionWork;
use crate::verbs::send::worker::Worker;
use crate::verbs::shared::at_rest::{all_ended, are_free};
use crate::verbs::shared::hold::{Hold, Leasing};
use crate::verbs::shared::requests::of_rechunk;
use crate::verbs::shared::verification::{check_verification, try_verification};
use crate::verbs::stores::absent::{no_stores, none_comes_back};
use crate::verbs::stores::replaced::check_not_replaced;

/// What the ledgers call it, and the one that replaces stores.
const BESIDE: &str = "rechunk";

/// What is rechunked, and how.
#[derive(Clone, Debug, Default)]
pub struct Rechunk {
    /// Where the stores are.
    pub spot: Spot,
    /// The variables whose stores are meant, `compact` for that of all variables; none means all stores.
    pub variables: Vec<String>,
    /// The prefix that what is made goes to, or the place of a single store; without it, the stores are replaced by what is made of them.
    pub to: Option<String>,
    /// The dimension along which the stores grow.
    pub append_dimension: String,
    /// Chunk sizes; along other dimensions, arrays keep theirs.
    pub chunks: ChunkStrategy,
    /// Shard sizes; no shards if it is empty. Without it, arrays keep theirs.
    pub shards: Option<ChunkStrategy>,
    /// The version of the Zarr format, if not the stores' own.
    pub version: Option<Version>,
    /// The compressor, if not the arrays' own.
    pub codec: Option<Codec>,
    /// How objects are verified.
    pub verify: Verification,
    /// Bytes that each rank may hold.
    pub memory: u64,
    /// How the stores' leases are got.
    pub leasing: Leasing,
}

/// Says what would be made, and what that takes.
///
/// # Errors
/// On every rank the same: if there is nothing, or it cannot be made so, or not there; or if a job is at one of the stores, or has left it as
/// it died.
pub fn foretell(session: &Session, request: &Rechunk) -> Result<RechunkForecast, Error> {
    session.on_lead(async || {
        let bucket = &session.bucket;
        check_verification(bucket, request.verify)?;
        let (ways, asked) = (ways(bucket, request).await?, request.asked(session));
        let settled = match request.to {
            Some(_) => both_of(&ways),
            None => replace::to_be_settled(bucket, &ways).await?,
        };
        all_ended(bucket, &settled).await?;
        are_free(bucket, &both_of(&ways)).await?;
        let work = RechunkWork::of(bucket, ways, &asked, request.replaces()).await?;
        let stores = work.report();
        if stores.is_empty() {
            // Of each there was only what keeps other jobs away.
            return Err(no_stores(bucket, &request.spot).await?);
        }
        let (plan, reads) = (&work.fresh.1.plan, work.fresh.1.reads());
        let is_foreseen = bucket.endpoint().is_some() && !request.replaces();
        let requests = is_foreseen.then(|| {
            let stores = plan.stores.len() as u64;
            let made = StoresAsked {
                all: stores,
                new: stores,
                begins: true,
                rewrites: false,
            };
            let mut rules = RequestRules::new(request.verify, &made, session.ranks.size() as u64);
            rules.add(plan);
            // What is there is compared with what would be made.
            let there = &work.there.1;
            let compared = there.reads().requests + size(&there.plan).objects;
            let all = stores + there.plan.stores.len() as u64;
            { rules.counts() }.and(of_rechunk(all, reads.requests + compared))
        });
        Ok(RechunkForecast {
            stores,
            size: size(plan),
            reads,
            requests,
            warnings: warnings_of(plan),
        })
    })
}

/// Makes stores anew.
///
/// # Errors
/// On every rank the same: if they cannot be made so, or not there, before anything is written; or what failed, when none of them is
/// there; or with what could not be removed.
pub fn rechunk(session: &Session, request: &Rechunk) -> Result<RechunkReport, Error> {
    let begun = Instant::now();
    match session.role() {
        Role::Lead(lead) => {
            let done = Remaking {
                session,
                request,
                lead,
            }
            .run();
            let elapsed = begun.elapsed();
            lead.share(done.map(|report| RechunkReport { elapsed, ..report }))
        }
        Role::Follower(follower) => {
            // The lead knows why it could not go on, and tells it in the end.
            let _ = follow(session, request, follower);
            let verdict = follower.hear();
            session.interrupt.guard(false);
            verdict
        }
    }
}

/// The others' part.
fn follow(session: &Session<'_>, request: &Rechunk, follower: Follower<'_>) -> Result<(), Error> {
    let worker = request.worker(session);
    while let Some(orders) = follower.hear::<Option<Orders>>()? {
        session.interrupt.guard(true);
        if orders.ids.is_empty() {
            worker.compare(&orders)?;
        } else {
            worker.follow(&orders, follower)?;
        }
    }
    if request.replaces() {
        follow_copies(Route::new(session, None), follower)?;
    }
    Ok(())
}

/// The ways of the stores that are meant.
async fn ways(bucket: &Bucket, request: &Rechunk) -> Result<Vec<Passage>, Error> {
    let Rechunk {
        spot,
        variables,
        to,
        ..
    } = request;
    bucket.reach(spot.key()).await?;
    match to {
        Some(to) => {
            if variables.is_empty() {
                none_comes_back(bucket, spot).await?;
            }
            let passages = passages(Ends::within(bucket), spot, variables, to).await?;
            check_not_replaced(bucket, passages.iter().map(|way| &way.to)).await?;
            Ok(passages)
        }
        None => replace::ways(bucket, request).await,
    }
}

/// The stores that take these ways, and those that are made of them.
fn both_of(ways: &[Passage]) -> Vec<String> {
    let both = ways.iter().flat_map(|way| [&way.from, &way.to]);
    both.cloned().collect()
}

impl Rechunk {
    fn replaces(&self) -> bool {
        self.to.is_none()
    }

    /// What the ledgers say of it. What it makes is in nobody's way.
    fn terms(&self) -> CommandTerms<'static> {
        CommandTerms {
            command: if self.replaces() { REPLACING } else { BESIDE },
            keep_undo: 1,
        }
    }

    fn asked(&self, session: &Session<'_>) -> Rechunking {
        Rechunking {
            chunks: self.chunks.clone(),
            shards: self.shards.clone(),
            version: self.version,
            codec: self.codec.clone(),
            append_dimension: self.append_dimension.clone(),
            resources: session.resources(self.memory),
        }
    }

    fn worker<'a>(&self, session: &'a Session<'a>) -> Worker<'a> {
        Worker::new(session, Vec::new(), self.verify, false)
    }
}

/// A rechunk under way, as the lead sees it.
struct Remaking<'a> {
    session: &'a Session<'a>,
    request: &'a Rechunk,
    lead: Lead<'a>,
}

impl Remaking<'_> {
    fn run(&self) -> Result<RechunkReport, Error> {
        let Self {
            session, request, ..
        } = self;
        let runtime = &session.runtime;
        let held = runtime.block_on(async {
            let ways = ways(&session.bucket, request).await?;
            let stores = both_of(&ways);
            let command = request.terms().command;
            let made: Vec<String> = ways.iter().map(|way| way.to.clone()).collect();
            try_verification(session, request.verify, &made, command).await?;
            let hold = Hold::take(session, &request.leasing, &stores, command).await?;
            Ok((ways, hold))
        });
        let (ways, mut hold) = self.lead.go_on(held)?;
        let done = self.remake(ways, &mut hold);
        let done = done.map_err(|failure| hold.verdict(failure));
        runtime.block_on(hold.release(session));
        session.interrupt.guard(false);
        done
    }

    /// Makes all of them while no other job writes there.
    fn remake(&self, ways: Vec<Passage>, hold: &mut Hold) -> Result<RechunkReport, Error> {
        let (session, lead) = (self.session, self.lead);
        let (bucket, runtime) = (&session.bucket, &session.runtime);
        session.interrupt.guard(true);
        let planned = runtime.block_on(async {
            hold.left.heal(session).await?;
            hold.wait_for_reads().await;
            let asked = self.request.asked(session);
            RechunkWork::of(bucket, ways, &asked, self.request.replaces()).await
        });
        let work = lead.go_on(planned)?;
        let stores = work.report();
        // Another job was there first.
        let some = if stores.is_empty() {
            Err(runtime.block_on(no_stores(bucket, &self.request.spot)))
        } else {
            Ok(())
        };
        lead.go_on(some.or_else(|none| Err(none?)))?;
        let RechunkWork {
            fresh: (fresh, planned),
            there: (there, made),
            ways,
            stale,
            ..
        } = work;
        let discarded = replace::discard(bucket, &stale, hold);
        lead.go_on(runtime.block_on(discarded))?;
        let mut report = RechunkReport::default();
        if !there.is_empty() {
            self.compare(&there, made)?;
        }
        if !fresh.is_empty() {
            report = self.make(&fresh, planned, hold)?;
        }
        lead.tell(&None::<Orders>)?;
        if self.request.replaces() {
            replace::switch(session, lead, [&there, &fresh], ways, hold)?;
        }
        Ok(RechunkReport { stores, ..report })
    }

    /// All ranks compare what is there already with what was `planned`.
    fn compare(&self, there: &Sources, planned: RechunkPlan) -> Result<(), Error> {
        let bucket = &self.session.bucket;
        let records = there.records(bucket, &planned);
        let records = self.lead.go_on(self.session.runtime.block_on(records))?;
        let RechunkPlan { mut plan, .. } = planned;
        for array in &mut plan.arrays {
            array.phase = Phase::Compare;
        }
        let mut orders = Orders::new(plan, Vec::new());
        orders.source_records = records;
        self.lead.tell(&Some(&orders))?;
        let compared = self.request.worker(self.session).compare(&orders);
        compared.map_err(|failure| there.unlike(failure))
    }

    /// All ranks make what is `planned`, in one transaction.
    fn make(
        &self,
        fresh: &Sources,
        planned: RechunkPlan,
        hold: &Hold,
    ) -> Result<RechunkReport, Error> {
        let (session, lead) = (self.session, self.lead);
        let (bucket, runtime) = (&session.bucket, &session.runtime);
        let begun = runtime.block_on(async {
            let records = fresh.records(bucket, &planned).await?;
            session.tell(&Event::Planned {
                number: 1,
                of: 1,
                files: PlannedFiles {
                    names: Vec::new(),
                    steps: None,
                },
                size: size(&planned.plan),
            });
            let mut start =
                TransactionStart::new(session, work(planned), self.request.terms(), hold).await?;
            start.orders.source_records = records;
            Ok(start)
        });
        let TransactionStart {
            orders,
            transaction,
            ..
        } = lead.go_on(begun)?;
        lead.tell(&Some(&orders))?;
        let mut untidy = None;
        let leading = LedTransaction {
            lead,
            transaction,
            hold,
            untidy: &mut untidy,
            last_look: &|| runtime.block_on(fresh.are_unchanged(bucket)),
        };
        let manifest = leading.run(&self.request.worker(session), &orders)?;
        Ok(RechunkReport::new(&orders.plan, &manifest))
    }
}

/// The transaction that does what is `planned`.
fn work(planned: RechunkPlan) -> TransactionWork {
    let RechunkPlan { plan, .. } = planned;
    TransactionWork {
        remains: Vec::new(),
        digest: String::new(),
        resumed: plan.stores.iter().map(|_| None).collect(),
        number: (1, 1),
        parts: None,
        holds: Vec::new(),
        foreseen: Vec::new(),
        plan,
    }
}
