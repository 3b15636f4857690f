//! A document becomes what a transaction makes of it, or what it was before: only where it is one of the two. What another
//! has put there since is never overwritten.
//!
//! Key type: [`DocumentState`], what a document is by now.

use std::time::Duration;

use bytes::Bytes;

use super::journal::{Document, Stage};
use super::put::{put_and_read_back, reads_back};
use crate::store::{
    Bucket, Conditional, CreateOutcome, Guarantees, ReplaceOutcome, StoreError, TaggedObject,
};

/// Looks at a document that is neither, each twice as long after the one before: a server may give what was there before
/// for a while.
const LOOKS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(200);

/// What a document is by now.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum DocumentState {
    /// What it was before the transaction, or what the transaction makes of it, as it was read; `None` if there is none.
    Known(Option<TaggedObject>),
    /// Another's.
    Other,
}

impl DocumentState {
    /// Looks at `document`.
    ///
    /// # Errors
    /// As the server says.
    pub(super) async fn of(bucket: &Bucket, document: &Document) -> Result<Self, StoreError> {
        let mut pause = PAUSE;
        for look in 0..LOOKS {
            if look > 0 {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            let now = match bucket.get_tagged(&document.key).await {
                Ok(now) => Some(now),
                Err(missing) if missing.is_missing() => None,
                Err(error) => return Err(error),
            };
            let now = Self::Known(now);
            if now.is_before(document) || now.is_after(document) {
                return Ok(now);
            }
        }
        Ok(Self::Other)
    }

    fn is(&self, text: Option<&String>) -> bool {
        let Self::Known(now) = self else { return false };
        now.as_ref().map(|now| &now.bytes[..]) == text.map(String::as_bytes)
    }

    /// Is it what it was before the transaction?
    pub(super) fn is_before(&self, document: &Document) -> bool {
        self.is(document.before.as_ref())
    }

    /// Is it what the transaction makes of it?
    pub(super) fn is_after(&self, document: &Document) -> bool {
        self.is(Some(&document.after))
    }
}

/// Puts `text` as the object `key` in the place of `now`, which was seen there; where the server `guarantees` it, only if it
/// is still there. `false` if it is not.
///
/// # Errors
/// As the server says.
pub(super) async fn put_over(
    bucket: &Bucket,
    key: &str,
    now: Option<&TaggedObject>,
    text: &Bytes,
    guarantees: &Guarantees,
) -> Result<bool, StoreError> {
    let etag = now.and_then(|now| now.etag.as_deref());
    match (now, etag) {
        (None, _) if guarantees.create == Conditional::Enforced => {
            match bucket.create(key, text.clone()).await? {
                CreateOutcome::Created(_) => return Ok(true),
                CreateOutcome::Exists => return Ok(bucket.get(key).await? == *text),
                CreateOutcome::Refused(_) => {}
            }
        }
        (_, Some(etag)) if guarantees.replace == Conditional::Enforced => {
            match bucket.replace_if(key, text.clone(), etag).await? {
                ReplaceOutcome::Replaced(_) => return Ok(true),
                ReplaceOutcome::Changed => return Ok(bucket.get(key).await? == *text),
                ReplaceOutcome::Refused(_) => {}
            }
        }
        _ => {}
    }
    bucket.put(key, text.clone()).await.map(|_| true)
}

/// Makes `document` what it was before a transaction that is at this `stage`, and says whether it is: not if another has
/// changed it since, which stays.
///
/// # Errors
/// As the server says.
pub(super) async fn put_back(
    bucket: &Bucket,
    document: &Document,
    stage: Stage,
    guarantees: &Guarantees,
) -> Result<bool, StoreError> {
    let Document { key, before, after } = document;
    if before.as_ref() == Some(after) {
        return Ok(true);
    }
    let now = DocumentState::of(bucket, document).await?;
    let DocumentState::Known(found) = &now else {
        return Ok(false);
    };
    // While it was open no document was put, but by one who then had to do without the entry that it goes back. In other
    // states this may be a stale answer.
    if stage == Stage::Open && now.is_before(document) {
        return Ok(true);
    }
    let done = match before {
        None => bucket.delete(key).await.map(|()| true),
        Some(before) => put_before(bucket, key, found.as_ref(), before, guarantees).await,
    };
    match done {
        Ok(done) => Ok(done),
        // A server that refuses to write it may have refused before, too: then nothing has changed.
        Err(error) => match DocumentState::of(bucket, document).await {
            Ok(now) if now.is_before(document) => Ok(true),
            _ => Err(error),
        },
    }
}

async fn put_before(
    bucket: &Bucket,
    key: &str,
    found: Option<&TaggedObject>,
    before: &str,
    guarantees: &Guarantees,
) -> Result<bool, StoreError> {
    let before = Bytes::from(before.to_owned());
    if !put_over(bucket, key, found, &before, guarantees).await? {
        return Ok(false);
    }
    if !reads_back(bucket, key, &before).await {
        put_and_read_back(bucket, key, before).await?;
    }
    Ok(true)
}
