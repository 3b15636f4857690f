//! Who is let in: temporary keys, no keys at all, and buckets that are hosts of their own.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod client;

use std::time::{SystemTime, UNIX_EPOCH};

use object_store::path::Path;
use object_store::{ClientOptions, ObjectStoreExt};
use s3_server::{Config, Server};

use client::{builder, patient};

#[tokio::test]
async fn temporary_keys_come_with_their_token() {
    let config = Config {
        session_token: Some("abc/+=".to_owned()),
        ..Config::default()
    };
    let server = Server::start(config).unwrap();
    let path = Path::from("a");
    let wrong = builder(&server).with_token("other").build().unwrap();
    for store in [patient(&server), wrong] {
        let error = store.put(&path, "x".into()).await.unwrap_err();
        assert!(error.to_string().contains("InvalidToken"), "{error}");
    }
    let right = builder(&server).with_token("abc/+=").build().unwrap();
    right.put(&path, "x".into()).await.unwrap();
    let last = server.log().pop().unwrap();
    assert_eq!(last.session_token, "abc/+=");
    assert!(last.authorization.contains("x-amz-security-token"));
}

#[tokio::test]
async fn tokens_that_end() {
    let server = Server::start(Config {
        ending_tokens: true,
        ..Config::default()
    });
    let (server, path) = (server.unwrap(), Path::from("a"));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let put = async |token: String| {
        let store = builder(&server).with_token(token).build().unwrap();
        let put = store.put(&path, "body".into()).await;
        put.map_err(|error| error.to_string())
    };
    put(format!("until-{}", now.as_millis() + 60_000))
        .await
        .unwrap();
    let ended = put(format!("until-{}", now.as_millis())).await.unwrap_err();
    assert!(ended.contains("ExpiredToken"), "{ended}");
    let other = put("other".to_owned()).await.unwrap_err();
    assert!(other.contains("InvalidToken"), "{other}");
    let log = server.log();
    assert_eq!([log[0].status, log[1].status], [200, 400]);
    assert_eq!(log[0].received, 4);
    assert!(log[0].at <= log[1].at);
}

#[tokio::test]
async fn unsigned_requests_only_where_they_are_allowed() {
    for anonymous in [false, true] {
        let config = Config {
            anonymous,
            ..Config::default()
        };
        let server = Server::start(config).unwrap();
        let unsigned = builder(&server).with_skip_signature(true).build().unwrap();
        let put = unsigned.put(&Path::from("a"), "x".into()).await;
        assert_eq!(put.is_ok(), anonymous);
        assert_eq!(server.log()[0].authorization, "");
        // A signature that is there must be right all the same.
        let wrong = builder(&server).with_secret_access_key("wrong");
        let put = wrong
            .build()
            .unwrap()
            .put(&Path::from("b"), "x".into())
            .await;
        assert!(
            put.unwrap_err()
                .to_string()
                .contains("SignatureDoesNotMatch")
        );
    }
}

#[tokio::test]
async fn a_bucket_may_be_a_host() {
    let config = Config {
        domain: Some("s3.test".to_owned()),
        ..Config::default()
    };
    let server = Server::start(config).unwrap();
    // The server is the proxy too: that spares a name service.
    let options = ClientOptions::new()
        .with_allow_http(true)
        .with_proxy_url(server.endpoint());
    let store = builder(&server)
        .with_endpoint("http://ocean.s3.test")
        .with_virtual_hosted_style_request(true)
        .with_client_options(options);
    let store = store.build().unwrap();
    store.put(&Path::from("a/b"), "x".into()).await.unwrap();
    assert_eq!(server.objects("ocean").len(), 1);
    let request = &server.log()[0];
    assert_eq!(
        (request.host.as_str(), request.key.as_str()),
        ("ocean.s3.test", "ocean/a/b")
    );
    let unknown = Config {
        domain: Some("not a domain".to_owned()),
        ..Config::default()
    };
    assert!(Server::start(unknown).is_err());
}
