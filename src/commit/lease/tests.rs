//! Leases of jobs that run side by side, on servers of every kind, in directories, and with lock files.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use msm_zarr::layout;
use s3_server::{Config, Fault, Rule, Server};
use tempfile::TempDir;
use tokio::sync::Barrier;

use super::claim::Claim;
use super::holder::tests::{dead, elsewhere};
use super::*;
use crate::events::SilentReporter;
use crate::store::{EtagKind, Limits, loopback, probe};

const STORE: &str = "T1y/tos.zarr";

/// Seconds that a lease lasts which somebody waits for: longer than a busy machine stalls, for none to be lost by that.
const SHORT: u64 = 12;

/// Where jobs meet.
struct Ground {
    bucket: Bucket,
    guarantees: Guarantees,
    lock_dir: Option<PathBuf>,
    server: Option<Server>,
    root: TempDir,
}

impl Ground {
    async fn on(server: Option<s3_server::Conditional>) -> Self {
        let root = tempfile::tempdir().unwrap();
        let server = server.map(|conditional| {
            loopback::server(Config {
                conditional,
                ..Config::default()
            })
        });
        let bucket = match &server {
            Some(server) => loopback::bucket(server),
            None => loopback::directory(&root.path().join("bucket")),
        };
        let mut guarantees = probe(&bucket, "T1y", "").await.unwrap();
        guarantees.latency = Duration::ZERO;
        Self {
            bucket,
            guarantees,
            lock_dir: None,
            server,
            root,
        }
    }

    /// One with a server of each kind, and one on a directory.
    async fn all() -> [Self; 4] {
        use s3_server::Conditional::{Enforced, Ignored, Refused};
        [
            Self::on(Some(Enforced)).await,
            Self::on(Some(Refused)).await,
            Self::on(Some(Ignored)).await,
            Self::on(None).await,
        ]
    }

    fn locking(mut self) -> Self {
        self.lock_dir = Some(self.root.path().to_owned());
        self
    }

    fn settings(&self, life: u64, wait: Duration) -> LeaseSettings {
        LeaseSettings {
            lock_dir: self.lock_dir.clone(),
            wait,
            guarantees: self.guarantees.clone(),
            times: LeaseTimes {
                life: Duration::from_secs(life),
                look: Duration::from_millis(20),
            },
            kept: false,
        }
    }

    async fn acquire(&self, life: u64, wait: u64) -> Result<Leases, LeaseError> {
        let settings = self.settings(life, Duration::from_secs(wait));
        // A fence of its own.
        let bucket = self.bucket.unfenced().unwrap();
        Leases::acquire(
            &bucket,
            &[STORE.to_owned()],
            &settings,
            &this("send"),
            &SilentReporter,
        )
        .await
    }

    /// Keys of leases that are there.
    async fn keys(&self) -> Vec<String> {
        self.bucket.list("").await.unwrap()
    }

    /// Puts a held claim of `holder`.
    async fn put(&self, name: &str, holder: Holder) -> String {
        let mut claim = Claim::new(holder);
        claim.state = ClaimState::Held;
        let key = format!("{}/{name}", layout::leases(STORE));
        let bytes = claim.write().unwrap();
        self.others().put(&key, bytes).await.unwrap();
        key
    }

    /// The bucket as another job has it, whatever becomes of our fence.
    fn others(&self) -> Bucket {
        self.bucket.unfenced().unwrap()
    }

    async fn holder(&self) -> Option<Holder> {
        let times = LeaseTimes::lasting(Duration::from_secs(60));
        let lease = live_lease(&self.bucket, STORE, Some(self.guarantees.clock), times).await;
        lease.unwrap().and_then(|lease| lease.holder)
    }
}

/// In each round all jobs try at once, without waiting; returns how often one got the lease.
async fn race(jobs: Vec<(Bucket, LeaseSettings)>, rounds: usize) -> usize {
    let (inside, won) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let shared = Arc::new((inside, won, Barrier::new(jobs.len())));
    let jobs = jobs.into_iter().map(|(bucket, settings)| {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let (inside, won, barrier) = &*shared;
            for _ in 0..rounds {
                barrier.wait().await;
                match Leases::acquire(
                    &bucket,
                    &[STORE.to_owned()],
                    &settings,
                    &this("send"),
                    &SilentReporter,
                )
                .await
                {
                    Ok(leases) => {
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two holders");
                        won.fetch_add(1, Ordering::SeqCst);
                        tokio::time::sleep(Duration::from_millis(5)).await;
                        leases.check().await.unwrap();
                        inside.fetch_sub(1, Ordering::SeqCst);
                        assert_eq!(leases.release().await, []);
                    }
                    Err(busy) => assert!(matches!(busy, LeaseError::Busy { .. }), "{busy}"),
                }
            }
        })
    });
    for job in join_all(jobs).await {
        job.unwrap();
    }
    shared.1.load(Ordering::SeqCst)
}

const ROUNDS: usize = 50;

async fn race_on(ground: &Ground) {
    for jobs in [2, 8] {
        let settings = ground.settings(60, Duration::ZERO);
        let jobs = vec![(ground.bucket.clone(), settings); jobs];
        let won = race(jobs, ROUNDS).await;
        assert!(won >= ROUNDS / 2, "{won} of {ROUNDS}");
        let left = ground.keys().await;
        assert!(left.is_empty(), "{left:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_at_a_time_where_conditions_are_enforced() {
    race_on(&Ground::on(Some(s3_server::Conditional::Enforced)).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_at_a_time_where_conditions_are_refused() {
    race_on(&Ground::on(Some(s3_server::Conditional::Refused)).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_at_a_time_where_conditions_are_ignored() {
    race_on(&Ground::on(Some(s3_server::Conditional::Ignored)).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_at_a_time_in_a_directory() {
    race_on(&Ground::on(None).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_at_a_time_with_lock_files() {
    let ground = Ground::on(Some(s3_server::Conditional::Ignored)).await;
    race_on(&ground.locking()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_at_a_time_where_the_jobs_do_not_agree_on_what_the_server_does() {
    let ground = Ground::on(Some(s3_server::Conditional::Enforced)).await;
    let jobs = (0..6).map(|job| {
        let mut settings = ground.settings(60, Duration::ZERO);
        if job % 2 == 0 {
            settings.guarantees.create = Conditional::Refused;
            settings.guarantees.replace = Conditional::Refused;
        }
        (ground.bucket.clone(), settings)
    });
    assert!(race(jobs.collect(), ROUNDS).await > 0);
    assert!(ground.keys().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_kept_of_a_server_is_tried_with_the_claim() {
    use s3_server::Conditional::{Enforced, Ignored, Refused};
    let kept = Ground::on(Some(Enforced)).await.guarantees;
    let of_other_etags = Guarantees {
        etag: EtagKind::Opaque,
        ..kept.clone()
    };
    for (conditional, kept, holds) in [
        (Enforced, &kept, true),
        (Enforced, &of_other_etags, false),
        (Refused, &kept, false),
        (Ignored, &kept, false),
    ] {
        let mut ground = Ground::on(Some(conditional)).await;
        ground.guarantees = kept.clone();
        let settings = LeaseSettings {
            kept: true,
            ..ground.settings(60, Duration::ZERO)
        };
        let (bucket, stores) = (ground.bucket.clone(), [STORE.to_owned()]);
        let by = this("send");
        let acquired = Leases::acquire(&bucket, &stores, &settings, &by, &SilentReporter).await;
        assert_eq!(acquired.is_ok(), holds, "{conditional:?} {:?}", kept.etag);
        if let Ok(leases) = acquired {
            leases.check().await.unwrap();
            assert_eq!(leases.release().await, []);
        }
        assert!(ground.keys().await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn who_waits_gets_it_in_the_end() {
    for ground in Ground::all().await {
        let inside = AtomicUsize::new(0);
        let jobs = (0..5).map(|_| async {
            let leases = ground.acquire(60, 60).await.unwrap();
            assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
            tokio::time::sleep(Duration::from_millis(5)).await;
            inside.fetch_sub(1, Ordering::SeqCst);
            assert_eq!(leases.release().await, []);
        });
        join_all(jobs).await;
        assert!(ground.keys().await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_expired_lease_is_taken_over_and_not_before() {
    let grounds = Ground::all().await.into_iter();
    let each = grounds.map(|ground| async move {
        for name in ["00000007", "0123456789abcdef"] {
            let begun = Instant::now();
            let other = elsewhere();
            let key = ground.put(name, other.clone()).await;
            assert_eq!(ground.holder().await, Some(other));
            let busy = ground.acquire(SHORT, 0).await.err().unwrap();
            assert!(matches!(busy, LeaseError::Busy { .. }));
            assert!(busy.to_string().contains("'send' on elsewhere"), "{busy}");
            let leases = ground.acquire(SHORT, 60).await.unwrap();
            assert!(begun.elapsed() >= Duration::from_secs(SHORT));
            assert!(!ground.keys().await.contains(&key));
            assert_eq!(ground.keys().await.len(), 1);
            leases.check().await.unwrap();
            assert_eq!(leases.release().await, []);
            assert!(ground.keys().await.is_empty());
        }
    });
    join_all(each).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_lease_of_a_dead_process_is_taken_over_at_once() {
    for ground in Ground::all().await {
        ground.put("00000007", dead()).await;
        ground.put("0123456789abcdef", dead()).await;
        assert_eq!(ground.holder().await, None);
        let leases = ground.acquire(60, 0).await.unwrap();
        assert_eq!(ground.keys().await.len(), 1);
        assert_eq!(leases.release().await, []);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lease_lives_as_long_as_its_heartbeat() {
    let grounds = Ground::all().await.into_iter();
    let each = grounds.map(|ground| async move {
        let leases = ground.acquire(SHORT, 0).await.unwrap();
        let busy = ground.acquire(SHORT, 18).await.err().unwrap();
        assert!(matches!(busy, LeaseError::Busy { .. }));
        assert!(busy.to_string().contains(&std::process::id().to_string()));
        leases.check().await.unwrap();
        assert!(leases.lost().is_none());
        // Nobody renews it any more, and its process lives: it has to expire.
        drop(leases);
        let begun = Instant::now();
        let next = ground.acquire(SHORT, 60).await.unwrap();
        assert!(begun.elapsed() >= Duration::from_secs(SHORT / 2));
        assert_eq!(next.release().await, []);
        assert!(ground.keys().await.is_empty());
    });
    join_all(each).await;
}

#[tokio::test]
async fn busy_threads_do_not_starve_the_heartbeat() {
    let ground = Ground::on(Some(s3_server::Conditional::Refused)).await;
    let leases = ground.acquire(SHORT, 0).await.unwrap();
    // The only thread of this runtime.
    std::thread::sleep(Duration::from_secs(SHORT + 3));
    assert!(leases.lost().is_none());
    leases.check().await.unwrap();
    assert_eq!(leases.release().await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lost_lease_is_noticed() {
    for ground in Ground::all().await {
        // Another has it besides us.
        let leases = ground.acquire(60, 0).await.unwrap();
        let other = ground.put("0123456789abcdef", elsewhere()).await;
        let lost = leases.check().await.unwrap_err();
        assert!(matches!(lost, LeaseError::Lost { .. }));
        assert!(lost.to_string().contains("'send' on elsewhere"), "{lost}");
        assert!(leases.lost().is_some());
        ground.others().delete(&other).await.unwrap();
        assert!(leases.check().await.is_err(), "lost is lost");
        assert_eq!(leases.release().await, []);
        // Another has taken it from us; and what is the other's is not taken back.
        for gone in [true, false] {
            let leases = ground.acquire(60, 0).await.unwrap();
            let key = ground.keys().await.remove(0);
            if gone {
                ground.others().delete(&key).await.unwrap();
            } else {
                let name = key.rsplit('/').next().unwrap();
                ground.put(name, elsewhere()).await;
            }
            assert!(leases.lost().is_none());
            let lost = leases.check().await.unwrap_err();
            assert!(matches!(lost, LeaseError::Lost { .. }), "{lost}");
            assert_eq!(leases.release().await, []);
            assert_eq!(ground.keys().await.is_empty(), gone);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lease_that_cannot_be_renewed_is_lost_in_time() {
    let ground = Ground::on(Some(s3_server::Conditional::Enforced)).await;
    let leases = ground.acquire(SHORT, 0).await.unwrap();
    let faults = ground.server.as_ref().unwrap().faults();
    faults.add(Rule::new(Fault::Status(503)).method("PUT"));
    let begun = Instant::now();
    while leases.lost().is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Before anybody else may take it.
    assert!(begun.elapsed() < Duration::from_secs(SHORT));
    faults.clear();
    let lost = leases.check().await.unwrap_err();
    assert!(matches!(lost, LeaseError::Lost { .. }));
    assert!(lost.to_string().contains("was not renewed for"), "{lost}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn passing_trouble_does_not_lose_a_lease() {
    let ground = Ground::on(Some(s3_server::Conditional::Enforced)).await;
    let leases = ground.acquire(SHORT, 0).await.unwrap();
    let faults = ground.server.as_ref().unwrap().faults();
    faults.add(Rule::new(Fault::DropAfterApply).method("PUT").times(2));
    faults.add(Rule::new(Fault::Status(503)).times(4));
    tokio::time::sleep(Duration::from_secs(SHORT)).await;
    assert!(faults.struck() >= 6, "{}", faults.struck());
    leases.check().await.unwrap();
    assert_eq!(leases.release().await, []);
    assert!(ground.keys().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_stores_or_none() {
    let kinds = [
        Conditional::Enforced,
        Conditional::Refused,
        Conditional::Ignored,
        Conditional::Enforced,
    ];
    for (ground, kind) in Ground::all().await.into_iter().zip(kinds) {
        let key = ground.put("0123456789abcdef", elsewhere()).await;
        let stores = ["T1y/zos.zarr", STORE, "T1y/sos.zarr"].map(str::to_owned);
        let settings = ground.settings(60, Duration::ZERO);
        let updating = this("update");
        let acquire = || {
            Leases::acquire(
                &ground.bucket,
                &stores,
                &settings,
                &updating,
                &SilentReporter,
            )
        };
        let busy = acquire().await.err().unwrap();
        assert!(matches!(busy, LeaseError::Busy { .. }));
        assert!(busy.to_string().contains(STORE), "{busy}");
        assert_eq!(ground.keys().await, std::slice::from_ref(&key));
        ground.others().delete(&key).await.unwrap();
        let leases = acquire().await.unwrap();
        assert_eq!(ground.keys().await.len(), 3);
        assert_eq!(leases.guarantee().conditional, kind);
        leases.check().await.unwrap();
        assert_eq!(leases.release().await, []);
        assert!(ground.keys().await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lock_file_and_a_lease_keep_each_other_away_where_they_can() {
    let ground = Ground::on(Some(s3_server::Conditional::Refused)).await;
    let without = ground.acquire(60, 0).await.unwrap();
    let mut ground = ground.locking();
    let busy = ground.acquire(60, 0).await.err().unwrap();
    assert!(matches!(busy, LeaseError::Busy { .. }));
    assert_eq!(without.release().await, []);
    let leases = ground.acquire(60, 0).await.unwrap();
    assert_eq!(leases.guarantee().lock_dir, ground.lock_dir);
    // Who has no lock meets the lease.
    assert_eq!(ground.keys().await.len(), 1);
    let lock_dir = ground.lock_dir.take();
    let busy = ground.acquire(60, 0).await.err().unwrap();
    assert!(matches!(busy, LeaseError::Busy { .. }));
    ground.lock_dir = lock_dir;
    assert_eq!(leases.release().await, []);
    assert!(ground.keys().await.is_empty());
    // A process that ends, however it ends, closes its files.
    let leases = ground.acquire(SHORT, 0).await.unwrap();
    drop(leases);
    let leases = ground.acquire(SHORT, 60).await.unwrap();
    leases.check().await.unwrap();
    assert!(leases.lost().is_none());
    assert_eq!(leases.release().await, []);
}

#[tokio::test]
async fn whoever_reaches_the_same_bucket_meets_the_same_lock() {
    let config = Config {
        conditional: s3_server::Conditional::Ignored,
        ..Config::default()
    };
    let server = loopback::server(config);
    let inner = server.endpoint();
    let outer = inner.replace("127.0.0.1", "localhost");
    let [inner, outer] = [inner, outer].map(|url| loopback::at(&url));
    assert_ne!(inner.place(), outer.place());
    assert_eq!(inner.name(), outer.name());
    let root = tempfile::tempdir().unwrap();
    let (real, link) = (root.path().join("real"), root.path().join("link"));
    std::fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let [real, link] = [real, link].map(|path| loopback::directory(&path.join("ocean")));
    assert_eq!(real.name(), link.name());
    assert_ne!(real.name(), inner.name());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_claim_of_another_form_is_left_alone_until_it_expires() {
    let ground = Ground::on(Some(s3_server::Conditional::Enforced)).await;
    let key = format!("{}/00000003", layout::leases(STORE));
    ground.bucket.put(&key, "what?".into()).await.unwrap();
    let busy = ground.acquire(60, 0).await.err();
    assert!(matches!(busy, Some(LeaseError::Busy { .. })));
    let leases = ground.acquire(SHORT, 60).await.unwrap();
    assert!(ground.keys().await[0].ends_with("/00000004"));
    assert_eq!(leases.release().await, []);
}

fn this(command: &str) -> Holder {
    Holder::this(command, &Crew::default()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn leases_go_ahead_of_what_waits_for_a_limit() {
    let ground = Ground::on(Some(s3_server::Conditional::Enforced)).await;
    let server = ground.server.as_ref().unwrap();
    let limits = Limits {
        requests: Some(4),
        bytes: Some(1000),
    };
    let minute = Duration::from_secs(60);
    let bucket = loopback::limited(&server.endpoint(), minute, limits);
    let bucket = bucket.unfenced().unwrap();
    let asking = (0..60).map(|_| {
        let bucket = bucket.clone();
        tokio::spawn(async move { bucket.stat("asked").await })
    });
    let asking: Vec<_> = asking.collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let settings = ground.settings(6, Duration::ZERO);
    let (stores, holder) = ([STORE.to_owned()], this("send"));
    let leases = Leases::acquire(&bucket, &stores, &settings, &holder, &SilentReporter);
    let leases = leases.await.unwrap();
    // It would be lost meanwhile.
    tokio::time::sleep(Duration::from_millis(5500)).await;
    assert!(leases.lost().is_none());
    leases.check().await.unwrap();
    assert!(leases.release().await.is_empty());
    let log = server.log();
    let asked = log.iter().filter(|seen| seen.key.ends_with("asked"));
    assert!((5..30).contains(&asked.count()), "the others waited");
    for task in asking {
        task.abort();
    }
}
