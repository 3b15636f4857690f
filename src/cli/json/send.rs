//! What `send --json` and `update --json` print.

use serde::Serialize;

use super::{Outcome, StoreUrl};
use crate::commit::WriterGuarantee;
use crate::store::{Conditional, Place};
use crate::verbs::send::{HeldPart, Proofs, SendReport, ShareReport};

/// `msm_os/send/1` or `msm_os/update/1`.
#[derive(Debug, Serialize)]
pub(in crate::cli) struct SendDocument {
    format: &'static str,
    outcome: Outcome,
    transactions: u64,
    stores: Vec<SentStore>,
    steps_appended: u64,
    steps_replaced: u64,
    objects: u64,
    empty_objects: u64,
    stored_bytes: u64,
    decoded_bytes: u64,
    verified: VerifiedObjects,
    elapsed_seconds: f64,
    guarantee: Option<GuaranteeView>,
    shared: Option<ShareView>,
}

/// A store that was written.
#[derive(Debug, Serialize)]
struct SentStore {
    #[serde(flatten)]
    store: StoreUrl,
    created: bool,
}

/// How many objects were verified how.
#[derive(Debug, Serialize)]
struct VerifiedObjects {
    read_back: u64,
    by_etag: u64,
    by_server: u64,
    not_verified: u64,
}

/// What kept other jobs from writing the same stores.
#[derive(Debug, Serialize)]
struct GuaranteeView {
    conditional_writes: &'static str,
    lag_seconds: f64,
    lock_dir: Option<String>,
}

/// How far an archive is that many jobs send.
#[derive(Debug, Serialize)]
struct ShareView {
    parts: usize,
    put_by_this_job: usize,
    committed: usize,
    waiting: usize,
    held: Vec<HeldPartView>,
    visible_up_to: Option<String>,
    out_of_time: bool,
}

/// A part that another job holds; its number counts from 1, as in messages.
#[derive(Debug, Serialize)]
struct HeldPartView {
    part: usize,
    holder: Option<String>,
}

impl SendDocument {
    /// Of what was done at `place`, by `update` or by `send`, unless it was nothing.
    pub(in crate::cli) fn new(
        place: &Place,
        is_update: bool,
        is_nothing: bool,
        report: &SendReport,
    ) -> Self {
        let Proofs {
            read_back,
            etag,
            server,
            unproven,
        } = report.proofs;
        let written = |created: bool| {
            move |key: &String| SentStore {
                store: StoreUrl::new(place, key),
                created,
            }
        };
        let created = report.created.iter().map(written(true));
        let extended = report.extended.iter().map(written(false));
        Self {
            format: if is_update {
                "msm_os/update/1"
            } else {
                "msm_os/send/1"
            },
            outcome: Outcome::of(is_nothing),
            transactions: report.transactions,
            stores: created.chain(extended).collect(),
            steps_appended: report.appended,
            steps_replaced: report.replaced,
            objects: report.objects,
            empty_objects: report.empty,
            stored_bytes: report.bytes,
            decoded_bytes: report.decoded,
            verified: VerifiedObjects {
                read_back,
                by_etag: etag,
                by_server: server,
                not_verified: unproven,
            },
            elapsed_seconds: report.elapsed.as_secs_f64(),
            guarantee: report.guarantee.as_ref().map(GuaranteeView::from),
            shared: report.shared.as_ref().map(ShareView::from),
        }
    }
}

impl From<&WriterGuarantee> for GuaranteeView {
    fn from(guarantee: &WriterGuarantee) -> Self {
        Self {
            conditional_writes: match guarantee.conditional {
                Conditional::Enforced => "enforced",
                Conditional::Refused => "refused",
                Conditional::Ignored => "ignored",
            },
            lag_seconds: guarantee.lag.as_secs_f64(),
            lock_dir: { guarantee.lock_dir.as_ref() }.map(|path| path.display().to_string()),
        }
    }
}

impl From<&ShareReport> for ShareView {
    fn from(report: &ShareReport) -> Self {
        let held = report.held.iter();
        let held = held.map(|HeldPart { number, holder }| HeldPartView {
            part: number + 1,
            holder: holder.clone(),
        });
        Self {
            parts: report.parts,
            put_by_this_job: report.put,
            committed: report.committed,
            waiting: report.waiting,
            held: held.collect(),
            visible_up_to: report.edge.clone(),
            out_of_time: report.out_of_time,
        }
    }
}
