//! Files that are written whole or not at all: what was there before stays then.
//!
//! Key functions: [`can_be_written`]; [`write`].

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::own_file::is_replaceable;

/// Can a file be written at `path`? Folders above it are not made, nothing is changed to find it out, and what is there is not replaced but
/// by its like.
///
/// # Errors
/// If not, why.
pub(super) fn can_be_written(path: &Path) -> Result<(), String> {
    let folder = folder(path);
    if !folder.is_dir() {
        return Err(format!("there is no folder {}", folder.display()));
    }
    if path.file_name().is_none() || path.is_dir() {
        return Err("it is a folder".to_owned());
    }
    let tried = match fs::metadata(path) {
        // Nothing is found out of a pipe without its reader.
        Ok(found) if !found.is_file() => return Ok(()),
        Ok(_) => OpenOptions::new().write(true).open(path).map(drop),
        Err(_) => Ok(()),
    };
    let tried = tried.and_then(|()| draft(path).map(drop));
    tried.map_err(|cause| format!("it cannot be written: {cause}"))?;
    match is_replaceable(path) {
        Ok(false) => Err(
            "it is there, and nothing that this program writes: move it away, or name another file"
                .to_owned(),
        ),
        // Who may write it need not read it.
        Ok(true) | Err(_) => Ok(()),
    }
}

/// Writes `contents` at `path`: beside it at first, then it is renamed.
///
/// # Errors
/// If it cannot be written.
pub(super) fn write(path: &Path, contents: &[u8]) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return fs::write(path, contents);
    }
    let (mut draft, path) = draft(path)?;
    draft.as_file_mut().write_all(contents)?;
    draft.as_file().sync_all()?;
    draft.persist(path)?;
    Ok(())
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => path,
    }
}

/// What a file at `path` is written as at first, in the same folder. It is gone when it is dropped.
fn draft(path: &Path) -> io::Result<(NamedTempFile, PathBuf)> {
    let found = fs::metadata(path).map(|found| found.permissions());
    // A link stays one.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut options = tempfile::Builder::new();
    let options = options.permissions(found.unwrap_or(Permissions::from_mode(0o666)));
    let draft = options.tempfile_in(folder(&path));
    // The name of a draft tells nobody anything.
    Ok((draft.map_err(|cause| cause.kind())?, path))
}
