//! A send that is planned: what it tells, that nothing is written by it, and that it holds the stores until it is dropped or run.

use std::path::PathBuf;
use std::sync::Arc;

use super::dataset::Objects;
use super::support::{LONG, line, month, run, set_lease_times};
use crate::cli::Exit;
use crate::error::Error;
use crate::events::SilentReporter;
use crate::interrupt::Interrupt;
use crate::ranks::{Ranks, threads};
use crate::session::Session;
use crate::store::Spot;
use crate::store::simulated::World;
use crate::store::{Conditional, Connection};
use crate::verbs::send::{Files, PlannedSend, Send, Sharing, plan};

fn request(file: &str) -> Send {
    Send {
        files: Files {
            paths: vec![PathBuf::from(file)],
            spot: Some(Spot::Below("T1m".to_owned())),
            ..Files::default()
        },
        ..Send::default()
    }
}

/// Does `work` with a send of `file` that is planned, on so many ranks.
fn planned(
    world: &Arc<World>,
    ranks: usize,
    file: &str,
    work: impl Fn(PlannedSend, &Ranks) + Sync,
) {
    threads(ranks, |ranks| {
        set_lease_times(LONG);
        let connection = Connection::simulated(&world.link(Vec::new()));
        let session = Session::open(&connection, ranks, Arc::new(SilentReporter)).unwrap();
        work(plan(&session, &request(file)).unwrap(), ranks);
    });
}

#[test]
fn a_planned_send_writes_nothing_and_gives_up_its_leases() {
    let root = tempfile::tempdir().unwrap();
    let file = month(root.path(), 1, 0);
    for ranks in [1, 3] {
        let world = World::new(Conditional::Enforced);
        let is_held = |objects: &Objects| objects.keys().any(|key| key.contains("/lease/"));
        planned(&world, ranks, &file, |mut planned, ranks| {
            assert_eq!(planned.transactions(), 1);
            let first = planned.first().unwrap().unwrap();
            assert_eq!((first.stores, first.objects > 0), (1, true));
            if ranks.rank() == 0 {
                let objects = world.objects();
                assert!(is_held(&objects) && !objects.keys().any(|key| key.contains("tos.zarr/t")));
            }
        });
        assert_eq!(world.objects(), Objects::new());
        planned(&world, ranks, &file, |planned, _| {
            let report = planned.run().unwrap();
            assert_eq!((report.created.len(), report.appended), (1, 1));
        });
        assert!(!is_held(&world.objects()));
        let calm = world.link(Vec::new());
        assert_eq!(run(&calm, &line(&["verify"])), Exit::Ok);
        // What is there already is no work.
        planned(&world, ranks, &file, |mut planned, _| {
            assert_eq!(planned.transactions(), 0);
            assert_eq!(planned.first().unwrap(), None);
        });
    }
}

#[test]
fn whoever_is_stopped_while_files_are_read_leaves_no_lease() {
    let root = tempfile::tempdir().unwrap();
    let file = month(root.path(), 1, 0);
    for (ranks, stopped) in [(1, 0), (3, 0), (3, 2)] {
        let world = World::new(Conditional::Enforced);
        threads(ranks, |ranks| {
            set_lease_times(LONG);
            let connection = Connection::simulated(&world.link(Vec::new()));
            let session = Session::open(&connection, ranks, Arc::new(SilentReporter)).unwrap();
            let interrupt = Interrupt::default();
            if ranks.rank() == stopped {
                interrupt.stop();
            }
            let session = session.stopped_by(&interrupt);
            let mut request = request(&file);
            request.share = Some(Sharing::default());
            let planned = plan(&session, &request);
            assert_eq!(planned.err(), Some(Error::StoppedReading), "{stopped}");
        });
        assert_eq!(world.objects(), Objects::new());
    }
}
