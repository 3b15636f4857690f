//! `delete --array`: arrays go from stores that stay. Rank 0's work; the others wait.
//!
//! Key type: [`ArrayDeletion`].

use crate::commit::ArrayRemoval;
use crate::error::Error;
use crate::session::Session;
use crate::store::Bucket;
use crate::verbs::delete::hole::leaves_no_hole;
use crate::verbs::delete::survey::{ArraysSurvey, DeleteSurvey};
use crate::verbs::delete::{Delete, DeleteError};
use crate::verbs::send::RequestCounts;
use crate::verbs::shared::at_rest::can_be_foretold;
use crate::verbs::shared::hold::Hold;
use crate::verbs::shared::removing::remove;
use crate::verbs::shared::requests::of_removal;
use crate::verbs::stores::named::{keys, stores};
use crate::verbs::stores::replaced::check_not_replaced;
use crate::verbs::tally::Tally;

/// The command, as ledgers and lists say it.
const COMMAND: &str = "delete --array";

/// Arrays, and the stores that they go from.
pub(super) struct ArrayDeletion {
    names: Vec<String>,
    stores: Vec<String>,
}

impl ArrayDeletion {
    /// Those that the `request` names.
    ///
    /// # Errors
    /// If there is no such store, or it is one from which single arrays cannot be removed.
    pub(super) async fn of(request: &Delete, bucket: &Bucket) -> Result<Self, Error> {
        bucket.reach(request.spot.key()).await?;
        let mut names = request.arrays.clone();
        names.sort_unstable();
        names.dedup();
        let groups = stores(bucket, &request.spot, &request.variables).await?;
        if let Some(group) = groups.iter().find(|group| !group.path.is_empty()) {
            let (store, group) = (group.store.clone(), group.to_string());
            return Err(DeleteError::ArrayOfGroup { group, store }.into());
        }
        let mut stores = keys(&groups);
        stores.sort_unstable();
        stores.dedup();
        Ok(Self { names, stores })
    }

    /// What would go of each store.
    ///
    /// # Errors
    /// If one of them cannot go; or if a job is at a store, or has left it as it died.
    pub(super) async fn survey(
        &self,
        request: &Delete,
        bucket: &Bucket,
    ) -> Result<DeleteSurvey, Error> {
        can_be_foretold(bucket, &self.stores).await?;
        let found = self.look(request, bucket).await?;
        let mut all = Vec::new();
        for one in &found {
            all.push(of_removal(bucket, &one.removal, request.keep_undo).await?);
        }
        Ok(self.shown(&found, all))
    }

    /// Removes them.
    ///
    /// # Errors
    /// If one of them cannot go; then nothing has changed.
    pub(super) async fn delete(
        self,
        request: &Delete,
        session: &Session<'_>,
    ) -> Result<DeleteSurvey, Error> {
        Hold::during(
            session,
            &request.leasing,
            &self.stores,
            "delete",
            async |hold| {
                let found = self.look(request, &session.bucket).await?;
                let done = self.shown(&found, Vec::new());
                let removals: Vec<_> = found.into_iter().map(|found| found.removal).collect();
                remove(session, &removals, hold, COMMAND, request.keep_undo).await?;
                Ok(done)
            },
        )
        .await
    }

    /// What goes of each store; all are looked at before the first is changed.
    async fn look(&self, request: &Delete, bucket: &Bucket) -> Result<Vec<ArrayRemoval>, Error> {
        leaves_no_hole(request, bucket, &self.stores).await?;
        let (mut all, mut problems) = (Vec::new(), Vec::new());
        for store in &self.stores {
            match ArrayRemoval::of(bucket, store, &self.names, request.force).await {
                Ok(found) => all.push(found),
                Err(found) => problems.push(found),
            }
        }
        Error::together(problems)?;
        if all.is_empty() {
            check_not_replaced(bucket, self.stores.iter()).await?;
            let place = bucket.place_of(self.stores.first().map_or("", String::as_str));
            return Err(DeleteError::NoStores { place }.into());
        }
        Ok(all)
    }

    /// What goes of each store, with the `requests` that it takes, if they are asked for.
    fn shown(&self, found: &[ArrayRemoval], requests: Vec<RequestCounts>) -> DeleteSurvey {
        let mut requests = requests.into_iter();
        let stores = found.iter().map(|found| {
            let (objects, bytes) = found.removal.size();
            ArraysSurvey {
                store: found.removal.store.clone(),
                tally: Tally { objects, bytes },
                attributes: found.attributes.clone(),
                requests: requests.next().unwrap_or_default(),
            }
        });
        DeleteSurvey::Arrays {
            names: self.names.clone(),
            stores: stores.collect(),
        }
    }
}
