//! The lead's story of a job that takes part in sending a shared archive: part after part, and a commit whenever the parts that are
//! done have become a longer prefix of the archive.
//!
//! Key type: [`SharedSend`].

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::{Instant, SystemTime};

use msm_plan::{Phase, PlanSettings, Projections, StoreRequest};
use msm_reproject::Weights;

use super::Sharing;
use super::begin::{Beginning, HeldStores};
use super::error::ShareError;
use super::growth::Growth;
use super::report::ShareReport;
use super::take::TakenPart;
use crate::commit::{PartResult, SharedArchive};
use crate::error::Error;
use crate::events::Event;
use crate::ranks::Lead;
use crate::session::Session;
use crate::store::Guarantees;
use crate::transfer::{Orders, TransferError};
use crate::verbs::send::begin::TransactionStart;
use crate::verbs::send::error::SendError;
use crate::verbs::send::gather::gather;
use crate::verbs::send::grown_ledgers::GrownLedgers;
use crate::verbs::send::held::tell_held;
use crate::verbs::send::intent::Intent;
use crate::verbs::send::maps::PlannedMaps;
use crate::verbs::send::prepare::PreparedSend;
use crate::verbs::send::report::SendReport;
use crate::verbs::send::transaction::LedTransaction;
use crate::verbs::send::worker::{Groundwork, Worker};

/// A job that takes part in sending a shared archive.
pub(in crate::verbs::send) struct SharedSend<'a> {
    pub(super) prepared: PreparedSend<'a>,
    /// What is asked of the stores for the whole archive, as they were when the job began, or when their growth was last rolled back.
    pub(super) requests: Vec<StoreRequest>,
    /// Parts that readers saw then.
    pub(super) planned: usize,
    /// When the leases of parts were renewed last, by the server's clock, and since when this is so, by ours.
    pub(super) leases: BTreeMap<usize, (SystemTime, Instant)>,
    pub(super) archive: SharedArchive,
    /// The ETag with which the home told of it when it was last looked at.
    pub(super) tag: Mutex<Option<String>>,
    /// What the server was found to guarantee.
    pub(super) guarantees: Guarantees,
    pub(super) sharing: Sharing,
    /// Parts that were put, and are to be put again.
    pub(super) again: BTreeSet<usize>,
    /// Parts that cannot be put, for their files are in the way; and why.
    pub(super) failed: BTreeMap<usize, Error>,
    pub(super) report: ShareReport,
    begun: Instant,
    /// Before the first part.
    held: Option<HeldStores>,
}

/// What the job does next.
enum Turn<'a> {
    Part(Box<TakenPart>),
    Growth(Box<Growth<'a>>),
    Over,
}

impl<'a> SharedSend<'a> {
    /// Finds out what is to be sent where, and which parts there are. The stores' leases are held when it returns.
    ///
    /// # Errors
    /// If files and stores do not fit together, or the archive was shared out otherwise; then the leases are given up.
    pub(in crate::verbs::send) fn new(
        intent: &Intent<'a>,
        sharing: &Sharing,
        session: &Session<'_>,
        lead: Lead<'_>,
    ) -> Result<Self, Error> {
        let begun = Instant::now();
        let Beginning {
            prepared,
            requests,
            archive,
            held,
        } = Beginning::new(intent, sharing, session, lead)?;
        let mut shared = Self {
            prepared,
            requests,
            planned: 0,
            leases: BTreeMap::new(),
            guarantees: held.hold.guarantees.clone(),
            report: ShareReport {
                parts: archive.parts.len(),
                ..ShareReport::default()
            },
            archive,
            tag: Mutex::default(),
            sharing: sharing.clone(),
            again: BTreeSet::new(),
            failed: BTreeMap::new(),
            begun,
            held: Some(held),
        };
        match shared.seen() {
            Ok(planned) => {
                shared.planned = planned;
                Ok(shared)
            }
            Err(failure) => {
                session.runtime.block_on(shared.give_up(session));
                Err(failure)
            }
        }
    }

    /// How many parts there are.
    pub(in crate::verbs::send) fn parts(&self) -> usize {
        self.archive.parts.len()
    }

    /// What every rank does first.
    pub(in crate::verbs::send) fn groundwork(&mut self) -> Groundwork {
        Groundwork {
            projections: self.prepared.projector.projections().to_vec(),
            comparison: self.prepared.comparison(),
            is_to_be_sent: true,
        }
    }

    /// Gives up the leases of a job that is not run.
    pub(in crate::verbs::send) async fn give_up(self, session: &Session<'_>) {
        if let Some(held) = self.held {
            held.give_up(session).await;
        }
    }

    /// Takes part until nothing is left to take, or the job is to end.
    ///
    /// # Errors
    /// If that failed; then what is committed stays, and what was put waits for another job.
    pub(in crate::verbs::send) fn run(
        mut self,
        groundwork: Groundwork,
        intent: &Intent<'_>,
        session: &Session<'_>,
        lead: Lead<'_>,
    ) -> Result<SendReport, Error> {
        let mut report = SendReport::default();
        let held = self.held.take();
        report.guarantee = held.as_ref().map(|held| held.hold.leases.guarantee());
        let runtime = &session.runtime;
        session.interrupt.guard(true);
        let worker = match Worker::ready(groundwork, intent.files, session) {
            Ok(worker) => worker,
            Err(failure) => {
                if let Some(held) = held {
                    runtime.block_on(held.give_up(session));
                }
                return Err(failure);
            }
        };
        self.prepared.tell_notes(session);
        let settings = intent.settings(Projections {
            all: self.prepared.projector.projections().to_vec(),
            weights: worker.weights.iter().map(Weights::bytes).sum(),
        });
        self.prepared.maps = PlannedMaps::of(
            &self.prepared.archive,
            &self.prepared.targets,
            self.prepared.projector.projections(),
            intent,
        );
        if let Some(held) = held {
            let shared = runtime.block_on(held.share_out(&self.archive, session));
            lead.go_on(shared)?;
        }
        let done = self.take_turns(&mut report, &worker, intent, &settings, lead);
        let standing = runtime.block_on(self.conclude(session));
        session.interrupt.guard(false);
        match (done.and_then(|()| self.verdict(session)), standing) {
            (Ok(()), standing) => {
                standing?;
                report.shared = Some(self.report);
                Ok(report)
            }
            (Err(cause), Ok(())) => Err(ShareError::Unfinished {
                cause: Box::new(cause),
                put: self.report.put,
                waiting: self.report.waiting,
                committed: self.report.committed,
                of: self.report.parts,
                edge: self.report.edge,
            }
            .into()),
            // What it ended with is worth more.
            (Err(cause), Err(_)) => Err(cause),
        }
    }

    /// Why a job that has nothing left to do did not do all of it.
    ///
    /// # Errors
    /// That.
    fn verdict(&mut self, session: &Session<'_>) -> Result<(), Error> {
        let failed = std::mem::take(&mut self.failed).into_iter();
        Error::together(failed.map(|(number, cause)| self.of_part(number, cause)))?;
        if session.interrupt.has_come() && self.report.committed < self.report.parts {
            return Err(ShareError::StoppedBetween.into());
        }
        Ok(())
    }

    fn take_turns(
        &mut self,
        report: &mut SendReport,
        worker: &Worker<'_>,
        intent: &Intent<'_>,
        settings: &PlanSettings,
        lead: Lead<'_>,
    ) -> Result<(), Error> {
        let session = worker.session;
        loop {
            let turn = session
                .runtime
                .block_on(self.turn(intent, settings, session));
            let turn = turn.map_err(|failure| report.so_far(failure, None));
            match lead.go_on(turn)? {
                Turn::Over => {
                    lead.tell(&None::<Orders>)?;
                    let maps = std::mem::take(&mut self.prepared.maps);
                    report.maps = worker.drawn(maps.into_pictures())?;
                    return Ok(());
                }
                Turn::Part(taken) => {
                    lead.tell(&Some(&taken.orders))?;
                    let plan = &taken.orders.plan;
                    self.prepared.show(worker, plan, &taken.foreseen);
                    let put = self.put(*taken, worker, lead);
                    put.map_err(|failure| report.so_far(failure, None))?;
                }
                Turn::Growth(growth) => {
                    lead.tell(&Some(&growth.start.orders))?;
                    let committed = self.commit(*growth, report, worker, lead);
                    committed.map_err(|failure| report.so_far(failure, None))?;
                }
            }
        }
    }

    async fn turn<'b>(
        &mut self,
        intent: &Intent<'_>,
        settings: &PlanSettings,
        session: &'b Session<'_>,
    ) -> Result<Turn<'b>, Error> {
        while !session.interrupt.has_come() {
            let Some(standing) = self.standing(session).await? else {
                break;
            };
            // Where another job commits, this one puts the next part meanwhile.
            if self.can_grow(&standing)
                && let Some(growth) = self.grow(intent, settings, false, session).await?
            {
                return Ok(Turn::Growth(Box::new(growth)));
            }
            let stop_after = self.sharing.stop_after;
            let out_of_time = stop_after.is_some_and(|after| self.begun.elapsed() >= after);
            if standing.committed < self.planned {
                self.ask_again(intent, session).await?;
            }
            if !out_of_time && let Some(taken) = self.take(intent, settings, session).await? {
                return Ok(Turn::Part(Box::new(taken)));
            }
            let Some(standing) = self.standing(session).await? else {
                break;
            };
            if standing.committed < self.planned {
                continue;
            }
            if !self.can_grow(&standing) {
                self.report.out_of_time = out_of_time;
                break;
            }
            // With nothing more to put, it sees to it that what is put is committed.
            if let Some(growth) = self.grow(intent, settings, true, session).await? {
                return Ok(Turn::Growth(Box::new(growth)));
            }
        }
        Ok(Turn::Over)
    }

    /// All ranks put the objects of the part, and the ledger says so.
    fn put(&mut self, taken: TakenPart, worker: &Worker<'_>, lead: Lead<'_>) -> Result<(), Error> {
        let session = worker.session;
        let TakenPart {
            number,
            orders,
            hold,
            ..
        } = taken;
        let put = worker.engine(&orders).and_then(|engine| {
            let records = worker.transfer(&engine, &orders, Some(&hold.leases));
            let records = records.and_then(|records| worker.keep(&orders, records));
            gather(lead, &orders.plan, &[Phase::Transfer], records)?.complete()
        });
        let of = self.archive.parts.len();
        let put = put.and_then(|manifest| {
            let (objects, bytes, _) = manifest.totals();
            session.runtime.block_on(async {
                hold.leases.check().await?;
                let (bucket, archive) = (&session.bucket, &self.archive);
                if let Some(part) = &orders.part {
                    PartResult::put(bucket, archive, part, &hold.holder, (objects, bytes)).await?;
                }
                Ok::<_, Error>((objects, bytes))
            })
        });
        let put = put.map_err(|failure| match hold.verdict(failure) {
            Error::Send(SendError::Stopped) => ShareError::Stopped {
                part: number + 1,
                of,
            }
            .into(),
            failure => failure,
        });
        // What is wrong with its files is in the way of this part only.
        let verdict = match &put {
            Err(failure) if is_of_files(failure) => Ok(()),
            put => put.as_ref().map(|_| ()).map_err(Clone::clone),
        };
        session.runtime.block_on(hold.release(session));
        lead.conclude(verdict)?;
        match put {
            Ok((objects, bytes)) => {
                self.report.put += 1;
                session.tell(&Event::PartPut {
                    number,
                    of,
                    objects,
                    bytes,
                });
            }
            Err(failure) => self.leave_out(number, failure, session),
        }
        Ok(())
    }

    /// Goes on without the part `number`, whose files are in the way.
    pub(super) fn leave_out(&mut self, number: usize, why: Error, session: &Session<'_>) {
        session.tell(&Event::PartFailed {
            number,
            of: self.archive.parts.len(),
            why: why.to_string(),
        });
        self.failed.insert(number, why);
    }

    /// Commits what has grown, and forgets its parts.
    fn commit(
        &mut self,
        growth: Growth<'_>,
        report: &mut SendReport,
        worker: &Worker<'_>,
        lead: Lead<'_>,
    ) -> Result<(), Error> {
        let session = worker.session;
        let Growth {
            start:
                TransactionStart {
                    orders,
                    transaction,
                    holds,
                },
            hold,
            parts,
        } = growth;
        let mut untidy = None;
        let leading = LedTransaction {
            lead,
            transaction,
            hold: &hold,
            untidy: &mut untidy,
            last_look: &|| Ok(()),
        };
        let committed = leading.run(worker, &orders);
        session.runtime.block_on(async {
            let manifest = match committed {
                Ok(manifest) => manifest,
                Err(failure) => return Err(hold.give_up(session, failure).await),
            };
            tell_held(holds, session);
            report.add(&orders.plan, &manifest);
            // Until its ledger is tidy, whoever comes next heals it first.
            if untidy.is_none()
                && let Err(failure) = self.forget(session, &parts).await
            {
                let problem = failure.to_string();
                session.tell(&Event::Untidy { problem });
            }
            if untidy.is_none() {
                let mut grown = GrownLedgers::default();
                grown.add(&orders);
                grown.merge(session, &hold).await;
            }
            hold.wait_for_reads().await;
            hold.release(session).await;
            Ok(())
        })
    }

    /// Finds out how far the archive is when the job ends.
    async fn conclude(&mut self, session: &Session<'_>) -> Result<(), Error> {
        let parts = self.archive.parts.len();
        let (committed, waiting) = match self.standing(session).await? {
            Some(standing) => (standing.committed, standing.state.done.len()),
            None => (parts, 0),
        };
        self.report.committed = committed;
        self.report.waiting = waiting;
        let end = committed
            .checked_sub(1)
            .map(|last| self.archive.parts.ends[last]);
        let end = end.unwrap_or(self.archive.parts.first);
        let steps = self.prepared.archive.steps();
        let last = end.checked_sub(1).and_then(|last| steps.get(last as usize));
        self.report.edge = last.map(ToString::to_string);
        Ok(())
    }

    /// `cause`, with the part whose it is.
    fn of_part(&self, number: usize, cause: Error) -> Error {
        let steps = self.archive.parts.steps_of(number);
        let (files, _) = self.files_of(&steps);
        let paths = self.prepared.archive.files[files].iter();
        let paths: Vec<String> = paths
            .map(|file| file.path().display().to_string())
            .collect();
        ShareError::Part {
            part: number + 1,
            of: self.archive.parts.len(),
            files: msm_model::list(paths.iter().map(String::as_str)),
            cause: Box::new(cause),
        }
        .into()
    }
}

/// Is it a file that is in the way, and not the stores, the server, or another rank?
pub(super) fn is_of_files(failure: &Error) -> bool {
    match failure {
        Error::OnRank { cause, .. } => is_of_files(cause),
        Error::Several(all) => is_of_files(all.first()),
        Error::Source(_)
        | Error::Archive(_)
        | Error::Transfer(TransferError::Source { .. })
        | Error::Send(SendError::File { .. })
        | Error::Share(ShareError::ChangedFile { .. }) => true,
        _ => false,
    }
}
