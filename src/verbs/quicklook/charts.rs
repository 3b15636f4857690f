//! Rank 0: charts of what all ranks have found.
//!
//! Key function: [`charts`].

use std::collections::BTreeMap;
use std::sync::Arc;

use msm_chart::{Caption, Chart, ColourScale, Frame, Map, Moment, Section, Series};
use msm_reproject::TargetGrid;

use super::candidate::Drawing;
use super::error::UndrawnPart;
use super::footprint::Footprint;
use super::look::Look;
use super::read::{Finds, Found, Unread};
use super::resolve::Resolved;
use super::tally::Tally;
use super::{DrawnChart, PictureKind};
use crate::error::Error;

/// The charts of `finds`, and what each of them shows. In whatever order objects were read, the sums are the same. What cannot be drawn for
/// want of a grid or an object is told of in `resolved`.
pub(super) fn charts(
    resolved: &mut Resolved,
    footprints: &[Result<Arc<Footprint>, Error>],
    finds: Vec<Finds>,
) -> (Vec<Chart>, Vec<DrawnChart>) {
    let mut finds: Finds = finds.into_iter().flatten().collect();
    finds.sort_unstable_by_key(|(look, number, _)| (*look, *number));
    let mut of_looks: Vec<(Vec<Found>, Vec<Unread>)> = Vec::new();
    of_looks.resize_with(resolved.looks.len(), Default::default);
    for (look, _, found) in finds {
        match found {
            Ok(found) => of_looks[look].0.push(found),
            Err(unread) => of_looks[look].1.push(unread),
        }
    }
    let (mut all, mut drawn) = (Vec::new(), Vec::new());
    let looks = resolved.looks.iter().zip(&resolved.drawings);
    for ((look, drawing), (found, unread)) in looks.zip(of_looks) {
        let footprint = &footprints[look.grid];
        let failure = footprint.as_ref().err();
        if let Some(cause) = failure.or(unread.first().map(|unread| &unread.cause)) {
            resolved.undrawn.push(UndrawnPart {
                store: drawing.store.clone(),
                variable: Some(drawing.variable.clone()),
                cause: cause.clone(),
            });
        }
        let Ok(footprint) = footprint else {
            continue;
        };
        let charts = match resolved.kind {
            PictureKind::Map => maps(look, drawing, footprint, &found, &unread),
            _ if !unread.is_empty() => Vec::new(),
            PictureKind::Section => vec![section(look, drawing, footprint, &found)],
            PictureKind::Series => vec![series(look, drawing, footprint, &found)],
        };
        let TargetGrid {
            west,
            south,
            east,
            north,
            ..
        } = footprint.target;
        for (chart, shown) in charts {
            drawn.push(DrawnChart {
                store: drawing.store.clone(),
                variable: drawing.variable.clone(),
                array: drawing.array.clone(),
                units: drawing.units.clone(),
                bbox: [west, south, east, north],
                statistics: chart.statistics(),
                infinite: chart.infinite(),
                times: shown.times,
                level: shown.level,
            });
            all.push(chart);
        }
    }
    (all, drawn)
}

/// When and how deep a chart is.
struct Shown {
    times: Option<[String; 2]>,
    level: Option<String>,
}

impl Drawing {
    fn step(&self, index: u64) -> Option<String> {
        self.steps.as_ref().map(|(_, axis)| axis.name(index))
    }

    /// The level that `look` is of, unless it is of all.
    fn level(&self, look: &Look) -> Option<String> {
        let (dimension, axis) = self.levels.as_ref()?;
        let is_one = look.varies != Some(*dimension);
        is_one.then(|| axis.name(look.leading[*dimension]))
    }

    fn caption(
        &self,
        footprint: &Footprint,
        when: &[Option<String>],
        mean: Option<&str>,
    ) -> Caption {
        let component = self.is_component && !self.array.starts_with(&msm_plan::projected_name(""));
        let component =
            component.then(|| "along the rows or columns of the model's grid".to_owned());
        let part = footprint.frame().in_words();
        // What may be cut on a small chart comes last.
        let (store, reprojected) = (&self.store_shown, &self.reprojected);
        let details = [store].into_iter().chain(when).chain([&part, reprojected]);
        let details = details.map(Option::as_deref);
        let details = details.chain([mean, component.as_deref()]).flatten();
        let details: Vec<&str> = details.collect();
        Caption {
            title: self.title.clone(),
            detail: details.join(", "),
            units: self.units.clone(),
        }
    }
}

impl Footprint {
    fn frame(&self) -> Frame {
        let target = &self.target;
        Frame {
            west: target.west,
            south: target.south,
            east: target.east,
            north: target.north,
        }
    }
}

fn maps(
    look: &Look,
    drawing: &Drawing,
    footprint: &Footprint,
    found: &[Found],
    unread: &[Unread],
) -> Vec<(Chart, Shown)> {
    let target = &footprint.target;
    let mut fields = vec![vec![f64::NAN; target.len()]; look.slots.len()];
    for (slot, pixel, value) in found.iter().flat_map(|found| &found.values) {
        fields[*slot as usize][*pixel as usize] = *value;
    }
    let is_whole = |slot: usize| {
        let mut lacking = unread.iter().flat_map(|unread| &unread.slots);
        !lacking.any(|lacks| *lacks as usize == slot)
    };
    let whole: Vec<bool> = (0..fields.len()).map(is_whole).collect();
    // One scale for all steps, so that they can be compared.
    let shown = fields.iter().zip(&whole).filter(|(_, whole)| **whole);
    let scale = ColourScale::of(shown.flat_map(|(field, _)| field).copied());
    let level = drawing.level(look);
    let map = |((field, slot), tally): ((Vec<f64>, &u64), Tally)| {
        let time = look.varies.and_then(|_| drawing.step(*slot));
        let chart = Chart::Map(Map {
            caption: drawing.caption(footprint, &[time.clone(), level.clone()], None),
            frame: footprint.frame(),
            statistics: tally.statistics(),
            infinite: tally.infinite,
            longitudes: (0..target.nx).map(|i| target.longitude(i)).collect(),
            latitudes: (0..target.ny).map(|j| target.latitude(j)).collect(),
            values: field,
            scale,
        });
        let times = time.map(|time| [time.clone(), time]);
        let level = level.clone();
        (chart, Shown { times, level })
    };
    let fields = fields.into_iter().zip(&look.slots);
    let fields = fields.zip(tallies(look, found)).zip(whole);
    let fields = fields.filter(|(_, whole)| *whole);
    fields.map(|(field, _)| map(field)).collect()
}

/// What each field comes to.
fn tallies(look: &Look, found: &[Found]) -> Vec<Tally> {
    let mut all = vec![Tally::default(); look.slots.len()];
    for (slot, tally) in found.iter().flat_map(|found| &found.tallies) {
        all[*slot as usize].add(tally);
    }
    all
}

fn section(
    look: &Look,
    drawing: &Drawing,
    footprint: &Footprint,
    found: &[Found],
) -> (Chart, Shown) {
    let target = &footprint.target;
    let mut sums: BTreeMap<(u32, u32), (f64, f64)> = BTreeMap::new();
    for (slot, row, sum, areas) in found.iter().flat_map(|found| &found.sums) {
        let (total, of_all) = sums.entry((*slot, *row)).or_default();
        *total += sum;
        *of_all += areas;
    }
    let time = drawing.steps.as_ref();
    let time = time.and_then(|(axis, _)| drawing.step(look.leading[*axis]));
    let mut values = vec![f64::NAN; look.slots.len() * target.ny];
    for ((slot, row), (sum, areas)) in sums {
        values[slot as usize * target.ny + row as usize] = sum / areas;
    }
    let axis = drawing.levels.as_ref().map(|(_, axis)| axis);
    let known = axis.filter(|axis| axis.depths.len() >= look.slots.len());
    let depths = known.map(|axis| axis.depths[..look.slots.len()].to_vec());
    let numbers = || look.slots.iter().map(|slot| *slot as f64).collect();
    let chart = Chart::Section(Section {
        caption: drawing.caption(
            footprint,
            std::slice::from_ref(&time),
            Some("mean along latitudes"),
        ),
        infinite: tallies(look, found)
            .iter()
            .map(|tally| tally.infinite)
            .sum(),
        latitude_range: [target.south, target.north],
        latitudes: (0..target.ny).map(|j| target.latitude(j)).collect(),
        depths: depths.unwrap_or_else(numbers),
        depth_units: known.map(|axis| axis.units.clone()).unwrap_or_default(),
        scale: ColourScale::of(values.iter().copied()),
        values,
    });
    let times = time.map(|time| [time.clone(), time]);
    (chart, Shown { times, level: None })
}

fn series(
    look: &Look,
    drawing: &Drawing,
    footprint: &Footprint,
    found: &[Found],
) -> (Chart, Shown) {
    let tallies = tallies(look, found);
    let infinite = tallies.iter().map(|tally| tally.infinite).sum();
    let values = drawing.steps.as_ref().map(|(_, axis)| &axis.values[..]);
    let at = |slot: u64| {
        let place = usize::try_from(slot).unwrap_or(usize::MAX);
        values.and_then(|values| values.get(place)).copied()
    };
    let moments = look.slots.iter().zip(&tallies);
    let moments: Vec<Moment> = moments
        .map(|(slot, tally)| Moment {
            at: at(*slot).unwrap_or(*slot as f64),
            date: drawing.step(*slot).unwrap_or_default(),
            value: tally.mean(),
        })
        .collect();
    let ends = moments.first().zip(moments.last());
    let times = ends.map(|(first, last)| [first.date.clone(), last.date.clone()]);
    let level = drawing.level(look);
    let period = times.as_ref().map(|[first, last]| {
        if first == last {
            first.clone()
        } else {
            format!("{first} to {last}")
        }
    });
    let when = [period, level.clone()];
    let series = Series {
        caption: drawing.caption(footprint, &when, Some("mean by area")),
        moments,
        infinite,
    };
    (Chart::Series(series), Shown { times, level })
}
