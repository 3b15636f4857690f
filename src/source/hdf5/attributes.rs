//! Attributes of NetCDF-4 files. Texts that are not UTF-8 are read as the NetCDF libraries of other languages read them,
//! with a mark in the place of what cannot be read.

use hdf5_reader::messages::attribute::AttributeMessage;
use hdf5_reader::messages::dataspace::DataspaceType;
use hdf5_reader::messages::datatype::StringSize;
use hdf5_reader::{Attribute as Raw, Datatype, RawAttribute};
use msm_model::{Attribute, DType, Number};

use super::types::{Type, is_big_endian};

/// Those that NetCDF-4 keeps its own matters in.
const HIDDEN: [&str; 8] = [
    "_NCProperties",
    "_Netcdf4Dimid",
    "_Netcdf4Coordinates",
    "_nc3_strict",
    "DIMENSION_LIST",
    "REFERENCE_LIST",
    "CLASS",
    "NAME",
];

/// The attributes that a reader of the file sees, and the names of those that have a type which only this file defines.
#[derive(Default)]
pub(super) struct VisibleAttributes {
    pub known: Vec<(String, Attribute)>,
    pub others: Vec<String>,
}

impl VisibleAttributes {
    /// Of `raw`; `resolve` reads what a reference to variable-length data refers to.
    ///
    /// # Errors
    /// If one is damaged.
    pub(super) fn of(
        raw: &[RawAttribute],
        resolve: impl Fn(&[u8]) -> Result<Vec<u8>, String>,
    ) -> Result<Self, String> {
        let mut all = Self::default();
        for raw in raw.iter().filter(|raw| !HIDDEN.contains(&raw.name())) {
            let name = raw.name().to_owned();
            match value(raw, &resolve).map_err(|cause| format!("attribute '{name}': {cause}"))? {
                Some(value) => all.known.push((name, value)),
                None => all.others.push(name),
            }
        }
        Ok(all)
    }
}

fn value(
    raw: &RawAttribute,
    resolve: &impl Fn(&[u8]) -> Result<Vec<u8>, String>,
) -> Result<Option<Attribute>, String> {
    let message = raw.message();
    let is_scalar = message.dataspace.dataspace_type == DataspaceType::Scalar;
    let count = message.dataspace.num_elements();
    let count = count.map_err(|cause| cause.to_string())?;
    let count = usize::try_from(count).map_err(|_| format!("has {count} values"))?;
    if count == 0 {
        let is_text = matches!(message.datatype, Datatype::String { .. });
        return Ok(Some(if is_text {
            Attribute::Text(String::new())
        } else {
            Attribute::Numbers(Vec::new())
        }));
    }
    let kind = Type::of(&message.datatype);
    match (&message.datatype, kind) {
        (_, Type::Number(dtype)) => numbers(raw, dtype).map(Some),
        (_, Type::String) => {
            let bytes = &message.raw_data;
            let width = bytes.len() / count;
            if width == 0 {
                return Err(format!("has {count} texts in {} bytes", bytes.len()));
            }
            let texts = bytes.chunks_exact(width).take(count);
            let texts = texts.map(|reference| Ok(text(&resolve(reference)?)));
            Ok(Some(Attribute::Texts(
                texts.collect::<Result<_, String>>()?,
            )))
        }
        (
            Datatype::String {
                size: StringSize::Fixed(width),
                ..
            },
            _,
        ) => {
            let width = (*width as usize).max(1);
            let mut texts = message.raw_data.chunks(width).take(count).map(text);
            Ok(Some(if is_scalar {
                Attribute::Text(texts.next().unwrap_or_default())
            } else {
                Attribute::Texts(texts.collect())
            }))
        }
        _ => Ok(None),
    }
}

fn numbers(raw: &RawAttribute, dtype: DType) -> Result<Attribute, String> {
    if is_big_endian(raw.raw_datatype(), dtype).is_none() {
        return Err(format!("is a {dtype} of an unusual form"));
    }
    let raw = Raw::from_message(raw.message().clone());
    let failed = |cause: hdf5_reader::error::Error| cause.to_string();
    macro_rules! read {
        ($type:ty, $number:path) => {
            raw.read_1d::<$type>()
                .map_err(failed)?
                .into_iter()
                .map(|value| $number(value.into()))
                .collect()
        };
    }
    let numbers: Vec<Number> = match dtype {
        DType::I8 => read!(i8, Number::Int),
        DType::I16 => read!(i16, Number::Int),
        DType::I32 => read!(i32, Number::Int),
        DType::I64 => read!(i64, Number::Int),
        DType::U8 => read!(u8, Number::UInt),
        DType::U16 => read!(u16, Number::UInt),
        DType::U32 => read!(u32, Number::UInt),
        DType::U64 => read!(u64, Number::UInt),
        DType::F32 => read!(f32, Number::Float),
        DType::F64 => read!(f64, Number::Float),
        DType::Text(_) => Vec::new(),
    };
    Ok(Attribute::Numbers(numbers))
}

/// A text ends at its first NUL.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0);
    String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]).into_owned()
}

/// The message of the attribute called `name`.
pub(super) fn message<'a>(raw: &'a [RawAttribute], name: &str) -> Option<&'a AttributeMessage> {
    let found = raw.iter().find(|raw| raw.name() == name);
    found.map(RawAttribute::message)
}

/// The text of the attribute called `name`, which NetCDF-4 has written.
pub(super) fn own_text(raw: &[RawAttribute], name: &str) -> Option<String> {
    let message = message(raw, name)?;
    let is_text = matches!(message.datatype, Datatype::String { .. });
    is_text.then(|| text(&message.raw_data))
}

/// The numbers of the attribute called `name`, which NetCDF-4 has written.
pub(super) fn own_numbers(raw: &[RawAttribute], name: &str) -> Option<Vec<i32>> {
    let message = message(raw, name)?;
    Raw::from_message(message.clone()).read_1d().ok()
}
