//! What a rechunk has to do.
//!
//! Key type: [`RechunkWork`].

use msm_plan::{RechunkPlan, Rechunking, check_cut};
use msm_zarr::StoreSnapshot;

use super::error::RechunkError;
use super::replace::turned;
use super::report::RechunkedStore;
use super::source::{Sources, source};
use crate::commit::orphans;
use crate::error::Error;
use crate::store::{Bucket, read_metadata};
use crate::verbs::copy::CopyError;
use crate::verbs::copy::ends::Ends;
use crate::verbs::copy::place::Passage;
use crate::verbs::copy::source::SourceStore;
use crate::verbs::stores::place::is_taken;
use crate::verbs::stores::replaced::{is_waiting, was_made_so};
use crate::verbs::verify::documents::documents;

/// The stores that are meant, by what is to be done with them.
pub(super) struct RechunkWork {
    /// Those that are to be made anew.
    pub fresh: (Sources, RechunkPlan),
    /// Those at whose places there is something.
    pub there: (Sources, RechunkPlan),
    /// If stores are replaced: those that are as asked for already, and those that are made anew, and only have to be put in their places.
    rest: Vec<RechunkedStore>,
    /// The ways of all with which something is to be done.
    pub ways: Vec<Passage>,
    /// What jobs have made to replace stores that they did not come to delete: it goes before it is made anew.
    pub stale: Vec<String>,
    is_to_replace: bool,
}

impl RechunkWork {
    /// That of the stores that take these `ways`, which are replaced or not.
    ///
    /// # Errors
    /// Of each store that is none, or that cannot be made anew so, or not there; or as the server says.
    pub(super) async fn of(
        bucket: &Bucket,
        mut ways: Vec<Passage>,
        asked: &Rechunking,
        is_to_replace: bool,
    ) -> Result<Self, Error> {
        let [mut fresh, mut there] = [false, true].map(|is_there| Sources {
            stores: Vec::new(),
            is_there,
        });
        let mut rest = Vec::new();
        let mut problems = Vec::<Error>::new();
        let (mut nothing, mut stale) = (Vec::new(), Vec::new());
        for way in &ways {
            let is_made = is_taken(bucket, &way.to).await?;
            // Of one that a dead job has deleted, a lease may be left.
            if !is_taken(bucket, &way.from).await? {
                if is_to_replace && is_waiting(bucket, &way.to).await? {
                    rest.push(made_before(way));
                } else {
                    nothing.push(way.from.clone());
                }
                continue;
            }
            // What is made may be in its place already, and beside it.
            if is_to_replace && is_made && is_in_its_place(bucket, way).await? {
                rest.push(made_before(way));
                continue;
            }
            let is_stale = is_to_replace && is_made && was_made_so(bucket, &way.to).await?;
            if is_stale {
                stale.push(way.to.clone());
            }
            let looked = async {
                let found = source(bucket, way).await?;
                if is_to_replace {
                    found.0.can_go(bucket).await?;
                    is_all_told(bucket, &way.from).await?;
                }
                Ok::<_, Error>(found)
            };
            match looked.await {
                Ok(store) if is_made && !is_stale => there.stores.push(store),
                Ok(store) => fresh.stores.push(store),
                Err(problem) => problems.push(problem),
            }
        }
        Error::together(problems)?;
        ways.retain(|way| !nothing.contains(&way.from));
        let all = fresh.stores.iter().chain(&there.stores);
        let all: Vec<&StoreSnapshot> = all.map(|(_, stored)| stored).collect();
        // What is only put in its place is as it was made.
        if !all.is_empty() {
            check_cut(all.into_iter(), asked)?;
        }
        let mut planned = fresh.plan(bucket, asked).await?;
        if is_to_replace {
            let reports = fresh.report(&planned);
            let done: Vec<RechunkedStore> = { reports.into_iter().zip(&fresh.stores) }
                .filter(|(report, (_, stored))| {
                    let is_version = asked.version.is_none_or(|asked| asked == stored.version);
                    is_version && report.arrays.iter().all(|one| one.before == one.after)
                })
                .map(|(report, _)| RechunkedStore {
                    was_there: true,
                    ..report
                })
                .collect();
            if !done.is_empty() {
                let is_done = |key: &String| done.iter().any(|done| done.from == *key);
                fresh
                    .stores
                    .retain(|(store, _)| !is_done(&store.passage.from));
                ways.retain(|way| !is_done(&way.from));
                planned = fresh.plan(bucket, asked).await?;
                rest.extend(done);
            }
        }
        let made = there.plan(bucket, asked).await?;
        Ok(Self {
            fresh: (fresh, planned),
            there: (there, made),
            rest,
            ways,
            stale,
            is_to_replace,
        })
    }

    /// What becomes of each store.
    pub(super) fn report(&self) -> Vec<RechunkedStore> {
        let of = |(sources, planned): &(Sources, RechunkPlan)| sources.report(planned);
        let mut all = [of(&self.there), of(&self.fresh), self.rest.clone()].concat();
        if self.is_to_replace {
            for store in &mut all {
                store.to.clone_from(&store.from);
            }
        }
        all.sort_by(|one, other| one.from.cmp(&other.from));
        all
    }
}

/// Checks that the root document tells of all that is in `store`: what is made of it has no more.
async fn is_all_told(bucket: &Bucket, store: &str) -> Result<(), Error> {
    let untold = |object: String, what: String| {
        let store = store.to_owned();
        Err(RechunkError::Untold {
            store,
            object,
            what,
        }
        .into())
    };
    let within = format!("{store}/");
    let strays = orphans(bucket, store).await?.into_iter();
    if let Some(stray) = { strays }.find(|stray| stray.key.starts_with(&within)) {
        return untold(stray.key, "it belongs to no array there".to_owned());
    }
    if let Some(known) = read_metadata(bucket, store).await?
        && let Some(fault) = documents(bucket, &known).await?.into_iter().next()
    {
        return untold(fault.key, fault.what);
    }
    Ok(())
}

/// Is what is made already where it replaces the other? Only the other place is to be tidied then.
async fn is_in_its_place(bucket: &Bucket, way: &Passage) -> Result<bool, Error> {
    if !is_waiting(bucket, &way.to).await? {
        return Ok(false);
    }
    let made = SourceStore::of(bucket, turned(way.clone())).await?;
    match made.is_at_its_place(Ends::within(bucket)).await {
        // Something else is there: the store that is replaced.
        Err(Error::Copy(CopyError::Taken { .. })) => Ok(false),
        there => there,
    }
}

/// What becomes of a store that is made anew already.
fn made_before(way: &Passage) -> RechunkedStore {
    RechunkedStore {
        from: way.from.clone(),
        to: way.to.clone(),
        arrays: Vec::new(),
        was_there: true,
        left_out: 0,
    }
}
