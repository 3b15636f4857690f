//! What every kind of bucket does alike: in memory, in a directory, and on S3 servers that enforce, refuse and ignore conditional writes.
//! What is tried in memory counts for the others only as far as this holds.

use std::sync::Arc;

use bytes::Bytes;
use s3_server::{Conditional, Config};

use crate::SilentReporter;
use crate::store::simulated::World;
use crate::store::{
    self, Bucket, Connection, CreateOutcome, ReplaceOutcome, StoreError, loopback, probe,
};

/// A kind of bucket, and how it treats conditional writes.
fn kinds() -> (Vec<(String, Bucket, store::Conditional)>, impl Sized) {
    let root = tempfile::tempdir().unwrap();
    let (mut kinds, mut servers) = (Vec::new(), Vec::new());
    for (of_server, conditional) in [
        (Conditional::Enforced, store::Conditional::Enforced),
        (Conditional::Refused, store::Conditional::Refused),
        (Conditional::Ignored, store::Conditional::Ignored),
    ] {
        let server = loopback::server(Config {
            conditional: of_server,
            ..Config::default()
        });
        let link = World::new(conditional).link(Vec::new());
        let memory = Bucket::open(Connection::simulated(&link), Arc::new(SilentReporter)).unwrap();
        let memory = memory.unfenced().unwrap();
        kinds.push((format!("memory, {conditional:?}"), memory, conditional));
        let bucket = loopback::bucket(&server);
        kinds.push((format!("S3, {conditional:?}"), bucket, conditional));
        servers.push(server);
    }
    let directory = loopback::directory(&root.path().join("ocean"));
    let enforced = store::Conditional::Enforced;
    kinds.push(("a directory".to_owned(), directory, enforced));
    (kinds, (root, servers))
}

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn is_missing<T: std::fmt::Debug>(done: Result<T, StoreError>) -> bool {
    done.unwrap_err().is_missing()
}

async fn objects_come_and_go(bucket: &Bucket) {
    assert!(is_missing(bucket.get("a/none").await));
    assert!(is_missing(bucket.copy("a/none", "a/copy").await));
    assert_eq!(bucket.stat("a/none").await.unwrap(), None);
    bucket.delete("a/none").await.unwrap();
    for text in ["first", "", "another, and longer"] {
        let put = bucket.put("a/b c+ü", bytes(text)).await.unwrap();
        assert_eq!(bucket.get("a/b c+ü").await.unwrap(), text);
        let stat = bucket.stat("a/b c+ü").await.unwrap().unwrap();
        assert_eq!(stat.size, text.len() as u64);
        assert_eq!(stat.etag, put.etag);
    }
    bucket.put("a/other", bytes("other")).await.unwrap();
    bucket.copy("a/b c+ü", "a/other").await.unwrap();
    assert_eq!(bucket.get("a/other").await.unwrap(), "another, and longer");
    let keys = ["a/b c+ü", "a/other", "a/none"].map(str::to_owned);
    let deleted = bucket.delete_all(keys.to_vec(), true).await;
    assert!(deleted.problems.is_empty(), "{:?}", deleted.problems);
    assert!(is_missing(bucket.get("a/other").await));
}

async fn listings_show_what_is_there(bucket: &Bucket) {
    let keys = ["l/a/1", "l/a/2/x", "l/a.b/3", "l/ab/4", "l/z"];
    for key in keys {
        bucket.put(key, bytes("12345")).await.unwrap();
    }
    let mut listed = bucket.list("l").await.unwrap();
    listed.sort();
    assert_eq!(listed, ["l/a.b/3", "l/a/1", "l/a/2/x", "l/ab/4", "l/z"]);
    let mut below = bucket.list("l/a").await.unwrap();
    below.sort();
    assert_eq!(below, ["l/a/1", "l/a/2/x"], "not those of l/ab and l/a.b");
    assert!(bucket.list("l/none").await.unwrap().is_empty());
    let mut after = bucket.list_after("l/a", "l/a/1").await.unwrap();
    after.sort();
    assert_eq!(after, ["l/a/2/x"]);
    let folder = bucket.folder("l").await.unwrap();
    let mut folders = folder.folders;
    folders.sort();
    assert_eq!(folders, ["l/a", "l/a.b", "l/ab"]);
    assert_eq!(folder.objects.len(), 1);
    assert_eq!(folder.objects[0].key, "l/z");
    assert_eq!(folder.objects[0].bytes, 5);
    assert!(bucket.folder("l/none").await.unwrap().is_empty());
    let dated = bucket.list_dated("l/ab").await.unwrap();
    let age = dated[0].1.elapsed().unwrap_or_default();
    assert!(age.as_secs() < 60, "{age:?}");
    bucket.delete("l/z").await.unwrap();
    assert!(!bucket.list("l").await.unwrap().contains(&"l/z".to_owned()));
}

async fn conditions_are_kept_to(bucket: &Bucket, conditional: store::Conditional) {
    let guarantees = probe(bucket, "p", "nobody").await.unwrap();
    assert_eq!(guarantees.create, conditional);
    assert!(bucket.list("p").await.unwrap().is_empty());
    let created = bucket.create("c/a", bytes("one")).await.unwrap();
    let again = bucket.create("c/a", bytes("two")).await.unwrap();
    match conditional {
        store::Conditional::Enforced => {
            assert!(matches!(created, CreateOutcome::Created(_)));
            assert_eq!(again, CreateOutcome::Exists);
            // Ours, whose answer was lost.
            let ours = bucket.create("c/a", bytes("one")).await.unwrap();
            assert!(matches!(ours, CreateOutcome::Created(_)));
        }
        store::Conditional::Refused => {
            assert!(matches!(created, CreateOutcome::Refused(_)));
            bucket.put("c/a", bytes("one")).await.unwrap();
        }
        store::Conditional::Ignored => {
            assert!(matches!(again, CreateOutcome::Created(_)));
        }
    }
    let found = bucket.get_tagged("c/a").await.unwrap();
    let etag = found.etag.unwrap();
    if guarantees.replace == store::Conditional::Enforced {
        let replaced = bucket.replace_if("c/a", bytes("three"), &etag).await;
        assert!(matches!(replaced.unwrap(), ReplaceOutcome::Replaced(_)));
        let stale = bucket.replace_if("c/a", bytes("four"), &etag).await;
        assert_eq!(stale.unwrap(), ReplaceOutcome::Changed);
        assert_eq!(bucket.get("c/a").await.unwrap(), "three");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_kinds_of_buckets_do_alike() {
    let (kinds, _kept) = kinds();
    for (name, bucket, conditional) in kinds {
        println!("{name}");
        objects_come_and_go(&bucket).await;
        listings_show_what_is_there(&bucket).await;
        conditions_are_kept_to(&bucket, conditional).await;
    }
}
