//! Rank 0: what maps take of a rank's memory, before it is known what they show.
//!
//! Key type: [`MapMemory`].

use std::collections::BTreeSet;

use msm_chart::Picture;
use msm_model::Archive;
use msm_plan::Projection;

use super::pictures::MOST;
use crate::verbs::quicklook::candidate::pair_of;

/// Bytes for a pixel that a rank has seen.
const SEEN: u64 = 16;
/// Bytes for the cell that a pixel shows, and for the area of a cell.
const SHOWN: u64 = 4;
/// Bytes for a cell while those are looked for that pixels show: where it is, as it is read and as it is searched, and its area.
const SEARCHED: u64 = 31;
/// Bytes for a cell that a thread keeps meanwhile, and for how many cells.
const KEPT: u64 = 33;
const KEPT_CELLS: u64 = 1 << 20;

/// The part of a rank's memory that maps may take.
const PART: u64 = 4;

/// Bytes that a rank holds for maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::verbs) struct MapMemory {
    /// While data are put.
    pub held: u64,
    /// Before that, at most.
    peak: u64,
}

impl MapMemory {
    /// For maps of these variables of the `archive`, which may be reprojected so, at most.
    pub(in crate::verbs) fn of<'a>(
        archive: &Archive,
        variables: impl Iterator<Item = &'a String>,
        projections: &[Projection],
        threads: u64,
    ) -> Self {
        let catalogue = &archive.catalogue;
        let variables = variables.filter_map(|name| catalogue.variable(name));
        let planes = variables.filter_map(|variable| {
            let plane = variable.shape.last_chunk::<2>()?;
            Some((plane.iter().product(), pair_of(catalogue, variable)))
        });
        let planes: Vec<(u64, Vec<String>)> = planes.collect();
        let maps = planes.len().min(MOST);
        let width = Picture::plot_width_in_page(maps) as u64;
        let pixels = width * width;
        let grids: BTreeSet<&(u64, Vec<String>)> = planes.iter().collect();
        let cells = grids.iter().map(|(cells, _)| *cells);
        let targets = projections.iter().map(|one| one.grid.len() as u64);
        let all: Vec<u64> = cells.chain(targets).collect();
        let of_grids = all.iter().map(|cells| SHOWN * (cells + pixels));
        let held = of_grids.sum::<u64>() + SEEN * pixels * maps as u64;
        let largest = all.into_iter().max().unwrap_or(0);
        let searched = SEARCHED * largest + threads * KEPT * largest.min(KEPT_CELLS);
        Self {
            held,
            peak: held + searched,
        }
    }

    /// For how many bytes there is no room where a rank may hold so many: data come first. `None` if there is.
    pub(in crate::verbs) fn lacking(self, memory: u64) -> Option<u64> {
        let too_much = [(self.held, memory / PART), (self.peak, memory)];
        let mut too_much = too_much.into_iter().filter(|(bytes, room)| bytes > room);
        too_much.next().map(|(bytes, _)| bytes)
    }
}
