//! What rank 0 prints: the plan's size before, one summary after.
//!
//! Key type: [`Summary`].

use std::collections::BTreeSet;
use std::fmt;
use std::fmt::Write as _;
use std::time::Duration;

use crate::commit::Manifest;
use crate::exit::Failure;
use crate::plan::{Phase, Plan, TargetStore};
use crate::transfer::Proof;

/// What was done, over all transactions.
#[derive(Debug, Default)]
pub struct Summary {
    /// What was done, in one word.
    done: &'static str,
    transactions: u64,
    created: BTreeSet<String>,
    extended: BTreeSet<String>,
    appended: u64,
    replaced: u64,
    decoded: u64,
    stored: u64,
    bytes: u64,
    empty: u64,
    read_back: u64,
    etag: u64,
    unproven: u64,
    elapsed: Duration,
}

impl Summary {
    /// Of nothing yet; `done` is the word for what will be.
    #[must_use]
    pub fn new(done: &'static str) -> Self {
        Self {
            done,
            ..Self::default()
        }
    }

    /// Adds a transaction.
    pub fn add(&mut self, plan: &Plan, manifest: &Manifest) {
        self.transactions += 1;
        for store in &plan.stores {
            if store.old_root.is_none() {
                self.created.insert(store.key.clone());
            } else if !self.created.contains(&store.key) {
                self.extended.insert(store.key.clone());
            }
        }
        let most = |count: fn(&TargetStore) -> u64| plan.stores.iter().map(count).max();
        self.appended += most(|s| s.new_steps).unwrap_or(0);
        self.replaced += most(|s| s.replaced_steps).unwrap_or(0);
        self.decoded += plan.bytes(Phase::Transfer) + plan.bytes(Phase::Commit);
        let (stored, bytes, empty) = manifest.totals();
        self.stored += stored;
        self.bytes += bytes;
        self.empty += empty;
        self.read_back += manifest.proven(Proof::ReadBack);
        self.etag += manifest.proven(Proof::Etag);
        self.unproven += manifest.proven(Proof::Unproven);
    }

    /// With the time it took.
    #[must_use]
    pub fn after(mut self, elapsed: Duration) -> Self {
        self.elapsed = elapsed;
        self
    }

    /// `failure`, with what was committed before it.
    #[must_use]
    pub fn so_far(&self, mut failure: Failure) -> Failure {
        if self.transactions > 0 {
            let _ = write!(
                failure.message,
                "; {} transactions before this one are in place ({} steps appended, {} replaced): the same command again goes \
                 on",
                self.transactions, self.appended, self.replaced
            );
        }
        failure
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let written = self.arrays.iter().filter(|a| a.phase != Phase::Compare);
        let arrays: usize = written.map(|a| a.stores.len()).sum();
        let objects = self.objects(Phase::Transfer) + self.objects(Phase::Commit);
        let bytes = self.bytes(Phase::Transfer) + self.bytes(Phase::Commit);
        write!(
            f,
            "{} stores, {arrays} arrays, {objects} objects, {} decoded, at most {} of memory a rank",
            self.stores.len(),
            bytes_shown(bytes),
            bytes_shown(self.peak_memory)
        )
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.transactions == 0 {
            return write!(f, "nothing to do");
        }
        let rate = self.decoded as f64 / self.elapsed.as_secs_f64().max(1e-3) / 1e6;
        write!(
            f,
            "{}: {} stores created, {} extended, {} steps appended, {} replaced, {} objects ({} more are all \
             fill), {} stored of {} decoded, {:.1} s, {rate:.0} MB/s; ",
            self.done,
            self.created.len(),
            self.extended.len(),
            self.appended,
            self.replaced,
            self.stored,
            self.empty,
            bytes_shown(self.bytes),
            bytes_shown(self.decoded),
            self.elapsed.as_secs_f64(),
        )?;
        match (self.read_back, self.etag, self.unproven) {
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
