//! What one file holds, from its metadata alone: dimensions, variables, attributes.
//!
//! Key types: [`Catalogue`], [`Variable`].

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use netcdf::types::{FloatType, IntType, NcVariableType};
use serde::{Deserialize, Serialize};

use super::attribute::Attribute;
use super::classic::expected_length;
use super::dtype::{DType, Number};
use super::error::SourceError;
use super::hdf5::quiet;

/// What one file holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Catalogue {
    /// Where it is.
    pub path: PathBuf,
    /// Dimensions with their sizes, in the file's order.
    pub dimensions: Vec<(String, u64)>,
    /// Variables in the file's order.
    pub variables: Vec<Variable>,
    /// Global attributes in the file's order.
    pub attributes: Vec<(String, Attribute)>,
}

/// One variable's metadata.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: VariableType,
    /// Its dimensions' names, slowest first, e.g. `[time_counter, deptht, y, x]`.
    pub dimensions: Vec<String>,
    /// Its dimensions' sizes.
    pub shape: Vec<u64>,
    /// The shape of its stored chunks; `None` when contiguous.
    pub stored_chunks: Option<Vec<u64>>,
    /// Its attributes in the file's order.
    pub attributes: Vec<(String, Attribute)>,
}

/// A variable's type, as far as it can be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum VariableType {
    /// Numbers.
    Number(DType),
    /// Anything else, in NetCDF's word for it.
    Other(String),
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
        let mut variables = Vec::new();
        for variable in file.variables() {
            variables.push(Variable::of(&variable).map_err(broken)?);
        }
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

    /// The variable whose values tell the steps of `dimension` apart; see [`super::Archive::open`].
    pub(super) fn axis(&self, dimension: &str) -> Result<&Variable, SourceError> {
        let along = || {
            self.variables
                .iter()
                .filter(|v| v.dimensions == [dimension])
        };
        let timed = |v: &&Variable| {
            v.attribute("units")
                .and_then(Attribute::text)
                .is_some_and(|u| u.contains(" since "))
        };
        let coordinate = along().find(|v| v.name == dimension);
        let axis = coordinate
            .filter(timed)
            .or_else(|| along().find(timed))
            .or(coordinate);
        axis.ok_or_else(|| SourceError::NoAppendCoordinate {
            path: self.path.clone(),
            dimension: dimension.to_owned(),
        })
    }

    /// Names of the variables that are data: neither coordinates of a dimension, nor named in a `coordinates`
    /// attribute, nor bounds of another variable (CF conventions 1.11, §5 and §7.1).
    #[must_use]
    pub fn data_variables(&self) -> Vec<String> {
        let mut auxiliary = BTreeSet::new();
        for variable in &self.variables {
            if self.dimension(&variable.name).is_some() {
                auxiliary.insert(variable.name.as_str());
            }
            auxiliary.extend(variable.words("coordinates"));
            auxiliary.extend(variable.words("bounds"));
            auxiliary.extend(variable.words("climatology"));
        }
        let data = self.variables.iter().map(|v| &v.name);
        data.filter(|name| !auxiliary.contains(name.as_str()))
            .cloned()
            .collect()
    }

    /// The names of what a store of variable `name` holds, itself first: the coordinates of its dimensions, the
    /// variables its `coordinates` attribute names, and the bounds of all these. Names the file lacks are left out.
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

impl Variable {
    fn of(variable: &netcdf::Variable<'_>) -> Result<Self, netcdf::Error> {
        let mut attributes = Vec::new();
        for attribute in variable.attributes() {
            attributes.push((attribute.name().to_owned(), attribute.value()?.into()));
        }
        let dimensions = variable.dimensions();
        Ok(Self {
            name: variable.name(),
            kind: kind_of(&variable.vartype()),
            dimensions: dimensions.iter().map(netcdf::Dimension::name).collect(),
            shape: dimensions.iter().map(|d| d.len() as u64).collect(),
            // Formats before NetCDF-4 have no chunks and answer with an error.
            stored_chunks: variable
                .chunking()
                .ok()
                .flatten()
                .map(|c| c.into_iter().map(|n| n as u64).collect()),
            attributes,
        })
    }

    /// The attribute called `name`.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|a| a.0 == name).map(|a| &a.1)
    }

    /// The words of the text attribute called `name`.
    pub fn words(&self, name: &str) -> impl Iterator<Item = &str> {
        self.attribute(name)
            .and_then(Attribute::text)
            .unwrap_or_default()
            .split_whitespace()
    }

    /// Its number type.
    ///
    /// # Errors
    /// If it holds anything but numbers; `path` is for the message.
    pub fn number_type(&self, path: &Path) -> Result<DType, SourceError> {
        match &self.kind {
            VariableType::Number(dtype) => Ok(*dtype),
            VariableType::Other(kind) => Err(SourceError::Unsupported {
                path: path.to_owned(),
                variable: self.name.clone(),
                problem: format!(
                    "has type {kind}, which cannot be sent; name the variables to send with -v"
                ),
            }),
        }
    }

    /// The value that marks missing data.
    #[must_use]
    pub fn fill_value(&self) -> Option<Number> {
        self.attribute("_FillValue").and_then(Attribute::number)
    }
}

/// Opens the file at `path` with the NetCDF library.
pub(super) fn open(path: &Path) -> Result<netcdf::File, SourceError> {
    let missing = |cause| SourceError::Missing {
        path: path.to_owned(),
        cause,
    };
    let metadata = std::fs::metadata(path).map_err(missing)?;
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

fn kind_of(kind: &NcVariableType) -> VariableType {
    use VariableType::{Number, Other};
    match kind {
        NcVariableType::Int(int) => Number(match int {
            IntType::U8 => DType::U8,
            IntType::U16 => DType::U16,
            IntType::U32 => DType::U32,
            IntType::U64 => DType::U64,
            IntType::I8 => DType::I8,
            IntType::I16 => DType::I16,
            IntType::I32 => DType::I32,
            IntType::I64 => DType::I64,
        }),
        NcVariableType::Float(FloatType::F32) => Number(DType::F32),
        NcVariableType::Float(FloatType::F64) => Number(DType::F64),
        NcVariableType::Char => Other("char".to_owned()),
        NcVariableType::String => Other("string".to_owned()),
        NcVariableType::Compound(_) => Other("compound".to_owned()),
        NcVariableType::Opaque(_) => Other("opaque".to_owned()),
        NcVariableType::Enum(_) => Other("enum".to_owned()),
        NcVariableType::Vlen(_) => Other("variable-length".to_owned()),
    }
}
