//! Reading texts through the NetCDF library: characters as raw bytes, NetCDF-4 strings by their pointers.
//!
//! Key function: [`read_texts`].
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char};

use netcdf::types::{NcTypeDescriptor, NcVariableType};
use netcdf::{AttributeValue, Extent, Variable};

use super::text::Kind;

/// A string as the NetCDF library hands it out: its own memory, or null for one that was never written.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Pointer(*mut c_char);

// SAFETY: `char *` is what the library reads strings into.
unsafe impl NcTypeDescriptor for Pointer {
    fn type_descriptor() -> NcVariableType {
        NcVariableType::String
    }
}

/// Does the variable hold texts, and how?
///
/// # Errors
/// If it holds characters of another encoding.
pub(super) fn kind_of_texts(variable: &Variable<'_>) -> Result<Option<Kind>, String> {
    match variable.vartype() {
        NcVariableType::String => Ok(Some(Kind::Strings)),
        NcVariableType::Char => {
            let encoding = match variable.attribute_value("_Encoding") {
                None => None,
                Some(value) => match value.map_err(|cause| cause.to_string())? {
                    AttributeValue::Str(text) => Some(text),
                    AttributeValue::Strs(texts) => texts.into_iter().next(),
                    _ => return Err("has an _Encoding that is not text".to_owned()),
                },
            };
            Kind::of_characters(encoding.as_deref()).map(Some)
        }
        _ => Ok(None),
    }
}

/// The texts in `extents`, `width` bytes each. Where there is one extent less than the variable has dimensions, its
/// texts lie along the last one.
///
/// # Errors
/// If the library cannot read them, or one is not UTF-8 or is wider.
pub(super) fn read_texts(
    variable: &Variable<'_>,
    kind: Kind,
    mut extents: Vec<Extent>,
    values: usize,
    width: usize,
) -> Result<Vec<u8>, String> {
    let mut runs = Vec::with_capacity(values * width);
    if kind == Kind::Strings {
        with_strings(variable, extents, |text| {
            kind.append(&mut runs, text, width)
        })?;
        return Ok(runs);
    }
    let mut length = 1;
    if let [.., last] = variable.dimensions()
        && extents.len() + 1 == variable.dimensions().len()
    {
        length = last.len();
        extents.push(Extent::SliceCount {
            start: 0,
            count: length,
            stride: 1,
        });
    }
    if length == 0 {
        return Ok(vec![0; values * width]);
    }
    let mut stored = vec![0; values * length];
    variable
        .get_raw_values_into(&mut stored, extents)
        .map_err(|cause| cause.to_string())?;
    for text in stored.chunks_exact(length) {
        kind.append(&mut runs, text, width)?;
    }
    Ok(runs)
}

/// Bytes of the longest string of a variable of strings.
///
/// # Errors
/// If the library cannot read them.
pub(super) fn longest_string(variable: &Variable<'_>) -> Result<u64, String> {
    let mut longest = 0;
    if variable.len() > 0 {
        let all = variable.dimensions().iter().map(|d| Extent::SliceCount {
            start: 0,
            count: d.len(),
            stride: 1,
        });
        with_strings(variable, all.collect(), |text| {
            longest = longest.max(text.len() as u64);
            Ok(())
        })?;
    }
    Ok(longest)
}

/// Hands each string in `extents` to `each`, in order, until one fails.
fn with_strings(
    variable: &Variable<'_>,
    extents: Vec<Extent>,
    mut each: impl FnMut(&[u8]) -> Result<(), String>,
) -> Result<(), String> {
    let mut strings: Vec<Pointer> = variable
        .get_values(extents)
        .map_err(|cause| cause.to_string())?;
    let done = strings.iter().try_for_each(|string| {
        if string.0.is_null() {
            return each(&[]);
        }
        // SAFETY: not null, so it is a C string of the library's, which is freed only below.
        each(unsafe { CStr::from_ptr(string.0) }.to_bytes())
    });
    let _lock = netcdf_sys::libnetcdf_lock.lock();
    // SAFETY: the pointers came from the library, which frees each of them once; it skips null ones.
    unsafe { netcdf_sys::nc_free_string(strings.len(), strings.as_mut_ptr().cast()) };
    done
}
