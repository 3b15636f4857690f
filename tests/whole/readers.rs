//! xarray and zarr-python read what was sent, bit for bit, masked cells, attributes and coordinates included.

use nemo_like::Spec;

use crate::support::{Sandbox, alone, every_kind, on_ranks, reads_back, real_months, server};

#[test]
fn the_real_months_create_and_append() {
    let sandbox = Sandbox::new();
    let months = real_months();
    for (i, month) in months.iter().enumerate() {
        on_ranks(2, &["send", "-f", month, "-b", &sandbox.url("ocean")]).well();
        let store = sandbox.path("ocean/T1m/tos.zarr");
        reads_back(store.to_str().unwrap(), None, &months[..=i]);
    }
}

#[test]
fn the_real_months_in_one_send_to_s3() {
    let (sandbox, server) = (Sandbox::new(), server());
    let credentials = sandbox.credentials(&server);
    let months = real_months();
    // In any order: they are joined by time.
    let files = ["send", "-f", &months[2], &months[0], &months[1]];
    on_ranks(
        3,
        &[&files[..], &["-b", "ocean", "-c", &credentials]].concat(),
    )
    .well();
    reads_back("s3://ocean/T1m/tos.zarr", Some(&server), &months);
}

#[test]
fn every_variable_of_a_generated_file() {
    let sandbox = Sandbox::new();
    let file = sandbox.source(&Spec {
        steps: 2,
        ..Spec::default()
    });
    on_ranks(2, &["send", "-f", &file, "-b", &sandbox.url("ocean")]).well();
    for variable in ["thetao", "so", "e3t", "tos", "sos", "zos", "mldr10_1"] {
        let store = sandbox.path(&format!("ocean/T1m/{variable}.zarr"));
        reads_back(store.to_str().unwrap(), None, std::slice::from_ref(&file));
    }
}

#[test]
fn every_codec_is_read_without_a_warning() {
    let sandbox = Sandbox::new();
    let file = sandbox.source(&Spec::default());
    for codec in [
        "none",
        "zstd:3",
        "blosc:zstd:1:bitshuffle",
        "blosc:lz4:5:shuffle",
    ] {
        let args = [
            "-v",
            "thetao",
            "--codec",
            codec,
            "-b",
            &sandbox.url("ocean"),
            "-p",
            codec,
        ];
        alone(&[&["send", "-f", &file][..], &args].concat()).well();
        let store = sandbox.path(&format!("ocean/{codec}/thetao.zarr"));
        reads_back(store.to_str().unwrap(), None, std::slice::from_ref(&file));
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
        let prefix = i.to_string();
        on_ranks(
            2,
            &[
                "send",
                "-f",
                &file,
                "-b",
                &sandbox.url("ocean"),
                "-p",
                &prefix,
                "-v",
                "thetao",
                "tos",
            ],
        )
        .well();
        for variable in ["thetao", "tos"] {
            let store = sandbox.path(&format!("ocean/{i}/{variable}.zarr"));
            reads_back(store.to_str().unwrap(), None, std::slice::from_ref(&file));
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
            let args = [
                "send", "-f", file, "-b", &url, "-p", version, "-zv", version,
            ];
            on_ranks(3, &args).well();
        }
        let entries = std::fs::read_dir(sandbox.path("ocean").join(version)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        stores.extend(paths.filter(|p| p.extension().is_some()));
    }
    assert_eq!(stores.len(), 100, "{stores:?}");
    let stores: Vec<_> = stores.iter().map(|store| store.to_str().unwrap()).collect();
    reads_back(&stores.join(","), None, &files);
}
