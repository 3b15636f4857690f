//! Requests for single objects: put, get, part of it, head, copy, multipart upload, delete, many deletes at once.

use bytes::Bytes;
use futures::{StreamExt, stream};
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};

use super::{Examination, Sample, brief, noise, shown, timed};
use crate::store::bucket::Stat;
use crate::store::error::StoreError;

/// Bytes of a small object.
const SMALL: usize = 4096;
/// Bytes of the part that is read of it.
const PART: std::ops::Range<u64> = 1..18;
/// Bytes of a part of an upload but the last: servers want no less.
const UPLOAD_PART: usize = 5 << 20;

impl Examination<'_> {
    /// Puts an object; gives it if it is there.
    pub(super) async fn put(&mut self) -> Option<Sample> {
        let key = self.key("put");
        let content = noise(SMALL, 1);
        let path = self.bucket.path(&key);
        let (put, took) = timed(self.bucket.store.put(&path, content.clone().into())).await;
        match put {
            Ok(put) => {
                self.good("put", format!("works, in {}", shown(took)));
                Some(Sample {
                    key,
                    content: Some(content),
                    etag: put.e_tag,
                })
            }
            Err(cause) => {
                let error = self.bucket.error(&key, "writing", &cause);
                if matches!(error, StoreError::Denied { .. }) {
                    // Nothing was written, and who may not write may not delete.
                    self.keys.clear();
                }
                self.bad(
                    "put",
                    error,
                    "nothing can be sent; what is there may still be read",
                );
                None
            }
        }
    }

    /// Reads `sample`, a part of it, and asks for its size.
    pub(super) async fn read(&mut self, sample: &Sample) {
        let (got, took) = timed(self.bucket.get(&sample.key)).await;
        let whole = match (got, &sample.content) {
            (Ok(got), Some(content)) if got != *content => {
                let error = self.differs(&sample.key, content.len(), got.len());
                self.bad("get", error, "the server cannot be trusted with data");
                return;
            }
            (Ok(got), _) => {
                self.good("get", format!("works, in {}", shown(took)));
                got
            }
            (Err(error), _) => {
                self.bad("get", error, "nothing can be read or verified");
                return;
            }
        };
        self.read_part(sample, &whole).await;
        match self.bucket.stat(&sample.key).await.map(size) {
            Ok(Some(size)) if size == whole.len() as u64 => self.good("head", "works"),
            Ok(size) => {
                let error = self.differs(&sample.key, whole.len(), size.unwrap_or(0) as usize);
                self.bad("head", error, "what a store holds cannot be told");
            }
            Err(error) => self.bad("head", error, "what a store holds cannot be told"),
        }
    }

    async fn read_part(&mut self, sample: &Sample, whole: &Bytes) {
        let range = PART.start..PART.end.min(whole.len() as u64);
        let expected = whole.slice(range.start as usize..range.end as usize);
        let path = self.bucket.path(&sample.key);
        let meaning = "sends work without, but Zarr readers of shards need it";
        match self.bucket.store.get_range(&path, range).await {
            Ok(part) if part == expected => self.good("range get", "206, the part asked for"),
            Ok(part) => {
                let error = self.differs(&sample.key, expected.len(), part.len());
                self.lesser("range get", format!("{}; {meaning}", brief(&error)));
            }
            Err(cause) if cause.to_string().contains("non-partial") => {
                self.lesser(
                    "range get",
                    format!("the whole object instead of the part; {meaning}"),
                );
            }
            Err(cause) => {
                let error = self.bucket.error(&sample.key, "reading a part", &cause);
                self.lesser("range get", format!("{}; {meaning}", brief(&error)));
            }
        }
    }

    /// Copies `written` inside the server.
    pub(super) async fn copy(&mut self, written: &Sample) {
        let copy = self.key("copy");
        let copied = self.bucket.copy(&written.key, &copy).await;
        let meaning = "`update`, and appends to part-full chunks, cannot save what they replace";
        let read = match copied {
            Ok(()) => self.bucket.get(&copy).await,
            Err(error) => Err(error),
        };
        match (read, &written.content) {
            (Ok(read), Some(content)) if read != *content => {
                let error = self.differs(&copy, content.len(), read.len());
                self.bad("copy", error, meaning);
            }
            (Ok(_), _) => self.good("copy", "works, inside the server"),
            (Err(error), _) => self.bad("copy", error, meaning),
        }
    }

    /// Uploads an object in two parts.
    pub(super) async fn multipart(&mut self) {
        if self.bucket.endpoint().is_none() {
            return;
        }
        let key = self.key("multipart");
        let path = self.bucket.path(&key);
        let upload = async {
            let mut upload = self.bucket.store.put_multipart(&path).await?;
            let sent = async {
                upload
                    .put_part(PutPayload::from(noise(UPLOAD_PART, 2)))
                    .await?;
                upload.put_part(PutPayload::from(noise(SMALL, 3))).await?;
                upload.complete().await
            };
            let sent = sent.await;
            if sent.is_err() {
                // What failed is told; the parts go with the upload, or with the bucket's own rules.
                let _ = upload.abort().await;
            }
            sent.map(|_| ())
        };
        let done = upload
            .await
            .map_err(|cause| self.bucket.error(&key, "uploading", &cause));
        let expected = (UPLOAD_PART + SMALL) as u64;
        let size = match done {
            Ok(()) => self.bucket.stat(&key).await.map(size),
            Err(error) => Err(error),
        };
        let unused = "this program does without: one object is one PUT";
        match size {
            Ok(Some(size)) if size == expected => {
                self.good("multipart", format!("works; {unused}"));
            }
            Ok(size) => {
                let size = size.unwrap_or(0);
                self.lesser(
                    "multipart",
                    format!("sent {expected} bytes, {size} are there; {unused}"),
                );
            }
            Err(error) => self.lesser("multipart", format!("{}; {unused}", brief(&error))),
        }
    }

    /// Deletes `written`.
    pub(super) async fn delete(&mut self, written: &Sample) {
        let meaning = "what a send that fails has put stays; `delete` cannot work";
        let deleted = self.bucket.delete(&written.key).await;
        let size = match deleted {
            Ok(()) => self.bucket.stat(&written.key).await.map(size),
            Err(error) => Err(error),
        };
        match size {
            Ok(None) => self.good("delete", "works"),
            Ok(Some(_)) => self.lesser("delete", "accepted, but the object was there still"),
            Err(error) => self.bad("delete", error, meaning),
        }
    }

    /// Deletes two objects with one request.
    pub(super) async fn delete_in_bulk(&mut self) {
        let Some(bulk) = self.bucket.bulk.clone() else {
            return;
        };
        let keys = ["bulk-1", "bulk-2"].map(|name| self.key(name));
        for (seed, key) in keys.iter().enumerate() {
            if let Err(error) = self.bucket.put(key, noise(SMALL, seed as u64)).await {
                return self.untried("bulk delete", &brief(&error));
            }
        }
        let paths: Vec<_> = keys.iter().map(|key| Ok(self.bucket.path(key))).collect();
        let deleted: Vec<Result<Path, _>> = bulk
            .delete_stream(stream::iter(paths).boxed())
            .collect()
            .await;
        let problem = deleted.into_iter().find_map(Result::err);
        match problem.map(|cause| self.bucket.error(&keys[0], "deleting", &cause)) {
            None => self.good("bulk delete", "many objects with one request"),
            Some(error) => self.lesser(
                "bulk delete",
                format!(
                    "{}; objects are deleted one by one, which takes longer",
                    brief(&error)
                ),
            ),
        }
    }
}

fn size(stat: Option<Stat>) -> Option<u64> {
    stat.map(|stat| stat.size)
}
