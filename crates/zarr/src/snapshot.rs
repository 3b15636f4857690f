//! A store as it was found: values only.
//!
//! Key types: [`StoreSnapshot`], [`StoredArray`].

use std::path::PathBuf;

use serde_json::{Map, Value};

use super::hierarchy::{aligned, groups};
use super::layout;
use super::version::Version;
use msm_model::{Attribute, Catalogue, DType, Instant, Step, Variable, VariableType};

/// A store as it is now.
#[derive(Clone, Debug)]
pub struct StoreSnapshot {
    /// Its version of the Zarr format.
    pub version: Version,
    /// Its root document, as it was read.
    pub root: String,
    /// Which group of a hierarchy this is; `None` of the topmost one.
    pub nested: Option<NestedGroup>,
    /// Its arrays.
    pub arrays: Vec<StoredArray>,
    /// The values of its append coordinate.
    pub steps: Vec<Step>,
    /// Where each of them begins and ends, if it has bounds.
    pub bounds: Vec<(Instant, Instant)>,
}

impl StoreSnapshot {
    /// Has it an array of this name?
    #[must_use]
    pub fn holds(&self, name: &str) -> bool {
        self.arrays.iter().any(|array| array.name == name)
    }

    /// The length of its arrays along `dimension`, the shortest if they differ; 0 if it has none.
    #[must_use]
    pub fn length_along(&self, dimension: &str) -> u64 {
        let lengths = self.arrays.iter().filter_map(|array| {
            let axis = array.dimensions.iter().position(|name| name == dimension)?;
            array.shape.get(axis).copied()
        });
        lengths.min().unwrap_or(0)
    }

    /// Its arrays' dimensions and texts among their attributes, as if it were a source file: what time units are found by.
    #[must_use]
    pub fn catalogue(&self) -> Catalogue {
        let variables = self.arrays.iter().map(|array| Variable {
            name: array.name.clone(),
            kind: match &array.dtype {
                Ok(dtype) if dtype.is_text() => VariableType::Text(*dtype),
                Ok(dtype) => VariableType::Number(*dtype),
                Err(other) => VariableType::Other(other.clone()),
            },
            dimensions: array.dimensions.clone(),
            shape: array.shape.clone(),
            stored_chunks: None,
            attributes: array
                .attributes
                .iter()
                .filter_map(|(name, value)| {
                    Some((name.clone(), Attribute::Text(value.as_str()?.to_owned())))
                })
                .collect(),
        });
        Catalogue {
            path: PathBuf::from("the store"),
            dimensions: Vec::new(),
            variables: variables.collect(),
            ..Catalogue::default()
        }
    }
}

/// A group in a hierarchy, which the root document tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NestedGroup {
    /// Its path below the root.
    pub path: String,
    /// The documents of the groups from below the root down to it that tell of other nodes or have attributes, by these groups'
    /// paths: `zarr.json`, or version 2's `.zmetadata`.
    pub groups: Vec<(String, String)>,
}

impl StoreSnapshot {
    /// The paths of all groups of the store, in order; that of the topmost one is empty.
    #[must_use]
    pub fn groups(&self) -> Vec<String> {
        groups(
            self.version,
            &serde_json::from_str(&self.root).unwrap_or_default(),
        )
    }

    /// The groups above and below this one that have arrays along `dimension`, by their paths: readers of the hierarchy align them, so
    /// none can grow alone.
    #[must_use]
    pub fn aligned(&self, dimension: &str) -> Vec<String> {
        let root = serde_json::from_str(&self.root).unwrap_or_default();
        aligned(self.version, &root, self.group(), dimension)
    }

    /// The path of the group in the store; empty of the topmost one.
    #[must_use]
    pub fn group(&self) -> &str {
        self.nested.as_ref().map_or("", |nested| &nested.path)
    }

    /// The path, below the store, of what is called `name` in the group.
    #[must_use]
    pub fn path_of(&self, name: &str) -> String {
        layout::below(self.group(), name)
    }
}

/// An array of a store as it is now.
#[derive(Clone, Debug)]
pub struct StoredArray {
    /// Its name.
    pub name: String,
    /// Its Zarr document: `zarr.json`, or version 2's `.zarray`.
    pub document: Value,
    /// The type of its values, or Zarr's name of one that this program does not write.
    pub dtype: Result<DType, String>,
    /// The fill value's bytes, little-endian; of text, without padding.
    pub fill: Vec<u8>,
    /// Its shape.
    pub shape: Vec<u64>,
    /// What one object holds.
    pub chunk: Vec<u64>,
    /// The chunk shape within a shard; `None` without shards.
    pub inner: Option<Vec<u64>>,
    /// The names of its dimensions.
    pub dimensions: Vec<String>,
    /// Its attributes, as version 3 has them: the mask of a version 2 array, its fill value, is `_FillValue` here.
    pub attributes: Map<String, Value>,
}

impl StoredArray {
    /// Does the object at `chunk` of the chunk grid hold a value inside the array's shape?
    #[must_use]
    pub fn is_inside(&self, chunk: &[u64]) -> bool {
        let grid = self.shape.iter().zip(&self.chunk);
        chunk
            .iter()
            .zip(grid)
            .all(|(&index, (&length, &size))| index < length.div_ceil(size))
    }
}
