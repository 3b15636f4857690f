//! What a send or an update did.
//!
//! Key type: [`SendReport`].

use std::collections::BTreeSet;
use std::time::Duration;

use msm_plan::{Phase, Plan, TargetStore};
use serde::{Deserialize, Serialize};

use crate::commit::{Manifest, WriterGuarantee};
use crate::error::Error;
use crate::transfer::Proof;
use crate::verbs::quicklook::SentMaps;
use crate::verbs::send::share::ShareReport;

/// What was done, over all transactions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SendReport {
    /// Transactions that were committed; none if there was nothing to do.
    pub transactions: u64,
    /// Stores that were created.
    pub created: BTreeSet<String>,
    /// Stores that were there before.
    pub extended: BTreeSet<String>,
    /// Steps that were appended, of the store that got most.
    pub appended: u64,
    /// Steps that were overwritten, of the store that had most.
    pub replaced: u64,
    /// Objects that were put.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects that are not stored, for all their values are fill.
    pub empty: u64,
    /// Bytes of all values, decoded.
    pub decoded: u64,
    /// How the objects were verified.
    pub proofs: Proofs,
    /// How long it took.
    pub elapsed: Duration,
    /// What kept other jobs from writing the same stores.
    pub guarantee: Option<WriterGuarantee>,
    /// If many jobs send the archive: how far it is.
    pub shared: Option<ShareReport>,
    /// On rank 0: maps of what was sent, if they were asked for.
    #[serde(skip)]
    pub maps: SentMaps,
}

/// How far a send had come that was cut short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SendReach {
    /// Transactions that are in place, with those that were there before it.
    pub committed: u64,
    /// Of so many.
    pub of: u64,
    /// The last step of their files, if these have steps.
    pub up_to: Option<String>,
}

/// How many objects were verified how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proofs {
    /// Read back and compared.
    pub read_back: u64,
    /// By an ETag that is the MD5 of what was sent.
    pub etag: u64,
    /// By the server, which compared each with the crc32c that came with it.
    pub server: u64,
    /// Not at all.
    pub unproven: u64,
}

impl SendReport {
    /// Adds a transaction.
    pub(super) fn add(&mut self, plan: &Plan, manifest: &Manifest) {
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
        let (objects, bytes, empty) = manifest.totals();
        self.objects += objects;
        self.bytes += bytes;
        self.empty += empty;
        self.proofs.read_back += manifest.proven(Proof::ReadBack);
        self.proofs.etag += manifest.proven(Proof::Etag);
        self.proofs.server += manifest.proven(Proof::Server);
        self.proofs.unproven += manifest.proven(Proof::Unproven);
    }

    /// Was there nothing to do for this job?
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.transactions == 0 && self.shared.as_ref().is_none_or(|shared| shared.put == 0)
    }

    /// `failure`, with what was committed before it, and how far that reaches, if that is known.
    pub(super) fn so_far(&self, failure: Error, reach: Option<SendReach>) -> Error {
        if self.transactions == 0 {
            return failure;
        }
        Error::SendCutShort {
            cause: Box::new(failure),
            transactions: self.transactions,
            appended: self.appended,
            replaced: self.replaced,
            reach,
        }
    }
}
