//! Multipart uploads: begun, given parts, completed into one object or aborted. Key type: [`Upload`].
//! Parts become visible only as the whole object, in one step.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::CompletedPart;
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use crate::config::EtagKind;
use crate::receive::{Received, hex};
use crate::store::{Attributes, Object, Precondition, Store};

/// The least size in bytes of every part but the last, as on AWS.
const LEAST_PART: usize = 5 << 20;

#[derive(Debug)]
pub(crate) struct Upload {
    bucket: String,
    key: String,
    attributes: Attributes,
    parts: BTreeMap<i32, Part>,
}

#[derive(Debug, Clone)]
struct Part {
    bytes: Bytes,
    etag: String,
    md5: Option<[u8; 16]>,
}

impl Store {
    /// Begins an upload and returns its id.
    pub(crate) fn begin_upload(
        &self,
        bucket: &str,
        key: &str,
        attributes: Attributes,
    ) -> S3Result<String> {
        let mut state = self.state();
        state.check_bucket(bucket)?;
        let id = format!("upload-{:08}", state.next_serial());
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        state.uploads.insert(
            id.clone(),
            Upload {
                bucket,
                key,
                attributes,
                parts: BTreeMap::new(),
            },
        );
        Ok(id)
    }

    /// Stores a part, in place of an earlier one of that number, and returns its ETag.
    pub(crate) fn put_part(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
        number: i32,
        received: Received,
    ) -> S3Result<String> {
        if !(1..=10_000).contains(&number) {
            return Err(s3_error!(
                InvalidArgument,
                "Part number must be from 1 to 10000."
            ));
        }
        let mut state = self.state();
        let opaque = state.opaque_etag();
        self.has_room(&state, bucket, key, received.bytes.len())?;
        state.check_bucket(bucket)?;
        let upload = state
            .uploads
            .get_mut(id)
            .filter(|upload| upload.is_of(bucket, key));
        let upload = upload.ok_or_else(no_such_upload)?;
        let etag = received.etag(self.etag).unwrap_or(opaque);
        let part = Part {
            bytes: received.bytes,
            etag: etag.clone(),
            md5: received.md5,
        };
        upload.parts.insert(number, part);
        Ok(etag)
    }

    /// Makes an object of the parts listed. If that fails the upload goes on existing.
    pub(crate) fn complete_upload(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
        listed: &[CompletedPart],
        precondition: &Precondition,
    ) -> S3Result<Object> {
        let (parts, attributes) = self.upload_parts(bucket, key, id, listed)?;
        let bytes = match parts.as_slice() {
            [only] => only.bytes.clone(),
            several => concatenate(several),
        };
        let etag = match self.etag {
            EtagKind::Md5 => Some(etag_of_parts(&parts)),
            EtagKind::Opaque => None,
        };
        let mut state = self.state();
        if !state.uploads.contains_key(id) {
            return Err(no_such_upload());
        }
        let place = (bucket, key);
        let object = self.put(&mut state, place, bytes, etag, attributes, precondition)?;
        state.uploads.remove(id);
        Ok(object)
    }

    pub(crate) fn abort_upload(&self, bucket: &str, key: &str, id: &str) -> S3Result<()> {
        let mut state = self.state();
        state.check_bucket(bucket)?;
        if !state
            .uploads
            .get(id)
            .is_some_and(|upload| upload.is_of(bucket, key))
        {
            return Err(no_such_upload());
        }
        state.uploads.remove(id);
        Ok(())
    }

    /// The parts of an upload as a client lists them, checked against what was received.
    fn upload_parts(
        &self,
        bucket: &str,
        key: &str,
        id: &str,
        listed: &[CompletedPart],
    ) -> S3Result<(Vec<Part>, Attributes)> {
        let state = self.state();
        state.check_bucket(bucket)?;
        let upload = state
            .uploads
            .get(id)
            .filter(|upload| upload.is_of(bucket, key));
        let upload = upload.ok_or_else(no_such_upload)?;
        if listed.is_empty() {
            return Err(s3_error!(
                MalformedXML,
                "You must specify at least one part"
            ));
        }
        if !listed.is_sorted_by(|a, b| a.part_number < b.part_number) {
            return Err(s3_error!(InvalidPartOrder));
        }
        let mut parts = Vec::with_capacity(listed.len());
        for entry in listed {
            let part = entry
                .part_number
                .and_then(|number| upload.parts.get(&number));
            let part = part.filter(|part| {
                entry
                    .e_tag
                    .as_ref()
                    .is_none_or(|etag| etag.value() == part.etag)
            });
            parts.push(part.ok_or_else(|| s3_error!(InvalidPart))?.clone());
        }
        let all_but_last = &parts[..parts.len() - 1];
        if all_but_last
            .iter()
            .any(|part| part.bytes.len() < LEAST_PART)
        {
            return Err(s3_error!(EntityTooSmall));
        }
        Ok((parts, upload.attributes.clone()))
    }
}

impl Upload {
    fn is_of(&self, bucket: &str, key: &str) -> bool {
        self.bucket == bucket && self.key == key
    }
}

fn concatenate(parts: &[Part]) -> Bytes {
    let mut whole = BytesMut::with_capacity(parts.iter().map(|part| part.bytes.len()).sum());
    for part in parts {
        whole.extend_from_slice(&part.bytes);
    }
    whole.freeze()
}

/// MD5 of the parts' MD5s, a dash and their number, as AWS makes it.
fn etag_of_parts(parts: &[Part]) -> String {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(&part.md5.unwrap_or_default());
    }
    format!("{}-{}", hex(&md5.finalize()), parts.len())
}

fn no_such_upload() -> S3Error {
    S3Error::with_message(
        S3ErrorCode::NoSuchUpload,
        "The specified upload does not exist.",
    )
}
