//! `delete --array`: arrays go from stores that stay. Rank 0's work; the others wait.

use crate::cli::{DeleteArgs, Spot, bytes_shown};
use crate::commit::ArrayRemoval;
use crate::exit::{Exit, Failure};
use crate::say;
use crate::store::Bucket;
use crate::verbs::delete::{asks, confirmed};
use crate::verbs::shared::hold::Hold;
use crate::verbs::shared::removing::remove;
use crate::verbs::shared::start::Job;
use crate::verbs::stores::named::{keys, stores};

/// The command, as ledgers and lists say it.
const COMMAND: &str = "delete --array";

/// Removes the arrays that `args` name from the stores that they name.
///
/// # Errors
/// If one of them cannot go; then nothing has changed.
pub(in crate::verbs) async fn delete_arrays(
    args: &DeleteArgs,
    job: &Job<'_>,
    spot: &Spot,
) -> Result<(), Failure> {
    let bucket = &job.bucket;
    let asks = asks(args)?;
    bucket.reach(spot.key()).await?;
    let mut names = args.array.clone();
    names.sort_unstable();
    names.dedup();
    let groups = stores(bucket, spot, &args.variables).await?;
    if let Some(group) = groups.iter().find(|group| !group.path.is_empty()) {
        let message = format!(
            "--array: '{group}' is a group of the hierarchy '{}', from which single arrays cannot be removed; nothing was deleted",
            group.store
        );
        return Err(Failure::new(Exit::Usage, message));
    }
    let mut stores = keys(&groups);
    stores.sort_unstable();
    stores.dedup();
    let place = bucket.place();
    if args.dry_run {
        let said = told(&look(args, bucket, &stores, &names).await?, &names);
        say!("would delete from {place}:\n{said}");
        return Ok(());
    }
    if asks {
        let said = told(&look(args, bucket, &stores, &names).await?, &names);
        if !confirmed(&format!("to delete from {place}:\n{said}"))? {
            say!("nothing was deleted");
            return Ok(());
        }
    }
    let mut hold = Hold::take(job, &args.lease, &stores, "delete").await?;
    let mut done = hold.left.heal(bucket).await;
    if done.is_ok() {
        done = delete_held(args, bucket, &stores, &names, &hold).await;
    }
    let done = done.map_err(|failure| hold.verdict(failure));
    hold.release().await;
    done
}

async fn delete_held(
    args: &DeleteArgs,
    bucket: &Bucket,
    stores: &[String],
    names: &[String],
    hold: &Hold,
) -> Result<(), Failure> {
    let found = look(args, bucket, stores, names).await?;
    let said = told(&found, names);
    let removals: Vec<_> = found.into_iter().map(|found| found.removal).collect();
    let keep_undo = args.keep_undo.unwrap_or(1);
    remove(bucket, &removals, hold, COMMAND, keep_undo).await?;
    say!("deleted from {}:\n{said}", bucket.place());
    Ok(())
}

/// What goes of each store; all are looked at before the first is changed.
async fn look(
    args: &DeleteArgs,
    bucket: &Bucket,
    stores: &[String],
    names: &[String],
) -> Result<Vec<ArrayRemoval>, Failure> {
    let (mut all, mut problems) = (Vec::new(), Vec::new());
    for store in stores {
        match ArrayRemoval::of(bucket, store, names, args.force).await {
            Ok(found) => all.push(found),
            Err(failure) => problems.push(failure),
        }
    }
    Failure::together(problems)?;
    if all.is_empty() {
        let message = format!(
            "{}: there are no stores; nothing was deleted",
            bucket.place()
        );
        return Err(Failure::new(Exit::NoStore, message));
    }
    Ok(all)
}

/// A line a store.
fn told(found: &[ArrayRemoval], names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
    let mut lines = Vec::new();
    for ArrayRemoval {
        attributes,
        removal,
    } in found
    {
        let (objects, bytes) = removal.size();
        lines.push(format!(
            "  {}: array {}: {objects} objects, {}",
            removal.store,
            names.join(", "),
            bytes_shown(bytes)
        ));
        for attribute in attributes {
            lines.push(format!(
                "  {}: its attribute '{attribute}', which need not be true of what is left",
                removal.store
            ));
        }
    }
    lines.join("\n")
}
