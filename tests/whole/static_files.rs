//! Files without time, such as mesh masks: sent as they are with `--static`, and then whatever is done with stores.

use crate::line::msm_os;
use crate::support::{Sandbox, real_months};
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

#[test]
fn the_error_names_the_flag() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let plain = mesh_mask(&sandbox, "mesh_mask.nc", "", 3.0);
    let send = msm_os!("send -f {plain} -b {url} -p mesh");
    let words = ["mesh_mask.nc", "--static"];
    send.refused_in(&sandbox, 13, &words);
    // A dimension, but nothing that tells its steps apart.
    send.and("-a t").refused_in(&sandbox, 13, &words);
    let both = send.and("-a t --static");
    both.refused_in(&sandbox, 2, &words[1..]);
}

#[test]
fn whatever_is_done_with_stores() {
    for (ranks, time, version) in [(1, "", "3"), (3, "time_counter", "2"), (3, "t", "3")] {
        let sandbox = Sandbox::new();
        let url = sandbox.url("ocean");
        let first = mesh_mask(&sandbox, "mesh_mask.nc", time, 3.0);
        let other = mesh_mask(&sandbox, "other_mask.nc", time, 4.0);
        let on = |line: &str| msm_os!("{line} -b {url} -p mesh").on(ranks);
        for compact in [false, true] {
            let (variables, all) = if compact {
                ("-v compact", "-v compact")
            } else {
                ("", "--all")
            };
            let send = format!("send --static -zv {version} -f {first} {variables}");
            on(&send).well();
            let check = |file: &str| {
                if compact {
                    sandbox.reads_back("ocean/mesh.zarr", &[file]);
                    return;
                }
                for name in ["tmask", "glamt", "gdept_0", "nav_lev"] {
                    sandbox.reads_back(&format!("ocean/mesh/{name}.zarr"), &[file]);
                }
            };
            check(&first);
            assert!(!sandbox.path("ocean/mesh/nav_lon.zarr").exists());
            // Sent again, it is there; with another value it is refused.
            let before = sandbox.stores("ocean");
            let again = on(&send).well();
            again.says(&["all arrays are there already, skipped"]);
            let differs = format!("--static -f {other} {variables}");
            on(&format!("send {differs}")).refused(22, &["'gdept_0'"]);
            assert_eq!(sandbox.stores("ocean"), before, "{compact}");
            // Two files must be the same.
            let both = format!("send --static -f {first} {other} {variables}");
            on(&both).refused(22, &[]);
            on("verify").well();
            on(&format!("verify --static --against {first}")).well();
            on(&format!("verify --static --against {other}")).refused(60, &[]);
            msm_os!("list -b {url}").well().says(&["tmask"]);
            // An update overwrites, and a rollback takes that back.
            on(&format!("update {differs}")).well();
            check(&other);
            on("rollback").well();
            check(&first);
            assert_eq!(sandbox.stores("ocean"), before);
            on("verify").well();
            msm_os!("delete --yes -b {url} -p mesh {all}").well();
            assert!(sandbox.stores("ocean").is_empty());
        }
        on(&format!("send --static -f {first} -v tmask")).well();
        on("rollback").well();
        assert!(sandbox.stores("ocean").is_empty());
    }
}

#[test]
fn a_store_that_grows_is_no_static_one() {
    let sandbox = Sandbox::new();
    let (url, months) = (sandbox.url("ocean"), real_months());
    let [first, second, third] = [0, 1, 2].map(|month| &months[month]);
    msm_os!("send -f {first} {second} -b {url} -v tos").well();
    // As many steps as it has, other times.
    let send = msm_os!("send --static -f {third} -b {url} -v tos");
    send.refused_in(&sandbox, 20, &["'tos'", "time_counter"]);
    msm_os!("send --static -r -f {first} -b {url} -p static").well_on(3);
    sandbox.reads_back("ocean/static/tos.zarr", &[first]);
}
