//! What all jobs that send an archive must have asked alike, and the same files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use super::error::ShareError;
use crate::commit::{SharedArchive, SharedFile};
use crate::error::Error;
use crate::verbs::send::error::SendError;
use crate::verbs::send::intent::Intent;

/// What was asked, by the names of flags.
pub(super) fn settings(intent: &Intent<'_>) -> BTreeMap<String, String> {
    let (files, task, arrays) = (intent.files, &intent.task, &intent.arrays);
    let spoken = [
        ("--variables", format!("{:?}", files.selection)),
        ("--prefix or --store", format!("{:?}", files.spot)),
        ("--append_dim", files.append_dimension.clone()),
        ("--chunk_strategy", format!("{:?}", arrays.chunks.0)),
        ("--shards", format!("{:?}", arrays.shards.0)),
        ("--zarr-version", format!("{:?}", arrays.version)),
        ("--codec", format!("{:?}", arrays.codec)),
        (
            "--attributes",
            serde_json::Value::from(task.attributes.clone()).to_string(),
        ),
        ("--repair-attributes", task.repair_attributes.to_string()),
        ("--coords-tolerance", task.tolerance.to_string()),
        ("--grid-filepath", format!("{:?}", files.domain)),
        ("--reproject", format!("{:?}", files.reprojection)),
        ("--lock-dir", format!("{:?}", files.leasing.lock_dir)),
    ];
    let spoken = spoken.into_iter();
    spoken
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

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

/// Checks that the same was asked, for the same `stores`.
///
/// # Errors
/// Everything that differs.
pub(super) fn same_request(
    archive: &SharedArchive,
    settings: &BTreeMap<String, String>,
    stores: &[String],
) -> Result<(), Error> {
    let by = || archive.by.name.clone();
    let absent = || "not known".to_owned();
    let names: BTreeSet<&String> = archive.settings.keys().chain(settings.keys()).collect();
    let differing = names.into_iter().filter_map(|name| {
        let (found, expected) = (settings.get(name), archive.settings.get(name));
        (found != expected).then(|| ShareError::Settings {
            setting: name.clone(),
            found: found.cloned().unwrap_or_else(absent),
            expected: expected.cloned().unwrap_or_else(absent),
            by: by(),
        })
    });
    Error::together(differing)?;
    let of = |all: &[String]| all.iter().cloned().collect::<BTreeSet<String>>();
    let (asked, shared) = (of(stores), of(archive.stores()));
    Error::together(
        asked
            .symmetric_difference(&shared)
            .map(|store| ShareError::Stores {
                store: store.clone(),
                stores: archive.stores().to_vec(),
                by: by(),
            }),
    )
}

fn when(nanos: u64) -> String {
    humantime::format_rfc3339_micros(UNIX_EPOCH + Duration::from_nanos(nanos)).to_string()
}
