//! What a directory has besides objects: files that a dead job staged and did not publish, which listings leave out, and
//! symbolic links to other directories, which listings follow. A server has neither.
//!
//! Key types: [`StagedFile`]; [`DirectoryLink`].

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use walkdir::WalkDir;

use super::bucket::Bucket;
use super::error::StoreError;

/// A file that was to become an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StagedFile {
    /// Where it is.
    pub path: PathBuf,
    /// The key of the object.
    pub of: String,
    /// When it was last written.
    pub modified: SystemTime,
}

/// A symbolic link to a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DirectoryLink {
    /// The key that it would have as an object.
    pub key: String,
    /// Where it is.
    pub path: PathBuf,
    /// Where it leads to.
    pub to: PathBuf,
}

impl Bucket {
    /// The files staged in the folder `below`, and in those within it.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub(crate) async fn staged(&self, below: &str) -> Result<Vec<StagedFile>, StoreError> {
        self.walk(below, |path, key| {
            let (of, number) = key.rsplit_once('#')?;
            let is_number = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
            let file = path.symlink_metadata().ok().filter(|_| is_number)?;
            Some(StagedFile {
                path: path.to_owned(),
                of: of.to_owned(),
                modified: file.modified().ok().filter(|_| file.is_file())?,
            })
        })
        .await
    }

    /// The links to directories in the folder `below`, in those within it, and on the way there from the bucket's directory.
    ///
    /// # Errors
    /// If the directory cannot be read.
    pub(crate) async fn links(&self, below: &str) -> Result<Vec<DirectoryLink>, StoreError> {
        let link = |path: &Path, key: &str| {
            let is_link = path.symlink_metadata().ok()?.is_symlink() && path.is_dir();
            is_link.then(|| DirectoryLink {
                key: key.to_owned(),
                path: path.to_owned(),
                to: std::fs::read_link(path).unwrap_or_default(),
            })
        };
        let mut links = self.walk(below, link).await?;
        let Some((directory, base)) = self.directory() else {
            return Ok(links);
        };
        let mut folder = below;
        while !folder.is_empty() {
            let path = directory.root().join(base).join(folder);
            links.extend(link(&path, folder));
            folder = folder.rsplit_once('/').map_or("", |(folder, _)| folder);
        }
        Ok(links)
    }

    /// Removes a staged file, or a link, and the folders that become empty.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub(crate) async fn clear_away(&self, path: &Path) -> Result<(), StoreError> {
        let Some((directory, _)) = self.directory() else {
            return Ok(());
        };
        match directory.clear_away(path.to_owned()).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(cause) => Err(self.error(&path.display().to_string(), "deleting", &cause)),
        }
    }

    /// What `pick` makes of the files, folders and links in the folder `below`, told by their paths and keys.
    async fn walk<T: Send + 'static>(
        &self,
        below: &str,
        pick: impl Fn(&Path, &str) -> Option<T> + Send + 'static,
    ) -> Result<Vec<T>, StoreError> {
        let Some((directory, base)) = self.directory() else {
            return Ok(Vec::new());
        };
        let top = directory.root().join(base);
        let folder = top.join(below);
        let failed = |cause: String| StoreError::Failed {
            place: self.place().to_owned(),
            key: below.to_owned(),
            action: "looking through".into(),
            cause,
        };
        let walked = tokio::task::spawn_blocking(move || {
            let mut found = Vec::new();
            for entry in WalkDir::new(folder).min_depth(1) {
                match entry {
                    Ok(entry) => {
                        let key = entry.path().strip_prefix(&top).ok();
                        let picked = key.and_then(Path::to_str);
                        found.extend(picked.and_then(|key| pick(entry.path(), key)));
                    }
                    // Others remove what becomes empty.
                    Err(cause) if is_gone(&cause) => {}
                    Err(cause) => return Err(cause.to_string()),
                }
            }
            Ok(found)
        });
        let walked = walked.await.map_err(|cause| failed(cause.to_string()))?;
        walked.map_err(failed)
    }
}

fn is_gone(cause: &walkdir::Error) -> bool {
    let kind = cause.io_error().map(std::io::Error::kind);
    kind == Some(std::io::ErrorKind::NotFound)
}

#[cfg(test)]
mod tests {
    use super::super::loopback;

    #[tokio::test]
    async fn what_is_staged_and_what_is_linked() {
        let (root, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let bucket = loopback::directory(&root.path().join("a"));
        bucket.put("b/c/0", "1".into()).await.unwrap();
        let folder = root.path().join("a/b");
        for name in ["c/1#1", "c/0#12", "c/#", "c/x#y"] {
            std::fs::write(folder.join(name), "half").unwrap();
        }
        std::fs::write(other.path().join("precious#1"), "all").unwrap();
        std::os::unix::fs::symlink(other.path(), folder.join("link")).unwrap();
        let staged = bucket.staged("b").await.unwrap();
        let mut of: Vec<&str> = staged.iter().map(|staged| staged.of.as_str()).collect();
        of.sort_unstable();
        assert_eq!(of, ["b/c/0", "b/c/1"]);
        let links = bucket.links("b").await.unwrap();
        assert_eq!(links.len(), 1, "{links:?}");
        assert_eq!(
            (links[0].key.as_str(), &*links[0].to),
            ("b/link", other.path())
        );
        // On the way, too.
        assert_eq!(bucket.links("b/link").await.unwrap(), links);
        assert_eq!(bucket.links("b/c").await.unwrap(), []);
        for staged in staged {
            bucket.clear_away(&staged.path).await.unwrap();
        }
        bucket.clear_away(&links[0].path).await.unwrap();
        assert_eq!(bucket.staged("b").await.unwrap(), []);
        assert_eq!(bucket.links("").await.unwrap(), []);
        assert!(other.path().join("precious#1").exists());
    }
}
