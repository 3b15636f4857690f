//! xarray and zarr-python read what was sent, bit for bit, masked cells, attributes and coordinates included.

use nemo_like::Spec;

use crate::line::msm_os;
use crate::support::{Sandbox, every_kind, reads_back, real_months, served};

#[test]
fn the_real_months_create_and_append() {
    let sandbox = Sandbox::new();
    let (months, url) = (real_months(), sandbox.url("ocean"));
    for (i, month) in months.iter().enumerate() {
        msm_os!("send -f {month} -b {url}").well_on(2);
        sandbox.reads_back("ocean/T1m/tos.zarr", &months[..=i]);
    }
}

#[test]
fn the_real_months_in_one_send_to_s3() {
    let (_sandbox, server, bucket) = served();
    let months = real_months();
    // In any order: they are joined by time.
    let files = [2, 0, 1].map(|month| months[month].as_str()).join(" ");
    msm_os!("send -f {files} {bucket}").well_on(3);
    reads_back("s3://ocean/T1m/tos.zarr", Some(&server), &months);
}

#[test]
fn every_variable_of_a_generated_file() {
    let sandbox = Sandbox::new();
    let (file, url) = (sandbox.months(1, 2), sandbox.url("ocean"));
    msm_os!("send -f {file} -b {url}").well_on(2);
    for variable in ["thetao", "so", "e3t", "tos", "sos", "zos", "mldr10_1"] {
        sandbox.reads_back(&format!("ocean/T1m/{variable}.zarr"), &[&file]);
    }
}

#[test]
fn every_codec_is_read_without_a_warning() {
    let sandbox = Sandbox::new();
    let (file, url) = (sandbox.months(1, 1), sandbox.url("ocean"));
    for codec in [
        "none",
        "zstd:3",
        "blosc:zstd:1:bitshuffle",
        "blosc:lz4:5:shuffle",
    ] {
        msm_os!("send -f {file} -v thetao --codec {codec} -b {url} -p {codec}").well();
        sandbox.reads_back(&format!("ocean/{codec}/thetao.zarr"), &[&file]);
    }
}

#[test]
fn every_format_and_filter_of_a_source() {
    use nemo_like::Format::{Cdf5, Classic, NetCdf4, NetCdf4Classic, Offset64};
    let sandbox = Sandbox::new();
    let chunked = Some("time_counter=2,deptht=2,y=7,x=9".parse().unwrap());
    let cases = [
        (Classic, 0, None),
        (Offset64, 0, None),
        (Cdf5, 0, None),
        (NetCdf4Classic, 1, None),
        (NetCdf4, 0, chunked),
        (NetCdf4, 4, chunked),
    ];
    for (i, (format, deflate, chunks)) in cases.into_iter().enumerate() {
        let spec = Spec {
            format,
            deflate,
            chunks,
            steps: 3,
            shuffle: i % 2 == 1,
            ..Spec::default()
        };
        let file = sandbox.source_called(&format!("{i}.nc"), &spec);
        let url = sandbox.url("ocean");
        msm_os!("send -f {file} -b {url} -p {i} -v thetao tos").well_on(2);
        for variable in ["thetao", "tos"] {
            sandbox.reads_back(&format!("ocean/{i}/{variable}.zarr"), &[&file]);
        }
    }
}

#[test]
fn every_type_layout_and_filter() {
    let sandbox = Sandbox::new();
    let files = every_kind(&sandbox);
    let mut stores = Vec::new();
    for version in ["2", "3"] {
        let url = sandbox.url("ocean");
        for file in &files {
            msm_os!("send -f {file} -b {url} -p {version} -zv {version}").well_on(3);
        }
        let entries = std::fs::read_dir(sandbox.path("ocean").join(version)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        stores.extend(paths.filter(|p| p.extension().is_some()));
    }
    assert_eq!(stores.len(), 100, "{stores:?}");
    let stores: Vec<_> = stores.iter().map(|store| store.to_str().unwrap()).collect();
    reads_back(&stores.join(","), None, &files);
}
