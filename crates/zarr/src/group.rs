//! Groups of arrays.
//!
//! Key type: [`Group`].

use std::fmt;

use super::layout;

/// Where the arrays of a group are: in a store of its own, or in a hierarchy, which is one store with one ledger.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// The store: the topmost group.
    pub store: String,
    /// The group's path in it; empty for the topmost group.
    pub path: String,
}

impl Group {
    /// The topmost group of the store `store`.
    #[must_use]
    pub fn whole(store: &str) -> Self {
        Self {
            store: store.to_owned(),
            path: String::new(),
        }
    }

    /// Does what has this path in the store lie in the group, or below it?
    #[must_use]
    pub fn is_above(&self, path: &str) -> bool {
        let below = path.strip_prefix(&self.path);
        self.path.is_empty() || below.is_some_and(|below| below.starts_with('/'))
    }

    /// The group's key.
    #[must_use]
    pub fn key(&self) -> String {
        match self.path.as_str() {
            "" => self.store.clone(),
            path => layout::below(&self.store, path),
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key())
    }
}
