//! `delete --time FROM..`: the last steps of stores go. Rank 0's work; the others wait.
//!
//! Key types: [`TimeRange`], which of them; [`StepDeletion`].

use msm_model::{Instant, Step};
use msm_zarr::{Group, StoreSnapshot, layout};
use serde::{Deserialize, Serialize};

use crate::commit::StoreTruncation;
use crate::error::Error;
use crate::session::Session;
use crate::store::{Bucket, StoreLookup, read_store};
use crate::verbs::delete::survey::{DeleteSurvey, StepsSurvey};
use crate::verbs::delete::{Delete, DeleteError};
use crate::verbs::shared::hold::Hold;
use crate::verbs::shared::removing::remove;
use crate::verbs::stores::named::stores;
use crate::verbs::tally::Tally;

/// The command, as ledgers and lists say it.
const COMMAND: &str = "delete --time";

/// Steps of stores: all from a moment on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeRange {
    /// The dimension along which they are.
    pub dimension: String,
    /// A year, a month, a day or a moment, in the calendar of each store.
    pub from: String,
}

/// Steps, and the stores that they go from.
pub(super) struct StepDeletion {
    range: TimeRange,
    stores: Vec<String>,
}

/// What goes of a store.
struct StepCut {
    cut: StoreTruncation,
    survey: StepsSurvey,
}

impl StepDeletion {
    /// Those in `range`, of the stores that the `request` names.
    ///
    /// # Errors
    /// If there is no such store, or it is a group of one.
    pub(super) async fn of(
        request: &Delete,
        range: &TimeRange,
        bucket: &Bucket,
    ) -> Result<Self, Error> {
        bucket.reach(request.spot.key()).await?;
        let groups = stores(bucket, &request.spot, &request.variables).await?;
        if let Some(group) = groups.iter().find(|group| !group.path.is_empty()) {
            let (store, group) = (group.store.clone(), group.to_string());
            return Err(DeleteError::StepsOfGroup { group, store }.into());
        }
        let stores = groups.into_iter().map(|group| group.store);
        let stores: Vec<String> = stores.filter(|store| !layout::is_reading(store)).collect();
        if stores.is_empty() {
            let place = layout::below(bucket.place(), request.spot.key());
            return Err(DeleteError::NoStores { place }.into());
        }
        let range = range.clone();
        Ok(Self { range, stores })
    }

    /// What would go of each store.
    ///
    /// # Errors
    /// If that cannot be told, or nothing would, or all of one.
    pub(super) async fn survey(&self, bucket: &Bucket) -> Result<DeleteSurvey, Error> {
        Ok(shown(&self.look(bucket).await?))
    }

    /// Removes them.
    ///
    /// # Errors
    /// As [`Self::survey`]; then nothing has changed.
    pub(super) async fn delete(
        self,
        request: &Delete,
        session: &Session<'_>,
    ) -> Result<DeleteSurvey, Error> {
        let (leasing, keep_undo) = (&request.leasing, request.keep_undo);
        Hold::during(session, leasing, &self.stores, "delete", async |hold| {
            let found = self.look(&session.bucket).await?;
            let done = shown(&found);
            let removals: Vec<_> = found.into_iter().map(|found| found.cut.removal).collect();
            remove(session, &removals, hold, COMMAND, keep_undo).await?;
            Ok(done)
        })
        .await
    }

    /// What goes of each store; all are looked at before the first is changed.
    async fn look(&self, bucket: &Bucket) -> Result<Vec<StepCut>, Error> {
        let (mut all, mut problems) = (Vec::new(), Vec::new());
        let mut last: Option<(String, String)> = None;
        for store in &self.stores {
            match self.look_at(bucket, store).await {
                Ok(Ok(Some(found))) => all.push(found),
                Ok(Ok(None)) => {}
                Ok(Err(end)) => last = Some((store.clone(), end)),
                Err(problem) => problems.push(problem),
            }
        }
        Error::together(problems)?;
        let TimeRange { dimension, from } = self.range.clone();
        match (all.is_empty(), last) {
            (false, _) => Ok(all),
            (true, Some((store, last))) => Err(DeleteError::NoSteps { from, store, last }.into()),
            (true, None) => Err(DeleteError::NoTimes { dimension }.into()),
        }
    }

    /// What goes of `store`; its last step if that is before all that goes; nothing if it is one without steps.
    async fn look_at(
        &self,
        bucket: &Bucket,
        store: &str,
    ) -> Result<Result<Option<StepCut>, String>, Error> {
        let TimeRange { dimension, from } = &self.range;
        let Some(stored) = snapshot(bucket, store, dimension).await? else {
            return Ok(Ok(None));
        };
        let untimed = || DeleteError::NotTimed {
            store: store.to_owned(),
            dimension: dimension.clone(),
        };
        let instants = stored.steps.iter().map(|step| step.instant());
        let instants: Option<Vec<Instant>> = instants.collect();
        let instants = instants.filter(|all| !all.is_empty());
        let instants = instants.ok_or_else(untimed)?;
        let calendar = instants[0].calendar();
        let begins = Instant::parse_begin(from, calendar).map_err(|cause| DeleteError::Time {
            text: format!("{from}.."),
            cause: cause.to_string(),
        })?;
        let goes = |step: &Instant| !begins.is_after(*step);
        let stays = instants.iter().position(goes).unwrap_or(instants.len());
        if !instants[stays..].iter().all(goes) || !Step::are_in_order(&stored.steps) {
            let store = store.to_owned();
            return Err(DeleteError::NotInOrder { store }.into());
        }
        let last = instants[instants.len() - 1];
        let Some(first) = instants.get(stays) else {
            return Ok(Err(last.to_string()));
        };
        if stays == 0 {
            let (store, from) = (store.to_owned(), from.clone());
            return Err(DeleteError::AllSteps { store, from }.into());
        }
        let cut = StoreTruncation::to(bucket, store, dimension, stays as u64).await?;
        let Some(cut) = cut else {
            return Ok(Ok(None));
        };
        let (objects, bytes) = cut.removal.size();
        let survey = StepsSurvey {
            store: store.to_owned(),
            steps: (instants.len() - stays) as u64,
            first: first.to_string(),
            last: last.to_string(),
            tally: Tally { objects, bytes },
            attributes: cut.attributes.clone(),
        };
        Ok(Ok(Some(StepCut { cut, survey })))
    }
}

/// The store, with the steps along `dimension` that its metadata tell, or others if those never change; `None` if it has none.
async fn snapshot(
    bucket: &Bucket,
    store: &str,
    dimension: &str,
) -> Result<Option<StoreSnapshot>, Error> {
    let group = Group::whole(store);
    let StoreLookup::Store(stored) = read_store(bucket, &group, "").await? else {
        return Ok(None);
    };
    let catalogue = stored.catalogue();
    let Ok(candidates) = catalogue.candidates(dimension) else {
        return Ok(None);
    };
    let mut found: Option<StoreSnapshot> = None;
    for candidate in candidates {
        let StoreLookup::Store(stored) = read_store(bucket, &group, &candidate.name).await? else {
            return Ok(None);
        };
        let changes = stored.steps.iter().any(|step| *step != stored.steps[0]);
        if changes || stored.steps.len() == 1 {
            return Ok(Some(stored));
        }
        found.get_or_insert(stored);
    }
    Ok(found)
}

fn shown(found: &[StepCut]) -> DeleteSurvey {
    DeleteSurvey::Steps {
        stores: found.iter().map(|found| found.survey.clone()).collect(),
    }
}
