//! What a rank's time goes into, measured object by object: reading the clock takes next to nothing beside that.
//!
//! Key types: [`Stage`]; [`StageTimes`], what each came to; [`PhaseWork`], one phase of a rank; [`StageClock`], which
//! counts.

use std::ops::AddAssign;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};

/// What a rank does with an object, from the file to the server and back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Reads stored bytes, from files or from objects that are kept in part. What only the NetCDF library can read is decoded
    /// as well.
    Read,
    /// Makes values of them: filters, byte order, what a recipe converts.
    Decode,
    /// Reprojects them, which is where the weights are made, too.
    Reproject,
    /// Makes the object of them: checksum and codecs.
    Encode,
    /// The object is on its way, until the server has answered; retries and their pauses included.
    Put,
    /// It is read back, decoded and compared, or its ETag is.
    Verify,
    /// The rank waits for others, or for a lease.
    Wait,
}

/// How many there are.
const STAGES: usize = Stage::ALL.len();

impl Stage {
    /// All of them, in the order of the work.
    pub const ALL: [Self; 7] = [
        Self::Read,
        Self::Decode,
        Self::Reproject,
        Self::Encode,
        Self::Put,
        Self::Verify,
        Self::Wait,
    ];
}

/// What one stage came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageTime {
    /// Time, summed over all that went on at once.
    pub busy: Duration,
    /// Bytes.
    pub bytes: u64,
}

/// What each stage came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageTimes([StageTime; STAGES]);

impl StageTimes {
    /// That of `stage`.
    #[must_use]
    pub fn of(&self, stage: Stage) -> StageTime {
        self.0[stage as usize]
    }

    /// Adds this much to `stage`.
    pub(crate) fn add(&mut self, stage: Stage, busy: Duration, bytes: u64) {
        let sum = &mut self.0[stage as usize];
        sum.busy += busy;
        sum.bytes += bytes;
    }
}

impl AddAssign for StageTimes {
    fn add_assign(&mut self, other: Self) {
        for stage in Stage::ALL {
            let StageTime { busy, bytes } = other.of(stage);
            self.add(stage, busy, bytes);
        }
    }
}

/// What this rank did of a phase of a transaction, while all ranks did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseWork {
    /// Which phase.
    pub phase: WorkPhase,
    /// When it began.
    pub begun: SystemTime,
    /// How long it took until the last rank had done its part.
    pub took: Duration,
    /// What went on meanwhile.
    pub stages: StageTimes,
}

/// What ranks do together, one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkPhase {
    /// The weights of reprojections are read or made.
    Weights,
    /// Coordinates are compared with those of the stores.
    Compare,
    /// What steps are moved over is copied into the ledger.
    Keep,
    /// Data are put, out of readers' sight.
    Transfer,
    /// Rank 0 puts the small arrays.
    Small,
    /// `verify` reads objects.
    Check,
}

impl WorkPhase {
    /// Do all ranks have a part in it?
    #[must_use]
    pub fn is_of_all_ranks(self) -> bool {
        self != Self::Small
    }
}

/// Counts what each stage comes to, on several threads at once.
#[derive(Debug, Default)]
pub(crate) struct StageClock([StageCount; STAGES]);

#[derive(Debug, Default)]
struct StageCount {
    nanos: AtomicU64,
    bytes: AtomicU64,
}

impl StageClock {
    /// So many bytes went through `stage`, which `begun` then and is over now.
    pub(crate) fn add(&self, stage: Stage, begun: Instant, bytes: usize) {
        let nanos = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let count = &self.0[stage as usize];
        count.nanos.fetch_add(nanos, Ordering::Relaxed);
        count.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Does `work` on so many bytes, which is of `stage`.
    pub(crate) fn time<T>(&self, stage: Stage, bytes: usize, work: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let done = work();
        self.add(stage, begun, bytes);
        done
    }

    /// The same where the work waits for a server.
    pub(crate) async fn during<T>(
        &self,
        stage: Stage,
        bytes: usize,
        work: impl Future<Output = T>,
    ) -> T {
        let begun = Instant::now();
        let done = work.await;
        self.add(stage, begun, bytes);
        done
    }

    /// What was counted since the last call.
    pub(crate) fn take(&self) -> StageTimes {
        let mut times = StageTimes::default();
        for stage in Stage::ALL {
            let count = &self.0[stage as usize];
            let busy = Duration::from_nanos(count.nanos.swap(0, Ordering::Relaxed));
            times.add(stage, busy, count.bytes.swap(0, Ordering::Relaxed));
        }
        times
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stage_is_counted_by_itself_and_once() {
        let clock = StageClock::default();
        let pause = Duration::from_millis(2);
        let done = clock.time(Stage::Read, 3, || {
            std::thread::sleep(pause);
            7
        });
        clock.add(Stage::Read, Instant::now(), 4);
        clock.add(Stage::Wait, Instant::now(), 0);
        let mut times = clock.take();
        assert_eq!((done, times.of(Stage::Read).bytes), (7, 7));
        assert!(times.of(Stage::Read).busy >= pause);
        assert!(times.of(Stage::Wait).busy < pause);
        for other in [Stage::Decode, Stage::Put, Stage::Verify] {
            assert_eq!(times.of(other), StageTime::default());
        }
        assert_eq!(clock.take(), StageTimes::default());
        times += times;
        assert_eq!(times.of(Stage::Read).bytes, 14);
    }
}
