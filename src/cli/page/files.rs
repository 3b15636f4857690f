//! The files of a page: made first, then written, the page last.
//!
//! Key type: [`PageFiles`].

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::html::{self, MAPS};
use super::{index, place};
use crate::cli::error::CliError;
use crate::cli::open::{self, CatalogueNames, KeysFrom, StacFiles};
use crate::cli::words::counted;
use crate::store::Spot;
use crate::verbs::list::LeftOut;
use crate::verbs::open::{OpenReport, OpenableStore, Reach, Signing};
use crate::verbs::page::PageReport;

/// The file of the STAC collection, and the folder with its items.
pub(super) const COLLECTION: &str = "collection.json";
pub(super) const ITEMS: &str = "collection";

/// The longest name of a map, without its end and its number.
const NAME: usize = 60;

/// A page and what lies beside it, to be written into a folder.
pub(in crate::cli) struct PageFiles {
    folder: PathBuf,
    page: String,
    /// The maps, by their names.
    maps: BTreeMap<String, String>,
    /// The name of each store's maps, in order.
    names: Vec<Vec<String>>,
    stac: StacFiles,
}

/// What is said of a store beside what was found in it.
pub(super) struct StorePlaces<'a> {
    /// What the page calls it.
    pub(super) anchor: String,
    /// Where it is.
    pub(super) url: String,
    /// Its maps.
    pub(super) maps: &'a [String],
    /// Its STAC item, if it has one.
    pub(super) item: Option<String>,
    /// The lines of Python that open it; none if nothing can.
    pub(super) python: Vec<String>,
}

impl PageFiles {
    /// Those of `report`, of the stores at `spot`.
    pub(in crate::cli) fn of(report: &PageReport, spot: &Spot, folder: &Path) -> Self {
        let stac = open::stac_of(&report.opened, spot, &folder.join(COLLECTION));
        let mut anchors = CatalogueNames::new(&report.opened.reach, spot);
        let (mut maps, mut names) = (BTreeMap::new(), Vec::new());
        let others = place::maps_of_others(folder).into_iter();
        let others =
            others.filter_map(|name| Some(name.strip_suffix(".svg")?.to_ascii_lowercase()));
        let mut given: HashSet<String> = others.collect();
        let mut all = Vec::new();
        for (store, details) in report.opened.stores.iter().zip(&report.details) {
            let anchor = anchors.give(store);
            let mut of_store = Vec::new();
            for map in &details.maps {
                let name = name(&anchor, &map.shown.variable, &mut given);
                maps.insert(name.clone(), map.svg.clone());
                of_store.push(name);
            }
            names.push(of_store);
            all.push(anchor);
        }
        let mut items = stac.documents.iter().skip(1);
        let stores = report.opened.stores.iter().zip(all).zip(&names);
        let places = stores.map(|((store, anchor), maps)| StorePlaces {
            anchor,
            url: open::url(&report.opened.reach, &store.info.store),
            maps,
            item: { store.can_be_opened.then(|| items.next()).flatten() }
                .and_then(|(path, _)| path.strip_prefix(folder).ok())
                .map(|path| path.to_string_lossy().into_owned()),
            python: if store.can_be_opened {
                python(&report.opened, std::slice::from_ref(store))
            } else {
                Vec::new()
            },
        });
        let places: Vec<StorePlaces<'_>> = places.collect();
        let whole = python(&report.opened, &report.opened.stores);
        let collection = stac.documents.first().map(|(_, collection)| collection);
        let url = open::url(&report.opened.reach, spot.key());
        let page = html::page(report, &places, collection, &url, &whole).into_string();
        Self {
            folder: folder.to_owned(),
            page,
            maps,
            names,
            stac,
        }
    }

    /// Where the map with this number of the store with that one lies.
    pub(in crate::cli) fn map(&self, store: usize, map: usize) -> String {
        let name = self.names.get(store).and_then(|maps| maps.get(map));
        let path = self.folder.join(MAPS).join(name.map_or("", String::as_str));
        path.display().to_string()
    }

    /// Writes them: what the page links to first, then the page; what the one before it had and this one has not goes last. Returns what
    /// the user should know.
    ///
    /// # Errors
    /// If a file cannot be written or removed.
    pub(in crate::cli) fn write(&self) -> Result<Vec<String>, CliError> {
        let folder = &self.folder;
        let items = self.stac.documents.iter().skip(1);
        place::check_items(folder, items.map(|(path, _)| path.as_path()))?;
        let maps = folder.join(MAPS);
        let stale = place::maps_of(folder).into_iter();
        let stale: Vec<String> = stale.filter(|name| !self.maps.contains_key(name)).collect();
        for folder in [folder, &maps] {
            match fs::create_dir(folder) {
                Err(_) if folder.is_dir() => {}
                made => made.map_err(|cause| failed(folder, &cause))?,
            }
        }
        for (name, svg) in &self.maps {
            open::file("--out", &maps.join(name), svg)?;
        }
        let (collection, _) = &self.stac.documents[0];
        let mut notes = open::collection("--out", &self.stac, collection)?;
        open::file("--out", &index(folder), &self.page)?;
        let mut gone = 0;
        for name in stale {
            let path = maps.join(name);
            match fs::remove_file(&path) {
                Ok(()) => gone += 1,
                Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {}
                Err(cause) => return Err(failed(&path, &cause)),
            }
        }
        if gone > 0 {
            notes.push(format!(
                "removed {} that the page does not show any more",
                counted(gone, "maps")
            ));
        }
        Ok(notes)
    }
}

/// The lines that open `stores`, for anybody: keys are there where he has his own.
fn python(report: &OpenReport, stores: &[OpenableStore]) -> Vec<String> {
    let keys = match &report.reach {
        Reach::S3 { signing, .. } if *signing != Signing::Anonymous => KeysFrom::Environment,
        Reach::S3 { .. } | Reach::Directory { .. } => KeysFrom::Nowhere,
    };
    let mut reach = report.reach.clone();
    if let Reach::S3 { ca_bundle, .. } = &mut reach {
        // It lies where the page is made.
        *ca_bundle = None;
    }
    let report = OpenReport {
        reach,
        stores: stores.to_vec(),
        left_out: LeftOut::default(),
    };
    open::lines(&report, &keys)
}

/// A name for a map that no other has been given, and that every file system takes.
fn name(store: &str, variable: &str, given: &mut HashSet<String>) -> String {
    let whole = CatalogueNames::plain(format!("{store}-{variable}"));
    let whole: String = whole.chars().filter(char::is_ascii).take(NAME).collect();
    let numbered = (2u64..).map(|number| format!("{whole}-{number}"));
    let mut names = std::iter::once(whole.clone()).chain(numbered);
    let free = names.find(|name| given.insert(name.to_ascii_lowercase()));
    format!("{}.svg", free.unwrap_or(whole))
}

fn failed(path: &Path, cause: &std::io::Error) -> CliError {
    CliError::Catalogue {
        flag: "--out".to_owned(),
        path: path.to_owned(),
        cause: cause.to_string(),
    }
}
