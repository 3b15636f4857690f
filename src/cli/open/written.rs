//! What was asked for as files, such as catalogues: where they may lie, and how they get there.
//!
//! Key functions: [`is_place`]; [`collection`]; [`file`].

use std::fs;
use std::io;
use std::path::Path;

use super::stac::StacFiles;
use super::stale::Stale;
use crate::cli::error::CliError;
use crate::cli::own_file::OwnFile;
use crate::cli::whole_file;
use crate::cli::words::counted;

/// Can a file be written at `path`? Folders above it are not made.
///
/// # Errors
/// If not, why.
pub(in crate::cli) fn is_place(flag: &str, path: &Path) -> Result<(), CliError> {
    let these: &[OwnFile] = match flag {
        "--stac" => &[OwnFile::Stac],
        "--intake" => &[OwnFile::Intake],
        _ => &[OwnFile::Picture, OwnFile::Page],
    };
    whole_file::can_be_written(path, these).map_err(|problem| CliError::CataloguePlace {
        flag: flag.to_owned(),
        path: path.to_owned(),
        problem,
    })
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
    whole_file::write(path, contents.as_ref()).map_err(|cause| failed(flag, path, &cause))
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
    use std::os::unix::fs::PermissionsExt;

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
