//! `verify`: every object of stores against the manifests, every document, and the values of source files.

mod against;
mod documents;
mod names;
mod rounds;
mod store;

use std::io::{self, Write};

use crate::cli::{Spot, VerifyArgs};
use crate::exit::{Exit, Failure};
use crate::ranks::{Follower, Lead, Ranks, Role};
use crate::store::{Bucket, Group, layout};
use crate::verbs::files::catalogue::help_to_catalogue;
use crate::verbs::shared::start::{Job, start};
use crate::verbs::stores::named::stores;
use crate::verbs::verify::against::{Against, help_to_compare};
use crate::verbs::verify::rounds::{Checkers, help_to_check};
use crate::verbs::verify::store::{Looked, look};

/// Runs the command on this rank.
pub(in crate::verbs) fn verify(args: &VerifyArgs, ranks: &Ranks) -> Result<(), Failure> {
    let asked = args.store.spot()?;
    let job = start(&args.store, ranks)?;
    match ranks.role() {
        Role::Lead(lead) => lead_all(args, asked, &job, lead),
        Role::Follower(follower) => follow_all(args, &job, follower),
    }
}

fn lead_all(
    args: &VerifyArgs,
    asked: Option<Spot>,
    job: &Job<'_>,
    lead: Lead<'_>,
) -> Result<(), Failure> {
    let against = Against::new(args, lead)?;
    let spot = lead.go_on(match &against {
        Some(against) => against.spot(asked),
        None => args.store.spot_or_all(),
    })?;
    let mut checkers = Checkers::new(lead, job, args.memory);
    let mut found = Looked::default();
    let done = look_at_all(&mut checkers, args, &spot, &mut found);
    checkers.end(done)?;
    let compared = against.map(|against| against.compare(&spot, job, lead));
    lead.conclude(conclude(found, compared.transpose()))
}

fn follow_all(args: &VerifyArgs, job: &Job<'_>, follower: Follower<'_>) -> Result<(), Failure> {
    if !args.against.is_empty() {
        help_to_catalogue(follower, args.append_dimension())?;
    }
    help_to_check(follower, job, args.memory)?;
    if !args.against.is_empty() {
        // The lead has seen it all.
        let _ = help_to_compare(follower, job);
    }
    follower.verdict()
}

/// Looks at one store after the other.
fn look_at_all(
    checkers: &mut Checkers<'_>,
    args: &VerifyArgs,
    spot: &Spot,
    found: &mut Looked,
) -> Result<(), Failure> {
    let Job {
        runtime, bucket, ..
    } = checkers.job();
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

/// Prints the total, and says how it went.
fn conclude(
    mut found: Looked,
    compared: Result<Option<Vec<String>>, Failure>,
) -> Result<(), Failure> {
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
