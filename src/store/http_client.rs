//! The HTTP client that requests go out by: TLS, proxies of the environment, and what the kernel does with what it cannot
//! deliver.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use rand::seq::SliceRandom;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::tls::Certificate;

/// How long a connection may take to come about.
const CONNECTING: Duration = Duration::from_secs(5);
/// How long the kernel tries to deliver what it took, before it drops it with the connection: what was sent before a link was
/// cut must not arrive much later.
const UNDELIVERED: Duration = Duration::from_secs(10);

/// A client that trusts the system's authorities and these.
///
/// # Errors
/// If a certificate cannot be used.
pub(super) fn http_client(trusted: Vec<Certificate>) -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .user_agent(concat!("msm-os/", env!("CARGO_PKG_VERSION")))
        .tls_certs_merge(trusted)
        .connect_timeout(CONNECTING)
        .tcp_user_timeout(UNDELIVERED)
        .http1_only()
        .dns_resolver(Arc::new(ShuffledAddresses))
        .build()
}

/// The addresses of a name in any order, so that a server's machines share the load.
struct ShuffledAddresses;

impl Resolve for ShuffledAddresses {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        Box::pin(async move {
            let look = move || (name.as_str(), 0).to_socket_addrs();
            let found = tokio::task::spawn_blocking(look).await??;
            let mut found: Vec<SocketAddr> = found.collect();
            found.shuffle(&mut rand::rng());
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
