//! Finding out what a send or an update would do, as the stores are now. Nothing is written, and no lease is taken.
//!
//! What it comes to is a [`SendPlan`].

use std::num::NonZeroUsize;

use msm_model::Archive;
use msm_plan::{Overlap, Phase, Plan, Projections, Resources};

use super::destined::DestinedFiles;
use super::intent::Intent;
use super::plan_sum::PlanSum;
use super::prepare::{PreparedSend, StoreLook};
use super::send_plan::{PlannedPart, SendPlan};
use super::share::Sharing;
use super::share::outlook::{FoundParts, ShareOutlook, files_of};
use super::worker::{Groundwork, Worker};
use crate::error::Error;
use crate::events::WorkKind;
use crate::ranks::{Follower, Lead, Role};
use crate::session::Session;
use crate::verbs::files::catalogue::{catalogue, help_to_catalogue};
use crate::verbs::shared::at_rest::{all_ended, none_held};
use crate::verbs::shared::hold::not_shared;
use crate::verbs::shared::verification::check_verification;

/// What is to be foreseen, beside the intent.
#[derive(Clone, Copy)]
pub(super) struct Outlook<'a> {
    /// Do many jobs share in it?
    pub sharing: Option<&'a Sharing>,
    /// How many ranks it is planned for, if not for those that plan it.
    pub ranks: Option<NonZeroUsize>,
}

impl SendPlan {
    /// What is wanted, as the stores are. Every rank calls it.
    ///
    /// # Errors
    /// On every rank the same: what a send would refuse; or if another job is at a store, or has left it as it died.
    pub(super) fn of(
        intent: &Intent<'_>,
        outlook: Outlook<'_>,
        session: &Session<'_>,
    ) -> Result<Self, Error> {
        match session.role() {
            Role::Lead(lead) => {
                let foreseen = led(intent, outlook, session, lead);
                lead.share(foreseen)
            }
            Role::Follower(follower) => {
                // The lead knows why it could not go on, and tells it next.
                let _ = followed(intent, session, follower);
                follower.hear()
            }
        }
    }
}

fn led(
    intent: &Intent<'_>,
    outlook: Outlook<'_>,
    session: &Session<'_>,
    lead: Lead<'_>,
) -> Result<SendPlan, Error> {
    let asked = intent.files;
    let files = {
        let _reading = session.work_unmeasured(WorkKind::Reading);
        catalogue(lead, &asked.paths, asked.file_view(), &session.interrupt)?
    };
    let foreseen = session.runtime.block_on(async {
        check_verification(&session.bucket, asked.verify)?;
        let aimed = DestinedFiles::new(files, intent, session).await?;
        foreseen(aimed, intent, outlook, session).await
    });
    let (mut prepared, plan, groundwork) = lead.go_on(foreseen)?;
    lead.tell(&groundwork)?;
    Worker::ready(groundwork, asked, session)?;
    prepared.tell_notes(session);
    Ok(plan)
}

/// The others help to read the files, and compare their share of what is static.
fn followed(
    intent: &Intent<'_>,
    session: &Session<'_>,
    follower: Follower<'_>,
) -> Result<(), Error> {
    let asked = intent.files;
    help_to_catalogue(follower, asked.file_view(), &session.interrupt)?;
    let groundwork: Groundwork = follower.hear()?;
    Worker::ready(groundwork, asked, session)?;
    Ok(())
}

async fn foreseen<'a>(
    aimed: DestinedFiles,
    intent: &Intent<'a>,
    outlook: Outlook<'_>,
    session: &Session<'_>,
) -> Result<(PreparedSend<'a>, SendPlan, Groundwork), Error> {
    let keys = aimed.keys();
    all_ended(&session.bucket, &keys).await?;
    let mut intent = intent.clone();
    let shared = if let Some(sharing) = outlook.sharing {
        let shared = ShareOutlook::find(&aimed, &intent, sharing, session).await?;
        if shared.is_shared_out() {
            intent.overlap = Overlap::Skip;
        } else {
            none_held(&session.bucket, &keys).await?;
        }
        Some((shared, sharing))
    } else {
        none_held(&session.bucket, &keys).await?;
        for store in &keys {
            not_shared(&session.bucket, store).await?;
        }
        None
    };
    let look = match &shared {
        Some((shared, _)) if shared.is_shared_out() => StoreLook::FirstOfShare,
        _ => StoreLook::First(None),
    };
    let fitted = PreparedSend::fitted(aimed, None, &intent, session, None, look).await?;
    let (mut prepared, fitted) = fitted;
    let requests = &fitted.requests;
    let parts = match &shared {
        Some((shared, sharing)) => Some((shared.parts(&prepared, requests, &intent)?, *sharing)),
        None => None,
    };
    let resources = outlook.ranks.map_or(intent.resources, |ranks| Resources {
        ranks: ranks.get(),
        // As in a job of one CPU a rank, which is what most get.
        threads: 1,
        ..intent.resources
    });
    let for_ranks = Intent {
        resources,
        ..intent.clone()
    };
    prepared.group(requests, &for_ranks)?;
    // What is compared now is compared by those ranks that are here.
    let comparison = prepared.comparison();
    let groundwork = Groundwork {
        projections: prepared.projections().to_vec(),
        comparison,
        is_to_be_sent: false,
    };
    let settings = &for_ranks.settings(Projections::estimated(prepared.projections()));
    prepared.set_aside_for_maps(&for_ranks);
    let mut sum = PlanSum::new(requests, &for_ranks);
    if let Some(compared) = &groundwork.comparison {
        sum.compare(compared, &prepared.archive);
    }
    let mut commits = Vec::new();
    prepared
        .each(
            &for_ranks,
            settings,
            session,
            |prepared, number, files, work, after| {
                if parts.is_some() {
                    commits.push(without_data(&work.plan));
                }
                let archive = prepared.archive.part(files.clone());
                sum.add(number, prepared.files(files), &archive, work, after);
            },
        )
        .await?;
    let mut plan = sum.plan(&prepared.archive);
    if let Some((found, sharing)) = &parts {
        let of_part = |number: usize| {
            let steps = found.parts.steps_of(number);
            PlannedPart {
                number: number + 1,
                files: prepared.files(files_of(&prepared.archive, &steps).0),
                steps: steps.end - steps.start,
                is_committed: number < found.committed,
                is_waiting: found.waiting.contains(&number),
                is_own: sharing.takes(number),
            }
        };
        plan.parts = (0..found.parts.len()).map(of_part).collect();
        let mut own = PlanSum::new(requests, &for_ranks);
        let archive = &prepared.archive;
        // The job that shares it out compares what is static.
        if let (Some(compared), false) = (&groundwork.comparison, found.are_shared_out) {
            own.compare(compared, archive);
        }
        if !found.parts.is_empty() {
            of_job(&mut plan, own, found, &commits, archive, |number| {
                found.planned(number, archive, requests, settings)
            })?;
        }
    }
    if session.bucket.endpoint().is_none() {
        plan.requests = None;
    }
    Ok((prepared, plan, groundwork))
}

/// The plan of a transaction whose data are put already.
fn without_data(plan: &Plan) -> Plan {
    // What does not grow is of no part.
    let is_left = |array: usize| {
        let array = &plan.arrays[array];
        array.phase == Phase::Commit || array.append.is_none()
    };
    Plan {
        units: plan.units.of_arrays(is_left),
        arrays: plan.arrays.clone(),
        stores: plan.stores.clone(),
        projections: plan.projections.clone(),
        files: plan.files.clone(),
        ..*plan
    }
}

/// Makes `plan`, which is of all that is to be sent, that of a job which puts only some of the parts, each as it is `planned`. Which job
/// commits them is open: what a commit writes is in it as requests only, of what this job can commit if no other job comes.
fn of_job(
    plan: &mut SendPlan,
    mut own: PlanSum,
    found: &FoundParts,
    commits: &[Plan],
    archive: &Archive,
    planned: impl Fn(usize) -> Result<(Archive, Plan), Error>,
) -> Result<(), Error> {
    let numbers = plan.parts.iter().filter(|part| part.is_to_be_put());
    let numbers: Vec<usize> = numbers.map(|part| part.number - 1).collect();
    let growths = found.growths(&numbers);
    let is_idle = numbers.is_empty() && growths.is_empty() && found.are_shared_out;
    if !is_idle {
        own.share_in(!found.are_shared_out);
    }
    for number in &numbers {
        let (files, of_part) = planned(*number)?;
        own.add_part(&files, &of_part);
    }
    for growth in growths {
        // Parts and transactions are not always the same files, but a commit is much like another.
        if let Some(like) = commits.get(growth.start).or(commits.last()) {
            own.commit_parts(like, growth.len(), growth.end == found.parts.len());
        }
    }
    // Whoever comes to parts that can be seen lets them be seen; and the first shares the archive out.
    plan.nothing_to_do |= is_idle;
    let is_all = plan.parts.iter().all(PlannedPart::is_to_be_put);
    let own = own.plan(archive);
    plan.requests = own.requests;
    if !is_all {
        (plan.objects, plan.bytes, plan.reads) = (own.objects, own.bytes, own.reads);
        (plan.work, plan.peak_memory) = (own.work, own.peak_memory);
    }
    Ok(())
}
