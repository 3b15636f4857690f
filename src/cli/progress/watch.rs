//! What goes on, and what is to be said of it now. It is told of events, and looks around ten times a second; it never waits, prints
//! or looks at a clock.
//!
//! Key types: [`Watch`]; [`Seen`], what there is to look at.

use std::time::{Duration, Instant};

use super::form::ProgressForm;
use super::meter::{Measure, Meter};
use super::own::OwnWaits;
use super::pace::{Now, Pace};
use super::quiet::{QuietWatch, WorkUnderWay};
use super::saying::Saying;
use super::server::ServerWatch;
use crate::events::{Event, RanksAtWork, TrafficState, WorkKind};

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
/// Two works of one name, no further apart, are one.
const APART: Duration = Duration::from_secs(5);
/// From one word of a wait for another job to the next.
const WAIT: Duration = Duration::from_secs(30);

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
    /// The last work, and when it ended.
    ended: Option<(Working, Instant)>,
    server: ServerWatch,
    own: OwnWaits,
    quiet: QuietWatch,
    /// How many lines there were when something was last said.
    lines: u64,
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
    /// Since all ranks last said how far they are.
    unheard: Pace,
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
    /// Lines that others than the teller wrote so far.
    pub lines: u64,
    /// Is a bar drawn of work that lasts?
    pub has_bar: bool,
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
            ended: None,
            server: ServerWatch::new(first, rarest),
            own: OwnWaits::new(first, rarest, leads),
            quiet: QuietWatch::new(),
            lines: 0,
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
                let goes_on = self.ended.take().filter(|(last, ended)| {
                    *bytes == 0 && last.meter.is_of(&self.what, *work) && now.since(*ended) < APART
                });
                self.work = Some(goes_on.map_or_else(
                    || Working {
                        meter: Meter::new(&self.what, *work, *objects, *bytes, now),
                        pace: match self.form {
                            ProgressForm::Json => Pace::of_events(now.at),
                            _ => Pace::of_lines(now.at),
                        },
                        stalled: None,
                        lagging: None,
                        unheard: Pace::doubling(now.at, LAG, 2 * RAREST),
                    },
                    |(last, _)| last,
                ));
            }
            Event::Progress {
                bytes,
                objects,
                in_flight,
                ranks,
            } => {
                if let Some(Working { meter, unheard, .. }) = &mut self.work {
                    meter.advance((*bytes, *objects), *in_flight, *ranks, now);
                    *unheard = Pace::doubling(now.at, LAG, 2 * RAREST);
                }
            }
            Event::WorkEnded => self.ended = self.work.take().map(|work| (work, now.at)),
            Event::Waiting { .. } => self.quiet.said(now, WAIT),
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
        let work = self.work.as_ref();
        let ranks = work.map_or_else(RanksAtWork::default, |work| work.meter.ranks);
        said.extend(self.own.look(&seen.traffic, ranks, now));
        if !self.leads {
            return said;
        }
        said.extend(self.healing(now));
        let is_told = self.server.is_told() || seen.traffic.keys.is_some();
        if let Some(work) = &mut self.work {
            if work.is_unheard(now) {
                said.extend(work.unheard(now));
            } else {
                said.extend(work.lagging(now));
                if is_told {
                    // It is known why.
                    work.meter.moved = now.at;
                } else {
                    said.extend(work.stalled(&seen.traffic, now));
                }
            }
            // A bar shows it already.
            if work.pace.is_due(now) && self.form != ProgressForm::Bar {
                said.push(Saying::Progress(work.meter.measure(now)));
            }
        }
        said.extend(self.quiet(seen, !said.is_empty() || is_told, now));
        said
    }

    /// That nothing was said for long, unless something `is_said`.
    fn quiet(&mut self, seen: &Seen, is_said: bool, now: &Now) -> Option<Saying> {
        let has_lines = std::mem::replace(&mut self.lines, seen.lines) != seen.lines;
        if is_said || has_lines {
            self.quiet.said(now, Duration::ZERO);
            return None;
        }
        let work = self.work.as_ref().map(|work| WorkUnderWay {
            work: work.meter.work,
            begun: work.meter.begun,
            is_shown: seen.has_bar,
        });
        self.quiet.look(work, &seen.traffic, now)
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

    /// Has some rank not said for long how far it is? Then what is known of all is old.
    fn is_unheard(&self, now: &Now) -> bool {
        let ranks = self.meter.ranks;
        ranks.done < ranks.all && ranks.all > 1 && now.since(self.unheard.since) >= LAG
    }

    /// That it has not.
    fn unheard(&mut self, now: &Now) -> Option<Saying> {
        let unheard = &mut self.unheard;
        unheard.is_due(now).then(|| Saying::RanksSilent {
            since: now.time_of(unheard.since),
            for_seconds: now.seconds_since(unheard.since),
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
    use crate::events::TransactionIdentity;

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
                limited: 0,
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
        assert_eq!(said(&mut watch, &clock, 3.8, &Seen::default()), [""; 0]);
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
    fn a_stall_that_is_the_servers_is_none_of_its_own_when_it_answers_again() {
        let (clock, mut watch) = (Clock::new(), Watch::new(true, ProgressForm::Plain, true));
        watch.hear(&begun(), &clock.at(0.0));
        let begun = clock.at(0.0).at;
        let mut all = Vec::new();
        for tick in 0..=380u32 {
            let seconds = f64::from(tick) / 10.0;
            // It is silent for 25 s, and then takes 12 s over the next object.
            let answered = (tick >= 250).then(|| clock.at(25.0).at);
            let alive = (tick >= 250).then(|| clock.at(seconds).at);
            let seen = Seen {
                traffic: TrafficState {
                    in_flight: 1,
                    oldest: Some(("PUT /ocean/a".to_owned(), begun)),
                    alive,
                    answered,
                    ..TrafficState::default()
                },
                ..Seen::default()
            };
            watch.hear(&progress(100, 0, 1, None), &clock.at(seconds));
            all.extend(said(&mut watch, &clock, seconds, &seen));
        }
        all.retain(|said| !said.starts_with("progress"));
        assert_eq!(
            all,
            [
                "unanswered 5",
                "unanswered 8",
                "unanswered 16",
                "answers_again 25",
                "stalled 34.9"
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
            ..Seen::default()
        };
        let all = (0..60).flat_map(|second| said(&mut watch, &clock, f64::from(second), &seen));
        assert_eq!(
            all.collect::<Vec<_>>(),
            ["unanswered 10", "unanswered 20", "unanswered 40"]
        );
    }

    #[test]
    fn a_rank_that_says_nothing_is_not_the_servers_fault() {
        let (clock, mut watch) = (Clock::new(), Watch::new(true, ProgressForm::Plain, true));
        watch.hear(&begun(), &clock.at(0.0));
        watch.hear(&progress(100, 0, 4, None), &clock.at(3.0));
        let all = (3..40)
            .flat_map(|second| said(&mut watch, &clock, f64::from(second), &Seen::default()));
        let all: Vec<_> = all.collect();
        let others: Vec<_> = all
            .iter()
            .filter(|name| !name.starts_with("progress"))
            .collect();
        assert_eq!(others, ["ranks_silent 13", "ranks_silent 23"]);
        // All have done their share: rank 0 itself is at something.
        watch.hear(&progress(4000, 4, 4, None), &clock.at(40.0));
        let seen = Seen::default();
        assert_eq!(said(&mut watch, &clock, 55.0, &seen), [""; 0]);
    }

    #[test]
    fn two_works_of_one_name_have_one_clock() {
        let (clock, mut watch) = (Clock::new(), Watch::new(true, ProgressForm::Plain, true));
        let committing = Event::WorkBegun {
            work: WorkKind::Committing,
            objects: None,
            bytes: 0,
        };
        let mut at = |event: &Event, seconds: f64| {
            watch.hear(event, &clock.at(seconds));
            watch
                .measure(&clock.at(seconds + 1.0))
                .map(|it| it.elapsed_seconds)
        };
        assert_eq!(at(&committing, 0.0), Some(1));
        assert_eq!(at(&Event::WorkEnded, 6.0), None);
        assert_eq!(at(&committing, 6.5), Some(7));
        at(&Event::WorkEnded, 8.0);
        assert_eq!(at(&committing, 60.0), Some(1));
        at(&Event::WorkEnded, 61.0);
        assert_eq!(at(&begun(), 62.0), Some(1));
        at(&Event::WorkEnded, 63.0);
        assert_eq!(at(&committing, 63.0), Some(1));
    }

    #[test]
    fn what_others_say_breaks_the_silence_and_a_wait_is_told_of_by_itself() {
        let (clock, mut watch) = (Clock::new(), Watch::new(true, ProgressForm::Plain, true));
        let waiting = Event::Waiting {
            store: "T1m/tos.zarr".to_owned(),
            holder: "a job".to_owned(),
            waited_seconds: 0,
            at_most_seconds: 120,
        };
        let mut all = Vec::new();
        for second in 0..60u32 {
            if second == 8 {
                watch.hear(&waiting, &clock.at(8.0));
            }
            let seen = Seen {
                lines: u64::from(second >= 4) + u64::from(second >= 8),
                ..Seen::default()
            };
            all.extend(said(&mut watch, &clock, f64::from(second), &seen));
        }
        // From the 4th second, and from 30 s behind the 8th.
        let expected = ["quiet 2", "quiet 6", "quiet 40", "quiet 43", "quiet 48"];
        assert_eq!(all, expected);
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
