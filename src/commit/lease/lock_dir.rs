//! Leases as locked files of a directory that all jobs share: for servers without conditional writes, where the cluster's
//! file system knows locks. The kernel frees them when the process ends, however it ends.
//!
//! Key type: [`Lock`].

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use url::form_urlencoded;

use super::error::{LeaseError, ReleaseError};
use super::holder::Holder;

/// Characters of a file's name; more would not fit everywhere.
const LONGEST: usize = 200;

/// The locked file of one store. The file itself stays when the lock goes: another may just be opening it, and would then
/// lock a file that nobody else finds.
pub(super) struct Lock {
    store: String,
    path: PathBuf,
    file: File,
}

impl Lock {
    /// Locks the file of `store` in `dir`; the other holder, as far as the file names it, if it is locked.
    ///
    /// # Errors
    /// If the directory cannot be written, or its file system has no locks.
    pub(super) fn attempt(
        dir: &Path,
        place: &str,
        store: &str,
        holder: &Holder,
    ) -> Result<Result<Self, Option<Holder>>, LeaseError> {
        let path = dir.join(file_name(&format!("{place}/{store}")));
        let failed = |cause: io::Error| LeaseError::LockDir {
            path: path.clone(),
            cause: cause.to_string(),
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Half written, or not text: then the holder has no name yet.
                let _ = file.read_to_string(&mut text);
                return Ok(Err(serde_json::from_str(&text).ok()));
            }
            Err(TryLockError::Error(cause)) => return Err(failed(cause)),
        }
        let text = serde_json::to_vec(holder).map_err(|cause| failed(cause.into()))?;
        file.set_len(0).map_err(failed)?;
        file.write_all(&text).map_err(failed)?;
        Ok(Ok(Self {
            store: store.to_owned(),
            path,
            file,
        }))
    }

    /// The key of the store that the file is locked for, whose lease is lost with it.
    pub(super) fn store(&self) -> &str {
        &self.store
    }

    /// Is the locked file still the one that others find?
    ///
    /// # Errors
    /// Why not.
    pub(super) fn check(&self) -> Result<(), String> {
        let same = || -> io::Result<bool> {
            let (ours, found) = (self.file.metadata()?, self.path.metadata()?);
            Ok((ours.dev(), ours.ino()) == (found.dev(), found.ino()))
        };
        match same() {
            Ok(true) => Ok(()),
            Ok(false) => Err(format!("{} was replaced", self.path.display())),
            Err(cause) => Err(format!("{}: {cause}", self.path.display())),
        }
    }

    /// Gives it up.
    ///
    /// # Errors
    /// If the file system refuses.
    pub(super) fn release(mut self) -> Result<(), ReleaseError> {
        let emptied = self.file.rewind().and_then(|()| self.file.set_len(0));
        let unlocked = self.file.unlock();
        let released = emptied.and(unlocked);
        released.map_err(|cause| ReleaseError::Lock {
            path: self.path,
            cause: cause.to_string(),
        })
    }
}

/// A file name for `text`: what is not a plain character is spelt out, and what is too long ends in a digest.
fn file_name(text: &str) -> String {
    let mut name: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    if name.len() > LONGEST {
        name.truncate(LONGEST - 33);
        name = format!("{name}-{}", HEXLOWER.encode(&Md5::digest(text)));
    }
    format!("{name}.lock")
}

#[cfg(test)]
mod tests {
    use super::super::holder::tests::elsewhere;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_of_two_gets_the_lock_and_the_other_reads_who_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let holder = elsewhere();
        let attempt = |store| Lock::attempt(dir.path(), "s3://ocean", store, &holder).unwrap();
        let lock = attempt("tos.zarr").ok().unwrap();
        assert_eq!(attempt("tos.zarr").err(), Some(Some(holder.clone())));
        assert!(attempt("sos.zarr").is_ok());
        lock.check().unwrap();
        lock.release().unwrap();
        let lock = attempt("tos.zarr").ok().unwrap();
        std::fs::remove_file(&lock.path).unwrap();
        assert!(lock.check().is_err());
        std::fs::write(&lock.path, "").unwrap();
        assert!(lock.check().unwrap_err().contains("was replaced"));
    }

    #[test]
    fn a_directory_that_is_not_there_is_named() {
        let failure = Lock::attempt(Path::new("/nowhere"), "p", "s", &elsewhere())
            .err()
            .unwrap();
        assert!(
            failure.to_string().contains("/nowhere/p%2Fs.lock"),
            "{failure}"
        );
    }

    proptest! {
        #[test]
        fn names_are_names_and_differ(a in ".{0,300}", b in ".{0,300}") {
            for text in [&a, &b] {
                let name = file_name(text);
                prop_assert!(name.len() <= LONGEST + 5 && !name.contains('/'));
            }
            prop_assert_eq!(a == b, file_name(&a) == file_name(&b));
        }
    }
}
