//! Where a page may lie, and what an earlier one has left there.
//!
//! Key functions: [`check`]; [`maps_of`].

use std::fs;
use std::path::Path;

use super::html::{GENERATOR, MAPS};
use super::index;
use crate::cli::error::CliError;

/// Can a page lie in `folder`? A folder above it is not made, and a page that this program has not made is left alone.
///
/// # Errors
/// If not, why.
pub(super) fn check(folder: &Path) -> Result<(), CliError> {
    let above = match folder.parent() {
        Some(above) if above.as_os_str().is_empty() => Path::new("."),
        Some(above) => above,
        None => folder,
    };
    let page = index(folder);
    let problem = if !above.is_dir() {
        format!("there is no folder {}", above.display())
    } else if folder.exists() && !folder.is_dir() {
        "it is no folder".to_owned()
    } else if page.exists() && earlier(folder).is_none() {
        "it has an index.html that is none of this command".to_owned()
    } else {
        return Ok(());
    };
    Err(CliError::PagePlace {
        path: folder.to_owned(),
        problem,
    })
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
        let text = format!("{GENERATOR}<img src=\"maps/a.svg\"><img src=\"maps/../b.svg\">");
        fs::write(index(&folder), text).unwrap();
        assert_eq!(said(&folder), Ok(()));
        assert_eq!(maps_of(&folder), ["a.svg"]);
        assert!(said(&index(&folder)).unwrap_err().contains("no folder"));
        assert!(
            said(&folder.join("a/b"))
                .unwrap_err()
                .contains("there is no folder")
        );
    }
}
