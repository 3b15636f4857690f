//! The sizes of a grid and how its cells sit on the tripolar map: which are halo copies of others.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// A tripolar ORCA-like grid. Make one with [`Grid::new`] or parse `eORCA1`, `eORCA025` or
/// `NXxNYxNZ` (columns, rows, levels).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Grid {
    name: String,
    nx: usize,
    ny: usize,
    nz: usize,
    halo: bool,
}

impl Grid {
    /// A grid of `nx` columns, `ny` rows and `nz` levels without halo.
    ///
    /// # Errors
    /// [`Error::Spec`] when `nx` is odd (the north fold joins the columns in pairs) or below 4, `ny`
    /// is below 4, `nz` is 0, or there are more than 2³¹ cells a level.
    pub fn new(nx: usize, ny: usize, nz: usize) -> Result<Self, Error> {
        let small = nx >= 4 && ny >= 4 && nz >= 1;
        let large = nx.checked_mul(ny).is_none_or(|n| n > i32::MAX as usize);
        if !small || large || !nx.is_multiple_of(2) || nz > 10_000 {
            return Err(Error::Spec(format!(
                "a grid of {nx} columns, {ny} rows and {nz} levels: it takes an even number of \
                 columns from 4, rows from 4, levels from 1 to 10000, and at most 2^31 cells a level"
            )));
        }
        Ok(Self {
            name: format!("ORCA{nx}x{ny}"),
            nx,
            ny,
            nz,
            halo: false,
        })
    }

    /// 40 × 30 × 5 without halo.
    pub(crate) fn small() -> Self {
        Self {
            name: "ORCA40x30".to_owned(),
            nx: 40,
            ny: 30,
            nz: 5,
            halo: false,
        }
    }

    /// One degree, 362 × 332 × 75 with the halo older NEMO versions write: the first and last
    /// columns repeat the last and first of the 360 inside, and the top row repeats the one below,
    /// folded.
    pub fn eorca1() -> Self {
        Self {
            name: "eORCA1".to_owned(),
            nx: 362,
            ny: 332,
            nz: 75,
            halo: true,
        }
    }

    /// A quarter of a degree, 1440 × 1206 × 75, without halo as NEMO writes it since 4.2.
    pub fn eorca025() -> Self {
        Self {
            name: "eORCA025".to_owned(),
            nx: 1440,
            ny: 1206,
            nz: 75,
            halo: false,
        }
    }

    /// As file names have it: `eORCA1`, `eORCA025`, `ORCA40x30`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Columns: length of the dimension `x`.
    pub fn nx(&self) -> usize {
        self.nx
    }

    /// Rows: length of the dimension `y`.
    pub fn ny(&self) -> usize {
        self.ny
    }

    /// Levels: length of the dimension `deptht`.
    pub fn nz(&self) -> usize {
        self.nz
    }

    /// Columns and rows without halo.
    pub(crate) fn core_size(&self) -> (usize, usize) {
        if self.halo {
            (self.nx - 2, self.ny - 1)
        } else {
            (self.nx, self.ny)
        }
    }

    /// Row and column, without halo, of the cell that the cell `(j, i)` is or repeats.
    pub(crate) fn core_cell(&self, j: usize, i: usize) -> (usize, usize) {
        if !self.halo {
            return (j, i);
        }
        let (nx, ny) = self.core_size();
        let i = (i + nx - 1) % nx;
        if j == ny {
            (ny - 1, nx - 1 - i)
        } else {
            (j, i)
        }
    }
}

impl FromStr for Grid {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        match word {
            "eORCA1" => return Ok(Self::eorca1()),
            "eORCA025" => return Ok(Self::eorca025()),
            _ => {}
        }
        let sizes: Option<Vec<usize>> = word.split('x').map(|n| n.parse().ok()).collect();
        match sizes.as_deref() {
            Some(&[nx, ny, nz]) => Self::new(nx, ny, nz),
            _ => Err(Error::parse(
                "grid",
                word,
                "eORCA1, eORCA025 or NXxNYxNZ, such as 40x30x5",
            )),
        }
    }
}

impl fmt::Display for Grid {
    /// The word [`Grid::from_str`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.contains('x') {
            write!(f, "{}x{}x{}", self.nx, self.ny, self.nz)
        } else {
            f.write_str(&self.name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_in_and_out() {
        for word in ["eORCA1", "eORCA025", "40x30x5"] {
            assert_eq!(word.parse::<Grid>().unwrap().to_string(), word);
        }
        for word in ["orca", "40x30", "41x30x5", "40x30x0", "40x30x5x1", "2x2x1"] {
            assert!(word.parse::<Grid>().is_err(), "{word}");
        }
    }

    #[test]
    fn the_halo_repeats_the_other_side_and_the_fold() {
        let grid = Grid::eorca1();
        assert_eq!(grid.core_cell(10, 0), grid.core_cell(10, 360));
        assert_eq!(grid.core_cell(10, 361), grid.core_cell(10, 1));
        assert_eq!(grid.core_cell(331, 1), grid.core_cell(330, 360));
    }
}
