//! Before the first part: what is sent where, and which parts there are.
//!
//! Key type: [`Beginning`].

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use msm_plan::{
    ArchiveParts, Goal, MissingSteps, Overlap, StoreRequest, Task, Transactions, parts,
};
use msm_zarr::layout;

use super::error::ShareError;
use super::files::{KnownFiles, end_reading};
use super::listed::same_files;
use super::settings::{same_request, settings};
use super::{COMMAND, Sharing, patient};
use crate::commit::{Leases, SharedArchive, SharedFile};
use crate::error::Error;
use crate::ranks::Lead;
use crate::session::Session;
use crate::store::{Bucket, REQUESTS};
use crate::verbs::send::destined::DestinedFiles;
use crate::verbs::send::intent::Intent;
use crate::verbs::send::prepare::{FittedStores, PreparedSend, StoreLook};
use crate::verbs::shared::hold::Hold;
use crate::verbs::shared::verification::try_verification;

/// What is known, and done, before the first part, while the stores' leases are held.
pub(super) struct Beginning<'a> {
    pub prepared: PreparedSend<'a>,
    /// What is asked of the stores for the whole archive.
    pub requests: Vec<StoreRequest>,
    pub archive: SharedArchive,
    pub held: HeldStores,
}

/// Stores that are held until the archive is shared out.
pub(super) struct HeldStores {
    pub hold: Hold,
    /// While the files are read for the first time.
    reading: Option<Leases>,
    /// What is put and removed if the archive is not shared out yet.
    new: Option<NewShare>,
}

struct NewShare {
    /// What the files hold.
    files: Option<Bytes>,
    /// What dead creates left where stores will be.
    remains: Vec<String>,
}

impl<'a> Beginning<'a> {
    /// Finds it out.
    ///
    /// # Errors
    /// If files and stores do not fit together, or the archive was shared out otherwise; then the leases are given up.
    pub(super) fn new(
        intent: &Intent<'a>,
        sharing: &Sharing,
        session: &Session<'_>,
        lead: Lead<'_>,
    ) -> Result<Self, Error> {
        // The others are told so as they hear of the files.
        let known = can_be_shared(intent, sharing);
        let known = KnownFiles::find(known, intent, session, lead)?;
        let KnownFiles {
            files,
            kept,
            listed,
            reading,
        } = known;
        session.runtime.block_on(async {
            let fitted = async {
                let aimed = DestinedFiles::new(files, intent, session).await?;
                let stores = aimed.keys();
                let leasing = &patient(&intent.files.leasing);
                try_verification(session, intent.files.verify, &stores, COMMAND).await?;
                let mut hold = Hold::take_shared(session, leasing, &stores, COMMAND, None).await?;
                match fit(aimed, &stores, &listed, intent, session, &mut hold).await {
                    Ok(fitted) => Ok((fitted, hold)),
                    Err(failure) => Err(hold.give_up(session, failure).await),
                }
            };
            let (fitted, hold) = match fitted.await {
                Ok(fitted) => fitted,
                Err(failure) => {
                    end_reading(reading).await;
                    return Err(failure);
                }
            };
            let Fitted {
                prepared,
                stores: FittedStores { requests, remains },
                archive,
                is_new,
            } = fitted;
            let new = is_new.then_some(NewShare {
                files: kept,
                remains,
            });
            Ok(Self {
                prepared,
                requests,
                archive,
                held: HeldStores { hold, reading, new },
            })
        })
    }
}

impl HeldStores {
    /// Shares the `archive` out, if that is still to be done, and gives the leases up.
    ///
    /// # Errors
    /// As the server says, or if a lease was lost.
    pub(super) async fn share_out(
        self,
        archive: &SharedArchive,
        session: &Session<'_>,
    ) -> Result<(), Error> {
        let Self { hold, reading, new } = self;
        let shared = async {
            let Some(NewShare { files, remains }) = new else {
                return Ok(());
            };
            if archive.parts.is_empty() {
                return Ok(());
            }
            hold.leases.check().await?;
            let bucket = &session.bucket;
            remove(bucket, &remains).await?;
            // A part that is told to be done, of an archive that died before, would be believed.
            archive.clear(bucket).await?;
            if let Some(files) = files {
                let key = layout::shared_files(archive.home());
                bucket.put(&key, files).await?;
            }
            Ok(archive.put(bucket).await?)
        };
        let shared: Result<(), Error> = shared.await;
        let shared = shared.map_err(|failure| hold.verdict(failure));
        hold.release(session).await;
        end_reading(reading).await;
        shared
    }

    /// Gives the leases up; nothing was written.
    pub(super) async fn give_up(self, session: &Session<'_>) {
        self.hold.release(session).await;
        end_reading(self.reading).await;
    }
}

struct Fitted<'a> {
    prepared: PreparedSend<'a>,
    stores: FittedStores,
    archive: SharedArchive,
    is_new: bool,
}

/// Checks that the files fit the stores, and that the archive is shared out so, or how it will be.
async fn fit<'a>(
    aimed: DestinedFiles,
    stores: &[String],
    listed: &[SharedFile],
    intent: &Intent<'a>,
    session: &Session<'_>,
    hold: &mut Hold,
) -> Result<Fitted<'a>, Error> {
    hold.left.heal(session).await?;
    let there = shared_already(&session.bucket, stores).await?;
    let settings = settings(intent);
    let mut intent = intent.clone();
    if let Some(archive) = &there {
        if archive.ending {
            return Err(ShareError::Ending.into());
        }
        same_files(archive, listed)?;
        same_request(archive, &settings, stores)?;
        hold.left.expect(stores);
        // What is there, other jobs have sent.
        intent.overlap = Overlap::Skip;
    }
    let look = StoreLook::First(Some(&hold.left));
    let fitted = PreparedSend::fitted(aimed, None, &intent, session, Some(hold), look).await?;
    let (mut prepared, fitted) = fitted;
    let requests = &fitted.requests;
    if let Some(archive) = there {
        // The job that shared it out has compared them.
        drop(prepared.comparison());
        return Ok(Fitted {
            prepared,
            stores: fitted,
            archive,
            is_new: false,
        });
    }
    let estimated = prepared.estimated(&intent);
    let parts = parts(&prepared.archive, requests, &estimated)?;
    check_shareable(&parts, requests, &intent.task)?;
    // The home comes first: a store that grows tells how far the archive is.
    let mut order: Vec<String> = parts
        .stores
        .iter()
        .map(|grows| grows.store.clone())
        .collect();
    order.sort();
    let mut others = stores.to_vec();
    others.retain(|store| !order.contains(store));
    order.extend(others);
    let files = prepared.archive.files.iter();
    let in_order = files.filter_map(|file| {
        let mut listed = listed.iter();
        listed.find(|listed| listed.path == *file.path()).cloned()
    });
    let archive = SharedArchive::new(
        &hold.holder,
        &order,
        settings,
        &intent.files.append_dimension,
        in_order.collect(),
        parts,
    );
    Ok(Fitted {
        prepared,
        stores: fitted,
        archive,
        is_new: true,
    })
}

/// Checks that nothing is to be written but new steps, in these `parts`.
///
/// # Errors
/// If more is.
pub(super) fn check_shareable(
    parts: &ArchiveParts,
    requests: &[StoreRequest],
    task: &Task,
) -> Result<(), ShareError> {
    let is_more = |request: &StoreRequest| {
        let of_steps = request.placed.iter();
        let mut stored = of_steps.filter(|place| place.stored);
        request.stored.is_some()
            && (request.adds()
                || request.repairs
                || stored.any(|place| request.writes(place, task)))
    };
    if let Some(request) = requests.iter().find(|request| is_more(request)) {
        return Err(ShareError::Unshareable {
            what: format!(
                "what is to be written of steps that store '{}' has",
                request.key
            ),
            why: "it changes what readers see; send it first, without --share".to_owned(),
        });
    }
    if parts.is_empty() && !requests.iter().all(|request| request.only_compares(task)) {
        return Err(ShareError::Unshareable {
            what: "what is to be written".to_owned(),
            why: "it has no new steps; send it without --share".to_owned(),
        });
    }
    Ok(())
}

/// What cannot be sent in parts, as far as flags tell.
pub(super) fn can_be_shared(intent: &Intent<'_>, sharing: &Sharing) -> Result<(), ShareError> {
    let refuse = |what: &str, why: &str| {
        Err(ShareError::Unshareable {
            what: what.to_owned(),
            why: why.to_owned(),
        })
    };
    if intent.missing == MissingSteps::Insert {
        return refuse(
            "an archive that goes between the steps of stores (--insert)",
            "what lies behind them would move while other jobs put it",
        );
    }
    if intent.files.append_dimension.is_empty() {
        return refuse("a static archive (--static)", "it has no steps");
    }
    if sharing.task.is_some_and(|task| task.number >= task.of) {
        return refuse(
            "a task whose number is not below that of all tasks",
            "there is none such",
        );
    }
    if intent.files.transactions == Some(Transactions::All) {
        return refuse(
            "what is committed as one (--transaction all)",
            "readers see part after part",
        );
    }
    if intent.overlap == Overlap::Error {
        return refuse(
            "what must not be there already (--on-overlap error)",
            "other jobs may have sent it",
        );
    }
    match intent.task.goal {
        Goal::Send { replace: true, .. } => refuse(
            "what overwrites steps (--on-overlap replace)",
            "it changes what readers see; use update",
        ),
        Goal::Send {
            add_variables: true,
            ..
        } => refuse(
            "new variables of a store that is there (--add-variables)",
            "they get values at steps that readers see; send them first, without --share",
        ),
        _ => Ok(()),
    }
}

/// The archive that is shared out to these `stores`; `None` if none is.
pub(super) async fn shared_already(
    bucket: &Bucket,
    stores: &[String],
) -> Result<Option<SharedArchive>, Error> {
    let told = stream::iter(stores).map(|store| SharedArchive::of_store(bucket, store));
    let told: Vec<Option<SharedArchive>> = told.buffered(REQUESTS).try_collect().await?;
    Ok(told.into_iter().flatten().next())
}

async fn remove(bucket: &Bucket, keys: &[String]) -> Result<(), Error> {
    let deletes = stream::iter(keys).map(|key| bucket.delete(key));
    let deletes = deletes.buffer_unordered(REQUESTS);
    Ok(deletes.try_collect().await?)
}
