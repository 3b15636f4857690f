//! `delete --time`: steps of stores go. Rank 0's work; the others wait.
//!
//! Key types: [`TimeRange`], which of them; [`StepDeletion`].

use std::collections::BTreeSet;
use std::fmt;
use std::ops::{Bound, Range};

use msm_model::{Instant, TimeError};
use msm_zarr::{Group, OutlineArray, StoreSnapshot, group_of, layout};
use serde::{Deserialize, Serialize};

use crate::commit::StoreTruncation;
use crate::error::Error;
use crate::session::Session;
use crate::store::{Bucket, StoreLookup, read_outline, read_store};
use crate::verbs::delete::hole::leaves_no_hole;
use crate::verbs::delete::survey::{DeleteSurvey, StepsSurvey};
use crate::verbs::delete::{Delete, DeleteError};
use crate::verbs::send::RequestCounts;
use crate::verbs::shared::at_rest::can_be_foretold;
use crate::verbs::shared::hold::Hold;
use crate::verbs::shared::removing::remove;
use crate::verbs::shared::requests::of_removal;
use crate::verbs::stores::absent::none_comes_back;
use crate::verbs::stores::named::stores;
use crate::verbs::stores::replaced::check_not_replaced;
use crate::verbs::tally::Tally;

/// The command, as ledgers and lists say it.
const COMMAND: &str = "delete --time";

/// Steps of stores, between two years, months, days or moments in the calendar of each store, these included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeRange {
    /// The dimension along which they are.
    pub dimension: String,
    /// All from then on; `None` from the first step on.
    pub from: Option<String>,
    /// All up to then; `None` up to the last one.
    pub to: Option<String>,
}

impl fmt::Display for TimeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [from, to] = [&self.from, &self.to].map(|end| end.as_deref().unwrap_or_default());
        write!(f, "{from}..{to}")
    }
}

impl TimeRange {
    /// Which of `steps`, which follow each other, are in it.
    fn of(&self, steps: &[Instant]) -> Result<Range<usize>, TimeError> {
        let Some(calendar) = steps.first().map(|step| step.calendar()) else {
            return Ok(0..0);
        };
        let from = self.from.as_deref();
        let from = from
            .map(|from| Instant::parse_begin(from, calendar))
            .transpose()?;
        let to = self.to.as_deref();
        let to = to.map(|to| Instant::parse_end(to, calendar)).transpose()?;
        let is_before = |step: &Instant| from.is_some_and(|from| from.is_after(*step));
        let is_up_to = |step: &Instant| match to {
            Some(Bound::Included(end)) => !step.is_after(end),
            Some(Bound::Excluded(end)) => end.is_after(*step),
            Some(Bound::Unbounded) | None => true,
        };
        let first = steps.partition_point(is_before);
        Ok(first..steps.partition_point(is_up_to).max(first))
    }
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
            none_comes_back(bucket, &request.spot).await?;
            let place = bucket.place_of(request.spot.key());
            return Err(DeleteError::NoStores { place }.into());
        }
        let range = range.clone();
        Ok(Self { range, stores })
    }

    /// What would go of each store.
    ///
    /// # Errors
    /// If that cannot be told, as where a job is at a store, or has left it as it died; or if nothing would go, or all of one.
    pub(super) async fn survey(
        &self,
        request: &Delete,
        bucket: &Bucket,
    ) -> Result<DeleteSurvey, Error> {
        can_be_foretold(bucket, &self.stores).await?;
        let mut found = self.look(request, bucket).await?;
        for StepCut { cut, survey } in &mut found {
            survey.requests = of_removal(bucket, &cut.removal, request.keep_undo).await?;
        }
        Ok(shown(&found))
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
            let found = self.look(request, &session.bucket).await?;
            let done = shown(&found);
            let removals: Vec<_> = found.into_iter().map(|found| found.cut.removal).collect();
            remove(session, &removals, hold, COMMAND, keep_undo).await?;
            Ok(done)
        })
        .await
    }

    /// What goes of each store; all are looked at before the first is changed.
    async fn look(&self, request: &Delete, bucket: &Bucket) -> Result<Vec<StepCut>, Error> {
        leaves_no_hole(request, bucket, &self.stores).await?;
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
        if !all.is_empty() {
            return Ok(all);
        }
        Err(match last {
            Some((store, held)) => DeleteError::NoSteps {
                range: self.range.to_string(),
                store,
                held,
            },
            None => self.no_times(bucket).await?,
        }
        .into())
    }

    /// Why there are no steps.
    async fn no_times(&self, bucket: &Bucket) -> Result<DeleteError, Error> {
        let mut outlines = Vec::new();
        for store in &self.stores {
            outlines.extend(read_outline(bucket, store).await?);
        }
        if outlines.is_empty() {
            // Another job was there first.
            check_not_replaced(bucket, self.stores.iter()).await?;
            let place = bucket.place_of(self.stores.first().map_or("", String::as_str));
            return Ok(DeleteError::NoStores { place });
        }
        let arrays = outlines.iter().flat_map(|outline| &outline.arrays);
        let found: BTreeSet<&String> = arrays.flat_map(|array| &array.dimensions).collect();
        Ok(DeleteError::NoTimes {
            dimension: self.range.dimension.clone(),
            found: found.into_iter().cloned().collect(),
        })
    }

    /// What goes of `store`; from when to when its steps are, if none of them does; nothing if it is one without steps.
    async fn look_at(
        &self,
        bucket: &Bucket,
        store: &str,
    ) -> Result<Result<Option<StepCut>, String>, Error> {
        let dimension = &self.range.dimension;
        let Some(stored) = snapshot(bucket, store, dimension).await? else {
            let outline = read_outline(bucket, store).await?;
            let grows = |array: &OutlineArray| {
                !group_of(&array.name).is_empty() && array.dimensions.contains(dimension)
            };
            let arrays = outline.into_iter().flat_map(|outline| outline.arrays);
            return match { arrays }.find(grows) {
                None => Ok(Ok(None)),
                Some(array) => {
                    let group = layout::below(store, group_of(&array.name));
                    let store = store.to_owned();
                    Err(DeleteError::StepsOfGroup { group, store }.into())
                }
            };
        };
        let untimed = || DeleteError::NotTimed {
            store: store.to_owned(),
            dimension: dimension.clone(),
        };
        let instants = stored.steps.iter().map(|step| step.instant());
        let instants: Option<Vec<Instant>> = instants.collect();
        let instants = instants.filter(|all| !all.is_empty());
        let instants = instants.ok_or_else(untimed)?;
        let gone = self
            .range
            .of(&instants)
            .map_err(|cause| DeleteError::Time {
                text: self.range.to_string(),
                cause: cause.to_string(),
            })?;
        let ends =
            |steps: &[Instant]| [steps[0], steps[steps.len() - 1]].map(|step| step.to_string());
        if gone.is_empty() {
            let [first, last] = ends(&instants);
            return Ok(Err(format!("{first} to {last}")));
        }
        if gone.len() == instants.len() {
            let (store, range) = (store.to_owned(), self.range.to_string());
            return Err(DeleteError::AllSteps { store, range }.into());
        }
        let [first, last] = ends(&instants[gone.clone()]);
        let moved = (instants.len() - gone.end) as u64;
        let steps = gone.len() as u64;
        let gone = gone.start as u64..gone.end as u64;
        let cut = StoreTruncation::without(bucket, store, dimension, &gone).await?;
        let Some(cut) = cut else {
            return Ok(Ok(None));
        };
        let [tally, remade] = [cut.removal.size(), cut.removal.remade()]
            .map(|(objects, bytes)| Tally { objects, bytes });
        let survey = StepsSurvey {
            store: store.to_owned(),
            steps,
            first,
            last,
            moved,
            tally,
            remade,
            attributes: cut.attributes.clone(),
            requests: RequestCounts::default(),
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
