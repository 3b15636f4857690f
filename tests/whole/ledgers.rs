//! Ledgers made by hand: the manifests that a transaction would have left of the stores that are there.

use std::collections::BTreeSet;

use msm_os::commit::{KeptRecord, write_manifest};
use msm_os::store::{Bucket, Known, layout};
use msm_os::transfer::{Content, Proof};

/// The id of the transaction that [`record`] makes up.
pub const ID: &str = "00000001-0123abcd";

/// Puts a manifest of all objects of `store`, in the bucket at `url`, into its ledger, as if two ranks had written them.
pub fn record(url: &str, store: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(record_in(&bucket(url), store));
}

pub fn bucket(url: &str) -> Bucket {
    Bucket::open(&url.parse().unwrap(), None).unwrap()
}

async fn record_in(bucket: &Bucket, store: &str) {
    for key in bucket.list(&layout::ledger(store)).await.unwrap() {
        bucket.delete(&key).await.unwrap();
    }
    let known = Known::read(bucket, store).await.unwrap().unwrap();
    let listed: BTreeSet<String> = bucket.list(store).await.unwrap().into_iter().collect();
    let mut records = Vec::new();
    for (name, array) in &known.arrays {
        let stored = &array.stored;
        let mut chunks = vec![Vec::new()];
        for (&length, &chunk) in stored.shape.iter().zip(&stored.chunk) {
            let longer = |prefix: Vec<u64>| {
                let ends = 0..length.div_ceil(chunk);
                ends.map(move |i| [&prefix[..], &[i]].concat())
            };
            chunks = chunks.into_iter().flat_map(longer).collect();
        }
        for chunk in chunks {
            let key = array.codec.key(store, &chunk);
            let content = if listed.contains(&key) {
                let bytes = bucket.get(&key).await.unwrap();
                let values = array.codec.decode(&bytes).unwrap();
                Content::Stored {
                    bytes: bytes.len() as u64,
                    values_crc32c: array.codec.checksum(&values),
                    stored_crc32c: crc32c::crc32c(&bytes),
                    proof: Proof::ReadBack,
                }
            } else {
                Content::Empty
            };
            records.push(KeptRecord {
                array: name.clone(),
                chunk,
                content,
            });
        }
    }
    let half = records.split_off(records.len() / 2);
    for (rank, records) in [records, half].into_iter().enumerate() {
        write_manifest(bucket, store, ID, rank, records)
            .await
            .unwrap();
    }
    let committed = format!("{}/{ID}", layout::transactions(store));
    bucket.put(&committed, "{}".into()).await.unwrap();
}
