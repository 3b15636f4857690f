//! `recover --truncate`: stores whose arrays have different lengths are cut to the shortest.

use crate::cli::{RecoverArgs, bytes_shown};
use crate::commit::Truncation;
use crate::exit::Failure;
use crate::say;
use crate::store::Bucket;
use crate::verbs::shared::hold::Hold;
use crate::verbs::shared::removing::remove;

/// The command, as ledgers and lists say it.
const COMMAND: &str = "recover --truncate";

/// Is there something to cut? Not known before what a dead job left has been healed.
///
/// # Errors
/// If the store cannot be read, or not be cut.
pub(in crate::verbs) async fn needs_cut(
    args: &RecoverArgs,
    bucket: &Bucket,
    store: &str,
    is_open: bool,
) -> Result<bool, Failure> {
    if !args.truncate || is_open {
        return Ok(false);
    }
    let cut = Truncation::of(bucket, store, &args.append_dim).await?;
    Ok(cut.is_some())
}

/// Cuts `store`, which is held; `false` if there is nothing to cut.
///
/// # Errors
/// If that cannot be done.
pub(in crate::verbs) async fn truncate(
    args: &RecoverArgs,
    bucket: &Bucket,
    store: &str,
    hold: &Hold,
) -> Result<bool, Failure> {
    let Some(cut) = Truncation::of(bucket, store, &args.append_dim).await? else {
        return Ok(false);
    };
    let keep_undo = args.keep_undo.unwrap_or(1);
    let said = told(store, &cut, &args.append_dim, "was");
    remove(bucket, &[cut.removal], hold, COMMAND, keep_undo).await?;
    for line in said {
        say!("{line}");
    }
    Ok(true)
}

/// Says what would be cut of the stores `all`; returns what is in the way.
pub(in crate::verbs) async fn foretell_cuts(
    args: &RecoverArgs,
    bucket: &Bucket,
    all: &[String],
) -> Vec<Failure> {
    let (mut problems, mut count) = (Vec::new(), 0);
    for store in all.iter().filter(|_| args.truncate) {
        match Truncation::of(bucket, store, &args.append_dim).await {
            Ok(None) => {}
            Ok(Some(cut)) => {
                count += 1;
                for line in told(store, &cut, &args.append_dim, "would be") {
                    say!("{line}");
                }
            }
            Err(error) => problems.push(error.into()),
        }
    }
    match count {
        _ if !args.truncate => {}
        0 => say!("nothing would be truncated: no store has arrays of different lengths"),
        count => say!("{count} stores would be truncated"),
    }
    problems
}

/// What is cut, a line an array.
fn told(store: &str, cut: &Truncation, dimension: &str, word: &str) -> Vec<String> {
    let arrays = cut.arrays.iter().map(|(name, from, to)| {
        format!(
            "store '{store}': array '{name}' {word} cut from {from} to {to} along '{dimension}'"
        )
    });
    let attributes = cut.attributes.iter().map(|name| {
        format!(
            "store '{store}': its attribute '{name}' {word} removed: it need not be true of what is left"
        )
    });
    let (objects, bytes) = cut.removal.size();
    let size = format!(
        "store '{store}': removed or cut: {objects} objects, {}",
        bytes_shown(bytes)
    );
    arrays.chain(attributes).chain([size]).collect()
}
