//! Writes that depend on what lies there: create if absent, replace if unchanged; and reading with the ETag.
//!
//! Key types: [`CreateOutcome`] and [`ReplaceOutcome`], how such a write ended; [`TaggedObject`], an object with its ETag and its time.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::join;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, UpdateVersion};

use super::answer::{is_fenced, is_garbled, is_refusal, is_transport, said, scrub, status};
use super::bucket::{Bucket, PutAnswer};
use super::directory::is_kept_out;
use super::error::StoreError;

/// The pause before an object is created once more.
const PAUSE: Duration = Duration::from_millis(100);
/// Creations that conflict with another that left nothing, before they count as beaten.
const CONFLICTS: usize = 5;

/// How creating an object ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CreateOutcome {
    /// It is there, with our bytes; or the server does not look at the condition.
    Created(PutAnswer),
    /// Another one is there.
    Exists,
    /// The server does not take such writes, and says so.
    Refused(String),
}

/// How replacing an object ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ReplaceOutcome {
    /// Our bytes are there now; or the server does not look at the condition.
    Replaced(PutAnswer),
    /// Another object is there, or none.
    Changed,
    /// The server does not take such writes, and says so.
    Refused(String),
}

/// An object as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TaggedObject {
    /// What it holds.
    pub bytes: Bytes,
    /// Its ETag without quotes, if the server gave one.
    pub etag: Option<String>,
    /// When it was put, by the server's clock.
    pub modified: SystemTime,
}

/// What the server made of a write with a condition.
enum Answer {
    Done(PutAnswer),
    Unmet,
    Refused(String),
    Failed(StoreError),
}

impl Answer {
    fn unmet(self) -> Result<bool, StoreError> {
        match self {
            Self::Unmet => Ok(true),
            Self::Done(_) | Self::Refused(_) => Ok(false),
            Self::Failed(error) => Err(error),
        }
    }
}

impl Bucket {
    /// Puts the object `key` if there is none. `bytes` must be no other writer's: they tell an earlier try of ours,
    /// whose answer was lost, from another's object.
    ///
    /// # Errors
    /// If the server fails otherwise, or denies it.
    pub(crate) async fn create(
        &self,
        key: &str,
        bytes: Bytes,
    ) -> Result<CreateOutcome, StoreError> {
        for _ in 0..CONFLICTS {
            let answer = self.put_if(key, &bytes, PutMode::Create).await;
            match (answer, self.read_back(key, &bytes)) {
                (Answer::Done(put), _) => return Ok(CreateOutcome::Created(put)),
                (Answer::Refused(said), _) => return Ok(CreateOutcome::Refused(said)),
                (Answer::Failed(error @ StoreError::Fenced { .. }), _) => return Err(error),
                (Answer::Failed(error), there) => {
                    return match there.await {
                        Ok(Some(Ok(put))) => Ok(CreateOutcome::Created(put)),
                        // The write's own error says more than that of looking after it.
                        _ => Err(error),
                    };
                }
                (Answer::Unmet, there) => match there.await? {
                    Some(Ok(put)) => return Ok(CreateOutcome::Created(put)),
                    Some(Err(())) => return Ok(CreateOutcome::Exists),
                    // A conflict that left nothing, or one that was deleted since: again.
                    None => tokio::time::sleep(PAUSE).await,
                },
            }
        }
        Ok(CreateOutcome::Exists)
    }

    /// Puts the object `key` if the one there has this ETag, without quotes. `bytes` must be no other writer's.
    ///
    /// # Errors
    /// If the server fails otherwise, or denies it.
    pub(crate) async fn replace_if(
        &self,
        key: &str,
        bytes: Bytes,
        etag: &str,
    ) -> Result<ReplaceOutcome, StoreError> {
        let version = UpdateVersion {
            e_tag: Some(etag.to_owned()),
            version: None,
        };
        let answer = self.put_if(key, &bytes, PutMode::Update(version)).await;
        match answer {
            Answer::Done(put) => Ok(ReplaceOutcome::Replaced(put)),
            Answer::Refused(said) => Ok(ReplaceOutcome::Refused(said)),
            Answer::Unmet => match self.read_back(key, &bytes).await? {
                Some(Ok(put)) => Ok(ReplaceOutcome::Replaced(put)),
                _ => Ok(ReplaceOutcome::Changed),
            },
            Answer::Failed(error @ StoreError::Fenced { .. }) => Err(error),
            Answer::Failed(error) => match self.read_back(key, &bytes).await {
                Ok(Some(Ok(put))) => Ok(ReplaceOutcome::Replaced(put)),
                // The write's own error says more than that of looking after it.
                _ => Err(error),
            },
        }
    }

    /// Does the server refuse a write whose condition does not hold? `key` is there, with these `bytes`: where conditions are ignored, they
    /// are put once more. With `replacing`, both conditions are tried.
    ///
    /// # Errors
    /// If the server fails otherwise, or denies it.
    pub(crate) async fn enforces(
        &self,
        key: &str,
        bytes: &Bytes,
        replacing: bool,
    ) -> Result<bool, StoreError> {
        let no_etag = UpdateVersion {
            e_tag: Some("0".repeat(32)),
            version: None,
        };
        let (create, replace) = join!(self.put_if(key, bytes, PutMode::Create), async {
            if replacing {
                self.put_if(key, bytes, PutMode::Update(no_etag)).await
            } else {
                Answer::Unmet
            }
        });
        Ok(create.unmet()? && replace.unmet()?)
    }

    /// The object `key` with its ETag, and when it was put.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is none; others as the server says.
    pub(crate) async fn get_tagged(&self, key: &str) -> Result<TaggedObject, StoreError> {
        let read = async {
            let found = self.store.get(&self.path(key)).await?;
            let etag = found.meta.e_tag.as_deref();
            Ok(TaggedObject {
                etag: etag.map(|tag| tag.trim_matches('"').to_owned()),
                modified: found.meta.last_modified.into(),
                bytes: found.bytes().await?,
            })
        };
        let read: Result<_, object_store::Error> = read.await;
        read.map_err(|cause| self.error(key, "reading", &cause))
    }

    /// What lies at `key`: nothing, our `bytes`, or something else.
    async fn read_back(
        &self,
        key: &str,
        bytes: &Bytes,
    ) -> Result<Option<Result<PutAnswer, ()>>, StoreError> {
        match self.get_tagged(key).await {
            Ok(found) if found.bytes == bytes => Ok(Some(Ok(PutAnswer { etag: found.etag }))),
            Ok(_) => Ok(Some(Err(()))),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// One write with a condition.
    async fn put_if(&self, key: &str, bytes: &Bytes, mode: PutMode) -> Answer {
        let options = self.put_options(bytes, mode);
        let (path, payload) = (self.path(key), bytes.clone().into());
        let cause = match self.store.put_opts(&path, payload, options).await {
            Ok(put) => {
                let etag = put.e_tag.map(|tag| tag.trim_matches('"').to_owned());
                return Answer::Done(PutAnswer { etag });
            }
            Err(cause) => cause,
        };
        match &cause {
            object_store::Error::AlreadyExists { .. }
            | object_store::Error::Precondition { .. }
            | object_store::Error::NotModified { .. } => return Answer::Unmet,
            _ => {}
        }
        let text = said(&cause);
        let denied = is_refusal(&text)
            || is_kept_out(&cause)
            || matches!(
                cause,
                object_store::Error::PermissionDenied { .. }
                    | object_store::Error::Unauthenticated { .. }
                    | object_store::Error::NotFound { .. }
            );
        let passing = match status(&cause) {
            Some(501) => false,
            Some(status) => status >= 500 || status == 408 || status == 429,
            None => is_transport(&cause),
        };
        if is_fenced(&cause) || denied || passing || is_garbled(&text) {
            return Answer::Failed(self.error(key, "writing", &cause));
        }
        Answer::Refused(scrub(&text, &self.secrets()))
    }
}
