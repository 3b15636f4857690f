//! The values of source files against those of stores.
//!
//! Key type: [`Against`], the files.

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Map;
use tokio::runtime::Runtime;

use crate::cli::{Spot, VerifyArgs};
use crate::exit::{Exit, Failure};
use crate::plan::{
    self, Added, Budget, ChunkStrategy, Lacking, Missing, OfFile, Overlap, Plan, PlanError,
    Projection, Request, Settings, place,
};
use crate::ranks::Ranks;
use crate::source::{Archive, Order, SourceFile};
use crate::store::REQUESTS;
use crate::store::{Bucket, Found, Stored, read_store};
use crate::transfer::{Difference, Engine, Orders, Verify};
use crate::verbs::files::catalogue::catalogue;
use crate::verbs::files::differing::differences;
use crate::verbs::files::fit::fit;
use crate::verbs::files::prefix::spot;
use crate::verbs::files::targets::{Target, chosen, held, held_besides, lacked};
use crate::verbs::reprojection::corners::Domain;
use crate::verbs::reprojection::projector::Projector;
use crate::verbs::reprojection::weights::weigh;
use crate::verbs::shared::settle::settle;
use crate::verbs::stores::destinations::{Aim, Wanted, targets};

/// The files to compare with.
pub(in crate::verbs) struct Against<'a> {
    args: &'a VerifyArgs,
    /// Only rank 0 has it.
    archive: Option<Archive>,
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
        ranks: &Ranks,
    ) -> Result<Option<Self>, Failure> {
        if args.against.is_empty() {
            return Ok(None);
        }
        args.grid.coordinates()?;
        let files = catalogue(&args.against, args.append_dimension(), ranks)?;
        let archive = match ranks.rank() {
            0 => join(files, args).map(Some),
            _ => Ok(None),
        };
        settle(ranks, &archive.as_ref().map(|_| ()).map_err(Clone::clone))?;
        let (archive, domain) = archive?.unzip();
        Ok(Some(Self {
            args,
            archive,
            domain: domain.unwrap_or_default(),
        }))
    }

    /// Where it was `asked` for, or the prefix that the files' names give.
    ///
    /// # Errors
    /// On every rank the same: if the names give none.
    pub(in crate::verbs) fn spot(
        &self,
        asked: Option<Spot>,
        ranks: &Ranks,
    ) -> Result<Spot, Failure> {
        let spot = match &self.archive {
            Some(archive) => spot(asked, archive),
            None => Ok(Spot::Below(String::new())),
        };
        ranks.broadcast(&spot)?
    }

    /// Compares all that the files hold with the stores at `spot`; returns a line for each object that differs, on
    /// rank 0.
    ///
    /// # Errors
    /// On every rank the same: if the stores do not hold what the files do, or something cannot be read.
    pub(in crate::verbs) fn compare(
        self,
        spot: &Spot,
        bucket: &Bucket,
        runtime: &Runtime,
        threads: usize,
        ranks: &Ranks,
    ) -> Result<Vec<String>, Failure> {
        let Self {
            args,
            archive,
            domain,
        } = self;
        let plan = match &archive {
            Some(archive) => {
                let mut settings = settings(args, ranks.size(), threads);
                runtime
                    .block_on(plan(args, archive, domain, spot, bucket, &mut settings))
                    .map(Some)
            }
            None => Ok(None),
        };
        let Some(plan) = ranks.broadcast(&plan)?? else {
            return Ok(Vec::new());
        };
        let weights = weigh(&plan.projections, None, ranks)?;
        let mut orders = Orders::new(plan, Vec::new());
        orders.second_opinion = true;
        let engine = Engine::new(&orders, ranks.rank(), bucket.clone(), weights, Verify::Full);
        let found = match engine {
            Ok(engine) => {
                let found = runtime.block_on(engine.differences());
                found.map_err(|cause| {
                    let Failure { exit, message } = cause.into();
                    // Nothing was to be written.
                    let exit = match exit {
                        Exit::TransferFailed => Exit::StoreFailed,
                        other => other,
                    };
                    Failure::new(exit, format!("rank {}: {message}", ranks.rank()))
                })
            }
            Err(error) => Err(error.into()),
        };
        let mut lines: Vec<String> = settle(ranks, &found)?
            .into_iter()
            .flatten()
            .map(|difference| line(&difference))
            .collect();
        lines.sort_unstable();
        Ok(lines)
    }
}

/// The files joined, and where coordinates and corners come from.
fn join(files: Vec<SourceFile>, args: &VerifyArgs) -> Result<(Archive, Domain), Failure> {
    let mut archive = Archive::join(files, args.append_dimension(), Order::Any)?;
    let members = archive.members(&chosen(&archive.catalogue, args.named())?);
    let domain = fit(&mut archive, &members, Vec::new(), &args.grid)?;
    Ok((archive, domain))
}

/// What is compared.
async fn plan(
    args: &VerifyArgs,
    archive: &Archive,
    domain: Domain,
    spot: &Spot,
    bucket: &Bucket,
    settings: &mut Settings,
) -> Result<Plan, Failure> {
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
    for note in differences(&requests, archive, settings, false) {
        eprintln!("msm_os: {note}");
    }
    settings.projections = projector.projections().to_vec();
    settings.budget.weights = settings.projections.iter().map(Projection::table).sum();
    plan::against(archive, &requests, settings)
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
fn settings(args: &VerifyArgs, ranks: usize, threads: usize) -> Settings {
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
        ranks,
        budget: Budget {
            memory: args.memory,
            threads: threads as u64,
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
