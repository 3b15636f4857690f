//! A claim to a store's lease, and who gives way when there are several. Deciding is pure.
//!
//! Key types: [`Claim`], what lies in the ledger; [`Rival`], another's that counts; [`first_look`] and [`last_look`].

use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::holder::Holder;

/// The version of the form.
const FORMAT: u32 = 1;

/// What a claim has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ClaimState {
    /// Its owner looks whether there are others.
    Claiming,
    /// Its owner holds the lease, or is about to find out that it does not.
    Held,
}

/// A claim as it lies in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claim {
    format: u32,
    /// Drawn anew for every claim.
    pub token: String,
    pub state: ClaimState,
    /// Renewals so far.
    pub beat: u64,
    pub holder: Holder,
}

impl Claim {
    /// A new claim.
    pub(super) fn new(holder: Holder) -> Self {
        Self {
            format: FORMAT,
            token: format!("{:016x}", rand::random::<u64>()),
            state: ClaimState::Claiming,
            beat: 0,
            holder,
        }
    }

    /// As it is put.
    pub(super) fn write(&self) -> Result<Bytes, serde_json::Error> {
        serde_json::to_vec(self).map(Bytes::from)
    }

    /// A claim as it was read; `None` if this program cannot read it.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let claim: Self = serde_json::from_slice(bytes).ok()?;
        (claim.format == FORMAT).then_some(claim)
    }
}

/// A claim that is not ours, and that its owner may count on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rival {
    /// Empty where the claim cannot be read: it then comes before all others.
    pub token: String,
    pub state: ClaimState,
    /// `None` where the claim cannot be read.
    pub holder: Option<Holder>,
    /// For how long it counts, if it is not renewed.
    pub left: Duration,
}

/// Before our claim: to whom do we not even raise it?
pub(super) fn before(rivals: &[Rival]) -> Option<&Rival> {
    let held = rivals.iter().find(|rival| rival.state == ClaimState::Held);
    held.or(rivals.first())
}

/// With our claim put: to whom do we give way? To a holder, and to the lower token among those who look around.
pub(super) fn first_look<'a>(token: &str, rivals: &'a [Rival]) -> Option<&'a Rival> {
    let wins = |rival: &&Rival| rival.state == ClaimState::Held || rival.token.as_str() < token;
    rivals.iter().find(wins)
}

/// With our claim put as held: to whom do we give way? Who put a claim before our first look we have seen; who did later
/// sees us as the holder, unless both looked before either held. Of those the lower token stays.
pub(super) fn last_look<'a>(token: &str, rivals: &'a [Rival]) -> Option<&'a Rival> {
    rivals.iter().find(|rival| rival.token.as_str() < token)
}

#[cfg(test)]
mod tests {
    use super::super::holder::tests::elsewhere;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_claim_reads_back_and_others_are_not_read() {
        let claim = Claim::new(elsewhere());
        assert_eq!(Claim::read(&claim.write().unwrap()), Some(claim.clone()));
        let later = Claim { format: 2, ..claim };
        assert_eq!(Claim::read(&later.write().unwrap()), None);
        assert_eq!(Claim::read(b"{"), None);
    }

    /// Where a contender is.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum At {
        Start,
        Looked,
        Claimed,
        Free,
        Held,
        Granted,
    }

    /// Contenders that take one step each when it is their turn, on one listing that shows every write at once.
    struct Contest {
        at: Vec<At>,
        claims: Vec<Option<(String, ClaimState)>>,
        round: Vec<u32>,
    }

    impl Contest {
        fn rivals(&self, of: usize) -> Vec<Rival> {
            let others = self.claims.iter().enumerate().filter(|(i, _)| *i != of);
            others
                .filter_map(|(_, claim)| claim.clone())
                .map(|(token, state)| Rival {
                    token,
                    state,
                    holder: None,
                    left: Duration::ZERO,
                })
                .collect()
        }

        fn step(&mut self, who: usize, tokens: &[u8]) {
            let rivals = self.rivals(who);
            let token = self.claims[who].clone().map_or_else(String::new, |c| c.0);
            let (next, claim) = match self.at[who] {
                At::Start if before(&rivals).is_some() => (At::Start, None),
                At::Start => (At::Looked, None),
                At::Looked => {
                    let drawn = tokens[self.round[who] as usize % tokens.len()];
                    self.round[who] += 1;
                    let token = format!("{drawn:03}-{who}");
                    (At::Claimed, Some((token, ClaimState::Claiming)))
                }
                At::Claimed if first_look(&token, &rivals).is_some() => (At::Start, None),
                At::Claimed => (At::Free, Some((token, ClaimState::Claiming))),
                At::Free => (At::Held, Some((token, ClaimState::Held))),
                At::Held if last_look(&token, &rivals).is_some() => (At::Start, None),
                At::Held => (At::Granted, Some((token, ClaimState::Held))),
                // Works for a turn, then releases.
                At::Granted => (At::Start, None),
            };
            self.at[who] = next;
            self.claims[who] = claim;
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn never_two_holders(
            turns in proptest::collection::vec(0usize..4, 1..200),
            tokens in proptest::collection::vec(any::<u8>(), 1..8),
        ) {
            let mut contest = Contest {
                at: vec![At::Start; 4],
                claims: vec![None; 4],
                round: vec![0, 1, 2, 3],
            };
            for who in turns {
                contest.step(who, &tokens);
                let holders = contest.at.iter().filter(|at| **at == At::Granted).count();
                prop_assert!(holders <= 1, "{:?}", contest.at);
            }
        }

        #[test]
        fn who_is_alone_gets_it(tokens in proptest::collection::vec(any::<u8>(), 1..8)) {
            let mut contest = Contest {
                at: vec![At::Start], claims: vec![None], round: vec![0],
            };
            for _ in 0..5 {
                contest.step(0, &tokens);
            }
            prop_assert_eq!(contest.at[0], At::Granted);
        }
    }
}
