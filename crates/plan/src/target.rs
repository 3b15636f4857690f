//! What is to be written, and where: the plan and its parts.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::insertion::Move;
use super::masks::Masking;
use super::projection::Projection;
use super::work_units::WorkUnits;
use msm_model::{ArrayRecipe, DType, Hyperslab, Number, TimeConversion, ValueChange};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Everything a rank needs to do its part.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The files that the ranks read, by the index that units and runs have.
    #[serde(with = "msm_model::names::many")]
    pub files: Vec<PathBuf>,
    /// The stores to create or extend.
    pub stores: Vec<TargetStore>,
    /// The arrays to write or to compare.
    pub arrays: Vec<TargetArray>,
    /// How some of them are reprojected.
    pub projections: Vec<Projection>,
    /// The work, each unit with its owner.
    pub units: WorkUnits,
    /// Objects of stored arrays that a rank reads at a time.
    pub reads: usize,
    /// Bytes a rank may hold at a time, without the reader's scratch.
    pub in_flight: u64,
    /// Bytes each rank holds at its peak, scratch included.
    pub peak_memory: u64,
}

/// A store that the transaction creates or extends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetStore {
    /// Its key in the bucket, e.g. `T1y/thetao.zarr`.
    pub key: String,
    /// The documents to put before the root document, by their keys in the bucket.
    pub documents: Vec<(String, String)>,
    /// The key of its root document, which is what readers see it through: it is put last.
    pub root_key: String,
    /// Its root document before the transaction; `None` when it is created.
    pub old_root: Option<String>,
    /// Its root document after the transaction.
    pub new_root: String,
    /// Steps that the transaction adds.
    pub new_steps: u64,
    /// Steps that it overwrites.
    pub replaced_steps: u64,
    /// By array, what a recipe says of it, which may be nothing: for the ledger.
    pub recipes: BTreeMap<String, ArrayRecipe>,
    /// Does nobody know what others were made by, in the store that it is made of?
    pub has_untold_arrays: bool,
}

/// One Zarr array to write or to compare, in each store that holds it alike.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TargetArray {
    /// Its name in the store.
    pub name: String,
    /// Where its values come from.
    pub origin: Origin,
    /// How the times of some files are converted to the store's units.
    pub conversions: Vec<Conversion>,
    /// How values are converted and quantised, before that.
    pub values: Option<ValueChange>,
    /// How missing values are written, if not as they are.
    pub masking: Option<Masking>,
    /// The stores that hold it, as indices into [`Plan::stores`].
    pub stores: Vec<usize>,
    /// The Zarr document that says how its objects are encoded, with the shape it has after the transaction.
    pub document: String,
    /// The type of its values; of text, as wide as the archive and the store need.
    pub dtype: DType,
    /// The fill value's bytes, little-endian.
    pub fill: Vec<u8>,
    /// Its shape after the transaction.
    pub shape: Vec<u64>,
    /// What one object holds: its chunk shape, or the shape of its shards.
    pub chunk: Vec<u64>,
    /// What is written along the append dimension; `None` for a static array.
    pub append: Option<Append>,
    /// Does the store hold values of this static array, which are overwritten?
    pub rewrites: bool,
    /// When its units run.
    pub phase: Phase,
    /// Of a static coordinate, how far values may be apart that count as the same: so much, times their magnitude where that is
    /// more than 1. `None` if only the same values are the same.
    pub tolerance: Option<f64>,
}

/// The source of an array's values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Origin {
    /// The variable's name in the source files.
    pub variable: String,
    /// Dimensions of size one that the variable has before those of the array.
    pub leading: usize,
    /// The file that a static array is read from.
    pub file: usize,
    /// What becomes of the variable's values.
    pub form: Derivation,
}

/// How an array's values come from its origin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Derivation {
    /// As they are.
    AsRead,
    /// Reprojected, as this one of [`Plan::projections`] says.
    Projected {
        /// Its index in the plan.
        projection: usize,
        /// The values that stand for missing ones, beside NaN.
        missing: Vec<Number>,
    },
    /// They are not read at all, but these: coordinates of a target grid.
    Made(Vec<u8>),
    /// They are those of an array that a store holds.
    Stored(StoredOrigin),
}

/// An array of a store, of which another one is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredOrigin {
    /// The store.
    pub store: String,
    /// The Zarr document that says how the array's objects are encoded.
    pub document: String,
    /// What one of them holds.
    pub object: Vec<u64>,
    /// The fill value's bytes.
    pub fill: Vec<u8>,
}

/// How one file's times are converted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conversion {
    /// Which of [`Plan::files`].
    pub file: usize,
    /// From its units to the store's.
    pub times: TimeConversion,
    /// The values that mark missing times, which stay as they are.
    pub missing: Vec<Number>,
    /// Are they bounds? Of those, what is no time stays as it is, too.
    pub is_bounds: bool,
}

/// What is written of an array along the append dimension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Append {
    /// Which of its dimensions grows.
    pub axis: usize,
    /// Steps in the store before the transaction.
    pub old: u64,
    /// The steps to write, in the order of the array.
    pub runs: Vec<Run>,
    /// The steps of the store that make room for them, in the order of the array.
    pub moves: Vec<Move>,
}

/// Neighbouring steps of one file that are neighbours in an array too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Which of [`Plan::files`].
    pub file: usize,
    /// The first of them in the file.
    pub first: u64,
    /// How many.
    pub count: u64,
    /// The first of them in the array.
    pub at: u64,
}

/// The phases of a transaction, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Phase {
    /// Static arrays are compared with the store's, or with the first file's; nothing is written.
    Compare,
    /// What is overwritten where steps are moved is copied into the ledger, all of it: then it is read from there. No array has
    /// this phase, but those that it concerns have units in it.
    Keep,
    /// Data are written, out of readers' sight.
    Transfer,
    /// The small arrays along the append dimension are written by rank 0, just before the documents.
    Commit,
}

impl Append {
    /// The first chunk, of this `length` along the dimension, that holds no step of the store.
    #[must_use]
    pub fn first_new_chunk(&self, length: u64) -> u64 {
        self.old.div_ceil(length)
    }

    /// Leaves out the steps of chunks of this `length` that the store holds steps of.
    pub(super) fn leave_held(&mut self, length: u64) {
        let first = self.first_new_chunk(length) * length;
        for run in &mut self.runs {
            let held = first.saturating_sub(run.at).min(run.count);
            *run = Run {
                first: run.first + held,
                count: run.count - held,
                at: run.at + held,
                ..*run
            };
        }
        self.runs.retain(|run| run.count > 0);
    }
}

impl Plan {
    /// Units of `phase` that `rank` owns, each with those that follow it: these are not among them.
    pub fn units_of(&self, rank: usize, phase: Phase) -> impl Iterator<Item = usize> + '_ {
        self.units
            .owned(rank, move |array| self.arrays[array].is_of(phase))
    }

    /// Are there no values to write, and are the documents as they were?
    #[must_use]
    pub fn changes_nothing(&self) -> bool {
        let parsed = |root: &str| serde_json::from_str::<Value>(root).ok();
        let same = |store: &TargetStore| {
            let old = store.old_root.as_deref().and_then(parsed);
            old.is_some() && old == parsed(&store.new_root)
        };
        self.units.is_empty() && self.stores.iter().all(same)
    }

    /// Does the plan create the store `store`, or add steps and arrays to it, and change no value that it holds?
    #[must_use]
    pub fn only_adds_to(&self, store: usize) -> bool {
        let mut arrays = self.arrays.iter().filter(|a| a.stores.contains(&store));
        let is_beyond = |append: &Append| {
            append.moves.is_empty() && append.runs.iter().all(|run| run.at >= append.old)
        };
        arrays.all(|array| !array.rewrites && array.append.as_ref().is_none_or(is_beyond))
    }

    /// Objects that the units of `phase` write or compare, over all stores.
    #[must_use]
    pub fn objects(&self, phase: Phase) -> u64 {
        self.sum(phase, |_| 1)
    }

    /// Decoded bytes that the units of `phase` write or compare, over all stores.
    #[must_use]
    pub fn bytes(&self, phase: Phase) -> u64 {
        self.sum(phase, TargetArray::object_bytes)
    }

    /// The sum of what is `told` of each object of the units of `phase`, in each store.
    fn sum(&self, phase: Phase, told: impl Fn(&TargetArray) -> u64) -> u64 {
        let all = self.units.objects_by_array();
        let all = all.map(|(array, objects)| (&self.arrays[array], objects));
        all.filter(|(array, _)| array.is_of(phase))
            .map(|(array, objects)| objects * told(array) * array.stores.len() as u64)
            .sum()
    }
}

impl TargetArray {
    /// Has it units in this phase?
    fn is_of(&self, phase: Phase) -> bool {
        match phase {
            Phase::Keep => self.moves_steps(),
            of_array => self.phase == of_array,
        }
    }

    /// Bytes of one decoded object.
    #[must_use]
    pub fn object_bytes(&self) -> u64 {
        self.chunk.iter().product::<u64>() * self.dtype.size() as u64
    }

    /// What the store holds of it before the transaction.
    #[must_use]
    pub fn held(&self) -> Option<Hyperslab> {
        let mut held = Hyperslab {
            start: vec![0; self.shape.len()],
            count: self.shape.clone(),
        };
        match &self.append {
            Some(append) => held.count[append.axis] = append.old,
            None if !self.rewrites => return None,
            None => {}
        }
        (!held.is_empty()).then_some(held)
    }
}
