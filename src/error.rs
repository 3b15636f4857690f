//! What can go wrong, as values, up to whoever asked.
//!
//! Key type: [`Error`]: the rooms' errors and the verbs', several of them together, and where or after what they happened.

use msm_model::{ArchiveError, Problems, are, counted};
use msm_plan::PlanError;
use msm_zarr::ZarrError;
use serde::{Deserialize, Serialize};

use crate::commit::{CleanupError, LeaseError, ManifestError, RemovalError, TransactionError};
use crate::ranks::RanksError;
use crate::session::SessionError;
use crate::source::SourceError;
use crate::store::StoreError;
use crate::transfer::TransferError;
use crate::verbs::copy::CopyError;
use crate::verbs::delete::DeleteError;
use crate::verbs::doctor::DoctorError;
use crate::verbs::quicklook::QuicklookError;
use crate::verbs::rechunk::RechunkError;
use crate::verbs::recover::RecoverError;
use crate::verbs::reprojection::error::ReprojectionError;
use crate::verbs::rollback::RollbackError;
use crate::verbs::send::{SendError, SendReach, ShareError};
use crate::verbs::shared::error::WritingError;
use crate::verbs::stores::error::StoresError;
use crate::verbs::verify::VerifyError;

/// Why a verb failed. It says what happened, where, and what to do; which exit code it ends a program with, the front end says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum Error {
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Zarr(#[from] ZarrError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Transfer(#[from] TransferError),
    #[error("the manifest is not complete: {0}")]
    Manifest(#[from] ManifestError),
    #[error(transparent)]
    Lease(#[from] LeaseError),
    #[error(transparent)]
    Removal(#[from] RemovalError),
    #[error(transparent)]
    Ranks(#[from] RanksError),
    #[error(transparent)]
    Session(#[from] SessionError),
    #[error("listening to signal {signal}: {cause}")]
    Signal { signal: i32, cause: String },
    #[error("stopped while the files were read; nothing was written")]
    StoppedReading,
    #[error(transparent)]
    Stores(#[from] StoresError),
    #[error(transparent)]
    Writing(#[from] WritingError),
    #[error(transparent)]
    Reprojection(#[from] ReprojectionError),
    #[error(transparent)]
    Send(#[from] SendError),
    #[error(transparent)]
    Share(#[from] ShareError),
    #[error(transparent)]
    Copy(#[from] CopyError),
    #[error(transparent)]
    Rechunk(#[from] RechunkError),
    #[error(transparent)]
    Delete(#[from] DeleteError),
    #[error(transparent)]
    Recover(#[from] RecoverError),
    #[error(transparent)]
    Rollback(#[from] RollbackError),
    #[error(transparent)]
    Verify(#[from] VerifyError),
    #[error(transparent)]
    Doctor(#[from] DoctorError),
    #[error(transparent)]
    Quicklook(#[from] QuicklookError),
    /// Two or more.
    #[error(transparent)]
    Several(Box<Problems<Self>>),
    #[error("rank {rank}: {cause}")]
    OnRank { rank: usize, cause: Box<Self> },
    #[error("{cause}; rolled back, nothing has changed")]
    RolledBack { cause: Box<Self> },
    #[error("{cause}; putting everything back failed as well; recover goes on with it:\n  {left}")]
    NotRolledBack {
        cause: Box<Self>,
        left: CleanupError,
    },
    #[error(
        "{cause}; {} in place ({} appended, {replaced} replaced): the same command again goes on",
        before(*transactions),
        counted(appended, "steps")
    )]
    SendCutShort {
        cause: Box<Self>,
        transactions: u64,
        appended: u64,
        replaced: u64,
        reach: Option<SendReach>,
    },
    #[error(
        "{cause}; {left} of {} {} left, the same delete again finishes it",
        counted(all, "objects"),
        are(left)
    )]
    DeleteCutShort {
        cause: Box<Self>,
        left: u64,
        all: u64,
    },
}

/// `2 transactions before this one are`
fn before(transactions: u64) -> String {
    match transactions {
        1 => "1 transaction before this one is".to_owned(),
        _ => format!("{transactions} transactions before this one are"),
    }
}

impl Error {
    /// All of `problems` as one.
    ///
    /// # Errors
    /// If there is any.
    pub fn together(problems: impl IntoIterator<Item: Into<Self>>) -> Result<(), Self> {
        Ok(Problems::<Self>::together(problems)?)
    }
}

impl<E> From<Problems<E>> for Error
where
    Self: From<E>,
{
    fn from(problems: Problems<E>) -> Self {
        match problems.alone() {
            Ok(alone) => alone.into(),
            Err(several) => Self::Several(Box::new(several.map())),
        }
    }
}

impl From<TransactionError> for Error {
    fn from(error: TransactionError) -> Self {
        match error {
            TransactionError::Lease(error) => error.into(),
            TransactionError::Store(error) => error.into(),
        }
    }
}
