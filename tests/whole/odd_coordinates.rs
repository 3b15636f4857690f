//! Coordinates that hold NaN, differ by rounding, come from elsewhere, or are not named.

use crate::refusals::refused;
use crate::support::{Ended, Sandbox, alone, on_ranks, reads_back};
use crate::texts::file;

fn run(ranks: usize, args: &[&str]) -> Ended {
    match ranks {
        1 => alone(args),
        _ => on_ranks(ranks, args),
    }
}

/// Two data variables on a grid whose coordinates have the type `dtype`, the `_FillValue` and the offset given.
pub fn on_grid(dtype: &str, fill: &str, offset: &str, named: bool) -> String {
    format!(
        r#"
f.createDimension("y", 5); f.createDimension("x", 6)
lon, lat = np.meshgrid(np.arange(6) * 60. - 150., np.arange(5) * 30. - 60.)
for name, values, units in (("nav_lon", lon, "degrees_east"), ("nav_lat", lat, "degrees_north")):
    c = f.createVariable(name, "{dtype}", ("y", "x"), fill_value={fill})
    c.units = units
    c[:] = values{offset}
for name in ("v0", "v1"):
    v = f.createVariable(name, "f8", ("time_counter", "y", "x"), fill_value=np.nan)
    if {}: v.coordinates = "nav_lat nav_lon"
    v[:] = np.arange(60).reshape(2, 5, 6) + first
"#,
        if named { "True" } else { "False" }
    )
}

#[test]
fn nan_is_the_fill_value_of_coordinates() {
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        let lines = on_grid("f8", "np.nan", "", true);
        let files = [0, 2].map(|first| file(&sandbox, &format!("{first}.nc"), first, &lines));
        let url = sandbox.url("ocean");
        for (file, flags) in files.iter().zip([&["-r"][..], &[]]) {
            let args = [&["send", "-f", file, "-b", &url, "-p", "t"], flags].concat();
            run(ranks, &args).well();
        }
        let compact = ["-p", "c", "-v", "compact", "-r", "--method", "bilinear"];
        run(
            ranks,
            &[&["send", "-f", &files[0], "-b", &url], &compact[..]].concat(),
        )
        .well();
        run(ranks, &["update", "-f", &files[1], "-b", &url, "-p", "t"]).well();
        run(
            ranks,
            &[
                "verify",
                "-b",
                &url,
                "-p",
                "t",
                "--against",
                &files[0],
                &files[1],
            ],
        )
        .well();
        for name in ["v0", "v1"] {
            let store = sandbox.path(&format!("ocean/t/{name}.zarr"));
            reads_back(store.to_str().unwrap(), None, &files);
        }
    }
}

#[test]
fn two_nans_are_one_mask() {
    let sandbox = Sandbox::new();
    // Of another sign.
    let other = "np.frombuffer(np.uint64(0xfff8000000000001).tobytes(), 'f8')[0]";
    let files = [(0, "np.nan"), (2, other)].map(|(first, fill)| {
        let lines = on_grid("f8", fill, "", true);
        file(&sandbox, &format!("{first}.nc"), first, &lines)
    });
    let url = sandbox.url("ocean");
    for file in &files {
        alone(&["send", "-f", file, "-b", &url, "-p", "t", "-r"]).well();
    }
    alone(&["send", "-f", &files[0], &files[1], "-b", &url, "-p", "u"]).well();
}

#[test]
fn coordinates_that_differ_by_rounding() {
    for (dtype, offset, ranks) in [
        ("f4", " * np.float32(1 + 1.2e-7)", 1),
        ("f8", " + 3e-16 * (1 + abs(values))", 3),
    ] {
        let sandbox = Sandbox::new();
        let url = sandbox.url("ocean");
        let first = file(&sandbox, "first.nc", 0, &on_grid(dtype, "None", "", true));
        let next = file(
            &sandbox,
            "next.nc",
            2,
            &on_grid(dtype, "None", offset, true),
        );
        let words = ["nav_l", "--coords-tolerance"];
        let both = ["send", "-f", &first, &next, "-b", &url, "-p", "t"];
        refused(&sandbox, 22, &words, &both);
        run(ranks, &["send", "-f", &first, "-b", &url, "-p", "t"]).well();
        for command in ["send", "update"] {
            let args = [command, "-f", &next, "-b", &url, "-p", "t"];
            let append: &[&str] = if command == "update" {
                &["--append-missing"]
            } else {
                &[]
            };
            refused(&sandbox, 22, &words, &[&args, append].concat());
            let tiny = ["--coords-tolerance", "1e-17"];
            refused(&sandbox, 22, &words, &[&args, append, &tiny].concat());
            run(
                ranks,
                &[&args, append, &["--coords-tolerance", "1e-6"]].concat(),
            )
            .well();
        }
        let against = ["verify", "-b", &url, "-p", "t", "--against", &first, &next];
        let differs = run(ranks, &against);
        assert_eq!(differs.code, 60, "{differs:#?}");
        let tolerant = [&against[..], &["--coords-tolerance", "1e-6"]].concat();
        run(ranks, &tolerant).well();
        // At once, and reprojected: the store keeps what it has.
        let args = [
            "send",
            "-b",
            &url,
            "-p",
            "r",
            "-r",
            "--coords-tolerance",
            "1e-6",
            "-f",
        ];
        run(ranks, &[&args[..], &[&first]].concat()).well();
        run(ranks, &[&args[..], &[&next]].concat()).well();
        run(
            ranks,
            &[
                "send",
                "-b",
                &url,
                "-p",
                "b",
                "--coords-tolerance",
                "1e-6",
                "-f",
                &first,
                &next,
            ],
        )
        .well();
        // What is no coordinate, and what is further off, is refused all the same.
        let far = file(
            &sandbox,
            "far.nc",
            4,
            &on_grid(dtype, "None", " + 1e-3", true),
        );
        let args = [
            "send",
            "-b",
            &url,
            "-p",
            "t",
            "--coords-tolerance",
            "1e-6",
            "-f",
            &far,
        ];
        refused(&sandbox, 22, &words, &args);
        refused(
            &sandbox,
            2,
            &["--coords-tolerance"],
            &["send", "-b", &url, "-f", &far, "--coords-tolerance=-1"],
        );
    }
}

#[test]
fn coordinates_from_a_domain_file_of_another_type() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let files = [0, 2].map(|first| {
        file(
            &sandbox,
            &format!("{first}.nc"),
            first,
            &on_grid("f4", "None", "", true),
        )
    });
    let domain = file(
        &sandbox,
        "domain.nc",
        0,
        &on_grid("f8", "None", " + 1e-3", true),
    );
    let coordinates = r#"{"nav_lon": "nav_lon", "nav_lat": "nav_lat"}"#;
    let lent = ["-gf", &domain, "-uc", coordinates];
    for ranks in [1, 3] {
        let prefix = ranks.to_string();
        let place = ["-b", &url, "-p", &prefix];
        let two = [files[0].as_str(), &files[1]];
        run(ranks, &[&["send", "-f"], &two[..], &place, &lent].concat()).well();
        run(
            ranks,
            &[&["verify", "--against"], &two[..], &place, &lent].concat(),
        )
        .well();
        let differs = run(
            ranks,
            &[&["verify", "--against"], &two[..], &place].concat(),
        );
        assert_eq!(differs.code, 21, "{differs:#?}");
    }
}

#[test]
fn coordinates_that_are_not_named() {
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        let url = sandbox.url("ocean");
        let files = [0, 2].map(|first| {
            file(
                &sandbox,
                &format!("{first}.nc"),
                first,
                &on_grid("f4", "None", "", false),
            )
        });
        for file in &files {
            run(ranks, &["send", "-f", file, "-b", &url, "-p", "t"]).well();
        }
        let mut stores: Vec<String> = std::fs::read_dir(sandbox.path("ocean/t"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != ".msm-os")
            .collect();
        stores.sort();
        assert_eq!(stores, ["v0.zarr", "v1.zarr"]);
        assert!(sandbox.path("ocean/t/v0.zarr/nav_lat").is_dir());
        let store = sandbox.path("ocean/t/v0.zarr");
        reads_back(store.to_str().unwrap(), None, &files);
        let words = ["'v0' is not reprojected", "'coordinates'", "ncatted"];
        let reproject = ["send", "-f", &files[0], "-b", &url, "-p", "r", "-r"];
        refused(&sandbox, 37, &words, &reproject);
        // By name, they are data like any other.
        run(
            ranks,
            &[
                "send", "-f", &files[0], "-b", &url, "-p", "n", "-v", "nav_lat",
            ],
        )
        .well();
        assert!(sandbox.path("ocean/n/nav_lat.zarr").is_dir());
    }
}
