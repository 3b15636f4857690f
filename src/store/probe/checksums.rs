//! What a server does with a checksum that comes with a body, found out by trying a right one and a wrong one.
//!
//! Key type: [`ChecksumUse`].

use bytes::Bytes;
use msm_zarr::layout;
use object_store::{GetOptions, ObjectStore, PutMode, PutOptions};

use crate::store::answer::{said, scrub, status};
use crate::store::bucket::Bucket;
use crate::store::claim::{AskForChecksums, BodyClaim, ToldChecksums};
use crate::store::error::StoreError;
use crate::store::probe::of_probe;

/// What a server does with a checksum that comes with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChecksumUse {
    /// It refuses a body that has another one, and tells it when the object is looked at.
    Proven,
    /// It refuses a body that has another one, but does not tell it afterwards.
    Untold,
    /// It takes any body, and does not tell it afterwards.
    Dropped,
    /// It takes any body, and tells what came with it.
    Believed,
    /// It takes no body with one, and says so.
    Refused(String),
}

impl ChecksumUse {
    /// What was tried, and what the server did.
    #[must_use]
    pub(crate) fn told(&self, header: &str) -> String {
        match self {
            Self::Proven => {
                format!("an object with a wrong {header} is refused, a right one is told of it")
            }
            Self::Untold => format!(
                "an object with a wrong {header} is refused, but HEAD does not tell that of a right one: it may not have been kept with the object"
            ),
            Self::Dropped => {
                format!(
                    "an object with a wrong {header} is taken all the same: the server drops the checksum"
                )
            }
            Self::Believed => format!(
                "an object with a wrong {header} is taken all the same, and HEAD tells the wrong one: the server does not compare"
            ),
            Self::Refused(said) => format!("an object with a right {header} is refused ({said})"),
        }
    }
}

/// Makes sure that the server of `bucket` compares what it stores with the crc32c that comes with it; with an object in the folder of
/// ledgers of `folder` that says who made it. Nothing of it is left.
///
/// # Errors
/// [`StoreError::Unproven`] if it does not; others as the server says.
pub(crate) async fn require_checksums(
    bucket: &Bucket,
    folder: &str,
    who: &str,
) -> Result<(), StoreError> {
    let unproven = |found: String| StoreError::Unproven {
        place: bucket.place().to_owned(),
        found: found.into(),
    };
    let token = format!("{:016x}", rand::random::<u64>());
    let (key, body) = (
        layout::probe(folder, &token),
        Bytes::from(format!("{token} {who}")),
    );
    let claim = BodyClaim::crc32c(&body);
    let found = checksum_use(bucket, &key, &body, claim).await;
    let removed = bucket.delete(&key).await;
    let found = found.map_err(of_probe)?;
    match found {
        ChecksumUse::Proven => removed.map_err(of_probe),
        other => Err(unproven(other.told(claim.header()))),
    }
}

/// What the server does with `claim`, the checksum of `body`, when that is put as the object `key`.
///
/// # Errors
/// As the server says, if that has nothing to do with it.
pub(in crate::store) async fn checksum_use(
    bucket: &Bucket,
    key: &str,
    body: &Bytes,
    claim: BodyClaim,
) -> Result<ChecksumUse, StoreError> {
    if let Some(said) = refusal(bucket, key, body, claim).await? {
        return Ok(ChecksumUse::Refused(said));
    }
    let is_told = claim.is_told(&told(bucket, key).await?);
    if refusal(bucket, key, body, claim.wrong()).await?.is_some() {
        return Ok([ChecksumUse::Untold, ChecksumUse::Proven][usize::from(is_told)].clone());
    }
    let believed = claim.wrong().is_told(&told(bucket, key).await?);
    Ok([ChecksumUse::Dropped, ChecksumUse::Believed][usize::from(believed)].clone())
}

/// Puts an object with this claim; what the server said if it does not take such a request.
async fn refusal(
    bucket: &Bucket,
    key: &str,
    body: &Bytes,
    claim: BodyClaim,
) -> Result<Option<String>, StoreError> {
    let mut options = PutOptions::from(PutMode::Overwrite);
    options.extensions.insert(claim);
    let payload = body.clone().into();
    let Err(cause) = bucket
        .store
        .put_opts(&bucket.path(key), payload, options)
        .await
    else {
        return Ok(None);
    };
    match (
        bucket.error(key, "probing the server", &cause),
        status(&cause),
    ) {
        (StoreError::Failed { .. }, Some(400..=407 | 409..=428 | 430..=499 | 501)) => {
            Ok(Some(scrub(&said(&cause), &bucket.secrets())))
        }
        (error, _) => Err(error),
    }
}

/// The checksums that the server tells of the object `key`.
async fn told(bucket: &Bucket, key: &str) -> Result<ToldChecksums, StoreError> {
    let mut options = GetOptions {
        head: true,
        ..GetOptions::default()
    };
    options.extensions.insert(AskForChecksums);
    let looked = bucket.store.get_opts(&bucket.path(key), options).await;
    let looked = looked.map_err(|cause| bucket.error(key, "looking at", &cause))?;
    Ok(looked
        .extensions
        .get::<ToldChecksums>()
        .cloned()
        .unwrap_or_default())
}
