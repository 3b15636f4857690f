//! The files of a shared archive: their metadata are read once, by the job that shares it out, and kept in the home's ledger.
//!
//! Key type: [`KnownFiles`].

use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use msm_model::SourceFile;
use msm_plan::derive_prefix;
use msm_zarr::layout;

use super::error::ShareError;
use super::listed::{look_at, same_files};
use super::patient;
use crate::commit::{LeaseError, Leases, SharedArchive, SharedFile};
use crate::error::Error;
use crate::events::WorkKind;
use crate::ranks::Lead;
use crate::session::Session;
use crate::source::{SourceError, expand};
use crate::store::{Bucket, REQUESTS, Spot};
use crate::verbs::files::catalogue::read_files;
use crate::verbs::send::error::SendError;
use crate::verbs::send::intent::Intent;
use crate::verbs::shared::hold::{Leasing, lease_for_reading};

/// The version of the form in which metadata are kept.
const FORMAT: u32 = 3;
/// More than the metadata of any archive take.
const MOST_BYTES: u64 = 1 << 32;
/// Of an archive, compressed well enough.
const LEVEL: i32 = 3;

/// Files of which it is known what they hold.
pub(super) struct KnownFiles {
    pub files: Vec<SourceFile>,
    /// The same for the ledger, if it has not got them.
    pub kept: Option<Bytes>,
    /// The same as they lie in the file system.
    pub listed: Vec<SharedFile>,
    /// While they are read for the first time, other jobs wait.
    pub reading: Option<Leases>,
}

/// What is known before a file is opened.
struct Foreknown {
    listed: Vec<SharedFile>,
    files: Option<Vec<SourceFile>>,
    reading: Option<Leases>,
}

impl KnownFiles {
    /// What the files asked for hold, if that can be `asked`: as the ledger says, or else as they are read.
    ///
    /// # Errors
    /// On every rank the same: if one is missing, broken or lacks the append dimension; or is not as it was.
    pub(super) fn find(
        asked: Result<(), ShareError>,
        intent: &Intent<'_>,
        session: &Session<'_>,
        lead: Lead<'_>,
    ) -> Result<Self, Error> {
        let known = asked.map_err(Error::from);
        let known = known.and_then(|()| session.runtime.block_on(foreknown(intent, session)));
        let to_read = match &known {
            Ok(Foreknown { files: Some(_), .. }) => Ok(Vec::new()),
            Ok(Foreknown { listed, .. }) => {
                Ok(listed.iter().map(|file| file.path.clone()).collect())
            }
            Err(failure) => Err(failure.clone()),
        };
        let view = intent.files.file_view();
        // Other jobs wait for a lease that is not given up.
        session.interrupt.guard(known.is_ok());
        let shown = session.work_unmeasured(WorkKind::Reading);
        let read = read_files(lead, to_read, view, &session.interrupt);
        drop(shown);
        let Foreknown {
            listed,
            files,
            reading,
        } = known?;
        match read {
            Ok(read) => {
                session.interrupt.guard(false);
                let kept = match &files {
                    Some(_) => None,
                    None => Some(encode(&read)?),
                };
                Ok(Self {
                    files: files.unwrap_or(read),
                    kept,
                    listed,
                    reading,
                })
            }
            Err(failure) => {
                session.runtime.block_on(end_reading(reading));
                session.interrupt.guard(false);
                Err(failure)
            }
        }
    }
}

/// Lets other jobs go on that wait for the files to be read.
pub(super) async fn end_reading(reading: Option<Leases>) {
    if let Some(reading) = reading {
        // What cannot be given up expires.
        let _ = reading.release().await;
    }
}

/// Looks in the ledgers; who finds nothing there is the one to read, and others wait for that.
async fn foreknown(intent: &Intent<'_>, session: &Session<'_>) -> Result<Foreknown, Error> {
    let asked = intent.files;
    let paths = expand(&asked.paths)?.into_iter().map(|path| {
        std::path::absolute(&path).map_err(|cause| SourceError::Missing {
            path,
            cause: cause.to_string(),
        })
    });
    let paths: Vec<PathBuf> = paths.collect::<Result<_, _>>()?;
    let listed = look_at(&paths)?;
    let spot = match &asked.spot {
        Some(spot) => spot.clone(),
        None => derived(&paths)?,
    };
    let bucket = &session.bucket;
    let place = layout::reading(spot.key());
    if let Some(files) = kept(bucket, &spot, &listed).await? {
        sweep(session, &asked.leasing, &place).await?;
        return Ok(Foreknown {
            listed,
            files: Some(files),
            reading: None,
        });
    }
    let reading = lease_for_reading(session, &patient(&asked.leasing), &place).await?;
    match kept(bucket, &spot, &listed).await {
        Ok(None) => Ok(Foreknown {
            listed,
            files: None,
            reading: Some(reading),
        }),
        found => {
            end_reading(Some(reading)).await;
            Ok(Foreknown {
                listed,
                files: found?,
                reading: None,
            })
        }
    }
}

/// Removes the lease of a job that died while it read the files.
async fn sweep(session: &Session<'_>, leasing: &Leasing, place: &str) -> Result<(), Error> {
    if session
        .bucket
        .list(&layout::leases(place))
        .await?
        .is_empty()
    {
        return Ok(());
    }
    let leasing = Leasing {
        wait: Duration::ZERO,
        ..leasing.clone()
    };
    match lease_for_reading(session, &leasing, place).await {
        Ok(reading) => end_reading(Some(reading)).await,
        // Of a job that lives, or of another archive.
        Err(Error::Lease(LeaseError::Busy { .. })) => {}
        Err(failure) => return Err(failure),
    }
    Ok(())
}

/// Where the files go if nobody says where; what is wrong with their names is said later.
fn derived(paths: &[PathBuf]) -> Result<Spot, Error> {
    let first = paths.first().and_then(|path| path.file_name());
    let name = first.unwrap_or_default().to_string_lossy();
    Ok(Spot::Below(derive_prefix(&name)?))
}

/// What the ledger of a store at `spot` has of an archive with any of these files; `None` if there is none, or it cannot be read
/// any more.
///
/// # Errors
/// If the archive has other files, or one has changed.
async fn kept(
    bucket: &Bucket,
    spot: &Spot,
    listed: &[SharedFile],
) -> Result<Option<Vec<SourceFile>>, Error> {
    let key = spot.key();
    let stores = match spot {
        Spot::At(_) => vec![key.to_owned()],
        Spot::Below(_) => {
            let names = bucket.ledgers(key).await?.into_iter();
            let mut stores: Vec<String> = names.map(|name| layout::below(key, &name)).collect();
            stores.extend([key.to_owned(), layout::compact_key(key)]);
            stores.retain(|store| !store.is_empty());
            stores
        }
    };
    let told = stream::iter(&stores).map(|store| SharedArchive::of_store(bucket, store));
    let told: Vec<Option<SharedArchive>> = told.buffered(REQUESTS).try_collect().await?;
    let mut told = told.into_iter().flatten();
    let of_these = told.find(|archive| {
        let mut files = archive.files.iter();
        files.any(|file| listed.iter().any(|other| other.path == file.path))
    });
    let Some(archive) = of_these else {
        return Ok(None);
    };
    same_files(&archive, listed)?;
    match bucket.get(&layout::shared_files(archive.home())).await {
        Ok(files) => Ok(decode(&files)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What `files` hold, as it is kept.
fn encode(files: &[SourceFile]) -> Result<Bytes, SendError> {
    let failed = |cause: String| SendError::Encoding { cause };
    let bytes = postcard::to_stdvec(&(FORMAT, env!("CARGO_PKG_VERSION"), files));
    let bytes = bytes.map_err(|cause| failed(cause.to_string()))?;
    let bytes = zstd::encode_all(&bytes[..], LEVEL).map_err(|cause| failed(cause.to_string()))?;
    Ok(bytes.into())
}

/// What was kept; `None` if another version of this program did, or it is damaged.
fn decode(bytes: &[u8]) -> Option<Vec<SourceFile>> {
    let mut whole = Vec::new();
    let decoder = zstd::Decoder::new(bytes).ok()?;
    decoder.take(MOST_BYTES).read_to_end(&mut whole).ok()?;
    let (format, version, files) =
        postcard::from_bytes::<(u32, String, Vec<SourceFile>)>(&whole).ok()?;
    (format == FORMAT && version == env!("CARGO_PKG_VERSION")).then_some(files)
}
