//! Parses, starts MPI where a launcher started this, dispatches, and ends with the exit code; or describes one file, for another process of
//! this program.

use std::process::exit;

use msm_os::cli;
use msm_os::{allow_reading_without_locks, describe, is_asked_to_describe, ranks};

fn main() {
    allow_reading_without_locks();
    let args: Vec<_> = std::env::args_os().collect();
    if let Some(path) = is_asked_to_describe(&args) {
        exit(cli::answer(&describe(path).into()).code());
    }
    let parsed = cli::parse(args);
    // MPI is ended before this process: srun loses the code of one that leaves without.
    let ended = ranks::run(cli::end, |ranks| cli::run(parsed, ranks));
    exit(ended.unwrap_or_else(|failure| cli::fail(&failure)).code());
}
