//! Where one transaction ends and the next begins: at the first file with which every store ends on a chunk boundary.

use super::draft::{Request, Settings, draft};
use super::target::Phase;
use crate::exit::Failure;
use crate::source::Archive;

/// How the files of a send are grouped into transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Transactions {
    /// Each is the smallest run of files that ends on a chunk boundary; the last one has what is left.
    Chunk,
    /// One has all files.
    All,
}

/// The number of files in each transaction. `requests` place all steps of the archive. What is appended in one
/// transaction then needs no object of the one before, but for the small arrays.
///
/// # Errors
/// Everything that does not fit the stores.
pub fn transactions(
    archive: &Archive,
    requests: &[Request],
    settings: &Settings,
    group: Transactions,
) -> Result<Vec<usize>, Failure> {
    let (_, drafts) = draft(archive, requests, settings)?;
    if group == Transactions::All {
        return Ok(vec![archive.files.len()]);
    }
    // The chunk lengths along the append dimension in each store.
    let mut chunks: Vec<Vec<u64>> = vec![Vec::new(); requests.len()];
    for draft in drafts.iter().filter(|d| d.array.phase == Phase::Transfer) {
        if let Some(append) = &draft.array.append {
            for &store in &draft.array.stores {
                chunks[store].push(draft.array.chunk[append.axis]);
            }
        }
    }
    let mut groups = vec![0];
    let mut ends = vec![0; requests.len()];
    let mut first = 0;
    for length in archive.lengths() {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        for (request, end) in requests.iter().zip(&mut ends) {
            // A store without steps has no places.
            let of_file = request.placed.get(first..first + length).unwrap_or(&[]);
            let written = of_file.iter().filter(|p| !p.stored || settings.replace);
            *end = written.map(|p| p.at + 1).max().unwrap_or(0).max(*end);
        }
        first += length;
        if let Some(group) = groups.last_mut() {
            *group += 1;
        }
        let even = |(end, chunks): (&u64, &Vec<u64>)| chunks.iter().all(|chunk| end % chunk == 0);
        if ends.iter().zip(&chunks).all(even) {
            groups.push(0);
        }
    }
    groups.retain(|&files| files > 0);
    Ok(groups)
}
