//! What a send would do, as the stores are now. Nothing is written, and no lease is taken.
//!
//! Key type: [`SendForecast`].

use serde::{Deserialize, Serialize};

use super::intent::Intent;
use super::lead::size;
use super::prepare::{DestinedFiles, PreparedSend};
use crate::error::Error;
use crate::events::{PlanSize, PlannedFiles, TransactionIdentity};
use crate::ranks::{Lead, Role};
use crate::session::Session;
use crate::verbs::files::catalogue::{catalogue, help_to_catalogue};
use crate::verbs::shared::abandoned::{journals, unended};
use crate::verbs::shared::hold::not_shared;

/// What a send would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SendForecast {
    /// Dead jobs have left these transactions in stores, by their keys: before they are healed, nothing can be told.
    Unhealed(Vec<(String, TransactionIdentity)>),
    /// So many transactions, none if there is nothing to do; and what the first of them comes to.
    Transactions(usize, Option<(PlannedFiles, PlanSize)>),
}

impl SendForecast {
    /// What is wanted, as the stores are. Every rank calls it.
    pub(super) fn of(intent: &Intent<'_>, session: &Session<'_>) -> Result<Self, Error> {
        match session.role() {
            Role::Lead(lead) => lead.share(Self::led(intent, session, lead)),
            Role::Follower(follower) => {
                // The lead knows why it could not go on, and tells it next.
                let view = intent.files.file_view();
                let _ = help_to_catalogue(follower, view, &session.interrupt);
                follower.hear()
            }
        }
    }

    fn led(intent: &Intent<'_>, session: &Session<'_>, lead: Lead<'_>) -> Result<Self, Error> {
        let asked = intent.files;
        let files = catalogue(lead, &asked.paths, asked.file_view(), &session.interrupt)?;
        session.runtime.block_on(async {
            let aimed = DestinedFiles::new(files, intent, session).await?;
            let keys = aimed.keys();
            let left = journals(&session.bucket, &keys).await?.into_iter();
            let left = left.flat_map(|(store, found)| {
                let unfinished = found.unfinished.into_iter();
                unfinished.map(move |one| (store.clone(), unended(&one)))
            });
            let left: Vec<_> = left.collect();
            if !left.is_empty() {
                return Ok(Self::Unhealed(left));
            }
            for store in &keys {
                not_shared(&session.bucket, store).await?;
            }
            let mut prepared = PreparedSend::new(aimed, intent, session, None).await?;
            prepared.tell_notes(session);
            let first = prepared.first(intent, session).await?;
            let first = first.map(|(files, plan)| (files, size(&plan)));
            Ok(Self::Transactions(prepared.transactions(), first))
        })
    }
}
