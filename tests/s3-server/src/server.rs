//! Starting and stopping. Key type: [`Server`], which owns a runtime with threads of its own, so
//! that it serves blocking and async tests alike, and answers while a test thread waits.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::host::SingleDomain;
use s3s::service::S3ServiceBuilder;
use s3s::{S3Result, s3_error};
use tokio::runtime::Runtime;

use crate::config::{Config, EtagKind};
use crate::crowd::Crowd;
use crate::faults::Faults;
use crate::gate::Gate;
use crate::hook::{Go, Hooks, Mutation};
use crate::operations::Operations;
use crate::receive::md5_hex;
use crate::request_log::{Request, RequestLog};
use crate::store::{Attributes, Store};

/// Why the server could not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The port is taken, or not ours to take.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Listen { port: u16, source: io::Error },
    /// The threads could not be made.
    #[error("cannot start the server's threads: {0}")]
    Threads(io::Error),
    /// Buckets cannot be subdomains of this.
    #[error("'{0}' is not a domain")]
    Domain(String),
}

/// A running server; it stops, and closes its connections, when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    store: Arc<Store>,
    faults: Arc<Faults>,
    log: Arc<RequestLog>,
    crowd: Arc<Crowd>,
    hooks: Arc<Hooks>,
    /// Taken when dropped.
    runtime: Option<Runtime>,
}

impl Server {
    /// Starts on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// If it cannot listen, or start its threads.
    pub fn start(config: Config) -> Result<Server, Error> {
        Server::start_on(0, config)
    }

    /// Starts on this port of 127.0.0.1; 0 takes a free one.
    ///
    /// # Errors
    /// If it cannot listen there, or start its threads.
    pub fn start_on(port: u16, config: Config) -> Result<Server, Error> {
        let is_domain =
            |name: &String| SingleDomain::new(name).map_err(|_| Error::Domain(name.clone()));
        let domain = config.domain.as_ref().map(is_domain).transpose()?;
        let listen = |source| Error::Listen { port, source };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(4)
            .thread_name("s3-server")
            .enable_all()
            .build()
            .map_err(Error::Threads)?;

        let store = Arc::new(Store::new(&config));
        let hooks = Arc::new(Hooks::default());
        let faults = Arc::new(Faults::default());
        let log = Arc::new(RequestLog::default());
        let crowd = Arc::new(Crowd::default());
        let mut s3 = S3ServiceBuilder::new(Operations {
            store: Arc::clone(&store),
        });
        s3.set_auth(OneKey {
            access: config.access_key,
            secret: config.secret_key.into(),
        });
        if config.anonymous {
            s3.set_access(Everyone);
        }
        if let Some(domain) = domain {
            s3.set_host(domain);
        }
        let gate = Gate {
            s3: s3.build(),
            faults: Arc::clone(&faults),
            log: Arc::clone(&log),
            crowd: Arc::clone(&crowd),
            hooks: Arc::clone(&hooks),
            store: Arc::clone(&store),
            opened: 0,
            session_token: config.session_token,
            ending_tokens: config.ending_tokens,
            started: Instant::now(),
            domain: config.domain,
        };
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener).map_err(listen)?
        };
        runtime.spawn(accept(listener, gate));
        Ok(Server {
            address,
            store,
            faults,
            log,
            crowd,
            hooks,
            runtime: Some(runtime),
        })
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What lies in the bucket now, by key; nothing if there is no such bucket.
    #[must_use]
    pub fn objects(&self, bucket: &str) -> BTreeMap<String, Bytes> {
        self.store.objects(bucket)
    }

    /// Stores an object directly, past HTTP, faults, hook, quota and log; makes the bucket if there is none.
    pub fn put_object(&self, bucket: &str, key: &str, bytes: impl Into<Bytes>) {
        let bytes = bytes.into();
        let etag = (self.store.etag == EtagKind::Md5).then(|| md5_hex(&bytes));
        let mut state = self.store.state();
        state.make_bucket(bucket);
        // Can only fail for want of the bucket, which was just made.
        let _ = state.insert(bucket, key, bytes, etag, Attributes::default());
    }

    /// Removes an object directly, past HTTP, faults, hook and log; nothing happens if there is none.
    pub fn remove_object(&self, bucket: &str, key: &str) {
        // Fails only for want of the bucket, and then there is nothing to remove.
        let _ = self.store.remove(bucket, key);
    }

    /// The rules by which requests go wrong; none at the start.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Has `callback` asked before and after each mutating request (PUT, POST, DELETE) takes effect, in place of an
    /// earlier one, and counts them from 1. Requests that a fault rule keeps from taking effect are not counted. It
    /// runs on a thread that may block; if it panics, the request is cut.
    pub fn on_mutation(&self, callback: impl Fn(&Mutation) -> Go + Send + Sync + 'static) {
        self.hooks.set(Arc::new(callback));
    }

    /// Gives the next mutating request the number 1.
    pub fn count_from_one(&self) {
        self.hooks.count_from_one();
    }

    /// Ends what [`Go::Freeze`] began. Connections that are open by now stay cut for mutating requests.
    pub fn thaw(&self) {
        self.hooks.thaw();
    }

    /// Lets no bucket hold more bytes than this: PUTs, copies and parts beyond it are refused as [`Config::full`] says.
    pub fn set_quota(&self, bytes: Option<u64>) {
        self.store.state().quota = bytes;
    }

    /// Bears so many requests at a time from now on: those beyond it are refused at once, with 503 `SlowDown`.
    pub fn bear(&self, requests: usize) {
        self.crowd.bear(requests);
    }

    /// Every request since the start, in order of arrival.
    #[must_use]
    pub fn log(&self) -> Vec<Request> {
        self.log_from(0)
    }

    /// The same from the request `first` on, counted from 0.
    #[must_use]
    pub fn log_from(&self, first: usize) -> Vec<Request> {
        self.log.from(first)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let Some(runtime) = self.runtime.take() else {
            return;
        };
        // A runtime may not be waited for inside another, and tests drop servers there: wait on a
        // thread of its own. Once it is joined the port is closed.
        let stop = move || runtime.shutdown_timeout(Duration::from_secs(5));
        if let Ok(thread) = std::thread::Builder::new().spawn(stop) {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: tokio::net::TcpListener, gate: Gate) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: others may close theirs.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        // Without it answers are late, but right.
        let _ = stream.set_nodelay(true);
        let mut gate = gate.clone();
        gate.opened = gate.hooks.age();
        let service = service_fn(move |request| gate.clone().answer(request));
        tokio::spawn(async move {
            // Ends in an error whenever a client goes away or a fault closes the connection.
            let _ = http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// Serves requests with a signature, right as it was, and those without one.
struct Everyone;

#[async_trait]
impl S3Access for Everyone {
    async fn check(&self, _: &mut S3AccessContext<'_>) -> S3Result<()> {
        Ok(())
    }
}

/// The one pair of keys the server knows.
struct OneKey {
    access: String,
    secret: SecretKey,
}

#[async_trait]
impl S3Auth for OneKey {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == self.access {
            return Ok(self.secret.clone());
        }
        Err(s3_error!(
            InvalidAccessKeyId,
            "The AWS Access Key Id you provided does not exist in our records."
        ))
    }
}
