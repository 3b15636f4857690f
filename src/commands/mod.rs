//! The commands, one a file; each tells its story by calling the other rooms.

mod area;
mod begin;
mod catalogue;
mod cells;
mod corners;
#[cfg(test)]
#[cfg(feature = "netcdf-library")]
mod damaged;
mod delete;
mod delete_arrays;
mod delete_group;
mod describe;
mod destinations;
mod differing;
mod digest;
mod doctor;
mod fit;
mod foreign;
mod hold;
mod intent;
mod journalist;
mod left;
mod list;
#[cfg(test)]
mod mutants;
mod notes;
#[cfg(test)]
mod outlived;
mod place;
mod prefix;
mod prepare;
mod projector;
mod recover;
mod removing;
mod reprojectable;
mod request;
mod rollback;
mod send;
mod settle;
mod shelf;
mod signals;
mod start;
mod stores;
mod survey;
#[cfg(test)]
mod tampered;
mod targets;
mod transaction;
mod truncate;
mod verify;
mod verify_against;
mod verify_documents;
mod verify_names;
mod verify_rounds;
mod verify_store;
mod weights;
mod weights_file;

use crate::cli::{Command, Parsed};
use crate::exit::{Exit, Failure};
use crate::ranks::Ranks;

/// Runs what the command line asks for; rank 0 says how it went. Every rank returns the same.
#[must_use]
pub fn run(parsed: Parsed, ranks: &Ranks) -> Exit {
    let done = match parsed {
        Parsed::Answer(text) => {
            if ranks.rank() == 0 {
                print!("{text}");
            }
            Ok(())
        }
        Parsed::Wrong(failure) => Err(failure),
        Parsed::Command(command) => match *command {
            Command::Send(args) => send::send(&args, ranks),
            Command::Update(args) => send::update(&args, ranks),
            Command::List(args) => list::list(&args, ranks),
            Command::Delete(args) => delete::delete(&args, ranks),
            Command::Rollback(args) => rollback::rollback(&args, ranks),
            Command::Recover(args) => recover::recover(&args, ranks),
            Command::Verify(args) => verify::verify(&args, ranks),
            Command::Doctor(args) => doctor::doctor(&args, ranks),
        },
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
