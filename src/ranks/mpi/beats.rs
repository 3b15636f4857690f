//! Signs of life between rank 0 and each other rank, and with them how long the lease is sure to hold.
//!
//! Key type: [`Beats`].
//!
//! Rank 0 sends a beat, the other rank answers with its own time, and the next beat brings that time back: what rank 0
//! says in it of its lease was said after that time, however long the beat took, and holds for so long from then on. No
//! clock of one host is compared with that of another.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mpi::point_to_point::{Destination, Source};
use mpi::topology::{Communicator, SimpleCommunicator};

use super::ending::end_the_job;
use crate::ranks::{Ending, RanksError};
use crate::store::{Fence, Moment};

/// From one beat to the next.
const BEAT: Duration = Duration::from_millis(250);
/// A rank that says nothing for so long is dead, or its host is.
const SILENCE: Duration = Duration::from_secs(60);
/// A pause of this process counts as so much silence of the others at most: they may have been as silent.
const LONGEST: Duration = Duration::from_secs(1);
/// Rank 0's beats, and the answers to them.
const TAG: i32 = 1;
/// Bytes that one beat takes while it is on its way, at most.
const ON_ITS_WAY: usize = 512;

/// A beat of rank 0: the other's time that it brings back (0 before the first answer), how long the lease holds, in
/// nanoseconds, and which of the job's buckets it is of. An answer has the time only.
type Beat = [u64; 3];

/// What the leases keep open: the fence of the bucket that this rank writes now.
#[derive(Clone, Default)]
pub(super) struct OpenFence(Arc<Mutex<FencedBucket>>);

#[derive(Default)]
struct FencedBucket {
    /// How many there were, on every rank the same.
    number: u64,
    fence: Option<Fence>,
}

impl OpenFence {
    /// The next bucket's.
    pub(super) fn set(&self, fence: &Fence) {
        let mut bucket = self.get();
        bucket.number += 1;
        bucket.fence = Some(fence.clone());
    }

    /// How long it stays open, and its number.
    fn left(&self) -> (Duration, u64) {
        let bucket = self.get();
        let left = bucket.fence.as_ref().map_or(Duration::ZERO, Fence::left);
        (left, bucket.number)
    }

    /// What a beat says of the lease, on the rank that sent the time in it. Of another bucket it says nothing.
    fn extend(&self, [time, left, number]: Beat) {
        let bucket = self.get();
        if let Some(fence) = &bucket.fence
            && number == bucket.number
            && time > 0
            && left > 0
        {
            fence.extend(Moment::at(time).after(Duration::from_nanos(left)));
        }
    }

    fn get(&self) -> MutexGuard<'_, FencedBucket> {
        // Nothing panics while it is locked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What MPI needs for beats on their way, in a job of so many ranks.
pub(super) fn buffer_size(ranks: usize) -> usize {
    // At most a beat a rank, or an answer.
    (ranks * ON_ITS_WAY).min(1 << 30)
}

/// This rank's part.
pub(super) struct Beats {
    /// Messages of its own, apart from those of the job.
    world: SimpleCommunicator,
    ending: Ending,
    open: OpenFence,
    /// When the last beat was due.
    last: Moment,
    /// Rank 0: the bucket of which all others have been told that its fence is open.
    told: u64,
    /// On rank 0 all others; on these rank 0.
    others: Vec<OtherRank>,
}

/// Another rank.
struct OtherRank {
    rank: i32,
    /// The time in its last answer.
    time: u64,
    /// Has it answered the last beat?
    answered: bool,
    silent: Duration,
}

impl Beats {
    pub(super) fn new(world: &SimpleCommunicator, open: OpenFence, ending: Ending) -> Self {
        let others = match world.rank() {
            0 => 1..world.size(),
            _ => 0..1,
        };
        let other = |rank| OtherRank {
            rank,
            time: 0,
            answered: true,
            silent: Duration::ZERO,
        };
        Self {
            world: world.duplicate(),
            ending,
            open,
            last: Moment::now(),
            told: 0,
            others: others.map(other).collect(),
        }
    }

    /// Hears what others say, and says what is due. Ends the job when one of them has fallen silent.
    pub(super) fn keep_in_touch(&mut self) {
        if self.others.is_empty() {
            return;
        }
        self.hear();
        let since = self.last.elapsed();
        if since < BEAT {
            // They wait for it before they begin.
            if self.world.rank() == 0 {
                self.tell();
            }
            return;
        }
        self.last = Moment::now();
        for other in &mut self.others {
            other.silent += since.min(LONGEST);
            if other.silent >= SILENCE {
                let why = RanksError::Silent {
                    rank: self.world.rank(),
                    silent: other.rank,
                    seconds: SILENCE.as_secs(),
                };
                end_the_job(&why, self.ending);
            }
        }
        if self.world.rank() == 0 {
            self.beat();
        }
    }

    fn tell(&mut self) {
        let (left, number) = self.open.left();
        if self.told < number && !left.is_zero() {
            let hears = |other: &OtherRank| other.answered && other.time > 0;
            if self.others.iter().all(hears) {
                self.told = number;
            }
            self.beat();
        }
    }

    fn hear(&mut self) {
        let is_lead = self.world.rank() == 0;
        let mut heard = false;
        let any = self.world.any_process();
        while let Some((message, status)) = any.immediate_matched_probe_with_tag(TAG) {
            let mut beat: Beat = [0; 3];
            message.matched_receive_into(&mut beat[..]);
            heard = true;
            let from = self.others.iter_mut();
            let Some(other) = from.into_iter().find(|o| o.rank == status.source_rank()) else {
                continue;
            };
            other.silent = Duration::ZERO;
            if is_lead {
                (other.time, other.answered) = (beat[0], true);
            } else {
                self.open.extend(beat);
            }
        }
        if heard && !is_lead {
            let answer: Beat = [Moment::now().nanos(), 0, 0];
            let lead = self.world.process_at_rank(0);
            lead.buffered_send_with_tag(&answer[..], TAG);
        }
    }

    /// Rank 0: to each that has answered the one before. Who does not is sent no more, so that nothing piles up.
    fn beat(&mut self) {
        let (left, number) = self.open.left();
        let left = u64::try_from(left.as_nanos()).unwrap_or(u64::MAX);
        for other in self.others.iter_mut().filter(|other| other.answered) {
            other.answered = false;
            let beat: Beat = [other.time, left, number];
            let process = self.world.process_at_rank(other.rank);
            process.buffered_send_with_tag(&beat[..], TAG);
        }
    }
}
