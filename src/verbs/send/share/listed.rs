//! The files that all jobs must be given, as they were when the archive was shared out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use super::error::ShareError;
use crate::commit::{SharedArchive, SharedFile};
use crate::error::Error;
use crate::verbs::send::error::SendError;

/// The files as they are now.
///
/// # Errors
/// If one cannot be looked at.
pub(super) fn look_at(paths: &[PathBuf]) -> Result<Vec<SharedFile>, SendError> {
    let look = |path: &PathBuf| {
        let looked = path
            .metadata()
            .and_then(|found| Ok((found.len(), found.modified()?)));
        let (bytes, modified) = looked.map_err(|cause| SendError::File {
            path: path.clone(),
            cause: cause.to_string(),
        })?;
        let modified = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(SharedFile {
            path: path.clone(),
            bytes,
            modified: u64::try_from(modified.as_nanos()).unwrap_or(u64::MAX),
        })
    };
    paths.iter().map(look).collect()
}

/// Checks that `files` are those that `archive` was shared out with, as they were.
///
/// # Errors
/// All that came, went or changed.
pub(super) fn same_files(archive: &SharedArchive, files: &[SharedFile]) -> Result<(), Error> {
    let by_path = |files: &[SharedFile]| -> BTreeMap<PathBuf, SharedFile> {
        let files = files.iter();
        files
            .map(|file| (file.path.clone(), file.clone()))
            .collect()
    };
    let (old, new) = (by_path(&archive.files), by_path(files));
    let paths: BTreeSet<&PathBuf> = old.keys().chain(new.keys()).collect();
    let by = || archive.by.name.clone();
    Error::together(paths.into_iter().filter_map(|path| {
        let path = path.clone();
        match (old.get(&path), new.get(&path)) {
            (Some(old), Some(new)) if old == new => None,
            (Some(old), Some(new)) => Some(changed(archive, old, new)),
            (Some(_), None) => Some(ShareError::GoneFile { path, by: by() }),
            (None, _) => Some(ShareError::NewFile { path, by: by() }),
        }
    }))
}

/// Checks that those of the archive's files that are among `files` are as they were.
///
/// # Errors
/// All that have changed.
pub(super) fn unchanged(archive: &SharedArchive, files: &[SharedFile]) -> Result<(), Error> {
    let known = |file: &SharedFile| archive.files.iter().find(|old| old.path == file.path);
    Error::together(files.iter().filter_map(|new| {
        let old = known(new).filter(|old| *old != new)?;
        Some(changed(archive, old, new))
    }))
}

fn changed(archive: &SharedArchive, old: &SharedFile, new: &SharedFile) -> ShareError {
    ShareError::ChangedFile {
        path: new.path.clone(),
        by: archive.by.name.clone(),
        bytes: new.bytes,
        modified: when(new.modified),
        old_bytes: old.bytes,
        old_modified: when(old.modified),
    }
}

fn when(nanos: u64) -> String {
    humantime::format_rfc3339_micros(UNIX_EPOCH + Duration::from_nanos(nanos)).to_string()
}
