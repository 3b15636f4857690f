//! NetCDF files of columns: one-dimensional variables, with global attributes. What weights are kept in.
//!
//! Key types: [`Table`], to be written; [`StoredTable`], to be read. Columns may be larger than the memory: they are written
//! as their values come, and read piece by piece.

use std::ops::Range;
use std::path::Path;

use msm_model::{Attribute, Catalogue, Hyperslab, Number};

use super::error::SourceError;
use super::library::write;
use super::open::OpenFile;

/// What a file of columns is to hold.
#[derive(Default)]
pub(crate) struct Table<'a> {
    /// The dimensions with their sizes.
    pub dimensions: Vec<(String, usize)>,
    /// The columns: name, dimension and values.
    pub columns: Vec<(String, String, ColumnValues<'a>)>,
    /// Global attributes.
    pub attributes: Vec<(String, Attribute)>,
}

/// The values of a column in their order: as many as its dimension has, or none.
pub(crate) enum ColumnValues<'a> {
    Ints(Box<dyn Iterator<Item = i32> + 'a>),
    Doubles(Box<dyn Iterator<Item = f64> + 'a>),
}

impl Table<'_> {
    /// Writes the table to a new file at `path`; a file that is there is replaced, at once and only by a whole one.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn write(self, path: &Path) -> Result<(), SourceError> {
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
}

/// A file of columns that is open.
pub(crate) struct StoredTable {
    file: OpenFile,
    catalogue: Catalogue,
}

/// Some values of a column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ColumnPiece {
    Ints(Vec<i32>),
    Doubles(Vec<f64>),
}

impl StoredTable {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// If it is no NetCDF file.
    pub(crate) fn open(path: &Path) -> Result<Self, SourceError> {
        let file = OpenFile::new(path)?;
        let catalogue = file.catalogue()?;
        Ok(Self { file, catalogue })
    }

    /// How many values the column called `name` has; `None` if there is no such column.
    pub(crate) fn length(&self, name: &str) -> Option<u64> {
        let shape = &self.catalogue.variable(name)?.shape;
        (shape.len() == 1).then(|| shape[0])
    }

    /// Values of the column called `name`, none if there is no such column.
    ///
    /// # Errors
    /// If they cannot be read.
    pub(crate) fn read(&self, name: &str, range: Range<u64>) -> Result<ColumnPiece, SourceError> {
        let Some(variable) = self.catalogue.variable(name) else {
            return Ok(ColumnPiece::Doubles(Vec::new()));
        };
        let dtype = variable.dtype(&self.catalogue.path)?;
        let slab = Hyperslab {
            start: vec![range.start],
            count: vec![range.end - range.start],
        };
        let values = self.file.read_whole(name, dtype.size(), &slab, false)?;
        let numbers = dtype.numbers(&values).map(Number::as_f64);
        Ok(if dtype.is_float() {
            ColumnPiece::Doubles(numbers.collect())
        } else {
            ColumnPiece::Ints(numbers.map(|number| number as i32).collect())
        })
    }

    /// The attribute called `name`.
    #[must_use]
    pub(crate) fn attribute(&self, name: &str) -> Option<&Attribute> {
        let mut attributes = self.catalogue.attributes.iter();
        attributes.find(|a| a.0 == name).map(|a| &a.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table<'a>(rows: &'a [i32], weights: &'a [f64]) -> Table<'a> {
        let column = |name: &str, values| (name.to_owned(), "n_s".to_owned(), values);
        let rows = ColumnValues::Ints(Box::new(rows.iter().copied()));
        let weights = ColumnValues::Doubles(Box::new(weights.iter().copied()));
        Table {
            dimensions: vec![("n_s".to_owned(), 3), ("none".to_owned(), 1)],
            columns: vec![column("row", rows), column("S", weights)],
            attributes: vec![("digest".to_owned(), Attribute::Text("00ff".to_owned()))],
        }
    }

    #[test]
    fn a_table_comes_back_as_it_went() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("weights.nc");
        let (rows, weights) = ([1, 2, 3], [0.1, f64::MIN_POSITIVE, 1.0]);
        table(&rows, &weights).write(&path).unwrap();
        let stored = StoredTable::open(&path).unwrap();
        assert_eq!(stored.length("row"), Some(3));
        assert_eq!(stored.length("other"), None);
        let piece = |name, range| stored.read(name, range).unwrap();
        assert_eq!(piece("row", 0..3), ColumnPiece::Ints(rows.to_vec()));
        assert_eq!(
            piece("S", 1..3),
            ColumnPiece::Doubles(weights[1..].to_vec())
        );
        let digest = Attribute::Text("00ff".to_owned());
        assert_eq!(stored.attribute("digest"), Some(&digest));
        let files = std::fs::read_dir(directory.path()).unwrap().count();
        assert_eq!(files, 1);
        let nowhere = directory.path().join("missing/weights.nc");
        assert!(matches!(
            table(&rows, &weights).write(&nowhere),
            Err(SourceError::Unwritable { .. })
        ));
        std::fs::write(&path, "no NetCDF").unwrap();
        assert!(StoredTable::open(&path).is_err());
    }
}
