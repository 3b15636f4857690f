//! A slow link: a proxy in front of a server that lets only so many bytes a second towards it, all connections together.
//! Key type: [`Throttle`].

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// Bytes that are let through at a time, and bytes the kernel may hold of a connection: a link holds few.
const PART: usize = 8 << 10;
const HELD: u32 = 32 << 10;

/// A slow link to a server; it is cut when dropped.
#[derive(Debug)]
pub struct Throttle {
    address: SocketAddr,
    cut: Arc<AtomicBool>,
    /// Taken when dropped.
    runtime: Option<Runtime>,
}

/// When the link is free again.
type Link = Arc<Mutex<Instant>>;

impl Throttle {
    /// A link to the server at `endpoint`, as [`Server::endpoint`] gives it, that carries so many bytes a second.
    ///
    /// # Errors
    /// If the endpoint is no address, or it cannot listen.
    ///
    /// [`Server::endpoint`]: crate::Server::endpoint
    pub fn new(endpoint: &str, bytes_a_second: u32) -> io::Result<Throttle> {
        let server: SocketAddr = endpoint
            .trim_start_matches("http://")
            .parse()
            .map_err(io::Error::other)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("throttle")
            .enable_all()
            .build()?;
        let inside = runtime.enter();
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(HELD)?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let listener = socket.listen(1024)?;
        let address = listener.local_addr()?;
        drop(inside);
        let cut = Arc::new(AtomicBool::new(false));
        let is_cut = Arc::clone(&cut);
        runtime.spawn(async move {
            let link = Arc::new(Mutex::new(Instant::now()));
            while let Ok((client, _)) = listener.accept().await {
                let (link, is_cut) = (Arc::clone(&link), Arc::clone(&is_cut));
                tokio::spawn(carry(client, server, link, bytes_a_second, is_cut));
            }
        });
        Ok(Throttle {
            address,
            cut,
            runtime: Some(runtime),
        })
    }

    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Lets nothing through any more, in silence.
    pub fn cut(&self) {
        self.cut.store(true, Ordering::Relaxed);
    }

    /// Lets new connections through again. What was on its way is lost, as on a real link after some seconds.
    pub fn mend(&self) {
        self.cut.store(false, Ordering::Relaxed);
    }
}

impl Drop for Throttle {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn carry(
    client: TcpStream,
    server: SocketAddr,
    link: Link,
    bytes_a_second: u32,
    cut: Arc<AtomicBool>,
) {
    let Ok(server) = TcpStream::connect(server).await else {
        return;
    };
    let (mut asked, mut answers) = client.into_split();
    let (mut answered, mut asks) = server.into_split();
    let up = async {
        let mut part = vec![0; PART];
        while let Ok(read @ 1..) = asked.read(&mut part).await {
            let free = {
                let mut free = link.lock().await;
                let time = read as f64 / f64::from(bytes_a_second);
                *free = (*free).max(Instant::now()) + Duration::from_secs_f64(time);
                *free
            };
            sleep_until(free).await;
            if cut.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            if asks.write_all(&part[..read]).await.is_err() {
                return;
            }
        }
        // The server sees that the client has gone.
        let _ = asks.shutdown().await;
    };
    let down = async {
        let mut part = vec![0; PART];
        while let Ok(read @ 1..) = answered.read(&mut part).await {
            if cut.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            if answers.write_all(&part[..read]).await.is_err() {
                return;
            }
        }
        let _ = answers.shutdown().await;
    };
    tokio::join!(up, down);
}
