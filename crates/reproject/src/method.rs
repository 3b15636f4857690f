//! How values are found: [`Method`].

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::error::GridError;
use super::source::SourceGrid;
use super::target::TargetGrid;
use super::weights::Weights;
use super::{bilinear, conservative, nearest};

/// How a value of the target grid is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    /// The value of the nearest cell on the sphere
    #[default]
    Nearest,
    /// The value of the nearest cell in flat degrees, as the Python tool has it
    NearestLonlat,
    /// Between the centres of the four cells around, over those that are wet
    Bilinear,
    /// The mean over the wet parts of the cell, by area
    Conservative,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Nearest,
        Self::NearestLonlat,
        Self::Bilinear,
        Self::Conservative,
    ];

    /// Its name, as the command line has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nearest => "nearest",
            Self::NearestLonlat => "nearest-lonlat",
            Self::Bilinear => "bilinear",
            Self::Conservative => "conservative",
        }
    }

    /// The method of this name, if there is one.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// Is each value one of the source's?
    #[must_use]
    pub fn is_nearest(self) -> bool {
        matches!(self, Self::Nearest | Self::NearestLonlat)
    }
}

/// The weights of the target's `rows`, on all threads of the current rayon pool. The weights of a row do not depend on
/// which rows they are computed with.
///
/// # Errors
/// If the method needs what the source grid does not have.
pub fn weights(
    method: Method,
    source: &SourceGrid,
    target: &TargetGrid,
    rows: Range<usize>,
) -> Result<Weights, GridError> {
    match method {
        Method::Nearest => Ok(nearest::on_sphere(source, target, rows)),
        Method::NearestLonlat => Ok(nearest::in_degrees(source, target, rows)),
        Method::Bilinear => Ok(bilinear::weights(source, target, rows)),
        Method::Conservative => conservative::weights(source, target, rows),
    }
}
