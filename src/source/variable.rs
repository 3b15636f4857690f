//! One variable of a file: its type, dimensions and attributes.
//!
//! Key types: [`Variable`], [`VariableType`].

use std::fmt;
use std::path::Path;

use netcdf::types::{FloatType, IntType, NcVariableType};
use serde::{Deserialize, Serialize};

use super::attribute::Attribute;
use super::characters::longest_string;
use super::dtype::{DType, Number};
use super::error::SourceError;
use super::text::{Kind, text_of_width};

/// One variable's metadata.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: VariableType,
    /// Its dimensions' names, slowest first; without the one along which characters are joined to texts; e.g. `[time_counter, deptht, y, x]`.
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
    /// Texts, of the width of the longest.
    Text(DType),
    /// Anything else, in NetCDF's word for it.
    Other(String),
}

impl fmt::Display for VariableType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(dtype) | Self::Text(dtype) => dtype.fmt(f),
            Self::Other(kind) => f.write_str(kind),
        }
    }
}

impl Variable {
    /// The metadata of `variable`; one of characters has its dimensions as in the file, not joined yet.
    pub(super) fn of(
        variable: &netcdf::Variable<'_>,
        texts: Option<Kind>,
        path: &Path,
    ) -> Result<Self, SourceError> {
        let mut attributes = Vec::new();
        for attribute in variable.attributes() {
            let value = attribute
                .value()
                .map_err(|cause| SourceError::Unsupported {
                    path: path.to_owned(),
                    variable: variable.name(),
                    problem: format!(
                        "has an attribute '{}' that cannot be read: {cause}",
                        attribute.name()
                    ),
                })?;
            attributes.push((attribute.name().to_owned(), value.into()));
        }
        let dimensions = variable.dimensions();
        let shape: Vec<u64> = dimensions.iter().map(|d| d.len() as u64).collect();
        let width = match texts {
            None => 0,
            Some(Kind::Strings) => longest_string(variable).map_err(|cause| SourceError::Read {
                path: path.to_owned(),
                variable: variable.name(),
                start: vec![0; shape.len()],
                count: shape.clone(),
                cause,
            })?,
            Some(kind) => kind.bytes_of_character(),
        };
        Ok(Self {
            name: variable.name(),
            kind: kind_of(&variable.vartype(), width),
            dimensions: dimensions.iter().map(netcdf::Dimension::name).collect(),
            shape,
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

    /// The variables that its `grid_mapping` names: one, or in the long form each with a colon, before its coordinates.
    pub(super) fn grid_mappings(&self) -> impl Iterator<Item = &str> {
        let long = self.words("grid_mapping").any(|word| word.ends_with(':'));
        self.words("grid_mapping")
            .filter(move |word| !long || word.ends_with(':'))
            .map(|word| word.trim_end_matches(':'))
    }

    /// The value that marks missing data; `None` as well if it is one that the variable's type cannot hold, so that it marks
    /// nothing.
    #[must_use]
    pub fn fill_value(&self) -> Option<Number> {
        let fill = self.attribute("_FillValue").and_then(Attribute::number);
        fill.filter(|fill| match self.kind {
            VariableType::Number(dtype) => dtype.rounded(*fill).is_some(),
            VariableType::Text(_) | VariableType::Other(_) => true,
        })
    }

    /// The type of its values.
    ///
    /// # Errors
    /// If it holds neither numbers nor texts; `path` is for the message.
    pub fn dtype(&self, path: &Path) -> Result<DType, SourceError> {
        match &self.kind {
            VariableType::Number(dtype) | VariableType::Text(dtype) => Ok(*dtype),
            VariableType::Other(kind) => Err(SourceError::Unsupported {
                path: path.to_owned(),
                variable: self.name.clone(),
                problem: format!(
                    "has type {kind}, which cannot be sent; name the variables to send with -v"
                ),
            }),
        }
    }
}

/// The type that NetCDF's `kind` is sent as; `width` is that of texts.
fn kind_of(kind: &NcVariableType, width: u64) -> VariableType {
    use VariableType::{Number, Other, Text};
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
        NcVariableType::Char | NcVariableType::String => Text(text_of_width(width)),
        NcVariableType::Compound(_) => Other("compound".to_owned()),
        NcVariableType::Opaque(_) => Other("opaque".to_owned()),
        NcVariableType::Enum(_) => Other("enum".to_owned()),
        NcVariableType::Vlen(_) => Other("variable-length".to_owned()),
    }
}
