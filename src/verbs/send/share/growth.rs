//! Committing the parts that are done and follow on what readers see: a transaction whose data are in place already.
//!
//! Key type: [`Growth`].

use std::ops::Range;
use std::time::Duration;

use msm_plan::{Overlap, Plan, PlanSettings, Scope, plan};
use msm_zarr::layout;

use super::error::ShareError;
use super::lead::SharedSend;
use super::take::Standing;
use super::{COMMAND, patient};
use crate::commit::{LeaseError, PartResult, ShareState, end_part, part_records};
use crate::error::Error;
use crate::events::{Event, Notice, PlannedFiles};
use crate::session::Session;
use crate::store::{Bucket, StoreError, StoreLookup};
use crate::transfer::ChunkRecord;
use crate::verbs::files::recipe::FoundStore;
use crate::verbs::send::begin::TransactionStart;
use crate::verbs::send::digest::digest;
use crate::verbs::send::held::held_after;
use crate::verbs::send::intent::Intent;
use crate::verbs::send::lead::size;
use crate::verbs::send::prepare::StoreLook;
use crate::verbs::send::sample::RecordedObjects;
use crate::verbs::send::turns::TransactionWork;
use crate::verbs::shared::hold::Hold;

/// A transaction that makes parts visible, while the stores are held.
pub(super) struct Growth<'a> {
    pub start: TransactionStart<'a>,
    pub hold: Hold,
    /// The parts.
    pub parts: Range<usize>,
}

impl SharedSend<'_> {
    /// Is there anything for [`SharedSend::grow`] to do?
    pub(super) fn can_grow(&self, standing: &Standing) -> bool {
        let Standing { state, committed } = standing;
        let mut known = state.done.union(&state.taken);
        *committed == self.archive.parts.len()
            || state.done.contains(committed)
            || known.any(|number| number < committed)
    }

    /// Takes the stores' leases and begins to commit what is done; `None` if another job has, or there is nothing, or another job holds the
    /// stores and this one is not to wait.
    ///
    /// # Errors
    /// As the server says; nothing has changed then, or what could not be put back is told.
    pub(super) async fn grow<'a>(
        &mut self,
        intent: &Intent<'_>,
        settings: &PlanSettings,
        waits: bool,
        session: &'a Session<'_>,
    ) -> Result<Option<Growth<'a>>, Error> {
        let mut leasing = patient(&intent.files.leasing);
        if !waits {
            leasing.wait = Duration::ZERO;
        }
        let (stores, known) = (self.archive.stores(), Some(&self.guarantees));
        let hold = Hold::take_shared(session, &leasing, stores, COMMAND, known).await;
        let mut hold = match hold {
            Err(Error::Lease(LeaseError::Busy { .. })) if !waits => return Ok(None),
            hold => hold?,
        };
        match self
            .begin_to_grow(&mut hold, intent, settings, session)
            .await
        {
            Ok(Some((start, parts))) => Ok(Some(Growth { start, hold, parts })),
            Ok(None) => {
                hold.release(session).await;
                Ok(None)
            }
            Err(failure) => Err(hold.give_up(session, failure).await),
        }
    }

    async fn begin_to_grow<'a>(
        &mut self,
        hold: &mut Hold,
        intent: &Intent<'_>,
        settings: &PlanSettings,
        session: &'a Session<'_>,
    ) -> Result<Option<(TransactionStart<'a>, Range<usize>)>, Error> {
        let bucket = &session.bucket;
        // All growth of an archive is what one command did.
        hold.run.id.clone_from(&self.archive.id);
        hold.left.heal(session).await?;
        hold.left.expect(self.archive.stores());
        if !self.goes_on(bucket).await? {
            return Ok(None);
        }
        let looked = self.prepared.look(session).await?;
        let mut edge = self.archive.parts.steps;
        for (target, found) in self.prepared.targets.iter().zip(&looked) {
            let steps = match &found.store {
                StoreLookup::Store(stored) => stored.steps.len() as u64,
                StoreLookup::Nothing | StoreLookup::Remains(_) => 0,
            };
            edge = edge.min(self.edge_of(&target.key, steps)?);
        }
        let committed = self.archive.parts.before(edge);
        let state = ShareState::of(bucket, &self.archive).await?;
        self.tidy(session, &state, committed).await?;
        if committed == self.archive.parts.len() {
            return Ok(None);
        }
        let until = state.done_until(committed);
        let parts = committed..until.min(self.archive.parts.len());
        if parts.is_empty() {
            return Ok(None);
        }
        let work = self
            .work(looked, edge, parts.clone(), intent, settings, session)
            .await?;
        let Some(work) = work else { return Ok(None) };
        session.tell(&Event::Growing {
            parts: parts.clone(),
            of: self.archive.parts.len(),
            files: self.grown(edge..self.archive.parts.ends[parts.end - 1]),
            size: size(&work.plan),
        });
        let start = TransactionStart::new(session, work, intent.terms(), hold).await?;
        Ok(Some((start, parts)))
    }

    /// What is made visible with these `steps` of the archive.
    fn grown(&self, steps: Range<u64>) -> PlannedFiles {
        let (files, _) = self.files_of(&steps);
        let all = self.prepared.archive.steps();
        let ends = all.get(steps.start as usize..steps.end as usize);
        let ends = ends.and_then(|steps| Some((steps.first()?, steps.last()?)));
        PlannedFiles {
            names: self.prepared.files(files).names,
            steps: ends.map(|(first, last)| (first.to_string(), last.to_string())),
        }
    }

    /// How many parts readers see, as far as the requests know.
    ///
    /// # Errors
    /// If a store has fewer steps than when the archive was shared out.
    pub(super) fn seen(&self) -> Result<usize, Error> {
        let mut edge = self.archive.parts.steps;
        for request in &self.requests {
            let stored = request.stored.as_ref();
            let steps = stored.map_or(0, |stored| stored.steps.len() as u64);
            edge = edge.min(self.edge_of(&request.key, steps)?);
        }
        Ok(self.archive.parts.before(edge))
    }

    /// What is asked of the stores, whose growth has been rolled back, is asked anew. No job commits meanwhile.
    ///
    /// # Errors
    /// As the server says.
    pub(super) async fn ask_again(
        &mut self,
        intent: &Intent<'_>,
        session: &Session<'_>,
    ) -> Result<(), Error> {
        let (stores, known) = (self.archive.stores(), Some(&self.guarantees));
        let leasing = patient(&intent.files.leasing);
        let mut hold = Hold::take_shared(session, &leasing, stores, COMMAND, known).await?;
        let asked = async {
            hold.left.heal(session).await?;
            let looked = self.prepared.look(session).await?;
            let mut intent = intent.clone();
            intent.overlap = Overlap::Skip;
            let files = 0..self.prepared.archive.files.len();
            let asked = self
                .prepared
                .requests(looked, files, &intent, session, StoreLook::Again);
            (self.requests, _) = asked?;
            self.planned = self.seen()?;
            Ok(())
        };
        let asked = asked.await.map_err(|failure| hold.verdict(failure));
        hold.release(session).await;
        asked
    }

    /// The transaction that makes these `parts` visible, which follow on the step `edge` of the archive. A part whose objects are not as
    /// they were put is nobody's again, and then there is none.
    async fn work(
        &mut self,
        looked: Vec<FoundStore>,
        edge: u64,
        parts: Range<usize>,
        intent: &Intent<'_>,
        settings: &PlanSettings,
        session: &Session<'_>,
    ) -> Result<Option<TransactionWork>, Error> {
        let bucket = &session.bucket;
        let steps = edge..self.archive.parts.ends[parts.end - 1];
        let (files, _) = self.files_of(&steps);
        let mut intent = intent.clone();
        // An earlier part may end within a file.
        intent.overlap = Overlap::Skip;
        let (mut requests, _) =
            self.prepared
                .requests(looked, files.clone(), &intent, session, StoreLook::Again)?;
        requests.retain_mut(|request| {
            if let Some(grows) = self.archive.parts.store(&request.key) {
                request.scope = Scope::Before(grows.place(steps.end));
            }
            !request.only_compares(&intent.task)
        });
        let archive = self.prepared.archive.part(files);
        let planned =
            |settings: &PlanSettings| Ok::<_, Error>(plan(&archive, &requests, settings)?);
        let plan = self.prepared.maps.beside(settings, planned)?;
        let objects = RecordedObjects::of(&plan)?;
        let (mut records, mut unsound) = (Vec::new(), Vec::new());
        for number in parts.clone() {
            match self.records_of(number, &plan, &objects, bucket).await? {
                Some(of_part) => records.extend(of_part),
                None => unsound.push(number),
            }
        }
        // What has no record is put with the commit, as what is of no part.
        if !unsound.is_empty() {
            self.put_again(&unsound, session).await?;
            return Ok(None);
        }
        let digest = digest(&plan)?;
        Ok(Some(TransactionWork {
            holds: held_after(&requests, &archive),
            resumed: vec![None; plan.stores.len()],
            plan,
            remains: Vec::new(),
            digest,
            number: (parts.end, self.archive.parts.len()),
            parts: Some(records),
            foreseen: Vec::new(),
        }))
    }

    /// Lets the parts of these `numbers` be nobody's again.
    async fn put_again(&mut self, numbers: &[usize], session: &Session<'_>) -> Result<(), Error> {
        let of = self.archive.parts.len();
        for &number in numbers {
            if !self.again.insert(number) {
                let part = number + 1;
                return Err(ShareError::Unsound { part, of }.into());
            }
            session.notice(Notice::UnsoundPart { number, of });
            end_part(&session.bucket, &self.archive, number).await?;
        }
        Ok(())
    }

    /// What was put of the part `number`; `None` if it is not as it was put, or what tells of it is damaged.
    async fn records_of(
        &self,
        number: usize,
        plan: &Plan,
        objects: &RecordedObjects<'_>,
        bucket: &Bucket,
    ) -> Result<Option<Vec<ChunkRecord>>, StoreError> {
        let read = async {
            let result = PartResult::read(bucket, &self.archive, number).await?;
            let folder = |store: &str| layout::part_records(store, number, &result.taker);
            part_records(bucket, plan, folder).await
        };
        let records = match read.await {
            Ok(read) => read,
            Err(StoreError::Journal { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let (_, is_sound) = objects.look_again(bucket, &records).await;
        Ok(is_sound.then_some(records))
    }

    /// Forgets what the ledgers tell of parts that readers see; and of the archive, when that is all of them.
    async fn tidy(
        &self,
        session: &Session<'_>,
        state: &ShareState,
        committed: usize,
    ) -> Result<(), Error> {
        let bucket = &session.bucket;
        if committed == self.archive.parts.len() {
            return Ok(self.archive.remove(bucket).await?);
        }
        let known = state.done.union(&state.taken);
        for number in known.filter(|number| **number < committed) {
            end_part(bucket, &self.archive, *number).await?;
        }
        Ok(())
    }

    /// Forgets `parts`, which have just been committed.
    pub(super) async fn forget(
        &self,
        session: &Session<'_>,
        parts: &Range<usize>,
    ) -> Result<(), Error> {
        let state = ShareState {
            done: parts.clone().collect(),
            ..ShareState::default()
        };
        self.tidy(session, &state, parts.end).await
    }
}
