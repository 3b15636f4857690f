//! How many at a time: one more for every round of good answers, half as many when the server says that it is too much. As TCP
//! finds how much a path bears.
//!
//! Key type: [`Aimd`].

/// A number that follows from answers.
#[derive(Clone, Debug)]
pub(super) struct Aimd {
    limit: f64,
    most: f64,
    /// Until the server first says that it is too much, it doubles in each round.
    doubles: bool,
    /// Counts the times that it was halved.
    halvings: u64,
}

impl Aimd {
    /// `first` at first, and never more than `most`; one is always allowed.
    pub(super) fn new(first: usize, most: usize) -> Self {
        let most = most.max(1) as f64;
        Self {
            limit: (first.max(1) as f64).min(most),
            most,
            doubles: true,
            halvings: 0,
        }
    }

    /// How many there may be at a time.
    pub(super) fn limit(&self) -> usize {
        self.limit as usize
    }

    /// The most that it will ever be.
    pub(super) fn most(&self) -> usize {
        self.most as usize
    }

    /// How often it was halved until now: what begins now is of this age.
    pub(super) fn age(&self) -> u64 {
        self.halvings
    }

    /// A good answer came of one beside which so many were on their way, itself among them.
    pub(super) fn answered(&mut self, on_their_way: usize) {
        let used = on_their_way as f64;
        // Only what is used shows that more would be borne.
        let (is_used, more) = if self.doubles {
            (self.limit < 2.0 * used, 1.0)
        } else {
            (self.limit.floor() * 0.75 <= used, 1.0 / self.limit)
        };
        if is_used {
            self.limit = (self.limit + more).min(self.most);
        }
    }

    /// One of this `age` was too much, when so many were on their way. Once for all that began since it was last halved: a
    /// burst is refused together. Was it halved?
    pub(super) fn refused(&mut self, age: u64, on_their_way: usize) -> bool {
        if age != self.halvings {
            return false;
        }
        self.halvings += 1;
        self.doubles = false;
        self.limit = (self.limit.min(on_their_way as f64) / 2.0).max(1.0);
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Does a round: as many as it allows, of which the server bears so many and refuses the others.
    fn round(aimd: &mut Aimd, borne: usize) {
        let (count, age) = (aimd.limit(), aimd.age());
        for number in 0..count {
            if number < borne {
                aimd.answered(count);
            } else {
                aimd.refused(age, count);
            }
        }
    }

    #[test]
    fn it_doubles_until_it_is_too_much_and_then_grows_by_one_a_round() {
        let mut aimd = Aimd::new(4, 100);
        for expected in [8, 16, 32, 64, 100, 100] {
            round(&mut aimd, usize::MAX);
            assert_eq!(aimd.limit(), expected);
        }
        aimd.refused(aimd.age(), 60);
        assert_eq!(aimd.limit(), 30, "half of what was on its way");
        for grown in 1..=20 {
            round(&mut aimd, usize::MAX);
            let expected = 30 + grown;
            assert!((expected - 1..=expected).contains(&aimd.limit()));
        }
    }

    #[test]
    fn a_burst_that_is_refused_counts_once() {
        let mut aimd = Aimd::new(64, 256);
        let age = aimd.age();
        assert!(aimd.refused(age, 64));
        assert!((1..64).all(|_| !aimd.refused(age, 64)));
        assert_eq!(aimd.limit(), 32);
        // What began after it is another.
        assert!(aimd.refused(aimd.age(), 32));
        assert_eq!(aimd.limit(), 16);
    }

    #[test]
    fn what_is_not_used_does_not_grow() {
        let mut aimd = Aimd::new(32, 256);
        (0..1000).for_each(|_| aimd.answered(16));
        assert_eq!(aimd.limit(), 32);
        (0..1000).for_each(|_| aimd.answered(20));
        assert_eq!(aimd.limit(), 40, "twice what is used");
        aimd.refused(aimd.age(), 40);
        (0..1000).for_each(|_| aimd.answered(14));
        assert_eq!(aimd.limit(), 20);
        (0..30).for_each(|_| aimd.answered(15));
        assert_eq!(aimd.limit(), 21);
    }

    proptest! {
        #[test]
        fn it_stays_within_bounds_and_recovers(
            (first, most) in (0..300usize, 0..300usize),
            answers in proptest::collection::vec((any::<bool>(), 0..3u64, 0..400usize), 0..400),
        ) {
            let mut aimd = Aimd::new(first, most);
            for (is_good, younger, on_their_way) in answers {
                if is_good {
                    aimd.answered(on_their_way);
                } else {
                    aimd.refused(aimd.age().saturating_sub(younger), on_their_way);
                }
                prop_assert!((1..=most.max(1)).contains(&aimd.limit()));
            }
            for _ in 0..2 * most {
                round(&mut aimd, usize::MAX);
            }
            prop_assert_eq!(aimd.limit(), most.max(1));
        }

        #[test]
        fn it_finds_what_a_server_bears(borne in 1..200usize) {
            let mut aimd = Aimd::new(32, 256);
            for _ in 0..30 {
                round(&mut aimd, borne);
            }
            let mut sum = 0;
            for _ in 0..300 {
                round(&mut aimd, borne);
                prop_assert!(aimd.limit() <= borne + 1);
                sum += aimd.limit();
            }
            prop_assert!(sum / 300 >= borne / 2, "{} of {borne}", sum / 300);
        }
    }
}
