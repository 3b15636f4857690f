//! The copies that a transaction made of what it replaces, against what the ledger says was there: a damaged one is not put in
//! the place of anything.
//!
//! Key types: [`UndoCopies`]; [`Look`], how hard to look; [`CopyWorth`], what one is good for.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use futures::TryStreamExt;
use msm_zarr::{ChunkCodec, ZarrError, layout};
use serde_json::Value;
use tokio::sync::Semaphore;

use super::copy_fault::{CopyFault, DamagedCopy};
use super::journal::JournalEntry;
use super::known_before::{CopiedObject, KnownBefore};
use crate::store::{Bucket, ListedObject as Listed, StoreError, StoredDigest};
use crate::transfer::Content;

/// Copies in memory that are decoded.
const DECODED: usize = 2;
/// Looks at a copy, before it counts as damaged: an answer may have been.
const LOOKS: usize = 2;

/// How hard to look at a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// At its length, and whether its bytes are damaged: piece by piece, many at a time.
    Bytes,
    /// At its values, too.
    Values,
}

/// What a copy is good for.
pub(super) enum CopyWorth {
    /// It can be put back.
    Sound,
    /// It is damaged, but its object is as it was before.
    NotNeeded,
    /// What was there before is lost.
    Lost(DamagedCopy),
}

/// The copies of one transaction of a store.
pub(super) struct UndoCopies<'a> {
    pub bucket: &'a Bucket,
    pub store: &'a str,
    pub id: &'a str,
    /// All that there are.
    pub all: Vec<Listed>,
    pub known: KnownBefore,
    decoders: Semaphore,
}

impl<'a> UndoCopies<'a> {
    /// Those of the transaction `id` of `store`, which `entry` tells of.
    ///
    /// # Errors
    /// As the server says.
    pub(super) async fn of(
        bucket: &'a Bucket,
        store: &'a str,
        id: &'a str,
        entry: &JournalEntry,
    ) -> Result<Self, StoreError> {
        let folder = layout::undo_copies(store, id);
        let all: Vec<Listed> = bucket.entries(&folder).try_collect().await?;
        // Nothing is asked of it then.
        let known = if all.is_empty() && !entry.removes && !entry.is_addition {
            KnownBefore::default()
        } else {
            KnownBefore::of(bucket, store, id, entry).await?
        };
        Ok(Self {
            bucket,
            store,
            id,
            all,
            known,
            decoders: Semaphore::new(DECODED),
        })
    }

    /// The key of the object that `copy` was made of.
    pub(super) fn object(&self, copy: &Listed) -> String {
        let folder = layout::undo_copies(self.store, self.id);
        let below = copy.key.strip_prefix(&folder).unwrap_or_default();
        format!("{}{below}", self.store)
    }

    /// What is wrong with `copy`, as far as that can be told by this `look`.
    ///
    /// # Errors
    /// As the server says.
    pub(super) async fn fault(
        &self,
        copy: &Listed,
        look: Look,
    ) -> Result<Option<CopyFault>, StoreError> {
        if self.known.names_only {
            return Ok(None);
        }
        let mut fault = self.look(copy, look).await?;
        for _ in 1..LOOKS {
            if fault.is_some() {
                fault = self.look(copy, look).await?;
            }
        }
        Ok(fault)
    }

    /// Is the object that the damaged `copy` was made of as it was before, whatever the copy says?
    ///
    /// # Errors
    /// As the server says.
    pub(super) async fn is_intact(&self, copy: &Listed) -> Result<bool, StoreError> {
        // It is never closed.
        let _permit = self.decoders.acquire().await;
        let object = self.object(copy);
        let CopiedObject { codec, recorded } = self.known.original(self.store, &object);
        let Some(found) = self.stored(&object).await? else {
            // An empty copy says that nothing was there.
            return Ok(copy.bytes == 0 || recorded == Some(Content::Empty));
        };
        let is_recorded = match (recorded, codec) {
            (Some(recorded @ Content::Stored { .. }), Some(codec)) => {
                differs(&found, recorded, Some(codec)).await.is_none()
            }
            _ => false,
        };
        // It may have been like this before it was copied.
        Ok(is_recorded || self.stored(&copy.key).await? == Some(found))
    }

    async fn look(&self, copy: &Listed, look: Look) -> Result<Option<CopyFault>, StoreError> {
        let object = self.object(copy);
        let CopiedObject { codec, recorded } = self.known.original(self.store, &object);
        let fault = match recorded {
            None => return self.undecodable(copy, codec).await,
            Some(Content::Empty) if copy.bytes == 0 => None,
            Some(Content::Empty) => Some(CopyFault::Unexpected { found: copy.bytes }),
            Some(Content::Stored { bytes, .. }) if copy.bytes != bytes => Some(CopyFault::Length {
                found: copy.bytes,
                expected: bytes,
            }),
            Some(recorded @ Content::Stored { stored_crc32c, .. }) => match look {
                Look::Bytes => self.checksum_fault(copy, stored_crc32c).await?,
                Look::Values => {
                    let _permit = self.decoders.acquire().await;
                    match self.stored(&copy.key).await? {
                        Some(stored) => differs(&stored, recorded, codec).await,
                        None => Some(CopyFault::Missing),
                    }
                }
            },
        };
        if fault.is_some() && !self.known.is_sure {
            // Another program may have written it since.
            return self.undecodable(copy, codec).await;
        }
        Ok(fault)
    }

    async fn checksum_fault(
        &self,
        copy: &Listed,
        expected: u32,
    ) -> Result<Option<CopyFault>, StoreError> {
        match self.bucket.checksum(&copy.key).await {
            Ok((_, digest)) => Ok((!digest.is(expected)).then(|| CopyFault::Checksum {
                found: digest.value(),
                expected,
            })),
            Err(error) if error.is_missing() => Ok(Some(CopyFault::Missing)),
            Err(error) => Err(error),
        }
    }

    /// Whether it decodes is all that can be told of a copy that no manifest knows. An empty one says that nothing was there.
    async fn undecodable(
        &self,
        copy: &Listed,
        codec: Option<&Arc<ChunkCodec>>,
    ) -> Result<Option<CopyFault>, StoreError> {
        let is_document = is_document(&copy.key);
        if copy.bytes == 0 || (codec.is_none() && !is_document) {
            return Ok(None);
        }
        let _permit = self.decoders.acquire().await;
        let Some(stored) = self.stored(&copy.key).await? else {
            return Ok(Some(CopyFault::Missing));
        };
        let Some(codec) = codec else {
            let parsed = serde_json::from_slice::<Value>(&stored);
            let cause = parsed.err().map(|cause| cause.to_string());
            return Ok(cause.map(|cause| CopyFault::NoDocument { cause }));
        };
        Ok(values(codec, &stored).await.err())
    }

    /// What would be wrong with a copy of `object`, if it were these bytes.
    pub(super) async fn fault_in(&self, object: &str, stored: &Bytes) -> Option<CopyFault> {
        if self.known.names_only {
            return None;
        }
        let CopiedObject { codec, recorded } = self.known.original(self.store, object);
        let found = stored.len() as u64;
        let fault = match recorded? {
            Content::Empty if stored.is_empty() => None,
            Content::Empty => Some(CopyFault::Unexpected { found }),
            recorded @ Content::Stored { .. } => differs(stored, recorded, codec).await,
        };
        // It decodes, for it was just made.
        fault.filter(|_| self.known.is_sure)
    }

    /// What `copy` is good for when the transaction goes back.
    ///
    /// # Errors
    /// As the server says.
    pub(super) async fn worth(&self, copy: &Listed) -> Result<CopyWorth, StoreError> {
        Ok(match self.fault(copy, Look::Bytes).await? {
            None => CopyWorth::Sound,
            Some(_) if self.is_intact(copy).await? => CopyWorth::NotNeeded,
            Some(fault) => CopyWorth::Lost(DamagedCopy {
                key: copy.key.clone(),
                fault,
            }),
        })
    }

    /// What a transaction that removes objects has made where nothing was, of which there is no copy; and copies that are missing of what
    /// it replaced.
    ///
    /// # Errors
    /// As the server says.
    pub(super) async fn made(&self) -> Result<(Vec<String>, Vec<DamagedCopy>), StoreError> {
        let cuts = layout::cut_objects(self.store, self.id);
        let copied: BTreeSet<String> = self.all.iter().map(|copy| self.object(copy)).collect();
        let (mut made, mut missing) = (Vec::new(), Vec::new());
        for cut in self.bucket.list(&cuts).await? {
            let below = cut.strip_prefix(&cuts).unwrap_or_default();
            let key = format!("{}{below}", self.store);
            if copied.contains(&key) {
                continue;
            }
            match self.known.original(self.store, &key).recorded {
                Some(Content::Stored { .. }) => missing.push(DamagedCopy {
                    key: layout::undo_copy(self.store, self.id, &key),
                    fault: CopyFault::Missing,
                }),
                _ => made.push(key),
            }
        }
        Ok((made, missing))
    }

    /// The object `key`; `None` if there is none.
    async fn stored(&self, key: &str) -> Result<Option<Bytes>, StoreError> {
        match self.bucket.get(key).await {
            Ok(stored) => Ok(Some(stored)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// How `stored` differs from what was `recorded`. In older manifests, the crc32c of bytes does not tell them from others where the codec
/// ends in a crc32c itself.
async fn differs(
    stored: &Bytes,
    recorded: Content,
    codec: Option<&Arc<ChunkCodec>>,
) -> Option<CopyFault> {
    let Content::Stored {
        bytes,
        values_crc32c,
        stored_crc32c,
        ..
    } = recorded
    else {
        return None;
    };
    let length = stored.len() as u64;
    if length != bytes {
        return Some(CopyFault::Length {
            found: length,
            expected: bytes,
        });
    }
    if !StoredDigest::is_of(stored_crc32c, stored) {
        return Some(CopyFault::Checksum {
            found: StoredDigest::of(stored),
            expected: stored_crc32c,
        });
    }
    match values(codec?, stored).await {
        Ok(found) => (found != values_crc32c).then_some(CopyFault::Values {
            found,
            expected: values_crc32c,
        }),
        Err(fault) => Some(fault),
    }
}

/// The crc32c of the values in `stored`.
async fn values(codec: &Arc<ChunkCodec>, stored: &Bytes) -> Result<u32, CopyFault> {
    let (codec, stored) = (Arc::clone(codec), stored.clone());
    let decoded = tokio::task::spawn_blocking(move || {
        let values = codec.decode(&stored)?;
        Ok(codec.checksum(&values))
    });
    let decoded: Result<u32, ZarrError> = match decoded.await {
        Ok(decoded) => decoded,
        Err(panicked) => std::panic::resume_unwind(panicked.into_panic()),
    };
    decoded.map_err(|cause| CopyFault::Undecodable {
        cause: match cause {
            ZarrError::Coding { cause, .. } => cause,
            other => other.to_string(),
        },
    })
}

fn is_document(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or_default();
    name == "zarr.json" || name.starts_with(".z")
}
