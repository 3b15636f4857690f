//! The weights of reprojection: from a file, or each rank computes those of its share of the rows.

use std::path::Path;
use std::sync::Arc;

use msm_plan::{PIECES, Projection};
use msm_reproject::{Method, Weights, weights};

use crate::error::Error;
use crate::events::{Event, WorkKind};
use crate::ranks::Ranks;
use crate::session::Session;
use crate::verbs::reprojection::cells::{no_grid, read_cells};
use crate::verbs::reprojection::error::ReprojectionError;
use crate::verbs::reprojection::weights_file::{read_weights, write_weights};

/// The weights of `projections`, on every rank. With a `file` there is one projection at most: its weights are read from
/// it if it is there, else computed and, if they are to be `kept`, written to it.
///
/// # Errors
/// On every rank the same: if the cells or the file cannot be read, or the file is of other grids.
pub(in crate::verbs) fn weigh(
    projections: &[Projection],
    file: Option<&Path>,
    kept: bool,
    session: &Session<'_>,
) -> Result<Arc<Vec<Weights>>, Error> {
    let to_write = file.filter(|_| kept);
    let is_shown = session.ranks.rank() == 0 && !projections.is_empty();
    let _weighing = is_shown.then(|| session.work_unmeasured(WorkKind::Weighing));
    let all = projections.iter().map(|projection| {
        let mut known = None;
        let is_known = session.ranks.on_lead(|| {
            if let Some(file) = file {
                known = read_weights(file, projection)?;
            }
            Ok(known.is_some())
        })?;
        if is_known {
            gather(known.unwrap_or_default(), session.ranks)
        } else {
            compute(projection, to_write, session)
        }
    });
    Ok(Arc::new(all.collect::<Result<_, Error>>()?))
}

fn compute(
    projection: &Projection,
    file: Option<&Path>,
    session: &Session<'_>,
) -> Result<Weights, Error> {
    let ranks = session.ranks;
    let share_of = |rank: usize| projection.grid.ny * rank / ranks.size();
    let rows = share_of(ranks.rank())..share_of(ranks.rank() + 1);
    let mine = session.pool.install(|| {
        let mut cells = read_cells(&projection.cells)?;
        if projection.method == Method::Conservative {
            cells = cells.without_centres();
        }
        let mine = weights(projection.method, &cells, &projection.grid, rows);
        Ok(mine.map_err(|cause| no_grid(&projection.cells, cause))?)
    });
    let mine = ranks.settle(mine.map_err(|failure| ranks.here(failure)))?;
    let weights = gather(mine, ranks)?;
    ranks.on_lead(|| {
        if weights.finds_nothing() {
            return Err(ReprojectionError::NoCell.into());
        }
        Ok(write(session, file, projection, &weights)?)
    })?;
    Ok(weights)
}

/// The weights of all ranks, in their order, on each of them; a piece of each at a time.
fn gather(mut mine: Weights, ranks: &Ranks) -> Result<Weights, Error> {
    if ranks.size() == 1 {
        return Ok(mine);
    }
    let of_piece = PIECES / ranks.size() as u64;
    let mut all = vec![Weights::default(); ranks.size()];
    loop {
        let pieces: Vec<Weights> = ranks.join(Ok(mine.take(of_piece)), Ok)?;
        if pieces.iter().all(Weights::is_empty) {
            return Ok(Weights::join(all));
        }
        for (all, piece) in all.iter_mut().zip(pieces) {
            all.append(piece);
        }
    }
}

fn write(
    session: &Session<'_>,
    file: Option<&Path>,
    projection: &Projection,
    weights: &Weights,
) -> Result<(), ReprojectionError> {
    let Some(file) = file else { return Ok(()) };
    write_weights(file, projection, weights)?;
    let file = file.to_owned();
    session.tell(&Event::WeightsWritten { file });
    Ok(())
}
