//! What a rechunk has to do.
//!
//! Key type: [`RechunkWork`].

use msm_plan::{RechunkPlan, Rechunking, check_cut};

use super::report::RechunkedStore;
use super::source::{Sources, source};
use crate::error::Error;
use crate::store::Bucket;
use crate::verbs::copy::is_taken;
use crate::verbs::copy::place::Passage;

/// The stores that are meant, by what is to be done with them.
pub(super) struct RechunkWork {
    /// Those that are to be made anew.
    pub fresh: (Sources, RechunkPlan),
    /// Those at whose places there is something.
    pub there: (Sources, RechunkPlan),
    /// If stores are replaced: those that are as asked for already, and those that are deleted, and made anew, but not in their places.
    rest: Vec<RechunkedStore>,
    /// The ways of all with which something is to be done.
    pub ways: Vec<Passage>,
    replaces: bool,
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
        replaces: bool,
    ) -> Result<Self, Error> {
        let [mut fresh, mut there] = [false, true].map(|is_there| Sources {
            stores: Vec::new(),
            is_there,
        });
        let mut rest = Vec::new();
        let mut problems = Vec::<Error>::new();
        for way in &ways {
            // Of one that a dead job has deleted, a lease may be left.
            if !is_taken(bucket, &way.from).await? {
                if replaces && is_taken(bucket, &way.to).await? {
                    rest.push(gone(way));
                }
                continue;
            }
            let looked = async {
                let found = source(bucket, way).await?;
                if replaces {
                    found.0.can_go(bucket).await?;
                }
                Ok::<_, Error>((is_taken(bucket, &way.to).await?, found))
            };
            match looked.await {
                Ok((true, store)) => there.stores.push(store),
                Ok((false, store)) => fresh.stores.push(store),
                Err(problem) => problems.push(problem),
            }
        }
        Error::together(problems)?;
        let all = fresh.stores.iter().chain(&there.stores);
        check_cut(all.map(|(_, stored)| stored), asked)?;
        let mut planned = fresh.plan(bucket, asked).await?;
        if replaces {
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
            replaces,
        })
    }

    /// What becomes of each store.
    pub(super) fn report(&self) -> Vec<RechunkedStore> {
        let of = |(sources, planned): &(Sources, RechunkPlan)| sources.report(planned);
        let mut all = [of(&self.there), of(&self.fresh), self.rest.clone()].concat();
        if self.replaces {
            for store in &mut all {
                store.to.clone_from(&store.from);
            }
        }
        all.sort_by(|one, other| one.from.cmp(&other.from));
        all
    }
}

/// What becomes of a store that is deleted, and made anew.
fn gone(way: &Passage) -> RechunkedStore {
    RechunkedStore {
        from: way.from.clone(),
        to: way.to.clone(),
        arrays: Vec::new(),
        was_there: true,
        left_out: 0,
    }
}
