//! `list`: rank 0 walks from store to store and prints each; the others wait for its verdict.

use std::io::{self, Write};

use futures::{StreamExt, TryStreamExt, stream};

use super::describe::describe;
use super::start::{Started, start};
use crate::cli::{ListArgs, StoreInfo, StoreState};
use crate::exit::{Exit, Failure};
use crate::ranks::Ranks;
use crate::store::{Bucket, layout};

/// Stores in flight.
const STORES: usize = 16;

/// Runs the command on this rank.
pub(super) fn list(args: &ListArgs, ranks: &Ranks) -> Result<(), Failure> {
    let prefix = args.store.prefix()?.unwrap_or_default();
    let Started {
        bucket, runtime, ..
    } = start(&args.store, ranks)?;
    let done = if ranks.rank() == 0 {
        runtime.block_on(print_all(&bucket, &prefix, args.json))
    } else {
        Ok(())
    };
    ranks.broadcast(&done)?
}

/// Prints the stores in the order of their keys, each as soon as those before it are printed.
async fn print_all(bucket: &Bucket, prefix: &str, json: bool) -> Result<(), Failure> {
    bucket.reach(prefix).await?;
    // The compact store lies beside the prefix, and before what is below it.
    let compact = (!prefix.is_empty()).then(|| layout::compact_key(prefix));
    let keys = stream::iter(compact.map(Ok)).chain(bucket.stores(prefix));
    let described = keys.map(|key| async move { describe(bucket, &key?).await });
    let mut described = described.buffered(STORES);
    let mut printer = Printer::new(json);
    let ended = async {
        while let Some(info) = described.try_next().await? {
            if let Some(info) = info
                && !printer.print(&info)?
            {
                break;
            }
        }
        Ok(())
    };
    let ended: Result<(), Failure> = ended.await;
    // Also after a failure, so that what was printed stays JSON.
    printer.end(&layout::below(bucket.place(), prefix), ended.is_ok())?;
    ended?;
    let Printer {
        printed,
        broken,
        denied,
        ..
    } = printer;
    let (exit, message) = match (broken, denied) {
        (0, 0) => return Ok(()),
        (0, _) => (
            Exit::AccessDenied,
            format!("{denied} of {printed} stores may not be read by this user, see the list"),
        ),
        _ => (
            Exit::ForeignStore,
            format!(
                "{} of {printed} stores cannot be read, see the list",
                broken + denied
            ),
        ),
    };
    Err(Failure::new(exit, message))
}

/// What was printed so far.
struct Printer {
    json: bool,
    printed: u64,
    broken: u64,
    denied: u64,
    /// Nobody reads any more.
    closed: bool,
}

impl Printer {
    fn new(json: bool) -> Self {
        Self {
            json,
            printed: 0,
            broken: 0,
            denied: 0,
            closed: false,
        }
    }

    /// Prints a store; `false` if nobody reads any more.
    fn print(&mut self, info: &StoreInfo) -> Result<bool, Failure> {
        let text = if self.json {
            let text = serde_json::to_string(info).map_err(|cause| failed(&cause))?;
            let before = if self.printed == 0 { "[\n" } else { ",\n" };
            format!("{before}{text}")
        } else {
            format!("{info}\n")
        };
        self.printed += 1;
        self.broken += u64::from(info.state == StoreState::Broken);
        self.denied += u64::from(info.state == StoreState::Denied);
        self.write(&text)?;
        Ok(!self.closed)
    }

    /// Ends the list, which is `complete` or was cut short.
    fn end(&mut self, place: &str, complete: bool) -> Result<(), Failure> {
        let place = place.trim_end_matches('/');
        match (self.json, self.printed) {
            (true, 0) => self.write("[]\n"),
            (true, _) => self.write("\n]\n"),
            (false, 0) if complete => self.write(&format!("{place}: there are no stores\n")),
            (false, _) => Ok(()),
        }
    }

    fn write(&mut self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            // As `list | head` does.
            Err(cause) if cause.kind() == io::ErrorKind::BrokenPipe => self.closed = true,
            Err(cause) => return Err(failed(&cause)),
            Ok(()) => {}
        }
        Ok(())
    }
}

fn failed(cause: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Internal, format!("printing: {cause}"))
}
