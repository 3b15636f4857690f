//! Items of an earlier collection in the same file, which the one that is written now does not link to: they would stay published.
//!
//! Key type: [`Stale`].

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::stac::StacFiles;

/// What is to go once the new collection is in its place.
pub(super) struct Stale {
    /// Files in the folder of the items, in order.
    pub paths: Vec<PathBuf>,
}

impl Stale {
    /// Those that lie there before `files` are written, with the collection at `path`: only what is an item as this program writes
    /// them, and names this collection or the one that it takes the place of.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub(super) fn before(files: &StacFiles, path: &Path) -> io::Result<Self> {
        let mut ids: Vec<String> = Vec::new();
        let new = files.documents.first().map(|(_, document)| document);
        let old = document(path).filter(|old| old["type"] == "Collection");
        for collection in new.into_iter().chain(&old) {
            ids.extend(collection["id"].as_str().map(str::to_owned));
        }
        let entries = match fs::read_dir(&files.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            entries => Some(entries?),
        };
        let mut paths = Vec::new();
        for entry in entries.into_iter().flatten() {
            let path = files.folder.join(entry?.file_name());
            let stays = files.documents.iter().any(|(kept, _)| *kept == path);
            let is_json = path.extension().is_some_and(|end| end == "json");
            if !stays && is_json && document(&path).is_some_and(|item| is_of(&item, &ids, files)) {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(Self { paths })
    }
}

/// The JSON in this file, if it is one.
fn document(path: &Path) -> Option<Value> {
    let is_file = fs::symlink_metadata(path).is_ok_and(|found| found.is_file());
    let text = is_file.then(|| fs::read(path).ok()).flatten()?;
    serde_json::from_slice(&text).ok()
}

/// Is this an item as this program writes them, of a collection with one of these `ids` in the same file?
fn is_of(item: &Value, ids: &[String], files: &StacFiles) -> bool {
    let (Some(id), Some(collection)) = (item["id"].as_str(), item["collection"].as_str()) else {
        return false;
    };
    let below = id.strip_prefix(collection);
    let mut links = item["links"].as_array().into_iter().flatten();
    item["type"] == "Feature"
        && item["stac_version"].is_string()
        && item["assets"]["zarr"].is_object()
        && ids.iter().any(|known| known == collection)
        && below.is_some_and(|below| below.starts_with('/'))
        && links.any(|link| link["rel"] == "collection" && link["href"] == files.collection_link)
}
