//! The still parts of a grid, worked out once for a file: where its cells are, how deep the sea is
//! there and how many levels are wet.

use rayon::prelude::*;

use crate::Grid;
use crate::land::Bathymetry;
use crate::levels::Levels;
use crate::tripolar::Tripolar;
use crate::waves::unit_vector;

/// The cells of a grid; arrays are `[y, x]`, halo included.
pub(crate) struct Ocean {
    pub grid: Grid,
    pub levels: Levels,
    /// degrees north
    pub latitude: Vec<f32>,
    /// degrees east, -180 to 180
    pub longitude: Vec<f32>,
    /// sea floor, metres; 0 on land
    pub depth: Vec<f32>,
    /// wet levels; 0 on land
    pub wet_levels: Vec<u16>,
    /// number of the cell among those that are no halo copies
    pub core: Vec<u32>,
    map: Tripolar,
}

impl Ocean {
    pub(crate) fn new(grid: &Grid) -> Self {
        let (nx, ny) = grid.core_size();
        let map = Tripolar::new(nx, ny);
        let levels = Levels::new(grid.nz());
        let world = Bathymetry::new();
        let cells: Vec<_> = (0..grid.ny() * grid.nx())
            .into_par_iter()
            .map(|cell| {
                let (j, i) = grid.core_cell(cell / grid.nx(), cell % grid.nx());
                let (latitude, longitude) = map.point(2 * j + 1, 2 * i + 1);
                let depth = world.depth(unit_vector(latitude, longitude));
                // At least one level where there is sea: with few levels the first is deep.
                let wet = levels.depth.partition_point(|&d| d < depth).max(1);
                let wet = if depth > 0.0 { wet as u16 } else { 0 };
                // Grid::new bounds the cells of a level to 2³¹.
                let core = (j * nx + i) as u32;
                (latitude as f32, longitude as f32, depth as f32, wet, core)
            })
            .collect();
        Self {
            latitude: cells.iter().map(|c| c.0).collect(),
            longitude: cells.iter().map(|c| c.1).collect(),
            depth: cells.iter().map(|c| c.2).collect(),
            wet_levels: cells.iter().map(|c| c.3).collect(),
            core: cells.iter().map(|c| c.4).collect(),
            grid: grid.clone(),
            levels,
            map,
        }
    }

    /// Latitudes or longitudes of the cells' corners, `[y, x, nvertex]`, counter-clockwise from the
    /// south-west as XIOS has them. A halo cell has the corners of the cell it repeats.
    pub(crate) fn corners(&self, pick: fn((f64, f64)) -> f64) -> Vec<f32> {
        let nx = self.grid.nx();
        let mut corners = vec![0.0; self.latitude.len() * 4];
        corners
            .par_chunks_mut(4)
            .enumerate()
            .for_each(|(cell, ring)| {
                let (j, i) = self.grid.core_cell(cell / nx, cell % nx);
                for (corner, (dj, di)) in ring.iter_mut().zip([(0, 0), (0, 2), (2, 2), (2, 0)]) {
                    *corner = pick(self.map.point(2 * j + dj, 2 * i + di)) as f32;
                }
            });
        corners
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn land_grows_with_depth_from_about_a_third() {
        for word in ["120x100x75", "40x30x5", "eORCA1"] {
            let ocean = Ocean::new(&word.parse().unwrap());
            let land = |k: u16| {
                let dry = ocean.wet_levels.iter().filter(|&&wet| wet <= k).count();
                dry as f64 / ocean.wet_levels.len() as f64
            };
            assert!((0.27..0.45).contains(&land(0)), "{word}: {}", land(0));
            let nz = ocean.grid.nz() as u16;
            assert!((1..nz).all(|k| land(k) >= land(k - 1)), "{word}");
            assert!(land(nz - 1) > 0.8, "{word}: {}", land(nz - 1));
        }
    }

    #[test]
    fn neighbours_share_corners_and_so_do_cells_across_the_fold() {
        let ocean = Ocean::new(&"40x30x5".parse().unwrap());
        let (nx, ny) = (40, 30);
        for pick in [|p: (f64, f64)| p.0, |p: (f64, f64)| p.1] {
            let corners = ocean.corners(pick);
            let at = |j: usize, i: usize, n: usize| corners[(j * nx + i % nx) * 4 + n];
            for j in 0..ny {
                for i in 0..nx {
                    assert_eq!(at(j, i, 1), at(j, i + 1, 0), "east of ({j}, {i})");
                    assert_eq!(at(j, i, 2), at(j, i + 1, 3), "east of ({j}, {i})");
                    if j + 1 < ny {
                        assert_eq!(at(j, i, 3), at(j + 1, i, 0), "north of ({j}, {i})");
                    } else {
                        assert_eq!(at(j, i, 3), at(j, nx - 1 - i, 2), "across the fold at {i}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_poles_of_the_cap_are_on_land() {
        let ocean = Ocean::new(&"120x100x5".parse().unwrap());
        for i in [0, 59, 60, 119] {
            assert_eq!(ocean.wet_levels[99 * 120 + i], 0, "column {i}");
        }
    }
}
