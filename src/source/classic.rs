//! Files in a classic format: CDF-1, CDF-2 and CDF-5.
//!
//! Key type: [`ClassicFile`].

use std::fs::File;
use std::sync::Arc;

use hdf5_reader::FileStorage;
use msm_model::{Attribute, DType, Number};
use netcdf_reader::classic::data::compute_record_stride;
use netcdf_reader::{NcAttrValue, NcAttribute, NcFile, NcType, NcVariable};

use super::hdf5::Type;
use super::storage::{StoredValues, ValueStorage, bytes_of};

/// A file in a classic format, open for reading.
pub(super) struct ClassicFile {
    file: NcFile,
    /// Bytes from one record to the next.
    stride: u64,
}

impl ClassicFile {
    /// Reads the header of `file`.
    ///
    /// # Errors
    /// If it is damaged.
    pub(super) fn open(file: File) -> Result<Self, String> {
        let storage = Arc::new(FileStorage::from_file(file).map_err(shown)?);
        let file = NcFile::from_storage(storage).map_err(shown)?;
        let stride = compute_record_stride(file.variables().map_err(shown)?);
        Ok(Self {
            stride: stride.map_err(shown)?,
            file,
        })
    }

    pub(super) fn dimensions(&self) -> Vec<(String, u64)> {
        let dimensions = self.file.dimensions().unwrap_or_default();
        dimensions
            .iter()
            .map(|d| (d.name.clone(), d.size))
            .collect()
    }

    pub(super) fn attributes(&self) -> Vec<(String, Attribute)> {
        attributes(self.file.global_attributes().unwrap_or_default())
    }

    pub(super) fn variables(&self) -> &[NcVariable] {
        self.file.variables().unwrap_or_default()
    }

    /// The variable called `name`.
    pub(super) fn variable(&self, name: &str) -> Option<&NcVariable> {
        self.variables()
            .iter()
            .find(|variable| variable.name == name)
    }

    /// Where the file must end at the earliest; `None` if that is more than can be said.
    pub(super) fn expected_length(&self) -> Option<u64> {
        let mut ends = self.variables().iter().map(|variable| self.end(variable));
        ends.try_fold(0, |last, end| Some(end?.max(last)))
    }

    fn end(&self, variable: &NcVariable) -> Option<u64> {
        let shape = variable.shape();
        if shape.contains(&0) {
            return Some(0);
        }
        let (first, one) = if variable.is_record_var {
            ((shape[0] - 1).checked_mul(self.stride)?, &shape[1..])
        } else {
            (0, &shape[..])
        };
        let one = bytes_of(one, size_of_value(variable))? as u64;
        variable.data_offset.checked_add(first)?.checked_add(one)
    }

    /// Where the values of `variable` lie.
    pub(super) fn placed(&self, variable: &NcVariable) -> StoredValues {
        let size = size_of_value(variable);
        StoredValues {
            size,
            is_big_endian: size > 1,
            shape: variable.shape(),
            place: ValueStorage::Run {
                begin: variable.data_offset,
                stride: variable.is_record_var.then_some(self.stride),
            },
        }
    }
}

fn size_of_value(variable: &NcVariable) -> usize {
    match kind(&variable.dtype) {
        Type::Number(dtype) => dtype.size(),
        _ => 1,
    }
}

/// The attributes that a variable or file has.
pub(super) fn attributes(found: &[NcAttribute]) -> Vec<(String, Attribute)> {
    let attribute = |found: &NcAttribute| Some((found.name.clone(), value(&found.value)?));
    found.iter().filter_map(attribute).collect()
}

/// `None` for what these formats do not have.
fn value(found: &NcAttrValue) -> Option<Attribute> {
    macro_rules! numbers {
        ($values:expr, $number:path) => {
            Attribute::Numbers($values.iter().map(|&value| $number(value.into())).collect())
        };
    }
    Some(match found {
        NcAttrValue::Chars(text) => {
            let end = text.find('\0').unwrap_or(text.len());
            Attribute::Text(text[..end].to_owned())
        }
        NcAttrValue::Strings(texts) => Attribute::Texts(texts.clone()),
        NcAttrValue::Bytes(values) => numbers!(values, Number::Int),
        NcAttrValue::Shorts(values) => numbers!(values, Number::Int),
        NcAttrValue::Ints(values) => numbers!(values, Number::Int),
        NcAttrValue::Int64s(values) => numbers!(values, Number::Int),
        NcAttrValue::UBytes(values) => numbers!(values, Number::UInt),
        NcAttrValue::UShorts(values) => numbers!(values, Number::UInt),
        NcAttrValue::UInts(values) => numbers!(values, Number::UInt),
        NcAttrValue::UInt64s(values) => numbers!(values, Number::UInt),
        NcAttrValue::Floats(values) => numbers!(values, Number::Float),
        NcAttrValue::Doubles(values) => numbers!(values, Number::Float),
        NcAttrValue::UserDefined { .. } => return None,
    })
}

/// What the type `dtype` is.
pub(super) fn kind(dtype: &NcType) -> Type {
    Type::Number(match dtype {
        NcType::Byte => DType::I8,
        NcType::UByte => DType::U8,
        NcType::Short => DType::I16,
        NcType::UShort => DType::U16,
        NcType::Int => DType::I32,
        NcType::UInt => DType::U32,
        NcType::Int64 => DType::I64,
        NcType::UInt64 => DType::U64,
        NcType::Float => DType::F32,
        NcType::Double => DType::F64,
        NcType::Char => return Type::Character,
        _ => return Type::Other("user-defined".into()),
    })
}

fn shown(cause: impl std::fmt::Display) -> String {
    cause.to_string()
}
