//! Why variables are not reprojected.

use std::borrow::Cow;
use std::path::PathBuf;

use msm_model::{DType, list};
use msm_reproject::{GridError, Method, TargetGrid};
use serde::{Deserialize, Serialize};

use crate::events::ReprojectionObstacle;
use crate::source::SourceError;

/// What is in the way of a reprojection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum ReprojectionError {
    #[error(
        "{}: '{longitude}' and '{latitude}' are no grid to reproject from: {cause}",
        path.display()
    )]
    Source {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        longitude: String,
        latitude: String,
        cause: GridError,
    },
    #[error(
        "--grid-filepath: nothing comes from that file; give --update-coords, or --method conservative for variables whose \
         coordinates have no bounds"
    )]
    UnusedFile,
    #[error(
        "--method conservative needs the corners of the cells at '{longitude}', '{latitude}': expected bounds of both, of four \
         vertices each, or the domain file with {} in --grid-filepath",
        corners.join(", ")
    )]
    NoCorners {
        longitude: String,
        latitude: String,
        corners: [String; 2],
    },
    #[error(
        "{}: '{variable}' has sizes {found:?}, '{longitude}' of the files {expected:?}: it is of another grid, or cut otherwise",
        path.display()
    )]
    CornerSizes {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        variable: String,
        found: Vec<u64>,
        longitude: String,
        expected: Vec<u64>,
    },
    #[error(
        "store '{store}': {} would be left with the coordinates of another grid: the files or -v do not have what it is reprojected \
         from; name that too, or remove it with delete --array; nothing was written",
        list(arrays.iter().map(String::as_str))
    )]
    LeftBehind { store: String, arrays: Vec<String> },
    #[error(
        "--reproject: nothing can be reprojected; expected variables whose last two dimensions are those of their two-dimensional \
         longitudes and latitudes, which their attribute 'coordinates' names{}",
        reasons
            .iter()
            .map(|(name, reason)| format!("\n  '{name}' is not reprojected: {}", explained(*reason)))
            .collect::<String>()
    )]
    Nothing {
        reasons: Vec<(String, ReprojectionObstacle)>,
    },
    #[error("--weights: nothing is reprojected; give --reproject, or leave it out")]
    UnusedWeights,
    #[error(
        "--weights: one file holds the weights of one grid, and the variables need {grids}; send them apart, with -v"
    )]
    SeveralGrids { grids: usize },
    #[error(
        "store '{store}': '{variable}' would be reprojected to {}, other variables of it to {}; give one with --grid; nothing was \
         written",
        shown(grid),
        shown(other)
    )]
    TwoGrids {
        store: String,
        variable: String,
        grid: TargetGrid,
        other: TargetGrid,
    },
    #[error(
        "store '{store}': array '{array}' does not say how it was reprojected; nothing was written"
    )]
    Unexplained { store: String, array: String },
    #[error(
        "store '{store}': array '{array}' cannot go on: '{variable}' of the files has no two-dimensional longitudes and latitudes; \
         nothing was written"
    )]
    NoLongerTwoDimensional {
        store: String,
        array: String,
        variable: String,
    },
    #[error(
        "store '{store}': array '{array}' was reprojected from another grid than that of '{longitude}', '{latitude}': the digest of \
         its coordinates is {stored}, here {found}; send the files of that grid, or choose another prefix; nothing was written"
    )]
    OtherSource {
        store: String,
        array: String,
        longitude: String,
        latitude: String,
        stored: String,
        found: String,
    },
    #[error(
        "store '{store}': has the grid {}, the command line asks for {}; leave it out, a store keeps its grid; nothing was written",
        shown(stored),
        shown(asked)
    )]
    GridOfStore {
        store: String,
        stored: TargetGrid,
        asked: TargetGrid,
    },
    #[error(
        "store '{store}': array '{array}' has method {}, the command line asks for {}; leave it out, a store keeps its own; nothing \
         was written",
        stored.name(),
        asked.name()
    )]
    MethodOfArray {
        store: String,
        array: String,
        stored: Method,
        asked: Method,
    },
    #[error(
        "store '{store}': array '{array}' has the grid {}, the command line asks for {}; leave it out, a store keeps its own; \
         nothing was written",
        shown(stored),
        shown(asked)
    )]
    GridOfArray {
        store: String,
        array: String,
        stored: TargetGrid,
        asked: TargetGrid,
    },
    #[error("'{variable}' has {ny} by {nx} cells, expected less than 2^32")]
    SourceCells {
        variable: String,
        ny: usize,
        nx: usize,
    },
    #[error("the target grid has {nx} x {ny} cells; expected less than 2^32")]
    TargetCells { nx: usize, ny: usize },
    #[error(
        "--resolution {size} does not divide {degrees} degrees{}",
        cells.map_or_else(String::new, |cells| format!(
            "; {} does, in {cells} cells",
            degrees / cells
        ))
    )]
    Resolution {
        size: f64,
        degrees: f64,
        /// Into how many of about that size they can be divided.
        cells: Option<f64>,
    },
    #[error(
        "'{variable}' has type {dtype} and {problem}, so --method {} cannot be used; expected nearest",
        method.name()
    )]
    Type {
        variable: String,
        dtype: DType,
        problem: Cow<'static, str>,
        method: Method,
    },
    #[error(
        "{}: has a variable or a dimension '{name}', which the reprojection needs; rename it with ncrename",
        path.display()
    )]
    NameTaken {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        name: String,
    },
    #[error(
        "{}: the coordinate '{name}' is packed or no number; expected degrees as they are",
        path.display()
    )]
    Packed {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        name: String,
    },
    #[error("no cell of the source lies in the target grid; give another --bbox")]
    NoCell,
    #[error("--weights {}: {cause}", path.display())]
    WeightsPath {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        cause: String,
    },
    #[error(
        "--weights {}: {problem}; move it away or name another file: the weights are then computed and written there",
        path.display()
    )]
    WeightsFile {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        problem: WeightsProblem,
    },
    #[error(
        "--weights {}: there is no such folder; make it, or name a file in another one",
        path.display()
    )]
    WeightsFolder {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
    },
    #[error(
        "--weights {}: a grid has {cells} cells, the format counts them up to 2^31; leave --weights out",
        path.display()
    )]
    WeightsCells {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        cells: u64,
    },
    #[error("--weights: {0}")]
    WeightsNotWritten(SourceError),
}

/// Why the weights in a file are of no use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum WeightsProblem {
    #[error(transparent)]
    Unreadable(SourceError),
    #[error("its weights are not those of this run: {attribute} is {found}, expected {expected}")]
    OtherRun {
        attribute: String,
        found: String,
        expected: String,
    },
    #[error("lacks integers row and col, and floating-point S")]
    Columns,
    #[error("{0}")]
    Entries(String),
}

/// Why a variable is not reprojected, in the words of the error that nothing can be, and of the notice that it is not.
pub(crate) fn explained(reason: ReprojectionObstacle) -> &'static str {
    match reason {
        ReprojectionObstacle::NoCoordinates => {
            "its attribute 'coordinates' names no two-dimensional longitude and latitude of its last two dimensions; if they are in \
             the file, name them with ncatted"
        }
        ReprojectionObstacle::AppendsPlane => "the append dimension is one of its last two",
        ReprojectionObstacle::NoNumbers => "it holds no numbers",
        ReprojectionObstacle::VectorComponent => {
            "it is a component of a vector along the rows or columns of the model's grid, which are no directions on the target \
             grid; --allow-vector-components does it all the same"
        }
    }
}

/// A grid as people write it.
fn shown(grid: &TargetGrid) -> String {
    let TargetGrid {
        nx,
        ny,
        west,
        south,
        east,
        north,
    } = grid;
    format!("{nx}x{ny} of {west},{south},{east},{north}")
}
