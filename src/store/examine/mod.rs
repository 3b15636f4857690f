//! What an endpoint can do, found out by trying every request that this program or a reader sends.
//!
//! Key types: [`Examination`], the steps and what they leave to remove; [`Verdict`].

mod guarantees;
mod objects;
mod reach;
mod speed;

use std::time::{Duration, Instant};

use bytes::Bytes;
use msm_zarr::{
    is_store,
    layout::{LEDGERS, below},
};
use serde::{Deserialize, Serialize};

pub use self::speed::Burst;

use super::bucket::Bucket;
use super::error::StoreError;
use crate::events::{Finding, FindingState as State};

/// What is tried where an object can be put.
const STEPS: usize = 9;
/// Looks for what is left to remove.
const PASSES: usize = 3;

/// How all went.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict {
    /// What this program needs and cannot have, with the first reason.
    pub lacks: Option<(Vec<&'static str>, StoreError)>,
    /// Temporary objects that could not be removed, and why.
    pub left: Option<LeftBehind>,
    /// How fast large objects were put, if all were.
    pub put: Option<Burst>,
    /// Was it stopped before the end?
    pub is_stopped: bool,
}

/// What is in the bucket still of an examination that is over, for somebody to remove by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error(
    "temporary objects below {folder} could not be removed: {}; remove them by hand",
    cause.as_ref().map_or_else(|| "the server lists them still".to_owned(), ToString::to_string)
)]
pub struct LeftBehind {
    /// The folder that they are in.
    pub folder: String,
    /// Why not, if the server says.
    pub cause: Option<StoreError>,
}

/// The folder below `prefix` with all that an examination puts.
#[must_use]
pub(crate) fn folder(prefix: &str, token: &str) -> String {
    below(prefix, &format!("{LEDGERS}/doctor-{token}"))
}

/// Is this the name of such a folder, and not that of a store's ledger?
#[must_use]
pub(crate) fn is_doctors(name: &str) -> bool {
    name.starts_with("doctor-") && !is_store(name)
}

/// Tries everything in `folder`, or as much as it can until it is to stop, tells each finding at once, and removes what it put.
///
/// # Errors
/// If nothing can be tried: the server is not reached, the bucket is not there, or the keys are refused.
pub(crate) async fn examine(
    bucket: &Bucket,
    folder: &str,
    is_to_stop: &dyn Fn() -> bool,
    tell: &mut dyn FnMut(Finding),
) -> Result<Verdict, StoreError> {
    let mut examination = Examination {
        // A step that the server fails is reported, not waited for.
        bucket: bucket.in_a_hurry(),
        folder: folder.to_owned(),
        keys: Vec::new(),
        lacks: None,
        put: None,
        is_to_stop,
        tell,
    };
    let tried = examination.try_all().await;
    let left = examination.remove_all(bucket).await;
    let Examination { lacks, put, .. } = examination;
    tried.map(|is_whole| Verdict {
        lacks,
        left,
        put,
        is_stopped: !is_whole,
    })
}

/// An examination under way.
struct Examination<'a> {
    bucket: Bucket,
    folder: String,
    /// Objects that may be there because of it.
    keys: Vec<String>,
    lacks: Option<(Vec<&'static str>, StoreError)>,
    put: Option<Burst>,
    is_to_stop: &'a dyn Fn() -> bool,
    tell: &'a mut dyn FnMut(Finding),
}

impl Examination<'_> {
    /// Returns whether it came to the end.
    async fn try_all(&mut self) -> Result<bool, StoreError> {
        self.reach();
        let sample = self.list().await?;
        if let Some(written) = self.put().await {
            for step in 0..STEPS {
                if (self.is_to_stop)() {
                    return Ok(false);
                }
                match step {
                    0 => self.read(&written).await,
                    1 => self.copy(&written).await,
                    2 => self.multipart().await,
                    3 => self.delete(&written).await,
                    4 => self.delete_in_bulk().await,
                    5 => self.guarantees(&written).await,
                    6 => self.overwrite().await,
                    7 => self.latency().await,
                    _ => self.throughput().await,
                }
            }
        } else {
            match sample {
                Some(sample) => self.read(&sample).await,
                None => self.untried("get, range, head", "there is no small object to read"),
            }
            self.untried("other writes", "the first one failed");
        }
        Ok(!(self.is_to_stop)())
    }

    /// Removes all there may be; says what is left.
    async fn remove_all(&mut self, patient: &Bucket) -> Option<LeftBehind> {
        let mut keys = std::mem::take(&mut self.keys);
        let left = |cause| LeftBehind {
            folder: self.folder.clone(),
            cause,
        };
        // Once more after a look at what is there: a write whose answer was lost may come late.
        for _ in 0..PASSES {
            if keys.is_empty() {
                return None;
            }
            let deleted = patient.delete_all(keys, false).await;
            if let Some(cause) = deleted.problems.into_iter().next() {
                return Some(left(Some(cause)));
            }
            // Who may not list knows the keys all the same, and they are gone.
            keys = patient.list(&self.folder).await.unwrap_or_default();
        }
        (!keys.is_empty()).then(|| left(None))
    }

    fn is_server(&self) -> bool {
        self.bucket.endpoint().is_some()
    }

    /// The key of a new object of this name, noted for the removal.
    fn key(&mut self, name: &str) -> String {
        let key = below(&self.folder, name);
        self.keys.push(key.clone());
        key
    }

    fn good(&mut self, what: &'static str, found: impl Into<String>) {
        self.say(what, State::Good, found);
    }

    fn lesser(&mut self, what: &'static str, found: impl Into<String>) {
        self.say(what, State::Lesser, found);
    }

    fn untried(&mut self, what: &'static str, why: &str) {
        self.say(what, State::Untried, format!("not tried: {why}"));
    }

    /// Something this program needs failed with `error`, which means `meaning`.
    fn bad(&mut self, what: &'static str, error: StoreError, meaning: &str) {
        self.say(what, State::Bad, format!("{}; {meaning}", brief(&error)));
        match &mut self.lacks {
            Some((lacks, _)) => lacks.push(what),
            None => self.lacks = Some((vec![what], error)),
        }
    }

    fn say(&mut self, what: &'static str, state: State, found: impl Into<String>) {
        let found = found.into();
        let what = what.to_owned();
        (self.tell)(Finding { what, state, found });
    }

    /// That the object `key`, which should hold `expected`, holds something else.
    fn differs(&self, key: &str, expected: usize, found: usize) -> StoreError {
        StoreError::Failed {
            place: self.bucket.place().to_owned(),
            key: key.to_owned(),
            action: "reading".into(),
            cause: format!("expected the {expected} bytes put, found {found} bytes that differ"),
        }
    }
}

/// An object to read.
struct Sample {
    key: String,
    /// `None` if someone else put it.
    content: Option<Bytes>,
    /// The ETag as the server sent it with the PUT.
    etag: Option<String>,
}

/// What the server said, without the place and the key, which the table has once.
fn brief(error: &StoreError) -> String {
    match error {
        StoreError::Denied { cause, .. } => format!("access refused ({cause})"),
        StoreError::Unreachable { cause, .. } => format!("cannot be reached ({cause})"),
        StoreError::Untrusted { cause, advice, .. } => format!("not secure ({cause}): {advice}"),
        StoreError::Failed { cause, .. } => cause.clone(),
        StoreError::Missing { .. } => "there is no such object".to_owned(),
        other => other.to_string(),
    }
}

/// A time as people read it.
fn shown(time: Duration) -> String {
    let milliseconds = time.as_secs_f64() * 1e3;
    if milliseconds < 1000.0 {
        format!("{milliseconds:.1} ms")
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}

/// Bytes that no server can make smaller, others for each `seed`.
fn noise(length: usize, seed: u64) -> Bytes {
    let mut state = seed;
    let words = (0..length.div_ceil(8)).flat_map(|_| {
        // SplitMix64
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (word ^ (word >> 31)).to_le_bytes()
    });
    words.take(length).collect::<Vec<u8>>().into()
}

/// How long `work` takes.
async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let begun = Instant::now();
    let done = work.await;
    (done, begun.elapsed())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use s3_server::Config;

    use super::*;
    use crate::store::loopback;

    #[tokio::test(flavor = "multi_thread")]
    async fn who_is_stopped_leaves_nothing_behind() {
        let server = loopback::server(Config::default());
        let bucket = loopback::bucket(&server);
        for steps in [0, 1, 3, 6] {
            let asked = AtomicUsize::new(0);
            let is_to_stop = || asked.fetch_add(1, Ordering::SeqCst) >= steps;
            let folder = folder("T1m", &steps.to_string());
            let mut found = 0;
            let mut tell = |_| found += 1;
            let verdict = examine(&bucket, &folder, &is_to_stop, &mut tell).await;
            let verdict = verdict.unwrap();
            assert!(verdict.is_stopped && verdict.left.is_none(), "{verdict:?}");
            assert!(found > steps, "{found}");
            assert!(bucket.list("T1m").await.unwrap().is_empty());
        }
    }
}
