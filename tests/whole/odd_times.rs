//! Axes that are missing, of other variables, or beside others; bounds that nobody wrote: right, or refused by name.

use crate::refusals::refused;
use crate::support::{Ended, Sandbox, alone, on_ranks, reads_back};
use crate::texts::file;

fn send(ranks: usize, sandbox: &Sandbox, file: &str, more: &[&str]) -> Ended {
    let url = sandbox.url("ocean");
    let args = [&["send", "-b", &url, "-p", "t", "-f", file], more].concat();
    match ranks {
        1 => alone(&args),
        _ => on_ranks(ranks, &args),
    }
}

/// A variable along time, beside `more`.
fn tos(more: &str) -> String {
    format!(
        r#"
v = f.createVariable("tos", "f4", ("time_counter", "n"), fill_value=1e20); v[:] = np.arange(4).reshape(2, 2) + first
{more}"#
    )
}

/// The axis of a file is made anew, by these lines.
fn without_axis(lines: &str) -> String {
    format!(
        r#"
f.close()
f = netCDF4.Dataset(path, "w")
f.createDimension("time_counter", None); f.createDimension("n", 2); f.createDimension("nv", 2)
{lines}
{}"#,
        tos("")
    )
}

#[test]
fn missing_steps_are_named() {
    let sandbox = Sandbox::new();
    let cases = [
        ("f8", "fill_value=999999.", "", "999999.", "its _FillValue"),
        ("f8", "fill_value=np.nan", "", "np.nan", "value 1"),
        ("f8", "fill_value=-5.", "", "np.nan", "value 1"),
        (
            "f4",
            "",
            "t.missing_value = 1e20",
            "1e20",
            "its missing_value",
        ),
        (
            "i4",
            "",
            "t.missing_value = [-1., 999999.]",
            "999999",
            "its missing_value",
        ),
        ("f8", "", "", "9.969209968386869e36", "default fill"),
        ("f4", "", "", "9.969209968386869e36", "default fill"),
        ("i4", "", "", "-2147483647", "default fill"),
        ("i8", "", "", "-9223372036854775806", "default fill"),
    ];
    for (i, (dtype, options, attributes, value, why)) in cases.into_iter().enumerate() {
        for units in ["days since 2000-01-01", "m"] {
            let lines = without_axis(&format!(
                r#"
t = f.createVariable("time_counter", "{dtype}", ("time_counter",), {options})
t.units = "{units}"; t.set_auto_mask(False)
{attributes}
t[0] = first; t[1] = {value}"#
            ));
            let name = format!("{i}{}.nc", units.len());
            let bad = file(&sandbox, &name, 0, &lines);
            let words = [&name, "'time_counter', value 1", why];
            let url = sandbox.url("ocean");
            refused(
                &sandbox,
                16,
                &words,
                &["send", "-f", &bad, "-b", &url, "-p", "t"],
            );
            refused(
                &sandbox,
                16,
                &words,
                &["update", "-f", &bad, "-b", &url, "-p", "t"],
            );
        }
    }
    // A fill value that says otherwise makes the default a time like others.
    let other = without_axis(
        r#"
t = f.createVariable("time_counter", "i2", ("time_counter",), fill_value=0)
t.units = "days since 2000-01-01"; t.set_auto_mask(False)
t[:] = [-32767, 1]"#,
    );
    let other = file(&sandbox, "other.nc", 0, &other);
    send(1, &sandbox, &other, &[]).well();
}

#[test]
fn the_coordinate_is_the_axis_unless_it_is_of_no_use() {
    let cases = [
        // Units in upper case, beside a time that does not change.
        (
            r#""Days Since 2000-01-01""#,
            "[first + .5, first + 1.5]",
            "[0, 0]",
            "",
            "time_counter",
        ),
        (
            r#""DAYS SINCE 2000-01-01""#,
            "[first, first + 1]",
            "[0, 0]",
            "",
            "time_counter",
        ),
        (
            r#""hours""#,
            "[first, first + 1]",
            "[0, 0]",
            "",
            "time_counter",
        ),
        (
            r#""hours""#,
            "[first, first + 1]",
            "[first, first + 1]",
            "forecast_reference_time",
            "time_counter",
        ),
        (
            r#""hours""#,
            "[first, first + 1]",
            "[first, first + 1]",
            "",
            "time_counter",
        ),
        // As some versions of XIOS write it.
        ("None", "[0, 0]", "[first, first + 1]", "", "other"),
        ("None", "[0, 1]", "[first, first + 1]", "time", "other"),
        (r#""hours""#, "[0, 0]", "[first, first + 1]", "", "other"),
    ];
    for (i, (units, values, other, standard, axis)) in cases.into_iter().enumerate() {
        let ranks = [1, 3][i % 2];
        let sandbox = Sandbox::new();
        let lines = without_axis(&format!(
            r#"
o = f.createVariable("other", "f8", ("time_counter",)); o.units = "days since 1990-01-01"
if "{standard}": o.standard_name = "{standard}"
t = f.createVariable("time_counter", "f8", ("time_counter",))
if {units}: t.units = {units}
t[:] = {values}
o[:] = {other}"#
        ));
        let lines = lines.replace(
            "fill_value=1e20); v",
            r#"fill_value=1e20); v.coordinates = "other"; v"#,
        );
        let files = [0, 2].map(|first| file(&sandbox, &format!("{first}.nc"), first, &lines));
        for file in &files {
            send(ranks, &sandbox, file, &[]).well();
        }
        let store = sandbox.path("ocean/t/tos.zarr");
        reads_back(store.to_str().unwrap(), None, &files);
        // Sent at once, and what is wrong with the steps names what holds them.
        let url = sandbox.url("other");
        alone(&["send", "-b", &url, "-p", "t", "-f", &files[1], &files[0]]).well();
        let axis = format!("'{axis}'");
        let twice = ["send", "-b", &url, "-p", "t", "-f", &files[0], &files[0]];
        refused(&sandbox, 16, &["overlap", &axis], &twice);
        let twice = ["update", "-b", &url, "-p", "t", "-f", &files[0], &files[0]];
        refused(&sandbox, 16, &["too", &axis], &twice);
    }
}

#[test]
fn files_of_one_step_follow_the_others() {
    let sandbox = Sandbox::new();
    // Of one step alone, the time that never changes could be the axis.
    let lines = |steps: u32| {
        without_axis(&format!(
            r#"
o = f.createVariable("began", "f8", ("time_counter",)); o.units = "days since 1990-01-01"
t = f.createVariable("time_counter", "f8", ("time_counter",))
t[:] = [first + i for i in range({steps})]
o[:] = [5] * {steps}"#
        ))
        .replace(
            "np.arange(4).reshape(2, 2)",
            &format!("np.arange(2 * {steps}).reshape({steps}, 2)"),
        )
    };
    let files = [(0, 3), (3, 1)]
        .map(|(first, steps)| file(&sandbox, &format!("{first}.nc"), first, &lines(steps)));
    let url = sandbox.url("ocean");
    on_ranks(
        3,
        &["send", "-b", &url, "-p", "t", "-f", &files[0], &files[1]],
    )
    .well();
    let store = sandbox.path("ocean/t/tos.zarr");
    reads_back(store.to_str().unwrap(), None, &files);
}

#[test]
fn one_step_alone_does_not_tell_what_its_axis_is() {
    let sandbox = Sandbox::new();
    let lines = |more: &str| {
        without_axis(&format!(
            r#"
h = f.createVariable("time_counter", "f8", ("time_counter",)); h.units = "hours"; h[:] = [6]
t = f.createVariable("time_centered", "f8", ("time_counter",)); t.units = "days since 1990-01-01"
t[:] = [first]
{more}"#
        ))
        .replace("np.arange(4).reshape(2, 2)", "np.arange(2).reshape(1, 2)")
    };
    let files = [0, 1].map(|day| file(&sandbox, &format!("{day}.nc"), day, &lines("")));
    let url = sandbox.url("ocean");
    let args = ["send", "-b", &url, "-p", "t", "-v", "tos", "-f", &files[0]];
    refused(
        &sandbox,
        16,
        &["0.nc", "'time_counter'", "'time_centered'", "standard_name"],
        &args,
    );
    // Two of them tell that the coordinate never changes; so does the name of a time.
    on_ranks(3, &[&args[..], &[&files[1]]].concat()).well();
    let named = lines(r#"t.standard_name = "time""#);
    let third = file(&sandbox, "2.nc", 2, &named);
    on_ranks(3, &[&args[..8], &[&third]].concat()).well();
    let again = alone(&[&args[..8], &[&third]].concat()).well();
    assert!(again.stdout.contains("nothing to do"), "{again:#?}");
    let steps = std::fs::read_to_string(sandbox.path("ocean/t/tos.zarr/tos/zarr.json")).unwrap();
    let steps: serde_json::Value = serde_json::from_str(&steps).unwrap();
    assert_eq!(steps["shape"][0], 3);
}

#[test]
fn bounds_that_were_never_written_travel_as_they_are() {
    for (ranks, unset, options) in [
        (1, "1e30", ""),
        (3, "np.nan", ""),
        (3, "9.969209968386869e36", ""),
        (1, "-1e20", "fill_value=-1e20"),
        (1, "np.inf", ""),
    ] {
        let sandbox = Sandbox::new();
        let bounds = |written: bool, units: &str| {
            tos(&format!(
                r#"
f.createDimension("nv", 2)
t.units = "{units}"; t.bounds = "tb"
b = f.createVariable("tb", "f8", ("time_counter", "nv"), {options}); b.set_auto_mask(False)
b[:] = [[{}, first + .5], [first + .5, first + 1.5]]"#,
                if written { "first - .5" } else { unset }
            ))
        };
        let days = "days since 2000-01-01";
        let files = [(0, false), (2, true)].map(|(first, written)| {
            file(
                &sandbox,
                &format!("{first}.nc"),
                first,
                &bounds(written, days),
            )
        });
        for (file, told) in files.iter().zip([true, false]) {
            let ended = send(ranks, &sandbox, file, &[]).well();
            let said =
                ended.stderr.contains("'tb' holds") && ended.stderr.contains("sent as it is");
            assert_eq!(said, told, "{ended:#?}");
        }
        let store = sandbox.path("ocean/t/tos.zarr");
        reads_back(store.to_str().unwrap(), None, &files);
        // The spacing tells of a gap behind the store, and between files.
        let url = sandbox.url("ocean");
        let late = file(&sandbox, "late.nc", 20, &bounds(false, days));
        let send_late = ["send", "-b", &url, "-p", "t", "-f", &late];
        let ended = alone(&send_late);
        assert_eq!(ended.code, 24, "{ended:#?}");
        let ended = alone(&["send", "-b", &url, "-p", "u", "-f", &files[0], &late]);
        assert_eq!(ended.code, 16, "{ended:#?}");
        assert!(ended.stderr.contains("no file covers"), "{ended:#?}");
        // In other units, what is no time stays what it is.
        let other = file(
            &sandbox,
            "other.nc",
            4,
            &bounds(false, "days since 2000-01-01 00:00 -00:00"),
        );
        send(ranks, &sandbox, &other, &[]).well();
        let hours = bounds(false, "days since 1999-12-31").replace("first +", "first + 1 +");
        let hours = file(
            &sandbox,
            "hours.nc",
            7,
            &hours.replace("first - .5", "first + .5"),
        );
        send(ranks, &sandbox, &hours, &["--allow-gaps"]).well();
        alone(&["update", "-b", &url, "-p", "t", "-f", &hours]).well();
        alone(&[
            "verify",
            "-b",
            &url,
            "-p",
            "t",
            "--against",
            &hours,
            &files[0],
        ])
        .well();
        alone(&["rollback", "-b", &url, "-p", "t"]).well();
    }
}

#[test]
fn nothing_grows_along_the_append_dimension_twice() {
    let sandbox = Sandbox::new();
    let lines = tos(r#"
w = f.createVariable("cov", "f4", ("time_counter", "time_counter")); w[:] = np.arange(4).reshape(2, 2)
u = f.createVariable("pairs", "f4", ("time_counter", "n", "n")); u[:] = np.arange(8).reshape(2, 2, 2)"#);
    let files = [0, 2].map(|first| file(&sandbox, &format!("{first}.nc"), first, &lines));
    let url = sandbox.url("ocean");
    let words = ["'cov'", "'time_counter' more than once", "-v", "--static"];
    refused(
        &sandbox,
        15,
        &words,
        &["send", "-f", &files[0], "-b", &url, "-p", "t"],
    );
    refused(
        &sandbox,
        15,
        &words,
        &[
            "send", "-f", &files[0], "-b", &url, "-p", "t", "-v", "compact",
        ],
    );
    // Another dimension may occur twice.
    for file in &files {
        on_ranks(
            3,
            &[
                "send", "-f", file, "-b", &url, "-p", "t", "-v", "tos", "pairs",
            ],
        )
        .well();
    }
    let verify = [
        "verify",
        "-b",
        &url,
        "-p",
        "t",
        "-v",
        "tos",
        "pairs",
        "--against",
        &files[0],
        &files[1],
    ];
    alone(&verify).well();
    let all = [
        "send", "-f", &files[0], "-b", &url, "-p", "s", "--static", "-v", "cov",
    ];
    alone(&all).well();
}
