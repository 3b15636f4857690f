//! Writing tables through the NetCDF library.

use std::path::Path;

use msm_model::{Attribute, Number};
use netcdf::{AttributeValue, FileMut, NcTypeDescriptor};

use super::super::table::{ColumnValues, Table};
use super::c::quiet;

/// Writes the `table` to a new file at `path`.
///
/// # Errors
/// As the library says.
pub(in crate::source) fn write(table: Table<'_>, path: &Path) -> Result<(), String> {
    quiet();
    create(table, path).map_err(|cause| cause.to_string())
}

fn create(table: Table<'_>, path: &Path) -> netcdf::Result<()> {
    let mut file = netcdf::create_with(path, netcdf::Options::NETCDF4)?;
    for (name, value) in &table.attributes {
        file.add_attribute(name, to_netcdf(value))?;
    }
    for (name, size) in &table.dimensions {
        file.add_dimension(name, *size)?;
    }
    for (name, dimension, values) in table.columns {
        match values {
            ColumnValues::Ints(values) => put(&mut file, &name, &dimension, values)?,
            ColumnValues::Doubles(values) => put(&mut file, &name, &dimension, values)?,
        }
    }
    file.close()
}

/// Writes a column, one chunk at a time: the same bytes as if all were put at once.
fn put<T: NcTypeDescriptor>(
    file: &mut FileMut,
    name: &str,
    dimension: &str,
    values: impl Iterator<Item = T>,
) -> netcdf::Result<()> {
    let mut variable = file.add_variable::<T>(name, &[dimension])?;
    let mut values = values.peekable();
    if values.peek().is_none() {
        return Ok(());
    }
    variable.set_compression(1, true)?;
    let length: usize = variable
        .dimensions()
        .iter()
        .map(netcdf::Dimension::len)
        .product();
    let chunk = match variable.chunking()? {
        Some(chunk) => chunk.iter().product(),
        None => length,
    };
    let mut piece = Vec::with_capacity(chunk.min(length));
    for start in (0..length).step_by(chunk.max(1)) {
        piece.clear();
        piece.extend(values.by_ref().take(chunk.min(length - start)));
        variable.put_values(&piece, start..start + piece.len())?;
    }
    Ok(())
}

fn to_netcdf(value: &Attribute) -> AttributeValue {
    match value {
        Attribute::Text(text) => text.as_str().into(),
        Attribute::Texts(texts) => AttributeValue::Strs(texts.clone()),
        Attribute::Numbers(numbers) => {
            AttributeValue::Doubles(numbers.iter().copied().map(Number::as_f64).collect())
        }
    }
}
