//! Putting an end to an archive that many jobs send: what is committed stays, what is out of sight goes.

use msm_zarr::layout;

use super::{HeldStore, Recover, held_store, remove_orphans};
use crate::commit::{LeaseTimes, ShareState, SharedArchive, Writer, live_lease};
use crate::error::Error;
use crate::events::Event;
use crate::session::Session;
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
}

/// Ends the archives that are shared out to any of `stores`.
///
/// # Errors
/// As the server says, or if another job holds a store.
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
    for store in stores {
        let Some(told) = SharedArchive::to_end(bucket, store, &by).await? else {
            continue;
        };
        let (all, leasing) = (told.stores(), &request.leasing);
        Hold::during_share(session, leasing, all, command, async |hold| {
            // Before the leases were held, its last job may have ended it.
            match SharedArchive::to_end(bucket, store, &by).await? {
                Some(mut archive) if archive.stores() == all => {
                    one(session, &mut archive, hold, &mut done).await
                }
                _ => Ok(()),
            }
        })
        .await?;
    }
    Ok(done)
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
    let times = LeaseTimes::of_this_run();
    let state = ShareState::of(bucket, archive).await?;
    for number in state.leased {
        let part = layout::shared_part(archive.home(), number);
        if let Some(lease) = live_lease(bucket, &part, &hold.guarantees, times).await? {
            done.held.push(held_store(&part, &lease));
        }
    }
    if !done.held.is_empty() {
        return Ok(());
    }
    hold.leases.check().await?;
    for store in archive.stores() {
        done.objects += remove_orphans(session, store).await?;
    }
    archive.remove(bucket).await?;
    done.archives += 1;
    session.tell(&Event::Abandoned {
        stores: archive.stores().to_vec(),
    });
    Ok(())
}
