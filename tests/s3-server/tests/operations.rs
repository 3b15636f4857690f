//! What a client sees of each S3 operation.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod client;

use std::collections::HashSet;

use bytes::Bytes;
use client::{builder, patient, server};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::aws::Checksum;
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, GetOptions, GetRange, MultipartUpload, ObjectStore, ObjectStoreExt,
    PutOptions,
};
use s3_server::{Config, EtagKind, Server};

/// Bytes no two of which follow each other in the same way for long.
fn noise(length: usize) -> Bytes {
    let mut state = 0x9E37_79B9_u32;
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..length).map(step).collect()
}

#[tokio::test]
async fn put_then_get_head_and_ranges() {
    let server = server();
    let store = patient(&server);
    let path = Path::from("thetao/c/0/0 &<ü>");
    let put = store
        .put(&path, Bytes::from_static(b"0123456789").into())
        .await
        .unwrap();
    assert_eq!(
        put.e_tag.as_deref(),
        Some("\"781e5e245d69b566979b86e28d23f2c7\""),
        "the MD5"
    );

    assert_eq!(
        store.get(&path).await.unwrap().bytes().await.unwrap(),
        "0123456789"
    );
    assert_eq!(store.get_range(&path, 2..5).await.unwrap(), "234");
    assert_eq!(
        store.get_ranges(&path, &[0..2, 8..10]).await.unwrap(),
        ["01", "89"]
    );
    let suffix = GetOptions {
        range: Some(GetRange::Suffix(3)),
        ..GetOptions::default()
    };
    let suffix = store.get_opts(&path, suffix).await.unwrap();
    assert_eq!(suffix.range, 7..10);
    assert_eq!(suffix.bytes().await.unwrap(), "789");
    assert!(
        store.get_range(&path, 20..30).await.is_err(),
        "beyond the end"
    );

    let head = store.head(&path).await.unwrap();
    assert_eq!((head.size, head.e_tag), (10, put.e_tag));
    let age = std::time::SystemTime::now()
        .duration_since(head.last_modified.into())
        .unwrap();
    assert!(age.as_secs() < 60, "last modified {age:?} ago");

    let key = path.as_ref();
    assert_eq!(
        server.objects("ocean").get(key),
        Some(&Bytes::from_static(b"0123456789"))
    );
    let statuses: Vec<u16> = server.log().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [200, 200, 206, 206, 206, 416, 200]);
    assert!(
        server
            .log()
            .iter()
            .all(|request| request.key == format!("ocean/{key}"))
    );
}

#[tokio::test]
async fn missing_key_and_missing_bucket_are_not_found() {
    let server = server();
    let path = Path::from("nothing");
    let missing = patient(&server).get(&path).await.unwrap_err();
    assert!(matches!(missing, object_store::Error::NotFound { .. }));
    assert!(missing.to_string().contains("NoSuchKey"), "{missing}");
    assert!(matches!(
        patient(&server).head(&path).await,
        Err(object_store::Error::NotFound { .. })
    ));

    let store = builder(&server).with_bucket_name("arctic").build().unwrap();
    let errors = [
        store.get(&path).await.unwrap_err(),
        store.put(&path, "x".into()).await.unwrap_err(),
        store.list(None).try_collect::<Vec<_>>().await.unwrap_err(),
        store.copy(&path, &Path::from("b")).await.unwrap_err(),
        store.put_multipart(&path).await.unwrap_err(),
    ];
    for error in errors {
        assert!(error.to_string().contains("NoSuchBucket"), "{error}");
    }
    assert!(server.log().iter().all(|request| request.status == 404));
}

#[tokio::test]
async fn directly_stored_objects_are_served_and_removed() {
    let server = server();
    let store = patient(&server);
    server.put_object("ocean", "a/b", "direct");
    assert_eq!(
        store
            .get(&Path::from("a/b"))
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap(),
        "direct"
    );
    server.remove_object("ocean", "a/b");
    assert!(store.get(&Path::from("a/b")).await.is_err());
    server.put_object("arctic", "a", "a bucket made in passing");
    assert_eq!(server.objects("arctic").len(), 1);
    assert!(server.objects("nowhere").is_empty());
}

#[tokio::test]
async fn attributes_come_back() {
    let server = server();
    let store = patient(&server);
    let path = Path::from("zarr.json");
    let mut attributes = Attributes::new();
    attributes.insert(Attribute::ContentType, "application/json".into());
    attributes.insert(Attribute::CacheControl, "no-cache".into());
    attributes.insert(Attribute::Metadata("writer".into()), "rank-3".into());
    let options = PutOptions {
        attributes: attributes.clone(),
        ..PutOptions::default()
    };
    store.put_opts(&path, "{}".into(), options).await.unwrap();
    assert_eq!(store.get(&path).await.unwrap().attributes, attributes);
}

#[tokio::test]
async fn lists_flat_by_prefix_and_by_delimiter() {
    let server = server();
    let store = patient(&server);
    for key in [
        "v/zarr.json",
        "v/c/0/0",
        "v/c/0/1",
        "v/c/1/0",
        "w/zarr.json",
        "zarr.json",
    ] {
        server.put_object("ocean", key, key);
    }
    let prefix = Path::from("v");
    let all: Vec<_> = store
        .list(None)
        .map_ok(|m| m.location.to_string())
        .try_collect()
        .await
        .unwrap();
    assert_eq!(
        all,
        [
            "v/c/0/0",
            "v/c/0/1",
            "v/c/1/0",
            "v/zarr.json",
            "w/zarr.json",
            "zarr.json"
        ]
    );

    let shallow = store.list_with_delimiter(Some(&prefix)).await.unwrap();
    assert_eq!(shallow.common_prefixes, [Path::from("v/c")]);
    assert_eq!(shallow.objects.len(), 1);
    assert_eq!(
        (
            shallow.objects[0].location.as_ref(),
            shallow.objects[0].size
        ),
        ("v/zarr.json", 11)
    );

    let offset = Path::from("v/c/0/1");
    let rest = store
        .list_with_offset(Some(&prefix), &offset)
        .map_ok(|m| m.location.to_string());
    assert_eq!(
        rest.try_collect::<Vec<_>>().await.unwrap(),
        ["v/c/1/0", "v/zarr.json"]
    );
}

#[tokio::test]
async fn lists_and_deletes_more_keys_than_a_page_holds() {
    let server = server();
    let store = patient(&server);
    for i in 0..2345 {
        server.put_object("ocean", &format!("v/c/{i}"), "x");
        server.put_object("ocean", &format!("g{i}/zarr.json"), "x");
    }
    let keys: HashSet<Path> = store
        .list(Some(&Path::from("v")))
        .map_ok(|m| m.location)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(keys.len(), 2345);
    assert_eq!(server.log().len(), 3, "pages of 1000");
    let groups = store
        .list_with_delimiter(None)
        .await
        .unwrap()
        .common_prefixes;
    assert_eq!(groups.len(), 2346, "g0 … g2344 and v");

    let locations = stream::iter(keys.into_iter().map(Ok)).boxed();
    let deleted: Vec<_> = store.delete_stream(locations).try_collect().await.unwrap();
    assert_eq!(deleted.len(), 2345);
    assert_eq!(server.objects("ocean").len(), 2345);
    let posts = server
        .log()
        .iter()
        .filter(|r| r.method == "POST" && r.key == "ocean")
        .count();
    assert_eq!(posts, 3, "bulk deletions of 1000");
}

#[tokio::test]
async fn copies_and_deletes() {
    let server = server();
    let store = patient(&server);
    let (from, to) = (Path::from("a/from ü"), Path::from("b/to"));
    store.put(&from, "content".into()).await.unwrap();
    store.copy(&from, &to).await.unwrap();
    assert_eq!(
        store.get(&to).await.unwrap().bytes().await.unwrap(),
        "content"
    );
    store.delete(&from).await.unwrap();
    assert_eq!(
        server.objects("ocean").into_keys().collect::<Vec<_>>(),
        ["b/to"]
    );
    store.delete(&from).await.unwrap();
}

#[tokio::test]
async fn multipart_uploads_appear_whole_or_not_at_all() {
    let server = server();
    let store = patient(&server);
    let (path, other) = (Path::from("large"), Path::from("aborted"));
    let whole = noise((11 << 20) + 77);
    let mut upload = store.put_multipart(&path).await.unwrap();
    for part in [
        whole.slice(..5 << 20),
        whole.slice(5 << 20..10 << 20),
        whole.slice(10 << 20..),
    ] {
        upload.put_part(part.into()).await.unwrap();
    }
    assert!(server.objects("ocean").is_empty());
    let put = upload.complete().await.unwrap();
    assert!(put.e_tag.unwrap().ends_with("-3\""));
    assert_eq!(server.objects("ocean")["large"], whole);

    let mut upload = store.put_multipart(&other).await.unwrap();
    upload
        .put_part(whole.slice(..5 << 20).into())
        .await
        .unwrap();
    upload.abort().await.unwrap();
    assert!(upload.complete().await.is_err());
    assert_eq!(server.objects("ocean").len(), 1);
}

#[tokio::test]
async fn what_is_forgotten_is_answered_and_gone() {
    let config = Config {
        forget: Some("/c/".to_owned()),
        ..Config::default()
    };
    let server = Server::start(config).unwrap();
    let store = patient(&server);
    let put = store.put(&Path::from("a/c/0"), "chunk".into()).await;
    assert!(put.unwrap().e_tag.is_some());
    store.put(&Path::from("a/b"), "kept".into()).await.unwrap();
    assert_eq!(
        server.objects("ocean").into_keys().collect::<Vec<_>>(),
        ["a/b"]
    );
}

#[tokio::test]
async fn opaque_etags_change_with_every_write() {
    let config = Config {
        etag: EtagKind::Opaque,
        ..Config::default()
    };
    let server = Server::start(config).unwrap();
    let store = patient(&server);
    let path = Path::from("a");
    let first = store
        .put(&path, "same".into())
        .await
        .unwrap()
        .e_tag
        .unwrap();
    let second = store
        .put(&path, "same".into())
        .await
        .unwrap()
        .e_tag
        .unwrap();
    assert_ne!(first, second);
    assert!(first.contains("opaque"));
    assert_eq!(store.head(&path).await.unwrap().e_tag, Some(second));
}

#[tokio::test]
async fn signed_checksummed_and_unsigned_bodies_arrive() {
    let server = server();
    let body = noise(3 << 20);
    let path = Path::from("a");
    let clients = [
        builder(&server),
        builder(&server).with_checksum_algorithm(Checksum::SHA256),
        builder(&server).with_unsigned_payload(true),
    ];
    for client in clients {
        server.remove_object("ocean", "a");
        client
            .build()
            .unwrap()
            .put(&path, body.clone().into())
            .await
            .unwrap();
        assert_eq!(server.objects("ocean")["a"], body);
    }
}

#[tokio::test]
async fn large_objects_go_both_ways() {
    let server = server();
    let store = patient(&server);
    let path = Path::from("large");
    let body = noise(128 << 20);
    let start = std::time::Instant::now();
    store.put(&path, body.clone().into()).await.unwrap();
    println!("PUT of 128 MiB: {:?}", start.elapsed());
    let start = std::time::Instant::now();
    let back = store.get(&path).await.unwrap().bytes().await.unwrap();
    println!("GET of 128 MiB: {:?}", start.elapsed());
    assert!(back == body);
}

#[test]
fn serves_blocking_callers_and_stops_when_dropped() {
    let server = Server::start(Config::default()).unwrap();
    let address = server.endpoint().replace("http://", "");
    assert!(std::net::TcpStream::connect(&address).is_ok());
    drop(server);
    assert!(std::net::TcpStream::connect(&address).is_err());
}
