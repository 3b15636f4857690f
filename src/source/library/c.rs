//! The one file that calls the C functions of NetCDF and HDF5. They have one lock a process.
//!
//! Key type: [`Library`].
#![allow(unsafe_code)]

use std::cell::Cell;
use std::ffi::{CStr, CString, c_int};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::null_mut;

use hdf5_metno_sys::h5::H5get_libversion;
use hdf5_metno_sys::h5e::{H5E_DEFAULT, H5Eset_auto2};
use msm_model::Hyperslab;
use netcdf_sys::{
    NC_ENOTNC4, NC_MAX_NAME, NC_NOERR, NC_NOWRITE, nc_close, nc_get_var_chunk_cache, nc_get_vara,
    nc_inq_libvers, nc_inq_nvars, nc_inq_type, nc_inq_varname, nc_inq_varndims, nc_inq_vartype,
    nc_open, nc_set_var_chunk_cache, nc_strerror,
};

/// A file that the NetCDF library has open.
pub(in crate::source) struct Library(c_int);

/// Lets HDF5 open files on file systems that refuse locks (Lustre without `flock`). Call before any thread starts
/// and before the first open; a value the user set is kept.
pub fn allow_reading_without_locks() {
    if std::env::var_os("HDF5_USE_FILE_LOCKING").is_none() {
        // SAFETY: called first thing in `main`, while the process has one thread.
        unsafe { std::env::set_var("HDF5_USE_FILE_LOCKING", "FALSE") };
    }
}

/// The versions of the NetCDF library and of HDF5 that this process runs with.
pub(crate) fn library_versions() -> Vec<(&'static str, String)> {
    // SAFETY: it returns a text that the library never changes nor frees.
    let netcdf = unsafe { CStr::from_ptr(nc_inq_libvers()) };
    let netcdf = netcdf.to_string_lossy();
    let mut versions = Vec::new();
    // `4.9.0 of May 28 2022 13:14:11 $`
    versions.extend(netcdf.split(' ').next().map(|v| ("netcdf", v.to_owned())));
    let (mut major, mut minor, mut release) = (0, 0, 0);
    let lock = hdf5_metno_sys::LOCK.lock();
    // SAFETY: under the lock; the three numbers outlive the call.
    let status = unsafe { H5get_libversion(&raw mut major, &raw mut minor, &raw mut release) };
    drop(lock);
    if status >= 0 {
        versions.push(("hdf5", format!("{major}.{minor}.{release}")));
    }
    versions
}

/// Keeps HDF5 from printing its errors, which are ours to report. It holds that setting for each thread apart, so every
/// thread says it before its first call.
pub(super) fn quiet() {
    thread_local! {
        static QUIET: Cell<bool> = const { Cell::new(false) };
    }
    if !QUIET.replace(true) {
        let _lock = hdf5_metno_sys::LOCK.lock();
        // SAFETY: under the lock; a null function and null data are allowed and mean silence.
        unsafe { H5Eset_auto2(H5E_DEFAULT, None, null_mut()) };
    }
}

impl Library {
    /// Opens the file at `path`, which is sound as far as this program can tell: damaged ones crash the library.
    ///
    /// # Errors
    /// As the library says.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        quiet();
        let path = CString::new(path.as_os_str().as_bytes()).map_err(|cause| cause.to_string())?;
        let _lock = netcdf_sys::libnetcdf_lock.lock();
        let mut id = 0;
        // SAFETY: under the lock; the path outlives the call.
        let status = unsafe { nc_open(path.as_ptr(), NC_NOWRITE, &raw mut id) };
        told(status).map(|()| Self(id))
    }

    /// The values of `slab` of `variable`, numbers or characters of `size` bytes, little-endian.
    ///
    /// # Errors
    /// As the library says.
    pub(crate) fn read(
        &self,
        variable: &str,
        size: usize,
        slab: &Hyperslab,
    ) -> Result<Vec<u8>, String> {
        quiet();
        let indices = |all: &[u64]| all.iter().map(|&index| index as usize).collect::<Vec<_>>();
        let (start, count) = (indices(&slab.start), indices(&slab.count));
        let mut values = vec![0u8; slab.len() as usize * size];
        let _lock = netcdf_sys::libnetcdf_lock.lock();
        let id = self.id_of(variable)?;
        self.keep_nothing_of(id)?;
        let (mut kind, mut rank, mut width) = (0, 0, 0);
        // SAFETY: under the lock; the pointers are to locals, and the values have the place that so many of the variable's type
        // take, which is looked at first.
        unsafe {
            told(nc_inq_vartype(self.0, id, &raw mut kind))?;
            told(nc_inq_varndims(self.0, id, &raw mut rank))?;
            told(nc_inq_type(self.0, kind, null_mut(), &raw mut width))?;
            if width != size || rank as usize != start.len() {
                return Err(format!("values of {width} bytes in {rank} dimensions"));
            }
            let into = values.as_mut_ptr().cast();
            told(nc_get_vara(
                self.0,
                id,
                start.as_ptr(),
                count.as_ptr(),
                into,
            ))?;
        }
        if cfg!(target_endian = "big") {
            values.chunks_exact_mut(size).for_each(<[u8]>::reverse);
        }
        Ok(values)
    }
}

impl Library {
    /// Lets the library give back the memory of each stored chunk that it has inflated: what is read is read once, and it would keep up
    /// to 64 MiB of every variable until the file is closed. The caller holds the lock.
    fn keep_nothing_of(&self, id: c_int) -> Result<(), String> {
        let (mut bytes, mut chunks, mut preemption) = (0, 0, 0.0);
        // SAFETY: the caller holds the lock; the pointers are to locals.
        let status = unsafe {
            nc_get_var_chunk_cache(
                self.0,
                id,
                &raw mut bytes,
                &raw mut chunks,
                &raw mut preemption,
            )
        };
        // Other formats have no chunks, and each change opens the variable anew.
        if status == NC_ENOTNC4 || status == NC_NOERR && bytes == 0 {
            return Ok(());
        }
        told(status)?;
        // SAFETY: the caller holds the lock; no pointers.
        told(unsafe { nc_set_var_chunk_cache(self.0, id, 0, 0, preemption) })
    }

    /// The library's id of `variable`; the caller holds the lock. It is not asked for by name, for the library takes names for
    /// others that Unicode's form C makes of them.
    fn id_of(&self, variable: &str) -> Result<c_int, String> {
        let mut count = 0;
        // SAFETY: the caller holds the lock; the pointers are to locals, and a name has room with its end.
        unsafe {
            told(nc_inq_nvars(self.0, &raw mut count))?;
            for id in 0..count {
                let mut name = [0; NC_MAX_NAME as usize + 1];
                told(nc_inq_varname(self.0, id, name.as_mut_ptr()))?;
                if CStr::from_ptr(name.as_ptr()).to_bytes() == variable.as_bytes() {
                    return Ok(id);
                }
            }
        }
        Err("the NetCDF library finds no such variable".to_owned())
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        let _lock = netcdf_sys::libnetcdf_lock.lock();
        // SAFETY: under the lock; the id is ours and closed once.
        unsafe { nc_close(self.0) };
    }
}

/// What the library says of `status`.
fn told(status: c_int) -> Result<(), String> {
    if status == NC_NOERR {
        return Ok(());
    }
    // SAFETY: it gives a text that is never freed, whatever the number.
    let text = unsafe { CStr::from_ptr(nc_strerror(status)) };
    Err(text.to_string_lossy().into_owned())
}
