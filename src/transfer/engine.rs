//! Running units: the byte budget, the order, and the first error.
//!
//! Key type: [`Engine`].

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use msm_model::Hyperslab;
use msm_plan::{Derivation, ObjectGrid, Phase, Plan, TargetArray};
use msm_reproject::Weights;
use msm_zarr::{ChunkCodec, ZarrError};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tracing::{debug, trace};

use super::draw::Draw;
use super::error::TransferError;
use super::keep::UndoCopy;
use super::orders::{FinishedRecords, Orders};
use super::progress::Progress;
use super::put::WriteConditions;
use super::record::{ChunkRecord, Content, Verification};
use super::records::ChunkRecords;
use super::stored::{ReadMeans, StoredField};
use crate::events::{Reporter, StageClock};
use crate::source::Reader;
use crate::store::{Bucket, Entry, StoreError, Turnstile};
use crate::workers::Workers;

/// The byte budget is counted in these.
const PERMIT_BYTES: u64 = 64 << 10;

/// Sees what is put: which of the plan's arrays an object is of, where it lies in that, and its values, decoded.
pub(crate) type ValueWatch = Arc<dyn Fn(usize, &Hyperslab, &[u8]) + Send + Sync>;

/// What a rank works with.
#[derive(Clone)]
pub(crate) struct EngineMeans {
    /// Where objects are.
    pub bucket: Bucket,
    /// Threads that decode and encode.
    pub pool: Arc<Workers>,
    /// Who hears of each object.
    pub reporter: Arc<dyn Reporter>,
    /// Who sees its values.
    pub watch: Option<ValueWatch>,
}

/// One rank's engine.
pub(crate) struct Engine {
    pub(super) plan: Arc<Plan>,
    pub(super) rank: usize,
    pub(super) reader: Reader,
    pub(super) bucket: Bucket,
    pub(super) pool: Arc<Workers>,
    pub(super) reporter: Arc<dyn Reporter>,
    pub(super) watch: Option<ValueWatch>,
    pub(super) codecs: Vec<ChunkCodec>,
    /// Of each of the plan's arrays, the one that it is made of, if a store holds that.
    pub(super) sources: Vec<Option<Arc<StoredField>>>,
    /// What these are read with.
    pub(super) reading: ReadMeans,
    pub(super) weights: Arc<Vec<Weights>>,
    pub(super) verify: Verification,
    pub(super) progress: Arc<Progress>,
    pub(super) clock: Arc<StageClock>,
    pub(super) ids: Vec<String>,
    pub(super) resumed: bool,
    pub(super) done: FinishedRecords,
    pub(super) saved: BTreeMap<String, u64>,
    pub(super) conditions: WriteConditions,
    pub(super) draw: Draw,
    /// By array and chunk, what manifests say of the objects of which steps are moved.
    pub(super) before: HashMap<usize, HashMap<Vec<u64>, Content>>,
    /// By array and chunk, what was copied into the ledger before anything was written.
    copied: Mutex<HashMap<(usize, Vec<u64>), UndoCopy>>,
    /// The objects of each array.
    grids: Arc<Vec<ObjectGrid>>,
    /// Records that the journal does not have yet.
    noted: Mutex<Vec<ChunkRecord>>,
    memory: Arc<Semaphore>,
    /// The objects that are on their way.
    turns: Turnstile,
}

impl Engine {
    /// The engine of `rank` for `orders`; `weights` are those of the plan's projections.
    ///
    /// # Errors
    /// If an array's document is not one that this program can write.
    pub(crate) fn new(
        orders: &Orders,
        rank: usize,
        means: EngineMeans,
        weights: Arc<Vec<Weights>>,
        verify: Verification,
    ) -> Result<Arc<Self>, StoreError> {
        let plan = Arc::clone(&orders.plan);
        let codecs = plan
            .arrays
            .iter()
            .map(|a| ChunkCodec::new(&a.name, &a.document).map(|codec| codec.with_type(a.dtype)))
            .collect::<Result<_, _>>()?;
        let mut recorded = orders.recorded(rank);
        let sources = plan.arrays.iter().enumerate();
        let sources = sources.map(|(index, array)| {
            let field = source_of(array, &mut || recorded.remove(&index).unwrap_or_default());
            field.map(|field| field.map(Arc::new))
        });
        let sources = sources.collect::<Result<_, _>>()?;
        let clock = Arc::<StageClock>::default();
        let reader = if orders.second_opinion {
            Reader::second(plan.files.clone())
        } else {
            Reader::new(plan.files.clone())
        };
        Ok(Arc::new(Self {
            rank,
            sources,
            reading: ReadMeans {
                bucket: means.bucket.clone(),
                pool: Arc::clone(&means.pool),
                room: Arc::new(Semaphore::new(plan.reads)),
                clock: Arc::clone(&clock),
            },
            reader: reader.timed_by(&clock),
            clock,
            bucket: match verify {
                Verification::Server => means.bucket.claiming(),
                _ => means.bucket,
            },
            pool: means.pool,
            reporter: means.reporter,
            watch: means.watch,
            codecs,
            weights,
            verify,
            progress: Arc::default(),
            ids: orders.ids.clone(),
            resumed: orders.resumed,
            done: orders.done(),
            saved: orders.saved.clone(),
            conditions: orders.conditions,
            draw: Draw::default(),
            before: recorded,
            copied: Mutex::default(),
            grids: ChunkRecords::grids(&plan),
            noted: Mutex::default(),
            memory: Arc::new(Semaphore::new(permits(plan.in_flight) as usize)),
            turns: Turnstile::default(),
            plan,
        }))
    }

    /// How far it is.
    #[must_use]
    pub(crate) fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    /// What counts the time that its stages take.
    #[must_use]
    pub(crate) fn clock(&self) -> &StageClock {
        &self.clock
    }

    /// Keeps in mind what was copied into the ledger of what lies at `place`.
    pub(super) fn keep_in_mind(&self, place: (usize, Vec<u64>), before: UndoCopy) {
        let mut copied = self.copied.lock().unwrap_or_else(PoisonError::into_inner);
        copied.insert(place, before);
    }

    /// What was copied into the ledger of what lies at `place`, if something was: once.
    pub(super) fn in_mind(&self, place: &(usize, Vec<u64>)) -> Option<UndoCopy> {
        let mut copied = self.copied.lock().unwrap_or_else(PoisonError::into_inner);
        copied.remove(place)
    }

    /// Notes records for the journal: of objects that need not be written again, should the transaction be resumed.
    pub(super) fn note(&self, records: &[ChunkRecord]) {
        let sure = records.iter().filter(|record| record.is_sure()).cloned();
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.extend(sure);
    }

    /// What was noted since the last call.
    #[must_use]
    pub(crate) fn take_noted(&self) -> Vec<ChunkRecord> {
        std::mem::take(&mut *self.noted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Objects that are in hand at a time, and units, however small they are: as many as the server has room for, and those that are
    /// decoded meanwhile.
    pub(super) fn at_once(&self) -> usize {
        self.bucket.at_once() + self.pool.current_num_threads()
    }

    /// Waits until another object may be on its way, which it is until what is returned is dropped.
    ///
    /// # Errors
    /// If no more are to begin.
    pub(super) async fn turn(&self) -> Result<Entry, TransferError> {
        let has_room = |inside: u64| (inside as usize) < self.at_once();
        let entry = self.turns.enter(1, has_room).await;
        if self.progress.is_stopped() {
            return Err(TransferError::Stopped);
        }
        Ok(entry)
    }

    /// Does this rank's units of these `phases`, side by side, and returns the records of what was written.
    ///
    /// # Errors
    /// The first error, when all work in flight has ended.
    pub(crate) async fn run(
        self: Arc<Self>,
        phases: &'static [Phase],
    ) -> Result<ChunkRecords, TransferError> {
        let mut running = JoinSet::new();
        let mut records = ChunkRecords::new(&self.grids);
        let mut failure = None;
        let units = || {
            phases.iter().flat_map(|&phase| {
                let units = self.plan.units_of(self.rank, phase);
                units.map(move |unit| (unit, phase))
            })
        };
        self.begin_draw(units().map(|(unit, _)| unit));
        debug!(
            ?phases,
            units = units().count(),
            budget = self.plan.in_flight,
            "this rank's share"
        );
        for (index, phase) in units() {
            let memory = permits(self.plan.units.get(index).memory(&self.plan));
            // The semaphore is never closed.
            let Ok(permit) = Arc::clone(&self.memory).acquire_many_owned(memory).await else {
                break;
            };
            if self.progress.is_stopped() {
                break;
            }
            let free = self.memory.available_permits() as u64 * PERMIT_BYTES;
            trace!(
                unit = index,
                bytes = u64::from(memory) * PERMIT_BYTES,
                free,
                "a unit begins"
            );
            let engine = Arc::clone(&self);
            running.spawn(async move {
                let _permit = permit;
                let progress = engine.progress();
                let done = match phase {
                    Phase::Compare => engine.compare_unit(index).await.map(|()| Vec::new()),
                    Phase::Keep => engine.keep_all(index).await.map(|()| Vec::new()),
                    Phase::Transfer | Phase::Commit => engine.write_unit(index).await,
                };
                let goes_on = |error: &TransferError| error.is_stopped() || error.is_difference();
                if done.as_ref().is_err_and(|error| !goes_on(error)) {
                    progress.fail();
                }
                done
            });
            while running.len() >= self.at_once() {
                join(&mut running, &mut records, &mut failure).await;
            }
        }
        while !running.is_empty() {
            join(&mut running, &mut records, &mut failure).await;
        }
        match failure {
            // One before it may not have been looked at.
            Some(error) if error.is_difference() && self.progress.is_stopped() => {
                Err(TransferError::Stopped)
            }
            Some(error) => Err(error),
            None if self.progress.is_stopped() => Err(TransferError::Stopped),
            None => self.draw_late(&records).await.map(|()| records),
        }
    }
}

/// The stored array that `array` is made of, if it is made of one; `recorded` is what manifests say of that.
fn source_of(
    array: &TargetArray,
    recorded: &mut dyn FnMut() -> HashMap<Vec<u64>, Content>,
) -> Result<Option<StoredField>, ZarrError> {
    let Derivation::Stored(origin) = &array.origin.form else {
        return Ok(None);
    };
    let name = &array.origin.variable;
    let keys = ChunkCodec::new(name, &origin.document)?;
    let store = origin.store.clone();
    Ok(Some(StoredField {
        codec: ChunkCodec::new(name, &origin.document)?.with_type(array.dtype),
        object: origin.object.clone(),
        fill: origin.fill.clone(),
        key: Box::new(move |chunk| Some(keys.key(&store, chunk))),
        recorded: recorded(),
    }))
}

/// Waits for one unit to end; the first real error stays.
async fn join(
    running: &mut JoinSet<Result<Vec<ChunkRecord>, TransferError>>,
    records: &mut ChunkRecords,
    failure: &mut Option<TransferError>,
) {
    match running.join_next().await {
        Some(Ok(Ok(of_unit))) => of_unit.into_iter().for_each(|one| records.add(one)),
        Some(Ok(Err(error))) => TransferError::keep_first(failure, error),
        // A task that panicked has ended the job in the panic hook; without MPI, this thread panics as well.
        Some(Err(panicked)) => resume_unwind(panicked.into_panic()),
        None => {}
    }
}

/// Runs `work` on the `pool` and waits for it without holding a thread of the I/O runtime.
pub(super) async fn on_pool<T: Send + 'static>(
    pool: &Workers,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let (send, receive) = oneshot::channel();
    pool.spawn(move || {
        // No receiver: the run was dropped, and nobody wants the result.
        let _ = send.send(catch_unwind(AssertUnwindSafe(work)));
    });
    match receive.await {
        Ok(Ok(result)) => result,
        Ok(Err(panicked)) => resume_unwind(panicked),
        // It is always sent.
        Err(_) => std::future::pending().await,
    }
}

pub(super) fn permits(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX)
}
