//! Rank 0: which fields of a transaction are seen, and the maps of what was.
//!
//! Key types: [`SentPictures`]; [`SentMaps`], what becomes of them.

use std::collections::BTreeMap;

use msm_chart::{Chart, Picture};
use msm_model::Archive;
use msm_plan::{Phase, Plan, TargetArray};
use msm_zarr::{Group, StoreSnapshot, ZarrError};

use super::look::SentLook;
use super::{Found, KnownFootprints, Seen, SentLooks, ToldLook, footprint_of};
use crate::error::Error;
use crate::session::Session;
use crate::verbs::quicklook::candidate::{Candidate, arrays_of, candidate};
use crate::verbs::quicklook::charts::charts;
use crate::verbs::quicklook::drafts::{Draft, Drafts, names};
use crate::verbs::quicklook::error::{Undrawable, UndrawnPart};
use crate::verbs::quicklook::look::{Look, PixelUse};
use crate::verbs::quicklook::{DrawnChart, MEANS, PictureKind};

/// The most maps.
pub(super) const MOST: usize = 24;

/// A store, and how a transaction leaves it.
pub(in crate::verbs) type ForeseenStore = (Group, Result<StoreSnapshot, ZarrError>);

/// The maps of a run.
#[derive(Default)]
pub(in crate::verbs) struct SentPictures {
    /// Pixels in the longer side of each.
    width: Option<usize>,
    drafts: Vec<Draft>,
    /// Of which there is none.
    maps: SentMaps,
}

/// Maps of what a run has sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SentMaps {
    /// The maps.
    pub maps: Vec<SentMap>,
    /// Pixels in the longer side of each.
    pub width: usize,
    /// Variables that cannot be drawn: their stores, their names, and why.
    pub left_out: Vec<(String, String, Undrawable)>,
    /// What was to be drawn, and failed.
    pub undrawn: Vec<UndrawnPart>,
    /// Variables beyond the most maps that there are: their stores and their names.
    pub beyond: Vec<(String, String)>,
    /// If there was no room for any: the bytes that a rank would have had to hold.
    pub no_room: Option<u64>,
}

/// A map of what was sent of a variable.
#[derive(Clone, Debug, PartialEq)]
pub struct SentMap {
    /// The map.
    pub chart: Chart,
    /// What it shows.
    pub shown: DrawnChart,
    /// Objects that the field is in.
    pub objects: u64,
    /// Of these, how many this run had no values of: an earlier one had put them, or they stayed as they were.
    pub unseen: u64,
}

impl SentPictures {
    /// What is to be seen of the transaction that `plan` is of, whose `stores` come in its order, out of the files of `archive`. What a
    /// later transaction writes of a variable takes the place of what is there.
    pub(in crate::verbs) fn looks(
        &mut self,
        plan: &Plan,
        stores: &[ForeseenStore],
        archive: &Archive,
        session: &Session<'_>,
    ) -> SentLooks {
        let mut told = SentLooks::default();
        for (index, (group, stored)) in stores.iter().enumerate() {
            match stored {
                Ok(stored) => {
                    let look = SentLook {
                        stored,
                        group,
                        archive,
                    };
                    self.look_at((index, look), plan, session, &mut told);
                }
                Err(cause) => self.fails(&group.key(), None, cause.clone().into()),
            }
        }
        if !told.looks.is_empty() {
            let width = || Picture::plot_width_in_page(self.drafts.len());
            self.width = self.width.or_else(|| Some(width()));
        }
        told.width = self.width.unwrap_or(MEANS);
        told
    }

    /// The same of one of the plan's stores, by its place among them.
    fn look_at(
        &mut self,
        (index, mut look): (usize, SentLook<'_>),
        plan: &Plan,
        session: &Session<'_>,
        told: &mut SentLooks,
    ) {
        let (stored, store) = (look.stored, look.group.key());
        for (name, _) in names(stored, look.group, &[]) {
            let drawn = arrays_of(stored, &name).map(|(_, drawn)| stored.path_of(&drawn.name));
            let written = drawn.and_then(|path| written(plan, index, &path));
            let Some((array, step)) = written else {
                continue;
            };
            let found = candidate(&mut look, &name, PictureKind::Map);
            let found = session.runtime.block_on(found);
            match found.map(|found| found.and_then(|candidate| draft(candidate, step))) {
                Ok(Ok(draft)) => self.add(draft, array, told),
                Ok(Err(why)) => {
                    let left_out = (store.clone(), name, why);
                    if !self.maps.left_out.contains(&left_out) {
                        self.maps.left_out.push(left_out);
                    }
                }
                Err(cause) => self.fails(&store, Some(&name), cause),
            }
        }
    }

    /// No maps, for each rank would hold so many bytes for them.
    pub(in crate::verbs) fn without_room(bytes: u64) -> Self {
        Self {
            maps: SentMaps {
                no_room: Some(bytes),
                ..SentMaps::default()
            },
            ..Self::default()
        }
    }

    fn fails(&mut self, store: &str, variable: Option<&str>, cause: Error) {
        let undrawn = UndrawnPart {
            store: store.to_owned(),
            variable: variable.map(str::to_owned),
            cause,
        };
        if !self.maps.undrawn.contains(&undrawn) {
            self.maps.undrawn.push(undrawn);
        }
    }

    /// Tells of a field of the plan's `array`.
    fn add(&mut self, draft: Draft, array: usize, told: &mut SentLooks) {
        let key = |draft: &Draft| {
            let drawing = &draft.drawing;
            (drawing.store.clone(), drawing.variable.clone())
        };
        let new = key(&draft);
        let known = self.drafts.iter().position(|one| key(one) == new);
        if known.is_none() && self.drafts.len() == MOST {
            if !self.maps.beyond.contains(&new) {
                self.maps.beyond.push(new);
            }
            return;
        }
        let known_grid = told.grids.iter().position(|grid| *grid == draft.grid);
        let grid = known_grid.unwrap_or(told.grids.len());
        if known_grid.is_none() {
            told.grids.push(draft.grid.clone());
        }
        let map = known.unwrap_or(self.drafts.len());
        told.looks.extend(draft.looks.iter().map(|look| ToldLook {
            map,
            array,
            look: Look {
                grid,
                ..look.clone()
            },
        }));
        match known {
            Some(known) => self.drafts[known] = draft,
            None => self.drafts.push(draft),
        }
    }

    /// The maps of what was `seen`. In whatever order that was, sums are the same.
    pub(super) fn drawn(
        self,
        seen: impl Iterator<Item = Seen>,
        footprints: &KnownFootprints,
    ) -> SentMaps {
        let Self {
            width,
            drafts,
            mut maps,
        } = self;
        let mut resolved = Drafts::of(drafts).resolved(PictureKind::Map);
        // All of them were looked at, on every rank.
        let known = resolved.grids.iter();
        let known = known.map(|grid| footprint_of(footprints, grid).cloned());
        let Some(known) = known.collect::<Option<Vec<_>>>() else {
            return maps;
        };
        let seen: BTreeMap<(usize, Vec<u64>), Found> = { seen }
            .filter(|(map, ..)| *map < resolved.looks.len())
            .map(|(map, start, found)| ((map, start), found))
            .collect();
        let mut counts: BTreeMap<(String, String), [u64; 2]> = BTreeMap::new();
        for (map, (look, drawing)) in resolved.looks.iter().zip(&resolved.drawings).enumerate() {
            let here = seen.keys().filter(|(of, _)| *of == map).count() as u64;
            let key = (drawing.store.clone(), drawing.variable.clone());
            counts.insert(key, [objects(look), here]);
        }
        let finds = seen.into_iter().enumerate();
        let finds = finds.map(|(number, ((map, _), found))| (map, number, Ok(found)));
        let (all, drawn) = charts(&mut resolved, &known, vec![finds.collect()]);
        maps.width = width.unwrap_or(MEANS);
        maps.undrawn.append(&mut resolved.undrawn);
        maps.maps = { all.into_iter().zip(drawn) }
            .map(|(chart, shown)| {
                let key = (shown.store.clone(), shown.variable.clone());
                let [objects, seen] = counts.get(&key).copied().unwrap_or_default();
                SentMap {
                    chart,
                    shown,
                    objects,
                    unseen: objects.saturating_sub(seen),
                }
            })
            .collect();
        maps
    }
}

/// In how many objects the field of `look` is.
fn objects(look: &Look) -> u64 {
    let plane = look.array.shape.iter().zip(&look.array.chunk);
    let plane = plane.skip(look.leading.len());
    plane
        .map(|(length, size)| length.div_ceil((*size).max(1)))
        .product()
}

/// Which array of the plan is at `path` of its store `index`, if it is written, and which step of it is the last: along which dimension.
fn written(plan: &Plan, index: usize, path: &str) -> Option<(usize, Option<(usize, u64)>)> {
    let is_it = |array: &TargetArray| {
        let is_written = matches!(array.phase, Phase::Transfer | Phase::Commit);
        is_written && array.name == path && array.stores.contains(&index)
    };
    let array = plan.arrays.iter().position(is_it)?;
    let step = match &plan.arrays[array].append {
        None => None,
        Some(append) => {
            let ends = append.runs.iter().map(|run| run.at + run.count);
            Some((append.axis, ends.max()?.checked_sub(1)?))
        }
    };
    Some((array, step))
}

/// What is seen of `candidate`, of which this step is written.
fn draft(candidate: Candidate, step: Option<(usize, u64)>) -> Result<Draft, Undrawable> {
    let Candidate {
        drawing,
        array,
        grid,
    } = candidate;
    let mut leading = vec![0; array.shape.len() - 2];
    let varies = drawing.steps.as_ref().map(|(axis, _)| *axis);
    if let Some(axis) = varies {
        leading[axis] = array.shape[axis] - 1;
    }
    if let Some((axis, step)) = step {
        *leading.get_mut(axis).ok_or(Undrawable::NoPlane)? = step;
    }
    let look = Look {
        slots: vec![varies.map_or(0, |axis| leading[axis])],
        array,
        leading,
        varies,
        grid: 0,
        pixels: PixelUse::Values,
    };
    Ok(Draft {
        drawing,
        grid,
        looks: vec![look],
    })
}
