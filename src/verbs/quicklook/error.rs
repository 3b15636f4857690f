//! Why nothing is drawn.
//!
//! Key types: [`QuicklookError`]; [`Undrawable`], what a variable lacks; [`UndrawnPart`], what failed beside what is drawn;
//! [`UnstoredCoordinate`].

use msm_model::TimeError;
use msm_reproject::GridError;
use serde::{Deserialize, Serialize};

use super::array::{AllValues, StoredValues};
use crate::error::Error;

/// What keeps pictures from being drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum QuicklookError {
    #[error("store '{store}': '{variable}' cannot be drawn: {why}")]
    Variable {
        store: String,
        variable: String,
        why: Undrawable,
    },
    #[error("{place}: there is nothing to draw{}", listed(reasons))]
    Nothing {
        place: String,
        reasons: Vec<(String, Undrawable)>,
    },
    #[error("store '{store}': it cannot be read; `verify` says what is wrong with it")]
    Unreadable { store: String },
    #[error("store '{store}': {what}")]
    Unfinished { store: String, what: String },
    #[error("--step {asked}: '{variable}' of store '{store}' has no such step; it has {held}")]
    NoStep {
        asked: String,
        store: String,
        variable: String,
        held: String,
    },
    #[error(
        "--step {asked}: there is no such date in the calendar of '{variable}' of store '{store}': {cause}"
    )]
    NoDate {
        asked: String,
        store: String,
        variable: String,
        cause: TimeError,
    },
    #[error("--level {asked}: '{variable}' of store '{store}' has no such level; it has {held}")]
    NoLevel {
        asked: String,
        store: String,
        variable: String,
        held: String,
    },
    #[error("{flag}: none of the variables has {what}: {}", variables.join(", "))]
    Unused {
        flag: String,
        what: String,
        variables: Vec<String>,
    },
    #[error("this would be {count} charts, and one picture has at most {most}: choose with -v")]
    TooMany { count: usize, most: usize },
    #[error("store '{store}': '{longitude}' and '{latitude}' are no grid: {cause}")]
    Grid {
        store: String,
        longitude: String,
        latitude: String,
        cause: GridError,
    },
    #[error(
        "--bbox: no cell of '{longitude}' and '{latitude}' of store '{store}' lies there; theirs go from {held}"
    )]
    Outside {
        store: String,
        longitude: String,
        latitude: String,
        held: String,
    },
}

/// Why a variable is not drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum Undrawable {
    #[error("its values are no numbers")]
    NoNumbers,
    #[error("it does not lie on a plane of longitudes and latitudes")]
    NoPlane,
    #[error(
        "no longitudes and latitudes of its last two dimensions, {dimensions}, are in its store"
    )]
    NoCoordinates { dimensions: String },
    #[error("its coordinate '{coordinate}' is not in the files that were sent")]
    NotSent { coordinate: String },
    #[error("it has no steps in time, so no series can be drawn")]
    NoTime,
    #[error("it has no levels, so no section can be drawn")]
    NoLevels,
    #[error("it has no values yet: its shape is {shape}")]
    Empty { shape: String },
}

/// What was to be drawn, and failed.
#[derive(Clone, Debug, PartialEq)]
pub struct UndrawnPart {
    /// The key of its store.
    pub store: String,
    /// The variable; `None` if it is all of the store.
    pub variable: Option<String>,
    /// Why.
    pub cause: Error,
}

/// A coordinate of which objects are not stored, and no manifest tells whether they ever were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error(
    "store '{store}': {} of its coordinate '{array}' {} not stored, {key}{}, and no manifest tells whether there was one: {}",
    match objects { 1 => "an object".to_owned(), _ => format!("{objects} objects") },
    match objects { 1 => "is", _ => "are" },
    match objects { 1 => "", _ => " the first of them" },
    match is_place { true => "no cell lies there", false => "its values there are fill values" },
)]
pub struct UnstoredCoordinate {
    /// The key of its store.
    pub store: String,
    /// Its name.
    pub array: String,
    /// The key of the first of these objects.
    pub key: String,
    /// How many there are.
    pub objects: u64,
    /// Does it tell where cells are?
    pub is_place: bool,
}

impl UnstoredCoordinate {
    /// That which `array` is, if it is one.
    ///
    /// # Errors
    /// If this program does not know its keys.
    pub(super) fn of(
        array: &StoredValues,
        all: &AllValues,
        is_place: bool,
    ) -> Result<Option<Self>, Error> {
        let Some(first) = all.absent.first() else {
            return Ok(None);
        };
        Ok(Some(Self {
            store: array.store.clone(),
            array: array.name.clone(),
            key: array.key(&first.start)?,
            objects: all.absent.len() as u64,
            is_place,
        }))
    }
}

fn listed(reasons: &[(String, Undrawable)]) -> String {
    let line = |(name, why): &(String, Undrawable)| format!("\n  '{name}': {why}");
    reasons.iter().map(line).collect()
}
