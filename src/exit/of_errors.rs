//! The one place that says which error ends the program with which exit code.

use msm_model::{ArchiveError, Problems, TimeError};
use msm_plan::PlanError;
use msm_zarr::ZarrError;

use super::{Exit, Failure};
use crate::commit::{LeaseError, ManifestError, RemovalError, TransactionError};
use crate::source::SourceError;
use crate::store::StoreError;
use crate::transfer::TransferError;

/// With the first one's exit code.
impl<E: std::fmt::Display> From<Problems<E>> for Failure
where
    Self: From<E>,
{
    fn from(problems: Problems<E>) -> Self {
        let message = problems.to_string();
        Self::new(Self::from(problems.into_first()).exit, message)
    }
}

impl From<TimeError> for Failure {
    fn from(error: TimeError) -> Self {
        Self::new(exit_of(&error), error.to_string())
    }
}

fn exit_of(error: &TimeError) -> Exit {
    match error {
        TimeError::Variable { cause, .. } => exit_of(cause),
        TimeError::Bytes { .. } | TimeError::Stored => Exit::Internal,
        TimeError::UnknownCalendar { .. }
        | TimeError::CalendarIsNoText { .. }
        | TimeError::Units { .. }
        | TimeError::Instant { .. }
        | TimeError::OutOfRange { .. }
        | TimeError::NotFinite { .. }
        | TimeError::TooFine { .. } => Exit::UnsupportedVariable,
        TimeError::Calendars { .. }
        | TimeError::BeforeReform { .. }
        | TimeError::Inexact { .. }
        | TimeError::DoesNotFit { .. }
        | TimeError::BecomesFill { .. }
        | TimeError::Fill { .. } => Exit::AttributeConflict,
    }
}

impl From<ArchiveError> for Failure {
    fn from(error: ArchiveError) -> Self {
        let exit = match &error {
            ArchiveError::NoAppendDimension { .. }
            | ArchiveError::NoAppendCoordinate { .. }
            | ArchiveError::NoSteps { .. } => Exit::NoAppendDimension,
            ArchiveError::UnknownVariable { .. } | ArchiveError::NoData { .. } => {
                Exit::UnknownVariable
            }
            ArchiveError::Unsupported { .. } => Exit::UnsupportedVariable,
            ArchiveError::Piece { .. }
            | ArchiveError::StepsNotIncreasing { .. }
            | ArchiveError::Mismatch { .. }
            | ArchiveError::Overlap { .. }
            | ArchiveError::Repeated { .. }
            | ArchiveError::NoTime { .. }
            | ArchiveError::OneStep { .. }
            | ArchiveError::Gap { .. }
            | ArchiveError::Units(_) => Exit::ArchiveMismatch,
            ArchiveError::Masked { .. } => Exit::AttributeConflict,
        };
        Self::new(exit, error.to_string())
    }
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        let exit = match &error {
            SourceError::Archive(cause) => return cause.clone().into(),
            SourceError::Missing { .. } => Exit::SourceMissing,
            SourceError::NoFiles { .. } => Exit::NoSourceFiles,
            SourceError::Unwritable { .. } => Exit::NotReprojected,
            SourceError::Broken { .. }
            | SourceError::Truncated { .. }
            | SourceError::Read { .. } => Exit::SourceBroken,
            SourceError::Groups { .. } => Exit::UnsupportedVariable,
        };
        Self::new(exit, error.to_string())
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        let exit = match &error {
            PlanError::Archive(cause) => return cause.clone().into(),
            PlanError::MalformedStrategy { .. }
            | PlanError::UnknownStrategyDimension { .. }
            | PlanError::Chunks { .. }
            | PlanError::Shards { .. }
            | PlanError::Codec { .. }
            | PlanError::NoShards { .. }
            | PlanError::UnevenShards { .. } => Exit::ChunkStrategy,
            PlanError::Name { .. } | PlanError::Unmasked { .. } => Exit::UnsupportedVariable,
            PlanError::Version { .. } => Exit::VersionConflict,
            PlanError::NoPrefix { .. } | PlanError::Prefixes { .. } => Exit::NoPrefix,
            PlanError::Memory { .. }
            | PlanError::WeightsMemory { .. }
            | PlanError::Objects { .. } => Exit::Memory,
            PlanError::Dimensions { .. } | PlanError::DimensionSize { .. } => {
                Exit::DimensionConflict
            }
            PlanError::Type { .. } => Exit::TypeConflict,
            PlanError::Attribute { .. } | PlanError::Axis { .. } | PlanError::Time { .. } => {
                Exit::AttributeConflict
            }
            PlanError::Replaced { .. } => Exit::GridConflict,
            PlanError::Ragged { .. } | PlanError::Lacking { .. } => Exit::ForeignStore,
            PlanError::ContentsMissing { .. }
            | PlanError::ContentsLeftOut { .. }
            | PlanError::Aligned { .. }
            | PlanError::Padding { .. }
            | PlanError::CoordinatesMissing { .. }
            | PlanError::ContentsNew { .. }
            | PlanError::NotHeld { .. } => Exit::ContentsConflict,
            PlanError::StepsStored { .. }
            | PlanError::StepsMissing { .. }
            | PlanError::Gap { .. }
            | PlanError::BeforeEnd { .. } => Exit::TimeConflict,
        };
        Self::new(exit, error.to_string())
    }
}

impl From<ZarrError> for Failure {
    fn from(error: ZarrError) -> Self {
        let exit = match &error {
            ZarrError::Codec { .. } => Exit::Usage,
            ZarrError::Foreign { .. } | ZarrError::Damaged { .. } => Exit::ForeignStore,
            ZarrError::Coding { .. } => Exit::Internal,
        };
        Self::new(exit, error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let exit = match &error {
            StoreError::Zarr(cause) => return cause.clone().into(),
            StoreError::Place { .. } | StoreError::Addressing { .. } => Exit::Usage,
            StoreError::Credentials { .. }
            | StoreError::NoCredentials
            | StoreError::CaBundle { .. } => Exit::Credentials,
            StoreError::NoBucket { .. } => Exit::NoBucket,
            StoreError::Denied { .. } | StoreError::Probe { .. } => Exit::AccessDenied,
            StoreError::Unreachable { .. } | StoreError::Untrusted { .. } => Exit::Unreachable,
            StoreError::Failed { .. } | StoreError::Missing { .. } => Exit::StoreFailed,
            StoreError::Repository { .. } | StoreError::Journal { .. } => Exit::ForeignStore,
            StoreError::Overtaken { .. } => Exit::TransferFailed,
            StoreError::Fenced { .. } => Exit::LeaseLost,
        };
        Self::new(exit, error.to_string())
    }
}

impl From<TransferError> for Failure {
    fn from(error: TransferError) -> Self {
        let message = error.to_string();
        let exit = match error {
            TransferError::Verify { .. } => Exit::VerifyFailed,
            TransferError::Differs { .. } => Exit::CoordinateConflict,
            TransferError::Store {
                cause: StoreError::Fenced { .. },
                ..
            } => Exit::LeaseLost,
            TransferError::Source { cause, .. } => Self::from(cause).exit,
            _ => Exit::TransferFailed,
        };
        Self::new(exit, message)
    }
}

impl From<ManifestError> for Failure {
    fn from(error: ManifestError) -> Self {
        Self::new(
            Exit::TransferFailed,
            format!("the manifest is not complete: {error}"),
        )
    }
}

impl From<LeaseError> for Failure {
    fn from(error: LeaseError) -> Self {
        let exit = match &error {
            LeaseError::Nameless { .. } | LeaseError::Thread { .. } => Exit::Internal,
            LeaseError::LockDir { .. } => Exit::Usage,
            LeaseError::Busy { .. } => Exit::Busy,
            LeaseError::Lost { .. } => Exit::LeaseLost,
            LeaseError::Store(error) => return error.clone().into(),
        };
        Self::new(exit, error.to_string())
    }
}

impl From<RemovalError> for Failure {
    fn from(error: RemovalError) -> Self {
        let exit = match &error {
            RemovalError::NoStore { .. } | RemovalError::NoArray { .. } => Exit::NoStore,
            RemovalError::Link { .. } | RemovalError::Foreign { .. } => Exit::ForeignObjects,
            RemovalError::Main { .. } | RemovalError::Last { .. } | RemovalError::Needed { .. } => {
                Exit::ArrayNeeded
            }
            RemovalError::Store(error) => return error.clone().into(),
        };
        Self::new(exit, error.to_string())
    }
}

impl From<TransactionError> for Failure {
    fn from(error: TransactionError) -> Self {
        match error {
            TransactionError::Lease(error) => error.into(),
            TransactionError::Store(error) => error.into(),
        }
    }
}
