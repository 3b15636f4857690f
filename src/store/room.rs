//! How many bytes a link has room for, and how long they take, learnt from how long PUTs took.
//!
//! Key type: [`Room`].

use std::time::Duration;

/// Bytes at first, of all ranks of a node together, and at least, of each.
const FIRST: u64 = 1 << 20;
const LEAST: u64 = 256 << 10;
/// Bytes a second of the slowest link that is waited for while nothing is known of it, for all ranks of a node together.
const SLOWEST: f64 = (64 << 10) as f64;
/// PUTs that are answered within this time make room for more, and those that take longer than this for fewer.
const SOON: Duration = Duration::from_secs(4);
const LATE: Duration = Duration::from_secs(10);

/// What is known of a link.
#[derive(Clone, Debug)]
pub(super) struct Room {
    bytes: u64,
    /// Bytes a second that go at least, as far as is known before anything went.
    slowest: f64,
    /// Bytes a second of the PUT that was answered last, if none was lost since.
    rate: Option<f64>,
    /// Counts the times that it was halved.
    halvings: u64,
}

impl Room {
    /// That of one of so many ranks of a node, whose link they share.
    pub(super) fn of_rank(on_node: usize) -> Self {
        let on_node = on_node.max(1);
        Self {
            bytes: (FIRST / on_node as u64).max(LEAST),
            slowest: SLOWEST / on_node as f64,
            rate: None,
            halvings: 0,
        }
    }

    /// Bytes that may be on their way.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How often it was halved until now: what begins now is of this age.
    pub(super) fn age(&self) -> u64 {
        self.halvings
    }

    /// A PUT of so many `bytes` and of this `age` was answered when so many were `under_way`.
    pub(super) fn answered(&mut self, bytes: u64, took: Duration, age: u64, under_way: u64) {
        self.rate = Some(bytes as f64 / took.as_secs_f64().max(1e-3));
        if took > LATE {
            self.narrow(age, under_way);
        } else if took <= SOON && under_way * 2 >= self.bytes {
            // Only what is used shows that more would fit.
            self.bytes = self.bytes.saturating_add(bytes);
        }
    }

    /// One of this `age` was not answered, when so many were `under_way`: what was known of the link is not so any more.
    pub(super) fn lost(&mut self, age: u64, under_way: u64) {
        self.rate = None;
        self.narrow(age, under_way);
    }

    /// Is it late for a PUT that left so long ago?
    pub(super) fn is_late(took: Duration) -> bool {
        took > LATE
    }

    /// Half the room, but once for all that were on their way together.
    fn narrow(&mut self, age: u64, under_way: u64) {
        if age == self.halvings {
            self.halvings += 1;
            self.bytes = (self.bytes.min(under_way) / 2).max(LEAST);
        }
    }

    /// How long a body of so many `bytes` takes to leave when so many are `under_way`, itself among them: as the last one went; where
    /// nothing is known, as on the slowest link, behind all others.
    pub(super) fn expected(&self, bytes: u64, under_way: u64) -> Duration {
        let seconds = match self.rate {
            Some(rate) => bytes as f64 / rate.max(1.0),
            None => under_way.max(bytes) as f64 / self.slowest,
        };
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MIB: u64 = 1 << 20;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn there_is_more_when_answers_come_soon_and_all_of_it_is_used() {
        let mut room = Room::of_rank(1);
        room.answered(MIB / 4, seconds(0.1), room.age(), MIB / 4);
        assert_eq!(room.bytes(), FIRST, "a quarter of it was used");
        room.answered(100 * MIB, seconds(0.1), room.age(), 100 * MIB);
        assert_eq!(room.bytes(), FIRST + 100 * MIB);
        room.answered(MIB, seconds(5.0), room.age(), 100 * MIB);
        assert_eq!(room.bytes(), FIRST + 100 * MIB);
    }

    #[test]
    fn what_is_late_or_lost_halves_it_once_for_all_of_its_time() {
        let mut room = Room::of_rank(1);
        let age = room.age();
        for _ in 0..4 {
            room.lost(age, 4 * MIB);
        }
        assert_eq!(room.bytes(), FIRST / 2);
        room.answered(MIB, seconds(11.0), age, 4 * MIB);
        assert_eq!(room.bytes(), FIRST / 2, "it began before");
        for _ in 0..9 {
            room.answered(MIB, seconds(11.0), room.age(), 2 * MIB);
        }
        assert_eq!(room.bytes(), LEAST);
    }

    /// As many bodies of this size as there is room for, all at once, over a link of so many bytes a second: were any of them given
    /// up, which are silent for so long besides?
    fn round(ranks: &mut [Room], body: u64, link: f64, silence: Duration) -> bool {
        let counts: Vec<u64> = ranks
            .iter()
            .map(|room| (room.bytes() / body).max(1))
            .collect();
        let took = seconds((counts.iter().sum::<u64>() * body) as f64 / link);
        let mut is_lost = false;
        for (room, count) in ranks.iter_mut().zip(counts) {
            let (age, under_way) = (room.age(), count * body);
            if took > silence + room.expected(body, under_way) {
                is_lost = true;
                room.lost(age, under_way);
            } else {
                (0..count).for_each(|_| room.answered(body, took, age, under_way));
            }
        }
        is_lost
    }

    proptest! {
        #[test]
        fn nothing_is_lost_on_a_slow_link_and_few_bytes_are_on_their_way(
            on_node in 1..9usize,
            body in 65_000..40_000_000u64,
            link in 100_000.0..2e6f64,
        ) {
            let mut ranks = vec![Room::of_rank(on_node); on_node];
            for number in 0..40 {
                prop_assert!(!round(&mut ranks, body, link, seconds(20.0)), "round {number}");
            }
            let at_least = LEAST.max(body);
            for room in &ranks {
                // What goes within the time in which an answer is not late, or one body, of each.
                let most = (link * LATE.as_secs_f64()) as u64 + at_least;
                prop_assert!(room.bytes() <= most, "{} of {most}", room.bytes());
            }
        }

        #[test]
        fn a_fast_link_has_room_for_as_much_as_it_carries(body in 65_000..4_000_000u64) {
            let (mut room, latency) = (Room::of_rank(1), 0.05);
            for _ in 0..12 {
                let age = room.age();
                let count = (room.bytes() / body).max(1);
                let took = seconds(latency + (count * body) as f64 / 1e9);
                (0..count).for_each(|_| room.answered(body, took, age, count * body));
            }
            // What is on its way at 1 GB/s.
            prop_assert!(room.bytes() as f64 >= latency * 1e9);
        }

        #[test]
        fn a_link_that_slows_down_is_learnt_anew(body in 65_000..4_000_000u64) {
            let mut ranks = [Room::of_rank(1)];
            for _ in 0..10 {
                round(&mut ranks, body, 20e6, seconds(20.0));
            }
            let lost = (0..20).filter(|_| round(&mut ranks, body, 1e5, seconds(20.0))).count();
            prop_assert!(lost <= 8, "{lost} times");
            prop_assert!(!round(&mut ranks, body, 1e5, seconds(20.0)));
        }
    }
}
