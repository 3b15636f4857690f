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
    /// Each projection with the bytes that a rank with so many `threads` holds while its weights are made, at most: beside
    /// those of the projections before it.
    pub fn peaks(all: &[Self], threads: u64) -> impl Iterator<Item = (&Self, u64)> {
        all.iter().scan(0, move |held, projection| {
            let peak = *held + projection.memory(threads);
            *held += projection.table();
            Some((projection, peak))
        })
    }

    /// Bytes that a rank with so many `threads` holds while the weights are made, at most: where cells are, as it is read and
    /// then beside the weights, what its threads are about, and what is on its way between ranks.
    fn memory(&self, threads: u64) -> u64 {
        let Cells {
            longitude,
            latitude,
            corners,
            ..
        } = &self.cells;
        let size = |field: &Field| field.held_size();
        let centres = size(longitude) + size(latitude);
        // Corners of each cell, or points: read one column after the other, which is there twice meanwhile.
        let corners = corners.as_ref().map_or([0, 0], |corners| match corners {
            CornerFields::Bounds(fields) => fields.each_ref().map(|field| 4 * size(field)),
            CornerFields::Points(fields, _) => fields.each_ref().map(size),
        });
        let of_corners: u64 = corners.iter().sum();
        let reading = centres + of_corners + corners[1].max(size(latitude)) + KIND;
        let held = match self.method {
            Method::Conservative => of_corners,
            _ => centres,
        };
        let making = self.cells.len() * (held + KIND) + threads * self.of_thread();
        let table = self.table();
        let on_their_way = (3 * PIECES).min(2 * table);
        // Cells near the rim are held against each other, to find those that are there twice.
        let rim = RIM * (self.cells.ny + self.cells.nx) as u64;
        (self.cells.len() * reading + rim).max(making + table + on_their_way)
    }

    /// Bytes of the weights, about. A source and a target cell overlap where a row and a column of one meet one of the other:
    /// as often as there are rows and columns of both, and somewhat more often where they are askew.
    #[must_use]
    pub fn table(&self) -> u64 {
        let (cells, grid) = (&self.cells, &self.grid);
        let targets = grid.len() as u64;
        // How the cells of a target lie is new for each, not as for those beside it.
        let is_coarse = cells.len() > 4 * targets;
        match self.method {
            Method::Nearest | Method::NearestLonlat => 4 * targets,
            // Four weights, and 2 bytes for which cells they are of.
            Method::Bilinear => targets * if is_coarse { 46 } else { 19 },
            Method::Conservative => {
                let pairs = ((cells.ny + grid.ny) * (cells.nx + grid.nx)) as u64;
                let of_pair = if is_coarse { 8 } else { 5 };
                3 * targets + of_pair * (pairs + pairs / 6)
            }
        }
    }

    /// Bytes that a thread holds which makes weights, at most.
    fn of_thread(&self) -> u64 {
        let cells = self.cells.len();
        // A band of rows has so many target cells.
        let band = (self.grid.nx as u64 * BAND).min(BAND_CELLS.max(self.grid.nx as u64));
        let band = band.min(self.grid.len() as u64);
        match self.method {
            // The points of cells that are looked at again and again.
            Method::Nearest | Method::NearestLonlat => 33 * cells.min(KEPT_POINTS) + 4 * band,
            Method::Bilinear => 250 * band,
            Method::Conservative => {
                let rows = band / (self.grid.nx as u64).max(1);
                let pairs = self.table() / 5 * rows / (self.grid.ny as u64).max(1);
                40 * pairs + 20 * band
            }
        }
    }
}

/// Bytes a cell for what it is, and for what it is searched by.
const KIND: u64 = 3;
/// Bytes for the cells near both ends of a row or a column, while repeats are looked for.
const RIM: u64 = 8 * 200;
/// Rows of a band of targets at most, and its cells, if that leaves a row.
const BAND: u64 = 16;
const BAND_CELLS: u64 = 1 << 16;
/// Cells whose points a thread keeps.
const KEPT_POINTS: u64 = 1 << 20;
/// Bytes of weights that ranks give each other at a time.
pub const PIECES: u64 = 8 << 20;

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

impl Field {
    /// Bytes of a value in memory, as degrees.
    fn held_size(&self) -> u64 {
        if self.dtype == DType::F32 { 4 } else { 8 }
    }
}
