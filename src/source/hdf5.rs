//! The one file that calls HDF5's C functions: where the stored chunks of a NetCDF-4 variable lie in the file.
//!
//! Key types: [`H5File`], [`Dataset`], [`StoredChunk`]. Every call holds the lock that the NetCDF bindings hold too.
//! Anything unexpected is answered with `None`, which sends the reader to the NetCDF library.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::ffi::{CStr, CString, c_uint, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::null_mut;
use std::sync::Arc;

use hdf5::h5::H5open;
use hdf5::h5d::{
    H5D_layout_t, H5Dclose, H5Dget_chunk_info_by_coord, H5Dget_create_plist, H5Dget_num_chunks,
    H5Dget_space, H5Dget_type, H5Dopen2,
};
use hdf5::h5e::{H5E_DEFAULT, H5Eset_auto2};
use hdf5::h5f::{H5F_ACC_RDONLY, H5F_close_degree_t, H5Fclose, H5Fget_create_plist, H5Fopen};
use hdf5::h5i::hid_t;
use hdf5::h5p::{
    H5P_CLS_FILE_ACCESS, H5Pclose, H5Pcreate, H5Pget_chunk, H5Pget_fill_value, H5Pget_filter2,
    H5Pget_layout, H5Pget_nfilters, H5Pget_userblock, H5Pset_fclose_degree,
};
use hdf5::h5s::H5Sclose;
use hdf5::h5t::{H5T_class_t, H5T_order_t, H5Tclose, H5Tget_class, H5Tget_order, H5Tget_size};
use hdf5_metno_sys as hdf5;

/// HDF5 walks its whole chunk index at each look-up (1.10: `H5D__get_chunk_info_by_coord`), so beyond this many
/// chunks the NetCDF library is faster.
const MAX_CHUNKS: u64 = 20_000;

/// A filter of a chunk's pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    Shuffle,
    Deflate,
}

/// An HDF5 file open for reading.
pub(super) struct H5File(hid_t);

/// A chunked dataset whose chunks can be read straight from the file.
pub(super) struct Dataset {
    id: hid_t,
    /// Shape of a stored chunk.
    pub chunk: Vec<u64>,
    /// The filters in the order they were applied.
    pub filters: Vec<Filter>,
    /// The value, in little-endian bytes, of chunks that were never written.
    pub fill: Vec<u8>,
    _file: Arc<H5File>,
}

/// Where a stored chunk lies.
pub(super) struct StoredChunk {
    /// Byte offset in the file.
    pub address: u64,
    /// Bytes there.
    pub size: usize,
    /// Bit i set: filter i was not applied to this chunk.
    pub skipped_filters: u32,
}

/// Lets HDF5 open files on file systems that refuse locks (Lustre without `flock`). Call before any thread starts
/// and before the first open; a value the user set is kept.
pub fn allow_reading_without_locks() {
    if std::env::var_os("HDF5_USE_FILE_LOCKING").is_none() {
        // SAFETY: called first thing in `main`, while the process has one thread.
        unsafe { std::env::set_var("HDF5_USE_FILE_LOCKING", "FALSE") };
    }
}

/// Keeps HDF5 from printing its errors, which are ours to report. It holds that setting for each thread apart, so every
/// thread says it before its first call.
pub(super) fn quiet() {
    thread_local! {
        static QUIET: Cell<bool> = const { Cell::new(false) };
    }
    if !QUIET.replace(true) {
        let _lock = hdf5::LOCK.lock();
        // SAFETY: under the lock; a null function and null data are allowed and mean silence.
        unsafe { H5Eset_auto2(H5E_DEFAULT, None, null_mut()) };
    }
}

/// Closes an HDF5 handle when it goes out of scope.
struct Handle(hid_t, unsafe extern "C" fn(hid_t) -> hdf5::h5::herr_t);

impl Handle {
    fn new(id: hid_t, close: unsafe extern "C" fn(hid_t) -> hdf5::h5::herr_t) -> Option<Self> {
        (id >= 0).then_some(Self(id, close))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the id came from HDF5, is closed once, and every holder of a `Handle` holds the lock.
        unsafe { (self.1)(self.0) };
    }
}

impl H5File {
    /// Opens the file at `path`, which the NetCDF library has open already, or `None` if it is not a plain HDF5 file.
    ///
    /// HDF5 refuses to open a file twice with different close degrees, and versions of the NetCDF library differ.
    pub(super) fn open(path: &Path) -> Option<Self> {
        use H5F_close_degree_t::{H5F_CLOSE_SEMI, H5F_CLOSE_STRONG, H5F_CLOSE_WEAK};
        quiet();
        let path = CString::new(path.as_os_str().as_bytes()).ok()?;
        let _lock = hdf5::LOCK.lock();
        let degrees = [H5F_CLOSE_WEAK, H5F_CLOSE_SEMI, H5F_CLOSE_STRONG];
        let file = degrees
            .into_iter()
            .find_map(|degree| open_with(&path, degree))?;
        // SAFETY: under the lock; every id is checked before use.
        unsafe {
            let creation = Handle::new(H5Fget_create_plist(file.0), H5Pclose)?;
            let mut userblock = 1;
            H5Pget_userblock(creation.0, &raw mut userblock);
            if userblock != 0 {
                return None;
            }
        }
        let id = file.0;
        std::mem::forget(file);
        Some(Self(id))
    }

    /// The dataset of the root variable `name`, if it is chunked, holds little-endian numbers of `size` bytes in
    /// `rank` dimensions, and its filters are among shuffle and deflate.
    pub(super) fn dataset(
        self: &Arc<Self>,
        name: &str,
        rank: usize,
        size: usize,
    ) -> Option<Dataset> {
        quiet();
        let name = CString::new(format!("/{name}")).ok()?;
        let _lock = hdf5::LOCK.lock();
        // SAFETY: under the lock; ids are checked; buffers have the lengths they are announced with.
        unsafe {
            let dataset = Handle::new(H5Dopen2(self.0, name.as_ptr(), 0), H5Dclose)?;
            let creation = Handle::new(H5Dget_create_plist(dataset.0), H5Pclose)?;
            if H5Pget_layout(creation.0) != H5D_layout_t::H5D_CHUNKED {
                return None;
            }
            let kind = Handle::new(H5Dget_type(dataset.0), H5Tclose)?;
            let class = H5Tget_class(kind.0);
            let number = class == H5T_class_t::H5T_INTEGER || class == H5T_class_t::H5T_FLOAT;
            let little = size == 1 || H5Tget_order(kind.0) == H5T_order_t::H5T_ORDER_LE;
            if !number || !little || H5Tget_size(kind.0) != size {
                return None;
            }
            let mut chunk = vec![0; rank];
            let found = H5Pget_chunk(creation.0, i32::try_from(rank).ok()?, chunk.as_mut_ptr());
            if usize::try_from(found).ok()? != rank {
                return None;
            }
            let space = Handle::new(H5Dget_space(dataset.0), H5Sclose)?;
            let mut chunks = 0;
            if H5Dget_num_chunks(dataset.0, space.0, &raw mut chunks) < 0 || chunks > MAX_CHUNKS {
                return None;
            }
            let mut fill = vec![0u8; size];
            if H5Pget_fill_value(creation.0, kind.0, fill.as_mut_ptr().cast::<c_void>()) < 0 {
                return None;
            }
            let filters = filters_of(creation.0)?;
            let id = dataset.0;
            std::mem::forget(dataset);
            Some(Dataset {
                id,
                chunk,
                filters,
                fill,
                _file: Arc::clone(self),
            })
        }
    }
}

/// Opens a file; the caller holds the lock.
fn open_with(path: &CStr, degree: H5F_close_degree_t) -> Option<Handle> {
    // SAFETY: the caller holds the lock; `path` outlives the calls; every id is checked before use.
    unsafe {
        // The classes' ids are set when the library starts.
        if H5open() < 0 {
            return None;
        }
        let access = Handle::new(H5Pcreate(*H5P_CLS_FILE_ACCESS), H5Pclose)?;
        H5Pset_fclose_degree(access.0, degree);
        Handle::new(H5Fopen(path.as_ptr(), H5F_ACC_RDONLY, access.0), H5Fclose)
    }
}

/// The filter pipeline of a dataset, or `None` if it holds one that is not ours to undo.
///
/// # Safety
/// `creation` must be a dataset creation property list, and the lock held.
unsafe fn filters_of(creation: hid_t) -> Option<Vec<Filter>> {
    // SAFETY: as promised by the caller; null pointers ask HDF5 to leave these answers out.
    unsafe {
        let count = c_uint::try_from(H5Pget_nfilters(creation)).ok()?;
        (0..count)
            .map(|index| {
                let (mut flags, mut values) = (0, 0);
                let flags = &raw mut flags;
                match H5Pget_filter2(
                    creation,
                    index,
                    flags,
                    &raw mut values,
                    null_mut(),
                    0,
                    null_mut(),
                    null_mut(),
                ) {
                    1 => Some(Filter::Deflate),
                    2 => Some(Filter::Shuffle),
                    _ => None,
                }
            })
            .collect()
    }
}

impl Dataset {
    /// The stored chunk that begins at `origin`: `Ok(None)` if it was never written.
    ///
    /// # Errors
    /// If HDF5 cannot tell.
    pub(super) fn stored_chunk(&self, origin: &[u64]) -> Result<Option<StoredChunk>, String> {
        quiet();
        let _lock = hdf5::LOCK.lock();
        let (mut skipped_filters, mut address, mut size) = (0, 0, 0);
        // SAFETY: under the lock; `origin` has the dataset's rank, the other pointers are to locals.
        let status = unsafe {
            let (mask, address, size) = (&raw mut skipped_filters, &raw mut address, &raw mut size);
            H5Dget_chunk_info_by_coord(self.id, origin.as_ptr(), mask, address, size)
        };
        if status < 0 {
            return Err(format!("HDF5 cannot locate the stored chunk at {origin:?}"));
        }
        if address == u64::MAX {
            return Ok(None);
        }
        Ok(Some(StoredChunk {
            address,
            size: usize::try_from(size)
                .map_err(|_| format!("the stored chunk at {origin:?} is too large"))?,
            skipped_filters,
        }))
    }
}

impl Drop for Dataset {
    fn drop(&mut self) {
        let _lock = hdf5::LOCK.lock();
        // SAFETY: under the lock; the id is ours and closed once.
        unsafe { H5Dclose(self.id) };
    }
}

impl Drop for H5File {
    fn drop(&mut self) {
        let _lock = hdf5::LOCK.lock();
        // SAFETY: under the lock; the id is ours and closed once.
        unsafe { H5Fclose(self.0) };
    }
}
