//! Why a grid cannot be projected from.

use serde::{Deserialize, Serialize};

/// Why there are no weights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum GridError {
    #[error("{lon} longitudes and {lat} latitudes, expected {expected} of each")]
    Sizes {
        lon: usize,
        lat: usize,
        expected: usize,
    },
    #[error("latitude {value} at row {j}, column {i}; expected -90 to 90 degrees")]
    Latitude { value: String, j: usize, i: usize },
    #[error("longitude {value} at row {j}, column {i}; expected -720 to 720 degrees")]
    Longitude { value: String, j: usize, i: usize },
    #[error("no cell has coordinates: all are NaN, fill values or zeros")]
    NoCells,
    #[error("the corners of its cells are not known")]
    NoCorners,
}
