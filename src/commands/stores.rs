//! Which stores a command means that was given a prefix, and perhaps variables.

use futures::TryStreamExt;

use crate::exit::{Exit, Failure};
use crate::store::layout::{self, LEDGERS};
use crate::store::{Bucket, is_store};

/// The stores below `prefix`, and its compact one, that are there or have a ledger; those of `variables` only, if there are
/// any.
///
/// # Errors
/// If one of `variables` is neither, or the server does not list.
pub(super) async fn stores(
    bucket: &Bucket,
    prefix: &str,
    variables: &[String],
) -> Result<Vec<String>, Failure> {
    let mut found: Vec<String> = bucket.stores(prefix).try_collect().await?;
    found.extend(ledgers(bucket, prefix).await?);
    if !prefix.is_empty() {
        let compact = layout::compact_key(prefix);
        let is_there = !bucket.folder(&compact).await?.is_empty();
        if is_there || !bucket.folder(&layout::ledger(&compact)).await?.is_empty() {
            found.push(compact);
        }
    }
    found.sort_unstable();
    found.dedup();
    if variables.is_empty() {
        return Ok(found);
    }
    let mut named = Vec::new();
    for variable in variables {
        let store = match variable.as_str() {
            "compact" => layout::compact_key(prefix),
            name => layout::store_key(prefix, name),
        };
        if !found.contains(&store) {
            let place = layout::below(bucket.place(), prefix);
            let message = format!("{place}: there is no store '{store}'; check --prefix and -v");
            return Err(Failure::new(Exit::NoStore, message));
        }
        named.push(store);
    }
    Ok(named)
}

/// The stores below `prefix` that have a ledger: perhaps nothing else is left of them.
async fn ledgers(bucket: &Bucket, prefix: &str) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    let mut ahead = vec![prefix.to_owned()];
    while let Some(folder) = ahead.pop() {
        for below in bucket.folder(&folder).await?.folders {
            let name = below.rsplit('/').next().unwrap_or_default();
            if name == LEDGERS {
                let ledgers = bucket.folder(&below).await?.folders;
                let stores = ledgers.iter().filter_map(|ledger| {
                    let name = ledger.rsplit('/').next()?;
                    is_store(name).then(|| layout::below(&folder, name))
                });
                found.extend(stores);
            } else if !is_store(name) {
                ahead.push(below);
            }
        }
    }
    Ok(found)
}
