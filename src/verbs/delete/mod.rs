//! `delete`: stores go, root documents first, ledgers last; every rank deletes its share.
//!
//! Key types: [`Delete`], what is asked; [`PlannedDelete`]; [`DeleteReport`].

mod area;
mod arrays;
mod error;
mod group;
mod hole;
mod requests;
mod steps;
mod survey;
mod warning;

use std::collections::BTreeSet;

use futures::stream::LocalBoxStream;
use futures::{StreamExt, TryStreamExt, stream};
use msm_zarr::{ObjectKind, is_store, layout};
use serde::{Deserialize, Serialize};

pub use self::error::DeleteError;
pub use self::steps::TimeRange;
pub use self::survey::{ArraysSurvey, DeleteSurvey, StepsSurvey};
pub use self::warning::DeleteWarning;
pub use crate::verbs::tally::Tally;

use self::area::Area;
use self::arrays::ArrayDeletion;
use self::group::{GroupContents, nested};
use self::hole::leaves_no_hole;
use self::steps::StepDeletion;
use self::survey::Survey;
use crate::commit::{CleanupError, Deletion, NotBegun, sweep_staged};
use crate::error::Error;
use crate::events::WorkKind;
use crate::ranks::{Follower, Lead, Role};
use crate::session::Session;
use crate::store::{DeletedObjects, ListedObject, Spot, StoreError};
use crate::verbs::shared::hold::{Hold, Leasing, not_shared};

/// Keys of a round for each rank, and of a whole round.
const ROUND: usize = 8_000;
const WHOLE_ROUND: usize = 100_000;
/// Walks through the bucket until it has to be empty. One that changes under a walk may need a second.
const PASSES: usize = 3;

/// What is deleted.
#[derive(Clone, Debug)]
pub struct Delete {
    /// Where the stores are.
    pub spot: Spot,
    /// The variables whose stores are meant, `compact` for that of all variables.
    pub variables: Vec<String>,
    /// Are all stores meant?
    pub all: bool,
    /// Arrays that go from stores that stay; none if whole stores go.
    pub arrays: Vec<String>,
    /// Steps that go from stores that stay.
    pub time: Option<TimeRange>,
    /// Transactions of a store that can be undone, where stores stay: what so many removed is kept.
    pub keep_undo: usize,
    /// Do objects go too that are not this program's, and what is to replace a store that is gone?
    pub force: bool,
    /// How the stores' leases are got.
    pub leasing: Leasing,
}

/// Nothing, and what one transaction removed is kept.
impl Default for Delete {
    fn default() -> Self {
        Self {
            spot: Spot::default(),
            variables: Vec::new(),
            all: false,
            arrays: Vec::new(),
            time: None,
            keep_undo: 1,
            force: false,
            leasing: Leasing::default(),
        }
    }
}

/// What was deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteReport {
    /// All of this.
    pub deleted: DeleteSurvey,
}

/// A delete that has been looked at, of which nothing has been done.
pub struct PlannedDelete<'a> {
    session: &'a Session<'a>,
    request: &'a Delete,
    part: DeleteRole<'a>,
}

/// What this rank has of it.
enum DeleteRole<'a> {
    Lead(Lead<'a>, Box<DeleteScope>),
    Follower(Follower<'a>),
}

/// What goes.
enum DeleteScope {
    Stores(Survey),
    Group(GroupContents),
    Arrays(ArrayDeletion),
    Steps(StepDeletion),
}

/// The keys of one turn.
#[derive(Serialize, Deserialize)]
struct KeyBatch {
    keys: Vec<String>,
    in_bulk: bool,
}

/// Looks at what there is to delete, and deletes it.
///
/// # Errors
/// As [`plan`] and [`PlannedDelete::run`].
pub fn delete(session: &Session, request: &Delete) -> Result<DeleteReport, Error> {
    plan(session, request)?.run()
}

/// Looks at what there is to delete.
///
/// # Errors
/// On every rank the same: if there is nothing, or something that is not this program's without `force`.
pub fn plan<'a>(session: &'a Session<'a>, request: &'a Delete) -> Result<PlannedDelete<'a>, Error> {
    let part = match session.role() {
        Role::Lead(lead) => {
            let doomed = session.runtime.block_on(look(session, request));
            DeleteRole::Lead(lead, Box::new(lead.conclude(doomed)?))
        }
        Role::Follower(follower) => {
            follower.verdict()?;
            DeleteRole::Follower(follower)
        }
    };
    Ok(PlannedDelete {
        session,
        request,
        part,
    })
}

async fn look(session: &Session<'_>, request: &Delete) -> Result<DeleteScope, Error> {
    let (bucket, spot) = (&session.bucket, &request.spot);
    if !request.arrays.is_empty() {
        return ArrayDeletion::of(request, bucket)
            .await
            .map(DeleteScope::Arrays);
    }
    if let Some(range) = &request.time {
        let steps = StepDeletion::of(request, range, bucket).await;
        return steps.map(DeleteScope::Steps);
    }
    match nested(bucket, spot).await? {
        Some(group) => GroupContents::of(request, bucket, group)
            .await
            .map(DeleteScope::Group),
        None => Survey::of(request, bucket).await.map(DeleteScope::Stores),
    }
}

impl PlannedDelete<'_> {
    /// What would be deleted.
    ///
    /// # Errors
    /// On every rank the same: if a part of a store is meant, and it cannot go, or a job is at the store, or has left it as it died; or if an
    /// archive is being sent into a store by many.
    pub fn survey(&self) -> Result<DeleteSurvey, Error> {
        let (lead, doomed) = match &self.part {
            DeleteRole::Lead(lead, doomed) => (lead, doomed),
            DeleteRole::Follower(follower) => return follower.hear(),
        };
        let (bucket, runtime) = (&self.session.bucket, &self.session.runtime);
        lead.share(match &**doomed {
            DeleteScope::Stores(survey) => runtime.block_on(survey.foretold(bucket)),
            DeleteScope::Group(contents) => runtime.block_on(contents.survey(bucket)),
            DeleteScope::Arrays(arrays) => runtime.block_on(arrays.survey(self.request, bucket)),
            DeleteScope::Steps(steps) => runtime.block_on(steps.survey(self.request, bucket)),
        })
    }

    /// Deletes it, root documents first, ledgers last; every rank deletes its share. The same delete again goes on with one that
    /// failed.
    ///
    /// # Errors
    /// On every rank the same: if another job holds a store, or the server refuses.
    pub fn run(self) -> Result<DeleteReport, Error> {
        let (session, request) = (self.session, self.request);
        let (lead, doomed) = match self.part {
            DeleteRole::Lead(lead, doomed) => (lead, doomed),
            DeleteRole::Follower(follower) => {
                while let Some(round) = follower.hear::<Option<KeyBatch>>()? {
                    follower.give(&round.delete_share(session))?;
                }
                return follower.hear();
            }
        };
        let deleted = lead.go_on(match *doomed {
            DeleteScope::Stores(survey) => StoreDeletion {
                request,
                session,
                lead,
            }
            .stores(&survey),
            DeleteScope::Group(contents) => {
                session.runtime.block_on(contents.delete(request, session))
            }
            DeleteScope::Arrays(arrays) => {
                session.runtime.block_on(arrays.delete(request, session))
            }
            DeleteScope::Steps(steps) => session.runtime.block_on(steps.delete(request, session)),
        })?;
        lead.tell(&None::<KeyBatch>)?;
        lead.share(Ok(DeleteReport { deleted }))
    }
}

/// A delete of whole stores under way, as the lead sees it.
struct StoreDeletion<'a> {
    request: &'a Delete,
    session: &'a Session<'a>,
    lead: Lead<'a>,
}

impl StoreDeletion<'_> {
    /// Deletes the stores that were looked at.
    fn stores(&self, survey: &Survey) -> Result<DeleteSurvey, Error> {
        let mut gone = None;
        let done = self.delete_held(survey, &mut gone);
        done.map_err(|failure| {
            // One that has not begun has nothing to finish.
            let Some(gone) = gone else { return failure };
            let all = survey.total().objects;
            Error::DeleteCutShort {
                cause: Box::new(failure),
                left: all.saturating_sub(gone),
                all,
            }
        })?;
        Ok(survey.shown())
    }

    /// Deletes all of it while no other job writes there, and counts in `gone` from when it has begun. From the journals' first
    /// entry on it only goes forward, whoever goes on with it.
    fn delete_held(&self, survey: &Survey, gone: &mut Option<u64>) -> Result<(), Error> {
        let session = self.session;
        let (bucket, runtime) = (&session.bucket, &session.runtime);
        let stores: Vec<String> = survey.names().cloned().collect();
        let hold = Hold::take_as_it_is(session, &self.request.leasing, &stores, "delete");
        let hold = runtime.block_on(hold)?;
        let mut delete = || {
            let begun = runtime.block_on(Deletion::begin(bucket, &stores, &hold.holder));
            let begun = begun.map_err(|NotBegun { cause, is_told }| {
                *gone = is_told.then_some(0);
                cause
            })?;
            let gone = gone.insert(0);
            runtime.block_on(self.clear_away(survey))?;
            self.delete(survey, gone)?;
            let ended = runtime.block_on(begun.end());
            Ok(ended.map_err(DeleteError::Incomplete)?)
        };
        let mut each = stores.iter();
        let free = each.try_for_each(|store| runtime.block_on(not_shared(bucket, store)));
        // A job may have died meanwhile that had deleted a store.
        let whole = || runtime.block_on(leaves_no_hole(self.request, bucket, &stores));
        let done: Result<(), Error> = free.and_then(|()| whole()).and_then(|_| delete());
        let done = done.map_err(|failure| hold.verdict(failure));
        runtime.block_on(hold.release(session));
        done
    }

    /// Removes what is in a directory besides objects: what dead jobs staged, and links, behind which nothing is
    /// deleted.
    async fn clear_away(&self, survey: &Survey) -> Result<(), StoreError> {
        for link in &survey.links {
            self.session.bucket.clear_away(&link.path).await?;
        }
        for store in survey.names() {
            sweep_staged(&self.session.bucket, store).await?;
        }
        Ok(())
    }

    /// Deletes all of it, and counts in `gone`.
    fn delete(&self, survey: &Survey, gone: &mut u64) -> Result<(), Error> {
        let stores: BTreeSet<&String> = survey.names().collect();
        for roots in survey.roots() {
            let deleted = self
                .session
                .runtime
                .block_on(self.session.bucket.delete_all(roots, false));
            settle_round(&[deleted], gone)?;
        }
        let total = survey.total();
        let objects = Some(total.objects);
        let work = self.session.work(WorkKind::Deleting, objects, total.bytes);
        let mut bytes = 0;
        for ledgers in [false, true] {
            let mut clean = false;
            for pass in 0..PASSES {
                if clean {
                    break;
                }
                clean = true;
                let mut walk = self.walk(&survey.areas, &stores, ledgers);
                while let Some(round) = self.session.runtime.block_on(walk.next()) {
                    let entries = round?;
                    clean = false;
                    bytes += entries.iter().map(|entry| entry.bytes).sum::<u64>();
                    // A server may say that it deleted many, and not do it.
                    let round = KeyBatch {
                        keys: entries.into_iter().map(|entry| entry.key).collect(),
                        in_bulk: pass == 0,
                    };
                    self.round(&round, gone)?;
                    work.show(bytes, *gone);
                }
            }
            if !clean {
                return Err(DeleteError::StillListed.into());
            }
        }
        Ok(())
    }

    /// The objects to delete in `areas`, in rounds: of stores and foreign ones, or of ledgers; of `stores` only, whose leases
    /// are held.
    fn walk<'a>(
        &'a self,
        areas: &'a [Area],
        stores: &'a BTreeSet<&String>,
        ledgers: bool,
    ) -> LocalBoxStream<'a, Result<Vec<ListedObject>, StoreError>> {
        // Others are not this job's to delete.
        let is_held = |store: &str| stores.contains(&store.to_owned());
        let doomed = move |area: &Area, key: &str| match area.kind(key) {
            // What tells of the delete itself goes last.
            (Some(store), ObjectKind::Ledger) => {
                ledgers && is_held(store) && !layout::is_in_use(store, key)
            }
            (None, ObjectKind::Ledger) => ledgers,
            (Some(store), ObjectKind::Root(_) | ObjectKind::Part) => !ledgers && is_held(store),
            (Some(_), ObjectKind::Foreign) => !ledgers && self.request.force,
            // Nor is a store that was put there since.
            (None, _) => {
                let is_of_one = |part| is_store(part) || part == layout::LEDGERS;
                !ledgers && self.request.force && !key.split('/').any(is_of_one)
            }
        };
        let entries = stream::iter(areas).flat_map(move |area| {
            let entries = self.session.bucket.entries(&area.below);
            entries.try_filter(move |entry| std::future::ready(doomed(area, &entry.key)))
        });
        let rounds = entries.try_chunks((ROUND * self.session.ranks.size()).min(WHOLE_ROUND));
        rounds.map_err(|cause| cause.1).boxed_local()
    }

    /// All ranks delete their shares of the round; counts the objects in `gone`.
    fn round(&self, round: &KeyBatch, gone: &mut u64) -> Result<(), Error> {
        self.lead.tell(&Some(round))?;
        let deleted = self.lead.collect(round.delete_share(self.session))?;
        Ok(settle_round(&deleted, gone)?)
    }
}

impl KeyBatch {
    /// Deletes this rank's share.
    fn delete_share(&self, session: &Session<'_>) -> DeletedObjects {
        let (bucket, ranks) = (&session.bucket, session.ranks);
        let _all = session.all_at_work();
        let share = self.keys.len().div_ceil(ranks.size()).max(1);
        let mine = self.keys.chunks(share).nth(ranks.rank());
        let mine = mine.unwrap_or_default().to_vec();
        session.runtime.block_on(async {
            // Without it, the first request says so.
            let _ = bucket.fence().opened().await;
            bucket.delete_all(mine, self.in_bulk).await
        })
    }
}

/// Counts the objects that all ranks deleted in `gone`; fails if some gave trouble.
fn settle_round(all: &[DeletedObjects], gone: &mut u64) -> Result<(), DeleteError> {
    *gone += all.iter().map(|deleted| deleted.objects).sum::<u64>();
    let problems = all.iter().flat_map(|deleted| deleted.problems.clone());
    let settled = CleanupError::of(problems.collect());
    settled.map_err(DeleteError::Incomplete)
}
