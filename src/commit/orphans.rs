//! What lies in a store and its ledger that no transaction owns: what a job left that died where no journal tells of it.

use std::collections::BTreeSet;

use futures::TryStreamExt;
use msm_zarr::{KeyMeaning, ObjectKind, Version, ZarrError, layout};

use super::manifests::{first_below, read_manifests};
use super::transaction_id::is_id;
use crate::store::{Bucket, ListedObject, StoreError, read_metadata};

/// The objects of `store` that are ours by their keys and that neither its metadata nor a committed manifest knows, and
/// those of its ledger that belong to a transaction which neither was committed nor is in the journal. While there is a
/// journal, only those of the ledger: which objects are its, it alone knows.
///
/// # Errors
/// If the server does not list or give what is there, if a manifest is damaged, or if what lies at the store's place is
/// not a store that this program can read.
pub(crate) async fn orphans(bucket: &Bucket, store: &str) -> Result<Vec<ListedObject>, StoreError> {
    // Listed first: what a job put by then is in its journal, or else in the metadata, when those are read.
    let ours: Vec<ListedObject> = bucket
        .entries(store)
        .try_filter(|entry| std::future::ready(is_ours(store, &entry.key)))
        .try_collect()
        .await?;
    let mut of_ledger = Vec::new();
    for folder in [
        layout::manifests(store),
        layout::undos(store),
        layout::additions(store),
    ] {
        let entries: Vec<ListedObject> = bucket.entries(&folder).try_collect().await?;
        of_ledger.extend(entries.into_iter().filter_map(|entry| {
            let id = first_below(&folder, &entry.key)?.to_owned();
            is_id(&id).then_some((id, entry))
        }));
    }
    let journals = layout::journals(store);
    let listed = bucket.list(&journals).await?;
    let open: BTreeSet<&str> = listed
        .iter()
        .filter_map(|key| first_below(&journals, key)?.split('.').next())
        .collect();
    let kept = read_manifests(bucket, store).await?;
    let mut orphans = Vec::new();
    for (id, entry) in of_ledger {
        if !open.contains(id.as_str()) && kept.committed.binary_search(&id).is_err() {
            orphans.push(entry);
        }
    }
    if !listed.is_empty() {
        return Ok(orphans);
    }
    let kept = kept.whole()?;
    let known = read_metadata(bucket, store).await?;
    match &known {
        Some(known) => refuse_two_versions(store, known.version, &ours)?,
        None => refuse_unconsolidated(store, &ours)?,
    }
    for entry in ours {
        let is_known = match &known {
            None => false,
            Some(known) => match known.meaning_of(&entry.key) {
                KeyMeaning::Document => true,
                KeyMeaning::Object {
                    array,
                    chunk,
                    inside,
                } => inside || kept.get(array, &chunk).is_some(),
                KeyMeaning::Other => is_root(store, &entry.key),
            },
        };
        if !is_known {
            orphans.push(entry);
        }
    }
    Ok(orphans)
}

/// Without its root document, a store of another tool may still be whole.
fn refuse_unconsolidated(store: &str, ours: &[ListedObject]) -> Result<(), ZarrError> {
    let group = layout::below(store, ".zgroup");
    if ours.iter().all(|entry| entry.key != group) {
        return Ok(());
    }
    Err(ZarrError::Foreign {
        store: store.to_owned(),
        problem: "it has a .zgroup but no .zmetadata: it may be another tool's, and whole; delete it if it is not".to_owned(),
    })
}

/// A store can have documents of both versions; which objects those of the other one know, is not looked at.
fn refuse_two_versions(
    store: &str,
    version: Version,
    ours: &[ListedObject],
) -> Result<(), ZarrError> {
    let others: &[&str] = match version {
        Version::V2 => &["zarr.json"],
        Version::V3 => &[".zmetadata", ".zgroup", ".zarray"],
    };
    let name =
        |entry: &&ListedObject| others.contains(&entry.key.rsplit('/').next().unwrap_or_default());
    let Some(other) = ours.iter().find(name) else {
        return Ok(());
    };
    Err(ZarrError::Foreign {
        store: store.to_owned(),
        problem: format!(
            "it is of Zarr version {version}, but '{}' is of the other: what the two know of is not told apart",
            other.key
        ),
    })
}

fn is_ours(store: &str, key: &str) -> bool {
    matches!(
        ObjectKind::of(store, key),
        ObjectKind::Part | ObjectKind::Root(_)
    )
}

fn is_root(store: &str, key: &str) -> bool {
    matches!(ObjectKind::of(store, key), ObjectKind::Root(_))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commit::manifests::tests::put_part;
    use crate::commit::object_record::ObjectRecord;
    use crate::store::loopback;
    use crate::transfer::Content;
    use serde_json::json;

    const STORE: &str = "T1m/tos.zarr";
    const IDS: [&str; 3] = [
        "00000001-0123abcd",
        "00000002-0123abcd",
        "00000003-0123abcd",
    ];

    async fn scene(directory: &std::path::Path) -> Bucket {
        let bucket = loopback::directory(directory);
        let array = json!({
            "zarr_format": 3, "node_type": "array", "shape": [2], "data_type": "uint8",
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1]}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
            "fill_value": 0, "codecs": [{"name": "bytes"}], "attributes": {},
        });
        let root = json!({
            "zarr_format": 3, "node_type": "group", "attributes": {},
            "consolidated_metadata": {"metadata": {"tos": array}},
        });
        for (key, text) in [
            ("zarr.json", root.to_string()),
            ("tos/zarr.json", array.to_string()),
            ("tos/c/0", "x".to_owned()),
            ("tos/c/2", "in a manifest".to_owned()),
            ("tos/c/3", "in none".to_owned()),
            ("sos/c/0", "of no array".to_owned()),
            ("notes.txt", "foreign".to_owned()),
            ("tos/notes.txt", "foreign".to_owned()),
        ] {
            let key = format!("{STORE}/{key}");
            bucket.put(&key, text.into()).await.unwrap();
        }
        for id in IDS {
            let record = ObjectRecord {
                array: "tos".to_owned(),
                chunk: vec![2],
                content: Content::Empty,
            };
            put_part(&bucket, STORE, id, vec![record]).await;
            let undo = format!("{}/before", layout::undo(STORE, id));
            bucket.put(&undo, "{}".into()).await.unwrap();
        }
        let committed = format!("{}/{}", layout::transactions(STORE), IDS[0]);
        bucket.put(&committed, "{}".into()).await.unwrap();
        bucket
    }

    async fn keys(bucket: &Bucket) -> Vec<String> {
        let found = orphans(bucket, STORE).await.unwrap();
        let mut keys: Vec<String> = found.into_iter().map(|entry| entry.key).collect();
        keys.sort_unstable();
        keys
    }

    fn in_ledger(id: &str) -> [String; 2] {
        [
            format!("T1m/.msm-os/tos.zarr/manifests/{id}/0-0"),
            format!("T1m/.msm-os/tos.zarr/undo/{id}/before"),
        ]
    }

    #[tokio::test]
    async fn what_no_transaction_owns() {
        let directory = tempfile::tempdir().unwrap();
        let bucket = scene(directory.path()).await;
        let mut expected = [in_ledger(IDS[1]), in_ledger(IDS[2])].concat();
        expected.extend(["sos/c/0", "tos/c/3"].map(|key| format!("{STORE}/{key}")));
        expected.sort_unstable();
        assert_eq!(keys(&bucket).await, expected);

        // Without a root document nothing of it is seen, and nothing foreign goes.
        let root = format!("{STORE}/zarr.json");
        bucket.delete(&root).await.unwrap();
        let without = keys(&bucket).await;
        assert_eq!(without.len(), expected.len() + 3, "{without:?}");
        assert!(without.iter().all(|key| !key.ends_with("notes.txt")));

        // While there is a journal, the objects may be its.
        let journal = format!("{}/{}.open", layout::journals(STORE), IDS[2]);
        bucket.put(&journal, "{}".into()).await.unwrap();
        assert_eq!(keys(&bucket).await, in_ledger(IDS[1]));
        bucket.delete(&journal).await.unwrap();

        let group = format!("{STORE}/.zgroup");
        bucket.put(&group, "{}".into()).await.unwrap();
        assert!(orphans(&bucket, STORE).await.is_err());
    }

    #[tokio::test]
    async fn a_damaged_manifest_may_know_them() {
        let directory = tempfile::tempdir().unwrap();
        let bucket = scene(directory.path()).await;
        let part = &in_ledger(IDS[0])[0];
        bucket.put(part, "{".into()).await.unwrap();
        let refused = orphans(&bucket, STORE).await.unwrap_err();
        assert!(refused.to_string().contains(part), "{refused}");
    }
    #[tokio::test]
    async fn documents_of_the_other_version_may_know_them() {
        let directory = tempfile::tempdir().unwrap();
        let bucket = scene(directory.path()).await;
        let other = format!("{STORE}/tos/.zarray");
        bucket.put(&other, "{}".into()).await.unwrap();
        let refused = orphans(&bucket, STORE).await.unwrap_err();
        assert!(refused.to_string().contains(&other), "{refused}");
    }
}
