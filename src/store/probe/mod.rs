//! What a server guarantees, found out by trying: conditional writes, what ETags are, its clock, how fast it answers.
//!
//! Key types: [`Guarantees`]; [`Conditional`]; [`ServerClock`]; [`KeptProbe`], what need not be asked again.

mod checksums;
mod kept;
mod lag;
#[cfg(test)]
mod tests;

pub(in crate::store) use self::checksums::checksum_use;
pub(crate) use self::checksums::{ChecksumUse, require_checksums};
pub(crate) use self::kept::KeptProbe;
pub(crate) use self::lag::Overwritten;

use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures::future::join_all;
use futures::join;
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
    /// When this was found, by this machine's clock.
    pub at: SystemTime,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum EtagKind {
    /// The MD5 of the object.
    Md5,
    /// Something else.
    Opaque,
    /// There is none.
    Missing,
}

impl EtagKind {
    /// What this one is, of an object with these `bytes`.
    pub(crate) fn of(etag: Option<&str>, bytes: &[u8]) -> Self {
        let is_md5 = |etag: &str| etag.eq_ignore_ascii_case(&HEXLOWER.encode(&Md5::digest(bytes)));
        match etag {
            None => Self::Missing,
            Some(etag) if is_md5(etag) => Self::Md5,
            Some(_) => Self::Opaque,
        }
    }
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

/// Finds out what the server of `bucket` guarantees, with objects in the folder of ledgers of `folder` that say who
/// made them; nothing of it is left, also when this fails half way.
///
/// # Errors
/// [`StoreError::Probe`] if the bucket's policy denies it; others as the server says.
pub(crate) async fn probe(
    bucket: &Bucket,
    folder: &str,
    who: &str,
) -> Result<Guarantees, StoreError> {
    let (found, left) = probe_and_leave(bucket, folder, who).await?;
    left.remove(bucket).await?;
    Ok(found)
}

/// The objects of a probe that has been made, which are still there.
#[must_use]
pub(crate) struct ProbeObjects([String; 3]);

impl ProbeObjects {
    /// Removes them.
    ///
    /// # Errors
    /// [`StoreError::Probe`] if the bucket's policy denies it; others as the server says.
    pub(crate) async fn remove(self, bucket: &Bucket) -> Result<(), StoreError> {
        let deletes = self.0.iter().map(|key| bucket.delete(key));
        let deleted: Result<(), StoreError> = join_all(deletes).await.into_iter().collect();
        deleted.map_err(of_probe)
    }
}

/// The same as [`probe`], but that its objects are left if it succeeds: there is something better to do than to wait for that.
///
/// # Errors
/// As [`probe`].
pub(crate) async fn probe_and_leave(
    bucket: &Bucket,
    folder: &str,
    who: &str,
) -> Result<(Guarantees, ProbeObjects), StoreError> {
    let mut tries = 0;
    loop {
        tries += 1;
        let token = format!("{:016x}", rand::random::<u64>());
        let keys = ["", ".2", ".3"].map(|end| layout::probe(folder, &format!("{token}{end}")));
        let found = ask(bucket, &keys, &format!("{token} {who}")).await;
        let objects = ProbeObjects(keys);
        let error = match found {
            Ok(found) => return Ok((found, objects)),
            Err(error) => error,
        };
        // Where that fails, too, the first error is its cause.
        let removed = objects.remove(bucket).await;
        // Another job took so slow a probe for one that a dead job left.
        let is_again = error.is_missing() && tries < TRIES;
        if !is_again || removed.is_err() {
            return Err(of_probe(error));
        }
    }
}

/// A probe that is denied says what every command that writes must be let do.
fn of_probe(error: StoreError) -> StoreError {
    match error {
        StoreError::Denied { place, key, cause } => StoreError::Probe { place, key, cause },
        other => other,
    }
}

/// Asks for what is not of the same object at the same time: on a far server, each request in a row is felt.
async fn ask(
    bucket: &Bucket,
    [created, replaced, other]: &[String; 3],
    name: &str,
) -> Result<Guarantees, StoreError> {
    let body = |number: u32| Bytes::from(format!("probe {number} {name}"));
    let create = creating(bucket, created, [body(0), body(1)]);
    let replace = replacing(bucket, [replaced, other], [2, 3, 4, 5].map(body));
    let (create, replaced) = join!(create, replace);
    // Where both fail, a plain PUT that does says more.
    let replaced = replaced?;
    Ok(Guarantees {
        create: create?,
        ..replaced
    })
}

/// Creates an object twice.
async fn creating(
    bucket: &Bucket,
    key: &str,
    [first, second]: [Bytes; 2],
) -> Result<Conditional, StoreError> {
    match bucket.create(key, first).await {
        Ok(CreateOutcome::Created(_)) => {}
        // The key is new: nothing can be there. And a policy may deny the condition alone: the plain PUT tells.
        Ok(CreateOutcome::Exists | CreateOutcome::Refused(_)) | Err(StoreError::Denied { .. }) => {
            return Ok(Conditional::Refused);
        }
        Err(error) => return Err(error),
    }
    Ok(match bucket.create(key, second).await {
        Ok(CreateOutcome::Created(_)) => Conditional::Ignored,
        Ok(CreateOutcome::Exists) => Conditional::Enforced,
        Ok(CreateOutcome::Refused(_)) | Err(StoreError::Denied { .. }) => Conditional::Refused,
        Err(error) => return Err(error),
    })
}

/// Replaces an object, looks how it reads back, and replaces another one with an ETag that is not its own.
async fn replacing(
    bucket: &Bucket,
    [key, other]: [&String; 2],
    [first, second, third, fourth]: [Bytes; 4],
) -> Result<Guarantees, StoreError> {
    let begun = Instant::now();
    let (put, beside) = join!(bucket.put(key, first.clone()), bucket.put(other, third));
    beside?;
    let put = put?;
    let took = begun.elapsed();
    let Some(etag) = &put.etag else {
        bucket.put(key, second.clone()).await?;
        return overwritten(bucket, key, &second, took).await;
    };
    let own = async {
        let replaced = match bucket.replace_if(key, second.clone(), etag).await {
            Ok(ReplaceOutcome::Replaced(_)) => true,
            Ok(ReplaceOutcome::Changed | ReplaceOutcome::Refused(_))
            | Err(StoreError::Denied { .. }) => false,
            Err(error) => return Err(error),
        };
        let mut body = &second;
        if !replaced {
            match bucket.put(key, second.clone()).await {
                // It is not overwritten, then.
                Err(StoreError::Denied { .. }) => body = &first,
                put => drop(put?),
            }
        }
        Ok((replaced, overwritten(bucket, key, body, took).await?))
    };
    let (own, not_own) = join!(own, bucket.replace_if(other, fourth, etag));
    let (replaced, found) = own?;
    let not_own = match not_own {
        Ok(ReplaceOutcome::Replaced(_)) => Conditional::Ignored,
        Ok(ReplaceOutcome::Changed) => Conditional::Enforced,
        Ok(ReplaceOutcome::Refused(_)) | Err(StoreError::Denied { .. }) => Conditional::Refused,
        Err(error) => return Err(error),
    };
    Ok(Guarantees {
        replace: if replaced {
            not_own
        } else {
            Conditional::Refused
        },
        ..found
    })
}

/// What is seen of an object that was overwritten with `body`; a PUT `took` so long.
async fn overwritten(
    bucket: &Bucket,
    key: &str,
    body: &Bytes,
    took: Duration,
) -> Result<Guarantees, StoreError> {
    let seen = Instant::now();
    let mut found = bucket.get_tagged(key).await?;
    let latency = took.max(seen.elapsed());
    let clock = ServerClock {
        server: found.modified,
        local: SystemTime::now() - seen.elapsed(),
        seen,
    };
    let mut lag = None;
    while found.bytes != *body {
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
    let etag = EtagKind::of(found.etag.as_deref(), &found.bytes);
    Ok(Guarantees {
        create: Conditional::Refused,
        replace: Conditional::Refused,
        etag,
        clock,
        latency,
        lag,
        at: clock.local,
    })
}
