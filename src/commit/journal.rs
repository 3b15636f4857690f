//! The journal: what a transaction is about to do to a store, put into the ledger before the first change.
//!
//! Key types: [`Entry`], what it says; [`State`], how far the transaction is; [`Unfinished`], one that was found.
//!
//! Each state is an object of its own, never overwritten: a server that gives a stale answer after an overwrite cannot
//! turn a transaction back. The size of an entry does not depend on the number of objects.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;

use futures::TryStreamExt;
use serde::{Deserialize, Serialize};

use super::ledger::LastTransaction;
use super::put::put_and_read_back;
use super::relative;
use super::written::Written;
use crate::store::{Bucket, StoreError, layout};

/// The version of the form: its keys begin at the store.
const FORMAT: u32 = 2;
/// The one before: its keys begin at the bucket.
const WHOLE_KEYS: u32 = 1;
/// That of transactions which remove objects: versions that do not know how to finish those leave them alone.
const REMOVES: u32 = 3;

/// How the command of an entry begins that undoes a committed transaction.
pub const ROLLBACK: &str = "rollback";

/// What a transaction does to one store, and what was there before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    format: u32,
    /// The command.
    pub command: String,
    /// Who runs it.
    pub holder: Writer,
    /// Of the plan: the same command on the same files and stores has the same.
    pub digest: String,
    /// The root document, which readers see the store through.
    pub root: Document,
    /// The other documents that change.
    pub documents: Vec<Document>,
    /// The arrays of which objects are written.
    pub arrays: Vec<Written>,
    /// What the ledger says of the transaction before.
    pub previous: Option<LastTransaction>,
    /// What it will say of this one; known when the manifest is complete.
    pub record: Option<LastTransaction>,
    /// Of how many transactions what they replaced is kept.
    pub keep_undo: usize,
    /// Of a rollback: all stores of the command, and the transaction of each that it undoes. As long as one of them has such
    /// an entry, it can be told which are undone already.
    #[serde(default)]
    pub together: Vec<(String, String)>,
    /// Does it remove objects: those of which it keeps copies? They go once the root is what it will be.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removes: bool,
}

/// Who writes a store, as the journal says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writer {
    /// Command, host and process.
    pub name: String,
    /// The directory of locks that keeps other jobs away; `None` where the lease in the ledger does.
    pub lock_dir: Option<PathBuf>,
}

/// A document, before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Its key.
    pub key: String,
    /// What it was; `None` if there was none.
    pub before: Option<String>,
    /// What it will be.
    pub after: String,
}

/// How far a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Objects are being written, out of readers' sight or with a copy of what was there.
    Open,
    /// All objects are in place; only documents are to be put.
    Prepared,
    /// It is being undone.
    Back,
    /// The store is being deleted.
    Delete,
}

/// A transaction that has not ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Unfinished {
    /// Its id.
    pub id: String,
    /// How far it is.
    pub state: State,
    /// Who runs it, or did.
    pub writer: Writer,
    /// What it does; `None` where the store is being deleted.
    pub entry: Option<Entry>,
}

impl State {
    const ALL: [(Self, &str); 4] = [
        (Self::Open, "open"),
        (Self::Prepared, "prepared"),
        (Self::Back, "back"),
        (Self::Delete, "delete"),
    ];

    /// The key of this state of the transaction `id` of `store`.
    #[must_use]
    pub fn key(self, store: &str, id: &str) -> String {
        let name = Self::ALL.iter().find(|(state, _)| *state == self);
        let name = name.map_or("", |(_, name)| name);
        format!("{}/{id}.{name}", layout::journals(store))
    }
}

impl Entry {
    /// An entry of this form.
    #[must_use]
    pub fn new(command: &str, holder: &Writer, digest: &str, root: Document) -> Self {
        Self {
            format: FORMAT,
            command: command.to_owned(),
            holder: holder.clone(),
            digest: digest.to_owned(),
            root,
            documents: Vec::new(),
            arrays: Vec::new(),
            previous: None,
            record: None,
            keep_undo: 0,
            together: Vec::new(),
            removes: false,
        }
    }

    /// Does the transaction create the store?
    #[must_use]
    pub fn creates(&self) -> bool {
        self.root.before.is_none()
    }

    /// Does it undo a transaction that was committed?
    #[must_use]
    pub fn is_rollback(&self) -> bool {
        self.command.starts_with(ROLLBACK)
    }

    /// Puts it as the state `state` of the transaction `id` of `store`.
    ///
    /// # Errors
    /// As the server says.
    pub async fn put(
        &self,
        bucket: &Bucket,
        store: &str,
        id: &str,
        state: State,
    ) -> Result<(), StoreError> {
        self.put_as(bucket, store, &state.key(store, id)).await
    }

    /// Puts it as the object `key` of the ledger of `store`.
    ///
    /// # Errors
    /// As the server says.
    pub async fn put_as(&self, bucket: &Bucket, store: &str, key: &str) -> Result<(), StoreError> {
        let mut entry = self.clone();
        entry.format = if self.removes { REMOVES } else { FORMAT };
        for document in entry.all_documents() {
            let below = relative::below(store, &document.key).unwrap_or_default();
            document.key = below.to_owned();
        }
        for (other, _) in &mut entry.together {
            *other = relative::beside(store, other);
        }
        put_json(bucket, key, &entry).await
    }

    fn all_documents(&mut self) -> impl Iterator<Item = &mut Document> {
        self.documents.iter_mut().chain([&mut self.root])
    }

    /// Reads the entry `key` of `store`.
    ///
    /// # Errors
    /// As the server says, or if it is not an entry that this program can read, or names what is not of the store.
    pub async fn read(bucket: &Bucket, store: &str, key: &str) -> Result<Self, StoreError> {
        let unreadable = |cause: String| StoreError::Journal {
            key: key.to_owned(),
            cause,
        };
        let entry = bucket.get(key).await?;
        let mut entry: Self =
            serde_json::from_slice(&entry).map_err(|cause| unreadable(cause.to_string()))?;
        match entry.format {
            FORMAT if !entry.removes => entry.resolve(store),
            REMOVES if entry.removes => entry.resolve(store),
            WHOLE_KEYS if !entry.removes => entry.check(store),
            other => Err(format!("format {other}, expected {FORMAT}")),
        }
        .map_err(unreadable)?;
        entry.check_arrays().map_err(unreadable)?;
        Ok(entry)
    }

    /// Makes its keys whole ones; or what it names that is not of `store`: nothing is undone, finished or deleted by such an
    /// entry.
    fn resolve(&mut self, store: &str) -> Result<(), String> {
        for document in self.all_documents() {
            if !layout::is_plain(&document.key) {
                return Err(stranger(&document.key));
            }
            document.key = layout::below(store, &document.key);
        }
        for (other, id) in &mut self.together {
            let resolved = relative::resolve(store, other).filter(|_| is_id(id));
            *other = resolved.ok_or_else(|| stranger(other))?;
        }
        Ok(())
    }

    /// The same of one whose keys are whole.
    fn check(&mut self, store: &str) -> Result<(), String> {
        let keys = self.all_documents().map(|document| &document.key);
        let mut strangers = keys.filter(|key| relative::below(store, key).is_none());
        strangers.next().map_or(Ok(()), |key| Err(stranger(key)))
    }

    /// What is wrong with its arrays: a document that tells no keys, or chunks of another number of dimensions.
    fn check_arrays(&self) -> Result<(), String> {
        for array in &self.arrays {
            if !layout::is_plain(&array.name) {
                return Err(stranger(&array.name));
            }
            let codec = array.codec().map_err(|cause| cause.to_string())?;
            let ranks = [Some(array.spans.len()), array.held.as_ref().map(Vec::len)];
            if ranks.into_iter().flatten().any(|rank| rank != codec.rank()) {
                return Err(format!(
                    "of array '{}', which has {} dimensions, it names chunks of another number",
                    array.name,
                    codec.rank()
                ));
            }
        }
        Ok(())
    }
}

fn stranger(name: &str) -> String {
    format!("it names '{name}', which is not below its store")
}

/// Puts `value` as JSON, and reads it back: what is lost of a ledger is missed years later.
pub(super) async fn put_json(
    bucket: &Bucket,
    key: &str,
    value: &impl Serialize,
) -> Result<(), StoreError> {
    let text = serde_json::to_vec(value).map_err(|cause| StoreError::Journal {
        key: key.to_owned(),
        cause: cause.to_string(),
    })?;
    put_and_read_back(bucket, key, text.into()).await
}

/// What the journal of a store holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Journal {
    /// The transactions that have not ended, in order.
    pub unfinished: Vec<Unfinished>,
    /// Keys of what transactions put here that are not in the journal any more, or never were.
    pub strays: Vec<String>,
}

/// The journal of `store`.
///
/// # Errors
/// As the server says, or if an entry cannot be read.
pub async fn read_journal(bucket: &Bucket, store: &str) -> Result<Journal, StoreError> {
    let folder = layout::journals(store);
    let mut found: BTreeMap<String, State> = BTreeMap::new();
    let mut parts = Vec::new();
    let mut entries = bucket.entries(&folder);
    while let Some(object) = entries.try_next().await? {
        let name = object.key.strip_prefix(&folder).unwrap_or_default();
        let Some((id, state)) = name.trim_start_matches('/').split_once('.') else {
            continue;
        };
        if let Some((state, _)) = State::ALL.iter().find(|(_, name)| *name == state) {
            let known = found.entry(id.to_owned()).or_insert(*state);
            *known = (*known).max(*state);
        } else if state.starts_with("done/") {
            parts.push((id.to_owned(), object.key.clone()));
        }
    }
    parts.retain(|(id, _)| !found.contains_key(id));
    let strays = parts.into_iter().map(|(_, key)| key).collect();
    let mut all = Vec::new();
    for (id, mut state) in found {
        let mut read = state;
        // A commit that has been seen through lacks the first entry already. Without a record of it, one who had lost the
        // lease put this after the transaction had been rolled back, and what it may have done since goes back, too.
        if state == State::Prepared
            && bucket.stat(&State::Open.key(store, &id)).await?.is_none()
            && bucket
                .stat(&layout::transaction(store, &id))
                .await?
                .is_none()
        {
            (state, read) = (State::Back, State::Prepared);
        }
        let key = read.key(store, &id);
        let (writer, entry) = if state == State::Delete {
            let writer = serde_json::from_slice(&bucket.get(&key).await?);
            let unreadable = |cause: serde_json::Error| StoreError::Journal {
                key,
                cause: cause.to_string(),
            };
            (writer.map_err(unreadable)?, None)
        } else {
            let entry = Entry::read(bucket, store, &key).await?;
            (entry.holder.clone(), Some(entry))
        };
        all.push(Unfinished {
            id,
            state,
            writer,
            entry,
        });
    }
    Ok(Journal {
        unfinished: all,
        strays,
    })
}

/// The id of a store's transaction of this number: ids sort as the transactions follow each other, and no two are the
/// same, however often a number is tried.
#[must_use]
pub fn new_id(number: u64, token: &str) -> String {
    format!("{number:08}-{token}")
}

/// Is this the id of a transaction: its number, and eight hexadecimal digits?
#[must_use]
pub fn is_id(text: &str) -> bool {
    text.split_once('-').is_some_and(|(number, rest)| {
        number.len() >= 8
            && number.bytes().all(|b| b.is_ascii_digit())
            && rest.len() == 8
            && rest.bytes().all(|b| b.is_ascii_hexdigit())
    })
}

/// The number in an id.
#[must_use]
pub fn number_of(id: &str) -> Option<u64> {
    id.split_once('-')?.0.parse().ok()
}

/// Eight hexadecimal digits that no other run has.
#[must_use]
pub fn token() -> String {
    // Every RandomState is seeded anew from the system's randomness.
    let random = RandomState::new().hash_one(std::process::id());
    format!("{:08x}", random as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_number_and_are_not_repeated() {
        let (a, b) = (token(), token());
        assert_ne!(a, b);
        assert!(new_id(9, &a) < new_id(10, &b));
        assert_eq!(number_of(&new_id(10, &b)), Some(10));
        let key = State::Open.key("T1y/tos.zarr", "00000001-a");
        assert_eq!(key, "T1y/.msm-os/tos.zarr/journal/00000001-a.open");
    }
}
