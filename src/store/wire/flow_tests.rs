//! How much is on its way at a time, by the test server's log: small objects and large ones, a server that bears little, a slow link.

use std::time::Duration;

use bytes::Bytes;
use futures::future::try_join_all;
use s3_server::{Config, Fault, Request, Rule, Server, Throttle};

use crate::store::bucket::Bucket;
use crate::store::{ahead_of_limits, loopback};

/// A server that takes so many milliseconds for a request.
fn far(milliseconds: u64) -> Server {
    let server = loopback::server(Config::default());
    let delay = Fault::Delay(Duration::from_millis(milliseconds));
    server.faults().add(Rule::new(delay));
    server
}

/// Puts so many objects of this size, all at once as far as that goes.
async fn put(bucket: &Bucket, objects: usize, bytes: usize) {
    let body = Bytes::from(vec![7; bytes]);
    let puts = (0..objects).map(|object| {
        let (key, body) = (format!("{bytes}/{object}"), body.clone());
        async move { bucket.put(&key, body).await }
    });
    try_join_all(puts).await.unwrap();
}

fn most_at_once(log: &[Request]) -> usize {
    log.iter().map(|seen| seen.at_once).max().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn small_objects_are_many_at_a_time_and_large_ones_few_at_first() {
    let server = far(50);
    let bucket = loopback::bucket(&server);
    put(&bucket, 700, 1000).await;
    let log = server.log();
    assert!(most_at_once(&log[..32]) <= 32);
    let most = most_at_once(&log);
    assert!((100..=bucket.most_at_once()).contains(&most), "{most}");

    let server = far(50);
    put(&loopback::bucket(&server), 12, 2 << 20).await;
    assert!(most_at_once(&server.log()[..2]) <= 1, "1 MiB at first");
    assert!(most_at_once(&server.log()) > 2, "it bears more");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_reads_and_deletes_many_objects_keeps_to_what_the_server_bears() {
    let server = far(50);
    let bucket = loopback::bucket(&server);
    let keys: Vec<String> = (0..500).map(|object| format!("a/{object:03}")).collect();
    for key in &keys {
        server.put_object("ocean", key, "there");
    }
    try_join_all(keys.iter().map(|key| bucket.get(key)))
        .await
        .unwrap();
    assert!(most_at_once(&server.log()) <= bucket.most_at_once());
    let deleted = bucket.delete_all(keys, false).await;
    assert_eq!((deleted.objects, deleted.problems.len()), (500, 0));
    let most = most_at_once(&server.log_from(500));
    assert!((64..=bucket.most_at_once()).contains(&most), "{most}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_slow_down_is_asked_half_as_much() {
    let server = far(20);
    server.bear(20);
    let bucket = loopback::bucket(&server);
    put(&bucket, 300, 1000).await;
    let log = server.log();
    let is_refused = |seen: &Request| seen.status == 503;
    let refused = log.iter().filter(|seen| is_refused(seen)).count();
    // All but twenty of the first burst, and later one now and then.
    assert!((12..40).contains(&refused), "{refused} of {}", log.len());
    assert_eq!(server.objects("ocean").len(), 300);
    let most = most_at_once(&log[60..]);
    assert!(most <= 22, "{most}");
    // Halved once for the burst, not once for each that was refused.
    let most = most_at_once(&log[200..]);
    assert!(most >= 8, "{most}");
}

/// A link that carries in ten seconds what two jobs send, which give a silent request up after three.
#[tokio::test(flavor = "multi_thread")]
async fn on_a_slow_link_all_arrives_and_leases_go_ahead() {
    let server = loopback::server(Config::default());
    let link = Throttle::new(&server.endpoint(), 300_000).unwrap();
    let jobs = (0..2).map(|_| {
        let bucket = loopback::impatient(&link.endpoint(), Duration::from_secs(9));
        tokio::spawn(
            async move { tokio::join!(put(&bucket, 1, 1 << 20), put(&bucket, 4, 100_000)) },
        )
    });
    let jobs: Vec<_> = jobs.collect();
    let leases = loopback::impatient(&link.endpoint(), Duration::from_secs(9));
    for beat in 0..3 {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let renewal = leases.put("lease", Bytes::from(vec![beat; 200]));
        ahead_of_limits(Duration::ZERO, renewal).await.unwrap();
    }
    let there = server.objects("ocean").len();
    assert!(there < 6, "the bodies are still on their way: {there}");
    for job in jobs {
        job.await.unwrap();
    }
    let log = server.log();
    let puts = log.iter().filter(|seen| !seen.key.contains("lease"));
    assert_eq!(puts.count(), 10, "none was sent twice");
}
