//! `copy` and `move`: stores with their ledgers at another place, of the bucket or of another one; every rank copies its share and reads
//! it back.
//!
//! Key types: [`struct@Copy`], what is asked; [`CopyReport`].
//!
//! As long as it is copied, the journal of a copy says that the store is being deleted: whoever comes after a job that died removes
//! what there is of it. Root documents come last. What is moved is deleted when all copies are whole, as by `delete`.

mod batch;
pub(in crate::verbs) mod copying;
pub(in crate::verbs) mod ends;
mod error;
pub(in crate::verbs) mod held;
pub(in crate::verbs) mod place;
pub(in crate::verbs) mod source;

use serde::{Deserialize, Serialize};

pub use self::error::CopyError;

use self::batch::CopyBatch;
use self::copying::Copying;
use self::ends::{Ends, Route};
use self::place::{Passage, passages};
use self::source::SourceStore;
use crate::error::Error;
use crate::ranks::{Follower, Lead, Role};
use crate::session::Session;
use crate::store::{Crossing, Spot};
use crate::verbs::send::RequestCounts;
use crate::verbs::shared::at_rest::can_be_foretold;
use crate::verbs::shared::hold::Leasing;
use crate::verbs::shared::requests::{of_command, of_copy, of_move};
use crate::verbs::stores::absent::{no_stores, none_comes_back};
use crate::verbs::stores::place::is_taken;
use crate::verbs::stores::replaced::{beside, check_not_replaced};
use crate::verbs::tally::Tally;

/// What is copied.
#[derive(Clone, Debug, Default)]
pub struct Copy {
    /// Where the stores are.
    pub spot: Spot,
    /// The variables whose stores are meant, `compact` for that of all variables; none means all stores.
    pub variables: Vec<String>,
    /// The prefix that they go to, or the place of a single store; where they are in another bucket as in this one, if it is not said.
    pub to: Option<String>,
    /// Do they leave where they were?
    pub moves: bool,
    /// How the stores' leases are got.
    pub leasing: Leasing,
}

/// What was copied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyReport {
    /// A line for each.
    pub stores: Vec<CopiedStore>,
}

/// A store that was copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopiedStore {
    /// Its key.
    pub from: String,
    /// That of the copy, below the name of its bucket, if that is another one.
    pub to: String,
    /// Its objects, with those of its ledger.
    pub tally: Tally,
    /// Those of them of which no manifest tells: documents, and those of its ledger.
    pub unrecorded: u64,
    /// Was the copy there already, whole?
    pub was_there: bool,
    /// Objects that are not what the manifest says, and were copied as they are.
    pub unlike: u64,
    /// Objects in the store's folder that are not of the store, and were left out.
    pub left_out: u64,
}

impl CopyReport {
    /// Were all copies there already?
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.stores.iter().all(|store| store.was_there)
    }

    /// The objects of the stores that are copied; and of those that were there already, whose copies are compared.
    #[must_use]
    pub fn totals(&self) -> [Tally; 2] {
        [false, true].map(|was_there| {
            let mut total = Tally::default();
            let stores = self.stores.iter();
            let of_kind = stores.filter(|store| store.was_there == was_there);
            of_kind.for_each(|store| total.add(store.tally));
            total
        })
    }
}

/// Says what would be copied, and where to: into the bucket of `other`, if there is one.
///
/// # Errors
/// On every rank the same: if there is nothing, or the copies cannot be there; or if a job is at one of both, or has left it as it died.
pub fn foretell(
    session: &Session,
    other: Option<&Session>,
    request: &Copy,
) -> Result<CopyReport, Error> {
    let route = Route::new(session, other);
    session.on_lead(async || {
        let ends = route.ends();
        let mut report = CopyReport::default();
        let ways = ways(ends, request).await?;
        let (from, to): (Vec<String>, Vec<String>) = { ways.iter() }
            .map(|way| (way.from.clone(), way.to.clone()))
            .unzip();
        can_be_foretold(ends.from, &from).await?;
        can_be_foretold(ends.to, &to).await?;
        for store in sources(ends, &ways, request).await? {
            let was_there = store.is_at_its_place(ends).await?;
            report.stores.push(store.report(was_there));
        }
        if report.stores.is_empty() {
            // Of each there was only what keeps other jobs away.
            return Err(no_stores(ends.from, &request.spot).await?);
        }
        Ok(report)
    })
}

/// The requests that doing what was foretold takes, about, to both servers; `None` if both places are directories.
///
/// # Errors
/// If no client can be made.
pub fn requests(
    session: &Session,
    other: Option<&Session>,
    request: &Copy,
    foretold: &CopyReport,
) -> Result<Option<RequestCounts>, Error> {
    let ends = Route::new(session, other).ends();
    if ends.from.endpoint().is_none() && ends.to.endpoint().is_none() {
        return Ok(None);
    }
    let by_server = Crossing::new(ends.from, ends.to)?.is_by_server();
    let mut all = of_command();
    for store in &foretold.stores {
        let objects = store.tally.objects;
        all = all.and(of_copy(
            objects,
            store.unrecorded,
            store.was_there,
            by_server,
        ));
        if request.moves {
            all = all.and(of_move(objects));
        }
    }
    Ok(Some(all))
}

/// Copies stores: into the bucket of `other`, if there is one, which was opened after that of `session`.
///
/// # Errors
/// On every rank the same: if a copy cannot be there, or is not like what it was made of; then none is there.
pub fn copy(
    session: &Session,
    other: Option<&Session>,
    request: &Copy,
) -> Result<CopyReport, Error> {
    let route = Route::new(session, other);
    let lead = match session.role() {
        Role::Lead(lead) => lead,
        Role::Follower(follower) => {
            let followed = follow(route, follower);
            let verdict = followed.and_then(|()| follower.hear());
            session.interrupt.guard(false);
            return verdict;
        }
    };
    let copying = Copying {
        route,
        request,
        lead,
    };
    let copied = copying.run();
    let copied = lead.go_on(copied)?;
    tell_end(lead)?;
    lead.share(Ok(copied))
}

/// Rank 0: to [`follow`], that all is done.
pub(in crate::verbs) fn tell_end(lead: Lead<'_>) -> Result<(), Error> {
    lead.tell(&None::<CopyBatch>)
}

/// The others' part.
pub(in crate::verbs) fn follow(route: Route<'_>, follower: Follower<'_>) -> Result<(), Error> {
    while let Some(batch) = follower.hear::<Option<CopyBatch>>()? {
        // Once something is copied, it ends as it should.
        route.from.interrupt.guard(true);
        follower.give(&batch.copy_share(route))?;
    }
    Ok(())
}

/// The ways of the stores that are meant.
async fn ways(ends: Ends<'_>, request: &Copy) -> Result<Vec<Passage>, Error> {
    let Copy {
        spot,
        variables,
        to,
        ..
    } = request;
    let to = to.as_deref().unwrap_or(spot.key());
    ends.from.reach(spot.key()).await?;
    if variables.is_empty() {
        none_comes_back(ends.from, spot).await?;
    }
    if ends.other().is_some() {
        ends.to.reach(to).await?;
    }
    let passages = passages(ends, spot, variables, to).await?;
    // What waits may be put in its place by hand.
    let others = passages.iter().filter(|way| way.from != beside(&way.to));
    check_not_replaced(ends.to, others.map(|way| &way.to)).await?;
    Ok(passages)
}

/// The stores that take these ways, as they are now.
async fn sources(
    Ends { from: bucket, .. }: Ends<'_>,
    ways: &[Passage],
    request: &Copy,
) -> Result<Vec<SourceStore>, Error> {
    let (mut stores, mut problems) = (Vec::new(), Vec::<Error>::new());
    for way in ways {
        // Of one that a dead job has deleted, or moved, a lease may be left.
        if !is_taken(bucket, &way.from).await? {
            continue;
        }
        let looked = async {
            let store = SourceStore::of(bucket, way.clone()).await?;
            if request.moves {
                store.can_go(bucket).await?;
            }
            Ok::<_, Error>(store)
        };
        let all = request.variables.is_empty() && matches!(request.spot, Spot::Below(_));
        match looked.await {
            Ok(store) => stores.push(store),
            // A ledger alone is no store that anybody has named.
            Err(Error::Copy(CopyError::NoRoot { .. })) if all => {}
            Err(problem) => problems.push(problem),
        }
    }
    Error::together(problems)?;
    Ok(stores)
}
