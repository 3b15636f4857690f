//! How many requests are on their way at a time: as many as the server bears.
//!
//! Key types: [`Window`] of one rank; [`Seat`], of one attempt of a request.
//!
//! It opens as long as answers are good and it is used, and closes by half when the server says SlowDown (503), has too many
//! requests (429), or falls silent.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::debug;

use super::aimd::Aimd;
use super::turnstile::{Entry, Turnstile};

/// Requests at a time of a rank at first, and the most: each takes a connection, of which a process may open a thousand.
const FIRST: usize = 32;
const MOST: usize = 256;
/// The most of all ranks of a node together, and of rank 0 at least, which does much alone at the beginning and the end.
const MOST_OF_NODE: usize = 512;
const LEAST_OF_LEAD: usize = 32;

/// What one rank may have on its way. Clones are the same.
#[derive(Clone, Debug)]
pub(crate) struct Window(Arc<SharedWindow>);

#[derive(Debug)]
struct SharedWindow {
    seats: Turnstile,
    size: Mutex<Aimd>,
}

/// An attempt that is on its way; it gives its place up when dropped.
pub(super) struct Seat {
    window: Window,
    /// `None` of what is not counted.
    entry: Option<Entry>,
    age: u64,
    /// How many were on their way when it entered.
    beside: usize,
}

impl Window {
    /// The share of `rank`, on whose node there are so many.
    pub(super) fn of_rank(rank: usize, on_node: usize) -> Self {
        let share = MOST_OF_NODE / on_node.max(1);
        let least = if rank == 0 { LEAST_OF_LEAD } else { 1 };
        let most = share.clamp(least, MOST);
        Self(Arc::new(SharedWindow {
            seats: Turnstile::default(),
            size: Mutex::new(Aimd::new(FIRST, most)),
        }))
    }

    /// Waits until another request may leave.
    pub(super) async fn enter(&self) -> Seat {
        let has_room = |inside: u64| (inside as usize) < self.size().limit();
        let entry = self.0.seats.enter(1, has_room).await;
        self.seat(Some(entry))
    }

    /// That of a request which neither waits nor counts.
    pub(super) fn pass(&self) -> Seat {
        self.seat(None)
    }

    fn seat(&self, entry: Option<Entry>) -> Seat {
        Seat {
            window: self.clone(),
            entry,
            age: self.size().age(),
            beside: self.on_their_way(),
        }
    }

    /// How many there may be at a time now.
    pub(super) fn now(&self) -> usize {
        self.size().limit()
    }

    /// How many there will ever be at a time.
    pub(super) fn most(&self) -> usize {
        self.size().most()
    }

    fn on_their_way(&self) -> usize {
        usize::try_from(self.0.seats.inside()).unwrap_or(usize::MAX)
    }

    fn size(&self) -> MutexGuard<'_, Aimd> {
        // Nothing panics while the lock is held.
        self.0.size.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// The server has answered, and nothing but the server has kept it.
    pub(super) fn answered(&self) {
        if self.entry.is_some() {
            let on_their_way = self.window.on_their_way().max(self.beside);
            self.window.size().answered(on_their_way);
        }
    }

    /// The server says that it is too much, or nothing.
    pub(super) fn refused(&self) {
        let on_their_way = self.window.on_their_way();
        let mut size = self.window.size();
        if self.entry.is_some() && size.refused(self.age, on_their_way) {
            debug!(on_their_way, now = size.limit(), "fewer requests at a time");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranks_of_a_node_share_it() {
        let sizes = |rank, on_node| {
            let window = Window::of_rank(rank, on_node);
            (window.now(), window.most())
        };
        assert_eq!(sizes(0, 1), (32, 256));
        assert_eq!(sizes(1, 8), (32, 64));
        assert_eq!((sizes(0, 128), sizes(1, 128)), ((32, 32), (4, 4)));
        assert_eq!(sizes(1, 2000), (1, 1), "one is always let pass");
        for on_node in [1, 2, 8, 100, 512] {
            let most: usize = (0..on_node).map(|rank| sizes(rank, on_node).1).sum();
            assert!(most <= MOST_OF_NODE + LEAST_OF_LEAD, "{most} of {on_node}");
        }
    }

    #[tokio::test]
    async fn a_share_below_one_lets_one_after_the_other_pass() {
        let window = Window::of_rank(1999, 2000);
        for _ in 0..3 {
            let seat = window.enter().await;
            seat.refused();
            assert_eq!(window.now(), 1);
            assert!(window.pass().entry.is_none());
        }
    }
}
