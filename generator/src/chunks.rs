//! The HDF5 chunk shape of the data variables: XIOS's own rule, or sizes given by hand.

use std::str::FromStr;

use crate::{Error, Grid, Variable};

/// Chunk sizes by dimension; a dimension left out gets XIOS's default. A size above the dimension's
/// length means the whole dimension, but for `time_counter`, which grows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Chunks {
    pub time_counter: Option<usize>,
    pub deptht: Option<usize>,
    pub y: Option<usize>,
    pub x: Option<usize>,
}

/// A chunk of a data variable, in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChunkShape {
    pub time_counter: usize,
    /// 1 for a variable without depth
    pub deptht: usize,
    pub y: usize,
    pub x: usize,
}

/// XIOS's `chunking_blocksize_target`, bytes.
const TARGET: usize = 20 * 1024 * 1024;

impl ChunkShape {
    /// What XIOS 3 does (`CONetCDF4::addChunk`): a chunk is one whole record, and a record above
    /// 20 MiB is cut along its outermost axis into ⌈n / ⌈record / 20 MiB⌉⌉ levels (or rows).
    /// eORCA025 with 75 levels: `[1, 3, 1206, 1440]`.
    pub(crate) fn xios(grid: &Grid, variable: Variable) -> Self {
        let mut shape = Self {
            time_counter: 1,
            deptht: if variable.has_depth() { grid.nz() } else { 1 },
            y: grid.ny(),
            x: grid.nx(),
        };
        let parts = (4 * shape.deptht * shape.y * shape.x)
            .div_ceil(TARGET)
            .max(1);
        if variable.has_depth() {
            shape.deptht = shape.deptht.div_ceil(parts);
        } else {
            shape.y = shape.y.div_ceil(parts);
        }
        shape
    }

    /// XIOS's shape where `chunks` says nothing.
    pub(crate) fn new(grid: &Grid, variable: Variable, chunks: Option<Chunks>) -> Self {
        let default = Self::xios(grid, variable);
        let given = chunks.unwrap_or_default();
        let fit = |size: Option<usize>, default: usize, length: usize| {
            size.map_or(default, |s| s.clamp(1, length))
        };
        Self {
            time_counter: fit(given.time_counter, default.time_counter, usize::MAX),
            deptht: if variable.has_depth() {
                fit(given.deptht, default.deptht, grid.nz())
            } else {
                1
            },
            y: fit(given.y, default.y, grid.ny()),
            x: fit(given.x, default.x, grid.nx()),
        }
    }

    /// As NetCDF wants it, one size for each of the variable's dimensions.
    pub(crate) fn sizes(self, variable: Variable) -> Vec<usize> {
        if variable.has_depth() {
            vec![self.time_counter, self.deptht, self.y, self.x]
        } else {
            vec![self.time_counter, self.y, self.x]
        }
    }
}

/// XIOS's chunk of a horizontal array of float32 of this shape: the whole, or as many rows as make at most about 20 MiB.
pub(crate) fn horizontal_chunk(shape: &[usize]) -> Vec<usize> {
    let parts = (4 * shape.iter().product::<usize>())
        .div_ceil(TARGET)
        .max(1);
    let mut chunk = shape.to_vec();
    chunk[0] = chunk[0].div_ceil(parts);
    chunk
}

impl FromStr for Chunks {
    type Err = Error;

    /// `time_counter=1,deptht=25,y=402,x=480`, in any order, each dimension at most once.
    fn from_str(words: &str) -> Result<Self, Error> {
        let wrong = || {
            Error::parse(
                "chunk shape",
                words,
                "sizes above 0 for time_counter, deptht, y or x, such as time_counter=1,deptht=25",
            )
        };
        let mut chunks = Self::default();
        for part in words.split(',') {
            let (name, size) = part.split_once('=').ok_or_else(wrong)?;
            let size: usize = size.trim().parse().map_err(|_| wrong())?;
            let slot = match name.trim() {
                "time_counter" => &mut chunks.time_counter,
                "deptht" => &mut chunks.deptht,
                "y" => &mut chunks.y,
                "x" => &mut chunks.x,
                _ => return Err(wrong()),
            };
            if size == 0 || slot.replace(size).is_some() {
                return Err(wrong());
            }
        }
        Ok(chunks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xios_cuts_large_records_by_level() {
        let shape = |grid: &str, v| ChunkShape::xios(&grid.parse().unwrap(), v).sizes(v);
        assert_eq!(shape("eORCA025", Variable::So), [1, 3, 1206, 1440]);
        assert_eq!(shape("eORCA025", Variable::Tos), [1, 1206, 1440]);
        assert_eq!(shape("eORCA1", Variable::So), [1, 38, 332, 362]);
        assert_eq!(shape("40x30x5", Variable::So), [1, 5, 30, 40]);
        assert_eq!(horizontal_chunk(&[332, 362]), [332, 362]);
        assert_eq!(horizontal_chunk(&[3606, 4320, 4]), [301, 4320, 4]);
    }

    #[test]
    fn given_sizes_replace_the_default_and_fit_the_grid() {
        let grid = "40x30x5".parse().unwrap();
        let chunks: Chunks = "time_counter=4,y=7,x=99".parse().unwrap();
        let shape = ChunkShape::new(&grid, Variable::So, Some(chunks));
        assert_eq!(shape.sizes(Variable::So), [4, 5, 7, 40]);
        for word in ["", "y", "y=0", "z=3", "y=1,y=2", "y=-1"] {
            assert!(word.parse::<Chunks>().is_err(), "{word}");
        }
    }
}
