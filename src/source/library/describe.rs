//! What the NetCDF library says of a file.

use std::path::Path;

use msm_model::{Attribute, DType, Number};
use netcdf::AttributeValue;
use netcdf::types::{FloatType, IntType, NcVariableType};

use super::super::hdf5::Type;
use super::c::quiet;
use super::described_file::{DescribedFile, DescribedVariable};

/// What the file at `path` holds.
///
/// # Errors
/// As the library says.
pub(super) fn described(path: &Path) -> Result<DescribedFile, String> {
    quiet();
    open(path).map_err(|cause| cause.to_string())
}

fn open(path: &Path) -> netcdf::Result<DescribedFile> {
    let file = netcdf::open(path)?;
    let mut other = DescribedFile {
        dimensions: file
            .dimensions()
            .map(|d| (d.name(), d.len() as u64))
            .collect(),
        groups: file
            .groups()?
            .map(|group| format!("/{}", group.name()))
            .collect(),
        ..DescribedFile::default()
    };
    (other.attributes, other.odd_attributes) = attributes(file.attributes())?;
    for variable in file.variables() {
        let (attributes, odd_attributes) = attributes(variable.attributes())?;
        let chunks = variable.chunking().ok().flatten();
        let dimensions = variable.dimensions().iter();
        other.variables.push(DescribedVariable {
            name: variable.name(),
            kind: kind(&variable.vartype()),
            dimensions: dimensions.map(|d| (d.name(), d.len() as u64)).collect(),
            stored_chunks: chunks.map(|chunks| chunks.into_iter().map(|n| n as u64).collect()),
            attributes,
            odd_attributes,
        });
    }
    Ok(other)
}

/// Attributes, and the names of those of types that the file defines.
#[allow(clippy::type_complexity)] // a name for it would say no more
fn attributes<'a>(
    found: impl Iterator<Item = netcdf::Attribute<'a>>,
) -> netcdf::Result<(Vec<(String, Attribute)>, Vec<String>)> {
    let (mut known, mut odd) = (Vec::new(), Vec::new());
    for found in found {
        let name = found.name().to_owned();
        match found.value() {
            Ok(value) => known.push((name, attribute(value))),
            Err(netcdf::Error::TypeUnknown(_)) => odd.push(name),
            Err(error) => return Err(error),
        }
    }
    Ok((known, odd))
}

/// The type that the library calls `kind`.
pub(in crate::source) fn kind(kind: &NcVariableType) -> Type {
    Type::Number(match kind {
        NcVariableType::Int(IntType::I8) => DType::I8,
        NcVariableType::Int(IntType::U8) => DType::U8,
        NcVariableType::Int(IntType::I16) => DType::I16,
        NcVariableType::Int(IntType::U16) => DType::U16,
        NcVariableType::Int(IntType::I32) => DType::I32,
        NcVariableType::Int(IntType::U32) => DType::U32,
        NcVariableType::Int(IntType::I64) => DType::I64,
        NcVariableType::Int(IntType::U64) => DType::U64,
        NcVariableType::Float(FloatType::F32) => DType::F32,
        NcVariableType::Float(FloatType::F64) => DType::F64,
        NcVariableType::Char => return Type::Character,
        _ => return Type::Other("string or of a type that the file defines".into()),
    })
}

/// The attribute that the library gives as `value`.
pub(in crate::source) fn attribute(value: AttributeValue) -> Attribute {
    macro_rules! numbers {
        ($values:expr, $number:path) => {
            Attribute::Numbers($values.into_iter().map(|v| $number(v.into())).collect())
        };
    }
    match value {
        AttributeValue::Schar(v) => numbers!([v], Number::Int),
        AttributeValue::Schars(v) => numbers!(v, Number::Int),
        AttributeValue::Short(v) => numbers!([v], Number::Int),
        AttributeValue::Shorts(v) => numbers!(v, Number::Int),
        AttributeValue::Int(v) => numbers!([v], Number::Int),
        AttributeValue::Ints(v) => numbers!(v, Number::Int),
        AttributeValue::Longlong(v) => numbers!([v], Number::Int),
        AttributeValue::Longlongs(v) => numbers!(v, Number::Int),
        AttributeValue::Uchar(v) => numbers!([v], Number::UInt),
        AttributeValue::Uchars(v) => numbers!(v, Number::UInt),
        AttributeValue::Ushort(v) => numbers!([v], Number::UInt),
        AttributeValue::Ushorts(v) => numbers!(v, Number::UInt),
        AttributeValue::Uint(v) => numbers!([v], Number::UInt),
        AttributeValue::Uints(v) => numbers!(v, Number::UInt),
        AttributeValue::Ulonglong(v) => numbers!([v], Number::UInt),
        AttributeValue::Ulonglongs(v) => numbers!(v, Number::UInt),
        AttributeValue::Float(v) => numbers!([v], Number::Float),
        AttributeValue::Floats(v) => numbers!(v, Number::Float),
        AttributeValue::Double(v) => numbers!([v], Number::Float),
        AttributeValue::Doubles(v) => numbers!(v, Number::Float),
        AttributeValue::Str(v) => Attribute::Text(v),
        AttributeValue::Strs(v) => Attribute::Texts(v),
    }
}
