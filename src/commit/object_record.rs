//! The form in which chunk records are kept in the ledger: JSON, in parts, by the array's name.
//!
//! Key type: [`ObjectRecord`].

use serde::{Deserialize, Serialize};

use crate::transfer::Content;

/// The version of the form.
const FORMAT: u32 = 1;

/// What a transaction left of one object of a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ObjectRecord {
    /// The array's name in the store.
    pub array: String,
    /// Its place in the array's chunk grid.
    pub chunk: Vec<u64>,
    /// What it holds.
    pub content: Content,
}

#[derive(Serialize, Deserialize)]
struct ManifestPart {
    format: u32,
    records: Vec<ObjectRecord>,
}

impl ObjectRecord {
    /// A part of a manifest, as it is put.
    ///
    /// # Errors
    /// If JSON cannot say it.
    pub(crate) fn write(records: Vec<Self>) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(&ManifestPart {
            format: FORMAT,
            records,
        })
    }

    /// The records of a part.
    ///
    /// # Errors
    /// If it is not a part that this program can read.
    pub(crate) fn read(part: &[u8]) -> Result<Vec<Self>, String> {
        let part: ManifestPart = serde_json::from_slice(part).map_err(|cause| cause.to_string())?;
        if part.format != FORMAT {
            return Err(format!("format {}, expected {FORMAT}", part.format));
        }
        Ok(part.records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::Proof;

    #[test]
    fn a_part_reads_back() {
        let record = |chunk, content| ObjectRecord {
            array: "tos".to_owned(),
            chunk: vec![0, chunk],
            content,
        };
        let stored = Content::Stored {
            bytes: 7,
            values_crc32c: 1,
            stored_crc32c: u32::MAX,
            proof: Proof::ReadBack,
        };
        let records = vec![record(0, stored), record(1, Content::Empty)];
        let part = ObjectRecord::write(records.clone()).unwrap();
        assert_eq!(ObjectRecord::read(&part), Ok(records));
        assert!(ObjectRecord::read(br#"{"format": 2, "records": []}"#).is_err());
    }
}
