//! The hook on mutating requests: what it is asked, and what becomes of its answers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod client;

use std::sync::{Arc, Mutex};

use client::{impatient, server};
use futures::future::join_all;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use s3_server::{Fault, Go, Rule, Server, When};

/// What a hook was asked: number, method, key, when, and how many objects it saw.
type Asked = Arc<Mutex<Vec<(u64, String, String, When, usize)>>>;

/// A hook that notes what it is asked, and answers as `go` says.
fn noting(server: &Server, go: impl Fn(u64, When) -> Go + Send + Sync + 'static) -> Asked {
    let asked = Asked::default();
    let notes = Arc::clone(&asked);
    server.on_mutation(move |mutation| {
        let seen = mutation.objects("ocean").len();
        let (method, key) = (mutation.method.clone(), mutation.key.clone());
        let note = (mutation.number, method, key, mutation.when, seen);
        notes.lock().unwrap().push(note);
        go(mutation.number, mutation.when)
    });
    asked
}

#[tokio::test]
async fn every_mutation_is_seen_before_and_after() {
    let server = server();
    let asked = noting(&server, |_, _| Go::On);
    let store = impatient(&server);
    let [a, b] = ["v/a", "v/b"].map(Path::from);
    store.put(&a, "x".into()).await.unwrap();
    store.copy(&a, &b).await.unwrap();
    store.get(&a).await.unwrap();
    store.list(None).try_collect::<Vec<_>>().await.unwrap();
    let keys = stream::iter([Ok(a), Ok(b)]).boxed();
    store
        .delete_stream(keys)
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    let expected = [
        (1, "PUT", "ocean/v/a", 0, 1),
        (2, "PUT", "ocean/v/b", 1, 2),
        (3, "POST", "ocean", 2, 0),
    ];
    let expected = expected.into_iter().flat_map(|(n, method, key, old, new)| {
        [(When::Before, old), (When::After, new)]
            .map(|(when, seen)| (n, method.to_owned(), key.to_owned(), when, seen))
    });
    assert!(asked.lock().unwrap().iter().cloned().eq(expected));

    server.count_from_one();
    store.put(&Path::from("v/c"), "x".into()).await.unwrap();
    assert_eq!(asked.lock().unwrap().last().unwrap().0, 1);
}

#[tokio::test]
async fn a_cut_before_has_no_effect_and_one_after_no_answer() {
    let server = server();
    noting(&server, |number, when| match (number, when) {
        (1, When::Before) | (2, When::After) => Go::Cut,
        _ => Go::On,
    });
    let store = impatient(&server);
    for (key, is_stored) in [("v/a", false), ("v/b", true)] {
        assert!(store.put(&Path::from(key), "x".into()).await.is_err());
        assert_eq!(server.objects("ocean").contains_key(key), is_stored);
    }
    store.put(&Path::from("v/c"), "x".into()).await.unwrap();
}

#[tokio::test]
async fn frozen_until_thawed() {
    let server = server();
    let asked = noting(&server, |number, when| {
        if (number, when) == (2, When::After) {
            Go::Freeze
        } else {
            Go::On
        }
    });
    let store = impatient(&server);
    let path = |key: &str| Path::from(key);
    store.put(&path("a"), "x".into()).await.unwrap();
    assert!(store.put(&path("b"), "x".into()).await.is_err());
    assert!(store.put(&path("c"), "x".into()).await.is_err());
    assert!(store.delete(&path("a")).await.is_err());
    // Reading goes on.
    assert_eq!(store.get(&path("b")).await.unwrap().meta.size, 1);
    assert_eq!(server.objects("ocean").len(), 2);
    assert_eq!(asked.lock().unwrap().len(), 4);

    server.thaw();
    // The connection that was open stays cut, a new one serves.
    assert!(store.put(&path("c"), "x".into()).await.is_err());
    let store = impatient(&server);
    store.put(&path("c"), "x".into()).await.unwrap();
    assert_eq!(asked.lock().unwrap().last().unwrap().0, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_requests_at_once_none_gets_past_a_freeze() {
    let server = server();
    let asked = noting(&server, |number, when| {
        std::thread::sleep(std::time::Duration::from_millis(2));
        if (number, when) == (3, When::Before) {
            Go::Freeze
        } else {
            Go::On
        }
    });
    let store = impatient(&server);
    let puts = join_all((0..20).map(|i| {
        let store = store.clone();
        tokio::spawn(async move { store.put(&Path::from(format!("v/{i}")), "x".into()).await })
    }));
    let stored = puts
        .await
        .into_iter()
        .filter(|put| put.as_ref().unwrap().is_ok())
        .count();
    assert_eq!((stored, server.objects("ocean").len()), (2, 2));
    let turns: Vec<_> = asked
        .lock()
        .unwrap()
        .iter()
        .map(|note| (note.0, note.3))
        .collect();
    let (before, after) = (When::Before, When::After);
    assert_eq!(
        turns,
        [
            (1, before),
            (1, after),
            (2, before),
            (2, after),
            (3, before)
        ]
    );
}

#[tokio::test]
async fn requests_struck_by_a_rule_are_not_counted() {
    let server = server();
    let asked = noting(&server, |_, _| Go::On);
    let rules = [Fault::Status(503), Fault::Drop, Fault::TruncateWrite];
    for fault in rules {
        server.faults().add(Rule::new(fault).once());
    }
    let store = impatient(&server);
    for _ in rules {
        assert!(store.put(&Path::from("v/a"), "x".into()).await.is_err());
    }
    assert!(asked.lock().unwrap().is_empty());
    store.put(&Path::from("v/a"), "x".into()).await.unwrap();
    assert_eq!(asked.lock().unwrap().len(), 2);
}
