//! Applying weights to one field: the values of one step and level, as raw bytes.
//!
//! Key type: [`Values`].

use super::sparse::SparseRow;
use super::weights::{WeightSlab, Weights};
use msm_model::{DType, Number};

/// What the wet cells of a row must weigh for its target to have a value: less than any error of the weights would do.
const LEAST: f64 = 1e-6;

/// The values of a variable: their type, and which of them stand for none.
#[derive(Clone, Debug)]
pub struct Values {
    dtype: DType,
    /// What marks missing data, beside NaN.
    missing: Vec<Number>,
    /// What is written where there is no value: its little-endian bytes.
    fill: Vec<u8>,
}

impl Values {
    /// Values of this type. `fill` are the bytes of the value that is written where there is none.
    #[must_use]
    pub fn new(dtype: DType, missing: Vec<Number>, fill: Vec<u8>) -> Self {
        Self {
            dtype,
            missing,
            fill,
        }
    }

    /// Fills `row` with the values of target cells from the one of index `first`, made from the source field `plane`.
    ///
    /// One source value each is copied as it is, missing or not. Of many, the mean of those that are not missing, weighed
    /// as they are; it is missing itself where these weigh next to nothing. Integers are rounded.
    ///
    /// # Panics
    /// If the weights are of a larger source, or end before the row does.
    pub fn apply(&self, weights: &Weights, plane: &[u8], first: usize, row: &mut [u8]) {
        let size = self.dtype.size();
        let mut rest = row;
        for (slab, first) in weights.from(first) {
            let here = (size * (slab.len() - first)).min(rest.len());
            let (values, others) = rest.split_at_mut(here);
            match slab {
                WeightSlab::One(cells) => self.copy_all(&cells[first..], plane, values),
                WeightSlab::Many(sparse) => self.mean_all(sparse.rows(first), plane, values),
            }
            rest = others;
            if rest.is_empty() {
                break;
            }
        }
        assert!(rest.is_empty(), "the weights end before the row does");
    }

    fn copy_all(&self, cells: &[u32], plane: &[u8], row: &mut [u8]) {
        match self.dtype.size() {
            4 => self.copy::<4>(cells, plane, row),
            8 => self.copy::<8>(cells, plane, row),
            2 => self.copy::<2>(cells, plane, row),
            1 => self.copy::<1>(cells, plane, row),
            _ => {}
        }
    }

    fn mean_all<'a>(
        &self,
        rows: impl Iterator<Item = SparseRow<'a>>,
        plane: &[u8],
        row: &mut [u8],
    ) {
        match self.dtype {
            DType::I8 => self.mean::<i8, 1>(rows, plane, row),
            DType::U8 => self.mean::<u8, 1>(rows, plane, row),
            DType::I16 => self.mean::<i16, 2>(rows, plane, row),
            DType::U16 => self.mean::<u16, 2>(rows, plane, row),
            DType::I32 => self.mean::<i32, 4>(rows, plane, row),
            DType::U32 => self.mean::<u32, 4>(rows, plane, row),
            DType::I64 => self.mean::<i64, 8>(rows, plane, row),
            DType::U64 => self.mean::<u64, 8>(rows, plane, row),
            DType::F32 => self.mean::<f32, 4>(rows, plane, row),
            DType::F64 => self.mean::<f64, 8>(rows, plane, row),
            DType::Text(_) => {}
        }
    }

    fn copy<const N: usize>(&self, cells: &[u32], plane: &[u8], row: &mut [u8]) {
        let (plane, _) = plane.as_chunks::<N>();
        let (row, _) = row.as_chunks_mut::<N>();
        let mut fill = [0; N];
        fill.copy_from_slice(&self.fill);
        assert!(cells.len() >= row.len());
        for (value, &cell) in row.iter_mut().zip(cells) {
            *value = if cell == Weights::NONE {
                fill
            } else {
                plane[cell as usize]
            };
        }
    }

    fn mean<'a, T: Value<N>, const N: usize>(
        &self,
        rows: impl Iterator<Item = SparseRow<'a>>,
        plane: &[u8],
        row: &mut [u8],
    ) {
        let (plane, _) = plane.as_chunks::<N>();
        let (row, _) = row.as_chunks_mut::<N>();
        let mut fill = [0; N];
        fill.copy_from_slice(&self.fill);
        let marks = self.missing.iter();
        let missing = marks.filter_map(|mark| self.dtype.bytes_of(*mark)?.try_into().ok());
        let mut missing: Vec<T> = missing.map(T::read).collect();
        missing.dedup();
        // A file has one mark as a rule: a loop over marks would take as long as the mean.
        match missing[..] {
            [mark] => means(rows, plane, row, fill, |v: T| v.is_nan() || v == mark),
            _ => means(rows, plane, row, fill, |v: T| {
                v.is_nan() || missing.contains(&v)
            }),
        }
    }
}

/// Fills `row` with the means of the values that are not `dry`.
fn means<'a, T: Value<N>, const N: usize>(
    rows: impl Iterator<Item = SparseRow<'a>>,
    plane: &[[u8; N]],
    row: &mut [[u8; N]],
    fill: [u8; N],
    dry: impl Fn(T) -> bool,
) {
    for (value, entries) in row.iter_mut().zip(rows) {
        let (mut sum, mut wet) = (0.0, 0.0);
        for (cell, weight) in entries.entries() {
            let found = T::read(plane[cell as usize]);
            if !dry(found) {
                sum += f64::from(weight) * found.as_f64();
                wet += f64::from(weight);
            }
        }
        *value = if wet > LEAST {
            T::from_f64(sum / wet).bytes()
        } else {
            fill
        };
    }
}

/// A number that means can be taken of.
trait Value<const N: usize>: Copy + PartialEq {
    fn read(bytes: [u8; N]) -> Self;
    fn bytes(self) -> [u8; N];
    fn is_nan(self) -> bool;
    fn as_f64(self) -> f64;
    fn from_f64(value: f64) -> Self;
}

macro_rules! values {
    ($($type:ty, $size:literal, $is_nan:expr, $round:expr;)+) => {
        $(impl Value<$size> for $type {
            fn read(bytes: [u8; $size]) -> Self {
                Self::from_le_bytes(bytes)
            }
            fn bytes(self) -> [u8; $size] {
                self.to_le_bytes()
            }
            fn is_nan(self) -> bool {
                $is_nan(self)
            }
            #[allow(clippy::cast_lossless)]
            fn as_f64(self) -> f64 {
                self as f64
            }
            fn from_f64(value: f64) -> Self {
                $round(value) as Self
            }
        })+
    };
}

values! {
    i8, 1, |_| false, f64::round;
    u8, 1, |_| false, f64::round;
    i16, 2, |_| false, f64::round;
    u16, 2, |_| false, f64::round;
    i32, 4, |_| false, f64::round;
    u32, 4, |_| false, f64::round;
    i64, 8, |_| false, f64::round;
    u64, 8, |_| false, f64::round;
    f32, 4, f32::is_nan, std::convert::identity;
    f64, 8, f64::is_nan, std::convert::identity;
}

#[cfg(test)]
mod tests {
    use super::super::sparse::SparseBuilder;
    use super::*;

    fn applied(values: &Values, weights: &Weights, plane: &[f32], count: usize) -> Vec<f32> {
        let plane: Vec<u8> = plane.iter().flat_map(|v| v.to_le_bytes()).collect();
        let mut row = vec![0; 4 * count];
        values.apply(weights, &plane, 0, &mut row);
        let read = row.chunks_exact(4);
        read.map(|b| f32::from_le_bytes(b.try_into().unwrap()))
            .collect()
    }

    fn many(rows: &[&[(u32, f32)]]) -> Weights {
        let mut builder = SparseBuilder::default();
        for row in rows {
            builder.push(row);
        }
        Weights::of_entries(builder)
    }

    fn one(cells: Vec<u32>) -> Weights {
        Weights::of_single_cells(vec![cells])
    }

    fn floats() -> Values {
        let fill = 1e20_f32;
        let missing = vec![Number::Float(f64::from(fill)), Number::Float(-999.0)];
        Values::new(DType::F32, missing, fill.to_le_bytes().to_vec())
    }

    #[test]
    fn the_nearest_value_is_copied_to_the_bit() {
        let odd = f32::from_bits(0x7fc0_1234);
        let found = applied(
            &floats(),
            &one(vec![2, 0, Weights::NONE, 1]),
            &[1.5, odd, 1e20],
            4,
        );
        let bits: Vec<u32> = found.iter().map(|v| v.to_bits()).collect();
        let expected = [1e20, 1.5, 1e20, odd].map(f32::to_bits);
        assert_eq!(bits, expected);
    }

    #[test]
    fn means_are_of_wet_cells_only() {
        let weights = many(&[
            &[(0, 0.25), (1, 0.75)],
            &[(0, 0.25), (2, 0.75)],
            &[(1, 0.5), (3, 0.5)],
            &[(2, 0.5), (4, 0.5)],
            &[],
            // On a dry cell, but for rounding.
            &[(0, 1e-7), (2, 1.0)],
        ]);
        let plane = [4.0, 8.0, 1e20, f32::NAN, -999.0];
        let found = applied(&floats(), &weights, &plane, 6);
        assert_eq!(found, [7.0, 4.0, 8.0, 1e20, 1e20, 1e20]);
    }

    #[test]
    fn integers_are_rounded() {
        let values = Values::new(DType::I16, vec![Number::Int(-1)], vec![255, 255]);
        let plane: Vec<u8> = [3i16, 4, -1].iter().flat_map(|v| v.to_le_bytes()).collect();
        let weights = many(&[&[(0, 0.4), (1, 0.6)], &[(2, 0.9), (0, 0.1)], &[(2, 1.0)]]);
        let mut row = vec![0; 6];
        values.apply(&weights, &plane, 0, &mut row);
        assert_eq!(row, [4, 0, 3, 0, 255, 255]);
    }

    #[test]
    fn a_row_can_begin_anywhere() {
        let mut row = [0; 4];
        let plane: Vec<u8> = [5f32, 6.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        floats().apply(&one(vec![0, 1]), &plane, 1, &mut row);
        assert_eq!(f32::from_le_bytes(row), 6.0);
        let weights = many(&[&[(0, 1.0)], &[(1, 1.0)]]);
        floats().apply(&weights, &plane, 1, &mut row);
        assert_eq!(f32::from_le_bytes(row), 6.0);
    }

    #[test]
    fn a_row_may_lie_in_several_slabs() {
        let single = [vec![1], vec![2, 0], vec![0, 0]];
        let sparse = [[1].as_slice(), &[2, 0], &[0, 0]].map(|cells| {
            let rows: Vec<[(u32, f32); 1]> = cells.iter().map(|&cell| [(cell, 1.0)]).collect();
            many(&rows.iter().map(|row| &row[..]).collect::<Vec<_>>())
        });
        let plane: Vec<u8> = [5f32, 6.0, 7.0]
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        for weights in [
            Weights::of_single_cells(single.to_vec()),
            Weights::join(sparse.to_vec()),
        ] {
            for (first, expected) in [(0, [6.0, 7.0, 5.0]), (1, [7.0, 5.0, 5.0])] {
                let mut row = [0; 12];
                floats().apply(&weights, &plane, first, &mut row);
                assert_eq!(row[..], expected.map(f32::to_le_bytes).concat());
            }
        }
    }
}
