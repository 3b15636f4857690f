//! One variable of a file: its type, dimensions and attributes.
//!
//! Key types: [`Variable`], [`VariableType`].

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::attribute::Attribute;
use super::dtype::{DType, Number};
use super::error::ArchiveError;

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
    /// The attribute called `name`.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|a| a.0 == name).map(|a| &a.1)
    }

    /// Gives it the attribute `name`, or another value of it.
    pub(super) fn set(&mut self, name: &str, value: Attribute) {
        match self.attributes.iter_mut().find(|a| a.0 == name) {
            Some((_, attribute)) => *attribute = value,
            None => self.attributes.push((name.to_owned(), value)),
        }
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
    pub fn dtype(&self, path: &Path) -> Result<DType, ArchiveError> {
        match &self.kind {
            VariableType::Number(dtype) | VariableType::Text(dtype) => Ok(*dtype),
            VariableType::Other(kind) => Err(ArchiveError::Unsupported {
                path: path.to_owned(),
                variable: self.name.clone(),
                problem: format!(
                    "has type {kind}, which cannot be sent; name the variables to send with -v"
                ),
            }),
        }
    }
}
