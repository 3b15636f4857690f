//! A store that is gone, or going, and what is to take its place.
//!
//! Key type: [`ReplacedStore`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// A store that is being deleted, or gone, or being put back, and what was made to replace it, which is whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplacedStore {
    /// Its key.
    pub store: String,
    /// The key of what was made of it.
    pub made: String,
    /// Who made it, and when; `None` in ledgers of older versions.
    pub by: Option<String>,
    /// The job that is about to move it, if one holds the store.
    pub holder: Option<String>,
}

impl fmt::Display for ReplacedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            store,
            made,
            by,
            holder,
        } = self;
        write!(f, "store '{store}' is being replaced by rechunk --replace")?;
        if let Some(by) = by {
            write!(f, " ({by})")?;
        }
        write!(
            f,
            ": what was made of it is whole in '{made}', which has to stay until it is in its place; "
        )?;
        match holder {
            Some(holder) => write!(f, "wait until that job has ended: {holder}"),
            None => write!(
                f,
                "the same rechunk --replace again, or rechunk --store {store} --replace, goes on and puts it there"
            ),
        }
    }
}
