//! How a bucket is reached.
//!
//! Key types: [`Connection`]; [`Origins`].

use std::path::PathBuf;
use std::time::Duration;

use super::access::Access;
use super::pace::Limits;
use super::patience::patience;
use super::place::Place;

/// Where it was found how a bucket is reached, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    /// Where the keys are from.
    pub keys: Option<String>,
    /// Where the server's URL is from.
    pub endpoint: Option<String>,
}

/// How a bucket is reached.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Where it is.
    pub place: Place,
    /// The server and its keys; a directory needs none.
    pub access: Option<Access>,
    /// How long the server may be busy, fail or not answer, before a request has failed.
    pub patience: Duration,
    /// The most that all ranks may ask of the server together.
    pub limits: Limits,
    /// Where that was found, for people.
    pub origins: Origins,
    #[cfg(test)]
    pub(crate) link: Option<super::simulated::Link>,
    /// Where in that its keys begin.
    #[cfg(test)]
    pub(crate) base: String,
}

impl Connection {
    /// The bucket at `place`, reached by `access`, with a minute's patience.
    #[must_use]
    pub fn new(place: Place, access: Option<Access>) -> Self {
        Self {
            place,
            access,
            patience: patience(),
            limits: Limits::default(),
            origins: Origins::default(),
            #[cfg(test)]
            link: None,
            #[cfg(test)]
            base: String::new(),
        }
    }

    /// The directory at `path`, which need not exist yet.
    #[must_use]
    pub fn directory(path: impl Into<PathBuf>) -> Self {
        Self::new(Place::Directory(path.into()), None)
    }

    /// A store in memory.
    #[cfg(test)]
    pub(crate) fn simulated(link: &super::simulated::Link) -> Self {
        let bucket = "simulated".to_owned();
        Self {
            link: Some(link.clone()),
            ..Self::new(Place::S3 { bucket }, None)
        }
    }

    /// Another bucket, which is a folder of that store in memory.
    #[cfg(test)]
    pub(crate) fn simulated_in(link: &super::simulated::Link, base: &str) -> Self {
        let (bucket, base) = ("other".to_owned(), base.to_owned());
        Self {
            link: Some(link.clone()),
            base,
            ..Self::new(Place::S3 { bucket }, None)
        }
    }
}
