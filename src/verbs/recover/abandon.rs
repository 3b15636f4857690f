//! Putting an end to an archive that many jobs send: what is committed stays, what is out of sight goes.

use msm_zarr::layout;

use super::{HeldStore, Recover, held_store, remove_orphans};
use crate::commit::{LeaseTimes, ShareState, SharedArchive, Writer, live_lease};
use crate::error::Error;
use crate::events::Event;
use crate::session::Session;
use crate::store::{Bucket, ServerClock, StoreError};
use crate::verbs::shared::hold::{Hold, this};

/// What came of it.
#[derive(Default)]
pub(super) struct Abandonment {
    /// Archives that are not shared out any more.
    pub archives: usize,
    /// Objects that went.
    pub objects: u64,
    /// Parts that jobs are at: their archives are left alone.
    pub held: Vec<HeldStore>,
    /// Archives that could not be ended, and stores that could not be read to find what is out of sight in them.
    pub problems: Vec<Error>,
}

/// Ends the archives that are shared out to any of `stores`; one that cannot be ended is in no other's way.
///
/// # Errors
/// If it is not known who this is.
pub(super) async fn abandon(
    session: &Session<'_>,
    request: &Recover,
    stores: &[String],
) -> Result<Abandonment, Error> {
    let mut done = Abandonment::default();
    let (bucket, command) = (&session.bucket, "recover --abandon");
    let by = Writer {
        name: this(session, command)?.to_string(),
        lock_dir: request.leasing.lock_dir.clone(),
    };
    let mut tried: Vec<String> = Vec::new();
    for store in stores {
        let told = match SharedArchive::to_end(bucket, store, &by).await {
            Ok(Some(told)) if !tried.contains(store) => told,
            Ok(_) => continue,
            Err(failure) => {
                done.problems.push(failure.into());
                continue;
            }
        };
        tried.extend(told.stores().iter().cloned());
        let (all, leasing) = (told.stores(), &request.leasing);
        let ended = Hold::during_share(session, leasing, all, command, async |hold| {
            // Before the leases were held, its last job may have ended it.
            match SharedArchive::to_end(bucket, store, &by).await? {
                Some(mut archive) if archive.stores() == all => {
                    one(session, &mut archive, hold, &mut done).await
                }
                _ => Ok(()),
            }
        })
        .await;
        done.problems.extend(ended.err());
    }
    Ok(done)
}

/// The parts of `archive` that jobs are at.
///
/// # Errors
/// As the server says.
pub(super) async fn held_parts(
    bucket: &Bucket,
    archive: &SharedArchive,
    clock: Option<ServerClock>,
) -> Result<Vec<HeldStore>, Error> {
    let (times, mut held) = (LeaseTimes::of_this_run(), Vec::new());
    for number in ShareState::of(bucket, archive).await?.leased.into_keys() {
        let part = layout::shared_part(archive.home(), number);
        if let Some(lease) = live_lease(bucket, &part, clock, times).await? {
            held.push(held_store(&part, &lease));
        }
    }
    Ok(held)
}

async fn one(
    session: &Session<'_>,
    archive: &mut SharedArchive,
    hold: &Hold,
    done: &mut Abandonment,
) -> Result<(), Error> {
    let bucket = &session.bucket;
    hold.leases.check().await?;
    // A job that takes a part from here on sees it, and gives up; one that has one, we see.
    archive.close(bucket).await?;
    let held = held_parts(bucket, archive, Some(hold.guarantees.clock)).await?;
    if !held.is_empty() {
        done.held.extend(held);
        return Ok(());
    }
    hold.leases.check().await?;
    for store in archive.stores() {
        match remove_orphans(session, store).await {
            Ok(objects) => done.objects += objects,
            // Whoever is to delete the store must be let to.
            Err(damage @ Error::Store(StoreError::Zarr(_))) => done.problems.push(damage),
            Err(failure) => return Err(failure),
        }
    }
    archive.remove(bucket).await?;
    done.archives += 1;
    session.tell(&Event::Abandoned {
        stores: archive.stores().to_vec(),
    });
    Ok(())
}
