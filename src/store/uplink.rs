//! How much is sent at a time: as much as the way to the server carries within seconds.
//!
//! Key types: [`Uplink`], of one bucket; [`BodyPass`], of one PUT.
//!
//! Where PUTs are answered soon, more bytes may be on their way, up to any number; where they take long because the link is
//! slow, fewer, down to one PUT, so that none of them looks lost.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// Bytes on their way at first, and at least.
const FIRST: u64 = 4 << 20;
const LEAST: u64 = 1 << 20;
/// Bodies up to this size go at once: documents.
const SMALL: u64 = 64 << 10;
/// PUTs that are answered within this time make room for more, and those that take longer than this for fewer.
const SOON: Duration = Duration::from_secs(4);
const LATE: Duration = Duration::from_secs(10);

/// The way to the server. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Uplink(Arc<SharedUplink>);

#[derive(Debug)]
struct SharedUplink {
    state: Mutex<UplinkState>,
    left: Notify,
}

#[derive(Debug)]
struct UplinkState {
    /// Bytes that may be on their way.
    room: u64,
    /// Bytes that are.
    under_way: u64,
    /// When there was last less room.
    narrowed: Option<Instant>,
    /// When a PUT was last answered, and bytes a second of it.
    answered: Option<(Instant, f64)>,
}

/// Lets one body pass; it is given back when dropped.
pub(super) struct BodyPass {
    uplink: Uplink,
    bytes: u64,
    entered: Instant,
}

impl Uplink {
    pub(super) fn new() -> Self {
        Self(Arc::new(SharedUplink {
            state: Mutex::new(UplinkState {
                room: FIRST,
                under_way: 0,
                narrowed: None,
                answered: None,
            }),
            left: Notify::new(),
        }))
    }

    /// Waits until a body of so many bytes may be sent; one is always let pass if it is alone.
    pub(super) async fn enter(&self, bytes: u64) -> BodyPass {
        loop {
            let left = self.0.left.notified();
            tokio::pin!(left);
            // Before the look: what leaves after it is not missed.
            left.as_mut().enable();
            {
                let mut state = self.state();
                if bytes <= SMALL || state.under_way == 0 || state.under_way + bytes <= state.room {
                    state.under_way += bytes;
                    return BodyPass {
                        uplink: self.clone(),
                        bytes,
                        entered: Instant::now(),
                    };
                }
            }
            left.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, UplinkState> {
        // Nothing panics while the lock is held.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BodyPass {
    /// Since it was let pass.
    pub(super) fn age(&self) -> Duration {
        self.entered.elapsed()
    }

    /// Its request leaves now: until then it has waited for a limit.
    pub(super) fn leaves(&mut self) {
        self.entered = Instant::now();
    }

    /// The server has answered.
    pub(super) fn answered(&self) {
        let took = self.age();
        let mut state = self.uplink.state();
        let rate = self.bytes as f64 / took.as_secs_f64().max(1e-3);
        if self.bytes > SMALL {
            state.answered = Some((Instant::now(), rate));
        }
        if took <= SOON {
            // Only what is used shows that more would fit.
            if state.under_way * 2 >= state.room {
                state.room = state.room.saturating_add(self.bytes);
            }
        } else if took > LATE {
            self.narrow(&mut state);
        }
    }

    /// Nothing was heard of it.
    pub(super) fn lost(&self) {
        self.narrow(&mut self.uplink.state());
    }

    /// Half the room, but once for all that were on their way together.
    fn narrow(&self, state: &mut UplinkState) {
        if state.narrowed.is_none_or(|last| last < self.entered) {
            state.room = (state.room.min(state.under_way) / 2).max(LEAST);
            state.narrowed = Some(Instant::now());
        }
    }

    /// Has another PUT been answered since it was let pass?
    pub(super) fn others_are_answered(&self) -> bool {
        let answered = self.uplink.state().answered;
        answered.is_some_and(|(when, _)| when > self.entered)
    }

    /// How long its body takes as the last one went.
    pub(super) fn expected(&self) -> Duration {
        let answered = self.uplink.state().answered;
        let seconds = answered.map_or(0.0, |(_, rate)| self.bytes as f64 / rate.max(1.0));
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }
}

impl Drop for BodyPass {
    fn drop(&mut self) {
        self.uplink.state().under_way -= self.bytes;
        self.uplink.0.left.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(uplink: &Uplink) -> u64 {
        uplink.state().room
    }

    async fn enters(uplink: &Uplink, bytes: u64) -> Option<BodyPass> {
        let soon = Duration::from_millis(50);
        tokio::time::timeout(soon, uplink.enter(bytes)).await.ok()
    }

    #[tokio::test]
    async fn there_is_room_for_one_always_and_for_more_when_answers_come_soon() {
        let uplink = Uplink::new();
        let large = enters(&uplink, 100 << 20).await.unwrap();
        assert!(enters(&uplink, 1 << 20).await.is_none());
        assert!(enters(&uplink, SMALL).await.is_some());
        let waiting = uplink.clone();
        let waiting = tokio::spawn(async move { waiting.enter(1 << 20).await });
        large.answered();
        drop(large);
        drop(waiting.await.unwrap());
        assert_eq!(room(&uplink), FIRST + (100 << 20));
        assert!(enters(&uplink, 90 << 20).await.is_some());
        assert_eq!(uplink.state().under_way, 0);
    }

    #[tokio::test]
    async fn what_is_lost_narrows_it_once_for_all_of_its_time() {
        let uplink = Uplink::new();
        let mut passes = Vec::new();
        for _ in 0..4 {
            passes.push(uplink.enter(1 << 20).await);
        }
        for pass in &passes {
            pass.lost();
        }
        assert_eq!(room(&uplink), FIRST / 2);
        drop(passes);
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_millis(2)).await;
            uplink.enter(1 << 20).await.lost();
        }
        assert_eq!(room(&uplink), LEAST);
    }
}
