//! The corners of cells: four for each, or the points of the model's staggered grid that lie there.
//!
//! Key type: [`Corners`].

use super::coordinates::Coordinates;
use super::sphere::{Vector, vector};

/// The corners of cells, four each, in order around the cell (either way), degrees.
#[derive(Clone, Debug, PartialEq)]
pub struct Corners {
    longitude: Coordinates,
    latitude: Coordinates,
    /// Where they lie if they are points of a grid, `[y, x]`; else they are `[y, x, 4]`.
    points: Option<Points>,
}

/// Points at the corners of the cells of a grid of their own size.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Points {
    ny: isize,
    nx: isize,
    /// The north-eastern corner of a cell is the point so many rows and columns on.
    offset: [usize; 2],
}

impl Corners {
    /// The corners of each cell: degrees east and north, `[y, x, 4]`.
    #[must_use]
    pub fn new(longitude: impl Into<Coordinates>, latitude: impl Into<Coordinates>) -> Self {
        Self {
            longitude: longitude.into(),
            latitude: latitude.into(),
            points: None,
        }
    }

    /// The corners of the cells of `[ny, nx]` points, from the points that lie at them, degrees, `[y, x]`: the
    /// north-eastern one of cell (j, i) is the point (j + `offset[0]`, i + `offset[1]`), 0 or 1 each. Of T cells these are the
    /// F points, with offset 0.
    ///
    /// Beyond an edge of the grid the rows and columns go on evenly; but for those in the west and east, where the last
    /// column is beside the first.
    #[must_use]
    pub fn from_points(
        longitude: impl Into<Coordinates>,
        latitude: impl Into<Coordinates>,
        [ny, nx]: [usize; 2],
        offset: [usize; 2],
    ) -> Self {
        Self {
            longitude: longitude.into(),
            latitude: latitude.into(),
            points: Some(Points {
                ny: ny as isize,
                nx: nx as isize,
                offset,
            }),
        }
    }

    /// Longitude and latitude of the corners of a cell.
    ///
    /// # Panics
    /// If there is no such cell.
    #[must_use]
    pub fn of(&self, cell: usize) -> [(f64, f64); 4] {
        let Some(points) = self.points else {
            return [0, 1, 2, 3].map(|corner| self.pair(4 * cell + corner));
        };
        let Points { nx, offset, .. } = points;
        let (j, i) = (cell as isize / nx, cell as isize % nx);
        let (j, i) = (j + offset[0] as isize, i + offset[1] as isize);
        [(j - 1, i - 1), (j - 1, i), (j, i), (j, i - 1)].map(|(j, i)| self.at(points, j, i))
    }

    /// How many values there should be for so many `cells`, and how many longitudes and latitudes there are.
    pub(super) fn sizes(&self, cells: usize) -> (usize, [usize; 2]) {
        let of_cell = if self.points.is_some() { 1 } else { 4 };
        let found = [self.longitude.len(), self.latitude.len()];
        (of_cell * cells, found)
    }

    fn pair(&self, index: usize) -> (f64, f64) {
        (self.longitude.at(index), self.latitude.at(index))
    }

    /// The point (j, i), which may lie one beyond the edges.
    fn at(&self, points: Points, j: isize, i: isize) -> (f64, f64) {
        let Points { ny, nx, .. } = points;
        let at = |j, i| self.at(points, j, i);
        if j < 0 {
            return beyond(at(0, i), at(1.min(ny - 1), i));
        }
        if j >= ny {
            return beyond(at(ny - 1, i), at((ny - 2).max(0), i));
        }
        if (0..nx).contains(&i) {
            return self.pair((j * nx + i) as usize);
        }
        let (edge, inner) = if i < 0 {
            (0, 1.min(nx - 1))
        } else {
            (nx - 1, (nx - 2).max(0))
        };
        let (other, edge, inner) = (at(j, nx - 1 - edge), at(j, edge), at(j, inner));
        if chord(other, edge) <= 2.0 * chord(edge, inner) {
            other
        } else {
            beyond(edge, inner)
        }
    }
}

/// The point as far behind `edge` as `inner` is before it.
fn beyond(edge: (f64, f64), inner: (f64, f64)) -> (f64, f64) {
    let east = (inner.0 - edge.0 + 180.0).rem_euclid(360.0) - 180.0;
    let latitude = 2.0 * edge.1 - inner.1;
    (edge.0 - east, latitude.clamp(-90.0, 90.0))
}

fn chord(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (a, b): (Vector, Vector) = (vector(a.0, a.1), vector(b.0, b.1));
    (0..3).map(|d| (a[d] - b[d]).powi(2)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_of_a_global_grid_close_around() {
        // T cells centred at 45°, 135°, … and −60°, −40°, …; F points to their north-east.
        let (ny, nx) = (3, 4);
        let f = |j: usize, i: usize| (90.0 * (i + 1) as f64, -50.0 + 20.0 * j as f64);
        let (mut longitude, mut latitude) = (Vec::new(), Vec::new());
        for j in 0..ny {
            for i in 0..nx {
                longitude.push(f(j, i).0);
                latitude.push(f(j, i).1);
            }
        }
        let corners = Corners::from_points(longitude.clone(), latitude.clone(), [ny, nx], [0, 0]);
        // The first cell: its western corners are the last column's, its southern ones go on evenly.
        let expected = [(360.0, -70.0), (90.0, -70.0), (90.0, -50.0), (360.0, -50.0)];
        assert_eq!(corners.of(0), expected);
        // A part of it, which has no neighbour in the west.
        let (part, rows): (Vec<f64>, Vec<f64>) = (
            longitude.iter().map(|l| l / 9.0).collect(),
            latitude.clone(),
        );
        let corners = Corners::from_points(part, rows, [ny, nx], [0, 0]);
        assert_eq!(corners.of(0).map(|corner| corner.0), [0.0, 10.0, 10.0, 0.0]);
    }
}
