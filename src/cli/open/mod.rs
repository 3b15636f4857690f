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
mod stale;
mod written;

use std::path::PathBuf;

use clap::Args;

use super::error::CliError;
use super::files::name;
use super::list::leave_unheld;
use super::outcome::JsonArgs;
use super::printer::warn;
use super::store::StoreArgs;
use super::words::left_out;
use crate::store::Spot;
use crate::verbs::list::{List, StoreFilter, StoreState};
use crate::verbs::open::{Open, OpenReport};

pub(super) use flags::{opened_with, quoted};
pub(super) use json::document;
pub(super) use keys::KeysFrom;
pub(super) use lines::lines;
pub(super) use names::CatalogueNames;
pub(super) use options::url;
pub(super) use stac::{StacFiles, catalogue as stac_of};
pub(super) use stac_item::text_attribute;
pub(super) use written::{collection, file, is_place};

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

    /// Can the catalogues be put where they are asked for?
    ///
    /// # Errors
    /// If the place of one is none.
    pub(super) fn places(&self) -> Result<(), CliError> {
        for (flag, path) in [("--stac", &self.stac), ("--intake", &self.intake)] {
            if let Some(path) = path {
                is_place(flag, path)?;
            }
        }
        match (&self.stac, &self.intake) {
            (Some(stac), Some(intake)) if stac == intake => Err(CliError::CataloguePlace {
                flag: "--intake".to_owned(),
                path: intake.clone(),
                problem: "--stac names it, too".to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// Writes the catalogues that are asked for, of the stores at `spot`, and says so.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub(super) fn write(&self, report: &OpenReport, spot: &Spot) -> Result<(), CliError> {
        if let Some(path) = &self.stac {
            for note in collection("--stac", &stac::catalogue(report, spot, path), path)? {
                warn(&note);
            }
        }
        if let Some(path) = &self.intake {
            file("--intake", path, &intake::catalogue(report, spot))?;
            warn(&format!("wrote the Intake catalogue {}", path.display()));
        }
        Ok(())
    }
}

/// Says what the filter left out, and whether there is all that was named, or anything, to open at `place`.
///
/// # Errors
/// If there is not.
pub(super) fn verdict(
    report: &OpenReport,
    filter: &StoreFilter,
    place: &str,
) -> Result<(), CliError> {
    if let Some(line) = left_out(&report.left_out) {
        warn(&line);
    }
    let printed = report.stores.len() as u64;
    let all = printed + report.left_out.stores();
    let place = place.trim_end_matches('/').to_owned();
    let mut variables = filter.variables.clone();
    for store in &report.stores {
        leave_unheld(&mut variables, &store.info);
    }
    if all > 0 && !variables.is_empty() {
        return Err(CliError::NoneHolds {
            place,
            stores: all,
            unknown: report.left_out.unknown,
            variables,
        });
    }
    if report.stores.iter().any(|store| store.can_be_opened) {
        return Ok(());
    }
    are_readable(report)?;
    Err(CliError::NothingToOpen { place })
}

/// Can all stores be opened but those that are none, or not yet?
///
/// # Errors
/// If not.
pub(super) fn are_readable(report: &OpenReport) -> Result<(), CliError> {
    let closed = || report.stores.iter().filter(|store| !store.can_be_opened);
    let is = |state| closed().filter(|store| store.info.state == state).count() as u64;
    let printed = report.stores.len() as u64;
    match (is(StoreState::Broken), is(StoreState::Denied)) {
        (0, 0) => Ok(()),
        (0, denied) => Err(CliError::Denied { denied, printed }),
        (broken, denied) => Err(CliError::Unreadable {
            unreadable: broken + denied,
            printed,
        }),
    }
}

#[cfg(test)]
mod tests;
