//! The one place that says which error ends the program with which exit code.

use msm_model::{ArchiveError, TimeError};
use msm_plan::PlanError;
use msm_zarr::ZarrError;

use super::error::CliError;
use crate::cli::Exit;
use crate::commit::{LeaseError, RemovalError, TransactionError};
use crate::error::Error;
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
use crate::verbs::send::{SendError, ShareError};
use crate::verbs::shared::error::WritingError;
use crate::verbs::stores::error::StoresError;
use crate::verbs::verify::VerifyError;

impl From<&CliError> for Exit {
    fn from(error: &CliError) -> Self {
        match error {
            CliError::Line(_)
            | CliError::Coordinates { .. }
            | CliError::Attributes { .. }
            | CliError::Switch { .. }
            | CliError::ConfigFile { .. }
            | CliError::Config { .. }
            | CliError::NoPage { .. }
            | CliError::Shards { .. }
            | CliError::Key { .. }
            | CliError::Task { .. }
            | CliError::NoArray { .. }
            | CliError::UnevenArray { .. }
            | CliError::ReportPlace { .. }
            | CliError::CataloguePlace { .. }
            | CliError::PagePlace { .. }
            | CliError::ReportFiles(_)
            | CliError::NoTerminal => Self::Usage,
            CliError::RecipeFile { .. } | CliError::Recipe { .. } => Self::Recipe,
            CliError::Asking { .. }
            | CliError::Printing { .. }
            | CliError::DocumentLost { .. }
            | CliError::Page { .. }
            | CliError::Drawing { .. }
            | CliError::ReportLost { .. } => Self::Internal,
            CliError::Catalogue { .. } => Self::FileNotWritten,
            CliError::NothingToOpen { .. } | CliError::NoneHolds { .. } => Self::NoStore,
            CliError::Denied { .. } => Self::AccessDenied,
            CliError::Unreadable { .. } => Self::ForeignStore,
            CliError::Faults { .. } => Self::FaultsFound,
            CliError::Hurried => Self::Interrupted,
            CliError::NothingToDo => Self::NothingToDo,
            CliError::ForPrograms(cause) => Self::from(&**cause),
            CliError::Library(cause) => cause.into(),
        }
    }
}

impl From<&Error> for Exit {
    fn from(error: &Error) -> Self {
        match error {
            Error::Archive(cause) => cause.into(),
            Error::Source(cause) => cause.into(),
            Error::Plan(cause) => cause.into(),
            Error::Zarr(cause) => cause.into(),
            Error::Store(cause) => cause.into(),
            Error::Transfer(cause) => cause.into(),
            Error::Manifest(_) => Self::TransferFailed,
            Error::Lease(cause) => cause.into(),
            Error::Removal(cause) => cause.into(),
            Error::Ranks(cause) => cause.into(),
            Error::Session(cause) => cause.into(),
            Error::Signal { .. } => Self::Internal,
            Error::StoppedReading => Self::Interrupted,
            Error::Stores(cause) => cause.into(),
            Error::Writing(cause) => cause.into(),
            Error::Reprojection(cause) => cause.into(),
            Error::Send(cause) => cause.into(),
            Error::Share(cause) => cause.into(),
            Error::Copy(cause) => cause.into(),
            Error::Rechunk(cause) => cause.into(),
            Error::Delete(cause) => cause.into(),
            Error::Recover(cause) => cause.into(),
            Error::Rollback(cause) => cause.into(),
            Error::Verify(cause) => cause.into(),
            Error::Doctor(cause) => cause.into(),
            Error::Quicklook(cause) => cause.into(),
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
            | ArchiveError::OtherTime { .. }
            | ArchiveError::Gap { .. }
            | ArchiveError::Units(_) => Self::ArchiveMismatch,
            ArchiveError::Masked { .. } => Self::AttributeConflict,
            ArchiveError::Recipe { .. } | ArchiveError::Unconvertible { .. } => Self::Recipe,
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
            | PlanError::OtherAppendDimension { .. }
            | PlanError::Chunks { .. }
            | PlanError::Shards { .. }
            | PlanError::Codec { .. }
            | PlanError::NoShards { .. }
            | PlanError::KeptShards { .. }
            | PlanError::LargeObjects { .. }
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
            PlanError::Recipe { .. }
            | PlanError::UnitsOfFiles { .. }
            | PlanError::NoRecipe { .. }
            | PlanError::MadeWithoutRecipe { .. }
            | PlanError::CalledOtherwise { .. }
            | PlanError::RecipeCodec { .. } => Self::Recipe,
            PlanError::Replaced { .. } => Self::GridConflict,
            PlanError::Ragged { .. } | PlanError::Lacking { .. } | PlanError::Unfit { .. } => {
                Self::ForeignStore
            }
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
            | PlanError::Times { .. }
            | PlanError::OtherTimes { .. }
            | PlanError::BeforeEnd { .. }
            | PlanError::NotMovable { .. } => Self::TimeConflict,
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
            StoreError::Place { .. }
            | StoreError::Addressing { .. }
            | StoreError::Unproven { .. } => Self::Usage,
            StoreError::Credentials { .. }
            | StoreError::NoCredentials
            | StoreError::CaBundle { .. } => Self::Credentials,
            StoreError::NoBucket { .. } => Self::NoBucket,
            StoreError::Denied { .. } | StoreError::Probe { .. } => Self::AccessDenied,
            StoreError::Unreachable { .. } | StoreError::Untrusted { .. } => Self::Unreachable,
            StoreError::Failed { .. } | StoreError::Missing { .. } => Self::StoreFailed,
            StoreError::Repository { .. }
            | StoreError::Journal { .. }
            | StoreError::Share { .. } => Self::ForeignStore,
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
            TransferError::Store { cause, .. } => under_way(cause),
            TransferError::Stopped => Self::TransferFailed,
        }
    }
}

/// After what a server said when objects were on their way: the lease or the keys may have ended meanwhile.
fn under_way(cause: &StoreError) -> Exit {
    match Exit::from(cause) {
        ended @ (Exit::LeaseLost | Exit::Credentials) => ended,
        _ => Exit::TransferFailed,
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

impl From<&RanksError> for Exit {
    fn from(error: &RanksError) -> Self {
        match error {
            RanksError::StartedTwice
            | RanksError::Singleton { .. }
            | RanksError::ThreadPanicked
            | RanksError::Decoding { .. } => Self::Launcher,
            RanksError::Thread { .. } | RanksError::Encoding { .. } => Self::Internal,
            RanksError::Panicked => Self::Panic,
            RanksError::Silent { .. } | RanksError::LauncherStays { .. } => Self::LeaseLost,
        }
    }
}

impl From<&SessionError> for Exit {
    fn from(error: &SessionError) -> Self {
        match error {
            SessionError::Starting { .. } => Self::Internal,
            SessionError::Servers { .. } => Self::Credentials,
        }
    }
}

impl From<&StoresError> for Exit {
    fn from(error: &StoresError) -> Self {
        match error {
            StoresError::NoPrefix
            | StoresError::PrefixOfStore { .. }
            | StoresError::Within { .. } => Self::Usage,
            StoresError::Array { .. } | StoresError::Bucket { .. } => Self::ForeignStore,
            StoresError::BeingReplaced(_) => Self::Taken,
            StoresError::Which { .. } | StoresError::InTwo { .. } => Self::WhichStore,
            StoresError::Hierarchy { .. } | StoresError::NotAllHeld { .. } => {
                Self::ContentsConflict
            }
            StoresError::NotInGroup { .. }
            | StoresError::NotInStore { .. }
            | StoresError::NoStore { .. }
            | StoresError::None { .. }
            | StoresError::NothingHeld { .. }
            | StoresError::NoneToUpdate { .. } => Self::NoStore,
        }
    }
}

impl From<&WritingError> for Exit {
    fn from(error: &WritingError) -> Self {
        match error {
            WritingError::Locked { .. }
            | WritingError::Unended { .. }
            | WritingError::Held { .. } => Self::Busy,
            WritingError::Shared { .. } => Self::Shared,
            // Whoever has the lease now heals it.
            WritingError::NotHealed { cause, .. } if cause.is_fenced() => Self::LeaseLost,
            WritingError::NotHealed { .. } => Self::RollbackIncomplete,
            WritingError::Transaction {
                cause: TransactionError::Store(cause),
                ..
            } => under_way(cause),
            WritingError::Transaction { .. } => Self::TransferFailed,
            WritingError::NotAllGone(_) => Self::DeleteIncomplete,
        }
    }
}

impl From<&ReprojectionError> for Exit {
    fn from(error: &ReprojectionError) -> Self {
        match error {
            ReprojectionError::UnusedFile
            | ReprojectionError::UnusedWeights
            | ReprojectionError::SeveralGrids { .. }
            | ReprojectionError::TargetCells { .. }
            | ReprojectionError::Resolution { .. } => Self::Usage,
            ReprojectionError::LeftBehind { .. }
            | ReprojectionError::TwoGrids { .. }
            | ReprojectionError::Unexplained { .. }
            | ReprojectionError::OtherSource { .. }
            | ReprojectionError::GridOfStore { .. }
            | ReprojectionError::MethodOfArray { .. }
            | ReprojectionError::GridOfArray { .. } => Self::GridConflict,
            ReprojectionError::Source { .. }
            | ReprojectionError::NoCorners { .. }
            | ReprojectionError::CornerSizes { .. }
            | ReprojectionError::Nothing { .. }
            | ReprojectionError::NoLongerTwoDimensional { .. }
            | ReprojectionError::SourceCells { .. }
            | ReprojectionError::Type { .. }
            | ReprojectionError::NameTaken { .. }
            | ReprojectionError::Packed { .. }
            | ReprojectionError::NoCell
            | ReprojectionError::WeightsPath { .. }
            | ReprojectionError::WeightsFile { .. }
            | ReprojectionError::WeightsFolder { .. }
            | ReprojectionError::WeightsCells { .. }
            | ReprojectionError::WeightsNotWritten(_) => Self::NotReprojected,
        }
    }
}

impl From<&SendError> for Exit {
    fn from(error: &SendError) -> Self {
        match error {
            SendError::File { .. } => Self::SourceMissing,
            SendError::Encoding { .. } => Self::Internal,
            SendError::Foreign { .. } => Self::ForeignStore,
            SendError::Consolidating { .. } => Self::StoreFailed,
            SendError::Untidy { .. } => Self::TransferFailed,
            SendError::Ledger(cause) => under_way(cause),
            SendError::Stopped | SendError::LeftOpen => Self::Interrupted,
        }
    }
}

impl From<&ShareError> for Exit {
    fn from(error: &ShareError) -> Self {
        match error {
            ShareError::NewFile { .. }
            | ShareError::GoneFile { .. }
            | ShareError::ChangedFile { .. }
            | ShareError::Settings { .. }
            | ShareError::Stores { .. }
            | ShareError::Unshareable { .. } => Self::ShareConflict,
            ShareError::Abandoned | ShareError::Ending | ShareError::Shorter { .. } => Self::Shared,
            ShareError::Unsound { .. } => Self::VerifyFailed,
            ShareError::Stopped { .. } | ShareError::StoppedBetween => Self::Interrupted,
            ShareError::Part { cause, .. } | ShareError::Unfinished { cause, .. } => {
                Self::from(&**cause)
            }
        }
    }
}

impl From<&RechunkError> for Exit {
    fn from(error: &RechunkError) -> Self {
        match error {
            RechunkError::Taken { .. } => Self::Taken,
            RechunkError::Hierarchy { .. } => Self::ForeignStore,
            RechunkError::Changed { .. } => Self::TransferFailed,
            RechunkError::Untold { .. } => Self::ForeignObjects,
            RechunkError::Stopped { .. } => Self::Interrupted,
            RechunkError::NotSwitched { cause, .. } => Self::from(&**cause),
            RechunkError::NotAllGone(_) => Self::DeleteIncomplete,
        }
    }
}

impl From<&CopyError> for Exit {
    fn from(error: &CopyError) -> Self {
        match error {
            CopyError::SamePlace { .. }
            | CopyError::Within { .. }
            | CopyError::Below { .. }
            | CopyError::Nested { .. }
            | CopyError::Group { .. } => Self::Usage,
            CopyError::InCompact { .. } => Self::NoStore,
            CopyError::Taken { .. } => Self::Taken,
            CopyError::Foreign { .. } | CopyError::Link { .. } => Self::ForeignObjects,
            CopyError::NoRoot { .. } => Self::ForeignStore,
            CopyError::Changed { .. } => Self::TransferFailed,
            CopyError::Unlike { .. } => Self::VerifyFailed,
            CopyError::Stopped => Self::Interrupted,
            CopyError::NotEnded(_) => Self::RollbackIncomplete,
            CopyError::NotAllGone(_)
            | CopyError::ChangedSince { .. }
            | CopyError::StillThere { .. } => Self::DeleteIncomplete,
        }
    }
}

impl From<&DeleteError> for Exit {
    fn from(error: &DeleteError) -> Self {
        match error {
            DeleteError::Name { .. }
            | DeleteError::OfAllVariables { .. }
            | DeleteError::GroupOfAllVariables { .. }
            | DeleteError::ArrayOfGroup { .. }
            | DeleteError::StepsOfGroup { .. }
            | DeleteError::Time { .. } => Self::Usage,
            DeleteError::NoTimes { .. } => Self::NoAppendDimension,
            DeleteError::NotTimed { .. }
            | DeleteError::NoSteps { .. }
            | DeleteError::AllSteps { .. } => Self::TimeConflict,
            DeleteError::Repository { .. }
            | DeleteError::Link { .. }
            | DeleteError::GroupLink { .. }
            | DeleteError::Foreign { .. }
            | DeleteError::ForeignInGroup { .. } => Self::ForeignObjects,
            DeleteError::InCompact { .. }
            | DeleteError::Nothing { .. }
            | DeleteError::NoStores { .. }
            | DeleteError::NoStore { .. } => Self::NoStore,
            DeleteError::Incomplete(_)
            | DeleteError::GroupIncomplete(_)
            | DeleteError::StillListed => Self::DeleteIncomplete,
        }
    }
}

impl From<&RecoverError> for Exit {
    fn from(error: &RecoverError) -> Self {
        match error {
            RecoverError::Held { .. } => Self::StillHeld,
            RecoverError::Orphans { .. } => Self::DeleteIncomplete,
        }
    }
}

impl From<&RollbackError> for Exit {
    fn from(error: &RollbackError) -> Self {
        match error {
            RollbackError::NoTransaction { .. }
            | RollbackError::FewerCommands { .. }
            | RollbackError::NoCommand { .. }
            | RollbackError::NoOrder { .. }
            | RollbackError::NotKept { .. }
            | RollbackError::BesideGroup { .. }
            | RollbackError::Changed { .. }
            | RollbackError::Damaged { .. } => Self::NothingToUndo,
            RollbackError::NotUndone { .. } => Self::RollbackIncomplete,
        }
    }
}

impl From<&VerifyError> for Exit {
    fn from(error: &VerifyError) -> Self {
        match error {
            VerifyError::StepsMissing { .. } => Self::TimeConflict,
            VerifyError::Reading(cause) => match Self::from(cause) {
                Self::TransferFailed => Self::StoreFailed,
                exit => exit,
            },
        }
    }
}

impl From<&DoctorError> for Exit {
    fn from(error: &DoctorError) -> Self {
        match error {
            DoctorError::Lacking { first, .. } => first.into(),
            DoctorError::Stopped => Self::Interrupted,
            DoctorError::LeftBehind(_) => Self::StoreFailed,
        }
    }
}

impl From<&QuicklookError> for Exit {
    fn from(error: &QuicklookError) -> Self {
        match error {
            QuicklookError::Variable { .. } | QuicklookError::Nothing { .. } => {
                Self::UnsupportedVariable
            }
            QuicklookError::Grid { .. } => Self::NotReprojected,
            QuicklookError::Unreadable { .. } => Self::ForeignStore,
            QuicklookError::Unfinished { .. } => Self::Busy,
            QuicklookError::NoStep { .. }
            | QuicklookError::NoDate { .. }
            | QuicklookError::NoLevel { .. }
            | QuicklookError::Unused { .. }
            | QuicklookError::TooMany { .. }
            | QuicklookError::Outside { .. } => Self::Usage,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;
    use crate::ranks::threads;

    #[test]
    fn an_error_is_told_and_coded_alike_on_every_rank() {
        let path = std::ffi::OsString::from_vec(b"\xff.nc".to_vec()).into();
        let missing = SendError::File {
            path,
            cause: "gone".to_owned(),
        };
        let lost = LeaseError::Lost {
            store: "tos.zarr".to_owned(),
            cause: "late".to_owned(),
        };
        let rolled_back = Error::RolledBack {
            cause: Box::new(lost.into()),
        };
        assert_eq!(Exit::from(&rolled_back), Exit::TransferFailed);
        let several = Error::together([missing.into(), rolled_back]).unwrap_err();
        let told = threads(2, |ranks| {
            let mine = if ranks.rank() == 1 {
                Err(ranks.here(several.clone()))
            } else {
                Ok(())
            };
            ranks.settle(mine).unwrap_err()
        });
        for error in told {
            assert_eq!(Exit::from(&error), Exit::SourceMissing);
            let said = "rank 1: 2 problems:\n  \u{fffd}.nc: gone\n  the lease of store 'tos.zarr' was lost (late)";
            assert!(error.to_string().starts_with(said), "{error}");
        }
    }
}
