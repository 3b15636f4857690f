//! What one file holds: dimensions, variables, attributes. Read from its metadata, but for the longest of its strings.
//!
//! Key type: [`Catalogue`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::attribute::Attribute;
use super::dtype::Number;
use super::error::{SourceError, list};
use super::found::{Found, MAX_BYTES};
use super::open::{Form, OpenFile};
use super::text::{Kind, join_characters};
use super::variable::Variable;

/// What one file holds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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
    /// Attributes of types that only the file defines, which cannot be sent: each with its variable, if it is one's.
    pub odd_attributes: Vec<(Option<String>, String)>,
    /// Variables whose values cannot be read here, and why.
    pub unreadable: BTreeMap<String, String>,
}

impl Catalogue {
    /// Reads the metadata of the file at `path`.
    ///
    /// # Errors
    /// If it is missing, a directory, or not a whole NetCDF file.
    pub fn read(path: &Path) -> Result<Self, SourceError> {
        OpenFile::new(path)?.catalogue()
    }

    pub(super) fn of(file: &OpenFile) -> Result<Self, SourceError> {
        let path = &file.path;
        let (mut variables, mut characters) = (Vec::new(), BTreeMap::new());
        let (mut odd_attributes, mut unreadable) = (Vec::new(), BTreeMap::new());
        let mut add = |found: Found| {
            let name = found.name.clone();
            let kind = found.texts().map_err(|problem| SourceError::Unsupported {
                path: path.clone(),
                variable: name.clone(),
                problem,
            })?;
            if let Some(kind @ (Kind::Utf8 | Kind::Latin1)) = kind {
                characters.insert(name, kind);
            }
            if found.is_too_large() {
                let shape = found.shape();
                let problem = format!("has shape {shape:?}, more than {MAX_BYTES} bytes");
                unreadable.insert(found.name.clone(), problem);
            }
            variables.push(found.into_variable(file, kind)?);
            Ok::<_, SourceError>(())
        };
        let refuse_groups = |groups: &[String]| match groups {
            [] => Ok(()),
            groups => Err(SourceError::Groups {
                path: path.clone(),
                groups: list(groups.iter().map(String::as_str)),
            }),
        };
        let (dimensions, attributes) = match &file.form {
            Form::Classic(classic) => {
                for variable in classic.variables() {
                    add(Found::in_classic(variable))?;
                }
                (classic.dimensions(), classic.attributes())
            }
            Form::Hdf5(hdf5) => {
                refuse_groups(&hdf5.groups)?;
                for variable in &hdf5.variables {
                    add(Found::in_hdf5(variable))?;
                    let owner = || Some(variable.name.clone());
                    let odd = variable.odd_attributes.iter();
                    odd_attributes.extend(odd.map(|name| (owner(), name.clone())));
                }
                let odd = hdf5.odd_attributes.iter();
                odd_attributes.extend(odd.map(|name| (None, name.clone())));
                (hdf5.dimensions.clone(), hdf5.attributes.clone())
            }
            Form::Other(other) => {
                refuse_groups(&other.groups)?;
                for variable in &other.variables {
                    add(Found::in_other(variable))?;
                    let odd = variable.odd_attributes.iter();
                    odd_attributes
                        .extend(odd.map(|name| (Some(variable.name.clone()), name.clone())));
                }
                let odd = other.odd_attributes.iter();
                odd_attributes.extend(odd.map(|name| (None, name.clone())));
                (other.dimensions.clone(), other.attributes.clone())
            }
        };
        if let Form::Hdf5(hdf5) = &file.form {
            let variables = hdf5.variables.iter();
            for variable in variables.filter(|variable| hdf5.has_unknown_filter(variable)) {
                let filter = file.missing_filter(&variable.name);
                unreadable.extend(filter.map(|filter| (variable.name.clone(), filter)));
            }
        }
        join_characters(&mut variables, &characters);
        Ok(Self {
            path: path.clone(),
            dimensions,
            variables,
            attributes,
            odd_attributes,
            unreadable,
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
