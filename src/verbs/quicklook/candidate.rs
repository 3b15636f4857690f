//! Rank 0: a variable of a store, as it can be drawn: its values, where they lie, its steps and levels.
//!
//! Key types: [`Candidate`]; [`Drawing`], what is said of it; [`VariableLook`], what tells where its values lie.

use msm_model::{Catalogue, Variable};
use msm_plan::{ReprojectionRecord, projected_name, reprojection_record};
use msm_zarr::{StoreSnapshot, StoredArray};

use super::PictureKind;
use super::array::StoredValues;
use super::axes::{LevelAxis, TimeAxis, text};
use super::error::Undrawable;
use super::look::Grid;
use crate::error::Error;

/// What is said of a look.
#[derive(Clone)]
pub(super) struct Drawing {
    pub(super) store: String,
    /// What the store is called where there are others.
    pub(super) store_shown: Option<String>,
    pub(super) variable: String,
    pub(super) array: String,
    /// The variable's name, and what it means.
    pub(super) title: String,
    /// How its values were reprojected, if they were in the store.
    pub(super) reprojected: Option<String>,
    pub(super) units: String,
    /// Is it a component of a vector along the model's grid?
    pub(super) is_component: bool,
    pub(super) steps: Option<(usize, TimeAxis)>,
    pub(super) levels: Option<(usize, LevelAxis)>,
}

/// A variable of a store, as it can be drawn.
pub(super) struct Candidate {
    pub(super) drawing: Drawing,
    pub(super) array: StoredValues,
    pub(super) grid: Grid,
}

/// What tells where the values of a store's variables lie.
pub(super) trait VariableLook {
    /// The store, as it is when the variables are in it.
    fn stored(&self) -> &StoreSnapshot;

    /// The key of its group.
    fn key(&self) -> String;

    /// Where the values of `array` lie, which is this `variable` of the store's `catalogue`.
    ///
    /// # Errors
    /// If coordinates cannot be read.
    async fn grid(
        &mut self,
        catalogue: &Catalogue,
        array: &StoredArray,
        variable: &Variable,
    ) -> Result<Result<Grid, Undrawable>, Error>;

    /// The steps of `dimension`, if it has times.
    ///
    /// # Errors
    /// If they cannot be read.
    async fn times(&mut self, dimension: &str) -> Result<Option<TimeAxis>, Error>;

    /// The levels of `dimension`.
    ///
    /// # Errors
    /// If their depths cannot be read.
    async fn levels(&mut self, dimension: &str) -> Result<LevelAxis, Error>;
}

/// The arrays of the variable `name` of `stored`: its own, and the one that is drawn, which is the reprojected one if this program made it.
pub(super) fn arrays_of<'a>(
    stored: &'a StoreSnapshot,
    name: &str,
) -> Option<(&'a StoredArray, &'a StoredArray)> {
    let find = |name: &str| stored.arrays.iter().find(|array| array.name == name);
    let main = find(name)?;
    let projected = find(&projected_name(name));
    let projected =
        projected.filter(|array| reprojection_record(&array.attributes, &array.shape).is_some());
    Some((main, projected.unwrap_or(main)))
}

/// The variable `name` of the store, if it can be drawn.
pub(super) async fn candidate(
    look: &mut impl VariableLook,
    name: &str,
    kind: PictureKind,
) -> Result<Result<Candidate, Undrawable>, Error> {
    let key = look.key();
    let Some((main, array)) = arrays_of(look.stored(), name) else {
        return Ok(Err(Undrawable::NoPlane));
    };
    // What is looked at next may keep what it finds.
    let (main, array) = (&main.clone(), &array.clone());
    let Some(values) = StoredValues::of(&key, array) else {
        return Ok(Err(Undrawable::NoNumbers));
    };
    // Can its objects be decoded at all?
    values.field()?;
    let Some(leading) = array.shape.len().checked_sub(2) else {
        return Ok(Err(Undrawable::NoPlane));
    };
    if array.shape.contains(&0) || array.dimensions.len() != array.shape.len() {
        let shape = format!("{:?}", array.shape);
        return Ok(Err(Undrawable::Empty { shape }));
    }
    let catalogue = look.stored().catalogue();
    let Some(variable) = catalogue.variable(&array.name) else {
        return Ok(Err(Undrawable::NoPlane));
    };
    let grid = match look.grid(&catalogue, array, variable).await? {
        // What a damaged document says may not fit.
        Ok(grid) if array.shape.ends_with(&grid.size()) => grid,
        Ok(_) => {
            let dimensions = array.dimensions[leading..].join(", ");
            return Ok(Err(Undrawable::NoCoordinates { dimensions }));
        }
        Err(why) => return Ok(Err(why)),
    };
    let mut steps = None;
    for (axis, dimension) in array.dimensions[..leading].iter().enumerate() {
        if let Some(found) = look.times(dimension).await? {
            steps = Some((axis, found));
            break;
        }
        if dimension.starts_with("time") {
            steps = Some((axis, TimeAxis::default()));
        }
    }
    let is_other = |axis: &usize| steps.as_ref().is_none_or(|(time, _)| time != axis);
    let levels = match (0..leading).rev().find(is_other) {
        None => None,
        Some(axis) => {
            let found = look.levels(&array.dimensions[axis]).await?;
            Some((axis, found))
        }
    };
    match kind {
        PictureKind::Series if steps.is_none() => return Ok(Err(Undrawable::NoTime)),
        PictureKind::Section if levels.is_none() => return Ok(Err(Undrawable::NoLevels)),
        _ => {}
    }
    let meaning = text(main, "long_name").or(text(main, "standard_name"));
    let meaning = meaning.map(|meaning| format!(": {}", in_short(meaning)));
    let record = reprojection_record(&array.attributes, &array.shape);
    Ok(Ok(Candidate {
        array: values,
        grid,
        drawing: Drawing {
            store: key,
            store_shown: None,
            variable: name.to_owned(),
            array: array.name.clone(),
            title: format!("{}{}", in_short(name), meaning.unwrap_or_default()),
            reprojected: record.map(|record| reprojected(&record)),
            units: text(main, "units").unwrap_or_default().to_owned(),
            is_component: catalogue
                .variable(name)
                .is_some_and(|main| main.is_component(None)),
            steps,
            levels,
        },
    }))
}

/// The most letters of a name, and of what it means, that are said.
const LETTERS: usize = 200;

fn in_short(text: &str) -> String {
    match text.char_indices().nth(LETTERS) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
    }
}

/// How a store says that an array was reprojected.
fn reprojected(record: &ReprojectionRecord) -> String {
    let grid = &record.grid;
    let degrees =
        |range: f64, count: usize| format!("{}°", msm_chart::number(range / count as f64));
    let x = degrees(grid.east - grid.west, grid.nx);
    let y = degrees(grid.north - grid.south, grid.ny);
    let size = if x == y { x } else { format!("{x} by {y}") };
    format!("reprojected to {size}, {}", record.method.name())
}

/// The grid of an array of this group that this program has reprojected.
pub(super) fn regular(key: String, record: &ReprojectionRecord) -> Grid {
    let grid = &record.grid;
    Grid::Axes {
        store: key,
        names: ["longitude", "latitude"].map(str::to_owned),
        longitudes: (0..grid.nx).map(|i| grid.longitude(i)).collect(),
        latitudes: (0..grid.ny).map(|j| grid.latitude(j)).collect(),
    }
}

/// What the coordinates of the last two dimensions of `variable` are called: a longitude and a latitude, if there are such.
pub(super) fn pair_of(catalogue: &Catalogue, variable: &Variable) -> Vec<String> {
    let named = catalogue.horizontal(variable);
    let pair = named.map(|pair| vec![pair.longitude, pair.latitude]);
    pair.unwrap_or_else(|| catalogue.unnamed_horizontal(variable))
}
