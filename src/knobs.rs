//! What tests set from outside, through the environment, in debug builds only. The one place that reads `MSM_OS_TEST_…`.

use std::str::FromStr;
use std::time::Duration;

use msm_plan::Transactions;

/// How long leases last.
pub(crate) fn lease() -> Option<Duration> {
    seconds("MSM_OS_TEST_LEASE_SECONDS")
}

/// How long a server may be busy, fail or not answer.
pub(crate) fn patience() -> Option<Duration> {
    seconds("MSM_OS_TEST_PATIENCE_SECONDS")
}

/// How long the second of `--max-requests` and `--max-rate` is.
pub(crate) fn second() -> Duration {
    asked("MSM_OS_TEST_SECOND_MS").map_or(Duration::from_secs(1), Duration::from_millis)
}

/// Time between two parts of a journal.
pub(crate) fn journal_pause() -> Option<Duration> {
    asked("MSM_OS_TEST_JOURNAL_MS").map(Duration::from_millis)
}

/// The rank that panics when it writes.
pub(crate) fn panicking_rank() -> Option<usize> {
    asked("MSM_OS_TEST_PANIC_ON_RANK")
}

/// Where transactions end, if no flag says so: tests of what is committed one after the other have small files.
pub(crate) fn transactions() -> Option<Transactions> {
    let is_asked = asked::<bool>("MSM_OS_TEST_SMALL_TRANSACTIONS").unwrap_or(cfg!(test));
    is_asked.then_some(Transactions::Chunk)
}

fn seconds(name: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(asked(name)?).ok()
}

fn asked<T: FromStr>(name: &str) -> Option<T> {
    let text = cfg!(debug_assertions).then(|| std::env::var(name).ok());
    text.flatten()?.parse().ok()
}
