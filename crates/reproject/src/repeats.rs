//! Cells that an ORCA file has twice: halo columns, and the rows beyond the north fold (NEMO Book, "North fold").
//!
//! They are found by coincidence on the sphere, so that files with halos, without, and with either pivot need no flag. Only
//! coincidences that one shift of columns or one mirror explains are repeats: cells that meet at a pole are not.

use std::collections::HashMap;

use super::coordinates::Coordinates;
use super::sphere::{Vector, chord, vector, wrapped};

/// Columns at either side, and rows at the top, that may repeat others or be repeated.
const BORDER: usize = 4;
/// Radians within which cells coincide: coordinates may be float32, whose steps are 3e-7 at 180 degrees.
const SAME: f64 = 2e-6;
/// As many cells coincide at most: two on the fold, each once more in a halo.
const MOST: usize = 4;

/// How a cell's indices become those of its repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum RepeatRule {
    /// So many columns further in the same row.
    Shift(usize),
    /// Rows add up to the first number, columns to the second, but for whole periods.
    Mirror(usize, usize),
}

/// The cells that repeat another one, each with the one that it repeats, which repeats none; in the order of the repeats.
///
/// Of coinciding cells the one furthest from the sides and the top of the array is not a repeat; of several the first.
pub(super) fn repeats(
    ny: usize,
    nx: usize,
    longitude: &Coordinates,
    latitude: &Coordinates,
    is_hole: impl Fn(usize) -> bool,
) -> Vec<(usize, usize)> {
    let border: Vec<(usize, Vector)> = border(ny, nx)
        .filter(|&cell| !is_hole(cell))
        .map(|cell| (cell, vector(wrapped(longitude.at(cell)), latitude.at(cell))))
        .collect();
    let pairs = coinciding(&border);

    let shift = commonest(pairs.iter().filter_map(|&pair| shifted(nx, pair)), ny);
    let period = match shift {
        Some(RepeatRule::Shift(columns)) => columns,
        _ => nx,
    };
    let is_halo = |pair| shift.is_some() && shifted(nx, pair) == shift;
    let folds = pairs
        .iter()
        .filter(|&&pair| !is_halo(pair))
        .filter_map(|&pair| mirrored(ny, nx, period, pair));
    let fold = commonest(folds, nx);
    let is_fold = |pair| fold.is_some() && mirrored(ny, nx, period, pair) == fold;

    let inside = |cell: usize| {
        let (j, i) = (cell / nx, cell % nx);
        let depth = i.min(nx - 1 - i).min(ny - 1 - j);
        (depth, std::cmp::Reverse(cell))
    };
    let mut better: HashMap<usize, usize> = HashMap::new();
    for pair in pairs {
        if !is_halo(pair) && !is_fold(pair) {
            continue;
        }
        let (outer, inner) = if inside(pair.0) < inside(pair.1) {
            pair
        } else {
            (pair.1, pair.0)
        };
        let best = better.entry(outer).or_insert(inner);
        if inside(*best) < inside(inner) {
            *best = inner;
        }
    }
    let mut repeats: Vec<_> = better
        .keys()
        .map(|&cell| (cell, last(cell, &better)))
        .collect();
    repeats.sort_unstable();
    repeats
}

/// The rule of a halo, if the pair could be of one: the same row, one cell at either side.
fn shifted(nx: usize, (a, b): (usize, usize)) -> Option<RepeatRule> {
    let wide = nx > 2 * BORDER && b - a + BORDER >= nx;
    (wide && a / nx == b / nx).then_some(RepeatRule::Shift(b - a))
}

/// The rule of the north fold, if the pair could be of one: both in the top rows.
fn mirrored(ny: usize, nx: usize, period: usize, (a, b): (usize, usize)) -> Option<RepeatRule> {
    let top = a / nx + BORDER >= ny;
    top.then_some(RepeatRule::Mirror(
        a / nx + b / nx,
        (a % nx + b % nx) % period,
    ))
}

/// Cells of the border, each once.
fn border(ny: usize, nx: usize) -> impl Iterator<Item = usize> {
    (0..ny).flat_map(move |j| {
        let whole = j + BORDER >= ny;
        (0..nx)
            .filter(move |i| whole || *i < BORDER || i + BORDER >= nx)
            .map(move |i| j * nx + i)
    })
}

/// The pairs of cells that coincide, the lower one first, but where more meet than repeats can.
fn coinciding(cells: &[(usize, Vector)]) -> Vec<(usize, usize)> {
    // Boxes are larger than the distance: whatever coincides lies in the same one, or in one that the distance reaches.
    let box_of = |point: Vector| point.map(|x| (x / (4.0 * SAME)).floor() as i32);
    let mut boxes: HashMap<[i32; 3], Vec<usize>> = HashMap::new();
    for (at, &(_, point)) in cells.iter().enumerate() {
        boxes.entry(box_of(point)).or_default().push(at);
    }
    let mut pairs = Vec::new();
    for &(cell, point) in cells {
        let low = box_of(point.map(|x| x - SAME));
        let high = box_of(point.map(|x| x + SAME));
        let reached = (low[0]..=high[0]).flat_map(|x| {
            (low[1]..=high[1]).flat_map(move |y| (low[2]..=high[2]).map(move |z| [x, y, z]))
        });
        let same: Vec<usize> = reached
            .filter_map(|key| boxes.get(&key))
            .flatten()
            .map(|&at| cells[at])
            .filter(|&(_, other)| chord(point, other) <= SAME)
            .map(|(other, _)| other)
            .take(MOST + 1)
            .collect();
        if same.len() <= MOST {
            pairs.extend(
                same.into_iter()
                    .filter(|&other| cell < other)
                    .map(|other| (cell, other)),
            );
        }
    }
    pairs
}

/// The rule that explains most pairs, if they are more than a few of the `length` there could be: part of them may be holes.
fn commonest(rules: impl Iterator<Item = RepeatRule>, length: usize) -> Option<RepeatRule> {
    let mut votes: HashMap<RepeatRule, usize> = HashMap::new();
    for rule in rules {
        *votes.entry(rule).or_default() += 1;
    }
    let most = votes
        .into_iter()
        .max_by_key(|&(rule, count)| (count, rule))?;
    (8 * most.1 >= length).then_some(most.0)
}

/// The end of the chain of ever better cells that begins at `cell`.
fn last(cell: usize, better: &HashMap<usize, usize>) -> usize {
    let mut last = cell;
    while let Some(&next) = better.get(&last) {
        last = next;
    }
    last
}
