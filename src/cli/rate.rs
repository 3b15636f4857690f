//! How fast a job is said to be, or was found to be: what `--rate` is given.
//!
//! Key types: [`RateArg`], as it is typed; [`Rate`].

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::CliError;
use super::json::DOCTOR;
use super::report::{self, REPORT, RunReport};
use super::size;

/// A rate, or the file of a document that measured one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RateArg {
    /// Bytes a second.
    Stated(u64),
    /// What `doctor --json` printed, or `--report` wrote.
    File(PathBuf),
}

/// Bytes a second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Rate {
    /// So many.
    pub bytes: u64,
    /// Who measured them, if they are not as stated.
    pub measured: Option<MeasuredBy>,
}

/// Where a rate was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct MeasuredBy {
    /// The file, as it was typed.
    pub file: String,
    /// The format of the document in it.
    pub format: String,
    /// Ranks of the job that measured it.
    pub ranks: usize,
}

/// What is read of what `doctor --json` prints.
#[derive(Deserialize)]
struct Examined {
    put: Option<ExaminedPut>,
}

#[derive(Deserialize)]
struct ExaminedPut {
    bytes: u64,
    seconds: f64,
}

impl RateArg {
    /// What `text` means: what is no size is a file.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("expected bytes a second, such as 200M, or a file".to_owned());
        }
        let size = size::parse(text);
        Ok(size.map_or_else(|_| Self::File(text.into()), Self::Stated))
    }

    /// The rate; a file is read for it.
    ///
    /// # Errors
    /// If the file holds none.
    pub(super) fn rate(&self) -> Result<Rate, CliError> {
        match self {
            Self::Stated(bytes) => Ok(Rate {
                bytes: *bytes,
                measured: None,
            }),
            Self::File(path) => measured(path).map_err(|cause| {
                let path = path.display();
                CliError::Line(format!(
                    "--rate {path}: {cause}; give bytes a second, such as 200M, or the file of doctor --json or of a send's --report"
                ))
            }),
        }
    }
}

impl Rate {
    /// Where it is from, in a few words.
    pub(super) fn origin(&self) -> String {
        let Some(MeasuredBy {
            file,
            format,
            ranks,
        }) = &self.measured
        else {
            return "as --rate says".to_owned();
        };
        if format == DOCTOR {
            format!("as {file} has it of puts of one process alone")
        } else if *ranks == 1 {
            format!("as {file} has it of a job of 1 rank")
        } else {
            format!("as {file} has it of a job of {ranks} ranks")
        }
    }
}

/// What the document in the file `path` measured.
fn measured(path: &Path) -> Result<Rate, String> {
    let document = report::read(path)?;
    let format = document.get("format").and_then(Value::as_str);
    let format = format.unwrap_or("none").to_owned();
    let damaged = |cause: serde_json::Error| format!("is a damaged document: {cause}");
    let (bytes, seconds, ranks) = match &format[..] {
        DOCTOR => {
            let examined: Examined = serde_json::from_value(document).map_err(damaged)?;
            let put = examined
                .put
                .ok_or("doctor measured no rate, for not every large object could be put")?;
            (put.bytes, put.seconds, 1)
        }
        REPORT => {
            let run: RunReport = serde_json::from_value(document).map_err(damaged)?;
            let result = run
                .result
                .ok_or("is of a job that failed, or of verify, so it has no rate")?;
            (result.decoded_bytes, run.elapsed_seconds, run.job.ranks)
        }
        found => {
            return Err(format!(
                "measured nothing: its format is {found}, expected {DOCTOR} or {REPORT}"
            ));
        }
    };
    let rate = bytes as f64 / seconds;
    if !rate.is_finite() || rate < 1.0 {
        return Err(format!(
            "has no rate: {bytes} bytes were put in {seconds} s"
        ));
    }
    Ok(Rate {
        bytes: rate as u64,
        measured: Some(MeasuredBy {
            file: path.display().to_string(),
            format,
            ranks,
        }),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn of(text: &str) -> Result<Rate, String> {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("measured.json");
        fs::write(&path, text).unwrap();
        measured(&path)
    }

    #[test]
    fn what_is_no_size_is_a_file() {
        assert_eq!(RateArg::parse("200M"), Ok(RateArg::Stated(200 << 20)));
        let file = |name: &str| Ok(RateArg::File(name.into()));
        assert_eq!(RateArg::parse("./200M"), file("./200M"));
        assert_eq!(RateArg::parse("200X"), file("200X"));
        assert!(RateArg::parse("").is_err());
        assert!(RateArg::File("not there".into()).rate().is_err());
    }

    #[test]
    fn a_document_is_told_by_its_format() {
        let doctor = |put: &str| of(&format!(r#"{{"format": "{DOCTOR}", "put": {put}}}"#));
        let found = doctor(r#"{"bytes": 3000, "seconds": 1.5}"#).unwrap();
        assert_eq!(found.bytes, 2000);
        assert!(found.origin().contains("one process"));
        for (found, why) in [
            (doctor("null"), "no rate"),
            (doctor(r#"{"bytes": 3000, "seconds": 0}"#), "0 s"),
            (doctor(r#"{"bytes": 0, "seconds": 1}"#), "0 bytes"),
            (doctor("3"), "damaged"),
            (of(r#"{"format": "msm_os/plan/2"}"#), "msm_os/plan/2"),
            (of("[1]"), "none"),
            (of("{"), "not whole"),
        ] {
            let cause = found.unwrap_err();
            assert!(cause.contains(why), "{cause}");
        }
    }
}
