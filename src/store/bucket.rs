//! One bucket: get, put, copy, delete and list by key, with retries, and errors in this program's words.
//!
//! Key types: [`Bucket`]; [`Put`], what the server said of a PUT.

use std::error::Error;
use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::client::{HttpError, HttpErrorKind};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, ObjectStoreExt, RetryConfig};

use super::access::{Access, Place};
use super::error::StoreError;

/// How long a server may stay silent before a request counts as lost.
const SILENCE: Duration = Duration::from_secs(60);
/// How long a request is tried again while the server is busy, fails or does not answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// The same for the first request: nothing has begun, and the user waits for a typing error to show.
const HURRY: Duration = Duration::from_secs(3);

/// A bucket, open.
#[derive(Clone)]
pub struct Bucket {
    pub(super) store: Arc<dyn ObjectStore>,
    /// The same with less patience.
    hurried: Arc<dyn ObjectStore>,
    /// The same with one request for many deletes, where there is such a thing.
    pub(super) bulk: Option<Arc<dyn ObjectStore>>,
    /// Between the root of `store` and our keys: the part of a directory's path that may not exist yet.
    base: String,
    /// What to call it in messages.
    place: String,
    /// What messages must not hold.
    secrets: Vec<String>,
}

/// What the server said of a PUT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// Its ETag without quotes, if it gave one.
    pub etag: Option<String>,
}

impl Bucket {
    /// Opens the bucket at `place`; nothing is asked of the server yet. Without `access` the usual AWS environment
    /// variables give endpoint and keys.
    ///
    /// # Errors
    /// If there are no credentials, or they do not make sense.
    pub fn open(place: &Place, access: Option<&Access>) -> Result<Self, StoreError> {
        match place {
            Place::S3 { bucket } => Self::open_s3(bucket, access),
            Place::Directory(path) => Self::open_directory(path),
        }
    }

    fn open_s3(bucket: &str, access: Option<&Access>) -> Result<Self, StoreError> {
        let mut builder = match access {
            Some(access) => AmazonS3Builder::new()
                .with_endpoint(&access.endpoint)
                .with_access_key_id(&access.token)
                .with_secret_access_key(&access.secret),
            None => from_environment()?,
        };
        let options = ClientOptions::new()
            .with_allow_http(true)
            .with_connect_timeout(Duration::from_secs(5))
            .with_timeout_disabled()
            .with_read_timeout(SILENCE);
        builder = builder
            .with_bucket_name(bucket)
            .with_client_options(options);
        let secrets = [
            AmazonS3ConfigKey::SecretAccessKey,
            AmazonS3ConfigKey::AccessKeyId,
            AmazonS3ConfigKey::Token,
        ];
        let secrets = secrets
            .iter()
            .filter_map(|key| builder.get_config_value(key))
            .filter(|s| !s.is_empty());
        let secrets: Vec<String> = secrets.collect();
        let endpoint = builder.get_config_value(&AmazonS3ConfigKey::Endpoint);
        let place = format!(
            "s3://{bucket} at {}",
            endpoint.unwrap_or_else(|| "the AWS endpoint".to_owned())
        );
        let build = |patience, bulk: bool| {
            let store = builder
                .clone()
                .with_retry(retry(patience))
                .with_disable_bulk_delete(!bulk)
                .build();
            store.map_err(|cause| StoreError::Credentials {
                problem: format!("{place}: {}", scrub(&cause.to_string(), &secrets)),
            })
        };
        Ok(Self {
            store: Arc::new(build(PATIENCE, false)?),
            hurried: Arc::new(build(HURRY, false)?),
            // Not every server knows the request, and some say so in a way that is tried again.
            bulk: Some(Arc::new(build(HURRY, true)?)),
            base: String::new(),
            place,
            secrets,
        })
    }

    /// A directory need not exist yet: the first PUT makes it.
    fn open_directory(path: &FilePath) -> Result<Self, StoreError> {
        let place = format!("file://{}", path.display());
        let failed = |cause: String| StoreError::Failed {
            place: place.clone(),
            key: String::new(),
            action: "opening the directory",
            cause,
        };
        let root = path
            .ancestors()
            .find(|a| a.exists())
            .unwrap_or(FilePath::new("/"));
        if !root.is_dir() {
            return Err(failed(format!("{} is a file", root.display())));
        }
        let store =
            LocalFileSystem::new_with_prefix(root).map_err(|cause| failed(cause.to_string()))?;
        let missing = path.strip_prefix(root).unwrap_or(FilePath::new(""));
        let parts: Option<Vec<&str>> = missing.iter().map(|part| part.to_str()).collect();
        let store = Arc::new(store.with_automatic_cleanup(true));
        Ok(Self {
            hurried: Arc::clone(&store) as Arc<dyn ObjectStore>,
            store,
            bulk: None,
            base: parts
                .ok_or_else(|| failed("its name is not UTF-8".to_owned()))?
                .join("/"),
            place,
            secrets: Vec::new(),
        })
    }

    /// What to call it in messages.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Asks the server whether the bucket is there and may be read, with less patience than other requests have.
    ///
    /// # Errors
    /// If the bucket does not exist, access is refused, or the server cannot be reached.
    pub async fn reach(&self, prefix: &str) -> Result<(), StoreError> {
        let first = self.hurried.list(Some(&self.path(prefix))).try_next().await;
        match first.map_err(|cause| self.error(prefix, "listing", &cause)) {
            // A server that is busy now gets its time later.
            Ok(_) | Err(StoreError::Failed { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The object `key`.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is none; others as the server says.
    pub async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        let read = async { self.store.get(&self.path(key)).await?.bytes().await };
        read.await
            .map_err(|cause| self.error(key, "reading", &cause))
    }

    /// The stored size of the object `key` in bytes; `None` if there is none.
    ///
    /// # Errors
    /// As the server says.
    pub async fn size(&self, key: &str) -> Result<Option<u64>, StoreError> {
        match self.store.head(&self.path(key)).await {
            Ok(object) => Ok(Some(object.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(cause) => Err(self.error(key, "looking at", &cause)),
        }
    }

    /// Puts `bytes` as the object `key`, whether or not there is one.
    ///
    /// # Errors
    /// If the server still refuses after all retries.
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<Put, StoreError> {
        let put = self.store.put(&self.path(key), bytes.into()).await;
        let put = put.map_err(|cause| self.error(key, "writing", &cause))?;
        Ok(Put {
            etag: put.e_tag.map(|tag| tag.trim_matches('"').to_owned()),
        })
    }

    /// Deletes the object `key`; that there is none is no error.
    ///
    /// # Errors
    /// If the server refuses.
    pub async fn delete(&self, key: &str) -> Result<(), StoreError> {
        match self.store.delete(&self.path(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(cause) => Err(self.error(key, "deleting", &cause)),
        }
    }

    /// Copies the object `from` to `to` inside the server.
    ///
    /// # Errors
    /// If there is none, or the server refuses.
    pub async fn copy(&self, from: &str, to: &str) -> Result<(), StoreError> {
        let copied = self.store.copy(&self.path(from), &self.path(to)).await;
        copied.map_err(|cause| self.error(from, "copying", &cause))
    }

    pub(super) fn path(&self, key: &str) -> Path {
        self.base
            .split('/')
            .chain(key.split('/'))
            .filter(|part| !part.is_empty())
            .collect()
    }

    /// The path of a key that a listing gave, with its characters as they are.
    pub(super) fn as_listed(&self, key: &str) -> Result<Path, object_store::Error> {
        let path = match self.base.as_str() {
            "" => Path::parse(key),
            base => Path::parse(format!("{base}/{key}")),
        };
        Ok(path?)
    }

    pub(super) fn error(
        &self,
        key: &str,
        action: &'static str,
        cause: &object_store::Error,
    ) -> StoreError {
        let (place, key) = (self.place.clone(), key.to_owned());
        let text = scrub(&said(cause), &self.secrets);
        match cause {
            _ if text.starts_with("NoSuchBucket") => StoreError::NoBucket { place },
            object_store::Error::NotFound { .. } => StoreError::Missing { place, key },
            object_store::Error::PermissionDenied { .. }
            | object_store::Error::Unauthenticated { .. } => StoreError::Denied {
                place,
                key,
                cause: text,
            },
            _ if is_unreachable(cause) => StoreError::Unreachable { place, cause: text },
            _ => StoreError::Failed {
                place,
                key,
                action,
                cause: text,
            },
        }
    }
}

fn retry(patience: Duration) -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(5),
            base: 2.0,
        },
        // The time is the limit.
        max_retries: usize::MAX,
        retry_timeout: patience,
    }
}

/// The builder from the AWS environment variables. Without any credentials there, object_store would ask the cloud's
/// metadata service, which elsewhere is a long wait for nothing.
fn from_environment() -> Result<AmazonS3Builder, StoreError> {
    let sources = [
        "AWS_ACCESS_KEY_ID",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    ];
    if sources
        .iter()
        .all(|name| std::env::var_os(name).is_none_or(|value| value.is_empty()))
    {
        return Err(StoreError::Credentials {
            problem: "no credentials: give a credentials file with -c, or set AWS_ACCESS_KEY_ID, \
                      AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL"
                .to_owned(),
        });
    }
    Ok(AmazonS3Builder::from_env())
}

/// What the server or the network said: the S3 error's code and message where there is one, else the innermost cause.
fn said(error: &object_store::Error) -> String {
    let text = error.to_string();
    let element = |name: &str| {
        let start = text.find(&format!("<{name}>"))? + name.len() + 2;
        let end = text[start..].find(&format!("</{name}>"))? + start;
        Some(text[start..end].to_owned())
    };
    match (element("Code"), element("Message")) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code,
        _ => chain(error)
            .last()
            .map_or(text.clone(), ToString::to_string),
    }
}

fn is_unreachable(error: &object_store::Error) -> bool {
    let connect =
        |e: &HttpError| matches!(e.kind(), HttpErrorKind::Connect | HttpErrorKind::Timeout);
    chain(error).any(|cause| cause.downcast_ref::<HttpError>().is_some_and(connect))
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

fn scrub(text: &str, secrets: &[String]) -> String {
    secrets
        .iter()
        .fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
}
