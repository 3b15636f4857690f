//! Temporary keys that are asked for again: shortly before they end, and when the server says that they have.
//!
//! Key types: [`Keyring`]; [`KeySource`], who gives keys; [`TemporaryKeys`]; [`LostKeys`], why there are none any more. Nothing
//! here shows a key.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;
use tokio::sync::watch;
use tracing::{debug, warn};

use crate::events::Traffic;

/// Keys that end sooner are asked for again; those of a short life when a quarter of it is left.
const AHEAD: Duration = Duration::from_secs(300);
/// From a source that has failed to the next time that it is asked.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(60)];
/// The longest that a request waits for that, once the keys have ended: leases end, too.
const REST: Duration = Duration::from_secs(5);

/// Keys with an end.
#[derive(Clone, PartialEq, Eq)]
pub struct TemporaryKeys {
    /// The access key.
    pub token: String,
    /// The secret key.
    pub secret: String,
    /// The session token.
    pub session: Option<String>,
    /// When they end, if that is known.
    pub until: Option<SystemTime>,
}

impl fmt::Debug for TemporaryKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TemporaryKeys(*** until {:?})", self.until)
    }
}

/// Who gives keys, and can be asked again.
pub trait KeySource: fmt::Debug + Send + Sync {
    /// What messages call it. Sources of one name give the same keys.
    fn name(&self) -> &str;

    /// The keys that are good now. It may take its time, but not as long as a lease lasts: those before may have ended.
    ///
    /// # Errors
    /// Why there are none, in words without a secret that name the source.
    fn keys(&self) -> Result<TemporaryKeys, String>;
}

/// Why requests cannot be signed any more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub(super) struct LostKeys {
    pub problem: String,
}

/// Keys and where they come from. Clones are the same.
#[derive(Clone)]
pub struct Keyring(Arc<SharedKeys>);

struct SharedKeys {
    source: Arc<dyn KeySource>,
    state: Mutex<KeyState>,
    /// Counts the answers of the source.
    answers: watch::Sender<u64>,
}

struct KeyState {
    keys: Arc<AwsCredential>,
    since: SystemTime,
    until: Option<SystemTime>,
    /// Of all keys there were.
    secrets: Vec<String>,
    /// Is the source being asked?
    asking: bool,
    /// Since when keys are waited for that there are not.
    wanting: Option<Instant>,
    /// Why its last answer was of no use, and when that came.
    problem: Option<(String, Instant)>,
}

/// How long keys are good for.
enum KeyLife {
    Fresh,
    /// They are good still, and end soon.
    Ending,
    Over,
}

impl Keyring {
    /// Keys that `source` has given just now.
    #[must_use]
    pub fn new(keys: TemporaryKeys, source: Arc<dyn KeySource>) -> Self {
        let mut state = KeyState {
            keys: Arc::new(AwsCredential {
                key_id: String::new(),
                secret_key: String::new(),
                token: None,
            }),
            since: SystemTime::now(),
            until: None,
            secrets: Vec::new(),
            asking: false,
            wanting: None,
            problem: None,
        };
        state.put(keys);
        Self(Arc::new(SharedKeys {
            source,
            state: Mutex::new(state),
            answers: watch::Sender::new(0),
        }))
    }

    /// What gives the keys.
    #[must_use]
    pub fn source(&self) -> &str {
        self.0.source.name()
    }

    /// When the keys end that are good now, if that is known.
    #[must_use]
    pub fn until(&self) -> Option<SystemTime> {
        self.0.state().until
    }

    /// What no message may hold: of the keys that are good now, and of those before.
    #[must_use]
    pub(super) fn secrets(&self) -> Vec<String> {
        self.0.state().secrets.clone()
    }

    /// What signs now. Keys that end soon are asked for anew meanwhile; only those that have ended are waited for, of which `traffic` is
    /// told. They are lost if the source fails when it is asked once more.
    pub(super) async fn current(&self, traffic: &Traffic) -> Result<Arc<AwsCredential>, LostKeys> {
        let mut answers = self.0.answers.subscribe();
        let (mut awaited, mut is_last, mut rested) = (None, false, None);
        loop {
            let count = *answers.borrow_and_update();
            // Another has asked meanwhile.
            is_last |= rested.is_some_and(|rested| rested != count);
            let (rest, since) = {
                let mut state = self.0.state();
                let rest = match state.life(SystemTime::now()) {
                    KeyLife::Fresh => return Ok(Arc::clone(&state.keys)),
                    KeyLife::Ending => {
                        if state.may_ask() {
                            self.ask(&mut state);
                        }
                        return Ok(Arc::clone(&state.keys));
                    }
                    KeyLife::Over if state.asking => Duration::ZERO,
                    KeyLife::Over if is_last => return Err(self.lost(&state)),
                    KeyLife::Over if rested.is_some() || state.may_ask() => {
                        is_last = true;
                        self.ask(&mut state);
                        Duration::ZERO
                    }
                    KeyLife::Over => state.rest().min(REST),
                };
                (rest, state.want())
            };
            awaited.get_or_insert_with(|| traffic.waits_for_keys(self.source(), since));
            if rest.is_zero() {
                // It has its own end of the channel.
                let _ = answers.changed().await;
            } else {
                tokio::time::sleep(rest).await;
                rested = Some(count);
            }
        }
    }

    /// What signs in place of keys that the server takes for ended, which `is_refused` knows; `None` if the source has no others.
    pub(super) async fn after(
        &self,
        is_refused: impl Fn(&AwsCredential) -> bool,
        traffic: &Traffic,
    ) -> Result<Option<Arc<AwsCredential>>, LostKeys> {
        let mut answers = self.0.answers.subscribe();
        let (mut answered, mut awaited) = (false, None);
        loop {
            answers.borrow_and_update();
            let since = {
                let mut state = self.0.state();
                if !is_refused(&state.keys) {
                    return Ok(Some(Arc::clone(&state.keys)));
                }
                if answered {
                    return match &state.problem {
                        Some(_) => Err(self.lost(&state)),
                        None => Ok(None),
                    };
                }
                if !state.asking {
                    self.ask(&mut state);
                }
                state.want()
            };
            awaited.get_or_insert_with(|| traffic.waits_for_keys(self.source(), since));
            answered = answers.changed().await.is_ok() || answered;
        }
    }

    fn lost(&self, state: &KeyState) -> LostKeys {
        let problem = match &state.problem {
            Some((problem, _)) => problem.clone(),
            None => format!("{}: the keys have ended", self.source()),
        };
        LostKeys { problem }
    }

    /// Has the source asked, on a thread of its own: nobody's work waits there, and nobody's end ends it.
    fn ask(&self, state: &mut KeyState) {
        state.asking = true;
        let shared = Arc::clone(&self.0);
        debug!(source = self.source(), "asking for keys");
        let asks = move || {
            let answer = shared.source.keys();
            shared.state().take(shared.source.name(), answer);
            shared.answers.send_modify(|count| *count += 1);
        };
        let thread = std::thread::Builder::new().name("keys".to_owned());
        if let Err(cause) = thread.spawn(asks) {
            state.take(self.source(), Err(format!("{}: {cause}", self.source())));
            self.0.answers.send_modify(|count| *count += 1);
        }
    }
}

impl SharedKeys {
    fn state(&self) -> MutexGuard<'_, KeyState> {
        // Nothing panics while the lock is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyState {
    /// Keys that were got now.
    fn put(&mut self, keys: TemporaryKeys) {
        let TemporaryKeys {
            token,
            secret,
            session,
            until,
        } = keys;
        for secret in [Some(&token), Some(&secret), session.as_ref()]
            .into_iter()
            .flatten()
        {
            if !self.secrets.contains(secret) {
                self.secrets.push(secret.clone());
            }
        }
        self.since = SystemTime::now();
        self.until = until;
        self.wanting = None;
        self.keys = Arc::new(AwsCredential {
            key_id: token,
            secret_key: secret,
            token: session,
        });
    }

    /// What the source says.
    fn take(&mut self, source: &str, answer: Result<TemporaryKeys, String>) {
        self.asking = false;
        let is_over = |keys: &TemporaryKeys| keys.until.is_some_and(|end| end <= SystemTime::now());
        let problem = match answer {
            Ok(keys) if is_over(&keys) => {
                format!("{source}: gave keys that have ended already by this machine's clock")
            }
            Ok(keys) => {
                debug!(source, "got keys");
                self.put(keys);
                self.problem = None;
                return;
            }
            Err(problem) => problem,
        };
        warn!(problem, "got no keys");
        self.problem = Some((problem, Instant::now()));
    }

    /// Keys are waited for: since when, however many requests gave that up meanwhile.
    fn want(&mut self) -> Instant {
        let now = Instant::now();
        let ended = self.until.and_then(|until| until.elapsed().ok());
        let first = ended.and_then(|ago| now.checked_sub(ago)).unwrap_or(now);
        *self.wanting.get_or_insert(first)
    }

    fn life(&self, now: SystemTime) -> KeyLife {
        let Some(until) = self.until else {
            return KeyLife::Fresh;
        };
        let Ok(left) = until.duration_since(now) else {
            return KeyLife::Over;
        };
        if left.is_zero() {
            KeyLife::Over
        } else if left <= self.margin() {
            KeyLife::Ending
        } else {
            KeyLife::Fresh
        }
    }

    /// How long before their end new keys are asked for. A source that gives the same ones again is asked the sooner the nearer
    /// the end is.
    fn margin(&self) -> Duration {
        let life = self
            .until
            .and_then(|until| until.duration_since(self.since).ok());
        AHEAD.min(life.unwrap_or_default() / 4)
    }

    /// May the source be asked? Not again at once after it has failed.
    fn may_ask(&self) -> bool {
        !self.asking && self.rest().is_zero()
    }

    /// How long it is not to be asked.
    fn rest(&self) -> Duration {
        let pause = (self.margin() / 4).clamp(PAUSES[0], PAUSES[1]);
        let failed = self.problem.as_ref();
        failed.map_or(Duration::ZERO, |(_, when)| {
            pause.saturating_sub(when.elapsed())
        })
    }
}

/// They are the same if one source gives them.
impl PartialEq for Keyring {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source()
    }
}

impl Eq for Keyring {}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring(*** from {})", self.source())
    }
}

/// What object_store signs with.
#[derive(Debug)]
pub(super) struct ProvidedKeys {
    pub ring: Keyring,
    /// Is told when keys are waited for.
    pub traffic: Traffic,
}

#[async_trait]
impl CredentialProvider for ProvidedKeys {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let current = self.ring.current(&self.traffic).await;
        current.map_err(|lost| object_store::Error::Generic {
            store: "keys",
            source: Box::new(lost),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// Gives these, one after the other, then nothing.
    #[derive(Debug)]
    struct Given(Mutex<VecDeque<TemporaryKeys>>);

    impl KeySource for Given {
        fn name(&self) -> &'static str {
            "the test"
        }

        fn keys(&self) -> Result<TemporaryKeys, String> {
            let mut given = self.0.lock().unwrap();
            given
                .pop_front()
                .ok_or("the test: has no more keys".to_owned())
        }
    }

    fn lasting(token: &str, millis: i64) -> TemporaryKeys {
        let (now, time) = (
            SystemTime::now(),
            Duration::from_millis(millis.unsigned_abs()),
        );
        TemporaryKeys {
            token: token.to_owned(),
            secret: format!("secret of {token}"),
            session: None,
            until: Some(if millis < 0 { now - time } else { now + time }),
        }
    }

    fn ring(first: TemporaryKeys, others: Vec<TemporaryKeys>) -> Keyring {
        Keyring::new(first, Arc::new(Given(Mutex::new(others.into()))))
    }

    async fn token(ring: &Keyring) -> Result<String, String> {
        let current = ring.current(&Traffic::default()).await;
        let current = current.map_err(|lost| lost.to_string())?;
        Ok(current.key_id.clone())
    }

    async fn soon() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }

    #[tokio::test]
    async fn new_keys_are_asked_for_before_the_end_and_nobody_waits() {
        let ring = ring(lasting("a", 60_000), vec![lasting("b", 60_000)]);
        assert_eq!(token(&ring).await.as_deref(), Ok("a"));
        ring.0.state().since -= Duration::from_secs(600);
        assert_eq!(token(&ring).await.as_deref(), Ok("a"), "good still");
        soon().await;
        assert_eq!(token(&ring).await.as_deref(), Ok("b"));
        assert_eq!(ring.secrets().len(), 4, "the old ones may still be quoted");
        assert!(!format!("{ring:?}").contains("secret of"));
    }

    #[tokio::test]
    async fn keys_that_have_ended_are_waited_for_or_lost() {
        let ring = ring(
            lasting("a", -1),
            vec![lasting("b", -1), lasting("c", 60_000)],
        );
        let lost = token(&ring).await.unwrap_err();
        assert!(lost.contains("have ended already"), "{lost}");
        // It is not asked again at once, but once more when it has had its rest.
        let (begun, traffic) = (Instant::now(), Traffic::default());
        let (first, second, ()) = tokio::join!(token(&ring), ring.current(&traffic), async {
            soon().await;
            assert_eq!(traffic.state().keys.unwrap().0, "the test");
        });
        assert_eq!(first.as_deref(), Ok("c"));
        assert_eq!(second.unwrap().key_id, "c");
        assert_eq!(traffic.state().keys, None);
        assert!(begun.elapsed() > PAUSES[0] / 2, "{:?}", begun.elapsed());
    }

    #[test]
    fn keys_are_waited_for_since_they_ended_whoever_gives_up() {
        let ring = ring(lasting("a", -20_000), Vec::new());
        let mut state = ring.0.state();
        let since = state.want();
        assert!(since.elapsed() >= Duration::from_secs(20));
        assert_eq!(state.want(), since);
        // The server took them for ended before they were.
        state.put(lasting("b", 60_000));
        let since = state.want();
        assert!(since.elapsed() < Duration::from_secs(20));
        assert_eq!(state.want(), since);
    }

    #[tokio::test]
    async fn requests_that_meet_ended_keys_together_give_up_after_one_more_answer() {
        let ring = ring(lasting("a", -1), vec![lasting("b", -1), lasting("c", -1)]);
        token(&ring).await.unwrap_err();
        let all = futures::future::join_all((0..8).map(|_| token(&ring)));
        let all = tokio::time::timeout(Duration::from_secs(10), all).await;
        assert!(all.unwrap().iter().all(Result::is_err));
        // All heard the same one, but for who came between it and its being told.
        assert!((2..=3).contains(&*ring.0.answers.borrow()));
    }

    #[tokio::test]
    async fn a_refusal_asks_once_for_all_requests_that_got_one() {
        let ring = ring(
            lasting("a", 60_000),
            vec![lasting("b", 60_000), lasting("b", 60_000)],
        );
        let after = async |refused: &str| {
            let is_refused = |keys: &AwsCredential| keys.key_id == refused;
            let after = ring.after(is_refused, &Traffic::default()).await;
            after
                .map(|keys| keys.map(|keys| keys.key_id.clone()))
                .map_err(|lost| lost.to_string())
        };
        let (first, second) = tokio::join!(after("a"), after("a"));
        let b = Ok(Some("b".to_owned()));
        assert_eq!((first, second), (b.clone(), b));
        assert_eq!(after("b").await, Ok(None), "it has no others");
        assert_eq!(
            after("b").await.as_ref().map_err(String::as_str),
            Err("the test: has no more keys")
        );
    }

    #[test]
    fn what_is_left_when_new_keys_are_asked_for() {
        let margin = |seconds: i64| {
            let ring = ring(lasting("a", seconds * 1000), Vec::new());
            let margin = ring.0.state().margin();
            margin.as_secs_f64().round()
        };
        assert_eq!(
            [margin(8), margin(900), margin(3600), margin(43_200)],
            [2.0, 225.0, 300.0, 300.0]
        );
    }
}
