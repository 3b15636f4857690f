//! `quicklook`: pictures of what stores hold. Rank 0 looks what there is; all ranks read their share of the objects; rank 0 draws.
//!
//! Key types: [`Quicklook`], what is asked; [`QuicklookReport`], the picture and what it shows.

mod areas;
mod array;
mod axes;
mod candidate;
mod charts;
mod drafts;
mod error;
mod footprint;
mod frame;
mod look;
mod read;
mod resolve;
mod sent;
mod sphere;
mod store_look;
mod tally;

use std::sync::Arc;

use msm_chart::{Frame, Picture, Statistics};
use msm_zarr::{Group, ZarrError};
use tokio::sync::Semaphore;

pub use self::axes::{LevelChoice, StepChoice};
pub use self::error::{QuicklookError, Undrawable, UndrawnPart, UnstoredCoordinate};
pub(in crate::verbs) use self::sent::{ForeseenStore, MapMemory, SentFields, SentPictures};
pub use self::sent::{SentMap, SentMaps};

use self::charts::charts;
use self::footprint::{Footprint, Footprints};
use self::look::{Grid, Look};
use self::resolve::{Resolved, latest, resolve};
use crate::error::Error;
use crate::ranks::Role;
use crate::session::Session;
use crate::store::{Spot, StoreError};
use crate::transfer::ReadMeans;

/// Bytes of decoded objects that a rank holds, if one alone is not larger.
const HELD: u64 = 256 << 20;

/// Pixels along a circle of latitude from which means are taken.
const MEANS: usize = 720;

/// What is drawn.
#[derive(Clone, Debug, Default)]
pub struct Quicklook {
    /// Where the stores are.
    pub spot: Spot,
    /// The variables; none for all data variables of the stores, `compact` for those of the store of all variables.
    pub variables: Vec<String>,
    /// As what.
    pub kind: PictureKind,
    /// Which steps, each a chart; none for the last one.
    pub steps: Vec<StepChoice>,
    /// Which level of those variables that have some; `None` for the first one.
    pub level: Option<LevelChoice>,
    /// Which part of the world; `None` for all that there are cells of.
    pub frame: Option<Frame>,
    /// Is it to be a page? Maps in it have fewer pixels.
    pub is_page: bool,
}

/// Kinds of pictures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PictureKind {
    /// Maps.
    #[default]
    Map,
    /// Depth against latitude: the mean along circles of latitude over cells that have a value.
    Section,
    /// The mean by area over time.
    Series,
}

/// A picture, and what it shows. Rank 0 has it; that of the others is empty.
#[derive(Clone, Debug, Default)]
pub struct QuicklookReport {
    /// The picture.
    pub picture: Picture,
    /// Its charts, in order.
    pub charts: Vec<DrawnChart>,
    /// Variables that are not drawn though none was named: their stores, their names, and why.
    pub left_out: Vec<(String, String, Undrawable)>,
    /// What was to be drawn, and failed.
    pub undrawn: Vec<UndrawnPart>,
    /// Coordinates of which objects are not stored.
    pub unstored: Vec<UnstoredCoordinate>,
    /// Objects of the variables that were read, on all ranks.
    pub objects: u64,
}

/// What a chart shows.
#[derive(Clone, Debug, PartialEq)]
pub struct DrawnChart {
    /// The key of the store.
    pub store: String,
    /// The variable.
    pub variable: String,
    /// The array that its values are from.
    pub array: String,
    /// Units of the values; empty where there are none.
    pub units: String,
    /// When: the first and the last moment, if it has any.
    pub times: Option<[String; 2]>,
    /// How deep, if it is of one level.
    pub level: Option<String>,
    /// Which part of the world: west, south, east and north, degrees; east is greater than west.
    pub bbox: [f64; 4],
    /// Range and mean; `None` without any finite value. Those of a map are of the cells in it; those of a section of the means in it, and
    /// those of a series of its moments.
    pub statistics: Option<Statistics>,
    /// How many values of its cells are infinite; they are in no range and no mean.
    pub infinite: u64,
}

impl QuicklookReport {
    /// Why not all is drawn that was to be.
    #[must_use]
    pub fn failure(&self) -> Option<Error> {
        failure(&self.undrawn)
    }
}

/// Draws what can be drawn. Every rank calls it.
///
/// # Errors
/// On every rank the same: if nothing can be drawn, or something cannot be read that is not of one store alone.
pub fn quicklook(session: &Session, request: &Quicklook) -> Result<QuicklookReport, Error> {
    let looking = means(session, HELD / 4);
    let report = looked_at_again(session, || {
        let found = find(session, resolve(request, session, &looking))?;
        let mut of_grids = Footprints::new(request.frame, found.width, session, &looking);
        draw(session, found, &mut of_grids)
    })?;
    session.ranks.on_lead(|| match report.failure() {
        Some(failure) if report.charts.is_empty() => Err(failure),
        _ => Ok(()),
    })?;
    Ok(report)
}

/// Maps, `width` pixels wide, of the last steps of all data variables of `groups`, which rank 0 knows: a report a group for `visit`, there.
/// Every rank calls it.
///
/// # Errors
/// On every rank the same: if something cannot be read that is not of one group alone.
pub(in crate::verbs) fn latest_maps(
    session: &Session,
    groups: &[Group],
    width: usize,
    mut visit: impl FnMut(usize, QuicklookReport),
) -> Result<(), Error> {
    let looking = means(session, HELD / 4);
    let mut of_grids = Footprints::new(None, width, session, &looking);
    let count = session.ranks.on_lead(|| Ok::<_, Error>(groups.len()))?;
    for number in 0..count {
        let report = looked_at_again(session, || {
            let resolved = async {
                match groups.get(number) {
                    Some(group) => latest(group, &looking).await,
                    // Rank 0 has all that it counted.
                    None => Ok(Resolved::default()),
                }
            };
            draw(session, find(session, resolved)?, &mut of_grids)
        })?;
        if session.ranks.rank() == 0 {
            visit(number, report);
        }
    }
    Ok(())
}

/// What `look` sees; where something is damaged, what it sees the next time: a job may just have changed it.
fn looked_at_again(
    session: &Session,
    mut look: impl FnMut() -> Result<QuicklookReport, Error>,
) -> Result<QuicklookReport, Error> {
    let seen = look();
    let is_damaged = match &seen {
        Ok(report) => session.ranks.on_lead(|| {
            let mut undrawn = report.undrawn.iter();
            Ok::<_, Error>(undrawn.any(|part| is_damage(&part.cause)))
        })?,
        Err(failure) => is_damage(failure),
    };
    if is_damaged { look() } else { seen }
}

/// Why not all of this is drawn, each reason once.
fn failure(undrawn: &[UndrawnPart]) -> Option<Error> {
    let causes = undrawn.iter().enumerate();
    let distinct = causes.filter(|(place, part)| {
        let mut before = undrawn[..*place].iter();
        !before.any(|other| other.cause == part.cause)
    });
    Error::together(distinct.map(|(_, part)| part.cause.clone())).err()
}

/// Does `failure` say nothing of other groups? It is the same on all ranks.
pub(in crate::verbs) fn is_of_group(failure: &Error) -> bool {
    match failure {
        Error::OnRank { cause, .. } => is_of_group(cause),
        Error::Quicklook(_)
        | Error::Zarr(_)
        | Error::Store(StoreError::Zarr(_) | StoreError::Denied { .. }) => true,
        _ => false,
    }
}

/// Is it that something stored is not what it should be?
fn is_damage(failure: &Error) -> bool {
    match failure {
        Error::OnRank { cause, .. } => is_damage(cause),
        Error::Several(all) => is_damage(all.first()),
        Error::Zarr(cause) | Error::Store(StoreError::Zarr(cause)) => {
            matches!(cause, ZarrError::Damaged { .. })
        }
        _ => false,
    }
}

/// What is drawn, as every rank knows it.
struct FoundLooks {
    grids: Vec<Grid>,
    looks: Vec<Look>,
    width: usize,
    /// Rank 0 has it.
    resolved: Option<Resolved>,
}

/// Lets rank 0 find out what is drawn.
fn find(
    session: &Session,
    resolving: impl Future<Output = Result<Resolved, Error>>,
) -> Result<FoundLooks, Error> {
    let mut resolved = None;
    let (grids, looks, width) = session.ranks.on_lead(|| {
        let found = session.runtime.block_on(resolving)?;
        let told = (found.grids.clone(), found.looks.clone(), found.width);
        resolved = Some(found);
        Ok::<(Vec<Grid>, Vec<Look>, usize), Error>(told)
    })?;
    Ok(FoundLooks {
        grids,
        looks,
        width,
        resolved,
    })
}

fn draw(
    session: &Session,
    found: FoundLooks,
    of_grids: &mut Footprints<'_>,
) -> Result<QuicklookReport, Error> {
    let ranks = session.ranks;
    let FoundLooks {
        grids,
        looks,
        resolved,
        ..
    } = found;
    let _all = session.all_at_work();
    let (mut footprints, mut unstored) = (Vec::new(), Vec::new());
    for grid in &grids {
        match of_grids.of(grid, &mut unstored) {
            Err(failure) if !is_of_group(&failure) => return Err(failure),
            found => footprints.push(found),
        }
    }
    let largest = looks.iter().map(|look| look.array.object_bytes()).max();
    let reading = means(session, largest.unwrap_or(0));
    let columns: Vec<usize> = grids.iter().map(Grid::columns).collect();
    let share = (ranks.rank(), ranks.size());
    let shown: Vec<_> = footprints.iter().map(|one| one.clone().ok()).collect();
    let found = read::read(&looks, &shown, &columns, share, &reading);
    let found = session.runtime.block_on(found);
    let found = found.map_err(|failure| ranks.of_follower(failure));
    match (session.role(), resolved) {
        (Role::Lead(lead), Some(mut resolved)) => {
            let finds = lead.settle(found)?;
            resolved.unstored.append(&mut unstored);
            Ok(drawn(resolved, &footprints, finds))
        }
        (Role::Follower(follower), _) => {
            follower.settle(&found)?;
            Ok(QuicklookReport::default())
        }
        // The lead has what it has told.
        (Role::Lead(_), None) => Ok(QuicklookReport::default()),
    }
}

fn drawn(
    mut resolved: Resolved,
    footprints: &[Result<Arc<Footprint>, Error>],
    finds: Vec<read::Finds>,
) -> QuicklookReport {
    let objects = read::objects(&finds);
    let (picture, drawn) = charts(&mut resolved, footprints, finds);
    QuicklookReport {
        picture: Picture { charts: picture },
        charts: drawn,
        left_out: resolved.left_out,
        undrawn: resolved.undrawn,
        unstored: resolved.unstored,
        objects,
    }
}

/// What objects of so many decoded bytes are read with.
fn means(session: &Session, object: u64) -> ReadMeans {
    let at_once = usize::try_from(HELD / object.max(1)).unwrap_or(usize::MAX);
    ReadMeans {
        bucket: session.bucket.clone(),
        pool: Arc::clone(&session.pool),
        room: Arc::new(Semaphore::new(at_once.clamp(1, 32))),
        clock: Arc::default(),
    }
}
