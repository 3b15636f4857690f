//! Requests to the test server: what the fence keeps back, what is lost and sent again, what waits for a limit.

use std::io::Read;
use std::net::TcpListener;

use bytes::Bytes;
use s3_server::{Config, Fault, Rule, Server};

use super::*;
use crate::store::bucket::Bucket;
use crate::store::error::StoreError;
use crate::store::fence::Moment;
use crate::store::loopback;
use crate::store::pace::Limits;

const MINUTE: Duration = Duration::from_secs(60);

fn open(bucket: &Bucket, time: Duration) {
    let now = Moment::now();
    bucket.fence().extend(now.after(time));
}

fn is_fenced<T: fmt::Debug>(done: Result<T, StoreError>) -> bool {
    matches!(done.unwrap_err(), StoreError::Fenced { .. })
}

fn changes(server: &Server) -> usize {
    let is_change = |method: &str| !["GET", "HEAD"].contains(&method);
    let log = server.log();
    log.iter().filter(|seen| is_change(&seen.method)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_limit_is_not_in_flight_and_what_is_paced_is_alive() {
    let server = loopback::server(Config::default());
    server.put_object("ocean", "a", "there");
    let traffic = Traffic::default();
    let limits = Limits {
        requests: Some(1),
        bytes: Some(8000),
    };
    let bucket = loopback::counted(&server.endpoint(), limits, traffic.clone());
    let bucket = bucket.unfenced().unwrap();
    bucket.stat("a").await.unwrap();
    let second = tokio::spawn({
        let bucket = bucket.clone();
        async move { bucket.stat("a").await }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let seen = traffic.state();
    assert_eq!((seen.in_flight, &seen.oldest), (0, &None));
    assert!(seen.kept_back > Duration::from_millis(100), "{seen:?}");
    second.await.unwrap().unwrap();
    let begun = Instant::now();
    let put = tokio::spawn(async move { bucket.put("b", vec![0; 24_000].into()).await });
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let seen = traffic.state();
    assert_eq!(seen.in_flight, 1, "{seen:?}");
    assert!(
        seen.alive.unwrap().elapsed() < Duration::from_millis(500),
        "{seen:?}"
    );
    put.await.unwrap().unwrap();
    assert!(
        begun.elapsed() > Duration::from_millis(2500),
        "it was paced"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_changes_through_a_closed_fence() {
    let server = loopback::server(Config::default());
    server.put_object("ocean", "a/b", "there");
    let bucket = loopback::fenced(&server);
    let bytes = || Bytes::from_static(b"new");
    for time in [Duration::ZERO, MINUTE] {
        open(&bucket, time);
        if time == MINUTE {
            bucket.put("a/c", bytes()).await.unwrap();
            bucket.fence().close();
        }
        assert!(is_fenced(bucket.put("a/b", bytes()).await));
        assert!(is_fenced(bucket.create("a/d", bytes()).await));
        assert!(is_fenced(bucket.replace_if("a/b", bytes(), "etag").await));
        assert!(is_fenced(bucket.copy("a/b", "a/e").await));
        assert!(is_fenced(bucket.delete("a/b").await));
        let deleted = bucket.delete_all(vec!["a/b".to_owned()], true).await;
        assert_eq!(deleted.objects, 0);
        assert_eq!(bucket.get("a/b").await.unwrap(), "there");
        assert!(bucket.stat("a/b").await.unwrap().is_some());
        assert!(!bucket.list("a").await.unwrap().is_empty());
    }
    assert_eq!(changes(&server), 1);
    bucket.unfenced().unwrap().put("l", bytes()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_retry_leaves_after_the_deadline() {
    let server = loopback::server(Config::default());
    server.faults().add(Rule::new(Fault::Status(503)));
    let bucket = loopback::fenced(&server);
    open(&bucket, Duration::from_millis(400));
    assert!(is_fenced(bucket.put("a", Bytes::from_static(b"new")).await));
    let tried = changes(&server);
    assert!(tried > 1, "it is tried again while the fence is open");
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(changes(&server), tried);
    // What waits for an answer is cut off, too.
    server.faults().clear();
    let held = Rule::new(Fault::Delay(MINUTE)).method("DELETE");
    server.faults().add(held);
    open(&bucket, Duration::from_millis(400));
    assert!(is_fenced(bucket.delete("a").await));
}

/// A server that reads slowly. It says when it has begun, and at the end, how much of the body came, and how much was
/// announced.
fn slow_reader() -> (String, std::sync::mpsc::Receiver<(usize, usize)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut buffer, mut came) = (vec![0; 64 << 10], Vec::new());
        while let Ok(some) = stream.read(&mut buffer) {
            if some == 0 {
                break;
            }
            if came.is_empty() {
                send.send((0, 0)).unwrap();
            }
            came.extend_from_slice(&buffer[..some]);
            std::thread::sleep(Duration::from_millis(2));
        }
        let end = came.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap() + 4;
        let head = String::from_utf8_lossy(&came[..end]).to_ascii_lowercase();
        let (_, length) = head.split_once("content-length: ").unwrap();
        let length = length.lines().next().unwrap().parse().unwrap();
        send.send((came.len() - end, length)).unwrap();
    });
    (address, receive)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_under_way_at_the_deadline_never_arrives_whole() {
    let (address, read) = slow_reader();
    let bucket = loopback::at(&address);
    open(&bucket, MINUTE);
    let body = Bytes::from(vec![7; 64 << 20]);
    let put = {
        let (bucket, body) = (bucket.clone(), body.clone());
        tokio::spawn(async move { bucket.put("a", body).await })
    };
    let next = async move |read: std::sync::mpsc::Receiver<_>| {
        let wait = move || (read.recv_timeout(MINUTE).unwrap(), read);
        tokio::task::spawn_blocking(wait).await.unwrap()
    };
    let (_, read) = next(read).await;
    bucket.fence().close();
    assert!(is_fenced(put.await.unwrap()));
    let ((came, announced), _) = next(read).await;
    assert_eq!(announced, body.len());
    assert!(came > 0 && came < body.len(), "{came} of {announced}");
}

/// The bucket `ocean` of the server at this URL, with so little patience.
fn impatient(endpoint: &str, seconds: u64) -> Bucket {
    loopback::impatient(endpoint, Duration::from_secs(seconds))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_lost_in_silence_is_sent_again() {
    let server = loopback::server(Config::default());
    server.put_object("ocean", "a", "there");
    for method in ["GET", "PUT"] {
        let held = Rule::new(Fault::Delay(MINUTE)).method(method).once();
        server.faults().add(held);
    }
    let bucket = impatient(&server.endpoint(), 6);
    assert_eq!(bucket.get("a").await.unwrap(), "there");
    bucket.put("b", Bytes::from_static(b"new")).await.unwrap();
    assert_eq!(server.log().len(), 4);
}

/// Each has patience for three attempts of its own, and only few are on their way at a time once the first are lost.
#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_its_turn_at_a_silent_server_gives_up() {
    let server = loopback::server(Config::default());
    server.faults().add(Rule::new(Fault::Delay(MINUTE)));
    let bucket = impatient(&server.endpoint(), 1);
    let reads = (0..60).map(|_| bucket.get("a"));
    let errors = futures::future::join_all(reads).await;
    for error in errors {
        let error = error.unwrap_err().to_string();
        assert!(error.contains("no sign of life"), "{error}");
    }
    let tried = server.log().len();
    assert!(tried < 120, "{tried}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_at_a_silent_server_ends_with_the_lease() {
    let server = loopback::server(Config::default());
    server.faults().add(Rule::new(Fault::Delay(MINUTE)));
    let patience = Duration::from_secs(3);
    let bucket = loopback::limited(&server.endpoint(), patience, Limits::default());
    open(&bucket, Duration::from_millis(200));
    assert!(is_fenced(bucket.get("a").await));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_drip_and_listings_that_turn_in_circles_are_errors() {
    let server = loopback::server(Config::default());
    let bucket = impatient(&server.endpoint(), 3);
    server.put_object("ocean", "a", vec![7; 100_000]);
    let drip = Fault::DripRead(Duration::from_millis(50));
    server.faults().add(Rule::new(drip));
    let error = bucket.get("a").await.unwrap_err().to_string();
    assert!(error.contains("no sign of life"), "{error}");
    server.faults().clear();
    for number in 0..1001 {
        server.put_object("ocean", &format!("l/{number:04}"), "");
    }
    assert_eq!(bucket.list("l").await.unwrap().len(), 1001);
    server.faults().add(Rule::new(Fault::RepeatPage));
    let listed = bucket.list("l").await.unwrap_err().to_string();
    let folder = bucket.folder("l").await.unwrap_err().to_string();
    for error in [listed, folder] {
        assert!(error.contains(&server.endpoint()), "{error}");
        assert!(error.contains("does not come to an end"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_limit_is_not_silent() {
    let server = loopback::server(Config::default());
    let limits = Limits {
        bytes: Some(100_000),
        requests: None,
    };
    let patience = Duration::from_secs(2);
    let bucket = loopback::limited(&server.endpoint(), patience, limits);
    let bucket = bucket.unfenced().unwrap();
    let (body, begun) = (Bytes::from(vec![7; 150_000]), Instant::now());
    let puts = ["a", "b"].map(|key| bucket.put(key, body.clone()));
    futures::future::try_join_all(puts).await.unwrap();
    assert!(bucket.get("a").await.unwrap() == body);
    assert!(begun.elapsed() > Duration::from_millis(4200));
    assert_eq!(server.log().len(), 3, "none was sent again");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_paced_piece_leaves_after_the_deadline() {
    let server = loopback::server(Config::default());
    let limits = Limits {
        bytes: Some(50_000),
        requests: None,
    };
    let bucket = loopback::limited(&server.endpoint(), MINUTE, limits);
    open(&bucket, Duration::from_millis(500));
    let put = bucket.put("a", Bytes::from(vec![7; 100_000])).await;
    assert!(is_fenced(put));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(server.objects("ocean").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_does_not_know_is_not_asked_again() {
    let server = loopback::server(Config::default());
    server.faults().add(Rule::new(Fault::Status(501)));
    let bucket = loopback::bucket(&server);
    let put = bucket.put("a", Bytes::from_static(b"new")).await;
    assert!(put.is_err());
    assert_eq!(server.log().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http_bodies_are_signed() {
    let server = loopback::server(Config::default());
    let bucket = loopback::bucket(&server);
    bucket.put("a", Bytes::from_static(b"new")).await.unwrap();
    let hash = &server.log()[0].content_sha256;
    assert!(
        hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_hexdigit()),
        "{hash}"
    );
}
