//! What the endpoint guarantees: conditional writes, ETags, its clock, and that what was written is what is read.

use std::time::{Duration, Instant};

use super::{Examination, Sample, brief, noise, shown};
use crate::store::claim::BodyClaim;
use crate::store::error::StoreError;
use crate::store::probe::{ChecksumUse, Conditional, EtagKind, checksum_use, probe};

/// What jobs do where conditional writes do not tell which of two was first.
const WITHOUT: &str = "leases are made by claim, settle, list; --lock-dir on a file system that all jobs share is a \
                       sure lock";
/// What renewing a lease comes to without them.
const UNCONDITIONAL: &str = "leases are read, then renewed with plain writes";
/// What the server's use of a crc32c means.
const SERVER_PROVES: &str = ": `--verify server` reads nothing back";
const SERVER_DOES_NOT: &str =
    ": `--verify server` is refused, `--verify full` reads everything back";
/// Seconds by which clocks may differ: signatures are refused beyond 15 minutes.
const SAME: f64 = 1.5;
const HARMLESS: f64 = 60.0;
const REFUSED: f64 = 900.0;
/// Overwrites that are looked after, the bytes of each, and how long the old object is waited out.
const OVERWRITES: u64 = 5;
const SMALL: usize = 1024;
const LONGEST: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);

impl Examination<'_> {
    /// Conditional writes, the kind of ETags, and the clock. `written` was put before.
    pub(super) async fn guarantees(&mut self, written: &Sample) {
        let found = match probe(&self.bucket, &self.folder, "doctor").await {
            Ok(found) => found,
            Err(error) => return self.bad("conditions", error, "no job can begin"),
        };
        match found.create {
            Conditional::Enforced => {
                self.good(
                    "create if absent",
                    "enforced: of two jobs only one can take a store",
                );
            }
            how => self.lesser("create if absent", format!("{}: {WITHOUT}", word(how))),
        }
        match found.replace {
            Conditional::Enforced => {
                self.good("replace if same", "enforced, by the ETag without quotes");
            }
            how => self.lesser("replace if same", format!("{}: {UNCONDITIONAL}", word(how))),
        }
        let quotes = match &written.etag {
            Some(etag) if etag.starts_with('"') => "sent in quotes",
            _ => "sent without quotes",
        };
        match found.etag {
            EtagKind::Md5 => self.good(
                "ETag",
                format!("the MD5 of the content, {quotes}: writes can be verified by it"),
            ),
            EtagKind::Opaque => {
                self.lesser(
                    "ETag",
                    format!("opaque, {quotes}: writes are verified by reading back"),
                );
            }
            EtagKind::Missing => self.lesser("ETag", "none: writes are verified by reading back"),
        }
        if self.is_server() {
            self.checksums().await;
            self.say_clock(found.clock.ahead());
        }
    }

    /// Whether the server compares what it stores with a checksum that comes with it.
    async fn checksums(&mut self) {
        let body = noise(SMALL, 3);
        let tried = [
            (
                "crc32c",
                BodyClaim::crc32c(&body),
                [SERVER_PROVES, SERVER_DOES_NOT],
            ),
            // Nothing here asks for it.
            ("crc64nvme", BodyClaim::crc64nvme(&body), [""; 2]),
        ];
        for (what, claim, [proven, unproven]) in tried {
            let key = self.key(claim.header());
            match checksum_use(&self.bucket, &key, &body, claim).await {
                Ok(ChecksumUse::Proven) => {
                    let told = ChecksumUse::Proven.told(claim.header());
                    self.good(what, format!("{told}{proven}"));
                }
                Ok(other) => {
                    let told = other.told(claim.header());
                    self.lesser(what, format!("{told}{unproven}"));
                }
                Err(error) => self.untried(what, &brief(&error)),
            }
        }
    }

    fn say_clock(&mut self, ahead: f64) {
        let which = if ahead < 0.0 { "behind" } else { "ahead of" };
        let found = format!(
            "the server's is {:.1} s {which} this machine's",
            ahead.abs()
        );
        match ahead.abs() {
            // Servers tell the time to the second.
            ..SAME => self.good("clock", "the server's is as this machine's, to the second"),
            ..HARMLESS => self.good("clock", found),
            ..REFUSED => self.lesser(
                "clock",
                format!("{found}: beyond 15 minutes signatures are refused"),
            ),
            _ => self.lesser(
                "clock",
                format!("{found}: other servers refuse signatures beyond 15 minutes"),
            ),
        }
    }

    /// Overwrites an object and reads it at once; and looks for it in a listing.
    pub(super) async fn overwrite(&mut self) {
        let key = self.key("overwritten");
        let mut worst = Duration::ZERO;
        for seed in 0..OVERWRITES {
            match self.overwrite_once(&key, seed).await {
                Ok(Some(stale)) => worst = worst.max(stale),
                Ok(None) => {
                    let found = format!(
                        "an old object is read for more than {}: writes cannot be verified",
                        shown(LONGEST)
                    );
                    return self.lesser("stale reads", found);
                }
                Err(error) => return self.untried("stale reads", &brief(&error)),
            }
        }
        if worst.is_zero() {
            self.good(
                "stale reads",
                format!("none: {OVERWRITES} overwritten objects were read new at once"),
            );
        } else {
            let found = format!(
                "an old object is read for {} after an overwrite: two jobs may miss each other",
                shown(worst)
            );
            self.lesser("stale reads", found);
        }
        match self.bucket.list(&self.folder).await {
            Ok(keys) if keys.contains(&key) => {
                self.good("stale lists", "none: a new object is listed at once");
            }
            Ok(_) => self.lesser(
                "stale lists",
                "a new object is not listed at once: two jobs may miss each other",
            ),
            Err(error) => self.untried("stale lists", &brief(&error)),
        }
    }

    /// How long the old object was read after it was overwritten; `None` if for too long.
    async fn overwrite_once(&self, key: &str, seed: u64) -> Result<Option<Duration>, StoreError> {
        self.bucket.put(key, noise(SMALL, 2 * seed)).await?;
        self.bucket.get(key).await?;
        let content = noise(SMALL, 2 * seed + 1);
        self.bucket.put(key, content.clone()).await?;
        let begun = Instant::now();
        let mut stale = Duration::ZERO;
        while self.bucket.get(key).await? != content {
            stale = begun.elapsed();
            if stale > LONGEST {
                return Ok(None);
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(Some(stale))
    }
}

fn word(how: Conditional) -> &'static str {
    match how {
        Conditional::Enforced => "enforced",
        Conditional::Refused => "refused",
        Conditional::Ignored => "ignored, what is there is overwritten",
    }
}
