//! What catalogues call a store: names that are none of their syntax, each once.
//!
//! Key types: [`CatalogueNames`].

use std::collections::HashSet;

use crate::store::Spot;
use crate::verbs::open::{OpenableStore, Reach};

/// The names of one catalogue's entries.
pub(in crate::cli) struct CatalogueNames {
    /// The folder whose stores it has.
    folder: String,
    /// That of the catalogue: the bucket's and the folder's.
    pub catalogue: String,
    given: HashSet<String>,
}

impl CatalogueNames {
    pub(in crate::cli) fn new(reach: &Reach, spot: &Spot) -> Self {
        let folder = match spot {
            Spot::Below(prefix) => prefix.as_str(),
            Spot::At(key) => key.rsplit_once('/').map_or("", |(folder, _)| folder),
        };
        let bucket = match reach {
            Reach::S3 { bucket, .. } => bucket.clone(),
            Reach::Directory { path } => {
                let name = path.file_name().unwrap_or_default();
                name.to_string_lossy().into_owned()
            }
        };
        let parts = [&bucket, folder]
            .into_iter()
            .filter(|part| !part.is_empty());
        let whole = parts.map(Self::plain).collect::<Vec<_>>().join("-");
        Self {
            folder: folder.to_owned(),
            catalogue: if whole.is_empty() {
                "stores".to_owned()
            } else {
                whole
            },
            given: HashSet::new(),
        }
    }

    /// What a store is called in the folder.
    pub(super) fn in_folder<'a>(&self, store: &'a OpenableStore) -> &'a str {
        let key = &store.info.store;
        let below = key.strip_prefix(&self.folder);
        let below = below.map(|below| below.trim_start_matches('/'));
        match below {
            Some(below)
                if !below.is_empty()
                    && (self.folder.is_empty() || key.as_bytes()[self.folder.len()] == b'/') =>
            {
                below
            }
            _ => key,
        }
    }

    /// A name for the store that no other has been given: letters, digits, `.`, `_` and `-`.
    pub(in crate::cli) fn give(&mut self, store: &OpenableStore) -> String {
        let name = Self::plain(self.in_folder(store));
        let name = name.strip_suffix(".zarr").unwrap_or(&name).to_owned();
        let others = (2u64..).map(|number| format!("{name}-{number}"));
        let mut names = std::iter::once(name.clone()).chain(others);
        let free = names.find(|name| self.given.insert(name.clone()));
        free.unwrap_or(name)
    }

    /// `text` with `-` in the place of all that could be syntax.
    pub(in crate::cli) fn plain(text: impl AsRef<str>) -> String {
        let kept = |c: char| c.is_alphanumeric() || "._-".contains(c);
        let text = text.as_ref().chars();
        text.map(|c| if kept(c) { c } else { '-' }).collect()
    }
}
