//! How much is sent at a time: as much as the way to the server carries within seconds.
//!
//! Key types: [`Uplink`], of one rank; [`BodyPass`], of one PUT.
//!
//! Where PUTs are answered soon, more bytes may be on their way, up to any number; where they take long because the link is
//! slow, fewer, down to one PUT, so that none of them looks lost.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::room::Room;
use super::turnstile::{Entry, Turnstile};

/// Bodies up to this size are documents: they wait for each other, but for no object.
const SMALL: u64 = 64 << 10;

/// The way to the server. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Uplink(Arc<SharedUplink>);

#[derive(Debug)]
struct SharedUplink {
    documents: Turnstile,
    objects: Turnstile,
    room: Mutex<Room>,
    /// When a PUT was last answered.
    answered: Mutex<Option<Instant>>,
}

/// Lets one body pass; it is given back when dropped.
pub(super) struct BodyPass {
    uplink: Uplink,
    /// Keeps its place.
    _entry: Entry,
    bytes: u64,
    age: u64,
    /// How much was under way when it entered.
    beside: u64,
    entered: Instant,
}

impl Uplink {
    /// The share of a rank on whose node there are so many.
    pub(super) fn of_rank(on_node: usize) -> Self {
        Self(Arc::new(SharedUplink {
            documents: Turnstile::default(),
            objects: Turnstile::default(),
            room: Mutex::new(Room::of_rank(on_node)),
            answered: Mutex::default(),
        }))
    }

    /// Waits until a body of so many bytes may be sent; one is always let pass if it is alone.
    pub(super) async fn enter(&self, bytes: u64) -> BodyPass {
        let has_room = |under_way: u64| under_way + bytes <= self.room().bytes();
        let entry = self.lane(bytes).enter(bytes, has_room).await;
        BodyPass {
            uplink: self.clone(),
            _entry: entry,
            bytes,
            age: self.room().age(),
            beside: self.lane(bytes).inside(),
            entered: Instant::now(),
        }
    }

    fn lane(&self, bytes: u64) -> &Turnstile {
        if bytes <= SMALL {
            &self.0.documents
        } else {
            &self.0.objects
        }
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        // Nothing panics while the lock is held.
        self.0.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn last_answer(&self) -> MutexGuard<'_, Option<Instant>> {
        let answered = &self.0.answered;
        answered.lock().unwrap_or_else(PoisonError::into_inner)
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
        // What is small takes as long as an answer takes, whatever the link carries.
        if self.bytes > SMALL {
            let (took, under_way) = (self.age(), self.under_way());
            *self.uplink.last_answer() = Some(Instant::now());
            let mut room = self.uplink.room();
            room.answered(self.bytes, took, self.age, under_way);
        }
    }

    /// Nothing was heard of it.
    pub(super) fn lost(&self) {
        let under_way = self.under_way();
        self.uplink.room().lost(self.age, under_way);
    }

    /// Its connection broke. If it was late, the kernel or the server may have had enough of it, for others took the line: returns for
    /// how long it is excused then.
    pub(super) fn broke_off(&self) -> Duration {
        let took = self.age();
        let is_crowded = self.under_way() > self.bytes;
        if !Room::is_late(took) {
            return Duration::ZERO;
        }
        self.lost();
        if is_crowded { took } else { Duration::ZERO }
    }

    /// Has another PUT been answered since it was let pass?
    pub(super) fn others_are_answered(&self) -> bool {
        self.uplink
            .last_answer()
            .is_some_and(|when| when > self.entered)
    }

    /// How long its body takes to leave.
    pub(super) fn expected(&self) -> Duration {
        let SharedUplink {
            documents, objects, ..
        } = &*self.uplink.0;
        let under_way = documents.inside() + objects.inside();
        self.uplink.room().expected(self.bytes, under_way)
    }

    fn under_way(&self) -> u64 {
        self.uplink.lane(self.bytes).inside().max(self.beside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn enters(uplink: &Uplink, bytes: u64) -> Option<BodyPass> {
        let soon = Duration::from_millis(50);
        tokio::time::timeout(soon, uplink.enter(bytes)).await.ok()
    }

    #[tokio::test]
    async fn there_is_room_for_one_always_and_for_more_when_answers_come_soon() {
        let uplink = Uplink::of_rank(1);
        let first = uplink.room().bytes();
        let large = enters(&uplink, 100 << 20).await.unwrap();
        assert!(enters(&uplink, 1 << 20).await.is_none());
        assert!(enters(&uplink, SMALL).await.is_some(), "a document");
        let waiting = uplink.clone();
        let waiting = tokio::spawn(async move { waiting.enter(1 << 20).await });
        large.answered();
        drop(large);
        drop(waiting.await.unwrap());
        assert_eq!(uplink.room().bytes(), first + (100 << 20));
        assert!(enters(&uplink, 90 << 20).await.is_some());
        assert_eq!(uplink.0.objects.inside(), 0);
    }

    #[tokio::test]
    async fn many_documents_are_as_slow_as_objects() {
        let uplink = Uplink::of_rank(1);
        let mut passes = Vec::new();
        while let Some(pass) = enters(&uplink, SMALL).await {
            passes.push(pass);
        }
        assert_eq!(passes.len() as u64, uplink.room().bytes() / SMALL);
    }
}
