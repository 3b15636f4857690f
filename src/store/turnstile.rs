//! Waiting for room: who comes enters in order.
//!
//! Key types: [`Turnstile`]; [`Entry`], of one that is inside.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Mutex, Notify};

/// What counts the ones inside, each by its weight. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turnstile(Arc<Queue>);

#[derive(Debug, Default)]
struct Queue {
    /// Held by who is next.
    next: Mutex<()>,
    inside: AtomicU64,
    left: Notify,
}

/// One that is inside until this is dropped.
#[derive(Debug)]
pub(crate) struct Entry {
    turnstile: Turnstile,
    weight: u64,
}

impl Turnstile {
    /// Waits until all that came before are inside, and `has_room` says of their weight that one more may enter. It is asked again
    /// whenever one leaves. Who would be alone never waits.
    pub(crate) async fn enter(&self, weight: u64, has_room: impl Fn(u64) -> bool) -> Entry {
        let _next = self.0.next.lock().await;
        loop {
            let inside = self.inside();
            if inside == 0 || has_room(inside) {
                return self.pass(weight);
            }
            // What has left since the look is not missed: it is kept for who waits next.
            self.0.left.notified().await;
        }
    }

    /// Enters ahead of all that wait.
    pub(crate) fn pass(&self, weight: u64) -> Entry {
        self.0.inside.fetch_add(weight, Ordering::SeqCst);
        Entry {
            turnstile: self.clone(),
            weight,
        }
    }

    /// The weight of all that are inside.
    #[must_use]
    pub(crate) fn inside(&self) -> u64 {
        self.0.inside.load(Ordering::SeqCst)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let Queue { inside, left, .. } = &*self.turnstile.0;
        inside.fetch_sub(self.weight, Ordering::SeqCst);
        left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn enters(turnstile: &Turnstile, weight: u64, room: u64) -> Option<Entry> {
        let entering = turnstile.enter(weight, |inside| inside + weight <= room);
        let soon = Duration::from_millis(50);
        tokio::time::timeout(soon, entering).await.ok()
    }

    #[tokio::test]
    async fn who_is_alone_never_waits() {
        let turnstile = Turnstile::default();
        let alone = enters(&turnstile, 9, 0).await;
        assert!(alone.is_some());
        assert!(enters(&turnstile, 1, 9).await.is_none());
        assert!(enters(&turnstile, 1, 10).await.is_some());
        drop(alone);
        assert_eq!(turnstile.inside(), 0);
    }

    #[tokio::test]
    async fn nobody_is_overtaken_and_who_gives_up_holds_up_nobody() {
        let turnstile = Turnstile::default();
        let first = turnstile.pass(2);
        let large = turnstile.enter(3, |inside| inside + 3 <= 3);
        tokio::pin!(large);
        assert!(futures::poll!(&mut large).is_pending());
        assert!(enters(&turnstile, 1, 3).await.is_none(), "it is behind it");
        drop(first);
        let large = large.await;
        assert!(enters(&turnstile, 1, 3).await.is_none());
        drop(large);
        assert!(enters(&turnstile, 1, 3).await.is_some());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn everyone_gets_in_and_never_too_many() {
        let turnstile = Turnstile::default();
        let visitors = (0..200).map(|_| {
            let turnstile = turnstile.clone();
            tokio::spawn(async move {
                let _inside = turnstile.enter(1, |inside| inside < 7).await;
                tokio::time::sleep(Duration::from_micros(200)).await;
                turnstile.inside()
            })
        });
        for visitor in visitors.collect::<Vec<_>>() {
            assert!(visitor.await.unwrap() <= 7);
        }
        assert_eq!(turnstile.inside(), 0);
    }
}
