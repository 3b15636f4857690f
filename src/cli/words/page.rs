//! What `page` says that it has made, and what its page says of how objects were verified.

use std::path::Path;

use super::{counted, state_shown};
use crate::verbs::page::{PageReport, ProofCounts, StoreLedger};

/// What is not drawn and why, then where the page is.
pub(in crate::cli) fn paged(index: &Path, report: &PageReport) -> Vec<String> {
    let stores = report.opened.stores.iter().zip(&report.details);
    let mut lines = Vec::new();
    let mut maps = 0;
    for (store, details) in stores {
        let key = &store.info.store;
        maps += details.maps.len();
        let unread = store.info.problem.iter().filter(|_| !store.can_be_opened);
        lines.extend(unread.map(|why| format!("{key}: {}: {why}", state_shown(&store.info))));
        let left_out = details.left_out.iter();
        lines.extend(left_out.map(|(name, why)| format!("{key}: '{name}' is not drawn: {why}")));
        let problem = details.problem.iter();
        lines.extend(problem.map(|why| format!("{key}: nothing is drawn: {why}")));
        lines.extend(details.unstored.iter().map(ToString::to_string));
    }
    lines.push(format!(
        "wrote {}: {}, {}, of {}",
        index.display(),
        counted(report.opened.stores.len(), "stores"),
        counted(maps, "maps"),
        counted(report.objects, "objects"),
    ));
    lines
}

/// How the objects of a store were verified, and up to when.
pub(in crate::cli) fn verified_when_written(ledger: &StoreLedger) -> String {
    let Some(proofs) = &ledger.proofs else {
        return "Another program has written it since, or its ledger cannot be read: how its objects were verified is not known.".to_owned();
    };
    let ways = proofs_shown(proofs);
    if ways.is_empty() {
        return "It has no objects of arrays that were to be verified.".to_owned();
    }
    let last = ledger.commands.first();
    let until = last.map_or(String::new(), |last| {
        format!(", up to the command of {}", last.begun)
    });
    format!(
        "Its objects when they were written{until}: {}. What `msm_os verify` has found since, the ledger does not keep.",
        ways.join("; ")
    )
}

/// How many objects were verified in which way when they were written.
pub(in crate::cli) fn proofs_shown(proofs: &ProofCounts) -> Vec<String> {
    let ways = [
        (
            proofs.read_back,
            "read back and compared with what was sent",
        ),
        (proofs.by_server, "compared by the server with their crc32c"),
        (proofs.by_etag, "compared by the server with their MD5"),
        (proofs.unproven, "not verified"),
    ];
    let ways = ways.iter().filter(|(count, _)| *count > 0);
    ways.map(|(count, how)| format!("{}: {how}", counted(*count, "objects")))
        .collect()
}
