//! msm-os puts NEMO ocean-model archives on object stores as Zarr, in parallel under MPI.
//!
//! Every verb is asked by a plain value and answers with one. A [`Session`] has what they need: a bucket, the ranks, threads,
//! and a [`Reporter`], who is told of each [`Event`] on the way. No verb prints, exits, or reads the environment: the
//! program `msm_os` is a front end like any other, in [`cli`]. But [`ranks::run`] reads what a launcher tells there, and ends the
//! process when a rank panics or falls silent; requests go through the proxies that the environment names; and a debug
//! build reads what tests set in it (`MSM_OS_TEST_…`).
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use msm_os::{Connection, Files, Ranks, Send, Session, SilentReporter, send};
//!
//! # fn main() -> Result<(), msm_os::Error> {
//! let (connection, ranks) = (Connection::directory("/data/ocean"), Ranks::alone());
//! let session = Session::open(&connection, &ranks, Arc::new(SilentReporter))?;
//! let files = Files {
//!     paths: vec!["eORCA1_1y_grid_T_1976-1976.nc".into()],
//!     ..Files::default()
//! };
//! let report = send(&session, &Send { files, ..Send::default() })?;
//! println!("{} stores created, {} steps appended", report.created.len(), report.appended);
//! # Ok(())
//! # }
//! ```
//!
//! What becomes of a send:
//!
//! ```text
//! Send ─► Archive ─► Plan ──bcast──► per rank: read ─► reproject ─► encode ─► PUT ─► verify
//!                                                                │ chunk records
//!                           rank 0: ◄──gather────────────────────┘
//!                           Manifest ─► Commit | Rollback ─► SendReport
//! ```
//!
//! One direction, no way back. Rank 0 does everything left of `bcast` and right of `gather` and takes a share of the
//! work too; one rank, with or without a launcher, goes the same way. Bulk data never crosses MPI. `docs/design.md`
//! has the words, the rooms and the promises.

pub mod cli;
mod commit;
mod error;
pub mod events;
mod interrupt;
mod knobs;
pub mod measurements;
pub mod ranks;
mod session;
mod source;
mod store;
mod transfer;
mod verbs;
mod workers;

pub use cli::Exit;
pub use commit::{
    CleanupError, CopyFault, DamagedCopies, DamagedCopy, Holder, LeaseError, ManifestError, Need,
    RankProcess, ReleaseError, RemovalError, TransactionError, WriterGuarantee,
};
pub use error::Error;
pub use events::{Event, Notice, Reporter, SilentReporter};
pub use interrupt::Interrupt;
pub use measurements::{Measurements, Recorder};
pub use msm_chart::{Frame, Picture};
pub use ranks::{Ranks, RanksError};
pub use session::{Session, SessionError};
pub use source::{SourceError, allow_reading_without_locks, describe, is_asked_to_describe};
pub use store::{
    Access, Addressing, Burst, Conditional, Connection, Endpoint, KeySource, Keyring, Keys,
    LeftBehind, Limits, Origins, Place, Spot, StoreError, TemporaryKeys,
};
pub use transfer::{TransferError, Verification};
pub use verbs::copy::{self, Copy, CopyError, CopyReport, copy};
pub use verbs::delete::{self, Delete, DeleteReport, delete};
pub use verbs::doctor::{Doctor, DoctorError, DoctorReport, doctor};
pub use verbs::du::{self, Du, StoreUsage, UsageTotal};
pub use verbs::history::{self, CommandRecord, FileSpan, History};
pub use verbs::list::{self, List, StoreInfo, list};
pub use verbs::open::{self, Open, OpenReport, OpenableStore, open};
pub use verbs::page::{self, Page, PageReport, page};
pub use verbs::quicklook::{
    self, DrawnChart, LevelChoice, PictureKind, Quicklook, QuicklookError, QuicklookReport,
    SentMap, SentMaps, StepChoice, quicklook,
};
pub use verbs::rechunk::{self, Rechunk, RechunkError, RechunkReport, rechunk};
pub use verbs::recover::{self, Recover, RecoverReport, recover};
pub use verbs::rollback::{
    self, Rollback, RollbackError, RollbackExtent, RollbackForecast, RollbackReport, rollback,
};
pub use verbs::send::{self, Files, PlanWarning, Send, SendPlan, SendReport, Update, send, update};
pub use verbs::status::{self, Status, StatusReport, status};
pub use verbs::verify::{Comparison, StoreCheckReport, Verify, VerifyError, VerifyReport, verify};
pub use verbs::{
    DomainFile, Edges, GridChoice, Leasing, Longitudes, Reprojection, ReprojectionError, Selection,
    StoresError, TransactionStep, WeightsProblem, WritingError,
};

#[cfg(test)]
#[allow(unreachable_pub)] // what tests share is no API
#[path = "../tests/in_process/mod.rs"]
mod in_process;
