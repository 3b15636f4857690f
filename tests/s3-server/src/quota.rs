//! Writes by clients, which a full bucket refuses: the one way by which their objects come into a [`Store`].

use bytes::Bytes;
use hyper::StatusCode;
use s3s::{S3Error, S3ErrorCode, S3Result};

use crate::config::Full;
use crate::store::{Attributes, Object, Precondition, State, Store};

impl Store {
    /// Writes an object if its precondition holds and there is room for it. `etag` of `None` makes an opaque one.
    pub(crate) fn put(
        &self,
        state: &mut State,
        place: (&str, &str),
        bytes: Bytes,
        etag: Option<String>,
        attributes: Attributes,
        precondition: &Precondition,
    ) -> S3Result<Object> {
        let (bucket, key) = place;
        state.check(bucket, key, precondition)?;
        self.has_room(state, bucket, key, bytes.len())?;
        state.insert(bucket, key, bytes, etag, attributes)
    }

    /// Whether the bucket may hold `length` bytes in place of what is at `key`.
    pub(crate) fn has_room(
        &self,
        state: &State,
        bucket: &str,
        key: &str,
        length: usize,
    ) -> S3Result<()> {
        let Some(quota) = state.quota else {
            return Ok(());
        };
        let others = state.bucket(bucket)?.objects.iter();
        let others = others.filter(|(other, _)| *other != key);
        let held: u64 = others.map(|(_, object)| object.bytes.len() as u64).sum();
        if held + length as u64 <= quota {
            return Ok(());
        }
        let (code, status, message) = match self.full {
            Full::QuotaExceeded => (
                "QuotaExceeded",
                StatusCode::FORBIDDEN,
                "The quota of the bucket is exceeded.",
            ),
            Full::InsufficientStorage => (
                "InsufficientStorage",
                StatusCode::INSUFFICIENT_STORAGE,
                "There is not enough space left to store the object.",
            ),
        };
        let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
        error.set_status_code(status);
        Err(error)
    }
}
