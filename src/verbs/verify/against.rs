//! The values of source files against those of stores.
//!
//! Key type: [`FilesToCompare`], the files.

use std::sync::Arc;

use msm_model::{Archive, Order, SourceFile, counted};
use msm_plan as plan;
use msm_plan::{
    DerivedVariable, FileSteps, Goal, LackingSteps, MissingSteps, NewArrays, Overlap, Plan,
    PlanError, PlanSettings, Projections, Scope, StoreRequest, Task, check_times, place,
    quantization,
};
use msm_reproject::Weights;
use msm_zarr::StoreSnapshot;
use serde_json::Map;

use super::{Comparison, Verify, VerifyError};
use crate::error::Error;
use crate::events::{Fault, PlannedFiles, WorkKind};
use crate::ranks::{Follower, Lead};
use crate::session::Session;
use crate::store::{Spot, StoreLookup};
use crate::transfer::{Difference, Engine, Orders, Verification};
use crate::verbs::files::catalogue::catalogue;
use crate::verbs::files::differing::differences;
use crate::verbs::files::fit::fit;
use crate::verbs::files::prefix::spot;
use crate::verbs::files::recipe::{find_stores, held_targets};
use crate::verbs::files::requested::{RequestedStore, held_besides, lacked, selected_variables};
use crate::verbs::reprojection::corners::Domain;
use crate::verbs::reprojection::projector::Projector;
use crate::verbs::reprojection::weights::weigh;
use crate::verbs::stores::destinations::{Aim, Destination, targets};

/// The files to compare with, which the lead has.
pub(super) struct FilesToCompare<'a> {
    request: &'a Verify,
    comparison: &'a Comparison,
    archive: Archive,
    /// Where coordinates and corners come from, if not from the files.
    domain: Domain,
}

impl<'a> FilesToCompare<'a> {
    /// The files of the `comparison`.
    ///
    /// # Errors
    /// On every rank the same: the files that cannot be read, or do not fit together.
    pub(super) fn new(
        request: &'a Verify,
        comparison: &'a Comparison,
        session: &Session<'_>,
        lead: Lead<'_>,
    ) -> Result<Self, Error> {
        let (view, interrupt) = (comparison.file_view(), &session.interrupt);
        let files = {
            let _reading = session.work_unmeasured(WorkKind::Reading);
            catalogue(lead, &comparison.files, view, interrupt)?
        };
        let (archive, domain) = lead.go_on(join(files, request, comparison, session))?;
        Ok(Self {
            request,
            comparison,
            archive,
            domain,
        })
    }

    /// Where it was asked for, or the prefix that the files' names give.
    ///
    /// # Errors
    /// If the names give none.
    pub(super) fn spot(&self) -> Result<Spot, Error> {
        spot(self.request.spot.as_ref(), &self.archive)
    }

    /// What they are.
    pub(super) fn files(&self) -> PlannedFiles {
        PlannedFiles::of(&self.archive.files)
    }

    /// Compares all that the files hold with the stores at `spot`; returns a fault for each object that differs.
    ///
    /// # Errors
    /// On every rank the same: if the stores do not hold what the files do, or something cannot be read.
    pub(super) fn compare(
        self,
        spot: &Spot,
        session: &Session<'_>,
        lead: Lead<'_>,
    ) -> Result<Vec<Fault>, Error> {
        let plan = lead.share(session.runtime.block_on(plan(self, spot, session)))?;
        let weights = weigh(&plan.projections, None, false, session)?;
        let all = lead.settle(differences_here(plan, weights, session))?;
        let mut faults: Vec<Fault> = all.into_iter().flatten().map(fault).collect();
        faults.sort_unstable();
        Ok(faults)
    }
}

/// The others: compare their share.
///
/// # Errors
/// As [`FilesToCompare::compare`].
pub(super) fn help_to_compare(follower: Follower<'_>, session: &Session<'_>) -> Result<(), Error> {
    let plan: Plan = follower.hear()?;
    let weights = weigh(&plan.projections, None, false, session)?;
    follower.settle(&differences_here(plan, weights, session))
}

/// What differs in this rank's share.
fn differences_here(
    plan: Plan,
    weights: Arc<Vec<Weights>>,
    session: &Session<'_>,
) -> Result<Vec<Difference>, Error> {
    let mut orders = Orders::new(plan, Vec::new());
    orders.second_opinion = true;
    let (rank, means) = (session.ranks.rank(), session.means());
    let engine = Engine::new(&orders, rank, means, weights, Verification::Full)?;
    let _all = session.all_at_work();
    let found = session.runtime.block_on(engine.differences());
    found.map_err(|cause| session.ranks.here(VerifyError::Reading(cause).into()))
}

/// The files joined, and where coordinates and corners come from.
fn join(
    files: Vec<SourceFile>,
    request: &Verify,
    comparison: &Comparison,
    session: &Session<'_>,
) -> Result<(Archive, Domain), Error> {
    let mut archive = Archive::join(files, &comparison.append_dimension, Order::Any)?;
    let members = archive.members(&selected_variables(
        &archive.catalogue,
        &request.selection.variables,
    )?);
    let domain = fit(
        &mut archive,
        &members,
        Vec::new(),
        comparison.domain.as_ref(),
        session,
    )?;
    Ok((archive, domain))
}

/// What is compared.
async fn plan(
    against: FilesToCompare<'_>,
    spot: &Spot,
    session: &Session<'_>,
) -> Result<Plan, Error> {
    let FilesToCompare {
        request,
        comparison,
        archive,
        domain,
    } = against;
    let (archive, bucket) = (&archive, &session.bucket);
    let task = Task {
        goal: Goal::Compare,
        attributes: Map::new(),
        repair_attributes: false,
        tolerance: comparison.tolerance,
    };
    let named = &request.selection.variables;
    let variables = selected_variables(&archive.catalogue, named)?;
    // Without names, whichever stores there are.
    let destination = Destination {
        spot,
        is_compact: request.selection.compact,
        is_named: !named.is_empty(),
        consolidates: false,
        aim: Aim::Compare,
    };
    let all = targets(bucket, archive, &destination, variables).await?;
    let all = held_targets(all, bucket, archive, !named.is_empty()).await?;
    let looked = find_stores(bucket, &all, &archive.axis).await?;
    let (mut requests, mut problems) = (Vec::new(), Vec::new());
    let mut projector = Projector::new(None, false, domain, task.tolerance);
    for (target, found) in all.into_iter().zip(looked) {
        if let Some(notice) = found.untold(&target.key, archive) {
            session.notice(notice);
        }
        let stored = match found.made_alike(&target.key, archive, comparison.recipe.is_some()) {
            Ok(StoreLookup::Store(stored)) => stored,
            Ok(_) => continue,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        let added = projector.added(archive, &target, Some(&stored), session);
        match added.and_then(|added| request_of(target, named, stored, added, archive)) {
            Ok(request) => requests.push(request),
            Err(problem) => problems.push(problem),
        }
    }
    Error::together(problems)?;
    projector.conclude(request.memory, session)?;
    for notice in differences(&requests, archive, &task) {
        session.notice(notice);
    }
    let settings = PlanSettings {
        task,
        arrays: NewArrays::default(),
        resources: session.resources(request.memory),
        projections: Projections::estimated(projector.projections()),
    };
    Ok(plan::against(archive, &requests, &settings)?)
}

/// Where the files' steps lie in a store that must have all of them.
fn request_of(
    target: RequestedStore,
    named: &[String],
    stored: StoreSnapshot,
    mut added: Vec<DerivedVariable>,
    archive: &Archive,
) -> Result<StoreRequest, Error> {
    check_times(&target.key, &stored, archive)?;
    let placed = place(
        &target.key,
        &stored.steps,
        &FileSteps::all(archive, &target.members),
        Overlap::Replace,
        MissingSteps::Error,
    );
    let placed = placed.map_err(|error| match error {
        PlanError::StepsMissing {
            store,
            count,
            total,
            shown,
        } => Error::from(VerifyError::StepsMissing {
            store,
            count,
            total,
            shown,
        }),
        other => other.into(),
    })?;
    let mut members = target.members_with(archive, &added);
    members.extend(held_besides(&members, named, &archive.catalogue, &stored));
    let without = lacked(&members, &target.mains, &archive.axis, &stored);
    members.retain(|name| !without.contains(name));
    added.extend(quantization(&archive.catalogue, &members, Some(&stored)));
    Ok(StoreRequest {
        repairs: false,
        // All of the files' steps are compared.
        lacking: LackingSteps::default(),
        members,
        without,
        key: target.key,
        mains: target.mains,
        added,
        stored: Some(stored),
        placed,
        scope: Scope::All,
    })
}

fn fault(difference: Difference) -> Fault {
    let Difference {
        key,
        values,
        position,
        in_store,
        in_file,
        file,
    } = difference;
    let differ = if values == 1 { "differs" } else { "differ" };
    let what = format!(
        "{} {differ} from {file}, the first at {position:?} of the array: {in_store} in the store, {in_file} in the file",
        counted(values, "values")
    );
    Fault { key, what }
}
