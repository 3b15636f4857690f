//! What the commands say on standard output while they work.

use std::fmt;
use std::io::{self, Write};

/// Prints a line. That nobody reads it, as in `msm_os send … | head -1`, is no reason to leave the work undone; that it
/// cannot be written to a file is told.
pub fn say(line: fmt::Arguments<'_>) {
    match writeln!(io::stdout(), "{line}") {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
            eprintln!("msm_os: printing on standard output: {cause}");
        }
        _ => {}
    }
}

/// As `println!`, but that the program does not end where nobody reads.
#[macro_export]
macro_rules! say {
    ($($line:tt)*) => {
        $crate::cli::say(format_args!($($line)*))
    };
}
