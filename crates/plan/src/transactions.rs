//! Where one transaction ends and the next begins: at a file with which every store ends on a chunk boundary.

use super::draft::{StoreRequest, draft};
use super::error::PlanError;
use super::settings::PlanSettings;
use super::steps::StepPlacement;
use super::target::{Phase, TargetArray};
use msm_model::{Archive, Problems};

/// How the files of a send are grouped into transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transactions {
    /// Each is the smallest run of files that ends on a chunk boundary; the last one has what is left.
    Chunk,
    /// Each is as many of these, one after the other, as it takes to be worth the requests of a commit.
    Batch,
    /// One has all files.
    All,
}

/// What a transaction of a batch comes to at least, in decoded bytes: on a far server, a commit takes as long as a few dozen requests in a
/// row. It follows from the files and the arrays alone, never from how fast anything is.
const BATCH: u64 = 256 << 20;
/// An object takes as long as so many bytes, however small it is.
const OBJECT: u64 = 256 << 10;

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
    let mut cost_of_step = 0.0;
    for draft in drafts.iter().filter(|d| d.array.phase == Phase::Transfer) {
        if let Some(append) = &draft.array.append {
            let cost = cost_of_step_of(&draft.array, append.axis);
            for &store in &draft.array.stores {
                chunks[store].push(draft.array.chunk[append.axis]);
                cost_of_step += cost;
            }
        }
    }
    let mut groups = vec![0];
    let mut reached: Vec<StoreReach> = requests.iter().map(StoreReach::new).collect();
    let (mut first, mut cost) = (0, 0.0);
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
        cost += cost_of_step * length as f64;
        if let Some(group) = groups.last_mut() {
            *group += 1;
        }
        let even = |(reached, chunks): (&StoreReach, &Vec<u64>)| {
            reached.is_whole() && chunks.iter().all(|chunk| reached.end % chunk == 0)
        };
        let is_enough = group != Transactions::Batch || cost >= BATCH as f64;
        if is_enough && reached.iter().zip(&chunks).all(even) {
            groups.push(0);
            cost = 0.0;
        }
    }
    groups.retain(|&files| files > 0);
    Ok(groups)
}

/// What a step of `array` along this `axis` comes to in one store: its bytes, and its share of objects.
fn cost_of_step_of(array: &TargetArray, axis: usize) -> f64 {
    let sizes = array.shape.iter().zip(&array.chunk).enumerate();
    let (mut values, mut objects) = (1.0, 1.0);
    for (_, (&length, &chunk)) in sizes.filter(|(dimension, _)| *dimension != axis) {
        values *= length as f64;
        objects *= length.div_ceil(chunk.max(1)) as f64;
    }
    let objects = objects / array.chunk[axis].max(1) as f64;
    values * array.dtype.size() as f64 + objects * OBJECT as f64
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
