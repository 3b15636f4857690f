//! Coordinates that hold NaN, differ by rounding, come from elsewhere, or are not named.

use crate::line::msm_os;
use crate::support::Sandbox;
use crate::texts::file;

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
        let ([first, second], url) = (&files, sandbox.url("ocean"));
        for line in [
            msm_os!("send -f {first} -b {url} -p t -r"),
            msm_os!("send -f {second} -b {url} -p t"),
            msm_os!("send -f {first} -b {url} -p c -v compact -r --method bilinear"),
            msm_os!("update -f {second} -b {url} -p t"),
            msm_os!("verify -b {url} -p t --against {first} {second}"),
        ] {
            line.well_on(ranks);
        }
        sandbox.reads_back("ocean/t/v0.zarr,ocean/t/v1.zarr", &files);
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
    let ([first, second], url) = (files, sandbox.url("ocean"));
    for line in [
        msm_os!("send -f {first} -b {url} -p t -r"),
        msm_os!("send -f {second} -b {url} -p t -r"),
        msm_os!("send -f {first} {second} -b {url} -p u"),
    ] {
        line.well();
    }
}

#[test]
fn coordinates_that_differ_by_rounding() {
    for (dtype, offset, ranks) in [
        ("f4", " * np.float32(1 + 1.2e-7)", 1),
        ("f8", " + 3e-16 * (1 + abs(values))", 3),
    ] {
        let sandbox = Sandbox::new();
        let url = sandbox.url("ocean");
        let with = |name: &str, day: u32, offset: &str| {
            file(&sandbox, name, day, &on_grid(dtype, "None", offset, true))
        };
        let first = with("first.nc", 0, "");
        let next = with("next.nc", 2, offset);
        let words = ["nav_l", "--coords-tolerance"];
        let send = |place: &str, files: &str| msm_os!("send -b {url} -p {place} -f {files}");
        let both = format!("{first} {next}");
        send("t", &both).refused_in(&sandbox, 22, &words);
        send("t", &first).well_on(ranks);
        let tolerance = "--coords-tolerance 1e-6";
        for command in ["send", "update --append-missing"] {
            let line = msm_os!("{command} -f {next} -b {url} -p t");
            line.refused_in(&sandbox, 22, &words);
            let tiny = line.and("--coords-tolerance 1e-17");
            tiny.refused_in(&sandbox, 22, &words);
            line.and(tolerance).well_on(ranks);
        }
        let against = msm_os!("verify -b {url} -p t --against {both}");
        against.on(ranks).refused(60, &[]);
        against.and(tolerance).well_on(ranks);
        // At once, and reprojected: the store keeps what it has.
        for line in [
            send("r", &first).and("-r"),
            send("r", &next).and("-r"),
            send("b", &both),
        ] {
            line.and(tolerance).well_on(ranks);
        }
        // What is no coordinate, and what is further off, is refused all the same.
        let far = with("far.nc", 4, " + 1e-3");
        let tolerant = send("t", &far).and(tolerance);
        tolerant.refused_in(&sandbox, 22, &words);
        let negative = msm_os!("send -b {url} -f {far} --coords-tolerance=-1");
        negative.refused_in(&sandbox, 2, &["--coords-tolerance"]);
    }
}

#[test]
fn coordinates_from_a_domain_file_of_another_type() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let lines = on_grid("f4", "None", "", true);
    let [first, second] = [0, 2].map(|day| file(&sandbox, &format!("{day}.nc"), day, &lines));
    let lines = on_grid("f8", "None", " + 1e-3", true);
    let domain = file(&sandbox, "domain.nc", 0, &lines);
    let coordinates = r#"{"nav_lon": "nav_lon", "nav_lat": "nav_lat"}"#;
    let lent = format!("-gf {domain} -uc '{coordinates}'");
    for ranks in [1, 3] {
        let files = format!("{first} {second} -b {url} -p {ranks}");
        msm_os!("send -f {files} {lent}").well_on(ranks);
        let verify = msm_os!("verify --against {files}");
        verify.and(&lent).well_on(ranks);
        verify.on(ranks).refused(21, &[]);
    }
}

#[test]
fn coordinates_that_are_not_named() {
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        let url = sandbox.url("ocean");
        let lines = on_grid("f4", "None", "", false);
        let files = [0, 2].map(|first| file(&sandbox, &format!("{first}.nc"), first, &lines));
        for file in &files {
            msm_os!("send -f {file} -b {url} -p t").well_on(ranks);
        }
        let mut stores: Vec<String> = std::fs::read_dir(sandbox.path("ocean/t"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != ".msm-os")
            .collect();
        stores.sort();
        assert_eq!(stores, ["v0.zarr", "v1.zarr"]);
        assert!(sandbox.path("ocean/t/v0.zarr/nav_lat").is_dir());
        sandbox.reads_back("ocean/t/v0.zarr", &files);
        let words = ["'v0' is not reprojected", "'coordinates'", "ncatted"];
        let reproject = msm_os!("send -f {} -b {url} -p r -r", files[0]);
        reproject.refused_in(&sandbox, 37, &words);
        // By name, they are data like any other.
        msm_os!("send -f {} -b {url} -p n -v nav_lat", files[0]).well_on(ranks);
        assert!(sandbox.path("ocean/n/nav_lat.zarr").is_dir());
    }
}
