//! Axes that are missing, of other variables, or beside others; bounds that nobody wrote: right, or refused by name.

use crate::line::{Line, msm_os};
use crate::support::Sandbox;
use crate::texts::file;

fn send(sandbox: &Sandbox, file: &str) -> Line {
    msm_os!("send -b {} -p t -f {file}", sandbox.url("ocean"))
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
    let missing = ["t.missing_value = 1e20", "t.missing_value = [-1., 999999.]"];
    let cases = [
        ("f8", "fill_value=999999.", "", "999999.", "its _FillValue"),
        ("f8", "fill_value=np.nan", "", "np.nan", "value 1"),
        ("f8", "fill_value=-5.", "", "np.nan", "value 1"),
        ("f4", "", missing[0], "1e20", "its missing_value"),
        ("i4", "", missing[1], "999999", "its missing_value"),
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
            for command in ["send", "update"] {
                let line = msm_os!("{command} -f {bad} -b {url} -p t");
                line.refused_in(&sandbox, 16, &words);
            }
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
    send(&sandbox, &other).well();
}

#[test]
fn the_coordinate_is_the_axis_unless_it_is_of_no_use() {
    let (days, hours) = (r#""Days Since 2000-01-01""#, r#""hours""#);
    let upper = r#""DAYS SINCE 2000-01-01""#;
    let (steps, halves) = ("[first, first + 1]", "[first + .5, first + 1.5]");
    let reference = "forecast_reference_time";
    let cases = [
        // Units in upper case, beside a time that does not change.
        (days, halves, "[0, 0]", "", "time_counter"),
        (upper, steps, "[0, 0]", "", "time_counter"),
        (hours, steps, "[0, 0]", "", "time_counter"),
        (hours, steps, steps, reference, "time_counter"),
        (hours, steps, steps, "", "time_counter"),
        // As some versions of XIOS write it.
        ("None", "[0, 0]", steps, "", "other"),
        ("None", "[0, 1]", steps, "time", "other"),
        (hours, "[0, 0]", steps, "", "other"),
    ];
    for (i, (units, values, other, standard, axis)) in cases.into_iter().enumerate() {
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
            send(&sandbox, file).well_on([1, 3][i % 2]);
        }
        sandbox.reads_back("ocean/t/tos.zarr", &files);
        // Sent at once, and what is wrong with the steps names what holds them.
        let ([first, second], url) = (&files, sandbox.url("other"));
        msm_os!("send -b {url} -p t -f {second} {first}").well();
        let axis = format!("'{axis}'");
        for (command, word) in [("send", "overlap"), ("update", "too")] {
            let twice = msm_os!("{command} -b {url} -p t -f {first} {first}");
            twice.refused_in(&sandbox, 16, &[word, &axis]);
        }
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
    send(&sandbox, &files.join(" ")).well_on(3);
    sandbox.reads_back("ocean/t/tos.zarr", &files);
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
    let send = |files: &str| msm_os!("send -b {url} -p t -v tos -f {files}");
    let words = ["0.nc", "'time_counter'", "'time_centered'", "standard_name"];
    send(&files[0]).refused_in(&sandbox, 16, &words);
    // Two of them tell that the coordinate never changes; so does the name of a time.
    send(&files.join(" ")).well_on(3);
    let named = lines(r#"t.standard_name = "time""#);
    let third = file(&sandbox, "2.nc", 2, &named);
    send(&third).well_on(3);
    send(&third).well().says(&["nothing to do"]);
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
            let lines = bounds(written, days);
            file(&sandbox, &format!("{first}.nc"), first, &lines)
        });
        for (file, told) in files.iter().zip([true, false]) {
            let ended = send(&sandbox, file).well_on(ranks);
            let said =
                ended.stderr.contains("'tb' holds") && ended.stderr.contains("sent as it is");
            assert_eq!(said, told, "{ended:#?}");
        }
        sandbox.reads_back("ocean/t/tos.zarr", &files);
        // The spacing tells of a gap behind the store, and between files.
        let ([first, _], url) = (&files, sandbox.url("ocean"));
        let late = file(&sandbox, "late.nc", 20, &bounds(false, days));
        send(&sandbox, &late).alone().refused(24, &[]);
        let gap = msm_os!("send -b {url} -p u -f {first} {late}").alone();
        gap.refused(16, &["no file covers"]);
        // In other units, what is no time stays what it is.
        let lines = bounds(false, "days since 2000-01-01 00:00 -00:00");
        let other = file(&sandbox, "other.nc", 4, &lines);
        send(&sandbox, &other).well_on(ranks);
        let lines = bounds(false, "days since 1999-12-31").replace("first +", "first + 1 +");
        let lines = lines.replace("first - .5", "first + .5");
        let hours = file(&sandbox, "hours.nc", 7, &lines);
        let send = send(&sandbox, &hours).and("--allow-gaps");
        send.well_on(ranks);
        msm_os!("update -b {url} -p t -f {hours}").well();
        msm_os!("verify -b {url} -p t --against {hours} {first}").well();
        msm_os!("rollback -b {url} -p t").well();
    }
}

#[test]
fn nothing_grows_along_the_append_dimension_twice() {
    let sandbox = Sandbox::new();
    let lines = tos(r#"
w = f.createVariable("cov", "f4", ("time_counter", "time_counter")); w[:] = np.arange(4).reshape(2, 2)
u = f.createVariable("pairs", "f4", ("time_counter", "n", "n")); u[:] = np.arange(8).reshape(2, 2, 2)"#);
    let [first, second] = [0, 2].map(|day| file(&sandbox, &format!("{day}.nc"), day, &lines));
    let url = sandbox.url("ocean");
    let words = ["'cov'", "'time_counter' more than once", "-v", "--static"];
    let send_first = send(&sandbox, &first);
    send_first.refused_in(&sandbox, 15, &words);
    let compact = send_first.and("-v compact");
    compact.refused_in(&sandbox, 15, &words);
    // Another dimension may occur twice.
    for file in [&first, &second] {
        send(&sandbox, file).and("-v tos pairs").well_on(3);
    }
    msm_os!("verify -b {url} -p t -v tos pairs --against {first} {second}").well();
    msm_os!("send -f {first} -b {url} -p s --static -v cov").well();
}
