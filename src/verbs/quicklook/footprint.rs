//! Which cell each pixel of a picture shows.
//!
//! Key types: [`Footprint`]; [`Footprints`], those of all grids. Every rank finds those of its share of the rows.

use std::sync::Arc;

use msm_chart::Frame;
use msm_reproject::{GridError, Method, SourceGrid, TargetGrid, Weights, weights};

use super::MEANS;
use super::areas::areas;
use super::error::{QuicklookError, UnstoredCoordinate};
use super::frame::frame_of;
use super::look::Grid;
use super::sphere::{Point, minus, point, size};
use crate::error::Error;
use crate::events::WorkKind;
use crate::session::Session;
use crate::transfer::ReadMeans;
use crate::verbs::reprojection::cells::{digest_of, read_cells};

/// The cells under a picture.
pub(super) struct Footprint {
    /// Its pixels.
    pub(super) target: TargetGrid,
    /// For each of them, row by row from the north, the cell that it shows; [`Weights::NONE`] where there is none.
    pub(super) cells: Vec<u32>,
    /// For each cell how large it is, if it lies in the picture, else zero. Numbers are of these cells, however many pixels there are.
    pub(super) areas: Vec<f32>,
}

/// Footprints of grids, each distinct grid once: stores of several variables have the same cells.
pub(super) struct Footprints<'a> {
    asked: Option<Frame>,
    /// Pixels in the longer side of a picture.
    width: usize,
    session: &'a Session<'a>,
    means: &'a ReadMeans,
    /// Those that are known, by the digests of their coordinates.
    known: Vec<(String, Arc<Footprint>)>,
}

impl<'a> Footprints<'a> {
    /// For pictures of the part of the world that is `asked` for, or of all that there are cells of.
    pub(super) fn new(
        asked: Option<Frame>,
        width: usize,
        session: &'a Session<'a>,
        means: &'a ReadMeans,
    ) -> Self {
        Self {
            asked,
            width,
            session,
            means,
            known: Vec::new(),
        }
    }

    /// That of `grid`: the nearest cells on the sphere, as reprojection has them, where they are no farther than their neighbours. Of what
    /// is not stored of its coordinates, `unstored` is told.
    ///
    /// # Errors
    /// On every rank the same: if coordinates cannot be read, or are none.
    pub(super) fn of(
        &mut self,
        grid: &Grid,
        unstored: &mut Vec<UnstoredCoordinate>,
    ) -> Result<Arc<Footprint>, Error> {
        match grid {
            Grid::Cells { .. } | Grid::File(_) => self.of_cells(grid, unstored),
            Grid::Axes {
                longitudes,
                latitudes,
                ..
            } => {
                let all = longitudes.iter().map(|x| (*x, latitudes[0]));
                let all = all.chain(latitudes.iter().map(|y| (longitudes[0], *y)));
                let frame = self.asked.or_else(|| frame_of(all));
                let frame = frame.unwrap_or(Frame::GLOBE);
                let pool = &self.session.pool;
                let found =
                    pool.install(|| Footprint::of_axes(longitudes, latitudes, &frame, self.width));
                Ok(Arc::new(found.check(grid, latitudes.iter().copied())?))
            }
        }
    }

    fn of_cells(
        &mut self,
        grid: &Grid,
        unstored: &mut Vec<UnstoredCoordinate>,
    ) -> Result<Arc<Footprint>, Error> {
        let (session, ranks) = (self.session, self.session.ranks);
        let _weighing = (ranks.rank() == 0).then(|| session.work_unmeasured(WorkKind::Weighing));
        let source = match grid {
            Grid::File(cells) => session.pool.install(|| read_cells(cells)),
            _ => session.runtime.block_on(source(grid, self.means, unstored)),
        };
        let source = ranks.settle(source.map_err(|failure| ranks.of_follower(failure)))?;
        let digest = digest_of(&source);
        if let Some((_, known)) = self.known.iter().find(|(known, _)| *known == digest) {
            return Ok(Arc::clone(known));
        }
        let centres = || {
            let cells = 0..source.longitude.len();
            cells.map(|cell| (source.longitude.at(cell), source.latitude.at(cell)))
        };
        let frame = self.asked.or_else(|| frame_of(centres()));
        let frame = frame.unwrap_or(Frame::GLOBE);
        let target = target(&frame, self.width);
        let cells = self.pixels(grid, &source, &target)?;
        let mut areas = session.pool.install(|| {
            areas([source.ny, source.nx], &frame, |y, x| {
                let cell = y * source.nx + x;
                let place = || (source.longitude.at(cell), source.latitude.at(cell));
                source.counts(cell).then(place)
            })
        });
        if is_nothing(&areas) {
            let target = self::target(&frame, MEANS);
            areas_seen(&mut areas, &self.pixels(grid, &source, &target)?, &target);
        }
        let found = Footprint {
            target,
            cells,
            areas,
        };
        let found = Arc::new(found.check(grid, centres().map(|(_, latitude)| latitude))?);
        self.known.push((digest, Arc::clone(&found)));
        Ok(found)
    }

    /// Which cell each pixel of `target` shows; each rank looks for those of its share of the rows.
    fn pixels(
        &self,
        grid: &Grid,
        source: &SourceGrid,
        target: &TargetGrid,
    ) -> Result<Vec<u32>, Error> {
        let ranks = self.session.ranks;
        let share = |rank: usize| target.ny * rank / ranks.size();
        let rows = share(ranks.rank())..share(ranks.rank() + 1);
        let mine = self.session.pool.install(|| {
            let found = weights(Method::Nearest, source, target, rows.clone());
            found.map(|found| near(&found, source, target, &rows))
        });
        let mine = mine.map_err(|cause| ranks.of_follower(no_grid(grid, cause)));
        ranks.join(mine, |all: Vec<Vec<u32>>| Ok(all.concat()))
    }
}

impl Footprint {
    fn of_axes(longitudes: &[f64], latitudes: &[f64], frame: &Frame, width: usize) -> Self {
        let size = [latitudes.len(), longitudes.len()];
        let mut areas = areas(size, frame, |y, x| {
            let (longitude, latitude) = (longitudes[x], latitudes[y]);
            // The first column may be there once more as the last.
            let away = (longitude - longitudes[0]).rem_euclid(360.0);
            let is_repeat = x > 0 && away.min(360.0 - away) < SAME;
            let is_place = longitude.is_finite() && latitude.abs() <= 90.0;
            (is_place && !is_repeat).then_some((longitude, latitude))
        });
        if is_nothing(&areas) {
            let target = target(frame, MEANS);
            areas_seen(
                &mut areas,
                &pixels_of_axes(longitudes, latitudes, &target),
                &target,
            );
        }
        let target = target(frame, width);
        Self {
            cells: pixels_of_axes(longitudes, latitudes, &target),
            target,
            areas,
        }
    }

    /// Itself, if it shows any cell.
    fn check(self, grid: &Grid, latitudes: impl Iterator<Item = f64>) -> Result<Self, Error> {
        if self.cells.iter().any(|cell| *cell != Weights::NONE) {
            return Ok(self);
        }
        let latitudes = latitudes.filter(|latitude| latitude.is_finite());
        let (south, north) = latitudes.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), y| {
            (a.min(y), b.max(y))
        });
        let [store, longitude, latitude] = grid.names();
        Err(QuicklookError::Outside {
            store,
            longitude,
            latitude,
            held: format!("{south:.1} to {north:.1} degrees north"),
        }
        .into())
    }
}

/// Degrees within which two columns of an axis are the same one.
const SAME: f64 = 1e-6;

fn pixels_of_axes(longitudes: &[f64], latitudes: &[f64], target: &TargetGrid) -> Vec<u32> {
    let columns: Vec<f64> = (0..target.nx).map(|i| target.longitude(i)).collect();
    let rows: Vec<f64> = (0..target.ny).map(|j| target.latitude(j)).collect();
    let around = |a: f64, b: f64| ((a - b + 180.0).rem_euclid(360.0) - 180.0).abs();
    let columns = msm_chart::nearest(&columns, longitudes, around);
    let rows = msm_chart::nearest(&rows, latitudes, |a, b| (a - b).abs());
    let cell = |row: Option<usize>, column: Option<usize>| {
        let (row, column) = row.zip(column)?;
        u32::try_from(row * longitudes.len() + column).ok()
    };
    let cells = rows.iter().flat_map(|row| {
        let of_row = columns.iter().map(|column| cell(*row, *column));
        of_row.map(|cell| cell.unwrap_or(Weights::NONE))
    });
    cells.collect()
}

fn is_nothing(areas: &[f32]) -> bool {
    areas.iter().all(|area| *area == 0.0)
}

/// Of a picture in which no cell's centre lies: those that it shows, by how much of it each takes.
fn areas_seen(areas: &mut [f32], cells: &[u32], target: &TargetGrid) {
    for (pixel, cell) in cells.iter().enumerate() {
        if let Some(area) = areas.get_mut(*cell as usize) {
            *area += target.latitude(pixel / target.nx).to_radians().cos() as f32;
        }
    }
}

fn target(frame: &Frame, width: usize) -> TargetGrid {
    let [nx, ny] = frame.pixels(width);
    let Frame {
        west,
        south,
        east,
        north,
    } = *frame;
    TargetGrid {
        nx,
        ny,
        west,
        south,
        east,
        north,
    }
}

async fn source(
    grid: &Grid,
    means: &ReadMeans,
    unstored: &mut Vec<UnstoredCoordinate>,
) -> Result<SourceGrid, Error> {
    let Grid::Cells {
        longitude,
        latitude,
    } = grid
    else {
        return Err(no_grid(grid, GridError::NoCells));
    };
    let (x, y) = tokio::try_join!(longitude.all(means), latitude.all(means))?;
    for (array, all) in [(longitude, &x), (latitude, &y)] {
        unstored.extend(UnstoredCoordinate::of(array, all, true)?);
    }
    let (x, y) = (x.places(longitude), y.places(latitude));
    let nx = grid.columns();
    SourceGrid::new(x.len() / nx.max(1), nx, x, y, None).map_err(|cause| no_grid(grid, cause))
}

fn no_grid(grid: &Grid, cause: GridError) -> Error {
    let [store, longitude, latitude] = grid.names();
    let error = QuicklookError::Grid {
        store,
        longitude,
        latitude,
        cause,
    };
    error.into()
}

/// For each pixel of `rows` the cell that was `found`, unless the pixel lies beyond the edge of the grid: the nearest cell is then
/// farther away than its neighbours are.
fn near(
    found: &Weights,
    source: &SourceGrid,
    target: &TargetGrid,
    rows: &std::ops::Range<usize>,
) -> Vec<u32> {
    let mut cells = vec![Weights::NONE; rows.len() * target.nx];
    for (pixel, cell, _) in found.entries() {
        let (row, column) = (rows.start + pixel / target.nx, pixel % target.nx);
        let place = point(target.longitude(column), target.latitude(row));
        let centre = centre(source, cell as usize);
        if size(minus(place, centre)) <= reach(source, cell as usize, centre) {
            cells[pixel] = cell;
        }
    }
    cells
}

/// How far away the farthest neighbour of `cell` is, along rows and columns.
fn reach(source: &SourceGrid, cell: usize, at: Point) -> f64 {
    let (row, column) = (cell / source.nx, cell % source.nx);
    let neighbours = [
        (column > 0).then(|| cell - 1),
        (column + 1 < source.nx).then_some(cell + 1),
        (row > 0).then(|| cell - source.nx),
        (row + 1 < source.ny).then_some(cell + source.nx),
    ];
    let away = neighbours.into_iter().flatten();
    let away = away.map(|other| size(minus(at, centre(source, other))));
    away.filter(|away| away.is_finite()).fold(0.0, f64::max)
}

fn centre(source: &SourceGrid, cell: usize) -> Point {
    point(source.longitude.at(cell), source.latitude.at(cell))
}
