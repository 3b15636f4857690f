//! A store as it was found: values only.
//!
//! Key types: [`Stored`], [`StoredArray`].

use serde_json::{Map, Value};

use crate::source::{DType, Number};

/// A store as it is now.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its root document, as it was read.
    pub root: String,
    /// Its arrays.
    pub arrays: Vec<StoredArray>,
    /// The values of its append coordinate.
    pub steps: Vec<Number>,
}

/// An array of a store as it is now.
#[derive(Clone, Debug)]
pub struct StoredArray {
    /// Its name.
    pub name: String,
    /// Its Zarr document.
    pub document: Value,
    /// The type of its values, or Zarr's name of one that this program does not write.
    pub dtype: Result<DType, String>,
    /// The fill value's bytes, little-endian; of text, without padding.
    pub fill: Vec<u8>,
    /// Its shape.
    pub shape: Vec<u64>,
    /// What one object holds.
    pub chunk: Vec<u64>,
    /// The names of its dimensions.
    pub dimensions: Vec<String>,
    /// Its attributes.
    pub attributes: Map<String, Value>,
}
