//! Rank 0: where the values of a store's variables lie, as the files tell that are sent to it. Nothing is asked of the store.
//!
//! Key type: [`SentLook`].

use msm_model::{Archive, Catalogue, Variable};
use msm_plan::{Cells, Field, reprojection_record};
use msm_zarr::{Group, StoreSnapshot, StoredArray};

use crate::error::Error;
use crate::verbs::quicklook::axes::{LevelAxis, TimeAxis};
use crate::verbs::quicklook::candidate::{VariableLook, pair_of, regular};
use crate::verbs::quicklook::error::Undrawable;
use crate::verbs::quicklook::look::Grid;
use crate::verbs::reprojection::cells::read_axis;
use crate::verbs::reprojection::reprojectable::field;

/// A store as a transaction leaves it, and the files.
pub(super) struct SentLook<'a> {
    pub stored: &'a StoreSnapshot,
    pub group: &'a Group,
    pub archive: &'a Archive,
}

impl SentLook<'_> {
    /// Where the values of the coordinate `name` are in the files.
    fn field(&self, name: &str) -> Result<Result<Field, Undrawable>, Error> {
        if self.archive.catalogue.variable(name).is_none() {
            let coordinate = name.to_owned();
            return Ok(Err(Undrawable::NotSent { coordinate }));
        }
        field(self.archive, name).map(Ok)
    }

    /// The values of the coordinate `axis`, which has one dimension, if the files hold it.
    fn along(&self, axis: &StoredArray) -> Result<Option<Vec<f64>>, Error> {
        let length = axis.shape.first().copied().map(usize::try_from);
        let (Ok(field), Some(Ok(length))) = (self.field(&axis.name)?, length) else {
            return Ok(None);
        };
        Ok(Some(read_axis(&field, length)?))
    }

    /// Where those of a longitude and a latitude are.
    fn fields(
        &self,
        [longitude, latitude]: [&str; 2],
    ) -> Result<Result<[Field; 2], Undrawable>, Error> {
        Ok(match (self.field(longitude)?, self.field(latitude)?) {
            (Ok(longitude), Ok(latitude)) => Ok([longitude, latitude]),
            (Err(why), _) | (_, Err(why)) => Err(why),
        })
    }
}

impl VariableLook for SentLook<'_> {
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
        // The same grid in several stores is one.
        let place = self.archive.catalogue.path.display().to_string();
        if let Some(record) = reprojection_record(&array.attributes, &array.shape) {
            return Ok(Ok(regular(place, &record)));
        }
        let [ny, nx] = [2, 1].map(|back| array.shape[array.shape.len() - back]);
        let [ny, nx] = [ny, nx].map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        if let Some(axes) = catalogue.horizontal_axes(variable) {
            let found = self.fields([&axes.longitude, &axes.latitude])?;
            let [longitude, latitude] = match found {
                Ok(fields) => fields,
                Err(why) => return Ok(Err(why)),
            };
            return Ok(Ok(Grid::Axes {
                store: place,
                names: [axes.longitude, axes.latitude],
                longitudes: read_axis(&longitude, nx)?,
                latitudes: read_axis(&latitude, ny)?,
            }));
        }
        let [longitude, latitude] = &pair_of(catalogue, variable)[..] else {
            let dimensions = array.dimensions[array.dimensions.len() - 2..].join(", ");
            return Ok(Err(Undrawable::NoCoordinates { dimensions }));
        };
        Ok(self.fields([longitude, latitude])?.map(|fields| {
            let coordinates = [longitude, latitude].map(Clone::clone);
            let [longitude, latitude] = fields;
            Grid::File(Box::new(Cells {
                ny,
                nx,
                coordinates,
                longitude,
                latitude,
                corners: None,
            }))
        }))
    }

    async fn times(&mut self, dimension: &str) -> Result<Option<TimeAxis>, Error> {
        if *dimension == self.archive.append_dimension {
            return Ok(Some(TimeAxis::of_steps(&self.stored.steps)));
        }
        let Some(axis) = TimeAxis::axis(&self.stored.arrays, dimension) else {
            return Ok(None);
        };
        let values = self.along(axis)?;
        Ok(values.map(|values| TimeAxis::new(axis, values)))
    }

    async fn levels(&mut self, dimension: &str) -> Result<LevelAxis, Error> {
        let Some(axis) = LevelAxis::axis(&self.stored.arrays, dimension) else {
            return Ok(LevelAxis::default());
        };
        let depths = self.along(axis)?;
        let axis = depths.map(|depths| LevelAxis::new(axis, depths));
        Ok(axis.unwrap_or_default())
    }
}
