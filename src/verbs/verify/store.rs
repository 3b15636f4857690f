//! Rank 0's look at one store: its metadata, its ledger and one listing; what has to be read goes to all ranks.
//!
//! Key type: [`StoreCheckReport`], what came of it.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use msm_model::counted;
use msm_plan::LACKING;
use msm_zarr::{ArrayMetadata, Group, KeyMeaning, StoreMetadata, ZarrError, layout};
use serde::{Deserialize, Serialize};

use crate::commit::{LeaseTimes, ManifestRecords, SharedArchive, number_of, read_manifests};
use crate::error::Error;
use crate::events::{CheckTally, Event, Fault, WorkKind};
use crate::store::{ListedObject, StoreError, read_metadata};
use crate::transfer::Content;
use crate::verbs::shared::remnant::{is_held, remnant};
use crate::verbs::verify::documents::documents;
use crate::verbs::verify::generation::Generation;
use crate::verbs::verify::kept::damaged;
use crate::verbs::verify::names::{dangling, lengths};
use crate::verbs::verify::rounds::{Checkers, ObjectCheck, ROUND};
use crate::verbs::verify::under_way::leave_out;

/// Looks at a store at most, while jobs commit to it.
const LOOKS: usize = 20;
/// After so many at which nothing has moved, the job that is at work there stands still.
const STILL: usize = 3;
/// Between two of them at most.
const PAUSE: Duration = Duration::from_secs(1);

/// What came of looking at a store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreCheckReport {
    /// The store or group.
    pub store: String,
    /// What was looked at.
    pub checked: CheckTally,
    /// What is wrong.
    pub faults: Vec<Fault>,
    /// Is some of it what a dead job left, and `recover` mends?
    pub can_be_healed: bool,
    /// Objects and documents that a job was changing, of which nobody can say before it has ended.
    pub unsettled: u64,
}

/// One store on rank 0. It holds the records of the store's manifests, about a hundred bytes an object, so a hundred
/// megabytes of a million objects; each goes when its object is met in the listing, which is held a round at a time.
struct StoreCheck<'a, 'b> {
    group: &'a Group,
    checkers: &'a mut Checkers<'b>,
    store: &'a str,
    /// What alone is looked at, if it is looked again.
    suspects: Option<&'a BTreeSet<String>>,
    kept: ManifestRecords,
    /// Has a transaction not ended?
    open: bool,
    /// Can some of the manifests not be read?
    damaged: bool,
    found: CheckTally,
    /// Objects that no manifest knows.
    unrecorded: u64,
    /// Everything that is wrong.
    faults: Vec<Fault>,
    /// Is some of it what `recover` mends?
    can_be_healed: bool,
    /// What else is to be told.
    events: Vec<Event>,
}

/// Looks at `group`, and says what it finds, a fault a line. `None` if there is nothing. While a job commits there, what looks wrong may
/// only be new: it is looked at again, until nothing moves.
///
/// # Errors
/// If the server does not let it look.
pub(in crate::verbs) fn look(
    checkers: &mut Checkers<'_>,
    group: &Group,
) -> Result<Option<StoreCheckReport>, Error> {
    let session = checkers.session;
    let (runtime, bucket) = (&session.runtime, &session.bucket);
    let mut suspects = None;
    let mut looks = 0;
    loop {
        let before = runtime.block_on(Generation::of(bucket, &group.store))?;
        let looked = look_once(checkers, group, suspects.as_ref());
        looks += 1;
        let now = || Ok::<_, Error>(runtime.block_on(Generation::of(bucket, &group.store))?);
        let (mut report, events) = match looked {
            Ok(None) => return Ok(None),
            Ok(Some(looked)) => looked,
            Err(Error::Store(error)) if error.is_missing() && looks < LOOKS => {
                let now = now()?;
                if now.is_at_work || now != before {
                    continue;
                }
                return Err(error.into());
            }
            Err(error) => return Err(error),
        };
        if !report.faults.is_empty() {
            let now = now()?;
            let keys: BTreeSet<String> = report.faults.iter().map(|f| f.key.clone()).collect();
            let mut is_told = looks == LOOKS || !now.is_at_work && now == before;
            if now.is_at_work && (looks == LOOKS || now == before && looks >= STILL) {
                let faults = report.faults.clone();
                match runtime.block_on(leave_out(bucket, &group.store, faults)) {
                    Ok((wrong, unsettled)) => {
                        is_told |= wrong.is_empty();
                        report.faults = wrong;
                        report.unsettled = unsettled;
                    }
                    // It has ended since.
                    Err(error) if error.is_missing() && looks < LOOKS => {}
                    Err(error) => return Err(error.into()),
                }
            }
            if !is_told {
                suspects = Some(keys);
                std::thread::sleep(LeaseTimes::of_this_run().look.min(PAUSE));
                continue;
            }
        }
        report.checked.faults = report.faults.len() as u64;
        for fault in &report.faults {
            session.tell(&Event::Fault(fault.clone()));
        }
        for event in &events {
            session.tell(event);
        }
        if report.unsettled > 0 {
            session.tell(&Event::Unsettled {
                store: report.store.clone(),
                objects: report.unsettled,
            });
        }
        session.tell(&Event::Verified {
            store: report.store.clone(),
            checked: report.checked,
        });
        return Ok(Some(report));
    }
}

/// One look, at `suspects` alone if there are any; with what else is to be told.
fn look_once(
    checkers: &mut Checkers<'_>,
    group: &Group,
    suspects: Option<&BTreeSet<String>>,
) -> Result<Option<(StoreCheckReport, Vec<Event>)>, Error> {
    let session = checkers.session;
    let (runtime, bucket) = (&session.runtime, &session.bucket);
    let store = group.store.as_str();
    // In this order: what is committed in between, the manifests know, and the shapes do not.
    let known = runtime.block_on(read_metadata(bucket, store));
    let mut kept = runtime.block_on(read_manifests(bucket, store))?;
    kept.objects.retain(|array, _| group.is_above(array));
    let mut look = StoreCheck {
        group,
        checkers,
        store,
        suspects,
        open: false,
        damaged: !kept.damaged.is_empty(),
        kept,
        found: CheckTally::default(),
        unrecorded: 0,
        faults: Vec::new(),
        can_be_healed: false,
        events: Vec::new(),
    };
    let damaged = std::mem::take(&mut look.kept.damaged).into_iter();
    look.note(
        damaged
            .map(|(key, cause)| Fault::new(key, format!("it is no part of a manifest: {cause}")))
            .collect(),
    );
    look.share()?;
    look.journal()?;
    look.undo_copies()?;
    match known {
        Ok(Some(mut known)) => {
            known.retain(group);
            look.whole(&known)?;
        }
        Ok(None) => {
            if !look.without_root()? {
                return Ok(None);
            }
        }
        Err(StoreError::Zarr(ZarrError::Foreign { problem, .. })) => {
            look.note(vec![Fault::new(store, problem)]);
        }
        Err(other) => return Err(other.into()),
    }
    let StoreCheck {
        found,
        unrecorded,
        faults,
        can_be_healed,
        mut events,
        ..
    } = look;
    let store = group.to_string();
    if unrecorded > 0 {
        events.push(Event::Unrecorded {
            store: store.clone(),
            objects: unrecorded,
        });
    }
    let report = StoreCheckReport {
        store,
        checked: found,
        faults,
        can_be_healed,
        unsettled: 0,
    };
    Ok(Some((report, events)))
}

impl StoreCheck<'_, '_> {
    fn note(&mut self, mut faults: Vec<Fault>) {
        faults.sort_unstable();
        self.found.faults += faults.len() as u64;
        self.faults.extend(faults);
    }

    /// Notes what a dead job left at `key`, and `recover` mends.
    fn note_left(&mut self, key: impl Into<String>, what: impl Into<String>) {
        self.can_be_healed = true;
        self.note(vec![Fault::new(key, what)]);
    }

    /// Is the object or array of this key looked at this time?
    fn is_meant(&self, key: &str) -> bool {
        self.suspects.is_none_or(|suspects| suspects.contains(key))
    }

    /// What jobs have put that share in sending an archive lies beyond the shapes.
    fn share(&mut self) -> Result<(), Error> {
        let session = self.checkers.session;
        let shared = SharedArchive::of_store(&session.bucket, self.store);
        match session.runtime.block_on(shared) {
            Ok(None) => {
                let left = remnant(&session.bucket, self.store);
                if let Some(first) = session.runtime.block_on(left)? {
                    let what = "it is of an archive that jobs shared, and that is not shared out (any more): recover --abandon removes \
                                this, and what they put out of sight";
                    self.note_left(first, what);
                }
            }
            Ok(Some(_)) => {
                self.open = true;
                let key = layout::shared_archive(self.store);
                self.events.push(Event::UnderWay { key });
            }
            Err(StoreError::Share { key, cause }) => {
                self.open = true;
                let what =
                    format!("it cannot be read: {cause}; recover --abandon ends the sharing");
                self.note_left(key, what);
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// A transaction that has not ended is a fault, unless the job that holds the lease is still at it.
    fn journal(&mut self) -> Result<(), Error> {
        let session = self.checkers.session;
        let (runtime, bucket) = (&session.runtime, &session.bucket);
        let journal = runtime.block_on(bucket.list(&layout::journals(self.store)))?;
        let Some(first) = journal.first() else {
            self.uncommitted();
            return Ok(());
        };
        self.open = true;
        if runtime.block_on(is_held(bucket, self.store))? {
            self.events.push(Event::UnderWay { key: first.clone() });
            return Ok(());
        }
        self.note_left(first, "a transaction has not ended: run recover");
        Ok(())
    }

    /// What cannot be put back any more of what transactions replaced. While one is under way, it may be gone by now.
    fn undo_copies(&mut self) -> Result<(), Error> {
        if self.open {
            return Ok(());
        }
        let session = self.checkers.session;
        let damaged = damaged(&session.bucket, self.group, &self.kept.committed);
        let faults = session.runtime.block_on(damaged)?;
        self.note(faults);
        Ok(())
    }

    /// A manifest of no transaction is in nobody's way: it is told, and no fault.
    fn uncommitted(&mut self) {
        for id in &self.kept.uncommitted {
            let manifest = layout::manifest(self.store, id);
            self.events.push(Event::Uncommitted { manifest });
        }
    }

    /// Is there anything of a store that has no root document?
    fn without_root(&mut self) -> Result<bool, Error> {
        let session = self.checkers.session;
        let (runtime, bucket) = (&session.runtime, &session.bucket);
        let count = bucket
            .entries(self.store)
            .try_fold(0u64, |count, _| std::future::ready(Ok(count + 1)));
        self.found.objects = runtime.block_on(count)?;
        let committed = self.kept.committed.len();
        if committed > 0 {
            let what = format!(
                "there is no root document, but committed: {}",
                counted(committed, "transactions")
            );
            self.note(vec![Fault::new(self.store, what)]);
        } else if self.found.objects > 0 && !self.open {
            let what = format!(
                "there is no root document, but {}: run recover",
                counted(self.found.objects, "objects")
            );
            self.note_left(self.store, what);
        }
        Ok(committed > 0 || self.found.objects > 0 || self.open)
    }

    fn whole(&mut self, known: &StoreMetadata) -> Result<(), Error> {
        let session = self.checkers.session;
        let (runtime, bucket) = (&session.runtime, &session.bucket);
        let mut faults = runtime.block_on(documents(bucket, known))?;
        faults.extend(lengths(known));
        self.note(faults);
        self.events.extend(dangling(known));
        self.checkers.store(known)?;
        let gaps = self.gaps(known);
        let work = session.work(WorkKind::Checking, None, recorded_bytes(&self.kept));
        let mut listing = bucket.entries(&self.group.key()).try_chunks(ROUND);
        while let Some(entries) = runtime.block_on(listing.next()) {
            let entries = entries.map_err(|cause| cause.1)?;
            let (mut items, mut faults) = (Vec::new(), Vec::new());
            for entry in entries {
                self.found.objects += 1;
                self.found.bytes += entry.bytes;
                match self.meet(known, &entry) {
                    _ if !self.is_meant(&entry.key) => {}
                    ObjectVerdict::Fine => {}
                    ObjectVerdict::Check(item) => items.push(item),
                    ObjectVerdict::Fault(what) => faults.push(Fault::new(entry.key, what)),
                }
            }
            if !items.is_empty() {
                faults.extend(self.checkers.round(&items)?);
            }
            self.note(faults);
            work.show(self.found.bytes, self.found.objects);
        }
        let mut missing = missing(known, &self.kept);
        missing.retain(|fault| self.is_meant(&fault.key));
        self.note(missing);
        // What another program has written since, it may have left out where it was all fill.
        let is_ours = self.unrecorded == 0;
        self.note(gaps.into_iter().filter(|_| is_ours).collect());
        Ok(())
    }

    /// Arrays whose shapes have room for objects that nobody ever wrote, if this program has made all of the store.
    fn gaps(&self, known: &StoreMetadata) -> Vec<Fault> {
        let numbers = self.kept.committed.iter().map(|id| number_of(id));
        let is_whole = numbers.eq((1..=self.kept.committed.len() as u64).map(Some));
        if !is_whole || self.open || self.damaged {
            return Vec::new();
        }
        let gap = |(name, array): (&String, &ArrayMetadata)| {
            let array = &array.stored;
            if array.attributes.contains_key(LACKING) {
                return None;
            }
            let recorded = self.kept.objects.get(name);
            let recorded = recorded.into_iter().flat_map(|chunks| chunks.keys());
            let recorded = recorded.filter(|chunk| array.is_inside(chunk)).count() as u64;
            let mut grid = array.shape.iter().zip(&array.chunk);
            let room = grid.try_fold(1u64, |all, (length, chunk)| {
                all.checked_mul(length.div_ceil(*chunk))
            });
            if room.is_some_and(|room| room <= recorded) {
                return None;
            }
            let what = format!(
                "its shape {:?} has room for more objects of {:?} values than the {recorded} that were ever written",
                array.shape, array.chunk
            );
            Some(Fault::new(layout::below(&known.store, name), what))
        };
        known.arrays.iter().filter_map(gap).collect()
    }

    /// What becomes of an object of the listing.
    fn meet(&mut self, known: &StoreMetadata, entry: &ListedObject) -> ObjectVerdict {
        let unknown = || {
            ObjectVerdict::Fault("not known: neither the metadata nor a manifest has it".to_owned())
        };
        let (array, chunk, inside) = match known.meaning_of(&entry.key) {
            KeyMeaning::Document => return ObjectVerdict::Fine,
            KeyMeaning::Other => return unknown(),
            KeyMeaning::Object {
                array,
                chunk,
                inside,
            } => (array, chunk, inside),
        };
        let recorded = self.kept.take(array, &chunk);
        match recorded {
            Some(Content::Empty) => {
                return ObjectVerdict::Fault(format!(
                    "{} bytes, expected none: all its values were fill",
                    entry.bytes
                ));
            }
            Some(Content::Stored { bytes, .. }) if bytes != entry.bytes => {
                return ObjectVerdict::Fault(format!("{} bytes, expected {bytes}", entry.bytes));
            }
            Some(Content::Stored { .. }) => {}
            None if inside => self.unrecorded += 1,
            // What a transaction has put that has not ended lies beyond the shape.
            None if self.open => return ObjectVerdict::Fine,
            None => return unknown(),
        }
        let mut names = known.arrays.keys();
        ObjectVerdict::Check(ObjectCheck {
            array: names.position(|name| name == array).unwrap_or_default(),
            chunk,
            recorded,
        })
    }
}

/// What becomes of an object.
enum ObjectVerdict {
    Fine,
    Check(ObjectCheck),
    Fault(String),
}

fn recorded_bytes(kept: &ManifestRecords) -> u64 {
    let contents = kept.objects.values().flat_map(|chunks| chunks.values());
    contents
        .map(|content| match content {
            Content::Empty => 0,
            Content::Stored { bytes, .. } => *bytes,
        })
        .fold(0, u64::saturating_add)
}

/// What `kept`, from which all that was met is gone, says should be there.
fn missing(known: &StoreMetadata, kept: &ManifestRecords) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, chunks) in &kept.objects {
        let stored = chunks.iter().filter_map(|(chunk, content)| match content {
            Content::Stored { bytes, .. } => Some((chunk, *bytes)),
            Content::Empty => None,
        });
        let Some(array) = known.arrays.get(name) else {
            let count = stored.count();
            let what = format!(
                "no such array, but manifests have {} of it",
                counted(count, "objects")
            );
            let key = layout::below(&known.store, name);
            faults.extend((count > 0).then(|| Fault::new(key, what)));
            continue;
        };
        faults.extend(stored.map(|(chunk, bytes)| {
            let key = array.codec.key(&known.store, chunk);
            Fault::new(key, format!("missing, expected {bytes} bytes"))
        }));
    }
    faults
}
