//! Putting the documents: those of all arrays, then the root of each store, which is what readers see. And putting the
//! old ones back.
//!
//! Key type: [`Commit`].

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};

use crate::plan::Plan;
use crate::store::{Bucket, StoreError};
use crate::transfer::Verify;

/// Requests in flight.
const REQUESTS: usize = 16;
/// PUTs of a document that does not read back as it was sent.
const TRIES: u32 = 3;

/// The documents of a transaction, on their way.
pub struct Commit<'a> {
    bucket: &'a Bucket,
    verify: Verify,
    /// Documents that were or may have been put, with what was there before, in order.
    put: Vec<(String, Option<Bytes>)>,
}

impl<'a> Commit<'a> {
    /// A commit that has put nothing yet.
    #[must_use]
    pub fn new(bucket: &'a Bucket, verify: Verify) -> Self {
        Self {
            bucket,
            verify,
            put: Vec::new(),
        }
    }

    /// Puts the documents of every store of `plan` that changes. When it returns `Ok`, every reader sees the new
    /// stores.
    ///
    /// # Errors
    /// If a document cannot be put or does not read back; then call [`Commit::undo`].
    pub async fn apply(&mut self, plan: &Plan) -> Result<(), StoreError> {
        let first = plan.stores.iter().flat_map(|s| &s.documents);
        self.put_all(first.cloned().collect()).await?;
        let changed = plan
            .stores
            .iter()
            .filter(|s| s.old_root.as_ref() != Some(&s.new_root));
        self.put_all(
            changed
                .map(|s| (s.root_key.clone(), s.new_root.clone()))
                .collect(),
        )
        .await
    }

    /// Puts those of `documents` that are not there already.
    async fn put_all(&mut self, mut documents: BTreeMap<String, String>) -> Result<(), StoreError> {
        let bucket = self.bucket;
        let mut before: Vec<(String, Option<Bytes>)> = stream::iter(documents.keys().cloned())
            .map(|key| async move {
                match bucket.get(&key).await {
                    Ok(document) => Ok((key, Some(document))),
                    Err(error) if error.is_missing() => Ok((key, None)),
                    Err(error) => Err(error),
                }
            })
            .buffered(REQUESTS)
            .try_collect()
            .await?;
        before.retain(|(key, now)| documents.get(key).map(String::as_bytes) != now.as_deref());
        documents.retain(|key, _| before.iter().any(|(changed, _)| changed == key));
        self.put.extend(before);
        let this = &*self;
        let work = documents
            .into_iter()
            .map(|(key, document)| async move { this.put_one(&key, document.into()).await });
        // All of them end before an error is passed on, so that the undo comes after the last PUT.
        let done: Vec<Result<(), StoreError>> = stream::iter(work)
            .buffer_unordered(REQUESTS)
            .collect()
            .await;
        done.into_iter().collect()
    }

    async fn put_one(&self, key: &str, document: Bytes) -> Result<(), StoreError> {
        for _ in 0..TRIES {
            self.bucket.put(key, document.clone()).await?;
            if self.verify == Verify::None
                || self
                    .bucket
                    .get(key)
                    .await
                    .is_ok_and(|found| found == document)
            {
                return Ok(());
            }
        }
        Err(StoreError::Failed {
            place: self.bucket.place().to_owned(),
            key: key.to_owned(),
            action: "writing",
            cause: format!("it did not read back as it was sent, in {TRIES} tries"),
        })
    }

    /// Puts back what was there before, roots first; returns what could not be done.
    pub async fn undo(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (key, before) in self.put.iter().rev() {
            problems.extend(
                self.put_back(key, before.as_ref())
                    .await
                    .err()
                    .map(|error| error.to_string()),
            );
        }
        problems
    }

    /// Makes the document what it was before, unless it is that already: a PUT that was refused has changed nothing.
    async fn put_back(&self, key: &str, before: Option<&Bytes>) -> Result<(), StoreError> {
        let now = match self.bucket.get(key).await {
            Ok(document) => Some(document),
            Err(error) if error.is_missing() => None,
            Err(error) => return Err(error),
        };
        match before {
            _ if now.as_ref() == before => Ok(()),
            Some(document) => self.put_one(key, document.clone()).await,
            None => self.bucket.delete(key).await,
        }
    }
}
