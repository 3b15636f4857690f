//! The grid that is projected from: the model's cells, and which of them count.
//!
//! Key type: [`SourceGrid`]. Coordinates are taken as they are in the file: nothing is filled in.

use super::coordinates::Coordinates;
use super::corners::Corners;
use super::error::GridError;
use super::repeats::repeats;

/// A curvilinear grid of `ny` rows and `nx` columns, its cells counted row by row.
#[derive(Clone, Debug)]
pub struct SourceGrid {
    /// Columns.
    pub nx: usize,
    /// Rows.
    pub ny: usize,
    /// Degrees east of the cells' centres, any range.
    pub longitude: Coordinates,
    /// Degrees north of the cells' centres.
    pub latitude: Coordinates,
    /// The cells' corners, if they are known.
    pub corners: Option<Corners>,
    /// Cells that have no coordinates: NaN, a fill value, or zeros, where land processors were left out.
    pub holes: usize,
    /// Cells that repeat another one: halo columns and the rows beyond the north fold.
    pub repeated: usize,
    /// What each cell is.
    kinds: Vec<CellKind>,
    /// Each repeat and the cell that it repeats, in the order of the repeats.
    originals: Vec<(usize, usize)>,
}

/// What a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CellKind {
    Own,
    Hole,
    Repeat,
}

/// Degrees beyond which a coordinate is a fill value (1e20 as a rule) and not a wrong one.
const FILL: f64 = 1e4;
/// Degrees by which rounding may put a latitude beyond the pole.
const ROUNDING: f64 = 1e-4;

impl SourceGrid {
    /// The grid whose cells have these centres, degrees, `[y, x]` both. It must have less than 2³² − 1 cells.
    ///
    /// A cell is a hole if a coordinate of it is NaN or beyond ±10,000, or if both are zero in it and in a cell beside it
    /// (one lone cell at 0° N 0° E is as good as any). The corners of holes are not looked at.
    ///
    /// # Errors
    /// If sizes do not match, a coordinate is out of range, or all cells are holes.
    pub fn new(
        ny: usize,
        nx: usize,
        longitude: impl Into<Coordinates>,
        latitude: impl Into<Coordinates>,
        corners: Option<Corners>,
    ) -> Result<Self, GridError> {
        let (longitude, latitude) = (longitude.into(), latitude.into());
        check_sizes(ny * nx, [longitude.len(), latitude.len()])?;
        if let Some(corners) = &corners {
            let (expected, found) = corners.sizes(ny * nx);
            check_sizes(expected, found)?;
        }
        let mut kinds = kinds(nx, &longitude, &latitude);
        check_ranges(nx, &kinds, &longitude, &latitude)?;
        let holes = kinds.iter().filter(|&&kind| kind == CellKind::Hole).count();
        if holes == kinds.len() {
            return Err(GridError::NoCells);
        }
        let originals = repeats(ny, nx, &longitude, &latitude, |cell| {
            kinds[cell] == CellKind::Hole
        });
        for &(cell, _) in &originals {
            kinds[cell] = CellKind::Repeat;
        }
        Ok(Self {
            nx,
            ny,
            longitude,
            latitude,
            corners,
            holes,
            repeated: originals.len(),
            kinds,
            originals,
        })
    }

    /// The same without the cells' centres, which conservative weights do not need.
    #[must_use]
    pub fn without_centres(self) -> Self {
        Self {
            longitude: Coordinates::default(),
            latitude: Coordinates::default(),
            ..self
        }
    }

    /// Is `cell` neither a hole nor the repeat of another one?
    #[must_use]
    pub fn counts(&self, cell: usize) -> bool {
        self.kinds[cell] == CellKind::Own
    }

    /// The cell that counts for `cell`: itself, or the one that it repeats; `None` for a hole.
    pub(super) fn own(&self, cell: usize) -> Option<usize> {
        match self.kinds[cell] {
            CellKind::Own => Some(cell),
            CellKind::Hole => None,
            CellKind::Repeat => {
                let at = self
                    .originals
                    .binary_search_by_key(&cell, |&(repeat, _)| repeat);
                at.ok().map(|at| self.originals[at].1)
            }
        }
    }
}

fn check_sizes(expected: usize, [lon, lat]: [usize; 2]) -> Result<(), GridError> {
    if (lon, lat) == (expected, expected) {
        Ok(())
    } else {
        Err(GridError::Sizes { lon, lat, expected })
    }
}

/// Holes and others.
fn kinds(nx: usize, longitude: &Coordinates, latitude: &Coordinates) -> Vec<CellKind> {
    let filled = |value: f64| value.is_nan() || value.abs() > FILL;
    let len = longitude.len();
    let zero = |cell: usize| cell < len && longitude.at(cell) == 0.0 && latitude.at(cell) == 0.0;
    let beside_zero = |cell: usize| {
        let column = cell % nx;
        (column > 0 && zero(cell - 1))
            || (column + 1 < nx && zero(cell + 1))
            || (cell >= nx && zero(cell - nx))
            || zero(cell + nx)
    };
    let kind = |cell: usize| {
        let hole = filled(longitude.at(cell))
            || filled(latitude.at(cell))
            || (zero(cell) && beside_zero(cell));
        if hole { CellKind::Hole } else { CellKind::Own }
    };
    (0..len).map(kind).collect()
}

fn check_ranges(
    nx: usize,
    kinds: &[CellKind],
    longitude: &Coordinates,
    latitude: &Coordinates,
) -> Result<(), GridError> {
    for (cell, &kind) in kinds.iter().enumerate() {
        if kind == CellKind::Hole {
            continue;
        }
        let (j, i) = (cell / nx, cell % nx);
        if latitude.at(cell).abs() > 90.0 + ROUNDING {
            let value = latitude.at(cell).to_string();
            return Err(GridError::Latitude { value, j, i });
        }
        if longitude.at(cell).abs() > 720.0 {
            let value = longitude.at(cell).to_string();
            return Err(GridError::Longitude { value, j, i });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regular(ny: usize, nx: usize) -> (Vec<f64>, Vec<f64>) {
        (0..ny * nx)
            .map(|cell| {
                let (j, i) = (cell / nx, cell % nx);
                (10.0 + 2.0 * i as f64, -60.0 + 3.0 * j as f64)
            })
            .unzip()
    }

    #[test]
    fn nan_fill_values_and_patches_of_zeros_are_holes() {
        let (mut lon, mut lat) = regular(5, 6);
        lon[0] = f64::NAN;
        lat[7] = 1e20;
        lon[9] = -1e34;
        for cell in [16, 22, 23] {
            (lon[cell], lat[cell]) = (0.0, -0.0);
        }
        // On the equator but not at 0° E, and the other way round, beside zeros.
        lon[28] = 0.0;
        lat[17] = 0.0;
        let grid = SourceGrid::new(5, 6, lon, lat, None).unwrap();
        let holes: Vec<_> = (0..30).filter(|&cell| grid.own(cell).is_none()).collect();
        assert_eq!(holes, [0, 7, 9, 16, 22, 23]);
        assert_eq!((grid.holes, grid.repeated), (6, 0));
        assert!(holes.iter().all(|&cell| !grid.counts(cell)));
    }

    #[test]
    fn a_lone_cell_at_zero_is_a_cell() {
        let (mut lon, mut lat) = regular(3, 3);
        (lon[4], lat[4]) = (0.0, 0.0);
        // Touches it by a corner only.
        (lon[8], lat[8]) = (0.0, 0.0);
        let grid = SourceGrid::new(3, 3, lon, lat, None).unwrap();
        assert_eq!((grid.holes, grid.own(4)), (0, Some(4)));
    }

    #[test]
    fn zeros_at_the_ends_of_neighbouring_rows_are_not_beside_each_other() {
        let (mut lon, mut lat) = regular(3, 3);
        (lon[2], lat[2]) = (0.0, 0.0);
        (lon[3], lat[3]) = (0.0, 0.0);
        assert_eq!(SourceGrid::new(3, 3, lon, lat, None).unwrap().holes, 0);
    }

    #[test]
    fn what_cannot_be_a_grid_is_refused_by_row_and_column() {
        let (lon, lat) = regular(3, 4);
        let refused = |lon: &[f64], lat: &[f64]| {
            SourceGrid::new(3, 4, lon.to_vec(), lat.to_vec(), None).unwrap_err()
        };
        assert_eq!(
            refused(&lon[1..], &lat).to_string(),
            "11 longitudes and 12 latitudes, expected 12 of each"
        );
        let mut wrong = lat.clone();
        wrong[6] = 95.5;
        assert_eq!(
            refused(&lon, &wrong).to_string(),
            "latitude 95.5 at row 1, column 2; expected -90 to 90 degrees"
        );
        let mut wrong = lon.clone();
        wrong[11] = -999.0;
        assert_eq!(
            refused(&wrong, &lat).to_string(),
            "longitude -999 at row 2, column 3; expected -720 to 720 degrees"
        );
        assert_eq!(refused(&[0.0; 12], &[0.0; 12]), GridError::NoCells);
        let none = SourceGrid::new(0, 0, Vec::<f64>::new(), Vec::<f64>::new(), None);
        assert_eq!(none.unwrap_err(), GridError::NoCells);
        let few = Corners::new(vec![0.0; 12], vec![0.0; 48]);
        let few = SourceGrid::new(3, 4, lon, lat, Some(few));
        assert!(matches!(few, Err(GridError::Sizes { expected: 48, .. })));
    }

    #[test]
    fn the_corners_of_any_cell_may_be_missing() {
        let (lon, lat) = regular(2, 2);
        let corners = Corners::new(vec![f64::NAN; 16], vec![1e20; 16]);
        let grid = SourceGrid::new(2, 2, lon, lat, Some(corners)).unwrap();
        assert!((0..4).all(|cell| grid.counts(cell)));
    }
}
