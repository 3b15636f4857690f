//! msm-os puts NEMO ocean-model archives on object stores as Zarr, in parallel under MPI.
//!
//! ```text
//! Args ─► Job ─► Archive ─► Plan ──bcast──► per rank: read ─► reproject ─► encode ─► PUT ─► verify
//!                                                                     │ chunk records
//!                                rank 0: ◄──gather────────────────────┘
//!                                Manifest ─► Commit | Rollback ─► Report
//! ```
//!
//! One direction, no way back. Rank 0 does everything left of `bcast` and right of `gather` and takes a share of the
//! work too; one rank, with or without a launcher, goes the same way. Bulk data never crosses MPI. `docs/design.md`
//! has the words, the rooms and the promises.

pub mod cli;
pub mod commit;
pub mod events;
pub mod exit;
pub mod ranks;
pub mod session;
pub mod source;
pub mod store;
pub mod transfer;
pub mod verbs;

pub use msm_plan as plan;
pub use msm_reproject as reproject;
