//! How many requests a command makes one after the other: on a far server, that is the time it takes. Counts, not times: every request
//! takes long enough that those which are sent together overlap.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use msm_zarr::layout;

use super::support::{LONG, is_tidy, line, month, run, set_lease_times};
use crate::cli::Exit;
use crate::store::Conditional;
use crate::store::simulated::{EndedRequest, Link, Mishap, Rule, World};

const LATENCY: Duration = Duration::from_millis(40);
const TRIES: usize = 5;

/// The longest chain of requests each of which was sent after the one before had ended, but for renewals of leases that come by the clock.
fn in_a_row(link: &Link) -> Vec<EndedRequest> {
    let mut row: Vec<EndedRequest> = Vec::new();
    for one in link.ended() {
        if row.last().is_none_or(|last| last.ended <= one.sent) {
            row.push(one);
        }
    }
    row
}

/// Sends `files` to a far server with these `words` besides.
fn send(world: &Arc<World>, files: &[String], words: &[&str]) -> Link {
    send_over(
        world.link(vec![Rule::new(Mishap::Late(LATENCY))]),
        files,
        words,
    )
}

fn send_over(link: Link, files: &[String], words: &[&str]) -> Link {
    set_lease_times(LONG);
    let mut command = line(&["send", "-v", "tos", "-f"]);
    command.extend_from_slice(files);
    command.extend(line(words));
    assert_eq!(run(&link, &command), Exit::Ok);
    link
}

/// Sends `files` to a copy of `before`, which is returned as it is then. A busy machine lets requests follow one another that would be sent
/// together, and never the other way about: the best of a few tries counts.
#[track_caller]
fn at_most(most: usize, before: &World, files: &[String]) -> Arc<World> {
    let mut told = Vec::new();
    for _ in 0..TRIES {
        let world = World::holding(Conditional::Enforced, &before.objects());
        let link = send(&world, files, &[]);
        let row = in_a_row(&link);
        if row.len() <= most {
            return world;
        }
        let row = row
            .iter()
            .map(|one| format!("{:?} {}", one.request, one.key));
        told = row.collect();
    }
    panic!("{} in a row, not {most}:\n{}", told.len(), told.join("\n"));
}

#[test]
fn a_create_and_an_append_make_few_requests_in_a_row() {
    let root = tempfile::tempdir().unwrap();
    let file = |number| [month(root.path(), number, 1)];
    let created = at_most(26, &World::new(Conditional::Enforced), &file(1));
    let appended = at_most(25, &created, &file(2));
    // Now there is something that is kept no more.
    let pruned = at_most(25, &appended, &file(3));
    is_tidy(&pruned, &pruned.link(Vec::new())).unwrap();
}

/// What the ledger keeps of a server is tried with each lease: a server that has changed is probed anew.
#[test]
fn a_server_that_enforces_no_more_is_found_out() {
    let root = tempfile::tempdir().unwrap();
    let file = |number| vec![month(root.path(), number, 1)];
    let first = World::new(Conditional::Enforced);
    send_over(first.link(Vec::new()), &file(1), &[]);
    let is_kept = |world: &World| {
        let record = &world.objects()[&layout::last_transaction("T1m/tos.zarr")];
        String::from_utf8_lossy(record).contains("\"server\"")
    };
    assert!(is_kept(&first));
    for (now, probes) in [
        (Conditional::Enforced, false),
        (Conditional::Refused, true),
        (Conditional::Ignored, true),
    ] {
        let world = World::holding(now, &first.objects());
        let link = send_over(world.link(Vec::new()), &file(2), &[]);
        // Whether reads lag behind is tried each time, with one object.
        let in_full = |key: &str| layout::is_probe(key) && key.ends_with(".2");
        let probed = link.ended().iter().any(|one| in_full(&one.key));
        assert_eq!((probed, is_kept(&world)), (probes, !probes), "{now:?}");
        is_tidy(&world, &world.link(Vec::new())).unwrap();
    }
}

#[test]
fn many_small_files_cost_little_more_than_one_transaction_of_all() {
    let root = tempfile::tempdir().unwrap();
    let files = |path: &Path| {
        (1..=20)
            .map(|number| month(path, number, 1))
            .collect::<Vec<_>>()
    };
    let files = files(root.path());
    let asked = |transactions: &str| {
        let world = World::new(Conditional::Enforced);
        let link = send(&world, &files, &["--transaction", transactions]);
        (in_a_row(&link).len(), link.ended().len())
    };
    let (all, batch) = (asked("all"), asked("batch"));
    let is_little = |row: usize| row * 10 <= all.0 * 13;
    let is_little = is_little(batch.0) || (1..TRIES).any(|_| is_little(asked("batch").0));
    assert!(is_little, "{batch:?} {all:?}");
    assert!(batch.1 * 10 <= all.1 * 13, "{batch:?} {all:?}");
    let twenty = files.len();
    assert!(batch.1 <= 8 * twenty, "{} requests", batch.1);
}
