//! From what the archive holds and what the stores hold to what each rank does. Pure: no MPI, no tokio, no I/O.
//!
//! Key types: [`Plan`], [`TargetArray`], [`WorkUnit`], [`Request`] (what the plan is made from), [`PlanError`].

mod arrays;
mod assign;
mod attributes;
mod chunking;
mod conform;
mod draft;
mod error;
mod prefix;
mod steps;
mod target;
mod units;

pub use attributes::attributes_of;
pub use chunking::ChunkStrategy;
pub use draft::{Request, Settings, plan};
pub use error::PlanError;
pub use prefix::derive_prefix;
pub use steps::{Steps, new_steps};
pub use target::{Append, Budget, Phase, Plan, TargetArray, TargetStore};
pub use units::{Object, WorkUnit};

#[cfg(test)]
mod tests;
