//! What a server guarantees, found out by trying: conditional writes, what ETags are, its clock, how fast it answers.
//!
//! Key types: [`Guarantees`]; [`Conditional`]; [`ServerClock`].

mod checksums;
#[cfg(test)]
mod tests;

pub(in crate::store) use self::checksums::checksum_use;
pub(crate) use self::checksums::{ChecksumUse, require_checksums};

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use msm_zarr::layout;
use serde::{Deserialize, Serialize};

use crate::store::bucket::Bucket;
use crate::store::conditional::{CreateOutcome, ReplaceOutcome};
use crate::store::error::StoreError;

/// What a server guarantees.
#[derive(Clone, Debug)]
pub(crate) struct Guarantees {
    /// Of creating an object only if there is none.
    pub create: Conditional,
    /// Of replacing an object only if it is unchanged.
    pub replace: Conditional,
    /// What the ETag of an object is.
    pub etag: EtagKind,
    /// What time the server thinks it is.
    pub clock: ServerClock,
    /// How long a small request takes.
    pub latency: Duration,
    /// How long reads gave what was there before an object was overwritten; `None` if they never did.
    pub lag: Option<Duration>,
}

/// How long a read may give what was there before. A server that takes longer cannot be worked with.
const LONGEST_LAG: Duration = Duration::from_secs(20);
/// Probes, before one that is removed under way is an error.
const TRIES: u32 = 3;
/// Shortest time between two looks.
const LOOK: Duration = Duration::from_millis(50);

/// How a server treats a write with a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Conditional {
    /// It keeps to the condition.
    Enforced,
    /// It does not take such writes, and says so; or it takes none of them, even when the condition holds.
    Refused,
    /// It writes whatever the condition says.
    Ignored,
}

/// What the ETag of an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EtagKind {
    /// The MD5 of the object.
    Md5,
    /// Something else.
    Opaque,
    /// There is none.
    Missing,
}

/// The clock of a server, read once and carried on by this machine's monotonic one. It errs on the late side by the
/// second to which the server tells the time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServerClock {
    server: SystemTime,
    local: SystemTime,
    seen: Instant,
}

impl ServerClock {
    /// What it shows now.
    #[must_use]
    pub(crate) fn now(&self) -> SystemTime {
        self.server + self.seen.elapsed()
    }

    /// Seconds by which it was ahead of this machine's clock.
    #[must_use]
    pub(crate) fn ahead(&self) -> f64 {
        match self.server.duration_since(self.local) {
            Ok(ahead) => ahead.as_secs_f64(),
            Err(behind) => -behind.duration().as_secs_f64(),
        }
    }
}

/// Finds out what the server of `bucket` guarantees, with an object in the folder of ledgers of `folder` that says who
/// made it; nothing of it is left, also when this fails half way.
///
/// # Errors
/// [`StoreError::Probe`] if the bucket's policy denies it; others as the server says.
pub(crate) async fn probe(
    bucket: &Bucket,
    folder: &str,
    who: &str,
) -> Result<Guarantees, StoreError> {
    let mut tries = 0;
    let found = loop {
        tries += 1;
        let token = format!("{:016x}", rand::random::<u64>());
        let key = layout::probe(folder, &token);
        let found = ask(bucket, &key, &format!("{token} {who}")).await;
        let removed = bucket.delete(&key).await;
        match found {
            // Another job took so slow a probe for one that a dead job left.
            Err(error) if error.is_missing() && tries < TRIES => {}
            // Where both fail, the first error is the cause of the second.
            found => break found.and_then(|found| removed.map(|()| found)),
        }
    };
    found.map_err(of_probe)
}

/// A probe that is denied says what every command that writes must be let do.
fn of_probe(error: StoreError) -> StoreError {
    match error {
        StoreError::Denied { place, key, cause } => StoreError::Probe { place, key, cause },
        other => other,
    }
}

async fn ask(bucket: &Bucket, key: &str, name: &str) -> Result<Guarantees, StoreError> {
    let body = |number: u32| Bytes::from(format!("probe {number} {name}"));
    let create = match bucket.create(key, body(0)).await {
        Ok(CreateOutcome::Created(_)) => match bucket.create(key, body(1)).await? {
            CreateOutcome::Created(_) => Conditional::Ignored,
            CreateOutcome::Exists => Conditional::Enforced,
            CreateOutcome::Refused(_) => Conditional::Refused,
        },
        // The key is new: nothing can be there. And a policy may deny the condition alone: the plain PUT below tells.
        Ok(CreateOutcome::Exists | CreateOutcome::Refused(_)) | Err(StoreError::Denied { .. }) => {
            Conditional::Refused
        }
        Err(error) => return Err(error),
    };
    let begun = Instant::now();
    bucket.put(key, body(2)).await?;
    let put = begun.elapsed();
    let seen = Instant::now();
    let mut found = bucket.get_tagged(key).await?;
    let latency = put.max(seen.elapsed());
    let clock = ServerClock {
        server: found.modified,
        local: SystemTime::now() - seen.elapsed(),
        seen,
    };
    let mut lag = None;
    while found.bytes != body(2) {
        if seen.elapsed() > LONGEST_LAG {
            return Err(StoreError::Failed {
                place: bucket.place().to_owned(),
                key: key.to_owned(),
                action: "probing the server".into(),
                cause: format!("an object did not read back as it was written for {LONGEST_LAG:?}"),
            });
        }
        tokio::time::sleep(latency.max(LOOK)).await;
        found = bucket.get_tagged(key).await?;
        lag = Some(seen.elapsed());
    }
    let md5 = HEXLOWER.encode(&Md5::digest(&found.bytes));
    let (etag, replace) = match found.etag {
        None => (EtagKind::Missing, Conditional::Refused),
        Some(etag) => {
            let replace = replacing(bucket, key, &etag, [body(3), body(4)]).await?;
            let is_md5 = etag.eq_ignore_ascii_case(&md5);
            let kind = [EtagKind::Opaque, EtagKind::Md5][usize::from(is_md5)];
            (kind, replace)
        }
    };
    Ok(Guarantees {
        create,
        replace,
        etag,
        clock,
        latency,
        lag,
    })
}

/// Replaces with the current ETag, then with the same one again, which is stale by then.
async fn replacing(
    bucket: &Bucket,
    key: &str,
    etag: &str,
    [first, second]: [Bytes; 2],
) -> Result<Conditional, StoreError> {
    match bucket.replace_if(key, first, etag).await {
        Ok(ReplaceOutcome::Replaced(_)) => {}
        Ok(ReplaceOutcome::Changed | ReplaceOutcome::Refused(_))
        | Err(StoreError::Denied { .. }) => {
            return Ok(Conditional::Refused);
        }
        Err(error) => return Err(error),
    }
    Ok(match bucket.replace_if(key, second, etag).await? {
        ReplaceOutcome::Replaced(_) => Conditional::Ignored,
        ReplaceOutcome::Changed => Conditional::Enforced,
        ReplaceOutcome::Refused(_) => Conditional::Refused,
    })
}
