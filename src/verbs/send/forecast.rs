//! What a send would do, as the stores are now. Nothing is written, and no lease is taken.
//!
//! Key type: [`SendForecast`].

use msm_plan::TargetStore;
use serde::{Deserialize, Serialize};

use super::destined::DestinedFiles;
use super::intent::Intent;
use super::lead::size;
use super::prepare::PreparedSend;
use super::worker::{Groundwork, Worker};
use crate::error::Error;
use crate::events::{PlanSize, PlannedFiles};
use crate::ranks::{Follower, Lead, Role};
use crate::session::Session;
use crate::verbs::files::catalogue::{catalogue, help_to_catalogue};
use crate::verbs::shared::abandoned::{journals, unended};
use crate::verbs::shared::error::WritingError;
use crate::verbs::shared::hold::not_shared;

/// What a send would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendForecast {
    /// Transactions that the files are sent in, though some may turn out to have nothing to do; none if there is nothing to do at all.
    pub transactions: usize,
    /// The first that has something to do.
    pub first: Option<ForeseenTransaction>,
}

/// What a transaction would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeseenTransaction {
    /// Its number, from 1.
    pub number: usize,
    /// What it is of.
    pub files: PlannedFiles,
    /// What it comes to.
    pub size: PlanSize,
    /// What becomes of each store.
    pub stores: Vec<ForeseenStore>,
}

/// What would become of a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeseenStore {
    /// Its key.
    pub key: String,
    /// Is it new?
    pub is_new: bool,
    /// Steps that it gets.
    pub new_steps: u64,
    /// Steps of it that are overwritten.
    pub replaced_steps: u64,
}

impl ForeseenStore {
    fn of(store: &TargetStore) -> Self {
        Self {
            key: store.key.clone(),
            is_new: store.old_root.is_none(),
            new_steps: store.new_steps,
            replaced_steps: store.replaced_steps,
        }
    }
}

impl SendForecast {
    /// What is wanted, as the stores are. Every rank calls it.
    ///
    /// # Errors
    /// On every rank the same: what a send would refuse; or if another job is at a store, or has left it as it died.
    pub(super) fn of(intent: &Intent<'_>, session: &Session<'_>) -> Result<Self, Error> {
        match session.role() {
            Role::Lead(lead) => {
                let foreseen = Self::led(intent, session, lead);
                lead.share(foreseen)
            }
            Role::Follower(follower) => {
                // The lead knows why it could not go on, and tells it next.
                let _ = Self::followed(intent, session, follower);
                follower.hear()
            }
        }
    }

    fn led(intent: &Intent<'_>, session: &Session<'_>, lead: Lead<'_>) -> Result<Self, Error> {
        let asked = intent.files;
        let files = catalogue(lead, &asked.paths, asked.file_view(), &session.interrupt)?;
        let foreseen = session.runtime.block_on(async {
            let aimed = DestinedFiles::new(files, intent, session).await?;
            let keys = aimed.keys();
            let left = journals(&session.bucket, &keys).await?;
            Error::together(left.iter().flat_map(|(store, found)| {
                let unfinished = found.unfinished.iter();
                unfinished.map(|one| WritingError::Unended {
                    store: store.clone(),
                    transaction: unended(one),
                })
            }))?;
            for store in &keys {
                not_shared(&session.bucket, store).await?;
            }
            let mut prepared = PreparedSend::new(aimed, intent, session, None).await?;
            let first = prepared.first(intent, session).await?;
            let forecast = Self {
                transactions: prepared.transactions(),
                first: first.map(|(number, files, plan)| ForeseenTransaction {
                    number,
                    files,
                    size: size(&plan),
                    stores: plan.stores.iter().map(ForeseenStore::of).collect(),
                }),
            };
            Ok((prepared, forecast))
        });
        let (mut prepared, forecast) = lead.go_on(foreseen)?;
        let groundwork = Groundwork {
            projections: prepared.projections().to_vec(),
            comparison: prepared.comparison(),
            is_to_be_sent: false,
        };
        lead.tell(&groundwork)?;
        Worker::ready(groundwork, asked, session)?;
        prepared.tell_notes(session);
        Ok(forecast)
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
}
