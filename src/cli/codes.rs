//! The one place that says which error ends the program with which exit code.

use msm_model::{ArchiveError, TimeError};
use msm_plan::PlanError;
use msm_zarr::ZarrError;

use crate::commit::{LeaseError, RemovalError};
use crate::error::Error;
use crate::exit::Exit;
use crate::source::SourceError;
use crate::store::StoreError;
use crate::transfer::TransferError;

impl From<&Error> for Exit {
    fn from(error: &Error) -> Self {
        match error {
            Error::Told { exit, .. } => *exit,
            Error::Archive(cause) => cause.into(),
            Error::Time(cause) => cause.into(),
            Error::Source(cause) => cause.into(),
            Error::Plan(cause) => cause.into(),
            Error::Zarr(cause) => cause.into(),
            Error::Store(cause) => cause.into(),
            Error::Transfer(cause) => cause.into(),
            Error::Manifest(_) => Self::TransferFailed,
            Error::Lease(cause) => cause.into(),
            Error::Removal(cause) => cause.into(),
            Error::Several(all) => all.first().into(),
            Error::OnRank { cause, .. }
            | Error::SendCutShort { cause, .. }
            | Error::DeleteCutShort { cause, .. } => Self::from(&**cause),
            Error::RolledBack { cause } => match Self::from(&**cause) {
                // It was not heard in time that it holds.
                Self::LeaseLost => Self::TransferFailed,
                exit => exit,
            },
            Error::NotRolledBack { .. } => Self::RollbackIncomplete,
        }
    }
}

impl From<&TimeError> for Exit {
    fn from(error: &TimeError) -> Self {
        match error {
            TimeError::Variable { cause, .. } => Self::from(&**cause),
            TimeError::Bytes { .. } | TimeError::Stored => Self::Internal,
            TimeError::UnknownCalendar { .. }
            | TimeError::CalendarIsNoText { .. }
            | TimeError::Units { .. }
            | TimeError::Instant { .. }
            | TimeError::OutOfRange { .. }
            | TimeError::NotFinite { .. }
            | TimeError::TooFine { .. } => Self::UnsupportedVariable,
            TimeError::Calendars { .. }
            | TimeError::BeforeReform { .. }
            | TimeError::Inexact { .. }
            | TimeError::DoesNotFit { .. }
            | TimeError::BecomesFill { .. }
            | TimeError::Fill { .. } => Self::AttributeConflict,
        }
    }
}

impl From<&ArchiveError> for Exit {
    fn from(error: &ArchiveError) -> Self {
        match error {
            ArchiveError::NoAppendDimension { .. }
            | ArchiveError::NoAppendCoordinate { .. }
            | ArchiveError::NoSteps { .. } => Self::NoAppendDimension,
            ArchiveError::UnknownVariable { .. } | ArchiveError::NoData { .. } => {
                Self::UnknownVariable
            }
            ArchiveError::Unsupported { .. } => Self::UnsupportedVariable,
            ArchiveError::Piece { .. }
            | ArchiveError::StepsNotIncreasing { .. }
            | ArchiveError::Mismatch { .. }
            | ArchiveError::Overlap { .. }
            | ArchiveError::Repeated { .. }
            | ArchiveError::NoTime { .. }
            | ArchiveError::OneStep { .. }
            | ArchiveError::Gap { .. }
            | ArchiveError::Units(_) => Self::ArchiveMismatch,
            ArchiveError::Masked { .. } => Self::AttributeConflict,
        }
    }
}

impl From<&SourceError> for Exit {
    fn from(error: &SourceError) -> Self {
        match error {
            SourceError::Archive(cause) => cause.into(),
            SourceError::Missing { .. } => Self::SourceMissing,
            SourceError::NoFiles { .. } => Self::NoSourceFiles,
            SourceError::Unwritable { .. } => Self::NotReprojected,
            SourceError::Broken { .. }
            | SourceError::Truncated { .. }
            | SourceError::Read { .. } => Self::SourceBroken,
            SourceError::Groups { .. } => Self::UnsupportedVariable,
        }
    }
}

impl From<&PlanError> for Exit {
    fn from(error: &PlanError) -> Self {
        match error {
            PlanError::Archive(cause) => cause.into(),
            PlanError::MalformedStrategy { .. }
            | PlanError::UnknownStrategyDimension { .. }
            | PlanError::Chunks { .. }
            | PlanError::Shards { .. }
            | PlanError::Codec { .. }
            | PlanError::NoShards { .. }
            | PlanError::UnevenShards { .. } => Self::ChunkStrategy,
            PlanError::Name { .. } | PlanError::Unmasked { .. } => Self::UnsupportedVariable,
            PlanError::Version { .. } => Self::VersionConflict,
            PlanError::NoPrefix { .. } | PlanError::Prefixes { .. } => Self::NoPrefix,
            PlanError::Memory { .. }
            | PlanError::WeightsMemory { .. }
            | PlanError::Objects { .. } => Self::Memory,
            PlanError::Dimensions { .. } | PlanError::DimensionSize { .. } => {
                Self::DimensionConflict
            }
            PlanError::Type { .. } => Self::TypeConflict,
            PlanError::Attribute { .. } | PlanError::Axis { .. } | PlanError::Time { .. } => {
                Self::AttributeConflict
            }
            PlanError::Replaced { .. } => Self::GridConflict,
            PlanError::Ragged { .. } | PlanError::Lacking { .. } => Self::ForeignStore,
            PlanError::ContentsMissing { .. }
            | PlanError::ContentsLeftOut { .. }
            | PlanError::Aligned { .. }
            | PlanError::Padding { .. }
            | PlanError::CoordinatesMissing { .. }
            | PlanError::ContentsNew { .. }
            | PlanError::NotHeld { .. } => Self::ContentsConflict,
            PlanError::StepsStored { .. }
            | PlanError::StepsMissing { .. }
            | PlanError::Gap { .. }
            | PlanError::BeforeEnd { .. } => Self::TimeConflict,
        }
    }
}

impl From<&ZarrError> for Exit {
    fn from(error: &ZarrError) -> Self {
        match error {
            ZarrError::Codec { .. } => Self::Usage,
            ZarrError::Foreign { .. } | ZarrError::Damaged { .. } => Self::ForeignStore,
            ZarrError::Coding { .. } => Self::Internal,
        }
    }
}

impl From<&StoreError> for Exit {
    fn from(error: &StoreError) -> Self {
        match error {
            StoreError::Zarr(cause) => cause.into(),
            StoreError::Place { .. } | StoreError::Addressing { .. } => Self::Usage,
            StoreError::Credentials { .. }
            | StoreError::NoCredentials
            | StoreError::CaBundle { .. } => Self::Credentials,
            StoreError::NoBucket { .. } => Self::NoBucket,
            StoreError::Denied { .. } | StoreError::Probe { .. } => Self::AccessDenied,
            StoreError::Unreachable { .. } | StoreError::Untrusted { .. } => Self::Unreachable,
            StoreError::Failed { .. } | StoreError::Missing { .. } => Self::StoreFailed,
            StoreError::Repository { .. } | StoreError::Journal { .. } => Self::ForeignStore,
            StoreError::Overtaken { .. } => Self::TransferFailed,
            StoreError::Fenced { .. } => Self::LeaseLost,
        }
    }
}

impl From<&TransferError> for Exit {
    fn from(error: &TransferError) -> Self {
        match error {
            TransferError::Verify { .. } => Self::VerifyFailed,
            TransferError::Differs { .. } => Self::CoordinateConflict,
            TransferError::Source { cause, .. } => cause.into(),
            TransferError::Store {
                cause: StoreError::Fenced { .. },
                ..
            } => Self::LeaseLost,
            TransferError::Store { .. } | TransferError::Stopped => Self::TransferFailed,
        }
    }
}

impl From<&LeaseError> for Exit {
    fn from(error: &LeaseError) -> Self {
        match error {
            LeaseError::Nameless { .. } | LeaseError::Thread { .. } => Self::Internal,
            LeaseError::LockDir { .. } => Self::Usage,
            LeaseError::Busy { .. } => Self::Busy,
            LeaseError::Lost { .. } => Self::LeaseLost,
            LeaseError::Store(error) => error.into(),
        }
    }
}

impl From<&RemovalError> for Exit {
    fn from(error: &RemovalError) -> Self {
        match error {
            RemovalError::NoStore { .. } | RemovalError::NoArray { .. } => Self::NoStore,
            RemovalError::Link { .. } | RemovalError::Foreign { .. } => Self::ForeignObjects,
            RemovalError::Main { .. } | RemovalError::Last { .. } | RemovalError::Needed { .. } => {
                Self::ArrayNeeded
            }
            RemovalError::Store(error) => error.into(),
        }
    }
}
