//! `verify`: every object of stores against the manifests, every document, and the values of source files.
//!
//! Key types: [`Verify`], what is asked; [`VerifyReport`].

mod against;
pub(in crate::verbs) mod documents;
mod error;
mod generation;
mod kept;
mod names;
mod rounds;
mod store;
mod under_way;

use std::path::PathBuf;

use msm_model::{FileView, Recipe, choices};
use msm_zarr::{Group, layout};
use serde::{Deserialize, Serialize};

pub use self::error::VerifyError;
pub use self::store::StoreCheckReport;

use self::against::{FilesToCompare, help_to_compare};
use self::rounds::{Checkers, help_to_check};
use self::store::look;
use crate::error::Error;
use crate::events::{CheckTally, Event, Fault, PlannedFiles, ReplacedStore};
use crate::ranks::{Follower, Lead, Role};
use crate::session::Session;
use crate::store::{Bucket, Spot, StoreError, read_outline};
use crate::verbs::files::catalogue::help_to_catalogue;
use crate::verbs::files::selection::Selection;
use crate::verbs::reprojection::corners::DomainFile;
use crate::verbs::stores::absent::{no_stores, not_named};
use crate::verbs::stores::error::StoresError;
use crate::verbs::stores::named::stores;

/// What is verified.
#[derive(Clone, Debug)]
pub struct Verify {
    /// Where the stores are; `None` is where the names of the files say that are compared, or the whole bucket.
    pub spot: Option<Spot>,
    /// The variables whose stores are meant; or the store of all variables, of which only those named are compared.
    pub selection: Selection,
    /// Files that are compared with the stores.
    pub against: Option<Comparison>,
    /// Bytes of data that each rank may hold.
    pub memory: u64,
}

impl Default for Verify {
    fn default() -> Self {
        Self {
            spot: None,
            selection: Selection::default(),
            against: None,
            memory: 1 << 30,
        }
    }
}

/// Files that are compared with stores.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// Files, directories and patterns.
    pub files: Vec<PathBuf>,
    /// The dimension along which stores grow; empty if they do not.
    pub append_dimension: String,
    /// The variable whose times are those of the append dimension's coordinate in the stores; `None` for its own.
    pub time_from: Option<String>,
    /// The recipe that the stores were made by, if they were.
    pub recipe: Option<Recipe>,
    /// Where coordinates and corners come from, if not from the files themselves.
    pub domain: Option<DomainFile>,
    /// How far coordinates may be from the store's.
    pub tolerance: f64,
}

impl Comparison {
    /// How the files are seen.
    fn file_view(&self) -> FileView<'_> {
        FileView {
            dimension: &self.append_dimension,
            time_from: self.time_from.as_deref(),
            recipe: self.recipe.as_ref(),
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct VerifyReport {
    /// Each store that was looked at.
    pub stores: Vec<StoreCheckReport>,
    /// The files whose values were held against those of the stores, if any were to be.
    pub against: Option<PlannedFiles>,
    /// Objects whose values are not those of the files.
    pub differing: Vec<Fault>,
    /// Why the files could not be compared, if they could not.
    pub incomparable: Option<Error>,
    /// Stores that were not looked at, for they are being replaced.
    pub replaced: Vec<ReplacedStore>,
}

impl VerifyReport {
    /// What was looked at in all stores, and what is wrong.
    #[must_use]
    pub fn total(&self) -> CheckTally {
        let mut total = CheckTally {
            faults: self.differing.len() as u64,
            ..CheckTally::default()
        };
        for StoreCheckReport { checked, .. } in &self.stores {
            total.objects += checked.objects;
            total.bytes += checked.bytes;
            total.faults += checked.faults;
        }
        total
    }
}

/// Looks at the stores. What is wrong with one is told when all of it has been looked at.
///
/// # Errors
/// On every rank the same: if there are no stores, or the server or the files do not let it look.
pub fn verify(session: &Session, request: &Verify) -> Result<VerifyReport, Error> {
    match session.role() {
        Role::Lead(lead) => lead.share(lead_all(session, request, lead)),
        Role::Follower(follower) => {
            // The lead knows why it could not go on, and tells it in the end.
            let _ = follow_all(session, request, follower);
            follower.hear()
        }
    }
}

fn lead_all(session: &Session, request: &Verify, lead: Lead<'_>) -> Result<VerifyReport, Error> {
    let against = request.against.as_ref();
    let against = against.map(|comparison| FilesToCompare::new(request, comparison, session, lead));
    let against = against.transpose()?;
    let spot = lead.go_on(match &against {
        Some(against) => against.spot(),
        None => Ok(request.spot.clone().unwrap_or_default()),
    })?;
    let mut checkers = Checkers::new(lead, session, request.memory);
    let (stores, replaced) = lead.go_on(look_at_all(&mut checkers, request, &spot))?;
    checkers.end()?;
    let mut report = VerifyReport {
        stores,
        against: against.as_ref().map(FilesToCompare::files),
        replaced,
        ..VerifyReport::default()
    };
    match against.map(|against| against.compare(&spot, session, lead)) {
        None => {}
        Some(Ok(differing)) => report.differing = differing,
        Some(Err(failure)) => report.incomparable = Some(failure),
    }
    for fault in &report.differing {
        session.tell(&Event::Fault(fault.clone()));
    }
    Ok(report)
}

fn follow_all(session: &Session, request: &Verify, follower: Follower<'_>) -> Result<(), Error> {
    if let Some(comparison) = &request.against {
        help_to_catalogue(follower, comparison.file_view(), &session.interrupt)?;
    }
    help_to_check(follower, session, request.memory)?;
    if request.against.is_some() {
        help_to_compare(follower, session)?;
    }
    Ok(())
}

/// Looks at one store after the other, but for those that are being replaced, which it returns, too.
fn look_at_all(
    checkers: &mut Checkers<'_>,
    request: &Verify,
    spot: &Spot,
) -> Result<(Vec<StoreCheckReport>, Vec<ReplacedStore>), Error> {
    let session = checkers.session;
    let (bucket, selection) = (&session.bucket, &request.selection);
    let are_named = selection.compact || !selection.variables.is_empty();
    let (groups, replaced) = session.runtime.block_on(async {
        let mut groups = selected_groups(session, request, spot).await?;
        let replaced = not_named(bucket, spot, &groups, are_named).await?;
        groups.retain(|group| replaced.iter().all(|one| one.store != group.store));
        Ok::<_, Error>((groups, replaced))
    })?;
    let mut found = Vec::new();
    for group in groups {
        // Of a create that was rolled back, a ledger without anything in it may be left.
        found.extend(look(checkers, &group)?);
    }
    if found.is_empty() {
        let none = no_stores(bucket, spot);
        return Err(session.runtime.block_on(none)?);
    }
    Ok((found, replaced))
}

/// The stores to look at: those named, or all below the prefix, with those of which only the ledger is left, and the
/// compact one.
async fn selected_groups(
    session: &Session<'_>,
    request: &Verify,
    spot: &Spot,
) -> Result<Vec<Group>, Error> {
    session.bucket.reach(spot.key()).await?;
    let compact = ["compact".to_owned()];
    let named = match request.selection.compact {
        true if spot.key().is_empty() => {
            return Err(StoresError::NoPrefix.into());
        }
        true => &compact[..],
        false => &request.selection.variables,
    };
    let groups = stores(&session.bucket, spot, named).await?;
    // Of what files are compared with, that is looked at with them.
    if request.selection.compact && request.against.is_none() {
        for group in &groups {
            holds_all(&session.bucket, group, &request.selection.variables).await?;
        }
    }
    Ok(groups)
}

/// Checks that `group` holds these `variables`, if it can be read: what is wrong with it else is told later.
///
/// # Errors
/// Of the first that it does not hold; or as the server says.
async fn holds_all(bucket: &Bucket, group: &Group, variables: &[String]) -> Result<(), Error> {
    let names: Vec<String> = match read_outline(bucket, &group.store).await {
        Ok(Some(outline)) => outline.arrays.into_iter().map(|array| array.name).collect(),
        Ok(None) | Err(StoreError::Zarr(_)) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let holds = |name: &&String| names.contains(&layout::below(&group.path, name));
    match { variables.iter() }.find(|name| !holds(name)) {
        None => Ok(()),
        Some(variable) => Err(StoresError::NotInStore {
            place: bucket.place().to_owned(),
            store: group.to_string(),
            variable: variable.clone(),
            held: choices(variable, names.iter().map(String::as_str)),
        }
        .into()),
    }
}
