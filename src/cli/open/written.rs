//! Catalogues as files: where they may lie, and how they get there.
//!
//! Key functions: [`is_place`]; [`collection`]; [`file`].

use std::fs;
use std::path::Path;

use super::stac::StacFiles;
use super::stale::Stale;
use crate::cli::error::CliError;
use crate::cli::words::counted;

/// Can a catalogue lie at `path`? Folders above it are not made.
///
/// # Errors
/// If not, why.
pub(in crate::cli) fn is_place(flag: &str, path: &Path) -> Result<(), CliError> {
    let folder = match path.parent() {
        Some(folder) if folder.as_os_str().is_empty() => Path::new("."),
        Some(folder) => folder,
        None => path,
    };
    let problem = if !folder.is_dir() {
        format!("there is no folder {}", folder.display())
    } else if path.file_name().is_none() || path.is_dir() {
        "it is a folder".to_owned()
    } else {
        return Ok(());
    };
    Err(CliError::CataloguePlace {
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
    let failed = |path: &Path, cause: &std::io::Error| failed(flag, path, cause);
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

/// Writes `text` at `path`.
///
/// # Errors
/// If it cannot be written.
pub(in crate::cli) fn file(flag: &str, path: &Path, text: &str) -> Result<(), CliError> {
    fs::write(path, text).map_err(|cause| failed(flag, path, &cause))
}

fn failed(flag: &str, path: &Path, cause: &std::io::Error) -> CliError {
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
        assert_eq!(is_place("--stac", Path::new("x.json")), Ok(()));
    }
}
