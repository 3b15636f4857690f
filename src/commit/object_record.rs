//! The form in which chunk records are kept in the ledger: JSON, in parts, by the array's name.
//!
//! Key type: [`ObjectRecord`].

use serde::{Deserialize, Serialize};

use crate::transfer::{Content, Proof};

/// The version of the form.
const FORMAT: u32 = 1;

/// What a transaction left of one object of a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "WrittenRecord", into = "WrittenRecord")]
pub(crate) struct ObjectRecord {
    /// The array's name in the store.
    pub array: String,
    /// Its place in the array's chunk grid.
    pub chunk: Vec<u64>,
    /// What it holds.
    pub content: Content,
}

/// A record as it is written.
#[derive(Clone, Serialize, Deserialize)]
struct WrittenRecord {
    array: String,
    chunk: Vec<u64>,
    content: Content,
    /// Did the server prove it? Versions that do not know of that take the object for one that was not verified.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    by_server: bool,
}

impl From<ObjectRecord> for WrittenRecord {
    fn from(record: ObjectRecord) -> Self {
        let by_server = record.content.is_proven(Proof::Server);
        let content = record.content;
        Self {
            array: record.array,
            chunk: record.chunk,
            content: if by_server {
                content.proven(Proof::Unproven)
            } else {
                content
            },
            by_server,
        }
    }
}

impl From<WrittenRecord> for ObjectRecord {
    fn from(written: WrittenRecord) -> Self {
        let content = written.content;
        Self {
            array: written.array,
            chunk: written.chunk,
            content: if written.by_server {
                content.proven(Proof::Server)
            } else {
                content
            },
        }
    }
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
        let by_server = stored.proven(Proof::Server);
        let records = vec![
            record(0, stored),
            record(1, Content::Empty),
            record(2, by_server),
        ];
        let part = ObjectRecord::write(records.clone()).unwrap();
        assert_eq!(ObjectRecord::read(&part), Ok(records));
        // Older versions do not know that a server can prove an object.
        let part = String::from_utf8(part).unwrap();
        assert_eq!(part.matches(r#""by_server":true"#).count(), 1);
        assert_eq!(part.matches(r#""proof":"Unproven""#).count(), 1);
        assert!(!part.contains(r#""Server""#) && !part.contains("false"));
        assert!(ObjectRecord::read(br#"{"format": 2, "records": []}"#).is_err());
    }
}
