//! Whether a file may be replaced by one that this program writes: what it reads, such as data, keys and settings, and whatever others keep,
//! is nothing that it wrote.
//!
//! Key type: [`OwnFile`], what it writes.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use serde_json::Value;

/// What this program writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OwnFile {
    /// A report, for programs.
    Report,
    /// A page about a run, or with pictures.
    Page,
    /// A picture. Whoever names one means it, whoever drew what is there.
    Picture,
    /// A STAC collection.
    Stac,
    /// An Intake catalogue.
    Intake,
}

/// The longest file that is looked at.
const LONGEST: u64 = 256 << 20;

/// Is what lies at `path` empty, or one of these?
///
/// # Errors
/// If it cannot be read.
pub(super) fn is_one_of(path: &Path, these: &[OwnFile]) -> io::Result<bool> {
    let mut file = fs::File::open(path)?;
    let length = file.metadata()?.len();
    if length == 0 || length > LONGEST {
        return Ok(length == 0);
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(these.iter().any(|one| one.is(&bytes)))
}

impl OwnFile {
    /// Are these the `bytes` of one?
    fn is(self, bytes: &[u8]) -> bool {
        let text = || String::from_utf8_lossy(bytes);
        let document = || serde_json::from_slice::<Value>(bytes).unwrap_or_default();
        match self {
            Self::Report => {
                let document = document();
                let format = document["format"].as_str().unwrap_or_default();
                format.starts_with("msm_os/report/")
            }
            // Its first rule of style.
            Self::Page => msm_chart::STYLE
                .lines()
                .next()
                .is_some_and(|rule| text().contains(rule)),
            Self::Picture => bytes.starts_with(b"\x89PNG\r\n\x1a\n") || bytes.starts_with(b"<svg"),
            Self::Stac => document()["stac_version"].is_string(),
            Self::Intake => bytes.starts_with(b"# intake.open_catalog("),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_program_writes_is_replaced_by_its_like_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let page = format!("<!DOCTYPE html><style>{}</style>", msm_chart::STYLE);
        let all = [
            OwnFile::Report,
            OwnFile::Page,
            OwnFile::Picture,
            OwnFile::Stac,
            OwnFile::Intake,
        ];
        for (contents, expected) in [
            (
                "{\n  \"exit_code\": 0,\n  \"format\": \"msm_os/report/1\"\n}\n",
                Some(OwnFile::Report),
            ),
            (&page, Some(OwnFile::Page)),
            (
                "<svg xmlns=\"http://www.w3.org/2000/svg\">",
                Some(OwnFile::Picture),
            ),
            (
                "{\"type\": \"Collection\", \"stac_version\": \"1.0.0\"}",
                Some(OwnFile::Stac),
            ),
            ("# intake.open_catalog(…) opens this", Some(OwnFile::Intake)),
            ("<!DOCTYPE html><html><title>My thesis</title>", None),
            ("\u{89}HDF\r\n\u{1a}\n", None),
            ("CDF\u{1}", None),
            ("{\"token\": \"t\", \"secret\": \"s\"}", None),
            ("{\"format\": \"msm_os/plan/2\"}", None),
            ("{\"format\": \"msm_os/report/", None),
            ("[send]\nverify = \"none\"\n", None),
            (" ", None),
        ] {
            fs::write(&path, contents).unwrap();
            for one in all {
                let found = is_one_of(&path, &[one]).unwrap();
                assert_eq!(found, expected == Some(one), "{one:?}: {contents:?}");
            }
            assert_eq!(is_one_of(&path, &all).unwrap(), expected.is_some());
        }
        fs::write(&path, "").unwrap();
        assert!(is_one_of(&path, &[OwnFile::Stac]).unwrap());
        assert!(is_one_of(&folder.path().join("none"), &all).is_err());
    }
}
