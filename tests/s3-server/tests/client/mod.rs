//! The client the tests look through: the `object_store` crate, with and without its retries.

use object_store::ClientOptions;
use object_store::RetryConfig;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use s3_server::{Config, Server};

/// A server of the default kind.
#[allow(dead_code)] // not every test file needs it
pub(crate) fn server() -> Server {
    Server::start(Config::default()).expect("the server starts")
}

/// A client of bucket `ocean` with the right keys, as yet unbuilt.
pub(crate) fn builder(server: &Server) -> AmazonS3Builder {
    AmazonS3Builder::new()
        .with_endpoint(server.endpoint())
        .with_client_options(ClientOptions::new().with_allow_http(true))
        .with_region("us-east-1")
        .with_bucket_name("ocean")
        .with_access_key_id("test-key")
        .with_secret_access_key("test-secret")
}

/// A client that tries again, as users have it.
#[allow(dead_code)]
pub(crate) fn patient(server: &Server) -> AmazonS3 {
    builder(server)
        .build()
        .expect("the client's settings are whole")
}

/// A client that sees every failure, for it tries once.
#[allow(dead_code)]
pub(crate) fn impatient(server: &Server) -> AmazonS3 {
    let retry = RetryConfig {
        max_retries: 0,
        ..RetryConfig::default()
    };
    builder(server)
        .with_retry(retry)
        .build()
        .expect("the client's settings are whole")
}
