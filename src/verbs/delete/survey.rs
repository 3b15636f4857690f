//! What a delete would delete: the stores, what lies in them and in their ledgers, and what is not ours.
//!
//! Key type: [`Survey`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use futures::{StreamExt, TryStreamExt, stream};
use msm_zarr::{ObjectKind, ROOT_DOCUMENTS, layout};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::events::{ReplacedStore, TransactionIdentity};
use crate::store::{Bucket, DirectoryLink, ListedObject, Site, StoreError};
use crate::verbs::delete::Delete;
use crate::verbs::delete::area::{Area, selected_areas};
use crate::verbs::delete::error::{DeleteError, SHOWN};
use crate::verbs::delete::hole::leaves_no_hole;
use crate::verbs::send::RequestCounts;
use crate::verbs::shared::abandoned::{journals, unended};
use crate::verbs::shared::at_rest::none_held;
use crate::verbs::shared::hold::none_shared;
use crate::verbs::stores::absent::{none_comes_back, waiting};
use crate::verbs::stores::replaced::check_not_replaced;
use crate::verbs::tally::Tally;

/// Areas walked through at a time.
const AREAS: usize = 16;

/// What a delete would delete, or has deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeleteSurvey {
    /// Stores with all that is in them.
    Stores {
        /// Each store by its key, without its ledger.
        stores: BTreeMap<String, Tally>,
        /// Links to other directories; nothing behind them goes.
        links: Vec<PathBuf>,
        /// The ledgers.
        ledgers: Tally,
        /// What is not this program's.
        others: Tally,
        /// Before they are deleted: stores of which a transaction has not ended.
        unended: Vec<(String, TransactionIdentity)>,
        /// Stores that are the only ones of their kind, for what they were made of is gone, or going.
        replacing: Vec<ReplacedStore>,
        /// Stores that are meant and being replaced, of which what replaces them stays.
        coming_back: Vec<ReplacedStore>,
    },
    /// A group of a hierarchy.
    Group {
        /// Its key.
        group: String,
        /// What is in it.
        tally: Tally,
    },
    /// Arrays of stores that stay.
    Arrays {
        /// Their names.
        names: Vec<String>,
        /// What goes of each store.
        stores: Vec<ArraysSurvey>,
    },
    /// Steps of stores that stay.
    Steps {
        /// What goes of each store.
        stores: Vec<StepsSurvey>,
    },
}

/// What goes of a store that stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArraysSurvey {
    /// Its key.
    pub store: String,
    /// Objects of the arrays.
    pub tally: Tally,
    /// Attributes that need not be true of what is left, and go.
    pub attributes: Vec<String>,
    /// Requests that it takes, about, beside those of the whole command.
    pub requests: RequestCounts,
}

/// Steps that go from a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepsSurvey {
    /// Its key.
    pub store: String,
    /// How many.
    pub steps: u64,
    /// The first of them.
    pub first: String,
    /// The last of them.
    pub last: String,
    /// Steps behind them, which move up.
    pub moved: u64,
    /// Objects that go or change.
    pub tally: Tally,
    /// Those of them that hold steps which stay, and are made anew.
    pub remade: Tally,
    /// Attributes that need not be true of what is left, and go.
    pub attributes: Vec<String>,
    /// Requests that it takes, about, beside those of the whole command.
    pub requests: RequestCounts,
}

impl Default for DeleteSurvey {
    fn default() -> Self {
        Self::Arrays {
            names: Vec::new(),
            stores: Vec::new(),
        }
    }
}

impl DeleteSurvey {
    /// All objects.
    #[must_use]
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        match self {
            Self::Stores {
                stores,
                ledgers,
                others,
                ..
            } => {
                for tally in stores.values().chain([ledgers, others]) {
                    total.add(*tally);
                }
            }
            Self::Group { tally, .. } => total = *tally,
            Self::Arrays { stores, .. } => {
                for store in stores {
                    total.add(store.tally);
                }
            }
            Self::Steps { stores } => {
                for store in stores {
                    total.add(store.tally);
                }
            }
        }
        total
    }
}

/// What lies in the areas.
#[derive(Debug, Default)]
pub(in crate::verbs) struct Survey {
    /// The areas.
    pub areas: Vec<Area>,
    stores: BTreeMap<String, Tally>,
    ledgers: Tally,
    /// Links to other directories.
    pub links: Vec<DirectoryLink>,
    foreign: Tally,
    first_foreign: Vec<String>,
    /// Stores that are the only ones of their kind.
    replacing: Vec<ReplacedStore>,
    /// Stores that are meant, and being replaced.
    coming_back: Vec<ReplacedStore>,
    /// The stores that have each of [`ROOT_DOCUMENTS`].
    roots: [Vec<String>; ROOT_DOCUMENTS.len()],
}

impl Survey {
    /// Looks at what the `request` chooses.
    ///
    /// # Errors
    /// If a variable has no store, there is nothing at all, or something that is not ours without `--force`.
    pub(super) async fn of(request: &Delete, bucket: &Bucket) -> Result<Self, Error> {
        let prefix = request.spot.key();
        bucket.reach(prefix).await?;
        let chosen = selected_areas(request, bucket).await?;
        let mut survey = Self::default();
        let mut missing = Vec::new();
        let ways: Vec<String> = chosen
            .iter()
            .flat_map(|(_, areas)| areas.iter().map(|area| format!("{}/", area.below)))
            .collect();
        let walks = chosen.into_iter().map(|(name, areas)| async move {
            let mut found = Self::default();
            for area in areas {
                found.walk(bucket, area).await?;
            }
            Ok::<_, StoreError>((name, found))
        });
        let mut walks = stream::iter(walks).buffered(AREAS);
        while let Some((name, found)) = walks.try_next().await? {
            if found.total().objects == 0 && found.links.is_empty() {
                missing.push(name);
            }
            survey.add(found);
        }
        if !missing.is_empty() {
            if request.all {
                none_comes_back(bucket, &request.spot).await?;
            }
            check_not_replaced(bucket, missing.iter()).await?;
            return Err(no_store(bucket, prefix, request.all, missing).await?.into());
        }
        let on_the_way = |link: &&DirectoryLink| {
            ways.iter()
                .any(|way| way.starts_with(&format!("{}/", link.key)))
        };
        let is_meant = |replaced: &ReplacedStore| {
            let has = |store: &String| survey.stores.contains_key(store);
            (request.all || has(&replaced.store)) && !has(&replaced.made)
        };
        let mut coming_back = waiting(bucket, &request.spot).await?;
        coming_back.retain(is_meant);
        survey.coming_back = coming_back;
        let in_the_way = survey.links.iter().find(on_the_way);
        if let Some(link) = in_the_way.or(survey.links.first().filter(|_| !request.force)) {
            let (path, to) = (link.path.clone(), link.to.clone());
            return Err(DeleteError::Link { path, to }.into());
        }
        if survey.foreign.objects > 0 && !request.force {
            let (objects, first) = (survey.foreign.objects, survey.first_foreign);
            return Err(DeleteError::Foreign { objects, first }.into());
        }
        let stores: Vec<String> = survey.names().cloned().collect();
        survey.replacing = leaves_no_hole(request, bucket, &stores).await?;
        Ok(survey)
    }

    async fn walk(&mut self, bucket: &Bucket, area: Area) -> Result<(), StoreError> {
        for link in bucket.links(&area.below).await? {
            if !self.links.contains(&link) {
                self.links.push(link);
            }
        }
        let mut entries = bucket.entries(&area.below);
        while let Some(entry) = entries.try_next().await? {
            if !self.is_behind_a_link(&entry.key) {
                self.count(&area, &entry);
            }
        }
        self.areas.push(area);
        Ok(())
    }

    fn is_behind_a_link(&self, key: &str) -> bool {
        let mut behind = self
            .links
            .iter()
            .filter_map(|link| key.strip_prefix(&link.key));
        behind.any(|rest| rest.starts_with('/'))
    }

    fn count(&mut self, area: &Area, entry: &ListedObject) {
        let (store, kind) = area.kind(&entry.key);
        if let Some(store) = store.filter(|_| kind != ObjectKind::Foreign) {
            let tally = self.stores.entry(store.to_owned()).or_default();
            if kind != ObjectKind::Ledger {
                tally.count(entry.bytes);
            }
            if let ObjectKind::Root(document) = kind
                && let Some(place) = ROOT_DOCUMENTS.iter().position(|name| *name == document)
            {
                self.roots[place].push(store.to_owned());
            }
        }
        match kind {
            ObjectKind::Root(_) | ObjectKind::Part => {}
            ObjectKind::Ledger => self.ledgers.count(entry.bytes),
            ObjectKind::Foreign => {
                self.foreign.count(entry.bytes);
                if self.first_foreign.len() < SHOWN {
                    self.first_foreign.push(entry.key.clone());
                }
            }
        }
    }

    fn add(&mut self, other: Self) {
        self.areas.extend(other.areas);
        self.links.extend(other.links);
        for (store, tally) in other.stores {
            self.stores.entry(store).or_default().add(tally);
        }
        self.ledgers.add(other.ledgers);
        self.foreign.add(other.foreign);
        let room = SHOWN - self.first_foreign.len();
        let foreign = other.first_foreign.into_iter().take(room);
        self.first_foreign.extend(foreign);
        for (roots, more) in self.roots.iter_mut().zip(other.roots) {
            roots.extend(more);
        }
    }

    /// The keys of the stores.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.stores.keys()
    }

    /// As others see it before it goes. What a dead job left in a store goes with it.
    ///
    /// # Errors
    /// If a job is at one of the stores, or an archive is being sent into it by many.
    pub(super) async fn foretold(&self, bucket: &Bucket) -> Result<DeleteSurvey, Error> {
        let stores: Vec<String> = self.names().cloned().collect();
        none_held(bucket, &stores).await?;
        none_shared(bucket, &stores).await?;
        let left = journals(bucket, &stores).await?;
        let all = left.iter().flat_map(|(store, found)| {
            let unfinished = found.unfinished.iter();
            unfinished.map(|one| (store.clone(), unended(one)))
        });
        Ok(self.with(all.collect()))
    }

    /// As others see it.
    pub(super) fn shown(&self) -> DeleteSurvey {
        self.with(Vec::new())
    }

    fn with(&self, unended: Vec<(String, TransactionIdentity)>) -> DeleteSurvey {
        let links = self.links.iter();
        DeleteSurvey::Stores {
            stores: self.stores.clone(),
            links: links.map(|link| link.path.clone()).collect(),
            ledgers: self.ledgers,
            others: self.foreign,
            unended,
            replacing: self.replacing.clone(),
            coming_back: self.coming_back.clone(),
        }
    }

    /// All objects.
    pub(super) fn total(&self) -> Tally {
        let mut total = self.ledgers;
        total.add(self.foreign);
        for tally in self.stores.values() {
            total.add(*tally);
        }
        total
    }

    /// The keys of the root documents, by document in the order in which they have to go. Stores that had none may have got
    /// one since.
    pub(super) fn roots(&self) -> impl Iterator<Item = Vec<String>> {
        let rooted: BTreeSet<&String> = self.roots.iter().flatten().collect();
        let rootless: Vec<&String> = self.names().filter(|s| !rooted.contains(s)).collect();
        let named = self.roots.iter().zip(ROOT_DOCUMENTS);
        named.map(move |(stores, name)| {
            let stores = stores.iter().chain(rootless.iter().copied());
            stores.map(|store| layout::below(store, name)).collect()
        })
    }
}

/// The failure that the stores `missing` are not there, with those that are.
async fn no_store(
    bucket: &Bucket,
    prefix: &str,
    all: bool,
    missing: Vec<String>,
) -> Result<DeleteError, StoreError> {
    let place = bucket.place_of(prefix);
    if all {
        return Ok(DeleteError::Nothing { place });
    }
    let is_here =
        |site: &Site| site.key.rsplit_once('/').map_or("", |(folder, _)| folder) == prefix;
    let sites = bucket.sites(prefix);
    let sites = sites.try_filter(|site| std::future::ready(is_here(site) && !site.is_repository));
    let there: Vec<String> = sites.map_ok(|site| site.key).try_collect().await?;
    Ok(DeleteError::NoStore {
        place,
        missing,
        there,
    })
}
