//! What the plan says of the memory that weights take, held against the bytes that making them allocates; and how many bytes
//! a target cell they may take.

// An allocator cannot be written without. Functions beside the test are of it.
#![allow(unsafe_code, clippy::unwrap_used)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use msm_model::DType;
use msm_plan::{Cells, CornerFields, Field, Projection};
use msm_reproject::{Corners, Method, SourceGrid, TargetGrid, weights};

struct Counting;

static HELD: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all is left to the system's allocator; only sizes are added up.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let held = HELD.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(held, Relaxed);
        // SAFETY: the caller's word.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        HELD.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's word.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

const THREADS: usize = 2;

fn projection(method: Method, [ny, nx]: [usize; 2], grid: TargetGrid) -> Projection {
    let field = |variable: &str| Field {
        path: "grid.nc".into(),
        variable: variable.to_owned(),
        dtype: DType::F32,
        leading: 0,
        fill: None,
    };
    let [longitude, latitude] = ["nav_lon", "nav_lat"];
    let bounds = || CornerFields::Bounds(["bounds_lon", "bounds_lat"].map(field));
    Projection {
        cells: Cells {
            ny,
            nx,
            coordinates: [longitude, latitude].map(str::to_owned),
            longitude: field(longitude),
            latitude: field(latitude),
            corners: (method == Method::Conservative).then(bounds),
        },
        method,
        grid,
        digest: String::new(),
    }
}

/// A regular grid, turned about the y axis: as skewed as a model's.
fn source([ny, nx]: [usize; 2], with_corners: bool) -> SourceGrid {
    let place = |j: f64, i: f64| {
        let (latitude, longitude) = (-90.0 + j * 180.0 / ny as f64, i * 360.0 / nx as f64);
        let (z, rim) = latitude.to_radians().sin_cos();
        let (y, x) = longitude.to_radians().sin_cos();
        let (x, y) = (x * rim, y * rim);
        let (sin, cos) = 24f64.to_radians().sin_cos();
        let (x, z) = (x * cos + z * sin, z * cos - x * sin);
        let latitude = z.clamp(-1.0, 1.0).asin().to_degrees();
        [(y.atan2(x).to_degrees() + 73.0) as f32, latitude as f32]
    };
    let column = |axis: usize, around: &[(f64, f64)]| {
        let mut values: Vec<f32> = Vec::with_capacity(ny * nx * around.len());
        for cell in 0..ny * nx {
            let (j, i) = ((cell / nx) as f64 + 0.5, (cell % nx) as f64 + 0.5);
            values.extend(around.iter().map(|(dj, di)| place(j + dj, i + di)[axis]));
        }
        values
    };
    let corners = [(-0.5, -0.5), (-0.5, 0.5), (0.5, 0.5), (0.5, -0.5)];
    let corners = with_corners.then(|| Corners::new(column(0, &corners), column(1, &corners)));
    let centre = [(0.0, 0.0)];
    SourceGrid::new(ny, nx, column(0, &centre), column(1, &centre), corners).unwrap()
}

/// One test: others in this process would be counted, too.
#[test]
fn weights_take_what_the_plan_says() {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(THREADS)
        .build()
        .unwrap();
    // Of the same, of a finer and of a much coarser grid.
    for (size, [nx, ny]) in [
        ([160, 240], [240, 160]),
        ([90, 120], [360, 180]),
        ([160, 240], [24, 16]),
    ] {
        for method in Method::ALL {
            let grid = TargetGrid::global(nx, ny);
            let plan = [projection(method, size, grid)];
            let (_, said) = Projection::peaks(&plan, THREADS as u64).next().unwrap();
            // The pool is there already.
            pool.install(|| ());
            let before = HELD.load(Relaxed);
            PEAK.store(before, Relaxed);
            let cells = source(size, method == Method::Conservative);
            let table = pool
                .install(|| weights(method, &cells, &grid, 0..ny))
                .unwrap();
            let peak = (PEAK.load(Relaxed) - before) as u64;
            let what = format!("{method:?} {size:?} to {ny} × {nx}");
            assert!(peak <= said, "{what}: {peak} bytes, the plan says {said}");
            assert!(
                said <= 4 * peak,
                "{what}: {peak} bytes, the plan says {said}"
            );
            let (bytes, said) = (table.bytes(), plan[0].table());
            assert!(
                bytes <= said && said <= 2 * bytes,
                "{what}: {bytes}, the plan says {said}"
            );
            let most = match method {
                Method::Nearest | Method::NearestLonlat => 4.0,
                Method::Bilinear if nx < 100 => 46.0,
                Method::Bilinear => 20.0,
                Method::Conservative => {
                    9.0 * (1.0 + (size[0] as f64 / ny as f64)) * (1.0 + size[1] as f64 / nx as f64)
                }
            };
            let of_target = bytes as f64 / grid.len() as f64;
            assert!(of_target <= most, "{what}: {of_target} bytes a target cell");
        }
    }
}
