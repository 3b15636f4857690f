//! How far the parts of a shared archive are, from one listing of the home's ledger.
//!
//! Key type: [`ShareState`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use futures::TryStreamExt;
use msm_zarr::layout;

use super::archive::SharedArchive;
use crate::store::{Bucket, StoreError};

/// How far the parts are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ShareState {
    /// Those that are put and verified, and not committed yet.
    pub done: BTreeSet<usize>,
    /// Those that a job has a lease of, or had, and when it was renewed last, by the server's clock.
    pub leased: BTreeMap<usize, SystemTime>,
    /// Those that a job has begun.
    pub taken: BTreeSet<usize>,
}

impl ShareState {
    /// That of `archive`.
    ///
    /// # Errors
    /// As the server says.
    pub(crate) async fn of(bucket: &Bucket, archive: &SharedArchive) -> Result<Self, StoreError> {
        let home = layout::share(archive.home());
        let mut state = Self::default();
        let mut entries = bucket.entries(&home);
        while let Some(entry) = entries.try_next().await? {
            let below = entry.key.strip_prefix(&home).unwrap_or_default();
            let words: Vec<&str> = below.trim_start_matches('/').split('/').collect();
            let number = |word: &str| word.parse::<usize>().ok();
            match words[..] {
                [part, "done.json"] => state.done.extend(number(part)),
                [part, "takers", _] => state.taken.extend(number(part)),
                [layout::LEDGERS, part, "lease", _] => {
                    let renewed = number(part).map(|number| (number, entry.modified));
                    state.leased.extend(renewed);
                }
                _ => {}
            }
        }
        Ok(state)
    }

    /// The end of the parts that are done, from the part `first` on.
    #[must_use]
    pub(crate) fn done_until(&self, first: usize) -> usize {
        let mut end = first;
        while self.done.contains(&end) {
            end += 1;
        }
        end
    }
}
