//! Rank 0: a variable of a store, as it can be drawn: its values, where they lie, its steps and levels.
//!
//! Key types: [`Candidate`]; [`Drawing`], what is said of it.

use std::collections::BTreeMap;

use msm_model::{Catalogue, Variable};
use msm_plan::{projected_name, reprojection_record};
use msm_zarr::{Group, StoreSnapshot, StoredArray};

use super::PictureKind;
use super::array::StoredValues;
use super::axes::{LevelAxis, TimeAxis, text};
use super::error::Undrawable;
use super::look::Grid;
use crate::error::Error;
use crate::transfer::ReadMeans;

/// What is said of a look.
#[derive(Clone)]
pub(super) struct Drawing {
    pub(super) store: String,
    pub(super) variable: String,
    pub(super) array: String,
    /// The variable's name, and what it means.
    pub(super) title: String,
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

/// The time axes that were read, by their stores and dimensions.
pub(super) type Times = BTreeMap<(String, String), Option<TimeAxis>>;

/// The variable `name` of the store, if it can be drawn.
pub(super) async fn candidate(
    stored: &StoreSnapshot,
    group: &Group,
    name: &str,
    kind: PictureKind,
    times: &mut Times,
    means: &ReadMeans,
) -> Result<Result<Candidate, Undrawable>, Error> {
    let key = group.key();
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
    let grid = match grid(stored, &catalogue, &key, array, variable, means).await? {
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
        let known = (key.clone(), dimension.clone());
        if !times.contains_key(&known) {
            let found = TimeAxis::of(stored, &key, dimension, means).await?;
            times.insert(known.clone(), found);
        }
        if let Some(Some(found)) = times.get(&known) {
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
            let found = LevelAxis::of(stored, &key, &array.dimensions[axis], means).await?;
            Some((axis, found))
        }
    };
    match kind {
        PictureKind::Series if steps.is_none() => return Ok(Err(Undrawable::NoTime)),
        PictureKind::Section if levels.is_none() => return Ok(Err(Undrawable::NoLevels)),
        _ => {}
    }
    let meaning = text(main, "long_name").or(text(main, "standard_name"));
    let meaning = meaning.map(|meaning| format!(": {meaning}"));
    Ok(Ok(Candidate {
        array: values,
        grid,
        drawing: Drawing {
            store: key,
            variable: name.to_owned(),
            array: array.name.clone(),
            title: format!("{name}{}", meaning.unwrap_or_default()),
            units: text(main, "units").unwrap_or_default().to_owned(),
            is_component: catalogue
                .variable(name)
                .is_some_and(|main| main.is_component(None)),
            steps,
            levels,
        },
    }))
}

/// Where the values of `array` lie.
async fn grid(
    stored: &StoreSnapshot,
    catalogue: &Catalogue,
    key: &str,
    array: &StoredArray,
    variable: &Variable,
    means: &ReadMeans,
) -> Result<Result<Grid, Undrawable>, Error> {
    let coordinate = |name: &str| {
        let array = stored.arrays.iter().find(|array| array.name == name)?;
        StoredValues::of(key, array)
    };
    let names = |[longitude, latitude]: [&str; 2]| [longitude.to_owned(), latitude.to_owned()];
    if let Some(record) = reprojection_record(&array.attributes, &array.shape) {
        let grid = record.grid;
        return Ok(Ok(Grid::Axes {
            store: key.to_owned(),
            names: names(["longitude", "latitude"]),
            longitudes: (0..grid.nx).map(|i| grid.longitude(i)).collect(),
            latitudes: (0..grid.ny).map(|j| grid.latitude(j)).collect(),
        }));
    }
    if let Some(axes) = catalogue.horizontal_axes(variable)
        && let (Some(longitude), Some(latitude)) =
            (coordinate(&axes.longitude), coordinate(&axes.latitude))
    {
        return Ok(Ok(Grid::Axes {
            store: key.to_owned(),
            names: [axes.longitude, axes.latitude],
            longitudes: longitude.all(means).await?,
            latitudes: latitude.all(means).await?,
        }));
    }
    let named = catalogue.horizontal(variable);
    let pair = named.map(|pair| vec![pair.longitude, pair.latitude]);
    let pair = pair.unwrap_or_else(|| catalogue.unnamed_horizontal(variable));
    if let [longitude, latitude] = &pair[..]
        && let (Some(longitude), Some(latitude)) = (coordinate(longitude), coordinate(latitude))
    {
        return Ok(Ok(Grid::Cells {
            longitude: Box::new(longitude),
            latitude: Box::new(latitude),
        }));
    }
    let dimensions = array.dimensions[array.dimensions.len() - 2..].join(", ");
    Ok(Err(Undrawable::NoCoordinates { dimensions }))
}
