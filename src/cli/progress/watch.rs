//! What goes on, and what is to be said of it now. It is told of events, and looks around ten times a second; it never waits, prints
//! or looks at a clock.
//!
//! Key types: [`Watch`]; [`Seen`], what there is to look at.

use std::time::Duration;

use super::form::ProgressForm;
use super::meter::{Measure, Meter};
use super::own::OwnWaits;
use super::pace::{Now, Pace};
use super::saying::Saying;
use super::server::ServerWatch;
use crate::events::{Event, TrafficState, WorkKind};

/// Without an object being done, for so long nothing is said of that.
const STALL: Duration = Duration::from_secs(10);
/// For so long the others may be done before it is said which rank they wait for.
const LAG: Duration = Duration::from_secs(10);
/// What takes no longer is not worth a line.
const SHORT: Duration = Duration::from_secs(2);
/// What lasts is said no more rarely.
const RAREST: Duration = Duration::from_secs(30);
/// The same of the ranks that do not lead: there may be many.
const FOLLOWERS: [Duration; 2] = [Duration::from_secs(10), Duration::from_secs(300)];

/// What goes on on this rank.
#[derive(Debug)]
pub(super) struct Watch {
    leads: bool,
    form: ProgressForm,
    /// Does the next Ctrl-C reach this process?
    can_be_hurried: bool,
    /// Which of several things the next work is of.
    what: String,
    work: Option<Working>,
    server: ServerWatch,
    own: OwnWaits,
    healing: Option<Healing>,
    is_stopping: bool,
}

/// The work under way.
#[derive(Debug)]
struct Working {
    meter: Meter,
    pace: Pace,
    stalled: Option<Pace>,
    lagging: Option<Pace>,
}

/// What a dead job left.
#[derive(Debug)]
struct Healing {
    pace: Pace,
    store: String,
    transaction: String,
}

/// What there is to look at.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// This rank's requests.
    pub traffic: TrafficState,
    /// Was this rank told to stop?
    pub is_stopping: bool,
}

impl Watch {
    pub(super) fn new(leads: bool, form: ProgressForm, can_be_hurried: bool) -> Self {
        let [first, rarest] = if leads { [SHORT, RAREST] } else { FOLLOWERS };
        Self {
            leads,
            form,
            can_be_hurried,
            what: String::new(),
            work: None,
            server: ServerWatch::new(first, rarest),
            own: OwnWaits::new(first, rarest, leads),
            healing: None,
            is_stopping: false,
        }
    }

    /// The next work is of this.
    pub(super) fn next_is(&mut self, what: String) {
        self.what = what;
    }

    /// Keeps in mind what `event` tells.
    pub(super) fn hear(&mut self, event: &Event, now: &Now) {
        match event {
            Event::WorkBegun {
                work,
                objects,
                bytes,
            } => {
                self.work = Some(Working {
                    meter: Meter::new(&self.what, *work, *objects, *bytes, now),
                    pace: match self.form {
                        ProgressForm::Json => Pace::of_events(now.at),
                        _ => Pace::of_lines(now.at),
                    },
                    stalled: None,
                    lagging: None,
                });
            }
            Event::Progress {
                bytes,
                objects,
                in_flight,
                ranks,
            } => {
                if let Some(Working { meter, .. }) = &mut self.work {
                    meter.advance((*bytes, *objects), *in_flight, *ranks, now);
                }
            }
            Event::WorkEnded => self.work = None,
            Event::Healing { store, transaction } => {
                self.healing = Some(Healing {
                    pace: Pace::doubling(now.at, SHORT, RAREST),
                    store: store.clone(),
                    transaction: transaction.to_string(),
                });
            }
            Event::Healed { .. } => self.healing = None,
            _ => {}
        }
    }

    /// How far the work under way is, for a bar; `None` if there is none, or it need not be shown any more.
    pub(super) fn measure(&mut self, now: &Now) -> Option<Measure> {
        let work = self.work.as_mut().filter(|_| !self.is_stopping)?;
        Some(work.meter.measure(now))
    }

    /// Has the work under way lasted so long?
    pub(super) fn has_lasted(&self, long: Duration, now: &Now) -> bool {
        let work = self.work.as_ref();
        work.is_some_and(|work| now.since(work.meter.begun) >= long)
    }

    /// What is to be said now.
    pub(super) fn look(&mut self, seen: &Seen, now: &Now) -> Vec<Saying> {
        let mut said = Vec::new();
        said.extend(self.stopping(seen));
        if self.form == ProgressForm::Silent {
            return said;
        }
        said.extend(self.server.look(&seen.traffic, now));
        said.extend(self.own.look(&seen.traffic, now));
        if !self.leads {
            return said;
        }
        said.extend(self.healing(now));
        let is_told = self.server.is_told() || seen.traffic.keys.is_some();
        if let Some(work) = &mut self.work {
            said.extend(work.lagging(now));
            if !is_told {
                said.extend(work.stalled(&seen.traffic, now));
            }
            // A bar shows it already.
            if work.pace.is_due(now) && self.form != ProgressForm::Bar {
                said.push(Saying::Progress(work.meter.measure(now)));
            }
        }
        said
    }

    /// Was the job told to stop, as far as this rank knows?
    pub(super) fn is_stopping(&self) -> bool {
        self.is_stopping
    }

    fn stopping(&mut self, seen: &Seen) -> Option<Saying> {
        let meter = self.work.as_ref().map(|work| &work.meter);
        let is_told = meter.is_some_and(|meter| meter.ranks.is_stopping);
        if self.is_stopping || !(seen.is_stopping || is_told) {
            return None;
        }
        self.is_stopping = true;
        let committing = meter.filter(|meter| meter.work == WorkKind::Committing);
        self.leads.then(|| Saying::Stopping {
            objects_in_flight: meter.map_or(0, |meter| meter.in_flight),
            is_committing: committing.is_some(),
            can_be_hurried: self.can_be_hurried,
        })
    }

    fn healing(&mut self, now: &Now) -> Option<Saying> {
        let healing = self.healing.as_mut()?;
        let since = healing.pace.since;
        healing.pace.is_due(now).then(|| Saying::StillHealing {
            since: now.time_of(since),
            for_seconds: now.seconds_since(since),
            store: healing.store.clone(),
            transaction: healing.transaction.clone(),
        })
    }
}

impl Working {
    /// That most ranks have done their share, if they have for long.
    fn lagging(&mut self, now: &Now) -> Option<Saying> {
        let ranks = self.meter.ranks;
        let is_lagging = ranks.all > 1 && ranks.done < ranks.all && 2 * ranks.done >= ranks.all;
        if !is_lagging {
            self.lagging = None;
            return None;
        }
        let lagging = self
            .lagging
            .get_or_insert(Pace::doubling(now.at, LAG, 2 * RAREST));
        lagging.is_due(now).then(|| Saying::WaitingForRanks {
            since: now.time_of(lagging.since),
            for_seconds: now.seconds_since(lagging.since),
            ranks: ranks.all,
            ranks_done: ranks.done,
            waiting_for_rank: ranks.last,
        })
    }

    /// That no object has been done for long.
    fn stalled(&mut self, traffic: &TrafficState, now: &Now) -> Option<Saying> {
        let meter = &self.meter;
        if !meter.is_going() {
            self.stalled = None;
            return None;
        }
        let stalled = match &mut self.stalled {
            Some(stalled) if stalled.since == meter.moved => stalled,
            stalled => stalled.insert(Pace::doubling(meter.moved, STALL, 2 * RAREST)),
        };
        let oldest = traffic.oldest.as_ref();
        stalled.is_due(now).then(|| Saying::Stalled {
            since: now.time_of(meter.moved),
            for_seconds: now.seconds_since(meter.moved),
            objects_in_flight: meter.in_flight,
            requests: traffic.in_flight,
            oldest_request: oldest.map(|(name, _)| name.clone()),
            oldest_since: oldest.map(|(_, begun)| now.time_of(*begun)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::pace::tests::Clock;
    use super::*;
    use crate::events::{RanksAtWork, TransactionIdentity};

    fn begun() -> Event {
        Event::WorkBegun {
            work: WorkKind::Sending,
            objects: Some(40),
            bytes: 4000,
        }
    }

    fn progress(bytes: u64, done: u64, all: u64, last: Option<u64>) -> Event {
        Event::Progress {
            bytes,
            objects: bytes / 100,
            in_flight: 3,
            ranks: RanksAtWork {
                all,
                done,
                last,
                is_stopping: false,
            },
        }
    }

    /// Names of what is said, with the second.
    fn said(watch: &mut Watch, clock: &Clock, seconds: f64, seen: &Seen) -> Vec<String> {
        let said = watch.look(seen, &clock.at(seconds)).into_iter();
        let name = |saying: Saying| {
            let value = serde_json::json!(saying);
            format!("{} {seconds}", value["event"].as_str().unwrap())
        };
        said.map(name).collect()
    }

    #[test]
    fn nothing_is_said_of_short_work() {
        let (clock, mut watch) = (Clock::new(), Watch::new(true, ProgressForm::Plain, true));
        watch.hear(&begun(), &clock.at(0.0));
        assert_eq!(said(&mut watch, &clock, 1.9, &Seen::default()), [""; 0]);
        watch.hear(&Event::WorkEnded, &clock.at(1.9));
        assert_eq!(said(&mut watch, &clock, 60.0, &Seen::default()), [""; 0]);
    }

    #[test]
    fn a_stall_and_a_rank_that_all_wait_for_are_said_when_they_last() {
        let (clock, mut watch) = (Clock::new(), Watch::new(true, ProgressForm::Plain, true));
        watch.hear(&begun(), &clock.at(0.0));
        let mut all = Vec::new();
        for tick in 0..=450u32 {
            let seconds = f64::from(tick) / 10.0;
            let (bytes, done, last) = match tick {
                ..150 => (100 * u64::from(tick / 10), 1, None),
                150..300 => (1500, 1, None),
                _ => (1500, 3, Some(2)),
            };
            watch.hear(&progress(bytes, done, 4, last), &clock.at(seconds));
            all.extend(said(&mut watch, &clock, seconds, &Seen::default()));
        }
        assert_eq!(
            all,
            [
                "progress 2",
                "progress 5",
                "progress 10",
                "stalled 25",
                "progress 30",
                "stalled 35",
                "waiting_for_ranks 40"
            ]
        );
    }

    #[test]
    fn a_signal_is_answered_once_and_at_once() {
        let seen = Seen {
            is_stopping: true,
            ..Seen::default()
        };
        for (form, leads) in [
            (ProgressForm::Silent, true),
            (ProgressForm::Plain, true),
            (ProgressForm::Plain, false),
        ] {
            let (clock, mut watch) = (Clock::new(), Watch::new(leads, form, true));
            watch.hear(&begun(), &clock.at(0.0));
            watch.hear(&progress(100, 0, 4, None), &clock.at(0.1));
            let stopping = Saying::Stopping {
                objects_in_flight: 3,
                is_committing: false,
                can_be_hurried: true,
            };
            let first = watch.look(&seen, &clock.at(0.2));
            assert_eq!(first, if leads { vec![stopping] } else { vec![] });
            assert!(watch.is_stopping() && watch.measure(&clock.at(0.3)).is_none());
            assert_eq!(watch.look(&seen, &clock.at(0.3)), []);
        }
    }

    #[test]
    fn other_ranks_tell_of_their_own_requests_alone_and_later() {
        let (clock, mut watch) = (Clock::new(), Watch::new(false, ProgressForm::Plain, true));
        watch.hear(&begun(), &clock.at(0.0));
        let seen = Seen {
            traffic: TrafficState {
                in_flight: 1,
                oldest: Some(("PUT /ocean/a".to_owned(), clock.at(0.0).at)),
                ..TrafficState::default()
            },
            is_stopping: false,
        };
        let all = (0..60).flat_map(|second| said(&mut watch, &clock, f64::from(second), &seen));
        assert_eq!(
            all.collect::<Vec<_>>(),
            ["unanswered 10", "unanswered 20", "unanswered 40"]
        );
    }

    #[test]
    fn healing_is_said_if_it_takes_long() {
        let (clock, mut watch) = (Clock::new(), Watch::new(true, ProgressForm::Plain, true));
        let healing = Event::Healing {
            store: "T1m/tos.zarr".to_owned(),
            transaction: TransactionIdentity {
                id: "00000001-abc".to_owned(),
                command: "send".to_owned(),
                holder: "a job".to_owned(),
            },
        };
        watch.hear(&healing, &clock.at(0.0));
        assert_eq!(said(&mut watch, &clock, 1.0, &Seen::default()), [""; 0]);
        let told = said(&mut watch, &clock, 2.0, &Seen::default());
        assert_eq!(told, ["still_healing 2"]);
    }
}
