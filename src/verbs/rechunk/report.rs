//! What a rechunk did, or would do.
//!
//! Key types: [`RechunkReport`]; [`RechunkForecast`].

use std::time::Duration;

use msm_plan::{ArrayChange, Phase, Plan, StoredReads};
use serde::{Deserialize, Serialize};

use crate::commit::Manifest;
use crate::events::PlanSize;
use crate::verbs::send::{PlanWarning, RequestCounts};

/// What was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RechunkReport {
    /// The stores.
    pub stores: Vec<RechunkedStore>,
    /// Objects that were put.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects that are not stored, for all their values are fill.
    pub empty: u64,
    /// Bytes of all values, decoded.
    pub decoded: u64,
    /// How long it took.
    pub elapsed: Duration,
}

/// A store, and the one that is made of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RechunkedStore {
    /// Its key.
    pub from: String,
    /// That of the one that is made.
    pub to: String,
    /// How its arrays are cut, and were.
    pub arrays: Vec<ArrayChange>,
    /// Was it there already, with the same values? Before they are compared: is it there already?
    pub was_there: bool,
    /// Objects in the store's folder that are not of the store, and are left out.
    pub left_out: u64,
}

/// What would be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RechunkForecast {
    /// The stores.
    pub stores: Vec<RechunkedStore>,
    /// What it comes to.
    pub size: PlanSize,
    /// What is read of the stores.
    pub reads: StoredReads,
    /// Requests that it makes, about; `None` in a directory, or where stores are replaced, which takes copies and a delete besides.
    pub requests: Option<RequestCounts>,
    /// What is worth a thought before.
    pub warnings: Vec<PlanWarning>,
}

impl RechunkedStore {
    /// Was it as asked for already?
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        // One that is replaced may only have been made, and be put in its place now.
        let is_alike = { self.arrays.iter() }.all(|array| array.before == array.after);
        self.was_there && (self.from != self.to || !self.arrays.is_empty() && is_alike)
    }
}

impl RechunkForecast {
    /// Are all stores as asked for already? What is there at another place is to be compared first.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        let is_nothing = |store: &RechunkedStore| store.is_nothing() && store.from == store.to;
        self.stores.iter().all(is_nothing)
    }
}

impl RechunkReport {
    /// Were all stores as asked for already?
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.stores.iter().all(RechunkedStore::is_nothing)
    }

    /// Of the transaction that did what the `plan` says.
    pub(super) fn new(plan: &Plan, manifest: &Manifest) -> Self {
        let (objects, bytes, empty) = manifest.totals();
        Self {
            stores: Vec::new(),
            objects,
            bytes,
            empty,
            decoded: plan.bytes(Phase::Transfer),
            elapsed: Duration::ZERO,
        }
    }
}
