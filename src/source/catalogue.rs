//! What one file holds, read from its metadata, but for the longest of its strings.

use std::collections::BTreeMap;
use std::path::Path;

use msm_model::{ArchiveError, Catalogue, StoredBytes, Variable, list};

use super::error::SourceError;
use super::open::{FileFormat, OpenFile};
use super::raw_variable::{MAX_BYTES, RawVariable};
use super::storage::ValueStorage;
use super::text::{TextKind, join_characters};

/// With so many values a variable is large enough for it to matter which rank gets what of it.
const LARGE: u64 = 1 << 20;

/// What the file at `path` holds.
///
/// # Errors
/// If it is missing, a directory, or not a whole NetCDF file.
pub(crate) fn read_catalogue(path: &Path) -> Result<Catalogue, SourceError> {
    OpenFile::new(path)?.catalogue()
}

impl OpenFile {
    /// What it holds.
    ///
    /// # Errors
    /// If that cannot be sent.
    pub(super) fn catalogue(&self) -> Result<Catalogue, SourceError> {
        let path = &self.path;
        let (mut variables, mut characters) = (Vec::new(), BTreeMap::new());
        let (mut odd_attributes, mut unreadable) = (Vec::new(), BTreeMap::new());
        let mut add = |found: RawVariable| {
            let name = found.name.clone();
            let kind = found.texts().map_err(|problem| ArchiveError::Unsupported {
                path: path.clone(),
                variable: name.clone(),
                problem,
            })?;
            if let Some(kind @ (TextKind::Utf8 | TextKind::Latin1)) = kind {
                characters.insert(name, kind);
            }
            if found.is_too_large() {
                let shape = found.shape();
                let problem = format!("has shape {shape:?}, more than {MAX_BYTES} bytes");
                unreadable.insert(found.name.clone(), problem);
            }
            variables.push(found.into_variable(self, kind)?);
            Ok::<_, SourceError>(())
        };
        let refuse_groups = |groups: &[String]| match groups {
            [] => Ok(()),
            groups => Err(SourceError::Groups {
                path: path.clone(),
                groups: list(groups.iter().map(String::as_str)),
            }),
        };
        let (dimensions, attributes) = match &self.form {
            FileFormat::Classic(classic) => {
                for variable in classic.variables() {
                    add(RawVariable::in_classic(variable))?;
                }
                (classic.dimensions(), classic.attributes())
            }
            FileFormat::Hdf5(hdf5) => {
                refuse_groups(&hdf5.groups)?;
                for variable in &hdf5.variables {
                    add(RawVariable::in_hdf5(variable))?;
                    let owner = || Some(variable.name.clone());
                    let odd = variable.odd_attributes.iter();
                    odd_attributes.extend(odd.map(|name| (owner(), name.clone())));
                }
                let odd = hdf5.odd_attributes.iter();
                odd_attributes.extend(odd.map(|name| (None, name.clone())));
                (hdf5.dimensions.clone(), hdf5.attributes.clone())
            }
            FileFormat::Other(other) => {
                refuse_groups(&other.groups)?;
                for variable in &other.variables {
                    add(RawVariable::in_other(variable))?;
                    let odd = variable.odd_attributes.iter();
                    odd_attributes
                        .extend(odd.map(|name| (Some(variable.name.clone()), name.clone())));
                }
                let odd = other.odd_attributes.iter();
                odd_attributes.extend(odd.map(|name| (None, name.clone())));
                (other.dimensions.clone(), other.attributes.clone())
            }
        };
        if let FileFormat::Hdf5(hdf5) = &self.form {
            let variables = hdf5.variables.iter();
            for variable in variables.filter(|variable| hdf5.has_unknown_filter(variable)) {
                let filter = self.missing_filter(&variable.name);
                unreadable.extend(filter.map(|filter| (variable.name.clone(), filter)));
            }
        }
        let stored_bytes = self.stored_bytes(&variables);
        join_characters(&mut variables, &characters);
        Ok(Catalogue {
            path: path.clone(),
            dimensions,
            variables,
            attributes,
            odd_attributes,
            stored_bytes,
            unreadable,
            ..Catalogue::default()
        })
    }

    /// How much is stored of each of the large variables that are in stored chunks. What is damaged is told when it is read.
    fn stored_bytes(&self, variables: &[Variable]) -> BTreeMap<String, StoredBytes> {
        let large = variables.iter().filter(|variable| {
            let shape = variable.shape.iter();
            let values = shape.fold(1, |values: u64, &length| values.saturating_mul(length));
            variable.stored_chunks.is_some() && values >= LARGE
        });
        let found = large.filter_map(|variable| {
            let placed = self.placed(&variable.name).ok()?;
            let ValueStorage::Chunks(chunks) = &placed.place else {
                return None;
            };
            let stored = StoredBytes::new(&placed.shape, &chunks.shape, chunks.sizes())?;
            Some((variable.name.clone(), stored))
        });
        found.collect()
    }
}
