//! The S3 operations, as `s3s` routes them, on the store in memory. Key type: [`Operations`].
//! Translates only: rules live in `store`, `uploads`, `listing` and `receive`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, Bucket, Checksum, CommonPrefix,
    CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CopyObjectInput, CopyObjectOutput,
    CopyObjectResult, CopySource, CreateBucketInput, CreateBucketOutput,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteObjectInput, DeleteObjectOutput,
    DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETag, ETagCondition, GetObjectInput,
    GetObjectOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput, HeadObjectOutput,
    ListBucketsInput, ListBucketsOutput, ListObjectsV2Input, ListObjectsV2Output,
    MetadataDirective, Object, ObjectStorageClass, PutObjectInput, PutObjectOutput, StreamingBlob,
    UploadPartInput, UploadPartOutput,
};
use s3s::{Body, S3, S3Request, S3Response, S3Result, s3_error};

use crate::bodies::flip_middle;
use crate::config::EtagKind;
use crate::gate::{ArriveCorrupted, FirstPage, ReadStale, StoreCorrupted};
use crate::listing::{Marker, Query};
use crate::receive::{Announced, receive};
use crate::store::{Attributes, Object as Stored, Precondition, Store};

pub(crate) struct Operations {
    pub(crate) store: Arc<Store>,
}

type Answer<T> = S3Result<S3Response<T>>;

#[allow(clippy::unnecessary_wraps)]
fn ok<T>(output: T) -> Answer<T> {
    Ok(S3Response::new(output))
}

/// What the headers of a PUT say of its body; the fields have the same names in both kinds of PUT.
macro_rules! announced {
    ($input:expr, $headers:expr, $trailers:expr) => {
        Announced {
            content_length: $input.content_length,
            md5: $input.content_md5.take(),
            checksums: Checksum {
                checksum_crc32: $input.checksum_crc32.take(),
                checksum_crc32c: $input.checksum_crc32c.take(),
                checksum_crc64nvme: $input.checksum_crc64nvme.take(),
                checksum_sha1: $input.checksum_sha1.take(),
                checksum_sha256: $input.checksum_sha256.take(),
                checksum_type: None,
            },
            trailer: trailer_name($headers),
            trailers: $trailers,
            is_garbled: false,
        }
    };
}

fn trailer_name(headers: &hyper::HeaderMap) -> Option<String> {
    let value = headers.get("x-amz-trailer")?.to_str().ok()?;
    Some(value.trim().to_ascii_lowercase())
}

#[async_trait]
impl S3 for Operations {
    async fn list_buckets(&self, _: S3Request<ListBucketsInput>) -> Answer<ListBucketsOutput> {
        let bucket = |(name, created): (String, std::time::SystemTime)| Bucket {
            name: Some(name),
            creation_date: Some(created.into()),
            ..Bucket::default()
        };
        let buckets = self.store.buckets().into_iter().map(bucket).collect();
        ok(ListBucketsOutput {
            buckets: Some(buckets),
            ..ListBucketsOutput::default()
        })
    }

    async fn head_bucket(&self, req: S3Request<HeadBucketInput>) -> Answer<HeadBucketOutput> {
        self.store.state().check_bucket(&req.input.bucket)?;
        ok(HeadBucketOutput::default())
    }

    async fn create_bucket(&self, req: S3Request<CreateBucketInput>) -> Answer<CreateBucketOutput> {
        if !self.store.state().make_bucket(&req.input.bucket) {
            return Err(s3_error!(BucketAlreadyOwnedByYou));
        }
        ok(CreateBucketOutput {
            location: Some(format!("/{}", req.input.bucket)),
        })
    }

    async fn put_object(&self, mut req: S3Request<PutObjectInput>) -> Answer<PutObjectOutput> {
        let input = &mut req.input;
        let announced = announced!(input, &req.headers, req.trailing_headers.take());
        let checksums = self.store.kept_checksums(&announced)?;
        let announced = Announced {
            is_garbled: req.extensions.get::<ArriveCorrupted>().is_some(),
            ..self.store.compared(announced)
        };
        let received = receive(input.body.take(), announced, self.store.etag).await?;
        let precondition = self.store.precondition(
            input.if_none_match.take(),
            input.if_match.take(),
            &req.headers,
        )?;
        let etag = received.etag(self.store.etag);
        let corrupted = req.extensions.get::<StoreCorrupted>().is_some();
        let bytes = if corrupted {
            flip_middle(&received.bytes)
        } else {
            received.bytes
        };
        let attributes = Attributes {
            content_type: input.content_type.take(),
            content_encoding: input.content_encoding.take(),
            content_disposition: input.content_disposition.take(),
            cache_control: input.cache_control.take(),
            metadata: input.metadata.take(),
            checksums,
        };
        let (state, place) = (&mut *self.store.state(), (&*input.bucket, &*input.key));
        let object = self
            .store
            .put(state, place, bytes, etag, attributes, &precondition)?;
        let checksums = object.attributes.checksums.clone();
        ok(PutObjectOutput {
            e_tag: Some(object.e_tag()),
            checksum_crc32: checksums.checksum_crc32,
            checksum_crc32c: checksums.checksum_crc32c,
            checksum_crc64nvme: checksums.checksum_crc64nvme,
            checksum_sha1: checksums.checksum_sha1,
            checksum_sha256: checksums.checksum_sha256,
            ..PutObjectOutput::default()
        })
    }

    async fn get_object(&self, req: S3Request<GetObjectInput>) -> Answer<GetObjectOutput> {
        let stale = stale(&req);
        let input = req.input;
        let Stored {
            bytes,
            etag,
            modified,
            attributes,
            ..
        } = self.store.object(&input.bucket, &input.key, stale)?;
        check_read(&etag, input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let whole = bytes.len();
        let (bytes, content_range) = match input.range {
            None => (bytes, None),
            Some(range) => {
                let range = range.check(whole as u64)?;
                let text = format!("bytes {}-{}/{whole}", range.start, range.end - 1);
                // `check` keeps both ends within the object, whose length is a usize.
                (
                    bytes.slice(range.start as usize..range.end as usize),
                    Some(text),
                )
            }
        };
        ok(GetObjectOutput {
            accept_ranges: Some("bytes".to_owned()),
            content_length: Some(bytes.len() as i64),
            content_range,
            body: Some(StreamingBlob::from(Body::from(bytes))),
            e_tag: Some(ETag::Strong(etag)),
            last_modified: Some(modified.into()),
            content_type: attributes.content_type,
            content_encoding: attributes.content_encoding,
            content_disposition: attributes.content_disposition,
            cache_control: attributes.cache_control,
            metadata: attributes.metadata,
            ..GetObjectOutput::default()
        })
    }

    async fn head_object(&self, req: S3Request<HeadObjectInput>) -> Answer<HeadObjectOutput> {
        let stale = stale(&req);
        let input = req.input;
        let Stored {
            bytes,
            etag,
            modified,
            attributes,
            ..
        } = self.store.object(&input.bucket, &input.key, stale)?;
        check_read(&etag, input.if_match.as_ref(), input.if_none_match.as_ref())?;
        let checksums = input.checksum_mode.map(|_| attributes.checksums);
        let checksums = checksums.unwrap_or_default();
        ok(HeadObjectOutput {
            checksum_crc32: checksums.checksum_crc32,
            checksum_crc32c: checksums.checksum_crc32c,
            checksum_crc64nvme: checksums.checksum_crc64nvme,
            checksum_sha1: checksums.checksum_sha1,
            checksum_sha256: checksums.checksum_sha256,
            accept_ranges: Some("bytes".to_owned()),
            content_length: Some(bytes.len() as i64),
            e_tag: Some(ETag::Strong(etag)),
            last_modified: Some(modified.into()),
            content_type: attributes.content_type,
            content_encoding: attributes.content_encoding,
            content_disposition: attributes.content_disposition,
            cache_control: attributes.cache_control,
            metadata: attributes.metadata,
            ..HeadObjectOutput::default()
        })
    }

    async fn delete_object(&self, req: S3Request<DeleteObjectInput>) -> Answer<DeleteObjectOutput> {
        self.store.remove(&req.input.bucket, &req.input.key)?;
        ok(DeleteObjectOutput::default())
    }

    async fn delete_objects(
        &self,
        req: S3Request<DeleteObjectsInput>,
    ) -> Answer<DeleteObjectsOutput> {
        let DeleteObjectsInput { bucket, delete, .. } = req.input;
        if delete.objects.len() > 1000 {
            return Err(s3_error!(
                MalformedXML,
                "At most 1000 keys may be deleted at once."
            ));
        }
        let mut deleted = Vec::with_capacity(delete.objects.len());
        self.store.state().check_bucket(&bucket)?;
        for object in delete.objects {
            self.store.remove(&bucket, &object.key)?;
            deleted.push(DeletedObject {
                key: Some(object.key),
                ..DeletedObject::default()
            });
        }
        let quiet = delete.quiet == Some(true);
        let deleted = (!quiet).then_some(deleted);
        ok(DeleteObjectsOutput {
            deleted,
            ..DeleteObjectsOutput::default()
        })
    }

    /// Conditions on the target are not looked at, as on most servers.
    async fn copy_object(&self, req: S3Request<CopyObjectInput>) -> Answer<CopyObjectOutput> {
        let input = req.input;
        let CopySource::Bucket { bucket, key, .. } = &input.copy_source else {
            return Err(s3_error!(NotImplemented));
        };
        let mut state = self.store.state();
        let source = state.object(bucket, key)?;
        let replaced = input
            .metadata_directive
            .as_ref()
            .map(MetadataDirective::as_str)
            == Some(MetadataDirective::REPLACE);
        let attributes = if replaced {
            Attributes {
                content_type: input.content_type,
                content_encoding: input.content_encoding,
                content_disposition: input.content_disposition,
                cache_control: input.cache_control,
                metadata: input.metadata,
                checksums: source.attributes.checksums,
            }
        } else {
            source.attributes
        };
        let etag = (self.store.etag == EtagKind::Md5).then_some(source.etag);
        let (place, always) = ((&*input.bucket, &*input.key), &Precondition::None);
        let copy = self
            .store
            .put(&mut state, place, source.bytes, etag, attributes, always)?;
        ok(CopyObjectOutput {
            copy_object_result: Some(CopyObjectResult {
                e_tag: Some(copy.e_tag()),
                last_modified: Some(copy.modified.into()),
                ..CopyObjectResult::default()
            }),
            ..CopyObjectOutput::default()
        })
    }

    async fn list_objects_v2(
        &self,
        req: S3Request<ListObjectsV2Input>,
    ) -> Answer<ListObjectsV2Output> {
        let is_first = req.extensions.get::<FirstPage>().is_some();
        let mut input = req.input;
        input.continuation_token = input.continuation_token.filter(|_| !is_first);
        let after = match (&input.continuation_token, &input.start_after) {
            (Some(token), _) => Some(Marker::from_token(token).ok_or_else(|| {
                s3_error!(
                    InvalidArgument,
                    "The continuation token provided is incorrect"
                )
            })?),
            (None, Some(key)) => Some(Marker::Key(key.clone())),
            (None, None) => None,
        };
        let max_keys = input.max_keys.unwrap_or(1000).clamp(0, 1000);
        let query = Query {
            prefix: input.prefix.as_deref().unwrap_or(""),
            delimiter: input
                .delimiter
                .as_deref()
                .filter(|delimiter| !delimiter.is_empty()),
            after,
            // At least 0 and at most 1000 by the line above.
            max_keys: max_keys as usize,
        };
        let mut output = self
            .store
            .list(&input.bucket, &query, |page| ListObjectsV2Output {
                key_count: Some((page.objects.len() + page.common_prefixes.len()) as i32),
                contents: Some(
                    page.objects
                        .iter()
                        .map(|(key, object)| entry(key, object))
                        .collect(),
                ),
                common_prefixes: Some(
                    page.common_prefixes
                        .into_iter()
                        .map(|p| CommonPrefix { prefix: Some(p) })
                        .collect(),
                ),
                is_truncated: Some(page.next.is_some()),
                next_continuation_token: page.next.map(|next| next.to_token()),
                ..ListObjectsV2Output::default()
            })?;
        output.name = Some(input.bucket);
        output.max_keys = Some(max_keys);
        output.prefix = Some(input.prefix.unwrap_or_default());
        output.delimiter = input.delimiter;
        output.start_after = input.start_after;
        output.continuation_token = input.continuation_token;
        ok(output)
    }

    async fn create_multipart_upload(
        &self,
        req: S3Request<CreateMultipartUploadInput>,
    ) -> Answer<CreateMultipartUploadOutput> {
        let input = req.input;
        let attributes = Attributes {
            content_type: input.content_type,
            content_encoding: input.content_encoding,
            content_disposition: input.content_disposition,
            cache_control: input.cache_control,
            metadata: input.metadata,
            checksums: Checksum::default(),
        };
        let id = self
            .store
            .begin_upload(&input.bucket, &input.key, attributes)?;
        ok(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            ..CreateMultipartUploadOutput::default()
        })
    }

    async fn upload_part(&self, mut req: S3Request<UploadPartInput>) -> Answer<UploadPartOutput> {
        let input = &mut req.input;
        let announced = announced!(input, &req.headers, req.trailing_headers.take());
        let announced = self.store.compared(announced);
        let mut received = receive(input.body.take(), announced, self.store.etag).await?;
        if req.extensions.get::<StoreCorrupted>().is_some() {
            received.bytes = flip_middle(&received.bytes);
        }
        let UploadPartInput {
            bucket,
            key,
            upload_id,
            part_number,
            ..
        } = &*input;
        let etag = self
            .store
            .put_part(bucket, key, upload_id, *part_number, received)?;
        ok(UploadPartOutput {
            e_tag: Some(ETag::Strong(etag)),
            ..UploadPartOutput::default()
        })
    }

    async fn complete_multipart_upload(
        &self,
        req: S3Request<CompleteMultipartUploadInput>,
    ) -> Answer<CompleteMultipartUploadOutput> {
        let CompleteMultipartUploadInput {
            bucket,
            key,
            upload_id,
            multipart_upload,
            if_match,
            if_none_match,
            ..
        } = req.input;
        let precondition =
            self.store
                .precondition_of_upload(if_none_match, if_match, &req.headers)?;
        let parts = multipart_upload
            .and_then(|upload| upload.parts)
            .unwrap_or_default();
        let object =
            self.store
                .complete_upload(&bucket, &key, &upload_id, &parts, &precondition)?;
        ok(CompleteMultipartUploadOutput {
            e_tag: Some(object.e_tag()),
            location: Some(format!("/{bucket}/{key}")),
            bucket: Some(bucket),
            key: Some(key),
            ..CompleteMultipartUploadOutput::default()
        })
    }

    async fn abort_multipart_upload(
        &self,
        req: S3Request<AbortMultipartUploadInput>,
    ) -> Answer<AbortMultipartUploadOutput> {
        let input = req.input;
        self.store
            .abort_upload(&input.bucket, &input.key, &input.upload_id)?;
        ok(AbortMultipartUploadOutput::default())
    }
}

fn entry(key: &str, object: &Stored) -> Object {
    Object {
        key: Some(key.to_owned()),
        size: Some(object.bytes.len() as i64),
        e_tag: Some(object.e_tag()),
        last_modified: Some(object.modified.into()),
        storage_class: Some(ObjectStorageClass::from_static(
            ObjectStorageClass::STANDARD,
        )),
        ..Object::default()
    }
}

/// How long this read is to give what was overwritten.
fn stale<T>(req: &S3Request<T>) -> Option<Duration> {
    req.extensions.get().map(|ReadStale(time)| *time)
}

/// Conditions on a read: 412 if `If-Match` does not hold, 304 if `If-None-Match` does not.
fn check_read(
    etag: &str,
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<()> {
    let holds =
        |wanted: &ETagCondition| wanted.as_etag().is_none_or(|wanted| wanted.value() == etag);
    if if_match.is_some_and(|wanted| !holds(wanted)) {
        return Err(s3_error!(PreconditionFailed));
    }
    if if_none_match.is_some_and(holds) {
        return Err(s3_error!(NotModified));
    }
    Ok(())
}
