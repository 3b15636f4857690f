//! A send or an update that has been planned, and that can be looked at before it runs.
//!
//! Key type: [`PlannedSend`].

use std::time::Instant;

use super::intent::Intent;
use super::lead::{LeasedSend, size};
use super::report::SendReport;
use super::share::{SharedSend, Sharing};
use super::worker::{Groundwork, Worker};
use crate::error::Error;
use crate::events::PlanSize;
use crate::ranks::{Follower, Lead, Role};
use crate::session::Session;
use crate::transfer::Orders;
use crate::verbs::files::catalogue::help_to_catalogue;
use crate::verbs::quicklook::SentPictures;

/// Files that fit the stores, whose leases are held. Dropped, it gives them up; nothing has been written.
pub struct PlannedSend<'a> {
    session: &'a Session<'a>,
    intent: Intent<'a>,
    begun: Instant,
    groundwork: Groundwork,
    transactions: usize,
    /// Only the lead has it.
    led: Option<LedSend<'a>>,
}

/// What the lead has to do.
enum LedSend<'a> {
    /// All of it, while no other job writes the stores.
    Alone(Box<LeasedSend<'a>>),
    /// Its share.
    Shared(Box<SharedSend<'a>>),
}

impl<'a> PlannedSend<'a> {
    pub(super) fn new(
        intent: Intent<'a>,
        sharing: Option<&Sharing>,
        session: &'a Session<'a>,
    ) -> Result<Self, Error> {
        let begun = Instant::now();
        let planned = |intent, led, (groundwork, transactions)| Self {
            session,
            intent,
            begun,
            groundwork,
            transactions,
            led,
        };
        match session.role() {
            Role::Lead(lead) => {
                let mut led = lead.go_on(LedSend::new(&intent, sharing, session, lead))?;
                let told = (led.groundwork(), led.transactions());
                // Where it cannot be told, what is planned gives up the leases.
                let planned = planned(intent, Some(led), told);
                lead.tell(&(&planned.groundwork, planned.transactions))?;
                Ok(planned)
            }
            Role::Follower(follower) => {
                // The lead knows why it could not go on, and tells it next.
                let view = intent.files.file_view();
                // Other jobs wait while these are read: the lead says so that it is over.
                session.interrupt.guard(sharing.is_some());
                let _ = help_to_catalogue(follower, view, &session.interrupt);
                session.interrupt.guard(false);
                Ok(planned(intent, None, follower.hear()?))
            }
        }
    }

    /// How many transactions are to come, or parts, if many jobs send the archive; none if there is nothing to do.
    #[must_use]
    pub fn transactions(&self) -> usize {
        self.transactions
    }

    /// What the first transaction comes to, as the stores are now; `None` if there is nothing to do, or other jobs share in it. Every rank
    /// calls it.
    ///
    /// # Errors
    /// On every rank the same: if a store cannot be read any more.
    pub fn first(&mut self) -> Result<Option<PlanSize>, Error> {
        let Self {
            session,
            intent,
            led,
            ..
        } = self;
        session.on_lead(async || match led {
            Some(LedSend::Alone(held)) => {
                let first = held.prepared.first(intent, session).await?;
                Ok(first.as_ref().map(|(.., plan)| size(plan)))
            }
            Some(LedSend::Shared(_)) | None => Ok(None),
        })
    }

    /// Does it. Every rank calls it.
    ///
    /// # Errors
    /// On every rank the same: what failed, when everything is as it was before; or with what could not be put back.
    pub fn run(mut self) -> Result<SendReport, Error> {
        match self.session.role() {
            Role::Lead(lead) => {
                let groundwork = std::mem::take(&mut self.groundwork);
                let (intent, session) = (&self.intent, self.session);
                let done = match self.led.take() {
                    Some(LedSend::Alone(held)) => held.run(groundwork, intent, session, lead),
                    Some(LedSend::Shared(shared)) => shared.run(groundwork, intent, session, lead),
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
            let begun = Instant::now();
            let orders = follower.hear::<Option<Orders>>();
            session.waited(begun);
            let Some(orders) = orders? else {
                return worker.drawn(SentPictures::default()).map(|_| ());
            };
            worker.follow(&orders, follower)?;
            session.interrupt.guard(false);
        }
    }
}

impl Drop for PlannedSend<'_> {
    fn drop(&mut self) {
        let session = self.session;
        match self.led.take() {
            Some(LedSend::Alone(held)) => session.runtime.block_on(held.hold.release(session)),
            Some(LedSend::Shared(shared)) => session.runtime.block_on(shared.give_up(session)),
            None => {}
        }
    }
}

impl<'a> LedSend<'a> {
    fn new(
        intent: &Intent<'a>,
        sharing: Option<&Sharing>,
        session: &Session<'_>,
        lead: Lead<'_>,
    ) -> Result<Self, Error> {
        Ok(match sharing {
            None => Self::Alone(Box::new(LeasedSend::new(intent, session, lead)?)),
            Some(sharing) => {
                Self::Shared(Box::new(SharedSend::new(intent, sharing, session, lead)?))
            }
        })
    }

    fn groundwork(&mut self) -> Groundwork {
        match self {
            Self::Alone(held) => held.groundwork(),
            Self::Shared(shared) => shared.groundwork(),
        }
    }

    fn transactions(&self) -> usize {
        match self {
            Self::Alone(held) => held.prepared.transactions(),
            Self::Shared(shared) => shared.parts(),
        }
    }
}
