//! `verify`: every object of stores against the manifests, every document, and the values of source files.

mod against;
mod documents;
mod names;
mod rounds;
mod store;

use std::io::{self, Write};

use crate::cli::{Spot, VerifyArgs};
use crate::exit::{Exit, Failure};
use crate::ranks::Ranks;
use crate::store::{Bucket, Group, layout};
use crate::verbs::shared::start::{Started, start};
use crate::verbs::stores::named::stores;
use crate::verbs::verify::against::Against;
use crate::verbs::verify::rounds::{Checkers, Word};
use crate::verbs::verify::store::{Looked, look};

/// Runs the command on this rank.
pub(in crate::verbs) fn verify(args: &VerifyArgs, ranks: &Ranks) -> Result<(), Failure> {
    let asked = args.store.spot()?;
    let Started {
        bucket,
        runtime,
        threads,
    } = start(&args.store, ranks)?;
    let against = Against::new(args, ranks)?;
    let spot = match &against {
        Some(against) => against.spot(asked, ranks)?,
        None => args.store.spot_or_all()?,
    };
    let mut checkers = Checkers::new(ranks, &runtime, &bucket, args.memory);
    let mut found = Looked::default();
    if ranks.rank() == 0 {
        let done = look_at_all(&mut checkers, args, &spot, &mut found);
        ranks.broadcast(&done.map(|()| Word::End))??;
    } else {
        checkers.follow()?;
    }
    let compared = against.map(|against| against.compare(&spot, &bucket, &runtime, threads, ranks));
    let verdict = conclude(found, compared.transpose(), ranks.rank() == 0);
    // Rank 0 has seen it all.
    ranks.broadcast(&verdict)?
}

/// Rank 0: looks at one store after the other.
fn look_at_all(
    checkers: &mut Checkers<'_>,
    args: &VerifyArgs,
    spot: &Spot,
    found: &mut Looked,
) -> Result<(), Failure> {
    let (runtime, bucket) = (checkers.runtime, checkers.bucket);
    let stores = runtime.block_on(chosen(bucket, args, spot))?;
    for store in stores {
        // Of a create that was rolled back, a ledger without anything in it may be left.
        if let Some(looked) = look(checkers, &store, &mut say)? {
            found.add(looked);
        }
    }
    if found.stores == 0 {
        let place = layout::below(bucket.place(), spot.key());
        let message = format!("{}: there are no stores", place.trim_end_matches('/'));
        return Err(Failure::new(Exit::NoStore, message));
    }
    Ok(())
}

/// The stores to look at: those named, or all below the prefix, with those of which only the ledger is left, and the
/// compact one.
async fn chosen(bucket: &Bucket, args: &VerifyArgs, spot: &Spot) -> Result<Vec<Group>, Failure> {
    bucket.reach(spot.key()).await?;
    let named = match args.is_compact() {
        true if spot.key().is_empty() => {
            let message = "-v compact: the compact store is PREFIX.zarr; give --prefix";
            return Err(Failure::new(Exit::Usage, message));
        }
        true => &args.variables[..1],
        false => args.named(),
    };
    stores(bucket, spot, named).await
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
