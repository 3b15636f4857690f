//! Files that are written whole or not at all: what was there before stays then.
//!
//! Key functions: [`can_be_written`]; [`write`].

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::own_file::{OwnFile, is_one_of};

/// Can a file be written at `path`, where only one of `these` is replaced? Folders above it are not made, and nothing is changed to find it
/// out.
///
/// # Errors
/// If not, why.
pub(super) fn can_be_written(path: &Path, these: &[OwnFile]) -> Result<(), String> {
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
    if goes_to_standard_output(path) {
        return Err("what is printed goes there, too".to_owned());
    }
    match is_one_of(path, these) {
        Ok(false) => {
            Err("it is there, and no such file as this program writes: move it away".to_owned())
        }
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

/// Is `path` the file that standard output or standard error is written to?
fn goes_to_standard_output(path: &Path) -> bool {
    let of = |stream: BorrowedFd<'_>| {
        let file = stream.try_clone_to_owned().map(File::from);
        let found = file.and_then(|file| file.metadata());
        found.map(|found| (found.dev(), found.ino())).ok()
    };
    let named = fs::metadata(path).map(|found| (found.dev(), found.ino()));
    let streams = [of(io::stdout().as_fd()), of(io::stderr().as_fd())];
    named.is_ok_and(|named| streams.contains(&Some(named)))
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
    let given = path;
    let found = fs::metadata(path).map(|found| found.permissions());
    // A link stays one, and so does one to what is not there yet.
    let linked = || fs::read_link(path).map(|to| folder(path).join(to));
    let path = path.canonicalize().or_else(|_| linked());
    let path = path.unwrap_or_else(|_| given.to_owned());
    let mut options = tempfile::Builder::new();
    let options = options.permissions(found.unwrap_or(Permissions::from_mode(0o666)));
    let draft = options.tempfile_in(folder(&path));
    // The name of a draft tells nobody anything.
    Ok((draft.map_err(|cause| cause.kind())?, path))
}
