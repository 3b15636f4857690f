//! The flags of `page`, and the folder that it makes of an archive.
//!
//! Key types: [`PageArgs`]; [`PageFiles`], what is to be written.

mod attributes;
mod files;
mod html;
mod place;
mod store;

use std::path::{Path, PathBuf};

use clap::Args;

use super::error::CliError;
use super::outcome::JsonArgs;
use super::store::StoreArgs;
use crate::verbs::page::Page;

pub(super) use files::PageFiles;

/// What `page` is told.
#[derive(Args)]
pub(super) struct PageArgs {
    #[command(flatten)]
    pub store: StoreArgs,

    /// The folder to publish, made if it is not there: index.html, maps, and STAC items
    #[arg(short, long, value_name = "FOLDER")]
    pub out: PathBuf,

    #[command(flatten)]
    pub told: JsonArgs,
}

impl PageArgs {
    /// What is asked.
    ///
    /// # Errors
    /// If the prefix is none.
    pub(super) fn request(&self) -> Result<Page, CliError> {
        Ok(Page {
            spot: self.store.spot_or_all()?,
        })
    }

    /// Can the page lie there? What is another's stays.
    ///
    /// # Errors
    /// If not, why.
    pub(super) fn is_place(&self) -> Result<(), CliError> {
        place::check(&self.out)
    }

    /// The file to look at.
    pub(super) fn index(&self) -> PathBuf {
        index(&self.out)
    }
}

fn index(folder: &Path) -> PathBuf {
    folder.join("index.html")
}
