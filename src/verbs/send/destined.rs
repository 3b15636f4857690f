//! Rank 0: which files are meant, and the stores they go to, before anything is known of these.
//!
//! Key type: [`DestinedFiles`].

use futures::try_join;
use msm_model::{Archive, Order, SourceFile};
use msm_plan::{MissingSteps, check_names};

use super::intent::Intent;
use crate::error::Error;
use crate::session::Session;
use crate::verbs::files::fit::fit;
use crate::verbs::files::joined::join;
use crate::verbs::files::prefix::spot;
use crate::verbs::files::requested::{RequestedStore, selected_variables, with_coordinates};
use crate::verbs::reprojection::corners::Domain;
use crate::verbs::stores::destinations::{Aim, Destination, targets};

/// Files that fit together, and the stores they are meant for, whatever is there.
pub(in crate::verbs) struct DestinedFiles {
    pub archive: Archive,
    pub members: Vec<String>,
    pub domain: Domain,
    pub targets: Vec<RequestedStore>,
}

impl DestinedFiles {
    /// Joins the files, and finds out where they go.
    pub(in crate::verbs) async fn new(
        files: Vec<SourceFile>,
        intent: &Intent<'_>,
        session: &Session<'_>,
    ) -> Result<Self, Error> {
        let bucket = &session.bucket;
        let asked = intent.files;
        let named = &asked.selection.variables;
        let (order, aim) = if intent.task.goal.rewrites() {
            (Order::Any, Aim::Update)
        } else {
            (Order::Increasing, Aim::Send)
        };
        let mut archive = join(files, asked.file_view(), order)?;
        let variables = selected_variables(&archive.catalogue, named)?;
        let spot = spot(asked.spot.as_ref(), &archive)?;
        let members = with_coordinates(&archive, &variables);
        let in_directory = bucket.endpoint().is_none();
        Error::together(check_names(&archive.catalogue.path, &members, in_directory))?;
        let mut others = archive.surplus(named);
        // What is inserted may lie between what a store has.
        if !intent.allow_gaps && intent.missing != MissingSteps::Insert {
            others.extend(archive.gaps());
        }
        let domain = fit(
            &mut archive,
            &members,
            others,
            asked.domain.as_ref(),
            session,
        )?;
        let destination = Destination {
            spot: &spot,
            is_compact: asked.selection.compact,
            is_named: !named.is_empty(),
            consolidates: asked.consolidate,
            aim,
        };
        let reached = async { Ok(bucket.reach(spot.key()).await?) };
        let aimed = targets(bucket, &archive, &destination, variables);
        let ((), targets) = try_join!(reached, aimed)?;
        Ok(Self {
            archive,
            members,
            domain,
            targets,
        })
    }

    /// The stores.
    pub(in crate::verbs) fn keys(&self) -> Vec<String> {
        let keys = self.targets.iter().map(|target| target.key.clone());
        keys.collect()
    }
}
