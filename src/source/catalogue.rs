//! What one file holds: dimensions, variables, attributes. Read from its metadata, but for the longest of its strings.
//!
//! Key type: [`Catalogue`].

use std::collections::BTreeMap;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::attribute::Attribute;
use super::characters::kind_of_texts;
use super::classic::expected_length;
use super::dtype::Number;
use super::error::{SourceError, list};
use super::hdf5::quiet;
use super::text::{Kind, join_characters};
use super::variable::Variable;

/// What one file holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Catalogue {
    /// Where it is.
    #[serde(with = "super::names::one")]
    pub path: PathBuf,
    /// Dimensions with their sizes, in the file's order.
    pub dimensions: Vec<(String, u64)>,
    /// Variables in the file's order.
    pub variables: Vec<Variable>,
    /// Global attributes in the file's order.
    pub attributes: Vec<(String, Attribute)>,
}

impl Catalogue {
    /// Reads the metadata of the file at `path`.
    ///
    /// # Errors
    /// If it is missing, a directory, or not a whole NetCDF file.
    pub fn read(path: &Path) -> Result<Self, SourceError> {
        Self::of(&open(path)?, path)
    }

    pub(super) fn of(file: &netcdf::File, path: &Path) -> Result<Self, SourceError> {
        let broken = |cause: netcdf::Error| SourceError::Broken {
            path: path.to_owned(),
            cause: cause.to_string(),
        };
        let mut attributes = Vec::new();
        for attribute in file.attributes() {
            attributes.push((
                attribute.name().to_owned(),
                attribute.value().map_err(broken)?.into(),
            ));
        }
        let groups = group_names(file).map_err(broken)?;
        if !groups.is_empty() {
            return Err(SourceError::Groups {
                path: path.to_owned(),
                groups: list(groups.iter().map(String::as_str)),
            });
        }
        let mut variables = Vec::new();
        let mut characters = BTreeMap::new();
        for variable in file.variables() {
            let kind = kind_of_texts(&variable).map_err(|problem| SourceError::Unsupported {
                path: path.to_owned(),
                variable: variable.name(),
                problem,
            })?;
            variables.push(Variable::of(&variable, kind, path)?);
            if let Some(kind @ (Kind::Utf8 | Kind::Latin1)) = kind {
                characters.insert(variable.name(), kind);
            }
        }
        join_characters(&mut variables, &characters);
        Ok(Self {
            path: path.to_owned(),
            dimensions: file
                .dimensions()
                .map(|d| (d.name(), d.len() as u64))
                .collect(),
            variables,
            attributes,
        })
    }

    /// Of how many pieces, if it is more than one, this file has one: NEMO writes a file a processor where XIOS does not
    /// join them, and says so in the global attribute `DOMAIN_number_total`.
    pub(super) fn pieces(&self) -> Option<String> {
        let total = self
            .attributes
            .iter()
            .find(|a| a.0 == "DOMAIN_number_total");
        let total = &total?.1;
        let number = total.number().map(Number::as_f64);
        let number = number.or_else(|| total.text()?.trim().parse().ok())?;
        (number > 1.0).then(|| number.to_string())
    }

    /// The variable called `name`.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().find(|v| v.name == name)
    }

    /// The size of the dimension called `name`.
    #[must_use]
    pub fn dimension(&self, name: &str) -> Option<u64> {
        self.dimensions.iter().find(|d| d.0 == name).map(|d| d.1)
    }

    /// The names of what a store of variable `name` holds, itself first: the coordinates of its dimensions, the
    /// variables its `coordinates` and `grid_mapping` attributes name, and the bounds of all these. Names the file lacks are left out.
    #[must_use]
    pub fn with_coordinates(&self, name: &str) -> Vec<String> {
        let mut members: Vec<String> = vec![name.to_owned()];
        let mut next = 0;
        while next < members.len() {
            if let Some(variable) = self.variable(&members[next]) {
                let mut named: Vec<&str> = variable.dimensions.iter().map(String::as_str).collect();
                named.extend(variable.words("coordinates"));
                named.extend(variable.words("bounds"));
                named.extend(variable.words("climatology"));
                named.extend(variable.grid_mappings());
                for name in named {
                    if self.variable(name).is_some() && !members.iter().any(|m| m == name) {
                        members.push(name.to_owned());
                    }
                }
            }
            next += 1;
        }
        members
    }
}

/// The paths of the file's groups, those within groups included.
fn group_names(file: &netcdf::File) -> Result<Vec<String>, netcdf::Error> {
    fn add(names: &mut Vec<String>, parent: &str, group: &netcdf::Group<'_>) {
        let name = format!("{parent}/{}", group.name());
        for child in group.groups() {
            add(names, &name, &child);
        }
        names.push(name);
    }
    let mut names = Vec::new();
    for group in file.groups()? {
        add(&mut names, "", &group);
    }
    names.sort();
    Ok(names)
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

/// Opens the file at `path` with the NetCDF library.
pub(super) fn open(path: &Path) -> Result<netcdf::File, SourceError> {
    let missing = |cause| SourceError::Missing {
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
    std::fs::File::open(path).map_err(missing)?;
    let expected = expected_length(path).map_err(|cause| SourceError::Broken {
        path: path.to_owned(),
        cause: format!("its header cannot be read: {cause}"),
    })?;
    if let Some(expected) = expected.filter(|&expected| expected > metadata.len()) {
        return Err(SourceError::Truncated {
            path: path.to_owned(),
            expected,
            found: metadata.len(),
        });
    }
    quiet();
    netcdf::open(path).map_err(|cause| SourceError::Broken {
        path: path.to_owned(),
        cause: cause.to_string(),
    })
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
            let error = open(path).unwrap_err().to_string();
            assert!(error.contains(&path.display().to_string()), "{error}");
            assert!(error.contains(kind), "{error}");
        }
    }
}
