//! One try at the lease of one store, by way of its ledger: look, claim, look again; and where the server lets several claim at a
//! time, hold, look once more.
//!
//! Key types: [`Court`], where claims are weighed; [`LeaseView`], what a look shows; [`Attempt`], how a try ended.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, join, stream};
use msm_zarr::layout;
use tracing::debug;

use super::claim::{Claim, ClaimState, Rival, before, first_look, last_look};
use super::holder::Holder;
use super::lease::Lease;
use super::times::LeaseTimes;
use crate::store::REQUESTS;
use crate::store::{
    Bucket, Conditional, CreateOutcome, EtagKind, Fence, Guarantees, ListedObject, Moment,
    ServerClock, StoreError,
};

/// Digits of a generation.
const DIGITS: usize = 8;

/// What weighing the claims to a store takes.
pub(super) struct Court<'a> {
    pub bucket: &'a Bucket,
    pub guarantees: &'a Guarantees,
    pub times: LeaseTimes,
    /// Are the guarantees what a ledger keeps, and has a look shown no claim at all?
    pub kept: bool,
}

/// What a look at the leases of a store shows.
#[derive(Default)]
pub(super) struct LeaseView {
    /// Claims of others that count.
    pub rivals: Vec<Rival>,
    /// Keys of claims that do not count any more.
    over: Vec<String>,
    /// Is our own claim there?
    own: bool,
    /// The highest generation that is there.
    highest: u64,
}

/// Our own claim, as it was put last.
#[derive(Clone, Copy)]
pub(super) struct OwnClaim<'a> {
    pub key: &'a str,
    pub token: &'a str,
    /// What the server answered; a listing that gives the same one shows it.
    pub etag: Option<&'a str>,
    /// Is it being renewed? Then that tells whether it is still ours.
    pub is_renewed: bool,
}

/// How a try ended.
pub(super) enum Attempt {
    Held(Box<Lease>),
    /// By whom, if the claim says so.
    Busy(Option<Holder>),
}

impl Court<'_> {
    /// Tries once to get the lease of `store`; where it `tries` the server, too, this shows whether it still enforces conditional writes.
    /// Nothing of the try is left if another has it.
    pub(super) async fn attempt(
        &self,
        store: &str,
        holder: &Holder,
        tries: bool,
    ) -> Result<Attempt, StoreError> {
        let seen = if self.kept {
            LeaseView::default()
        } else {
            self.look(store, None).await?
        };
        if let Some(rival) = before(&seen.rivals) {
            debug!(store, "another job was first");
            return Ok(Attempt::Busy(rival.holder.clone()));
        }
        let mut claim = Claim::new(holder.clone());
        let folder = layout::leases(store);
        let key = match self.guarantees.create {
            Conditional::Enforced => {
                // The server lets one of those through who saw the same; whoever saw something else sees it as held.
                claim.state = ClaimState::Held;
                format!("{folder}/{:0DIGITS$}", seen.highest + 1)
            }
            Conditional::Refused | Conditional::Ignored => format!("{folder}/{}", claim.token),
        };
        let token = claim.token.clone();
        // Once the claim is too old to be trusted, nothing more is done about it: its key may be another's.
        let (fence, begun) = (Fence::closed(), Moment::now());
        fence.extend(begun.after(self.times.trusted()));
        let attempt = fence.guard(self.contend(store, &key, claim, tries)).await;
        let attempt = attempt.unwrap_or(Ok(Attempt::Busy(None)));
        if !matches!(attempt, Ok(Attempt::Held(_))) {
            let withdrawn = fence.guard(take_back(self.bucket, &key, &token)).await;
            // Where both fail, the first error is the cause of the second.
            return attempt.and_then(|attempt| withdrawn.unwrap_or(Ok(())).map(|()| attempt));
        }
        for key in &seen.over {
            // What has expired counts for nobody, and the next holder tries again.
            let _ = fence.guard(self.bucket.delete(key)).await;
        }
        attempt
    }

    /// Puts the claim, and holds the lease if no rival comes first.
    async fn contend(
        &self,
        store: &str,
        key: &str,
        mut claim: Claim,
        tries: bool,
    ) -> Result<Attempt, StoreError> {
        let begun = Moment::now();
        let bytes = claim.write().map_err(|cause| self.strange(key, &cause))?;
        if self.guarantees.create == Conditional::Enforced {
            let put = match self.bucket.create(key, bytes.clone()).await? {
                CreateOutcome::Created(put) => put,
                CreateOutcome::Exists => return Ok(Attempt::Busy(None)),
                CreateOutcome::Refused(said) => return Err(self.strange(key, &said)),
            };
            let own = OwnClaim {
                key,
                token: &claim.token,
                etag: put.etag.as_deref(),
                is_renewed: false,
            };
            let (seen, enforced) = join!(self.look(store, Some(own)), async {
                if tries {
                    self.is_as_kept(key, &bytes, own.etag).await
                } else {
                    Ok(true)
                }
            });
            let seen = seen?;
            if !enforced? {
                return Err(self.strange(key, &"the server is not as it was"));
            }
            // Whoever comes later sees this claim; of those who came before, each may have seen none.
            if let Some(rival) = before(&seen.rivals) {
                return Ok(Attempt::Busy(rival.holder.clone()));
            }
            if !self.counts(&seen, begun) {
                return Ok(Attempt::Busy(None));
            }
            debug!(store, key, "got the lease");
            let (store, key) = (store.to_owned(), key.to_owned());
            let lease = Lease::new(store, key, claim, put.etag, begun, self.times);
            return Ok(Attempt::Held(Box::new(lease)));
        }
        let put = self.bucket.put(key, bytes).await?;
        // Until then a rival's claim may read as it was before its owner held the lease.
        let lag = self.guarantees.lag.unwrap_or_default();
        let settle = self.times.settle(self.guarantees.latency);
        debug!(store, ?settle, ?lag, "letting the claim settle");
        tokio::time::sleep(settle.max(lag)).await;
        let own = OwnClaim {
            key,
            token: &claim.token,
            etag: put.etag.as_deref(),
            is_renewed: false,
        };
        let seen = self.look(store, Some(own)).await?;
        if let Some(rival) = first_look(&claim.token, &seen.rivals) {
            return Ok(Attempt::Busy(rival.holder.clone()));
        }
        if !self.counts(&seen, begun) {
            return Ok(Attempt::Busy(None));
        }
        claim.state = ClaimState::Held;
        let held = Moment::now();
        let bytes = claim.write().map_err(|cause| self.strange(key, &cause))?;
        let put = self.bucket.put(key, bytes).await?;
        let own = OwnClaim {
            key,
            token: &claim.token,
            etag: put.etag.as_deref(),
            is_renewed: false,
        };
        let seen = self.look(store, Some(own)).await?;
        if let Some(rival) = last_look(&claim.token, &seen.rivals) {
            return Ok(Attempt::Busy(rival.holder.clone()));
        }
        if !self.counts(&seen, begun) {
            return Ok(Attempt::Busy(None));
        }
        debug!(store, key, "got the lease");
        let (store, key) = (store.to_owned(), key.to_owned());
        let lease = Lease::new(store, key, claim, put.etag, held, self.times);
        Ok(Attempt::Held(Box::new(lease)))
    }

    /// Does the server still do what is kept of it, as far as the claim at `key`, which was put as these `bytes`, shows?
    async fn is_as_kept(
        &self,
        key: &str,
        bytes: &Bytes,
        etag: Option<&str>,
    ) -> Result<bool, StoreError> {
        let replacing = self.guarantees.replace == Conditional::Enforced;
        Ok(EtagKind::of(etag, bytes) == self.guarantees.etag
            && self.bucket.enforces(key, bytes, replacing).await?)
    }

    /// Does a claim that was raised when it had `begun` say anything? Not one that others may take for expired, or do not see.
    fn counts(&self, seen: &LeaseView, begun: Moment) -> bool {
        seen.own && begun.elapsed() < self.times.trusted()
    }

    /// Looks at the leases of `store`, in which our `own` claim is one.
    pub(super) async fn look(
        &self,
        store: &str,
        own: Option<OwnClaim<'_>>,
    ) -> Result<LeaseView, StoreError> {
        let clock = Some(self.guarantees.clock);
        look(self.bucket, store, own, clock, self.times).await
    }

    fn strange(&self, key: &str, cause: &dyn ToString) -> StoreError {
        StoreError::Failed {
            place: self.bucket.place().to_owned(),
            key: key.to_owned(),
            action: "claiming the lease".into(),
            cause: cause.to_string(),
        }
    }
}

/// Looks at the leases of `store`, in which our `own` claim is one; by this machine's clock without that of the server.
pub(super) async fn look(
    bucket: &Bucket,
    store: &str,
    own: Option<OwnClaim<'_>>,
    clock: Option<ServerClock>,
    times: LeaseTimes,
) -> Result<LeaseView, StoreError> {
    let leases = layout::leases(store);
    let listed: Vec<ListedObject> = bucket.entries(&leases).try_collect().await?;
    let now = clock.map_or_else(SystemTime::now, |clock| clock.now());
    let mut seen = LeaseView::default();
    let mut fresh = Vec::new();
    for ListedObject {
        key,
        modified,
        etag,
        ..
    } in listed
    {
        let is_own = own.is_some_and(|own| {
            let is_same = own.etag.is_some() && own.etag == etag.as_deref();
            own.key == key && (own.is_renewed || is_same)
        });
        let name = key.rsplit('/').next().unwrap_or_default();
        if name.len() == DIGITS {
            seen.highest = seen.highest.max(name.parse().unwrap_or(0));
        }
        let age = now.duration_since(modified).unwrap_or_default();
        if is_own && age <= times.over() {
            seen.own = true;
        } else if age > times.over() {
            seen.over.push(key);
        } else {
            fresh.push((key, times.over().saturating_sub(age)));
        }
    }
    let reads = fresh.into_iter().map(|(key, left)| async move {
        match bucket.get(&key).await {
            Ok(bytes) => Ok(Some((key, left, Claim::read(&bytes)))),
            // Withdrawn since.
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    });
    let read: Vec<Option<(String, Duration, Option<Claim>)>> =
        stream::iter(reads).buffered(REQUESTS).try_collect().await?;
    for (key, left, claim) in read.into_iter().flatten() {
        match claim {
            Some(claim) if own.is_some_and(|own| own.token == claim.token) => seen.own = true,
            Some(claim) if claim.holder.is_dead() => seen.over.push(key),
            Some(claim) => seen.rivals.push(Rival {
                token: claim.token,
                state: claim.state,
                holder: Some(claim.holder),
                left,
            }),
            None => seen.rivals.push(Rival {
                token: String::new(),
                state: ClaimState::Held,
                holder: None,
                left,
            }),
        }
    }
    Ok(seen)
}

/// Deletes the claim at `key`, if it is the one with this token: the key may be another's by now.
pub(super) async fn take_back(bucket: &Bucket, key: &str, token: &str) -> Result<(), StoreError> {
    match bucket.get(key).await {
        Ok(bytes) if Claim::read(&bytes).is_some_and(|claim| claim.token == token) => {
            bucket.delete(key).await
        }
        Ok(_) => Ok(()),
        Err(error) if error.is_missing() => Ok(()),
        Err(error) => Err(error),
    }
}
