//! Files that have something this program does not know: what they hold, as the NetCDF library says. That runs in a process of
//! its own, for a damaged file can crash the library, or keep it for ever.
//!
//! Key type: [`DescribedFile`].

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use msm_model::Attribute;
use serde::{Deserialize, Serialize};

use super::super::hdf5::Type;
use super::described;

/// The argument by which this program is asked to describe a file.
const DESCRIBE: &str = "__describe-netcdf";
/// Does this program answer when it is asked so?
static DESCRIBES: AtomicBool = AtomicBool::new(false);
/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(5);

/// What a file holds.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(in crate::source) struct DescribedFile {
    pub dimensions: Vec<(String, u64)>,
    pub attributes: Vec<(String, Attribute)>,
    pub odd_attributes: Vec<String>,
    pub variables: Vec<DescribedVariable>,
    pub groups: Vec<String>,
}

/// What the library says of a variable of it, told from one process to the other.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::source) struct DescribedVariable {
    pub name: String,
    pub kind: Type,
    pub dimensions: Vec<(String, u64)>,
    pub stored_chunks: Option<Vec<u64>>,
    pub attributes: Vec<(String, Attribute)>,
    pub odd_attributes: Vec<String>,
}

impl DescribedFile {
    /// The variable called `name`.
    pub(crate) fn variable(&self, name: &str) -> Option<&DescribedVariable> {
        self.variables.iter().find(|variable| variable.name == name)
    }
}

/// What the NetCDF library, in a process of its own, says of the file at `path`.
///
/// # Errors
/// If it does not open it, crashes, or takes too long.
pub(in crate::source) fn of_other(path: &Path) -> Result<DescribedFile, String> {
    if !DESCRIBES.load(Ordering::Relaxed) {
        return Err(
            "the NetCDF library is asked in a process of its own, which only msm_os can start"
                .to_owned(),
        );
    }
    let failed = |cause: std::io::Error| format!("the NetCDF library cannot be asked: {cause}");
    let program = std::env::current_exe().map_err(failed)?;
    let mut child = Command::new(program)
        .arg(DESCRIBE)
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let mut answer = child.stdout.take().ok_or("it has no answer")?;
    let reading = std::thread::spawn(move || {
        let mut text = Vec::new();
        answer.read_to_end(&mut text).map(|_| text)
    });
    let begun = Instant::now();
    let ended = loop {
        if let Some(ended) = child.try_wait().map_err(failed)? {
            break ended;
        }
        if begun.elapsed() > PATIENCE {
            child.kill().and_then(|()| child.wait()).map_err(failed)?;
            return Err(format!(
                "the NetCDF library has not opened it in {PATIENCE:?}"
            ));
        }
        std::thread::sleep(PAUSE);
    };
    let text = reading.join().map_err(|_| "its answer was lost")?;
    let text = text.map_err(failed)?;
    if !ended.success() {
        return Err(format!("the NetCDF library cannot open it ({ended})"));
    }
    let answer: Result<DescribedFile, String> =
        serde_json::from_slice(&text).map_err(|cause| cause.to_string())?;
    answer
}

/// Is this process one that was started to read a file in another's place? Then the path that it was given, which it has to
/// [`describe`], and nothing else. A program that asks this with its own arguments, first of all, can read such files.
pub fn is_asked_to_describe(args: &[OsString]) -> Option<&OsStr> {
    DESCRIBES.store(true, Ordering::Relaxed);
    match args {
        [_, first, path] if first == DESCRIBE => Some(path),
        _ => None,
    }
}

/// What such a process answers.
#[must_use]
pub fn describe(path: &OsStr) -> String {
    let described = described(Path::new(path));
    serde_json::to_string(&described).unwrap_or_default()
}
