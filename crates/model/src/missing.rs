//! Which values of a variable stand for missing ones.

use super::attribute::Attribute;
use super::dtype::{DType, Number};
use super::variable::Variable;

impl Variable {
    /// Why `value`, one of its values, which have type `dtype`, stands for a missing one; `None` if it does not.
    pub fn missing_because(&self, value: Number, dtype: DType) -> Option<&'static str> {
        if value.as_f64().is_nan() {
            return Some("is no number");
        }
        let equals = |number: Number| dtype.rounded(number) == Some(value);
        let of = |name: &str| match self.attribute(name) {
            Some(Attribute::Numbers(numbers)) => numbers.iter().copied().any(equals),
            _ => false,
        };
        if of("_FillValue") {
            return Some("is its _FillValue");
        }
        if of("missing_value") {
            return Some("is its missing_value");
        }
        let unwritten = self.attribute("_FillValue").is_none()
            && default_fill(dtype).is_some_and(|fill| fill == value);
        unwritten
            .then_some("is NetCDF's default fill value, which stands where nothing was written")
    }

    /// The values that stand for missing ones.
    pub fn missing_values(&self, dtype: DType) -> Vec<Number> {
        let named = ["_FillValue", "missing_value"].map(|name| self.attribute(name));
        let named = named.into_iter().flatten().flat_map(|value| match value {
            Attribute::Numbers(numbers) => &numbers[..],
            Attribute::Text(_) | Attribute::Texts(_) => &[],
        });
        let mut values: Vec<Number> = named.filter_map(|n| dtype.rounded(*n)).collect();
        if self.attribute("_FillValue").is_none() {
            values.extend(default_fill(dtype));
        }
        if dtype.is_float() {
            values.push(Number::Float(f64::NAN));
        }
        values
    }
}

/// What the NetCDF library puts where nothing was written, unless a `_FillValue` says otherwise (`NC_FILL_*` of netcdf.h).
/// For bytes that is a value like any other: all 256 may be data.
pub fn default_fill(dtype: DType) -> Option<Number> {
    Some(match dtype {
        DType::I16 => Number::Int(-32_767),
        DType::U16 => Number::UInt(65_535),
        DType::I32 => Number::Int(-2_147_483_647),
        DType::U32 => Number::UInt(4_294_967_295),
        DType::I64 => Number::Int(-9_223_372_036_854_775_806),
        DType::U64 => Number::UInt(18_446_744_073_709_551_614),
        DType::F32 | DType::F64 => Number::Float(9.969_209_968_386_869e36),
        DType::I8 | DType::U8 | DType::Text(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::VariableType;

    #[test]
    fn missing_by_attribute_in_any_type_or_by_default() {
        let why = |dtype: DType, value: Number, attributes: &[(&str, Number)]| {
            let variable = Variable {
                name: "v".to_owned(),
                kind: VariableType::Number(dtype),
                dimensions: Vec::new(),
                shape: Vec::new(),
                stored_chunks: None,
                attributes: attributes
                    .iter()
                    .map(|(name, n)| ((*name).to_owned(), Attribute::Numbers(vec![*n])))
                    .collect(),
            };
            let why = variable.missing_because(value, dtype);
            assert!(why.is_none() || variable.missing_values(dtype).contains(&value));
            why.unwrap_or_default()
        };
        let (int, float) = (Number::Int, Number::Float);
        let single = f64::from(1e20_f32);
        assert!(why(DType::F32, float(single), &[("_FillValue", float(1e20))]).contains("_Fill"));
        assert!(why(DType::I32, int(-1), &[("missing_value", float(-1.0))]).contains("missing_"));
        assert!(why(DType::F64, float(f64::NAN), &[]).contains("no number"));
        let default = float(9.969_209_968_386_869e36);
        assert_eq!(f64::from(9.969_21e36_f32), default.as_f64());
        for dtype in [DType::F32, DType::F64] {
            assert!(why(dtype, default, &[]).contains("default"));
            assert_eq!(why(dtype, default, &[("_FillValue", float(0.0))]), "");
            assert!(why(dtype, default, &[("missing_value", float(0.0))]).contains("default"));
        }
        assert!(why(DType::I16, int(-32_767), &[]).contains("default"));
        assert_eq!(why(DType::I8, int(-127), &[]), "");
    }
}
