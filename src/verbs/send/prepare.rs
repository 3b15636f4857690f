//! Rank 0's part before anything is sent: which stores, and whether everything fits. What each transaction does is planned in `turns.rs`.
//!
//! Key type: [`PreparedSend`], an archive that fits.

use std::collections::BTreeSet;
use std::ops::Range;

use futures::join;
use msm_model::Archive;
use msm_plan as plan;
use msm_plan::{
    Plan, PlanSettings, Projection, Projections, StoreRequest, check_other_times, check_strategies,
    comparison, transactions,
};
use msm_zarr::is_store;

use crate::commit::consolidate;
use crate::error::Error;
use crate::events::{Event, HeldSteps, Notice};
use crate::session::Session;
use crate::store::{StoreLookup, UnconsolidatedStore, read_other_times};
use crate::verbs::files::differing::differences;
use crate::verbs::files::recipe::{FoundStore, check_names_beside, find_stores, held_targets};
use crate::verbs::files::requested::{RequestedStore, left_out};
use crate::verbs::reprojection::projector::Projector;
use crate::verbs::send::destined::DestinedFiles;
use crate::verbs::send::error::SendError;
use crate::verbs::send::held::{held, tell_held};
use crate::verbs::send::intent::Intent;
use crate::verbs::send::maps::PlannedMaps;
use crate::verbs::send::notes::{notes, odd_attributes, unmarked, untimed};
use crate::verbs::send::request::{clipped, request};
use crate::verbs::shared::abandoned::AbandonedTransactions;
use crate::verbs::shared::hold::Hold;
use crate::verbs::stores::replaced::check_not_replaced;

/// Files that fit together, and the stores they go to.
pub(in crate::verbs) struct PreparedSend<'a> {
    pub archive: Archive,
    pub targets: Vec<RequestedStore>,
    pub projector: Projector<'a>,
    /// The files of each transaction to come.
    pub(super) groups: Vec<Range<usize>>,
    pub(super) next: usize,
    /// Those before it that are in place.
    pub(super) passed: usize,
    /// The stores as they are, as long as nothing has changed them.
    pub(super) found: Option<Vec<FoundStore>>,
    /// Maps of what is sent.
    pub(super) maps: PlannedMaps,
    /// What is compared before the first of them.
    comparison: Option<Plan>,
    /// What to tell of the stores: true only of what has been compared.
    notes: Vec<Notice>,
    /// What the stores hold, if they have steps.
    holds: Vec<(String, HeldSteps)>,
}

/// What is asked of the stores, as they were found.
pub(in crate::verbs) struct FittedStores {
    /// For all files.
    pub requests: Vec<StoreRequest>,
    /// What creates that died left where stores will be created.
    pub remains: Vec<String>,
}

/// Which look at the stores it is.
#[derive(Clone, Copy)]
pub(in crate::verbs) enum StoreLook<'a> {
    /// The first: it tells what it finds, but for what is known to have been left open.
    First(Option<&'a AbandonedTransactions>),
    /// The first, where jobs that share in the archive may have put parts of it out of sight.
    FirstOfShare,
    /// Another one, before a transaction.
    Again,
}

impl StoreLook<'_> {
    fn is_first(self) -> bool {
        matches!(self, Self::First(_) | Self::FirstOfShare)
    }

    /// May objects lie where there is no store of this key yet?
    fn expects(self, key: &str) -> bool {
        match self {
            Self::First(left) => left.is_some_and(|left| left.has(key)),
            Self::FirstOfShare | Self::Again => true,
        }
    }
}

impl<'a> PreparedSend<'a> {
    /// Checks that the files fit the stores, as far as metadata can tell; and says which are committed together. Without a `hold` of the
    /// stores, nothing may be written to them. They may have been `found` already.
    pub(in crate::verbs) async fn new(
        aimed: DestinedFiles,
        found: Option<Vec<FoundStore>>,
        intent: &Intent<'a>,
        session: &Session<'_>,
        hold: Option<&Hold>,
    ) -> Result<Self, Error> {
        let look = StoreLook::First(hold.map(|hold| &hold.left));
        let fitted = Self::fitted(aimed, found, intent, session, hold, look).await?;
        let (mut prepared, fitted) = fitted;
        prepared.group(&fitted.requests, intent)?;
        Ok(prepared)
    }

    /// Says which files are committed together.
    ///
    /// # Errors
    /// Everything that does not fit the stores, or the memory.
    pub(in crate::verbs) fn group(
        &mut self,
        requests: &[StoreRequest],
        intent: &Intent<'_>,
    ) -> Result<(), Error> {
        if !requests.iter().all(|r| r.only_compares(&intent.task)) {
            let settings = &self.estimated(intent);
            let archive = &self.archive;
            let groups = transactions(archive, requests, settings, intent.transactions)?;
            if !settings.projections.all.is_empty() {
                // Before weights are computed: does it fit the memory?
                plan::plan(archive, requests, settings)?;
            }
            let mut first = 0;
            for files in groups {
                self.groups.push(first..first + files);
                first += files;
            }
        }
        Ok(())
    }

    /// Checks that the files fit the stores, as far as metadata can tell; it is this `look` at them.
    pub(in crate::verbs) async fn fitted(
        aimed: DestinedFiles,
        mut found: Option<Vec<FoundStore>>,
        intent: &Intent<'a>,
        session: &Session<'_>,
        hold: Option<&Hold>,
        look: StoreLook<'_>,
    ) -> Result<(Self, FittedStores), Error> {
        let bucket = &session.bucket;
        let asked = intent.files;
        let named = &asked.selection.variables;
        let keys = aimed.keys();
        let DestinedFiles {
            archive,
            members,
            domain,
            mut targets,
        } = aimed;
        if let (true, Some(hold)) = (asked.consolidate, hold) {
            consolidate_all(session, &keys, hold).await?;
            found = None;
        }
        if intent.task.goal.rewrites() {
            // Others may be meant.
            found = None;
            targets = held_targets(targets, bucket, &archive, !named.is_empty()).await?;
        }
        let whole = 0..archive.files.len();
        let mut prepared = Self {
            projector: Projector::new(
                asked.reprojection.as_ref(),
                asked.weights.is_some(),
                domain,
                intent.task.tolerance,
            ),
            archive,
            targets,
            groups: Vec::new(),
            next: 0,
            passed: 0,
            found,
            maps: PlannedMaps::default(),
            comparison: None,
            notes: Vec::new(),
            holds: Vec::new(),
        };
        let looked = prepared.known(session).await?;
        let found = prepared.targets.iter().zip(&looked);
        let new = found.filter_map(|(target, found)| found.is_new().then_some(target));
        let (called, replaced) = join!(
            check_names_beside(bucket, new.clone(), &prepared.archive),
            check_not_replaced(bucket, new.map(|target| &target.key))
        );
        called.and(replaced)?;
        let (requests, remains) = prepared.requests(looked, whole, intent, session, look)?;
        if !intent.task.goal.replaces() {
            prepared.check_other_times(&requests, session).await?;
        }
        prepared.projector.conclude(asked.memory, session)?;
        let settings = &prepared.estimated(intent);
        let mains = prepared.targets.iter().flat_map(|target| &target.mains);
        check_strategies(&prepared.archive, mains, settings)?;
        for notice in clipped(&prepared.archive, &prepared.targets, intent) {
            session.notice(notice);
        }
        // What has nothing to write, too, must be the same data as far as metadata and static values tell.
        let compared = comparison(&prepared.archive, &requests, settings)?;
        prepared.comparison = Some(compared).filter(|plan| !plan.units.is_empty());
        prepared.note(&requests, &members, intent);
        Ok((prepared, FittedStores { requests, remains }))
    }

    /// What plans are made by before any weights are computed.
    pub(in crate::verbs) fn estimated(&self, intent: &Intent<'_>) -> PlanSettings {
        intent.settings(Projections::estimated(self.projector.projections()))
    }

    /// Notes what there is to tell of the stores.
    fn note(&mut self, requests: &[StoreRequest], members: &[String], intent: &Intent<'_>) {
        let catalogue = &self.archive.catalogue;
        if intent.files.selection.variables.is_empty() && !intent.task.goal.rewrites() {
            self.notes.extend(left_out(catalogue, &self.targets));
        }
        let of_stores = requests.iter();
        let of_stores = of_stores.flat_map(|request| notes(request, &self.archive, intent));
        self.notes.extend(of_stores);
        let differing = differences(requests, &self.archive, &intent.task);
        self.notes.extend(differing);
        self.notes.extend(untimed(requests, &self.archive));
        self.notes.extend(odd_attributes(catalogue, members));
        self.notes.extend(unmarked(&self.archive, members));
        let holds = requests.iter().filter_map(|request| {
            let steps = held(request.stored.as_ref()?)?;
            Some((request.key.clone(), steps))
        });
        self.holds = holds.collect();
    }

    /// What is compared before anything is written, once.
    pub(in crate::verbs) fn comparison(&mut self) -> Option<Plan> {
        self.comparison.take()
    }

    /// Tells what there is to tell of the stores, once.
    pub(in crate::verbs) fn tell_notes(&mut self, session: &Session<'_>) {
        for notice in std::mem::take(&mut self.notes) {
            session.notice(notice);
        }
        tell_held(std::mem::take(&mut self.holds), session);
    }

    /// How variables are reprojected; of nothing, if nothing is to be done.
    pub(in crate::verbs) fn projections(&self) -> &[Projection] {
        if self.groups.is_empty() {
            return &[];
        }
        self.projector.projections()
    }

    /// Where the files do not fit together in `members`, which may be more than was named: what is lent to them, apart.
    fn misfits(&self, members: BTreeSet<&String>) -> Vec<Error> {
        let lent = &self.archive.borrowed.variables;
        let own = members.into_iter().filter(|name| !lent.contains_key(*name));
        let own: Vec<String> = own.cloned().collect();
        let misfits = self.archive.differences(&own).into_iter();
        let misfits = misfits.chain(self.archive.unreadable(&own));
        misfits.map(Error::from).collect()
    }

    /// Checks that steps which are there already, by an axis that may count from zero in each file, are the same ones by the other times of
    /// the files, as far as the stores have them.
    async fn check_other_times(
        &self,
        requests: &[StoreRequest],
        session: &Session<'_>,
    ) -> Result<(), Error> {
        let others = self.archive.files.iter().flat_map(|file| &file.others);
        let mut others: BTreeSet<&String> = others.map(|axis| &axis.variable).collect();
        others.retain(|name| !self.archive.catalogue.is_reference_time(name));
        for (target, request) in self.targets.iter().zip(requests) {
            let Some(stored) = &request.stored else {
                continue;
            };
            if !request.placed.iter().any(|place| place.stored) {
                continue;
            }
            for other in &others {
                let there = read_other_times(&session.bucket, &target.group, stored, other);
                let (there, placed) = (there.await?, &request.placed);
                check_other_times(&request.key, other, &there, &self.archive, placed)?;
            }
        }
        Ok(())
    }

    /// The stores as they are now, where nothing but this command changes them.
    pub(super) async fn known(&mut self, session: &Session<'_>) -> Result<Vec<FoundStore>, Error> {
        let found = match self.found.take() {
            Some(found) => found,
            None => self.look(session).await?,
        };
        Ok(self.found.insert(found).clone())
    }

    /// The stores as they are now.
    pub(in crate::verbs) async fn look(
        &self,
        session: &Session<'_>,
    ) -> Result<Vec<FoundStore>, Error> {
        find_stores(&session.bucket, &self.targets, &self.archive.axis).await
    }

    /// What is asked of each store, which was `looked` at, for the steps of these `files`; and what dead creates left. At the first
    /// look it tells what it finds, but for what was left open.
    pub(in crate::verbs) fn requests(
        &mut self,
        looked: Vec<FoundStore>,
        files: Range<usize>,
        intent: &Intent<'_>,
        session: &Session<'_>,
        look: StoreLook<'_>,
    ) -> Result<(Vec<StoreRequest>, Vec<String>), Error> {
        let archive = &self.archive.part(files);
        let (mut requests, mut left, mut problems) = (Vec::new(), Vec::new(), Vec::new());
        let has_recipe = intent.files.recipe.is_some();
        for (target, found) in self.targets.iter().zip(looked) {
            if look.is_first()
                && let Some(notice) = found.untold(&target.key, archive)
            {
                session.notice(notice);
            }
            let found = match found.made_alike(&target.key, archive, has_recipe) {
                Ok(found) => found,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            let stored = match found {
                StoreLookup::Nothing => None,
                StoreLookup::Remains(keys) => {
                    let is_ours = look.expects(&target.key);
                    // Of which no journal tells, at a place whose name does not say that it is a store's.
                    if !is_ours && !is_store(target.key.rsplit('/').next().unwrap_or_default()) {
                        problems.push(Error::from(SendError::Foreign {
                            key: target.key.clone(),
                            objects: keys.len(),
                            first: keys.into_iter().next().unwrap_or_default(),
                        }));
                        continue;
                    }
                    if look.is_first() && !look.expects(&target.key) {
                        session.notice(Notice::Remains {
                            store: target.key.clone(),
                            objects: keys.len(),
                        });
                    }
                    left.extend(keys);
                    None
                }
                StoreLookup::Store(stored) => Some(stored),
            };
            // The grid is that of all files, or they do not fit together.
            let added = self
                .projector
                .added(&self.archive, target, stored.as_ref(), session);
            let request = added.and_then(|added| {
                let request = request(target, stored, added, archive, intent);
                request.map_err(Error::from)
            });
            match request {
                Ok(request) => requests.push(request),
                Err(problem) => problems.push(problem),
            }
        }
        if look.is_first() {
            let members: BTreeSet<&String> = requests.iter().flat_map(|r| &r.members).collect();
            problems.extend(self.misfits(members));
        }
        Error::together(problems)?;
        Ok((requests, left))
    }
}

/// Gives the stores of `keys` that have no consolidated metadata some.
async fn consolidate_all(session: &Session<'_>, keys: &[String], hold: &Hold) -> Result<(), Error> {
    let bucket = &session.bucket;
    for key in keys {
        let Some(found) = UnconsolidatedStore::read(bucket, key).await? else {
            continue;
        };
        hold.leases.check().await?;
        // A command of its own: it stays when the one that asked for it is undone.
        let (run, holder) = (hold.run.anew(), &hold.holder);
        let done = consolidate(bucket, key, found, holder, &run, &hold.guarantees).await?;
        let finished = done.finish().await;
        finished.map_err(|cause| SendError::Consolidating {
            store: key.clone(),
            cause,
        })?;
        let store = key.clone();
        session.tell(&Event::Consolidated { store });
    }
    Ok(())
}
