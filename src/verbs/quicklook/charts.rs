//! Rank 0: charts of what all ranks have found.
//!
//! Key function: [`charts`].

use std::collections::BTreeMap;
use std::sync::Arc;

use msm_chart::{Caption, Chart, ColourScale, Frame, Map, Moment, Section, Series};

use super::candidate::Drawing;
use super::footprint::Footprint;
use super::look::Look;
use super::read::{Finds, Found};
use super::resolve::Resolved;
use super::{DrawnChart, PictureKind};

/// Sums of values, and of their areas, by field and row of pixels.
type Sums = BTreeMap<(u32, u32), (f64, f64)>;

/// The charts of `finds`, and what each of them shows. In whatever order objects were read, the sums are the same.
pub(super) fn charts(
    resolved: &Resolved,
    footprints: &[Arc<Footprint>],
    finds: Vec<Finds>,
) -> (Vec<Chart>, Vec<DrawnChart>) {
    let mut finds: Finds = finds.into_iter().flatten().collect();
    finds.sort_unstable_by_key(|(look, number, _)| (*look, *number));
    let mut of_looks: Vec<Vec<Found>> = resolved.looks.iter().map(|_| Vec::new()).collect();
    for (look, _, found) in finds {
        of_looks[look].push(found);
    }
    let (mut all, mut drawn) = (Vec::new(), Vec::new());
    let looks = resolved.looks.iter().zip(&resolved.drawings);
    for ((look, drawing), found) in looks.zip(of_looks) {
        let footprint = &footprints[look.grid];
        let charts = match resolved.kind {
            PictureKind::Map => maps(look, drawing, footprint, found),
            PictureKind::Section => vec![section(look, drawing, footprint, &sums(found))],
            PictureKind::Series => vec![series(look, drawing, &sums(found))],
        };
        for (chart, shown) in charts {
            drawn.push(DrawnChart {
                store: drawing.store.clone(),
                variable: drawing.variable.clone(),
                array: drawing.array.clone(),
                units: drawing.units.clone(),
                statistics: chart.statistics(),
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

    fn caption(&self, details: &[Option<String>]) -> Caption {
        let component = self.is_component && !self.array.starts_with(&msm_plan::projected_name(""));
        let component =
            component.then(|| "along the rows or columns of the model's grid".to_owned());
        let details: Vec<&str> = { details.iter() }
            .chain([&component])
            .filter_map(Option::as_deref)
            .collect();
        Caption {
            title: self.title.clone(),
            detail: details.join(", "),
            units: self.units.clone(),
        }
    }
}

fn maps(
    look: &Look,
    drawing: &Drawing,
    footprint: &Footprint,
    found: Vec<Found>,
) -> Vec<(Chart, Shown)> {
    let target = &footprint.target;
    let mut fields = vec![vec![f64::NAN; target.len()]; look.slots.len()];
    for found in found {
        if let Found::Values(values) = found {
            for (slot, pixel, value) in values {
                fields[slot as usize][pixel as usize] = value;
            }
        }
    }
    // One scale for all steps, so that they can be compared.
    let scale = ColourScale::of(fields.iter().flatten().copied());
    let level = drawing.level(look);
    let map = |(field, slot): (Vec<f64>, &u64)| {
        let time = look.varies.and_then(|_| drawing.step(*slot));
        let chart = Chart::Map(Map {
            caption: drawing.caption(&[time.clone(), level.clone()]),
            frame: Frame {
                west: target.west,
                south: target.south,
                east: target.east,
                north: target.north,
            },
            longitudes: (0..target.nx).map(|i| target.longitude(i)).collect(),
            latitudes: (0..target.ny).map(|j| target.latitude(j)).collect(),
            values: field,
            scale,
        });
        let times = time.map(|time| [time.clone(), time]);
        let level = level.clone();
        (chart, Shown { times, level })
    };
    fields.into_iter().zip(&look.slots).map(map).collect()
}

fn sums(found: Vec<Found>) -> Sums {
    let mut all = Sums::new();
    for found in found {
        if let Found::Sums(sums) = found {
            for (slot, row, sum, areas) in sums {
                let (total, of_all) = all.entry((slot, row)).or_default();
                *total += sum;
                *of_all += areas;
            }
        }
    }
    all
}

fn section(look: &Look, drawing: &Drawing, footprint: &Footprint, sums: &Sums) -> (Chart, Shown) {
    let target = &footprint.target;
    let time = drawing.steps.as_ref();
    let time = time.and_then(|(axis, _)| drawing.step(look.leading[*axis]));
    let mut values = vec![f64::NAN; look.slots.len() * target.ny];
    for ((slot, row), (sum, areas)) in sums {
        values[*slot as usize * target.ny + *row as usize] = sum / areas;
    }
    let axis = drawing.levels.as_ref().map(|(_, axis)| axis);
    let known = axis.filter(|axis| axis.depths.len() >= look.slots.len());
    let depths = known.map(|axis| axis.depths[..look.slots.len()].to_vec());
    let numbers = || look.slots.iter().map(|slot| *slot as f64).collect();
    let chart = Chart::Section(Section {
        caption: drawing.caption(&[time.clone(), Some("mean along latitudes".into())]),
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

fn series(look: &Look, drawing: &Drawing, sums: &Sums) -> (Chart, Shown) {
    let mut of_steps = vec![(0.0, 0.0); look.slots.len()];
    for ((slot, _), (sum, areas)) in sums {
        let (total, of_all) = &mut of_steps[*slot as usize];
        *total += sum;
        *of_all += areas;
    }
    let values = drawing.steps.as_ref().map(|(_, axis)| &axis.values[..]);
    let at = |slot: u64| {
        let place = usize::try_from(slot).unwrap_or(usize::MAX);
        values.and_then(|values| values.get(place)).copied()
    };
    let moments = look.slots.iter().zip(of_steps);
    let moments: Vec<Moment> = moments
        .map(|(slot, (sum, areas))| Moment {
            at: at(*slot).unwrap_or(*slot as f64),
            date: drawing.step(*slot).unwrap_or_default(),
            value: sum / areas,
        })
        .collect();
    let ends = moments.first().zip(moments.last());
    let times = ends.map(|(first, last)| [first.date.clone(), last.date.clone()]);
    let level = drawing.level(look);
    let period = times
        .as_ref()
        .map(|[first, last]| format!("{first} to {last}"));
    let caption = drawing.caption(&[period, level.clone(), Some("mean by area".into())]);
    (
        Chart::Series(Series { caption, moments }),
        Shown { times, level },
    )
}
