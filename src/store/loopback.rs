//! For tests: buckets of servers in this process, and of directories.

use std::time::Duration;

use s3_server::{Config, Server};
use url::Url;

use super::access::{Access, Keys};
use super::bucket::Bucket;
use super::fence::Fence;
use super::place::Place;

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
    let (place, access) = (place(), access(endpoint));
    Bucket::open(&place, Some(&access)).unwrap()
}

/// The same without a fence, and with so little patience.
pub(crate) fn impatient(endpoint: &str, patience: Duration) -> Bucket {
    let (place, access) = (place(), access(endpoint));
    Bucket::open_s3(&place, "ocean", &access, Fence::open(), patience).unwrap()
}

fn place() -> Place {
    Place::S3 {
        bucket: "ocean".to_owned(),
    }
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
    Bucket::open(&Place::Directory(path.to_owned()), None)
        .unwrap()
        .unfenced()
        .unwrap()
}
