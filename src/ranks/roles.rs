//! The two parts that ranks play: rank 0 leads, and tells; the others follow, and hear. Whatever is told is a result, so
//! that a failure of the lead reaches those that wait for something else.
//!
//! Key types: [`Role`], [`Lead`], [`Follower`].

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Ranks, wire};
use crate::error::Error;

/// The part of this rank.
#[derive(Clone, Copy)]
pub(crate) enum Role<'a> {
    /// Rank 0.
    Lead(Lead<'a>),
    /// Any other.
    Follower(Follower<'a>),
}

/// Rank 0 of the ranks.
#[derive(Clone, Copy)]
pub(crate) struct Lead<'a>(pub(super) &'a Ranks);

/// Another of the ranks.
#[derive(Clone, Copy)]
pub(crate) struct Follower<'a>(pub(super) &'a Ranks);

impl<'a> Lead<'a> {
    /// The ranks, for work of which each does its share.
    #[must_use]
    pub(crate) fn ranks(self) -> &'a Ranks {
        self.0
    }

    /// Tells the followers `value`, which they [hear](Follower::hear).
    ///
    /// # Errors
    /// If it cannot be encoded.
    pub(crate) fn tell<T: Serialize>(self, value: &T) -> Result<(), Error> {
        self.send(&Ok::<_, &Error>(value))
    }

    /// Tells them what came of something, and returns it.
    ///
    /// # Errors
    /// If it is one.
    pub(crate) fn share<T: Serialize>(self, result: Result<T, Error>) -> Result<T, Error> {
        self.send(&result)?;
        result
    }

    /// Tells them whether it went well, for which they [wait](Follower::verdict); the value is the lead's.
    ///
    /// # Errors
    /// If it did not.
    pub(crate) fn conclude<T>(self, result: Result<T, Error>) -> Result<T, Error> {
        self.send(&result.as_ref().map(|_| ()))?;
        result
    }

    /// Goes on, unless `result` is a failure: then that is what they hear next.
    ///
    /// # Errors
    /// If it is one.
    pub(crate) fn go_on<T>(self, result: Result<T, Error>) -> Result<T, Error> {
        if let Err(failure) = &result {
            self.send(&Err::<(), _>(failure))?;
        }
        result
    }

    /// What every rank gives, in their order; `mine` is the first.
    ///
    /// # Errors
    /// If a rank runs another version of the program.
    pub(crate) fn collect<T: DeserializeOwned>(self, mine: T) -> Result<Vec<T>, Error> {
        let mut all = vec![mine];
        if let Some(others) = &self.0.others {
            for bytes in others.collect() {
                all.push(wire::decode(&bytes)?);
            }
        }
        Ok(all)
    }

    /// What came of something on every rank: their values in order.
    ///
    /// # Errors
    /// On every rank the same: the failure of the lowest rank that has one.
    pub(crate) fn settle<T: DeserializeOwned>(
        self,
        mine: Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let all = self.collect(mine)?;
        self.conclude(all.into_iter().collect())
    }

    fn send<T: Serialize>(self, result: &T) -> Result<(), Error> {
        if let Some(others) = &self.0.others {
            others.tell(wire::encode(result)?);
        }
        Ok(())
    }
}

impl<'a> Follower<'a> {
    /// The ranks, for work of which each does its share.
    #[must_use]
    pub(crate) fn ranks(self) -> &'a Ranks {
        self.0
    }

    /// What the lead tells.
    ///
    /// # Errors
    /// If that is a failure.
    pub(crate) fn hear<T: DeserializeOwned>(self) -> Result<T, Error> {
        let heard = self.0.others.as_ref().map(|others| others.hear());
        wire::decode::<Result<T, Error>>(&heard.unwrap_or_default())?
    }

    /// Whether it went well on the lead.
    ///
    /// # Errors
    /// If it did not.
    pub(crate) fn verdict(self) -> Result<(), Error> {
        self.hear()
    }

    /// Gives the lead `value`, which it [collects](Lead::collect).
    ///
    /// # Errors
    /// If it cannot be encoded.
    pub(crate) fn give<T: Serialize>(self, value: &T) -> Result<(), Error> {
        if let Some(others) = &self.0.others {
            others.give(wire::encode(value)?);
        }
        Ok(())
    }

    /// Gives what came of something on this rank.
    ///
    /// # Errors
    /// As [`Lead::settle`].
    pub(crate) fn settle<T: Serialize>(self, mine: &Result<T, Error>) -> Result<(), Error> {
        self.give(mine)?;
        self.verdict()
    }
}

impl Ranks {
    /// The part of this rank.
    #[must_use]
    pub(crate) fn role(&self) -> Role<'_> {
        match self.rank {
            0 => Role::Lead(Lead(self)),
            _ => Role::Follower(Follower(self)),
        }
    }

    /// The lead works, the others wait for what comes of it.
    ///
    /// # Errors
    /// On every rank the same: if the work fails.
    pub(crate) fn on_lead<T: Serialize + DeserializeOwned>(
        &self,
        work: impl FnOnce() -> Result<T, Error>,
    ) -> Result<T, Error> {
        match self.role() {
            Role::Lead(lead) => lead.share(work()),
            Role::Follower(follower) => follower.hear(),
        }
    }

    /// What came of something on every rank is put together by the lead; all of them get what that makes of it.
    ///
    /// # Errors
    /// On every rank the same: the failure of the lowest rank that has one, or the lead's.
    pub(crate) fn join<T: Serialize + DeserializeOwned, U: Serialize + DeserializeOwned>(
        &self,
        mine: Result<T, Error>,
        together: impl FnOnce(Vec<T>) -> Result<U, Error>,
    ) -> Result<U, Error> {
        match self.role() {
            Role::Lead(lead) => {
                let all = lead.collect(mine)?;
                let all: Result<Vec<T>, Error> = all.into_iter().collect();
                lead.share(all.and_then(together))
            }
            Role::Follower(follower) => {
                follower.give(&mine)?;
                follower.hear()
            }
        }
    }

    /// This rank's result, if no other rank has a failure.
    ///
    /// # Errors
    /// On every rank the same: the failure of the lowest rank that has one.
    pub(crate) fn settle<T>(&self, mine: Result<T, Error>) -> Result<T, Error> {
        let verdict = mine.as_ref().map(|_| ()).map_err(Clone::clone);
        self.join(verdict, |_| Ok(()))?;
        mine
    }

    /// `failure`, with the rank on which it happened, if that is not the lead.
    #[must_use]
    pub(crate) fn of_follower(&self, failure: Error) -> Error {
        match self.role() {
            Role::Lead(_) => failure,
            Role::Follower(_) => self.here(failure),
        }
    }

    /// `failure`, with the rank on which it happened.
    #[must_use]
    pub(crate) fn here(&self, failure: Error) -> Error {
        Error::OnRank {
            rank: self.rank,
            cause: Box::new(failure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranks::{RanksError, threads};

    fn failure(rank: usize) -> Error {
        let cause = format!("of {rank}");
        RanksError::Thread { cause }.into()
    }

    #[test]
    fn the_lead_s_word_reaches_all_and_so_does_its_failure() {
        for size in [1, 3] {
            let told = threads(size, |ranks| ranks.on_lead(|| Ok("word".to_owned())));
            assert_eq!(told, vec![Ok("word".to_owned()); size]);
            // Whatever they wait for.
            let failed = threads(size, |ranks| match ranks.role() {
                Role::Lead(lead) => lead.go_on(Err(failure(0))),
                Role::Follower(follower) => follower.hear::<Vec<u64>>(),
            });
            assert_eq!(failed, vec![Err(failure(0)); size]);
        }
    }

    #[test]
    fn all_settle_on_the_failure_of_the_lowest_rank() {
        let settle = |bad: &[usize]| {
            threads(4, |ranks| {
                let mine = if bad.contains(&ranks.rank()) {
                    Err(failure(ranks.rank()))
                } else {
                    Ok(ranks.rank())
                };
                let own = ranks.settle(mine.clone());
                let joined = ranks.join(mine.clone(), |all| Ok(all.iter().sum::<usize>()));
                let at_lead = match ranks.role() {
                    Role::Lead(lead) => lead.settle(mine),
                    Role::Follower(follower) => follower.settle(&mine).map(|()| Vec::new()),
                };
                (own, joined, at_lead)
            })
        };
        for (rank, (own, joined, at_lead)) in settle(&[]).into_iter().enumerate() {
            assert_eq!((own, joined), (Ok(rank), Ok(6)));
            let all = if rank == 0 {
                vec![0, 1, 2, 3]
            } else {
                Vec::new()
            };
            assert_eq!(at_lead, Ok(all));
        }
        for (own, joined, at_lead) in settle(&[3, 2]) {
            assert_eq!((own, joined), (Err(failure(2)), Err(failure(2))));
            assert_eq!(at_lead, Err(failure(2)));
        }
    }
}
