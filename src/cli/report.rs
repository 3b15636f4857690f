//! What rank 0 prints: the plan's size before, one summary after.
//!
//! Key type: [`Summary`].

use std::fmt;
use std::time::Duration;

use crate::commit::Manifest;
use crate::plan::{Phase, Plan};
use crate::transfer::Proof;

/// The end of a send.
pub struct Summary<'a> {
    /// What was planned.
    pub plan: &'a Plan,
    /// What was written.
    pub manifest: &'a Manifest,
    /// How long it took.
    pub elapsed: Duration,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = self.arrays.iter().filter(|a| a.phase != Phase::Compare);
        let arrays: usize = written.map(|a| a.stores.len()).sum();
        let objects = self.objects(Phase::Transfer) + self.objects(Phase::Commit);
        let bytes = self.bytes(Phase::Transfer) + self.bytes(Phase::Commit);
        write!(
            f,
            "plan: {} stores, {arrays} arrays, {objects} objects, {} decoded, at most {} of memory a rank",
            self.stores.len(),
            bytes_shown(bytes),
            bytes_shown(self.peak_memory)
        )
    }
}

impl fmt::Display for Summary<'_> {
    #[allow(clippy::cast_precision_loss)]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let created = self
            .plan
            .stores
            .iter()
            .filter(|s| s.old_root.is_none())
            .count();
        let extended = self.plan.stores.len() - created;
        let steps = self
            .plan
            .stores
            .iter()
            .map(|s| s.new_steps)
            .max()
            .unwrap_or(0);
        let (stored, bytes, empty) = self.manifest.totals();
        let decoded = self.plan.bytes(Phase::Transfer) + self.plan.bytes(Phase::Commit);
        let rate = decoded as f64 / self.elapsed.as_secs_f64().max(1e-3) / 1e6;
        write!(
            f,
            "sent: {created} stores created, {extended} extended, {steps} steps, {stored} objects ({empty} more are all \
             fill), {} stored of {} decoded, {:.1} s, {rate:.0} MB/s; ",
            bytes_shown(bytes),
            bytes_shown(decoded),
            self.elapsed.as_secs_f64(),
        )?;
        let (read, etag) = (
            self.manifest.proven(Proof::ReadBack),
            self.manifest.proven(Proof::Etag),
        );
        match (read, etag, self.manifest.proven(Proof::Unproven)) {
            (0, 0, n) if n > 0 => write!(f, "not verified"),
            (read, 0, _) => write!(f, "verified: {read} objects read back and compared"),
            (0, etag, _) => write!(f, "verified: {etag} objects by ETag"),
            (read, etag, _) => write!(
                f,
                "verified: {etag} objects by ETag, {read} read back and compared"
            ),
        }
    }
}

/// Bytes as people read them: `13.9 MiB`.
#[must_use]
#[allow(clippy::cast_precision_loss)]
pub fn bytes_shown(bytes: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{bytes} B")
    } else {
        format!("{value:.1} {}", units[unit])
    }
}
