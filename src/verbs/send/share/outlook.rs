//! Which parts jobs would find that share in sending an archive. Nothing is written, and no lease is taken.
//!
//! Key type: [`ShareOutlook`].

use std::ops::Range;
use std::path::PathBuf;

use msm_model::Archive;
use msm_plan::{ArchiveParts, StoreRequest, parts};

use super::Sharing;
use super::begin::{can_be_shared, check_shareable, shared_already};
use super::error::ShareError;
use super::listed::{look_at, same_files};
use super::settings::{same_request, settings};
use crate::commit::SharedArchive;
use crate::error::Error;
use crate::session::Session;
use crate::verbs::send::destined::DestinedFiles;
use crate::verbs::send::error::SendError;
use crate::verbs::send::intent::Intent;
use crate::verbs::send::prepare::PreparedSend;

/// An archive as jobs would share in it.
pub(in crate::verbs::send) struct ShareOutlook {
    /// As it was shared out, if it was.
    there: Option<SharedArchive>,
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
        if let Some(archive) = &there {
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
            same_files(archive, &look_at(&paths)?)?;
            same_request(archive, &settings(intent), &stores)?;
        }
        Ok(Self { there })
    }

    /// Is it shared out already? Then steps that are there were sent by other jobs.
    pub(in crate::verbs::send) fn is_shared_out(&self) -> bool {
        self.there.is_some()
    }

    /// The parts, and how many of them readers see.
    ///
    /// # Errors
    /// If what is to be written is more than new steps.
    pub(in crate::verbs::send) fn parts(
        &self,
        prepared: &PreparedSend<'_>,
        requests: &[StoreRequest],
        intent: &Intent<'_>,
    ) -> Result<(ArchiveParts, usize), Error> {
        let Some(archive) = &self.there else {
            let parts = parts(&prepared.archive, requests, &prepared.estimated(intent))?;
            check_shareable(&parts, requests, &intent.task)?;
            return Ok((parts, 0));
        };
        let parts = &archive.parts;
        let mut edge = parts.steps;
        for request in requests {
            let stored = request.stored.as_ref();
            let steps = stored.map_or(0, |stored| stored.steps.len() as u64);
            let of_store = parts.store(&request.key).map(|store| store.edge(steps));
            edge = edge.min(of_store.flatten().unwrap_or(parts.steps));
        }
        Ok((parts.clone(), parts.before(edge)))
    }
}

/// The files that have these `steps` of the archive.
pub(in crate::verbs::send) fn files_with(archive: &Archive, steps: &Range<u64>) -> Range<usize> {
    let (mut first, mut end, mut at) = (None, 0, 0);
    for (file, length) in archive.lengths().into_iter().enumerate() {
        if at + length > steps.start && at < steps.end {
            first = first.or(Some(file));
            end = file + 1;
        }
        at += length;
    }
    first.unwrap_or(end)..end
}
