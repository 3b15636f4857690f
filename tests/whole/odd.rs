//! Odd files: right, or refused by name.

use std::path::Path;

use hdf5_reader::checksum::jenkins_lookup3;
use nemo_like::{Format, Spec, Variable};

use crate::refusals::refused;
use crate::support::{Sandbox, alone, on_ranks, quietly, reads_back};

fn given(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/odd");
    root.join(name).to_str().unwrap().to_owned()
}

#[test]
fn stored_chunks_that_hdf5_would_convert() {
    for (name, store) in [
        ("edge_chunks_unfiltered.nc", "odd/v.zarr"),
        ("other_exponent_bias.nc", "odd/v.zarr"),
        ("fixed_array_below_its_maximum.nc", "odd/v.zarr"),
        ("implicit_index_below_its_maximum.nc", "odd/v.zarr"),
    ] {
        for ranks in [1, 3] {
            let sandbox = Sandbox::new();
            let (url, file) = (sandbox.url("ocean"), given(name));
            let place = ["-b", &url, "-p", "odd"];
            on_ranks(ranks, &[&["send"], &place[..], &["-f", &file]].concat()).well();
            let at = sandbox.path("ocean").join(store);
            reads_back(at.to_str().unwrap(), None, std::slice::from_ref(&file));
            alone(&[&["verify"], &place[..], &["--against", &file]].concat()).well();
        }
    }
}

#[test]
fn what_only_the_netcdf_library_cannot_follow_is_sent_and_not_compared() {
    let sandbox = Sandbox::new();
    let (url, file) = (sandbox.url("ocean"), given("references_broken.nc"));
    let place = ["-b", &url, "-p", "odd"];
    alone(&[&["send"], &place[..], &["-f", &file]].concat()).well();
    let document = std::fs::read_to_string(sandbox.path("ocean/odd/tos.zarr/tos/zarr.json"));
    let document: serde_json::Value = serde_json::from_str(&document.unwrap()).unwrap();
    let names = serde_json::json!(["time_counter", "y", "x"]);
    assert_eq!(document["dimension_names"], names);
    alone(&[&["verify"], &place[..]].concat()).well();
    let compared = alone(&[&["verify"], &place[..], &["--against", &file]].concat());
    assert_eq!(compared.code, 12, "{compared:#?}");
    assert!(compared.stderr.contains(&file), "{compared:#?}");
}

#[test]
fn attributes_of_types_that_the_file_defines_are_left_out() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let global = given("global_attribute_of_user_type.nc");
    let sent = on_ranks(3, &["send", "-b", &url, "-p", "global", "-f", &global]).well();
    assert!(
        sent.stdout.contains("left out") && sent.stdout.contains("'how'"),
        "{sent:#?}"
    );
    alone(&["verify", "-b", &url, "-p", "global", "--against", &global]).well();
    let variable = given("enum_with_fill.nc");
    let args = ["send", "-b", &url, "-p", "enum", "-f", &variable];
    refused(&sandbox, 15, &["'flag'", "enum", "-v"], &args);
    alone(&[&args[..], &["-v", "tos"]].concat()).well();
    let at = sandbox.path("ocean/enum/tos.zarr");
    reads_back(at.to_str().unwrap(), None, std::slice::from_ref(&variable));
}

#[test]
fn sizes_that_only_a_header_tells_of() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let make = |name: &str, side: usize| {
        let path = sandbox.path(name);
        quietly(|| {
            let mut file = netcdf::create(&path).unwrap();
            file.add_unlimited_dimension("time_counter").unwrap();
            file.add_dimension("y", side).unwrap();
            file.add_dimension("x", side).unwrap();
            let mut time = file
                .add_variable::<f64>("time_counter", &["time_counter"])
                .unwrap();
            time.put_attribute("units", "days since 2000-01-01")
                .unwrap();
            time.put_values(&[1.0], ..).unwrap();
            let mut small = file
                .add_variable::<f32>("small", &["time_counter"])
                .unwrap();
            small.put_values(&[1.0f32], ..).unwrap();
            let axes = ["time_counter", "y", "x"];
            let mut sparse = file.add_variable::<f32>("sparse", &axes).unwrap();
            sparse.set_chunking(&[1, 1024, 1024]).unwrap();
            sparse.set_compression(1, true).unwrap();
        });
        path.to_str().unwrap().to_owned()
    };
    let huge = make("huge.nc", 1 << 33);
    let args = ["send", "-b", &url, "-p", "huge", "-f", &huge];
    refused(&sandbox, 15, &["huge.nc", "'sparse'", "bytes"], &args);
    alone(&[&args[..], &["-v", "small"]].concat()).well();
    let large = make("large.nc", 1 << 20);
    let chunks = r#"{"y": 64, "x": 64}"#;
    let args = [
        "send", "-b", &url, "-p", "large", "-f", &large, "-cs", chunks,
    ];
    refused(&sandbox, 19, &["objects", "--chunk_strategy"], &args);
    // So many records that no file has them.
    let path = sandbox.path("ORCA_1m_grid_T_records.nc");
    let spec = Spec {
        format: Format::Cdf5,
        variables: vec![Variable::Tos],
        ..Spec::default()
    };
    nemo_like::write(&path, &spec).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4..12].copy_from_slice(&(1u64 << 61).to_be_bytes());
    std::fs::write(&path, bytes).unwrap();
    let args = ["send", "-b", &url, "-f", path.to_str().unwrap()];
    refused(&sandbox, 12, &["ORCA_1m_grid_T_records.nc"], &args);
}

#[test]
fn a_name_that_is_not_utf_8() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    for format in [Format::Classic, Format::NetCdf4] {
        let path = sandbox.path("ORCA_1m_grid_T_names.nc");
        let spec = Spec {
            format,
            variables: vec![Variable::Tos],
            ..Spec::default()
        };
        nemo_like::write(&path, &spec).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        for place in 0..bytes.len() - 8 {
            if bytes[place..].starts_with(b"nav_lat") {
                bytes[place + 2] = 0xff;
            }
        }
        std::fs::write(&path, bytes).unwrap();
        let args = ["send", "-b", &url, "-f", path.to_str().unwrap()];
        refused(&sandbox, 12, &["ORCA_1m_grid_T_names.nc"], &args);
    }
}

/// Gives the stored chunks of a file of one compressed variable a filter that no program has.
fn with_unknown_filter(bytes: &mut [u8]) {
    // Version 2, one filter; deflate, flags, one value.
    let deflate = [2, 1, 1, 0];
    let mut changed = 0;
    for place in 0..bytes.len() - 64 {
        if bytes[place..].starts_with(&deflate) && bytes[place + 6..].starts_with(&[1, 0]) {
            let block = bytes[..place]
                .windows(4)
                .rposition(|window| window == b"OHDR" || window == b"OCHK");
            let block = block.unwrap();
            let sum = |bytes: &[u8], end: usize| jenkins_lookup3(&bytes[block..end]).to_le_bytes();
            let is_end = |&end: &usize| sum(bytes, end) == bytes[end..end + 4];
            let Some(end) = (place..bytes.len() - 4).find(is_end) else {
                continue;
            };
            bytes[place + 2] = 200;
            let sum = sum(bytes, end);
            bytes[end..end + 4].copy_from_slice(&sum);
            changed += 1;
        }
    }
    assert!(changed > 0);
}

#[test]
fn a_filter_that_is_not_installed_is_told_before_anything_is_written() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let path = sandbox.path("ORCA_1m_grid_T_filter.nc");
    let spec = Spec {
        variables: vec![Variable::Tos],
        shuffle: false,
        ..Spec::default()
    };
    nemo_like::write(&path, &spec).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    with_unknown_filter(&mut bytes);
    std::fs::write(&path, bytes).unwrap();
    let args = [
        "send",
        "-b",
        &url,
        "-p",
        "T1m",
        "-f",
        path.to_str().unwrap(),
    ];
    refused(&sandbox, 15, &["filter 200", "HDF5_PLUGIN_PATH"], &args);
}

#[test]
fn a_name_that_unicode_knows_in_a_shorter_form_stays_as_the_file_has_it() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let path = sandbox.path("ORCA_1m_grid_T_unicode.nc");
    let spec = Spec {
        format: Format::Classic,
        variables: vec![Variable::Tos],
        ..Spec::default()
    };
    nemo_like::write(&path, &spec).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let name = "e\u{301}";
    let entry = [0, 0, 0, 3, b't', b'o', b's', 0];
    let places = 0..bytes.len() - entry.len();
    let places: Vec<usize> = places
        .filter(|&at| bytes[at..].starts_with(&entry))
        .collect();
    assert_eq!(places.len(), 1);
    bytes[places[0] + 4..places[0] + 7].copy_from_slice(name.as_bytes());
    std::fs::write(&path, bytes).unwrap();
    let file = path.to_str().unwrap().to_owned();
    let place = ["-b", &url, "-p", "odd"];
    on_ranks(3, &[&["send"], &place[..], &["-f", &file]].concat()).well();
    let store = sandbox.path(&format!("ocean/odd/{name}.zarr"));
    reads_back(store.to_str().unwrap(), None, std::slice::from_ref(&file));
    alone(&[&["verify"], &place[..], &["--against", &file]].concat()).well();
}
