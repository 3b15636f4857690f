//! Rank 0: a variable of a store, as it can be drawn: its values, where they lie, its steps and levels.
//!
//! Key types: [`Candidate`]; [`Drawing`], what is said of it; [`StoreLook`], the store that it is in.

use std::collections::BTreeMap;

use msm_model::{Catalogue, Variable};
use msm_plan::{ReprojectionRecord, projected_name, reprojection_record};
use msm_zarr::{Group, StoreSnapshot, StoredArray, layout};

use super::PictureKind;
use super::array::{AllValues, ObjectRecords, StoredValues};
use super::axes::{LevelAxis, TimeAxis, text};
use super::error::{Undrawable, UnstoredCoordinate};
use super::look::Grid;
use crate::commit::ManifestRecords;
use crate::error::Error;
use crate::transfer::{Content, ReadMeans};

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

/// A store that is looked into, and what was found in it.
pub(super) struct StoreLook<'a> {
    pub(super) stored: &'a StoreSnapshot,
    pub(super) group: &'a Group,
    /// What its manifests say of its objects; `None` if they say nothing sure.
    pub(super) records: Option<&'a ManifestRecords>,
    pub(super) means: &'a ReadMeans,
    /// The time axes that were read, by their dimensions.
    pub(super) times: BTreeMap<String, Option<TimeAxis>>,
    /// Coordinates of which objects are not stored.
    pub(super) unstored: Vec<UnstoredCoordinate>,
}

impl StoreLook<'_> {
    /// What manifests say of those objects of the array `name` that are `wanted`.
    pub(super) fn recorded(&self, name: &str, wanted: impl Fn(&[u64]) -> bool) -> ObjectRecords {
        let path = layout::below(&self.group.path, name);
        let objects = self.records.and_then(|records| records.objects.get(&path));
        let objects = objects.into_iter().flatten();
        objects
            .filter(|(chunk, _)| wanted(chunk))
            .map(|(chunk, content): (_, &Content)| (chunk.to_vec(), *content))
            .collect()
    }

    /// The coordinate that `array` is; `None` if its values are no numbers.
    pub(super) fn coordinate(&self, array: &StoredArray) -> Option<StoredValues> {
        let mut values = StoredValues::of(&self.group.key(), array)?;
        values.recorded = self.recorded(&array.name, |_| true);
        Some(values)
    }

    /// All values of the coordinate `array`.
    ///
    /// # Errors
    /// If they cannot be read, or are not what manifests say.
    pub(super) async fn all(
        &mut self,
        array: &StoredValues,
        is_place: bool,
    ) -> Result<AllValues, Error> {
        let all = array.all(self.means).await?;
        if let Some(unstored) = UnstoredCoordinate::of(array, &all, is_place)?
            && !self.unstored.contains(&unstored)
        {
            self.unstored.push(unstored);
        }
        Ok(all)
    }

    /// The same of one that tells where cells are.
    async fn places(&mut self, array: &StoredValues) -> Result<Vec<f64>, Error> {
        Ok(self.all(array, true).await?.places(array))
    }
}

/// The variable `name` of the store, if it can be drawn.
pub(super) async fn candidate(
    look: &mut StoreLook<'_>,
    name: &str,
    kind: PictureKind,
) -> Result<Result<Candidate, Undrawable>, Error> {
    let (stored, key) = (look.stored, look.group.key());
    let find = |name: &str| stored.arrays.iter().find(|array| array.name == name);
    let Some(main) = find(name) else {
        return Ok(Err(Undrawable::NoPlane));
    };
    // As it was reprojected, if it was by this program.
    let projected = find(&projected_name(name));
    let projected =
        projected.filter(|array| reprojection_record(&array.attributes, &array.shape).is_some());
    let array = projected.unwrap_or(main);
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
    let catalogue = stored.catalogue();
    let Some(variable) = catalogue.variable(&array.name) else {
        return Ok(Err(Undrawable::NoPlane));
    };
    let grid = match grid(look, &catalogue, array, variable).await? {
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
        if !look.times.contains_key(dimension) {
            let found = TimeAxis::of(look, dimension).await?;
            look.times.insert(dimension.clone(), found);
        }
        if let Some(Some(found)) = look.times.get(dimension) {
            steps = Some((axis, found.clone()));
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
            let found = LevelAxis::of(look, &array.dimensions[axis]).await?;
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

/// Where the values of `array` lie.
async fn grid(
    look: &mut StoreLook<'_>,
    catalogue: &Catalogue,
    array: &StoredArray,
    variable: &Variable,
) -> Result<Result<Grid, Undrawable>, Error> {
    let key = look.group.key();
    let coordinate = |look: &StoreLook<'_>, name: &str| {
        let mut arrays = look.stored.arrays.iter();
        look.coordinate(arrays.find(|array| array.name == name)?)
    };
    let names = |[longitude, latitude]: [&str; 2]| [longitude.to_owned(), latitude.to_owned()];
    if let Some(record) = reprojection_record(&array.attributes, &array.shape) {
        let grid = record.grid;
        return Ok(Ok(Grid::Axes {
            store: key,
            names: names(["longitude", "latitude"]),
            longitudes: (0..grid.nx).map(|i| grid.longitude(i)).collect(),
            latitudes: (0..grid.ny).map(|j| grid.latitude(j)).collect(),
        }));
    }
    if let Some(axes) = catalogue.horizontal_axes(variable)
        && let (Some(longitude), Some(latitude)) = (
            coordinate(look, &axes.longitude),
            coordinate(look, &axes.latitude),
        )
    {
        return Ok(Ok(Grid::Axes {
            store: key,
            names: [axes.longitude, axes.latitude],
            longitudes: look.places(&longitude).await?,
            latitudes: look.places(&latitude).await?,
        }));
    }
    let named = catalogue.horizontal(variable);
    let pair = named.map(|pair| vec![pair.longitude, pair.latitude]);
    let pair = pair.unwrap_or_else(|| catalogue.unnamed_horizontal(variable));
    if let [longitude, latitude] = &pair[..]
        && let (Some(longitude), Some(latitude)) =
            (coordinate(look, longitude), coordinate(look, latitude))
    {
        return Ok(Ok(Grid::Cells {
            longitude: Box::new(longitude),
            latitude: Box::new(latitude),
        }));
    }
    let dimensions = array.dimensions[array.dimensions.len() - 2..].join(", ");
    Ok(Err(Undrawable::NoCoordinates { dimensions }))
}
