//! What a user should know of files and stores before anything is written.
//!
//! Key type: [`Notice`].

use std::path::PathBuf;

use msm_plan::MaskingNote;
use serde::{Deserialize, Serialize};

use super::replaced::ReplacedStore;

/// Something is otherwise than a user may think, and the work goes on.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Notice {
    /// A store that is meant with others is passed over.
    BeingReplaced(ReplacedStore),
    /// The bounds of a file's steps hold what is no time.
    NoTime {
        /// The first such file.
        file: PathBuf,
        /// How many more there are.
        more: usize,
        /// What it holds where.
        problem: String,
    },
    /// The coordinate of the append dimension has no times that tell the steps of new stores apart, but another variable has.
    Untimed {
        /// The first file.
        file: PathBuf,
        /// The append dimension.
        dimension: String,
        /// The variable.
        time: String,
    },
    /// Variables that were not named are not sent.
    NotData {
        /// The file.
        file: PathBuf,
        /// Each variable with why it is no data.
        variables: Vec<String>,
    },
    /// Attributes are of types that only their file defines.
    OddAttributes {
        /// The file.
        file: PathBuf,
        /// Each attribute, with its variable if it has one.
        attributes: Vec<(Option<String>, String)>,
    },
    /// No value of a variable's type is its `_FillValue`.
    MarksNothing {
        /// The file.
        file: PathBuf,
        /// The variable.
        variable: String,
        /// Its type.
        dtype: String,
        /// The fill value.
        fill: String,
    },
    /// Objects of a part of a shared archive are not as they were put: it is put again.
    UnsoundPart {
        /// Its number, from 0.
        number: usize,
        /// How many there are.
        of: usize,
    },
    /// A store has all steps of the files, or all arrays if it has no steps.
    HasAll {
        /// Its key.
        store: String,
        /// The steps.
        steps: usize,
    },
    /// A store has all steps of some of the files.
    HasFiles {
        /// Its key.
        store: String,
        /// How many files.
        files: usize,
        /// Of how many.
        of: usize,
    },
    /// Arrays of a store get steps that never were sent to them.
    Filled {
        /// Its key.
        store: String,
        /// The arrays.
        arrays: Vec<String>,
    },
    /// Arrays are new to a store, and do not get all of its steps.
    Lacking {
        /// Its key.
        store: String,
        /// The arrays.
        arrays: Vec<String>,
        /// Steps that they get.
        given: usize,
        /// Steps that it has.
        of: usize,
    },
    /// Stores have no arrays of these names, which the files have.
    Without(NamesInStores),
    /// Attributes of arrays are null; the files have them.
    Lost(NamesInStores),
    /// Attributes of arrays are written as the files have them.
    Repaired(NamesInStores),
    /// Checksums that another tool wrote are removed: values are overwritten.
    Stale(NamesInStores),
    /// A store has missing values otherwise than the files.
    Masking(MaskingNote),
    /// Objects of a send that died lie where a store will be created.
    Remains {
        /// Its key.
        store: String,
        /// How many.
        objects: usize,
    },
    /// Nothing tells by which recipe the arrays of a store were made that the files have one for.
    UntoldRecipe {
        /// Its key.
        store: String,
    },
    /// A chunk is not as large as was asked for.
    Clipped {
        /// The dimension.
        dimension: String,
        /// What was asked for.
        asked: u64,
        /// The dimension's size.
        size: u64,
    },
    /// A variable is not reprojected.
    NotReprojected {
        /// Its name.
        variable: String,
        /// Why not.
        reason: ReprojectionObstacle,
    },
    /// Arrays that another tool has reprojected are left as they are.
    LeftAlone {
        /// Each array with the store it is in.
        arrays: Vec<(String, String)>,
    },
    /// Cells have no coordinates, and take no part in the reprojection.
    Holes {
        /// The file.
        file: PathBuf,
        /// The coordinates.
        coordinates: [String; 2],
        /// How many cells.
        holes: usize,
        /// Of how many.
        cells: u64,
    },
    /// Stores that this program never wrote have nothing to undo.
    NeverWritten {
        /// Their keys.
        stores: Vec<String>,
    },
}

/// Names, and the stores of which something is said of them; each once, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct NamesInStores {
    /// The names.
    pub names: Vec<String>,
    /// The stores' keys.
    pub stores: Vec<String>,
}

/// Why a variable is not reprojected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ReprojectionObstacle {
    /// Its attribute `coordinates` names no two-dimensional longitude and latitude of its last two dimensions.
    NoCoordinates,
    /// The append dimension is one of its last two.
    AppendsPlane,
    /// It holds no numbers.
    NoNumbers,
    /// It is a component of a vector along the rows or columns of the model's grid, which are no directions on the target
    /// grid, and components were not asked for.
    VectorComponent,
}
