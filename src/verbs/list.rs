//! `list`: rank 0 walks from store to store and prints each; the others wait for its verdict.

use std::io::{self, Write};

use futures::{Stream, StreamExt, TryStreamExt, stream};

use crate::cli::{ListArgs, Spot, StoreInfo, StoreState};
use crate::exit::{Exit, Failure};
use crate::ranks::Ranks;
use crate::store::{Bucket, Ground, Group, Site, layout};
use crate::verbs::shared::start::start;
use crate::verbs::stores::describe::{describe, repository};

/// Stores in flight.
const STORES: usize = 16;

/// Runs the command on this rank.
pub(in crate::verbs) fn list(args: &ListArgs, ranks: &Ranks) -> Result<(), Failure> {
    let spot = args.store.spot_or_all()?;
    let job = start(&args.store, ranks)?;
    job.on_lead(print_all(&job.bucket, &spot, args.json))
}

/// Prints the stores in the order of their keys, each as soon as those before it are printed.
async fn print_all(bucket: &Bucket, spot: &Spot, json: bool) -> Result<(), Failure> {
    let key = spot.key();
    bucket.reach(key).await?;
    // The store of all variables lies beside the prefix, and before what is below it.
    let beside = match spot {
        Spot::Below(prefix) if !prefix.is_empty() => Some(site(layout::compact_key(prefix))),
        _ => None,
    };
    let here = match bucket.ground(key).await? {
        Ground::Group(group) if group.path.is_empty() && !group.store.is_empty() => {
            stream::iter([Ok(site(group.store))]).boxed()
        }
        Ground::Group(group) => return print_group(bucket, &group, json).await,
        Ground::Repository(key) => stream::iter([Ok(Site {
            key,
            is_repository: true,
        })])
        .boxed(),
        Ground::Array(_) => stream::empty().boxed(),
        Ground::Free if matches!(spot, Spot::At(_)) => {
            stream::iter([Ok(site(key.to_owned()))]).boxed()
        }
        Ground::Free => bucket.sites(key),
    };
    let sites = stream::iter(beside.map(Ok)).chain(here);
    let described = sites.map(|site| async move {
        let Site { key, is_repository } = site?;
        if is_repository {
            return Ok(vec![repository(&key)]);
        }
        describe(bucket, &Group::whole(&key)).await
    });
    print(bucket, key, described, json).await
}

/// Prints one group of a hierarchy, and those below it.
async fn print_group(bucket: &Bucket, group: &Group, json: bool) -> Result<(), Failure> {
    let described = stream::iter([describe(bucket, group)]);
    print(bucket, &group.key(), described, json).await
}

/// Prints what is `described`, in order, of what is at and below `key`.
async fn print(
    bucket: &Bucket,
    key: &str,
    described: impl Stream<Item = impl Future<Output = Result<Vec<StoreInfo>, Failure>>>,
    json: bool,
) -> Result<(), Failure> {
    let mut described = std::pin::pin!(described.buffered(STORES));
    let mut printer = Printer::new(json);
    let ended = async {
        while let Some(infos) = described.try_next().await? {
            for info in infos {
                if !printer.print(&info)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    };
    let ended: Result<(), Failure> = ended.await;
    // Also after a failure, so that what was printed stays JSON.
    printer.end(&layout::below(bucket.place(), key), ended.is_ok())?;
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

fn site(key: String) -> Site {
    Site {
        key,
        is_repository: false,
    }
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
