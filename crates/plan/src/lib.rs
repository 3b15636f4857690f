//! From what an archive holds and what stores hold to what each rank does.
//!
//! A [`StoreRequest`] says what one store is to get; [`plan()`] makes of requests and [`PlanSettings`] the [`Plan`]: the documents of
//! each [`TargetStore`], the [`TargetArray`]s, and the [`WorkUnit`]s that ranks read, encode and write. [`comparison`] and
//! [`against`] make plans that only compare. What does not fit is a [`PlanError`]; all that does not are reported together.
//!
//! It reads no file and no store, and knows nothing of MPI, threads or the network: the same request gives the same plan.

#![warn(unreachable_pub)]

mod array_source;
mod arrays;
mod assign;
mod attributes;
mod chunking;
mod compressor;
mod conform;
mod contents;
mod convert;
mod coordinates;
mod cost;
mod draft;
mod error;
mod follow;
mod insertion;
mod lacking_steps;
mod masks;
mod names;
mod new_variable;
mod other_tools;
mod parts;
mod prefix;
mod projected;
mod projection;
mod quantization;
mod rechunked;
mod recut;
mod settings;
mod sharding;
mod source_reads;
mod steps;
mod target;
mod times;
mod transactions;
mod units;
mod upkeep;
mod wishes;
mod work_units;

pub use attributes::marks_nothing;
pub use chunking::{ChunkStrategy, SHARDS_FLAG, STRATEGY_FLAG};
pub use coordinates::coordinates;
pub use draft::{StoreRequest, against, check_strategies, comparison, part_plan, plan};
pub use error::PlanError;
pub use insertion::{Move, MoveCost, MovedPiece};
pub use lacking_steps::{LACKING, LackingSteps, lacking_without};
pub use masks::{Masking, MaskingNote, masking_note, missing_values};
pub use names::check_names;
pub use parts::{ArchiveParts, GrowingStore, parts};
pub use prefix::derive_prefix;
pub use projected::{
    DerivedVariable, ReprojectionRecord, foreign_projection, projected, projected_name,
    reprojection_record,
};
pub use projection::{Cells, CornerFields, Field, PIECES, Projection};
pub use quantization::quantization;
pub use rechunked::{RechunkPlan, Rechunking, StoreRechunk, StoredReads, check_cut, rechunked};
pub use recut::{ArrayChange, ArrayCut};
pub use settings::{Goal, NewArrays, PlanSettings, Projections, Resources, Task};
pub use source_reads::{SourceReads, source_reads};
pub use steps::{FileSteps, MissingSteps, Overlap, Scope, StepPlacement, follows_on, place};
pub use target::{
    Append, Conversion, Derivation, Origin, Phase, Plan, Run, StoredOrigin, TargetArray,
    TargetStore,
};
pub use times::{check_other_times, check_times};
pub use transactions::{Transactions, transactions};
pub use units::{ArrayObject, UnitPart, WorkUnit};
pub use upkeep::{repairs, spoiled, stale_checksums};
pub use work_units::{ChunkSpans, ObjectGrid, UnitLattice, WorkUnits};

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_insertion;
#[cfg(test)]
mod tests_parts;
#[cfg(test)]
mod tests_rechunked;
#[cfg(test)]
mod tests_source_reads;
