//! The corners of cells, from the points of the model's staggered grid that lie there.

use super::source::Corners;
use super::sphere::{Vector, vector};

impl Corners {
    /// The corners of the cells of `[ny, nx]` points, from the points that lie at them, degrees, `[y, x]`: the
    /// north-eastern one of cell (j, i) is the point (j + `offset[0]`, i + `offset[1]`), 0 or 1 each. Of T cells these are the
    /// F points, with offset 0.
    ///
    /// Beyond an edge of the grid the rows and columns go on evenly; but for those in the west and east, where the last
    /// column is beside the first.
    #[must_use]
    pub fn from_points(
        longitude: &[f64],
        latitude: &[f64],
        [ny, nx]: [usize; 2],
        offset: [usize; 2],
    ) -> Self {
        let points = Points {
            longitude,
            latitude,
            ny: ny as isize,
            nx: nx as isize,
        };
        let mut corners = Self {
            longitude: Vec::with_capacity(4 * ny * nx),
            latitude: Vec::with_capacity(4 * ny * nx),
        };
        for j in 0..ny {
            for i in 0..nx {
                let (j, i) = ((j + offset[0]) as isize, (i + offset[1]) as isize);
                for (j, i) in [(j - 1, i - 1), (j - 1, i), (j, i), (j, i - 1)] {
                    let (longitude, latitude) = points.at(j, i);
                    corners.longitude.push(longitude);
                    corners.latitude.push(latitude);
                }
            }
        }
        corners
    }
}

struct Points<'a> {
    longitude: &'a [f64],
    latitude: &'a [f64],
    ny: isize,
    nx: isize,
}

impl Points<'_> {
    /// The point (j, i), which may lie one beyond the edges.
    fn at(&self, j: isize, i: isize) -> (f64, f64) {
        if j < 0 {
            return beyond(self.at(0, i), self.at(1.min(self.ny - 1), i));
        }
        if j >= self.ny {
            return beyond(self.at(self.ny - 1, i), self.at((self.ny - 2).max(0), i));
        }
        if (0..self.nx).contains(&i) {
            let index = (j * self.nx + i) as usize;
            return (self.longitude[index], self.latitude[index]);
        }
        let (edge, inner) = if i < 0 {
            (0, 1.min(self.nx - 1))
        } else {
            (self.nx - 1, (self.nx - 2).max(0))
        };
        let (other, edge, inner) = (
            self.at(j, self.nx - 1 - edge),
            self.at(j, edge),
            self.at(j, inner),
        );
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
        let corners = Corners::from_points(&longitude, &latitude, [ny, nx], [0, 0]);
        // The first cell: its western corners are the last column's, its southern ones go on evenly.
        assert_eq!(corners.longitude[..4], [360.0, 90.0, 90.0, 360.0]);
        assert_eq!(corners.latitude[..4], [-70.0, -70.0, -50.0, -50.0]);
        // A part of it, which has no neighbour in the west.
        let (part, rows): (Vec<f64>, Vec<f64>) = (
            longitude.iter().map(|l| l / 9.0).collect(),
            latitude.clone(),
        );
        let corners = Corners::from_points(&part, &rows, [ny, nx], [0, 0]);
        assert_eq!(corners.longitude[..4], [0.0, 10.0, 10.0, 0.0]);
    }
}
