//! Rank 0: what is asked for of stores, as far as it can be drawn: what is read of each variable.
//!
//! Key types: [`Drafts`]; [`Draft`], one of them. Key function: [`drafts`].

use std::collections::{BTreeMap, BTreeSet};

use msm_plan::projected_name;
use msm_zarr::{Group, StoreSnapshot};

use super::axes::TimeAxis;
use super::candidate::{Candidate, Drawing, candidate};
use super::error::{QuicklookError, Undrawable, UndrawnPart, UnstoredCoordinate};
use super::look::{Grid, Look, PixelUse};
use super::resolve::Resolved;
use super::store_look::StoreLook;
use super::{MEANS, PictureKind, Quicklook, failure, is_of_group};
use crate::error::Error;
use crate::store::Bucket;
use crate::transfer::ReadMeans;
use crate::verbs::shared::in_hand::unfinished;
use crate::verbs::shared::recorded::records_at_rest;
use crate::verbs::stores::place::is_taken;
use crate::verbs::stores::shelf::{coordinates, readable};

/// What is read of a variable, where that lies, and what is said of it.
pub(super) struct Draft {
    pub(super) drawing: Drawing,
    pub(super) grid: Grid,
    pub(super) looks: Vec<Look>,
}

/// What is asked for of stores, as far as it can be drawn.
#[derive(Default)]
pub(super) struct Drafts {
    pub(super) all: Vec<Draft>,
    /// Variables that cannot be drawn: their stores, their names, and why.
    left_out: Vec<(String, String, Undrawable)>,
    undrawn: Vec<UndrawnPart>,
    unstored: Vec<UnstoredCoordinate>,
}

impl Drafts {
    /// These, and nothing that cannot be drawn.
    pub(super) fn of(all: Vec<Draft>) -> Self {
        Self {
            all,
            ..Self::default()
        }
    }

    /// Keeps what failed for the end, if it says nothing of what else is drawn.
    ///
    /// # Errors
    /// If it does.
    fn fails(&mut self, store: &str, variable: Option<&str>, cause: Error) -> Result<(), Error> {
        if !is_of_group(&cause) {
            return Err(cause);
        }
        self.undrawn.push(UndrawnPart {
            store: store.to_owned(),
            variable: variable.map(str::to_owned),
            cause,
        });
        Ok(())
    }

    /// Why there is nothing to draw at `place`.
    pub(super) fn nothing(self, place: String) -> Error {
        let reasons = self.left_out.into_iter();
        let reasons = reasons.map(|(_, name, why)| (name, why)).collect();
        let nothing = QuicklookError::Nothing { place, reasons };
        failure(&self.undrawn).unwrap_or(nothing.into())
    }

    pub(super) fn resolved(self, kind: PictureKind) -> Resolved {
        let mut resolved = Resolved {
            kind,
            grids: Vec::new(),
            looks: Vec::new(),
            drawings: Vec::new(),
            left_out: self.left_out,
            undrawn: self.undrawn,
            unstored: self.unstored,
            width: MEANS,
        };
        let stores = self.all.iter().map(|draft| draft.drawing.store.clone());
        let stores: BTreeSet<String> = stores.collect();
        let above = folder_of(&stores);
        for mut draft in self.all {
            if stores.len() > 1 {
                let shown = draft.drawing.store.get(above..);
                draft.drawing.store_shown = shown.map(str::to_owned);
            }
            let known = { resolved.grids.iter() }.position(|grid| *grid == draft.grid);
            let grid = known.unwrap_or(resolved.grids.len());
            if known.is_none() {
                resolved.grids.push(draft.grid);
            }
            for look in draft.looks {
                resolved.looks.push(Look { grid, ..look });
                resolved.drawings.push(draft.drawing.clone());
            }
        }
        resolved
    }
}

/// How long the key of the folder is in which all `stores` lie.
fn folder_of(stores: &BTreeSet<String>) -> usize {
    let (Some(first), Some(last)) = (stores.first(), stores.last()) else {
        return 0;
    };
    // What these two begin with, all do.
    let alike = first.bytes().zip(last.bytes());
    let alike = alike.take_while(|(one, other)| one == other).count();
    first.as_bytes()[..alike]
        .iter()
        .rposition(|byte| *byte == b'/')
        .map_or(0, |end| end + 1)
}

/// Why `group` cannot be read.
async fn why_not_readable(bucket: &Bucket, group: &Group) -> QuicklookError {
    let store = group.key();
    match unfinished(bucket, &group.store).await {
        Some(what) => QuicklookError::Unfinished { store, what },
        None => QuicklookError::Unreadable { store },
    }
}

/// What is asked for of `groups`. What fails of one, fails alone.
pub(super) async fn drafts(
    groups: &[Group],
    request: &Quicklook,
    means: &ReadMeans,
) -> Result<Drafts, Error> {
    let bucket = &means.bucket;
    let mut found = Drafts::default();
    for group in groups {
        let store = group.key();
        let stored = match readable(bucket, group).await {
            Ok(Some(stored)) => stored,
            // Of a store that is gone, a lease may be left.
            Ok(None) if request.variables.is_empty() && !is_taken(bucket, &group.store).await? => {
                continue;
            }
            Ok(None) => {
                let cause = why_not_readable(bucket, group).await;
                found.fails(&store, None, cause.into())?;
                continue;
            }
            Err(cause) => {
                found.fails(&store, None, cause.into())?;
                continue;
            }
        };
        let records = records_at_rest(bucket, &group.store, &stored.root).await?;
        let mut look = StoreLook {
            stored: &stored,
            group,
            records: records.as_ref(),
            means,
            times: BTreeMap::new(),
            unstored: Vec::new(),
        };
        for (name, is_named) in names(&stored, group, &request.variables) {
            let draft = match candidate(&mut look, &name, request.kind).await {
                Ok(Ok(candidate)) => draft(request, &look, candidate),
                Ok(Err(why)) if !is_named => {
                    found.left_out.push((store.clone(), name, why));
                    continue;
                }
                Ok(Err(why)) => Err(QuicklookError::Variable {
                    store: store.clone(),
                    variable: name.clone(),
                    why,
                }
                .into()),
                Err(cause) => Err(cause),
            };
            match draft {
                Ok(draft) => found.all.push(draft),
                Err(cause) => found.fails(&store, Some(&name), cause)?,
            }
        }
        found.unstored.append(&mut look.unstored);
    }
    Ok(found)
}

/// The variables of the store that are meant, and whether they were named.
pub(super) fn names(
    stored: &StoreSnapshot,
    group: &Group,
    asked: &[String],
) -> Vec<(String, bool)> {
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

/// What is read of `candidate`, a variable of the store that `of` looks into.
fn draft(request: &Quicklook, of: &StoreLook<'_>, candidate: Candidate) -> Result<Draft, Error> {
    let Drawing { steps, levels, .. } = &candidate.drawing;
    let shape = &candidate.array.shape;
    let mut leading = vec![0; shape.len() - 2];
    let mut chosen = vec![0];
    if let Some((axis, times)) = steps {
        chosen = steps_of(request, &candidate, times, shape[*axis])?;
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
    let look = |varies: Option<usize>, slots: Vec<u64>, leading: Vec<u64>| {
        let mut look = Look {
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
        let (places, leading) = (look.leading_places(), look.leading.len());
        look.array.recorded = of.recorded(&look.array.name, |chunk| {
            { chunk.get(..leading) }.is_some_and(|place| places.contains(place))
        });
        look
    };
    let time = steps.as_ref().map(|(axis, _)| *axis);
    let depth = levels.as_ref().map(|(axis, _)| *axis);
    let all = |axis: Option<usize>| axis.map_or(vec![0], |axis| (0..shape[axis]).collect());
    let looks = match request.kind {
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
    };
    let Candidate { drawing, grid, .. } = candidate;
    Ok(Draft {
        drawing,
        grid,
        looks,
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
