//! Odd files: right, or refused by name.

use hdf5_reader::checksum::jenkins_lookup3;
use nemo_like::{Format, Spec, Variable};

use crate::line::msm_os;
use crate::support::{Sandbox, quietly};

fn given(name: &str) -> String {
    format!("{}/tests/data/odd/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A file `ORCA_1m_grid_T_{name}.nc` with `tos`, as `spec` has it, whose bytes are changed.
fn forged(sandbox: &Sandbox, name: &str, spec: Spec, change: impl Fn(&mut Vec<u8>)) -> String {
    let spec = Spec {
        variables: vec![Variable::Tos],
        ..spec
    };
    let file = sandbox.source_called(&format!("ORCA_1m_grid_T_{name}.nc"), &spec);
    let mut bytes = std::fs::read(&file).unwrap();
    change(&mut bytes);
    std::fs::write(&file, bytes).unwrap();
    file
}

#[test]
fn stored_chunks_that_hdf5_would_convert() {
    for name in [
        "edge_chunks_unfiltered.nc",
        "other_exponent_bias.nc",
        "fixed_array_below_its_maximum.nc",
        "implicit_index_below_its_maximum.nc",
    ] {
        for ranks in [1, 3] {
            let sandbox = Sandbox::new();
            let (url, file) = (sandbox.url("ocean"), given(name));
            msm_os!("send -b {url} -p odd -f {file}").well_on(ranks);
            sandbox.reads_back("ocean/odd/v.zarr", &[&file]);
            msm_os!("verify -b {url} -p odd --against {file}").well();
        }
    }
}

#[test]
fn what_only_the_netcdf_library_cannot_follow_is_sent_and_not_compared() {
    let sandbox = Sandbox::new();
    let (url, file) = (sandbox.url("ocean"), given("references_broken.nc"));
    msm_os!("send -b {url} -p odd -f {file}").well();
    let document = std::fs::read_to_string(sandbox.path("ocean/odd/tos.zarr/tos/zarr.json"));
    let document: serde_json::Value = serde_json::from_str(&document.unwrap()).unwrap();
    let names = serde_json::json!(["time_counter", "y", "x"]);
    assert_eq!(document["dimension_names"], names);
    let verify = msm_os!("verify -b {url} -p odd");
    verify.well();
    let against = verify.and(&format!("--against {file}"));
    against.alone().refused(12, &[&file]);
}

#[test]
fn attributes_of_types_that_the_file_defines_are_left_out() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let global = given("global_attribute_of_user_type.nc");
    let sent = msm_os!("send -b {url} -p global -f {global}").well_on(3);
    sent.says(&["left out", "'how'"]);
    msm_os!("verify -b {url} -p global --against {global}").well();
    let variable = given("enum_with_fill.nc");
    let send = msm_os!("send -b {url} -p enum -f {variable}");
    send.refused_in(&sandbox, 15, &["'flag'", "enum", "-v"]);
    send.and("-v tos").well();
    sandbox.reads_back("ocean/enum/tos.zarr", &[&variable]);
}

#[test]
fn sizes_that_only_a_header_tells_of() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let make = |name: &str, side: usize| {
        let path = sandbox.file(name);
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
        path
    };
    let huge = make("huge.nc", 1 << 33);
    let send = msm_os!("send -b {url} -p huge -f {huge}");
    send.refused_in(&sandbox, 15, &["huge.nc", "'sparse'", "bytes"]);
    send.and("-v small").well();
    let large = make("large.nc", 1 << 20);
    let chunks = r#"{"y": 64, "x": 64}"#;
    let send = msm_os!("send -b {url} -p large -f {large} -cs '{chunks}'");
    send.refused_in(&sandbox, 19, &["objects", "--chunk_strategy"]);
    // So many records that no file has them.
    let cdf5 = Spec {
        format: Format::Cdf5,
        ..Spec::default()
    };
    let file = forged(&sandbox, "records", cdf5, |bytes| {
        bytes[4..12].copy_from_slice(&(1u64 << 61).to_be_bytes());
    });
    let words = ["ORCA_1m_grid_T_records.nc"];
    msm_os!("send -b {url} -f {file}").refused_in(&sandbox, 12, &words);
}

#[test]
fn a_name_that_is_not_utf_8() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    for format in [Format::Classic, Format::NetCdf4] {
        let spec = Spec {
            format,
            ..Spec::default()
        };
        let file = forged(&sandbox, "names", spec, |bytes| {
            for place in 0..bytes.len() - 8 {
                if bytes[place..].starts_with(b"nav_lat") {
                    bytes[place + 2] = 0xff;
                }
            }
        });
        let words = ["ORCA_1m_grid_T_names.nc"];
        msm_os!("send -b {url} -f {file}").refused_in(&sandbox, 12, &words);
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
    let spec = Spec {
        shuffle: false,
        ..Spec::default()
    };
    let file = forged(&sandbox, "filter", spec, |bytes| with_unknown_filter(bytes));
    let words = ["filter 200", "HDF5_PLUGIN_PATH"];
    msm_os!("send -b {url} -p T1m -f {file}").refused_in(&sandbox, 15, &words);
}

#[test]
fn a_name_that_unicode_knows_in_a_shorter_form_stays_as_the_file_has_it() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let classic = Spec {
        format: Format::Classic,
        ..Spec::default()
    };
    let name = "e\u{301}";
    let file = forged(&sandbox, "unicode", classic, |bytes| {
        let entry = [0, 0, 0, 3, b't', b'o', b's', 0];
        let places = 0..bytes.len() - entry.len();
        let places: Vec<usize> = places
            .filter(|&at| bytes[at..].starts_with(&entry))
            .collect();
        assert_eq!(places.len(), 1);
        bytes[places[0] + 4..places[0] + 7].copy_from_slice(name.as_bytes());
    });
    msm_os!("send -b {url} -p odd -f {file}").well_on(3);
    sandbox.reads_back(&format!("ocean/odd/{name}.zarr"), &[&file]);
    msm_os!("verify -b {url} -p odd --against {file}").well();
}
