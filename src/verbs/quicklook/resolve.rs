//! Rank 0: what is asked for, of what there is.
//!
//! Key type: [`Resolved`].

use msm_chart::Picture;
use msm_plan::projected_name;
use msm_zarr::{Group, StoreSnapshot, layout};

use super::axes::TimeAxis;
use super::candidate::{Candidate, Drawing, Times, candidate};
use super::error::{QuicklookError, Undrawable};
use super::look::{Grid, Look, PixelUse};
use super::{MEANS, PictureKind, Quicklook};
use crate::error::Error;
use crate::session::Session;
use crate::transfer::ReadMeans;
use crate::verbs::stores::absent::{no_stores, tell_waiting};
use crate::verbs::stores::named::stores;
use crate::verbs::stores::shelf::{coordinates, readable};

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
    let (candidates, left_out) = candidates(&groups, request, means).await?;
    if candidates.is_empty() {
        let reasons = left_out.into_iter();
        let reasons = reasons.map(|(_, name, why)| (name, why)).collect();
        return Err(QuicklookError::Nothing { place, reasons }.into());
    }
    are_used(request, &candidates)?;
    let mut resolved = looks(request, candidates, left_out)?;
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
    let groups = std::slice::from_ref(group);
    let (candidates, left_out) = candidates(groups, &request, means).await?;
    looks(&request, candidates, left_out)
}

/// Variables of a store, with those that cannot be drawn: their stores, their names, and why.
type Candidates = (Vec<Candidate>, Vec<(String, String, Undrawable)>);

/// What is asked for of `groups`.
async fn candidates(
    groups: &[Group],
    request: &Quicklook,
    means: &ReadMeans,
) -> Result<Candidates, Error> {
    let bucket = &means.bucket;
    let (mut candidates, mut left_out) = (Vec::new(), Vec::new());
    let mut times = Times::new();
    for group in groups {
        let Some(stored) = readable(bucket, group).await? else {
            let store = group.key();
            return Err(QuicklookError::Unreadable { store }.into());
        };
        for (name, is_named) in names(&stored, group, &request.variables) {
            match candidate(&stored, group, &name, request.kind, &mut times, means).await? {
                Ok(candidate) => candidates.push(candidate),
                Err(why) if is_named => {
                    return Err(QuicklookError::Variable {
                        store: group.key(),
                        variable: name,
                        why,
                    }
                    .into());
                }
                Err(why) => left_out.push((group.key(), name, why)),
            }
        }
    }
    Ok((candidates, left_out))
}

/// The variables of the store that are meant, and whether they were named.
fn names(stored: &StoreSnapshot, group: &Group, asked: &[String]) -> Vec<(String, bool)> {
    let distinct = asked.iter().enumerate();
    let distinct = distinct.filter(|(place, name)| !asked[..*place].contains(*name));
    let named = distinct.filter(|(_, name)| stored.holds(name));
    let named: Vec<(String, bool)> = named.map(|(_, name)| (name.clone(), true)).collect();
    if !named.is_empty() {
        return named;
    }
    let coordinates = coordinates(&stored.arrays, &group.key());
    let names = stored.arrays.iter().map(|array| &array.name);
    let data =
        names.filter(|name| !coordinates.contains(*name) && !name.starts_with(&projected_name("")));
    data.map(|name| (name.clone(), false)).collect()
}

/// A step or a level that nothing has was asked for in vain.
fn are_used(request: &Quicklook, candidates: &[Candidate]) -> Result<(), QuicklookError> {
    let drawings = || candidates.iter().map(|candidate| &candidate.drawing);
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

fn looks(
    request: &Quicklook,
    candidates: Vec<Candidate>,
    left_out: Vec<(String, String, Undrawable)>,
) -> Result<Resolved, Error> {
    let mut resolved = Resolved {
        kind: request.kind,
        grids: Vec::new(),
        looks: Vec::new(),
        drawings: Vec::new(),
        left_out,
        width: MEANS,
    };
    for candidate in candidates {
        let looks = of_candidate(request, &candidate)?;
        let known = resolved
            .grids
            .iter()
            .position(|grid| *grid == candidate.grid);
        let grid = known.unwrap_or(resolved.grids.len());
        if known.is_none() {
            resolved.grids.push(candidate.grid);
        }
        for look in looks {
            resolved.looks.push(Look { grid, ..look });
            resolved.drawings.push(candidate.drawing.clone());
        }
    }
    Ok(resolved)
}

/// What is read of a variable.
fn of_candidate(request: &Quicklook, candidate: &Candidate) -> Result<Vec<Look>, Error> {
    let Drawing { steps, levels, .. } = &candidate.drawing;
    let shape = &candidate.array.shape;
    let mut leading = vec![0; shape.len() - 2];
    let mut chosen = vec![0];
    if let Some((axis, times)) = steps {
        chosen = steps_of(request, candidate, times, shape[*axis])?;
    }
    if let (Some((axis, depths)), Some(level)) = (levels, request.level) {
        let length = shape[*axis];
        let found = depths.chosen(level, length);
        leading[*axis] = found.ok_or_else(|| QuicklookError::NoLevel {
            asked: level.to_string(),
            store: candidate.drawing.store.clone(),
            variable: candidate.drawing.variable.clone(),
            held: depths.held(length),
        })?;
    }
    let look = |varies: Option<usize>, slots: Vec<u64>, leading: Vec<u64>| Look {
        array: candidate.array.clone(),
        leading,
        varies,
        slots,
        grid: 0,
        pixels: match request.kind {
            PictureKind::Map => PixelUse::Values,
            PictureKind::Section => PixelUse::RowMeans,
            PictureKind::Series => PixelUse::None,
        },
    };
    let time = steps.as_ref().map(|(axis, _)| *axis);
    let depth = levels.as_ref().map(|(axis, _)| *axis);
    let all = |axis: Option<usize>| axis.map_or(vec![0], |axis| (0..shape[axis]).collect());
    Ok(match request.kind {
        PictureKind::Map => vec![look(time, chosen, leading)],
        PictureKind::Series => vec![look(time, all(time), leading)],
        PictureKind::Section => {
            let of_step = chosen.into_iter().map(|step| {
                let mut leading = leading.clone();
                if let Some(time) = time {
                    leading[time] = step;
                }
                look(depth, all(depth), leading)
            });
            of_step.collect()
        }
    })
}

/// The steps that are meant, of `length`.
fn steps_of(
    request: &Quicklook,
    candidate: &Candidate,
    times: &TimeAxis,
    length: u64,
) -> Result<Vec<u64>, QuicklookError> {
    if request.steps.is_empty() {
        return Ok(vec![length - 1]);
    }
    let Drawing {
        store, variable, ..
    } = &candidate.drawing;
    let mut chosen = Vec::new();
    for choice in &request.steps {
        let asked = || choice.to_string();
        let step = times.chosen(choice, length);
        let step = step.map_err(|cause| QuicklookError::NoDate {
            asked: asked(),
            store: store.clone(),
            variable: variable.clone(),
            cause,
        })?;
        let step = step.ok_or_else(|| QuicklookError::NoStep {
            asked: asked(),
            store: store.clone(),
            variable: variable.clone(),
            held: times.held(length) + &times.hint(choice),
        })?;
        // Once is enough, however it is named.
        if !chosen.contains(&step) {
            chosen.push(step);
        }
    }
    Ok(chosen)
}
