//! The flags of `open`, and what it says and writes: lines of Python, catalogue entries.
//!
//! Key types: [`OpenArgs`]; [`KeysFrom`], where the lines read keys.

mod flags;
mod intake;
mod json;
mod keys;
mod lines;
mod names;
mod options;
mod stac;
mod stac_item;

use std::path::{Path, PathBuf};

use clap::Args;

use super::error::CliError;
use super::files::name;
use super::outcome::JsonArgs;
use super::printer::warn;
use super::store::StoreArgs;
use super::words::left_out;
use crate::store::Spot;
use crate::verbs::list::{List, StoreFilter, StoreState};
use crate::verbs::open::{Open, OpenReport};

pub(super) use flags::opened_with;
pub(super) use json::document;
pub(super) use keys::KeysFrom;
pub(super) use lines::lines;

/// What `open` is told.
#[derive(Args)]
pub(super) struct OpenArgs {
    #[command(flatten)]
    pub store: StoreArgs,

    /// Only stores that hold one of these variables, coordinates among them
    #[arg(short, long, num_args = 1.., value_delimiter = ',', value_parser = name, value_name = "VAR")]
    pub variables: Vec<String>,

    /// Write a STAC collection there too, and an item a store into the folder of the same name beside it
    #[arg(long, value_name = "JSON FILE")]
    pub stac: Option<PathBuf>,

    /// Write an Intake catalogue there too, an entry a store
    #[arg(long, value_name = "YAML FILE")]
    pub intake: Option<PathBuf>,

    #[command(flatten)]
    pub told: JsonArgs,
}

impl OpenArgs {
    /// What is asked.
    ///
    /// # Errors
    /// If the prefix is none.
    pub(super) fn request(&self) -> Result<Open, CliError> {
        let filter = StoreFilter {
            variables: self.variables.clone(),
            ..StoreFilter::default()
        };
        Ok(Open {
            stores: List {
                spot: self.store.spot_or_all()?,
                filter,
            },
            describes: self.stac.is_some() || self.intake.is_some(),
        })
    }

    /// Writes the catalogues that are asked for, of the stores at `spot`, and says so.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(super) fn write(&self, report: &OpenReport, spot: &Spot) -> Result<(), CliError> {
        if let Some(path) = &self.stac {
            let files = stac::catalogue(report, spot, path);
            let (all, notes) = (files.documents.len() - 1, files.notes);
            for (path, document) in files.documents {
                write("--stac", &path, &format!("{document:#}\n"))?;
            }
            for note in &notes {
                warn(note);
            }
            warn(&format!(
                "wrote the STAC collection {} and {all} items of it into {}",
                path.display(),
                files.folder.display()
            ));
        }
        if let Some(path) = &self.intake {
            write("--intake", path, &intake::catalogue(report, spot))?;
            warn(&format!("wrote the Intake catalogue {}", path.display()));
        }
        Ok(())
    }
}

fn write(flag: &str, path: &Path, text: &str) -> Result<(), CliError> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let made = folder.map_or(Ok(()), std::fs::create_dir_all);
    let written = made.and_then(|()| std::fs::write(path, text));
    written.map_err(|cause| CliError::Catalogue {
        flag: flag.to_owned(),
        path: path.to_owned(),
        cause: cause.to_string(),
    })
}

/// Says what a filter left out, and whether there is anything to open at `place`.
///
/// # Errors
/// If there is not.
pub(super) fn verdict(report: &OpenReport, place: &str) -> Result<(), CliError> {
    if let Some(line) = left_out(&report.left_out) {
        warn(&line);
    }
    if report.stores.iter().any(|store| store.can_be_opened) {
        return Ok(());
    }
    let is = |state| report.stores.iter().filter(move |s| s.info.state == state);
    let (broken, denied) = (is(StoreState::Broken), is(StoreState::Denied));
    let printed = report.stores.len() as u64;
    match (broken.count() as u64, denied.count() as u64) {
        (0, 0) => Err(CliError::NothingToOpen {
            place: place.trim_end_matches('/').to_owned(),
        }),
        (0, denied) => Err(CliError::Denied { denied, printed }),
        (broken, denied) => Err(CliError::Unreadable {
            unreadable: broken + denied,
            printed,
        }),
    }
}

#[cfg(test)]
mod tests;
