//! The way to the server: its name, a connection, and the first request, a listing, which shows whether the keys and
//! the bucket are right.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt};

use super::{Examination, Sample, State, brief, shown, timed};
use crate::store::access::Keys;
use crate::store::connection::Connection;
use crate::store::error::StoreError;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// An object of others is read whole if it is no larger.
const SMALL: u64 = 16 << 20;
/// Objects that servers list with one request.
const PAGE: usize = 1000;

impl Examination<'_> {
    /// Looks for the server's address and connects. What fails here is no failure yet: there may be a proxy.
    pub(super) fn reach(&mut self) {
        let Some(endpoint) = self.bucket.endpoint() else {
            return;
        };
        let url = endpoint.url.clone();
        let (host, port) = (
            url.host_str().unwrap_or_default().to_owned(),
            url.port_or_known_default().unwrap_or_default(),
        );
        let bare = host.trim_matches(['[', ']']);
        let addresses = match (bare, port).to_socket_addrs() {
            Ok(addresses) => addresses.collect::<Vec<_>>(),
            Err(cause) => {
                self.lesser(
                    "address",
                    format!("{host}: {cause}; check endpoint_url, or is there a proxy?"),
                );
                return;
            }
        };
        let mut problem = format!("{host} has no address");
        for address in &addresses {
            let begun = Instant::now();
            match TcpStream::connect_timeout(address, CONNECT) {
                Ok(_) => {
                    let took = shown(begun.elapsed());
                    let all = addresses.len();
                    self.good(
                        "connect",
                        format!("{host} is {address} (of {all} addresses), connected in {took}"),
                    );
                    if url.scheme() == "http" {
                        self.lesser(
                            "encryption",
                            "none (http): whoever sees the network sees the data",
                        );
                    }
                    return;
                }
                Err(cause) => problem = format!("{host} is {address}: {cause}"),
            }
        }
        self.lesser(
            "connect",
            format!("{problem}; check endpoint_url and the network, or is there a proxy?"),
        );
    }

    /// Lists. Gives an object that may be read.
    ///
    /// # Errors
    /// If nothing else can work either.
    pub(super) async fn list(&mut self) -> Result<Option<Sample>, StoreError> {
        let prefix = self.folder.split(super::LEDGERS).next().unwrap_or_default();
        let prefix = prefix.trim_end_matches('/').to_owned();
        let (first, took) = timed(async {
            let mut listing = self.bucket.entries(&prefix).take(PAGE);
            while let Some(entry) = listing.try_next().await? {
                if (2..=SMALL).contains(&entry.bytes) {
                    return Ok(Some(entry.key));
                }
            }
            Ok(None)
        })
        .await;
        self.encryption(first.as_ref().err());
        match first {
            Ok(key) => {
                if self.is_server() {
                    self.good("keys", self.accepted());
                }
                self.good("list", format!("works, in {}", shown(took)));
                Ok(key.map(|key| Sample {
                    key,
                    content: None,
                    etag: None,
                }))
            }
            Err(error) if is_fatal(&error) => {
                self.say("list", State::Bad, brief(&error));
                Err(error)
            }
            Err(error) => {
                self.bad("list", error, "`list`, `delete` and `recover` cannot work");
                Ok(None)
            }
        }
    }

    /// That the keys are good, and where they and the server's URL are from.
    fn accepted(&self) -> String {
        let Connection {
            origins, access, ..
        } = &self.bucket.opened.connection;
        let ring = match access.as_ref().map(|access| &access.keys) {
            Some(Keys::Renewed(ring)) => ring.until(),
            _ => None,
        };
        let from = origins.keys.as_ref().map(|keys| format!("from {keys}"));
        let until = ring.map(|end| {
            let end = humantime::format_rfc3339_seconds(end);
            format!("good until {end}, and asked for again before")
        });
        let endpoint = &origins.endpoint;
        let endpoint = endpoint
            .as_ref()
            .map(|from| format!("endpoint from {from}"));
        let all = [Some("accepted".to_owned()), from, until, endpoint];
        all.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }

    /// Says what TLS thinks of the server, which the first request shows.
    fn encryption(&mut self, error: Option<&StoreError>) {
        let encrypted = self
            .bucket
            .endpoint()
            .is_some_and(|e| e.url.scheme() == "https");
        match error {
            Some(StoreError::Untrusted { .. } | StoreError::Unreachable { .. }) => {}
            _ if encrypted => self.good("encryption", "https, the certificate is trusted"),
            _ => {}
        }
    }
}

/// Does it strike every request? A policy may forbid some only; keys that are wrong are never right.
fn is_fatal(error: &StoreError) -> bool {
    match error {
        StoreError::NoBucket { .. }
        | StoreError::Unreachable { .. }
        | StoreError::Untrusted { .. } => true,
        // Of a directory, what this user may not do is one thing of many.
        StoreError::Denied { place, cause, .. } => {
            !cause.starts_with("AccessDenied") && !place.starts_with("file://")
        }
        _ => false,
    }
}
