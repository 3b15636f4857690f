//! What the type of a dataset is to NetCDF, and whether its bytes are what they seem.
//!
//! HDF5 File Format Specification 3.0, "The Datatype Message".

use std::borrow::Cow;

use hdf5_reader::Datatype;
use hdf5_reader::messages::datatype::{StringSize, VarLenKind};
use msm_model::DType;
use serde::{Deserialize, Serialize};

/// A type, as NetCDF sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::source) enum Type {
    Number(DType),
    Character,
    String,
    /// Another one, in NetCDF's word for it.
    Other(Cow<'static, str>),
}

impl Type {
    pub(super) fn of(datatype: &Datatype) -> Self {
        match datatype {
            Datatype::FixedPoint { size, signed, .. } => match (size, signed) {
                (1, true) => Self::Number(DType::I8),
                (1, false) => Self::Number(DType::U8),
                (2, true) => Self::Number(DType::I16),
                (2, false) => Self::Number(DType::U16),
                (4, true) => Self::Number(DType::I32),
                (4, false) => Self::Number(DType::U32),
                (8, true) => Self::Number(DType::I64),
                (8, false) => Self::Number(DType::U64),
                _ => Self::Other("integers of another size".into()),
            },
            Datatype::FloatingPoint { size: 4, .. } => Self::Number(DType::F32),
            Datatype::FloatingPoint { size: 8, .. } => Self::Number(DType::F64),
            Datatype::FloatingPoint { .. } => Self::Other("floating point of another size".into()),
            Datatype::String {
                size: StringSize::Fixed(1),
                ..
            } => Self::Character,
            Datatype::String {
                size: StringSize::Variable,
                ..
            } => Self::String,
            Datatype::String { .. } => Self::Other("texts of one length".into()),
            Datatype::VarLen {
                base,
                kind: VarLenKind::String,
                ..
            } if base.is_vlen_string_base() => Self::String,
            Datatype::VarLen { .. } => Self::Other("variable-length".into()),
            Datatype::Compound { .. } => Self::Other("compound".into()),
            Datatype::Opaque { .. } => Self::Other("opaque".into()),
            Datatype::Enum { .. } => Self::Other("enum".into()),
            Datatype::Array { .. } => Self::Other("array".into()),
            Datatype::Reference { .. } => Self::Other("reference".into()),
            Datatype::Bitfield { .. } => Self::Other("bit field".into()),
        }
    }
}

/// Is the datatype message `raw` that of `dtype`, and big-endian? `None` where HDF5 would convert values otherwise than by
/// their byte order: bits unused, another exponent bias, and the like.
pub(super) fn is_big_endian(raw: &[u8], dtype: DType) -> Option<bool> {
    let size = u8::try_from(dtype.size()).ok()?;
    let bits = size * 8;
    let signed = matches!(dtype, DType::I8 | DType::I16 | DType::I32 | DType::I64);
    // Class, flags, size; bit offset and precision.
    let mut expected = match dtype {
        DType::F32 | DType::F64 => vec![1, 0x20, bits - 1, 0, size, 0, 0, 0, 0, 0, bits, 0],
        _ => vec![0, u8::from(signed) << 3, 0, 0, size, 0, 0, 0, 0, 0, bits, 0],
    };
    // Place and size of exponent and mantissa; exponent bias.
    match dtype {
        DType::F32 => expected.extend([23, 8, 0, 23, 127, 0, 0, 0]),
        DType::F64 => expected.extend([52, 11, 0, 52, 0xff, 3, 0, 0]),
        _ => {}
    }
    let mut found = raw.get(..expected.len())?.to_vec();
    let is_big = found[1] & 1 == 1;
    // The version of the message, the byte order, and what would pad values that had unused bits.
    found[0] &= 0x0f;
    found[1] &= !0b0111;
    (found == expected).then_some(is_big && size > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_numbers_are_read_as_they_lie() {
        let double = [
            0x11, 0x20, 63, 0, 8, 0, 0, 0, 0, 0, 64, 0, 52, 11, 0, 52, 255, 3, 0, 0,
        ];
        assert_eq!(is_big_endian(&double, DType::F64), Some(false));
        let with = |place: usize, value: u8| {
            let mut raw = double;
            raw[place] = value;
            is_big_endian(&raw, DType::F64)
        };
        assert_eq!(with(1, 0x21), Some(true));
        // VAX order, bias, place of the exponent, precision.
        for (place, value) in [(1, 0x61), (16, 254), (12, 51), (10, 63), (8, 1)] {
            assert_eq!(with(place, value), None, "{place}");
        }
        let short = [0x10, 0x08, 0, 0, 2, 0, 0, 0, 0, 0, 16, 0];
        assert_eq!(is_big_endian(&short, DType::I16), Some(false));
        assert_eq!(is_big_endian(&short, DType::U16), None);
        assert_eq!(is_big_endian(&short[..9], DType::I16), None);
    }
}
