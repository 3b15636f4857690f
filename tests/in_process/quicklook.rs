//! `quicklook`: the values of the nearest cells, of the objects that are needed and no others, on any number of ranks.

use std::path::Path;
use std::sync::{Arc, Mutex};

use msm_chart::{Chart, Map};
use msm_zarr::{ChunkCodec, EncodedObject};
use nemo_like::{Format, Spec, Variable};
use serde_json::Value;

use super::dataset::Objects;
use super::support::{line, run};
use crate::Frame;
use crate::cli::Exit;
use crate::error::Error;
use crate::events::SilentReporter;
use crate::ranks::threads;
use crate::session::Session;
use crate::store::simulated::World;
use crate::store::{Conditional, Connection, Spot};
use crate::verbs::quicklook::{
    LevelChoice, PictureKind, Quicklook, QuicklookReport, StepChoice, quicklook,
};

const STORE: &str = "T1m/thetao.zarr";
const SHAPE: [usize; 4] = [3, 4, 24, 36];

/// Three months of a variable with levels.
fn sent(root: &Path) -> Objects {
    let path = root.join("ORCA_1m_grid_T.nc");
    let spec = Spec {
        grid: "36x24x4".parse().unwrap(),
        variables: vec![Variable::Thetao],
        steps: 3,
        format: Format::Classic,
        ..Spec::default()
    };
    nemo_like::write(&path, &spec).unwrap();
    let world = World::new(Conditional::Enforced);
    // Those at the edges reach beyond the grid.
    let chunks = r#"{"time_counter": 1, "deptht": 2, "y": 7, "x": 11}"#;
    let file = path.to_str().unwrap();
    let send = line(&["send", "-f", file, "-cs", chunks]);
    assert_eq!(run(&world.link(Vec::new()), &send), Exit::Ok);
    world.objects()
}

/// What rank 0 of so many draws of `objects`.
pub fn drawn(objects: &Objects, ranks: usize, request: &Quicklook) -> QuicklookReport {
    tried(objects, ranks, request).unwrap()
}

/// The same, or why it draws nothing.
fn tried(objects: &Objects, ranks: usize, request: &Quicklook) -> Result<QuicklookReport, Error> {
    let world = World::holding(Conditional::Enforced, objects);
    let reports = Mutex::new(Vec::new());
    threads(ranks, |ranks| {
        let connection = Connection::simulated(&world.link(Vec::new()));
        let session = Session::open(&connection, ranks, Arc::new(SilentReporter)).unwrap();
        let report = quicklook(&session, request);
        if ranks.rank() == 0 {
            reports.lock().unwrap().push(report);
        } else {
            assert!(report.is_err() || report.unwrap().charts.is_empty());
        }
    });
    reports.into_inner().unwrap().remove(0)
}

fn request(kind: PictureKind) -> Quicklook {
    Quicklook {
        spot: Spot::Below("T1m".to_owned()),
        kind,
        ..Quicklook::default()
    }
}

fn map(report: &QuicklookReport) -> &Map {
    match &report.picture.charts[..] {
        [Chart::Map(map)] => map,
        other => panic!("{other:?}"),
    }
}

/// Puts rubbish in the place of the objects of the variable that are not `needed`; returns how many are.
fn spoil(objects: &mut Objects, needed: impl Fn(&[u64]) -> bool) -> u64 {
    let mut count = 0;
    let within = format!("{STORE}/thetao/c/");
    for (key, object) in objects.iter_mut() {
        let Some(place) = key.strip_prefix(&within) else {
            continue;
        };
        let place: Vec<u64> = place.split('/').map(|n| n.parse().unwrap()).collect();
        if needed(&place) {
            count += 1;
        } else {
            *object = "rubbish".into();
        }
    }
    count
}

fn decoded(objects: &Objects, array: &str, place: &[u64]) -> Vec<f64> {
    let document = &objects[&format!("{STORE}/{array}/zarr.json")];
    let codec = ChunkCodec::new(array, std::str::from_utf8(document).unwrap()).unwrap();
    let key = codec.key(STORE, place);
    let Some(object) = objects.get(&key) else {
        return vec![f64::NAN; codec.values()];
    };
    let values = codec.decode(object).unwrap();
    let (singles, _) = values.as_chunks::<4>();
    singles
        .iter()
        .map(|bytes| f64::from(f32::from_le_bytes(*bytes)))
        .collect()
}

/// The values of a plane of an array, of objects below `leading` in the chunk grid, each of which has it as its number `within`.
fn plane(objects: &Objects, array: &str, leading: &[u64], within: usize) -> Vec<f64> {
    let document: Value =
        serde_json::from_slice(&objects[&format!("{STORE}/{array}/zarr.json")]).unwrap();
    let chunk = document["chunk_grid"]["configuration"]["chunk_shape"]
        .as_array()
        .unwrap();
    let [cy, cx] = [2, 1].map(|back| chunk[chunk.len() - back].as_u64().unwrap() as usize);
    let [_, _, ny, nx] = SHAPE;
    let mut all = vec![f64::NAN; ny * nx];
    for (y, x) in (0..ny).flat_map(|y| (0..nx).map(move |x| (y, x))) {
        let place = [leading, &[(y / cy) as u64, (x / cx) as u64]].concat();
        let values = decoded(objects, array, &place);
        let value = values[(within * cy + y % cy) * cx + x % cx];
        all[y * nx + x] = if value > 1e19 { f64::NAN } else { value };
    }
    all
}

/// The values of a step and a level; of land, NaN.
fn field(objects: &Objects, step: u64, level: u64) -> Vec<f64> {
    plane(objects, "thetao", &[step, level / 2], (level % 2) as usize)
}

fn point(longitude: f64, latitude: f64) -> [f64; 3] {
    let (x, y) = (longitude.to_radians(), latitude.to_radians());
    [y.cos() * x.cos(), y.cos() * x.sin(), y.sin()]
}

#[test]
fn each_pixel_has_the_value_of_the_nearest_cell_and_no_other_object_is_read() {
    let root = tempfile::tempdir().unwrap();
    let objects = sent(root.path());
    let expected = field(&objects, 1, 3);
    let [longitudes, latitudes] = ["nav_lon", "nav_lat"].map(|name| plane(&objects, name, &[], 0));
    let cells: Vec<[f64; 3]> = longitudes
        .iter()
        .zip(&latitudes)
        .map(|(x, y)| point(*x, *y))
        .collect();
    let mut spoilt = objects.clone();
    // The second step, the upper two of the four levels not.
    let needed = spoil(&mut spoilt, |place| place[..2] == [1, 1]);
    assert!(needed > 4);
    let mut asked = request(PictureKind::Map);
    asked.steps = vec![StepChoice::Number(1)];
    asked.level = Some(LevelChoice::Number(3));
    let report = drawn(&spoilt, 1, &asked);
    // Those that are all land are not stored.
    assert!(
        report.objects >= needed && report.objects <= 16,
        "{}",
        report.objects
    );
    let map = map(&report);
    let mut seen = 0;
    for (row, latitude) in map.latitudes.iter().enumerate().step_by(23) {
        for (column, longitude) in map.longitudes.iter().enumerate().step_by(31) {
            let place = point(*longitude, *latitude);
            let away = |cell: &[f64; 3]| {
                cell.iter()
                    .zip(place)
                    .map(|(a, b)| (a - b) * (a - b))
                    .sum::<f64>()
            };
            let least = cells.iter().map(away).fold(f64::INFINITY, f64::min);
            let mut nearest = cells
                .iter()
                .enumerate()
                .filter(|(_, cell)| away(cell) <= least + 1e-12);
            let value = map.values[row * map.longitudes.len() + column];
            if value.is_finite() {
                seen += 1;
                assert!(
                    nearest.any(|(cell, _)| expected[cell] == value),
                    "{longitude} {latitude}"
                );
            }
        }
    }
    assert!(seen > 100, "{seen}");
    // By time, on three ranks, it is the same picture.
    asked.steps = vec![StepChoice::Time("1976-02".to_owned())];
    let other = drawn(&spoilt, 3, &asked);
    assert_eq!(
        (other.picture.svg(), other.objects),
        (report.picture.svg(), report.objects)
    );
}

#[test]
fn a_part_of_the_world_takes_a_part_of_the_objects() {
    let root = tempfile::tempdir().unwrap();
    let objects = sent(root.path());
    let mut asked = request(PictureKind::Map);
    let whole = drawn(&objects, 1, &asked).objects;
    asked.frame = Some(Frame {
        west: 170.0,
        south: -20.0,
        east: 190.0,
        north: 10.0,
    });
    let report = drawn(&objects, 2, &asked);
    assert!(report.objects < whole, "{} of {whole}", report.objects);
    assert!(report.charts[0].statistics.is_some());
}

#[test]
fn means_are_those_of_the_values_and_the_same_on_any_number_of_ranks() {
    let root = tempfile::tempdir().unwrap();
    let objects = sent(root.path());
    for kind in [PictureKind::Series, PictureKind::Section] {
        let alone = drawn(&objects, 1, &request(kind));
        let svg = alone.picture.svg().unwrap();
        let on_three = drawn(&objects, 3, &request(kind));
        assert_eq!(on_three.picture.svg().unwrap(), svg);
        match &alone.picture.charts[..] {
            [Chart::Series(series)] => {
                assert_eq!(series.moments.len(), 3);
                for (step, moment) in series.moments.iter().enumerate() {
                    let values = field(&objects, step as u64, 0);
                    let there = values.iter().filter(|value| value.is_finite());
                    let (least, most) =
                        there.fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(*v), b.max(*v)));
                    assert!((least..=most).contains(&moment.value), "{step}");
                }
                assert_eq!(series.moments[0].date, "1976-01-16 12:00");
            }
            [Chart::Section(section)] => {
                assert_eq!(section.depths.len(), 4);
                assert!(section.depths.is_sorted() && section.statistics().is_some());
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn numbers_are_those_of_the_cells_however_many_pixels_there_are() {
    let root = tempfile::tempdir().unwrap();
    let mut objects = sent(root.path());
    let of = |objects: &Objects, kind, is_page, steps: &[u64], frame| {
        let mut asked = request(kind);
        asked.is_page = is_page;
        asked.frame = frame;
        asked.steps = steps.iter().copied().map(StepChoice::Number).collect();
        drawn(objects, 2, &asked).charts
    };
    let alone = of(&objects, PictureKind::Map, false, &[1], None).remove(0);
    let all = alone.statistics.unwrap();
    let values = field(&objects, 1, 0);
    let there = || values.iter().copied().filter(|value| value.is_finite());
    assert_eq!(all.least, there().fold(f64::INFINITY, f64::min));
    assert_eq!(all.greatest, there().fold(f64::NEG_INFINITY, f64::max));
    let page = of(&objects, PictureKind::Map, true, &[1], None);
    assert_eq!(page[0], alone);
    let sheet = of(&objects, PictureKind::Map, false, &[1, 0, 2, 1], None);
    // A step that is asked for twice is there once.
    assert_eq!((sheet.len(), &sheet[0]), (3, &alone));
    let series = of(&objects, PictureKind::Series, false, &[], None).remove(0);
    let means: Vec<f64> = sheet
        .iter()
        .map(|map| map.statistics.unwrap().mean)
        .collect();
    let found = series.statistics.unwrap();
    assert_eq!(
        found.least,
        means.iter().copied().fold(f64::INFINITY, f64::min)
    );
    assert_eq!(
        found.greatest,
        means.iter().copied().fold(f64::NEG_INFINITY, f64::max)
    );
    assert_eq!(
        (alone.bbox, alone.infinite),
        ([-180.0, -90.0, 180.0, 90.0], 0)
    );
    // A box within a cell has that of the cell, in every kind of picture.
    let frame = Some(Frame {
        west: -30.2,
        south: 0.1,
        east: -30.1,
        north: 0.2,
    });
    let small = of(&objects, PictureKind::Map, false, &[1], frame).remove(0);
    let within = small.statistics.unwrap();
    assert!(within.least == within.greatest && values.contains(&within.least));
    assert!((within.mean - within.least).abs() < 1e-6);
    assert_eq!(of(&objects, PictureKind::Map, true, &[1], frame)[0], small);
    let series = of(&objects, PictureKind::Series, false, &[], frame).remove(0);
    assert_eq!(series.bbox, small.bbox);
    // Two cells of the second step are infinite: of the sea, near the middle of the grid.
    let place = [1, 0, 1, 1];
    let document = &objects[&format!("{STORE}/thetao/zarr.json")];
    let codec = ChunkCodec::new("thetao", std::str::from_utf8(document).unwrap()).unwrap();
    let key = codec.key(STORE, &place);
    let mut bytes = codec.decode(&objects[&key]).unwrap();
    let is_sea = |index: &usize| {
        let value = f32::from_le_bytes(bytes[4 * index..4 * index + 4].try_into().unwrap());
        value < 1e19
    };
    let sea: Vec<usize> = (0..96).filter(is_sea).take(2).collect();
    for (index, value) in sea.iter().zip([f32::INFINITY, f32::NEG_INFINITY]) {
        bytes[4 * index..4 * index + 4].copy_from_slice(&value.to_le_bytes());
    }
    let EncodedObject::Stored(spoilt) = codec.encode(&bytes).unwrap() else {
        panic!("there are values in it");
    };
    // The ledger knows another one.
    objects.retain(|key, _| !key.contains(".msm-os/"));
    objects.insert(key, spoilt);
    for (kind, steps) in [
        (PictureKind::Map, &[1][..]),
        (PictureKind::Section, &[1]),
        (PictureKind::Series, &[]),
    ] {
        let chart = of(&objects, kind, false, steps, None).remove(0);
        let range = chart.statistics.unwrap();
        assert_eq!(
            (chart.infinite, range.mean.is_finite()),
            (2, true),
            "{kind:?}"
        );
    }
}

/// Some object of the array that is stored, the last of its keys.
fn last_of(objects: &Objects, store: &str, array: &str) -> String {
    let within = format!("{store}/{array}/c/");
    let mut keys = objects.keys().filter(|key| key.starts_with(&within));
    keys.next_back().unwrap().clone()
}

/// The charts, by store and array, and what failed besides, in words.
fn told(report: &QuicklookReport) -> (Vec<String>, Vec<String>) {
    let charts = report.charts.iter();
    let charts = charts.map(|chart| format!("{}/{}", chart.store, chart.array));
    let undrawn = report.undrawn.iter();
    let undrawn = undrawn.map(|part| format!("{} {:?}: {}", part.store, part.variable, part.cause));
    (charts.collect(), undrawn.collect())
}

#[test]
fn what_is_gone_or_damaged_costs_what_needs_it_and_is_named() {
    let root = tempfile::tempdir().unwrap();
    let mut objects = sent(root.path());
    let path = root.path().join("more_1m_grid_T.nc");
    let spec = Spec {
        grid: "36x24x4".parse().unwrap(),
        variables: vec![Variable::Tos, Variable::Thetao],
        steps: 3,
        format: Format::Classic,
        ..Spec::default()
    };
    nemo_like::write(&path, &spec).unwrap();
    let world = World::holding(Conditional::Enforced, &objects);
    let send = ["send", "-f", path.to_str().unwrap(), "-v", "compact"];
    let chunks = [r"-cs", r#"{"time_counter": 1}"#, "--lock-wait", "60s"];
    assert_eq!(
        run(
            &world.link(Vec::new()),
            &line(&[&send[..], &chunks].concat())
        ),
        Exit::Ok
    );
    objects = world.objects();
    let both = "T1m.zarr";
    let asked = request(PictureKind::Map);
    let (charts, failed) = told(&drawn(&objects, 1, &asked));
    assert_eq!(failed, [""; 0]);
    assert_eq!(
        charts,
        ["T1m.zarr/tos", "T1m.zarr/thetao", "T1m/thetao.zarr/thetao"]
    );
    for (store, array, left) in [
        (
            both,
            "tos",
            &["T1m.zarr/thetao", "T1m/thetao.zarr/thetao"][..],
        ),
        (both, "nav_lon", &["T1m/thetao.zarr/thetao"]),
        (both, "time_counter", &["T1m/thetao.zarr/thetao"]),
        (both, "deptht", &["T1m.zarr/tos", "T1m/thetao.zarr/thetao"]),
        (STORE, "nav_lat", &["T1m.zarr/tos", "T1m.zarr/thetao"]),
    ] {
        for change in ["gone", "rubbish", "another"] {
            let mut spoilt = objects.clone();
            let key = last_of(&objects, store, array);
            match change {
                "gone" => drop(spoilt.remove(&key)),
                "rubbish" => drop(spoilt.insert(key.clone(), "rubbish".into())),
                // It can be decoded, and is of another time.
                _ => {
                    let first = format!("{store}/{array}/c/");
                    let other = objects.keys().find(|key| key.starts_with(&first)).unwrap();
                    if *other == key {
                        continue;
                    }
                    spoilt.insert(key.clone(), objects[other].clone());
                }
            }
            let ranks = if change == "gone" { 3 } else { 1 };
            let report = drawn(&spoilt, ranks, &asked);
            let (charts, failed) = told(&report);
            assert_eq!(charts, left, "{array} {change}");
            assert!(!failed.is_empty() && failed.iter().all(|why| why.contains(&key)));
            let failure = report.failure().unwrap();
            assert_eq!(Exit::from(&failure), Exit::ForeignStore, "{failure}");
            assert_eq!(failure.to_string().matches(&key).count(), 1, "{failure}");
        }
    }
    // Of several steps, those that lack nothing are drawn; a series lacks all.
    let mut spoilt = objects.clone();
    let key = last_of(&objects, STORE, "thetao");
    spoilt.remove(&key);
    let mut steps = asked.clone();
    steps.spot = Spot::At(STORE.to_owned());
    steps.level = Some(LevelChoice::Number(3));
    steps.steps = (0..3).map(StepChoice::Number).collect();
    let report = drawn(&spoilt, 2, &steps);
    assert_eq!((report.charts.len(), report.undrawn.len()), (2, 1));
    let mut series = request(PictureKind::Series);
    series.spot = Spot::At(STORE.to_owned());
    series.level = Some(LevelChoice::Number(3));
    let why = tried(&spoilt, 2, &series).unwrap_err().to_string();
    assert!(why.contains(&key), "{why}");
    // Without the ledger nobody knows: fill values are what there is, and no cell lies where coordinates are not stored.
    spoilt.retain(|key, _| !key.contains(".msm-os/"));
    spoilt.remove(&last_of(&objects, STORE, "deptht"));
    let report = drawn(&spoilt, 2, &steps);
    assert_eq!((report.charts.len(), report.undrawn.len()), (3, 0));
    let [unstored] = &report.unstored[..] else {
        panic!("{:?}", report.unstored);
    };
    assert_eq!(
        (unstored.array.as_str(), unstored.objects, unstored.is_place),
        ("deptht", 1, false)
    );
    spoilt.remove(&last_of(&objects, STORE, "nav_lon"));
    let why = tried(&spoilt, 2, &steps).unwrap_err();
    assert_eq!(Exit::from(&why), Exit::NotReprojected, "{why}");
}

#[test]
fn a_store_that_cannot_be_drawn_leaves_the_others() {
    let root = tempfile::tempdir().unwrap();
    let mut objects = sent(root.path());
    let copy = |objects: &mut Objects, to: &str| {
        let of_store: Vec<(String, bytes::Bytes)> = { objects.iter() }
            .filter_map(|(key, object)| {
                let below = key.strip_prefix(STORE)?.strip_prefix('/')?;
                Some((format!("{to}/{below}"), object.clone()))
            })
            .collect();
        objects.extend(of_store);
    };
    // Documents that are none, no cells at all, too few steps.
    for to in ["a", "b", "c"] {
        copy(&mut objects, &format!("T1m/{to}.zarr"));
    }
    objects.insert("T1m/a.zarr/zarr.json".to_owned(), "{".into());
    objects.retain(|key, _| {
        !key.starts_with("T1m/b.zarr/nav_lon/c/") && !key.starts_with("T1m/b.zarr/nav_lat/c/")
    });
    let root_of = |store: &str| format!("T1m/{store}.zarr/zarr.json");
    let cut = objects[&root_of("c")].clone();
    let text = String::from_utf8(cut.to_vec()).unwrap();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    let arrays = document["consolidated_metadata"]["metadata"]
        .as_object_mut()
        .unwrap();
    for array in arrays.values_mut() {
        if array["shape"][0] == 3 {
            array["shape"][0] = 1.into();
        }
    }
    objects.insert(root_of("c"), document.to_string().into());
    let mut asked = request(PictureKind::Map);
    asked.steps = vec![StepChoice::Number(2)];
    for ranks in [1, 3] {
        let report = drawn(&objects, ranks, &asked);
        let (charts, failed) = told(&report);
        assert!(charts.contains(&format!("{STORE}/thetao")), "{charts:?}");
        let of = |store: &str| {
            let key = format!("T1m/{store}.zarr ");
            failed.iter().filter(|why| why.starts_with(&key)).count()
        };
        assert_eq!(["a", "b", "c"].map(of), [1, 1, 1], "{failed:?}");
        assert_eq!(
            Exit::from(&report.failure().unwrap()),
            Exit::ForeignStore,
            "{failed:?}"
        );
    }
}
