//! Rank 0: where the values of a store's variables lie, as the store tells it.
//!
//! Key type: [`StoreLook`].

use std::collections::BTreeMap;

use msm_model::{Catalogue, Variable};
use msm_plan::reprojection_record;
use msm_zarr::{Group, StoreSnapshot, StoredArray, layout};

use super::array::{AllValues, ObjectRecords, StoredValues};
use super::axes::{LevelAxis, TimeAxis};
use super::candidate::{VariableLook, pair_of, regular};
use super::error::{Undrawable, UnstoredCoordinate};
use super::look::Grid;
use crate::commit::ManifestRecords;
use crate::error::Error;
use crate::transfer::{Content, ReadMeans};

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

impl VariableLook for StoreLook<'_> {
    fn stored(&self) -> &StoreSnapshot {
        self.stored
    }

    fn key(&self) -> String {
        self.group.key()
    }

    async fn grid(
        &mut self,
        catalogue: &Catalogue,
        array: &StoredArray,
        variable: &Variable,
    ) -> Result<Result<Grid, Undrawable>, Error> {
        grid(self, catalogue, array, variable).await
    }

    async fn times(&mut self, dimension: &str) -> Result<Option<TimeAxis>, Error> {
        if !self.times.contains_key(dimension) {
            let found = TimeAxis::of(self, dimension).await?;
            self.times.insert(dimension.to_owned(), found);
        }
        Ok(self.times.get(dimension).cloned().flatten())
    }

    async fn levels(&mut self, dimension: &str) -> Result<LevelAxis, Error> {
        LevelAxis::of(self, dimension).await
    }
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
    if let Some(record) = reprojection_record(&array.attributes, &array.shape) {
        return Ok(Ok(regular(key, &record)));
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
    if let [longitude, latitude] = &pair_of(catalogue, variable)[..]
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
