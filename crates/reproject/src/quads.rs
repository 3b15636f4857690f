//! The quads between neighbouring cell centres, which cover the grid without gaps.
//!
//! Key type: [`Quads`].

use super::ring::{Corner, Ring};
use super::source::SourceGrid;
use super::sphere::{Vector, chord, vector};

/// Two cells are beside each other if they are no further apart than this many times the usual spacing.
const BESIDE: f64 = 1.5;
/// Cells closer than this, in radii (6 m), are one cell twice.
const SAME: f64 = 1e-6;

/// The quads of a grid, each numbered as the cell at its first corner; closed over the periodic seam and the north fold.
pub(super) struct Quads<'a> {
    source: &'a SourceGrid,
    /// Is the last column beside the first, and not a repeat of it?
    seam: bool,
    /// In the top row, cell `i` lies beside cell `(fold − i) mod nx` across the north fold.
    fold: Option<usize>,
}

impl<'a> Quads<'a> {
    /// The quads of this grid.
    pub(super) fn new(source: &'a SourceGrid) -> Self {
        let around = around(source);
        Self {
            source,
            seam: around == RowClosure::Seam,
            fold: (around != RowClosure::No).then(|| fold(source)).flatten(),
        }
    }

    /// How many numbers there are; not every one is a quad.
    pub(super) fn len(&self) -> usize {
        self.source.nx * self.source.ny
    }

    /// Quad number `k`, as the cells at its corners, in order around it. `None` at the rims, if a corner has no
    /// coordinates, and if fewer than three corners differ.
    pub(super) fn cells(&self, k: usize) -> Option<[usize; 4]> {
        let (nx, ny) = (self.source.nx, self.source.ny);
        let (j, i) = (k / nx, k % nx);
        let next = match i + 1 {
            next if next < nx => next,
            _ if self.seam => 0,
            _ => return None,
        };
        let above = |i: usize| match self.fold {
            _ if j + 1 < ny => Some((j + 1) * nx + i),
            Some(fold) => Some(j * nx + (fold + nx - i) % nx),
            None => None,
        };
        let mut cells = [j * nx + i, j * nx + next, above(next)?, above(i)?];
        for cell in &mut cells {
            *cell = self.source.own(*cell)?;
        }
        let repeats = (1..4)
            .filter(|&at| cells[..at].contains(&cells[at]))
            .count();
        (repeats <= 1).then_some(cells)
    }

    /// The corners of a quad of these cells.
    pub(super) fn corners(&self, cells: [usize; 4]) -> [Corner; 4] {
        cells.map(|cell| {
            Corner::new(
                self.source.longitude.at(cell),
                self.source.latitude.at(cell),
            )
        })
    }

    /// Quad number `k` as a closed line.
    pub(super) fn ring(&self, k: usize) -> Option<Ring> {
        Ring::new(self.corners(self.cells(k)?))
    }
}

/// How the rows of a grid go around the globe.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RowClosure {
    /// They do not.
    No,
    /// The last column is beside the first.
    Seam,
    /// The first or last columns repeat columns of the other side.
    Halo,
}

fn around(source: &SourceGrid) -> RowClosure {
    let (nx, ny) = (source.nx, source.ny);
    // In fewer columns than this, the last may lie beside the first without going around.
    if nx < 4 {
        return RowClosure::No;
    }
    let (mut rows, mut seams, mut halos) = (0, 0, 0);
    for j in 0..ny {
        let Some([first, second, before, last]) =
            points(source, [0, 1, nx - 2, nx - 1].map(|i| j * nx + i))
        else {
            continue;
        };
        rows += 1;
        let other_half = |i: usize| {
            source
                .own(j * nx + i)
                .is_some_and(|own| (own % nx).abs_diff(i) > nx / 2)
        };
        let gap = chord(last, first);
        let spacing = chord(first, second).max(chord(before, last));
        if other_half(0) || other_half(nx - 1) || gap < SAME {
            halos += 1;
        } else if gap <= BESIDE * spacing {
            seams += 1;
        }
    }
    if 2 * halos > rows {
        RowClosure::Halo
    } else if 2 * seams > rows {
        RowClosure::Seam
    } else {
        RowClosure::No
    }
}

/// `c` such that the top row's cell `i` lies beside its cell `(c − i) mod nx`, across a fold at the row's northern side.
/// `None` if there is no such `c`, or the row repeats itself or the one below, which closes the grid without more.
fn fold(source: &SourceGrid) -> Option<usize> {
    let (nx, ny) = (source.nx, source.ny);
    let below = ny.checked_sub(2)? * nx;
    let top = below + nx;
    let repeats = (top..top + nx)
        .filter(|&cell| source.own(cell).is_some_and(|own| own != cell))
        .count();
    // Halo columns repeat too, so more than a few.
    if 4 * repeats > nx {
        return None;
    }
    let row: Vec<Option<(Vector, f64)>> = (0..nx)
        .map(|i| {
            let [here, south] = points(source, [top + i, below + i])?;
            Some((here, chord(here, south)))
        })
        .collect();
    let distances = |c: usize| {
        let row = &row;
        (0..nx).filter_map(move |i| {
            let (here, spacing) = row[i]?;
            let (there, _) = row[(c + nx - i) % nx]?;
            Some((chord(here, there), spacing))
        })
    };
    // The right one joins cells straight, all others askew: its distances are least.
    let mean = |c: usize| {
        let (count, sum) = distances(c).fold((0, 0.0), |(count, sum), (distance, _)| {
            (count + 1, sum + distance)
        });
        (2 * count > nx).then(|| sum / f64::from(count as u32))
    };
    let (_, c) = (0..nx)
        .filter_map(|c| Some((mean(c)?, c)))
        .min_by(|a, b| a.0.total_cmp(&b.0))?;
    let beside = distances(c)
        .filter(|(distance, spacing)| *distance <= BESIDE * spacing)
        .count();
    (2 * beside > nx).then_some(c)
}

/// The centres of these cells; `None` if one has no coordinates.
fn points<const N: usize>(source: &SourceGrid, cells: [usize; N]) -> Option<[Vector; N]> {
    cells
        .iter()
        .all(|&cell| source.own(cell).is_some())
        .then(|| cells.map(|cell| vector(source.longitude.at(cell), source.latitude.at(cell))))
}

#[cfg(test)]
mod tests {
    use super::super::test_grids::{North, grid, rotated, tripolar};
    use super::*;

    #[test]
    fn seam_and_fold_are_closed_where_they_are_open() {
        let state = |source: &SourceGrid| {
            let quads = Quads::new(source);
            (quads.seam, quads.fold)
        };
        for nx in [16, 40] {
            assert_eq!(state(&tripolar(nx, North::Fold)), (true, Some(nx - 1)));
            assert_eq!(state(&tripolar(nx, North::Halo)), (false, None));
            assert_eq!(state(&tripolar(nx, North::Pivot)), (true, None));
        }
        assert!(state(&rotated(10, 20, [5.0, 30.0])).0);
        let regional = grid(
            8,
            35,
            |j, i| (j, i),
            |j2, i2| (5.0 * i2 as f64, 5.0 * j2 as f64),
        );
        assert_eq!(state(&regional), (false, None));
    }
}
