//! Which requests go wrong, and how. Key types: [`Rule`] (when), [`Fault`] (how), [`Faults`] (the
//! rules in force). Deciding only: the faults themselves are made in `gate` and `bodies`.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The request has no effect and is answered with this status and the S3 error that goes with
    /// it: 503 `SlowDown`, 500 `InternalError`, 403 `AccessDenied`, 429 `TooManyRequests`, …
    Status(u16),
    /// The request waits so long before it takes effect. Delays add up, and rules further down the
    /// list still apply.
    Delay(Duration),
    /// The connection is closed without an answer, and the request has no effect.
    Drop,
    /// The request takes effect, then the connection is closed without an answer.
    DropAfterApply,
    /// The request takes effect, then it is answered with this status, as by [`Fault::Status`].
    StatusAfterApply(u16),
    /// A PUT stores its body with its middle byte inverted, and is answered (ETag too) as though
    /// all were well. Checksums the client sent are checked before. Applies to PUT only.
    CorruptStored,
    /// The first byte of the body of a PUT arrives inverted, behind the check of its signature. Checksums the client sent are checked
    /// after. Applies to PUT only.
    CorruptArrived,
    /// The middle byte of the body sent is inverted. Applies to GET only, listings included.
    CorruptRead,
    /// Half of the announced body is sent, then the connection is closed. Applies to GET only.
    TruncateRead,
    /// Half of the body is read, then the connection is closed; nothing is stored. Applies to PUT only.
    TruncateWrite,
    /// For so long after an object was overwritten, the one it replaced is given, with its ETag and time. Listings
    /// are right all the while. Applies to GET and HEAD only.
    StaleRead(Duration),
    /// The request is read whole, and takes effect so long after, even if its client has gone by then.
    Late(Duration),
    /// The body sent drips: one byte, and so long until the next. Applies to GET only, listings included.
    DripRead(Duration),
    /// Every page of a listing is the first one, and says that there are more. Applies to GET only.
    RepeatPage,
}

/// A fault, and which requests it strikes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Strikes requests of this method (`"PUT"`, `"GET"`, …); `None`: of any.
    pub method: Option<String>,
    /// Strikes requests whose `bucket/key` contains this; `None`: any.
    pub key_contains: Option<String>,
    /// The first so many matching requests pass unharmed.
    pub skip: u64,
    /// Then so many are struck; `u64::MAX`: all.
    pub times: u64,
    /// What happens to them.
    pub fault: Fault,
}

impl Rule {
    /// Strikes every request, until narrowed down.
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        Rule {
            method: None,
            key_contains: None,
            skip: 0,
            times: u64::MAX,
            fault,
        }
    }

    /// Strikes only requests of this method.
    #[must_use]
    pub fn method(self, method: impl Into<String>) -> Self {
        Rule {
            method: Some(method.into()),
            ..self
        }
    }

    /// Strikes only requests whose `bucket/key` contains this.
    #[must_use]
    pub fn key_contains(self, part: impl Into<String>) -> Self {
        Rule {
            key_contains: Some(part.into()),
            ..self
        }
    }

    /// Lets the first `skip` matching requests pass.
    #[must_use]
    pub fn skip(self, skip: u64) -> Self {
        Rule { skip, ..self }
    }

    /// Strikes `times` requests, then no more.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Rule { times, ..self }
    }

    /// Strikes one request only.
    #[must_use]
    pub fn once(self) -> Self {
        self.times(1)
    }

    fn matches(&self, method: &str, key: &str) -> bool {
        let possible = match self.fault {
            Fault::CorruptStored | Fault::CorruptArrived | Fault::TruncateWrite => method == "PUT",
            Fault::CorruptRead | Fault::TruncateRead | Fault::DripRead(_) | Fault::RepeatPage => {
                method == "GET"
            }
            Fault::StaleRead(_) => method == "GET" || method == "HEAD",
            Fault::Status(_)
            | Fault::StatusAfterApply(_)
            | Fault::Delay(_)
            | Fault::Late(_)
            | Fault::Drop
            | Fault::DropAfterApply => true,
        };
        possible
            && self
                .method
                .as_ref()
                .is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self
                .key_contains
                .as_ref()
                .is_none_or(|part| key.contains(part.as_str()))
    }
}

/// The rules in force. A request is held against them in the order they were added; the first rule
/// that strikes decides (but delays, which add up), and later rules do not count that request.
#[derive(Debug, Default)]
pub struct Faults(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    rules: Vec<Armed>,
    struck: u64,
}

#[derive(Debug)]
struct Armed {
    rule: Rule,
    /// Matching requests so far.
    seen: u64,
}

/// What is to happen to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) delay: Duration,
    /// Never `Fault::Delay`.
    pub(crate) fault: Option<Fault>,
}

impl Faults {
    /// Adds a rule behind those in force.
    pub fn add(&self, rule: Rule) {
        self.state().rules.push(Armed { rule, seen: 0 });
    }

    /// Drops all rules; requests already struck (a delay, say) are not released.
    pub fn clear(&self) {
        self.state().rules.clear();
    }

    /// How often a rule has struck since the start.
    #[must_use]
    pub fn struck(&self) -> u64 {
        self.state().struck
    }

    pub(crate) fn judge(&self, method: &str, key: &str) -> Verdict {
        let State { rules, struck } = &mut *self.state();
        let mut verdict = Verdict {
            delay: Duration::ZERO,
            fault: None,
        };
        for armed in rules
            .iter_mut()
            .filter(|armed| armed.rule.matches(method, key))
        {
            let place = armed.seen;
            armed.seen += 1;
            let Rule {
                skip, times, fault, ..
            } = armed.rule;
            if place < skip || place - skip >= times {
                continue;
            }
            *struck += 1;
            match fault {
                Fault::Delay(wait) => verdict.delay = verdict.delay.saturating_add(wait),
                other => {
                    verdict.fault = Some(other);
                    break;
                }
            }
        }
        verdict
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while the lock is held, so a poisoned one still guards a whole state.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fates(faults: &Faults, method: &str, key: &str, n: usize) -> Vec<Option<Fault>> {
        (0..n).map(|_| faults.judge(method, key).fault).collect()
    }

    #[test]
    fn skips_then_strikes_so_often() {
        let faults = Faults::default();
        faults.add(
            Rule::new(Fault::Drop)
                .method("put")
                .key_contains("sst/")
                .skip(1)
                .times(2),
        );
        let struck = Some(Fault::Drop);
        assert_eq!(fates(&faults, "GET", "ocean/sst/c/0", 2), [None, None]);
        assert_eq!(fates(&faults, "PUT", "ocean/sss/c/0", 2), [None, None]);
        assert_eq!(
            fates(&faults, "PUT", "ocean/sst/c/0", 4),
            [None, struck, struck, None]
        );
        assert_eq!(faults.struck(), 2);
    }

    #[test]
    fn first_rule_decides_and_delays_add_up() {
        let faults = Faults::default();
        let wait = Duration::from_millis(3);
        faults.add(Rule::new(Fault::Delay(wait)));
        faults.add(Rule::new(Fault::Delay(wait)).once());
        faults.add(Rule::new(Fault::Status(503)).once());
        faults.add(Rule::new(Fault::Status(500)).once());
        let verdicts: Vec<_> = (0..3).map(|_| faults.judge("GET", "ocean/a")).collect();
        assert_eq!(
            verdicts[0],
            Verdict {
                delay: wait * 2,
                fault: Some(Fault::Status(503))
            }
        );
        assert_eq!(
            verdicts[1],
            Verdict {
                delay: wait,
                fault: Some(Fault::Status(500))
            }
        );
        assert_eq!(
            verdicts[2],
            Verdict {
                delay: wait,
                fault: None
            }
        );
        faults.clear();
        assert_eq!(faults.judge("GET", "ocean/a").delay, Duration::ZERO);
    }

    #[test]
    fn faults_of_bodies_strike_only_where_there_is_one() {
        let faults = Faults::default();
        faults.add(Rule::new(Fault::CorruptStored));
        assert_eq!(faults.judge("GET", "ocean/a").fault, None);
        assert_eq!(
            faults.judge("PUT", "ocean/a").fault,
            Some(Fault::CorruptStored)
        );
        faults.clear();
        faults.add(Rule::new(Fault::TruncateRead));
        assert_eq!(faults.judge("HEAD", "ocean/a").fault, None);
        assert_eq!(
            faults.judge("GET", "ocean/a").fault,
            Some(Fault::TruncateRead)
        );
    }
}
