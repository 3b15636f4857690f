//! Exit codes: the one list of them, documented in `docs/exit-codes.md` and by `msm_os help exit-codes`.
//!
//! Key type: [`Exit`], one cause each.

use serde::{Deserialize, Serialize};

macro_rules! exits {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal,)+) => {
        /// Why the program ended, as its exit code says it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Exit { $($(#[doc = $doc])+ $name = $code,)+ }

        impl Exit {
            /// Every code with its meaning, in order.
            pub const ALL: &[(Self, &str)] = &[$((Self::$name, concat!($($doc),+)),)+];

            /// Its name.
            fn title(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }
        }
    };
}

exits! {
    /// done, or nothing to do
    Ok = 0,
    /// a fault of the program itself, or its output, or a report of what it did, could not be written
    Internal = 1,
    /// the command line is wrong
    Usage = 2,
    /// nothing to do, with `--exit-nothing`
    NothingToDo = 3,
    /// a source file does not exist or may not be read
    SourceMissing = 10,
    /// a directory or a pattern holds no source files
    NoSourceFiles = 11,
    /// a source file is not a whole NetCDF file, or its values cannot be read
    SourceBroken = 12,
    /// a source file lacks the append dimension, its coordinate, or any step along it
    NoAppendDimension = 13,
    /// a variable asked for is not in the source files, or no data variable is
    UnknownVariable = 14,
    /// a variable has a type, a shape, a name, a fill value or a filter that cannot be sent, or the file has groups
    UnsupportedVariable = 15,
    /// the source files do not fit together
    ArchiveMismatch = 16,
    /// the chunk or shard sizes are malformed, or they or the codec do not fit the variables or the store
    ChunkStrategy = 17,
    /// no prefix can be derived from the file name
    NoPrefix = 18,
    /// the plan does not fit into the memory given, or has too many objects
    Memory = 19,
    /// a dimension's size or a variable's dimensions differ from the store's
    DimensionConflict = 20,
    /// a data type differs from the store's
    TypeConflict = 21,
    /// a static coordinate's values differ from the store's
    CoordinateConflict = 22,
    /// units, calendar, packing or fill value differ from the store's
    AttributeConflict = 23,
    /// the time steps overlap the store's, lie before its end or behind a gap, are not in the store, or have the times of another variable than its own (`--time-from`)
    TimeConflict = 24,
    /// what lies at the store's place is not a store this program can extend
    ForeignStore = 25,
    /// the variables and coordinates differ from the store's
    ContentsConflict = 26,
    /// there is no such store, or no such array in it
    NoStore = 27,
    /// the Zarr version asked for differs from the store's
    VersionConflict = 28,
    /// objects that are not this program's lie among those to delete
    ForeignObjects = 29,
    /// the credentials are missing or malformed
    Credentials = 30,
    /// the bucket does not exist
    NoBucket = 31,
    /// the object store refuses access
    AccessDenied = 32,
    /// the endpoint cannot be reached
    Unreachable = 33,
    /// the object store fails otherwise
    StoreFailed = 34,
    /// another job holds the store
    Busy = 35,
    /// the store's last transaction cannot be undone
    NothingToUndo = 36,
    /// a variable cannot be reprojected: its coordinates, corners or weights are missing or wrong
    NotReprojected = 37,
    /// the target grid, the method or the source grid differ from those of the store's reprojected arrays
    GridConflict = 38,
    /// an array cannot be deleted: the store needs it
    ArrayNeeded = 39,
    /// the transfer failed; everything is as it was before, or as the last transaction before it left it
    TransferFailed = 40,
    /// an object never read back as it was written; everything is as it was before, or as the last transaction before it left it
    VerifyFailed = 41,
    /// the run failed and so did putting everything back, or what a dead job had left could not be healed
    RollbackIncomplete = 42,
    /// some objects could not be deleted; the same delete again, or `recover`, finishes it
    DeleteIncomplete = 43,
    /// a signal ended the run; everything is as it was before, or the journal waits for `--resume`, or after a second Ctrl-C for `recover`; with `--share`, what was put of a part waits for any of its jobs
    Interrupted = 44,
    /// the lease of a store was lost, or its ranks lost each other; nothing more was changed, the next command heals it
    LeaseLost = 45,
    /// `recover` left a store alone, for its lease has not expired; the message says when to run it again
    StillHeld = 46,
    /// more than one store could be meant; the message names them and what to type
    WhichStore = 47,
    /// jobs with `--share` are sending an archive into the store, or had begun to
    Shared = 48,
    /// the files or settings differ from those that the archive was shared out with, or it cannot be shared among jobs
    ShareConflict = 49,
    /// the launcher and the MPI library do not fit together
    Launcher = 50,
    /// something else is where stores are to be copied to, or made anew
    Taken = 51,
    /// the recipe is malformed, does not fit the files, or is not the one that the store was made by
    Recipe = 52,
    /// a file that was asked for, such as a picture, a page or a catalogue, could not be written
    FileNotWritten = 53,
    /// `verify` found faults
    FaultsFound = 60,
    /// a rank panicked
    Panic = 70,
}

impl Exit {
    /// Its name as documents have it: `no_such_thing`.
    #[must_use]
    pub fn name(self) -> String {
        let mut name = String::new();
        for letter in self.title().chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }

    /// The number the operating system gets.
    #[must_use]
    pub fn code(self) -> i32 {
        self as i32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_table_is_this_list() {
        let page = include_str!("../../docs/exit-codes.md");
        // Another table is behind it.
        let (table, _) = page.split_once("\n## ").unwrap();
        let rows: Vec<String> = table
            .lines()
            .filter(|line| {
                line.starts_with("| ") && line[2..].starts_with(|c: char| c.is_ascii_digit())
            })
            .map(str::to_owned)
            .collect();
        let expected: Vec<String> = Exit::ALL
            .iter()
            .map(|(exit, meaning)| format!("| {} |{meaning} |", exit.code()))
            .collect();
        assert_eq!(rows, expected);
    }
}
