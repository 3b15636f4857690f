//! What was asked for as files, such as catalogues: where they may lie, and how they get there.
//!
//! Key functions: [`is_place`]; [`collection`]; [`file`].

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::stac::StacFiles;
use super::stale::Stale;
use crate::cli::error::CliError;
use crate::cli::words::counted;

/// Can a file be written at `path`? Folders above it are not made.
///
/// # Errors
/// If not, why.
pub(in crate::cli) fn is_place(flag: &str, path: &Path) -> Result<(), CliError> {
    let folder = folder(path);
    let problem = if !folder.is_dir() {
        format!("there is no folder {}", folder.display())
    } else if path.file_name().is_none() || path.is_dir() {
        "it is a folder".to_owned()
    } else {
        match can_be_written(path) {
            Ok(()) => return Ok(()),
            Err(cause) => format!("it cannot be written: {cause}"),
        }
    };
    Err(CliError::CataloguePlace {
        flag: flag.to_owned(),
        path: path.to_owned(),
        problem,
    })
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => path,
    }
}

/// Changes nothing to find it out.
fn can_be_written(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        // Nothing is found out of a pipe without its reader.
        Ok(found) if !found.is_file() => return Ok(()),
        Ok(_) => drop(OpenOptions::new().write(true).open(path)?),
        Err(_) => {}
    }
    draft(path).map(drop)
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

/// Writes the items, then the collection at `path` that links to them; then removes items that it links to no more. Returns what the
/// user should know.
///
/// # Errors
/// If a file cannot be written or removed.
pub(in crate::cli) fn collection(
    flag: &str,
    files: &StacFiles,
    path: &Path,
) -> Result<Vec<String>, CliError> {
    let failed = |path: &Path, cause: &io::Error| failed(flag, path, cause);
    let stale = Stale::before(files, path).map_err(|cause| failed(&files.folder, &cause))?;
    match fs::create_dir(&files.folder) {
        Err(_) if files.folder.is_dir() => {}
        made => made.map_err(|cause| failed(&files.folder, &cause))?,
    }
    for (path, document) in files.documents.iter().rev() {
        file(flag, path, &format!("{document:#}\n"))?;
    }
    for path in &stale.paths {
        fs::remove_file(path).map_err(|cause| failed(path, &cause))?;
    }
    let mut notes = files.notes.clone();
    notes.push(format!(
        "wrote the STAC collection {} and {} of it into {}",
        path.display(),
        counted(files.documents.len() - 1, "items"),
        files.folder.display()
    ));
    if !stale.paths.is_empty() {
        notes.push(format!(
            "removed {} from there that the collection does not have any more",
            counted(stale.paths.len(), "items")
        ));
    }
    Ok(notes)
}

/// Writes `contents` at `path`, whole or not at all: what was there before stays then.
///
/// # Errors
/// If it cannot be written.
pub(in crate::cli) fn file(
    flag: &str,
    path: &Path,
    contents: &(impl AsRef<[u8]> + ?Sized),
) -> Result<(), CliError> {
    whole(path, contents.as_ref()).map_err(|cause| failed(flag, path, &cause))
}

fn whole(path: &Path, contents: &[u8]) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return fs::write(path, contents);
    }
    let (mut draft, path) = draft(path)?;
    draft.as_file_mut().write_all(contents)?;
    draft.as_file().sync_all()?;
    draft.persist(path)?;
    Ok(())
}

fn failed(flag: &str, path: &Path, cause: &io::Error) -> CliError {
    CliError::Catalogue {
        flag: flag.to_owned(),
        path: path.to_owned(),
        cause: cause.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_catalogue_lies_in_a_folder_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path();
        for (name, expected) in [
            ("x.json", None),
            ("no/x.json", Some("there is no folder")),
            ("", Some("it is a folder")),
            ("..", Some("it is a folder")),
        ] {
            let found = is_place("--stac", &top.join(name)).map_err(|error| error.to_string());
            match (expected, found) {
                (None, found) => assert_eq!(found, Ok(()), "{name}"),
                (Some(expected), found) => {
                    assert!(found.unwrap_err().contains(expected), "{name}");
                }
            }
        }
        assert!(!top.join("no").exists());
        assert_eq!(fs::read_dir(top).unwrap().count(), 0);
        assert_eq!(is_place("--stac", Path::new("x.json")), Ok(()));
    }

    #[test]
    fn a_file_is_written_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let names = || fs::read_dir(folder.path()).unwrap().count();
        let [path, link, full] = ["a", "b", "c"].map(|name| folder.path().join(name));
        file("-o", &path, "one").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let beside = folder.path().join("d");
        fs::write(&beside, "").unwrap();
        assert_eq!(mode(&path), mode(&beside));
        std::os::unix::fs::symlink(&path, &link).unwrap();
        file("-o", &link, "two").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "two");
        assert!(link.is_symlink());
        // A device stays one.
        std::os::unix::fs::symlink("/dev/full", &full).unwrap();
        assert_eq!(is_place("-o", &full), Ok(()));
        let failed = file("-o", &full, "three").unwrap_err();
        assert_eq!(
            crate::cli::Exit::from(&failed),
            crate::cli::Exit::FileNotWritten
        );
        let said = failed.to_string();
        assert!(said.contains(full.to_str().unwrap()), "{said}");
        assert!(said.contains("No space left"), "{said}");
        assert_eq!(names(), 4);
    }
}
