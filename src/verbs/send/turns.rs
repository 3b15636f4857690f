//! The transactions of a prepared send, one after the other, each planned when its turn comes from the stores as they are then.
//!
//! Key types: [`PlannedWork`], what there is to do; [`TransactionWork`], before it is begun.

use std::ops::Range;

use msm_plan as plan;
use msm_plan::{Plan, PlanSettings, Projections, StoreRequest};
use msm_zarr::StoreSnapshot;

use crate::commit::UnfinishedTransaction;
use crate::error::Error;
use crate::events::{HeldSteps, PlannedFiles};
use crate::session::Session;
use crate::store::StoreError;
use crate::transfer::ChunkRecord;
use crate::verbs::files::recipe::FoundStore;
use crate::verbs::quicklook::ForeseenStore;
use crate::verbs::send::digest::digest;
use crate::verbs::send::foreseen_store::foreseen;
use crate::verbs::send::held::held_after;
use crate::verbs::send::intent::Intent;
use crate::verbs::send::prepare::{PreparedSend, StoreLook};
use crate::verbs::send::report::SendReach;
use crate::verbs::shared::abandoned::AbandonedTransactions;

/// What there is to do for some of the files.
pub(in crate::verbs) struct PlannedWork {
    /// What is done.
    pub plan: Plan,
    /// What creates that died left where stores will be created.
    pub remains: Vec<String>,
    /// For each of the plan's stores, which of the targets it is, and what is asked of it.
    pub requests: Vec<(usize, StoreRequest)>,
    /// What its stores hold afterwards, if they have steps.
    pub holds: Vec<(String, HeldSteps)>,
}

/// What the lead knows of a transaction before it opens it, planned from the stores as they are then.
pub(in crate::verbs) struct TransactionWork {
    /// What is done.
    pub plan: Plan,
    /// What a create that died left where stores will be created.
    pub remains: Vec<String>,
    /// The plan's digest.
    pub digest: String,
    /// For each of the plan's stores, the transaction that it goes on with, if there is one.
    pub resumed: Vec<Option<UnfinishedTransaction>>,
    /// Its number, from 1, and how many there are.
    pub number: (usize, usize),
    /// If its data were put as parts of a shared archive: their records.
    pub parts: Option<Vec<ChunkRecord>>,
    /// What its stores hold afterwards, if they have steps.
    pub holds: Vec<(String, HeldSteps)>,
    /// Its stores as it leaves them, if maps of it are drawn.
    pub foreseen: Vec<ForeseenStore>,
}

impl PreparedSend<'_> {
    /// The next transaction that has something to do; `None` when all is done.
    pub(in crate::verbs) async fn next(
        &mut self,
        intent: &Intent<'_>,
        settings: &PlanSettings,
        session: &Session<'_>,
        left: &mut AbandonedTransactions,
    ) -> Result<Option<TransactionWork>, Error> {
        self.tell_notes(session);
        while let Some(files) = self.groups.get(self.next).cloned() {
            self.next += 1;
            let looked = self.known(session).await?;
            let work = self.plan_of(files.clone(), looked, intent, settings, session)?;
            let Some(work) = work else {
                self.passed = self.next;
                continue;
            };
            let PlannedWork {
                plan,
                remains,
                holds,
                requests,
            } = work;
            let requests = requests.iter().map(|(_, request)| request);
            let archive = self.archive.part(files);
            let foreseen = self.maps.stores(&plan, requests, &self.targets, &archive);
            let digest = digest(&plan)?;
            let resumed = match left.resumed(&plan, &digest) {
                Some(resumed) => resumed,
                None if left.is_empty() => vec![None; plan.stores.len()],
                None => {
                    // It was another's: the stores are others without it.
                    left.heal(session).await?;
                    self.found = None;
                    self.next -= 1;
                    continue;
                }
            };
            return Ok(Some(TransactionWork {
                plan,
                remains,
                digest,
                resumed,
                number: (self.next, self.groups.len()),
                parts: None,
                holds,
                foreseen,
            }));
        }
        left.heal(session).await?;
        Ok(None)
    }

    /// The transaction that came [next](Self::next) is in place.
    pub(in crate::verbs) fn is_committed(&mut self) {
        self.found = None;
        self.passed = self.next;
    }

    /// How much of the archive is in place.
    pub(in crate::verbs) fn reach(&self) -> SendReach {
        let last = self.passed.checked_sub(1);
        let files = last.and_then(|last| self.groups.get(last)).cloned();
        SendReach {
            committed: self.passed as u64,
            of: self.groups.len() as u64,
            up_to: files.and_then(|files| Some(self.files(files).steps?.1)),
        }
    }

    /// The files of the transaction that came [next](Self::next).
    pub(in crate::verbs) fn planned_files(&self) -> PlannedFiles {
        let last = self.next.checked_sub(1);
        let files = last.and_then(|last| self.groups.get(last)).cloned();
        self.files(files.unwrap_or_default())
    }

    /// What messages call these files.
    pub(in crate::verbs) fn files(&self, files: Range<usize>) -> PlannedFiles {
        PlannedFiles::of(&self.archive.files[files])
    }

    /// How many transactions there are, though some may turn out to have nothing to do.
    pub(in crate::verbs) fn transactions(&self) -> usize {
        self.groups.len()
    }

    /// The plan of the first transaction that has something to do, as the stores are now.
    pub(in crate::verbs) async fn first(
        &mut self,
        intent: &Intent<'_>,
        session: &Session<'_>,
    ) -> Result<Option<(usize, PlannedFiles, Plan)>, Error> {
        let settings = &intent.settings(Projections::estimated(self.projections()));
        for (files, number) in self.groups.clone().into_iter().zip(1..) {
            let looked = self.look(session).await?;
            let planned = self.plan_of(files.clone(), looked, intent, settings, session)?;
            if let Some(PlannedWork { plan, .. }) = planned {
                return Ok(Some((number, self.files(files), plan)));
            }
        }
        Ok(None)
    }

    /// Hands what each transaction has to do to `visit`, planned as if those before it had been committed; with what is asked of each of
    /// its stores, and what they would be afterwards.
    ///
    /// # Errors
    /// If a store cannot be read, or a transaction does not fit.
    pub(in crate::verbs) async fn each(
        &mut self,
        intent: &Intent<'_>,
        settings: &PlanSettings,
        session: &Session<'_>,
        mut visit: impl FnMut(&Self, usize, Range<usize>, &PlannedWork, &[StoreSnapshot]),
    ) -> Result<(), Error> {
        let mut found = self.look(session).await?;
        for (files, number) in self.groups.clone().into_iter().zip(1..) {
            let looked = found.clone();
            let work = self.plan_of(files.clone(), looked, intent, settings, session)?;
            let Some(work) = work else { continue };
            let archive = self.archive.part(files.clone());
            let mut stores = Vec::new();
            for (index, (target, request)) in work.requests.iter().enumerate() {
                let group = &self.targets[*target].group;
                let store = foreseen(group, &work.plan, index, request, &archive);
                let store = store.map_err(StoreError::from)?;
                found[*target] = FoundStore::foreseen(store.clone());
                stores.push(store);
            }
            visit(self, number, files, &work, &stores);
        }
        Ok(())
    }

    /// What is to be done for these `files`, where the stores `looked` so; `None` if it is nothing.
    fn plan_of(
        &mut self,
        files: Range<usize>,
        looked: Vec<FoundStore>,
        intent: &Intent<'_>,
        settings: &PlanSettings,
        session: &Session<'_>,
    ) -> Result<Option<PlannedWork>, Error> {
        let archive = self.archive.part(files.clone());
        let (requests, remains) =
            self.requests(looked, files, intent, session, StoreLook::Again)?;
        let (targets, requests): (Vec<usize>, Vec<StoreRequest>) = { requests.into_iter() }
            .enumerate()
            .filter(|(_, request)| !request.only_compares(&intent.task))
            .unzip();
        if requests.is_empty() {
            return Ok(None);
        }
        let planned =
            |settings: &PlanSettings| Ok::<_, Error>(plan::plan(&archive, &requests, settings)?);
        let plan = self.maps.beside(settings, planned)?;
        Ok((!plan.changes_nothing()).then(|| PlannedWork {
            plan,
            remains,
            holds: held_after(&requests, &archive),
            requests: targets.into_iter().zip(requests).collect(),
        }))
    }
}
