//! Ledgers before and after they are merged, in directories.

use super::*;
use crate::commit::committed::CommittedTransactions;
use crate::commit::journal::Document;
use crate::commit::manifests::{ManifestRecords, read_manifests, tests::put_part};
use crate::commit::unmerge::unmerge;
use crate::commit::{JournalEntry, LastTransaction, Writer};
use crate::store::loopback;
use crate::transfer::{Content, Proof};

const STORE: &str = "T1m/tos.zarr";

fn id(number: u64) -> String {
    format!("{number:08}-{:08x}", number * 7_654_321)
}

/// What a transaction leaves that adds one object and overwrites the first.
async fn commit(bucket: &Bucket, number: u64) {
    let id = id(number);
    let record = |chunk, bytes| ObjectRecord {
        array: "tos".to_owned(),
        chunk: vec![chunk],
        content: Content::Stored {
            bytes,
            values_crc32c: 1,
            stored_crc32c: 2,
            proof: Proof::ReadBack,
        },
    };
    put_part(
        bucket,
        STORE,
        &id,
        vec![record(number, 5), record(0, number)],
    )
    .await;
    let root = |of: u64| format!("{{\"steps\": {of}}}");
    let document = Document {
        key: format!("{STORE}/zarr.json"),
        before: Some(root(number - 1)),
        after: root(number),
    };
    let writer = Writer {
        name: "send".to_owned(),
        lock_dir: None,
    };
    let mut entry = JournalEntry::new("send", &writer, "", document);
    entry.is_addition = true;
    let key = layout::addition(STORE, &id);
    entry.put_as(bucket, STORE, &key).await.unwrap();
    let last = LastTransaction::of_documents(number, "send", &root(number), None);
    let last = serde_json::to_vec(&last).unwrap();
    bucket
        .put(&layout::transaction(STORE, &id), last.into())
        .await
        .unwrap();
}

/// All that is asked of a ledger.
async fn told(bucket: &Bucket) -> (ManifestRecords, Vec<String>, Vec<String>) {
    let committed = CommittedTransactions::of(bucket, STORE).await.unwrap();
    let undoable = committed.undoable().cloned().collect();
    assert_eq!(committed.damaged, []);
    (
        read_manifests(bucket, STORE).await.unwrap(),
        committed.ids,
        undoable,
    )
}

async fn objects(bucket: &Bucket) -> BTreeMap<String, bytes::Bytes> {
    let mut all = BTreeMap::new();
    for key in bucket.list(&layout::ledger(STORE)).await.unwrap() {
        all.insert(key.clone(), bucket.get(&key).await.unwrap());
    }
    all
}

#[test]
fn it_is_due_every_few_transactions() {
    assert!(!is_due(3, 4) && is_due(7, 8) && !is_due(8, 11) && is_due(9, 1000));
    assert!(!is_due(8, 8));
}

#[tokio::test]
async fn a_ledger_grows_slowly_and_says_what_it_said() {
    let [directory, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let (bucket, plain) = (
        loopback::directory(directory.path()),
        loopback::directory(other.path()),
    );
    for number in 1..=120 {
        for bucket in [&bucket, &plain] {
            commit(bucket, number).await;
        }
        if is_due(number - 1, number) {
            merge_ledger(&bucket, STORE).await.unwrap();
        }
        let count = bucket.list(&layout::ledger(STORE)).await.unwrap().len();
        let most = if number < 8 { 21 } else { 3 * 4 + 2 * 3 };
        assert!(count <= most, "{count} objects of {number} transactions");
    }
    assert_eq!(told(&bucket).await, told(&plain).await);
    for number in [1, 77, 119, 120] {
        let [one, other] = [&bucket, &plain].map(async |bucket| {
            JournalEntry::kept(bucket, STORE, &id(number))
                .await
                .unwrap()
        });
        assert_eq!(one.await, other.await);
    }
    let before = JournalEntry::kept(&bucket, STORE, "00000077-00000000").await;
    assert!(before.unwrap_err().is_missing());
    let known = read_manifests_of_both(&bucket, &plain, &id(50)).await;
    assert_eq!(known[0], known[1]);
    assert_eq!(known[0].objects["tos"].len(), 50);
}

async fn read_manifests_of_both(
    bucket: &Bucket,
    plain: &Bucket,
    next: &str,
) -> [ManifestRecords; 2] {
    use crate::commit::manifests::{Meant, read_manifests_of};
    let mut both = [ManifestRecords::default(), ManifestRecords::default()];
    for (known, bucket) in both.iter_mut().zip([bucket, plain]) {
        *known = read_manifests_of(bucket, STORE, Meant::Before(next))
            .await
            .unwrap();
    }
    both
}

#[tokio::test]
async fn what_a_job_leaves_that_dies_says_the_same_and_goes_with_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let bucket = loopback::directory(directory.path());
    let mut before = BTreeMap::new();
    for number in 1..=12 {
        commit(&bucket, number).await;
        if number == 8 {
            merge_ledger(&bucket, STORE).await.unwrap();
        }
    }
    before.extend(objects(&bucket).await);
    let expected = told(&bucket).await;
    merge_ledger(&bucket, STORE).await.unwrap();
    let after = objects(&bucket).await;
    let gone: Vec<&String> = before
        .keys()
        .filter(|key| !after.contains_key(*key))
        .collect();
    assert!(gone.len() > 10, "{gone:?}");
    // Whatever of it is still there.
    for left in [0, 1, gone.len() / 2, gone.len() - 1] {
        for key in &gone[left..] {
            bucket.put(key, before[*key].clone()).await.unwrap();
        }
        assert_eq!(told(&bucket).await, expected);
        merge_ledger(&bucket, STORE).await.unwrap();
        assert_eq!(objects(&bucket).await, after);
    }
}

#[tokio::test]
async fn what_is_undone_gets_objects_of_its_own_again() {
    let directory = tempfile::tempdir().unwrap();
    let bucket = loopback::directory(directory.path());
    let mut states = Vec::new();
    for number in 1..=12 {
        commit(&bucket, number).await;
        states.push(told(&bucket).await);
    }
    let own = objects(&bucket).await;
    merge_ledger(&bucket, STORE).await.unwrap();
    let expected = told(&bucket).await;
    unmerge(&bucket, STORE, &id(6)).await.unwrap();
    assert_eq!(told(&bucket).await, expected);
    // As a rollback does it, from the last one on.
    for number in (6..=12).rev() {
        let id = id(number);
        let addition = layout::addition(STORE, &id);
        assert_eq!(bucket.get(&addition).await.unwrap(), own[&addition]);
        bucket
            .delete(&layout::transaction(STORE, &id))
            .await
            .unwrap();
        for key in bucket.list(&layout::manifest(STORE, &id)).await.unwrap() {
            bucket.delete(&key).await.unwrap();
        }
        bucket.delete(&addition).await.unwrap();
        assert_eq!(told(&bucket).await, states[number as usize - 2]);
    }
    // One more merge has nothing to do.
    let rest = objects(&bucket).await;
    merge_ledger(&bucket, STORE).await.unwrap();
    assert_eq!(objects(&bucket).await, rest);
}

#[tokio::test]
async fn what_is_damaged_kept_or_large_stays_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let bucket = loopback::directory(directory.path());
    for number in 1..=16 {
        commit(&bucket, number).await;
    }
    let put = async |key: String, text: &str| {
        bucket.put(&key, text.to_owned().into()).await.unwrap();
        key
    };
    let damaged = put(layout::addition(STORE, &id(4)), "{").await;
    let kept = layout::undo_copy(STORE, &id(8), &format!("{STORE}/tos/c/0"));
    put(kept.clone(), "copy").await;
    let large = "x".repeat(MOST_OF_ONE as usize);
    put(
        format!("{}/big-0", layout::manifest(STORE, &id(12))),
        &large,
    )
    .await;
    let expected = told(&bucket).await;
    merge_ledger(&bucket, STORE).await.unwrap();
    let found = told(&bucket).await;
    assert_eq!(
        (&found.0.committed, &found.0.objects),
        (&expected.0.committed, &expected.0.objects)
    );
    let left = objects(&bucket).await;
    for key in [damaged, kept] {
        assert!(left.contains_key(&key), "{key}");
    }
    let own = |number| left.contains_key(&layout::addition(STORE, &id(number)));
    let own: Vec<u64> = (1..=16).filter(|&number| own(number)).collect();
    assert_eq!(own, [4, 8, 12, 16]);
}
