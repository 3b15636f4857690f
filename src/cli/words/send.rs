//! What `send` and `update` say at their ends.

use super::{are, bytes_shown, counted, more_waiting, rate_shown};
use crate::commit::WriterGuarantee;
use crate::store::Conditional;
use crate::verbs::send::{Proofs, SendReport, ShareReport};

/// What was `done`, in one word, and what kept others away meanwhile.
pub(in crate::cli) fn sent(done: &str, report: &SendReport) -> Vec<String> {
    let guarantee = report.guarantee.as_ref().and_then(guarantee);
    let (summary, shared) = match &report.shared {
        Some(shared) if shared.parts > 0 => (None, Some(standing(shared))),
        _ => (Some(summary(done, report)), None),
    };
    summary.into_iter().chain(guarantee).chain(shared).collect()
}

/// How far a shared archive is: the last line.
fn standing(shared: &ShareReport) -> String {
    let ShareReport {
        parts,
        put,
        committed,
        waiting,
        held,
        edge,
        out_of_time,
    } = shared;
    let edge = match edge {
        Some(edge) => format!("readers see all up to {edge}"),
        None => "readers see nothing yet".to_owned(),
    };
    let mut words = vec![format!(
        "this job put {}; {committed} of {parts} are committed, {edge}",
        counted(*put, "parts")
    )];
    if *waiting > 0 {
        words.push(more_waiting(*waiting));
    }
    let held = held.iter().map(|part| {
        let holder = part.holder.as_deref();
        let holder = holder.unwrap_or("one that does not say who it is");
        format!("part {} by {holder}", part.number + 1)
    });
    let held: Vec<String> = held.collect();
    if !held.is_empty() {
        words.push(format!("other jobs are at it: {}", held.join(", ")));
    }
    let left = parts - committed - waiting;
    if left > 0 {
        let why = if *out_of_time {
            ", for the time was over"
        } else {
            ""
        };
        words.push(format!(
            "{left} {} left{why}: run any of the jobs again if no other does that",
            are(left)
        ));
    }
    words.join("; ")
}

fn summary(done: &str, report: &SendReport) -> String {
    if report.transactions == 0 {
        return "nothing to do".to_owned();
    }
    let seconds = report.elapsed.as_secs_f64();
    let rate = rate_shown(report.decoded as f64 / seconds.max(1e-3));
    let Proofs {
        read_back,
        etag,
        server,
        unproven,
    } = report.proofs;
    let ways = [
        (etag, "by ETag"),
        (server, "by the server, by their crc32c"),
        (read_back, "read back and compared"),
    ];
    let used = ways.iter().filter(|(count, _)| *count > 0);
    let mut used = used.map(|(count, how)| (count, *how));
    let verified = match used.next() {
        None if unproven > 0 => "not verified".to_owned(),
        None => "verified: 0 objects read back and compared".to_owned(),
        Some((count, how)) => used.fold(
            format!("verified: {} {how}", counted(*count, "objects")),
            |words, (count, how)| format!("{words}, {count} {how}"),
        ),
    };
    format!(
        "{done}: {} created, {} extended, {} appended, {} replaced, {} ({} more all fill), {} stored of \
         {} decoded, {seconds:.1} s, {rate}; {verified}",
        counted(report.created.len(), "stores"),
        report.extended.len(),
        counted(report.appended, "steps"),
        report.replaced,
        counted(report.objects, "objects"),
        report.empty,
        bytes_shown(report.bytes),
        bytes_shown(report.decoded),
    )
}

/// Where other jobs may have got in between, how sure it is that they have not.
fn guarantee(guarantee: &WriterGuarantee) -> Option<String> {
    let how = match guarantee.conditional {
        Conditional::Enforced => return None,
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
    Some(format!(
        "The server {how} conditional writes: leases kept other jobs from writing these stores as long as its listings lag \
         behind by less than {:.1} s; {stronger}",
        guarantee.lag.as_secs_f64()
    ))
}
