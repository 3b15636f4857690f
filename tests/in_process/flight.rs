//! How many objects of a send are on their way at a time, by the log of an S3 server.

use std::time::Duration;

use nemo_like::Variable;
use s3_server::{Config, Fault, Request, Rule, Server};

use super::support::{LONG, months, set_lease_times};
use crate::cli::{Exit, ReachedBucket, StoreArgs, parse, run_over};
use crate::interrupt::Interrupt;
use crate::ranks;
use crate::store::loopback;

/// Steps, each of which is an object.
const STEPS: usize = 400;

/// Sends a file of so many small objects to a server that takes a while for each of them.
fn send(server: &Server, ranks: usize) -> Vec<Request> {
    let root = tempfile::tempdir().unwrap();
    let file = months(root.path(), 1, STEPS, 1, &[Variable::Tos]);
    let words = format!(
        "msm_os send -f {file} -b ocean -p T1m --chunk_strategy {{\"time_counter\":1}} --progress none"
    );
    let slow = Fault::Delay(Duration::from_millis(60));
    server.faults().add(Rule::new(slow).key_contains("/c/"));
    let find = |_: &StoreArgs| {
        Ok(ReachedBucket {
            connection: loopback::connection(&server.endpoint()),
            warning: None,
        })
    };
    let ended = ranks::threads(ranks, |ranks| {
        set_lease_times(LONG);
        let line = parse(words.split(' ').map(Into::into));
        run_over(line, ranks, &Interrupt::default(), &find).0
    });
    assert!(ended.iter().all(|exit| *exit == Exit::Ok), "{ended:?}");
    let mut log = server.log();
    log.retain(|seen| seen.key.contains("/tos/c/"));
    log
}

fn most_at_once(log: &[Request]) -> usize {
    log.iter().map(|seen| seen.at_once).max().unwrap_or(0)
}

#[test]
fn small_objects_are_on_their_way_by_the_hundred() {
    let server = loopback::server(Config::default());
    let log = send(&server, 1);
    assert_eq!(log.len(), 2 * STEPS, "each is put and read back");
    let most = most_at_once(&log);
    assert!((80..=256).contains(&most), "{most}");
}

#[test]
fn ranks_that_are_refused_ask_for_less_and_end_well() {
    let server = loopback::server(Config::default());
    server.bear(24);
    let log = send(&server, 2);
    let refused = log.iter().filter(|seen| seen.status == 503).count();
    assert!(refused > 0, "two ranks begin with more");
    assert!(refused < STEPS / 2, "{refused}");
}
