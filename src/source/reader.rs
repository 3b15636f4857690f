//! Reading hyperslabs: stored chunks straight from the file where they can be decoded here, on all threads of the
//! rank, and through the NetCDF library (one lock a process) where not.
//!
//! Key types: [`Reader`], the files of an archive; [`Block`], decoded values handed to the caller's sink.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use netcdf::Extent;
use rayon::prelude::*;

use super::catalogue::open;
use super::characters::{kind_of_texts, read_texts};
use super::error::SourceError;
use super::hdf5::{Dataset, H5File, quiet};
use super::hyperslab::{Hyperslab, copy_block};
use super::stored::Scratch;

/// Files kept open at a time.
const OPEN_FILES: usize = 8;

/// Decoded values of one box of a variable, row-major, little-endian. It can reach beyond what was asked for, and
/// beyond the variable's edges, where the values mean nothing.
pub struct Block<'a> {
    /// Where the values lie in the variable.
    pub slab: &'a Hyperslab,
    /// The values.
    pub values: &'a [u8],
}

/// Reads hyperslabs of an archive's files, by their index in the archive.
pub struct Reader {
    paths: Vec<PathBuf>,
    open: Mutex<VecDeque<(usize, Arc<OpenFile>)>>,
}

struct OpenFile {
    raw: File,
    datasets: Mutex<HashMap<String, Option<Arc<Dataset>>>>,
    hdf5: Option<Arc<H5File>>,
    netcdf: netcdf::File,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::new());
}

impl Reader {
    /// A reader of these files; none is opened yet.
    #[must_use]
    pub fn new(paths: Vec<PathBuf>) -> Self {
        Self {
            paths,
            open: Mutex::default(),
        }
    }

    /// Reads `slab` of `variable`, whose values have `size` bytes, from file `file`, and hands it to `sink` in blocks
    /// that together cover it, from several threads at once. Each stored chunk is inflated once.
    ///
    /// # Errors
    /// If the file cannot be opened or read, or does not hold the slab.
    pub fn read(
        &self,
        file: usize,
        variable: &str,
        size: usize,
        slab: &Hyperslab,
        sink: &(dyn Fn(Block<'_>) + Sync),
    ) -> Result<(), SourceError> {
        if slab.is_empty() {
            return Ok(());
        }
        let opened = self.opened(file)?;
        let read = match opened.dataset(variable, slab.start.len(), size) {
            Some(dataset) => opened.read_stored(&dataset, size, slab, sink),
            None => opened.read_through_netcdf(variable, size, slab, sink),
        };
        read.map_err(|cause| SourceError::Read {
            path: self.paths[file].clone(),
            variable: variable.to_owned(),
            start: slab.start.clone(),
            count: slab.count.clone(),
            cause,
        })
    }

    /// The values of `slab` of `variable`, in one buffer; see [`Self::read`].
    ///
    /// # Errors
    /// As there.
    pub fn read_whole(
        &self,
        file: usize,
        variable: &str,
        size: usize,
        slab: &Hyperslab,
    ) -> Result<Vec<u8>, SourceError> {
        let values = Mutex::new(vec![0; index(slab.len()) * size]);
        let sink = |block: Block<'_>| {
            let mut values = values.lock().unwrap_or_else(PoisonError::into_inner);
            copy_block(block.values, block.slab, &mut values, slab, slab, size);
        };
        self.read(file, variable, size, slab, &sink)?;
        Ok(values.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn opened(&self, file: usize) -> Result<Arc<OpenFile>, SourceError> {
        let mut open_files = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = open_files.iter().find(|f| f.0 == file) {
            return Ok(Arc::clone(&found.1));
        }
        let path = &self.paths[file];
        let netcdf = open(path)?;
        let opened = Arc::new(OpenFile {
            raw: File::open(path).map_err(|cause| SourceError::Missing {
                path: path.clone(),
                cause,
            })?,
            datasets: Mutex::default(),
            hdf5: H5File::open(path).map(Arc::new),
            netcdf,
        });
        if open_files.len() == OPEN_FILES {
            open_files.pop_front();
        }
        open_files.push_back((file, Arc::clone(&opened)));
        Ok(opened)
    }
}

/// The values of `slab`: numbers little-endian, texts padded to `size`.
fn read_slab(
    netcdf: &netcdf::File,
    variable: &str,
    size: usize,
    slab: &Hyperslab,
) -> Result<Vec<u8>, String> {
    quiet();
    let variable = netcdf
        .variable(variable)
        .ok_or("the variable is not in this file")?;
    let extents: Vec<Extent> = slab
        .start
        .iter()
        .zip(&slab.count)
        .map(|(&start, &count)| Extent::SliceCount {
            start: index(start),
            count: index(count),
            stride: 1,
        })
        .collect();
    if let Some(kind) = kind_of_texts(&variable)? {
        return read_texts(&variable, kind, extents, index(slab.len()), size);
    }
    let mut values = vec![0; index(slab.len()) * size];
    variable
        .get_raw_values_into(&mut values, extents)
        .map_err(|cause| match cause {
            netcdf::Error::Netcdf(netcdf_sys::NC_ENOFILTER) => format!(
                "{cause}; it is compressed with a filter that is not installed: set HDF5_PLUGIN_PATH to its directory, or write the file with deflate where it is installed"
            ),
            cause => cause.to_string(),
        })?;
    if cfg!(target_endian = "big") {
        values.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    }
    Ok(values)
}

impl OpenFile {
    fn dataset(&self, variable: &str, rank: usize, size: usize) -> Option<Arc<Dataset>> {
        let mut datasets = self.datasets.lock().unwrap_or_else(PoisonError::into_inner);
        datasets
            .entry(variable.to_owned())
            .or_insert_with(|| {
                self.hdf5
                    .as_ref()?
                    .dataset(variable, rank, size)
                    .map(Arc::new)
            })
            .clone()
    }

    fn read_through_netcdf(
        &self,
        variable: &str,
        size: usize,
        slab: &Hyperslab,
        sink: &(dyn Fn(Block<'_>) + Sync),
    ) -> Result<(), String> {
        let values = &read_slab(&self.netcdf, variable, size, slab)?;
        sink(Block { slab, values });
        Ok(())
    }

    fn read_stored(
        &self,
        dataset: &Dataset,
        size: usize,
        slab: &Hyperslab,
        sink: &(dyn Fn(Block<'_>) + Sync),
    ) -> Result<(), String> {
        let decoded = index(dataset.chunk.iter().product()) * size;
        chunk_origins(slab, &dataset.chunk)
            .into_par_iter()
            .try_for_each(|origin| {
                let chunk = Hyperslab {
                    start: origin,
                    count: dataset.chunk.clone(),
                };
                let Some(stored) = dataset.stored_chunk(&chunk.start)? else {
                    let values = dataset.fill.repeat(decoded / size);
                    sink(Block {
                        slab: &chunk,
                        values: &values,
                    });
                    return Ok(());
                };
                SCRATCH.with_borrow_mut(|scratch| {
                    scratch.stored.resize(stored.size, 0);
                    self.raw
                        .read_exact_at(&mut scratch.stored, stored.address)
                        .map_err(|cause| {
                            format!("the stored chunk at {:?}: {cause}", chunk.start)
                        })?;
                    let values =
                        scratch.decode(&dataset.filters, stored.skipped_filters, decoded, size)?;
                    sink(Block {
                        slab: &chunk,
                        values,
                    });
                    Ok(())
                })
            })
    }
}

/// The origins of the chunks of shape `chunk` that `slab` touches, in row-major order.
fn chunk_origins(slab: &Hyperslab, chunk: &[u64]) -> Vec<Vec<u64>> {
    let mut origins = vec![Vec::new()];
    for (d, &length) in chunk.iter().enumerate() {
        let first = slab.start[d] / length;
        let last = (slab.start[d] + slab.count[d] - 1) / length;
        origins = origins
            .into_iter()
            .flat_map(|prefix| {
                (first..=last).map(move |i| prefix.iter().copied().chain([i * length]).collect())
            })
            .collect();
    }
    origins
}

/// An index of values in memory. What is in memory fits into the address space.
fn index(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}
