//! What is to be known of a command before it runs: does it write stores, and how is told what comes of it?

use super::args::Command;

impl Command {
    /// Does it write stores?
    pub(super) fn writes(&self) -> bool {
        match self {
            Self::Send(args) => !args.dry_run,
            Self::Update(args) => !args.dry_run,
            Self::Rollback(args) => !args.dry_run,
            Self::Delete(args) => !args.dry_run,
            Self::Copy(args) | Self::Move(args) => !args.dry_run,
            Self::Rechunk(args) => !args.dry_run,
            Self::Recover(args) => !args.dry_run,
            Self::List(_)
            | Self::Open(_)
            | Self::Quicklook(_)
            | Self::Page(_)
            | Self::Du(_)
            | Self::History(_)
            | Self::Status(_)
            | Self::Verify(_)
            | Self::Report(_)
            | Self::Plan(_)
            | Self::Doctor(_) => false,
        }
    }

    /// Is it one of those that write stores, or a plan of that, whether it does this time or only says what it would do?
    pub(super) fn is_of_writers(&self) -> bool {
        match self {
            Self::Send(_)
            | Self::Plan(_)
            | Self::Update(_)
            | Self::Rollback(_)
            | Self::Delete(_)
            | Self::Copy(_)
            | Self::Move(_)
            | Self::Rechunk(_)
            | Self::Recover(_) => true,
            Self::List(_)
            | Self::Open(_)
            | Self::Quicklook(_)
            | Self::Page(_)
            | Self::Du(_)
            | Self::History(_)
            | Self::Status(_)
            | Self::Verify(_)
            | Self::Report(_)
            | Self::Doctor(_) => false,
        }
    }

    /// Is what comes of it one JSON document?
    pub(super) fn is_for_programs(&self) -> bool {
        match self {
            Self::Send(args) => args.files.outcome.told.json,
            Self::Plan(args) => args.send.files.outcome.told.json,
            Self::Update(args) => args.files.outcome.told.json,
            Self::List(args) => args.json,
            Self::Open(args) => args.told.json,
            Self::Quicklook(args) => args.told.json,
            Self::Page(args) => args.told.json,
            Self::Du(args) => args.json,
            Self::History(args) => args.json,
            Self::Status(args) => args.json,
            Self::Delete(args) => args.told.json,
            Self::Copy(args) | Self::Move(args) => args.outcome.told.json,
            Self::Rechunk(args) => args.outcome.told.json,
            Self::Rollback(args) => args.told.json,
            Self::Recover(args) => args.outcome.told.json,
            Self::Verify(args) => args.told.json,
            Self::Report(args) => args.json,
            Self::Doctor(args) => args.told.json,
        }
    }
}
