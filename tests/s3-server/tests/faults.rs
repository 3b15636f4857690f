//! Every fault, and every refusal of credentials and digests, as a client meets it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod client;

use std::time::{Duration, Instant};

use bytes::Bytes;
use client::{builder, impatient, patient, server};
use object_store::path::Path;
use object_store::{ClientOptions, Error, ObjectStore, ObjectStoreExt, RetryConfig};
use s3_server::{Config, Fault, Full, Rule, Server};

fn key() -> Path {
    Path::from("v/c/0")
}

/// Method and status of every request so far.
fn log(server: &Server) -> Vec<(String, u16)> {
    server
        .log()
        .into_iter()
        .map(|request| (request.method, request.status))
        .collect()
}

fn entry(method: &str, status: u16) -> (String, u16) {
    (method.to_owned(), status)
}

#[tokio::test]
async fn statuses_come_with_their_s3_error() {
    let server = server();
    let store = impatient(&server);
    let codes = [
        (503, "SlowDown"),
        (500, "InternalError"),
        (403, "AccessDenied"),
        (507, "Insufficient"),
    ];
    for (status, code) in codes {
        server.faults().clear();
        server.faults().add(Rule::new(Fault::Status(status)).once());
        let error = store.put(&key(), "x".into()).await.unwrap_err();
        assert!(error.to_string().contains(code), "{error}");
        assert_eq!(server.log().last().unwrap().status, status);
        assert!(server.objects("ocean").is_empty());
    }
}

#[tokio::test]
async fn a_patient_client_gets_past_slow_down() {
    let server = server();
    server.faults().add(
        Rule::new(Fault::Status(503))
            .method("PUT")
            .key_contains("v/")
            .times(2),
    );
    patient(&server).put(&key(), "x".into()).await.unwrap();
    assert_eq!(
        log(&server),
        [entry("PUT", 503), entry("PUT", 503), entry("PUT", 200)]
    );
}

#[tokio::test]
async fn a_large_put_sees_its_early_answer() {
    let server = server();
    server.faults().add(Rule::new(Fault::Status(507)));
    let large = Bytes::from(vec![7; 32 << 20]);
    let error = impatient(&server)
        .put(&key(), large.clone().into())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("InsufficientStorage"), "{error}");

    server.faults().clear();
    let store = builder(&server)
        .with_secret_access_key("wrong")
        .build()
        .unwrap();
    let error = store.put(&key(), large.into()).await.unwrap_err();
    assert!(
        error.to_string().contains("SignatureDoesNotMatch"),
        "{error}"
    );
}

#[tokio::test]
async fn delays_delay() {
    let server = server();
    let wait = Duration::from_millis(300);
    server
        .faults()
        .add(Rule::new(Fault::Delay(wait)).skip(1).times(1));
    let store = impatient(&server);
    let mut took = Vec::new();
    for _ in 0..3 {
        let start = Instant::now();
        store.put(&key(), "x".into()).await.unwrap();
        took.push(start.elapsed());
    }
    assert!(
        took[0] < wait && took[1] >= wait && took[2] < wait,
        "{took:?}"
    );
}

#[tokio::test]
async fn a_delay_can_outlast_the_client() {
    let server = server();
    server
        .faults()
        .add(Rule::new(Fault::Delay(Duration::from_secs(60))));
    let options = ClientOptions::new()
        .with_allow_http(true)
        .with_timeout(Duration::from_millis(200));
    let retry = RetryConfig {
        max_retries: 0,
        ..RetryConfig::default()
    };
    let store = builder(&server)
        .with_client_options(options)
        .with_retry(retry)
        .build()
        .unwrap();
    assert!(store.put(&key(), "x".into()).await.is_err());
    assert!(server.objects("ocean").is_empty());
    assert_eq!(log(&server), [entry("PUT", 0)]);
}

#[tokio::test]
async fn dropped_requests_have_no_effect() {
    let server = server();
    server.faults().add(Rule::new(Fault::Drop).once());
    let store = impatient(&server);
    assert!(store.put(&key(), "x".into()).await.is_err());
    assert!(server.objects("ocean").is_empty());
    store.put(&key(), "x".into()).await.unwrap();
    assert_eq!(log(&server), [entry("PUT", 0), entry("PUT", 200)]);
}

#[tokio::test]
async fn answers_dropped_after_the_effect() {
    let server = server();
    server.faults().add(Rule::new(Fault::DropAfterApply).once());
    assert!(impatient(&server).put(&key(), "x".into()).await.is_err());
    assert_eq!(server.objects("ocean")["v/c/0"], "x");
    assert_eq!(log(&server), [entry("PUT", 0)]);

    server
        .faults()
        .add(Rule::new(Fault::DropAfterApply).method("DELETE").once());
    server.put_object("ocean", "gone", "x");
    patient(&server).delete(&Path::from("v/c/0")).await.unwrap();
    assert_eq!(server.objects("ocean").len(), 1);
}

/// How many bytes differ, and where the first does.
fn differences(a: &[u8], b: &[u8]) -> (usize, Option<usize>) {
    assert_eq!(a.len(), b.len());
    let differ = |i: &usize| a[*i] != b[*i];
    (
        (0..a.len()).filter(differ).count(),
        (0..a.len()).find(differ),
    )
}

#[tokio::test]
async fn stored_corrupted_but_answered_as_well() {
    let server = server();
    let store = impatient(&server);
    let body = Bytes::from(vec![7; 1 << 20]);
    let well = store.put(&key(), body.clone().into()).await.unwrap();
    server.faults().add(Rule::new(Fault::CorruptStored).once());
    let corrupted = store.put(&key(), body.clone().into()).await.unwrap();
    assert_eq!(well.e_tag, corrupted.e_tag);
    assert_eq!(store.head(&key()).await.unwrap().e_tag, well.e_tag);
    let back = store.get(&key()).await.unwrap().bytes().await.unwrap();
    assert_eq!(differences(&back, &body), (1, Some(1 << 19)));
    assert_eq!(server.faults().struck(), 1);
}

#[tokio::test]
async fn read_corrupted_but_stored_well() {
    let server = server();
    let store = impatient(&server);
    let body = Bytes::from(vec![7; 1 << 20]);
    server.put_object("ocean", "v/c/0", body.clone());
    server.faults().add(Rule::new(Fault::CorruptRead).times(2));
    let back = store.get(&key()).await.unwrap().bytes().await.unwrap();
    assert_eq!(differences(&back, &body), (1, Some(1 << 19)));
    let range = store.get_range(&key(), 10..20).await.unwrap();
    assert_eq!(differences(&range, &body[10..20]), (1, Some(5)));
    let back = store.get(&key()).await.unwrap().bytes().await.unwrap();
    assert_eq!(differences(&back, &body), (0, None));
}

#[tokio::test]
async fn truncated_reads_break_off_and_can_be_resumed() {
    let server = server();
    for length in [10, 1 << 20] {
        server.faults().clear();
        server.put_object("ocean", "v/c/0", vec![7; length]);
        server.faults().add(Rule::new(Fault::TruncateRead).once());
        let answer = impatient(&server).get(&key()).await.unwrap();
        assert_eq!(
            answer.meta.size, length as u64,
            "the whole length is announced"
        );
        assert!(answer.bytes().await.is_err());

        server.faults().add(Rule::new(Fault::TruncateRead).once());
        let before = server.log().len();
        let back = patient(&server)
            .get(&key())
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap();
        assert_eq!(back, vec![7; length]);
        assert_eq!(
            log(&server)[before..],
            [entry("GET", 200), entry("GET", 206)]
        );
    }
}

#[tokio::test]
async fn a_put_that_breaks_off_stores_nothing() {
    let server = server();
    for length in [1, 32 << 20] {
        server.faults().add(Rule::new(Fault::TruncateWrite).once());
        let body = Bytes::from(vec![7; length]);
        let put = impatient(&server).put(&key(), body.clone().into()).await;
        assert!(put.is_err());
        assert!(server.objects("ocean").is_empty());
        server.faults().add(Rule::new(Fault::TruncateWrite).once());
        patient(&server)
            .put(&key(), body.clone().into())
            .await
            .unwrap();
        assert_eq!(server.objects("ocean")["v/c/0"], body);
        server.remove_object("ocean", "v/c/0");
    }
}

#[tokio::test]
async fn stale_reads_give_what_was_replaced() {
    let server = server();
    let store = impatient(&server);
    let stale = Duration::from_millis(400);
    server.faults().add(Rule::new(Fault::StaleRead(stale)));
    let old = store.put(&key(), "old".into()).await.unwrap();
    let begun = Instant::now();
    let new = store.put(&key(), "newer".into()).await.unwrap();
    let head = store.head(&key()).await.unwrap();
    let got = store.get(&key()).await.unwrap();
    if begun.elapsed() < stale {
        assert_eq!((head.size, &head.e_tag), (3, &old.e_tag));
        assert_eq!(got.meta.e_tag, old.e_tag);
        assert_eq!(got.bytes().await.unwrap(), "old");
    }
    let listed = store.list_with_delimiter(Some(&Path::from("v/c"))).await;
    assert_eq!(listed.unwrap().objects[0].size, 5);
    tokio::time::sleep(stale).await;
    assert_eq!(store.head(&key()).await.unwrap().e_tag, new.e_tag);
    assert_eq!(
        store.get(&key()).await.unwrap().bytes().await.unwrap(),
        "newer"
    );
}

#[tokio::test]
async fn a_full_bucket_refuses_what_does_not_fit() {
    let kinds = [
        (Full::QuotaExceeded, 403, "QuotaExceeded"),
        (Full::InsufficientStorage, 507, "InsufficientStorage"),
    ];
    for (full, status, code) in kinds {
        let server = Server::start(Config {
            full,
            ..Config::default()
        })
        .unwrap();
        let store = impatient(&server);
        server.set_quota(Some(10));
        store.put(&key(), "12345678".into()).await.unwrap();
        let other = Path::from("other");
        let put = store.put(&other, "123".into()).await.map(|_| ());
        let copy = store.copy(&key(), &other).await;
        for refused in [put, copy] {
            let error = refused.unwrap_err();
            assert!(error.to_string().contains(code), "{error}");
            assert_eq!(server.log().last().unwrap().status, status);
        }
        assert_eq!(server.objects("ocean").len(), 1);
        // What replaces an object needs no more room than it takes itself.
        store.put(&key(), "1234567890".into()).await.unwrap();
        store.delete(&key()).await.unwrap();
        store.put(&other, "123".into()).await.unwrap();
        server.set_quota(None);
        store.put(&key(), "12345678".into()).await.unwrap();
    }
}

#[tokio::test]
async fn wrong_credentials_are_refused() {
    let server = server();
    server.put_object("ocean", "v/c/0", "x");
    let wrong_secret = builder(&server)
        .with_secret_access_key("wrong")
        .build()
        .unwrap();
    let wrong_key = builder(&server)
        .with_access_key_id("nobody")
        .build()
        .unwrap();
    let anonymous = builder(&server).with_skip_signature(true).build().unwrap();
    let cases = [
        (wrong_secret, "SignatureDoesNotMatch"),
        (wrong_key, "InvalidAccessKeyId"),
        (anonymous, "AccessDenied"),
    ];
    for (store, code) in cases {
        for error in [
            store.get(&key()).await.map(|_| ()).unwrap_err(),
            store.put(&key(), "y".into()).await.map(|_| ()).unwrap_err(),
        ] {
            assert!(matches!(error, Error::PermissionDenied { .. }), "{error}");
            assert!(error.to_string().contains(code), "{error}");
        }
    }
    assert!(server.log().iter().all(|request| request.status == 403));
    assert_eq!(server.objects("ocean")["v/c/0"], "x");
}

#[tokio::test]
async fn bodies_that_belie_their_digest_are_not_stored() {
    let server = server();
    // Digests of another body ("y"), sent with every request.
    let digests = [
        ("content-md5", "QVKQqf5sQbxfLFuUNZUxgw==", "BadDigest"),
        ("content-md5", "not base64", "InvalidDigest"),
        ("x-amz-checksum-crc32c", "AAAAAA==", "BadDigest"),
    ];
    for (name, value, code) in digests {
        let headers = [(name.parse().unwrap(), value.parse().unwrap())]
            .into_iter()
            .collect();
        let options = ClientOptions::new()
            .with_allow_http(true)
            .with_default_headers(headers);
        let store = builder(&server)
            .with_client_options(options)
            .build()
            .unwrap();
        let error = store.put(&key(), "x".into()).await.unwrap_err();
        assert!(error.to_string().contains(code), "{error}");
        assert_eq!(server.log().last().unwrap().status, 400);
        assert!(server.objects("ocean").is_empty());
    }
}
