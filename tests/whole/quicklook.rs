//! `quicklook`: pictures of what stores hold.

use std::process::Command;

use nemo_like::Spec;
use serde_json::Value;

use crate::line::msm_os;
use crate::support::{Sandbox, python_of, python_runs, real_months, script};
use crate::warm::end_warm;

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn pixels_have_the_values_that_xarray_reads() {
    let sandbox = Sandbox::new();
    let file = sandbox.months(1, 3);
    let place = format!("-b {} -p T1m", sandbox.url("ocean"));
    msm_os!("send -f {file} -v tos thetao {place}").well();
    let page = sandbox.file("map.html");
    for (variable, options, step, level) in [
        ("tos", "", "2", "-"),
        ("thetao", "--step 1976-02 --level 1", "1", "1"),
    ] {
        let line = msm_os!("quicklook {place} -v {variable} {options} -o {page} --json");
        let told = parsed(&line.well_on(3).stdout);
        assert_eq!(told["charts"][0]["variable"], variable);
        assert!(told["objects_read"].as_u64().unwrap() > 0, "{told}");
        let store = sandbox.file(&format!("ocean/T1m/{variable}.zarr"));
        python_runs(
            &script("quicklook.py"),
            &[&*store, variable, step, level, &page],
        );
        if options.is_empty() {
            // On any number of ranks the same.
            let drawn = std::fs::read(&page).unwrap();
            line.well();
            assert!(drawn == std::fs::read(&page).unwrap());
        }
    }
}

#[test]
fn a_map_looks_as_matplotlib_draws_it() {
    let sandbox = Sandbox::new();
    let months = real_months();
    let place = format!("-b {} -p real", sandbox.url("ocean"));
    msm_os!("send -f {} -v tos {place}", months[0]).well();
    let picture = sandbox.file("tos.png");
    msm_os!("quicklook {place} -o {picture}").well();
    let mut command = Command::new(python_of("tests/.venv-iris"));
    command
        .arg(script("quicklook_matplotlib.py"))
        .args([&picture, &months[0], "tos"]);
    end_warm(&command).well();
}

#[test]
fn every_kind_of_picture_and_what_is_refused() {
    let sandbox = Sandbox::new();
    let file = sandbox.source(&Spec {
        steps: 2,
        ..Spec::default()
    });
    let url = sandbox.url("ocean");
    let place = format!("-b {url} -p T1y");
    msm_os!("send -f {file} -v tos thetao {place}").well();
    let (png, svg) = (sandbox.file("a.png"), sandbox.file("a.svg"));
    for options in [
        "--step 0,1 --bbox 170,-20,-170,20",
        "-v thetao --section",
        "--series",
    ] {
        let ended = msm_os!("quicklook {place} {options} -o {png}").well();
        ended.says(&["mean ", "wrote "]);
        let picture = std::fs::read(&png).unwrap();
        assert!(
            picture.starts_with(b"\x89PNG") && picture.len() > 5_000,
            "{options}"
        );
    }
    msm_os!("quicklook {place} -v tos --series -o {svg}").well();
    assert!(std::fs::read_to_string(&svg).unwrap().starts_with("<svg "));
    for (options, code, words) in [
        ("-v tos --step 7", 2, "no such step; it has steps 0 to 1"),
        (
            "-v tos --step 1850-01",
            2,
            "no such step; it has steps 0 to 1, ",
        ),
        (
            "-v tos --step 1976",
            2,
            "for a step of the year 1976, --step 1976-",
        ),
        (
            "-v tos --step 1850",
            2,
            "a year is given with a month, such as 1850-01",
        ),
        (
            "-v tos --step 1976-13",
            2,
            "there is no such date in the calendar",
        ),
        (
            "-v thetao --level=-5m",
            2,
            "no such level; it has levels 0 to ",
        ),
        (
            "-v thetao --level 99999m",
            2,
            "no such level; it has levels 0 to ",
        ),
        ("-v tos --bbox 10,10,10,20", 2, "longitudes 10 to 10"),
        ("-v tos --bbox 0,nan,20,20", 2, "latitudes NaN to 20"),
        (
            "-v thetao --level 99",
            2,
            "no such level; it has levels 0 to ",
        ),
        (
            "-v tos --level 0",
            2,
            "none of the variables has levels: tos",
        ),
        ("-v tos --section", 15, "it has no levels"),
        ("-v nav_lon", 27, "there is no store"),
        ("-v tos --bbox 0,10,10,0", 2, "latitudes 10 to 0"),
    ] {
        msm_os!("quicklook {place} {options} -o {svg}")
            .alone()
            .refused(code, &[words]);
    }
    msm_os!("quicklook {place} -o {png}.jpg")
        .alone()
        .refused(2, &["ends in .png, .svg or .html"]);
    let nowhere = sandbox.file("no/a.png");
    msm_os!("quicklook {place} -o {nowhere}")
        .alone()
        .refused(2, &["there is no folder"]);
    // Where the disk is full, nothing is left of it.
    let full = sandbox.file("full.png");
    std::os::unix::fs::symlink("/dev/full", &full).unwrap();
    msm_os!("quicklook {place} -v tos -o {full}")
        .alone()
        .refused(53, &["full.png: cannot be written: No space left"]);
    let part = msm_os!("quicklook {place} -v tos --series --bbox 170,-20,-170,20 -o {svg}").well();
    part.says(&["170°E to 170°W, 20°S to 20°N"]);
    let drawn = std::fs::read_to_string(&svg).unwrap();
    assert!(
        drawn.matches("170°E to 170°W, 20°S to 20°N").count() > 1,
        "{drawn}"
    );
    msm_os!("quicklook -b {url} -p none -o {png}")
        .alone()
        .refused(27, &["there are no stores"]);
}
