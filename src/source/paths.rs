//! From what the user names to files: paths, directories and quoted patterns.

use std::path::{Path, PathBuf};

use glob::Pattern;
use msm_model::Problems;

use super::error::SourceError;

/// What the files of a directory that are NetCDF end with.
const ENDINGS: [&str; 3] = ["nc", "nc4", "cdf"];

/// The files that `named` stands for: a directory for the NetCDF files in it, not below it; what does not
/// exist and has one of `*?[` for the files that match.
///
/// # Errors
/// All that is wrong: a directory without NetCDF files, a pattern that nothing matches or that is malformed.
pub(crate) fn expand(named: &[PathBuf]) -> Result<Vec<PathBuf>, Problems<SourceError>> {
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    for path in named {
        let expanded = if path.is_dir() {
            directory(path)
        } else if !path.exists() && is_pattern(path) {
            pattern(path)
        } else {
            Ok(vec![path.clone()])
        };
        match expanded {
            Ok(expanded) => files.extend(expanded),
            Err(problem) => problems.push(problem),
        }
    }
    Problems::together(problems)?;
    Ok(files)
}

fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '['])
}

fn directory(path: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let missing = |cause: std::io::Error| SourceError::Missing {
        path: path.to_owned(),
        cause: cause.to_string(),
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(missing)? {
        let file = entry.map_err(missing)?.path();
        let ending = file.extension().and_then(|e| e.to_str());
        if ending.is_some_and(|e| ENDINGS.contains(&e)) && file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(SourceError::NoFiles {
            path: path.to_owned(),
            problem: format!(
                "is a directory without files that end in .{}",
                ENDINGS.join(", .")
            ),
        });
    }
    Ok(files)
}

fn pattern(path: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let no_files = |problem: String| SourceError::NoFiles {
        path: path.to_owned(),
        problem,
    };
    let mut found = vec![PathBuf::new()];
    for component in path.components() {
        let name = Path::new(&component);
        if !is_pattern(name) {
            for path in &mut found {
                path.push(name);
            }
            continue;
        }
        let pattern = Pattern::new(&name.to_string_lossy())
            .map_err(|cause| no_files(format!("is no pattern: {cause}")))?;
        let mut next = Vec::new();
        for directory in found {
            if pattern.as_str() == "**" {
                descend(directory, &mut next)?;
            } else {
                // A name that is not UTF-8 matches as it is shown.
                let names = entries(&directory)?.into_iter();
                next.extend(names.filter(|path| {
                    let name = path.file_name().unwrap_or_default();
                    pattern.matches(&name.to_string_lossy())
                }));
            }
        }
        found = next;
    }
    let mut files: Vec<PathBuf> = found.into_iter().filter(|path| path.is_file()).collect();
    files.sort();
    files.dedup();
    if files.is_empty() {
        return Err(no_files("matches no file".to_owned()));
    }
    Ok(files)
}

/// What lies in `directory`, in order; nothing if it is none.
fn entries(directory: &Path) -> Result<Vec<PathBuf>, SourceError> {
    let here = if directory.as_os_str().is_empty() {
        Path::new(".")
    } else {
        directory
    };
    if !here.is_dir() {
        return Ok(Vec::new());
    }
    let read = std::fs::read_dir(here).and_then(|read| {
        read.map(|entry| Ok(directory.join(entry?.file_name())))
            .collect::<Result<Vec<PathBuf>, _>>()
    });
    let mut entries = read.map_err(|cause| SourceError::Missing {
        path: here.to_owned(),
        cause: cause.to_string(),
    })?;
    entries.sort();
    Ok(entries)
}

/// Adds `directory` and all below it, not beyond links.
fn descend(directory: PathBuf, all: &mut Vec<PathBuf>) -> Result<(), SourceError> {
    for path in entries(&directory)? {
        if path.is_dir() && !path.is_symlink() {
            descend(path, all)?;
        }
    }
    all.push(directory);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn directories_patterns_and_files() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for name in ["b.nc", "a.nc", "a[1].nc", "notes.txt"] {
            std::fs::write(at(name), "").unwrap();
        }
        std::fs::create_dir(at("empty")).unwrap();
        let names = |named: &[&str]| {
            let named: Vec<PathBuf> = named.iter().map(|name| at(name)).collect();
            expand(&named).map(|files| {
                let name = |f: &PathBuf| f.file_name().unwrap().to_str().unwrap().to_owned();
                files.iter().map(name).collect::<Vec<_>>()
            })
        };
        assert_eq!(names(&["b.nc", "a.nc"]).unwrap(), ["b.nc", "a.nc"]);
        assert_eq!(names(&[""]).unwrap(), ["a.nc", "a[1].nc", "b.nc"]);
        assert_eq!(names(&["?.nc"]).unwrap(), ["a.nc", "b.nc"]);
        // A file of that name wins over the pattern.
        assert_eq!(names(&["a[1].nc"]).unwrap(), ["a[1].nc"]);
        // What is no pattern and does not exist is for the reader to refuse.
        assert_eq!(names(&["none.nc"]).unwrap(), ["none.nc"]);
        std::fs::create_dir_all(at("deep/er")).unwrap();
        std::fs::write(at("deep/er/c.nc"), "").unwrap();
        std::fs::write(at("deep/d.nc"), "").unwrap();
        assert_eq!(names(&["*/*/c.nc"]).unwrap(), ["c.nc"]);
        assert_eq!(names(&["deep/**/*.nc"]).unwrap(), ["d.nc", "c.nc"]);
        let wrong = names(&["empty", "none*.nc", "[.nc", "a.nc"]).unwrap_err();
        assert!(wrong.to_string().starts_with("3 problems"), "{wrong}");
    }
    #[test]
    fn names_that_are_not_utf_8() {
        let root = tempfile::tempdir().unwrap();
        let odd = root.path().join(OsStr::from_bytes(b"caf\xe9_1.nc"));
        std::fs::write(&odd, "").unwrap();
        std::fs::write(root.path().join("cafe_2.nc"), "").unwrap();
        for (named, count) in [
            (&b""[..], 2),
            (b"caf*.nc", 2),
            (b"caf?_1.nc", 1),
            (b"caf\xe9*", 1),
        ] {
            let named = root.path().join(OsStr::from_bytes(named));
            let found = expand(&[named]).unwrap();
            assert_eq!(found.len(), count);
            assert!(found.contains(&odd));
        }
    }
}
