//! Writing tables through the NetCDF library.

use std::path::Path;

use msm_model::{Attribute, Number};
use netcdf::{AttributeValue, Extents, FileMut, NcTypeDescriptor};

use super::super::table::{Column, Table};
use super::c::quiet;

/// Writes the `table` to a new file at `path`.
///
/// # Errors
/// As the library says.
pub(in crate::source) fn write(table: &Table, path: &Path) -> Result<(), String> {
    quiet();
    create(table, path).map_err(|cause| cause.to_string())
}

fn create(table: &Table, path: &Path) -> netcdf::Result<()> {
    let mut file = netcdf::create_with(path, netcdf::Options::NETCDF4)?;
    for (name, value) in &table.attributes {
        file.add_attribute(name, to_netcdf(value))?;
    }
    for (name, size) in &table.dimensions {
        file.add_dimension(name, *size)?;
    }
    for (name, dimension, column) in &table.columns {
        match column {
            Column::Ints(values) => put(&mut file, name, dimension, values)?,
            Column::Doubles(values) => put(&mut file, name, dimension, values)?,
        }
    }
    file.close()
}

fn put<T: NcTypeDescriptor>(
    file: &mut FileMut,
    name: &str,
    dimension: &str,
    values: &[T],
) -> netcdf::Result<()> {
    let mut variable = file.add_variable::<T>(name, &[dimension])?;
    if !values.is_empty() {
        variable.set_compression(1, true)?;
        variable.put_values(values, Extents::All)?;
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
