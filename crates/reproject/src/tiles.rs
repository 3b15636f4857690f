//! The cells of a source grid in tiles of neighbouring rows and columns, four of these in a larger one, and so on up to
//! all: to find the nearest cell without trying each, however far it is.
//!
//! Key types: [`Tiles`]; [`Search`], which keeps the points of the tiles that it has looked into.

use rayon::prelude::*;

use super::source::SourceGrid;
use super::space::{Ball, Space, square};

/// Rows and columns of the smallest tiles.
const SIDE: usize = 8;
/// A search keeps the points of at most so many cells, 32 bytes each.
const KEPT: usize = 1 << 20;

/// The tiles of a source.
pub(super) struct Tiles<'a, S: Space<K>, const K: usize> {
    source: &'a SourceGrid,
    /// Which cells count.
    takes_part: fn(&SourceGrid, usize) -> bool,
    /// From the smallest to the one that has all cells.
    levels: Vec<Level<K>>,
    space: std::marker::PhantomData<S>,
}

/// Tiles of one size, row by row; `None` where no cell counts.
struct Level<const K: usize> {
    ny: usize,
    nx: usize,
    balls: Vec<Option<Ball<K>>>,
}

impl<'a, S: Space<K>, const K: usize> Tiles<'a, S, K> {
    pub(super) fn new(source: &'a SourceGrid, takes_part: fn(&SourceGrid, usize) -> bool) -> Self {
        let mut tiles = Self {
            source,
            takes_part,
            levels: Vec::new(),
            space: std::marker::PhantomData,
        };
        let (ny, nx) = (source.ny.div_ceil(SIDE), source.nx.div_ceil(SIDE));
        let balls = (0..ny * nx).into_par_iter().map(|tile| {
            let points = tiles.points([tile / nx, tile % nx]);
            Ball::around::<S>(points.iter().map(|point| point.0))
        });
        let balls = balls.collect();
        let mut level = Level { ny, nx, balls };
        while level.balls.len() > 1 {
            let larger = level.joined::<S>();
            tiles.levels.push(level);
            level = larger;
        }
        tiles.levels.push(level);
        tiles
    }

    /// The cells of a smallest tile that count, and where they lie.
    fn points(&self, [j, i]: [usize; 2]) -> Vec<([f64; K], u32)> {
        let (source, takes_part) = (self.source, self.takes_part);
        let rows = SIDE * j..(SIDE * (j + 1)).min(source.ny);
        let columns = SIDE * i..(SIDE * (i + 1)).min(source.nx);
        rows.flat_map(|j| columns.clone().map(move |i| j * source.nx + i))
            .filter(|&cell| takes_part(source, cell))
            .map(|cell| (place::<S, K>(source, cell), cell as u32))
            .collect()
    }
}

/// Where a cell lies.
fn place<S: Space<K>, const K: usize>(source: &SourceGrid, cell: usize) -> [f64; K] {
    S::point(source.longitude.at(cell), source.latitude.at(cell))
}

impl<const K: usize> Level<K> {
    /// The tiles of twice as many rows and columns.
    fn joined<S: Space<K>>(&self) -> Self {
        let (ny, nx) = (self.ny.div_ceil(2), self.nx.div_ceil(2));
        let balls = (0..ny * nx).map(|tile| {
            let within = self.within([tile / nx, tile % nx]);
            Ball::around_all::<S>(within.filter_map(|tile| self.balls[tile].as_ref()))
        });
        let balls = balls.collect();
        Self { ny, nx, balls }
    }

    /// The tiles of this level in one of the next.
    fn within(&self, [j, i]: [usize; 2]) -> impl Iterator<Item = usize> + Clone + use<K> {
        let (ny, nx) = (self.ny, self.nx);
        let columns = 2 * i..(2 * i + 2).min(nx);
        (2 * j..(2 * j + 2).min(ny)).flat_map(move |j| columns.clone().map(move |i| j * nx + i))
    }
}

/// Where the cells of a smallest tile lie.
type TilePoints<const K: usize> = Box<[([f64; K], u32)]>;

/// Finds nearest cells, one after the other: fastest if each lies close to the one before.
pub(super) struct Search<'a, S: Space<K>, const K: usize> {
    /// What is searched, all together.
    all: &'a [Tiles<'a, S, K>],
    /// Of each the points of smallest tiles that were looked into.
    kept: Vec<Vec<Option<TilePoints<K>>>>,
    count: usize,
    /// Tiles to look into, each with its level and the least squared distance of its cells.
    open: Vec<(usize, usize, f64)>,
    /// Cells as near as any so far, but for ties, with their squared distances.
    near: Vec<(f64, u32)>,
    /// Cells whose distance was computed.
    #[cfg(test)]
    pub(super) tried: usize,
}

impl<'a, S: Space<K>, const K: usize> Search<'a, S, K> {
    pub(super) fn new(all: &'a [Tiles<'a, S, K>]) -> Self {
        let none = |tiles: &Tiles<'_, S, K>| vec![None; tiles.levels[0].balls.len()];
        Self {
            all,
            kept: all.iter().map(none).collect(),
            count: 0,
            open: Vec::new(),
            near: Vec::new(),
            #[cfg(test)]
            tried: 0,
        }
    }

    /// The nearest cell to `point`; of those at most [`Space::TIE`] further the first. `None` if no cell counts. What is
    /// nearest to a point close by is a good `guess`: it bounds how far the search goes.
    pub(super) fn nearest(&mut self, point: &[f64; K], guess: Option<u32>) -> Option<u32> {
        self.near.clear();
        // The square of the least distance so far and a tie.
        let mut within = f64::INFINITY;
        if let (Some(cell), Some(tiles)) = (guess, self.all.first()) {
            let other = place::<S, K>(tiles.source, cell as usize);
            self.try_cell(square(&other, point), cell, &mut within);
        }
        for index in 0..self.all.len() {
            self.search(index, point, &mut within);
        }
        let as_near = self.near.iter().filter(|near| near.0 <= within);
        as_near.map(|near| near.1).min()
    }

    /// Tries the cells of these tiles that may be as near.
    fn search(&mut self, index: usize, point: &[f64; K], within: &mut f64) {
        let levels = &self.all[index].levels;
        self.open.clear();
        self.open.push((levels.len() - 1, 0, 0.0));
        while let Some((level, tile, least)) = self.open.pop() {
            if least > *within {
                continue;
            }
            let Some(below) = level.checked_sub(1) else {
                self.look_into(index, tile, point, within);
                continue;
            };
            let (nx, smaller) = (levels[level].nx, &levels[below]);
            let first = self.open.len();
            for tile in smaller.within([tile / nx, tile % nx]) {
                let Some(ball) = &smaller.balls[tile] else {
                    continue;
                };
                let least = S::least(ball, point);
                if least <= *within {
                    self.open.push((below, tile, least));
                }
            }
            // The nearest is looked into first.
            self.open[first..].sort_unstable_by(|a, b| b.2.total_cmp(&a.2));
        }
    }

    fn look_into(&mut self, index: usize, tile: usize, point: &[f64; K], within: &mut f64) {
        let tiles = &self.all[index];
        let nx = tiles.levels[0].nx;
        let points = self.kept[index][tile].take().unwrap_or_else(|| {
            let points = tiles.points([tile / nx, tile % nx]);
            self.count += points.len();
            points.into_boxed_slice()
        });
        for (other, cell) in &points {
            self.try_cell(square(other, point), *cell, within);
        }
        if self.count > KEPT {
            for kept in &mut self.kept {
                kept.fill(None);
            }
            self.count = points.len();
        }
        self.kept[index][tile] = Some(points);
    }

    fn try_cell(&mut self, distance: f64, cell: u32, within: &mut f64) {
        #[cfg(test)]
        {
            self.tried += 1;
        }
        if distance > *within {
            return;
        }
        let radius = distance.sqrt() + S::TIE;
        if radius * radius < *within {
            *within = radius * radius;
            self.near.retain(|near| near.0 <= *within);
        }
        self.near.push((distance, cell));
    }
}
