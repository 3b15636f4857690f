//! Areas that a closed line on the sphere has in common with the cells of a regular grid, by Green's theorem.
//!
//! Key types: [`GridLines`], the meridians and parallels of the target; [`CellWindow`], the sums of some of its cells.

use std::ops::Range;

use super::ring::Ring;
use super::sphere::{Arc, Vector, area_below, eastward};
use super::target::TargetGrid;

/// Heights closer than this are equal.
const ROUNDING: f64 = 1e-15;
/// Sides that reach over fewer degrees of longitude than this are meridians.
const MERIDIONAL: f64 = 1e-12;

/// The lines between the cells of a target grid.
pub(super) struct GridLines<'a> {
    pub(super) target: &'a TargetGrid,
    /// Cosine and sine of the longitude of each meridian.
    meridians: Vec<[f64; 2]>,
    /// z = sin φ of each parallel, from the north.
    parallels: Vec<f64>,
}

impl<'a> GridLines<'a> {
    /// The lines of this grid.
    pub(super) fn new(target: &'a TargetGrid) -> Self {
        let meridians = (0..=target.nx).map(|i| {
            let (sin, cos) = target.meridian(i).to_radians().sin_cos();
            [cos, sin]
        });
        let parallels = (0..=target.ny).map(|j| target.parallel(j).to_radians().sin());
        Self {
            target,
            meridians: meridians.collect(),
            parallels: parallels.collect(),
        }
    }

    /// Area of a target cell of row `j`, squared radii.
    pub(super) fn area(&self, j: usize) -> f64 {
        let width = (self.target.east - self.target.west) / self.target.nx as f64;
        width.to_radians() * (self.parallels[j] - self.parallels[j + 1])
    }
}

/// The target cells around one source cell, and what they have in common with it.
///
/// In the plane of longitude λ and z = sin φ, which keeps areas, a closed line P has in common with the cell between the
/// meridians a and b and the heights c₁ and c₂ the area −∮ (clamp(z, c₁, c₂) − c₁) dλ over the parts of P with λ from
/// a to b, positive if P is counter-clockwise. Cutting P at a meridian adds nothing, since dλ is 0 along it.
pub(super) struct CellWindow<'a> {
    lines: &'a GridLines<'a>,
    rows: Range<usize>,
    columns: Range<usize>,
    /// Degrees that the target is shifted east by.
    shift: f64,
    /// Squared radii, row by row.
    sums: Vec<f64>,
}

/// A point on a line, with its unwrapped longitude in degrees.
type LinePoint = (f64, Vector);

impl<'a> CellWindow<'a> {
    /// Of the cells in these rows and columns of the target, when it is shifted east by `shift` degrees.
    pub(super) fn new(
        lines: &'a GridLines<'a>,
        rows: Range<usize>,
        columns: Range<usize>,
        shift: f64,
    ) -> Self {
        let sums = vec![0.0; rows.len() * columns.len()];
        Self {
            lines,
            rows,
            columns,
            shift,
            sums,
        }
    }

    /// Row, column and sum of each cell.
    pub(super) fn areas(&self) -> impl Iterator<Item = (usize, usize, f64)> {
        let columns = self.columns.len();
        self.sums.iter().enumerate().map(move |(at, &sum)| {
            (
                self.rows.start + at / columns,
                self.columns.start + at % columns,
                sum,
            )
        })
    }

    /// Adds the areas within a ring, whose rows must all be in the window or beyond the ends of its band.
    pub(super) fn add(&mut self, ring: &Ring) {
        for [a, b] in ring.sides() {
            // From west to east; what the formula has for this direction is negative.
            let (sign, west, east) = if a.longitude < b.longitude {
                (-1.0, a, b)
            } else {
                (1.0, b, a)
            };
            if east.longitude - west.longitude < MERIDIONAL {
                continue;
            }
            let Some(arc) = Arc::new(west.point, east.point) else {
                continue;
            };
            let (west, east) = ((west.longitude, west.point), (east.longitude, east.point));
            if let Some(summit) = arc.summit() {
                let longitude = west.0 + eastward(west.1, summit).to_degrees();
                let summit = (longitude, summit);
                self.add_slope(&arc.part(west.1, summit.1), sign, west, summit);
                self.add_slope(&arc.part(summit.1, east.1), sign, summit, east);
            } else {
                self.add_slope(&arc, sign, west, east);
            }
        }
        // Along the south pole clamp(z) is c₁: nothing to add.
        if let Some((z, [from, to])) = ring.closure()
            && z > 0.0
        {
            let (sign, west, east) = if from < to {
                (-1.0, from, to)
            } else {
                (1.0, to, from)
            };
            for i in self.columns.clone() {
                let width = east.min(self.meridian(i + 1)) - west.max(self.meridian(i));
                for j in self.rows.clone() {
                    let height = self.lines.parallels[j] - self.lines.parallels[j + 1];
                    *self.sum(j, i) += sign * height * width.max(0.0).to_radians();
                }
            }
        }
    }

    /// Longitude of the western edge of column `i`, unwrapped degrees.
    fn meridian(&self, i: usize) -> f64 {
        self.lines.target.meridian(i) + self.shift
    }

    fn sum(&mut self, j: usize, i: usize) -> &mut f64 {
        &mut self.sums[(j - self.rows.start) * self.columns.len() + i - self.columns.start]
    }

    /// Adds an arc that only rises or only falls, cut at the meridians.
    fn add_slope(&mut self, slope: &Arc, sign: f64, west: LinePoint, east: LinePoint) {
        let target = self.lines.target;
        let column = (target.east - target.west) / target.nx as f64;
        let place = |longitude: f64| (longitude - self.shift - target.west) / column;
        // Casts of numbers below zero give zero.
        let first = (place(west.0) as usize).max(self.columns.start);
        let end = (place(east.0).ceil() as usize).min(self.columns.end);
        if first >= end {
            // All of it lies beyond the window.
            return;
        }
        let mut from = west;
        if west.0 < self.meridian(first) {
            from = self.crossing(slope, first);
        }
        for i in first..end {
            let mut to = east;
            if self.meridian(i + 1) < east.0 {
                to = self.crossing(slope, i + 1);
            }
            self.add_piece(slope, sign, i, from, to);
            from = to;
        }
    }

    /// Where a slope crosses the western edge of column `i`.
    fn crossing(&self, slope: &Arc, i: usize) -> LinePoint {
        (self.meridian(i), slope.at_meridian(self.lines.meridians[i]))
    }

    /// Adds a piece of a slope within column `i`, row by row.
    fn add_piece(&mut self, slope: &Arc, sign: f64, i: usize, west: LinePoint, east: LinePoint) {
        let width = (east.0 - west.0).to_radians();
        let rises = west.1[2] < east.1[2];
        let (low, high) = if rises {
            (west.1, east.1)
        } else {
            (east.1, west.1)
        };
        for j in self.rows.clone() {
            let (top, bottom) = (self.lines.parallels[j], self.lines.parallels[j + 1]);
            let area = if high[2] <= bottom + ROUNDING {
                0.0
            } else if low[2] >= top - ROUNDING {
                (top - bottom) * width
            } else {
                let mut ends = [low, high];
                if low[2] < bottom - ROUNDING {
                    ends[0] = slope.at_parallel(bottom);
                }
                if high[2] > top + ROUNDING {
                    ends[1] = slope.at_parallel(top);
                }
                let outer = if rises {
                    eastward(ends[1], high)
                } else {
                    eastward(high, ends[1])
                };
                if !rises {
                    ends.reverse();
                }
                // Within the row up to the line, beyond it all of the row's height.
                area_below(ends[0], ends[1]) - bottom * eastward(ends[0], ends[1])
                    + (top - bottom) * outer
            };
            *self.sum(j, i) += sign * area;
        }
    }
}
