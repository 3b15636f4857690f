//! What is read, as ranks tell each other.
//!
//! Key types: [`Look`], parts of an array; [`Grid`], where its values lie.

use std::collections::BTreeSet;

use msm_plan::{Cells, Field};
use serde::{Deserialize, Serialize};

use super::array::StoredValues;

/// Horizontal fields of an array.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Look {
    pub(super) array: StoredValues,
    /// Which index of each leading dimension, those before rows and columns; of the one that varies, none in particular.
    pub(super) leading: Vec<u64>,
    /// The leading dimension along which there are several fields.
    pub(super) varies: Option<usize>,
    /// Indices along it; just one field where none varies.
    pub(super) slots: Vec<u64>,
    /// Which of the grids.
    pub(super) grid: usize,
    pub(super) pixels: PixelUse,
}

impl Look {
    /// The fields: the index along each leading dimension.
    pub(super) fn fields(&self) -> Vec<Vec<u64>> {
        let field = |slot: &u64| {
            let mut field = self.leading.clone();
            if let Some(varies) = self.varies {
                field[varies] = *slot;
            }
            field
        };
        self.slots.iter().map(field).collect()
    }

    /// Where along the leading dimensions of the chunk grid the objects are that hold any of these.
    pub(super) fn leading_places(&self) -> BTreeSet<Vec<u64>> {
        let place = |field: Vec<u64>| -> Vec<u64> {
            let along = field.iter().zip(&self.array.chunk);
            along.map(|(index, size)| index / (*size).max(1)).collect()
        };
        self.fields().into_iter().map(place).collect()
    }
}

/// What is wanted of the pixels, beside the tally of the cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum PixelUse {
    /// The value of each.
    Values,
    /// The mean of each row.
    RowMeans,
    /// Nothing.
    None,
}

/// Where the values of horizontal fields lie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Grid {
    /// On cells that have a longitude and a latitude each, `[y, x]`.
    Cells {
        longitude: Box<StoredValues>,
        latitude: Box<StoredValues>,
    },
    /// On cells whose longitudes and latitudes are in files that are sent.
    File(Box<Cells>),
    /// On rows and columns of longitudes and latitudes.
    Axes {
        store: String,
        names: [String; 2],
        longitudes: Vec<f64>,
        latitudes: Vec<f64>,
    },
}

impl Grid {
    /// Rows and columns.
    pub(super) fn size(&self) -> [u64; 2] {
        match self {
            Self::Cells { longitude, .. } => {
                let plane = longitude.shape.last_chunk::<2>();
                plane.copied().unwrap_or_default()
            }
            Self::File(cells) => [cells.ny as u64, cells.nx as u64],
            Self::Axes {
                longitudes,
                latitudes,
                ..
            } => [latitudes.len() as u64, longitudes.len() as u64],
        }
    }

    /// How many columns it has.
    pub(super) fn columns(&self) -> usize {
        usize::try_from(self.size()[1]).unwrap_or(usize::MAX)
    }

    /// The store or the file, and the names of longitudes and latitudes.
    pub(super) fn names(&self) -> [String; 3] {
        match self {
            Self::File(cells) => {
                let Field { path, variable, .. } = &cells.longitude;
                let path = path.display().to_string();
                [path, variable.clone(), cells.latitude.variable.clone()]
            }
            Self::Cells {
                longitude,
                latitude,
            } => [&longitude.store, &longitude.name, &latitude.name].map(Clone::clone),
            Self::Axes {
                store,
                names: [longitude, latitude],
                ..
            } => [store, longitude, latitude].map(Clone::clone),
        }
    }
}
