//! A file open for reading, in any of NetCDF's formats: what it holds, and where the values lie.
//!
//! Key type: [`OpenFile`].

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use msm_model::Hyperslab;

use super::classic::ClassicFile;
use super::error::SourceError;
use super::hdf5::{Hdf5, Unreadable};
use super::library::{DescribedFile, Library, of_other};
use super::raw_variable::RawVariable;
use super::storage::{StoredValues, ValueStorage};
use crate::events::StageClock;

/// A file open for reading.
pub(super) struct OpenFile {
    pub path: PathBuf,
    pub raw: File,
    pub form: FileFormat,
    /// Where each variable's values lie, once it was asked for.
    placed: Mutex<HashMap<String, Arc<StoredValues>>>,
    /// The strings of each variable, once they were asked for.
    strings: Mutex<HashMap<String, Arc<Vec<Vec<u8>>>>>,
    /// Where only the NetCDF library can read it.
    library: OnceLock<Result<Mutex<Library>, String>>,
    /// Counts the time that reading its values takes.
    pub clock: Arc<StageClock>,
}

/// In which format it is.
pub(super) enum FileFormat {
    Classic(ClassicFile),
    Hdf5(Hdf5),
    /// Something in it is known to the NetCDF library only.
    Other(DescribedFile),
}

impl OpenFile {
    /// Opens the file at `path` and reads its metadata.
    ///
    /// # Errors
    /// If it is missing, a directory, or not a whole NetCDF file.
    pub(super) fn new(path: &Path) -> Result<Self, SourceError> {
        let missing = |cause: std::io::Error| SourceError::Missing {
            path: path.to_owned(),
            cause: cause.to_string(),
        };
        let broken = |cause: String| SourceError::Broken {
            path: path.to_owned(),
            cause,
        };
        let metadata = std::fs::metadata(path).map_err(missing)?;
        // Opening a pipe would wait for somebody to write into it.
        if let Some(kind) = other_than_file(&metadata) {
            return Err(SourceError::NoFiles {
                path: path.to_owned(),
                problem: format!("is {kind}, not a file; give NetCDF files"),
            });
        }
        let mut raw = File::open(path).map_err(missing)?;
        let mut magic = [0; 3];
        // A shorter one is found to be no NetCDF file below.
        let is_classic = raw.read_exact(&mut magic).is_ok() && &magic == b"CDF";
        let again = raw.try_clone().map_err(missing)?;
        let (form, expected) = if is_classic {
            let classic = ClassicFile::open(again).map_err(broken)?;
            let expected = classic.expected_length();
            let expected = expected.ok_or_else(|| broken("it has too many values".to_owned()))?;
            (FileFormat::Classic(classic), expected)
        } else {
            match Hdf5::open(again) {
                Ok(hdf5) => {
                    let expected = hdf5.expected_length();
                    (FileFormat::Hdf5(hdf5), expected)
                }
                Err(Unreadable::Unknown(cause)) => {
                    let other =
                        of_other(path).map_err(|says| broken(format!("{cause}; {says}")))?;
                    (FileFormat::Other(other), 0)
                }
                Err(Unreadable::Damaged(cause)) => return Err(broken(cause)),
            }
        };
        if expected > metadata.len() {
            return Err(SourceError::Truncated {
                path: path.to_owned(),
                expected,
                found: metadata.len(),
            });
        }
        Ok(Self {
            path: path.to_owned(),
            raw,
            form,
            placed: Mutex::default(),
            strings: Mutex::default(),
            library: OnceLock::new(),
            clock: Arc::default(),
        })
    }

    /// Where the values of `variable` lie.
    ///
    /// # Errors
    /// If the file does not have it, or is damaged.
    pub(super) fn placed(&self, variable: &str) -> Result<Arc<StoredValues>, String> {
        let mut all = self.placed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(placed) = all.get(variable) {
            return Ok(Arc::clone(placed));
        }
        let absent = || "the variable is not in this file".to_owned();
        let placed = match &self.form {
            FileFormat::Classic(file) => file.placed(file.variable(variable).ok_or_else(absent)?),
            FileFormat::Hdf5(file) => file.placed(file.variable(variable).ok_or_else(absent)?)?,
            FileFormat::Other(file) => {
                let found = RawVariable::in_other(file.variable(variable).ok_or_else(absent)?);
                StoredValues {
                    size: found.size(),
                    is_big_endian: false,
                    shape: found.shape(),
                    place: ValueStorage::library("something else in the file"),
                }
            }
        };
        let placed = Arc::new(placed);
        all.insert(variable.to_owned(), Arc::clone(&placed));
        Ok(placed)
    }

    /// All strings of `variable`.
    ///
    /// # Errors
    /// If the file does not have it, or is damaged.
    pub(super) fn strings(&self, variable: &str) -> Result<Arc<Vec<Vec<u8>>>, String> {
        let mut all = self.strings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(strings) = all.get(variable) {
            return Ok(Arc::clone(strings));
        }
        let found = match &self.form {
            FileFormat::Classic(_) | FileFormat::Other(_) => None,
            FileFormat::Hdf5(file) => file.variable(variable),
        };
        let strings = Arc::new(found.ok_or("the variable is not in this file")?.strings()?);
        all.insert(variable.to_owned(), Arc::clone(&strings));
        Ok(strings)
    }

    /// The file as the NetCDF library has it open. It opens none that is damaged anywhere, for that can crash it.
    ///
    /// # Errors
    /// If the file is damaged, or the library cannot open it.
    pub(super) fn library(&self) -> Result<&Mutex<Library>, String> {
        let opened = self.library.get_or_init(|| {
            if let FileFormat::Hdf5(file) = &self.form {
                file.check()?;
            }
            Library::open(&self.path).map(Mutex::new)
        });
        opened.as_ref().map_err(Clone::clone)
    }

    /// Why the values of `variable` cannot be read, if a filter is missing that they went through.
    pub(super) fn missing_filter(&self, variable: &str) -> Option<String> {
        // What is damaged is told when it is read.
        let placed = self.placed(variable).ok()?;
        let ValueStorage::Library {
            why,
            filtered: Some(origin),
        } = &placed.place
        else {
            return None;
        };
        let one = Hyperslab {
            start: origin.clone(),
            count: vec![1; origin.len()],
        };
        let read = self.library().and_then(|library| {
            let library = library.lock().unwrap_or_else(PoisonError::into_inner);
            library.read(variable, placed.size, &one)
        });
        let cause = read.err()?;
        Some(format!(
            "is compressed with {why}, which cannot be undone here ({cause}): set HDF5_PLUGIN_PATH to the directory that has the \
             filter, or write the file with deflate where it is installed"
        ))
    }
}

/// What something is that has a path and is no file; a directory is told by others.
fn other_than_file(metadata: &std::fs::Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    let kinds = [
        (kind.is_fifo(), "a pipe"),
        (kind.is_socket(), "a socket"),
        (kind.is_char_device() || kind.is_block_device(), "a device"),
    ];
    kinds.iter().find(|(is, _)| *is).map(|(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe.nc");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let socket = folder.path().join("socket.nc");
        let _socket = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for (path, kind) in [
            (pipe.as_path(), "a pipe"),
            (&socket, "a socket"),
            (Path::new("/dev/null"), "a device"),
        ] {
            let error = OpenFile::new(path).err().unwrap().to_string();
            assert!(error.contains(&path.display().to_string()), "{error}");
            assert!(error.contains(kind), "{error}");
        }
    }
}
