//! `--max-requests` and `--max-rate`, by what the server's log says of when requests came and how many bytes went.

use std::time::Duration;

use s3_server::{Config, Request, Server};

use crate::sending::Scene;
use crate::support::{end, is_tidy};

/// When the first and the last request came, in seconds from each other.
fn span(log: &[Request]) -> f64 {
    let (first, last) = (log.first().unwrap(), log.last().unwrap());
    last.at.as_secs_f64() - first.at.as_secs_f64()
}

/// The most requests that came within such a time.
fn most_within(time: Duration, log: &[&Request]) -> usize {
    let within = |first: &Request| {
        let until = first.at + time;
        let within = |seen: &&&Request| seen.at >= first.at && seen.at < until;
        log.iter().filter(within).count()
    };
    log.iter().map(|first| within(first)).max().unwrap_or(0)
}

fn is_of_a_lease(request: &Request) -> bool {
    request.key.contains("/lease") || request.query.contains("/lease")
}

#[test]
fn requests_of_all_ranks_together() {
    let scene = Scene::new(Config::default());
    let file = scene.sandbox.credentials(&scene.server);
    let mut seen = 0;
    for (ranks, limit) in [(1, 40), (3, 60)] {
        let flags = format!("-c {file} --max-requests {limit}");
        let mut command = scene.send(&format!("on{ranks}"), &flags).command(ranks);
        // Leases would be lost meanwhile if they waited.
        command.env("MSM_OS_TEST_LEASE_SECONDS", "4");
        end(command).well();
        let log = scene.server.log_from(seen);
        seen += log.len();
        let mine: Vec<&Request> = log.iter().filter(|seen| !is_of_a_lease(seen)).collect();
        let most = most_within(Duration::from_secs(1), &mine);
        // A little for what comes early or late on its way.
        assert!(most <= limit + limit / 5 + ranks, "{most} of {limit}");
        let least = log.len() as f64 / limit as f64 - 1.0;
        assert!(span(&log) >= least, "{} in {} s", log.len(), span(&log));
    }
    is_tidy(&scene.server);
}

#[test]
fn one_request_a_second_of_two_ranks() {
    let scene = Scene::new(Config::default());
    let file = scene.sandbox.credentials(&scene.server);
    let flags = format!("-c {file} --max-requests 1");
    let mut command = scene.send("T1m", &flags).command(2);
    // It takes a hundred of them.
    let second = Duration::from_millis(30);
    command.env("MSM_OS_TEST_SECOND_MS", second.as_millis().to_string());
    end(command).well();
    let log = scene.server.log();
    let mine: Vec<&Request> = log.iter().filter(|seen| !is_of_a_lease(seen)).collect();
    let most = most_within(30 * second, &mine);
    // Either rank may begin with one; clocks wake nobody on time.
    assert!((10..=38).contains(&most), "{most} in 30 seconds");
    assert!(mine.len() > 2 * most, "{} say nothing", mine.len());
    is_tidy(&scene.server);
}

fn bytes(server: &Server) -> u64 {
    let log = server.log();
    log.iter().map(|seen| seen.received + seen.sent).sum()
}

#[test]
fn bytes_of_all_ranks_together() {
    let scene = Scene::new(Config::default());
    let (file, rate) = (scene.sandbox.credentials(&scene.server), 120_000_u32);
    let flags = format!("-c {file} --max-rate {rate}");
    scene.send("T1m", &flags).well_on(2);
    let (bytes, took) = (bytes(&scene.server), span(&scene.server.log()));
    assert!(bytes > 150_000, "{bytes} bytes say nothing");
    // What is on its way when the last request comes is not yet over.
    assert!(
        took * f64::from(rate) * 1.2 + 50_000.0 >= bytes as f64,
        "{bytes} in {took} s"
    );
    is_tidy(&scene.server);
}
