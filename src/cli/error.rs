//! What the front end itself finds, beside what the library does.

use std::path::{Path, PathBuf};

use msm_model::counted;
use serde::{Deserialize, Serialize};

use super::hush::hushed;
use super::recipe::RecipeProblem;
use crate::error::Error;

/// Why a command failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum CliError {
    /// The command line, as clap says it.
    #[error("{0}")]
    Line(String),
    #[error(
        "--update-coords {text}: {cause}; expected JSON such as '{{\"nav_lon\": \"glamt\", \"nav_lat\": \"gphit\"}}'"
    )]
    Coordinates { text: String, cause: String },
    #[error(
        "--attributes {text}: {cause}; expected a JSON object such as '{{\"licence\": \"OGL\"}}'"
    )]
    Attributes { text: String, cause: String },
    #[error("--recipe {}: {cause}", path.display())]
    RecipeFile {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        cause: String,
    },
    #[error("{}", file_problems(path, problems))]
    Recipe {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        problems: Vec<RecipeProblem>,
    },
    /// A flag without a value that the environment gives.
    #[error("{variable} is '{value}': expected true or 1, or false or 0")]
    Switch { variable: String, value: String },
    #[error("--config {}: {cause}", path.display())]
    ConfigFile {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        cause: String,
    },
    #[error("{}", file_problems(path, problems))]
    Config {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        problems: Vec<RecipeProblem>,
    },
    #[error("there is no man page of '{command}'; `msm_os --help` lists the commands")]
    NoPage { command: String },
    #[error("writing {}: {cause}", path.display())]
    Page {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        cause: String,
    },
    #[error("{flag}: Zarr version 2 has no shards; leave it out, or choose --zarr-version 3")]
    Shards { flag: String },
    #[error("{flag} '{key}': expected names joined by '/', none of them empty, '.' or '..'")]
    Key { flag: String, key: String },
    #[error("--task {text}: expected K/N with K below N, such as 0/8 to 7/8, or slurm")]
    Task { text: String },
    #[error("--task slurm: {variable} is not set: this is no task of a Slurm job array")]
    NoArray { variable: String },
    #[error(
        "--task slurm: the tasks of this array are not {least} to {most} by steps of {step}; give --array=FIRST-LAST, or leave --task \
         out: then each job takes whichever part is free"
    )]
    UnevenArray {
        least: usize,
        most: usize,
        step: usize,
    },
    #[error(
        "there is no terminal to ask on: give --yes to delete, or --dry-run to see what would go; nothing was deleted"
    )]
    NoTerminal,
    #[error("asking on the terminal: {cause}")]
    Asking { cause: String },
    #[error("printing on standard output: {cause}")]
    Printing { cause: String },
    /// Of a command that writes stores.
    #[error("all is done, but the document could not be printed on standard output: {cause}")]
    DocumentLost { cause: String },
    #[error("{place}: there is no store that can be opened")]
    NothingToOpen { place: String },
    #[error(
        "{place}: none of {} {} '{}'",
        counted(stores, "stores"),
        if *unknown == 0 { "holds" } else { "is known to hold" },
        variables.join("' or '")
    )]
    NoneHolds {
        place: String,
        stores: u64,
        /// Of so many it is not known what they hold.
        unknown: u64,
        variables: Vec<String>,
    },
    #[error("{flag} {}: {problem}; name a file in a folder that is there and can be written", path.display())]
    CataloguePlace {
        flag: String,
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        problem: String,
    },
    #[error("--out {}: {problem}; name a folder to make, or one that is empty or has such a page", path.display())]
    PagePlace {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        problem: String,
    },
    #[error("drawing {}: {cause}", path.display())]
    Drawing {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        cause: String,
    },
    #[error("{flag} {}: cannot be written: {cause}", path.display())]
    Catalogue {
        flag: String,
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        cause: String,
    },
    #[error("--report {}: {cause}; name a file in a folder that is there and can be written", path.display())]
    ReportPlace {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        cause: String,
    },
    #[error("all is done, but the report could not be written to {}: {cause}", path.display())]
    ReportLost {
        #[serde(with = "msm_model::names::one")]
        path: PathBuf,
        cause: String,
    },
    /// A line for each file.
    #[error("{0}; give files that --report wrote")]
    ReportFiles(String),
    #[error(
        "{denied} of {} may not be read by this user, see the list",
        counted(printed, "stores")
    )]
    Denied { denied: u64, printed: u64 },
    #[error(
        "{unreadable} of {} cannot be read, see the list",
        counted(printed, "stores")
    )]
    Unreadable { unreadable: u64, printed: u64 },
    #[error(
        "{} found, see the list{}",
        match faults {
            1 => "1 fault was".to_owned(),
            _ => format!("{faults} faults were"),
        },
        incomparable.as_ref().map_or_else(String::new, |error| {
            format!("; and the files could not be compared: {error}")
        })
    )]
    Faults {
        faults: u64,
        /// Is some of it what `recover` mends?
        can_be_healed: bool,
        incomparable: Option<Box<Error>>,
    },
    #[error("a second Ctrl-C ended the run where it was")]
    Hurried,
    /// All went well, and is told by a code of its own.
    #[error("nothing to do")]
    NothingToDo,
    /// It is told in a document, too.
    #[error(transparent)]
    ForPrograms(Box<Self>),
    #[error(transparent)]
    Library(#[from] Error),
}

impl CliError {
    /// What is wrong with the command line, without the secrets in it.
    pub(super) fn line(text: &str) -> Self {
        Self::Line(hushed(text))
    }

    /// The same, told in a document, too.
    pub(super) fn for_programs(self) -> Self {
        Self::ForPrograms(Box::new(self))
    }
}

fn file_problems(path: &Path, problems: &[RecipeProblem]) -> String {
    let path = path.display();
    if let [one] = problems {
        return format!("{path}, {one}");
    }
    let lines = problems.iter().map(|problem| format!("\n  {problem}"));
    format!(
        "{path}: {} problems:{}",
        problems.len(),
        lines.collect::<String>()
    )
}
