//! Files as a reader sees them: layout, values, formats, and steps that do not care how they are
//! split over files.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;
use std::sync::LazyLock;

use nemo_like::{Chunks, Error, Format, Spec, Variable, file_name, write};
use rayon::{ThreadPool, ThreadPoolBuilder};
use tempfile::TempDir;

/// Runs a test on the one thread that all tests share. NetCDF turns HDF5's own error printing off for
/// the thread that opens the first file only; on any other, each attribute HDF5 looks for in vain
/// prints a page.
fn quietly(test: impl FnOnce() + Send) {
    static ONE_THREAD: LazyLock<ThreadPool> =
        LazyLock::new(|| ThreadPoolBuilder::new().num_threads(1).build().unwrap());
    ONE_THREAD.install(test);
}

/// A file made from the default spec with changes, and the folder that keeps it.
fn make(change: impl FnOnce(&mut Spec)) -> (TempDir, PathBuf, Spec) {
    let mut spec = Spec::default();
    change(&mut spec);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(file_name(&spec));
    write(&path, &spec).unwrap();
    (folder, path, spec)
}

fn values(path: &PathBuf, name: &str) -> Vec<f64> {
    let file = netcdf::open(path).unwrap();
    file.variable(name).unwrap().get_values(..).unwrap()
}

fn text(variable: &netcdf::Variable, attribute: &str) -> String {
    let value = variable.attribute_value(attribute).unwrap().unwrap();
    String::try_from(value).unwrap()
}

#[test]
fn the_layout_is_that_of_xios() {
    quietly(|| {
        let (_folder, path, spec) = make(|s| s.steps = 2);
        let file = netcdf::open(&path).unwrap();
        for (name, length) in [
            ("axis_nbounds", 2),
            ("nvertex", 4),
            ("x", 40),
            ("y", 30),
            ("deptht", 5),
            ("time_counter", 2),
        ] {
            let dimension = file.dimension(name).unwrap();
            assert_eq!(dimension.len(), length, "{name}");
            assert_eq!(dimension.is_unlimited(), name == "time_counter", "{name}");
        }
        for (name, bounds) in [
            ("nav_lat", "bounds_lat"),
            ("nav_lon", "bounds_lon"),
            ("deptht", "deptht_bounds"),
            ("time_centered", "time_centered_bounds"),
            ("time_counter", "time_counter_bounds"),
        ] {
            assert_eq!(text(&file.variable(name).unwrap(), "bounds"), bounds);
            assert!(file.variable(bounds).is_some(), "{bounds}");
        }
        let counter = file.variable("time_counter").unwrap();
        assert_eq!(text(&counter, "units"), "seconds since 1900-01-01 00:00:00");
        assert_eq!(text(&counter, "calendar"), "gregorian");
        for variable in spec.variables {
            let found = file.variable(variable.name()).unwrap();
            let dimensions: Vec<_> = found
                .dimensions()
                .iter()
                .map(netcdf::Dimension::name)
                .collect();
            assert_eq!(dimensions, variable.dimensions());
            assert_eq!(found.fill_value::<f32>().unwrap(), Some(1e20));
            assert_eq!(text(&found, "interval_write"), "1 month");
            let coordinates = if variable.has_depth() {
                "time_centered deptht nav_lat nav_lon"
            } else {
                "time_centered nav_lat nav_lon"
            };
            assert_eq!(text(&found, "coordinates"), coordinates);
        }
    });
}

#[test]
fn times_are_the_middle_of_their_bounds() {
    quietly(|| {
        let (_folder, path, _) = make(|s| s.steps = 3);
        let (centres, bounds) = (
            values(&path, "time_counter"),
            values(&path, "time_counter_bounds"),
        );
        for (centre, bounds) in centres.iter().zip(bounds.chunks(2)) {
            assert_eq!(*centre, 0.5 * (bounds[0] + bounds[1]));
        }
        assert_eq!(bounds[1], bounds[2]);
        assert_eq!(bounds[0], 27_758.0 * 86_400.0);
    });
}

#[test]
fn the_old_layout_leaves_units_off_time_counter() {
    quietly(|| {
        let (_folder, path, _) = make(|s| {
            s.time_units_on_counter = false;
            s.steps = 2;
        });
        let file = netcdf::open(&path).unwrap();
        let counter = file.variable("time_counter").unwrap();
        assert!(counter.attribute("units").is_none());
        assert!(file.variable("time_counter_bounds").is_none());
        assert!(
            file.variable("time_centered")
                .unwrap()
                .attribute("units")
                .is_some()
        );
        assert_eq!(values(&path, "time_counter"), [0.0, 1.0]);
    });
}

#[test]
fn a_step_is_the_same_in_whichever_file_it_is() {
    quietly(|| {
        let (_a, whole, _) = make(|s| s.steps = 4);
        let (_b, head, _) = make(|s| s.steps = 1);
        let (_c, tail, _) = make(|s| {
            s.start.month = 2;
            s.steps = 3;
            s.chunks = Some("time_counter=2,deptht=2,y=7,x=9".parse().unwrap());
        });
        for variable in Variable::ALL {
            let mut joined = values(&head, variable.name());
            joined.extend(values(&tail, variable.name()));
            assert_eq!(values(&whole, variable.name()), joined, "{variable}");
            let step = joined.len() / 4;
            assert_ne!(
                joined[..step],
                joined[step..2 * step],
                "{variable} does not vary"
            );
        }
    });
}

#[test]
fn the_same_spec_gives_the_same_bytes_and_another_seed_other_values() {
    quietly(|| {
        let (_a, first, _) = make(|_| {});
        let (_b, second, _) = make(|_| {});
        let (_c, third, _) = make(|s| s.seed = 7);
        assert_eq!(
            std::fs::read(&first).unwrap(),
            std::fs::read(second).unwrap()
        );
        assert_ne!(values(&first, "tos"), values(&third, "tos"));
        assert_eq!(values(&first, "nav_lon"), values(&third, "nav_lon"));
    });
}

#[test]
fn every_format_holds_the_same_values() {
    quietly(|| {
        let (_a, reference, _) = make(|s| s.steps = 2);
        for format in [
            Format::NetCdf4Classic,
            Format::Classic,
            Format::Offset64,
            Format::Cdf5,
        ] {
            let (_b, path, _) = make(|s| {
                s.steps = 2;
                s.format = format;
            });
            let start = std::fs::read(&path).unwrap()[..4].to_vec();
            let magic: &[u8] = match format {
                Format::Classic => b"CDF\x01",
                Format::Offset64 => b"CDF\x02",
                Format::Cdf5 => b"CDF\x05",
                Format::NetCdf4 | Format::NetCdf4Classic => b"\x89HDF",
            };
            assert_eq!(start, magic, "{format:?}");
            for name in ["thetao", "tos", "bounds_lat", "time_counter_bounds"] {
                assert_eq!(
                    values(&reference, name),
                    values(&path, name),
                    "{format:?} {name}"
                );
            }
        }
    });
}

#[test]
fn chunks_and_compression_are_as_asked() {
    quietly(|| {
        let chunks: Chunks = "time_counter=2,deptht=2,y=7,x=99".parse().unwrap();
        let (_folder, path, _) = make(|s| {
            s.chunks = Some(chunks);
            s.steps = 3;
            s.deflate = 0;
        });
        let file = netcdf::open(&path).unwrap();
        let sizes = |name| file.variable(name).unwrap().chunking().unwrap().unwrap();
        assert_eq!(sizes("so"), [2, 2, 7, 40]);
        assert_eq!(sizes("tos"), [2, 7, 40]);
        let (_folder, packed, _) = make(|s| s.steps = 3);
        let size = |path: &PathBuf| std::fs::metadata(path).unwrap().len();
        assert!(size(&packed) < size(&path));
    });
}

#[test]
fn a_file_without_steps_or_without_deep_variables_is_a_file() {
    quietly(|| {
        let (_folder, path, _) = make(|s| {
            s.steps = 0;
            s.variables = vec![Variable::Tos];
        });
        let file = netcdf::open(&path).unwrap();
        assert_eq!(file.dimension_len("time_counter"), Some(0));
        assert!(file.dimension("deptht").is_none());
        assert!(file.variable("so").is_none());
    });
}

#[test]
fn the_summary_counts_every_decoded_byte() {
    quietly(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.nc");
        let spec = Spec {
            steps: 2,
            ..Spec::default()
        };
        let summary = write(&path, &spec).unwrap();
        let file = netcdf::open(&path).unwrap();
        let bytes: usize = file.variables().map(|v| v.len() * v.vartype().size()).sum();
        assert_eq!(summary.decoded_bytes, bytes as u64);
        assert_eq!((summary.variables, summary.steps), (8, 2));
    });
}

#[test]
fn a_file_that_cannot_be_made_is_an_error_that_names_it() {
    quietly(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing").join("a.nc");
        let error = write(&path, &Spec::default()).unwrap_err();
        assert!(matches!(error, Error::Netcdf { .. }));
        assert!(error.to_string().contains("missing/a.nc"), "{error}");
    });
}
