//! One bucket: get, put, copy, delete and list by key, with retries, and errors in this program's words.
//!
//! Key types: [`Bucket`]; [`PutAnswer`], what the server said of a PUT; [`Stat`], of an object.

use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions};

use super::access::Access;
use super::answer::{chain, distrust, is_fenced, is_refusal, is_unreachable, said, scrub};
use super::claim::BodyClaim;
use super::connect::{Endpoint, connect};
use super::connection::Connection;
use super::directory::Directory;
use super::directory::is_kept_out;
use super::error::{StoreError, address};
use super::fence::Fence;
use super::flow::Flow;
use super::keyring::LostKeys;
use super::patience::Patience;
use super::place::Place;
use super::proxy::proxy_of;
use crate::events::Reporter;

/// Bytes that work holds at a time which no plan reckons with.
const HELD: u64 = 256 << 20;

/// A bucket, open.
#[derive(Clone)]
pub(crate) struct Bucket {
    pub(super) store: Arc<dyn ObjectStore>,
    /// The same with less patience.
    hurried: Arc<dyn ObjectStore>,
    /// The same with one request for many deletes; a directory has no such thing.
    pub(super) bulk: Option<Arc<dyn ObjectStore>>,
    /// The same, if it is a directory.
    directory: Option<Directory>,
    /// Between the root of `store` and our keys: the part of a directory's path that may not exist yet.
    base: String,
    /// What to call it in messages.
    place: String,
    /// The server; `None` of a directory.
    endpoint: Option<Endpoint>,
    /// What it was opened with.
    pub(super) opened: Arc<BucketOpening>,
    /// What lets changing requests pass.
    pub(super) fence: Fence,
    /// What every PUT says of its body, if it says something.
    claims: Option<fn(&[u8]) -> BodyClaim>,
}

/// What a bucket was opened with.
pub(super) struct BucketOpening {
    pub connection: Connection,
    pub reporter: Arc<dyn Reporter>,
    /// How much this rank may ask the server.
    pub flow: Flow,
}

/// What the server says of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    /// Its size in bytes.
    pub size: u64,
    /// Its ETag without quotes, if it has one.
    pub etag: Option<String>,
}

/// What the server said of a PUT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PutAnswer {
    /// Its ETag without quotes, if it gave one.
    pub etag: Option<String>,
}

impl Bucket {
    /// Opens the bucket, to be read: its fence is closed. Nothing is asked of the server yet. The `reporter` hears of requests that
    /// are made again.
    ///
    /// # Errors
    /// If there are no credentials, or they do not make sense.
    pub(crate) fn open(
        connection: Connection,
        reporter: Arc<dyn Reporter>,
    ) -> Result<Self, StoreError> {
        let flow = Flow::of_rank(connection.limits, 0, 1, 1);
        Self::open_with(connection, reporter, flow)
    }

    /// The same on one of several ranks, which has this share.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(crate) fn open_with(
        connection: Connection,
        reporter: Arc<dyn Reporter>,
        flow: Flow,
    ) -> Result<Self, StoreError> {
        let opened = BucketOpening {
            connection,
            reporter,
            flow,
        };
        Self::open_behind(Arc::new(opened), Fence::closed())
    }

    /// The same bucket without a fence and with connections of its own: for leases, and for probes and `doctor`, whose
    /// objects belong to no store.
    ///
    /// # Errors
    /// If it cannot be opened again.
    pub(crate) fn unfenced(&self) -> Result<Self, StoreError> {
        Self::open_behind(Arc::clone(&self.opened), Fence::open())
    }

    /// The patience of everything that is done for one object.
    #[must_use]
    pub(crate) fn patience(&self) -> Patience {
        Patience::new(self.opened.connection.patience)
    }

    /// What lets changing requests pass.
    #[must_use]
    pub(crate) fn fence(&self) -> &Fence {
        &self.fence
    }

    fn open_behind(opened: Arc<BucketOpening>, fence: Fence) -> Result<Self, StoreError> {
        let Connection { place, access, .. } = &opened.connection;
        #[cfg(test)]
        if let Some(link) = &opened.connection.link {
            let store = Arc::new(link.behind(&fence));
            let place = place.to_string();
            return Ok(Self::in_memory(store, place, opened, fence));
        }
        match (place, access) {
            (Place::S3 { bucket }, Some(access)) => {
                Self::open_s3(bucket, access, Arc::clone(&opened), fence)
            }
            (Place::S3 { .. }, None) => Err(StoreError::NoCredentials),
            (Place::Directory(path), _) => {
                let path = path.clone();
                Self::open_directory(&path, opened, fence)
            }
        }
    }

    fn open_s3(
        bucket: &str,
        access: &Access,
        opened: Arc<BucketOpening>,
        fence: Fence,
    ) -> Result<Self, StoreError> {
        let (patience, reporter) = (opened.connection.patience, Arc::clone(&opened.reporter));
        let clients = connect(bucket, access, &fence, &opened.flow, patience, reporter)?;
        Ok(Self {
            store: Arc::new(clients.patient),
            hurried: Arc::new(clients.hurried),
            // Not every server knows the request, and some say so in a way that is tried again.
            bulk: Some(Arc::new(clients.bulk)),
            directory: None,
            base: String::new(),
            place: clients.place,
            endpoint: Some(clients.endpoint),
            opened,
            fence,
            claims: None,
        })
    }

    /// A directory need not exist yet: the first PUT makes it.
    fn open_directory(
        path: &FilePath,
        opened: Arc<BucketOpening>,
        fence: Fence,
    ) -> Result<Self, StoreError> {
        let place = format!("file://{}", path.display());
        let failed = |cause: String| StoreError::Failed {
            place: place.clone(),
            key: String::new(),
            action: "opening the directory".into(),
            cause,
        };
        let (store, missing) = Directory::open(path, &fence).map_err(failed)?;
        let parts: Option<Vec<&str>> = missing.iter().map(|part| part.to_str()).collect();
        let (directory, store) = (Some(store.clone()), Arc::new(store));
        Ok(Self {
            hurried: Arc::clone(&store) as Arc<dyn ObjectStore>,
            store,
            bulk: None,
            directory,
            base: parts
                .ok_or_else(|| failed("its name is not UTF-8".to_owned()))?
                .join("/"),
            place,
            endpoint: None,
            opened,
            fence,
            claims: None,
        })
    }

    /// A bucket in memory.
    #[cfg(test)]
    fn in_memory(
        store: Arc<dyn ObjectStore>,
        place: String,
        opened: Arc<BucketOpening>,
        fence: Fence,
    ) -> Self {
        Self {
            hurried: Arc::clone(&store),
            store,
            bulk: None,
            directory: None,
            base: opened.connection.base.clone(),
            place,
            endpoint: None,
            opened,
            fence,
            claims: None,
        }
    }

    /// What messages must not hold.
    pub(super) fn secrets(&self) -> Vec<String> {
        let access = self.opened.connection.access.as_ref();
        access.map(Access::secrets).unwrap_or_default()
    }

    /// Who has to give keys before anything can be sent, if that is waited for.
    #[must_use]
    pub(crate) fn awaits_keys_of(&self) -> Option<String> {
        let keys = self.opened.reporter.traffic().state().keys;
        keys.map(|(source, _)| source)
    }

    /// How much this rank may ask the server.
    #[must_use]
    pub(crate) fn flow(&self) -> &Flow {
        &self.opened.flow
    }

    /// Requests that may be on their way at a time now: more would wait.
    #[must_use]
    pub(crate) fn at_once(&self) -> usize {
        self.opened.flow.window.now()
    }

    /// The most that there may ever be, for work that holds so little.
    #[must_use]
    pub(crate) fn most_at_once(&self) -> usize {
        if self.endpoint.is_some() {
            self.opened.flow.window.most()
        } else {
            self.at_once()
        }
    }

    /// The same for work that holds so many bytes each, such as objects that are read whole; `least` in any case.
    #[must_use]
    pub(crate) fn most_holding(&self, bytes: u64, least: usize) -> usize {
        let fit = usize::try_from(HELD / bytes.max(1)).unwrap_or(usize::MAX);
        fit.min(self.most_at_once()).max(least)
    }

    /// What to call it in messages.
    #[must_use]
    pub(crate) fn place(&self) -> &str {
        &self.place
    }

    /// What to call `key` in it in messages; the bucket, if that is empty.
    #[must_use]
    pub(crate) fn place_of(&self, key: &str) -> String {
        match key {
            "" => self.place.clone(),
            key => address(&self.place, key),
        }
    }

    /// What it is called by all who reach the same bucket, whatever name or address they know its server by.
    #[must_use]
    pub(crate) fn name(&self) -> String {
        match &self.opened.connection.place {
            Place::S3 { bucket } => format!("s3://{bucket}"),
            Place::Directory(path) => {
                let there = path
                    .ancestors()
                    .find_map(|a| Some((a, a.canonicalize().ok()?)));
                let path = there.map_or_else(
                    || path.clone(),
                    |(found, real)| real.join(path.strip_prefix(found).unwrap_or(path)),
                );
                format!("file://{}", path.display())
            }
        }
    }

    /// What no other bucket is called, as far as names tell.
    #[must_use]
    pub(crate) fn identity(&self) -> String {
        let name = self.name();
        let name = name.trim_end_matches('/');
        match &self.endpoint {
            Some(endpoint) => format!("{} {name}", endpoint.url),
            None => name.to_owned(),
        }
    }

    /// If this is a directory, that, and what lies between its root and our keys.
    pub(super) fn directory(&self) -> Option<(&Directory, &str)> {
        Some((self.directory.as_ref()?, &self.base))
    }

    /// The server; `None` if this is a directory.
    #[must_use]
    pub(crate) fn endpoint(&self) -> Option<&Endpoint> {
        self.endpoint.as_ref()
    }

    /// How it is reached.
    #[must_use]
    pub(crate) fn connection(&self) -> &Connection {
        &self.opened.connection
    }

    /// The same with less patience for a server that is busy or fails.
    #[must_use]
    pub(super) fn in_a_hurry(&self) -> Self {
        Self {
            store: Arc::clone(&self.hurried),
            ..self.clone()
        }
    }

    /// Asks the server whether the bucket is there, with less patience than other requests have.
    ///
    /// # Errors
    /// If the bucket does not exist, or the server cannot be reached.
    pub(crate) async fn reach(&self, prefix: &str) -> Result<(), StoreError> {
        let first = self.hurried.list(Some(&self.path(prefix))).try_next().await;
        match first.map_err(|cause| self.error(prefix, "listing", &cause)) {
            // A server that is busy now gets its time later; and who may not list may still read and write.
            Ok(_) | Err(StoreError::Failed { .. } | StoreError::Denied { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The object `key`.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if there is none; others as the server says.
    pub(crate) async fn get(&self, key: &str) -> Result<Bytes, StoreError> {
        let read = async { self.store.get(&self.path(key)).await?.bytes().await };
        read.await
            .map_err(|cause| self.error(key, "reading", &cause))
    }

    /// Size and ETag of the object `key`; `None` if there is none.
    ///
    /// # Errors
    /// As the server says.
    pub(crate) async fn stat(&self, key: &str) -> Result<Option<Stat>, StoreError> {
        match self.store.head(&self.path(key)).await {
            Ok(object) => Ok(Some(Stat {
                size: object.size,
                etag: object.e_tag.map(|tag| tag.trim_matches('"').to_owned()),
            })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(cause) => Err(self.error(key, "looking at", &cause)),
        }
    }

    /// The same, where every PUT says what the crc32c of its body is. What that is worth, `require_checksums` finds out.
    #[must_use]
    pub(crate) fn claiming(&self) -> Self {
        Self {
            claims: Some(BodyClaim::crc32c),
            ..self.clone()
        }
    }

    /// The same, where every PUT says of its body what is wrong, as if it had changed on the way.
    #[cfg(test)]
    pub(crate) fn garbling(&self) -> Self {
        Self {
            claims: Some(|body| BodyClaim::crc32c(body).wrong()),
            ..self.clone()
        }
    }

    /// How `bytes` are put.
    pub(super) fn put_options(&self, bytes: &Bytes, mode: PutMode) -> PutOptions {
        let mut options = PutOptions::from(mode);
        if let Some(claim) = self.claims {
            options.extensions.insert(claim(bytes));
        }
        options
    }

    /// Puts `bytes` as the object `key`, whether or not there is one.
    ///
    /// # Errors
    /// If the server still refuses after all retries.
    pub(crate) async fn put(&self, key: &str, bytes: Bytes) -> Result<PutAnswer, StoreError> {
        let options = self.put_options(&bytes, PutMode::Overwrite);
        let put = self
            .store
            .put_opts(&self.path(key), bytes.into(), options)
            .await;
        let put = put.map_err(|cause| self.error(key, "writing", &cause))?;
        Ok(PutAnswer {
            etag: put.e_tag.map(|tag| tag.trim_matches('"').to_owned()),
        })
    }

    /// Deletes the object `key`; that there is none is no error.
    ///
    /// # Errors
    /// If the server refuses.
    pub(crate) async fn delete(&self, key: &str) -> Result<(), StoreError> {
        match self.store.delete(&self.path(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(cause) => Err(self.error(key, "deleting", &cause)),
        }
    }

    /// Copies the object `from` to `to` inside the server.
    ///
    /// # Errors
    /// If there is none, or the server refuses.
    pub(crate) async fn copy(&self, from: &str, to: &str) -> Result<(), StoreError> {
        let copied = self.store.copy(&self.path(from), &self.path(to)).await;
        copied.map_err(|cause| self.error(from, "copying", &cause))
    }

    /// Where `key` is, with its characters as they are: readers ask for them so.
    pub(super) fn path(&self, key: &str) -> Path {
        let parts = self.base.split('/').chain(key.split('/'));
        let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
        // What could lead elsewhere, such as `..`, is spelt out.
        Path::parse(parts.join("/")).unwrap_or_else(|_| parts.into_iter().collect())
    }

    /// The path of a key that a listing gave, with its characters as they are.
    pub(super) fn as_listed(&self, key: &str) -> Result<Path, object_store::Error> {
        let path = match self.base.as_str() {
            "" => Path::parse(key),
            base => Path::parse(format!("{base}/{key}")),
        };
        Ok(path?)
    }

    /// What the network `said`, with the proxy that stands between.
    fn by_proxy(&self, said: String) -> String {
        let server = self.endpoint.as_ref();
        match server.and_then(|server| proxy_of(&server.url, |name| std::env::var(name))) {
            Some(proxy) => format!("{said}, by {proxy}"),
            None => said,
        }
    }

    pub(super) fn error(
        &self,
        key: &str,
        action: &'static str,
        cause: &object_store::Error,
    ) -> StoreError {
        let (place, key, action) = (self.place.clone(), key.to_owned(), action.into());
        if is_fenced(cause) {
            return StoreError::Fenced { place, key, action };
        }
        let text = scrub(&said(cause), &self.secrets());
        if chain(cause).any(<dyn std::error::Error>::is::<LostKeys>) {
            return StoreError::Credentials { problem: text };
        }
        if is_unreachable(cause)
            && let Some(advice) = distrust(&text)
        {
            return StoreError::Untrusted {
                place,
                cause: text,
                advice: advice.into(),
            };
        }
        if is_kept_out(cause) {
            return StoreError::Denied {
                place,
                key,
                cause: text,
            };
        }
        match cause {
            _ if text.starts_with("NoSuchBucket") => StoreError::NoBucket { place },
            // Listings are refused without a kind of error of their own.
            _ if is_refusal(&text) => StoreError::Denied {
                place,
                key,
                cause: text,
            },
            object_store::Error::NotFound { .. } => StoreError::Missing { place, key },
            object_store::Error::PermissionDenied { .. }
            | object_store::Error::Unauthenticated { .. } => StoreError::Denied {
                place,
                key,
                cause: text,
            },
            _ if is_unreachable(cause) => StoreError::Unreachable {
                place,
                cause: self.by_proxy(text),
            },
            _ => StoreError::Failed {
                place,
                key,
                action,
                cause: text,
            },
        }
    }
}
