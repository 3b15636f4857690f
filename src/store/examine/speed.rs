//! How fast the endpoint is: small requests one after the other, large ones at once.

use std::fmt;
use std::ops::Range;
use std::time::{Duration, Instant};

use futures::{FutureExt, StreamExt, stream};
use serde::{Deserialize, Serialize};

use super::{Examination, brief, noise, shown, timed};
use crate::store::error::StoreError;

/// Small requests of either kind, and the bytes of each.
const SMALL_REQUESTS: usize = 20;
const SMALL: usize = 1024;
/// How much longer a GET takes than a PUT where the server's small packets wait for our acknowledgement, which comes
/// after 40 ms.
const DELAYED: Range<Duration> = Duration::from_millis(30)..Duration::from_millis(60);
const NAGLE: &str = "each GET may wait 40 ms for want of TCP_NODELAY on the server (Ceph: rgw frontends … tcp_nodelay=1)";
/// Large objects, and the bytes of each.
const LARGE_OBJECTS: usize = 16;
const LARGE: usize = 4 << 20;
/// Large objects on the way at once.
const AT_ONCE: usize = 8;
/// Time after which a burst sends no more.
const LONGEST: Duration = Duration::from_secs(30);

/// What many requests at once came to.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Burst {
    /// Bytes of all of them.
    pub bytes: u64,
    /// From the first to the end of the last.
    pub elapsed: Duration,
}

impl fmt::Display for Burst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.bytes as f64 / self.elapsed.as_secs_f64() / 1e6;
        write!(f, "{rate:.1} MB/s")
    }
}

impl Examination<'_> {
    /// Puts and gets small objects, one after the other.
    pub(super) async fn latency(&mut self) {
        let key = self.key("small");
        let content = noise(SMALL, 4);
        let (mut puts, mut gets) = (Vec::new(), Vec::new());
        for _ in 0..SMALL_REQUESTS {
            let (put, took) = timed(self.bucket.put(&key, content.clone())).await;
            puts.push(took);
            let (got, took) = timed(self.bucket.get(&key)).await;
            gets.push(took);
            if let Err(error) = put.map(|_| ()).and(got.map(|_| ())) {
                return self.lesser(
                    "latency",
                    format!("not every small request works: {}", brief(&error)),
                );
            }
        }
        let delayed = median(&mut gets).saturating_sub(median(&mut puts));
        let (put, get) = (spread(puts), spread(gets));
        let found = format!("of {SMALL_REQUESTS} small requests: PUT {put}, GET {get}");
        if DELAYED.contains(&delayed) {
            self.lesser("latency", format!("{found}; {NAGLE}"));
        } else {
            self.good("latency", found);
        }
    }

    /// Puts and gets large objects, all at once.
    pub(super) async fn throughput(&mut self) {
        let names = (0..LARGE_OBJECTS).map(|i| format!("large-{i}"));
        let keys: Vec<String> = names.map(|name| self.key(&name)).collect();
        let contents = keys
            .iter()
            .enumerate()
            .map(|(i, key)| (key, noise(LARGE, 5 + i as u64)));
        // Made before the clock starts.
        let contents: Vec<_> = contents.collect();
        let bucket = &self.bucket;
        let puts = contents
            .iter()
            .map(|(key, content)| bucket.put(key, content.clone()).map(|put| put.map(|_| ())));
        let put = burst(puts).await;
        let got = match &put {
            Ok(_) => {
                let get = keys
                    .iter()
                    .map(|key| bucket.get(key).map(|got| got.map(|_| ())));
                burst(get).await
            }
            Err(error) => Err(error.clone()),
        };
        self.put = put.as_ref().ok().copied();
        match (put, got) {
            (Ok(put), Ok(got)) => self.good(
                "throughput",
                format!(
                    "of {LARGE_OBJECTS} × 4 MiB, {AT_ONCE} at once, from one process: PUT {put}, GET {got}"
                ),
            ),
            (_, Err(error)) | (Err(error), _) => {
                self.lesser(
                    "throughput",
                    format!("not every large request works: {}", brief(&error)),
                );
            }
        }
    }
}

/// Sends the requests, many at once, as long as they take no longer than they may; says what that came to. Each
/// is waited for: a write that is broken off may still take effect later.
async fn burst(
    requests: impl Iterator<Item = impl Future<Output = Result<(), StoreError>>>,
) -> Result<Burst, StoreError> {
    let begun = Instant::now();
    let requests = requests.take_while(|_| begun.elapsed() < LONGEST);
    let ended: Vec<_> = stream::iter(requests)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let bytes = ended.len() * LARGE;
    ended.into_iter().collect::<Result<(), _>>()?;
    Ok(Burst {
        bytes: bytes as u64,
        elapsed: begun.elapsed(),
    })
}

/// The median and the worst.
fn spread(mut times: Vec<Duration>) -> String {
    let median = median(&mut times);
    let worst = times.last().copied().unwrap_or_default();
    format!("median {}, worst {}", shown(median), shown(worst))
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}
