//! From the model's curvilinear grid to a regular longitude-latitude grid.
//!
//! Key types: [`SourceGrid`], the cells as the model has them; [`TargetGrid`]; [`Method`]; [`Weights`], which value of the
//! target is made from which of the source. Weights depend on the grids alone, not on what is land: they are computed
//! once, and renormalised over the wet cells of each field and level as they are applied.
//!
//! It opens no file and knows nothing of NetCDF, MPI or Zarr: coordinates and fields are slices. It computes on whatever
//! rayon pool it is called in, and the weights of a row are the same on any rank and any number of threads.

#![warn(unreachable_pub)]

mod apply;
mod bands;
mod bilinear;
mod blocks;
mod columns;
mod conservative;
mod coordinates;
mod corners;
mod error;
mod method;
mod nearest;
mod plane;
mod quads;
mod repeats;
mod ring;
mod source;
mod space;
mod sparse;
mod sphere;
mod target;
mod tiles;
mod weights;
mod window;

pub use apply::Values;
pub use columns::WeightColumns;
pub use coordinates::Coordinates;
pub use corners::Corners;
pub use error::GridError;
pub use method::{Method, weights};
pub use source::SourceGrid;
pub use target::TargetGrid;
pub use weights::Weights;

#[cfg(test)]
mod test_grids;
#[cfg(test)]
mod tests_bilinear;
#[cfg(test)]
mod tests_conservative;
#[cfg(test)]
mod tests_nearest;
