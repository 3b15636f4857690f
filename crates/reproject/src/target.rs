//! The grid that is projected to: even cells of longitude and latitude.
//!
//! Key type: [`TargetGrid`].

use serde::{Deserialize, Serialize};

/// A regular longitude-latitude grid: `nx` × `ny` even cells that fill a box, rows from the north.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetGrid {
    /// Columns.
    pub nx: usize,
    /// Rows.
    pub ny: usize,
    /// The box's western edge, degrees east, −180 to 360.
    pub west: f64,
    /// Its southern edge, degrees north.
    pub south: f64,
    /// Its eastern edge, degrees east: more than `west`, by at most 360.
    pub east: f64,
    /// Its northern edge, degrees north.
    pub north: f64,
}

impl TargetGrid {
    /// The whole globe from −180 to 180 degrees east.
    #[must_use]
    pub fn global(nx: usize, ny: usize) -> Self {
        Self {
            nx,
            ny,
            west: -180.0,
            south: -90.0,
            east: 180.0,
            north: 90.0,
        }
    }

    /// Number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nx * self.ny
    }

    /// Has it no cell?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Longitude of the centre of column `i`, degrees: west + (i + ½)·(east − west)/nx.
    #[must_use]
    pub fn longitude(&self, i: usize) -> f64 {
        self.west + (i as f64 + 0.5) * (self.east - self.west) / self.nx as f64
    }

    /// Latitude of the centre of row `j`, degrees: north − (j + ½)·(north − south)/ny.
    #[must_use]
    pub fn latitude(&self, j: usize) -> f64 {
        self.north - (j as f64 + 0.5) * (self.north - self.south) / self.ny as f64
    }

    /// Longitude of the western edge of column `i`, degrees; of the box's eastern edge for `nx`.
    #[must_use]
    pub fn meridian(&self, i: usize) -> f64 {
        self.west + i as f64 * (self.east - self.west) / self.nx as f64
    }

    /// Latitude of the northern edge of row `j`, degrees; of the box's southern edge for `ny`.
    #[must_use]
    pub fn parallel(&self, j: usize) -> f64 {
        self.north - j as f64 * (self.north - self.south) / self.ny as f64
    }
}
