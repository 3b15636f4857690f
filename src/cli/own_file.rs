//! Whether a file may be replaced by one that this program writes: what it reads, such as data, keys and settings, and whatever others keep,
//! is nothing that it wrote.
//!
//! Key function: [`is_replaceable`].

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use serde_json::Value;

/// How pictures, pages and Intake catalogues begin.
const BEGINNINGS: [&[u8]; 4] = [
    b"\x89PNG\r\n\x1a\n",
    b"<svg",
    b"<!DOCTYPE html>",
    b"# intake.open_catalog(",
];
/// The longest JSON that is looked at.
const LONGEST: u64 = 256 << 20;

/// Is what lies at `path` empty, or a picture, a page, a report or a catalogue such as this program writes?
///
/// # Errors
/// If it cannot be read.
pub(super) fn is_replaceable(path: &Path) -> io::Result<bool> {
    let mut file = fs::File::open(path)?;
    let mut head = Vec::new();
    file.by_ref().take(64).read_to_end(&mut head)?;
    if head.is_empty() || BEGINNINGS.iter().any(|one| head.starts_with(one)) {
        return Ok(true);
    }
    if head.first() != Some(&b'{') || file.metadata()?.len() > LONGEST {
        return Ok(false);
    }
    file.read_to_end(&mut head)?;
    let Ok(document) = serde_json::from_slice::<Value>(&head) else {
        return Ok(false);
    };
    let format = document["format"].as_str().unwrap_or_default();
    Ok(format.starts_with("msm_os/") || document["stac_version"].is_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_program_writes_is_replaced_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for (contents, expected) in [
            ("", true),
            (
                "{\n  \"exit_code\": 0,\n  \"format\": \"msm_os/report/1\"\n}\n",
                true,
            ),
            (
                "{\"type\": \"Collection\", \"stac_version\": \"1.0.0\"}",
                true,
            ),
            ("<!DOCTYPE html><html>", true),
            ("<svg xmlns=\"http://www.w3.org/2000/svg\">", true),
            ("\u{89}HDF\r\n\u{1a}\n", false),
            ("CDF\u{1}", false),
            ("{\"token\": \"t\", \"secret\": \"s\"}", false),
            ("{\"format\": \"msm_os/", false),
            ("[send]\nverify = \"none\"\n", false),
            (" ", false),
        ] {
            fs::write(&path, contents).unwrap();
            assert_eq!(is_replaceable(&path).unwrap(), expected, "{contents:?}");
        }
        assert!(is_replaceable(&folder.path().join("none")).is_err());
    }
}
