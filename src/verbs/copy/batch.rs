//! The objects of one turn, of which every rank copies its share and reads it back.
//!
//! Key types: [`CopyBatch`]; [`CopiedObjects`], what a rank did of it.

use std::sync::atomic::{AtomicBool, Ordering};

use futures::{StreamExt, stream};
use serde::{Deserialize, Serialize};

use super::ends::Route;
use super::error::CopyError;
use crate::error::Error;
use crate::store::{Crossing, REQUESTS, StoredDigest};
use crate::verbs::tally::Tally;

/// An object and its copy.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct CopyItem {
    pub from: String,
    pub to: String,
    /// Its length, as it was listed.
    pub bytes: u64,
    /// Its length and the digest of its bytes, if its store's manifest tells.
    pub recorded: Option<(u64, u32)>,
}

/// The objects of one turn.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CopyBatch {
    pub items: Vec<CopyItem>,
    /// Are the copies there already, so that they are only compared?
    pub is_there: bool,
}

/// What became of the objects of a turn.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct CopiedObjects {
    pub tally: Tally,
    /// Objects that are not what the manifest says, and were copied as they are.
    pub unlike: u64,
    pub problems: Vec<Error>,
    /// Was the rank told to stop?
    pub is_stopped: bool,
}

impl CopiedObjects {
    pub(super) fn add(&mut self, other: Self) {
        self.tally.add(other.tally);
        self.unlike += other.unlike;
        self.problems.extend(other.problems);
        self.is_stopped |= other.is_stopped;
    }
}

impl CopyBatch {
    /// Copies this rank's share.
    pub(super) fn copy_share(&self, route: Route<'_>) -> CopiedObjects {
        let session = route.from;
        let (ends, ranks) = (route.ends(), session.ranks);
        let _all = session.all_at_work();
        let crossing = match Crossing::new(ends.from, ends.to) {
            Ok(crossing) => crossing,
            Err(problem) => {
                return CopiedObjects {
                    problems: vec![problem.into()],
                    ..CopiedObjects::default()
                };
            }
        };
        let mine = self.items.iter().skip(ranks.rank()).step_by(ranks.size());
        let largest = self.items.iter().map(|item| item.bytes).max();
        let at_once = ends.to.most_holding(largest.unwrap_or(0), REQUESTS);
        let over = AtomicBool::new(false);
        session.runtime.block_on(async {
            // Without it, the first request says so.
            let _ = ends.to.fence().opened().await;
            let copies = mine.map(|item| async {
                if over.load(Ordering::Relaxed) {
                    return None;
                }
                let copied = item.copy(&crossing, self.is_there).await;
                if copied.is_err() || session.interrupt.has_come() {
                    over.store(true, Ordering::Relaxed);
                }
                Some(copied)
            });
            // All requests end, so that what is removed then stays away.
            let mut copies = stream::iter(copies).buffer_unordered(at_once);
            let mut all = CopiedObjects::default();
            while let Some(copied) = copies.next().await {
                match copied {
                    Some(Ok((bytes, is_recorded))) => {
                        all.tally.count(bytes);
                        all.unlike += u64::from(!is_recorded);
                    }
                    Some(Err(problem)) => all.problems.push(problem),
                    None => {}
                }
            }
            all.is_stopped = session.interrupt.has_come();
            all
        })
    }
}

impl CopyItem {
    /// Copies it, reads the copy, and says how long it is and whether it is what the manifest says, if that says anything.
    async fn copy(&self, crossing: &Crossing, is_there: bool) -> Result<(u64, bool), Error> {
        let Self {
            from,
            to,
            bytes,
            recorded,
        } = self;
        if !is_there {
            crossing.carry(from, *bytes, to).await?;
        }
        let copied = match crossing.to.fingerprint(to).await {
            Ok(copied) => copied,
            Err(error) if is_there && error.is_missing() => return Err(self.unlike()),
            Err(error) => return Err(error.into()),
        };
        let is_recorded = recorded
            .is_none_or(|(length, digest)| length == copied.length && copied.digest.is(digest));
        // One that was there already may be a copy of what was here before.
        let tells = recorded.is_some_and(|(_, digest)| StoredDigest::tells(digest));
        let is_proof = !is_there && tells && is_recorded;
        if is_proof || crossing.from.fingerprint(from).await? == copied {
            return Ok((copied.length, is_recorded));
        }
        Err(self.unlike())
    }

    fn unlike(&self) -> Error {
        CopyError::Unlike {
            key: self.to.clone(),
            from: self.from.clone(),
        }
        .into()
    }
}
