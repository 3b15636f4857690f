//! The file of a report: found to be writable before the work begins, and written whole or not at all.
//!
//! Key type: [`ReportFile`].

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::merge::Merged;
use super::page::{is_page, page};
use crate::cli::error::CliError;

/// Where a report goes.
#[derive(Debug)]
pub(super) struct ReportFile {
    /// As it was typed.
    named: PathBuf,
    /// What that leads to.
    path: PathBuf,
    /// What is written first, beside it.
    draft: PathBuf,
}

impl ReportFile {
    /// The file at `named`, if a file can be made there.
    ///
    /// # Errors
    /// If not, why.
    pub(super) fn at(named: &Path) -> Result<Self, CliError> {
        let wrong = |cause: String| CliError::ReportPlace {
            path: named.to_owned(),
            cause,
        };
        let path = match fs::metadata(named) {
            Ok(found) if !found.is_file() => {
                return Err(wrong("is there, and no file".to_owned()));
            }
            // A link stays one.
            Ok(_) => named
                .canonicalize()
                .map_err(|cause| wrong(cause.to_string()))?,
            Err(_) => named.to_owned(),
        };
        let Some(name) = path.file_name() else {
            return Err(wrong("is no file's name".to_owned()));
        };
        let mut draft = std::ffi::OsString::from(".");
        draft.push(name);
        draft.push(format!(".{}", std::process::id()));
        let file = Self {
            draft: path.with_file_name(draft),
            named: named.to_owned(),
            path,
        };
        file.drafted(&[])
            .map_err(|cause| wrong(cause.to_string()))?;
        let _ = fs::remove_file(&file.draft);
        Ok(file)
    }

    /// Puts `report` there, as a page if the file is named like one.
    ///
    /// # Errors
    /// If that fails; then nothing is there that was not before.
    pub(super) fn write(&self, report: &Value) -> Result<(), CliError> {
        let lost = |cause: String| CliError::ReportLost {
            path: self.named.clone(),
            cause,
        };
        let text = if is_page(&self.named) {
            let of_run = Merged::of_one(&self.named.display().to_string(), report.clone());
            page(&of_run.map_err(lost)?, report)
        } else {
            format!("{report:#}\n")
        };
        let written = self
            .drafted(text.as_bytes())
            .and_then(|()| fs::rename(&self.draft, &self.path));
        written.map_err(|cause| {
            let _ = fs::remove_file(&self.draft);
            lost(cause.to_string())
        })
    }

    fn drafted(&self, bytes: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file: File = options
            .write(true)
            .create(true)
            .truncate(true)
            .open(&self.draft)?;
        file.write_all(bytes)?;
        file.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let found = fs::read_dir(directory).unwrap();
        let mut names: Vec<String> = found
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn it_replaces_what_was_there_and_leaves_nothing_beside() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run.json");
        let file = ReportFile::at(&path).unwrap();
        assert!(names(directory.path()).is_empty());
        file.write(&json!("one")).unwrap();
        let link = directory.path().join("last.json");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        ReportFile::at(&link).unwrap().write(&json!("two")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "\"two\"\n");
        assert!(link.is_symlink());
        assert_eq!(names(directory.path()), ["last.json", "run.json"]);
    }

    #[test]
    fn what_cannot_be_written_in_the_end_is_named_and_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("reports");
        fs::create_dir(&folder).unwrap();
        let path = folder.join("run.json");
        let file = ReportFile::at(&path).unwrap();
        // In the way of the draft, as of what comes after it.
        fs::create_dir(&path).unwrap();
        let lost = file.write(&json!({})).unwrap_err().to_string();
        assert!(lost.starts_with("all is done, but"), "{lost}");
        assert!(lost.contains(path.to_str().unwrap()), "{lost}");
        assert_eq!(names(&folder), ["run.json"]);
        fs::remove_dir(&path).unwrap();
        fs::remove_dir(&folder).unwrap();
        assert!(file.write(&json!({})).is_err());
    }

    #[test]
    fn a_place_where_no_file_can_be_is_named() {
        let directory = tempfile::tempdir().unwrap();
        for place in [
            directory.path().to_owned(),
            directory.path().join("missing/run.json"),
            PathBuf::from("/dev/null"),
            PathBuf::from(".."),
        ] {
            let refused = ReportFile::at(&place).unwrap_err().to_string();
            assert!(refused.starts_with("--report "), "{refused}");
            assert!(refused.contains(place.to_str().unwrap()), "{refused}");
        }
    }
}
