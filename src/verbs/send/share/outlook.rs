//! Which parts jobs would find that share in sending an archive. Nothing is written, and no lease is taken.
//!
//! Key type: [`ShareOutlook`].

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;

use msm_model::Archive;
use msm_plan::{ArchiveParts, Plan, PlanSettings, StoreRequest, part_plan, parts};

use super::Sharing;
use super::begin::{can_be_shared, check_shareable, shared_already};
use super::error::ShareError;
use super::listed::{look_at, same_files};
use super::settings::{same_request, settings};
use crate::commit::{ShareState, SharedArchive};
use crate::error::Error;
use crate::session::Session;
use crate::verbs::send::destined::DestinedFiles;
use crate::verbs::send::error::SendError;
use crate::verbs::send::intent::Intent;
use crate::verbs::send::prepare::PreparedSend;

/// An archive as jobs would share in it.
pub(in crate::verbs::send) struct ShareOutlook {
    /// As it was shared out, if it was; and how far jobs are with it.
    there: Option<(SharedArchive, ShareState)>,
}

/// The parts of an archive.
pub(in crate::verbs::send) struct FoundParts {
    pub parts: ArchiveParts,
    /// So many of them readers see.
    pub committed: usize,
    /// Those that are put and wait out of sight.
    pub waiting: BTreeSet<usize>,
    /// Are they shared out already?
    pub are_shared_out: bool,
}

impl ShareOutlook {
    /// Looks whether the archive can be shared, or is already, with the same files and settings.
    ///
    /// # Errors
    /// If it cannot, or was shared out otherwise.
    pub(in crate::verbs::send) async fn find(
        aimed: &DestinedFiles,
        intent: &Intent<'_>,
        sharing: &Sharing,
        session: &Session<'_>,
    ) -> Result<Self, Error> {
        can_be_shared(intent, sharing)?;
        let stores = aimed.keys();
        let there = shared_already(&session.bucket, &stores).await?;
        let Some(archive) = there else {
            return Ok(Self { there: None });
        };
        if archive.ending {
            return Err(ShareError::Ending.into());
        }
        // Jobs may be started in any directory.
        let paths = aimed.archive.files.iter().map(|file| {
            std::path::absolute(file.path()).map_err(|cause| SendError::File {
                path: file.path().clone(),
                cause: cause.to_string(),
            })
        });
        let paths: Vec<PathBuf> = paths.collect::<Result<_, _>>()?;
        same_files(&archive, &look_at(&paths)?)?;
        same_request(&archive, &settings(intent), &stores)?;
        let state = ShareState::of(&session.bucket, &archive).await?;
        let there = Some((archive, state));
        Ok(Self { there })
    }

    /// Is it shared out already? Then steps that are there were sent by other jobs.
    pub(in crate::verbs::send) fn is_shared_out(&self) -> bool {
        self.there.is_some()
    }

    /// The parts, and how far jobs are with them.
    ///
    /// # Errors
    /// If what is to be written is more than new steps.
    pub(in crate::verbs::send) fn parts(
        &self,
        prepared: &PreparedSend<'_>,
        requests: &[StoreRequest],
        intent: &Intent<'_>,
    ) -> Result<FoundParts, Error> {
        let Some((archive, state)) = &self.there else {
            let parts = parts(&prepared.archive, requests, &prepared.estimated(intent))?;
            check_shareable(&parts, requests, &intent.task)?;
            return Ok(FoundParts {
                parts,
                committed: 0,
                waiting: BTreeSet::new(),
                are_shared_out: false,
            });
        };
        let parts = &archive.parts;
        let mut edge = parts.steps;
        for request in requests {
            let stored = request.stored.as_ref();
            let steps = stored.map_or(0, |stored| stored.steps.len() as u64);
            let of_store = parts.store(&request.key).map(|store| store.edge(steps));
            edge = edge.min(of_store.flatten().unwrap_or(parts.steps));
        }
        let committed = parts.before(edge);
        Ok(FoundParts {
            parts: parts.clone(),
            committed,
            waiting: state.done.range(committed..).copied().collect(),
            are_shared_out: true,
        })
    }
}

impl FoundParts {
    /// What is put of the part `number`: its files, and the plan.
    ///
    /// # Errors
    /// If it does not fit the memory.
    pub(in crate::verbs::send) fn planned(
        &self,
        number: usize,
        archive: &Archive,
        requests: &[StoreRequest],
        settings: &PlanSettings,
    ) -> Result<(Archive, Plan), Error> {
        let steps = self.parts.steps_of(number);
        let (files, placed) = files_of(archive, &steps);
        let files = archive.part(files);
        let requests = requests_of(&self.parts, requests, &steps, &placed);
        let plan = part_plan(&files, &requests, settings)?;
        Ok((files, plan))
    }

    /// The parts that a job commits at a time which puts these, one after the other, while no other job comes.
    pub(in crate::verbs::send) fn growths(&self, puts: &[usize]) -> Vec<Range<usize>> {
        let (mut done, mut committed) = (self.waiting.clone(), self.committed);
        let mut growths = Vec::new();
        for put in [None].into_iter().chain(puts.iter().map(Some)) {
            done.extend(put);
            let first = committed;
            while done.contains(&committed) {
                committed += 1;
            }
            if committed > first {
                growths.push(first..committed);
            }
        }
        growths
    }
}

/// What is asked of the stores for the `steps` of a part, whose files' steps are these `placed` ones.
pub(super) fn requests_of(
    parts: &ArchiveParts,
    requests: &[StoreRequest],
    steps: &Range<u64>,
    placed: &Range<usize>,
) -> Vec<StoreRequest> {
    let mut requests = requests.to_vec();
    for request in &mut requests {
        // A store without steps has no places.
        let of_files = request.placed.get(placed.clone());
        request.placed = of_files.map(<[_]>::to_vec).unwrap_or_default();
        request.scope = parts.scope(&request.key, steps);
    }
    requests
}

/// The files that have these `steps` of the archive, and the steps that they have.
pub(in crate::verbs::send) fn files_of(
    archive: &Archive,
    steps: &Range<u64>,
) -> (Range<usize>, Range<usize>) {
    let lengths = archive.lengths();
    let (mut first, mut end, mut at) = (lengths.len(), 0, 0);
    let (mut from, mut to) = (0, 0);
    for (file, length) in lengths.into_iter().enumerate() {
        if at + length > steps.start && at < steps.end {
            if first > file {
                (first, from) = (file, at);
            }
            (end, to) = (file + 1, at + length);
        }
        at += length;
    }
    (first.min(end)..end, from as usize..to as usize)
}
