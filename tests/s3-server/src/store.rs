//! Buckets and objects in memory. One lock guards everything, so a condition and the write that
//! depends on it are one step. Key types: [`Store`], [`Object`], [`Precondition`].
//! Never reads or hashes a body under the lock.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::header::{HeaderValue, IF_MATCH};
use s3s::dto::{Checksum, ETag, ETagCondition};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use crate::config::{Checksums, Conditional, Config, EtagKind, Full};
use crate::listing::{Page, Query, page};
use crate::receive::Announced;
use crate::uploads::Upload;

/// What a client says of an object beside its bytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attributes {
    pub(crate) content_type: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) metadata: Option<HashMap<String, String>>,
    pub(crate) checksums: Checksum,
}

#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) bytes: Bytes,
    pub(crate) etag: String,
    pub(crate) modified: SystemTime,
    pub(crate) attributes: Attributes,
    /// What it replaced, and when.
    replaced: Option<(Instant, Box<Object>)>,
}

#[derive(Debug)]
pub(crate) struct Bucket {
    created: SystemTime,
    pub(crate) objects: BTreeMap<String, Object>,
}

/// On what a write depends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Precondition {
    None,
    /// `If-None-Match: *`: no such key.
    Absent,
    /// `If-Match: *`: some object of that key.
    Present,
    /// `If-Match`: an object of that key with this ETag, unquoted.
    Etag(String),
    /// `If-Match` in a way that never holds.
    Never,
}

#[derive(Debug)]
pub(crate) struct Store {
    conditional: Conditional,
    pub(crate) etag: EtagKind,
    pub(crate) full: Full,
    checksums: Checksums,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    buckets: BTreeMap<String, Bucket>,
    pub(crate) uploads: HashMap<String, Upload>,
    /// How many bytes a bucket may hold.
    pub(crate) quota: Option<u64>,
    /// Of which keys nothing is kept.
    forget: Option<String>,
    serial: u64,
}

impl Store {
    pub(crate) fn new(config: &Config) -> Self {
        let store = Store {
            conditional: config.conditional,
            etag: config.etag,
            full: config.full,
            checksums: config.checksums,
            state: Mutex::new(State {
                forget: config.forget.clone(),
                ..State::default()
            }),
        };
        for bucket in &config.buckets {
            store.state().make_bucket(bucket);
        }
        store
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // Every change under the lock is a single map operation, so a poisoned lock guards a whole state.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The checksums that are kept with an object, or the refusal of it.
    pub(crate) fn kept_checksums(&self, announced: &Announced) -> S3Result<Checksum> {
        match self.checksums {
            Checksums::Enforced | Checksums::Believed => Ok(announced.checksums.clone()),
            Checksums::Refused if announced.has_checksums() => Err(s3_error!(
                NotImplemented,
                "A header you provided implies functionality that is not implemented."
            )),
            Checksums::Dropped | Checksums::Forgotten | Checksums::Refused => {
                Ok(Checksum::default())
            }
        }
    }

    /// What is compared of what was announced.
    pub(crate) fn compared(&self, announced: Announced) -> Announced {
        match self.checksums {
            Checksums::Enforced | Checksums::Forgotten | Checksums::Refused => announced,
            Checksums::Dropped | Checksums::Believed => Announced {
                checksums: Checksum::default(),
                trailers: None,
                ..announced
            },
        }
    }

    /// What the condition headers of a write ask for, or the refusal of it.
    pub(crate) fn precondition(
        &self,
        if_none_match: Option<ETagCondition>,
        if_match: Option<ETagCondition>,
        headers: &HeaderMap,
    ) -> S3Result<Precondition> {
        let quoted = headers
            .get(IF_MATCH)
            .is_some_and(|value| HeaderValue::as_bytes(value).starts_with(b"\""));
        let wanted = match (if_none_match, if_match) {
            (None, None) => return Ok(Precondition::None),
            (Some(ETagCondition::Any), None) => Some(Precondition::Absent),
            (None, Some(ETagCondition::Any)) => Some(Precondition::Present),
            (None, Some(ETagCondition::ETag(etag))) => Some(Precondition::Etag(etag.into_value())),
            _ => None,
        };
        match (self.conditional, wanted) {
            (Conditional::Ignored, _) => Ok(Precondition::None),
            (Conditional::Unquoted, Some(Precondition::Etag(_))) if quoted => {
                Ok(Precondition::Never)
            }
            (Conditional::Enforced | Conditional::Unquoted, Some(wanted)) => Ok(wanted),
            (Conditional::Refused, _) | (_, None) => Err(s3_error!(
                NotImplemented,
                "A header you provided implies functionality that is not implemented."
            )),
        }
    }

    /// What the condition headers of the completion of a multipart upload ask for, or the refusal of it.
    pub(crate) fn precondition_of_upload(
        &self,
        if_none_match: Option<ETagCondition>,
        if_match: Option<ETagCondition>,
        headers: &HeaderMap,
    ) -> S3Result<Precondition> {
        match self.conditional {
            Conditional::Unquoted => Ok(Precondition::None),
            _ => self.precondition(if_none_match, if_match, headers),
        }
    }

    /// An object, or the one it replaced within the last `stale`.
    pub(crate) fn object(
        &self,
        bucket: &str,
        key: &str,
        stale: Option<Duration>,
    ) -> S3Result<Object> {
        let object = self.state().object(bucket, key)?;
        match (stale, &object.replaced) {
            (Some(stale), Some((when, old))) if when.elapsed() < stale => Ok((**old).clone()),
            _ => Ok(object),
        }
    }

    /// Everything in a bucket; nothing if there is no such bucket.
    pub(crate) fn objects(&self, bucket: &str) -> BTreeMap<String, Bytes> {
        let state = self.state();
        let Ok(bucket) = state.bucket(bucket) else {
            return BTreeMap::new();
        };
        bucket
            .objects
            .iter()
            .map(|(key, object)| (key.clone(), object.bytes.clone()))
            .collect()
    }

    /// Removes an object; as in S3 it is no error if there is none.
    pub(crate) fn remove(&self, bucket: &str, key: &str) -> S3Result<()> {
        self.state().bucket_mut(bucket)?.objects.remove(key);
        Ok(())
    }

    /// Hands one page of a listing to `read`, under the lock.
    pub(crate) fn list<T>(
        &self,
        bucket: &str,
        query: &Query<'_>,
        read: impl FnOnce(Page<'_, Object>) -> T,
    ) -> S3Result<T> {
        let state = self.state();
        Ok(read(page(&state.bucket(bucket)?.objects, query)))
    }

    /// Name and time of creation of every bucket.
    pub(crate) fn buckets(&self) -> Vec<(String, SystemTime)> {
        let state = self.state();
        state
            .buckets
            .iter()
            .map(|(name, bucket)| (name.clone(), bucket.created))
            .collect()
    }
}

impl State {
    /// Whether the bucket is new.
    pub(crate) fn make_bucket(&mut self, name: &str) -> bool {
        let mut new = false;
        self.buckets.entry(name.to_owned()).or_insert_with(|| {
            new = true;
            Bucket {
                created: SystemTime::now(),
                objects: BTreeMap::new(),
            }
        });
        new
    }

    pub(crate) fn check_bucket(&self, name: &str) -> S3Result<()> {
        self.bucket(name).map(|_| ())
    }

    pub(crate) fn bucket(&self, name: &str) -> S3Result<&Bucket> {
        self.buckets.get(name).ok_or_else(no_such_bucket)
    }

    fn bucket_mut(&mut self, name: &str) -> S3Result<&mut Bucket> {
        self.buckets.get_mut(name).ok_or_else(no_such_bucket)
    }

    pub(crate) fn object(&self, bucket: &str, key: &str) -> S3Result<Object> {
        let object = self.bucket(bucket)?.objects.get(key);
        object.cloned().ok_or_else(no_such_key)
    }

    /// Whether the precondition of a write to this key holds.
    pub(crate) fn check(
        &self,
        bucket: &str,
        key: &str,
        precondition: &Precondition,
    ) -> S3Result<()> {
        let objects = &self.bucket(bucket)?.objects;
        let present = objects.get(key).map(|object| object.etag.as_str());
        match (precondition, present) {
            (Precondition::None, _)
            | (Precondition::Absent, None)
            | (Precondition::Present, Some(_)) => Ok(()),
            (Precondition::Etag(wanted), Some(present)) if wanted == present => Ok(()),
            (Precondition::Present | Precondition::Etag(_), None) => Err(no_such_key()),
            (Precondition::Absent | Precondition::Etag(_) | Precondition::Never, _) => {
                Err(s3_error!(
                    PreconditionFailed,
                    "At least one of the preconditions you specified did not hold."
                ))
            }
        }
    }

    /// Writes an object. `etag` of `None` makes an opaque one.
    pub(crate) fn insert(
        &mut self,
        bucket: &str,
        key: &str,
        bytes: Bytes,
        etag: Option<String>,
        attributes: Attributes,
    ) -> S3Result<Object> {
        let etag = etag.unwrap_or_else(|| self.opaque_etag());
        let forgets = self.forget.as_ref().is_some_and(|part| key.contains(part));
        let bucket = self.bucket_mut(bucket)?;
        let replaced = bucket.objects.remove(key).map(|mut old| {
            old.replaced = None;
            (Instant::now(), Box::new(old))
        });
        let object = Object {
            bytes,
            etag,
            modified: SystemTime::now(),
            attributes,
            replaced,
        };
        if !forgets {
            bucket.objects.insert(key.to_owned(), object.clone());
        }
        Ok(object)
    }

    /// A number never used before.
    pub(crate) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    pub(crate) fn opaque_etag(&mut self) -> String {
        format!("opaque-{:08}", self.next_serial())
    }
}

impl Object {
    pub(crate) fn e_tag(&self) -> ETag {
        ETag::Strong(self.etag.clone())
    }
}

fn no_such_bucket() -> S3Error {
    S3Error::with_message(
        S3ErrorCode::NoSuchBucket,
        "The specified bucket does not exist",
    )
}

fn no_such_key() -> S3Error {
    S3Error::with_message(S3ErrorCode::NoSuchKey, "The specified key does not exist.")
}
