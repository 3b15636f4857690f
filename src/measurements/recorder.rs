//! Measuring what is heard of a verb, on its way to another reporter.
//!
//! Key type: [`Recorder`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use super::{
    HeldRecord, Measurements, PhaseRecord, Samples, SlowObject, TransactionKind,
    TransactionOutcome, TransactionRecord,
};
use crate::error::Error;
use crate::events::{
    Event, Measure, Notice, PhaseWork, PlanSize, PlannedFiles, Reporter, Stage, StageTimes,
    Traffic, WorkPhase,
};
use crate::ranks::{Ranks, Role};

/// Measures what it hears, and passes it on.
pub struct Recorder {
    inner: Arc<dyn Reporter>,
    heard: Mutex<Heard>,
}

struct Heard {
    measured: Measurements,
    /// When it began to listen.
    since: Instant,
    /// When all data of the transaction under way were put.
    put: Option<Instant>,
}

impl Recorder {
    /// One that passes on to `inner` what it hears.
    #[must_use]
    pub fn new(inner: Arc<dyn Reporter>) -> Self {
        Self {
            inner,
            heard: Mutex::new(Heard {
                measured: Measurements {
                    samples: Samples::from(SystemTime::now()),
                    ..Measurements::default()
                },
                since: Instant::now(),
                put: None,
            }),
        }
    }

    /// What was measured on this rank so far.
    #[must_use]
    pub fn measurements(&self) -> Measurements {
        self.heard().measured.clone()
    }

    /// What was measured on all ranks so far, in their order, on rank 0; none on others. Every rank calls it, also after a verb has
    /// failed.
    ///
    /// # Errors
    /// If it cannot be passed on.
    pub fn gather(&self, ranks: &Ranks) -> Result<Vec<Measurements>, Error> {
        let mine = self.measurements();
        match ranks.role() {
            Role::Lead(lead) => lead.collect(mine),
            Role::Follower(follower) => follower.give(&mine).map(|()| Vec::new()),
        }
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reporter for Recorder {
    fn tell(&self, event: &Event) {
        self.heard().note(event);
        self.inner.tell(event);
    }

    fn traffic(&self) -> Traffic {
        self.inner.traffic()
    }
}

impl Heard {
    fn note(&mut self, event: &Event) {
        let now = self.since.elapsed();
        let measured = &mut self.measured;
        match event {
            Event::Planned {
                number,
                of,
                files,
                size,
            } => {
                let files = Some(files.clone());
                let number = [*number, *of];
                self.begin(TransactionKind::Transaction, number, files, *size, &[]);
            }
            Event::PartTaken {
                number,
                of,
                files,
                stores,
                size,
            } => {
                let files = Some(files.clone());
                let number = [number + 1, *of];
                self.begin(TransactionKind::Part, number, files, *size, stores);
            }
            Event::Growing {
                parts,
                of,
                files,
                size,
            } => {
                let files = Some(files.clone());
                let number = [parts.end, *of];
                self.begin(TransactionKind::Growth, number, files, *size, &[]);
            }
            Event::TransactionBegun { stores } => {
                if let Some(last) = measured.transactions.last_mut() {
                    last.stores.clone_from(stores);
                    last.outcome = TransactionOutcome::Open;
                }
            }
            Event::Committed { stores, digest } => {
                let commit = self.put.take().map(|put| put.elapsed());
                if let Some(last) = self.end(TransactionOutcome::Committed) {
                    last.stores.clone_from(stores);
                    last.commit = commit;
                    last.digest = Some(digest.clone());
                }
            }
            Event::Holds { store, steps } => {
                let (steps, seen) = (steps.clone(), SystemTime::now());
                let record = HeldRecord { steps, seen };
                measured.held.insert(store.clone(), record);
            }
            // What it holds now, its transaction knew.
            Event::Healed { store, .. } => {
                measured.held.remove(store);
            }
            Event::RolledBack => {
                self.end(TransactionOutcome::RolledBack);
            }
            Event::PartPut { .. } => {
                self.end(TransactionOutcome::Put);
            }
            Event::PartFailed { why, .. } => {
                measured.problems.push(why.clone());
                self.end(TransactionOutcome::Failed);
            }
            Event::Untidy { problem } | Event::LeaseLeftBehind { problem } => {
                measured.problems.push(problem.clone());
            }
            Event::Notice(Notice::HasAll { store, .. }) => measured.complete.push(store.clone()),
            Event::Measured(measure) => self.note_measure(measure),
            Event::ObjectWritten { key, bytes, took } => {
                measured.objects += 1;
                measured.bytes += bytes;
                let power = 1 << bytes.max(&1).ilog2();
                *measured.object_sizes.entry(power).or_default() += 1;
                measured.samples.at(now).written += bytes;
                let object = || SlowObject {
                    key: key.clone(),
                    bytes: *bytes,
                    took: *took,
                };
                measured.note_slow(object, *took);
            }
            Event::Retried { status, .. } => {
                *measured.retries.entry(*status).or_default() += 1;
                measured.samples.at(now).retries += 1;
            }
            _ => {}
        }
    }

    fn note_measure(&mut self, measure: &Measure) {
        let now = self.since.elapsed();
        let measured = &mut self.measured;
        match measure {
            Measure::Phase(work) => self.note_phase(*work),
            Measure::Stages { times, over } => measured.samples.add_stages(now, times, *over),
            Measure::Wait { took } => {
                measured.stages.add(Stage::Wait, *took, 0);
                let mut waited = StageTimes::default();
                waited.add(Stage::Wait, *took, 0);
                measured.samples.add_stages(now, &waited, *took);
            }
            Measure::Request {
                kind,
                sent,
                received,
                took,
                status,
            } => {
                let tally = measured.requests.entry(*kind).or_default();
                tally.count += 1;
                tally.sent += sent;
                tally.received += received;
                let sample = measured.samples.at(now);
                sample.requests += 1;
                sample.sent += sent;
                sample.received += received;
                measured.samples.add_in_flight(now, *took);
                match status {
                    Some(_) => tally.latency.add(*took),
                    None => tally.unanswered += 1,
                }
            }
        }
    }

    fn note_phase(&mut self, work: PhaseWork) {
        let measured = &mut self.measured;
        measured.stages += work.stages;
        let transaction = measured.transactions.len().checked_sub(1);
        measured.phases.push(PhaseRecord { work, transaction });
        if work.phase != WorkPhase::Transfer {
            return;
        }
        self.put = Some(Instant::now());
        // A part that stops half way waits to be gone on with.
        if let Some(last) = measured.transactions.last_mut()
            && last.kind == TransactionKind::Part
        {
            last.outcome = TransactionOutcome::Open;
        }
    }

    fn begin(
        &mut self,
        kind: TransactionKind,
        [number, of]: [usize; 2],
        files: Option<PlannedFiles>,
        size: PlanSize,
        stores: &[String],
    ) {
        self.measured.transactions.push(TransactionRecord {
            kind,
            number,
            of,
            files,
            size,
            stores: stores.to_vec(),
            planned: SystemTime::now(),
            ended: None,
            outcome: TransactionOutcome::Planned,
            commit: None,
            digest: None,
        });
    }

    /// The last transaction is over.
    fn end(&mut self, outcome: TransactionOutcome) -> Option<&mut TransactionRecord> {
        let last = self.measured.transactions.last_mut()?;
        last.outcome = outcome;
        last.ended = Some(SystemTime::now());
        Some(last)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::events::{HeldSteps, Outcome, RequestKind, SilentReporter, TransactionIdentity};
    use crate::measurements::SLOWEST;
    use crate::ranks::threads;

    fn recorder() -> Recorder {
        Recorder::new(Arc::new(SilentReporter))
    }

    fn written(key: &str, millis: u64) -> Event {
        Event::ObjectWritten {
            key: key.to_owned(),
            bytes: 10,
            took: Duration::from_millis(millis),
        }
    }

    fn planned(recorder: &Recorder, number: usize) {
        recorder.tell(&Event::Planned {
            number,
            of: 2,
            files: PlannedFiles {
                names: vec!["a.nc".to_owned()],
                steps: None,
            },
            size: PlanSize::default(),
        });
        let stores = vec!["T1y/tos.zarr".to_owned()];
        recorder.tell(&Event::TransactionBegun { stores });
    }

    #[test]
    fn the_slowest_objects_are_kept_the_slowest_first() {
        let recorder = recorder();
        for millis in [5, 50, 1, 40, 2, 3, 4, 6, 7, 8, 9, 30] {
            recorder.tell(&written(&millis.to_string(), millis));
        }
        let found = recorder.measurements();
        let keys: Vec<&str> = found.slowest.iter().map(|o| o.key.as_str()).collect();
        assert_eq!(keys, ["50", "40", "30", "9", "8", "7", "6", "5", "4", "3"]);
        assert_eq!((keys.len(), found.objects, found.bytes), (SLOWEST, 12, 120));
    }

    #[test]
    fn what_a_store_holds_is_not_known_once_it_is_healed() {
        let recorder = recorder();
        let store = "T1y/tos.zarr".to_owned();
        let holds = |count| Event::Holds {
            store: store.clone(),
            steps: HeldSteps {
                count,
                first: "1".to_owned(),
                last: count.to_string(),
            },
        };
        let held = || recorder.measurements().held.get(&store).cloned();
        for count in [3, 7] {
            recorder.tell(&holds(count));
            assert_eq!(held().unwrap().steps.count, count);
        }
        recorder.tell(&Event::Healed {
            store: store.clone(),
            transaction: TransactionIdentity {
                id: String::new(),
                command: "send".to_owned(),
                holder: String::new(),
            },
            outcome: Outcome::RolledBack,
        });
        assert_eq!(held(), None);
    }

    #[test]
    fn requests_and_retries_are_counted_by_kind_and_cause() {
        let recorder = recorder();
        let answered = |kind, status| {
            Event::Measured(Measure::Request {
                kind,
                sent: 5,
                received: 2,
                took: Duration::from_millis(3),
                status,
            })
        };
        let again = |status| Event::Retried {
            method: "PUT".to_owned(),
            path: "/a".to_owned(),
            status,
        };
        for status in [Some(503), None, Some(200)] {
            recorder.tell(&answered(RequestKind::Put, status));
        }
        recorder.tell(&answered(RequestKind::Get, Some(404)));
        for status in [Some(503), None, Some(503)] {
            recorder.tell(&again(status));
        }
        let found = recorder.measurements();
        let put = &found.requests[&RequestKind::Put];
        assert_eq!(
            (put.count, put.unanswered, put.sent, put.received),
            (3, 1, 15, 6)
        );
        assert_eq!(put.latency.len(), 2);
        assert_eq!(found.requests[&RequestKind::Get].count, 1);
        let retries: Vec<_> = found.retries.into_iter().collect();
        assert_eq!(retries, [(None, 1), (Some(503), 2)]);
    }

    #[test]
    fn what_became_of_each_transaction_is_known() {
        let recorder = recorder();
        planned(&recorder, 1);
        let mut stages = StageTimes::default();
        stages.add(Stage::Put, Duration::from_secs(2), 7);
        recorder.tell(&Event::Measured(Measure::Phase(PhaseWork {
            phase: WorkPhase::Transfer,
            begun: SystemTime::now(),
            took: Duration::from_secs(1),
            stages,
        })));
        let took = Duration::from_secs(3);
        recorder.tell(&Event::Measured(Measure::Wait { took }));
        recorder.tell(&Event::Committed {
            stores: vec!["T1y/tos.zarr".to_owned()],
            digest: "d".to_owned(),
        });
        planned(&recorder, 2);
        recorder.tell(&Event::RolledBack);
        planned(&recorder, 3);
        let found = recorder.measurements();
        let outcomes: Vec<_> = found.transactions.iter().map(|t| t.outcome).collect();
        assert_eq!(
            outcomes,
            [
                TransactionOutcome::Committed,
                TransactionOutcome::RolledBack,
                TransactionOutcome::Open
            ]
        );
        let first = &found.transactions[0];
        assert!(first.commit.is_some() && first.ended.is_some());
        assert_eq!(first.digest.as_deref(), Some("d"));
        assert_eq!(found.phases[0].transaction, Some(0));
        assert_eq!(found.stages.of(Stage::Put).bytes, 7);
        assert_eq!(found.stages.of(Stage::Wait).busy, Duration::from_secs(3));
    }

    #[test]
    fn rank_0_has_those_of_all_ranks_in_their_order() {
        let gathered = threads(3, |ranks| {
            let recorder = recorder();
            for _ in 0..=ranks.rank() {
                recorder.tell(&written("a", 1));
            }
            let all = recorder.gather(ranks).unwrap();
            all.iter().map(|m| m.objects).collect::<Vec<_>>()
        });
        assert_eq!(gathered, [vec![1, 2, 3], vec![], vec![]]);
    }
}
