//! Rank 0: the leases of what is copied, and of the copies.
//!
//! Key types: [`BothHolds`]; [`Held`], what they are to who works.

use super::Copy;
use super::ends::Route;
use super::place::Passage;
use crate::commit::LeaseError;
use crate::error::Error;
use crate::verbs::shared::hold::Hold;

/// The leases of both ends.
pub(super) struct BothHolds {
    /// Of both, within one bucket.
    from: Hold,
    /// Of the copies in another bucket.
    to: Option<Hold>,
}

/// They are held.
#[derive(Clone, Copy)]
pub(in crate::verbs) struct Held<'h> {
    /// The stores that are copied.
    pub from: &'h Hold,
    /// The copies: the same within one bucket.
    pub to: &'h Hold,
}

impl<'h> Held<'h> {
    /// Of what is copied within one bucket.
    pub(in crate::verbs) fn within(hold: &'h Hold) -> Self {
        let (from, to) = (hold, hold);
        Self { from, to }
    }

    /// The last step before anything that cannot be taken back.
    ///
    /// # Errors
    /// If a lease is lost, or a server cannot say.
    pub(super) async fn check(&self) -> Result<(), LeaseError> {
        self.from.leases.check().await?;
        if std::ptr::eq(self.from, self.to) {
            return Ok(());
        }
        self.to.leases.check().await
    }
}

impl BothHolds {
    /// Takes the leases of all stores that take these ways, and of their copies.
    ///
    /// # Errors
    /// If another job holds one of them, or an archive is being sent into it by many, or a server refuses.
    pub(super) async fn take(
        route: Route<'_>,
        request: &Copy,
        ways: &[Passage],
        command: &str,
    ) -> Result<Self, Error> {
        let leasing = &request.leasing;
        let sources = ways.iter().map(|way| way.from.clone());
        let copies = ways.iter().map(|way| way.to.clone());
        if route.is_within() {
            let both: Vec<String> = sources.chain(copies).collect();
            let from = Hold::take(route.from, leasing, &both, command).await?;
            return Ok(Self { from, to: None });
        }
        let (sources, copies): (Vec<_>, Vec<_>) = (sources.collect(), copies.collect());
        let from = async || Hold::take(route.from, leasing, &sources, command).await;
        let to = async || Hold::take(route.to, leasing, &copies, command).await;
        // In one order, so that no two jobs wait for each other.
        let is_first = route.from.bucket.identity() < route.to.bucket.identity();
        let (from, to) = if is_first {
            let from = from().await?;
            match to().await {
                Ok(to) => (from, to),
                Err(failure) => return Err(from.give_up(route.from, failure).await),
            }
        } else {
            let to = to().await?;
            match from().await {
                Ok(from) => (from, to),
                Err(failure) => return Err(to.give_up(route.to, failure).await),
            }
        };
        Ok(Self { from, to: Some(to) })
    }

    pub(super) fn held(&self) -> Held<'_> {
        Held {
            from: &self.from,
            to: self.to.as_ref().unwrap_or(&self.from),
        }
    }

    /// Heals what dead jobs left open.
    ///
    /// # Errors
    /// If it cannot be healed.
    pub(super) async fn heal(&mut self, route: Route<'_>) -> Result<(), Error> {
        self.from.left.heal(route.from).await?;
        self.from.wait_for_reads().await;
        if let Some(to) = &mut self.to {
            to.left.heal(route.to).await?;
            to.wait_for_reads().await;
        }
        Ok(())
    }

    /// What a command says that failed so.
    pub(super) fn verdict(&self, failure: Error) -> Error {
        let failure = self.from.verdict(failure);
        match &self.to {
            Some(to) => to.verdict(failure),
            None => failure,
        }
    }

    /// Gives the leases up.
    pub(super) async fn release(self, route: Route<'_>) {
        self.from.release(route.from).await;
        if let Some(to) = self.to {
            to.release(route.to).await;
        }
    }
}
