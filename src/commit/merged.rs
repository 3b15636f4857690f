//! What many committed transactions left in a ledger, in one object: their records, what they are undone by, and their manifests, each
//! text as it was.
//!
//! Key types: [`MergedKey`], where such an object is; [`MergedTransaction`], what it says of one transaction.
//!
//! It lies with the manifest of the last of its transactions, which keeps a record of its own, and counts as long as that is there. As the
//! transactions of a store are undone from the last one on, what it says of those before is true until then, however late it was put, and
//! whatever else says the same. Versions of this program that do not know it find a manifest that they cannot read.

use std::collections::BTreeMap;
use std::io::Read;

use data_encoding::BASE64;
use msm_zarr::{ZarrError, layout};
use serde::{Deserialize, Serialize};

use super::ledger::LastTransaction;
use super::object_record::ObjectRecord;
use super::put::put_and_read_back;
use super::transaction_id::is_id;
use crate::store::{Bucket, StoreError};

/// The version of the form. That of other parts of manifests is 1.
const FORMAT: u32 = 2;
/// Bytes of its texts at most.
pub(super) const MOST_BYTES: u64 = 16 << 20;
/// The same, with what it takes to write them down.
const MOST_WRITTEN: u64 = 4 * MOST_BYTES;
/// How hard it is compressed: what one transaction says is nearly what the one before said.
const LEVEL: i32 = 3;
/// What its name begins with; those of other parts of manifests do not.
const PREFIX: &str = "merged-";

/// The key of a merged object, and what that tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MergedKey {
    pub key: String,
    /// The ids of its first and its last transaction.
    pub first: String,
    pub last: String,
    /// Bytes of its texts.
    pub bytes: u64,
}

/// What a committed transaction left in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MergedTransaction {
    pub id: String,
    /// When its record was put, by the server's clock.
    pub put: String,
    /// Its record.
    pub record: String,
    /// What it is undone by, if it only added to the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub addition: Option<String>,
    /// The parts of its manifest, by their names.
    pub manifest: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
struct MergedObject {
    format: u32,
    /// Empty: what else is a part of a manifest has some.
    records: Vec<ObjectRecord>,
    /// The transactions: JSON, compressed by zstd with its checksum, in base 64.
    merged: String,
}

impl MergedKey {
    /// What the name of this part of the manifest of `id` tells; `None` if it is no merged object.
    pub(super) fn of(store: &str, id: &str, key: &str) -> Option<Self> {
        let below = key.strip_prefix(&layout::manifest(store, id))?;
        let name = below.strip_prefix('/')?.strip_prefix(PREFIX)?;
        let (first, bytes) = name.rsplit_once('-')?;
        let bytes = bytes.parse().ok()?;
        let is_sound = is_id(first) && is_id(id) && first <= id && bytes <= MOST_BYTES;
        is_sound.then(|| Self {
            key: key.to_owned(),
            first: first.to_owned(),
            last: id.to_owned(),
            bytes,
        })
    }

    /// That of these transactions; `None` if there are none, or more than one object holds.
    pub(super) fn new(store: &str, all: &[MergedTransaction]) -> Option<Self> {
        let (first, last) = (&all.first()?.id, &all.last()?.id);
        let bytes = all.iter().map(MergedTransaction::bytes).sum();
        (bytes <= MOST_BYTES).then(|| Self {
            key: format!("{}/{PREFIX}{first}-{bytes}", layout::manifest(store, last)),
            first: first.clone(),
            last: last.clone(),
            bytes,
        })
    }

    /// Does it tell of the transaction `id`, if that was committed?
    pub(super) fn covers(&self, id: &str) -> bool {
        self.first.as_str() <= id && id <= self.last.as_str()
    }

    /// The transactions.
    ///
    /// # Errors
    /// As the server says; that it cannot be read is in the answer.
    pub(super) async fn read(
        &self,
        bucket: &Bucket,
    ) -> Result<Result<Vec<MergedTransaction>, String>, StoreError> {
        let found = bucket.get(&self.key).await?;
        Ok(self.decode(&found))
    }

    /// The transactions in these bytes of it.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(super) fn decode(&self, found: &[u8]) -> Result<Vec<MergedTransaction>, String> {
        self.check(decode(found)?)
    }

    /// The same.
    ///
    /// # Errors
    /// As the server says, or if it cannot be read.
    pub(super) async fn read_whole(
        &self,
        bucket: &Bucket,
    ) -> Result<Vec<MergedTransaction>, StoreError> {
        self.read(bucket).await?.map_err(|cause| {
            let key = self.key.clone();
            ZarrError::Damaged { key, cause }.into()
        })
    }

    /// Is it what its key says?
    fn check(&self, all: Vec<MergedTransaction>) -> Result<Vec<MergedTransaction>, String> {
        let strange = |one: &&MergedTransaction| !one.is_sound();
        if let Some(strange) = all.iter().find(strange) {
            return Err(format!("it names a transaction {:?}", strange.id));
        }
        let is_sorted = all.is_sorted_by(|one, next| one.id < next.id);
        let bytes: u64 = all.iter().map(MergedTransaction::bytes).sum();
        let ends = [all.first(), all.last()].map(|end| end.map(|end| &end.id));
        if !is_sorted || ends != [Some(&self.first), Some(&self.last)] || bytes != self.bytes {
            return Err("it does not hold the transactions that its name says".to_owned());
        }
        Ok(all)
    }
}

impl MergedTransaction {
    /// Bytes of its texts.
    pub(super) fn bytes(&self) -> u64 {
        let parts = self.manifest.values().map(String::len).sum::<usize>();
        let addition = self.addition.as_ref().map_or(0, String::len);
        (self.record.len() + addition + parts) as u64
    }

    /// Can it be one? Then its texts may be put below its own keys.
    pub(super) fn is_sound(&self) -> bool {
        let is_name = |name: &String| {
            layout::is_plain(name) && !name.contains('/') && !name.starts_with(PREFIX)
        };
        is_id(&self.id)
            && serde_json::from_str::<LastTransaction>(&self.record).is_ok()
            && self.manifest.keys().all(is_name)
    }

    /// The key of a part of its manifest in the ledger of `store`.
    pub(super) fn part(&self, store: &str, name: &str) -> String {
        format!("{}/{name}", layout::manifest(store, &self.id))
    }

    /// The keys of its objects in the ledger of `store`, as they were before, with what they hold; its record comes last.
    pub(super) fn objects(&self, store: &str) -> Vec<(String, String)> {
        let parts = self.manifest.iter();
        let parts = parts.map(|(name, text)| (self.part(store, name), text.clone()));
        let addition = self.addition.iter();
        let addition = addition.map(|text| (layout::addition(store, &self.id), text.clone()));
        let record = (layout::transaction(store, &self.id), self.record.clone());
        parts.chain(addition).chain([record]).collect()
    }
}

/// Puts `all`, the transactions of one object; returns its key, or `None` if they cannot be one.
///
/// # Errors
/// As the server says, or if they would not be read as they are.
pub(super) async fn put_merged(
    bucket: &Bucket,
    store: &str,
    all: &[MergedTransaction],
) -> Result<Option<MergedKey>, StoreError> {
    let Some(key) = MergedKey::new(store, all) else {
        return Ok(None);
    };
    let text = encode(all).and_then(|text| {
        let is_same = key.decode(&text)? == all;
        let unlike = || "it does not read as it was written".to_owned();
        is_same.then_some(text).ok_or_else(unlike)
    });
    let text = text.map_err(|cause| StoreError::Journal {
        key: key.key.clone(),
        cause,
    })?;
    put_and_read_back(bucket, &key.key, text.into()).await?;
    Ok(Some(key))
}

fn encode(all: &[MergedTransaction]) -> Result<Vec<u8>, String> {
    let failed = |cause: std::io::Error| cause.to_string();
    let mut encoder = zstd::Encoder::new(Vec::new(), LEVEL).map_err(failed)?;
    encoder.include_checksum(true).map_err(failed)?;
    serde_json::to_writer(&mut encoder, all).map_err(|cause| cause.to_string())?;
    let merged = BASE64.encode(&encoder.finish().map_err(failed)?);
    let object = MergedObject {
        format: FORMAT,
        records: Vec::new(),
        merged,
    };
    serde_json::to_vec(&object).map_err(|cause| cause.to_string())
}

/// What no text says is allocated before compressed bytes bear it out.
fn decode(bytes: &[u8]) -> Result<Vec<MergedTransaction>, String> {
    let object: MergedObject = serde_json::from_slice(bytes).map_err(|cause| cause.to_string())?;
    if object.format != FORMAT {
        return Err(format!("format {}, expected {FORMAT}", object.format));
    }
    let packed = BASE64.decode(object.merged.as_bytes());
    let packed = packed.map_err(|cause| cause.to_string())?;
    let mut whole = Vec::new();
    let decoder = zstd::Decoder::new(&packed[..]).map_err(|cause| cause.to_string())?;
    let read = decoder.take(MOST_WRITTEN + 1).read_to_end(&mut whole);
    read.map_err(|cause| cause.to_string())?;
    if whole.len() as u64 > MOST_WRITTEN {
        return Err(format!("it holds more than {MOST_WRITTEN} bytes"));
    }
    serde_json::from_slice(&whole).map_err(|cause| cause.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commit::JournalEntry;

    const STORE: &str = "T1m/tos.zarr";

    fn one(id: &str) -> MergedTransaction {
        let record = LastTransaction::of_documents(1, "send", "{}", None);
        let part = ObjectRecord::write(Vec::new()).unwrap();
        MergedTransaction {
            id: id.to_owned(),
            put: "1976-01-01T00:00:00Z".to_owned(),
            record: serde_json::to_string(&record).unwrap(),
            addition: Some("{}".to_owned()),
            manifest: [("0-0".to_owned(), String::from_utf8(part).unwrap())].into(),
        }
    }

    fn two() -> (MergedKey, Vec<MergedTransaction>) {
        let all = ["00000001-0123abcd", "00000002-0123abcd"].map(one).to_vec();
        (MergedKey::new(STORE, &all).unwrap(), all)
    }

    #[test]
    fn it_reads_back_and_its_key_tells_of_it() {
        let (key, all) = two();
        let text = encode(&all).unwrap();
        assert_eq!(key.decode(&text), Ok(all));
        let found = MergedKey::of(STORE, &key.last, &key.key).unwrap();
        assert_eq!(found, key);
        assert!(key.covers("00000001-0123abcd") && !key.covers("00000003-0123abcd"));
        for name in [
            "0-0",
            "merged-",
            "merged-00000009-0123abcd-7",
            "merged-1-7",
            "merged-00000001-0123abcd-x",
        ] {
            let other = format!("{}/{name}", layout::manifest(STORE, &key.last));
            assert_eq!(MergedKey::of(STORE, &key.last, &other), None, "{name}");
        }
    }

    /// A manifest of this form as it was kept, and its key.
    fn kept(text: &str) -> (String, Vec<u8>) {
        let kept: serde_json::Value = serde_json::from_str(text).unwrap();
        let key = kept["key"].as_str().unwrap();
        let object = serde_json::to_vec(&kept["object"]).unwrap();
        (format!("{}/{key}", layout::ledger(STORE)), object)
    }

    #[test]
    fn both_forms_of_manifests_are_read() {
        let (_, part) = kept(include_str!("../../tests/data/manifests/1-part.json"));
        let first = ObjectRecord::read(&part).unwrap();
        let (key, merged) = kept(include_str!("../../tests/data/manifests/2-merged.json"));
        let key = MergedKey::of(STORE, "00000003-7be2a190", &key).unwrap();
        let all = key.decode(&merged).unwrap();
        let undone_by = |one: &MergedTransaction| {
            let addition = one.addition.as_ref()?;
            JournalEntry::parse(addition.as_bytes(), STORE).ok()
        };
        let undone_by: Vec<_> = all.iter().map(undone_by).collect();
        assert!(undone_by[0].is_none() && undone_by[2].as_ref().unwrap().is_addition);
        assert_eq!(
            ObjectRecord::read(all[0].manifest["0-0"].as_bytes()),
            Ok(first)
        );
        assert_eq!(
            (all.len(), all[1].put.as_str()),
            (3, "2026-11-27T21:52:22Z")
        );
    }

    #[test]
    fn who_does_not_know_it_refuses_it() {
        let (_, all) = two();
        let refused = ObjectRecord::read(&encode(&all).unwrap()).unwrap_err();
        assert_eq!(refused, "format 2, expected 1");
    }

    #[test]
    fn no_bit_of_it_is_believed() {
        let (key, all) = two();
        let text = encode(&all).unwrap();
        for bit in 0..8 * text.len() {
            let mut flipped = text.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            // Of base 64, the last few bits may say nothing.
            if let Ok(read) = key.decode(&flipped) {
                assert_eq!(read, all, "bit {bit}");
            }
        }
        for end in 0..text.len() {
            assert!(key.decode(&text[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn what_it_names_is_of_its_own_store() {
        let (key, all) = two();
        let with = |change: &dyn Fn(&mut Vec<MergedTransaction>)| {
            let mut all = all.clone();
            change(&mut all);
            let bytes = all.iter().map(MergedTransaction::bytes).sum();
            let key = MergedKey {
                bytes,
                ..key.clone()
            };
            key.decode(&encode(&all).unwrap())
        };
        assert!(with(&|_| {}).is_ok());
        for id in ["../../other", "00000002", ""] {
            assert!(with(&|all| all[1].id = id.to_owned()).is_err(), "{id}");
        }
        for name in ["..", "a/b", "", "merged-00000001-0123abcd-1"] {
            let put = |all: &mut Vec<MergedTransaction>| {
                all[0].manifest.insert(name.to_owned(), String::new());
            };
            assert!(with(&put).is_err(), "{name}");
        }
        assert!(with(&|all| all.reverse()).is_err());
        assert!(with(&|all| all.truncate(1)).is_err());
        assert!(with(&|all| all[0].record.clear()).is_err());
        let mut other = key.clone();
        other.bytes += 1;
        assert!(other.decode(&encode(&all).unwrap()).is_err());
    }

    #[test]
    fn what_would_not_end_is_not_held() {
        let (key, _) = two();
        let zeros = std::io::repeat(b' ').take(MOST_WRITTEN + 2);
        let packed = zstd::encode_all(zeros, LEVEL).unwrap();
        let object = MergedObject {
            format: FORMAT,
            records: Vec::new(),
            merged: BASE64.encode(&packed),
        };
        let refused = key.decode(&serde_json::to_vec(&object).unwrap());
        assert_eq!(
            refused,
            Err(format!("it holds more than {MOST_WRITTEN} bytes"))
        );
    }
}
