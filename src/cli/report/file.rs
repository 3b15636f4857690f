//! The file of a report: found to be writable before the work begins, and written whole or not at all.
//!
//! Key type: [`ReportFile`].

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::merge::Merged;
use super::page::{is_page, page};
use crate::cli::error::CliError;
use crate::cli::own_file::OwnFile;
use crate::cli::whole_file;
use crate::verbs::quicklook::SentMaps;

/// Where a report goes, as it was typed.
#[derive(Debug)]
pub(super) struct ReportFile(PathBuf);

impl ReportFile {
    /// The file at `path`, if a file can be made there.
    ///
    /// # Errors
    /// If not, why.
    pub(super) fn at(path: &Path) -> Result<Self, CliError> {
        let is_other = fs::metadata(path).is_ok_and(|found| !found.is_file());
        let found = if is_other {
            Err("is there, and no file".to_owned())
        } else {
            whole_file::can_be_written(path, &[OwnFile::Report, OwnFile::Page])
        };
        found.map_err(|cause| CliError::ReportPlace {
            path: path.to_owned(),
            cause,
        })?;
        Ok(Self(path.to_owned()))
    }

    /// Puts `report` there, as a page, with these maps of what was sent, if the file is named like one.
    ///
    /// # Errors
    /// If that fails; then nothing is there that was not before.
    pub(super) fn write(&self, report: &Value, maps: Option<&SentMaps>) -> Result<(), CliError> {
        let Self(path) = self;
        let lost = |cause: String| CliError::ReportLost {
            path: path.clone(),
            cause,
        };
        let text = if is_page(path) {
            let of_run = Merged::of_one(&path.display().to_string(), report.clone());
            page(&of_run.map_err(lost)?, report, maps)
        } else {
            format!("{report:#}\n")
        };
        let written = whole_file::write(path, text.as_bytes());
        written.map_err(|cause| lost(cause.to_string()))
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
        let of = |run: &str| json!({"format": "msm_os/report/1", "run": run});
        file.write(&of("one"), None).unwrap();
        let link = directory.path().join("last.json");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        ReportFile::at(&link)
            .unwrap()
            .write(&of("two"), None)
            .unwrap();
        assert!(fs::read_to_string(&path).unwrap().contains("two"));
        assert!(link.is_symlink());
        assert_eq!(names(directory.path()), ["last.json", "run.json"]);
    }

    #[test]
    fn nobody_s_data_are_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("year.nc");
        fs::write(&path, "CDF\u{1}").unwrap();
        let refused = ReportFile::at(&path).unwrap_err().to_string();
        assert!(
            refused.contains("no such file as this program writes"),
            "{refused}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "CDF\u{1}");
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
        let lost = file.write(&json!({}), None).unwrap_err().to_string();
        assert!(lost.starts_with("all is done, but"), "{lost}");
        assert!(lost.contains(path.to_str().unwrap()), "{lost}");
        assert_eq!(names(&folder), ["run.json"]);
        fs::remove_dir(&path).unwrap();
        fs::remove_dir(&folder).unwrap();
        assert!(file.write(&json!({}), None).is_err());
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
