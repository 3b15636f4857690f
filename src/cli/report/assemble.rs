//! From what ranks measured to the document.
//!
//! Key type: [`Evidence`], all that there is.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use msm_zarr::layout;

use super::document::{
    CommitRecord, FORMAT, GuaranteeRecord, HoldsRecord, JobPlace, LatencyRecord, PhaseEntry,
    PlanRecord, ProgramVersions, RankRecord, RequestRecord, RunOutcome, RunReport, RunResult,
    SamplesRecord, SharedRecord, SharedStanding, SlowRecord, StageRecord, StoreStanding,
    StoreState, TransactionEntry, Written,
};
use crate::cli::Exit;
use crate::cli::error::CliError;
use crate::cli::failure::Retry;
use crate::cli::json::Verified;
use crate::commit::WriterGuarantee;
use crate::error::Error;
use crate::events::{RequestKind, Stage, StageTimes};
use crate::measurements::{
    HeldRecord, Latency, Measurements, PhaseRecord, RequestTally, SLOWEST, Sample, Samples,
    TransactionKind, TransactionOutcome, TransactionRecord,
};
use crate::store::Conditional;
use crate::verbs::send::{SendReport, ShareError};

/// What is known of a run that has ended.
pub(super) struct Evidence<'a> {
    pub command: &'a str,
    pub asked: Vec<String>,
    pub arguments: Vec<String>,
    pub begun: SystemTime,
    pub elapsed: Duration,
    pub program: ProgramVersions,
    pub job: JobPlace,
    /// The bucket's URL, and that of its server.
    pub place: Option<(String, Option<String>)>,
    pub sent: Option<&'a SendReport>,
    pub verified: Option<Verified>,
    /// Was there nothing to do?
    pub is_nothing: bool,
    pub failure: Option<&'a CliError>,
    /// What was said of files and stores.
    pub notices: Vec<String>,
    /// Of all ranks, each with its host.
    pub ranks: Vec<(String, Measurements)>,
}

impl Evidence<'_> {
    /// The document.
    pub(super) fn report(self) -> RunReport {
        let (place, endpoint) = self.place.clone().unzip();
        let transactions = self.ranks.first().map(|(_, lead)| &lead.transactions[..]);
        let transactions = transactions.unwrap_or_default();
        let commits = transactions.iter().filter_map(|t| t.commit);
        let commits: Vec<Duration> = commits.collect();
        let all: Vec<&Measurements> = self.ranks.iter().map(|(_, measured)| measured).collect();
        let (mut stages, mut requests) = (StageTimes::default(), BTreeMap::new());
        let (mut retries, mut written) = (BTreeMap::new(), Written::default());
        let mut object_sizes = BTreeMap::new();
        for measured in &all {
            stages += measured.stages;
            add_requests(&mut requests, &measured.requests);
            for (status, count) in &measured.retries {
                *retries.entry(cause(*status)).or_default() += count;
            }
            for (size, count) in &measured.object_sizes {
                *object_sizes.entry(*size).or_default() += count;
            }
            written.objects += measured.objects;
            written.bytes += measured.bytes;
        }
        RunReport {
            format: FORMAT.to_owned(),
            command: self.command.to_owned(),
            outcome: self.outcome(),
            exit_code: self.failure.map_or(Exit::Ok, Exit::from).code(),
            error: match self.failure {
                None | Some(CliError::NothingToDo) => None,
                Some(failure) => Some(failure.to_string()),
            },
            begun: time(self.begun),
            ended: time(self.begun + self.elapsed),
            elapsed_seconds: self.elapsed.as_secs_f64(),
            asked: self.asked.clone(),
            arguments: self.arguments.clone(),
            endpoint: endpoint.flatten(),
            plan: plan(transactions),
            result: self.sent.map(result),
            verified: self.verified.clone(),
            shared: self.shared(),
            written,
            stages: stage_records(&stages),
            requests: request_records(&requests, true),
            retries,
            object_sizes,
            slowest_objects: slowest(&all),
            commit: CommitRecord {
                count: commits.len() as u64,
                seconds: commits.iter().sum::<Duration>().as_secs_f64(),
            },
            guarantee: self.sent.and_then(|s| s.guarantee.as_ref()).map(guarantee),
            stores: self.stores(transactions),
            problems: all.iter().flat_map(|m| m.problems.clone()).collect(),
            advice: match self.failure {
                None | Some(CliError::NothingToDo) => None,
                Some(failure) => Some(Retry::of(failure).to_string()),
            },
            ranks: self.rank_records(),
            notices: self.notices,
            program: self.program,
            job: self.job,
            place,
        }
    }

    fn outcome(&self) -> RunOutcome {
        match self.failure {
            None | Some(CliError::NothingToDo) if self.is_nothing => RunOutcome::NothingToDo,
            None => RunOutcome::Done,
            Some(_) => RunOutcome::Failed,
        }
    }

    /// How far the shared archive is, if there is one and that was found out.
    fn shared(&self) -> Option<SharedRecord> {
        if let Some(shared) = self.sent.and_then(|sent| sent.shared.as_ref()) {
            return Some(SharedRecord {
                parts: shared.parts,
                put_by_this_job: shared.put,
                committed: shared.committed,
                waiting: shared.waiting,
                last_step: shared.edge.clone(),
                out_of_time: shared.out_of_time,
            });
        }
        match self.failure {
            Some(CliError::Library(Error::Share(ShareError::Unfinished {
                put,
                waiting,
                committed,
                of,
                edge,
                ..
            }))) => Some(SharedRecord {
                parts: *of,
                put_by_this_job: *put,
                committed: *committed,
                waiting: *waiting,
                last_step: edge.clone(),
                out_of_time: false,
            }),
            _ => None,
        }
    }

    /// The parts of the shared archive: as was found at the end, or else as far as this run has committed them.
    fn parts(&self, transactions: &[TransactionRecord]) -> Option<SharedStanding> {
        if let Some(shared) = self.shared() {
            return Some(SharedStanding {
                parts: shared.parts,
                committed: shared.committed,
                waiting: Some(shared.waiting),
            });
        }
        let mut committed = transactions.iter().filter(|one| {
            one.kind == TransactionKind::Growth && one.outcome == TransactionOutcome::Committed
        });
        committed.next_back().map(|growth| SharedStanding {
            parts: growth.of,
            committed: growth.number,
            waiting: None,
        })
    }

    /// Where the stores now stand that the run was about, as far as it got to them.
    fn stores(&self, transactions: &[TransactionRecord]) -> Vec<StoreStanding> {
        let mut standings: BTreeMap<&str, StoreStanding> = BTreeMap::new();
        let place = self.place.as_ref().map_or("", |(place, _)| place.as_str());
        let new = |key: &str| StoreStanding {
            key: key.to_owned(),
            url: layout::below(place, key),
            state: StoreState::Unchanged,
            holds: self.holds(key),
            committed: 0,
            first_step: None,
            last_step: None,
            shared: None,
        };
        for transaction in transactions {
            for key in &transaction.stores {
                let standing = standings.entry(key).or_insert_with(|| new(key));
                match transaction.outcome {
                    TransactionOutcome::Committed => {
                        standing.state = StoreState::Committed;
                        standing.committed += 1;
                        let steps = transaction.files.as_ref().and_then(|f| f.steps.clone());
                        let (first, last) = steps.unzip();
                        if standing.committed == 1 {
                            standing.first_step = first;
                        }
                        standing.last_step = last;
                    }
                    TransactionOutcome::Open if transaction.kind != TransactionKind::Part => {
                        standing.state = StoreState::Open;
                        // Some of it may be seen already.
                        standing.holds = None;
                    }
                    _ => {}
                }
            }
        }
        let is_shared = |one: &TransactionRecord| one.kind != TransactionKind::Transaction;
        if transactions.iter().any(is_shared) {
            let (shared, parts) = (self.shared(), self.parts(transactions));
            let is_over = (parts.as_ref()).is_some_and(|parts| parts.committed == parts.parts);
            for standing in standings.values_mut() {
                standing.state = match standing.state {
                    StoreState::Open => StoreState::Open,
                    _ if is_over => StoreState::Committed,
                    _ => StoreState::Growing,
                };
                if let Some(shared) = &shared {
                    standing.last_step.clone_from(&shared.last_step);
                }
                // Another job may have committed since.
                let last = standing.last_step.as_ref();
                standing.holds =
                    { standing.holds.take() }.filter(|holds| last == Some(&holds.last_step));
                standing.shared.clone_from(&parts);
            }
        }
        let complete = self.ranks.first().map(|(_, lead)| &lead.complete[..]);
        for key in complete.unwrap_or_default() {
            standings.entry(key).or_insert_with(|| new(key));
        }
        standings.into_values().collect()
    }

    /// What readers see of the store `key`.
    fn holds(&self, key: &str) -> Option<HoldsRecord> {
        let (_, lead) = self.ranks.first()?;
        let HeldRecord { steps, seen } = lead.held.get(key)?.clone();
        Some(HoldsRecord {
            steps: steps.count,
            first_step: steps.first,
            last_step: steps.last,
            seen: time(seen),
        })
    }

    fn rank_records(&self) -> Vec<RankRecord> {
        // Only rank 0 knows of which transaction a phase is; all ranks have the same phases.
        let lead = self.ranks.first().map(|(_, lead)| &lead.phases[..]);
        let shared = |phases: &[PhaseRecord]| -> Vec<Option<usize>> {
            let shared = phases.iter().filter(|p| p.work.phase.is_of_all_ranks());
            shared.map(|p| p.transaction).collect()
        };
        let known = shared(lead.unwrap_or_default());
        let ranks = self.ranks.iter().enumerate();
        let record = |(rank, (host, measured)): (usize, &(String, Measurements))| {
            let mut of_all = known.iter();
            let phases = measured.phases.iter().map(|phase| {
                let transaction = if phase.work.phase.is_of_all_ranks() {
                    of_all.next().copied().flatten()
                } else {
                    phase.transaction
                };
                PhaseEntry {
                    phase: phase.work.phase,
                    transaction,
                    begun: time(phase.work.begun),
                    ended: time(phase.work.begun + phase.work.took),
                    wait_seconds: phase.work.stages.of(Stage::Wait).busy.as_secs_f64(),
                }
            });
            let retries = measured.retries.iter();
            RankRecord {
                rank,
                host: host.clone(),
                written: Written {
                    objects: measured.objects,
                    bytes: measured.bytes,
                },
                stages: stage_records(&measured.stages),
                requests: request_records(&measured.requests, false),
                retries: retries
                    .map(|(status, count)| (cause(*status), *count))
                    .collect(),
                phases: phases.collect(),
                samples: Some(samples(&measured.samples)),
            }
        };
        ranks.map(record).collect()
    }
}

fn plan(transactions: &[TransactionRecord]) -> PlanRecord {
    let entries = transactions.iter().map(|transaction| {
        let files = transaction.files.as_ref();
        let (first_step, last_step) = files.and_then(|files| files.steps.clone()).unzip();
        TransactionEntry {
            number: transaction.number,
            kind: transaction.kind,
            outcome: transaction.outcome,
            files: files.map(|files| files.names.clone()).unwrap_or_default(),
            first_step,
            last_step,
            stores: transaction.size.stores,
            arrays: transaction.size.arrays,
            objects: transaction.size.objects,
            bytes: transaction.size.bytes,
            memory_bytes: transaction.size.memory,
            moved_steps: transaction.size.moves.steps,
            planned: time(transaction.planned),
            ended: transaction.ended.map(time),
            commit_seconds: transaction.commit.map(|commit| commit.as_secs_f64()),
            manifest_md5: transaction.digest.clone(),
            store_keys: transaction.stores.clone(),
        }
    });
    let sizes = || transactions.iter().map(|transaction| transaction.size);
    PlanRecord {
        of: transactions.iter().map(|t| t.of).max().unwrap_or(0),
        objects: sizes().map(|size| size.objects).sum(),
        bytes: sizes().map(|size| size.bytes).sum(),
        memory_bytes: sizes().map(|size| size.memory).max().unwrap_or(0),
        transactions: entries.collect(),
    }
}

fn result(sent: &SendReport) -> RunResult {
    RunResult {
        transactions: sent.transactions,
        stores_created: sent.created.iter().cloned().collect(),
        stores_extended: sent.extended.iter().cloned().collect(),
        steps_appended: sent.appended,
        steps_replaced: sent.replaced,
        objects: sent.objects,
        bytes: sent.bytes,
        empty_objects: sent.empty,
        decoded_bytes: sent.decoded,
        verified_by_reading: sent.proofs.read_back,
        verified_by_etag: sent.proofs.etag,
        verified_by_server: sent.proofs.server,
        unverified: sent.proofs.unproven,
    }
}

fn guarantee(guarantee: &WriterGuarantee) -> GuaranteeRecord {
    let conditional_writes = match guarantee.conditional {
        Conditional::Enforced => "enforced",
        Conditional::Refused => "refused",
        Conditional::Ignored => "ignored",
    };
    let lock_dir = guarantee.lock_dir.as_ref();
    GuaranteeRecord {
        conditional_writes: conditional_writes.to_owned(),
        lag_seconds: guarantee.lag.as_secs_f64(),
        lock_dir: lock_dir.map(|dir| dir.display().to_string()),
    }
}

fn slowest(all: &[&Measurements]) -> Vec<SlowRecord> {
    let ranks = all.iter().enumerate();
    let mut slowest: Vec<SlowRecord> = ranks
        .flat_map(|(rank, measured)| {
            measured.slowest.iter().map(move |object| SlowRecord {
                key: object.key.clone(),
                bytes: object.bytes,
                seconds: object.took.as_secs_f64(),
                rank,
            })
        })
        .collect();
    slowest.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    slowest.truncate(SLOWEST);
    slowest
}

/// Until the last bucket that anything is in.
fn samples(of_rank: &Samples) -> SamplesRecord {
    let all = of_rank.buckets();
    let seconds = of_rank.width().as_secs_f64();
    let numbers = |number: fn(&Sample) -> u64| all.iter().map(number).collect();
    let of_stage = |stage: Stage| all.iter().map(move |sample| sample.stages.of(stage).busy);
    let stages = Stage::ALL.into_iter();
    let stages = stages.filter(|stage| of_stage(*stage).any(|busy| !busy.is_zero()));
    let thousandths = |number: f64| (1e3 * number).round() / 1e3;
    SamplesRecord {
        begun: time(of_rank.begun()),
        bucket_seconds: seconds,
        written_bytes: numbers(|sample| sample.written),
        sent_bytes: numbers(|sample| sample.sent),
        received_bytes: numbers(|sample| sample.received),
        requests: numbers(|sample| sample.requests),
        retries: numbers(|sample| sample.retries),
        requests_in_flight: { all.iter() }
            .map(|sample| thousandths(sample.in_flight.as_secs_f64() / seconds))
            .collect(),
        stages: stages
            .map(|stage| {
                let busy = of_stage(stage).map(|busy| thousandths(busy.as_secs_f64()));
                (stage, busy.collect())
            })
            .collect(),
    }
}

fn stage_records(times: &StageTimes) -> BTreeMap<Stage, StageRecord> {
    let record = |stage| {
        let time = times.of(stage);
        let seconds = time.busy.as_secs_f64();
        let bytes = time.bytes;
        (stage, StageRecord { seconds, bytes })
    };
    Stage::ALL.into_iter().map(record).collect()
}

/// Adds `more` to `all`.
fn add_requests(
    all: &mut BTreeMap<RequestKind, RequestTally>,
    more: &BTreeMap<RequestKind, RequestTally>,
) {
    for (kind, tally) in more {
        all.entry(*kind).or_default().merge(tally);
    }
}

fn request_records(
    tallies: &BTreeMap<RequestKind, RequestTally>,
    with_histogram: bool,
) -> BTreeMap<RequestKind, RequestRecord> {
    let record = |(kind, tally): (&RequestKind, &RequestTally)| {
        let mut record = RequestRecord {
            count: tally.count,
            unanswered: tally.unanswered,
            sent_bytes: tally.sent,
            received_bytes: tally.received,
            latency: latency_record(&tally.latency),
        };
        if let Some(latency) = record.latency.as_mut().filter(|_| !with_histogram) {
            latency.histogram.clear();
        }
        (*kind, record)
    };
    tallies.iter().map(record).collect()
}

/// `None` if there are none.
pub(super) fn latency_record(latency: &Latency) -> Option<LatencyRecord> {
    let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
    Some(LatencyRecord {
        min_seconds: seconds(latency.least())?,
        p50_seconds: seconds(latency.quantile(0.5))?,
        p90_seconds: seconds(latency.quantile(0.9))?,
        p99_seconds: seconds(latency.quantile(0.99))?,
        max_seconds: seconds(latency.most())?,
        histogram: latency.buckets().collect(),
    })
}

/// Why a request was made again.
fn cause(status: Option<u16>) -> String {
    status.map_or_else(|| "no_answer".to_owned(), |status| status.to_string())
}

pub(super) fn time(time: SystemTime) -> String {
    humantime::format_rfc3339_millis(time).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::surroundings;
    use super::*;
    use crate::events::{HeldSteps, PlanSize, PlannedFiles};
    use crate::verbs::send::SendError;

    const STORE: &str = "T1y/tos.zarr";

    fn transaction(
        kind: TransactionKind,
        number: usize,
        outcome: TransactionOutcome,
    ) -> TransactionRecord {
        let step = format!("step {number}");
        TransactionRecord {
            kind,
            number,
            of: 6,
            files: Some(PlannedFiles {
                names: Vec::new(),
                steps: Some((step.clone(), step)),
            }),
            size: PlanSize::default(),
            stores: vec![STORE.to_owned()],
            planned: SystemTime::UNIX_EPOCH,
            ended: None,
            outcome,
            commit: None,
            digest: None,
        }
    }

    fn held() -> HeldRecord {
        HeldRecord {
            steps: HeldSteps {
                count: 40,
                first: "step 1".to_owned(),
                last: "step 40".to_owned(),
            },
            seen: SystemTime::UNIX_EPOCH,
        }
    }

    fn standing(transactions: &[TransactionRecord], failure: Option<&CliError>) -> StoreStanding {
        let measured = Measurements {
            transactions: transactions.to_vec(),
            held: [(STORE.to_owned(), held())].into(),
            ..Measurements::default()
        };
        let evidence = Evidence {
            command: "send",
            asked: Vec::new(),
            arguments: Vec::new(),
            begun: SystemTime::UNIX_EPOCH,
            elapsed: Duration::ZERO,
            program: surroundings::versions(None),
            job: JobPlace::default(),
            place: Some(("s3://ocean".to_owned(), None)),
            sent: None,
            verified: None,
            is_nothing: false,
            failure,
            notices: Vec::new(),
            ranks: vec![("node".to_owned(), measured)],
        };
        evidence.report().stores.remove(0)
    }

    #[test]
    fn a_shared_archive_stands_where_the_job_found_it() {
        let all = [
            transaction(TransactionKind::Part, 1, TransactionOutcome::Put),
            transaction(TransactionKind::Growth, 2, TransactionOutcome::Committed),
            transaction(TransactionKind::Part, 4, TransactionOutcome::Failed),
        ];
        let failure = ShareError::Unfinished {
            cause: Box::new(SendError::Stopped.into()),
            put: 1,
            waiting: 3,
            committed: 2,
            of: 6,
            edge: Some("step 2".to_owned()),
        };
        let failure = CliError::Library(failure.into());
        let told = standing(&all, Some(&failure));
        let parts = told.shared.clone().unwrap();
        assert_eq!(told.state, StoreState::Growing);
        assert_eq!(told.last_step.as_deref(), Some("step 2"));
        assert_eq!((parts.committed, parts.waiting), (2, Some(3)));
        assert_eq!(told.holds, None);
        // What it does not know at its end, it knows from what it has done.
        let unknown = standing(&all, Some(&CliError::NoTerminal));
        let parts = unknown.shared.clone().unwrap();
        assert_eq!(unknown.state, StoreState::Growing);
        assert_eq!((parts.parts, parts.committed, parts.waiting), (6, 2, None));
        let none = standing(&all[..1], Some(&CliError::NoTerminal));
        assert_eq!((none.state, none.shared), (StoreState::Growing, None));
    }

    #[test]
    fn a_store_whose_third_transaction_is_open_has_two() {
        let of = |number, outcome| transaction(TransactionKind::Transaction, number, outcome);
        let all = [
            of(1, TransactionOutcome::Committed),
            of(2, TransactionOutcome::Committed),
            of(3, TransactionOutcome::Open),
        ];
        let told = standing(&all, Some(&CliError::NoTerminal));
        assert_eq!((told.state, told.committed), (StoreState::Open, 2));
        assert_eq!(told.first_step.as_deref(), Some("step 1"));
        assert_eq!(told.last_step.as_deref(), Some("step 2"));
        // Readers may see some of the third.
        assert_eq!((told.shared, told.holds), (None, None));
        let whole = standing(&all[..2], None);
        let holds = whole.holds.unwrap();
        assert_eq!((holds.steps, &*holds.last_step), (40, "step 40"));
        assert_eq!(whole.last_step.as_deref(), Some("step 2"));
    }
}
