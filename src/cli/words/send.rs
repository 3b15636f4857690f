//! What `send` and `update` say at their ends.

use super::bytes_shown;
use crate::commit::WriterGuarantee;
use crate::store::Conditional;
use crate::verbs::send::{Proofs, SendReport};

/// What was `done`, in one word, and what kept others away meanwhile.
pub(in crate::cli) fn sent(done: &str, report: &SendReport) -> Vec<String> {
    let guarantee = report.guarantee.as_ref().map(guarantee);
    [summary(done, report)]
        .into_iter()
        .chain(guarantee)
        .collect()
}

fn summary(done: &str, report: &SendReport) -> String {
    if report.transactions == 0 {
        return "nothing to do".to_owned();
    }
    let seconds = report.elapsed.as_secs_f64();
    let rate = report.decoded as f64 / seconds.max(1e-3) / 1e6;
    let Proofs {
        read_back,
        etag,
        unproven,
    } = report.proofs;
    let verified = match (read_back, etag, unproven) {
        (0, 0, n) if n > 0 => "not verified".to_owned(),
        (read, 0, _) => format!("verified: {read} objects read back and compared"),
        (0, etag, _) => format!("verified: {etag} objects by ETag"),
        (read, etag, _) => {
            format!("verified: {etag} objects by ETag, {read} read back and compared")
        }
    };
    format!(
        "{done}: {} stores created, {} extended, {} steps appended, {} replaced, {} objects ({} more are all fill), {} stored of \
         {} decoded, {seconds:.1} s, {rate:.0} MB/s; {verified}",
        report.created.len(),
        report.extended.len(),
        report.appended,
        report.replaced,
        report.objects,
        report.empty,
        bytes_shown(report.bytes),
        bytes_shown(report.decoded),
    )
}

fn guarantee(guarantee: &WriterGuarantee) -> String {
    let how = match guarantee.conditional {
        Conditional::Enforced => {
            return "Conditional writes are enforced: no other job could get the leases of these stores."
                .to_owned();
        }
        Conditional::Refused => "refuses",
        Conditional::Ignored => "ignores",
    };
    let stronger = match &guarantee.lock_dir {
        Some(dir) => format!(
            "locks in {} kept those with the same --lock-dir away in any case.",
            dir.display()
        ),
        None => "--lock-dir is stronger.".to_owned(),
    };
    format!(
        "The server {how} conditional writes: leases kept other jobs from writing these stores as long as its listings lag \
         behind by less than {:.1} s; {stronger}",
        guarantee.lag.as_secs_f64()
    )
}
