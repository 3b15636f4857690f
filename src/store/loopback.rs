//! For tests: buckets of servers in this process, and of directories.

use std::sync::Arc;
use std::time::Duration;

use s3_server::{Config, Server};
use url::Url;

use super::access::{Access, Keys};
use super::bucket::Bucket;
use super::connection::Connection;
use super::pace::Limits;
use super::place::Place;
use crate::events::{Event, Reporter, SilentReporter, Traffic};

/// A server of this kind.
pub(crate) fn server(config: Config) -> Server {
    Server::start(config).unwrap()
}

/// The bucket `ocean` of `server`.
pub(crate) fn bucket(server: &Server) -> Bucket {
    fenced(server).unfenced().unwrap()
}

/// The same behind a fence.
pub(crate) fn fenced(server: &Server) -> Bucket {
    at(&server.endpoint())
}

/// The bucket `ocean` of the server at this URL, behind a fence.
pub(crate) fn at(endpoint: &str) -> Bucket {
    open(connection(endpoint))
}

/// The same without a fence, and with so little patience.
pub(crate) fn impatient(endpoint: &str, patience: Duration) -> Bucket {
    let connection = Connection {
        patience,
        ..connection(endpoint)
    };
    open(connection).unfenced().unwrap()
}

/// The same with so many bytes and requests a second.
pub(crate) fn limited(endpoint: &str, patience: Duration, limits: Limits) -> Bucket {
    let connection = Connection {
        patience,
        limits,
        ..connection(endpoint)
    };
    open(connection)
}

/// The same whose requests are counted in `traffic`.
pub(crate) fn counted(endpoint: &str, limits: Limits, traffic: Traffic) -> Bucket {
    let connection = Connection {
        limits,
        ..connection(endpoint)
    };
    Bucket::open(connection, Arc::new(TrafficCounter(traffic))).unwrap()
}

/// Hears nothing, and has its requests counted.
struct TrafficCounter(Traffic);

impl Reporter for TrafficCounter {
    fn tell(&self, _: &Event) {}

    fn traffic(&self) -> Traffic {
        self.0.clone()
    }
}

fn open(connection: Connection) -> Bucket {
    Bucket::open(connection, Arc::new(SilentReporter)).unwrap()
}

/// The way to the bucket `ocean` of the server at this URL.
pub(crate) fn connection(endpoint: &str) -> Connection {
    let bucket = "ocean".to_owned();
    Connection::new(Place::S3 { bucket }, Some(access(endpoint)))
}

fn access(endpoint: &str) -> Access {
    Access {
        keys: Keys::Pair {
            token: "test-key".to_owned(),
            secret: "test-secret".to_owned(),
            session: None,
        },
        endpoint: Some(Url::parse(endpoint).unwrap()),
        region: None,
        addressing: None,
        ca_bundle: None,
    }
}

/// A directory as a bucket.
pub(crate) fn directory(path: &std::path::Path) -> Bucket {
    open(Connection::directory(path)).unfenced().unwrap()
}
