//! The flags that say where coordinates come from, if not from the files themselves.
//!
//! Key type: [`GridArgs`].

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use super::error::CliError;
use crate::verbs::reprojection::corners::DomainFile;

/// The file of coordinates, and which of them to take.
#[derive(Args)]
pub(super) struct GridArgs {
    /// A file, such as the domain file, that holds coordinates to take with --update-coords, or the corners of cells for
    /// --method conservative [short: -gf]
    #[arg(
        long = "grid-filepath",
        visible_alias = "grid_filepath",
        value_name = "FILE"
    )]
    pub grid_filepath: Option<PathBuf>,

    /// Which coordinates come from the grid file, as JSON: '{"nav_lon": "glamt", "nav_lat": "gphit"}' [short: -uc]
    #[arg(
        long = "update-coords",
        visible_alias = "update_coords",
        value_name = "JSON",
        requires = "grid_filepath"
    )]
    pub update_coords: Option<String>,
}

impl GridArgs {
    /// The file, if there is one, and the coordinates to take from it, by name, each with the variable there.
    ///
    /// # Errors
    /// If these are malformed.
    pub(super) fn domain(&self) -> Result<Option<DomainFile>, CliError> {
        let coordinates = self.update_coords.as_deref().map(coordinates).transpose()?;
        let path = self.grid_filepath.clone();
        Ok(path.map(|path| DomainFile { path, coordinates }))
    }
}

fn coordinates(text: &str) -> Result<BTreeMap<String, String>, CliError> {
    serde_json::from_str(text).map_err(|cause| CliError::Coordinates {
        text: text.to_owned(),
        cause: cause.to_string(),
    })
}
