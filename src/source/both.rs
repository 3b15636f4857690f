//! What this program reads of files, and what the NetCDF library does, are the same. `MSM_OS_TEST_FILES` names a directory of
//! more files.

use std::path::{Path, PathBuf};

use msm_model::{Attribute, Catalogue, Hyperslab, Variable, VariableType};
use nemo_like::{Format, Spec};
use netcdf::types::NcVariableType;

use super::hdf5::Type;
use super::library::{attribute, kind};
use super::open::OpenFile;
use super::reader::Reader;

/// Larger variables are not read whole.
const MAX_BYTES: u64 = 64 << 20;

/// Compares attributes, whatever their order.
fn same_attributes<'a>(
    ours: &[(String, Attribute)],
    odd: usize,
    theirs: impl Iterator<Item = netcdf::Attribute<'a>>,
) -> Result<(), String> {
    let theirs: Vec<_> = theirs.collect();
    if ours.len() + odd != theirs.len() {
        return Err(format!("{} attributes, {} there", ours.len(), theirs.len()));
    }
    for theirs in theirs {
        let name = theirs.name();
        let Some((_, found)) = ours.iter().find(|ours| ours.0 == name) else {
            continue;
        };
        let value = attribute(theirs.value().map_err(|cause| cause.to_string())?);
        if found.to_json() != value.to_json() {
            return Err(format!("attribute '{name}' is {found:?}, {value:?} there"));
        }
    }
    Ok(())
}

/// An error says what is not the same of the file at `path`.
fn same(path: &Path) -> Result<(), String> {
    let theirs = netcdf::open(path).map_err(|cause| format!("the library: {cause}"))?;
    let file = OpenFile::new(path).map_err(|cause| cause.to_string())?;
    let ours = file.catalogue().map_err(|cause| cause.to_string())?;
    let dimensions = theirs.dimensions().map(|d| (d.name(), d.len() as u64));
    let dimensions: Vec<_> = dimensions.collect();
    if ours.dimensions != dimensions {
        return Err(format!(
            "dimensions {:?}, {dimensions:?} there",
            ours.dimensions
        ));
    }
    let odd = |of: Option<&String>| {
        let odd = ours.odd_attributes.iter();
        odd.filter(|(owner, _)| owner.as_ref() == of).count()
    };
    same_attributes(&ours.attributes, odd(None), theirs.attributes())?;
    let names: Vec<String> = theirs.variables().map(|v| v.name()).collect();
    let found: Vec<&String> = ours.variables.iter().map(|v| &v.name).collect();
    if found != names.iter().collect::<Vec<_>>() {
        return Err(format!("variables {found:?}, {names:?} there"));
    }
    for (ours_, theirs) in ours.variables.iter().zip(theirs.variables()) {
        same_attributes(
            &ours_.attributes,
            odd(Some(&ours_.name)),
            theirs.attributes(),
        )
        .and_then(|()| same_variable(&ours, ours_, &theirs, path))
        .map_err(|problem| format!("variable '{}': {problem}", ours_.name))?;
    }
    Ok(())
}

fn same_variable(
    catalogue: &Catalogue,
    ours: &Variable,
    theirs: &netcdf::Variable<'_>,
    path: &Path,
) -> Result<(), String> {
    let mut shape: Vec<u64> = theirs.dimensions().iter().map(|d| d.len() as u64).collect();
    if matches!(theirs.vartype(), NcVariableType::Char) {
        shape.truncate(ours.shape.len());
    }
    if ours.shape != shape {
        return Err(format!("shape {:?}, {shape:?} there", ours.shape));
    }
    let VariableType::Number(dtype) = ours.kind else {
        return Ok(());
    };
    if kind(&theirs.vartype()) != Type::Number(dtype) {
        return Err(format!("{dtype}, {:?} there", theirs.vartype()));
    }
    let is_too_large = ours.shape.iter().product::<u64>() * dtype.size() as u64 > MAX_BYTES;
    if is_too_large || catalogue.unreadable.contains_key(&ours.name) {
        return Ok(());
    }
    let whole = Hyperslab {
        start: vec![0; shape.len()],
        count: shape,
    };
    let read = |reader: Reader| {
        let values = reader.read_whole(0, &ours.name, dtype.size(), &whole);
        values.map_err(|cause| cause.to_string())
    };
    let paths = vec![path.to_owned()];
    let (found, expected) = (
        read(Reader::new(paths.clone()))?,
        read(Reader::second(paths))?,
    );
    if found == expected {
        Ok(())
    } else {
        let pairs = found
            .chunks(dtype.size())
            .zip(expected.chunks(dtype.size()));
        let differing = pairs.filter(|(a, b)| a != b).count();
        Err(format!("{differing} values are others"))
    }
}

fn below(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            below(&path, found);
        } else if path
            .extension()
            .is_some_and(|e| ["nc", "nc4", "cdf"].iter().any(|n| e == *n))
        {
            found.push(path);
        }
    }
}

/// Writes a file with strings, packed integers in part-full chunks, and values in one run.
pub(crate) fn write_strings(path: &Path) {
    let mut file = netcdf::create(path).unwrap();
    file.add_unlimited_dimension("time_counter").unwrap();
    file.add_dimension("x", 7).unwrap();
    let mut time = file
        .add_variable::<f64>("time_counter", &["time_counter"])
        .unwrap();
    time.put_attribute("units", "days since 1976-01-01")
        .unwrap();
    time.put_values(&[0.5, 1.5], ..).unwrap();
    let mut data = file
        .add_variable::<i16>("data", &["time_counter", "x"])
        .unwrap();
    data.set_chunking(&[1, 3]).unwrap();
    data.set_compression(4, true).unwrap();
    data.put_attribute("scale_factor", 0.5).unwrap();
    data.put_values(&(0..14).collect::<Vec<i16>>(), ..).unwrap();
    let mut names = file.add_string_variable("names", &["x"]).unwrap();
    for place in 0..7 {
        names.put_string(&format!("name {place}"), [place]).unwrap();
    }
    let mut depth = file.add_variable::<f32>("depth", &["x"]).unwrap();
    depth.put_values(&[1.0f32; 7], ..).unwrap();
    file.close().unwrap();
}

#[test]
fn files_are_what_the_netcdf_library_says() {
    let root = tempfile::tempdir().unwrap();
    let formats = [
        Format::Classic,
        Format::Offset64,
        Format::Cdf5,
        Format::NetCdf4,
        Format::NetCdf4Classic,
    ];
    let mut paths: Vec<PathBuf> = Vec::new();
    for (number, format) in formats.into_iter().enumerate() {
        for deflate in [0, 1] {
            let path = root.path().join(format!("{number}_{deflate}.nc"));
            let spec = Spec {
                steps: 3,
                format,
                deflate,
                ..Spec::default()
            };
            nemo_like::write(&path, &spec).unwrap();
            paths.push(path);
        }
    }
    let strings = root.path().join("strings.nc");
    write_strings(&strings);
    paths.push(strings);
    if let Some(asked) = std::env::var_os("MSM_OS_TEST_FILES") {
        below(Path::new(&asked), &mut paths);
    }
    paths.sort();
    let problems = paths.iter().filter_map(|path| {
        let problem = same(path).err()?;
        Some(format!("{}: {problem}", path.display()))
    });
    let problems: Vec<String> = problems.collect();
    println!(
        "{} of {} files are the same",
        paths.len() - problems.len(),
        paths.len()
    );
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
