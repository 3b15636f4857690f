//! Where one transaction ends and the next begins: at the first file with which every store ends on a chunk boundary.

use super::draft::{StoreRequest, draft};
use super::error::PlanError;
use super::settings::PlanSettings;
use super::steps::StepPlacement;
use super::target::Phase;
use msm_model::{Archive, Problems};

/// How the files of a send are grouped into transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transactions {
    /// Each is the smallest run of files that ends on a chunk boundary; the last one has what is left.
    Chunk,
    /// One has all files.
    All,
}

/// The number of files in each transaction. `requests` place all steps of the archive. What is appended in one
/// transaction then needs no object of the one before, but for the small arrays; and it lies behind it. What is put between
/// others is one transaction.
///
/// # Errors
/// Everything that does not fit the stores.
pub fn transactions(
    archive: &Archive,
    requests: &[StoreRequest],
    settings: &PlanSettings,
    group: Transactions,
) -> Result<Vec<usize>, Problems<PlanError>> {
    let (_, drafts) = draft(archive, requests, settings)?;
    // What takes the place of another tool's array has all steps at once; and what lies behind steps that are inserted is moved once.
    let is_one =
        |request: &StoreRequest| request.replaces_projected() || !request.moves().is_empty();
    if group == Transactions::All || requests.iter().any(is_one) {
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
    let mut reached: Vec<StoreReach> = requests.iter().map(StoreReach::new).collect();
    let mut first = 0;
    for length in archive.lengths() {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        for (request, reached) in requests.iter().zip(&mut reached) {
            // A store without steps has no places.
            let of_file = request.placed.get(first..first + length).unwrap_or(&[]);
            let adds = request.adds();
            reached.add(of_file, |place| {
                adds || request.writes(place, &settings.task)
            });
        }
        first += length;
        if let Some(group) = groups.last_mut() {
            *group += 1;
        }
        let even = |(reached, chunks): (&StoreReach, &Vec<u64>)| {
            reached.is_whole() && chunks.iter().all(|chunk| reached.end % chunk == 0)
        };
        if reached.iter().zip(&chunks).all(even) {
            groups.push(0);
        }
    }
    groups.retain(|&files| files > 0);
    Ok(groups)
}

/// How far some of the files get in one store.
struct StoreReach {
    /// The end of what they write.
    end: u64,
    /// The end of the store with them.
    length: u64,
    /// The steps it then has. The files of an update need not be in order: fewer than `length` if a later file has
    /// steps between theirs.
    steps: u64,
}

impl StoreReach {
    fn new(request: &StoreRequest) -> Self {
        let old = request.stored.as_ref().map_or(0, |s| s.steps.len() as u64);
        Self {
            end: 0,
            length: old,
            steps: old,
        }
    }

    fn add(&mut self, placed: &[StepPlacement], is_written: impl Fn(&StepPlacement) -> bool) {
        for place in placed {
            if !place.stored {
                self.length = self.length.max(place.at + 1);
                self.steps += 1;
            }
            if is_written(place) {
                self.end = self.end.max(place.at + 1);
            }
        }
    }

    fn is_whole(&self) -> bool {
        self.steps == self.length
    }
}
