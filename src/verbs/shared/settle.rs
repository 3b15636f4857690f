//! Coming to one mind: every rank's result travels to rank 0, and the verdict back, so that all leave together.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::exit::Failure;
use crate::ranks::Ranks;

/// Collects the results of all ranks. Rank 0 gets the values in the order of ranks, the others nothing.
///
/// # Errors
/// On every rank the same: the failure of the lowest rank that has one.
pub(crate) fn settle<T: Serialize + DeserializeOwned>(
    ranks: &Ranks,
    mine: &Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    let mut values = Vec::new();
    let mut verdict = Ok(());
    for result in ranks.gather(mine)?.into_iter().flatten() {
        match result {
            Ok(value) => values.push(value),
            Err(failure) => verdict = verdict.and(Err(failure)),
        }
    }
    ranks.broadcast(&verdict)??;
    Ok(values)
}
