//! Where a page may lie, and what an earlier one has left there.
//!
//! Key functions: [`check`]; [`maps_of`], [`maps_of_others`].

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::files::{COLLECTION, ITEMS};
use super::html::{GENERATOR, MAPS};
use super::index;
use crate::cli::error::CliError;

/// Can a page lie in `folder`? A folder above it is not made, and what this program has not made for a page is left alone. Changes nothing
/// to find it out.
///
/// # Errors
/// If not, why.
pub(super) fn check(folder: &Path) -> Result<(), CliError> {
    problem(folder).map_or(Ok(()), |problem| Err(refused(folder, problem)))
}

/// Is what lies at these `paths` in `folder`, to which items will be written, an earlier item?
///
/// # Errors
/// If something else does.
pub(super) fn check_items<'a>(
    folder: &Path,
    mut paths: impl Iterator<Item = &'a Path>,
) -> Result<(), CliError> {
    let other = paths.find(|path| path.exists() && !is_a(path, "Feature"));
    other.map_or(Ok(()), |path| Err(refused(folder, in_the_way(path))))
}

fn problem(folder: &Path) -> Option<String> {
    let above = match folder.parent() {
        Some(above) if above.as_os_str().is_empty() => Path::new("."),
        Some(above) => above,
        None => folder,
    };
    if !above.is_dir() {
        return Some(format!("there is no folder {}", above.display()));
    }
    if folder.exists() && !folder.is_dir() {
        return Some("it is no folder".to_owned());
    }
    let page = index(folder);
    if page.exists() && earlier(folder).is_none() {
        return Some("it has an index.html that is none of this command".to_owned());
    }
    let collection = folder.join(COLLECTION);
    let folders = [MAPS, ITEMS].map(|name| folder.join(name));
    let mut others = folders.iter().filter(|path| path.exists());
    let other = if page.exists() {
        // Files of others may lie beside those that a page of ours has, but not in their places.
        let is_other = collection.exists() && !is_a(&collection, "Collection");
        is_other
            .then_some(&collection)
            .or_else(|| others.find(|path| !path.is_dir()))
    } else {
        let is_there = collection.exists().then_some(&collection);
        is_there.or_else(|| others.find(|path| !is_empty(path)))
    };
    if let Some(path) = other {
        return Some(in_the_way(path));
    }
    let mut written = vec![if folder.exists() { folder } else { above }];
    written.extend(
        folders
            .iter()
            .map(|path| &**path)
            .filter(|path| path.exists()),
    );
    let tried = written
        .into_iter()
        .try_for_each(|place| tempfile::tempdir_in(place).map(drop));
    // The name of what is tried tells nobody anything.
    let cause = tried.err().map(|cause| cause.kind());
    cause.map(|cause| format!("it cannot be written: {cause}"))
}

fn refused(folder: &Path, problem: String) -> CliError {
    CliError::PagePlace {
        path: folder.to_owned(),
        problem,
    }
}

fn in_the_way(path: &Path) -> String {
    format!(
        "{} is in the way, which is none of this command",
        path.display()
    )
}

fn is_empty(folder: &Path) -> bool {
    let entries = fs::read_dir(folder).map(|mut entries| entries.next().is_none());
    entries.unwrap_or(false)
}

/// Is the file a document of STAC of this type?
fn is_a(path: &Path, name: &str) -> bool {
    let document = fs::read(path).ok();
    let document = document.and_then(|text| serde_json::from_slice::<Value>(&text).ok());
    document.is_some_and(|found| found["type"] == name && found["stac_version"].is_string())
}

/// The names of files of others in the folder of the maps, which no map is given.
pub(super) fn maps_of_others(folder: &Path) -> Vec<String> {
    let own = maps_of(folder);
    let entries = fs::read_dir(folder.join(MAPS))
        .into_iter()
        .flatten()
        .flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| !own.contains(name)).collect()
}

/// The page that this program has made in `folder` before.
fn earlier(folder: &Path) -> Option<String> {
    let text = fs::read_to_string(index(folder)).ok()?;
    text.contains(GENERATOR).then_some(text)
}

/// The names of the maps that a page shows which this program has made in `folder` before.
pub(super) fn maps_of(folder: &Path) -> Vec<String> {
    let text = earlier(folder).unwrap_or_default();
    let before = format!(" src=\"{MAPS}/");
    let shown = text.split(&before).skip(1);
    let names = shown.filter_map(|rest| rest.split_once('"'));
    let names = names.map(|(name, _)| name.to_owned());
    // Whoever has changed the page does not name what lies elsewhere.
    names.filter(|name| !name.contains(['/', '\\'])).collect()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn a_page_lies_where_none_of_others_does() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("page");
        let said = |folder: &Path| check(folder).map_err(|error| error.to_string());
        assert_eq!(said(&folder), Ok(()));
        fs::create_dir(&folder).unwrap();
        assert_eq!(said(&folder), Ok(()));
        fs::write(index(&folder), "<h1>mine</h1>").unwrap();
        assert!(said(&folder).unwrap_err().contains("none of this command"));
        fs::remove_file(index(&folder)).unwrap();
        // What lies where parts of a page will be is others', if there is no page.
        for part in [COLLECTION, ITEMS, MAPS] {
            fs::write(folder.join(part), "{}").unwrap();
            assert!(
                said(&folder).unwrap_err().contains("is in the way"),
                "{part}"
            );
            fs::remove_file(folder.join(part)).unwrap();
        }
        fs::create_dir(folder.join(MAPS)).unwrap();
        assert_eq!(said(&folder), Ok(()));
        fs::write(folder.join(MAPS).join("mine.svg"), "").unwrap();
        assert!(said(&folder).unwrap_err().contains("is in the way"));
        let text = format!("{GENERATOR}<img src=\"maps/a.svg\"><img src=\"maps/../b.svg\">");
        fs::write(index(&folder), text).unwrap();
        assert_eq!(said(&folder), Ok(()));
        assert_eq!(maps_of(&folder), ["a.svg"]);
        assert_eq!(maps_of_others(&folder), ["mine.svg"]);
        fs::write(folder.join(COLLECTION), "{\"type\": \"Collection\"}").unwrap();
        assert!(said(&folder).unwrap_err().contains("is in the way"));
        let items = [folder.join(COLLECTION)];
        let items = || items.iter().map(PathBuf::as_path);
        assert!(check_items(&folder, items()).is_err());
        let own = "{\"type\": \"Collection\", \"stac_version\": \"1.1.0\"}";
        fs::write(folder.join(COLLECTION), own).unwrap();
        assert_eq!(said(&folder), Ok(()));
        let nowhere = said(Path::new("/proc/page")).unwrap_err();
        assert!(nowhere.contains("cannot be written"), "{nowhere}");
        assert!(said(&index(&folder)).unwrap_err().contains("no folder"));
        assert!(
            said(&folder.join("a/b"))
                .unwrap_err()
                .contains("there is no folder")
        );
    }
}
