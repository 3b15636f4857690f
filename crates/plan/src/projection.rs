//! How variables of one grid are reprojected: from which coordinates, to which grid, by which method.
//!
//! Key types: [`Projection`]; [`Field`], a two-dimensional variable of some file.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use msm_model::{DType, Number};
use msm_reproject::{Method, TargetGrid};

/// How variables of one grid are reprojected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Projection {
    /// Where the model's cells are.
    pub cells: Cells,
    /// How values are found.
    pub method: Method,
    /// The grid that they are found for.
    pub grid: TargetGrid,
    /// The MD5 digest of the cells' coordinates; with that of their corners, if the method needs them.
    pub digest: String,
}

impl Projection {
    /// Bytes that a rank holds while the weights are computed, at most: coordinates and what they are sorted by, the corners
    /// if there are any, and the weights with copies on their way between ranks.
    #[must_use]
    pub fn memory(&self) -> u64 {
        let of_cell = if self.cells.corners.is_some() { 90 } else { 26 };
        self.cells.len() * of_cell + 3 * self.table()
    }

    /// Bytes of the weights, about: where a target cell can have many entries, it has four or five.
    #[must_use]
    pub fn table(&self) -> u64 {
        let of_target = if self.method.is_nearest() { 4 } else { 40 };
        self.grid.len() as u64 * of_target
    }
}

/// Where the cells of a model's grid are, as files say it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cells {
    /// Rows.
    pub ny: usize,
    /// Columns.
    pub nx: usize,
    /// The names of the longitude and the latitude in the files, wherever their values come from.
    pub coordinates: [String; 2],
    /// Degrees east of their centres, `[y, x]`.
    pub longitude: Field,
    /// Degrees north of their centres, `[y, x]`.
    pub latitude: Field,
    /// Their corners, if the method needs them.
    pub corners: Option<CornerFields>,
}

impl Cells {
    /// Number of cells.
    #[must_use]
    pub fn len(&self) -> u64 {
        (self.ny * self.nx) as u64
    }

    /// Are there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Where the corners of cells come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum CornerFields {
    /// From bounds, `[y, x, 4]`: longitudes and latitudes.
    Bounds([Field; 2]),
    /// From the points of the model's grid that lie at the corners, `[y, x]`: longitudes and latitudes. That of a cell's
    /// north-eastern corner is so many rows and columns on.
    Points([Field; 2], [usize; 2]),
}

/// A variable of some file, of the grid's dimensions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// The file.
    #[serde(with = "msm_model::names::one")]
    pub path: PathBuf,
    /// The variable's name.
    pub variable: String,
    /// The type of its values.
    pub dtype: DType,
    /// Dimensions of size one before the grid's.
    pub leading: usize,
    /// The value that stands for none.
    pub fill: Option<Number>,
}
