//! What reprojection is asked for.
//!
//! Key types: [`Reprojection`]; [`GridChoice`], the target grid.

use msm_reproject::{Method, TargetGrid};

use crate::verbs::reprojection::error::ReprojectionError;

/// What is written beside each variable of the model's grid, on a regular longitude-latitude grid.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reprojection {
    /// How values are found; `None` is as the store has it, or by the nearest cell.
    pub method: Option<Method>,
    /// The target grid.
    pub grid: GridChoice,
    /// Are arrays that another tool has reprojected written anew?
    pub replaces_others: bool,
    /// Are components of vectors reprojected too, though their directions stay those of the model's grid?
    pub vector_components: bool,
}

/// A target grid, as far as it is chosen: a store's own goes before it, and the whole globe on as many cells as the source has is
/// what nothing is said of.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GridChoice {
    /// Columns and rows.
    pub size: Option<[usize; 2]>,
    /// The cells' size in degrees, which must divide width and height.
    pub resolution: Option<f64>,
    /// Its edges.
    pub edges: Option<Edges>,
    /// Its range of longitudes.
    pub longitudes: Option<Longitudes>,
}

/// Edges of a box in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Edges {
    /// The western edge.
    pub west: f64,
    /// The southern edge.
    pub south: f64,
    /// The eastern edge, greater than the western one.
    pub east: f64,
    /// The northern edge.
    pub north: f64,
}

/// Ranges of longitude.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Longitudes {
    /// From 180 degrees west
    Signed,
    /// From Greenwich eastwards
    Positive,
}

impl GridChoice {
    /// Is anything of the grid chosen?
    #[must_use]
    pub fn is_made(&self) -> bool {
        *self != Self::default()
    }

    /// The target grid for a source of `nx` columns and `ny` rows.
    ///
    /// # Errors
    /// If the resolution does not divide the box.
    pub fn target(&self, nx: usize, ny: usize) -> Result<TargetGrid, ReprojectionError> {
        let edges = self.edges();
        let (width, height) = (edges.east - edges.west, edges.north - edges.south);
        let [columns, rows] = match (self.size, self.resolution) {
            (Some(size), _) => size,
            (None, Some(degrees)) => [cells(width, degrees)?, cells(height, degrees)?],
            // Cells as large as the source's would be on the whole globe.
            (None, None) => [
                (width / 360.0 * nx as f64).round().max(1.0) as usize,
                (height / 180.0 * ny as f64).round().max(1.0) as usize,
            ],
        };
        let grid = TargetGrid {
            nx: columns,
            ny: rows,
            west: edges.west,
            south: edges.south,
            east: edges.east,
            north: edges.north,
        };
        if u32::try_from(grid.len()).is_ok_and(|cells| cells < u32::MAX) {
            return Ok(grid);
        }
        Err(ReprojectionError::TargetCells {
            nx: columns,
            ny: rows,
        })
    }

    fn edges(&self) -> Edges {
        let least = match self.longitudes {
            Some(Longitudes::Positive) => Some(0.0),
            Some(Longitudes::Signed) => Some(-180.0),
            None => None,
        };
        let edges = self.edges.unwrap_or(Edges {
            west: least.unwrap_or(-180.0),
            south: -90.0,
            east: least.unwrap_or(-180.0) + 360.0,
            north: 90.0,
        });
        // Turned to where the range begins; a whole turn changes no digit of what is within it already.
        let turn = least.map_or(0.0, |least: f64| {
            360.0 * ((edges.west - least) / 360.0).floor()
        });
        Edges {
            west: edges.west - turn,
            east: edges.east - turn,
            ..edges
        }
    }
}

/// Cells of this size in that many degrees.
fn cells(degrees: f64, size: f64) -> Result<usize, ReprojectionError> {
    let whole = (degrees / size).round().max(1.0);
    if size > 0.0 && whole < 1e9 && (whole * size - degrees).abs() <= 1e-6 * size {
        return Ok(whole as usize);
    }
    Err(ReprojectionError::Resolution {
        size,
        degrees,
        cells: (size > 0.0 && whole < 1e9).then_some(whole),
    })
}
