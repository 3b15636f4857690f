//! The weights of reprojection: from a file, or each rank computes those of its share of the rows.

use std::path::Path;
use std::sync::Arc;

use crate::events::Event;
use crate::exit::{Exit, Failure};
use crate::plan::Projection;
use crate::ranks::Ranks;
use crate::reproject::{Weights, weights};
use crate::session::Session;
use crate::verbs::reprojection::cells::{no_grid, read_cells};
use crate::verbs::reprojection::weights_file::{read_weights, write_weights};
use crate::verbs::shared::settle::settle;

/// The weights of `projections`, on every rank. With a `file` there is one projection at most: its weights are read from
/// it if it is there, else computed and written to it.
///
/// # Errors
/// On every rank the same: if the cells or the file cannot be read, or the file is of other grids.
pub(in crate::verbs) fn weigh(
    projections: &[Projection],
    file: Option<&Path>,
    session: &Session<'_>,
) -> Result<Arc<Vec<Weights>>, Failure> {
    let ranks = session.ranks;
    let mut all = Vec::new();
    for projection in projections {
        let known = match file.filter(|_| ranks.rank() == 0) {
            Some(file) => read_weights(file, projection),
            None => Ok(None),
        };
        let known = share(ranks, known)?;
        all.push(match known {
            Some(known) => known,
            None => compute(projection, file, session)?,
        });
    }
    Ok(Arc::new(all))
}

fn compute(
    projection: &Projection,
    file: Option<&Path>,
    session: &Session<'_>,
) -> Result<Weights, Failure> {
    let ranks = session.ranks;
    let share_of = |rank: usize| projection.grid.ny * rank / ranks.size();
    let rows = share_of(ranks.rank())..share_of(ranks.rank() + 1);
    let mine = session.pool.install(|| {
        let cells = read_cells(&projection.cells)?;
        let mine = weights(projection.method, &cells, &projection.grid, rows);
        mine.map_err(|cause| no_grid(&projection.cells, &cause))
    });
    let mine = mine.map_err(|Failure { exit, message }| {
        Failure::new(exit, format!("rank {}: {message}", ranks.rank()))
    });
    if ranks.size() == 1 {
        let mine = check(mine?)?;
        write(session, file, projection, &mine)?;
        return Ok(mine);
    }
    let parts = settle(ranks, &mine)?;
    let joined = if ranks.rank() == 0 {
        let joined = Weights::join(parts)
            .ok_or_else(|| Failure::new(Exit::Internal, "ranks computed weights of two kinds"));
        joined.and_then(check).and_then(|joined| {
            write(session, file, projection, &joined)?;
            Ok(Some(joined))
        })
    } else {
        Ok(None)
    };
    share(ranks, joined)?.ok_or_else(|| Failure::new(Exit::Internal, "rank 0 has no weights"))
}

fn check(weights: Weights) -> Result<Weights, Failure> {
    if weights.finds_nothing() {
        let message = "no cell of the source lies in the target grid; give another --bbox";
        return Err(Failure::new(Exit::NotReprojected, message));
    }
    Ok(weights)
}

fn write(
    session: &Session<'_>,
    file: Option<&Path>,
    projection: &Projection,
    weights: &Weights,
) -> Result<(), Failure> {
    let Some(file) = file else { return Ok(()) };
    write_weights(file, projection, weights)?;
    let file = file.to_owned();
    session.tell(&Event::WeightsWritten { file });
    Ok(())
}

/// Gives what rank 0 has to all ranks.
fn share(
    ranks: &Ranks,
    of_rank_0: Result<Option<Weights>, Failure>,
) -> Result<Option<Weights>, Failure> {
    if ranks.size() == 1 {
        return of_rank_0;
    }
    ranks.broadcast(&of_rank_0)?
}
