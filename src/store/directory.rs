//! A directory as an object store: every object a file, changed only while the fence is open.
//!
//! Key type: [`Directory`]. Reading and listing are object_store's; what changes a file is done here, so that the look at the
//! fence and the change lie microseconds apart on one thread, which nobody can cut off in between.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult,
};
use tracing::debug;

use super::answer::{chain, is_transport};
use super::fence::Fence;
use super::staging::Staged;

/// Deletes at a time.
const DELETES: usize = 10;

/// A directory, from the folder on that existed when it was opened.
#[derive(Clone, Debug)]
pub(super) struct Directory {
    files: LocalFileSystem,
    /// Folders from here on are kept, however empty they become.
    root: Arc<PathBuf>,
    fence: Fence,
}

impl Directory {
    /// The directory at `path` behind `fence`, and the part of the path that does not exist yet.
    pub(super) fn open(path: &FilePath, fence: &Fence) -> Result<(Self, PathBuf), String> {
        for root in path.ancestors() {
            let found = match std::fs::metadata(root) {
                Ok(kind) if kind.is_dir() => std::fs::canonicalize(root),
                Ok(_) => return Err(format!("{} is a file", root.display())),
                Err(cause) => Err(cause),
            };
            let found = match found {
                Ok(found) => found,
                // Below a file it is not there either, and the next of them tells.
                Err(cause)
                    if matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
                {
                    continue;
                }
                Err(cause) => return Err(format!("{}: {cause}", root.display())),
            };
            let files = match LocalFileSystem::new_with_prefix(&found) {
                Ok(files) => files,
                // Another job has removed it meanwhile, as empty.
                Err(cause) if is_missing(&cause) => continue,
                Err(cause) => return Err(cause.to_string()),
            };
            let missing = path.strip_prefix(root).unwrap_or(FilePath::new(""));
            let directory = Self {
                files,
                root: Arc::new(found),
                fence: fence.clone(),
            };
            return Ok((directory, missing.to_owned()));
        }
        Err("it has no root".to_owned())
    }

    /// Where it begins.
    pub(super) fn root(&self) -> &FilePath {
        &self.root
    }

    /// Removes a file that is no object, or a link, and the folders that become empty.
    pub(super) async fn clear_away(&self, path: PathBuf) -> object_store::Result<()> {
        let name = path.display().to_string();
        let clear = move |directory: &Self| directory.delete(&path);
        self.change("clear away", &name, clear).await
    }

    /// Copies a file byte by byte: who writes into one of the two in place does not change the other.
    pub(super) async fn duplicate(&self, from: &Path, to: &Path) -> object_store::Result<()> {
        let (from, file) = (self.file(from)?, self.file(to)?);
        let duplicate = move |directory: &Self| directory.duplicate_file(&from, &file);
        self.change("duplicate", to.as_ref(), duplicate).await
    }

    fn file(&self, location: &Path) -> object_store::Result<PathBuf> {
        self.files.path_to_filesystem(location)
    }

    /// Does `work`, which changes files, on a thread that may block.
    async fn change<T: Send + 'static>(
        &self,
        what: &'static str,
        path: &str,
        work: impl FnOnce(&Self) -> object_store::Result<T> + Send + 'static,
    ) -> object_store::Result<T> {
        debug!(path, "{what}");
        let directory = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&directory)).await;
        done.map_err(|cause| Error::Generic {
            store: "directory",
            source: cause.into(),
        })?
    }

    /// Makes the staged file `staged` the object at `path`, unless the fence is closed.
    fn publish(&self, staged: &FilePath, path: &FilePath, mode: &PutMode) -> Result<(), Error> {
        self.fence.check().map_err(failed)?;
        match mode {
            PutMode::Create => match std::fs::hard_link(staged, path) {
                Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {
                    Err(Error::AlreadyExists {
                        path: path.display().to_string(),
                        source: cause.into(),
                    })
                }
                linked => linked.map_err(|cause| broken(path, cause)),
            },
            _ => std::fs::rename(staged, path).map_err(|cause| broken(path, cause)),
        }
    }

    fn put(&self, path: &FilePath, payload: &PutPayload, mode: &PutMode) -> Result<String, Error> {
        self.fence.check().map_err(failed)?;
        let open = |staged: &FilePath| OpenOptions::new().write(true).create_new(true).open(staged);
        let (file, staged) = Staged::make(path, open)?;
        let written = write(file, payload).map_err(|cause| broken(path, cause));
        let published =
            written.and_then(|etag| self.publish(&staged.file, path, mode).map(|()| etag));
        if published.is_err() {
            staged.discard();
        } else if *mode == PutMode::Create {
            // What stays behind is no object.
            let _ = std::fs::remove_file(&staged.file);
        }
        published
    }

    /// A copy is another name of the same file, until one of them is replaced.
    fn copy(&self, from: &FilePath, to: &FilePath, mode: &PutMode) -> Result<(), Error> {
        self.fence.check().map_err(failed)?;
        std::fs::metadata(from).map_err(|cause| gone(from, cause))?;
        let ((), staged) = Staged::make(to, |staged| std::fs::hard_link(from, staged))?;
        let published = self.publish(&staged.file, to, mode);
        if published.is_err() {
            staged.discard();
        } else {
            // A name of the file that was there already is not renamed.
            let _ = std::fs::remove_file(&staged.file);
        }
        published
    }

    fn duplicate_file(&self, from: &FilePath, to: &FilePath) -> Result<(), Error> {
        self.fence.check().map_err(failed)?;
        let mut source = File::open(from).map_err(|cause| gone(from, cause))?;
        let open = |staged: &FilePath| OpenOptions::new().write(true).create_new(true).open(staged);
        let (mut file, staged) = Staged::make(to, open)?;
        let copied = io::copy(&mut source, &mut file)
            .and_then(|_| Ok(nix::unistd::close(file)?))
            .map_err(|cause| broken(to, cause));
        let published = copied.and_then(|()| self.publish(&staged.file, to, &PutMode::Overwrite));
        if published.is_err() {
            staged.discard();
        }
        published
    }

    /// Deletes a file, and the folders that become empty.
    fn delete(&self, path: &FilePath) -> Result<(), Error> {
        self.fence.check().map_err(failed)?;
        std::fs::remove_file(path).map_err(|cause| gone(path, cause))?;
        let above = path.ancestors().skip(1);
        for folder in above.take_while(|folder| *folder != self.root.as_path()) {
            if std::fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }
}

/// Writes the file, and returns its ETag. Closing tells what a file system in the network could not keep.
fn write(mut file: File, payload: &PutPayload) -> io::Result<String> {
    for part in payload {
        file.write_all(part)?;
    }
    let etag = etag(&file.metadata()?);
    nix::unistd::close(file)?;
    Ok(etag)
}

/// As object_store tells it.
fn etag(file: &Metadata) -> String {
    let modified = file.modified().ok();
    let modified = modified.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let modified = modified.unwrap_or_default().as_micros();
    format!("\"{:x}-{modified:x}-{:x}\"", file.ino(), file.len())
}

fn failed(cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Generic {
        store: "directory",
        source: cause.into(),
    }
}

/// Is it that a file is not there, at the bottom of it?
fn is_missing(error: &Error) -> bool {
    let mut found = chain(error).filter_map(|cause| cause.downcast_ref::<io::Error>());
    found.any(|cause| cause.kind() == ErrorKind::NotFound)
}

/// A file is not there, or cannot be got at.
fn gone(path: &FilePath, cause: io::Error) -> Error {
    match cause.kind() {
        ErrorKind::NotFound => Error::NotFound {
            path: path.display().to_string(),
            source: cause.into(),
        },
        _ => broken(path, cause),
    }
}

/// Does the system keep this user out, or everybody from writing? What servers say is none of it.
pub(super) fn is_kept_out(error: &Error) -> bool {
    let kept = |cause: &io::Error| {
        matches!(
            cause.kind(),
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
        )
    };
    !is_transport(error)
        && chain(error).any(|cause| match cause.downcast_ref::<PathError>() {
            Some(at) => kept(&at.cause),
            None => cause.downcast_ref::<io::Error>().is_some_and(kept),
        })
}

#[derive(Debug, thiserror::Error)]
#[error("{path}: {cause}", path = .path.display())]
struct PathError {
    path: PathBuf,
    cause: io::Error,
}

pub(super) fn broken(path: &FilePath, cause: io::Error) -> Error {
    let path = path.to_owned();
    failed(PathError { path, cause })
}

impl fmt::Display for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.root.display())
    }
}

#[async_trait]
impl ObjectStore for Directory {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> object_store::Result<PutResult> {
        if matches!(options.mode, PutMode::Update(_)) {
            // It says that there is no such thing.
            return self.files.put_opts(location, payload, options).await;
        }
        let path = self.file(location)?;
        let put = move |directory: &Self| directory.put(&path, &payload, &options.mode);
        Ok(PutResult {
            e_tag: Some(self.change("put", location.as_ref(), put).await?),
            version: None,
            extensions: object_store::Extensions::default(),
        })
    }

    /// For the doctor, whose objects belong to no store.
    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.fence.check().map_err(failed)?;
        self.files.put_multipart_opts(location, options).await
    }

    async fn get_opts(
        &self,
        location: &Path,
        options: GetOptions,
    ) -> object_store::Result<GetResult> {
        self.files.get_opts(location, options).await
    }

    async fn get_ranges(
        &self,
        location: &Path,
        ranges: &[Range<u64>],
    ) -> object_store::Result<Vec<Bytes>> {
        self.files.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        let directory = self.clone();
        let deleted = locations.map_ok(move |location| {
            let directory = directory.clone();
            async move {
                let path = directory.file(&location)?;
                let delete = move |directory: &Self| directory.delete(&path);
                directory
                    .change("delete", location.as_ref(), delete)
                    .await
                    .map(|()| location)
            }
        });
        deleted.try_buffered(DELETES).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.files.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.files.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        self.files.list_with_delimiter(prefix).await
    }

    async fn copy_opts(
        &self,
        from: &Path,
        to: &Path,
        options: CopyOptions,
    ) -> object_store::Result<()> {
        let (from, file) = (self.file(from)?, self.file(to)?);
        let mode = match options.mode {
            CopyMode::Create => PutMode::Create,
            CopyMode::Overwrite => PutMode::Overwrite,
        };
        let copy = move |directory: &Self| directory.copy(&from, &file, &mode);
        self.change("copy", to.as_ref(), copy).await
    }
}

#[cfg(test)]
mod tests {
    use super::super::bucket::Bucket;
    use super::super::conditional::CreateOutcome;
    use super::super::connection::Connection;
    use super::super::error::StoreError;
    use super::super::fence::Moment;
    use super::super::loopback;
    use super::*;
    use crate::events::SilentReporter;
    use std::time::Duration;

    fn is_fenced<T: fmt::Debug>(done: Result<T, StoreError>) -> bool {
        matches!(done.unwrap_err(), StoreError::Fenced { .. })
    }

    #[tokio::test]
    async fn nothing_changes_through_a_closed_fence() {
        let root = tempfile::tempdir().unwrap();
        let connection = Connection::directory(root.path().join("new"));
        let bucket = Bucket::open(connection, Arc::new(SilentReporter)).unwrap();
        let bytes = || Bytes::from_static(b"old");
        assert!(is_fenced(bucket.put("a", bytes()).await));
        let now = Moment::now();
        bucket.fence().extend(now.after(Duration::from_secs(60)));
        bucket.put("a", bytes()).await.unwrap();
        bucket.fence().close();
        assert!(is_fenced(bucket.put("a", Bytes::new()).await));
        assert!(is_fenced(bucket.create("b", bytes()).await));
        assert!(is_fenced(bucket.copy("a", "c").await));
        assert!(is_fenced(bucket.delete("a").await));
        assert_eq!(bucket.list("").await.unwrap(), ["a"]);
        assert_eq!(bucket.get("a").await.unwrap(), bytes());
        let files = std::fs::read_dir(root.path().join("new")).unwrap();
        assert_eq!(files.count(), 1, "no staged file is left");
    }

    #[tokio::test]
    async fn objects_are_put_created_copied_and_deleted() {
        let root = tempfile::tempdir().unwrap();
        let bucket = loopback::directory(&root.path().join("a/b"));
        let put = bucket.put("c/d", Bytes::from_static(b"1")).await.unwrap();
        assert_eq!(put.etag, bucket.stat("c/d").await.unwrap().unwrap().etag);
        let again = bucket.create("c/d", Bytes::from_static(b"2")).await;
        assert_eq!(again.unwrap(), CreateOutcome::Exists);
        bucket.copy("c/d", "e/f").await.unwrap();
        bucket.copy("c/d", "e/f").await.unwrap();
        bucket.put("c/d", Bytes::from_static(b"3")).await.unwrap();
        assert_eq!(bucket.get("e/f").await.unwrap(), "1");
        let missing = bucket.copy("none", "e/g").await.unwrap_err();
        assert!(missing.is_missing(), "{missing}");
        assert!(!root.path().join("a/b/e/g#1").exists());
        let mut listed = bucket.list("").await.unwrap();
        listed.sort();
        assert_eq!(listed, ["c/d", "e/f"]);
        for key in ["c/d", "e/f"] {
            bucket.delete(key).await.unwrap();
        }
        assert!(!root.path().join("a").exists(), "empty folders go");
        assert!(root.path().exists());
    }

    #[test]
    fn one_that_vanishes_while_it_is_opened_is_no_error_and_a_file_is_one() {
        let root = tempfile::tempdir().unwrap();
        let (path, file) = (root.path().join("a/b"), root.path().join("file"));
        let above = path.parent().unwrap();
        let done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            let _vanishing = scope.spawn(|| {
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    std::fs::create_dir_all(&path).unwrap();
                    std::fs::remove_dir(&path).unwrap();
                    std::fs::remove_dir(above).unwrap();
                }
            });
            let opened = (0..20_000).map(|_| Directory::open(&path, &Fence::closed()));
            let opened: Result<Vec<_>, String> = opened.map(|open| open.map(drop)).collect();
            done.store(true, std::sync::atomic::Ordering::Relaxed);
            opened.unwrap();
        });
        std::fs::write(&file, "").unwrap();
        for path in [file.clone(), file.join("a/b")] {
            let said = Directory::open(&path, &Fence::closed()).unwrap_err();
            assert_eq!(said, format!("{} is a file", file.display()));
        }
    }

    #[test]
    fn who_may_not_write_is_told_so_and_a_full_disk_is_another_matter() {
        let root = tempfile::tempdir().unwrap();
        let bucket = loopback::directory(root.path());
        let told = |kind: ErrorKind| {
            let cause = broken(FilePath::new("/a/b"), kind.into());
            bucket.error("b", "writing", &cause)
        };
        for kind in [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem] {
            let said = told(kind);
            assert!(matches!(said, StoreError::Denied { .. }), "{said}");
            assert!(!said.to_string().contains("credentials"), "{said}");
        }
        let full = broken(FilePath::new("/a/b"), io::Error::from_raw_os_error(28));
        assert!(bucket.error("b", "writing", &full).is_full());
        let file = broken(FilePath::new("/a/b"), io::Error::from_raw_os_error(20));
        assert!(bucket.error("b", "writing", &file).is_in_the_way());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn folders_that_vanish_at_any_moment_are_no_errors() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/b/c");
        let many = (0..8).map(|job| {
            let path = path.clone();
            tokio::spawn(async move {
                for round in 0..150 {
                    // Each opens it anew, as a job does.
                    let bucket = loopback::directory(&path);
                    let key = format!("d/{}/{job}", round % 2);
                    let bytes = Bytes::from(format!("{job} {round}"));
                    let created = bucket.create(&key, bytes.clone()).await.unwrap();
                    assert!(matches!(created, CreateOutcome::Created(_)));
                    assert_eq!(bucket.get(&key).await.unwrap(), bytes);
                    bucket.copy(&key, &format!("{key}-copy")).await.unwrap();
                    bucket.list("").await.unwrap();
                    bucket.folder("d").await.unwrap();
                    bucket.delete(&format!("{key}-copy")).await.unwrap();
                    bucket.delete(&key).await.unwrap();
                }
            })
        });
        for job in many.collect::<Vec<_>>() {
            job.await.unwrap();
        }
        let left = loopback::directory(&path).list("").await.unwrap();
        assert!(left.is_empty(), "{left:?}");
    }
}
