//! The values of source files against those of stores.
//!
//! Key type: [`Against`], the files.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Map;

use crate::cli::{Spot, VerifyArgs};
use crate::exit::{Exit, Failure};
use crate::plan::{
    self, Added, Budget, ChunkStrategy, Lacking, Missing, OfFile, Overlap, Plan, PlanError,
    Projection, Request, Settings, place,
};
use crate::ranks::{Follower, Lead};
use crate::reproject::Weights;
use crate::source::{Archive, Order, SourceFile};
use crate::store::REQUESTS;
use crate::store::{Found, Stored, read_store};
use crate::transfer::{Difference, Engine, Orders, Verify};
use crate::verbs::files::catalogue::catalogue;
use crate::verbs::files::differing::differences;
use crate::verbs::files::fit::fit;
use crate::verbs::files::prefix::spot;
use crate::verbs::files::targets::{Target, chosen, held, held_besides, lacked};
use crate::verbs::reprojection::corners::Domain;
use crate::verbs::reprojection::projector::Projector;
use crate::verbs::reprojection::weights::weigh;
use crate::verbs::shared::start::Job;
use crate::verbs::stores::destinations::{Aim, Wanted, targets};

/// The files to compare with, which the lead has.
pub(in crate::verbs) struct Against<'a> {
    args: &'a VerifyArgs,
    archive: Archive,
    /// Where coordinates and corners come from, if not from the files.
    domain: Domain,
}

impl<'a> Against<'a> {
    /// The files that `args` name; `None` if there are none.
    ///
    /// # Errors
    /// On every rank the same: the files that cannot be read, or do not fit together.
    pub(in crate::verbs) fn new(
        args: &'a VerifyArgs,
        lead: Lead<'_>,
    ) -> Result<Option<Self>, Failure> {
        if args.against.is_empty() {
            return Ok(None);
        }
        lead.go_on(args.grid.coordinates())?;
        let files = catalogue(lead, &args.against, args.append_dimension())?;
        let (archive, domain) = lead.go_on(join(files, args))?;
        Ok(Some(Self {
            args,
            archive,
            domain,
        }))
    }

    /// Where it was `asked` for, or the prefix that the files' names give.
    ///
    /// # Errors
    /// If the names give none.
    pub(in crate::verbs) fn spot(&self, asked: Option<Spot>) -> Result<Spot, Failure> {
        spot(asked, &self.archive)
    }

    /// Compares all that the files hold with the stores at `spot`; returns a line for each object that differs.
    ///
    /// # Errors
    /// On every rank the same: if the stores do not hold what the files do, or something cannot be read.
    pub(in crate::verbs) fn compare(
        self,
        spot: &Spot,
        job: &Job<'_>,
        lead: Lead<'_>,
    ) -> Result<Vec<String>, Failure> {
        let plan = lead.share(job.runtime.block_on(plan(self, spot, job)))?;
        let weights = weigh(&plan.projections, None, job)?;
        let all = lead.settle(differences_here(plan, weights, job))?;
        let lines = all.into_iter().flatten();
        let mut lines: Vec<String> = lines.map(|difference| line(&difference)).collect();
        lines.sort_unstable();
        Ok(lines)
    }
}

/// The others: compares their share.
///
/// # Errors
/// As [`Against::compare`].
pub(in crate::verbs) fn help_to_compare(
    follower: Follower<'_>,
    job: &Job<'_>,
) -> Result<(), Failure> {
    let plan: Plan = follower.hear()?;
    let weights = weigh(&plan.projections, None, job)?;
    follower.settle(&differences_here(plan, weights, job))
}

/// What differs in this rank's share.
fn differences_here(
    plan: Plan,
    weights: Arc<Vec<Weights>>,
    job: &Job<'_>,
) -> Result<Vec<Difference>, Failure> {
    let mut orders = Orders::new(plan, Vec::new());
    orders.second_opinion = true;
    let (pool, bucket) = (Arc::clone(&job.pool), job.bucket.clone());
    let rank = job.ranks.rank();
    let engine = Engine::new(&orders, rank, pool, bucket, weights, Verify::Full)?;
    let found = job.runtime.block_on(engine.differences());
    found.map_err(|cause| {
        let mut failure = Failure::from(cause);
        // Nothing was to be written.
        if failure.exit == Exit::TransferFailed {
            failure.exit = Exit::StoreFailed;
        }
        job.ranks.here(failure)
    })
}

/// The files joined, and where coordinates and corners come from.
fn join(files: Vec<SourceFile>, args: &VerifyArgs) -> Result<(Archive, Domain), Failure> {
    let mut archive = Archive::join(files, args.append_dimension(), Order::Any)?;
    let members = archive.members(&chosen(&archive.catalogue, args.named())?);
    let domain = fit(&mut archive, &members, Vec::new(), &args.grid)?;
    Ok((archive, domain))
}

/// What is compared.
async fn plan(against: Against<'_>, spot: &Spot, job: &Job<'_>) -> Result<Plan, Failure> {
    let Against {
        args,
        archive,
        domain,
    } = against;
    let (archive, bucket) = (&archive, &job.bucket);
    let mut settings = settings(args, job);
    let named = args.named();
    let variables = chosen(&archive.catalogue, named)?;
    // Without names, whichever stores there are.
    let wanted = Wanted {
        spot,
        is_compact: args.is_compact(),
        is_named: !named.is_empty(),
        consolidates: false,
        aim: Aim::Compare,
    };
    let all = targets(bucket, archive, &wanted, variables).await?;
    let all = held(all, bucket, &archive.axis, !named.is_empty()).await?;
    let looked = stream::iter(&all).map(|t| read_store(bucket, &t.group, &archive.axis));
    let looked: Vec<Found> = looked.buffered(REQUESTS).try_collect().await?;
    let (mut requests, mut problems) = (Vec::new(), Vec::new());
    let mut projector = Projector::new(None, domain, settings.tolerance);
    for (target, found) in all.into_iter().zip(looked) {
        let Found::Store(stored) = found else {
            continue;
        };
        let added = projector.added(archive, &target, Some(&stored));
        match added.and_then(|added| request(target, named, stored, added, archive)) {
            Ok(request) => requests.push(request),
            Err(problem) => problems.push(problem),
        }
    }
    Failure::together(problems)?;
    projector.conclude(args.memory)?;
    for note in differences(&requests, archive, &settings, false) {
        eprintln!("msm_os: {note}");
    }
    settings.projections = projector.projections().to_vec();
    settings.budget.weights = settings.projections.iter().map(Projection::table).sum();
    plan::against(archive, &requests, &settings)
}

/// Where the files' steps lie in a store that must have all of them.
fn request(
    target: Target,
    named: &[String],
    stored: Stored,
    added: Vec<Added>,
    archive: &Archive,
) -> Result<Request, Failure> {
    let placed = place(
        &target.key,
        &stored.steps,
        &OfFile::all(archive, &target.members),
        Overlap::Replace,
        Missing::Error,
    );
    let placed = placed.map_err(|error| match error {
        PlanError::StepsMissing {
            store,
            count,
            total,
            shown,
        } => {
            let message =
                format!("store '{store}' lacks {count} of the files' {total} steps: {shown}");
            Failure::new(Exit::TimeConflict, message)
        }
        other => other.into(),
    })?;
    let mut members = target.members_with(archive, &added);
    members.extend(held_besides(&members, named, &archive.catalogue, &stored));
    let without = lacked(&members, &target.mains, &archive.axis, &stored);
    members.retain(|name| !without.contains(name));
    Ok(Request {
        repairs: false,
        // All of the files' steps are compared.
        lacking: Lacking::default(),
        members,
        without,
        key: target.key,
        mains: target.mains,
        added,
        stored: Some(stored),
        placed,
    })
}

/// As in an update of all that the files hold.
fn settings(args: &VerifyArgs, job: &Job<'_>) -> Settings {
    Settings {
        strategy: ChunkStrategy::default(),
        shards: ChunkStrategy::default(),
        version: None,
        codec: None,
        attributes: Map::new(),
        replace: true,
        rewrite: true,
        add_variables: false,
        repair_attributes: false,
        tolerance: args.tolerance.coords_tolerance,
        projections: Vec::new(),
        ranks: job.ranks.size(),
        budget: Budget {
            memory: args.memory,
            threads: job.pool.current_num_threads() as u64,
            weights: 0,
        },
    }
}

fn line(difference: &Difference) -> String {
    let Difference {
        key,
        values,
        position,
        in_store,
        in_file,
        file,
    } = difference;
    format!(
        "{key}: {values} values differ from {file}, the first at {position:?} of the array: {in_store} in the store, \
         {in_file} in the file"
    )
}
