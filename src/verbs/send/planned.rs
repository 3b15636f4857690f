//! A send or an update that has been planned, and that can be looked at before it runs.
//!
//! Key type: [`PlannedSend`].

use std::time::Instant;

use super::intent::Intent;
use super::lead::{LeasedSend, size};
use super::report::SendReport;
use super::worker::{Groundwork, Worker};
use crate::error::Error;
use crate::events::PlanSize;
use crate::ranks::{Follower, Role};
use crate::session::Session;
use crate::transfer::Orders;
use crate::verbs::files::catalogue::help_to_catalogue;

/// Files that fit the stores, whose leases are held. Dropped, it gives them up; nothing has been written.
pub struct PlannedSend<'a> {
    session: &'a Session<'a>,
    intent: Intent<'a>,
    begun: Instant,
    groundwork: Groundwork,
    transactions: usize,
    /// Only the lead has it.
    held: Option<LeasedSend<'a>>,
}

impl<'a> PlannedSend<'a> {
    pub(super) fn new(intent: Intent<'a>, session: &'a Session<'a>) -> Result<Self, Error> {
        let begun = Instant::now();
        let planned = |intent, held, (groundwork, transactions)| Self {
            session,
            intent,
            begun,
            groundwork,
            transactions,
            held,
        };
        match session.role() {
            Role::Lead(lead) => {
                let mut held = lead.go_on(LeasedSend::new(&intent, session, lead))?;
                let told = (held.groundwork(), held.prepared.transactions());
                // Where it cannot be told, what is planned gives up the leases.
                let planned = planned(intent, Some(held), told);
                lead.tell(&(&planned.groundwork, planned.transactions))?;
                Ok(planned)
            }
            Role::Follower(follower) => {
                // The lead knows why it could not go on, and tells it next.
                let _ = help_to_catalogue(follower, &intent.files.append_dimension);
                Ok(planned(intent, None, follower.hear()?))
            }
        }
    }

    /// How many transactions are to come; none if there is nothing to do.
    #[must_use]
    pub fn transactions(&self) -> usize {
        self.transactions
    }

    /// What the first transaction comes to, as the stores are now; `None` if there is nothing to do. Every rank calls it.
    ///
    /// # Errors
    /// On every rank the same: if a store cannot be read any more.
    pub fn first(&mut self) -> Result<Option<PlanSize>, Error> {
        let Self {
            session,
            intent,
            held,
            ..
        } = self;
        session.on_lead(async || match held {
            Some(held) => {
                let first = held.prepared.first(intent, session).await?;
                Ok(first.as_ref().map(size))
            }
            None => Ok(None),
        })
    }

    /// Does it. Every rank calls it.
    ///
    /// # Errors
    /// On every rank the same: what failed, when everything is as it was before; or with what could not be put back.
    pub fn run(mut self) -> Result<SendReport, Error> {
        match self.session.role() {
            Role::Lead(lead) => {
                let done = match self.held.take() {
                    Some(held) => {
                        let groundwork = std::mem::take(&mut self.groundwork);
                        held.run(groundwork, &self.intent, self.session, lead)
                    }
                    None => Ok(SendReport::default()),
                };
                let elapsed = self.begun.elapsed();
                lead.share(done.map(|report| SendReport { elapsed, ..report }))
            }
            Role::Follower(follower) => {
                // The lead knows why it could not go on, and tells it in the end.
                let _ = self.follow_all(follower);
                follower.hear()
            }
        }
    }

    /// All transactions, as the lead tells them.
    fn follow_all(&mut self, follower: Follower<'_>) -> Result<(), Error> {
        let (session, groundwork) = (self.session, std::mem::take(&mut self.groundwork));
        let worker = Worker::ready(groundwork, self.intent.files, session)?;
        loop {
            session.interrupt.guard(true);
            let Some(orders) = follower.hear::<Option<Orders>>()? else {
                return Ok(());
            };
            worker.follow(&orders, follower)?;
            session.interrupt.guard(false);
        }
    }
}

impl Drop for PlannedSend<'_> {
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            let session = self.session;
            session.runtime.block_on(held.hold.release(session));
        }
    }
}
