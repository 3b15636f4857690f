//! Files without time, such as mesh masks: sent as they are with `--static`, and then whatever is done with stores.

use crate::refusals::refused;
use crate::support::{Ended, Sandbox, alone, on_ranks, reads_back, real_months};
use crate::texts::file;

/// A mesh mask as NEMO 3.6 writes it, with or without a time, and one value of its own.
fn mesh_mask(sandbox: &Sandbox, name: &str, time: &str, depth: f64) -> String {
    let lines = format!(
        r#"
f.close()
f = netCDF4.Dataset(path, "w", format="NETCDF3_64BIT_OFFSET")
for dimension, size in (("x", 6), ("y", 5), ("z", 3), ("t", 1)):
    f.createDimension("{time}" if dimension == "t" and "{time}" else dimension, size)
lon, lat = np.meshgrid(np.arange(6) * 60. - 150., np.arange(5) * 30. - 60.)
t = "{time}" or "t"
f.createVariable("nav_lon", "f4", ("y", "x"))[:] = lon
f.createVariable("nav_lat", "f4", ("y", "x"))[:] = lat
f.createVariable("nav_lev", "f4", ("z",))[:] = [1, 2, 3]
f.createVariable("tmask", "i1", (t, "z", "y", "x"))[:] = np.arange(90).reshape(1, 3, 5, 6) % 2
f.createVariable("glamt", "f8", (t, "y", "x"))[:] = lon[None]
f.createVariable("gdept_0", "f8", (t, "z"))[:] = [[1, 2, {depth}]]
if "{time}": f.createVariable(t, "f8", (t,))[:] = [0]
"#
    );
    file(sandbox, name, 0, &lines)
}

fn run(ranks: usize, args: &[&str]) -> Ended {
    match ranks {
        1 => alone(args),
        _ => on_ranks(ranks, args),
    }
}

#[test]
fn the_error_names_the_flag() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let plain = mesh_mask(&sandbox, "mesh_mask.nc", "", 3.0);
    let send = ["send", "-f", &plain, "-b", &url, "-p", "mesh"];
    refused(&sandbox, 13, &["mesh_mask.nc", "--static"], &send);
    // A dimension, but nothing that tells its steps apart.
    refused(
        &sandbox,
        13,
        &["mesh_mask.nc", "--static"],
        &[&send[..], &["-a", "t"]].concat(),
    );
    refused(
        &sandbox,
        2,
        &["--static"],
        &[&send[..], &["-a", "t", "--static"]].concat(),
    );
}

#[test]
fn whatever_is_done_with_stores() {
    for (ranks, time, version) in [(1, "", "3"), (3, "time_counter", "2"), (3, "t", "3")] {
        let sandbox = Sandbox::new();
        let url = sandbox.url("ocean");
        let first = mesh_mask(&sandbox, "mesh_mask.nc", time, 3.0);
        let other = mesh_mask(&sandbox, "other_mask.nc", time, 4.0);
        let files = std::slice::from_ref(&first);
        let place = ["-b", &url, "-p", "mesh"];
        let on =
            |command: &str, more: &[&str]| run(ranks, &[&[command][..], &place, more].concat());
        for compact in [false, true] {
            let variables: &[&str] = if compact { &["-v", "compact"] } else { &[] };
            let send = [&["--static", "-zv", version, "-f", &first], variables].concat();
            on("send", &send).well();
            let stores = if compact { "mesh.zarr" } else { "mesh" };
            let check = |files: &[String]| {
                if compact {
                    let store = sandbox.path("ocean/mesh.zarr");
                    reads_back(store.to_str().unwrap(), None, files);
                    return;
                }
                for name in ["tmask", "glamt", "gdept_0", "nav_lev"] {
                    let store = sandbox.path(&format!("ocean/mesh/{name}.zarr"));
                    reads_back(store.to_str().unwrap(), None, files);
                }
            };
            check(files);
            assert!(!sandbox.path("ocean/mesh/nav_lon.zarr").exists());
            // Sent again, it is there; with another value it is refused.
            let before = sandbox.stores("ocean");
            let again = on("send", &send).well();
            assert!(
                again
                    .stdout
                    .contains("all arrays are there already, skipped"),
                "{again:#?}"
            );
            let differs = [&["--static", "-f", &other], variables].concat();
            let ended = on("send", &differs);
            assert_eq!(ended.code, 22, "{ended:#?}");
            assert!(ended.stderr.contains("'gdept_0'"), "{ended:#?}");
            assert_eq!(sandbox.stores("ocean"), before, "{stores}");
            // Two files must be the same.
            let both = on(
                "send",
                &[&["--static", "-f", &first, &other], variables].concat(),
            );
            assert_eq!(both.code, 22, "{both:#?}");
            on("verify", &[]).well();
            on("verify", &["--static", "--against", &first]).well();
            let against = on("verify", &["--static", "--against", &other]);
            assert_eq!(against.code, 60, "{against:#?}");
            let listed = alone(&[&["list"], &place[..2]].concat()).well();
            assert!(listed.stdout.contains("tmask"), "{listed:#?}");
            // An update overwrites, and a rollback takes that back.
            on("update", &differs).well();
            check(std::slice::from_ref(&other));
            on("rollback", &[]).well();
            check(files);
            assert_eq!(sandbox.stores("ocean"), before);
            on("verify", &[]).well();
            let variables: &[&str] = if compact {
                &["-v", "compact"]
            } else {
                &["--all"]
            };
            alone(&[&["delete", "--yes"], &place[..], variables].concat()).well();
            assert!(sandbox.stores("ocean").is_empty());
        }
        on("send", &["--static", "-f", &first, "-v", "tmask"]).well();
        on("rollback", &[]).well();
        assert!(sandbox.stores("ocean").is_empty());
    }
}

#[test]
fn a_store_that_grows_is_no_static_one() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let months = real_months();
    let place = ["-b", &url, "-v", "tos"];
    alone(&[&["send", "-f", &months[0], &months[1]], &place[..]].concat()).well();
    // As many steps as it has, other times.
    let send = [
        "send", "--static", "-f", &months[2], "-b", &url, "-v", "tos",
    ];
    refused(&sandbox, 20, &["'tos'", "time_counter"], &send);
    let reprojected = [
        "send", "--static", "-r", "-f", &months[0], "-b", &url, "-p", "static",
    ];
    on_ranks(3, &reprojected).well();
    let store = sandbox.path("ocean/static/tos.zarr");
    reads_back(store.to_str().unwrap(), None, &months[..1]);
}
