//! What a plan is made by, beside the archive and the requests: three values that the caller chooses, and what was found
//! out of reprojection. None of them changes.
//!
//! Key types: [`Task`], [`NewArrays`], [`Resources`]; [`Projections`]; [`PlanSettings`], all of them.

use msm_zarr::{Codec, Version};
use serde_json::{Map, Value};

use super::chunking::ChunkStrategy;
use super::projection::Projection;

/// All of it.
#[derive(Clone, Debug)]
pub struct PlanSettings {
    /// What is to be done.
    pub task: Task,
    /// What new arrays are to be like.
    pub arrays: NewArrays,
    /// What there is to do it with.
    pub resources: Resources,
    /// How variables are reprojected; what requests add refers to these.
    pub projections: Projections,
}

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Task {
    /// What becomes of stores.
    pub goal: Goal,
    /// Global attributes to add to those of the files.
    pub attributes: Map<String, Value>,
    /// Are attributes written that a store's arrays lost, or never had?
    pub repair_attributes: bool,
    /// How far values of static coordinates may be from the store's, or from the first file's; see [`super::TargetArray::tolerance`].
    pub tolerance: f64,
}

/// What becomes of stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// They are created, or get steps.
    Send {
        /// Are steps overwritten that they have already?
        replace: bool,
        /// May variables be added to them?
        add_variables: bool,
    },
    /// Steps that they have are overwritten, and static data variables.
    Update,
    /// Nothing; what an update would overwrite is compared.
    Compare,
}

impl Goal {
    /// Are steps overwritten that a store has already?
    #[must_use]
    pub fn replaces(self) -> bool {
        !matches!(self, Self::Send { replace: false, .. })
    }

    /// Are static data variables overwritten? And stores only changed, not added to?
    #[must_use]
    pub fn rewrites(self) -> bool {
        !matches!(self, Self::Send { .. })
    }

    /// May variables be added to a store?
    #[must_use]
    pub fn adds_variables(self) -> bool {
        matches!(
            self,
            Self::Send {
                add_variables: true,
                ..
            }
        )
    }
}

/// What new arrays are to be like.
#[derive(Clone, Debug, Default)]
pub struct NewArrays {
    /// Chunk sizes asked for.
    pub chunks: ChunkStrategy,
    /// Shard sizes asked for.
    pub shards: ChunkStrategy,
    /// The version of the Zarr format asked for.
    pub version: Option<Version>,
    /// The compressor asked for.
    pub codec: Option<Codec>,
}

/// What there is to work with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resources {
    /// Ranks that share the work.
    pub ranks: usize,
    /// Bytes that each of them may hold.
    pub memory: u64,
    /// Threads of each that decode and encode.
    pub threads: u64,
}

/// How variables are reprojected.
#[derive(Clone, Debug, Default)]
pub struct Projections {
    /// What requests refer to by number.
    pub all: Vec<Projection>,
    /// Bytes that their weights take on each rank.
    pub weights: u64,
}

impl Projections {
    /// Those of which no weights are computed yet: they take as much as a table of them.
    #[must_use]
    pub fn estimated(all: &[Projection]) -> Self {
        Self {
            all: all.to_vec(),
            weights: all.iter().map(Projection::table).sum(),
        }
    }
}
