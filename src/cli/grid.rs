//! The flags that say where coordinates come from, if not from the files themselves.
//!
//! Key type: [`GridArgs`].

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use crate::exit::{Exit, Failure};

/// The file of coordinates, and which of them to take.
#[derive(Args)]
pub struct GridArgs {
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
    /// The coordinates to take from the grid file, by name, each with the variable there.
    ///
    /// # Errors
    /// If that is malformed.
    pub fn coordinates(&self) -> Result<BTreeMap<String, String>, Failure> {
        let Some(text) = &self.update_coords else {
            return Ok(BTreeMap::new());
        };
        serde_json::from_str(text).map_err(|cause| {
            let message = format!(
                "--update-coords {text}: {cause}; expected JSON such as '{{\"nav_lon\": \"glamt\", \"nav_lat\": \"gphit\"}}'"
            );
            Failure::new(Exit::Usage, message)
        })
    }
}
