//! A series: a value over time.
//!
//! Key types: [`Series`]; [`Moment`].

use std::fmt::Write;

use crate::axis;
use crate::caption::Caption;
use crate::panel::{self, Axis, LEFT, TOP};
use crate::statistics::{Statistics, infinite_in_words};
use crate::svg::{Anchor, Svg};
use crate::text::escaped;

/// The colour of the line, which is seen on white and on black.
const LINE: &str = "#2a78c2";

/// How many points are marked one by one.
const DOTS: usize = 120;

/// A value over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What it shows.
    pub caption: Caption,
    /// Its moments, in their order.
    pub moments: Vec<Moment>,
    /// How many values are infinite and so in no mean.
    pub infinite: u64,
}

/// A moment of a series.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// When, on an even axis.
    pub at: f64,
    /// How that is written.
    pub date: String,
    /// The value; not finite where there is none, which parts the line.
    pub value: f64,
}

impl Series {
    /// Range and mean of the values, each of which counts the same.
    #[must_use]
    pub fn statistics(&self) -> Option<Statistics> {
        Statistics::of(self.moments.iter().map(|moment| (moment.value, 1.0)))
    }

    /// The size of its plot if that is so wide.
    pub(crate) fn pixels(width: usize) -> [usize; 2] {
        [width, width / 3]
    }

    pub(crate) fn draw(&self, svg: &mut Svg, width: usize) {
        let size = Self::pixels(width).map(|n| n as f64);
        let [width, height] = size;
        panel::heading(svg, &self.caption, width);
        svg.open(LEFT, TOP, "plot");
        let (x, y) = (self.horizontal(), self.vertical());
        panel::horizontal_labels(svg, &x, &self.dates(width), size);
        // Three labels at least.
        let wanted = (height / 50.0) as usize;
        let ticks = (wanted..4 * wanted).map(|count| axis::ticks(y.to, y.from, count));
        let ticks = { ticks }.find(|ticks| ticks.len() >= 3).unwrap_or_default();
        panel::vertical_labels(svg, &y, &ticks, height);
        svg.text(
            [0.0, height + 32.0],
            panel::LABEL,
            Anchor::Start,
            &self.caption.units_alone(),
        );
        if let Some(words) = infinite_in_words(self.infinite) {
            svg.text([width, height + 32.0], panel::LABEL, Anchor::End, &words);
        }
        let place = |moment: &Moment| [x.place(moment.at, width), y.place(moment.value, height)];
        svg.path(&self.line(place), LINE, 1.6);
        let there = self
            .moments
            .iter()
            .filter(|moment| moment.value.is_finite());
        for moment in there.filter(|_| self.moments.len() <= DOTS) {
            svg.open(0.0, 0.0, "moment");
            let value = self.caption.with_units(&axis::number(moment.value));
            svg.title(&escaped(&format!("{}: {value}", moment.date)));
            svg.dot(place(moment), 2.6, LINE);
            svg.close();
        }
        svg.frame([0.0, 0.0, width, height]);
        svg.close();
    }

    fn line(&self, place: impl Fn(&Moment) -> [f64; 2]) -> String {
        let mut path = String::new();
        let mut is_down = false;
        for moment in &self.moments {
            if moment.value.is_finite() {
                let [x, y] = place(moment);
                let _ = write!(path, "{}{x:.2} {y:.2}", if is_down { 'L' } else { 'M' });
            }
            is_down = moment.value.is_finite();
        }
        path
    }

    fn horizontal(&self) -> Axis {
        let from = self.moments.first().map_or(0.0, |moment| moment.at);
        let to = self.moments.last().map_or(1.0, |moment| moment.at);
        let (from, to) = if to > from {
            (from, to)
        } else {
            (from - 0.5, from + 0.5)
        };
        Axis {
            from,
            to,
            name: "time",
        }
    }

    fn vertical(&self) -> Axis {
        let range = self
            .statistics()
            .map_or([0.0, 1.0], |all| [all.least, all.greatest]);
        let wide = range[1] - range[0];
        let room = if wide > 0.0 {
            wide * 0.06
        } else {
            (range[0].abs() * 0.05).max(1e-9)
        };
        Axis {
            from: range[1] + room,
            to: range[0] - room,
            name: "value",
        }
    }

    /// As many dates as have room, as far from each other.
    fn dates(&self, width: f64) -> Vec<(f64, String)> {
        let letters = self
            .moments
            .iter()
            .map(|moment| moment.date.chars().count());
        let wide = letters.max().unwrap_or(1) as f64 * panel::LABEL * 0.65 + 16.0;
        let most = (width / wide).max(1.0) as usize;
        let step = self.moments.len().div_ceil(most).max(1);
        let moments = self.moments.iter().step_by(step);
        moments
            .map(|moment| (moment.at, moment.date.clone()))
            .collect()
    }
}
