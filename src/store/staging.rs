//! A file on its way to become an object of a directory.
//!
//! Key type: [`Staged`].

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use object_store::Error;

use super::directory::broken;

/// How often a folder is made again that others remove because it is empty.
const TRIES: u32 = 1000;

/// A file beside the object that it is to be, by a name that listings leave out.
pub(super) struct Staged {
    /// Where it is.
    pub file: PathBuf,
    /// The folders that were made for it, each within the one behind it.
    folders: Vec<PathBuf>,
}

impl Staged {
    /// Makes a file beside `path` with `make`, and the folders it is in. Where that fails, none of them is left.
    pub(super) fn make<T>(
        path: &Path,
        make: impl Fn(&Path) -> io::Result<T>,
    ) -> Result<(T, Self), Error> {
        let mut staged = Self {
            file: PathBuf::new(),
            folders: Vec::new(),
        };
        let (mut number, mut tries) = (1, 0);
        loop {
            let mut name = path.as_os_str().to_owned();
            name.push(format!("#{number}"));
            staged.file = PathBuf::from(name);
            let failure = match make(&staged.file) {
                Ok(made) => return Ok((made, staged)),
                Err(cause) if cause.kind() == ErrorKind::AlreadyExists => {
                    number += 1;
                    continue;
                }
                // No folder; or another job has just removed it, as empty.
                Err(cause) if cause.kind() == ErrorKind::NotFound && tries < TRIES => {
                    tries += 1;
                    let folder = path.parent().unwrap_or(Path::new("/"));
                    // Others may remove it while it is made, or between being told that it is there and looking.
                    let vanished = [ErrorKind::NotFound, ErrorKind::AlreadyExists];
                    match staged.make_folder(folder) {
                        Err(cause) if !vanished.contains(&cause.kind()) => broken(folder, cause),
                        _ => continue,
                    }
                }
                Err(cause) => broken(path, cause),
            };
            staged.remove_folders();
            return Err(failure);
        }
    }

    /// Makes `folder` and those above it, and remembers those that were not there.
    fn make_folder(&mut self, folder: &Path) -> io::Result<()> {
        let missing = folder.ancestors().take_while(|folder| !folder.exists());
        let missing: Vec<PathBuf> = missing.map(Path::to_owned).collect();
        if missing.len() > self.folders.len() {
            self.folders = missing;
        }
        std::fs::create_dir_all(folder)
    }

    /// It does not become an object: takes it away, and the folders that are empty without it.
    pub(super) fn discard(self) {
        let _ = std::fs::remove_file(&self.file);
        self.remove_folders();
    }

    fn remove_folders(&self) {
        for folder in &self.folders {
            if let Err(cause) = std::fs::remove_dir(folder)
                && cause.kind() != ErrorKind::NotFound
            {
                // Others are at work in it.
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::conditional::CreateOutcome;
    use super::super::loopback;
    use super::*;

    /// A full disk, an object whose name is too long, or a place where a folder is: no empty folder is left.
    #[tokio::test]
    async fn what_fails_leaves_no_folders() {
        let root = tempfile::tempdir().unwrap();
        let bucket = loopback::directory(&root.path().join("a/b"));
        let too_long = format!("c/d/{}", "x".repeat(300));
        assert!(bucket.put(&too_long, "1".into()).await.is_err());
        let created = bucket.create(&too_long, "1".into()).await;
        assert!(!matches!(created, Ok(CreateOutcome::Created(_))));
        assert!(!root.path().join("a").exists());
        bucket.put("c/e", "1".into()).await.unwrap();
        assert!(bucket.copy("c/e", &too_long).await.is_err());
        assert!(bucket.put("c/e/f/g", "1".into()).await.is_err());
        assert!(bucket.put("c", "1".into()).await.is_err());
        assert_eq!(bucket.list("").await.unwrap(), ["c/e"]);
        assert!(!root.path().join("a/b/c/d").exists());
    }

    #[test]
    fn a_file_that_does_not_become_an_object_goes_with_its_folders() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a/b/c");
        let make = |path: &Path| std::fs::write(path, "half");
        let ((), first) = Staged::make(&path, make).unwrap();
        let new = |path: &Path| std::fs::File::create_new(path).map(|_| ());
        let ((), second) = Staged::make(&path, new).unwrap();
        assert_ne!(first.file, second.file);
        first.discard();
        assert!(second.file.exists(), "another's stays");
        second.discard();
        // Whose folders they are is not known to the second.
        assert!(root.path().join("a/b").exists());
        let ((), third) = Staged::make(&root.path().join("d/e/f"), make).unwrap();
        third.discard();
        assert!(!root.path().join("d").exists());
        assert!(root.path().exists());
    }
}
