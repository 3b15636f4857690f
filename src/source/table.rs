//! NetCDF files of columns: one-dimensional variables, with global attributes. What weights are kept in.
//!
//! Key types: [`Table`], [`Column`].

use std::path::Path;

use msm_model::{Attribute, Hyperslab, Number};

use super::error::SourceError;
use super::library::write;
use super::open::OpenFile;

/// What a file of columns holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Table {
    /// The dimensions with their sizes.
    pub dimensions: Vec<(String, usize)>,
    /// The columns: name, dimension and values.
    pub columns: Vec<(String, String, Column)>,
    /// Global attributes.
    pub attributes: Vec<(String, Attribute)>,
}

/// The values of a column.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub(crate) enum Column {
    Ints(Vec<i32>),
    Doubles(Vec<f64>),
}

impl Table {
    /// Writes the table to a new file at `path`; a file that is there is replaced, at once and only by a whole one.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn write(&self, path: &Path) -> Result<(), SourceError> {
        let failed = |cause: String| SourceError::Unwritable {
            path: path.to_owned(),
            cause,
        };
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".part-{}", std::process::id()));
        let part = path.with_file_name(name);
        let written = write(self, &part)
            .and_then(|()| std::fs::rename(&part, path).map_err(|cause| cause.to_string()));
        written.map_err(|cause| {
            // What is left of it is in nobody's way, and the first error says more.
            let _ = std::fs::remove_file(&part);
            failed(cause)
        })
    }

    /// Reads the columns called `names`, as far as the file has them, and all attributes.
    ///
    /// # Errors
    /// If it is no NetCDF file, or a column cannot be read.
    pub(crate) fn read(path: &Path, names: &[&str]) -> Result<Self, SourceError> {
        let file = OpenFile::new(path)?;
        let catalogue = file.catalogue()?;
        let mut table = Self {
            dimensions: Vec::new(),
            columns: Vec::new(),
            attributes: catalogue.attributes,
        };
        for (name, size) in catalogue.dimensions {
            table.dimensions.push((name, size as usize));
        }
        for variable in catalogue.variables {
            let [dimension] = &variable.dimensions[..] else {
                continue;
            };
            if !names.contains(&variable.name.as_str()) {
                continue;
            }
            let dtype = variable.dtype(path)?;
            let whole = Hyperslab {
                start: vec![0],
                count: variable.shape.clone(),
            };
            let values = file.read_whole(&variable.name, dtype.size(), &whole, false)?;
            let numbers = dtype.numbers(&values).map(Number::as_f64);
            let column = if dtype.is_float() {
                Column::Doubles(numbers.collect())
            } else {
                Column::Ints(numbers.map(|number| number as i32).collect())
            };
            let name = variable.name.clone();
            table.columns.push((name, dimension.clone(), column));
        }
        Ok(table)
    }

    /// Takes out the column called `name`.
    pub(crate) fn take(&mut self, name: &str) -> Option<Column> {
        let index = self.columns.iter().position(|column| column.0 == name)?;
        Some(self.columns.swap_remove(index).2)
    }

    /// The attribute called `name`.
    #[must_use]
    pub(crate) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|a| a.0 == name).map(|a| &a.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_comes_back_as_it_went() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("weights.nc");
        let table = Table {
            dimensions: vec![("n_s".to_owned(), 3), ("none".to_owned(), 1)],
            columns: vec![
                (
                    "row".to_owned(),
                    "n_s".to_owned(),
                    Column::Ints(vec![1, 2, 3]),
                ),
                (
                    "S".to_owned(),
                    "n_s".to_owned(),
                    Column::Doubles(vec![0.1, f64::MIN_POSITIVE, 1.0]),
                ),
            ],
            attributes: vec![("digest".to_owned(), Attribute::Text("00ff".to_owned()))],
        };
        table.write(&path).unwrap();
        assert_eq!(Table::read(&path, &["row", "S", "other"]).unwrap(), table);
        let files = std::fs::read_dir(directory.path()).unwrap().count();
        assert_eq!(files, 1);
        let nowhere = directory.path().join("missing/weights.nc");
        assert!(matches!(
            table.write(&nowhere),
            Err(SourceError::Unwritable { .. })
        ));
        std::fs::write(&path, "no NetCDF").unwrap();
        assert!(Table::read(&path, &["row"]).is_err());
    }
}
