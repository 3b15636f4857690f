//! What was found out of a server, as the record of a store's last transaction keeps it for the commands of the next hours.
//!
//! Key type: [`KeptProbe`].

use std::time::{Duration, Instant, SystemTime};

use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};

use super::{Conditional, EtagKind, Guarantees, ServerClock};
use crate::store::bucket::Bucket;

/// After so long, the server is asked again.
const AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// What a probe found that need not be asked again within a day: of a server that enforces conditional writes, and whose reads do not
/// lag behind. What depends on how fast it answers, as claims do elsewhere, is found out each time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeptProbe {
    /// A digest of the server's address and the bucket's name: a copy of the ledger elsewhere says nothing.
    bucket: String,
    /// When it was found, in seconds since 1970.
    at: u64,
    replace: Conditional,
    etag: EtagKind,
}

impl KeptProbe {
    /// What there is to keep of `found`, which is of `bucket`, if anything is.
    pub(crate) fn of(bucket: &Bucket, found: &Guarantees) -> Option<Self> {
        // A directory is asked in no time.
        let is_of_use = found.create == Conditional::Enforced
            && found.lag.is_none()
            && bucket.directory().is_none();
        let at = found.at.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        is_of_use.then(|| Self {
            bucket: digest(bucket),
            at: at.as_secs(),
            replace: found.replace,
            etag: found.etag,
        })
    }

    /// What is known by it of `bucket`, but for the server's clock: every claim counts as put just now. `None` if it is too old, or of
    /// another bucket.
    pub(crate) fn guarantees(&self, bucket: &Bucket) -> Option<Guarantees> {
        let at = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(self.at))?;
        let age = SystemTime::now().duration_since(at).ok()?;
        let is_known = age < AGE && self.bucket == digest(bucket);
        is_known.then(|| Guarantees {
            create: Conditional::Enforced,
            replace: self.replace,
            etag: self.etag,
            clock: ServerClock {
                server: SystemTime::UNIX_EPOCH,
                local: SystemTime::UNIX_EPOCH,
                seen: Instant::now(),
            },
            latency: Duration::ZERO,
            lag: None,
            at,
        })
    }
}

fn digest(bucket: &Bucket) -> String {
    HEXLOWER.encode(&Md5::digest(bucket.identity()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::loopback;

    #[tokio::test]
    async fn it_is_believed_for_a_day_and_of_its_own_bucket_only() {
        let server = loopback::server(s3_server::Config::default());
        let bucket = loopback::bucket(&server);
        let found = super::super::probe(&bucket, "", "").await.unwrap();
        let kept = KeptProbe::of(&bucket, &found).unwrap();
        let told = kept.guarantees(&bucket).unwrap();
        assert_eq!(
            (told.create, told.replace, told.etag),
            (found.create, found.replace, found.etag)
        );
        let other = loopback::server(s3_server::Config::default());
        assert!(kept.guarantees(&loopback::bucket(&other)).is_none());
        let day = AGE.as_secs();
        for at in [kept.at - day, kept.at + day] {
            let kept = KeptProbe { at, ..kept.clone() };
            assert!(kept.guarantees(&bucket).is_none(), "{at}");
        }
        let refusing = Guarantees {
            create: Conditional::Refused,
            ..found.clone()
        };
        let lagging = Guarantees {
            lag: Some(Duration::from_secs(1)),
            ..found
        };
        for found in [refusing, lagging] {
            assert_eq!(KeptProbe::of(&bucket, &found), None);
        }
    }
}
