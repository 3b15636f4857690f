//! Writes with conditions, and what the probe makes of servers of every kind.

use std::time::{Duration, Instant};

use bytes::Bytes;
use s3_server::{Config, Fault, Rule, Server};

use super::*;
use crate::cli::Exit;
use crate::error::Error;
use crate::store::claim::BodyClaim;
use crate::store::loopback::{bucket, directory, server};

fn that(conditional: s3_server::Conditional) -> Server {
    server(Config {
        conditional,
        ..Config::default()
    })
}

#[tokio::test]
async fn every_kind_of_server_is_known_for_what_it_is() {
    use s3_server::{Conditional as Kind, EtagKind as Tag};
    for (kind, expected) in [
        (Kind::Enforced, Conditional::Enforced),
        (Kind::Refused, Conditional::Refused),
        (Kind::Ignored, Conditional::Ignored),
    ] {
        for (etag, tag) in [(Tag::Md5, EtagKind::Md5), (Tag::Opaque, EtagKind::Opaque)] {
            let server = server(Config {
                conditional: kind,
                etag,
                ..Config::default()
            });
            let begun = Instant::now();
            let found = probe(&bucket(&server), "T1y", "").await.unwrap();
            let [create, replace] = [found.create, found.replace];
            assert_eq!([create, replace], [expected; 2], "{kind:?} {etag:?}");
            assert_eq!(found.etag, tag, "{kind:?} {etag:?}");
            assert!(found.clock.ahead().abs() < 5.0, "{found:?}");
            // "Not implemented" is not a passing trouble.
            assert!(begun.elapsed() < Duration::from_secs(10));
            assert!(server.objects("ocean").is_empty());
            let log = server.log();
            let inside = |key: &str| key.starts_with("ocean/T1y/.msm-os/probe-");
            assert!(log.iter().all(|request| inside(&request.key)));
        }
    }
}

#[tokio::test]
async fn a_directory_creates_and_does_not_replace() {
    let root = tempfile::tempdir().unwrap();
    let place = root.path().join("new/bucket");
    let found = probe(&directory(&place), "", "").await.unwrap();
    assert_eq!(found.create, Conditional::Enforced);
    assert_eq!(found.replace, Conditional::Refused);
    assert_eq!(found.etag, EtagKind::Opaque);
    assert!(!place.join(".msm-os").exists());
}

#[tokio::test]
async fn a_policy_that_denies_the_probe_is_named_and_nothing_is_left() {
    let denied = |method: &str| Rule::new(Fault::Status(403)).method(method);
    for method in ["PUT", "GET"] {
        let server = that(s3_server::Conditional::Enforced);
        server.faults().add(denied(method).key_contains("/probe-"));
        let failed = probe(&bucket(&server), "", "").await;
        let failure = Error::from(failed.unwrap_err());
        assert_eq!(Exit::from(&failure), Exit::AccessDenied);
        assert!(failure.to_string().contains("access refused"), "{failure}");
        assert!(server.objects("ocean").is_empty());
    }
    // All but the first PUT of an object: the conditions alone.
    let server = that(s3_server::Conditional::Enforced);
    for replaced in [".2", ".3"] {
        let later = denied("PUT").skip(1);
        server.faults().add(later.key_contains(replaced));
    }
    let found = probe(&bucket(&server), "", "").await.unwrap();
    assert_eq!(found.replace, Conditional::Refused);
    assert!(server.objects("ocean").is_empty());
}

#[tokio::test]
async fn a_probe_whose_answers_are_lost_finds_the_same() {
    let server = that(s3_server::Conditional::Enforced);
    for place in 0..5 {
        let lost = Rule::new(Fault::DropAfterApply).method("PUT");
        server.faults().clear();
        server.faults().add(lost.skip(place).once());
        let found = probe(&bucket(&server), "", "").await.unwrap();
        let [create, replace] = [found.create, found.replace];
        assert_eq!([create, replace], [Conditional::Enforced; 2], "{place}");
        assert!(server.objects("ocean").is_empty());
    }
    assert_eq!(server.faults().struck(), 5);
}

#[tokio::test]
async fn our_own_earlier_try_is_not_another_writer() {
    let server = that(s3_server::Conditional::Enforced);
    let bucket = bucket(&server);
    let (ours, theirs) = (Bytes::from("ours"), Bytes::from("theirs"));
    let lost = || Rule::new(Fault::DropAfterApply).method("PUT").once();
    server.faults().add(lost());
    let created = bucket.create("a", ours.clone()).await.unwrap();
    let CreateOutcome::Created(put) = created else {
        panic!("{created:?}")
    };
    let etag = put.etag.unwrap();
    let again = bucket.create("a", theirs.clone()).await.unwrap();
    assert_eq!(again, CreateOutcome::Exists);
    server.faults().add(lost());
    let replaced = bucket.replace_if("a", theirs.clone(), &etag).await.unwrap();
    assert!(
        matches!(replaced, ReplaceOutcome::Replaced(_)),
        "{replaced:?}"
    );
    let stale = bucket.replace_if("a", ours.clone(), &etag).await.unwrap();
    assert_eq!(stale, ReplaceOutcome::Changed);
    let absent = bucket.replace_if("b", ours.clone(), &etag).await.unwrap();
    assert_eq!(absent, ReplaceOutcome::Changed);
    let found = bucket.get_tagged("a").await.unwrap();
    assert_eq!(found.bytes, theirs);
    // Two creators at once may both hear of a conflict, and neither object be there.
    server.faults().add(Rule::new(Fault::Status(409)).once());
    let created = bucket.create("c", ours.clone()).await.unwrap();
    assert!(matches!(created, CreateOutcome::Created(_)), "{created:?}");
    // A busy server is asked again.
    server
        .faults()
        .add(Rule::new(Fault::Status(503)).method("PUT").times(2));
    let created = bucket.create("d", ours).await.unwrap();
    assert!(matches!(created, CreateOutcome::Created(_)), "{created:?}");
}

#[tokio::test]
async fn a_server_whose_reads_begin_to_lag_is_found_out_and_nothing_is_left() {
    let server = that(s3_server::Conditional::Enforced);
    let bucket = bucket(&server);
    let put = || Overwritten::put(&bucket, "T1y", "job 7");
    assert!(put().await.unwrap().reads_back(&bucket).await.unwrap());
    let lagging = Fault::StaleRead(Duration::from_mins(1));
    server.faults().add(Rule::new(lagging));
    assert!(!put().await.unwrap().reads_back(&bucket).await.unwrap());
    assert!(server.objects("ocean").is_empty());
    // It cannot be overwritten, or was taken for what a dead job left.
    server.faults().clear();
    let refused = Rule::new(Fault::Status(403)).method("PUT");
    server.faults().add(refused.skip(1));
    assert!(put().await.is_err());
    assert!(server.objects("ocean").is_empty());
    server.faults().clear();
    let gone = put().await.unwrap();
    let key = server.objects("ocean").into_keys().next().unwrap();
    bucket.delete(&key).await.unwrap();
    assert!(!gone.reads_back(&bucket).await.unwrap());
}

/// A server that treats checksums so.
fn with_checksums(checksums: s3_server::Checksums) -> Server {
    server(Config {
        checksums,
        ..Config::default()
    })
}

#[tokio::test]
async fn what_a_server_makes_of_checksums_is_found_out_by_a_right_and_a_wrong_one() {
    use s3_server::Checksums as Kind;
    for (kind, expected) in [
        (Kind::Enforced, ChecksumUse::Proven),
        (Kind::Forgotten, ChecksumUse::Untold),
        (Kind::Dropped, ChecksumUse::Dropped),
        (Kind::Believed, ChecksumUse::Believed),
    ] {
        let server = with_checksums(kind);
        let bucket = bucket(&server);
        let body = Bytes::from_static(b"body");
        for claim in [BodyClaim::crc32c(&body), BodyClaim::crc64nvme(&body)] {
            let found = checksum_use(&bucket, "a", &body, claim).await.unwrap();
            assert_eq!(found, expected, "{claim:?}");
        }
        let required = require_checksums(&bucket, "T1y", "").await;
        assert_eq!(required.is_ok(), kind == Kind::Enforced, "{kind:?}");
        let left: Vec<String> = server.objects("ocean").into_keys().collect();
        assert_eq!(left, ["a"], "{kind:?}");
    }
    let server = with_checksums(Kind::Refused);
    let error = require_checksums(&bucket(&server), "", "")
        .await
        .unwrap_err();
    assert_eq!(Exit::from(&Error::from(error.clone())), Exit::Usage);
    let words = error.to_string();
    assert!(
        words.contains("x-amz-checksum-crc32c is refused (NotImplemented"),
        "{words}"
    );
    assert!(server.objects("ocean").is_empty());
}

/// A server that is busy is no server that refuses a checksum.
#[tokio::test]
async fn trouble_is_not_taken_for_a_refusal() {
    let server = with_checksums(s3_server::Checksums::Enforced);
    server
        .faults()
        .add(Rule::new(Fault::Status(500)).method("PUT"));
    let bucket = crate::store::loopback::impatient(&server.endpoint(), Duration::from_secs(1));
    let error = require_checksums(&bucket, "", "").await.unwrap_err();
    assert!(matches!(error, StoreError::Failed { .. }), "{error}");
}
