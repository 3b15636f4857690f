//! Starts MPI, parses, dispatches, and ends with the exit code; nothing else.

use std::process::exit;

use msm_os::cli::{self, Parsed};
use msm_os::commands;
use msm_os::exit::Exit;
use msm_os::ranks::Ranks;
use msm_os::source::allow_reading_without_locks;

fn main() {
    allow_reading_without_locks();
    let parsed = cli::parse(std::env::args_os());
    if let Parsed::Answer(text) = &parsed
        && !cli::is_launched()
    {
        print!("{text}");
        exit(Exit::Ok.code());
    }
    let ended = match Ranks::start() {
        Err(failure) => {
            eprintln!("msm_os: {failure}");
            failure.exit
        }
        Ok(ranks) => {
            let ended = commands::run(parsed, &ranks);
            // Finalize before exiting: srun loses the code of a process that leaves without.
            drop(ranks);
            ended
        }
    };
    exit(ended.code());
}
