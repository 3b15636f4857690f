//! The lease of one store that this run holds, and renewing it.
//!
//! Key types: [`Lease`]; [`RenewalError`], why it could not be renewed.

use std::sync::{Mutex, OnceLock, PoisonError};

use super::claim::Claim;
use super::contest::{OwnClaim, take_back};
use super::times::LeaseTimes;
use crate::store::{Bucket, Conditional, Fence, FencedRequest, Moment, ReplaceOutcome, StoreError};

/// The lease of one store.
pub(super) struct Lease {
    pub store: String,
    key: String,
    token: String,
    times: LeaseTimes,
    /// What lies in the ledger; locked while it is renewed.
    there: tokio::sync::Mutex<StoredClaim>,
    /// When the last good renewal began.
    renewed: Mutex<Moment>,
    /// Why the last renewal failed, if it did.
    failed: Mutex<Option<String>>,
    /// Why it is ours no more. Never taken back.
    lost: OnceLock<String>,
}

/// What lies in the ledger.
struct StoredClaim {
    claim: Claim,
    /// The server's answer to its last PUT. Reading it may give what was there before.
    etag: Option<String>,
}

/// Why a lease could not be renewed.
#[derive(Debug)]
pub(super) enum RenewalError {
    /// It is ours no more.
    Lost(String),
    /// The server did not do it this time.
    Failed(StoreError),
}

impl From<StoreError> for RenewalError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error)
    }
}

impl Lease {
    /// The lease of `store`, whose claim was put at `key` as held at the time `renewed`, which was answered with `etag`.
    pub(super) fn new(
        store: String,
        key: String,
        claim: Claim,
        etag: Option<String>,
        renewed: Moment,
        times: LeaseTimes,
    ) -> Self {
        Self {
            store,
            key,
            token: claim.token.clone(),
            times,
            there: tokio::sync::Mutex::new(StoredClaim { claim, etag }),
            renewed: Mutex::new(renewed),
            failed: Mutex::default(),
            lost: OnceLock::new(),
        }
    }

    /// Its claim, which is being renewed meanwhile: what the server says of it changes.
    pub(super) fn claim(&self) -> OwnClaim<'_> {
        OwnClaim {
            key: &self.key,
            token: &self.token,
            etag: None,
            is_renewed: true,
        }
    }

    /// Why it is ours no more, as far as is known without asking the server.
    pub(super) fn lost(&self) -> Option<&str> {
        let silent = self.renewed().elapsed();
        if silent >= self.times.trusted() {
            let cause = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            let cause = cause.as_ref().map(|cause| format!(": {cause}"));
            self.lose(format!(
                "it was not renewed for {} s{}",
                silent.as_secs(),
                cause.unwrap_or_default()
            ));
        }
        self.lost.get().map(String::as_str)
    }

    /// When the last good renewal began.
    pub(super) fn renewed(&self) -> Moment {
        *self.renewed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What lets pass what is done while it is sure to hold.
    fn fence(&self) -> Fence {
        let (fence, renewed) = (Fence::closed(), self.renewed());
        fence.extend(renewed.after(self.times.trusted()));
        fence
    }

    /// Counts it as lost from now on; the first reason stays.
    pub(super) fn lose(&self, why: String) {
        self.lost.get_or_init(|| why);
    }

    /// Puts it once more, which gives it a new life, if it is still ours.
    pub(super) async fn renew(
        &self,
        bucket: &Bucket,
        replace: Conditional,
    ) -> Result<(), RenewalError> {
        let renewed = self.renew_now(bucket, replace).await;
        let failed = match &renewed {
            Err(RenewalError::Failed(StoreError::Failed { cause, .. })) => Some(cause.clone()),
            Err(RenewalError::Failed(cause)) => Some(cause.to_string()),
            _ => None,
        };
        *self.failed.lock().unwrap_or_else(PoisonError::into_inner) = failed;
        renewed
    }

    async fn renew_now(&self, bucket: &Bucket, replace: Conditional) -> Result<(), RenewalError> {
        let mut there = self.there.lock().await;
        if let Some(why) = self.lost() {
            return Err(RenewalError::Lost(why.to_owned()));
        }
        let begun = Moment::now();
        let fence = self.fence();
        let put = fence.guard(self.put_again(bucket, &mut there, replace));
        match tokio::time::timeout(self.times.patience(), put).await {
            Err(_) => {
                let patience = self.times.patience().as_secs_f64();
                let cause = match bucket.awaits_keys_of() {
                    Some(source) => format!("waiting for keys from {source}"),
                    None => format!("there was no good answer within {patience} s"),
                };
                return Err(RenewalError::Failed(self.failed(bucket, cause)));
            }
            Ok(Ok(Err(RenewalError::Lost(why)))) => {
                self.lose(why.clone());
                return Err(RenewalError::Lost(why));
            }
            // What is lost says so below.
            Ok(Err(FencedRequest)) => {}
            Ok(Ok(done)) => done?,
        }
        if let Some(why) = self.lost() {
            // If the renewal came too late, another may hold the lease by now; it expires as it would have without.
            return Err(RenewalError::Lost(why.to_owned()));
        }
        *self.renewed.lock().unwrap_or_else(PoisonError::into_inner) = begun;
        Ok(())
    }

    async fn put_again(
        &self,
        bucket: &Bucket,
        StoredClaim { claim, etag }: &mut StoredClaim,
        replace: Conditional,
    ) -> Result<(), RenewalError> {
        claim.beat += 1;
        let bytes = claim
            .write()
            .map_err(|cause| self.failed(bucket, cause.to_string()))?;
        if let (Conditional::Enforced, Some(last)) = (replace, etag.take()) {
            match bucket.replace_if(&self.key, bytes.clone(), &last).await {
                Ok(ReplaceOutcome::Replaced(put)) => {
                    *etag = put.etag;
                    return Ok(());
                }
                // It is gone, or has changed: reading it tells by whom.
                Ok(_) => {}
                Err(error) if error.is_missing() => {}
                Err(error) => return Err(error.into()),
            }
        }
        let there = match bucket.get_tagged(&self.key).await {
            Ok(there) => there,
            Err(error) if error.is_missing() => {
                let why = format!("'{}' is gone: another job took it for expired", self.key);
                return Err(RenewalError::Lost(why));
            }
            Err(error) => return Err(error.into()),
        };
        match Claim::read(&there.bytes) {
            Some(found) if found.token == self.token => {}
            Some(found) => {
                let why = format!("another job has it: {}", found.holder);
                return Err(RenewalError::Lost(why));
            }
            None => {
                return Err(RenewalError::Lost(format!(
                    "'{}' was overwritten",
                    self.key
                )));
            }
        }
        match there.etag {
            Some(found) if replace == Conditional::Enforced => {
                match bucket.replace_if(&self.key, bytes, &found).await? {
                    ReplaceOutcome::Replaced(put) => {
                        *etag = put.etag;
                        Ok(())
                    }
                    // By whom, the next renewal finds out.
                    ReplaceOutcome::Changed => {
                        Err(self.failed(bucket, "it changed".to_owned()).into())
                    }
                    ReplaceOutcome::Refused(said) => Err(self.failed(bucket, said).into()),
                }
            }
            _ => Ok(bucket.put(&self.key, bytes).await.map(|_| ())?),
        }
    }

    /// Gives it up. One that has not been renewed for too long is left alone: its key may be another's by now.
    pub(super) async fn release(&self, bucket: &Bucket) -> Result<(), StoreError> {
        let _still = self.there.lock().await;
        let fence = self.fence();
        if self.lost().is_none() && self.renewed().elapsed() < self.times.beat() {
            // So shortly after it was renewed it is nobody else's, unless somebody was seen to have taken it.
            return fence
                .guard(bucket.delete(&self.key))
                .await
                .unwrap_or(Ok(()));
        }
        let released = fence.guard(take_back(bucket, &self.key, &self.token));
        released.await.unwrap_or(Ok(()))
    }

    fn failed(&self, bucket: &Bucket, cause: String) -> StoreError {
        StoreError::Failed {
            place: bucket.place().to_owned(),
            key: self.key.clone(),
            action: "renewing the lease".into(),
            cause,
        }
    }
}
