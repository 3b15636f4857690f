//! Reading hyperslabs: straight from the file, on all threads of the rank; and through the NetCDF library (one lock a
//! process) what only that can read, or where a second opinion is asked for.
//!
//! Key types: [`Reader`], the files of an archive; [`Block`], decoded values handed to the caller's sink.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use msm_model::{Hyperslab, copy_block};
use rayon::prelude::*;
use tracing::{debug, trace};

use super::error::SourceError;
use super::open::OpenFile;
use super::runs::parts;
use super::storage::{StoredChunks, StoredValues, ValueStorage, bytes_of};
use super::stored::Scratch;
use crate::events::{Stage, StageClock};

/// Bytes that a stored one can become at most, as deflate goes (RFC 1951).
const MAX_RATIO: u64 = 1032;

/// Files kept open at a time.
const OPEN_FILES: usize = 8;

/// Decoded values of one box of a variable, row-major, little-endian. It can reach beyond what was asked for, and
/// beyond the variable's edges, where the values mean nothing.
pub(crate) struct Block<'a> {
    /// Where the values lie in the variable.
    pub slab: &'a Hyperslab,
    /// The values.
    pub values: &'a [u8],
}

type Sink<'a> = &'a (dyn Fn(Block<'_>) + Sync);

/// Reads hyperslabs of an archive's files, by their index in the archive.
pub(crate) struct Reader {
    paths: Vec<PathBuf>,
    open: Mutex<VecDeque<(usize, Arc<OpenFile>)>>,
    /// Does it read all through the NetCDF library?
    second: bool,
    /// Counts the time that it takes.
    clock: Arc<StageClock>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::new());
}

impl Reader {
    /// A reader of these files; none is opened yet.
    #[must_use]
    pub(crate) fn new(paths: Vec<PathBuf>) -> Self {
        Self {
            paths,
            open: Mutex::default(),
            second: false,
            clock: Arc::default(),
        }
    }

    /// The same, whose time is counted by `clock`.
    #[must_use]
    pub(crate) fn timed_by(self, clock: &Arc<StageClock>) -> Self {
        Self {
            clock: Arc::clone(clock),
            ..self
        }
    }

    /// A reader that reads numbers and characters through the NetCDF library.
    #[must_use]
    pub(crate) fn second(paths: Vec<PathBuf>) -> Self {
        Self {
            second: true,
            ..Self::new(paths)
        }
    }

    /// Reads `slab` of `variable`, whose values have `size` bytes, from file `file`, and hands it to `sink` in blocks
    /// that together cover it, from several threads at once. Each stored chunk is inflated once.
    ///
    /// # Errors
    /// If the file cannot be opened or read, or does not hold the slab.
    pub(crate) fn read(
        &self,
        file: usize,
        variable: &str,
        size: usize,
        slab: &Hyperslab,
        sink: Sink<'_>,
    ) -> Result<(), SourceError> {
        if slab.is_empty() {
            return Ok(());
        }
        let opened = self.opened(file)?;
        let read = opened.read(variable, size, slab, self.second, sink);
        read.map_err(|cause| opened.failed(variable, slab, cause))
    }

    /// The values of `slab` of `variable`, in one buffer; see [`Self::read`].
    ///
    /// # Errors
    /// As there.
    pub(crate) fn read_whole(
        &self,
        file: usize,
        variable: &str,
        size: usize,
        slab: &Hyperslab,
    ) -> Result<Vec<u8>, SourceError> {
        self.opened(file)?
            .read_whole(variable, size, slab, self.second)
    }

    fn opened(&self, file: usize) -> Result<Arc<OpenFile>, SourceError> {
        let mut open_files = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = open_files.iter().find(|f| f.0 == file) {
            return Ok(Arc::clone(&found.1));
        }
        let mut opened = OpenFile::new(&self.paths[file])?;
        opened.clock = Arc::clone(&self.clock);
        let opened = Arc::new(opened);
        if open_files.len() == OPEN_FILES {
            open_files.pop_front();
        }
        open_files.push_back((file, Arc::clone(&opened)));
        Ok(opened)
    }
}

impl OpenFile {
    /// The values of `slab` of `variable`, of `size` bytes each, in one buffer.
    ///
    /// # Errors
    /// If they cannot be read.
    pub(super) fn read_whole(
        &self,
        variable: &str,
        size: usize,
        slab: &Hyperslab,
        second: bool,
    ) -> Result<Vec<u8>, SourceError> {
        if slab.is_empty() {
            return Ok(Vec::new());
        }
        let failed = |cause| self.failed(variable, slab, cause);
        let values = Mutex::new(self.room_for(slab, size).map_err(failed)?);
        let sink = |block: Block<'_>| {
            let mut values = values.lock().unwrap_or_else(PoisonError::into_inner);
            copy_block(block.values, block.slab, &mut values, slab, slab, size);
        };
        self.read(variable, size, slab, second, &sink)
            .map_err(failed)?;
        Ok(values.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// A buffer for the values of `slab`, if they can be in the file: a header alone must not fill the memory.
    fn room_for(&self, slab: &Hyperslab, size: usize) -> Result<Vec<u8>, String> {
        let bytes = bytes_of(&slab.count, size);
        let length = self
            .raw
            .metadata()
            .map_err(|cause| cause.to_string())?
            .len();
        let most = length.saturating_mul(MAX_RATIO);
        let bytes = bytes.filter(|&bytes| bytes as u64 <= most);
        let bytes = bytes.ok_or_else(|| format!("a file of {length} bytes cannot hold them"))?;
        let mut values = Vec::new();
        let room = values.try_reserve_exact(bytes);
        room.map_err(|_| format!("{bytes} bytes do not fit into the memory"))?;
        values.resize(bytes, 0);
        Ok(values)
    }

    fn failed(&self, variable: &str, slab: &Hyperslab, cause: String) -> SourceError {
        SourceError::Read {
            path: self.path.clone(),
            variable: variable.to_owned(),
            start: slab.start.clone(),
            count: slab.count.clone(),
            cause,
        }
    }

    fn read(
        &self,
        variable: &str,
        size: usize,
        slab: &Hyperslab,
        second: bool,
        sink: Sink<'_>,
    ) -> Result<(), String> {
        if let Some(kind) = self.texts(variable)? {
            let values = &self.read_texts(variable, kind, size, slab, second)?;
            sink(Block { slab, values });
            return Ok(());
        }
        self.read_values(variable, size, slab, second, sink)
    }

    /// Reads numbers or characters.
    pub(super) fn read_values(
        &self,
        variable: &str,
        size: usize,
        slab: &Hyperslab,
        second: bool,
        sink: Sink<'_>,
    ) -> Result<(), String> {
        let placed = self.placed(variable)?;
        let StoredValues { shape, .. } = &*placed;
        let ends = slab.start.iter().zip(&slab.count).zip(shape);
        let is_within = |((&start, &count), &length): ((&u64, &u64), &u64)| {
            start.checked_add(count).is_some_and(|end| end <= length)
        };
        if size != placed.size
            || slab.start.len() != shape.len()
            || !ends.into_iter().all(is_within)
        {
            return Err(format!(
                "it has values of {} bytes and shape {shape:?}",
                placed.size
            ));
        }
        let (start, count) = (&slab.start, &slab.count);
        trace!(variable, ?start, ?count, second, "reading");
        let through_library = || {
            debug!(variable, ?start, ?count, "the NetCDF library reads");
            let library = self.library()?;
            let library = library.lock().unwrap_or_else(PoisonError::into_inner);
            let begun = Instant::now();
            let values = library.read(variable, size, slab);
            let bytes = values.as_ref().map_or(0, Vec::len);
            self.clock.add(Stage::Read, begun, bytes);
            values
        };
        match &placed.place {
            ValueStorage::Library { why, .. } => {
                let values = through_library().map_err(|cause| {
                    format!("only the NetCDF library can read it, for {why}: {cause}")
                })?;
                let values = &values;
                sink(Block { slab, values });
            }
            _ if second => {
                let values = &through_library()?;
                sink(Block { slab, values });
            }
            ValueStorage::Fill(fill) => {
                let mut values = fill.repeat(index(slab.len()));
                swap(&placed, &mut values);
                let values = &values;
                sink(Block { slab, values });
            }
            ValueStorage::Inline(values) => {
                let mut values = values.clone();
                swap(&placed, &mut values);
                let whole = Hyperslab {
                    start: vec![0; shape.len()],
                    count: shape.clone(),
                };
                let (slab, values) = (&whole, &values);
                sink(Block { slab, values });
            }
            ValueStorage::Run { begin, stride } => {
                self.read_run(&placed, *begin, *stride, slab, sink)?;
            }
            ValueStorage::Chunks(chunks) => self.read_chunks(&placed, chunks, slab, sink)?,
        }
        Ok(())
    }

    fn read_run(
        &self,
        placed: &StoredValues,
        begin: u64,
        stride: Option<u64>,
        slab: &Hyperslab,
        sink: Sink<'_>,
    ) -> Result<(), String> {
        let parts = parts(slab, &placed.shape, placed.size, stride.is_some());
        each(parts, |part| {
            SCRATCH.with_borrow_mut(|scratch| {
                let record = stride.map_or(0, |stride| stride * part.slab.start[0]);
                let at = begin + record + part.first * placed.size as u64;
                let values = &mut scratch.stored;
                values.resize(index(part.slab.len()) * placed.size, 0);
                let bytes = values.len();
                let read = || self.raw.read_exact_at(values, at);
                self.clock
                    .time(Stage::Read, bytes, read)
                    .map_err(|cause| format!("the values at byte {at}: {cause}"))?;
                self.clock
                    .time(Stage::Decode, bytes, || swap(placed, values));
                let slab = &part.slab;
                sink(Block { slab, values });
                Ok(())
            })
        })
    }

    fn read_chunks(
        &self,
        placed: &StoredValues,
        chunks: &StoredChunks,
        slab: &Hyperslab,
        sink: Sink<'_>,
    ) -> Result<(), String> {
        let size = placed.size;
        let grid = grid(slab, &chunks.shape);
        each(0..grid.iter().product::<u64>(), |place| {
            let slab = &Hyperslab {
                start: origin(slab, &chunks.shape, &grid, place),
                count: chunks.shape.clone(),
            };
            let Some(stored) = chunks.at(&slab.start) else {
                let mut values = chunks.fill.repeat(chunks.bytes / size);
                swap(placed, &mut values);
                let values = &values;
                sink(Block { slab, values });
                return Ok(());
            };
            SCRATCH.with_borrow_mut(|scratch| {
                scratch.stored.resize(stored.size, 0);
                let read = || self.raw.read_exact_at(&mut scratch.stored, stored.address);
                self.clock
                    .time(Stage::Read, stored.size, read)
                    .map_err(|cause| format!("the stored chunk at {:?}: {cause}", slab.start))?;
                let (filters, skipped) = (&chunks.filters, stored.skipped_filters);
                let values = self.clock.time(Stage::Decode, chunks.bytes, || {
                    let values = scratch.decode(filters, skipped, chunks.bytes, size)?;
                    swap(placed, values);
                    Ok::<_, String>(values)
                })?;
                sink(Block { slab, values });
                Ok(())
            })
        })
    }
}

/// Does `work` on each of `all`: side by side on the pool that asks for it, elsewhere one after the other.
fn each<T>(
    all: impl IntoIterator<Item = T> + IntoParallelIterator<Item = T>,
    work: impl Fn(T) -> Result<(), String> + Send + Sync,
) -> Result<(), String> {
    if rayon::current_thread_index().is_some() {
        return all.into_par_iter().try_for_each(work);
    }
    all.into_iter().try_for_each(work)
}

/// Puts values into the byte order in which they travel.
fn swap(placed: &StoredValues, values: &mut [u8]) {
    if placed.is_big_endian {
        values
            .chunks_exact_mut(placed.size)
            .for_each(<[u8]>::reverse);
    }
}

/// The numbers of chunks of shape `chunk` that `slab` touches, along each dimension.
fn grid(slab: &Hyperslab, chunk: &[u64]) -> Vec<u64> {
    let along = |d: usize| {
        let last = (slab.start[d] + slab.count[d] - 1) / chunk[d];
        last - slab.start[d] / chunk[d] + 1
    };
    (0..chunk.len()).map(along).collect()
}

/// The origin of the one of these number `place`, in row-major order.
fn origin(slab: &Hyperslab, chunk: &[u64], grid: &[u64], mut place: u64) -> Vec<u64> {
    let mut origin = vec![0; chunk.len()];
    for d in (0..chunk.len()).rev() {
        origin[d] = (slab.start[d] / chunk[d] + place % grid[d]) * chunk[d];
        place /= grid[d];
    }
    origin
}

/// An index of values in memory. What is in memory fits into the address space.
fn index(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
