//! Rank 0: what is asked for, of what there is.
//!
//! Key type: [`Resolved`].

use msm_chart::Picture;
use msm_zarr::{Group, layout};

use super::candidate::Drawing;
use super::drafts::{Draft, drafts};
use super::error::{QuicklookError, Undrawable, UndrawnPart, UnstoredCoordinate};
use super::look::{Grid, Look};
use super::{PictureKind, Quicklook};
use crate::error::Error;
use crate::session::Session;
use crate::transfer::ReadMeans;
use crate::verbs::stores::absent::{no_stores, tell_waiting};
use crate::verbs::stores::named::stores;

/// The most charts in a picture.
const MOST: usize = 60;

/// What is drawn.
#[derive(Default)]
pub(super) struct Resolved {
    pub(super) kind: PictureKind,
    pub(super) grids: Vec<Grid>,
    pub(super) looks: Vec<Look>,
    /// Of each look, what is said of it.
    pub(super) drawings: Vec<Drawing>,
    pub(super) left_out: Vec<(String, String, Undrawable)>,
    /// What was to be drawn, and failed.
    pub(super) undrawn: Vec<UndrawnPart>,
    /// Coordinates of which objects are not stored.
    pub(super) unstored: Vec<UnstoredCoordinate>,
    /// The width of a picture of a grid, in pixels.
    pub(super) width: usize,
}

impl Resolved {
    /// How many charts it is.
    fn charts(&self) -> usize {
        let of_look = |look: &Look| match self.kind {
            PictureKind::Map => look.slots.len(),
            PictureKind::Section | PictureKind::Series => 1,
        };
        self.looks.iter().map(of_look).sum()
    }
}

/// Finds out what `request` comes to.
///
/// # Errors
/// If there is nothing to draw, or what is asked for is not there.
pub(super) async fn resolve(
    request: &Quicklook,
    session: &Session<'_>,
    means: &ReadMeans,
) -> Result<Resolved, Error> {
    let bucket = &session.bucket;
    bucket.reach(request.spot.key()).await?;
    let groups = stores(bucket, &request.spot, &request.variables).await?;
    let are_named = !request.variables.is_empty();
    let waiting = tell_waiting(session, &request.spot, &groups, are_named).await?;
    let is_told = |store: &String| waiting.iter().any(|replaced| replaced.store == *store);
    let groups = groups.into_iter();
    let groups: Vec<Group> = groups
        .filter(|group| !layout::is_reading(&group.store) && !is_told(&group.store))
        .collect();
    let place = session.place_of(&request.spot);
    if groups.is_empty() {
        return Err(no_stores(bucket, &request.spot).await?);
    }
    let drafts = drafts(&groups, request, means).await?;
    if drafts.all.is_empty() {
        return Err(drafts.nothing(place));
    }
    are_used(request, &drafts.all)?;
    let mut resolved = drafts.resolved(request.kind);
    let count = resolved.charts();
    if count > MOST {
        return Err(QuicklookError::TooMany { count, most: MOST }.into());
    }
    if request.kind == PictureKind::Map {
        resolved.width = if request.is_page {
            Picture::plot_width_in_page(count)
        } else {
            Picture::plot_width(count)
        };
    }
    Ok(resolved)
}

/// Maps of all data variables of `group` that can be drawn, of their last steps.
///
/// # Errors
/// If it cannot be read.
pub(super) async fn latest(group: &Group, means: &ReadMeans) -> Result<Resolved, Error> {
    let request = Quicklook::default();
    let drafts = drafts(std::slice::from_ref(group), &request, means).await?;
    Ok(drafts.resolved(request.kind))
}

/// A step or a level that nothing has was asked for in vain.
fn are_used(request: &Quicklook, drafts: &[Draft]) -> Result<(), QuicklookError> {
    let drawings = || drafts.iter().map(|draft| &draft.drawing);
    let variables = || drawings().map(|drawing| drawing.variable.clone()).collect();
    if !request.steps.is_empty() && drawings().all(|drawing| drawing.steps.is_none()) {
        return Err(QuicklookError::Unused {
            flag: "--step".into(),
            what: "steps in time".into(),
            variables: variables(),
        });
    }
    if request.level.is_some() && drawings().all(|drawing| drawing.levels.is_none()) {
        return Err(QuicklookError::Unused {
            flag: "--level".into(),
            what: "levels".into(),
            variables: variables(),
        });
    }
    Ok(())
}
