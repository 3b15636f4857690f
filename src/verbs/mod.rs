//! The verbs, a folder or a file each; each tells its story by calling the other rooms.

mod delete;
mod doctor;
mod files;
mod list;
mod recover;
mod reprojection;
mod rollback;
mod send;
mod shared;
mod stores;
mod verify;

#[cfg(test)]
#[cfg(feature = "netcdf-library")]
mod damaged;
#[cfg(test)]
mod mutants;
#[cfg(test)]
mod outlived;
#[cfg(test)]
mod tampered;

use crate::cli::{Command, Parsed};
use crate::exit::{Exit, Failure};
use crate::ranks::Ranks;

pub use self::shared::interrupt::Interrupt;

/// Runs what the command line asks for; rank 0 says how it went. Every rank returns the same.
#[must_use]
pub fn run(parsed: Parsed, ranks: &Ranks, interrupt: &Interrupt) -> Exit {
    let done = match parsed {
        Parsed::Answer(text) => {
            if ranks.rank() == 0 {
                print!("{text}");
            }
            Ok(())
        }
        Parsed::Wrong(failure) => Err(failure),
        Parsed::Command(command, log) => {
            log.start(ranks.rank());
            match *command {
                Command::Send(args) => send::send(&args, ranks, interrupt),
                Command::Update(args) => send::update(&args, ranks, interrupt),
                Command::List(args) => list::list(&args, ranks),
                Command::Delete(args) => delete::delete(&args, ranks),
                Command::Rollback(args) => rollback::rollback(&args, ranks),
                Command::Recover(args) => recover::recover(&args, ranks),
                Command::Verify(args) => verify::verify(&args, ranks),
                Command::Doctor(args) => doctor::doctor(&args, ranks),
            }
        }
    };
    match done {
        Ok(()) => Exit::Ok,
        Err(Failure { exit, message }) => {
            if ranks.rank() == 0 {
                eprintln!("msm_os: {message}");
            }
            exit
        }
    }
}
