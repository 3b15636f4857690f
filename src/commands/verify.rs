//! `verify`: every object of stores against the manifests, every document, and the values of source files.

use std::io::{self, Write};

use futures::TryStreamExt;

use super::start::{Started, start};
use super::verify_against::Against;
use super::verify_rounds::{Checkers, Word};
use super::verify_store::{Looked, look};
use crate::cli::VerifyArgs;
use crate::exit::{Exit, Failure};
use crate::ranks::Ranks;
use crate::store::{Bucket, layout};

/// Runs the command on this rank.
pub(super) fn verify(args: &VerifyArgs, ranks: &Ranks) -> Result<(), Failure> {
    let asked = args.store.prefix()?;
    let Started {
        bucket,
        runtime,
        threads,
    } = start(&args.store, ranks)?;
    let against = Against::new(args, ranks)?;
    let prefix = match &against {
        Some(against) => against.prefix(asked, ranks)?,
        None => asked.unwrap_or_default(),
    };
    let mut checkers = Checkers::new(ranks, &runtime, &bucket, args.memory);
    let mut found = Looked::default();
    if ranks.rank() == 0 {
        let done = look_at_all(&mut checkers, args, &prefix, &mut found);
        ranks.broadcast(&done.map(|()| Word::End))??;
    } else {
        checkers.follow()?;
    }
    let compared =
        against.map(|against| against.compare(&prefix, &bucket, &runtime, threads, ranks));
    let verdict = conclude(found, compared.transpose(), ranks.rank() == 0);
    // Rank 0 has seen it all.
    ranks.broadcast(&verdict)?
}

/// Rank 0: looks at one store after the other.
fn look_at_all(
    checkers: &mut Checkers<'_>,
    args: &VerifyArgs,
    prefix: &str,
    found: &mut Looked,
) -> Result<(), Failure> {
    let (runtime, bucket) = (checkers.runtime, checkers.bucket);
    let stores = runtime.block_on(stores(bucket, args, prefix))?;
    for store in stores {
        match look(checkers, &store, &mut say)? {
            Some(looked) => found.add(looked),
            None if args.variables.is_empty() => {}
            None => {
                let message = format!("{}: there is no store '{store}'", bucket.place());
                return Err(Failure::new(Exit::NoStore, message));
            }
        }
    }
    if found.stores == 0 {
        let place = layout::below(bucket.place(), prefix);
        let message = format!("{}: there are no stores", place.trim_end_matches('/'));
        return Err(Failure::new(Exit::NoStore, message));
    }
    Ok(())
}

/// The stores to look at: those named, or all below the prefix, with those of which only the ledger is left, and the
/// compact one.
async fn stores(bucket: &Bucket, args: &VerifyArgs, prefix: &str) -> Result<Vec<String>, Failure> {
    bucket.reach(prefix).await?;
    let wrong = |message: String| Err(Failure::new(Exit::Usage, message));
    if args.is_compact() {
        if prefix.is_empty() {
            return wrong("-v compact: the compact store is PREFIX.zarr; give --prefix".to_owned());
        }
        return Ok(vec![layout::compact_key(prefix)]);
    }
    let mut stores = Vec::new();
    for name in args.named() {
        if name.is_empty() || name.contains('/') || name.chars().any(char::is_control) {
            return wrong(format!("-v '{name}': expected a variable's name"));
        }
        stores.push(layout::store_key(prefix, name));
    }
    if stores.is_empty() {
        stores = bucket.stores(prefix).try_collect().await?;
        let ledgers = bucket
            .folder(&layout::below(prefix, layout::LEDGERS))
            .await?;
        let names = ledgers
            .folders
            .iter()
            .filter_map(|key| key.rsplit('/').next());
        stores.extend(names.map(|name| layout::below(prefix, name)));
        stores.extend((!prefix.is_empty()).then(|| layout::compact_key(prefix)));
    }
    stores.sort_unstable();
    stores.dedup();
    Ok(stores)
}

/// Rank 0 prints the total, and says how it went.
fn conclude(
    mut found: Looked,
    compared: Result<Option<Vec<String>>, Failure>,
    is_rank_0: bool,
) -> Result<(), Failure> {
    if !is_rank_0 {
        return Ok(());
    }
    let (lines, failure) = match compared {
        Ok(lines) => (lines.unwrap_or_default(), None),
        Err(failure) => (Vec::new(), Some(failure)),
    };
    found.faults += lines.len() as u64;
    for line in lines {
        say(&line)?;
    }
    say(&format!(
        "verified: {} stores, {}",
        found.stores,
        found.shown()
    ))?;
    match (found.faults, failure) {
        (0, None) => Ok(()),
        (0, Some(failure)) => Err(failure),
        (faults, failure) => {
            let and = failure.map_or_else(String::new, |failure| {
                format!("; and the files could not be compared: {failure}")
            });
            let message = format!("{faults} faults were found, see the list{and}");
            Err(Failure::new(Exit::FaultsFound, message))
        }
    }
}

/// Prints a line; that nobody reads any more, as in `verify | head`, does not stop the check.
fn say(line: &str) -> Result<(), Failure> {
    match writeln!(io::stdout(), "{line}") {
        Err(cause) if cause.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Internal, format!("printing: {cause}")))
        }
        _ => Ok(()),
    }
}
