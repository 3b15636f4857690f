//! Stores that are replaced by what is made of them.
//!
//! What is made lies in a folder of its own until the store that it was made of is deleted; then it is moved to its place. Of a job that dies in
//! between, the same command goes on: what is in that folder is whole, for it was made in one transaction. Until the deletion begins, the ledger
//! there keeps what undoes that transaction; what a job has left that died before is good for nothing, and is made anew.

use msm_zarr::layout;

use super::Rechunk;
use super::error::RechunkError;
use super::source::Sources;
use crate::commit::{Deletion, NotBegun, UnfinishedWork, read_journal};
use crate::error::Error;
use crate::ranks::Lead;
use crate::session::Session;
use crate::store::Bucket;
use crate::verbs::copy::copying::Copying;
use crate::verbs::copy::ends::{Ends, Route};
use crate::verbs::copy::held::Held;
use crate::verbs::copy::place::{Passage, passages};
use crate::verbs::copy::{Copy, CopyError, tell_end};
use crate::verbs::shared::hold::Hold;
use crate::verbs::stores::absent::made_beside;
use crate::verbs::stores::replaced::{MADE, is_waiting};

/// The ways of the stores that are meant to where what replaces them is made; those, too, that a job has deleted that died before it
/// had put the new ones into their places.
///
/// # Errors
/// If there are none, or they cannot be there.
pub(super) async fn ways(bucket: &Bucket, request: &Rechunk) -> Result<Vec<Passage>, Error> {
    let Rechunk {
        spot, variables, ..
    } = request;
    let ends = Ends::within(bucket);
    let (place, spot_of_made) = (spot.key().to_owned(), made_beside(spot));
    let made = spot_of_made.key().to_owned();
    let mut all = Vec::new();
    let each: Vec<&[String]> = match variables.as_slice() {
        [] => vec![&[]],
        variables => variables.chunks(1).collect(),
    };
    for variables in each {
        let there = passages(ends, spot, variables, &made).await;
        let back = match passages(ends, &spot_of_made, variables, &place).await {
            Ok(back) => back,
            // There is none.
            Err(Error::Stores(_)) => Vec::new(),
            Err(failure) => return Err(failure),
        };
        let (known, none) = match there {
            Ok(there) => (there, None),
            Err(failure @ Error::Stores(_)) => (Vec::new(), Some(failure)),
            Err(failure) => return Err(failure),
        };
        let mut orphans = Vec::new();
        for way in back {
            let is_known = known.iter().any(|known| known.from == way.to);
            if !is_known && is_waiting(bucket, &way.from).await? {
                orphans.push(turned(way));
            }
        }
        match none {
            Some(failure) if orphans.is_empty() => return Err(failure),
            _ => all.extend(known.into_iter().chain(orphans)),
        }
    }
    all.sort_unstable_by(|one, other| one.from.cmp(&other.from));
    all.dedup();
    Ok(all)
}

/// Those of the stores that take these `ways` in which every transaction has to have ended before what becomes of them can be told. In the
/// others, a job may have died that replaced them: the same command goes on with that.
///
/// # Errors
/// As the server says.
pub(super) async fn to_be_settled(bucket: &Bucket, ways: &[Passage]) -> Result<Vec<String>, Error> {
    let mut all = Vec::new();
    for way in ways {
        if !is_waiting(bucket, &way.to).await? {
            all.push(way.from.clone());
        }
        let left = read_journal(bucket, &way.to).await?.unfinished;
        if !left.iter().all(UnfinishedWork::is_delete) {
            all.push(way.to.clone());
        }
    }
    Ok(all)
}

/// The way back.
pub(super) fn turned(way: Passage) -> Passage {
    let Passage { from, to, bucket } = way;
    let (from, to) = (to, from);
    Passage { from, to, bucket }
}

/// Removes what jobs have made to replace stores that they did not come to delete.
///
/// # Errors
/// As the server says; whoever comes next goes on with it.
pub(super) async fn discard(bucket: &Bucket, stale: &[String], hold: &Hold) -> Result<(), Error> {
    if stale.is_empty() {
        return Ok(());
    }
    hold.leases.check().await?;
    let deletion = Deletion::begin(bucket, stale, &hold.holder).await;
    let deletion = deletion.map_err(|NotBegun { cause, .. }| Error::from(cause))?;
    deletion.finish().await.map_err(RechunkError::NotAllGone)?;
    hold.wait_for_reads().await;
    Ok(())
}

/// Rank 0: deletes the stores that were read, and moves what was made of them to their places; all ranks copy.
///
/// # Errors
/// What was in the way; the same command again goes on.
pub(super) fn switch(
    session: &Session<'_>,
    lead: Lead<'_>,
    sources: [&Sources; 2],
    ways: Vec<Passage>,
    hold: &Hold,
) -> Result<(), Error> {
    let (bucket, runtime) = (&session.bucket, &session.runtime);
    let olds: Vec<String> = sources.iter().flat_map(|all| all.keys()).collect();
    let prepared = runtime.block_on(async {
        for of in sources {
            of.are_unchanged(bucket).await?;
        }
        for way in &ways {
            // What made it is undone no more: with the store, its values would go. From here on it is waiting.
            for key in bucket.list(&layout::additions(&way.to)).await? {
                bucket.delete(&key).await?;
            }
        }
        hold.leases.check().await?;
        if session.interrupt.has_come() {
            let folder = MADE.to_owned();
            return Err(RechunkError::Stopped { folder }.into());
        }
        Ok(())
    });
    lead.go_on(prepared)?;
    let switched = runtime.block_on(async {
        let deletion = Deletion::begin(bucket, &olds, &hold.holder).await;
        let deletion = deletion.map_err(|NotBegun { cause, .. }| Error::from(cause))?;
        let deleted = deletion.finish().await;
        deleted.map_err(RechunkError::NotAllGone)?;
        // What is deleted may still look as it did.
        hold.wait_for_reads().await;
        Ok::<_, Error>(())
    });
    let request = Copy {
        moves: true,
        ..Copy::default()
    };
    let copying = Copying {
        route: Route::new(session, None),
        request: &request,
        lead,
    };
    let back: Vec<Passage> = ways.into_iter().map(turned).collect();
    let switched = switched.and_then(|()| {
        let moved = copying.copy_held(&back, Held::within(hold))?.stores;
        // One that has no root document any more is passed over by who moves all there is.
        let is_moved = |way: &&Passage| !moved.iter().any(|store| store.from == way.from);
        match back.iter().find(is_moved) {
            Some(lost) => {
                let store = lost.from.clone();
                Err(CopyError::NoRoot { store }.into())
            }
            None => Ok(()),
        }
    });
    let switched = switched.map_err(|cause| match cause {
        Error::Rechunk(_) => cause,
        cause => {
            let cause = match cause {
                // Of the copy alone.
                Error::RolledBack { cause } => cause,
                cause => Box::new(cause),
            };
            let folder = MADE.to_owned();
            RechunkError::NotSwitched { folder, cause }.into()
        }
    });
    lead.go_on(switched)?;
    tell_end(lead)
}
