//! Conditional writes in the three kinds of server: enforced, refused, ignored.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod client;

use client::{impatient, patient, server};
use futures::future::join_all;
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{
    Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutResult, UpdateVersion,
};
use s3_server::{Conditional, Config, Server};

async fn create(store: &AmazonS3, key: &str, body: String) -> Result<PutResult, Error> {
    let options = PutOptions {
        mode: PutMode::Create,
        ..PutOptions::default()
    };
    store.put_opts(&Path::from(key), body.into(), options).await
}

async fn update(store: &AmazonS3, key: &str, etag: &str, body: &str) -> Result<PutResult, Error> {
    let version = UpdateVersion {
        e_tag: Some(etag.to_owned()),
        version: None,
    };
    let options = PutOptions {
        mode: PutMode::Update(version),
        ..PutOptions::default()
    };
    store
        .put_opts(&Path::from(key), body.to_owned().into(), options)
        .await
}

fn server_that(conditional: Conditional) -> Server {
    Server::start(Config {
        conditional,
        ..Config::default()
    })
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_fifty_creators_one_wins() {
    let server = server();
    let store = patient(&server);
    for round in 0..10 {
        let key = format!("lease/{round}");
        let tries = join_all((0..50).map(|writer| {
            let (store, key) = (store.clone(), key.clone());
            tokio::spawn(async move { create(&store, &key, format!("writer {writer}")).await })
        }));
        let mut winners = Vec::new();
        for (writer, result) in tries.await.into_iter().enumerate() {
            match result.unwrap() {
                Ok(_) => winners.push(writer),
                Err(Error::AlreadyExists { .. }) => {}
                Err(other) => panic!("{other}"),
            }
        }
        let [winner] = winners[..] else {
            panic!("winners: {winners:?}")
        };
        assert_eq!(server.objects("ocean")[&key], format!("writer {winner}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_updaters_one_wins() {
    let server = server();
    let store = patient(&server);
    let etag = create(&store, "head", "first".into())
        .await
        .unwrap()
        .e_tag
        .unwrap();
    let tries = join_all((0..20).map(|writer| {
        let (store, etag) = (store.clone(), etag.clone());
        tokio::spawn(async move { update(&store, "head", &etag, &writer.to_string()).await })
    }));
    let won = tries
        .await
        .into_iter()
        .filter(|result| result.as_ref().unwrap().is_ok())
        .count();
    assert_eq!(won, 1);
}

#[tokio::test]
async fn updates_need_the_current_etag_quoted_or_not() {
    let server = server();
    let store = patient(&server);
    let first = create(&store, "head", "first".into())
        .await
        .unwrap()
        .e_tag
        .unwrap();
    let second = update(&store, "head", &first, "second")
        .await
        .unwrap()
        .e_tag
        .unwrap();
    let third = update(&store, "head", second.trim_matches('"'), "third")
        .await
        .unwrap();
    for stale in [&first, first.trim_matches('"'), &second] {
        let refused = update(&store, "head", stale, "late").await;
        assert!(
            matches!(refused, Err(Error::Precondition { .. })),
            "{refused:?}"
        );
    }
    assert_eq!(server.objects("ocean")["head"], "third");
    assert_eq!(
        store.head(&Path::from("head")).await.unwrap().e_tag,
        third.e_tag
    );
    // A server says 404 here; the client makes it a precondition that does not hold.
    let absent = update(&store, "nothing", &first, "x").await;
    assert!(
        matches!(absent, Err(Error::Precondition { .. })),
        "{absent:?}"
    );
    assert_eq!(server.log().last().unwrap().status, 404);
}

#[tokio::test]
async fn refused_conditions_store_nothing() {
    let server = server_that(Conditional::Refused);
    let store = impatient(&server);
    let refused = create(&store, "lease", "x".into()).await.unwrap_err();
    assert!(refused.to_string().contains("NotImplemented"), "{refused}");
    assert_eq!(server.log()[0].status, 501);
    assert!(server.objects("ocean").is_empty());
    let etag = store
        .put(&Path::from("head"), "1".into())
        .await
        .unwrap()
        .e_tag
        .unwrap();
    assert!(update(&store, "head", &etag, "2").await.is_err());
    assert_eq!(server.objects("ocean")["head"], "1");
}

#[tokio::test]
async fn ignored_conditions_overwrite() {
    let server = server_that(Conditional::Ignored);
    let store = patient(&server);
    let stale = create(&store, "lease", "first".into())
        .await
        .unwrap()
        .e_tag
        .unwrap();
    create(&store, "lease", "second".into()).await.unwrap();
    update(&store, "lease", &stale, "third").await.unwrap();
    assert_eq!(server.objects("ocean")["lease"], "third");
}

#[tokio::test]
async fn quoted_etags_never_match_where_only_unquoted_ones_do() {
    let server = server_that(Conditional::Unquoted);
    let store = impatient(&server);
    let quoted = create(&store, "head", "first".into())
        .await
        .unwrap()
        .e_tag
        .unwrap();
    let again = create(&store, "head", "second".into()).await;
    assert!(
        matches!(again, Err(Error::AlreadyExists { .. })),
        "{again:?}"
    );
    let unquoted = quoted.trim_matches('"');
    assert_ne!(unquoted, quoted);
    let refused = update(&store, "head", &quoted, "second").await;
    assert!(
        matches!(refused, Err(Error::Precondition { .. })),
        "{refused:?}"
    );
    update(&store, "head", unquoted, "second").await.unwrap();
    let stale = update(&store, "head", unquoted, "third").await;
    assert!(
        matches!(stale, Err(Error::Precondition { .. })),
        "{stale:?}"
    );
    assert_eq!(server.objects("ocean")["head"], "second");
}
