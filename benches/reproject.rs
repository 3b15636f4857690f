//! Reprojection at the size of eORCA025: computing the weights, and applying them to a field. `docs/reprojection.md` has the
//! figures. The grid is a regular one turned until its pole lies in Siberia, as skewed as an ORCA grid and without land.

use std::error::Error;
use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use msm_model::{DType, Number};
use msm_reproject::{Corners, Method, SourceGrid, TargetGrid, Values, weights};

const NY: usize = 1206;
const NX: usize = 1440;
const FILL: f32 = 1e20;

fn main() -> Result<(), Box<dyn Error>> {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(5))
        .configure_from_args();
    let source = source()?;
    let target = TargetGrid::global(NX, NY);
    let field: Vec<u8> = (0..NY * NX)
        .flat_map(|cell| value(cell).to_le_bytes())
        .collect();
    let missing = vec![Number::Float(f64::from(FILL))];
    let values = Values::new(DType::F32, missing, FILL.to_le_bytes().to_vec());
    let mut row = vec![0; field.len()];
    for method in [
        Method::Nearest,
        Method::NearestLonlat,
        Method::Bilinear,
        Method::Conservative,
    ] {
        let name = method.name();
        let mut group = criterion.benchmark_group("weights");
        group.bench_function(name, |b| {
            b.iter(|| weights(method, black_box(&source), &target, 0..NY));
        });
        group.finish();
        let table = weights(method, &source, &target, 0..NY)?;
        println!("{name}: {} MB of weights", table.bytes() / 1_000_000);
        let mut group = criterion.benchmark_group("apply on one core");
        group.throughput(Throughput::Bytes(field.len() as u64));
        group.bench_function(name, |b| {
            b.iter(|| values.apply(&table, black_box(&field), 0, &mut row));
        });
        group.finish();
    }
    let (source, target) = (region()?, TargetGrid::global(1000, 800));
    let mut group = criterion.benchmark_group("weights of a region to the globe");
    for method in [Method::Nearest, Method::NearestLonlat] {
        group.bench_function(method.name(), |b| {
            b.iter(|| weights(method, black_box(&source), &target, 0..target.ny));
        });
    }
    group.finish();
    criterion.final_summary();
    Ok(())
}

/// 1000 × 800 cells from 20° W to 13° E, 40° to 65° N.
fn region() -> Result<SourceGrid, Box<dyn Error>> {
    let cells = (0..800).flat_map(|j| (0..1000).map(move |i| (f64::from(j), f64::from(i))));
    let places = cells.map(|(j, i)| (-20.0 + 0.033 * (i + 0.5), 40.0 + 0.03125 * (j + 0.5)));
    let (longitude, latitude): (Vec<f64>, Vec<f64>) = places.unzip();
    Ok(SourceGrid::new(800, 1000, longitude, latitude, None)?)
}

/// A third of the cells are land, in patches.
fn value(cell: usize) -> f32 {
    let (j, i) = (cell / NX, cell % NX);
    if (j / 90 + i / 120) % 3 == 0 {
        FILL
    } else {
        (j as f32).sin() + (i as f32).cos()
    }
}

fn source() -> Result<SourceGrid, Box<dyn Error>> {
    // Degrees of the point at row j and column i, halves for corners, before and after the turn about the y axis.
    let point = |j: f64, i: f64| {
        let (latitude, longitude) = (-90.0 + j * 180.0 / NY as f64, i * 360.0 / NX as f64);
        let (z, rim) = latitude.to_radians().sin_cos();
        let (y, x) = longitude.to_radians().sin_cos();
        let (x, y) = (x * rim, y * rim);
        let (sin, cos) = 24f64.to_radians().sin_cos();
        let (x, z) = (x * cos + z * sin, z * cos - x * sin);
        (
            y.atan2(x).to_degrees() + 73.0,
            z.clamp(-1.0, 1.0).asin().to_degrees(),
        )
    };
    let cells = || (0..NY).flat_map(|j| (0..NX).map(move |i| (j as f64, i as f64)));
    let centres = cells().map(|(j, i)| point(j + 0.5, i + 0.5));
    let (longitude, latitude): (Vec<f64>, Vec<f64>) = centres.unzip();
    let corners = cells().flat_map(|(j, i)| {
        let ring = [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (1.0, 0.0)];
        ring.map(|(dj, di)| point(j + dj, i + di))
    });
    let (corner_longitude, corner_latitude): (Vec<f64>, Vec<f64>) = corners.unzip();
    let corners = Corners::new(corner_longitude, corner_latitude);
    Ok(SourceGrid::new(NY, NX, longitude, latitude, Some(corners))?)
}
