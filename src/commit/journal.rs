//! The journal: what a transaction is about to do to a store, put into the ledger before the first change.
//!
//! Key types: [`JournalEntry`], what it says; [`Stage`], how far the transaction is.
//!
//! Each stage is an object of its own, never overwritten: a server that gives a stale answer after an overwrite cannot
//! turn a transaction back. The size of an entry does not depend on the number of objects.

use std::path::PathBuf;

use bytes::Bytes;
use msm_zarr::layout;
use serde::{Deserialize, Serialize};

use super::command_run::{CommandRun, FileSpan};
use super::committed::merged_addition;
use super::ledger::LastTransaction;
use super::put::{put_and_read_back, reads_back};
use super::relative;
use super::transaction_id::is_id;
use super::written_boxes::WrittenBoxes;
use crate::store::{Bucket, StoreError};

/// The version of the form: an entry says itself that it is a rollback's. Versions of this program that know the older forms only
/// refuse it.
const FORMAT: u32 = 4;
/// That of an entry with objects that were put in parts.
const PARTS: u32 = 5;
/// An older form, whose keys begin at the bucket.
const WHOLE_KEYS: u32 = 1;
/// An older form, of transactions that remove nothing.
const WRITES: u32 = 2;
/// An older form, of transactions that remove objects.
const REMOVES: u32 = 3;
/// How a rollback's command begins in the older forms.
const ROLLBACK: &str = "rollback";

/// What a transaction does to one store, and what was there before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct JournalEntry {
    format: u32,
    /// The command.
    pub command: String,
    /// Who runs it.
    pub holder: Writer,
    /// Which command of a person it is of; `None` in entries of older versions of this program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<CommandRun>,
    /// Of which files it is, if of any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub files: Option<FileSpan>,
    /// Of the plan: the same command on the same files and stores has the same. Empty where there is none.
    pub digest: String,
    /// The root document, which readers see the store through.
    pub root: Document,
    /// The other documents that change.
    pub documents: Vec<Document>,
    /// The arrays of which objects are written.
    pub arrays: Vec<WrittenBoxes>,
    /// The objects that were put out of readers' sight before the transaction, in parts of an archive: they are not its own to take
    /// back, but a rollback's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<WrittenBoxes>,
    /// What the ledger says of the transaction before.
    pub previous: Option<LastTransaction>,
    /// What it will say of this one; known when the manifest is complete.
    pub record: Option<LastTransaction>,
    /// Of how many transactions what they replaced is kept.
    pub keep_undo: usize,
    /// Does it create the store, or add steps and arrays to it, and change nothing that readers saw? Then it can be undone without copies.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_addition: bool,
    /// Of an entry that undoes a committed transaction: all stores of the command, and the transactions of each that it undoes.
    /// As long as one of them has such an entry, it can be told which are undone already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollback: Option<Vec<(String, String)>>,
    /// The same in the older forms.
    #[serde(default, skip_serializing)]
    together: Vec<(String, String)>,
    /// Does it move steps that the store has? What it overwrites cannot be read as the store any more: it is healed before anything else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub moves: bool,
    /// Does it remove objects: those of which it keeps copies? They go once the root is what it will be.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub removes: bool,
}

/// Who writes a store, as the journal says it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Writer {
    /// Command, host and process.
    pub name: String,
    /// The directory of locks that keeps other jobs away; `None` where the lease in the ledger does.
    pub lock_dir: Option<PathBuf>,
}

/// A document, before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Document {
    /// Its key.
    pub key: String,
    /// What it was; `None` if there was none.
    pub before: Option<String>,
    /// What it will be.
    pub after: String,
}

/// How far a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    /// Objects are being written, out of readers' sight or with a copy of what was there.
    Open,
    /// All objects are in place; only documents are to be put.
    Prepared,
    /// It is being undone.
    Back,
}

impl Stage {
    pub(super) const ALL: [Self; 3] = [Self::Open, Self::Prepared, Self::Back];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Prepared => "prepared",
            Self::Back => "back",
        }
    }

    /// The key of this stage of the transaction `id` of `store`.
    pub(super) fn key(self, store: &str, id: &str) -> String {
        format!("{}/{id}.{}", layout::journals(store), self.name())
    }
}

impl JournalEntry {
    /// An entry of this form.
    #[must_use]
    pub(crate) fn new(command: &str, holder: &Writer, digest: &str, root: Document) -> Self {
        Self {
            format: FORMAT,
            command: command.to_owned(),
            holder: holder.clone(),
            run: None,
            files: None,
            digest: digest.to_owned(),
            root,
            documents: Vec::new(),
            arrays: Vec::new(),
            parts: Vec::new(),
            previous: None,
            record: None,
            keep_undo: 0,
            is_addition: false,
            rollback: None,
            together: Vec::new(),
            moves: false,
            removes: false,
        }
    }

    /// Does the transaction create the store?
    #[must_use]
    pub(crate) fn creates(&self) -> bool {
        self.root.before.is_none()
    }

    /// Puts it as the stage `stage` of the transaction `id` of `store`.
    ///
    /// # Errors
    /// As the server says.
    pub(crate) async fn put(
        &self,
        bucket: &Bucket,
        store: &str,
        id: &str,
        stage: Stage,
    ) -> Result<(), StoreError> {
        self.put_as(bucket, store, &stage.key(store, id)).await
    }

    /// The same, without reading it back: see [`Self::is_told`].
    ///
    /// # Errors
    /// As the server says.
    pub(super) async fn tell(
        &self,
        bucket: &Bucket,
        store: &str,
        id: &str,
        stage: Stage,
    ) -> Result<(), StoreError> {
        let key = stage.key(store, id);
        let text = as_json(&key, &self.written(store))?;
        bucket.put(&key, text).await.map(|_| ())
    }

    /// Makes sure that what was [told](Self::tell) is there.
    ///
    /// # Errors
    /// As the server says, or if it does not read back as it was sent.
    pub(super) async fn is_told(
        &self,
        bucket: &Bucket,
        store: &str,
        id: &str,
        stage: Stage,
    ) -> Result<(), StoreError> {
        let key = stage.key(store, id);
        let text = as_json(&key, &self.written(store))?;
        if reads_back(bucket, &key, &text).await {
            return Ok(());
        }
        put_and_read_back(bucket, &key, text).await
    }

    /// Puts it as the object `key` of the ledger of `store`.
    ///
    /// # Errors
    /// As the server says.
    pub(crate) async fn put_as(
        &self,
        bucket: &Bucket,
        store: &str,
        key: &str,
    ) -> Result<(), StoreError> {
        put_json(bucket, key, &self.written(store)).await
    }

    /// As it is written into the ledger of `store`.
    fn written(&self, store: &str) -> Self {
        let mut entry = self.clone();
        entry.format = if entry.parts.is_empty() {
            FORMAT
        } else {
            PARTS
        };
        for document in entry.all_documents() {
            let below = relative::below(store, &document.key).unwrap_or_default();
            document.key = below.to_owned();
        }
        for (other, _) in entry.rollback.iter_mut().flatten() {
            *other = relative::beside(store, other);
        }
        entry
    }

    /// Reads what is kept for the undoing of the committed transaction `id` of `store`.
    ///
    /// # Errors
    /// As [`Self::read`]; if nothing is kept, that the object is missing.
    pub(crate) async fn kept(bucket: &Bucket, store: &str, id: &str) -> Result<Self, StoreError> {
        let mut kept = Self::read(bucket, store, &layout::addition(store, id)).await;
        if matches!(&kept, Err(error) if error.is_missing()) {
            kept = Self::read(bucket, store, &layout::before(store, id)).await;
        }
        match kept {
            Err(missing) if missing.is_missing() => match merged_addition(bucket, store, id).await?
            {
                Some((key, text)) => Self::parse(text.as_bytes(), store)
                    .map_err(|cause| StoreError::Journal { key, cause }),
                None => Err(missing),
            },
            kept => kept,
        }
    }

    fn all_documents(&mut self) -> impl Iterator<Item = &mut Document> {
        self.documents.iter_mut().chain([&mut self.root])
    }

    /// Reads the entry `key` of `store`.
    ///
    /// # Errors
    /// As the server says, or if it is not an entry that this program can read, or names what is not of the store.
    pub(crate) async fn read(bucket: &Bucket, store: &str, key: &str) -> Result<Self, StoreError> {
        let entry = bucket.get(key).await?;
        Self::parse(&entry, store).map_err(|cause| StoreError::Journal {
            key: key.to_owned(),
            cause,
        })
    }

    /// The entry of `store` with this `text`.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub(super) fn parse(text: &[u8], store: &str) -> Result<Self, String> {
        let mut entry: Self = serde_json::from_slice(text).map_err(|cause| cause.to_string())?;
        let together = std::mem::take(&mut entry.together);
        if entry.format < FORMAT {
            entry.rollback = entry.command.starts_with(ROLLBACK).then_some(together);
        }
        match (entry.format, entry.removes) {
            (FORMAT | PARTS, _) | (WRITES, false) | (REMOVES, true) => entry.resolve(store),
            (WHOLE_KEYS, false) => entry.check(store),
            (other, _) => Err(format!("format {other}, expected {FORMAT}")),
        }?;
        entry.check_arrays()?;
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
        for (other, id) in self.rollback.iter_mut().flatten() {
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
        for array in self.arrays.iter().chain(&self.parts) {
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
    put_and_read_back(bucket, key, as_json(key, value)?).await
}

/// `value` as the object `key`.
fn as_json(key: &str, value: &impl Serialize) -> Result<Bytes, StoreError> {
    match serde_json::to_vec(value) {
        Ok(text) => Ok(text.into()),
        Err(cause) => Err(StoreError::Journal {
            key: key.to_owned(),
            cause: cause.to_string(),
        }),
    }
}
